//! Cursors: the position in a list, opaque to clients and good for one list only. A tag under our own key makes any
//! other text worthless, so positions need no further distrust. Deliberately absent: what a position means.

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Serialize, de::DeserializeOwned};

/// Longest accepted cursor, in characters.
const MAX_LENGTH: usize = 1024;
/// Bytes of the HMAC-SHA-256 tag that are kept (RFC 2104 section 5).
const TAG: usize = 16;

/// Makes and opens cursors under one key, the same on all replicas.
pub struct Cursors {
    key: hmac::Key,
}

impl Cursors {
    /// From a 256-bit key that is used for nothing else.
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, key) }
    }

    /// The cursor text for `position` in `list`. `list` names the list and its filters, e.g. `users?status=active`.
    /// `None` only when the position cannot be written as JSON.
    pub fn seal<T: Serialize>(&self, list: &str, position: &T) -> Option<String> {
        let body = serde_json::to_vec(position).ok()?;
        let mut bytes = self.sign(list, &body).as_ref().get(..TAG)?.to_vec();
        bytes.extend_from_slice(&body);
        Some(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The position in a cursor that was sealed for the same `list`; `None` for anything else.
    pub fn open<T: DeserializeOwned>(&self, list: &str, text: &str) -> Option<T> {
        if text.len() > MAX_LENGTH {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (tag, body) = bytes.split_at_checked(TAG)?;
        let right = self.sign(list, body);
        aws_lc_rs::constant_time::verify_slices_are_equal(tag, right.as_ref().get(..TAG)?).ok()?;
        serde_json::from_slice(body).ok()
    }

    fn sign(&self, list: &str, body: &[u8]) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(&(list.len() as u64).to_be_bytes());
        context.update(list.as_bytes());
        context.update(body);
        context.sign()
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        reason = "tests fail by panicking"
    )]
    use super::*;

    /// AC-113: page tokens are authenticated; a changed, foreign or invented one is refused before any query.
    #[test]
    fn only_our_own_cursor_for_the_same_list_opens() {
        let cursors = Cursors::new(&[7; 32]);
        let text = cursors.seal("users", &(12_i64, "x")).unwrap();
        assert_eq!(cursors.open::<(i64, String)>("users", &text), Some((12, "x".to_owned())));
        assert_eq!(cursors.open::<(i64, String)>("users?status=active", &text), None);
        assert_eq!(Cursors::new(&[8; 32]).open::<(i64, String)>("users", &text), None);
        let bytes = URL_SAFE_NO_PAD.decode(&text).unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert_eq!(cursors.open::<(i64, String)>("users", &URL_SAFE_NO_PAD.encode(changed)), None, "byte {at}");
        }
        for invented in ["", "1", "' OR 1=1--", "AAAA", &"A".repeat(5000)] {
            assert_eq!(cursors.open::<(i64, String)>("users", invented), None, "{invented}");
        }
    }
}
