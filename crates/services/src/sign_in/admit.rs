//! Who a profile is here: the linking rules.
//!
//! 1. Only (provider instance, issuer, subject) identifies. E-mail, phone and username never do.
//! 2. Nothing is linked silently. A proven e-mail of an account whose own e-mail is proven: `account_exists`, and its
//!    owner signs in there and links.
//! 3. A proven e-mail that an account here only *claims*: who proves the mailbox wins the account, and everything the
//!    claimant could come back with is wiped first. Accounts that hold roles or permissions are never won this way, and none is by
//!    the operator's trust alone: the provider itself must say that the address is verified. A deleted account is not won either:
//!    it gives the address up, and the newcomer's own account has it (decision 0068).
//! 4. An unproven address makes a new account without an address.
//! 5. An identity belongs to one account; linking it to a second is refused.
//! 6. Nothing at the provider overwrites what the user has here.

use std::sync::Arc;

use userd_model::{
    Email, EventKind, Identity, IdentityId, Phone, Refusal, SessionId, Timestamp, User, UserId, UserStatus, text,
};
use userd_providers::{Profile, Provider};
use userd_storage::{Failure, UnitOfWork, repositories::claims::Claim};

use super::{
    SignIn,
    identity_names::{KIND, name, names},
};
use crate::{
    Context,
    accounts::{AccountSeed, NewAccount, wipe_claimant},
    change::Change,
    claims::{claim, claim_all, holder},
    invitations::Redeemable,
    outstanding::outstanding_dies,
    remembered::{self, Remembered},
    user_reader::seal_phone,
};

/// Somebody who may come in, and the account elsewhere by which they came.
#[derive(Clone, Copy)]
pub(super) struct Admission {
    pub user: UserId,
    pub identity: Option<IdentityId>,
}

/// The account that a newcomer would get.
struct NewcomerSeed {
    /// Whether an invitation was shown; the refusal of one that is gone.
    is_invited: Result<bool, Refusal>,
    whole: AccountSeed,
    /// What they get instead where an account here claims the address and the operator's trust alone speaks for them.
    without_email: Option<AccountSeed>,
}

impl SignIn {
    /// Finds or makes the account of a profile. An invitation that was shown is used up where an account is made; one that is
    /// gone does no harm to whoever has an account already.
    pub(super) async fn admit(
        &self,
        ctx: &Context,
        provider: &Arc<dyn Provider>,
        profile: Profile,
        device_token: Option<&str>,
        invitation: Option<&[u8]>,
    ) -> Result<Admission, Failure> {
        must_be_admitted(provider, &profile)?;
        let invitation = match invitation {
            Some(hash) => match self.invitations.look_up(ctx, hash).await {
                Err(Failure::Refused(Refusal::InvitationGone)) => {
                    Some(Err(Refusal::ProviderRefused("invitation_refused")))
                }
                other => Some(Ok(other?)),
            },
            None => None,
        };
        let (account, profile) = (&self.newcomer_seed(&profile, invitation)?, &profile);
        self.changes
            .run(ctx, "admit", |mut change| async move {
                self.consume(&mut change, profile, device_token).await?;
                let (user, identity) = match self.known(&mut change, profile).await? {
                    Some(known) => known,
                    None => self.newcomer(&mut change, provider, profile, account).await?,
                };
                change.refresh_view(&user);
                change.commit(Admission { user: user.id, identity }).await
            })
            .await
    }

    /// Finds the account of a profile that opens one: this one, where it has to be.
    pub(super) async fn admit_known(
        &self,
        ctx: &Context,
        provider: &Arc<dyn Provider>,
        profile: Profile,
        must_be: Option<UserId>,
    ) -> Result<Admission, Failure> {
        must_be_admitted(provider, &profile)?;
        let profile = &profile;
        self.changes
            .run(ctx, "admit_known", |mut change| async move {
                self.consume(&mut change, profile, None).await?;
                let known = self.known(&mut change, profile).await?;
                let (user, identity) = known.ok_or(Refusal::ProviderRefused("account_gone"))?;
                if must_be.is_some_and(|wanted| wanted != user.id) {
                    return Err(Refusal::IdentityTaken.into());
                }
                change.refresh_view(&user);
                change.commit(Admission { user: user.id, identity }).await
            })
            .await
    }

