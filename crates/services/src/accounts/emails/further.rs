//! Further addresses: proven before they are claimed, and then as good for signing in as the first one. Only whoever has
//! proven the first address has further ones, so nobody who proves that one later takes them over.

use userd_model::{Act, Email, EventKind, FurtherEmail, FurtherEmailId, Refusal, Sealed, User, UserId};
use userd_storage::Failure;

use super::{Emails, ask::pending};
use crate::{
    Context, Dependencies,
    addresses::{EmailView, addresses_of, field, open},
    change::Change,
    claims::{claim, claim_all},
    limits::Limited,
    mailbox_limits::Asking,
    mailbox_proofs::{Proofs, Proves},
    recent_proof,
    sessions::Pending,
    user_reader::{internal, open_field, seal_email, seal_field},
};

impl Emails {
    /// The signed-in user's addresses, the first one first.
    ///
    /// # Errors
    /// `Forbidden` for who is no user.
    pub async fn list(&self, ctx: &Context) -> Result<Vec<EmailView>, Failure> {
        let (id, _) = ctx.user()?;
        ctx.may(&Act::ReadUser(id))?;
        let user = self.deps.store.reading().users().find(id).await?.ok_or(Refusal::NotSignedIn)?;
        addresses_of(&self.deps, &mut self.deps.store.reading(), &user).await
    }

    /// The addresses to which the signed-in user was sent a code that is still good, the newest first: whoever asked sees their
    /// own wishes, whether an address is free or not.
    ///
    /// # Errors
    /// `Forbidden` for who is no user.
    pub async fn awaiting_code(&self, ctx: &Context) -> Result<Vec<String>, Failure> {
        let (id, _) = ctx.user()?;
        ctx.may(&Act::ReadUser(id))?;
        Proofs(&self.deps).awaiting_code(&mut self.deps.store.reading(), id, ctx.now).await
    }

    /// Asks the signed-in user to prove a further address. Nobody learns whether it is free.
    ///
    /// # Errors
    /// `InsufficientAuthentication`; `InvalidInput`, also while the first address is not proven, or where there are too
    /// many; `TooManyAttempts`.
    pub async fn add(&self, ctx: &Context, email: &str) -> Result<Pending, Failure> {
        let (id, _) = ctx.user()?;
        ctx.may(&Act::ChangeEmail(id))?;
        let address = &Email::parse(email).map_err(|detail| Refusal::field("/email", detail))?;
        self.deps.settings.email_domains.must_admit(address)?;
        self.limits.reserve(Limited::MailPerUser, &id.to_string()).await?;
        let reserved = self.reserve(address, &Asking::of(&self.deps, ctx).await?).await;
        let goes_out = reserved.is_some();
        let asked = self
            .changes
            .run(ctx, "add_email", |mut change| async move {
                let user = change.active_user(id).await?;
                recent_proof::must_be_given(ctx, &self.deps.settings, &mut change).await?;
                // The first address of an account that has none takes its place.
                let proves = if user.email.is_none() { Proves::Replacement(id) } else { Proves::Further(id) };
                if matches!(proves, Proves::Further(_)) {
                    must_have_room(&mut change, &user).await?;
                }
                let minted = self.ask(&mut change, address, proves, user.locale.clone(), goes_out).await?;
                change.commit(minted).await
            })
            .await;
        let is_used = asked.is_ok();
        let minted = self.settled(reserved, asked, is_used).await?;
        self.deliveries.wake();
        Ok(pending(&minted))
    }

    /// The proven address is claimed, and is the user's from now on.
    pub(super) async fn claim_further(
        &self,
        change: &mut Change<'_>,
        user: User,
        address: &Email,
    ) -> Result<(), Failure> {
        must_have_room(change, &user).await.map_err(|_| Refusal::InvalidCode)?;
        let (id, now) = (user.id, change.now);
        let wanted = claim(&self.deps, "email", address.as_str(), id, now);
        claim_all(change, &[(wanted, Refusal::EmailTaken)]).await?;
        self.insert_further(change, &user, address).await?;
        self.touch(change, user, EventKind::EmailAdded, address.as_str()).await
    }

