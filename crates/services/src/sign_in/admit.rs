//! Who a profile is here: the linking rules.
//!
//! 1. Only (provider instance, issuer, subject) identifies. E-mail, phone and username never do.
//! 2. Nothing is linked silently. A proven e-mail of an account whose own e-mail is proven: `account_exists`, and its
//!    owner signs in there and links.
//! 3. A proven e-mail that an account here only *claims*: who proves the mailbox wins the account, and everything the
//!    claimant could come back with is wiped first. Accounts that hold roles are never won this way.
//! 4. An unproven address makes a new account without an address.
//! 5. An identity belongs to one account; linking it to a second is refused.
//! 6. Nothing at the provider overwrites what the user has here.

use std::sync::Arc;

use userd_model::{
    Email, Event, EventId, EventKind, Identity, IdentityId, Refusal, Revocation, RevocationId, Sealed, SessionId,
    Timestamp, User, UserId, text,
};
use userd_providers::{Profile, Provider};
use userd_storage::{Failure, UnitOfWork, repositories::claims::Claim};

use super::{SignIn, identities::Remembered};
use crate::{
    accounts::{AccountSeed, NewAccount, claim, claim_or},
    people::internal,
    revocations::epoch_raised,
    sessions::end_within,
};

/// Everything random an admission may need, minted before.
struct Minted {
    seed: AccountSeed,
    identity_id: IdentityId,
    linked_event: EventId,
    wiped_event: EventId,
    epoch_entry: RevocationId,
    ends: [u8; 32],
    now: Timestamp,
}

/// What the unit of work found.
struct Admission {
    user: User,
    entries: Vec<Revocation>,
}

impl SignIn {
    /// Finds or makes the account of a profile.
    pub(super) async fn admit(&self, provider: &Arc<dyn Provider>, profile: Profile) -> Result<UserId, Failure> {
        if !provider.policy().admits(&profile) {
            return Err(Refusal::ProviderRefused("domain_not_allowed").into());
        }
        let (minted, profile) = (&self.mint(&profile)?, &profile);
        let admission = self
            .parts
            .store
            .transact("admit", |mut uow| async move {
                consume(&mut uow, profile).await?;
                let admission = match self.known(&mut uow, profile, minted.now).await? {
                    Some(user) => Admission { user, entries: Vec::new() },
                    None => self.newcomer(&mut uow, provider, profile, minted).await?,
                };
                uow.commit(admission).await
            })
            .await?;
        self.people.changed(&admission.user).await;
        self.revocations.announce(&admission.entries).await;
        Ok(admission.user.id)
    }

    /// Links a profile to a signed-in user.
    pub(super) async fn link(
        &self,
        provider: &Arc<dyn Provider>,
        profile: Profile,
        user: UserId,
        session: SessionId,
    ) -> Result<(), Failure> {
        if !provider.policy().admits(&profile) {
            return Err(Refusal::ProviderRefused("domain_not_allowed").into());
        }
        let (minted, profile) = (&self.mint(&profile)?, &profile);
        self.parts
            .store
            .transact("link_identity", |mut uow| async move {
                consume(&mut uow, profile).await?;
                let alive = uow.sessions().find(session).await?.is_some_and(|session| session.is_alive(minted.now));
                let user = uow.users().find(user).await?.filter(|_| alive).ok_or(Refusal::NotSignedIn)?;
                user.must_be_active()?;
                match self.known_owner(&mut uow, profile).await? {
                    Some(owner) if owner == user.id => self.record_use(&mut uow, &user, profile, minted.now).await?,
                    Some(_) => return Err(Refusal::IdentityTaken.into()),
                    None => self.insert_identity(&mut uow, &user, profile, minted).await?,
                }
                uow.commit(()).await
            })
            .await
    }

    /// The user behind an identity that is known already.
    async fn known(&self, uow: &mut UnitOfWork, profile: &Profile, now: Timestamp) -> Result<Option<User>, Failure> {
        let Some(owner) = self.known_owner(uow, profile).await? else { return Ok(None) };
        let user = uow.users().find(owner).await?.ok_or(Refusal::ProviderRefused("account_gone"))?;
        user.must_be_active().map_err(|refusal| match refusal {
            Refusal::NotSignedIn => Refusal::ProviderRefused("account_gone"),
            other => other,
        })?;
        self.record_use(uow, &user, profile, now).await?;
        Ok(Some(user))
    }

    async fn known_owner(&self, uow: &mut UnitOfWork, profile: &Profile) -> Result<Option<UserId>, Failure> {
        for name in names(profile) {
            let hash = self.parts.crypto.index.claim_hash(KIND, &name);
            if let Some(claim) = uow.claims().find(&hash).await? {
                return Ok(Some(claim.owner));
            }
        }
        Ok(None)
    }