    /// Links a profile to a signed-in user.
    pub(super) async fn link(
        &self,
        ctx: &Context,
        provider: &Arc<dyn Provider>,
        profile: Profile,
        user: UserId,
        session: SessionId,
    ) -> Result<(), Failure> {
        must_be_admitted(provider, &profile)?;
        let profile = &profile;
        self.changes
            .run(ctx, "link_identity", |mut change| async move {
                self.consume(&mut change, profile, None).await?;
                let now = change.now;
                let alive = change.sessions().find(session).await?.is_some_and(|session| session.is_alive(now));
                let user = change.users().find(user).await?.filter(|_| alive).ok_or(Refusal::NotSignedIn)?;
                user.must_be_active(now)?;
                match self.known_owner(&mut change, profile).await? {
                    Some(owner) if owner == user.id => self.record_use(&mut change, &user, profile, now).await?,
                    Some(_) => return Err(Refusal::IdentityTaken.into()),
                    None => {
                        outstanding_dies(&self.deps, &mut change, user.id).await?;
                        Some(self.insert_identity(&mut change, &user, profile).await?)
                    }
                };
                change.commit(()).await
            })
            .await
    }

    /// The user behind an identity that is known already.
    async fn known(
        &self,
        change: &mut Change<'_>,
        profile: &Profile,
    ) -> Result<Option<(User, Option<IdentityId>)>, Failure> {
        let Some(owner) = self.known_owner(change, profile).await? else { return Ok(None) };
        let (user, now) = (change.users().find(owner).await?, change.now);
        let user = user.ok_or(Refusal::ProviderRefused("account_gone"))?;
        if user.status == UserStatus::Deleted {
            // Whoever deleted their account has it offered back, by this way as by all others (`sessions/completion.rs`).
            let deletion = change.deletions().find(user.id).await?;
            if !deletion.is_some_and(|found| found.is_restorable_by_owner(now)) {
                return Err(Refusal::ProviderRefused("account_gone").into());
            }
        } else {
            user.must_be_active(now)?;
        }
        let identity = self.record_use(change, &user, profile, now).await?;
        Ok(Some((user, identity)))
    }

    async fn known_owner(&self, uow: &mut UnitOfWork, profile: &Profile) -> Result<Option<UserId>, Failure> {
        for name in names(profile) {
            let hash = self.deps.crypto.index.claim_hash(KIND, &name);
            if let Some(claim) = uow.claims().find(&hash).await? {
                return Ok(Some(claim.owner));
            }
        }
        Ok(None)
    }

    async fn newcomer(
        &self,
        change: &mut Change<'_>,
        provider: &Arc<dyn Provider>,
        profile: &Profile,
        account: &NewcomerSeed,
    ) -> Result<(User, Option<IdentityId>), Failure> {
        let mut seed = &account.whole;
        if let Some(owner) = self.holder_of_proven_email(change, profile).await? {
            let owner = change.users().find(owner).await?.ok_or(Refusal::AccountExists)?;
            let is_settled = owner.email_verified || owner.holds_rights() || owner.must_be_active(change.now).is_err();
            if is_settled {
                return Err(Refusal::AccountExists.into());
            }
            if profile.email_vouched {
                let user = self.transfer_to_mailbox_owner(change, owner, profile).await?;
                let identity = self.insert_identity(change, &user, profile).await?;
                return Ok((user, Some(identity)));
            }
            seed = account.without_email.as_ref().unwrap_or(seed);
        }
        let is_invited = account.is_invited.clone()?;
        if !provider.policy().allow_sign_up || !self.deps.settings.registration.admits(is_invited) {
            return Err(Refusal::ProviderRefused("sign_up_closed").into());
        }
        let user = seed.store(change).await.map_err(|failure| match failure {
            Failure::Refused(Refusal::InvitationGone) => Refusal::ProviderRefused("invitation_refused").into(),
            other => other,
        })?;
        self.approvals.ask(change, &user).await?;
        let identity = self.insert_identity(change, &user, profile).await?;
        Ok((user, Some(identity)))
    }

