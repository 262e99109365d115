//! Service accounts of other services: they get tokens by `client_credentials`, ask whether tokens are good, and
//! read the revocation feed. Their secrets are 256 random bits, shown once and stored as hashes.

mod change;
mod rotation;

use serde::{Deserialize, Serialize};
use userd_crypto::OpaqueSecret;
use userd_model::{Act, Actor, Client, ClientId, EventKind, Permission, Refusal, Timestamp, text};
use userd_storage::{Failure, UnitOfWork};

use crate::{
    Context, Dependencies, IdempotentRequest, RequestOrigin,
    access_tokens::AccessTokens,
    change::Changes,
    idempotency::{IdempotencyKeys, Made},
    limits::{Limited, Limits},
    recent_proof,
};

const PREFIX: &str = "udc_";

/// Makes, authenticates, disables and enables service accounts.
#[derive(Clone)]
pub struct Clients {
    deps: Dependencies,
    changes: Changes,
    access_tokens: AccessTokens,
    limits: Limits,
    idempotency: IdempotencyKeys,
}

/// A service account with its secret: shown once.
#[derive(Clone, Serialize)]
#[expect(missing_docs, reason = "the members of the contract's answer")]
pub struct NewClient {
    pub client: ClientView,
    pub client_secret: String,
}

/// A service account as administrators see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "named as in the contract")]
pub struct ClientView {
    pub id: ClientId,
    pub name: String,
    pub permissions: Vec<String>,
    pub permission_prefix: Option<String>,
    pub audiences: Option<Vec<String>>,
    pub created_at: Timestamp,
    pub secret_changed_at: Timestamp,
    pub disabled_at: Option<Timestamp>,
    pub version: i64,
}

/// A service account to be made.
#[derive(Clone, Copy, Debug, Default)]
#[expect(missing_docs, reason = "the members of the contract's body")]
pub struct ClientInput<'a> {
    pub name: &'a str,
    pub permissions: &'a [String],
    /// None: the first that is configured.
    pub audiences: Option<&'a [String]>,
    /// None: it is limited as its maker is.
    pub permission_prefix: Option<&'a str>,
}

/// A change of a service account. Absent fields stay; an inner `None` gives the audiences back to the configuration.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the members of the contract's body")]
pub struct ClientChange {
    pub name: Option<String>,
    pub audiences: Option<Option<Vec<String>>>,
}

/// A token for a service.
#[derive(Clone)]
pub struct ClientToken {
    /// The access token.
    pub access_token: String,
    /// Seconds.
    pub expires_in: u64,
    /// The permissions it carries, as OAuth's scope.
    pub scope: String,
}

impl Clients {
    pub(crate) const fn new(
        deps: Dependencies,
        changes: Changes,
        access_tokens: AccessTokens,
        limits: Limits,
        idempotency: IdempotencyKeys,
    ) -> Self {
        Self { deps, changes, access_tokens, limits, idempotency }
    }

    /// Makes a service account with some of the permissions that services may hold, for the first audience.
    ///
    /// # Errors
    /// As [`Clients::create_for`].
    pub async fn create(
        &self,
        ctx: &Context,
        name: &str,
        permissions: &[String],
        idempotent: Option<&IdempotentRequest>,
    ) -> Result<NewClient, Failure> {
        self.create_for(ctx, ClientInput { name, permissions, ..ClientInput::default() }, idempotent).await
    }

