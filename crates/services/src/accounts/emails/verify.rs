//! The proof of an address: by the link of the mail, or by its code.

use userd_model::{Email, EventKind, Refusal, Timestamp, User, Username};
use userd_storage::Failure;

use super::{Emails, further::forget_further};
use crate::{
    Completion, Context,
    accounts::{AccountSeed, NewAccount},
    change::Change,
    claims::{claim, claim_all},
    deliveries::{Asked, Letter},
    limits::Limited,
    link_tokens,
    links::is_settled,
    mailbox_proofs::{Compared, MailboxProof, Proofs, Proves, Waiting, digits_of},
    sessions::Proof,
    user_reader::{internal, open_field, seal_email},
};

/// The code of a mail.
pub struct Code<'a> {
    /// The address that it was sent to.
    pub email: &'a str,
    /// Six digits.
    pub code: &'a str,
    /// From the answer that asked for it. Whoever has it and the code began the registration, and is signed in.
    pub challenge: Option<&'a str>,
}

/// What a proof did.
#[derive(Debug)]
pub enum Verified {
    /// The address is proven.
    Confirmed,
    /// And somebody is signed in.
    Completed(Box<Completion>),
}

impl Emails {
    /// Proves an address by the link of its mail. Signs nobody in: a link is opened by whoever reads the mail, in
    /// whichever browser.
    ///
    /// # Errors
    /// `InvalidCode` for a link that is unknown, used or expired; `UsernameTaken` where the wanted name was taken
    /// meanwhile (the link stays: give another `username`), `EmailTaken`, `TooManyAttempts`.
    pub async fn verify_link(&self, ctx: &Context, token: &str, username: Option<&str>) -> Result<(), Failure> {
        let found = self.behind_link(ctx, token).await;
        let (hash, proof) = self.limits.count_failure(Limited::LinkPerNetwork, &ctx.origin, found).await?;
        self.carry_out(ctx, &hash, &proof, username, false).await.map(drop)
    }

    async fn behind_link(&self, ctx: &Context, token: &str) -> Result<([u8; 32], MailboxProof), Failure> {
        let hash = link_tokens::hash_of(token).ok_or(Refusal::InvalidCode)?;
        let proof = Proofs(&self.deps).find(&mut self.deps.store.reading(), &hash, ctx.now).await?;
        Ok((hash, proof.ok_or(Refusal::InvalidCode)?))
    }

    /// Proves an address by the code of its mail. Without a challenge it is one of the signed-in user's, or the
    /// claimed one of an account.
    ///
    /// # Errors
    /// `InvalidCode`, also after five wrong ones; `TooManyAttempts` for the network or the address; those of
    /// [`Self::verify_link`].
    pub async fn verify_code(
        &self,
        ctx: &Context,
        code: &Code<'_>,
        username: Option<&str>,
    ) -> Result<Verified, Failure> {
        let address = &Email::parse(code.email).map_err(|detail| Refusal::field("/email", detail))?;
        self.limits.reserve_from(Limited::CodePerNetwork, &ctx.origin).await?;
        let claim = self.deps.crypto.index.claim_hash("email", address.as_str());
        // Nobody is its owner before it is proven: whoever claims it guesses like everybody else.
        let reserved = self.limits.reserve_guess(&claim, false).await?;
        let hash = &self.row_of(ctx, address, code.challenge).await?;
        let digits = &digits_of(code.code);
        let compared = self
            .changes
            .run(ctx, "compare_code", |mut change| async move {
                let now = change.now;
                let compared = Proofs(&self.deps).compare(&mut change, hash, (address, digits.as_str()), now).await?;
                change.commit(compared).await
            })
            .await?;
        let Compared::Right(proof) = compared else { return Err(Refusal::InvalidCode.into()) };
        self.limits.give_back(Limited::CodePerNetwork, &ctx.origin.network).await;
        self.limits.give_all_back(reserved).await;
        self.carry_out(ctx, hash, &proof, username, code.challenge.is_some()).await
    }

