//! Checkpoints: how large a log is and its root, as a signed note (C2SP `tlog-checkpoint` and `signed-note`), and the
//! Ed25519 key that signs them and nothing else.

use base64::{Engine as _, engine::general_purpose::STANDARD, engine::general_purpose::URL_SAFE_NO_PAD};
use userd_jose::{Algorithm, JoseError, SigningKey, VerifyingKey};
use zeroize::Zeroizing;

use super::{Hash, hash_of};

/// The first byte of Ed25519 keys in notes.
const ED25519: u8 = 1;
pub(super) const SIGNED_BY: &str = "\u{2014} ";

/// How large a log was, and its root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log.
    pub origin: String,
    /// How many entries.
    pub size: u64,
    /// Its root.
    pub root: Hash,
}

/// Why a note is no checkpoint of this key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// It is no checkpoint at all.
    #[error("is no checkpoint")]
    Malformed,
    /// No signature of the key, or one that is not right.
    #[error("is not signed by the key of this log")]
    Signature,
}

/// Signs checkpoints.
pub struct CheckpointKey {
    signing: SigningKey,
    verifying: VerifyingKey,
    public: Vec<u8>,
}

impl CheckpointKey {
    /// A new key, as it is kept: PKCS#8.
    ///
    /// # Errors
    /// The library's.
    pub fn generate() -> Result<Zeroizing<Vec<u8>>, JoseError> {
        SigningKey::generate(Algorithm::EdDSA)?.to_pkcs8()
    }

    /// The key that was kept.
    ///
    /// # Errors
    /// Not PKCS#8 of an Ed25519 key.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, JoseError> {
        let signing = SigningKey::from_pkcs8(Algorithm::EdDSA, der)?;
        let verifying = signing.verifying_key(None)?;
        let jwk = verifying.to_jwk();
        let public = jwk.get("x").and_then(serde_json::Value::as_str).and_then(|x| URL_SAFE_NO_PAD.decode(x).ok());
        Ok(Self { signing, public: public.ok_or(JoseError::Key("has no public half"))?, verifying })
    }

    /// The verifier key of a log: what auditors keep.
    #[must_use]
    pub fn verifier(&self, origin: &str) -> String {
        let key = [&[ED25519], self.public.as_slice()].concat();
        format!("{origin}+{}+{}", hex::encode(self.id(origin)), STANDARD.encode(key))
    }

    /// Signs a checkpoint.
    ///
    /// # Errors
    /// The library's.
    pub fn sign(&self, checkpoint: &Checkpoint) -> Result<String, JoseError> {
        let text = checkpoint.text();
        let signature = self.signing.sign(text.as_bytes())?;
        let signed = STANDARD.encode([self.id(&checkpoint.origin).as_slice(), &signature].concat());
        Ok(format!("{text}\n{SIGNED_BY}{} {signed}\n", checkpoint.origin))
    }

    /// Reads a signed checkpoint; signatures of others, such as witnesses, may stand beside this key's.
    ///
    /// # Errors
    /// [`NoteError`].
    pub fn open(&self, note: &str) -> Result<Checkpoint, NoteError> {
        let (text, signatures) = note.split_once("\n\n").ok_or(NoteError::Malformed)?;
        let text = format!("{text}\n");
        let checkpoint = Checkpoint::parse(&text).ok_or(NoteError::Malformed)?;
        let body = signatures.strip_suffix('\n').ok_or(NoteError::Malformed)?;
        let ours = |line: &str| {
            let (name, signed) = line.strip_prefix(SIGNED_BY)?.split_once(' ')?;
            let bytes = STANDARD.decode(signed).ok()?;
            let (id, signature) = bytes.split_first_chunk::<4>()?;
            let is_ours = name == checkpoint.origin && *id == self.id(&checkpoint.origin);
            (is_ours && self.verifying.verify(text.as_bytes(), signature).is_ok()).then_some(())
        };
        body.lines().find_map(ours).map(|()| checkpoint.clone()).ok_or(NoteError::Signature)
    }

    fn id(&self, origin: &str) -> [u8; 4] {
        let [a, b, c, d, ..] = hash_of(&[origin.as_bytes(), b"\n", &[ED25519], &self.public]);
        [a, b, c, d]
    }
}

impl Checkpoint {
    pub(super) fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root))
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
        let root = STANDARD.decode(root).ok()?.try_into().ok()?;
        let checkpoint = Self { origin: origin.to_owned(), size: size.parse().ok()?, root };
        // There is one way to write it: no leading zeros, nothing behind.
        (checkpoint.text() == text && !origin.is_empty()).then_some(checkpoint)
    }
}

/// Shows the public half.
impl std::fmt::Debug for CheckpointKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CheckpointKey({})", hex::encode(&self.public))
    }
}
