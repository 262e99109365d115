//! The completion of every way in: whoever has proven who they are arrives here, the model names the outcome, and a
//! session begins or the next step is asked for. No way in starts a session by itself.
//!
//! Three steps, because a change may run twice: [`Sessions::arrive`] mints, [`Sessions::complete`] decides and writes
//! within the change, [`Sessions::completion`] makes the answer after the commit.

use std::time::Duration;

use serde::Serialize;
use userd_crypto::{OpaqueSecret, Zeroizing};
use userd_model::{
    EventKind, IdentityId, PendingStep, Refusal, Session, SessionId, SignInOutcome, Timestamp, User, UserId, sign_in,
};
use userd_storage::{Failure, repositories::one_time_tokens::OneTimeToken};

use super::{Sessions, SignedIn, TokenPair};
use crate::{Context, access_tokens::SessionFacts, change::Change, sealing::row_context, user_reader::internal};

/// Somebody who has proven who they are, with the session that may begin: the row and its secrets, all minted.
pub(crate) struct Arrival {
    pub(crate) session: Session,
    audience: Option<String>,
    refresh_token: Zeroizing<String>,
}

/// How a user proved who they are, and what they call the device.
pub(crate) struct Proof {
    /// RFC 8176: `pwd`, `fed` …
    pub amr: &'static str,
    pub device_name: Option<String>,
    /// The account elsewhere, where that was the proof: renewals look at its provider again.
    pub identity: Option<IdentityId>,
}

/// What every way in answers.
#[derive(Clone, Debug)]
pub enum Completion {
    /// A session began.
    SignedIn(Box<SignedIn>),
    /// Something is asked for first.
    Pending(Pending),
}

/// A step between the proof and the session.
#[derive(Clone, Serialize)]
pub struct Pending {
    /// What is asked for: the `status` of a [`PendingStep`].
    pub status: String,
    /// Opens only the routes that resolve the step.
    pub challenge: String,
    /// Seconds.
    pub expires_in: u64,
}

impl std::fmt::Debug for Pending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pending({})", self.status)
    }
}

impl Completion {
    /// Whose session began; nobody's where a step is asked for first.
    #[must_use]
    pub fn who(&self) -> Option<UserId> {
        match self {
            Self::SignedIn(signed_in) => Some(signed_in.user.id),
            Self::Pending(_) => None,
        }
    }

    /// The session that began.
    ///
    /// # Errors
    /// The pending step, where one is asked for.
    pub fn signed_in(self) -> Result<SignedIn, Pending> {
        match self {
            Self::SignedIn(signed_in) => Ok(*signed_in),
            Self::Pending(pending) => Err(pending),
        }
    }
}

/// What a change found: who is signed in now, or what is asked for.
pub(crate) enum Completed {
    SignedIn(Box<User>),
    Pending(Pending),
}

/// How long somebody has for a pending step.
const CHALLENGE_LIFE: Duration = Duration::from_secs(600);
const CHALLENGE: &str = "";
pub(crate) const CHALLENGE_PURPOSE: &str = "sign_in_challenge";
const CHALLENGE_CONTEXT: &str = "one_time_tokens|sign_in_challenge";

/// A sign-in ends at most this many of the oldest sessions.
const MOST_REPLACED: usize = 4;

impl Sessions {
    /// Mints what may begin.
    pub(crate) fn arrive(&self, ctx: &Context, user: UserId, proof: Proof, now: Timestamp) -> Arrival {
        let random = self.deps.random.as_ref();
        let id = SessionId::mint(random);
        let (refresh_token, hash) = self.deps.crypto.refresh_tokens.mint(random, id);
        let session = Session {
            id,
            user_id: user,
            device_name: proof.device_name,
            user_agent: ctx.origin.user_agent.clone(),
            ip: ctx.origin.ip.clone(),
            amr: vec![proof.amr.to_owned()],
            auth_time: now,
            created_at: now,
            last_seen_at: now,
            expires_at: self.deadline(now, now),
            ended_at: None,
            generation: 0,
            current_hash: hash.to_vec(),
            previous_hash: None,
            successor: None,
            identity_id: proof.identity,
            parties: None,
        };
        Arrival { session, audience: ctx.audience.clone(), refresh_token }
    }

    /// Decides how the way in goes on, and writes what follows from it.
    ///
    /// # Errors
    /// The refusal of the model; storage faults.
    pub(crate) async fn complete(
        &self,
        change: &mut Change<'_>,
        user: User,
        arrival: &Arrival,
    ) -> Result<Completed, Failure> {
        let outcome = sign_in::outcome(&user);
        self.carry_out(change, outcome, user, arrival).await
    }