    /// The same for these audiences: its tokens are for the first of them, or for the one that it asks for. With a prefix, what
    /// it may register, give and ask about begins so, for good.
    ///
    /// # Errors
    /// `Forbidden`, `InvalidInput`; an actor cannot give what it does not hold. For a repeat: `IdempotencyMismatch`,
    /// `ReplayRefused`, `SecretAlreadyShown`.
    pub async fn create_for(
        &self,
        ctx: &Context,
        input: ClientInput<'_>,
        idempotent: Option<&IdempotentRequest>,
    ) -> Result<NewClient, Failure> {
        recent_proof::may_administer(ctx, &Act::CreateClient, &self.deps).await?;
        let mut reading = self.deps.store.reading();
        if let Some(made) = self.idempotency.find(&mut reading, idempotent).await? {
            return self.created_before(&mut reading, made, idempotent).await;
        }
        let name = text::display_name(input.name).map_err(|detail| Refusal::field("/name", detail))?;
        let permissions = granted(&mut reading, &ctx.actor, input.permissions).await?;
        let permission_prefix = prefix(&ctx.actor, input.permission_prefix)?;
        let audiences = input.audiences.map(|audiences| self.configured(audiences)).transpose()?;
        let now = self.deps.now();
        let random = self.deps.random.as_ref();
        let (secret, hash) = OpaqueSecret::mint(PREFIX, random);
        let client = &Client {
            id: ClientId::mint(random),
            name,
            secret_hash: hash.to_vec(),
            permissions,
            permission_prefix,
            audiences,
            created_by: ctx.user().ok().map(|(user, _)| user),
            created_at: now,
            secret_changed_at: now,
            disabled_at: None,
            version: 1,
        };
        let answer = &NewClient { client: view(client), client_secret: secret.to_string() };
        self.changes
            .run(ctx, "create_client", |mut change| async move {
                if let Some(made) = self.idempotency.find(&mut change, idempotent).await? {
                    let before = self.created_before(&mut change, made, idempotent).await?;
                    return change.commit(before).await;
                }
                change.clients().insert(client).await?;
                let data = match &client.permission_prefix {
                    Some(prefix) => {
                        serde_json::json!({ "permissions": client.permissions, "permission_prefix": prefix.as_str() })
                    }
                    None => serde_json::json!({ "permissions": client.permissions }),
                };
                change.event(EventKind::ClientCreated, client.id, data);
                let (made, owner) = (Made::Client(client.id), client.created_by);
                self.idempotency.save(&mut change, idempotent, made, owner).await?;
                self.idempotency.keep_secret(&mut change, idempotent, owner, &answer.client_secret).await?;
                change.commit(answer.clone()).await
            })
            .await
    }

    /// The audiences asked for, each once, if all are configured.
    fn configured(&self, audiences: &[String]) -> Result<Vec<String>, Refusal> {
        let mut known: Vec<String> = Vec::new();
        for (place, audience) in audiences.iter().enumerate() {
            let refused = |_| Refusal::field(format!("/audiences/{place}"), "is not among tokens.audience");
            self.deps.settings.audience(Some(audience)).map_err(refused)?;
            if !known.contains(audience) {
                known.push(audience.clone());
            }
        }
        if known.is_empty() { Err(Refusal::field("/audiences", "must name at least one audience")) } else { Ok(known) }
    }

    /// The service account that the first request made or gave a secret, with that secret where that is a matter of minutes.
    async fn created_before(
        &self,
        uow: &mut UnitOfWork,
        made: Made,
        idempotent: Option<&IdempotentRequest>,
    ) -> Result<NewClient, Failure> {
        let Made::Client(id) = made else { return Err(Refusal::IdempotencyMismatch.into()) };
        let client = uow.clients().find(id).await?.ok_or(Refusal::NotFound)?;
        let secret = self.idempotency.secret(uow, idempotent).await?;
        let hash = OpaqueSecret::hash_of(PREFIX, &secret).ok_or(Refusal::SecretAlreadyShown)?;
        if !userd_crypto::constant_time_eq(&hash, &client.secret_hash) {
            return Err(Refusal::SecretAlreadyShown.into());
        }
        Ok(NewClient { client: view(&client), client_secret: secret.to_string() })
    }

