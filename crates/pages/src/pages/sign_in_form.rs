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
            p.after { a href="/forgot" { (t.forgot) } }
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
    let services = &visit.site.services;
    let offered: Vec<_> =
        services.sign_in.offered().into_iter().filter(|provider| provider.capabilities().browser).collect();
    let has_bot = services.sign_in.offered().iter().any(|provider| provider.kind() == Kind::Telegram)
        && services.sign_in.has_bot();
    let has_code = services.deps.settings.email_code_sign_in;
    html! {
        @if !offered.is_empty() || has_bot || has_code {
            ul.ways aria-label=(t.other_ways) {
                @for provider in &offered {
                    li {
                        a.button.quiet href=(with_query(&format!("/sign-in/with/{}", provider.id()), "next", next)) {
                            (fill(t.with, "provider", provider.display_name()))
                            " " (last_way::mark(visit, &last_way::through(provider.id())))
                        }
                    }
                }
                @if has_bot { li { a.button.quiet href=(with_query("/sign-in/bot", "next", next)) { (t.with_bot) " " (last_way::mark(visit, BOT)) } } }
                @if has_code {
                    li { a.button.quiet href=(with_query("/sign-in/email-code", "next", next)) { (t.with_code) " " (last_way::mark(visit, EMAIL_CODE)) } }
                }
            }
        }
    }
}

/// A passkey, which the login's field lists too.
fn passkey(visit: &Visit, next: &str) -> Markup {
    let (kind, button) = (passkey_forms::Kind::Show, visit.texts.passkeys.sign_in);
    let form = PasskeyForm { kind, action: PASSKEY_FORM, question: PASSKEY_QUESTION, next, button, fills_in: true };
    passkey_forms::form(visit, form, &last_way::mark(visit, PASSKEY))
}
