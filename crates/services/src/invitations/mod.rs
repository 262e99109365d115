//! Invitations to register: made, listed, withdrawn. An invitation to an address goes there by mail and nowhere else, so that
//! whoever shows it has proven the mailbox; one without an address is shown once, to whoever made it.
//!
//! - `redeem.rs`: what whoever shows one gets

mod redeem;

use std::sync::Arc;

use serde::Serialize;
use userd_crypto::OpaqueSecret;
use userd_model::{
    Act, Email, EventKind, InvalidField, Invitation, InvitationId, Refusal, Sealed, Timestamp, UserId, text,
};
use userd_storage::{Failure, UnitOfWork};

pub(crate) use redeem::Redeemable;

use crate::{
    Context, Dependencies, IdempotentRequest,
    change::Changes,
    deliveries::{Deliveries, Letter},
    idempotency::{IdempotencyKeys, Made},
    limits::{Limited, Limits},
    link_tokens::PREFIX,
    recent_proof,
    role_reader::{RoleReader, grantable},
    sealing::row_context,
    user_reader::internal,
};

/// Invites.
#[derive(Clone)]
pub struct Invitations {
    pub(crate) deps: Dependencies,
    pub(crate) changes: Changes,
    pub(crate) limits: Limits,
    pub(crate) roles: RoleReader,
    pub(crate) idempotency: IdempotencyKeys,
    pub(crate) deliveries: Arc<Deliveries>,
}

/// Whom to invite, to what.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the members of the contract's body")]
pub struct NewInvitation {
    pub email: Option<String>,
    pub roles: Vec<String>,
    pub uses: Option<i64>,
    pub expires_at: Option<Timestamp>,
    /// The language of the mail.
    pub locale: Option<String>,
}

/// An invitation as those see it who administer them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "named as in the contract")]
pub struct InvitationView {
    pub id: InvitationId,
    pub email: Option<String>,
    pub roles: Vec<String>,
    /// How many accounts may still come of it.
    pub uses: i64,
    pub created_by: Option<UserId>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

/// A new invitation, with its token where it goes to nobody by mail: shown once.
#[derive(Clone, Serialize)]
#[expect(missing_docs, reason = "the members of the contract's answer")]
pub struct MadeInvitation {
    pub invitation: InvitationView,
    pub token: Option<String>,
}

const CONTEXT: &str = "invitations|email";

impl Invitations {
    /// Invites somebody.
    ///
    /// # Errors
    /// `Forbidden`, `InvalidInput`: with roles that allow what the inviter may not do, too; `TooManyAttempts`. For a
    /// repeat: `IdempotencyMismatch`, `ReplayRefused`, `SecretAlreadyShown`.
    pub async fn create(
        &self,
        ctx: &Context,
        input: &NewInvitation,
        idempotent: Option<&IdempotentRequest>,
    ) -> Result<MadeInvitation, Failure> {
        ctx.may(&Act::CreateInvitation)?;
        let mut reading = self.deps.store.reading();
        recent_proof::must_be_strong(ctx, &mut reading).await?;
        if let Some(made) = self.idempotency.find(&mut reading, idempotent).await? {
            return self.made_before(&mut reading, made, idempotent).await;
        }
        let (token, hash) = &OpaqueSecret::mint(PREFIX, self.deps.random.as_ref());
        let (invitation, letter) = &self.checked(ctx, input, (token, hash)).await?;
        if letter.is_some() {
            self.limits.reserve(Limited::NotificationPerSender, &ctx.actor.name()).await?;
        }
        let made = self
            .changes
            .run(ctx, "create_invitation", |mut change| async move {
                if let Some(made) = self.idempotency.find(&mut change, idempotent).await? {
                    let before = self.made_before(&mut change, made, idempotent).await?;
                    return change.commit(before).await;
                }
                change.invitations().insert(invitation).await?;
                let owner = invitation.created_by;
                self.idempotency.save(&mut change, idempotent, Made::Invitation(invitation.id), owner).await?;
                match letter {
                    Some(letter) => self.deliveries.post(&mut change, letter, None).await?,
                    None => self.idempotency.keep_secret(&mut change, idempotent, owner, token).await?,
                }
                let data = serde_json::json!({ "roles": invitation.roles });
                change.event(EventKind::InvitationCreated, invitation.id, data);
                let token = letter.is_none().then(|| token.to_string());
                change.commit(MadeInvitation { invitation: self.view(invitation)?, token }).await
            })
            .await?;
        self.deliveries.wake();
        Ok(made)
    }

    async fn made_before(
        &self,
        unit: &mut UnitOfWork,
        made: Made,
        idempotent: Option<&IdempotentRequest>,
    ) -> Result<MadeInvitation, Failure> {
        let Made::Invitation(id) = made else { return Err(Refusal::IdempotencyMismatch.into()) };
        let found = unit.invitations().find(id).await?.ok_or(Refusal::NotFound)?;
        let token = match found.email {
            Some(_) => None,
            None => Some(self.idempotency.secret(unit, idempotent).await?.to_string()),
        };
        Ok(MadeInvitation { invitation: self.view(&found)?, token })
    }

