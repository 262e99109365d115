//! Refreshing: the token rotates with each use. A network that loses the answer is not an attack, so the one before
//! may be replayed until its successor is used and gets the same successor; anything older ends the family.

use userd_crypto::{Zeroizing, constant_time_eq};
use userd_model::{
    Event, EventId, EventKind, Refusal, Revocation, Revoked, Sealed, Session, SessionId, Timestamp, User,
    session::Presented,
};
use userd_storage::{Failure, UnitOfWork};

use super::{SessionFacts, Sessions, SignedIn};
use crate::{Origin, limits::Limited, people::internal};

/// What the unit of work decided. A replayed old token is an outcome, not an error: it must be remembered.
enum Outcome {
    Refreshed(Box<(User, Session, String)>),
    Stolen(Vec<Revocation>),
}

/// Everything random a refresh may need, minted before.
struct Minted {
    successor: Zeroizing<String>,
    successor_hash: [u8; 32],
    sealed: Sealed,
    theft: (Revocation, Event),
}

impl Sessions {
    /// Exchanges a refresh token for a new pair.
    ///
    /// # Errors
    /// `InvalidRefreshToken`, `Blocked`, `TooManyAttempts`.
    pub async fn refresh(&self, token: &str, origin: &Origin) -> Result<SignedIn, Failure> {
        let outcome = self.exchange(token, origin).await;
        if let Err(Failure::Refused(Refusal::InvalidRefreshToken)) = &outcome {
            metrics::counter!("userd_tokens_refused_total", "reason" => "refresh_token").increment(1);
        }
        outcome
    }

    async fn exchange(&self, token: &str, origin: &Origin) -> Result<SignedIn, Failure> {
        // A forged token fails its tag here and never reaches the database.
        let (session_id, hash) = self.parts.crypto.refresh_tokens.parse(token).ok_or(Refusal::InvalidRefreshToken)?;
        self.limits.reserve(Limited::RefreshPerSession, &session_id.to_string()).await?;
        let now = self.parts.now();
        let minted = &self.mint_successor(session_id, now)?;
        let hash = &hash;
        let outcome = self
            .parts
            .store
            .transact("refresh", |mut uow| async move {
                let session = uow.sessions().find(session_id).await?.filter(|session| session.is_alive(now));
                let session = session.ok_or(Refusal::InvalidRefreshToken)?;
                let outcome = self.decide(&mut uow, session, hash, minted, origin, now).await?;
                uow.commit(outcome).await
            })
            .await?;
        match outcome {
            Outcome::Refreshed(answer) => {
                let (user, session, text) = *answer;
                let tokens = self.tokens(&user, &SessionFacts::from(&session), text, session.expires_at, now).await?;
                Ok(SignedIn { user: self.people.view(&user)?, tokens })
            }
            Outcome::Stolen(entries) => {
                self.revocations.announce(&entries).await;
                tracing::warn!(session_id = %session_id, "an old refresh token was replayed; the session is ended");
                Err(Refusal::InvalidRefreshToken.into())
            }
        }
    }

    async fn decide(
        &self,
        uow: &mut UnitOfWork,
        mut session: Session,
        hash: &[u8],
        minted: &Minted,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<Outcome, Failure> {
        let user = uow.users().find(session.user_id).await?.ok_or(Refusal::InvalidRefreshToken)?;
        user.must_be_active().map_err(|refusal| match refusal {
            Refusal::NotSignedIn => Refusal::InvalidRefreshToken,
            other => other,
        })?;
        let is_current = constant_time_eq(&session.current_hash, hash);
        let is_previous = session.previous_hash.as_ref().is_some_and(|previous| constant_time_eq(previous, hash));
        match session.place(is_current, is_previous) {
            Presented::Current => {
                session.rotate(minted.successor_hash.to_vec(), minted.sealed.clone(), now);
                session.ip.clone_from(&origin.ip);
                self.prolong(uow, &mut session, now).await?;
                Ok(Outcome::Refreshed(Box::new((user, session, minted.successor.to_string()))))
            }
            Presented::Replay => {
                let text = self.open_successor(&session)?;
                Ok(Outcome::Refreshed(Box::new((user, session, text))))
            }
            Presented::Stale => {
                session.end(now);
                uow.sessions().update(&session).await?;
                let (revocation, event) = minted.theft.clone();
                let what = Revoked::Session { session_id: session.id, user_id: session.user_id };
                let entries = vec![Revocation { what, ..revocation }];
                self.revocations.record(uow, &entries).await?;
                uow.outbox().push(&Event { user_id: session.user_id, ..event }).await?;
                Ok(Outcome::Stolen(entries))
            }
        }
    }

    fn mint_successor(&self, session_id: SessionId, now: Timestamp) -> Result<Minted, Failure> {
        let random = self.parts.random.as_ref();
        let (successor, successor_hash) = self.parts.crypto.refresh_tokens.mint(random, session_id);
        let sealed =
            self.parts.vault.seal(random, &successor_context(session_id), successor.as_bytes()).map_err(internal)?;
        let nobody = userd_model::UserId(uuid::Uuid::nil());
        let what = Revoked::Session { session_id, user_id: nobody };
        let event = Event {
            id: EventId::mint(random),
            kind: EventKind::RefreshTokenReplayed,
            user_id: nobody,
            at: now,
            data: serde_json::json!({ "session_id": session_id }),
        };
        Ok(Minted { successor, successor_hash, sealed, theft: (self.revocations.mint(what, now), event) })
    }

    fn open_successor(&self, session: &Session) -> Result<String, Failure> {
        let sealed = session.successor.as_ref().ok_or(Refusal::InvalidRefreshToken)?;
        let bytes = self.parts.vault.open(&successor_context(session.id), sealed).map_err(internal)?;
        String::from_utf8(bytes.to_vec()).map_err(internal)
    }

    /// Each refresh begins the refresh token's life anew, but never past the session's longest life. The deadline is
    /// an indexed column: it is written only when it moves by more than a hundredth of that life.
    async fn prolong(&self, uow: &mut UnitOfWork, session: &mut Session, now: Timestamp) -> Result<(), Failure> {
        let deadline = self.deadline(session.created_at, now);
        if deadline.since(session.expires_at) > self.parts.settings.refresh_ttl / 100 {
            session.expires_at = deadline;
            return Ok(uow.sessions().update(session).await?);
        }
        Ok(uow.sessions().rotate(session).await?)
    }

    /// When a refresh token given out at `now` ends, in a session begun at `created_at`.
    pub(super) fn deadline(&self, created_at: Timestamp, now: Timestamp) -> Timestamp {
        let settings = &self.parts.settings;
        now.plus(settings.refresh_ttl).min(created_at.plus(settings.session_max_lifetime))
    }
}

fn successor_context(session_id: SessionId) -> String {
    format!("sessions|successor|{session_id}")
}
