//! What can go wrong with keys and ciphertexts. One answer for every failed decryption, so that an error is never
//! an oracle; no variant carries key, text or ciphertext.

/// A refused key or ciphertext.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CryptoError {
    /// Altered, cut, moved from another row, or sealed under another key: deliberately one answer.
    #[error("the sealed value cannot be opened")]
    CannotOpen,
    /// Sealed under a master key that is neither the current nor a previous one: the configuration lacks a key.
    #[error(
        "the sealed value names a master key that is not configured: it belongs in crypto.previous_master_key_files of every replica"
    )]
    UnknownMasterKey,
    /// Not 32 bytes in base64.
    #[error("a master key is 32 bytes in base64")]
    MalformedMasterKey,
    /// The cryptographic library refused to work.
    #[error("the cryptographic library failed")]
    Library,
}
