//! The cookie that ties a login flow to the browser that began it. `__Host-`: only this host, only https (and
//! loopback in development), never readable by scripts.

use http::{HeaderMap, HeaderValue, header};

/// Comes back with top-level navigations from other sites.
const LAX: &str = "__Host-userd_attempt";
/// Comes back with cross-site POSTs too, for providers that answer with a form.
const CROSS_SITE: &str = "__Host-userd_attempt_post";
/// As long as a login flow lives.
const MAX_AGE: u32 = 600;

/// The cookie for a login flow that has begun.
#[must_use]
pub fn set(browser: &str, cross_site: bool) -> HeaderValue {
    let (name, same_site) = if cross_site { (CROSS_SITE, "None") } else { (LAX, "Lax") };
    value(&format!("{name}={browser}; Path=/; Max-Age={MAX_AGE}; Secure; HttpOnly; SameSite={same_site}"))
}

/// The browser's proofs, from both cookies: either may be the one that a flow began with.
#[must_use]
pub fn read(headers: &HeaderMap) -> Vec<String> {
    let pairs = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = pairs.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(|(name, _)| *name == LAX || *name == CROSS_SITE).map(|(_, value)| value.to_owned()).collect()
}

/// Removes both.
#[must_use]
pub fn clear() -> [HeaderValue; 2] {
    [LAX, CROSS_SITE].map(|name| value(&format!("{name}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax")))
}

fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}
