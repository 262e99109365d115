//! Recovery codes: a set of ten, shown once, each good once. They stand for a lost factor, so they come with the first one
//! and go with the last one.

use userd_crypto::{RecoveryCodeText, Zeroizing};
use userd_model::{Act, EventKind, Refusal, UserId};
use userd_storage::{Failure, repositories::recovery_codes::RecoveryCode};

use super::Factors;
use crate::{Context, change::Change, limits::Limited, outstanding::begun_dies, recent_proof};

/// How many there are of a set.
const SET: usize = 10;

/// A new set, minted before the change that stores it.
pub(super) struct NewSet(Vec<RecoveryCodeText>);

impl Factors {
    /// A new set of recovery codes; the old one dies.
    ///
    /// # Errors
    /// `InsufficientAuthentication`; `NotFound` for whoever holds no factor that a code could stand for.
    pub async fn renew_recovery_codes(&self, ctx: &Context) -> Result<Vec<String>, Failure> {
        let (user, _) = ctx.user()?;
        ctx.may(&Act::ManageFactors(user))?;
        self.limits.reserve(Limited::FactorChange, &user.to_string()).await?;
        let set = &self.mint_set();
        self.changes
            .run(ctx, "renew_recovery_codes", |mut change| async move {
                change.active_user(user).await?;
                let held = recent_proof::must_be_given(ctx, &self.deps.settings, &mut change).await?;
                if held.is_empty() {
                    return Err(Refusal::NotFound.into());
                }
                self.store_set(&mut change, user, set).await?;
                begun_dies(&self.deps, &mut change, user).await?;
                change.commit(()).await
            })
            .await?;
        Ok(set.shown())
    }

    pub(super) fn mint_set(&self) -> NewSet {
        NewSet((0..SET).map(|_| RecoveryCodeText::mint(self.deps.random.as_ref())).collect())
    }

    pub(super) async fn store_set(&self, change: &mut Change<'_>, user: UserId, set: &NewSet) -> Result<(), Failure> {
        let created_at = change.now;
        let stored = |code| RecoveryCode { hash: self.hash_of(user, code), user_id: user, created_at };
        let codes: Vec<_> = set.0.iter().map(stored).collect();
        change.recovery_codes().replace(user, &codes).await?;
        change.event(EventKind::RecoveryCodesMade, user, serde_json::json!({}));
        Ok(())
    }

    /// Uses a code up, if it is one of the user's. Its hash is keyed, so finding it by the hash tells nothing of it.
    pub(super) async fn use_code(&self, change: &mut Change<'_>, user: UserId, code: &str) -> Result<bool, Failure> {
        let Some(code) = RecoveryCodeText::parse(code) else { return Ok(false) };
        let hash = Zeroizing::new(self.hash_of(user, &code));
        let used = change.recovery_codes().take(user, &hash).await?;
        if used {
            change.event(EventKind::RecoveryCodeUsed, user, serde_json::json!({}));
        }
        Ok(used)
    }

    fn hash_of(&self, user: UserId, code: &RecoveryCodeText) -> Vec<u8> {
        let parts: [&[u8]; 2] = [user.0.as_bytes(), code.canonical().as_bytes()];
        self.deps.crypto.index.keyed_hash("recovery code", &parts).to_vec()
    }
}

impl NewSet {
    /// As they are shown, once.
    pub(super) fn shown(&self) -> Vec<String> {
        self.0.iter().map(RecoveryCodeText::shown).collect()
    }
}
