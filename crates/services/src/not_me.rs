//! "This was not me", said by the link of a notice: whoever is in the account is thrown out, and what the notice told of is
//! taken back. The password is none any more, and a link that sets a new one goes to the first address.
//!
//! A link does so much only from a mailbox that was the account's long before (`deliveries/told.rs` decides it when the link is
//! made): one that was mailed to an address which somebody has just brought along, or lies in the inbox, signs out and no
//! more (decision 0067). A mailbox is one factor, so a second one is not taken away by it, unless an older one stays.

use std::sync::Arc;

use serde_json::json;
use userd_model::{Email, EventKind, Refusal, Session, Timestamp, User, UserId};
use userd_storage::{Failure, UnitOfWork, repositories::one_time_tokens::OneTimeToken};

use crate::{
    Context, Dependencies,
    addresses::addresses_of,
    change::{Change, Changes},
    claims::{claim, claim_all},
    deliveries::{Asked, Deliveries, Letter, Whose},
    factors::Factors,
    links::{Happened, Links, NOT_ME_LIFE, Told, must_exist},
    sign_in::SignIn,
    user_reader::{internal, open_field, seal_email},
    users::sign_out_everywhere,
    ways_in::WaysIn,
};

/// That the first address was taken back, from when to when: links of what happened between are worth nothing any more.
const TAKEN_BACK: &str = "first_address_taken_back";
/// Sessions that are read at once.
const SESSIONS: u32 = 100;

/// Carries such links out.
pub struct NotMe {
    pub(crate) deps: Dependencies,
    pub(crate) changes: Changes,
    pub(crate) links: Links,
    pub(crate) factors: Factors,
    pub(crate) sign_in: SignIn,
    pub(crate) ways_in: WaysIn,
    pub(crate) deliveries: Arc<Deliveries>,
}

/// What a confirmation left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThrownOut {
    /// Every session has ended; the password is what it was.
    SignedOut,
    /// The password is gone too, and there is another way in.
    PasswordGone,
    /// The password is gone too, and a link to set a new one is on its way to the first address.
    ResetMailed,
}

impl NotMe {
    /// Throws everybody out. The link is used up.
    ///
    /// # Errors
    /// `NotFound` for what is no link, `LinkGone`, `TooManyAttempts`.
    pub async fn confirm(&self, ctx: &Context, token: &str) -> Result<ThrownOut, Failure> {
        let (hash, _) = &self.links.found(ctx, token).await?;
        let (user, thrown_out) = self
            .changes
            .run(ctx, "not_me", |mut change| async move {
                let (user, told) = self.links.take_not_me(&mut change, hash).await?;
                let mut user = must_exist(&mut change, user).await?;
                let thrown_out = match &told {
                    Some(told) => self.take_back(&mut change, &mut user, told).await?,
                    None => ThrownOut::SignedOut,
                };
                sign_out_everywhere(&mut change, &mut user, "not_me").await?;
                // Whoever it was, a sign-in from there is news again.
                forget_devices(&mut change, user.id).await?;
                if let (ThrownOut::ResetMailed, Some(to)) = (thrown_out, told.and_then(|told| told.to)) {
                    let whose = Whose::Login(self.deps.crypto.index.claim_hash("email", &to).to_vec());
                    let letter = Letter::ResetPassword { whose, asked: Asked::from(ctx, change.now) };
                    self.deliveries.post(&mut change, &letter, None).await?;
                }
                change.commit((user.id, thrown_out)).await
            })
            .await?;
        self.deliveries.wake();
        tracing::info!(user_id = %user, outcome = ?thrown_out, "somebody said that it was not them");
        Ok(thrown_out)
    }

    async fn take_back(&self, change: &mut Change<'_>, user: &mut User, told: &Told) -> Result<ThrownOut, Failure> {
        if let Some(to) = &told.to {
            if matches!(told.what, Happened::FirstAddress) {
                self.first_address_back(change, user, (to.as_str(), told.at)).await?;
            }
            let first = open_field(&self.deps, user, "email", user.email.as_ref())?;
            if !user.email_verified || first.as_ref() != Some(to) {
                return Ok(ThrownOut::SignedOut);
            }
        }
        match &told.what {
            Happened::Linked(identity) => self.sign_in.take_linked(change, user, *identity).await?,
            Happened::AddressAdded(address) => self.remove_further(change, user, address).await?,
            Happened::Factor(factor) => self.factors.take_told(change, user, *factor).await?,
            Happened::RecoveryCodes => {
                let held = change.recovery_codes().of_user(user.id).await?;
                if held.iter().any(|code| code.created_at == told.at) {
                    change.recovery_codes().replace(user.id, &[]).await?;
                }
            }
            Happened::FirstAddress | Happened::Passed => {}
        }
        self.drop_password(change, user, told.to.is_some()).await
    }

