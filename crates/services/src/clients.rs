//! Service accounts of other services: they get tokens by `client_credentials`, ask whether tokens are good, and
//! read the revocation feed. Their secrets are 256 random bits, shown once and stored as hashes.

use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use userd_crypto::OpaqueSecret;
use userd_model::{Act, Actor, Client, ClientId, Permission, Refusal, Revocation, Revoked, Timestamp, text};
use userd_storage::Failure;

use crate::{
    Once, Origin, Parts,
    access_tokens::AccessTokens,
    limits::{Limited, Limits},
    once::Answers,
    revocations::Revocations,
};

const PREFIX: &str = "udc_";

/// Makes, checks and shuts service accounts.
#[derive(Clone)]
pub struct Clients {
    parts: Parts,
    access_tokens: AccessTokens,
    limits: Limits,
    answers: Answers,
    revocations: Arc<Revocations>,
}

/// A service account with its secret: shown once.
#[derive(Clone, Serialize, Deserialize)]
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
    pub created_at: Timestamp,
    pub secret_changed_at: Timestamp,
    pub disabled_at: Option<Timestamp>,
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
        parts: Parts,
        access_tokens: AccessTokens,
        limits: Limits,
        answers: Answers,
        revocations: Arc<Revocations>,
    ) -> Self {
        Self { parts, access_tokens, limits, answers, revocations }
    }

    /// Makes a service account with some of the permissions that services may hold.
    ///
    /// # Errors
    /// `Forbidden`, `InvalidInput`; an actor cannot give what it does not hold.
    pub async fn create(
        &self,
        actor: &Actor,
        name: &str,
        permissions: &[String],
        once: Option<&Once>,
    ) -> Result<NewClient, Failure> {
        actor.may(Act::Any(Permission::ClientsManage))?;
        if let Some(saved) = self.answers.saved(once).await? {
            return Ok(saved);
        }
        let name = text::display_name(name).map_err(|detail| Refusal::field("/name", detail))?;
        let permissions = granted(actor, permissions)?;
        let now = self.parts.now();
        let random = self.parts.random.as_ref();
        let (secret, hash) = OpaqueSecret::mint(PREFIX, random);
        let client = Client {
            id: ClientId::mint(random),
            name,
            secret_hash: hash.to_vec(),
            permissions,
            created_by: if let Actor::User { id, .. } = actor { Some(*id) } else { None },
            created_at: now,
            secret_changed_at: now,
            disabled_at: None,
        };
        let client = &client;
        let answer = NewClient { client: view(client), client_secret: secret.to_string() };
        let sealed = &self.answers.seal(&answer)?;
        let saved = self
            .parts
            .store
            .transact("create_client", |mut uow| async move {
                if let Some(saved) = self.answers.find::<NewClient>(&mut uow, once).await? {
                    return uow.commit(Some(saved)).await;
                }
                uow.clients().insert(client).await?;
                self.answers.save(&mut uow, once, sealed, now).await?;
                uow.commit(None).await
            })
            .await?;
        Ok(saved.unwrap_or(answer))
    }

    /// A page of service accounts, oldest first.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn page(
        &self,
        actor: &Actor,
        after: Option<(Timestamp, ClientId)>,
        limit: u32,
    ) -> Result<Vec<ClientView>, Failure> {
        actor.may(Act::Any(Permission::ClientsRead))?;
        Ok(self.parts.store.reading().clients().page(after, limit).await?.iter().map(view).collect())
    }

    /// Shuts a service account; its tokens die at once.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`.
    pub async fn disable(&self, actor: &Actor, id: ClientId) -> Result<(), Failure> {
        actor.may(Act::Any(Permission::ClientsManage))?;
        self.change("disable_client", id, |client, at| {
            client.disabled_at.get_or_insert(at);
            Ok(())
        })
        .await
        .map(drop)
    }

    /// A new secret; tokens got with the old one die at once. Whoever makes it can act as the service, so an actor
    /// that lacks one of its permissions may not.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`.
    pub async fn rotate_secret(&self, actor: &Actor, id: ClientId) -> Result<NewClient, Failure> {
        actor.may(Act::Any(Permission::ClientsManage))?;
        let (secret, hash) = OpaqueSecret::mint(PREFIX, self.parts.random.as_ref());
        let client = self
            .change("rotate_client_secret", id, |client, at| {
                must_hold(actor, &client.permissions)?;
                client.secret_hash = hash.to_vec();
                client.secret_changed_at = at;
                Ok(())
            })
            .await?;
        Ok(NewClient { client: view(&client), client_secret: secret.to_string() })
    }

    async fn change(
        &self,
        name: &'static str,
        id: ClientId,
        change: impl Fn(&mut Client, Timestamp) -> Result<(), Refusal> + Send + Sync,
    ) -> Result<Client, Failure> {
        let now = self.parts.now();
        let (minted, change) = (&self.revocations.mint(Revoked::Client { client_id: id }, now), &change);
        let (client, entries) = self
            .parts
            .store
            .transact(name, |mut uow| async move {
                let found = uow.clients().find(id).await?.filter(|client| client.disabled_at.is_none());
                let mut client = found.ok_or(Refusal::NotFound)?;
                // Later than the secret that it kills, whatever the clocks of two replicas say.
                let at = now.max(client.secret_changed_at.plus(Duration::from_micros(1)));
                change(&mut client, at)?;
                uow.clients().update(&client).await?;
                let entries = vec![Revocation { recorded_at: at, ..minted.clone() }];
                self.revocations.record(&mut uow, &entries).await?;
                uow.commit((client, entries)).await
            })
            .await?;
        self.revocations.announce(&entries).await;
        Ok(client)
    }

    /// Authenticates a service by id and secret (RFC 6749 section 2.3.1).
    ///
    /// # Errors
    /// `InvalidClient`, `TooManyAttempts`.
    pub async fn authenticate(&self, id: &str, secret: &str, origin: &Origin) -> Result<Client, Failure> {
        self.limits.reserve_from(Limited::ClientPerNetwork, origin).await?;
        let id: ClientId = id.parse().map_err(|_| Refusal::InvalidClient)?;
        let client = self.parts.store.reading().clients().find(id).await?;
        let hash = OpaqueSecret::hash_of(PREFIX, secret).ok_or(Refusal::InvalidClient)?;
        let client = client
            .filter(|client| userd_crypto::constant_time_eq(&client.secret_hash, &hash) && client.disabled_at.is_none())
            .ok_or(Refusal::InvalidClient)?;
        self.limits.give_back(Limited::ClientPerNetwork, &origin.network).await;
        Ok(client)
    }

    /// A token for an authenticated service.
    ///
    /// # Errors
    /// Faults of signing.
    pub fn token(&self, client: &Client) -> Result<ClientToken, Failure> {
        Ok(ClientToken {
            access_token: self.access_tokens.issue_for_client(client, self.parts.now())?,
            expires_in: self.parts.settings.access_ttl.as_secs(),
            scope: client.permissions.join(" "),
        })
    }

    /// What an authenticated service may do.
    #[must_use]
    pub fn actor(client: &Client) -> Actor {
        let permissions = client.permissions.iter().filter_map(|word| Permission::parse(word)).collect();
        Actor::Service { id: client.id, permissions }
    }
}

