//! Names and shapes of everything in Redis, and the scripts that touch it. Deliberately absent: connections.
//!
//! | key | value |
//! |---|---|
//! | `<prefix>:v:<space>:<id>` | `=` + version as 20 digits + `|` + bytes, or `x` + version + `|` (a tombstone) |
//! | `<prefix>:l:<limit>:<key>` | microsecond at which the allowance is whole again |
//! | `<prefix>:{fanout}` | stream of `n` number, `o` origin, `k` kind, `p` payload |
//! | `<prefix>:{fanout}:n` | number of the last message |
//!
//! Every key begins with the prefix as it is configured, which is what an access list names (`~userd:*`). Ids are
//! percent-encoded, so that no id, whatever it holds, can name a key of another space, limit or slot.

use std::fmt::Write as _;

use ::redis::Script;
use bytes::Bytes;

use crate::{CacheKey, Entry};

pub(crate) struct Layout {
    prefix: String,
    pub(crate) stream: String,
    pub(crate) number: String,
    pub(crate) get: Script,
    pub(crate) put: Script,
    pub(crate) invalidate: Script,
    pub(crate) gcra: Script,
    pub(crate) publish: Script,
    pub(crate) position: Script,
}

impl Layout {
    pub(crate) fn new(prefix: &str) -> Self {
        let prefix = prefix_of(prefix);
        Self {
            stream: format!("{prefix}:{{fanout}}"),
            number: format!("{prefix}:{{fanout}}:n"),
            get: Script::new(include_str!("get.lua")),
            put: Script::new(include_str!("put.lua")),
            invalidate: Script::new(include_str!("invalidate.lua")),
            gcra: Script::new(include_str!("gcra.lua")),
            publish: Script::new(include_str!("publish.lua")),
            position: Script::new(include_str!("position.lua")),
            prefix,
        }
    }

    pub(crate) fn value(&self, key: &CacheKey) -> String {
        format!("{}:v:{}:{}", self.prefix, encode(key.space()), encode(key.id()))
    }

    pub(crate) fn limit(&self, name: &str, key: &str) -> String {
        format!("{}:l:{}:{}", self.prefix, encode(name), encode(key))
    }

    pub(crate) fn probe(&self) -> String {
        format!("{}:probe", self.prefix)
    }
}

/// The prefix without the `:` that follows it anyway. Colons within stay: they name no slot, and what stands behind the
/// prefix has none in its ids.
fn prefix_of(configured: &str) -> String {
    let parts: Vec<String> = configured.trim_end_matches(':').split(':').map(encode).collect();
    parts.join(":")
}

/// Everything but letters, digits, `-`, `_` and `.` becomes `%XX`.
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.') {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _written = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// A version as 20 digits whose order as text is the order of the numbers (Lua's numbers lose digits above 2^53).
pub(crate) fn digits(version: i64) -> String {
    format!("{:020}", (i128::from(version) - i128::from(i64::MIN)))
}

fn version(digits: &[u8]) -> Option<i64> {
    let number: i128 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    i64::try_from(number + i128::from(i64::MIN)).ok()
}

/// What lies under a value's key.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Stored {
    Value(Entry),
    Tombstone(i64),
}

/// Reads a stored value; anything malformed is `None`, a miss.
pub(crate) fn read(stored: &Bytes) -> Option<Stored> {
    let (head, _) = stored.split_at_checked(22)?;
    let [kind, number @ .., b'|'] = head else { return None };
    if !number.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let version = version(number)?;
    match kind {
        b'=' => Some(Stored::Value(Entry::new(version, stored.slice(22..)))),
        b'x' => Some(Stored::Tombstone(version)),
        _ => None,
    }
}

/// The version that `put.lua` answered, if it refused.
pub(crate) fn newer(answer: &[u8]) -> Option<i64> {
    version(answer)
}

/// An invalidation as the payload of a fan-out message: version, space and id, with `|` between.
pub(crate) fn invalidation(key: &CacheKey, version: i64) -> Vec<u8> {
    format!("{}|{}|{}", digits(version), key.space(), key.id()).into_bytes()
}

/// Reads what [`invalidation`] wrote. A space never holds `|`; an id may.
pub(crate) fn read_invalidation(payload: &[u8]) -> Option<(CacheKey, i64)> {
    let text = std::str::from_utf8(payload).ok()?;
    let (number, rest) = text.split_once('|')?;
    let (space, id) = rest.split_once('|')?;
    Some((CacheKey::heard(space.to_owned(), id.to_owned()), version(number.as_bytes())?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_keep_their_order_as_text() {
        let versions = [i64::MIN, -5, -1, 0, 1, 9, 10, 1 << 53, (1 << 53) + 1, i64::MAX - 1, i64::MAX];
        for pair in versions.windows(2) {
            let [low, high] = pair else { unreachable!("pairs") };
            assert!(digits(*low) < digits(*high));
            assert_eq!(digits(*low).len(), 20);
            assert_eq!(version(digits(*low).as_bytes()), Some(*low));
        }
    }

    #[test]
    fn whatever_is_malformed_is_a_miss() {
        let good = format!("={}|body", digits(7));
        assert_eq!(read(&Bytes::from(good.clone())), Some(Stored::Value(Entry::new(7, Bytes::from_static(b"body")))));
        for cut in 0..22 {
            assert_eq!(read(&Bytes::copy_from_slice(good.as_bytes().get(..cut).unwrap())), None);
        }
        for bad in [good.replace('=', "?"), good.replace('|', ":"), good.replace("=0", "=+"), "=".repeat(30)] {
            assert_eq!(read(&Bytes::from(bad.clone())), None, "{bad}");
        }
        let too_big = Bytes::from(format!("={}|x", "9".repeat(20)));
        assert_eq!(read(&too_big), None);
    }

    #[test]
    fn an_invalidation_survives_any_id() {
        for id in ["plain", "a|b", "", "\r\n\0 ", "{tag}"] {
            let key = CacheKey::new("user", id);
            assert_eq!(read_invalidation(&invalidation(&key, -3)), Some((key, -3)));
        }
    }

    /// What an access list of Redis names, `~userd:*`, is the beginning of every key (fault 26).
    #[test]
    fn every_key_begins_with_the_prefix_as_configured() {
        for (prefix, begins) in
            [("userd:", "userd:"), ("userd", "userd:"), ("corp:userd:", "corp:userd:"), ("a b", "a%20b:")]
        {
            let layout = Layout::new(prefix);
            let value = layout.value(&CacheKey::new("user", "1"));
            for key in [value, layout.limit("login", "x"), layout.probe(), layout.stream.clone(), layout.number.clone()]
            {
                assert!(key.starts_with(begins), "{key}");
            }
            assert!(layout.number.starts_with(&layout.stream), "one slot");
        }
    }

    /// ASVS V1.3.9
    #[test]
    fn no_id_can_leave_its_space() {
        let layout = Layout::new("userd");
        let nasty = "x:y\r\nDEL *\0 {slot}é";
        let key = layout.value(&CacheKey::new("user", nasty));
        let id = key.strip_prefix("userd:v:user:").unwrap();
        assert!(id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"%-_.".contains(&byte)), "{key}");
        assert_ne!(layout.value(&CacheKey::new("user", "a:b")), layout.value(&CacheKey::new("user", "a%3Ab")));
        assert_ne!(layout.limit("login", "a:b"), layout.limit("login:a", "b"));
    }
}
