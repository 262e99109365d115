//! What is remembered of an identity's profile and tokens, sealed with its user's data key. Deliberately absent: storage.

use serde::{Deserialize, Serialize};
use userd_crypto::Zeroizing;
use userd_model::{Identity, IdentityId, Phone, Refusal, Sealed, User, text};
use userd_providers::Profile;
use userd_storage::Failure;

use super::SignIn;
use crate::{Dependencies, user_reader::internal};

/// What is remembered of a profile, sealed.
#[derive(Serialize, Deserialize)]
pub(super) struct Remembered {
    pub name: Option<String>,
    pub username: Option<String>,
    pub email: Option<String>,
    /// Whether the provider's proof of the address counted.
    #[serde(default)]
    pub email_verified: bool,
    pub phone: Option<String>,
    pub picture: Option<String>,
    pub birthday: Option<String>,
    pub groups: Vec<String>,
    pub extra: serde_json::Map<String, serde_json::Value>,
    pub secondary: Option<(String, String)>,
}

impl From<&Profile> for Remembered {
    fn from(profile: &Profile) -> Self {
        let told = Self {
            name: profile.name.clone(),
            username: profile.username.clone(),
            email: profile.email.clone(),
            email_verified: profile.email_verified,
            phone: profile.phone.clone(),
            picture: profile.picture.clone(),
            birthday: profile.birthday.clone(),
            groups: profile.groups.clone(),
            extra: profile.extra.clone(),
            secondary: profile.secondary.as_ref().map(|key| (key.issuer.clone(), key.subject.clone())),
        };
        told.fit_to_be_shown()
    }
}

impl Remembered {
    /// The same with nothing in what is shown that could hide, turn or flood the text around it. Rows of before hold
    /// it as it came.
    fn fit_to_be_shown(self) -> Self {
        let line = |text: Option<String>, max| text.and_then(|text| text::shown(&text, max));
        Self {
            name: line(self.name, 100),
            username: line(self.username, 100),
            email: line(self.email, 254),
            phone: self.phone.as_deref().and_then(phone).map(Phone::into_string),
            picture: self.picture.filter(|url| is_picture(url)),
            birthday: line(self.birthday, 32),
            ..self
        }
    }
}

/// A phone number in its one form, however a provider writes it.
pub(super) fn phone(text: &str) -> Option<Phone> {
    let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')')).collect();
    Phone::parse_digits(&digits).ok()
}

fn is_picture(url: &str) -> bool {
    url.len() <= 2048 && url.starts_with("https://") && url.bytes().all(|byte| byte.is_ascii_graphic())
}

impl SignIn {
    pub(super) fn seal_profile(&self, user: &User, id: IdentityId, remembered: &Remembered) -> Result<Sealed, Failure> {
        let bytes = serde_json::to_vec(remembered).map_err(internal)?;
        self.seal(user, id, "profile", &bytes)
    }

    pub(super) fn seal_tokens(
        &self,
        user: &User,
        id: IdentityId,
        profile: &Profile,
    ) -> Result<Option<Sealed>, Failure> {
        let Some(tokens) = &profile.tokens else { return Ok(None) };
        let bytes = tokens.to_sealable().map_err(internal)?;
        self.seal(user, id, "tokens", &bytes).map(Some)
    }

    pub(super) fn remembered(&self, user: &User, identity: &Identity) -> Result<Option<Remembered>, Failure> {
        remembered(&self.deps, user, identity)
    }

    pub(super) fn seal(&self, user: &User, id: IdentityId, field: &str, plain: &[u8]) -> Result<Sealed, Failure> {
        let wrapped = user.data_key.as_ref().ok_or(Refusal::NotFound)?;
        let key = self.deps.crypto.fields.open_data_key(wrapped, user.id).map_err(internal)?;
        key.seal(self.deps.random.as_ref(), &context(id, field), plain).map_err(internal)
    }

    pub(super) fn open(
        &self,
        user: &User,
        id: IdentityId,
        field: &str,
        sealed: &Sealed,
    ) -> Result<Zeroizing<Vec<u8>>, Failure> {
        open(&self.deps, user, id, field, sealed)
    }
}

/// What is remembered of an identity's profile.
pub(super) fn remembered(deps: &Dependencies, user: &User, identity: &Identity) -> Result<Option<Remembered>, Failure> {
    let Some(sealed) = &identity.profile else { return Ok(None) };
    let bytes = open(deps, user, identity.id, "profile", sealed)?;
    let told: Remembered = serde_json::from_slice(&bytes).map_err(internal)?;
    Ok(Some(told.fit_to_be_shown()))
}

fn open(
    deps: &Dependencies,
    user: &User,
    id: IdentityId,
    field: &str,
    sealed: &Sealed,
) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let wrapped = user.data_key.as_ref().ok_or(Refusal::NotFound)?;
    let key = deps.crypto.fields.open_data_key(wrapped, user.id).map_err(internal)?;
    key.open(&context(id, field), sealed).map_err(internal)
}

fn context(id: IdentityId, field: &str) -> String {
    format!("identities|{field}|{id}")
}