    async fn newcomer(
        &self,
        uow: &mut UnitOfWork,
        provider: &Arc<dyn Provider>,
        profile: &Profile,
        minted: &Minted,
    ) -> Result<Admission, Failure> {
        if let Some(owner) = self.owner_of_proven_email(uow, profile).await? {
            let owner = uow.users().find(owner).await?.ok_or(Refusal::AccountExists)?;
            if owner.email_verified || !owner.roles.is_empty() || owner.must_be_active().is_err() {
                return Err(Refusal::AccountExists.into());
            }
            let (user, entries) = self.win(uow, owner, minted).await?;
            self.insert_identity(uow, &user, profile, minted).await?;
            return Ok(Admission { user, entries });
        }
        if !provider.policy().allow_sign_up || !self.parts.settings.registration_open {
            return Err(Refusal::ProviderRefused("sign_up_closed").into());
        }
        minted.seed.store(uow).await?;
        self.insert_identity(uow, &minted.seed.user, profile, minted).await?;
        Ok(Admission { user: minted.seed.user.clone(), entries: Vec::new() })
    }

    async fn owner_of_proven_email(&self, uow: &mut UnitOfWork, profile: &Profile) -> Result<Option<UserId>, Failure> {
        let Some(email) = proven_email(profile) else { return Ok(None) };
        let hash = self.parts.crypto.index.claim_hash("email", email.as_str());
        Ok(uow.claims().find(&hash).await?.map(|claim| claim.owner))
    }

    /// The newcomer has proven the mailbox that `user` only claims: wipe every way the claimant could come back.
    async fn win(
        &self,
        uow: &mut UnitOfWork,
        mut user: User,
        minted: &Minted,
    ) -> Result<(User, Vec<Revocation>), Failure> {
        let now = minted.now;
        uow.password_credentials().remove(user.id).await?;
        uow.one_time_tokens().remove_of_owner(user.id).await?;
        for identity in uow.identities().of_user(user.id).await? {
            self.remove_identity(uow, &user, &identity).await?;
        }
        for stale in uow.claims().of_owner(user.id).await? {
            if stale.kind == "phone" {
                uow.claims().remove(&stale.hash).await?;
            }
        }
        user.phone = None;
        let alive = uow.sessions().alive_of_user(user.id, now).await?;
        let mut entries = end_within(&self.parts, uow, alive, "mailbox_proven_by_another", minted.ends, now).await?;
        user.email_verified = true;
        user.raise_epoch(now);
        uow.users().update(&user).await?;
        let minted_entry = Revocation { id: minted.epoch_entry, ..self.revocations.mint_change(user.id, now) };
        let entry = epoch_raised(&minted_entry, &user);
        self.revocations.record(uow, std::slice::from_ref(&entry)).await?;
        entries.push(entry);
        let event = Event {
            id: minted.wiped_event,
            kind: EventKind::UserChanged,
            user_id: user.id,
            at: now,
            data: serde_json::json!({ "reason": "mailbox_proven_by_another" }),
        };
        uow.outbox().push(&event).await?;
        Ok((user, entries))
    }

    async fn insert_identity(
        &self,
        uow: &mut UnitOfWork,
        user: &User,
        profile: &Profile,
        minted: &Minted,
    ) -> Result<(), Failure> {
        for name in names(profile) {
            let claim: Claim = claim(&self.parts, KIND, &name, user.id, minted.now);
            claim_or(uow, &claim, &Refusal::IdentityTaken).await?;
        }
        let identity = Identity {
            id: minted.identity_id,
            user_id: user.id,
            provider: profile.provider.clone(),
            issuer: profile.issuer.clone(),
            subject: self.seal(user, minted.identity_id, "subject", profile.subject.as_bytes())?,
            profile: Some(self.seal_profile(user, minted.identity_id, &Remembered::from(profile))?),
            tokens: self.seal_tokens(user, minted.identity_id, profile)?,
            client_id: profile.client_id.clone(),
            bot_access: profile.bot_access.unwrap_or(false),
            created_at: minted.now,
            last_used_at: minted.now,
        };
        uow.identities().insert(&identity).await?;
        let event = Event {
            id: minted.linked_event,
            kind: EventKind::IdentityLinked,
            user_id: user.id,
            at: minted.now,
            data: serde_json::json!({ "identity_id": identity.id, "provider": identity.provider }),
        };
        Ok(uow.outbox().push(&event).await?)
    }

