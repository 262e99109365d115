//! What a browser was asked: sealed, in a one-time row, out of its reach. Whoever answers uses it up, rightly or wrongly.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use userd_model::{Sealed, UserId};
use userd_storage::{Failure, repositories::one_time_tokens::OneTimeToken};

use super::Factors;
use crate::{change::Change, sealing::row_context, user_reader::internal};

/// How long a browser has for its answer.
pub(super) const LIFE: Duration = Duration::from_secs(600);

/// What is remembered, sealed.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Question {
    /// What the answer is held against.
    pub(super) state: String,
    /// The session or the sign-in that it was asked in.
    pub(super) bound_to: String,
    /// What a new passkey is to be called.
    #[serde(default)]
    pub(super) name: Option<String>,
}

/// One of the three occasions.
#[derive(Clone, Copy)]
pub(super) struct Occasion(&'static str);

pub(super) const SET_UP: Occasion = Occasion("passkey_setup");
pub(super) const PROOF: Occasion = Occasion("passkey_proof");
pub(super) const SIGN_IN: Occasion = Occasion("passkey_sign_in");

impl Factors {
    /// What names the one question that can be open in a session or a sign-in.
    pub(super) fn hash_within(&self, occasion: Occasion, bound_to: &str) -> [u8; 32] {
        self.deps.crypto.index.keyed_hash(occasion.0, &[bound_to.as_bytes()])
    }

    /// Remembers a question, in place of one with the same hash.
    pub(super) async fn remember(
        &self,
        change: &mut Change<'_>,
        occasion: Occasion,
        (hash, owner): (&[u8; 32], Option<UserId>),
        question: &Question,
    ) -> Result<(), Failure> {
        let plain = serde_json::to_vec(question).map_err(internal)?;
        let context = row_context(&format!("one_time_tokens|{}", occasion.0), &[hash]);
        let row = OneTimeToken {
            hash: hash.to_vec(),
            purpose: occasion.0.to_owned(),
            owner,
            payload: self.deps.vault.seal(self.deps.random.as_ref(), &context, &plain).map_err(internal)?.0,
            created_at: change.now,
            expires_at: change.now.plus(LIFE),
        };
        Ok(change.one_time_tokens().replace(&row).await?)
    }

    /// Forgets what the user was asked before: one set-up waits at a time.
    pub(super) async fn forget(
        &self,
        change: &mut Change<'_>,
        occasion: Occasion,
        owner: UserId,
    ) -> Result<(), Failure> {
        Ok(change.one_time_tokens().remove_of_owner_for(owner, occasion.0).await?)
    }

    /// The question, used up; none where it was answered before, is out of date or somebody else's.
    pub(super) async fn take(
        &self,
        change: &mut Change<'_>,
        occasion: Occasion,
        (hash, owner): (&[u8; 32], Option<UserId>),
    ) -> Result<Option<Question>, Failure> {
        let now = change.now;
        let found = change.one_time_tokens().find(hash, occasion.0, now).await?;
        let Some(row) = found.filter(|row| row.owner == owner) else { return Ok(None) };
        change.one_time_tokens().take(hash, occasion.0, now).await?;
        let context = row_context(&format!("one_time_tokens|{}", occasion.0), &[hash]);
        let plain = self.deps.vault.open(&context, &Sealed(row.payload)).map_err(internal)?;
        serde_json::from_slice(&plain).map(Some).map_err(internal)
    }
}
