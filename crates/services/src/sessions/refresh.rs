//! Refreshing: the token rotates with each use. A network that loses the answer is not an attack, so the one before
//! may be replayed until its successor is used and gets the same successor; anything older ends the family.

use userd_crypto::{Zeroizing, constant_time_eq};
use userd_model::{
    Event, EventId, EventKind, Refusal, Revoked, Sealed, Session, SessionId, Timestamp, User, UserId,
    session::Presented,
};
use userd_storage::{Failure, UnitOfWork};

use super::{SessionFacts, Sessions, SignedIn};
use crate::{Origin, limits::Limited, people::internal};

/// What the unit of work decided.
enum Outcome {
    Refreshed(Box<(User, Session, String)>),
    /// The token is older than the one before the current: two parties hold tokens of this user's family.
    Stale(UserId),
}

/// Everything random a refresh needs, minted before.
struct Minted {
    successor: Zeroizing<String>,
    successor_hash: [u8; 32],
    sealed: Sealed,
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
        let minted = &self.mint_successor(session_id)?;
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
            Outcome::Stale(user_id) => {
                self.end_stolen(session_id, user_id, hash, now).await?;
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
        match presented(&session, hash) {
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
            Presented::Stale => Ok(Outcome::Stale(session.user_id)),
        }
    }

    /// Ends the session whose old token came back. A unit of work of its own, which looks again: what it needs is not
    /// minted for every refresh, and somebody else may have ended the session meanwhile.
    async fn end_stolen(
        &self,
        session_id: SessionId,
        user_id: UserId,
        hash: &[u8],
        now: Timestamp,
    ) -> Result<(), Failure> {
        let entries = &[self.revocations.mint(Revoked::Session { session_id, user_id }, now)];
        let event = &Event {
            id: EventId::mint(self.parts.random.as_ref()),
            kind: EventKind::RefreshTokenReplayed,
            user_id,
            at: now,
            data: serde_json::json!({ "session_id": session_id }),
        };
        self.parts
            .store
            .transact("refresh_token_replayed", |mut uow| async move {
                let found = uow.sessions().find(session_id).await?.filter(|session| session.is_alive(now));
                let stolen = found.filter(|session| presented(session, hash) == Presented::Stale);
                let mut session = stolen.ok_or(Refusal::InvalidRefreshToken)?;
                session.end(now);
                uow.sessions().update(&session).await?;
                self.revocations.record(&mut uow, entries).await?;
                uow.outbox().push(event).await?;
                uow.commit(()).await
            })
            .await?;
        self.revocations.announce(entries).await;
        tracing::warn!(session_id = %session_id, "an old refresh token was replayed; the session is ended");
        Ok(())
    }

    fn mint_successor(&self, session_id: SessionId) -> Result<Minted, Failure> {
        let random = self.parts.random.as_ref();
        let (successor, successor_hash) = self.parts.crypto.refresh_tokens.mint(random, session_id);
        let sealed =
            self.parts.vault.seal(random, &successor_context(session_id), successor.as_bytes()).map_err(internal)?;
        Ok(Minted { successor, successor_hash, sealed })
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

/// Which of the family's tokens has this hash.
fn presented(session: &Session, hash: &[u8]) -> Presented {
    let is_current = constant_time_eq(&session.current_hash, hash);
    let is_previous = session.previous_hash.as_ref().is_some_and(|previous| constant_time_eq(previous, hash));
    session.place(is_current, is_previous)
}

fn successor_context(session_id: SessionId) -> String {
    format!("sessions|successor|{session_id}")
}
