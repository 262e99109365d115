//! Starting a session: what every way of signing in ends with. Everything random is minted first, so that the unit
//! of work can run again and end the same.

use userd_crypto::Zeroizing;
use userd_model::{Event, EventId, EventKind, Revocation, Revoked, Session, SessionId, Timestamp, User, UserId};
use userd_storage::{Failure, UnitOfWork};

use super::{SessionFacts, Sessions, SignedIn, TokenPair};
use crate::{Origin, passwords::KnownDevice};

/// A session about to be stored: the row, its refresh token and its event, all minted.
pub struct NewSession {
    /// The row.
    pub session: Session,
    refresh_token: Zeroizing<String>,
    event: Event,
    device_token: String,
    /// Room for the sessions this one pushes out.
    spare: Vec<RevocationSeed>,
}

type RevocationSeed = (userd_model::RevocationId, EventId);

/// How a user proved who they are, and on what.
pub struct Proof<'a> {
    /// RFC 8176: `pwd`, `fed` …
    pub amr: &'a str,
    /// What the user calls the device.
    pub device_name: Option<String>,
    /// Where from.
    pub origin: &'a Origin,
}

/// A signing-in pushes out at most this many of the oldest sessions.
const PUSHED_OUT: usize = 4;

impl Sessions {
    /// Mints a session for `user`.
    #[must_use]
    pub fn mint(&self, user: UserId, proof: Proof<'_>, now: Timestamp) -> NewSession {
        let random = self.parts.random.as_ref();
        let id = SessionId::mint(random);
        let (refresh_token, hash) = self.parts.crypto.refresh_tokens.mint(random, id);
        let session = Session {
            id,
            user_id: user,
            device_name: proof.device_name,
            user_agent: proof.origin.user_agent.clone(),
            ip: proof.origin.ip.clone(),
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
        };
        let event = Event {
            id: EventId::mint(random),
            kind: EventKind::SessionStarted,
            user_id: user,
            at: now,
            data: serde_json::json!({ "session_id": id, "amr": session.amr }),
        };
        let spare = (0..PUSHED_OUT).map(|_| (userd_model::RevocationId::mint(random), EventId::mint(random))).collect();
        NewSession { session, refresh_token, event, device_token: self.mint_device_token(user), spare }
    }

    /// Stores it within a unit of work. Answers the revocations of the sessions it pushed out, to be announced
    /// after the commit.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn store(
        &self,
        uow: &mut UnitOfWork,
        new: &NewSession,
        now: Timestamp,
    ) -> Result<Vec<Revocation>, Failure> {
        let (alive, dead) = uow.sessions().for_sign_in(new.session.user_id, now).await?;
        // Whoever signs in and out all day leaves nothing behind that the next sign-in would have to read.
        for ended in dead {
            uow.sessions().remove(ended).await?;
        }
        let too_many = (alive.len() + 1).saturating_sub(self.parts.settings.sessions_per_user);
        let mut entries = Vec::new();
        for (mut oldest, (revocation_id, event_id)) in alive.into_iter().take(too_many).zip(&new.spare) {
            oldest.end(now);
            uow.sessions().update(&oldest).await?;
            let what = Revoked::Session { session_id: oldest.id, user_id: oldest.user_id };
            entries.push(Revocation { id: *revocation_id, ..self.revocations.mint(what, now) });
            uow.outbox().push(&ended(*event_id, &oldest, "too_many_sessions", now)).await?;
        }
        uow.sessions().insert(&new.session).await?;
        uow.outbox().push(&new.event).await?;
        self.revocations.record(uow, &entries).await?;
        Ok(entries)
    }

    /// Makes the answer, after the commit.
    ///
    /// # Errors
    /// Faults of signing.
    pub async fn signed_in(&self, user: &User, new: &NewSession, now: Timestamp) -> Result<SignedIn, Failure> {
        let facts = SessionFacts::from(&new.session);
        let tokens = self
            .tokens(user, &facts, new.refresh_token.to_string(), new.session.expires_at, now)
            .await
            .map(|tokens| TokenPair { device_token: Some(new.device_token.clone()), ..tokens })?;
        Ok(SignedIn { user: self.people.view(user)?, tokens })
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
            expires_in: self.parts.settings.access_ttl.as_secs(),
            refresh_token,
            refresh_expires_in: expires_at.since(now).as_secs(),
            session_id: facts.id,
            device_token: None,
        })
    }

    fn mint_device_token(&self, user: UserId) -> String {
        self.parts.crypto.device_tokens.mint(self.parts.random.as_ref(), user)
    }

    /// Reads a device token back; nonsense is no device.
    #[must_use]
    pub fn known_device(&self, token: Option<&str>) -> Option<KnownDevice> {
        let (user, device) = self.parts.crypto.device_tokens.parse(token?)?;
        Some(KnownDevice { user, key: device.to_string() })
    }
}

/// The event of an ended session.
pub(crate) fn ended(id: EventId, session: &Session, reason: &str, now: Timestamp) -> Event {
    Event {
        id,
        kind: EventKind::SessionEnded,
        user_id: session.user_id,
        at: now,
        data: serde_json::json!({ "session_id": session.id, "reason": reason }),
    }
}
