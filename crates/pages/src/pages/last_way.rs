//! Which way somebody last came in by in this browser, so that the sign-in page marks it. A cookie that names the way and
//! nobody: what people forget is which of six buttons is theirs.

use axum::response::Response;
use http::header;
use maud::{Markup, html};

use crate::{browser_cookies, visit::Visit};

pub(super) const PASSWORD: &str = "password";
pub(super) const PASSKEY: &str = "passkey";
pub(super) const EMAIL_CODE: &str = "email-code";
pub(super) const BOT: &str = "bot";

/// A provider's way. Its id has the letters of a cookie's value.
pub(super) fn through(provider: &str) -> String {
    format!("with-{provider}")
}

/// The answer to a proof by this way, which the browser keeps in mind.
pub(super) fn remember(mut answer: Response, way: &str) -> Response {
    answer.headers_mut().extend(browser_cookies::last_way(way).map(|value| (header::SET_COOKIE, value)));
    answer
}

/// The mark at the way that was the last one.
pub(super) fn mark(visit: &Visit, way: &str) -> Markup {
    let is_last = visit.last_way.as_deref() == Some(way);
    html! { @if is_last { span.badge.last { (visit.texts.passkeys.last_way) } } }
}
