//! The secrets by which sessions are held: refresh tokens (`udr_`), and what lies in a browser's cookie: of the pages here
//! (`udb_`), or of a host whose proxy asks here (`udh_`). Opaque to clients: the prefix and base64url of `session id (16) | secret (32) | tag (16)`. The tag lets a forged secret be refused
//! without a look into the database, and one kind never be taken for the other; it replaces no look-up: whether the secret
//! is the session's current one is decided there, by its hash.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use userd_model::{Random, SessionId};
use zeroize::Zeroizing;

use crate::{
    constant_time_eq,
    mac::{MacKey, sha256},
};

const SIGNED_LEN: usize = 16 + 32;
const TAG_LEN: usize = 16;

/// Mints and reads the secrets of sessions, of one kind.
pub struct RefreshTokens {
    key: MacKey,
    prefix: &'static str,
    label: &'static [u8],
}

impl RefreshTokens {
    /// Refresh tokens, with the key of the tags, shared by all replicas.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self { key: MacKey::new(&Zeroizing::new(key)), prefix: "udr_", label: b"refresh token" }
    }

    /// What browsers hold instead, with a key of its own.
    #[must_use]
    pub fn of_browsers(key: [u8; 32]) -> Self {
        Self { key: MacKey::new(&Zeroizing::new(key)), prefix: "udb_", label: b"browser session" }
    }

    /// What browsers hold at hosts whose proxy asks here, with a key of its own.
    #[must_use]
    pub fn of_hosts(key: [u8; 32]) -> Self {
        Self { key: MacKey::new(&Zeroizing::new(key)), prefix: "udh_", label: b"session at a host" }
    }

    /// A new token for `session`: the text for the client and the SHA-256 hash to store.
    #[must_use]
    pub fn mint(&self, random: &dyn Random, session: SessionId) -> (Zeroizing<String>, [u8; 32]) {
        let secret = Zeroizing::new(random.secret());
        let mut bytes = Zeroizing::new(Vec::with_capacity(SIGNED_LEN + TAG_LEN));
        bytes.extend_from_slice(session.0.as_bytes());
        bytes.extend_from_slice(secret.as_slice());
        let tag = self.tag(&bytes);
        bytes.extend_from_slice(&tag);
        let text = Zeroizing::new(format!("{}{}", self.prefix, URL_SAFE_NO_PAD.encode(bytes.as_slice())));
        let hash = sha256(&text);
        (text, hash)
    }

    /// The session that a token belongs to and the token's hash; `None` for anything that was not minted with this
    /// key (an access token, another spelling, a changed character). The tag is compared in constant time.
    #[must_use]
    pub fn parse(&self, text: &str) -> Option<(SessionId, [u8; 32])> {
        let encoded = text.strip_prefix(self.prefix).filter(|encoded| encoded.len() == 86)?;
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(encoded).ok()?);
        let (signed, tag) = bytes.split_at_checked(SIGNED_LEN)?;
        if !constant_time_eq(tag, &self.tag(signed)) {
            return None;
        }
        let session = signed.first_chunk::<16>()?;
        Some((SessionId(uuid::Uuid::from_bytes(*session)), sha256(text)))
    }

    fn tag(&self, signed: &[u8]) -> [u8; TAG_LEN] {
        let mut tag = [0; TAG_LEN];
        let full = self.key.tag(&[self.label, signed]);
        tag.iter_mut().zip(full).for_each(|(to, from)| *to = from);
        tag
    }
}

/// Shows nothing of the key.
impl std::fmt::Debug for RefreshTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RefreshTokens")
    }
}
