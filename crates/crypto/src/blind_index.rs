//! Keyed hashes of canonical values, so that an e-mail address can be found and kept unique without being stored.
//! The caller canonicalises; two spellings that should be one must already be equal here.

use zeroize::Zeroizing;

use crate::mac::mac;

/// The key of the blind indexes: random, made once, stored sealed. Losing it loses every look-up by e-mail, username,
/// phone or identity.
pub struct BlindIndex {
    key: Zeroizing<[u8; 32]>,
}

impl BlindIndex {
    /// With this key.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self { key: Zeroizing::new(key) }
    }

    /// The hash under which a claim of this kind to this canonical value is stored. Kinds never collide.
    #[must_use]
    pub fn claim_hash(&self, kind: &str, canonical: &str) -> [u8; 32] {
        mac(&self.key, &[b"claim", kind.as_bytes(), canonical.as_bytes()])
    }

    /// The keyed hash of anything else that must be found or compared but not stored, apart from claims by its label.
    #[must_use]
    pub fn keyed_hash(&self, label: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut all: Vec<&[u8]> = vec![b"hash", label.as_bytes()];
        all.extend_from_slice(parts);
        mac(&self.key, &all)
    }

    /// A key for another purpose, derived from this one: the same label gives the same key.
    #[must_use]
    pub fn derive(&self, label: &str) -> [u8; 32] {
        mac(&self.key, &[b"derive", label.as_bytes()])
    }
}

/// Shows nothing of the key.
impl std::fmt::Debug for BlindIndex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BlindIndex")
    }
}