    /// Whoever knows the password may be who was in. Without a mailbox to set a new one by, it goes only where another way in
    /// is left.
    async fn drop_password(
        &self,
        change: &mut Change<'_>,
        user: &User,
        has_mailbox: bool,
    ) -> Result<ThrownOut, Failure> {
        let password = change.password_credentials().find(user.id).await?;
        if password.is_some() {
            change.password_credentials().remove(user.id).await?;
        }
        let is_last = match self.ways_in.must_be_left(change, user).await {
            Ok(()) => false,
            Err(Failure::Refused(Refusal::LastWayIn)) => true,
            Err(other) => return Err(other),
        };
        let Some(password) = password else {
            return Ok(if is_last && has_mailbox { ThrownOut::ResetMailed } else { ThrownOut::SignedOut });
        };
        if is_last && !has_mailbox {
            change.password_credentials().upsert(&password).await?;
            return Ok(ThrownOut::SignedOut);
        }
        change.event(EventKind::PasswordChangeRequired, user.id, json!({}));
        Ok(if has_mailbox { ThrownOut::ResetMailed } else { ThrownOut::PasswordGone })
    }

    /// The address is the first one again, and the only one: whoever took it away may have brought others along. Not where
    /// somebody else has it by now, and not twice over: of two links the one of what happened earlier counts.
    async fn first_address_back(
        &self,
        change: &mut Change<'_>,
        user: &mut User,
        (to, since): (&str, Timestamp),
    ) -> Result<(), Failure> {
        let id = user.id;
        let before = open_field(&self.deps, user, "email", user.email.as_ref())?;
        if before.as_deref() == Some(to) || self.is_overruled(change, id, since).await? {
            return Ok(());
        }
        // It is no younger than it was: what happens next is told there with the same power.
        let wanted = claim(&self.deps, "email", to, id, user.created_at);
        let owner = change.claims().find(&wanted.hash).await?.map(|claim| claim.owner);
        match owner {
            Some(owner) if owner == id => {}
            Some(_) => return Ok(()),
            None => claim_all(change, &[(wanted, Refusal::EmailTaken)]).await?,
        }
        for address in addresses_of(&self.deps, change, user).await?.into_iter().filter(|address| address.email != to) {
            let hash = self.deps.crypto.index.claim_hash("email", &address.email);
            change.claims().remove(&hash).await?;
        }
        for row in change.further_emails().of_user(id).await? {
            change.further_emails().remove(row.id).await?;
        }
        let key = user.data_key.as_ref().ok_or_else(|| internal("a user without a data key"))?;
        let address = Email::parse(to).map_err(internal)?;
        user.email = Some(seal_email(&self.deps, id, key, &address)?);
        user.email_verified = true;
        let addresses = json!({ "before": before, "after": to });
        change.event(EventKind::EmailChanged, id, json!({})).personal(addresses);
        let now = change.now;
        self.overrule(change, id, (since, now)).await
    }

    /// A further address goes. One that is the first by now is taken back by the link of that change.
    async fn remove_further(&self, change: &mut Change<'_>, user: &User, address: &str) -> Result<(), Failure> {
        let all = addresses_of(&self.deps, change, user).await?;
        let Some(found) = all.into_iter().find(|found| found.email == address && !found.primary) else { return Ok(()) };
        change.further_emails().remove(found.id).await?;
        let hash = self.deps.crypto.index.claim_hash("email", address);
        change.claims().remove(&hash).await?;
        change.event(EventKind::EmailRemoved, user.id, json!({})).personal(json!({ "email": address }));
        Ok(())
    }

    async fn is_overruled(&self, unit: &mut UnitOfWork, user: UserId, at: Timestamp) -> Result<bool, Failure> {
        let now = self.deps.now();
        let Some(row) = unit.one_time_tokens().find(&self.taken_back(user), TAKEN_BACK, now).await? else {
            return Ok(false);
        };
        let (since, until): (Timestamp, Timestamp) = serde_json::from_slice(&row.payload).map_err(internal)?;
        Ok(since <= at && at <= until)
    }

    /// It has no owner: a new password does not take it away.
    async fn overrule(
        &self,
        change: &mut Change<'_>,
        user: UserId,
        (since, until): (Timestamp, Timestamp),
    ) -> Result<(), Failure> {
        let row = OneTimeToken {
            hash: self.taken_back(user).to_vec(),
            purpose: TAKEN_BACK.to_owned(),
            owner: None,
            payload: serde_json::to_vec(&(since, until)).map_err(internal)?,
            created_at: until,
            expires_at: until.plus(NOT_ME_LIFE),
        };
        Ok(change.one_time_tokens().replace(&row).await?)
    }

    fn taken_back(&self, user: UserId) -> [u8; 32] {
        self.deps.crypto.index.keyed_hash(TAKEN_BACK, &[user.0.as_bytes()])
    }
}

/// No session of the user's tells any more where somebody was.
async fn forget_devices(change: &mut Change<'_>, user: UserId) -> Result<(), Failure> {
    let mut after = None;
    loop {
        let mut page = change.sessions().page_of_user(user, after, SESSIONS).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some((last.created_at, last.id));
        page.iter_mut().for_each(Session::forget_device);
        change.sessions().update_many(&page).await?;
    }
}
