//! Asking somebody to prove an address. Whether the address is free is looked at when the mail is sent, not when it is
//! asked for: who asks does the same and hears the same in either case.

use std::time::Duration;

use userd_model::{Email, InvalidField, Refusal, User, UserId};
use userd_storage::{Failure, UnitOfWork};

use super::Emails;
use crate::{
    Completion, Context, IdempotentRequest,
    accounts::{NewAccount, Registration, claim},
    change::Change,
    deliveries::Letter,
    idempotency::Made,
    limits::Limited,
    mailbox_proofs::{CODE_LIFE, Minted, PURPOSE, Proofs, Proves, Waiting},
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
        let pending = self
            .changes
            .run(ctx, "begin_registration", |mut change| async move {
                if let Some(before) = self.asked_before(&mut change, idempotent).await? {
                    return change.commit(before).await;
                }
                let proves = Proves::Registration(Box::new(waiting.clone()));
                let minted = self.ask(&mut change, address, proves, waiting.locale.clone()).await?;
                self.idempotency.save(&mut change, idempotent, Made::Registration, None).await?;
                self.idempotency.keep_secret(&mut change, idempotent, None, &minted.challenge).await?;
                change.commit(pending(&minted)).await
            })
            .await?;
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
    pub(crate) async fn ask_owner(&self, change: &mut Change<'_>, user: &User, address: &Email) -> Result<(), Failure> {
        self.ask(change, address, Proves::Own(user.id), user.locale.clone()).await.map(drop)
    }

    pub(super) async fn ask(
        &self,
        change: &mut Change<'_>,
        address: &Email,
        proves: Proves,
        locale: Option<String>,
    ) -> Result<Minted, Failure> {
        let (owner, now) = (proves.owner(), change.now);
        let session = change.context.user().ok().map(|(_, session)| session);
        let minted = Proofs(&self.deps).mint(change, now, address, (proves, session)).await?;
        let letter = Letter::ProveAddress {
            to: address.as_str().to_owned(),
            locale,
            token: minted.token.to_string(),
            code: minted.code.to_string(),
            owner,
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
        let pending = self
            .changes
            .run(ctx, "resend_proof", |mut change| async move {
                let renewed = match challenge {
                    Some(challenge) => self.renew(&mut change, address, challenge).await?,
                    None => {
                        let claim = self.deps.crypto.index.claim_hash("email", address.as_str()).to_vec();
                        self.deliveries.post(&mut change, &Letter::ProveOwn { claim }, None).await?;
                        None
                    }
                };
                change.commit(renewed).await
            })
            .await?;
        self.deliveries.wake();
        Ok(pending)
    }

    /// A waiting registration with a new link, code and challenge; the old ones are gone.
    async fn renew(
        &self,
        change: &mut Change<'_>,
        address: &Email,
        challenge: &str,
    ) -> Result<Option<Pending>, Failure> {
        let (proofs, now) = (Proofs(&self.deps), change.now);
        let Some(hash) = proofs.hash_behind(change, challenge, now).await? else { return Ok(None) };
        let Some(proof) = proofs.find(change, &hash, now).await? else { return Ok(None) };
        let locale = match &proof.proves {
            Proves::Registration(waiting) if proof.address == address.as_str() => waiting.locale.clone(),
            _ => return Ok(None),
        };
        change.one_time_tokens().take(&hash, PURPOSE, now).await?;
        let minted = self.ask(change, address, proof.proves, locale).await?;
        Ok(Some(pending(&minted)))
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
