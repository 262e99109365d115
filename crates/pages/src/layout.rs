//! What stands around every page: head, the operator's name, navigation, who is signed in, the choice of a language.

use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use maud::{DOCTYPE, Markup, html};
use url::form_urlencoded;
use userd_web::problem::Language;

use crate::{
    addresses::{ACCEPTED_PASSKEYS, INBOX_STREAM},
    assets::Assets,
    fields::TOKEN,
    parts, sections as administration,
    texts::{self, Texts},
    visit::Visit,
};

impl Visit {
    /// A page with this title.
    pub(crate) fn page(&self, title: &str, content: &Markup) -> Response {
        self.page_with(StatusCode::OK, title, content)
    }

    /// The same with another status: a form that was refused says so to programs too.
    pub(crate) fn page_with(&self, status: StatusCode, title: &str, content: &Markup) -> Response {
        let html = page(self, title, content).into_string();
        (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response()
    }

    /// A form that this browser was not given, or was given before it signed in or out.
    pub(crate) fn out_of_date(&self) -> Response {
        let t = &self.texts.common;
        let content = parts::single(
            t.form_gone_title,
            &html! { (parts::note(t.form_gone)) p { a.button href=(self.shown_at) { (t.form_anew) } } },
        );
        self.page_with(StatusCode::FORBIDDEN, t.form_gone_title, &content)
    }
}

/// A page for a visit.
fn page(visit: &Visit, title: &str, content: &Markup) -> Markup {
    let site = &visit.site;
    shell(
        Shell { language: visit.language, title, name: &site.options.name, assets: &site.assets },
        &html! {
            (header(visit))
            main #main tabindex="-1" { (content) }
            (footer(visit))
        },
    )
}

/// What the outermost frame says.
#[derive(Clone, Copy)]
pub(crate) struct Shell<'a> {
    pub(crate) language: Language,
    pub(crate) title: &'a str,
    pub(crate) name: &'a str,
    pub(crate) assets: &'a Assets,
}

/// The document around a body.
pub(crate) fn shell(shell: Shell<'_>, body: &Markup) -> Markup {
    let Shell { language, title, name, assets } = shell;
    let t = &texts::of(language).common;
    html! {
        (DOCTYPE)
        html lang=(tag(language)) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex";
                title { (title) " · " (name) }
                link rel="icon" href=(assets.icon);
                link rel="stylesheet" href=(assets.style);
                script type="module" src=(assets.script) {}
            }
            body {
                a.skip href="#main" { (t.skip) }
                (body)
            }
        }
    }
}

/// The operator's name, and picture.
pub(crate) fn brand(name: &str, assets: &Assets) -> Markup {
    html! {
        a.brand href="/" {
            @if let Some(logo) = &assets.logo { img src=(logo) alt="" height="28"; }
            span { (name) }
        }
    }
}

fn header(visit: &Visit) -> Markup {
    let (site, t) = (&visit.site, &visit.texts.common);
    // The first page after a sign-in tells whoever keeps passkeys; page.js sees to it.
    let signals_after = (visit.account.is_some() && site.services.deps.passkeys.is_some()).then_some(ACCEPTED_PASSKEYS);
    html! {
        header.top data-signals-after=[signals_after] data-passkeys=[signals_after.map(|_| &site.assets.passkeys)] {
            (brand(&site.options.name, &site.assets))
            @if let Some(account) = &visit.account {
                nav aria-label=(t.menu) {
                    a href="/account" aria-current=[at(visit, "/account")] { (t.my_account) }
                    @if !administration::of(visit).is_empty() {
                        a href="/admin" aria-current=[within(visit, "/admin")] { (visit.texts.admin.frame.title) }
                    }
                }
                form.leave method="post" action="/sign-out" {
                    (token(visit))
                    span.who { (texts::name_of(account)) }
                    button.quiet { (t.sign_out) }
                }
            }
        }
    }
}

fn footer(visit: &Visit) -> Markup {
    let t = &visit.texts.common;
    html! {
        footer.bottom {
            form method="post" action="/language" aria-label=(t.language) {
                (token(visit))
                input type="hidden" name="next" value=(shown_anew(visit));
                @for language in Language::ALL {
                    button.link name="language" value=(tag(language)) lang=(tag(language))
                        aria-pressed=(if language == visit.language { "true" } else { "false" }) {
                        (texts::of(language).common.language_name)
                    }
                }
            }
        }
    }
}

