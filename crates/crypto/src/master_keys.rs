//! The master key, and the previous ones that are kept until everything is sealed under the current one.
//! Where keys come from (file, environment, command) is the wiring's business.

use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use userd_model::Random;
use zeroize::Zeroizing;

use crate::{
    CryptoError,
    aead::{Key, Mark},
};

/// The current master key and the previous ones.
pub struct MasterKeys {
    current: Marked,
    previous: Vec<Marked>,
}

pub(crate) struct Marked {
    pub(crate) mark: Mark,
    pub(crate) key: Key,
}

impl MasterKeys {
    /// `current` seals; `previous` only open what was sealed before the last rotation.
    #[must_use]
    pub fn new(current: [u8; 32], previous: Vec<[u8; 32]>) -> Self {
        Self { current: Marked::new(current), previous: previous.into_iter().map(Marked::new).collect() }
    }

    /// A new key and no previous ones.
    #[must_use]
    pub fn generate(random: &dyn Random) -> Self {
        Self::new(random.secret(), Vec::new())
    }

    /// Reads a key as it stands in a file: 32 bytes in standard base64, white space around it ignored.
    pub fn parse_key(text: &str) -> Result<Zeroizing<[u8; 32]>, CryptoError> {
        let bytes = STANDARD.decode(text.trim()).map(Zeroizing::new).map_err(|_| CryptoError::MalformedMasterKey)?;
        <[u8; 32]>::try_from(bytes.as_slice()).map(Zeroizing::new).map_err(|_| CryptoError::MalformedMasterKey)
    }

    /// The current key as [`MasterKeys::parse_key`] reads it, for writing a new key file.
    #[must_use]
    pub fn current_text(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(self.current.key.as_slice()))
    }

    /// The public name of the current key: the first 8 hex digits of SHA-256 over a fixed prefix and the key.
    #[must_use]
    pub fn current_id(&self) -> String {
        hex::encode(self.current.mark)
    }

    pub(crate) const fn current(&self) -> &Marked {
        &self.current
    }

    pub(crate) fn find(&self, mark: Mark) -> Option<&Marked> {
        std::iter::once(&self.current).chain(&self.previous).find(|key| key.mark == mark)
    }
}

/// Shows the names of the keys, nothing else.
impl std::fmt::Debug for MasterKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MasterKeys({} and {} previous)", self.current_id(), self.previous.len())
    }
}

impl Marked {
    fn new(key: [u8; 32]) -> Self {
        let key = Zeroizing::new(key);
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(b"userd master key id");
        context.update(key.as_slice());
        let mut mark = [0; 4];
        mark.iter_mut().zip(context.finish().as_ref()).for_each(|(mark, byte)| *mark = *byte);
        Self { mark, key }
    }
}