    /// A page of service accounts, oldest first.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn page(
        &self,
        ctx: &Context,
        after: Option<(Timestamp, ClientId)>,
        limit: u32,
    ) -> Result<Vec<ClientView>, Failure> {
        ctx.may(&Act::ListClients)?;
        Ok(self.deps.store.reading().clients().page(after, limit).await?.iter().map(view).collect())
    }

    /// Authenticates a service by id and secret (RFC 6749 section 2.3.1).
    ///
    /// # Errors
    /// `InvalidClient`; `TooManyAttempts` in its place where too many of the network were wrong. A right secret is not refused
    /// because of them.
    pub async fn authenticate(&self, id: &str, secret: &str, origin: &RequestOrigin) -> Result<Client, Failure> {
        let shown = self.compare(id, secret).await;
        self.limits.count_failure(Limited::ClientPerNetwork, origin, shown).await
    }

    async fn compare(&self, id: &str, secret: &str) -> Result<Client, Failure> {
        let id: ClientId = id.parse().map_err(|_| Refusal::InvalidClient)?;
        let client = self.deps.store.reading().clients().find(id).await?;
        let hash = OpaqueSecret::hash_of(PREFIX, secret).ok_or(Refusal::InvalidClient)?;
        let client = client.filter(|client| {
            userd_crypto::constant_time_eq(&client.secret_hash, &hash) && client.disabled_at.is_none()
        });
        Ok(client.ok_or(Refusal::InvalidClient)?)
    }

    /// A token for an authenticated service: for the first of its audiences, or for another one that it asks for. One
    /// without audiences of its own gets tokens for the first that is configured.
    ///
    /// # Errors
    /// `InvalidTarget` for another resource, and for one that is configured no more; faults of signing.
    pub fn token(&self, client: &Client, resource: Option<&str>) -> Result<ClientToken, Failure> {
        let own = [self.deps.settings.audience(None)?.to_owned()];
        let mut allowed = client.audiences.as_deref().unwrap_or(&own).iter();
        let audience = allowed.find(|audience| resource.is_none_or(|resource| resource == *audience));
        let audience = audience.ok_or(Refusal::InvalidTarget)?;
        Ok(ClientToken {
            access_token: self.access_tokens.issue_for_client(client, Some(audience), self.deps.now())?,
            expires_in: self.deps.settings.access_ttl.as_secs(),
            scope: client.permissions.join(" "),
        })
    }

    /// What an authenticated service may do.
    #[must_use]
    pub fn actor(client: &Client) -> Actor {
        let permissions = client.permissions.iter().filter_map(|word| Permission::parse(word)).collect();
        Actor::Service { id: client.id, permissions, prefix: client.permission_prefix.clone() }
    }
}

/// What a new service account is limited to: what was asked for, within what limits its maker.
fn prefix(maker: &Actor, wanted: Option<&str>) -> Result<Option<String>, Refusal> {
    let refused = |detail: &str| Err(Refusal::field("/permission_prefix", detail));
    match (wanted, maker) {
        (Some(wanted), _) if !Client::is_prefix(wanted) => {
            refused("must be a beginning of permissions, such as `billing.`, and none of this service's own")
        }
        (Some(wanted), maker) if !maker.reaches(wanted) => refused("must lie within your own"),
        (Some(wanted), _) => Ok(Some(wanted.to_owned())),
        (None, Actor::Service { prefix, .. }) => Ok(prefix.clone()),
        (None, _) => Ok(None),
    }
}

/// The permissions asked for, if all exist and the giver holds them.
async fn granted(uow: &mut UnitOfWork, giver: &Actor, words: &[String]) -> Result<Vec<String>, Failure> {
    let mut granted = Vec::new();
    for (place, word) in words.iter().enumerate() {
        let pointer = format!("/permissions/{place}");
        let permission = Permission::parse(word).ok_or_else(|| unknown_permission(&pointer))?;
        if !permission.is_well_known() && uow.permissions().find(word).await?.is_none() {
            return Err(unknown_permission(&pointer).into());
        }
        if !giver.may_give(&permission) {
            return Err(Refusal::field(&pointer, "you do not hold this permission").into());
        }
        granted.push(permission);
    }
    granted.sort_unstable();
    granted.dedup();
    Ok(granted.into_iter().map(|permission| permission.as_str().to_owned()).collect())
}

fn unknown_permission(pointer: &str) -> Refusal {
    let known: Vec<_> = Permission::WELL_KNOWN.iter().map(Permission::as_str).collect();
    Refusal::field(pointer, format!("no such permission; there are: {}", known.join(", ")))
}

fn view(client: &Client) -> ClientView {
    ClientView {
        id: client.id,
        name: client.name.clone(),
        permissions: client.permissions.clone(),
        permission_prefix: client.permission_prefix.clone(),
        audiences: client.audiences.clone(),
        created_at: client.created_at,
        secret_changed_at: client.secret_changed_at,
        disabled_at: client.disabled_at,
        version: client.version,
    }
}