fn must_hold(actor: &Actor, words: &[String]) -> Result<(), Refusal> {
    // A word that this release does not know is held by nobody but the operator.
    let held = |word: &String| match Permission::parse(word) {
        Some(permission) => actor.may(Act::Any(permission)),
        None if *actor == Actor::Operator => Ok(()),
        None => Err(Refusal::Forbidden),
    };
    words.iter().try_for_each(held)
}

/// The permissions asked for, if all exist and the giver holds them.
fn granted(giver: &Actor, words: &[String]) -> Result<Vec<String>, Refusal> {
    let mut granted = Vec::new();
    for (place, word) in words.iter().enumerate() {
        let pointer = format!("/permissions/{place}");
        let permission = Permission::parse(word).ok_or_else(|| {
            let known: Vec<_> = Permission::ALL.iter().map(|permission| permission.as_str()).collect();
            Refusal::field(&pointer, format!("no such permission; there are: {}", known.join(", ")))
        })?;
        giver.may(Act::Any(permission)).map_err(|_| Refusal::field(&pointer, "you do not hold this permission"))?;
        granted.push(permission);
    }
    granted.sort_unstable();
    granted.dedup();
    Ok(granted.into_iter().map(|permission| permission.as_str().to_owned()).collect())
}

fn view(client: &Client) -> ClientView {
    ClientView {
        id: client.id,
        name: client.name.clone(),
        permissions: client.permissions.clone(),
        created_at: client.created_at,
        secret_changed_at: client.secret_changed_at,
        disabled_at: client.disabled_at,
    }
}