    async fn holder_of_proven_email(&self, uow: &mut UnitOfWork, profile: &Profile) -> Result<Option<UserId>, Failure> {
        let Some(email) = proven_email(profile) else { return Ok(None) };
        holder(uow, &self.deps.crypto.index.claim_hash("email", email.as_str())).await
    }

    /// The newcomer has proven the mailbox that `user` only claims: wipe every way the claimant could come back, and
    /// what they wrote about themself.
    async fn transfer_to_mailbox_owner(
        &self,
        change: &mut Change<'_>,
        mut user: User,
        profile: &Profile,
    ) -> Result<User, Failure> {
        let now = change.now;
        wipe_claimant(change, &mut user).await?;
        user.display_name = shown_name(profile);
        user.locale = shown_locale(profile);
        if let (Some(key), Some(phone)) = (&user.data_key, shown_phone(profile)) {
            user.phone = Some(seal_phone(&self.deps, user.id, key, &phone)?);
        }
        let alive = change.sessions().alive_of_user(user.id, now).await?;
        change.end_sessions(alive, "mailbox_proven_by_another").await?;
        user.raise_epoch(now);
        change.users().update(&user).await?;
        change.revoke_before_epoch(&user);
        let data = serde_json::json!({ "reason": "mailbox_proven_by_another" });
        change.event(EventKind::UserChanged, user.id, data);
        Ok(user)
    }

    async fn insert_identity(
        &self,
        change: &mut Change<'_>,
        user: &User,
        profile: &Profile,
    ) -> Result<IdentityId, Failure> {
        let now = change.now;
        let claimed = |name: String| (claim(&self.deps, KIND, &name, user.id, now), Refusal::IdentityTaken);
        let claims: Vec<_> = names(profile).into_iter().map(claimed).collect();
        claim_all(change, &claims).await?;
        let id: IdentityId = change.id();
        let identity = Identity {
            id,
            user_id: user.id,
            provider: profile.provider.clone(),
            issuer: profile.issuer.clone(),
            subject: self.seal(user, id, "subject", profile.subject.as_bytes())?,
            profile: Some(self.seal_profile(user, id, &Remembered::from(profile))?),
            tokens: self.seal_tokens(user, id, profile)?,
            client_id: profile.client_id.clone(),
            bot_access: profile.bot_access.unwrap_or(false),
            created_at: now,
            last_used_at: now,
        };
        change.identities().insert(&identity).await?;
        let data = serde_json::json!({ "identity_id": id, "provider": identity.provider });
        change.event(EventKind::IdentityLinked, user.id, data);
        Ok(id)
    }

    /// Remembers what the provider said this time; nothing of it changes the user.
    async fn record_use(
        &self,
        uow: &mut UnitOfWork,
        user: &User,
        profile: &Profile,
        now: Timestamp,
    ) -> Result<Option<IdentityId>, Failure> {
        let mut used = None;
        let identities = uow.identities().of_user(user.id).await?;
        for mut identity in identities {
            if identity.provider != profile.provider
                || self.open(user, identity.id, "subject", &identity.subject)?.as_slice() != profile.subject.as_bytes()
            {
                continue;
            }
            let current = Remembered::from(profile);
            let secondary = self.second_name(uow, user, &identity, current.secondary.clone(), now).await?;
            identity.last_used_at = now;
            identity.profile = Some(self.seal_profile(user, identity.id, &Remembered { secondary, ..current })?);
            if profile.tokens.is_some() {
                identity.tokens = self.seal_tokens(user, identity.id, profile)?;
            }
            identity.bot_access = profile.bot_access.unwrap_or(identity.bot_access);
            uow.identities().update(&identity).await?;
            used = Some(identity.id);
        }
        Ok(used)
    }

