//! The factors that a user holds: the list, and removal.

use serde::Serialize;
use userd_model::{Act, EventKind, Factor, FactorId, FactorKind, Refusal, Timestamp, User, UserId, text};
use userd_storage::Failure;

use super::{
    Factors,
    passkeys::{CLAIM, as_text},
};
use crate::{Context, change::Change, limits::Limited, outstanding::begun_dies, recent_proof};

/// A factor as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "named as in the contract")]
pub struct FactorView {
    pub id: FactorId,
    pub kind: FactorKind,
    pub name: Option<String>,
    pub created_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
    pub credential_id: Option<String>,
}

/// What browsers are told of the passkeys that are accepted, so that others are no longer offered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "named as `PublicKeyCredential.signalAllAcceptedCredentials` names them")]
pub struct AcceptedPasskeys {
    pub rp_id: String,
    pub user_id: String,
    pub all_accepted_credential_ids: Vec<String>,
}

/// All of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HeldFactors {
    /// Oldest first.
    pub items: Vec<FactorView>,
    /// How many recovery codes are left.
    pub recovery_codes_left: usize,
    /// None where there are no passkeys here.
    pub accepted_passkeys: Option<AcceptedPasskeys>,
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
        let held = reading.factors().of_user(user).await?;
        let recovery_codes_left = reading.recovery_codes().of_user(user).await?.len();
        let user = reading.users().find(user).await?.ok_or(Refusal::NotFound)?;
        let items: Vec<_> = held.into_iter().map(|factor| self.view(&user, factor)).collect::<Result<_, _>>()?;
        let accepted_passkeys = self.deps.passkeys.as_ref().map(|passkeys| AcceptedPasskeys {
            rp_id: passkeys.rp_id().to_owned(),
            user_id: as_text(user.id.0.as_bytes()),
            all_accepted_credential_ids: items.iter().filter_map(|item| item.credential_id.clone()).collect(),
        });
        Ok(HeldFactors { items, recovery_codes_left, accepted_passkeys })
    }

    /// Calls one otherwise.
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput`, `TooManyAttempts`.
    pub async fn rename(&self, ctx: &Context, id: FactorId, name: &str) -> Result<FactorView, Failure> {
        let (user, _) = ctx.user()?;
        ctx.may(&Act::ManageFactors(user))?;
        let name = &text::device_name(name).map_err(|detail| Refusal::field("/name", detail))?;
        self.limits.reserve(Limited::FactorChange, &user.to_string()).await?;
        self.changes
            .run(ctx, "rename_factor", |mut change| async move {
                let user = change.active_user(user).await?;
                let found = change.factors().find(id).await?.filter(|factor| factor.user_id == user.id);
                let factor = Factor { name: Some(name.clone()), ..found.ok_or(Refusal::NotFound)? };
                change.factors().update(&factor).await?;
                change.commit(self.view(&user, factor)?).await
            })
            .await
    }

    pub(super) fn view(&self, user: &User, factor: Factor) -> Result<FactorView, Failure> {
        let credential_id = self.credential_id(user, &factor)?.map(|id| as_text(&id));
        let Factor { id, kind, name, created_at, last_used_at, .. } = factor;
        Ok(FactorView { id, kind, name, created_at, last_used_at, credential_id })
    }

    /// Removes one. With the last one go the recovery codes, which stood for it.
    ///
    /// # Errors
    /// `InsufficientAuthentication`, `NotFound`; `FactorRequired` for the last one of a user whom policy asks for one;
    /// `LastWayIn` for a passkey without which they could not come in any more.
    pub async fn remove(&self, ctx: &Context, id: FactorId) -> Result<(), Failure> {
        let (user, _) = ctx.user()?;
        ctx.may(&Act::ManageFactors(user))?;
        self.limits.reserve(Limited::FactorChange, &user.to_string()).await?;
        self.changes
            .run(ctx, "remove_factor", |mut change| async move {
                let user = change.active_user(user).await?;
                let held = recent_proof::must_be_given(ctx, &self.deps.settings, &mut change).await?;
                let factor = held.iter().find(|factor| factor.id == id).ok_or(Refusal::NotFound)?;
                if held.len() == 1 && self.deps.settings.mfa.asks(&mut change, &user).await? {
                    return Err(Refusal::FactorRequired.into());
                }
                if let Some(id) = self.credential_id(&user, factor)? {
                    let claim = self.claim_of(&user, &id, &change);
                    change.claims().remove(&claim.hash).await?;
                }
                take_away(&mut change, factor, "removed_by_user").await?;
                begun_dies(&self.deps, &mut change, user.id).await?;
                self.must_leave_way_in(&mut change, &user, factor.kind).await?;
                if held.len() == 1 {
                    change.recovery_codes().replace(user.id, &[]).await?;
                }
                change.commit(()).await
            })
            .await
    }

    /// Takes a factor away that its owner did not set up, where it is there still and an older one stays: by a mailbox alone
    /// nobody gets around the only one.
    pub(crate) async fn take_told(&self, change: &mut Change<'_>, user: &User, id: FactorId) -> Result<(), Failure> {
        let held = change.factors().of_user(user.id).await?;
        let Some(factor) = held.iter().find(|factor| factor.id == id) else { return Ok(()) };
        if !held.iter().any(|other| other.created_at < factor.created_at) {
            return Ok(());
        }
        if let Some(id) = self.credential_id(user, factor)? {
            let claim = self.claim_of(user, &id, change);
            change.claims().remove(&claim.hash).await?;
        }
        take_away(change, factor, "not_me").await
    }

    /// After a factor was taken: a passkey was a way in, as long as there are passkeys here.
    pub(super) async fn must_leave_way_in(
        &self,
        change: &mut Change<'_>,
        user: &User,
        taken: FactorKind,
    ) -> Result<(), Failure> {
        if taken == FactorKind::Passkey && self.deps.passkeys.is_some() {
            self.ways_in.must_be_left(change, user).await?;
        }
        Ok(())
    }
}

/// Removes every factor of a user, and the recovery codes; answers what they were.
pub(super) async fn remove_all(
    change: &mut Change<'_>,
    user: UserId,
    reason: &'static str,
) -> Result<Vec<Factor>, Failure> {
    let held = change.factors().of_user(user).await?;
    for factor in &held {
        take_away(change, factor, reason).await?;
    }
    for claim in change.claims().of_owner(user).await?.into_iter().filter(|claim| claim.kind == CLAIM) {
        change.claims().remove(&claim.hash).await?;
    }
    change.recovery_codes().replace(user, &[]).await?;
    Ok(held)
}

/// Removes a factor within a change.
async fn take_away(change: &mut Change<'_>, factor: &Factor, reason: &'static str) -> Result<(), Failure> {
    change.factors().remove(factor.id).await?;
    let data = serde_json::json!({ "factor_id": factor.id, "kind": factor.kind.as_str(), "reason": reason });
    change.event(EventKind::FactorRemoved, factor.user_id, data);
    Ok(())
}
