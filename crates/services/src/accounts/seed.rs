//! The rows of a new account, minted once: storing them twice stores the same.

use userd_model::{
    Acceptance, EventKind, Grant, GrantKind, GrantSource, Period, Refusal, Timestamp, User, UserId, UserStatus,
};
use userd_storage::{
    Failure, UnitOfWork,
    repositories::{claims::Claim, password_credentials::PasswordCredential},
};

use super::NewAccount;
use crate::{
    Dependencies, RegistrationMode,
    change::Change,
    claims::{claim, claim_all, must_be_free, username_claims},
    invitations::Redeemable,
    user_reader::{internal, seal_email, seal_phone},
};

/// A new account with everything random minted.
pub(crate) struct AccountSeed {
    /// The row.
    pub user: User,
    claims: Vec<(Claim, Refusal)>,
    credential: Option<PasswordCredential>,
    invitation: Option<Redeemable>,
    acceptances: Vec<Acceptance>,
    /// Whether nobody is told.
    is_quiet: bool,
}

impl AccountSeed {
    /// Mints the account; `hash` is absent for people who sign in through a provider only.
    pub(crate) fn mint(
        deps: &Dependencies,
        new: &NewAccount,
        hash: Option<String>,
        now: Timestamp,
    ) -> Result<Self, Failure> {
        let random = deps.random.as_ref();
        let id = UserId::mint(random);
        let data_key = deps.crypto.fields.new_data_key(random, id).map_err(internal)?;
        let user = User {
            id,
            status: UserStatus::Active,
            username: new.username.clone(),
            email: new.email.as_ref().map(|email| seal_email(deps, id, &data_key, email)).transpose()?,
            email_verified: new.email_verified,
            phone: new.phone.as_ref().map(|phone| seal_phone(deps, id, &data_key, phone)).transpose()?,
            data_key: Some(data_key),
            display_name: new.display_name.clone(),
            locale: new.locale.clone(),
            time_zone: None,
            attributes: serde_json::Map::new(),
            roles: new.roles.clone(),
            held: userd_model::Held::default(),
            security_epoch: 1,
            version: 1,
            created_at: now,
            updated_at: now,
            last_sign_in_at: None,
            blocked_until: None,
            block_reason: None,
            awaits_approval_since: None,
        };
        let credential = hash.map(|hash| PasswordCredential { user_id: id, hash, changed_at: now, must_change: false });
        let invitation = new.invitation.clone();
        let acceptances = match (&new.consent, &user.data_key) {
            (Some(consent), Some(key)) => consent.rows(deps, id, key)?,
            _ => Vec::new(),
        };
        Ok(Self { claims: claims(deps, new, id, now), user, credential, invitation, acceptances, is_quiet: false })
    }

    /// The same, signing in with its first breath.
    pub(crate) fn signing_in(mut self) -> Self {
        if self.user.awaits_approval_since.is_none() {
            self.user.last_sign_in_at = Some(self.user.created_at);
        }
        self
    }

    /// The same, made by its owner: where registration asks for approval and nobody has invited them, it waits.
    pub(crate) fn registering(mut self, mode: RegistrationMode) -> Self {
        if mode == RegistrationMode::Approval && self.invitation.is_none() {
            self.user.awaits_approval_since = Some(self.user.created_at);
        }
        self
    }

    /// The same, of which nobody is told: it began elsewhere.
    pub(crate) const fn quietly(mut self) -> Self {
        self.is_quiet = true;
        self
    }

    /// The same, claiming more.
    pub(crate) fn claiming(mut self, more: Vec<(Claim, Refusal)>) -> Self {
        self.claims.extend(more);
        self
    }

    /// What it claims, and what is refused where that is taken.
    pub(crate) fn claims(&self) -> &[(Claim, Refusal)] {
        &self.claims
    }

    /// Refuses where something is claimed already that it would claim.
    pub(crate) async fn must_be_free(&self, uow: &mut UnitOfWork) -> Result<(), Failure> {
        must_be_free(uow, &self.claims).await
    }

    /// Stores account, claims and credential, and tells. Answers the stored user.
    pub(crate) async fn store(&self, change: &mut Change<'_>) -> Result<User, Failure> {
        claim_all(change, &self.claims).await?;
        let invitation = match &self.invitation {
            Some(invitation) => Some(invitation.redeem(change).await?),
            None => None,
        };
        // The completion reads them.
        for row in &self.acceptances {
            change.terms_acceptances().write(row).await?;
        }
        change.users().insert(&self.user).await?;
        if let Some(credential) = &self.credential {
            change.password_credentials().upsert(credential).await?;
        }
        change.begins(&self.user);
        if self.is_quiet {
            return self.grant(change).await;
        }
        let data = match &invitation {
            Some(invitation) => serde_json::json!({ "invitation_id": invitation.id }),
            None => serde_json::json!({}),
        };
        change.event(EventKind::UserRegistered, self.user.id, data);
        for row in &self.acceptances {
            let data = serde_json::json!({ "document": row.document, "version": row.version });
            change.event(EventKind::TermsAccepted, self.user.id, data);
        }
        for role in &self.user.roles {
            let data = serde_json::json!({ "role": role, "source": GrantSource::Direct.as_str() });
            change.event(EventKind::RoleGranted, self.user.id, data);
        }
        self.grant(change).await
    }

    /// The roles that it begins with.
    async fn grant(&self, change: &mut Change<'_>) -> Result<User, Failure> {
        let grants: Vec<Grant> =
            self.user.roles.iter().map(|role| grant_with_account(change, &self.user, role)).collect();
        if !grants.is_empty() {
            change.grants().upsert_many(&grants).await?;
        }
        Ok(self.user.clone())
    }
}

/// A role that an account has from its beginning.
fn grant_with_account(change: &mut Change<'_>, user: &User, role: &str) -> Grant {
    Grant {
        id: change.id(),
        user_id: user.id,
        kind: GrantKind::Role,
        name: role.to_owned(),
        source: GrantSource::Direct,
        reason: None,
        granted_by: change.context.actor.name(),
        created_at: change.now,
        period: Period::default(),
    }
}

fn claims(deps: &Dependencies, new: &NewAccount, owner: UserId, now: Timestamp) -> Vec<(Claim, Refusal)> {
    let mut claims = Vec::new();
    if let Some(email) = &new.email {
        claims.push((claim(deps, "email", email.as_str(), owner, now), Refusal::EmailTaken));
    }
    if let Some(username) = &new.username {
        claims.extend(username_claims(deps, username, owner, now));
    }
    claims
}