    /// The second name of an identity, such as an opaque subject, as it is from now on. One that is claimed stays
    /// remembered where this way of signing in does not name it: unlinking must find the claim, or that name could
    /// still sign in. A new one takes its place, unless it is claimed already.
    async fn second_name(
        &self,
        uow: &mut UnitOfWork,
        user: &User,
        identity: &Identity,
        current: Option<(String, String)>,
        now: Timestamp,
    ) -> Result<Option<(String, String)>, Failure> {
        let before = self.remembered(user, identity)?.and_then(|profile| profile.secondary);
        let Some((issuer, subject)) = current.filter(|current| before.as_ref() != Some(current)) else {
            return Ok(before);
        };
        let new: Claim = claim(&self.deps, KIND, &name(&identity.provider, &issuer, &subject), user.id, now);
        if uow.claims().find(&new.hash).await?.is_some() {
            return Ok(before);
        }
        uow.claims().insert(&new).await?;
        if let Some((issuer, subject)) = before {
            let old = name(&identity.provider, &issuer, &subject);
            uow.claims().remove(&self.deps.crypto.index.claim_hash(KIND, &old)).await?;
        }
        Ok(Some((issuer, subject)))
    }

    fn newcomer_seed(
        &self,
        profile: &Profile,
        invitation: Option<Result<Redeemable, Refusal>>,
    ) -> Result<NewcomerSeed, Failure> {
        let (is_invited, invitation) = match invitation {
            None => (Ok(false), None),
            Some(Ok(invitation)) => (Ok(true), Some(invitation)),
            Some(Err(refusal)) => (Err(refusal), None),
        };
        let invitation = invitation.as_ref();
        let email = proven_email(profile);
        let without_email =
            (email.is_some() && !profile.email_vouched).then(|| self.account(profile, None, invitation)).transpose()?;
        Ok(NewcomerSeed { is_invited, whole: self.account(profile, email, invitation)?, without_email })
    }

    fn account(
        &self,
        profile: &Profile,
        email: Option<Email>,
        invitation: Option<&Redeemable>,
    ) -> Result<AccountSeed, Failure> {
        let new = NewAccount {
            email_verified: email.is_some(),
            email,
            phone: shown_phone(profile),
            display_name: shown_name(profile),
            locale: shown_locale(profile),
            // Whoever shows it was invited, whatever the address that the provider knows.
            roles: invitation.map(|invitation| invitation.roles.clone()).unwrap_or_default(),
            invitation: invitation.cloned(),
            ..NewAccount::default()
        };
        let seed = AccountSeed::mint(&self.deps, &new, None, self.deps.now())?;
        Ok(seed.registering(self.deps.settings.registration))
    }
}

/// What a newcomer starts with, as far as it can be shown.
fn shown_name(profile: &Profile) -> Option<String> {
    profile.name.as_deref().and_then(|name| text::shown(name, 100))
}

fn shown_locale(profile: &Profile) -> Option<String> {
    profile.locale.as_deref().and_then(|tag| text::locale(tag).ok())
}

fn shown_phone(profile: &Profile) -> Option<Phone> {
    profile.phone.as_deref().and_then(remembered::phone)
}

/// A provider may be for some domains only.
fn must_be_admitted(provider: &Arc<dyn Provider>, profile: &Profile) -> Result<(), Refusal> {
    if provider.policy().admits(profile) { Ok(()) } else { Err(Refusal::ProviderRefused("domain_not_allowed")) }
}

/// The address, only where the provider's proof of it counts and it is one that could be registered here.
fn proven_email(profile: &Profile) -> Option<Email> {
    profile.email.as_deref().filter(|_| profile.email_verified).and_then(|text| Email::parse(text).ok())
}
