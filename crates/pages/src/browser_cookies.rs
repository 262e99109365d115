//! The cookies of pages. `__Host-`: this host only, https (and loopback in development), unreadable for scripts.
//! Deliberately absent: what they stand for.

use std::time::Duration;

use http::HeaderValue;
use userd_web::{
    cookies::{self, kept},
    problem::page::LANGUAGE_COOKIE,
};

pub(crate) use userd_web::cookies::{read, removed};

/// Holds a session.
pub(crate) const SESSION: &str = "__Host-userd_session";
/// What forms are bound to before anybody has signed in.
pub(crate) const FORM: &str = "__Host-userd_form";
/// Shows that this browser has signed in before.
pub(crate) const DEVICE: &str = "__Host-userd_device";

/// What a sign-in waits for, and its challenge.
pub(crate) const STEP: &str = "__Host-userd_step";
/// The proof key of a way through a provider's pages, and where it leads.
pub(crate) const WAY: &str = "__Host-userd_way";

/// Which way somebody last came in by here; names nobody.
pub(crate) const LAST_WAY: &str = "__Host-userd_last_way";
/// Which application somebody came from to a task of the account, and goes back to.
pub(crate) const BACK: &str = "__Host-userd_back";
/// Nobody wants to be offered a passkey here.
pub(crate) const NO_PASSKEY: &str = "__Host-userd_no_passkey";

/// As long as somebody has for a step or for a provider's pages.
const STEP_LIFE: u64 = 600;
/// As long as somebody may take for a task that an application sent them to.
const BACK_LIFE: u64 = 3600;
const YEAR: u64 = 365 * 24 * 3600;

/// Holds a session as long as it lives.
pub(crate) fn session(secret: &str, life: Duration) -> Option<HeaderValue> {
    kept(SESSION, secret, life.as_secs())
}

/// Known here for a year.
pub(crate) fn device(token: &str) -> Option<HeaderValue> {
    kept(DEVICE, token, YEAR)
}

/// The language that was chosen here.
pub(crate) fn language(tag: &str) -> Option<HeaderValue> {
    kept(LANGUAGE_COOKIE, tag, YEAR)
}

/// The way somebody came in by. One that cannot stand in a cookie is not kept.
pub(crate) fn last_way(way: &str) -> Option<HeaderValue> {
    let is_plain = way.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    is_plain.then(|| kept(LAST_WAY, way, YEAR)).flatten()
}

/// Where an application's visitors go back to.
pub(crate) fn back(url: &str) -> Option<HeaderValue> {
    cookies::fields(BACK, &[("to", url)], BACK_LIFE)
}

/// For a quarter of a year.
pub(crate) fn no_passkey() -> Option<HeaderValue> {
    kept(NO_PASSKEY, "yes", YEAR / 4)
}

/// Something that is carried through a few pages.
pub(crate) fn carried(name: &str, fields: &[(&str, &str)]) -> Option<HeaderValue> {
    cookies::fields(name, fields, STEP_LIFE)
}

/// Until the browser is closed.
pub(crate) fn form(secret: &str) -> Option<HeaderValue> {
    HeaderValue::try_from(format!("{FORM}={secret}; Path=/; Secure; HttpOnly; SameSite=Lax")).ok()
}
