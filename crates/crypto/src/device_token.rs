//! Device tokens: show that a device has signed in to an account before, so that a lock made by guessing from
//! elsewhere never shuts it out. They open nothing by themselves.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use userd_model::{Random, Timestamp, UserId};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::{constant_time_eq, mac::mac};

const PREFIX: &str = "udd_";
const SIGNED_LEN: usize = 16 + 16 + 8 + 8;
const TEXT_LEN: usize = ((SIGNED_LEN + 32) * 4).div_ceil(3);

/// Mints and reads device tokens. The text is `udd_` and base64url of user id (16 bytes), device id (16), security
/// epoch (8), moment of minting in microseconds (8) and tag (32).
pub struct DeviceTokens {
    key: Zeroizing<[u8; 32]>,
}

/// What a device token says. Whether that still counts is for the caller to compare with the account as it is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownDevice {
    /// Whose device.
    pub user: UserId,
    /// The device's own id.
    pub id: Uuid,
    /// The user's security epoch when the token was minted.
    pub epoch: i64,
    /// When it was minted.
    pub minted_at: Timestamp,
}

impl DeviceTokens {
    /// With the key of the tags, shared by all replicas.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self { key: Zeroizing::new(key) }
    }

    /// A token for a new device of `user`, whose security epoch is `epoch`.
    #[must_use]
    pub fn mint(&self, random: &dyn Random, user: UserId, epoch: i64, now: Timestamp) -> String {
        let mut bytes = Vec::with_capacity(SIGNED_LEN + 32);
        bytes.extend_from_slice(user.0.as_bytes());
        bytes.extend_from_slice(&random.id_bytes());
        bytes.extend_from_slice(&epoch.to_be_bytes());
        bytes.extend_from_slice(&now.micros().to_be_bytes());
        let tag = self.tag(&bytes);
        bytes.extend_from_slice(&tag);
        format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
    }

    /// What the token says; `None` for anything not minted with this key.
    #[must_use]
    pub fn parse(&self, text: &str) -> Option<KnownDevice> {
        let encoded = text.strip_prefix(PREFIX).filter(|encoded| encoded.len() == TEXT_LEN)?;
        let bytes = URL_SAFE_NO_PAD.decode(encoded).ok()?;
        let (signed, tag) = bytes.split_at_checked(SIGNED_LEN)?;
        if !constant_time_eq(tag, &self.tag(signed)) {
            return None;
        }
        let (user, rest) = signed.split_first_chunk()?;
        let (id, rest) = rest.split_first_chunk()?;
        let (epoch, rest) = rest.split_first_chunk()?;
        let (minted_at, _) = rest.split_first_chunk()?;
        Some(KnownDevice {
            user: UserId(Uuid::from_bytes(*user)),
            id: Uuid::from_bytes(*id),
            epoch: i64::from_be_bytes(*epoch),
            minted_at: Timestamp::from_micros(i64::from_be_bytes(*minted_at)),
        })
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
        let now = Timestamp::from_micros(1_767_225_600_000_001);
        let text = tokens.mint(&random, user, 3, now);
        let device = tokens.parse(&text).expect("ours");
        assert_eq!((device.user, device.epoch, device.minted_at), (user, 3, now));
        assert_ne!(tokens.mint(&random, user, 3, now), text, "each device has an id of its own");
        for place in 4..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
            assert_eq!(tokens.parse(std::str::from_utf8(&changed).expect("ASCII")), None, "changed at {place}");
        }
        assert_eq!(DeviceTokens::new([8; 32]).parse(&text), None, "another service's key");
    }
}