    /// The hash of the row to compare with; of none where there is none, so that the same is done.
    async fn row_of(&self, ctx: &Context, address: &Email, challenge: Option<&str>) -> Result<Vec<u8>, Failure> {
        let (proofs, mut reading) = (Proofs(&self.deps), self.deps.store.reading());
        let found = match (challenge, ctx.user()) {
            (Some(challenge), _) => proofs.hash_behind(&mut reading, challenge, ctx.now).await?,
            (None, Ok((user, _))) => proofs.hash_for(&mut reading, user, address, ctx.now).await?,
            (None, Err(_)) => {
                let claim = self.deps.crypto.index.claim_hash("email", address.as_str());
                match reading.claims().find(&claim).await? {
                    Some(claim) => proofs.hash_for(&mut reading, claim.owner, address, ctx.now).await?,
                    None => None,
                }
            }
        };
        Ok(found.unwrap_or_else(|| vec![0; 32]))
    }

    async fn carry_out(
        &self,
        ctx: &Context,
        hash: &[u8],
        proof: &MailboxProof,
        username: Option<&str>,
        signs_in: bool,
    ) -> Result<Verified, Failure> {
        let address = Email::parse(&proof.address).map_err(internal)?;
        if let Proves::Registration(waiting) = &proof.proves {
            return self.finish_registration(ctx, hash, (address, waiting), username, signs_in).await;
        }
        let address = &address;
        let user = self
            .changes
            .run(ctx, "confirm_email", |mut change| async move {
                let now = change.now;
                let taken = Proofs(&self.deps).take(&mut change, hash, now).await?.ok_or(Refusal::InvalidCode)?;
                let owner = taken.proves.owner().ok_or(Refusal::InvalidCode)?;
                let user = change.users().find(owner).await?.ok_or(Refusal::InvalidCode)?;
                user.must_be_active(now).map_err(|_| Refusal::InvalidCode)?;
                match &taken.proves {
                    Proves::Replacement(_) => self.replace(&mut change, user, address).await?,
                    Proves::Further(_) => self.claim_further(&mut change, user, address).await?,
                    Proves::Own(_) | Proves::Registration(_) => self.prove_own(&mut change, user, address).await?,
                }
                change.commit(owner).await
            })
            .await?;
        self.deliveries.wake();
        tracing::info!(user_id = %user, "an e-mail address was proven");
        Ok(Verified::Confirmed)
    }

    /// The account that waited for its address begins.
    async fn finish_registration(
        &self,
        ctx: &Context,
        hash: &[u8],
        (address, waiting): (Email, &Waiting),
        username: Option<&str>,
        signs_in: bool,
    ) -> Result<Verified, Failure> {
        let username = match username {
            Some(text) => {
                Some(crate::accounts::username_of(text).map_err(|detail| Refusal::field("/username", detail))?)
            }
            None => waiting.username.as_deref().map(Username::parse).transpose().map_err(internal)?,
        };
        let invitation = match &waiting.invitation {
            Some(hash) => Some(self.invitations.look_up(ctx, hash).await?),
            None => None,
        };
        let mut new = NewAccount {
            email: Some(address),
            email_verified: true,
            username,
            display_name: waiting.display_name.clone(),
            locale: waiting.locale.clone(),
            consent: waiting.consent.clone(),
            ..NewAccount::default()
        };
        new.invite(invitation)?;
        let now = self.deps.now();
        let mut account = AccountSeed::mint(&self.deps, &new, Some(waiting.password_hash.clone()), now)?
            .registering(self.deps.settings.registration);
        if signs_in {
            account = account.signing_in();
        }
        let (account, id) = (&account, account.user.id);
        let proof = Proof { amr: "pwd", device_name: waiting.device_name.clone(), identity: None, device: None };
        let arrival = &self.sessions.arrive(ctx, id, proof, now);
        let completed = self
            .changes
            .run(ctx, "finish_registration", |mut change| async move {
                let now = change.now;
                Proofs(&self.deps).take(&mut change, hash, now).await?.ok_or(Refusal::InvalidCode)?;
                let user = account.store(&mut change).await?;
                self.approvals.ask(&mut change, &user).await?;
                let completed =
                    if signs_in { Some(self.sessions.complete(&mut change, user, arrival).await?) } else { None };
                change.commit(completed).await
            })
            .await?;
        tracing::info!(user_id = %id, "registered");
        Ok(match completed {
            Some(completed) => Verified::Completed(Box::new(self.sessions.completion(completed, arrival).await?)),
            None => Verified::Confirmed,
        })
    }

