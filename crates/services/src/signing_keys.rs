//! The life of signing keys: made, published before use, rotated on a schedule, revoked when compromised; and the
//! rotation of the master key they are sealed under. All replicas share them through the database.

mod rewrapping;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde::Serialize;
use userd_crypto::{LoadedKey, Tokens};
use userd_model::{Act, EventKind, KeyState, Refusal, Revoked, SigningKeyRecord, Subject, Timestamp};
use userd_storage::Failure;

use crate::{
    Context, Dependencies,
    change::{Change, Changes},
    recent_proof,
    user_reader::internal,
};

/// Keeps the signing keys.
#[derive(Clone)]
pub struct SigningKeys {
    deps: Dependencies,
    changes: Changes,
    unreadable: Arc<AtomicBool>,
}

/// A signing key as administrators see it.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "named as in the contract")]
pub struct KeyView {
    pub kid: String,
    pub algorithm: String,
    pub state: KeyState,
    pub created_at: Timestamp,
    pub activated_at: Option<Timestamp>,
    pub retired_at: Option<Timestamp>,
}

/// A change of algorithm that is under way: the new key is published, and takes over when verifiers know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlgorithmChange {
    /// The algorithm of the key that signs.
    pub signs_with: String,
    /// The configured one.
    pub changes_to: String,
    /// When its key takes over by itself.
    pub at: Timestamp,
}

impl std::fmt::Display for AlgorithmChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { signs_with, changes_to, at } = self;
        write!(
            f,
            "tokens are signed with {signs_with} until the key for {changes_to}, published already, takes over at {at}; \
             `userd keys rotate` does it now"
        )
    }
}

impl SigningKeys {
    pub(crate) fn new(deps: Dependencies, changes: Changes) -> Self {
        Self { deps, changes, unreadable: Arc::default() }
    }

    /// Makes the first keys where there are none, and a next one of the configured algorithm; loads all.
    ///
    /// # Errors
    /// Faults of storage and cryptography (a foreign master key).
    pub async fn start(&self) -> Result<(), Failure> {
        let now = self.deps.now();
        let keys = self.deps.store.reading().signing_keys().all().await?;
        if !keys.iter().any(|key| key.state == KeyState::Active) {
            let (first, next) = (&self.make(KeyState::Active, now)?, &self.make(KeyState::Next, now)?);
            self.changes
                .run(&self.changes.system_context(), "first_signing_keys", |mut change| async move {
                    if !change.signing_keys().all().await?.iter().any(|key| key.state == KeyState::Active) {
                        change.signing_keys().insert(first).await?;
                        change.signing_keys().insert(next).await?;
                    }
                    change.commit(()).await
                })
                .await?;
        } else if !keys.iter().any(|key| key.state == KeyState::Next && self.follows_configuration(key)) {
            // The heir was made for another configuration: the next key made follows the present one, so that one rotation
            // is enough.
            self.change(&self.changes.system_context(), "next_signing_key", |keys, _| {
                keys.retain(|key| key.state != KeyState::Next || self.follows_configuration(key));
                Ok(())
            })
            .await?;
        }
        self.reload().await
    }

    fn follows_configuration(&self, key: &SigningKeyRecord) -> bool {
        key.algorithm == self.deps.settings.algorithm.as_str()
    }

