//! Keys of the audit log.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use userd_crypto::transparency::WitnessKey;

use super::{
    text::{Optional, Text, shown_as_written, text_traits},
    urls::SecureUrl,
    values::FilePath,
};

text_traits!(VerifierKey);
shown_as_written!(VerifierKey);

/// The audit log. How long its entries are kept is `retention.audit`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AuditConfig {
    /// A file to which signed checkpoints are appended, outside the database: whoever rewrites the log cannot rewrite
    /// them. Put it where the service may only append. Empty: checkpoints are in the log of the process and in events.
    pub checkpoint_file: Optional<FilePath>,
    /// Where a witness takes checkpoints (C2SP tlog-witness, its submission prefix): it cosigns each that goes on from the one
    /// before. It must know the key of this log, which `userd audit key` prints. Empty: no witness.
    pub witness_url: Optional<SecureUrl>,
    /// What the witness cosigns with: its verifier key, name+id+key (C2SP tlog-cosignature, Ed25519). Empty: no witness.
    pub witness_key: Optional<VerifierKey>,
}

/// The public key of a witness. Kept as written.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    text: String,
    key: WitnessKey,
}

impl VerifierKey {
    /// What signatures are verified with.
    #[must_use]
    pub fn key(&self) -> &WitnessKey {
        &self.key
    }
}

impl Text for VerifierKey {
    const FORMAT: &'static str = "verifier-key";
    const EXPECTED: &'static str = "a verifier key of a witness, name+id+key with a key that cosigns";
    fn parse_text(text: &str) -> Result<Self, &'static str> {
        WitnessKey::parse(text).map(|key| Self { text: text.to_owned(), key }).ok_or("")
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
