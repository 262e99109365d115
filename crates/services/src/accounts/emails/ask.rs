//! Asking somebody to prove an address. Whether the address is free is looked at when the mail is sent, not when it is
//! asked for: who asks does the same and hears the same in either case.

use std::time::Duration;

use userd_model::{Email, InvalidField, Refusal, Timestamp, User, UserId};
use userd_storage::{Failure, UnitOfWork};
use userd_templates::Kind;

use super::Emails;
use crate::{
    Completion, Context, IdempotentRequest,
    accounts::{NewAccount, Registration},
    change::Change,
    claims::claim,
    deliveries::Letter,
    idempotency::Made,
    limits::Limited,
    mailbox_limits::{Asking, Reserved},
    mailbox_proofs::{CODE_LIFE, MailboxProof, Minted, PURPOSE, Proofs, Proves, Waiting, Wanted},
    sessions::{Pending, device_name},
};

impl Emails {
    /// Keeps a registration until its address is proven. Nothing is claimed before.
    ///
    /// # Errors
    /// `InvalidInput` without an address, `UsernameTaken` (usernames are no secret).
    pub(crate) async fn begin_registration(
        &self,
        ctx: &Context,
        checked: &NewAccount,
        hash: String,
        registration: &Registration,
        idempotent: Option<&IdempotentRequest>,
    ) -> Result<Completion, Failure> {
        let address = checked.email.as_ref().ok_or_else(address_wanted)?;
        if let Some(username) = &checked.username {
            let wanted = claim(&self.deps, "username", &username.canonical(), UserId(uuid::Uuid::nil()), ctx.now);
            if self.deps.store.reading().claims().find(&wanted.hash).await?.is_some() {
                return Err(Refusal::UsernameTaken.into());
            }
        }
        let waiting = &Waiting {
            username: checked.username.as_ref().map(|name| name.as_str().to_owned()),
            password_hash: hash,
            display_name: checked.display_name.clone(),
            locale: checked.locale.clone(),
            device_name: device_name(registration.device_name.as_deref())?,
            consent: checked.consent.clone(),
            invitation: checked.invitation.as_ref().map(|invitation| invitation.hash.clone()),
        };
        let reserved = self.reserve(address, &Asking::of(&self.deps, ctx).await?).await;
        let goes_out = reserved.is_some();
        let asked = self
            .changes
            .run(ctx, "begin_registration", |mut change| async move {
                if let Some(before) = self.asked_before(&mut change, idempotent).await? {
                    return change.commit((before, false)).await;
                }
                let proves = Proves::Registration(Box::new(waiting.clone()));
                let minted = self.ask(&mut change, address, proves, waiting.locale.clone(), goes_out).await?;
                self.idempotency.save(&mut change, idempotent, Made::Registration, None).await?;
                self.idempotency.keep_secret(&mut change, idempotent, None, &minted.challenge).await?;
                change.commit((pending(&minted), true)).await
            })
            .await;
        let is_new = matches!(asked, Ok((_, true)));
        let (pending, _) = self.settled(reserved, asked, is_new).await?;
        self.deliveries.wake();
        Ok(Completion::Pending(pending))
    }

    /// The answer to an earlier request with the same key and body: it waits already, and its mail is on the way.
    ///
    /// # Errors
    /// `IdempotencyMismatch`, `ReplayRefused`; `SecretAlreadyShown` once its code is over.
    pub(crate) async fn asked_before(
        &self,
        unit: &mut UnitOfWork,
        idempotent: Option<&IdempotentRequest>,
    ) -> Result<Option<Pending>, Failure> {
        match self.idempotency.find(unit, idempotent).await? {
            None => Ok(None),
            Some(Made::Registration) => {
                let (challenge, until) = self.idempotency.secret_until(unit, idempotent).await?;
                Ok(Some(confirmation(&challenge, until.since(self.deps.now()))))
            }
            Some(_) => Err(Refusal::IdempotencyMismatch.into()),
        }
    }

    /// Asks the owner of a new account to prove its address, in the change that makes it.
    pub(crate) async fn ask_owner(
        &self,
        change: &mut Change<'_>,
        user: &User,
        address: &Email,
        asking: Asking,
    ) -> Result<(), Failure> {
        let letter = Letter::ProveOwn { claim: self.claim_of(address), asking };
        self.deliveries.post(change, &letter, Some(user.id)).await
    }

    fn claim_of(&self, address: &Email) -> Vec<u8> {
        self.deps.crypto.index.claim_hash("email", address.as_str()).to_vec()
    }

    /// A place among the mails that the address gets, if there is one. Whether the address is anybody's makes no
    /// difference.
    pub(super) async fn reserve(&self, address: &Email, asking: &Asking) -> Option<Reserved> {
        self.limits.reserve_mail((Kind::ConfirmAddress, &self.claim_of(address)), Some(asking), None).await
    }

