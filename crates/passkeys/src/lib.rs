//! Passkeys (WebAuthn Level 3): what a browser is asked, and whether its answer is right. The library that reads what
//! authenticators say stands behind a trait and the feature `webauthn`, so that the rest of the house knows neither it nor
//! its cryptography.
//!
//! Deliberately absent: accounts, storage, how long a question stands and that it is asked once: its state is bytes that
//! whoever asks keeps, out of the browser's reach.

mod relying_party;
#[cfg(feature = "webauthn")]
mod webauthn;

use std::sync::Arc;

use serde_json::Value;
use uuid::Uuid;

pub use relying_party::{RelyingParty, Unusable};

/// Makes and checks passkeys for one relying party. User verification is demanded and checked in every answer.
pub trait Passkeys: Send + Sync {
    /// The domain that the passkeys belong to.
    fn rp_id(&self) -> &str;

    /// Asks for a new passkey of `person`, on none of the authenticators that hold one of `held`.
    ///
    /// # Errors
    /// [`Fault`].
    fn begin_creation(&self, person: &Person<'_>, held: &[Vec<u8>]) -> Result<Begun, Fault>;

    /// The passkey in an answer to [`Self::begin_creation`].
    ///
    /// # Errors
    /// [`Wrong`].
    fn finish_creation(&self, state: &str, answer: &Value) -> Result<Created, Wrong>;

    /// Asks for a proof by one of `accepted`, or by whatever passkey the browser has where there are none.
    ///
    /// # Errors
    /// [`Fault`].
    fn begin_proof(&self, accepted: &[Vec<u8>]) -> Result<Begun, Fault>;

    /// Whose an answer to [`Self::begin_proof`] says to be. Nothing of it is proven.
    ///
    /// # Errors
    /// [`Wrong::Malformed`].
    fn named(&self, answer: &Value) -> Result<Named, Wrong>;

    /// Whether the answer is one of the passkey `key`, as it is known now.
    ///
    /// # Errors
    /// [`Wrong`].
    fn finish_proof(&self, state: &str, answer: &Value, key: &[u8]) -> Result<Proven, Wrong>;

    /// What names a passkey at its authenticator.
    ///
    /// # Errors
    /// [`Fault`] for what is none.
    fn credential_id(&self, key: &[u8]) -> Result<Vec<u8>, Fault>;
}

/// The passkeys of a relying party.
///
/// # Errors
/// [`Unusable`]: the relying party cannot have passkeys, or the program was built without them.
pub fn of(party: &RelyingParty) -> Result<Arc<dyn Passkeys>, Unusable> {
    party.check()?;
    #[cfg(feature = "webauthn")]
    return webauthn::WebAuthn::new(party).map(|passkeys| Arc::new(passkeys) as Arc<dyn Passkeys>);
    #[cfg(not(feature = "webauthn"))]
    Err(Unusable::NotBuilt)
}

/// Whether the program was built with them.
pub const BUILT: bool = cfg!(feature = "webauthn");

/// Whom a passkey is for.
#[derive(Clone, Copy, Debug)]
pub struct Person<'a> {
    /// What comes back with every proof: no name, and the same for ever.
    pub handle: Uuid,
    /// How they sign in, for telling accounts apart.
    pub name: &'a str,
    /// What they are called.
    pub display_name: &'a str,
}

/// A question.
pub struct Begun {
    /// For the browser, as `PublicKeyCredential.parseCreationOptionsFromJSON` or `parseRequestOptionsFromJSON` take it.
    pub options: Value,
    /// What the answer is held against. Never for the browser.
    pub state: String,
}

/// A new passkey.
pub struct Created {
    /// What it is checked with.
    pub key: Vec<u8>,
    /// What names it at its authenticator.
    pub credential_id: Vec<u8>,
}

/// Whose an answer says to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The handle of the person, where the authenticator says one.
    pub handle: Option<Uuid>,
    /// The passkey.
    pub credential_id: Vec<u8>,
}

/// A proof that was right.
pub struct Proven {
    /// What the passkey is checked with from now on.
    pub key: Vec<u8>,
    /// How often the authenticator says to have signed; zero for those that do not count.
    pub counter: u32,
}

/// Why an answer is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// It is no answer of a browser.
    #[error("this is no credential in WebAuthn's JSON form")]
    Malformed,
    /// It is not an answer to this question, by this passkey, at this site, with its user verified. The text is for the log.
    #[error("{0}")]
    Refused(String),
    /// The authenticator has signed fewer times than it says it had: there may be two of it.
    #[error("the signature counter went back: the passkey may have been copied")]
    Copied,
}

/// What should not happen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Fault(pub String);