    async fn carry_out(
        &self,
        change: &mut Change<'_>,
        outcome: SignInOutcome,
        mut user: User,
        arrival: &Arrival,
    ) -> Result<Completed, Failure> {
        match outcome {
            SignInOutcome::SignedIn => {}
            SignInOutcome::Pending(step) => return Ok(Completed::Pending(self.ask(change, step, arrival).await?)),
            SignInOutcome::Refused(refusal) => return Err(refusal.into()),
            SignInOutcome::Restorable => return Err(Refusal::NotSignedIn.into()),
        }
        self.begin(change, &arrival.session).await?;
        let at = Some(arrival.session.created_at);
        if user.last_sign_in_at != at {
            change.users().record_sign_in(user.id, arrival.session.created_at).await?;
            user.last_sign_in_at = at;
        }
        change.signed_in(&user);
        Ok(Completed::SignedIn(Box::new(user)))
    }

    /// Asks for a step: what was proven so far is kept, sealed, under the hash of the challenge.
    async fn ask(&self, change: &mut Change<'_>, step: PendingStep, arrival: &Arrival) -> Result<Pending, Failure> {
        let random = self.deps.random.as_ref();
        let (challenge, hash) = OpaqueSecret::mint(CHALLENGE, random);
        let session = &arrival.session;
        let proven = serde_json::json!({
            "step": step.status(), "amr": session.amr, "auth_time": session.auth_time, "device_name": session.device_name,
            "identity": session.identity_id,
        });
        let sealed = self
            .deps
            .vault
            .seal(random, &row_context(CHALLENGE_CONTEXT, &[&hash]), proven.to_string().as_bytes())
            .map_err(internal)?;
        let token = OneTimeToken {
            hash: hash.to_vec(),
            purpose: CHALLENGE_PURPOSE.to_owned(),
            owner: Some(session.user_id),
            payload: sealed.0,
            created_at: change.now,
            expires_at: change.now.plus(CHALLENGE_LIFE),
        };
        change.one_time_tokens().insert(&token).await?;
        Ok(Pending {
            status: step.status().to_owned(),
            challenge: challenge.to_string(),
            expires_in: CHALLENGE_LIFE.as_secs(),
        })
    }

    /// Stores a session. Dead ones of the user go, and where there are too many the oldest end.
    async fn begin(&self, change: &mut Change<'_>, session: &Session) -> Result<(), Failure> {
        let (mut alive, dead) = change.sessions().for_sign_in(session.user_id, session.created_at).await?;
        let is_new_device = !alive.iter().chain(&dead).any(|known| known.is_of_same_device(session));
        change.defer_writes();
        // Whoever signs in and out all day leaves nothing behind that the next sign-in would have to read.
        let dead: Vec<_> = dead.into_iter().map(|session| session.id).collect();
        change.sessions().remove_many(&dead).await?;
        let too_many = (alive.len() + 1).saturating_sub(self.deps.settings.sessions_per_user);
        alive.truncate(too_many.min(MOST_REPLACED));
        change.end_sessions(alive, "too_many_sessions").await?;
        change.sessions().insert(session).await?;
        let data = serde_json::json!({
            "session_id": session.id, "amr": session.amr, "new_device": is_new_device,
        });
        change.event(EventKind::SessionStarted, session.user_id, data);
        Ok(())
    }

    /// Makes the answer, after the commit.
    pub(crate) async fn completion(&self, completed: Completed, arrival: &Arrival) -> Result<Completion, Failure> {
        match completed {
            Completed::SignedIn(user) => self.signed_in(&user, arrival).await,
            Completed::Pending(pending) => Ok(Completion::Pending(pending)),
        }
    }

    /// The tokens of a session that began.
    async fn signed_in(&self, user: &User, arrival: &Arrival) -> Result<Completion, Failure> {
        let session = &arrival.session;
        let refresh_token = arrival.refresh_token.to_string();
        let facts = SessionFacts::of(session, arrival.audience.as_ref());
        let (random, epoch) = (self.deps.random.as_ref(), user.security_epoch);
        let device = self.deps.crypto.device_tokens.mint(random, user.id, epoch, session.created_at);
        let tokens = self.tokens(user, &facts, refresh_token, session.expires_at, session.created_at).await?;
        let tokens = TokenPair { device_token: Some(device), ..tokens };
        Ok(Completion::SignedIn(Box::new(SignedIn { user: self.user_reader.view(user)?, tokens })))
    }

    pub(super) async fn tokens(
        &self,
        user: &User,
        facts: &SessionFacts,
        refresh_token: String,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<TokenPair, Failure> {
        Ok(TokenPair {
            access_token: self.access_tokens.issue(user, facts, now).await?,
            expires_in: self.deps.settings.access_ttl.as_secs(),
            refresh_token,
            refresh_expires_in: expires_at.since(now).as_secs(),
            session_id: facts.id,
            device_token: None,
        })
    }
}

#[cfg(all(test, feature = "testing"))]
mod tests;
