//! Device tokens: show that a device has signed in to an account before, so that a lock made by guessing from
//! elsewhere never shuts it out. They open nothing by themselves.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use userd_model::{Random, UserId};
use zeroize::Zeroizing;

use crate::{constant_time_eq, mac::mac};

const PREFIX: &str = "udd_";
const SIGNED_LEN: usize = 16 + 16;

/// Mints and reads device tokens. The text is `udd_` and base64url of user id (16 bytes), device id (16) and tag (32).
pub struct DeviceTokens {
    key: Zeroizing<[u8; 32]>,
}

impl DeviceTokens {
    /// With the key of the tags, shared by all replicas.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self { key: Zeroizing::new(key) }
    }

    /// A token for a new device of `user`.
    #[must_use]
    pub fn mint(&self, random: &dyn Random, user: UserId) -> String {
        let mut bytes = Vec::with_capacity(SIGNED_LEN + 32);
        bytes.extend_from_slice(user.0.as_bytes());
        bytes.extend_from_slice(&random.id_bytes());
        let tag = self.tag(&bytes);
        bytes.extend_from_slice(&tag);
        format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The user whose device this is, and the device's own id; `None` for anything not minted with this key.
    #[must_use]
    pub fn parse(&self, text: &str) -> Option<(UserId, uuid::Uuid)> {
        let encoded = text.strip_prefix(PREFIX).filter(|encoded| encoded.len() == 86)?;
        let bytes = URL_SAFE_NO_PAD.decode(encoded).ok()?;
        let (signed, tag) = bytes.split_at_checked(SIGNED_LEN)?;
        if !constant_time_eq(tag, &self.tag(signed)) {
            return None;
        }
        let (user, device) = signed.split_at_checked(16)?;
        let id = |part: &[u8]| uuid::Uuid::from_slice(part).ok();
        Some((UserId(id(user)?), id(device)?))
    }

    fn tag(&self, signed: &[u8]) -> [u8; 32] {
        mac(&self.key, &[b"device token", signed])
    }
}

impl std::fmt::Debug for DeviceTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DeviceTokens")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting(std::sync::atomic::AtomicU8);

    impl Random for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
        }
    }

    #[test]
    fn a_device_token_names_its_user_and_a_changed_one_names_nobody() {
        let random = Counting(1.into());
        let tokens = DeviceTokens::new([7; 32]);
        let user = UserId(uuid::Uuid::from_bytes([9; 16]));
        let text = tokens.mint(&random, user);
        assert_eq!(tokens.parse(&text).map(|(user, _)| user), Some(user));
        assert_ne!(tokens.mint(&random, user), text, "each device has an id of its own");
        for place in 4..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
            assert_eq!(tokens.parse(std::str::from_utf8(&changed).expect("ASCII")), None, "changed at {place}");
        }
        assert_eq!(DeviceTokens::new([8; 32]).parse(&text), None, "another service's key");
    }
}
