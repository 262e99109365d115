//! What somebody else signed is good once. Some of it comes again by itself (a reloaded Mini App hands over the same data):
//! the device that it signed in first, which shows the device token of that answer, may come again with it while it is
//! fresh. Deliberately absent: whether it is fresh; its verifier refuses it for its age.

use userd_model::{Refusal, Timestamp, UserId};
use userd_providers::{Profile, ReplayKey};
use userd_storage::{Failure, UnitOfWork};

use super::SignIn;
use crate::passwords::is_current;

const HOLDER: &str = "holder_of_replay_key";

impl SignIn {
    /// Uses up what may be used once. A second use is a replay, whatever else is right about it, unless it is the
    /// holder's.
    pub(super) async fn consume(
        &self,
        uow: &mut UnitOfWork,
        profile: &Profile,
        device_token: Option<&str>,
    ) -> Result<(), Failure> {
        for key in &profile.replay_keys {
            let is_first = uow.replay_guard().consume_once(&key.hash, key.purpose, key.until).await?;
            if !is_first && !self.holds(uow, key, device_token).await? {
                return Err(Refusal::ProviderRefused("replayed").into());
            }
        }
        Ok(())
    }

    /// Remembers who is let in with these now: the device token of the answer names the user and this moment.
    pub(super) async fn hold(
        &self,
        uow: &mut UnitOfWork,
        keys: &[ReplayKey],
        user: UserId,
        now: Timestamp,
    ) -> Result<(), Failure> {
        for key in keys.iter().filter(|key| key.again_by_holder) {
            uow.replay_guard().consume_once(&self.holder(key, user, now), HOLDER, key.until).await?;
        }
        Ok(())
    }

    /// Whether the device token is that of an answer to this very proof, and still counts.
    async fn holds(&self, uow: &mut UnitOfWork, key: &ReplayKey, device_token: Option<&str>) -> Result<bool, Failure> {
        let device = device_token.and_then(|token| self.deps.crypto.device_tokens.parse(token));
        let Some(device) = device.filter(|_| key.again_by_holder) else { return Ok(false) };
        let (user, credential) = uow.users().find_with_password(device.user).await?;
        let holder = self.holder(key, device.user, device.minted_at);
        Ok(is_current(&device, user.as_ref(), credential.as_ref()) && uow.replay_guard().was_consumed(&holder).await?)
    }

    fn holder(&self, key: &ReplayKey, user: UserId, now: Timestamp) -> [u8; 32] {
        let parts: [&[u8]; 3] = [&key.hash, user.0.as_bytes(), &now.micros().to_be_bytes()];
        self.deps.crypto.index.keyed_hash(HOLDER, &parts)
    }
}
