//! The cookies that tie login flows to the browser that began them, one for each flow, so that tabs of one browser
//! never meet. `__Host-`: only this host, only https (and loopback in development), never readable by scripts.

use http::{HeaderMap, HeaderValue, header};

/// Comes back with top-level navigations from other sites.
const LAX: &str = "__Host-userd_attempt";
/// Comes back with cross-site POSTs too, for providers that answer with a form.
const CROSS_SITE: &str = "__Host-userd_attempt_post";
/// As long as a login flow lives.
const MAX_AGE: u32 = 600;
/// So much of a state names the flow's cookie.
const TAG: usize = 8;
/// Flows that a browser has under way at most. Beyond, the oldest are forgotten: headers have an end.
const MOST: usize = 16;

/// The cookie for the login flow with this state.
#[must_use]
pub fn set(state: &str, browser: &str, cross_site: bool) -> HeaderValue {
    let (kind, same_site) = if cross_site { (CROSS_SITE, "None") } else { (LAX, "Lax") };
    let name = format!("{kind}_{}", tag(state).unwrap_or_default());
    value(&format!("{name}={browser}; Path=/; Max-Age={MAX_AGE}; Secure; HttpOnly; SameSite={same_site}"))
}

/// The browser's proofs for the flow with this state, from either cookie.
#[must_use]
pub fn read(headers: &HeaderMap, state: Option<&str>) -> Vec<String> {
    let Some(tag) = state.and_then(tag) else { return Vec::new() };
    let names = names(tag);
    ours(headers)
        .filter(|(name, _)| names.iter().any(|of_flow| of_flow == name))
        .map(|(_, proof)| proof.to_owned())
        .collect()
}

/// Removes the cookies of the flow with this state, and no other's.
#[must_use]
pub fn clear(state: Option<&str>) -> Vec<HeaderValue> {
    let Some(tag) = state.and_then(tag) else { return Vec::new() };
    names(tag).map(|name| removed(&name)).to_vec()
}

/// Removes the oldest cookies of a browser that begins one flow more than it may have under way. Browsers send the
/// oldest first (RFC 6265 section 5.4).
#[must_use]
pub fn crowded_out(headers: &HeaderMap) -> Vec<HeaderValue> {
    let names: Vec<&str> = ours(headers).map(|(name, _)| name).collect();
    let too_many = (names.len() + 1).saturating_sub(MOST);
    names.into_iter().take(too_many).map(removed).collect()
}

/// Every cookie of a login flow: its name and value.
fn ours(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(|(name, _)| name.starts_with(LAX))
}

fn names(tag: &str) -> [String; 2] {
    [LAX, CROSS_SITE].map(|kind| format!("{kind}_{tag}"))
}

/// What of a state stands in the name of a cookie; nothing where it has not the form of a state.
fn tag(state: &str) -> Option<&str> {
    let is_plain = |text: &&str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    state.get(..TAG).filter(is_plain)
}

fn removed(name: &str) -> HeaderValue {
    value(&format!("{name}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax"))
}

fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}
