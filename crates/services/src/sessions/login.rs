//! Sign-in by login and password.

use userd_crypto::PasswordError;
use userd_model::{Login as ParsedLogin, Refusal, text};
use userd_storage::{Failure, repositories::password_credentials::PasswordCredential};

use super::{Sessions, SignedIn, start::Proof};
use crate::{
    Origin, Parts,
    passwords::{LoginKey, Password, Proven},
};

/// What is presented.
#[derive(Debug)]
pub struct Login {
    /// E-mail, username or phone.
    pub login: String,
    /// The password.
    pub password: Password,
    /// What the user calls the device.
    pub device_name: Option<String>,
    /// From an earlier sign-in on this device.
    pub device_token: Option<String>,
}

impl Sessions {
    /// Signs in.
    ///
    /// # Errors
    /// `WrongCredentials` (one answer for an unknown login and a wrong password), `Blocked` (only to who knows the
    /// password), `TooManyAttempts`, `Busy`.
    pub async fn login(&self, login: Login, origin: &Origin) -> Result<SignedIn, Failure> {
        // Of ten thousand at once most are told to come back: before anything is looked up for them, so that everybody
        // else's requests do not wait behind them.
        if let Err(PasswordError::Busy(wait)) = self.parts.crypto.passwords.admit() {
            return Err(Refusal::Busy(wait).into());
        }
        let device_name = device_name(login.device_name.as_deref())?;
        let key = login_key(&self.parts, &login.login);
        let device = self.known_device(login.device_token.as_deref());
        let proven = self.proof.by_login(&key, &login.password, device.as_ref(), origin).await?;
        self.start_after_password(proven, device_name, origin).await
    }

    async fn start_after_password(
        &self,
        proven: Proven,
        device_name: Option<String>,
        origin: &Origin,
    ) -> Result<SignedIn, Failure> {
        let now = self.parts.now();
        let (user_id, hash, rehashed) = (proven.user.id, &proven.hash, proven.rehashed.as_ref());
        let new = &self.mint(user_id, Proof { amr: "pwd", device_name, origin }, now);
        let (user, pushed_out) = self
            .parts
            .store
            .transact("login", |mut uow| async move {
                let mut user = uow.users().find(user_id).await?.ok_or(Refusal::WrongCredentials)?;
                sign_in_allowed(&user)?;
                let credential = uow.password_credentials().find(user_id).await?.ok_or(Refusal::WrongCredentials)?;
                if credential.hash != *hash {
                    return Err(Refusal::WrongCredentials.into());
                }
                if let Some(rehashed) = rehashed {
                    let fresh = PasswordCredential { hash: rehashed.clone(), ..credential };
                    uow.password_credentials().upsert(&fresh).await?;
                }
                uow.users().record_sign_in(user_id, now).await?;
                user.last_sign_in_at = Some(now);
                let pushed_out = self.store(&mut uow, new, now).await?;
                uow.commit((user, pushed_out)).await
            })
            .await?;
        self.people.signed_in(&user).await;
        self.revocations.announce(&pushed_out).await;
        self.signed_in(&user, new, now).await
    }
}

/// A deleted account does not exist for whoever signs in; a blocked one says so, once the password was right.
fn sign_in_allowed(user: &userd_model::User) -> Result<(), Refusal> {
    user.must_be_active().map_err(|refusal| match refusal {
        Refusal::NotSignedIn => Refusal::WrongCredentials,
        other => other,
    })
}

/// Checks what the user calls the device.
pub(crate) fn device_name(name: Option<&str>) -> Result<Option<String>, Refusal> {
    name.map(text::device_name).transpose().map_err(|detail| Refusal::field("/device_name", detail))
}

/// How a login text is looked up and counted.
pub(crate) fn login_key(parts: &Parts, text: &str) -> LoginKey {
    let parsed = ParsedLogin::parse(text);
    let kind = match parsed {
        ParsedLogin::Email(_) => "email",
        ParsedLogin::Phone(_) => "phone",
        ParsedLogin::Username(_) | ParsedLogin::Unknown => "username",
    };
    let claim = parsed.canonical().map(|canonical| parts.crypto.index.claim_hash(kind, &canonical).to_vec());
    LoginKey { claim }
}
