//! Stepping up (RFC 9470): whoever is signed in proves again who they are, and the same session goes on with a later time
//! of it and, where a factor was shown, a stronger level.

use userd_model::{Act, FactorMethod, Level, Refusal, User, factor::with_method};
use userd_storage::Failure;

use super::{Factors, Shown};
use crate::{
    Context, SignedIn,
    change::Change,
    limits::Limited,
    passwords::{Password, Proven},
};

/// What is shown: at least one of them.
#[derive(Debug)]
pub struct StepUp {
    /// The password: all that those can show who hold no second factor.
    pub password: Option<Password>,
    /// A second factor.
    pub factor: Option<Shown>,
}

impl Factors {
    /// Proves again who acts. Whoever holds a second factor shows it: a password alone renews nothing for them.
    ///
    /// # Errors
    /// `WrongCredentials`, `InvalidCode`, `InvalidPasskey`, `InsufficientAuthentication`, `TooManyAttempts`, `Busy`.
    pub async fn step_up(&self, ctx: &Context, shown: StepUp) -> Result<SignedIn, Failure> {
        let (user, session) = ctx.user()?;
        ctx.may(&Act::StepUp(user))?;
        if shown.password.is_none() && shown.factor.is_none() {
            return Err(Refusal::field("", "give a password, a code or a passkey").into());
        }
        let proven = match &shown.password {
            Some(password) => Some(self.proof.again(user, session, password, &ctx.origin).await.map_err(wrong)?),
            None => None,
        };
        let (proven, factor) = (proven.as_ref(), shown.factor.as_ref());
        if let Some(factor) = factor {
            self.limits.reserve_from(Limited::SecondFactorPerNetwork, &ctx.origin).await?;
            self.reserve_try(user, factor.method()).await?;
        }
        let minted = &self.sessions.mint_raise(session)?;
        let raised = self
            .changes
            .run(ctx, "step_up", |mut change| async move {
                let user = change.active_user(user).await?;
                let bound_to = session.to_string();
                let factor = factor.map(|shown| (shown, bound_to.as_str()));
                let Some(added) = self.added(&mut change, &user, proven, factor).await? else {
                    return change.commit(None).await;
                };
                let amr = |amr: Vec<String>| match added {
                    Some(method) => with_method(amr, method),
                    None => amr,
                };
                let raised = self.sessions.raise(&mut change, user, session, minted, amr).await?;
                change.commit(Some(raised)).await
            })
            .await?
            .ok_or_else(|| factor.map_or(Refusal::InvalidCode, Shown::refusal))?;
        if let Some(factor) = factor {
            self.give_try_back(user, factor.method()).await;
            self.limits.give_back(Limited::SecondFactorPerNetwork, &ctx.origin.network).await;
        }
        self.sessions.raised(ctx, raised).await
    }

    /// What is added to the session: nothing by a password, `None` where the factor was not right.
    async fn added(
        &self,
        change: &mut Change<'_>,
        user: &User,
        proven: Option<&Proven>,
        factor: Option<(&Shown, &str)>,
    ) -> Result<Option<Option<FactorMethod>>, Failure> {
        if let Some(proven) = proven {
            let stored = change.password_credentials().find(user.id).await?;
            if stored.is_none_or(|stored| stored.hash != proven.hash) {
                return Err(Refusal::WrongCredentials.into());
            }
        }
        let held = change.factors().of_user(user.id).await?;
        match factor {
            Some((shown, bound_to)) => {
                let is_right = self.is_right(change, user, held, (shown, bound_to)).await?;
                Ok(is_right.then_some(Some(shown.method())))
            }
            None if held.is_empty() => Ok(Some(None)),
            None => {
                let max_age = Some(self.deps.settings.fresh_sign_in);
                Err(Refusal::InsufficientAuthentication { level: Level::Two, max_age }.into())
            }
        }
    }
}

/// There is no current password among the fields here.
fn wrong(failure: Failure) -> Failure {
    match failure {
        Failure::Refused(Refusal::WrongCurrentPassword) => Refusal::WrongCredentials.into(),
        other => other,
    }
}
