//! What the sign-in page shows: a password, passkeys, and every other way in that is offered.

use maud::{Markup, html};
use userd_services::{RegistrationMode, sign_in::Kind};

use super::{
    last_way::{self, BOT, EMAIL_CODE, PASSKEY, PASSWORD},
    passkey_forms::{self, PasskeyForm},
    passkeys,
};
use crate::{
    layout::{self, with_query},
    parts::{self, Field, field},
    texts::fill,
    visit::Visit,
};

/// Where a passkey goes that signs in alone.
pub(super) const PASSKEY_FORM: &str = "/sign-in/passkey";
/// Where its question comes from.
pub(super) const PASSKEY_QUESTION: &str = "/sign-in/passkey/question";

/// The sign-in page, with something to know at its head.
pub(super) fn form(visit: &Visit, next: &str, login: &str, note: &Markup) -> Markup {
    let t = &visit.texts.sign_in;
    let settings = &visit.site.services.deps.settings;
    let has_focus = note.0.is_empty();
    parts::single(
        t.title,
        &html! {
            (note)
            form method="post" action="/sign-in" {
                (layout::token(visit))
                input type="hidden" name="next" value=(next);
                (passkeys::can_make(visit))
                (field(Field {
                    name: "login", label: t.login, value: login, autocomplete: "username webauthn", is_required: true,
                    has_focus, ..Field::default()
                }))
                (field(Field {
                    name: "password", label: t.password, kind: "password", autocomplete: "current-password",
                    is_required: true, ..Field::default()
                }))
                button { (t.submit) }
                (last_way::mark(visit, PASSWORD))
            }
            (passkey(visit, next))
            p.after { a href=(with_query("/forgot", "next", next)) { (t.forgot) } }
            (other_ways(visit, next))
            @if settings.registration != RegistrationMode::Closed {
                p.after { (t.no_account) " " a href=(with_query("/register", "next", next)) { (t.register) } }
            }
        },
    )
}

/// Every other way in.
fn other_ways(visit: &Visit, next: &str) -> Markup {
    let t = &visit.texts.sign_in;
    let mut ways = through_others(visit, |path| with_query(path, "next", next));
    if visit.site.services.deps.settings.email_code_sign_in {
        let to = with_query("/sign-in/email-code", "next", next);
        ways.push(html! { a.button.quiet href=(to) { (t.with_code) " " (last_way::mark(visit, EMAIL_CODE)) } });
    }
    list(t.other_ways, &ways)
}

/// The ways by which whoever has no account gets one: with the invitation that is shown, if one is.
pub(super) fn ways_to_an_account(visit: &Visit, next: &str, invitation: &str) -> Markup {
    let invited = |path: String| match invitation {
        "" => path,
        token => with_query(&path, "invitation", token),
    };
    let ways = through_others(visit, |path| invited(with_query(path, "next", next)));
    list(visit.texts.sign_in.other_ways_to_an_account, &ways)
}

/// Providers and the messenger's bot, which make an account of whoever has none.
fn through_others(visit: &Visit, to: impl Fn(&str) -> String) -> Vec<Markup> {
    let (t, sign_in) = (&visit.texts.sign_in, &visit.site.services.sign_in);
    let offered = sign_in.offered();
    let has_bot = offered.iter().any(|provider| provider.kind() == Kind::Telegram) && sign_in.has_bot();
    let in_browsers = offered.iter().filter(|provider| provider.capabilities().browser);
    let mut ways: Vec<_> = in_browsers
        .map(|provider| {
            html! {
                a.button.quiet href=(to(&format!("/sign-in/with/{}", provider.id()))) {
                    (fill(t.with, "provider", provider.display_name()))
                    " " (last_way::mark(visit, &last_way::through(provider.id())))
                }
            }
        })
        .collect();
    if has_bot {
        ways.push(html! { a.button.quiet href=(to("/sign-in/bot")) { (t.with_bot) " " (last_way::mark(visit, BOT)) } });
    }
    ways
}

fn list(label: &str, ways: &[Markup]) -> Markup {
    html! { @if !ways.is_empty() { ul.ways aria-label=(label) { @for way in ways { li { (way) } } } } }
}

/// A passkey, which the login's field lists too.
fn passkey(visit: &Visit, next: &str) -> Markup {
    let (kind, button) = (passkey_forms::Kind::Show, visit.texts.passkeys.sign_in);
    let form = PasskeyForm { kind, action: PASSKEY_FORM, question: PASSKEY_QUESTION, next, button, fills_in: true };
    passkey_forms::form(visit, form, &last_way::mark(visit, PASSKEY))
}