    /// The invitation that was asked for, and the mail where there is an address.
    async fn checked(
        &self,
        ctx: &Context,
        input: &NewInvitation,
        (token, hash): (&str, &[u8; 32]),
    ) -> Result<(Invitation, Option<Letter>), Failure> {
        let mut wrong = Vec::new();
        let email = self.address(input, &mut wrong);
        let uses = input.uses.unwrap_or(1);
        if !(1..=Invitation::MOST_USES).contains(&uses) {
            wrong.push(InvalidField::new("/uses", format!("must be 1 to {}", Invitation::MOST_USES)));
        } else if email.is_some() && uses > 1 {
            wrong.push(InvalidField::new("/uses", "must be 1: an invitation to an address is for one account"));
        }
        let expires_at = input.expires_at.unwrap_or_else(|| ctx.now.plus(Invitation::LIFE));
        if expires_at <= ctx.now || expires_at > ctx.now.plus(Invitation::LONGEST) {
            wrong.push(InvalidField::new("/expires_at", "must lie ahead, within a year"));
        }
        let locale = match input.locale.as_deref().map(text::locale).transpose() {
            Ok(locale) => locale,
            Err(detail) => {
                wrong.push(InvalidField::new("/locale", detail));
                None
            }
        };
        let roles = grantable(&mut self.deps.store.reading(), &ctx.actor, &input.roles, &mut wrong).await?;
        if !wrong.is_empty() {
            return Err(Refusal::InvalidInput(wrong).into());
        }
        let id = InvitationId::mint(self.deps.random.as_ref());
        let invitation = Invitation {
            id,
            token_hash: hash.to_vec(),
            email: email.as_ref().map(|email| self.seal(id, email)).transpose()?,
            roles,
            uses,
            created_by: ctx.user().ok().map(|(user, _)| user),
            created_at: ctx.now,
            expires_at,
        };
        let letter = email.map(|email| Letter::Invitation {
            to: email.as_str().to_owned(),
            locale,
            token: token.to_owned(),
            until: expires_at,
        });
        Ok((invitation, letter))
    }

    fn address(&self, input: &NewInvitation, wrong: &mut Vec<InvalidField>) -> Option<Email> {
        let email = match Email::parse(input.email.as_deref()?) {
            Ok(email) => email,
            Err(detail) => {
                wrong.push(InvalidField::new("/email", detail));
                return None;
            }
        };
        if let Err(Refusal::InvalidInput(fields)) = self.deps.settings.email_domains.must_admit(&email) {
            wrong.extend(fields);
        }
        Some(email)
    }

    /// A page of those that are still good, oldest first.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn page(
        &self,
        ctx: &Context,
        after: Option<(Timestamp, InvitationId)>,
        limit: u32,
    ) -> Result<Vec<InvitationView>, Failure> {
        ctx.may(&Act::ListInvitations)?;
        let (mut good, mut after) = (Vec::new(), after);
        while good.len() < limit as usize {
            let page = self.deps.store.reading().invitations().page(after, limit).await?;
            let is_last = page.len() < limit as usize;
            after = page.last().map(|last| (last.created_at, last.id));
            good.extend(page.into_iter().filter(|invitation| invitation.is_good(ctx.now)));
            if is_last {
                break;
            }
        }
        good.truncate(limit as usize);
        good.iter().map(|invitation| self.view(invitation)).collect()
    }

    /// Withdraws an invitation: no account comes of it any more.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`.
    pub async fn revoke(&self, ctx: &Context, id: InvitationId) -> Result<(), Failure> {
        ctx.may(&Act::RevokeInvitation)?;
        recent_proof::must_be_strong(ctx, &mut self.deps.store.reading()).await?;
        self.changes
            .run(ctx, "revoke_invitation", |mut change| async move {
                change.invitations().find(id).await?.ok_or(Refusal::NotFound)?;
                change.invitations().remove(id).await?;
                change.event(EventKind::InvitationRevoked, id, serde_json::json!({}));
                change.commit(()).await
            })
            .await
    }

    fn view(&self, invitation: &Invitation) -> Result<InvitationView, Failure> {
        Ok(InvitationView {
            id: invitation.id,
            email: self.email_of(invitation)?.map(|email| email.as_str().to_owned()),
            roles: invitation.roles.clone(),
            uses: invitation.uses,
            created_by: invitation.created_by,
            created_at: invitation.created_at,
            expires_at: invitation.expires_at,
        })
    }

    fn seal(&self, id: InvitationId, email: &Email) -> Result<Sealed, Failure> {
        let context = row_context(CONTEXT, &[id.0.as_bytes()]);
        self.deps.vault.seal(self.deps.random.as_ref(), &context, email.as_str().as_bytes()).map_err(internal)
    }

    fn email_of(&self, invitation: &Invitation) -> Result<Option<Email>, Failure> {
        let Some(sealed) = &invitation.email else { return Ok(None) };
        let context = row_context(CONTEXT, &[invitation.id.0.as_bytes()]);
        let plain = self.deps.vault.open(&context, sealed).map_err(internal)?;
        Email::parse(std::str::from_utf8(&plain).map_err(internal)?).map(Some).map_err(internal)
    }
}
