//! The end of a service account's secret, and a new one: disabling, enabling, rotation. Tokens got with the old secret die in
//! the same change.

use std::time::Duration;

use userd_crypto::OpaqueSecret;
use userd_model::{Act, Actor, Client, ClientId, EventKind, Permission, Refusal, Revoked, Timestamp};
use userd_storage::Failure;

use super::{Clients, NewClient, PREFIX, view};
use crate::{Context, IdempotentRequest, change::Change, idempotency::Made, recent_proof};

/// Whether a service account is in use, or disabled.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum InUse {
    Yes,
    No,
}

impl Clients {
    /// Disables a service account; its tokens die at once.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`.
    pub async fn disable(&self, ctx: &Context, id: ClientId) -> Result<(), Failure> {
        recent_proof::may_administer(ctx, &Act::DisableClient, &self.deps).await?;
        self.changes
            .run(ctx, "disable_client", |mut change| async move {
                let (mut client, at) = found(&mut change, id, InUse::Yes).await?;
                client.disabled_at = Some(at);
                end_tokens(&mut change, &mut client, EventKind::ClientDisabled, at).await?;
                change.commit(()).await
            })
            .await
    }

    /// Enables a service account that was disabled, with a new secret: the one of before may be what it was disabled for. As
    /// with a new secret, whoever lacks one of its permissions may not.
    ///
    /// # Errors
    /// `Forbidden`; `NotFound`, also for one that is not disabled; for a repeat those of [`Clients::create_for`].
    pub async fn enable(
        &self,
        ctx: &Context,
        id: ClientId,
        idempotent: Option<&IdempotentRequest>,
    ) -> Result<NewClient, Failure> {
        recent_proof::may_administer(ctx, &Act::EnableClient, &self.deps).await?;
        self.with_new_secret(ctx, ("enable_client", EventKind::ClientEnabled), id, InUse::No, idempotent).await
    }

    /// A new secret; tokens got with the old one die at once. Whoever makes it can act as the service, so an actor
    /// that lacks one of its permissions may not.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`; for a repeat those of [`Clients::create_for`].
    pub async fn rotate_secret(
        &self,
        ctx: &Context,
        id: ClientId,
        idempotent: Option<&IdempotentRequest>,
    ) -> Result<NewClient, Failure> {
        recent_proof::may_administer(ctx, &Act::RotateClientSecret, &self.deps).await?;
        let told = ("rotate_client_secret", EventKind::ClientSecretRotated);
        self.with_new_secret(ctx, told, id, InUse::Yes, idempotent).await
    }

    async fn with_new_secret(
        &self,
        ctx: &Context,
        (name, told): (&'static str, EventKind),
        id: ClientId,
        wanted: InUse,
        idempotent: Option<&IdempotentRequest>,
    ) -> Result<NewClient, Failure> {
        let (secret, hash) = &OpaqueSecret::mint(PREFIX, self.deps.random.as_ref());
        self.changes
            .run(ctx, name, |mut change| async move {
                if let Some(made) = self.idempotency.find(&mut change, idempotent).await? {
                    let before = self.created_before(&mut change, made, idempotent).await?;
                    return change.commit(before).await;
                }
                let (mut client, at) = found(&mut change, id, wanted).await?;
                must_hold(&ctx.actor, &client.permissions)?;
                client.secret_hash = hash.to_vec();
                client.secret_changed_at = at;
                client.disabled_at = None;
                end_tokens(&mut change, &mut client, told, at).await?;
                let owner = ctx.user().ok().map(|(user, _)| user);
                self.idempotency.save(&mut change, idempotent, Made::Client(id), owner).await?;
                self.idempotency.keep_secret(&mut change, idempotent, owner, secret).await?;
                change.commit(NewClient { client: view(&client), client_secret: secret.to_string() }).await
            })
            .await
    }
}

/// The service account, and the time at which tokens of before die: later than the secret that they were got with, whatever the
/// clocks of two replicas say.
async fn found(change: &mut Change<'_>, id: ClientId, wanted: InUse) -> Result<(Client, Timestamp), Failure> {
    let client = change.clients().find(id).await?.ok_or(Refusal::NotFound)?;
    must_be(&client, wanted)?;
    let at = change.now.max(client.secret_changed_at.plus(Duration::from_micros(1)));
    Ok((client, at))
}

async fn end_tokens(
    change: &mut Change<'_>,
    client: &mut Client,
    told: EventKind,
    at: Timestamp,
) -> Result<(), Failure> {
    client.version += 1;
    change.clients().update(client).await?;
    change.revoke_at(Revoked::Client { client_id: client.id, before: at.micros() }, at);
    change.event(told, client.id, serde_json::json!({}));
    Ok(())
}

/// For an act to one in use there is none that is disabled, and the other way round.
pub(super) fn must_be(client: &Client, wanted: InUse) -> Result<(), Refusal> {
    let is = if client.disabled_at.is_none() { InUse::Yes } else { InUse::No };
    if is == wanted { Ok(()) } else { Err(Refusal::NotFound) }
}

fn must_hold(actor: &Actor, words: &[String]) -> Result<(), Refusal> {
    // A word that cannot be a permission is held by nobody but the operator.
    let holds = |word: &String| match Permission::parse(word) {
        Some(permission) => actor.may_give(&permission),
        None => *actor == Actor::Operator,
    };
    if words.iter().all(holds) { Ok(()) } else { Err(Refusal::Forbidden) }
}