    /// Remembers what the provider said this time; nothing of it changes the user.
    async fn record_use(
        &self,
        uow: &mut UnitOfWork,
        user: &User,
        profile: &Profile,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let identities = uow.identities().of_user(user.id).await?;
        for mut identity in identities {
            if identity.provider != profile.provider
                || self.open(user, identity.id, "subject", &identity.subject)?.as_slice() != profile.subject.as_bytes()
            {
                continue;
            }
            let told = Remembered::from(profile);
            let secondary = self.second_name(uow, user, &identity, told.secondary.clone(), now).await?;
            identity.last_used_at = now;
            identity.profile = Some(self.seal_profile(user, identity.id, &Remembered { secondary, ..told })?);
            if profile.tokens.is_some() {
                identity.tokens = self.seal_tokens(user, identity.id, profile)?;
            }
            identity.bot_access = profile.bot_access.unwrap_or(identity.bot_access);
            uow.identities().update(&identity).await?;
        }
        Ok(())
    }

    /// The second name of an identity, such as an opaque subject, as it is from now on. One that is claimed stays
    /// remembered where a door does not tell it: unlinking must find the claim, or the name would still open the
    /// account. A new one takes its place, unless it is claimed already.
    async fn second_name(
        &self,
        uow: &mut UnitOfWork,
        user: &User,
        identity: &Identity,
        told: Option<(String, String)>,
        now: Timestamp,
    ) -> Result<Option<(String, String)>, Failure> {
        let before = self.remembered(user, identity)?.and_then(|profile| profile.secondary);
        let Some((issuer, subject)) = told.filter(|told| before.as_ref() != Some(told)) else { return Ok(before) };
        let new: Claim = claim(&self.parts, KIND, &name(&identity.provider, &issuer, &subject), user.id, now);
        if uow.claims().find(&new.hash).await?.is_some() {
            return Ok(before);
        }
        uow.claims().insert(&new).await?;
        if let Some((issuer, subject)) = before {
            let old = name(&identity.provider, &issuer, &subject);
            uow.claims().remove(&self.parts.crypto.index.claim_hash(KIND, &old)).await?;
        }
        Ok(Some((issuer, subject)))
    }

    fn mint(&self, profile: &Profile) -> Result<Minted, Failure> {
        let (random, now) = (self.parts.random.as_ref(), self.parts.now());
        let email = proven_email(profile);
        let new = NewAccount {
            email_verified: email.is_some(),
            email,
            display_name: profile.name.as_deref().and_then(|name| text::display_name(name).ok()),
            locale: profile.locale.as_deref().and_then(|tag| text::locale(tag).ok()),
            ..NewAccount::default()
        };
        Ok(Minted {
            seed: AccountSeed::mint(&self.parts, &new, None, now)?,
            identity_id: IdentityId::mint(random),
            linked_event: EventId::mint(random),
            wiped_event: EventId::mint(random),
            epoch_entry: RevocationId::mint(random),
            ends: random.secret(),
            now,
        })
    }

    fn seal_profile(&self, user: &User, id: IdentityId, remembered: &Remembered) -> Result<Sealed, Failure> {
        let bytes = serde_json::to_vec(remembered).map_err(internal)?;
        self.seal(user, id, "profile", &bytes)
    }

    fn seal_tokens(&self, user: &User, id: IdentityId, profile: &Profile) -> Result<Option<Sealed>, Failure> {
        let Some(tokens) = &profile.tokens else { return Ok(None) };
        let bytes = tokens.to_sealable().map_err(internal)?;
        self.seal(user, id, "tokens", &bytes).map(Some)
    }
}

/// The kind of claims on accounts elsewhere.
pub(super) const KIND: &str = "identity";

/// Everything a profile is known by: its subject, and the second one where the provider has two.
fn names(profile: &Profile) -> Vec<String> {
    let secondary = profile.secondary.as_ref().map(|key| (key.issuer.as_str(), key.subject.as_str()));
    [Some((profile.issuer.as_str(), profile.subject.as_str())), secondary]
        .into_iter()
        .flatten()
        .map(|(issuer, subject)| name(&profile.provider, issuer, subject))
        .collect()
}

/// One account elsewhere as one text; JSON keeps the three parts apart whatever they hold.
pub(super) fn name(provider: &str, issuer: &str, subject: &str) -> String {
    serde_json::json!([provider, issuer, subject]).to_string()
}

/// The address, only where the provider's proof of it counts and it is one that could be registered here.
fn proven_email(profile: &Profile) -> Option<Email> {
    profile.email.as_deref().filter(|_| profile.email_verified).and_then(|text| Email::parse(text).ok())
}

/// Uses up what may be used once. A second use is a replay, whatever else is right about it.
async fn consume(uow: &mut UnitOfWork, profile: &Profile) -> Result<(), Failure> {
    for once in &profile.single_use {
        if !uow.replay_guard().consume_once(&once.hash, once.purpose, once.until).await? {
            return Err(Refusal::ProviderRefused("replayed").into());
        }
    }
    Ok(())
}
