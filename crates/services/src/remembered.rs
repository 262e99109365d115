//! What is remembered of somebody's account elsewhere, sealed with its user's data key. Deliberately absent: storage, and
//! who may sign in by it.

use serde::{Deserialize, Serialize};
use userd_crypto::Zeroizing;
use userd_model::{Identity, IdentityId, Phone, Refusal, Sealed, User, text};
use userd_providers::Profile;
use userd_storage::Failure;

use crate::{Dependencies, user_reader::internal};

/// What is remembered of a profile, sealed.
#[derive(Serialize, Deserialize)]
pub(crate) struct Remembered {
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
pub(crate) fn phone(text: &str) -> Option<Phone> {
    let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')')).collect();
    Phone::parse_digits(&digits).ok()
}

fn is_picture(url: &str) -> bool {
    url.len() <= 2048 && url.starts_with("https://") && url.bytes().all(|byte| byte.is_ascii_graphic())
}

/// What is remembered of an identity's profile.
pub(crate) fn remembered(deps: &Dependencies, user: &User, identity: &Identity) -> Result<Option<Remembered>, Failure> {
    let Some(sealed) = &identity.profile else { return Ok(None) };
    let bytes = open(deps, user, identity.id, "profile", sealed)?;
    let told: Remembered = serde_json::from_slice(&bytes).map_err(internal)?;
    Ok(Some(told.fit_to_be_shown()))
}

/// Opens a field of an identity.
pub(crate) fn open(
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

/// Where a field of an identity is sealed.
pub(crate) fn context(id: IdentityId, field: &str) -> String {
    format!("identities|{field}|{id}")
}