    /// Where the key that signs is not of the configured algorithm: which one it has, which one is to come, and when.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn algorithm_change(&self) -> Result<Option<AlgorithmChange>, Failure> {
        let keys = self.deps.store.reading().signing_keys().all().await?;
        let active = keys.iter().find(|key| key.state == KeyState::Active && !self.follows_configuration(key));
        let next = keys.iter().find(|key| key.state == KeyState::Next && self.follows_configuration(key));
        Ok(active.zip(next).map(|(active, next)| AlgorithmChange {
            signs_with: active.algorithm.clone(),
            changes_to: next.algorithm.clone(),
            at: next.created_at.plus(self.deps.settings.publish_before),
        }))
    }

    /// Loads the keys from the database: after a rotation elsewhere, and on a token with an unknown key.
    ///
    /// # Errors
    /// Faults of storage and cryptography; the keys in use stay.
    pub async fn reload(&self) -> Result<(), Failure> {
        let loaded = self.load().await;
        match &loaded {
            Ok(()) if self.unreadable.swap(false, Ordering::Relaxed) => {
                tracing::info!("the signing keys can be read again")
            }
            Err(failure @ Failure::Internal(_)) if !self.unreadable.swap(true, Ordering::Relaxed) => tracing::error!(
                %failure,
                "the signing keys in the database cannot be opened: this replica signs with those that it had, and refuses \
                 tokens of new ones"
            ),
            // A database that is away is told of by its own part.
            _ => {}
        }
        loaded
    }

    /// Whether the keys in the database could be opened when they were last looked at. Where they could not, those from
    /// before are in use: retired ones, after a rotation.
    #[must_use]
    pub fn are_readable(&self) -> bool {
        !self.unreadable.load(Ordering::Relaxed)
    }

    async fn load(&self) -> Result<(), Failure> {
        let mut reading = self.deps.store.reading();
        let records = reading.signing_keys().all().await?;
        // Shared signals are verified by the same set.
        let published: Vec<_> = reading.stream_keys().all().await?.into_iter().map(|key| key.public_jwk).collect();
        let mut loaded = Vec::with_capacity(records.len());
        for record in records {
            let pkcs8 =
                self.deps.crypto.fields.open_system(&context(&record.kid), &record.private_key).map_err(internal)?;
            let key = LoadedKey::signing(&record.kid, record.state, &record.algorithm, &pkcs8).map_err(internal)?;
            loaded.push(key);
        }
        self.deps.crypto.tokens.load_and_publish(loaded, &published);
        Ok(())
    }

    /// All keys, oldest first.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn list(&self, ctx: &Context) -> Result<Vec<KeyView>, Failure> {
        ctx.may(&Act::ListSigningKeys)?;
        self.all().await
    }

    async fn all(&self) -> Result<Vec<KeyView>, Failure> {
        let mut keys: Vec<_> = self.deps.store.reading().signing_keys().all().await?.iter().map(view).collect();
        keys.sort_by_key(|key| key.created_at);
        Ok(keys)
    }

    /// Rotates now: the next key signs, the active one retires, and a new next one is published.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn rotate(&self, ctx: &Context) -> Result<Vec<KeyView>, Failure> {
        recent_proof::may_administer(ctx, &Act::RotateSigningKeys, &self.deps).await?;
        self.change(ctx, "rotate_signing_keys", |keys, now| {
            promote(keys, now, KeyState::Retired);
            Ok(())
        })
        .await?;
        self.all().await
    }

    /// Revokes a compromised key: nothing it signed is accepted any more, and it leaves the published set.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`.
    pub async fn revoke(&self, ctx: &Context, kid: &str) -> Result<Vec<KeyView>, Failure> {
        recent_proof::may_administer(ctx, &Act::RevokeSigningKey, &self.deps).await?;
        self.change(ctx, "revoke_signing_key", |keys, now| {
            let key = keys.iter_mut().find(|key| key.kid == kid).ok_or(Refusal::NotFound)?;
            let was_active = key.state == KeyState::Active;
            key.retired_at.get_or_insert(now);
            key.state = KeyState::Revoked;
            if was_active {
                promote(keys, now, KeyState::Retired);
            }
            Ok(())
        })
        .await?;
        self.all().await
    }

    /// Revokes every key and makes new ones. Answers which were revoked: a key that was made after a backup is unknown here,
    /// and one that was revoked after it was not.
    ///
    /// # Errors
    /// `Forbidden`.
    pub(crate) async fn replace_all(&self, ctx: &Context) -> Result<Vec<String>, Failure> {
        recent_proof::may_administer(ctx, &Act::RevokeSigningKey, &self.deps).await?;
        let first = &self.make(KeyState::Active, self.deps.now())?;
        self.change(ctx, "replace_signing_keys", |keys, now| {
            for key in keys.iter_mut() {
                key.retired_at.get_or_insert(now);
                key.state = KeyState::Revoked;
            }
            keys.push(first.clone());
            Ok(())
        })
        .await?;
        let keys = self.all().await?;
        Ok(keys.into_iter().filter(|key| key.state == KeyState::Revoked).map(|key| key.kid).collect())
    }

    /// The schedule: rotates when the active key has signed long enough, and drops keys whose tokens are all dead.
    pub async fn tick(&self) -> Result<(), Failure> {
        let settings = &self.deps.settings;
        let now = self.deps.now();
        let keys = self.deps.store.reading().signing_keys().all().await?;
        let gone = |key: &SigningKeyRecord| {
            let kept = settings.access_ttl + Duration::from_secs(3600);
            key.retired_at.is_some_and(|retired| retired.plus(kept) < now)
        };
        let wanted = settings.algorithm.as_str();
        let is_time = |keys: &[SigningKeyRecord]| self.is_time_to_rotate(keys, now);
        let lacking = !keys.iter().any(|key| key.state == KeyState::Next && key.algorithm == wanted);
        if is_time(&keys) || lacking || keys.iter().any(gone) {
            self.change(&self.changes.system_context(), "scheduled_key_rotation", |keys, now| {
                // Asked again within the unit of work: somebody may have rotated since.
                if is_time(keys) {
                    promote(keys, now, KeyState::Retired);
                }
                // A next key of another algorithm than the configured one will never sign.
                keys.retain(|key| !gone(key) && (key.state != KeyState::Next || key.algorithm == wanted));
                Ok(())
            })
            .await?;
        }
        Ok(())
    }

    /// The active key has signed long enough, or is of another algorithm than wanted, and its heir has been published
    /// long enough.
    fn is_time_to_rotate(&self, keys: &[SigningKeyRecord], now: Timestamp) -> bool {
        let settings = &self.deps.settings;
        let wanted = settings.algorithm.as_str();
        let due = keys.iter().any(|key| {
            key.state == KeyState::Active
                && (key.activated_at.is_some_and(|at| at.plus(settings.rotation_period) <= now)
                    || key.algorithm != wanted)
        });
        let ready = keys.iter().any(|key| {
            key.state == KeyState::Next
                && key.algorithm == wanted
                && key.created_at.plus(settings.publish_before) <= now
        });
        due && ready
    }

    /// Runs a change of the key set under the database's protection, keeps one next key published, and reloads.
    async fn change(
        &self,
        ctx: &Context,
        name: &'static str,
        act: impl Fn(&mut Vec<SigningKeyRecord>, Timestamp) -> Result<(), Refusal> + Send + Sync,
    ) -> Result<(), Failure> {
        let fresh = &self.make(KeyState::Next, self.deps.now())?;
        let act = &act;
        self.changes
            .run(ctx, name, |mut change| async move {
                let now = change.now;
                let before = change.signing_keys().all().await?;
                let mut after = before.clone();
                act(&mut after, now)?;
                if !after.iter().any(|key| key.state == KeyState::Next) {
                    after.push(fresh.clone());
                }
                if !after.iter().any(|key| key.state == KeyState::Active) {
                    promote(&mut after, now, KeyState::Retired);
                }
                write_difference(&mut change, &before, &after).await?;
                // Every change of the set makes the other replicas load it; the word names one changed key.
                change.revoke(Revoked::Key { kid: changed_kid(&before, &after) });
                change.commit(()).await
            })
            .await?;
        self.reload().await
    }

    fn make(&self, state: KeyState, now: Timestamp) -> Result<SigningKeyRecord, Failure> {
        let made = Tokens::generate_key(self.deps.settings.algorithm).map_err(internal)?;
        let random = self.deps.random.as_ref();
        let private_key =
            self.deps.crypto.fields.seal_system(random, &context(&made.kid), &made.pkcs8).map_err(internal)?;
        Ok(SigningKeyRecord {
            kid: made.kid,
            algorithm: self.deps.settings.algorithm.as_str().to_owned(),
            state,
            public_jwk: made.public_jwk,
            private_key,
            created_at: now,
            activated_at: (state == KeyState::Active).then_some(now),
            retired_at: None,
        })
    }
}

