//! The first administrator: made by the operator at the command line, or by whoever opens the one-time setup link
//! that the first start prints. There is exactly one winner; afterwards the way is shut.

use userd_model::{Event, EventId, EventKind, Refusal, Role, Timestamp};
use userd_storage::{Failure, UnitOfWork, repositories::one_time_tokens::OneTimeToken};

use crate::{
    Origin, Parts, SignedIn, UserView,
    accounts::{AccountSeed, NewAccount, Registration, Reserved, claim, claim_or},
    limits::{Limited, Limits},
    people::{People, internal},
    sessions::{Proof, Sessions},
};

/// Life of a setup link.
const LINK_LIFE: std::time::Duration = std::time::Duration::from_secs(24 * 3600);
const PREFIX: &str = "uds_";
const PURPOSE: &str = "setup";

/// Makes the first administrator, and further ones for the operator.
pub struct Setup {
    parts: Parts,
    sessions: Sessions,
    people: People,
    limits: Limits,
}

impl Setup {
    pub(crate) const fn new(parts: Parts, sessions: Sessions, people: People, limits: Limits) -> Self {
        Self { parts, sessions, people, limits }
    }

    /// Whether nobody has become administrator yet.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn is_open(&self) -> Result<bool, Failure> {
        let hash = self.parts.crypto.index.claim_hash(KIND, "");
        Ok(self.parts.store.reading().claims().find(&hash).await?.is_none())
    }

    /// A one-time setup token, if setup is still open. Each start makes a new one; those before stay good for a day.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn open(&self) -> Result<Option<String>, Failure> {
        if !self.is_open().await? {
            return Ok(None);
        }
        let (text, hash) = userd_crypto::OpaqueSecret::mint(PREFIX, self.parts.random.as_ref());
        let now = self.parts.now();
        let secret = &OneTimeToken {
            hash: hash.to_vec(),
            purpose: PURPOSE.to_owned(),
            owner: None,
            payload: Vec::new(),
            created_at: now,
            expires_at: now.plus(LINK_LIFE),
        };
        self.parts
            .store
            .transact("open_setup", |mut uow| async move {
                uow.one_time_tokens().insert(secret).await?;
                uow.commit(()).await
            })
            .await?;
        Ok(Some(text.to_string()))
    }

    /// Makes the first administrator with a setup token, and signs in.
    ///
    /// # Errors
    /// `SetupDone`, `InvalidCode`, and those of a registration.
    pub async fn finish(&self, token: &str, registration: Registration, origin: &Origin) -> Result<SignedIn, Failure> {
        self.limits.reserve_from(Limited::SignInPerNetwork, origin).await?;
        if !self.is_open().await? {
            return Err(Refusal::SetupDone.into());
        }
        let hash = &userd_crypto::OpaqueSecret::hash_of(PREFIX, token).ok_or(Refusal::InvalidCode)?;
        let now = self.parts.now();
        if self.parts.store.reading().one_time_tokens().find(hash, PURPOSE, now).await?.is_none() {
            return Err(Refusal::InvalidCode.into());
        }
        let seed = &self.seed(&registration, now).await?;
        let granted = &self.granted(seed, now);
        let session = &self.sessions.mint(seed.user.id, Proof { amr: "pwd", device_name: None, origin }, now);
        self.parts
            .store
            .transact("finish_setup", |mut uow| async move {
                self.become_first(&mut uow, seed, now).await?;
                uow.one_time_tokens().take(hash, PURPOSE, now).await?.ok_or(Refusal::InvalidCode)?;
                seed.store(&mut uow).await?;
                uow.outbox().push(granted).await?;
                self.sessions.store(&mut uow, session, now).await?;
                uow.commit(()).await
            })
            .await?;
        tracing::info!(user_id = %seed.user.id, "the first administrator has set up");
        self.sessions.signed_in(&seed.user, session, now).await
    }

    /// Makes an administrator at the command line; shuts the setup link's way if it was open.
    ///
    /// # Errors
    /// Those of a registration.
    pub async fn create_administrator(&self, registration: Registration) -> Result<UserView, Failure> {
        let now = self.parts.now();
        let seed = &self.seed(&registration, now).await?;
        let granted = &self.granted(seed, now);
        self.parts
            .store
            .transact("create_administrator", |mut uow| async move {
                match self.become_first(&mut uow, seed, now).await {
                    Ok(()) | Err(Failure::Refused(Refusal::SetupDone)) => {}
                    Err(other) => return Err(other),
                }
                seed.store(&mut uow).await?;
                uow.outbox().push(granted).await?;
                uow.commit(()).await
            })
            .await?;
        self.people.view(&seed.user)
    }

    async fn become_first(&self, uow: &mut UnitOfWork, seed: &AccountSeed, now: Timestamp) -> Result<(), Failure> {
        claim_or(uow, &claim(&self.parts, KIND, "", seed.user.id, now), &Refusal::SetupDone).await
    }

    fn granted(&self, seed: &AccountSeed, now: Timestamp) -> Event {
        Event {
            id: EventId::mint(self.parts.random.as_ref()),
            kind: EventKind::RoleGranted,
            user_id: seed.user.id,
            at: now,
            data: serde_json::json!({ "role": Role::ADMIN }),
        }
    }

    async fn seed(&self, registration: &Registration, now: Timestamp) -> Result<AccountSeed, Failure> {
        let mut new = NewAccount::check(registration, &self.parts.settings.password_rules, Reserved::Allowed)?;
        new.roles = vec![Role::ADMIN.to_owned()];
        let hash = self.sessions.proof.hash(&registration.password).await.map_err(|failure| match failure {
            Failure::Refused(refusal) => Failure::Refused(refusal),
            other => internal(other),
        })?;
        AccountSeed::mint(&self.parts, &new, Some(hash), now)
    }
}

/// The kind of the one claim that the first administrator holds.
const KIND: &str = "first_admin";
