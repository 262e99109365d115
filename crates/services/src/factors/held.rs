//! The factors that a user holds: the list, and removal.

use serde::Serialize;
use userd_model::{Act, EventKind, Factor, FactorId, FactorKind, Refusal, Timestamp, UserId};
use userd_storage::Failure;

use super::Factors;
use crate::{Context, change::Change, limits::Limited, recent_proof};

/// A factor as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "named as in the contract")]
pub struct FactorView {
    pub id: FactorId,
    pub kind: FactorKind,
    pub name: Option<String>,
    pub created_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
}

/// All of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HeldFactors {
    /// Oldest first.
    pub items: Vec<FactorView>,
    /// How many recovery codes are left.
    pub recovery_codes_left: usize,
}

impl Factors {
    /// The signed-in user's factors.
    ///
    /// # Errors
    /// `Forbidden` for who is no user.
    pub async fn held(&self, ctx: &Context) -> Result<HeldFactors, Failure> {
        let (user, _) = ctx.user()?;
        ctx.may(&Act::ReadFactors(user))?;
        let mut reading = self.deps.store.reading();
        let items = reading.factors().of_user(user).await?.into_iter().map(view).collect();
        let recovery_codes_left = reading.recovery_codes().of_user(user).await?.len();
        Ok(HeldFactors { items, recovery_codes_left })
    }

    /// Removes one. With the last one go the recovery codes, which stood for it.
    ///
    /// # Errors
    /// `InsufficientAuthentication`, `NotFound`; `FactorRequired` for the last one of a user whom policy asks for one.
    pub async fn remove(&self, ctx: &Context, id: FactorId) -> Result<(), Failure> {
        let (user, _) = ctx.user()?;
        ctx.may(&Act::ManageFactors(user))?;
        self.limits.reserve(Limited::FactorChange, &user.to_string()).await?;
        self.changes
            .run(ctx, "remove_factor", |mut change| async move {
                let user = change.active_user(user).await?;
                let held = recent_proof::must_be_given(ctx, &self.deps.settings, &mut change).await?;
                let factor = held.iter().find(|factor| factor.id == id).ok_or(Refusal::NotFound)?;
                if held.len() == 1 && self.deps.settings.mfa.asks(&user) {
                    return Err(Refusal::FactorRequired.into());
                }
                take_away(&mut change, factor, "removed_by_user").await?;
                if held.len() == 1 {
                    change.recovery_codes().replace(user.id, &[]).await?;
                }
                change.commit(()).await
            })
            .await
    }
}

/// Removes every factor of a user, and the recovery codes; answers whether there was one.
pub(super) async fn remove_all(change: &mut Change<'_>, user: UserId, reason: &'static str) -> Result<bool, Failure> {
    let held = change.factors().of_user(user).await?;
    for factor in &held {
        take_away(change, factor, reason).await?;
    }
    change.recovery_codes().replace(user, &[]).await?;
    Ok(!held.is_empty())
}

/// Removes a factor within a change.
async fn take_away(change: &mut Change<'_>, factor: &Factor, reason: &'static str) -> Result<(), Failure> {
    change.factors().remove(factor.id).await?;
    let data = serde_json::json!({ "factor_id": factor.id, "kind": factor.kind.as_str(), "reason": reason });
    change.event(EventKind::FactorRemoved, factor.user_id, data);
    Ok(())
}

fn view(factor: Factor) -> FactorView {
    let Factor { id, kind, name, created_at, last_used_at, .. } = factor;
    FactorView { id, kind, name, created_at, last_used_at }
}