/// Lets the next key sign in place of the active one.
fn promote(keys: &mut [SigningKeyRecord], now: Timestamp, old: KeyState) {
    let Some(next) = keys.iter().position(|key| key.state == KeyState::Next) else { return };
    for key in keys.iter_mut().filter(|key| key.state == KeyState::Active) {
        key.state = old;
        key.retired_at = Some(now);
    }
    if let Some(key) = keys.get_mut(next) {
        key.state = KeyState::Active;
        key.activated_at = Some(now);
    }
}

/// Writes what has changed, and tells of it.
async fn write_difference(
    change: &mut Change<'_>,
    before: &[SigningKeyRecord],
    after: &[SigningKeyRecord],
) -> Result<(), Failure> {
    for key in after {
        let old = before.iter().find(|old| old.kid == key.kid);
        match old {
            None => change.signing_keys().insert(key).await?,
            Some(old) if old != key => change.signing_keys().update(key).await?,
            Some(_) => {}
        }
        tell(change, old, key);
    }
    for old in before.iter().filter(|old| !after.iter().any(|key| key.kid == old.kid)) {
        change.signing_keys().remove(&old.kid).await?;
        change.event(EventKind::SigningKeyRemoved, Subject::signing_key(&old.kid), serde_json::json!({}));
    }
    Ok(())
}

/// What the difference means for whoever verifies tokens.
fn tell(change: &mut Change<'_>, old: Option<&SigningKeyRecord>, key: &SigningKeyRecord) {
    let subject = || Subject::signing_key(&key.kid);
    if old.is_none() {
        let data = serde_json::json!({ "algorithm": key.algorithm });
        change.event(EventKind::SigningKeyCreated, subject(), data);
    }
    let told = match key.state {
        _ if old.is_some_and(|old| old.state == key.state) => return,
        KeyState::Next => return,
        KeyState::Active => EventKind::SigningKeyActivated,
        KeyState::Retired => EventKind::SigningKeyRetired,
        KeyState::Revoked => EventKind::SigningKeyRevoked,
    };
    change.event(told, subject(), serde_json::json!({}));
}

fn changed_kid(before: &[SigningKeyRecord], after: &[SigningKeyRecord]) -> String {
    let revoked = |key: &&SigningKeyRecord| {
        key.state == KeyState::Revoked && before.iter().any(|old| old.kid == key.kid && old.state != KeyState::Revoked)
    };
    after.iter().find(revoked).map(|key| key.kid.clone()).unwrap_or_default()
}

fn context(kid: &str) -> String {
    format!("signing_keys|private_key|{kid}")
}

fn view(key: &SigningKeyRecord) -> KeyView {
    KeyView {
        kid: key.kid.clone(),
        algorithm: key.algorithm.clone(),
        state: key.state,
        created_at: key.created_at,
        activated_at: key.activated_at,
        retired_at: key.retired_at,
    }
}
