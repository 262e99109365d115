//! What a user has to prove, and whether what was proven is enough: read from the account, the factors that are held and
//! the policy of the operator. The rule itself is the model's (`userd_model::sign_in`).

use userd_crypto::KnownDevice;
use userd_model::{Factor, Level, Refusal, Session, User, sign_in::Standing};
use userd_storage::{Failure, UnitOfWork};

use super::Sessions;

impl Sessions {
    /// Where somebody stands who has proven who they are by these methods, perhaps on a known device.
    pub(super) async fn standing(
        &self,
        unit: &mut UnitOfWork,
        user: &User,
        session: &Session,
        device: Option<&KnownDevice>,
        factors: &[Factor],
    ) -> Result<Standing, Failure> {
        let mfa = &self.deps.settings.mfa;
        // A device token is given out when all that was asked for has been shown. So one that is younger than a factor
        // says that a factor was shown on the device; it is not renewed by a sign-in that it stands in for.
        let is_remembered = device.is_some_and(|device| {
            let is_younger = factors.iter().any(|factor| factor.created_at < device.minted_at);
            is_younger && session.created_at < device.minted_at.plus(mfa.remember_devices)
        });
        Ok(Standing {
            level: Level::of(&session.amr),
            holds_factor: !factors.is_empty(),
            must_have_two: mfa.asks(unit, user).await?,
            is_remembered,
            is_restorable: false,
            must_change_password: false,
            owes_terms: false,
        })
    }

    /// Refuses to renew a session that is weaker than policy asks today. Whoever holds a factor without being asked for it
    /// keeps the sessions of before.
    pub(super) async fn must_be_strong_enough(
        &self,
        unit: &mut UnitOfWork,
        user: &User,
        session: &Session,
    ) -> Result<(), Failure> {
        if Level::of(&session.amr) < Level::Two && self.deps.settings.mfa.asks(unit, user).await? {
            return Err(Refusal::InsufficientAuthentication { level: Level::Two, max_age: None }.into());
        }
        Ok(())
    }
}
