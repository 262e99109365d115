//! Whether what somebody shows is a factor of theirs: compared and used up in one change, so that of many who show the same
//! at once one is right.

use serde_json::Value;
use userd_crypto::{TotpSecret, Zeroizing, place};
use userd_model::{Factor, FactorId, FactorKind, FactorMethod, Refusal, Sealed, User, UserId};
use userd_storage::Failure;

use super::Factors;
use crate::{change::Change, limits::Limited, user_reader::internal};

/// What is shown. Never printed.
#[derive(Clone)]
pub enum Shown {
    /// A code of an authenticator app.
    Totp(Zeroizing<String>),
    /// A recovery code.
    RecoveryCode(Zeroizing<String>),
    /// What a browser answered for a passkey, in its JSON form.
    Passkey(Value),
}

impl std::fmt::Debug for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.method().as_str())
    }
}

impl Shown {
    /// What a text without further notice is: codes of apps are six digits, recovery codes are longer.
    #[must_use]
    pub fn code(text: String) -> Self {
        let text = Zeroizing::new(text);
        let length = text.chars().filter(|c| !c.is_whitespace()).count();
        if length <= 8 { Self::Totp(text) } else { Self::RecoveryCode(text) }
    }

    /// How it is shown.
    #[must_use]
    pub const fn method(&self) -> FactorMethod {
        match self {
            Self::Totp(_) => FactorMethod::Totp,
            Self::RecoveryCode(_) => FactorMethod::RecoveryCode,
            Self::Passkey(_) => FactorMethod::Passkey,
        }
    }

    /// What whoever shows a wrong one is told.
    pub(super) const fn refusal(&self) -> Refusal {
        match self {
            Self::Totp(_) | Self::RecoveryCode(_) => Refusal::InvalidCode,
            Self::Passkey(_) => Refusal::InvalidPasskey,
        }
    }
}

impl Factors {
    /// Reserves one try for an account. Guesses of one kind never use up the tries of another: who has used up the codes of
    /// the app can come in by a recovery code.
    pub(super) async fn reserve_try(&self, user: UserId, method: FactorMethod) -> Result<(), Refusal> {
        self.limits.reserve_at(Limited::SecondFactorPerAccount, &try_key(user, method), Some(user)).await
    }

    /// Gives the reservation back: it was right.
    pub(super) async fn give_try_back(&self, user: UserId, method: FactorMethod) {
        self.limits.give_back(Limited::SecondFactorPerAccount, &try_key(user, method)).await;
    }

    /// Whether `shown` is right. What was right is used up with the change. `bound_to` is the sign-in or the session in
    /// which it is shown.
    pub(super) async fn is_right(
        &self,
        change: &mut Change<'_>,
        user: &User,
        held: Vec<Factor>,
        (shown, bound_to): (&Shown, &str),
    ) -> Result<bool, Failure> {
        match shown {
            _ if held.is_empty() => Ok(false),
            Shown::Totp(code) => self.is_right_totp(change, user, held, code).await,
            Shown::RecoveryCode(code) => self.use_code(change, user.id, code).await,
            Shown::Passkey(answer) => self.is_right_answer(change, user, held, (answer, bound_to)).await,
        }
    }

    async fn is_right_totp(
        &self,
        change: &mut Change<'_>,
        user: &User,
        held: Vec<Factor>,
        code: &str,
    ) -> Result<bool, Failure> {
        let now = change.now;
        for factor in held.into_iter().filter(|factor| factor.kind == FactorKind::Totp) {
            let secret = TotpSecret::from_bytes(self.open_secret(user, factor.id, &factor.secret)?);
            if let Some(step) = secret.accepted(code, now, factor.counter) {
                let used = Factor { counter: step, last_used_at: Some(now), ..factor };
                change.factors().update(&used).await?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Seals what a factor is checked with.
    pub(super) fn seal_secret(&self, user: &User, id: FactorId, plain: &[u8]) -> Result<Sealed, Failure> {
        let wrapped = user.data_key.as_ref().ok_or(Refusal::NotFound)?;
        let key = self.deps.crypto.fields.open_data_key(wrapped, user.id).map_err(internal)?;
        key.seal(self.deps.random.as_ref(), &place("factors", "secret", id), plain).map_err(internal)
    }

    pub(super) fn open_secret(
        &self,
        user: &User,
        id: FactorId,
        sealed: &Sealed,
    ) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let wrapped = user.data_key.as_ref().ok_or(Refusal::NotFound)?;
        let key = self.deps.crypto.fields.open_data_key(wrapped, user.id).map_err(internal)?;
        key.open(&place("factors", "secret", id), sealed).map_err(internal)
    }
}

fn try_key(user: UserId, method: FactorMethod) -> String {
    format!("{user}:{}", method.as_str())
}
