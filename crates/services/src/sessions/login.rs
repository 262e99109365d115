//! Sign-in by login and password.

use userd_crypto::PasswordError;
use userd_model::{Login as ParsedLogin, Refusal, text};
use userd_storage::{Failure, repositories::password_credentials::PasswordCredential};

use super::{Completion, Sessions, completion::Proof};
use crate::{
    Context, Dependencies,
    change::Change,
    passwords::{LoginKey, Password, Proven},
    sign_in_outcome,
};

/// What is presented.
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

/// Shows neither the login nor a secret.
impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login").field("device_name", &self.device_name).finish_non_exhaustive()
    }
}

impl Sessions {
    /// Signs in.
    ///
    /// # Errors
    /// `WrongCredentials` (one answer for an unknown login and a wrong password), `Blocked` (only to who knows the
    /// password), `TooManyAttempts`, `Busy`.
    pub async fn login(&self, ctx: &Context, login: Login) -> Result<Completion, Failure> {
        let end = self.prove(ctx, login).await;
        sign_in_outcome::ended(sign_in_outcome::PASSWORD, end.as_ref().map(Completion::who));
        end
    }

    async fn prove(&self, ctx: &Context, login: Login) -> Result<Completion, Failure> {
        // Of ten thousand at once most are told to come back: before anything is looked up for them, so that everybody
        // else's requests do not wait behind them.
        if let Err(PasswordError::Busy(wait)) = self.deps.crypto.passwords.admit() {
            return Err(Refusal::Busy(wait).into());
        }
        let device_name = device_name(login.device_name.as_deref())?;
        let key = login_key(&self.deps, &login.login);
        let device = login.device_token.as_deref();
        let proven = self.proof.by_login(&key, &login.password, device, &ctx.origin).await?;
        let id = proven.user.id;
        let proof = Proof { amr: "pwd", device_name, identity: None, device: proven.device };
        let arrival = &self.arrive(ctx, id, proof, self.deps.now());
        let proven = &proven;
        let completed = self
            .changes
            .run(ctx, "login", |mut change| async move {
                let (user, before) = change.sessions().account_for_sign_in(id, arrival.session.created_at).await?;
                let user = user.ok_or(Refusal::WrongCredentials)?;
                still_proven(&mut change, proven, before.password.clone()).await?;
                let completed = self.complete_knowing(&mut change, user, arrival, before).await;
                let completed = completed.map_err(deleted_is_unknown)?;
                change.commit(completed).await
            })
            .await?;
        self.completion(completed, arrival).await
    }
}

/// The password that was proven is still the user's; its hash is renewed where the parameters have changed.
async fn still_proven(
    change: &mut Change<'_>,
    proven: &Proven,
    credential: Option<PasswordCredential>,
) -> Result<(), Failure> {
    let credential = credential.ok_or(Refusal::WrongCredentials)?;
    if credential.hash != proven.hash {
        return Err(Refusal::WrongCredentials.into());
    }
    if let Some(rehashed) = &proven.rehashed {
        let fresh = PasswordCredential { hash: rehashed.clone(), ..credential };
        change.password_credentials().upsert(&fresh).await?;
    }
    Ok(())
}

/// A deleted account does not exist for whoever signs in; a blocked one says so, once the password was right.
fn deleted_is_unknown(failure: Failure) -> Failure {
    match failure {
        Failure::Refused(Refusal::NotSignedIn) => Refusal::WrongCredentials.into(),
        other => other,
    }
}

/// Checks what the user calls the device.
pub(crate) fn device_name(name: Option<&str>) -> Result<Option<String>, Refusal> {
    name.map(text::device_name).transpose().map_err(|detail| Refusal::field("/device_name", detail))
}

/// How a login text is looked up and counted.
pub(crate) fn login_key(deps: &Dependencies, text: &str) -> LoginKey {
    let parsed = ParsedLogin::parse(text);
    let kind = match parsed {
        ParsedLogin::Email(_) => "email",
        ParsedLogin::Phone(_) => "phone",
        ParsedLogin::Username(_) | ParsedLogin::Unknown => "username",
    };
    let claim = parsed.canonical().map(|canonical| deps.crypto.index.claim_hash(kind, &canonical).to_vec());
    LoginKey { claim }
}