/// The address at which this page is shown anew.
fn shown_anew(visit: &Visit) -> String {
    visit.going_on.get().map_or_else(|| visit.shown_at.clone(), |next| with_query(&visit.shown_at, "next", next))
}

/// The sections of the account around one of them.
pub(crate) fn account(visit: &Visit, title: &str, content: &Markup) -> Markup {
    let links: Vec<_> = sections(visit.texts).into_iter().map(|(path, name)| (path, name, at(visit, path))).collect();
    beside(visit, &links, title, &html! { (back(visit)) (content) })
}

/// The way back to the application that sent the visitor here.
fn back(visit: &Visit) -> Markup {
    let url = visit.back.as_deref().and_then(|back| url::Url::parse(back).ok());
    html! {
        @if let Some(url) = url {
            p.no-print { a href=(url) { "← " (texts::fill(visit.texts.common.back_to, "app", url.host_str().unwrap_or(url.scheme()))) } }
        }
    }
}

const INBOX: &str = "/account/notifications";

/// How much is unread; the script keeps it right while the page is open.
fn badge(visit: &Visit) -> Markup {
    html! {
        " " span.badge data-inbox-badge=(INBOX_STREAM) hidden[visit.unread == 0] { (visit.unread) }
        script type="module" src=(visit.site.assets.inbox) {}
    }
}

/// A page beside the links to its sections, of which one is marked.
pub(crate) fn beside(visit: &Visit, links: &[(&str, &str, Option<&str>)], title: &str, content: &Markup) -> Markup {
    html! {
        div.sections {
            nav.side aria-label=(visit.texts.common.sections) {
                ul {
                    @for (path, name, mark) in links {
                        li { a href=(path) aria-current=[*mark] { (name) @if *path == INBOX { (badge(visit)) } } }
                    }
                }
            }
            div.section {
                h1 { (title) }
                (content)
            }
        }
    }
}

/// Every section of the account.
fn sections(texts: &Texts) -> Vec<(&'static str, &'static str)> {
    let t = &texts.account;
    vec![
        ("/account", t.overview),
        ("/account/profile", t.profile),
        ("/account/emails", t.emails),
        ("/account/security", t.security),
        ("/account/devices", t.devices),
        ("/account/linked", t.linked),
        ("/account/notifications", t.notifications),
        ("/account/access", t.access),
        ("/account/data", t.data),
    ]
}

/// Marks the link to where the visitor is.
fn at(visit: &Visit, path: &str) -> Option<&'static str> {
    let here = visit.here.split('?').next().unwrap_or_default();
    // What is set up on a page of its own belongs to the section that leads there.
    let section = if here == "/account/preferences" { "/account/notifications" } else { here };
    let below = path != "/account" && section.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'));
    (section == path || below).then_some("page")
}

/// The same for a link whose pages lie under its path.
pub(crate) fn within(visit: &Visit, path: &str) -> Option<&'static str> {
    let here = visit.here.split('?').next().unwrap_or_default();
    let rest = here.strip_prefix(path)?;
    (rest.is_empty() || rest.starts_with('/')).then_some("page")
}

/// Has the script tell whoever keeps passkeys which are good, and what the account is called.
pub(crate) fn signals(visit: &Visit) -> Markup {
    html! {
        span data-signals=(ACCEPTED_PASSKEYS) {}
        script type="module" src=(visit.site.assets.passkeys) {}
    }
}

/// The field that every form has.
pub(crate) fn token(visit: &Visit) -> Markup {
    html! { input type="hidden" name=(TOKEN) value=(visit.form_token); }
}

/// An address with one parameter.
pub(crate) fn with_query(path: &str, name: &str, value: &str) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).append_pair(name, value).finish();
    format!("{path}{}{query}", if path.contains('?') { '&' } else { '?' })
}

pub(crate) const fn tag(language: Language) -> &'static str {
    match language {
        Language::English => "en",
        Language::Russian => "ru",
    }
}