    /// Removes a further address. It is free then, and what was on its way there dies.
    ///
    /// # Errors
    /// `InsufficientAuthentication`, `NotFound`; `PrimaryEmail` for the first one.
    pub async fn remove(&self, ctx: &Context, which: FurtherEmailId) -> Result<(), Failure> {
        let (id, _) = ctx.user()?;
        ctx.may(&Act::ChangeEmail(id))?;
        if which.0 == id.0 {
            return Err(Refusal::PrimaryEmail.into());
        }
        self.changes
            .run(ctx, "remove_email", |mut change| async move {
                let user = change.active_user(id).await?;
                recent_proof::must_be_given(ctx, &self.deps.settings, &mut change).await?;
                let found = find(&mut change, id, which).await?;
                let address = open(&self.deps, &user, &found)?;
                change.further_emails().remove(which).await?;
                let hash = self.deps.crypto.index.claim_hash("email", &address);
                change.claims().remove(&hash).await?;
                change.one_time_tokens().remove_of_owner(id).await?;
                let now = change.now;
                self.tell_old_address(&mut change, &user, &address, (now, false)).await?;
                self.touch(&mut change, user, EventKind::EmailRemoved, &address).await?;
                change.commit(()).await
            })
            .await?;
        self.deliveries.wake();
        Ok(())
    }

    /// Makes a further address the first one; the first one so far becomes a further one. The one that is the first is left
    /// as it is.
    ///
    /// # Errors
    /// `InsufficientAuthentication`, `NotFound`.
    pub async fn make_primary(&self, ctx: &Context, which: FurtherEmailId) -> Result<(), Failure> {
        let (id, _) = ctx.user()?;
        ctx.may(&Act::ChangeEmail(id))?;
        if which.0 == id.0 {
            return Ok(());
        }
        self.changes
            .run(ctx, "make_primary_email", |mut change| async move {
                let mut user = change.active_user(id).await?;
                recent_proof::must_be_given(ctx, &self.deps.settings, &mut change).await?;
                let found = find(&mut change, id, which).await?;
                let address = Email::parse(&open(&self.deps, &user, &found)?).map_err(internal)?;
                let before = open_field(&self.deps, &user, "email", user.email.as_ref())?;
                change.further_emails().remove(which).await?;
                if let Some(before) = &before {
                    let (settled, now) = (self.is_settled(&mut change, &user, before).await?, change.now);
                    self.tell_old_address(&mut change, &user, before, (now, settled)).await?;
                    self.insert_further(&mut change, &user, &Email::parse(before).map_err(internal)?).await?;
                }
                user.email = Some(seal_email(&self.deps, id, key_of(&user)?, &address)?);
                user.touch(change.now);
                change.users().update(&user).await?;
                change.one_time_tokens().remove_of_owner(id).await?;
                let addresses = serde_json::json!({ "before": before, "after": address.as_str() });
                change.event(EventKind::EmailChanged, id, serde_json::json!({})).personal(addresses);
                change.forget(&user);
                change.commit(()).await
            })
            .await?;
        self.deliveries.wake();
        Ok(())
    }

    async fn insert_further(&self, change: &mut Change<'_>, user: &User, address: &Email) -> Result<(), Failure> {
        let id: FurtherEmailId = change.id();
        let email = seal_field(&self.deps, user.id, key_of(user)?, &field(id), address.as_str().as_bytes())?;
        let row = FurtherEmail { id, user_id: user.id, email, created_at: change.now };
        Ok(change.further_emails().insert(&row).await?)
    }

    async fn touch(
        &self,
        change: &mut Change<'_>,
        mut user: User,
        kind: EventKind,
        address: &str,
    ) -> Result<(), Failure> {
        user.touch(change.now);
        change.users().update(&user).await?;
        change.event(kind, user.id, serde_json::json!({})).personal(serde_json::json!({ "email": address }));
        change.forget(&user);
        Ok(())
    }
}

/// The row of an address among the user's further ones, if it is there: it is about to be the first one.
pub(super) async fn forget_further(
    deps: &Dependencies,
    change: &mut Change<'_>,
    user: &User,
    address: &Email,
) -> Result<(), Failure> {
    for row in change.further_emails().of_user(user.id).await? {
        if open(deps, user, &row)? == address.as_str() {
            change.further_emails().remove(row.id).await?;
        }
    }
    Ok(())
}

async fn must_have_room(change: &mut Change<'_>, user: &User) -> Result<(), Failure> {
    if !user.email_verified {
        return Err(Refusal::field("/email", "must wait until the first address of the account is proven").into());
    }
    if change.further_emails().of_user(user.id).await?.len() >= FurtherEmail::MOST {
        return Err(Refusal::field("/email", "must be one of at most six addresses").into());
    }
    Ok(())
}

async fn find(change: &mut Change<'_>, user: UserId, which: FurtherEmailId) -> Result<FurtherEmail, Failure> {
    let all = change.further_emails().of_user(user).await?;
    all.into_iter().find(|row| row.id == which).ok_or_else(|| Refusal::NotFound.into())
}

fn key_of(user: &User) -> Result<&Sealed, Failure> {
    user.data_key.as_ref().ok_or_else(|| internal("a user without a data key"))
}