    /// Gives the place back where nothing was asked for.
    pub(super) async fn settled<T>(
        &self,
        reserved: Option<Reserved>,
        asked: Result<T, Failure>,
        is_used: bool,
    ) -> Result<T, Failure> {
        if let Some(reserved) = reserved.filter(|_| !is_used) {
            self.limits.give_all_back(reserved).await;
        }
        asked
    }

    pub(super) async fn ask(
        &self,
        change: &mut Change<'_>,
        address: &Email,
        proves: Proves,
        locale: Option<String>,
        goes_out: bool,
    ) -> Result<Minted, Failure> {
        let (owner, now) = (proves.owner(), change.now);
        let session = change.context.user().ok().map(|(_, session)| session);
        let minted = Proofs(&self.deps).mint(change, now, address, Wanted { proves, session, goes_out }).await?;
        let letter = Letter::ProveAddress {
            to: address.as_str().to_owned(),
            locale,
            token: minted.token.to_string(),
            code: minted.code.to_string(),
            owner,
            held_back: !goes_out,
        };
        self.deliveries.post(change, &letter, owner).await?;
        Ok(minted)
    }

    /// Sends the mail once more. Whoever waits for a registration says so by the challenge; everybody else is answered
    /// the same, whether the address is known, proven or neither.
    ///
    /// # Errors
    /// `InvalidInput` for what is no address, `TooManyAttempts`.
    pub async fn resend(
        &self,
        ctx: &Context,
        email: &str,
        challenge: Option<&str>,
    ) -> Result<Option<Pending>, Failure> {
        let address = &Email::parse(email).map_err(|detail| Refusal::field("/email", detail))?;
        self.limits.reserve_from(Limited::MailPerNetwork, &ctx.origin).await?;
        let asking = &Asking::of(&self.deps, ctx).await?;
        let pending = match challenge {
            Some(challenge) => self.renew(ctx, address, challenge, asking).await?,
            None => {
                let letter = &Letter::ProveOwn { claim: self.claim_of(address), asking: asking.clone() };
                self.changes
                    .run(ctx, "resend_proof", |mut change| async move {
                        self.deliveries.post(&mut change, letter, None).await?;
                        change.commit(()).await
                    })
                    .await?;
                None
            }
        };
        self.deliveries.wake();
        Ok(pending)
    }

    /// A waiting registration with a new link, code and challenge; the old ones are gone. Where the address got too many
    /// mails nothing is renewed: what it has got stays good.
    async fn renew(
        &self,
        ctx: &Context,
        address: &Email,
        challenge: &str,
        asking: &Asking,
    ) -> Result<Option<Pending>, Failure> {
        let found = self.waiting(&mut self.deps.store.reading(), address, challenge, ctx.now).await?;
        let Some((_, waits)) = found else { return Ok(None) };
        let Some(reserved) = self.reserve(address, asking).await else {
            return Ok(Some(confirmation(challenge, waits.code_until.since(ctx.now))));
        };
        let renewed = self
            .changes
            .run(ctx, "renew_proof", |mut change| async move {
                let now = change.now;
                let Some((hash, proof)) = self.waiting(&mut change, address, challenge, now).await? else {
                    return change.commit(None).await;
                };
                change.one_time_tokens().take(&hash, PURPOSE, now).await?;
                let locale = match &proof.proves {
                    Proves::Registration(waiting) => waiting.locale.clone(),
                    _ => None,
                };
                let minted = self.ask(&mut change, address, proof.proves, locale, true).await?;
                change.commit(Some(pending(&minted))).await
            })
            .await;
        let is_used = matches!(renewed, Ok(Some(_)));
        self.settled(Some(reserved), renewed, is_used).await
    }

    /// The registration of this address that a challenge leads to, and the hash of its row.
    async fn waiting(
        &self,
        unit: &mut UnitOfWork,
        address: &Email,
        challenge: &str,
        now: Timestamp,
    ) -> Result<Option<(Vec<u8>, MailboxProof)>, Failure> {
        let proofs = Proofs(&self.deps);
        let Some(hash) = proofs.hash_behind(unit, challenge, now).await? else { return Ok(None) };
        let found = proofs.find(unit, &hash, now).await?;
        let waits =
            |proof: &MailboxProof| matches!(proof.proves, Proves::Registration(_)) && proof.address == address.as_str();
        Ok(found.filter(waits).map(|proof| (hash, proof)))
    }
}

pub(super) fn pending(minted: &Minted) -> Pending {
    confirmation(&minted.challenge, CODE_LIFE)
}

fn confirmation(challenge: &str, left: Duration) -> Pending {
    Pending {
        status: userd_model::sign_in::PendingStep::Confirmation.status().to_owned(),
        challenge: challenge.to_owned(),
        expires_in: left.as_secs(),
        methods: Vec::new(),
        documents: Vec::new(),
    }
}

fn address_wanted() -> Refusal {
    Refusal::InvalidInput(vec![InvalidField::new(
        "/email",
        "is required: an account begins when its address is confirmed",
    )])
}