    async fn prove_own(&self, change: &mut Change<'_>, mut user: User, address: &Email) -> Result<(), Failure> {
        let current = open_field(&self.deps, &user, "email", user.email.as_ref())?;
        if current.as_deref() != Some(address.as_str()) {
            return Err(Refusal::InvalidCode.into());
        }
        user.email_verified = true;
        user.touch(change.now);
        change.users().update(&user).await?;
        change.event(EventKind::EmailVerified, user.id, serde_json::json!({}));
        change.forget(&user);
        Ok(())
    }

    /// The proven address takes the place of the one so far, whose owner is told. What was on its way to the old one
    /// dies.
    async fn replace(&self, change: &mut Change<'_>, mut user: User, address: &Email) -> Result<(), Failure> {
        let (id, now) = (user.id, change.now);
        let before = open_field(&self.deps, &user, "email", user.email.as_ref())?;
        let wanted = claim(&self.deps, "email", address.as_str(), id, now);
        let owner = change.claims().find(&wanted.hash).await?.map(|claim| claim.owner);
        if owner != Some(id) {
            claim_all(change, &[(wanted, Refusal::EmailTaken)]).await?;
        }
        forget_further(&self.deps, change, &user, address).await?;
        if let Some(before) = before.as_deref().filter(|before| *before != address.as_str()) {
            let old = self.deps.crypto.index.claim_hash("email", before);
            let settled = self.is_settled(change, &user, before).await?;
            change.claims().remove(&old).await?;
            self.tell_old_address(change, &user, before, (now, settled)).await?;
        }
        let key = user.data_key.as_ref().ok_or_else(|| internal("a user without a data key"))?;
        user.email = Some(seal_email(&self.deps, id, key, address)?);
        user.email_verified = true;
        user.touch(now);
        change.users().update(&user).await?;
        change.one_time_tokens().remove_of_owner(id).await?;
        let addresses = serde_json::json!({ "before": before, "after": address.as_str() });
        change.event(EventKind::EmailChanged, id, serde_json::json!({})).personal(addresses);
        change.forget(&user);
        Ok(())
    }

    pub(super) async fn tell_old_address(
        &self,
        change: &mut Change<'_>,
        user: &User,
        to: &str,
        (at, settled): (Timestamp, bool),
    ) -> Result<(), Failure> {
        let asked = Asked::from(change.context, at);
        let letter = Letter::AddressChanged { to: to.to_owned(), user: user.id, asked, settled };
        self.deliveries.post(change, &letter, Some(user.id)).await
    }

    /// Whether the first address may be had back from its mailbox: it is proven, and not one that somebody has just brought
    /// along.
    pub(super) async fn is_settled(
        &self,
        change: &mut Change<'_>,
        user: &User,
        address: &str,
    ) -> Result<bool, Failure> {
        let (now, hash) = (change.now, self.deps.crypto.index.claim_hash("email", address));
        let claim = change.claims().find(&hash).await?.filter(|claim| claim.owner == user.id);
        Ok(user.email_verified && claim.is_some_and(|claim| is_settled(user, claim.created_at, now)))
    }
}
