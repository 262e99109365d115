//! The keys that signals are signed with. The first is made with the first stream, so that whoever has none pays nothing;
//! the next ones follow the schedule of the other signing keys: published, then used, then forgotten.

use std::time::Duration;

use userd_crypto::{SecurityEvents, place};
use userd_model::{Revoked, StreamKey, Timestamp};
use userd_storage::Failure;

use crate::{Dependencies, change::Changes, signing_keys::SigningKeys, user_reader::internal};

/// How long a key is published after another one signs: what it signed has long been taken or is signed anew.
const KEPT: Duration = Duration::from_hours(24);

pub(super) struct StreamKeys {
    deps: Dependencies,
    changes: Changes,
    published: SigningKeys,
    signer: SecurityEvents,
}

impl StreamKeys {
    pub(super) fn new(deps: Dependencies, changes: Changes, published: SigningKeys) -> Self {
        Self { deps, changes, published, signer: SecurityEvents::default() }
    }

    /// Makes the first key where there is none.
    pub(super) async fn make_first(&self) -> Result<(), Failure> {
        let keys = self.deps.store.reading().stream_keys().all().await?;
        if keys.is_empty() { self.make(None).await } else { Ok(()) }
    }

    /// What signs now.
    pub(super) async fn signer(&self) -> Result<&SecurityEvents, Failure> {
        let keys = self.deps.store.reading().stream_keys().all().await?;
        let key = self.signing(&keys, self.deps.now()).ok_or_else(|| internal("no key for shared signals"))?;
        if !self.signer.signs_with(&key.kid) {
            let context = place("stream_keys", "private_key", &key.kid);
            let pkcs8 = self.deps.vault.open(&context, &key.private_key).map_err(internal)?;
            self.signer.load(&key.kid, &pkcs8).map_err(internal)?;
        }
        Ok(&self.signer)
    }

    /// The schedule: makes the next key in time, and forgets those that another one has followed long ago.
    pub(super) async fn tick(&self) -> Result<(), Failure> {
        let now = self.deps.now();
        let keys = self.deps.store.reading().stream_keys().all().await?;
        let Some(newest) = keys.last() else { return Ok(()) };
        let settings = &self.deps.settings;
        if newest.created_at.plus(settings.rotation_period) <= now {
            self.make(Some(&newest.kid)).await?;
        }
        let signing = self.signing(&keys, now);
        let Some(since) = signing.map(|key| key.created_at.plus(settings.publish_before)) else { return Ok(()) };
        let is_old = |key: &&StreamKey| signing.is_some_and(|signing| key.created_at < signing.created_at);
        let old: Vec<&str> = keys.iter().filter(is_old).map(|key| key.kid.as_str()).collect();
        if old.is_empty() || since.plus(KEPT) > now {
            return Ok(());
        }
        let old = &old;
        self.changes
            .run(&self.changes.system_context(), "forget_stream_keys", |mut change| async move {
                for kid in old {
                    change.stream_keys().remove(kid).await?;
                }
                change.revoke(Revoked::Key { kid: String::new() });
                change.commit(()).await
            })
            .await?;
        self.published.reload().await
    }

    /// The newest that has been published long enough; the first one signs at once.
    fn signing<'a>(&self, keys: &'a [StreamKey], now: Timestamp) -> Option<&'a StreamKey> {
        let ready = |key: &&StreamKey| key.created_at.plus(self.deps.settings.publish_before) <= now;
        keys.iter().rfind(ready).or_else(|| keys.first())
    }

    /// Makes a key, unless another replica has: the newest is then not the one that was seen.
    async fn make(&self, newest: Option<&str>) -> Result<(), Failure> {
        let made = tokio::task::spawn_blocking(SecurityEvents::generate_key).await.map_err(internal)?;
        let made = made.map_err(internal)?;
        let context = place("stream_keys", "private_key", &made.kid);
        let private_key = self.deps.vault.seal(self.deps.random.as_ref(), &context, &made.pkcs8).map_err(internal)?;
        let created_at = self.deps.now();
        let key = &StreamKey { kid: made.kid, public_jwk: made.public_jwk, private_key, created_at };
        self.changes
            .run(&self.changes.system_context(), "make_stream_key", |mut change| async move {
                let keys = change.stream_keys().all().await?;
                if keys.last().map(|key| key.kid.as_str()) == newest {
                    change.stream_keys().insert(key).await?;
                    // Every change of the set makes the other replicas load it.
                    change.revoke(Revoked::Key { kid: String::new() });
                }
                change.commit(()).await
            })
            .await?;
        self.published.reload().await
    }
}
