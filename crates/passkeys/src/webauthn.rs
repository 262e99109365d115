//! The trait over webauthn-rs. Its challenges are 256 random bits of the operating system's generator, attestation is not
//! asked for, and of the algorithms only those that it calls secure are.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use uuid::Uuid;
use webauthn_rs::{
    Webauthn, WebauthnBuilder,
    prelude::{
        DiscoverableAuthentication, DiscoverableKey, Passkey, PasskeyRegistration, PublicKeyCredential,
        RegisterPublicKeyCredential, WebauthnError,
    },
};

use crate::{Begun, Created, Fault, Named, Passkeys, Person, Proven, RelyingParty, Unusable, Wrong};

/// Passkeys by webauthn-rs.
pub(crate) struct WebAuthn {
    core: Webauthn,
    rp_id: String,
}

impl WebAuthn {
    pub(crate) fn new(party: &RelyingParty) -> Result<Self, Unusable> {
        let refused = |error: WebauthnError| Unusable::Refused(error.to_string());
        let first = party.origins.iter().find(|origin| origin.domain().is_some()).ok_or(Unusable::NoOrigin)?;
        let mut builder = WebauthnBuilder::new(&party.id, first).map_err(refused)?.rp_name(&party.name);
        for origin in party.all_origins().filter(|origin| *origin != first) {
            builder = builder.append_allowed_origin(origin);
        }
        Ok(Self { core: builder.build().map_err(refused)?, rp_id: party.id.clone() })
    }
}

impl Passkeys for WebAuthn {
    fn rp_id(&self) -> &str {
        &self.rp_id
    }

    fn begin_creation(&self, person: &Person<'_>, held: &[Vec<u8>]) -> Result<Begun, Fault> {
        let held = held.to_vec();
        let (name, display_name) = (person.name, person.display_name);
        let (asked, state) = self
            .core
            .start_passkey_registration(person.handle, name, display_name, Some(held))
            .map_err(|error| Fault(error.to_string()))?;
        let mut options = inner(&asked)?;
        // The library leaves it to the authenticator whether a passkey can be found without a name; here each can.
        if let Some(selection) = options.get_mut("authenticatorSelection") {
            selection["residentKey"] = json!("required");
            selection["requireResidentKey"] = json!(true);
        }
        Ok(Begun { options, state: text(&state)? })
    }

    fn finish_creation(&self, state: &str, answer: &Value) -> Result<Created, Wrong> {
        let answer: RegisterPublicKeyCredential = read(answer)?;
        let state: PasskeyRegistration = serde_json::from_str(state).map_err(|error| refused(&error))?;
        if answer.type_ != "public-key" {
            return Err(Wrong::Malformed);
        }
        let passkey = self.core.finish_passkey_registration(&answer, &state).map_err(|error| wrong(&error))?;
        let key = bytes(&passkey).map_err(|error| refused(&error))?;
        Ok(Created { key, credential_id: passkey.cred_id().to_vec() })
    }

    /// The question is the discoverable one in any case: its state holds no passkeys, so that an answer is held against the
    /// passkey as it is at the end, counter included, and not as it was when the question was asked.
    fn begin_proof(&self, accepted: &[Vec<u8>]) -> Result<Begun, Fault> {
        let (asked, state) = self.core.start_discoverable_authentication().map_err(|error| Fault(error.to_string()))?;
        let mut options = inner(&asked)?;
        let ids = accepted.iter().map(|id| json!({ "type": "public-key", "id": URL_SAFE_NO_PAD.encode(id) }));
        if let Some(members) = options.as_object_mut() {
            members.insert("allowCredentials".to_owned(), ids.collect());
        }
        Ok(Begun { options, state: text(&state)? })
    }

    fn named(&self, answer: &Value) -> Result<Named, Wrong> {
        let answer: PublicKeyCredential = read(answer)?;
        if answer.type_ != "public-key" {
            return Err(Wrong::Malformed);
        }
        let handle = answer.get_user_unique_id().map(Uuid::from_slice).transpose().map_err(|_| Wrong::Malformed)?;
        Ok(Named { handle, credential_id: answer.get_credential_id().to_vec() })
    }

    fn finish_proof(&self, state: &str, answer: &Value, key: &[u8]) -> Result<Proven, Wrong> {
        let answer: PublicKeyCredential = read(answer)?;
        let state: DiscoverableAuthentication = serde_json::from_str(state).map_err(|error| refused(&error))?;
        let mut passkey: Passkey = serde_json::from_slice(key).map_err(|error| refused(&error))?;
        let result = self
            .core
            .finish_discoverable_authentication_v2(&answer, state, DiscoverableKey::from(&passkey))
            .map_err(|error| wrong(&error))?;
        if !result.user_verified() {
            return Err(Wrong::Refused("the user was not verified".to_owned()));
        }
        passkey.update_credential(&result).ok_or_else(|| Wrong::Refused("another passkey".to_owned()))?;
        Ok(Proven { key: bytes(&passkey).map_err(|error| refused(&error))?, counter: result.counter() })
    }

    fn credential_id(&self, key: &[u8]) -> Result<Vec<u8>, Fault> {
        let passkey: Passkey = serde_json::from_slice(key).map_err(|error| Fault(error.to_string()))?;
        Ok(passkey.cred_id().to_vec())
    }
}

/// The options without the member that `navigator.credentials` wraps them in.
fn inner(asked: &impl Serialize) -> Result<Value, Fault> {
    let mut asked = serde_json::to_value(asked).map_err(|error| Fault(error.to_string()))?;
    asked.get_mut("publicKey").map(Value::take).ok_or_else(|| Fault("options without `publicKey`".to_owned()))
}

fn bytes(value: &impl Serialize) -> Result<Vec<u8>, Fault> {
    serde_json::to_vec(value).map_err(|error| Fault(error.to_string()))
}

fn text(value: &impl Serialize) -> Result<String, Fault> {
    serde_json::to_string(value).map_err(|error| Fault(error.to_string()))
}

/// Browsers send objects; serde would take their members one after another in an array, too.
fn read<T: DeserializeOwned>(answer: &Value) -> Result<T, Wrong> {
    if !answer.is_object() || answer.get("response").is_some_and(|response| !response.is_object()) {
        return Err(Wrong::Malformed);
    }
    T::deserialize(answer).map_err(|_| Wrong::Malformed)
}

fn refused(error: &impl ToString) -> Wrong {
    Wrong::Refused(error.to_string())
}

fn wrong(error: &WebauthnError) -> Wrong {
    match error {
        WebauthnError::CredentialPossibleCompromise => Wrong::Copied,
        other => refused(other),
    }
}
