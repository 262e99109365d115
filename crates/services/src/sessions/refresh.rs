//! Refreshing: the token rotates with each use. A network that loses the answer is not an attack, so the one before
//! may be replayed until its successor is used and gets the same successor; anything older ends the family.

use userd_crypto::{Zeroizing, constant_time_eq};
use userd_model::{EventKind, Refusal, Revoked, Sealed, Session, SessionId, Timestamp, User, session::Presented};
use userd_storage::Failure;

use super::{Sessions, SignedIn};
use crate::{Context, access_tokens::SessionFacts, change::Change, limits::Limited, user_reader::internal};

/// What the change decided.
enum Outcome {
    Refreshed(Box<(User, Session, String)>),
    /// The token is older than the one before the current: two parties hold tokens of this user's family.
    Stale,
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
    /// `InvalidRefreshToken`, `Blocked`, `TooManyAttempts`; `SignInNotAllowed` when today's rules would not admit who
    /// signed in: the session stays.
    pub async fn refresh(&self, ctx: &Context, token: &str) -> Result<SignedIn, Failure> {
        let outcome = self.exchange(ctx, token).await;
        if let Err(Failure::Refused(Refusal::InvalidRefreshToken)) = &outcome {
            metrics::counter!("userd_tokens_refused_total", "reason" => "refresh_token").increment(1);
        }
        outcome
    }

    async fn exchange(&self, ctx: &Context, token: &str) -> Result<SignedIn, Failure> {
        // A forged token fails its tag here and never reaches the database.
        let (session_id, hash) = self.deps.crypto.refresh_tokens.parse(token).ok_or(Refusal::InvalidRefreshToken)?;
        self.limits.reserve(Limited::RefreshPerSession, &session_id.to_string()).await?;
        let (minted, hash) = (&self.mint_successor(session_id)?, &hash);
        let outcome = self
            .changes
            .run(ctx, "refresh", |mut change| async move {
                let found = change.sessions().find_with_user(session_id).await?;
                let (session, user) = found.ok_or(Refusal::InvalidRefreshToken)?;
                if !session.is_alive(change.now) {
                    return Err(Refusal::InvalidRefreshToken.into());
                }
                change.defer_writes();
                let outcome = self.decide(&mut change, session, user, hash, minted).await?;
                change.commit(outcome).await
            })
            .await?;
        let Outcome::Refreshed(answer) = outcome else {
            self.end_stolen(ctx, session_id, hash).await?;
            return Err(Refusal::InvalidRefreshToken.into());
        };
        let (user, session, text) = *answer;
        let tokens = self
            .tokens(
                &user,
                &SessionFacts::of(&session, ctx.audience.as_ref()),
                text,
                session.expires_at,
                self.deps.now(),
            )
            .await?;
        Ok(SignedIn { user: self.user_reader.view(&user)?, tokens })
    }

    async fn decide(
        &self,
        change: &mut Change<'_>,
        mut session: Session,
        user: User,
        hash: &[u8],
        minted: &Minted,
    ) -> Result<Outcome, Failure> {
        user.must_be_active().map_err(|refusal| match refusal {
            Refusal::NotSignedIn => Refusal::InvalidRefreshToken,
            other => other,
        })?;
        match presented(&session, hash) {
            Presented::Current => {
                self.admission.must_still_hold(change, &user, &session).await?;
                session.rotate(minted.successor_hash.to_vec(), minted.sealed.clone(), change.now);
                session.ip.clone_from(&change.context.origin.ip);
                self.prolong(change, &mut session).await?;
                Ok(Outcome::Refreshed(Box::new((user, session, minted.successor.to_string()))))
            }
            Presented::Replay => {
                self.admission.must_still_hold(change, &user, &session).await?;
                let text = self.open_successor(&session)?;
                Ok(Outcome::Refreshed(Box::new((user, session, text))))
            }
            Presented::Stale => Ok(Outcome::Stale),
        }
    }

    /// Ends the session whose old token came back. A change of its own, which looks again: somebody else may have ended
    /// the session meanwhile.
    async fn end_stolen(&self, ctx: &Context, session_id: SessionId, hash: &[u8]) -> Result<(), Failure> {
        self.changes
            .run(ctx, "refresh_token_replayed", |mut change| async move {
                let mut session = living_session(&mut change, session_id).await?;
                if presented(&session, hash) != Presented::Stale {
                    return Err(Refusal::InvalidRefreshToken.into());
                }
                session.end(change.now);
                change.sessions().update(&session).await?;
                let user_id = session.user_id;
                change.revoke(Revoked::Session { session_id, user_id });
                let data = serde_json::json!({ "session_id": session_id });
                change.event(EventKind::RefreshTokenReplayed, user_id, data);
                change.commit(()).await
            })
            .await?;
        tracing::warn!(session_id = %session_id, "an old refresh token was replayed; the session is ended");
        Ok(())
    }

    fn mint_successor(&self, session_id: SessionId) -> Result<Minted, Failure> {
        let random = self.deps.random.as_ref();
        let (successor, successor_hash) = self.deps.crypto.refresh_tokens.mint(random, session_id);
        let sealed =
            self.deps.vault.seal(random, &successor_context(session_id), successor.as_bytes()).map_err(internal)?;
        Ok(Minted { successor, successor_hash, sealed })
    }

    fn open_successor(&self, session: &Session) -> Result<String, Failure> {
        let sealed = session.successor.as_ref().ok_or(Refusal::InvalidRefreshToken)?;
        let bytes = self.deps.vault.open(&successor_context(session.id), sealed).map_err(internal)?;
        String::from_utf8(bytes.to_vec()).map_err(internal)
    }

    /// Each refresh begins the refresh token's life anew, but never past the session's longest life. The deadline is
    /// an indexed column: it is written only when it moves by more than a hundredth of that life.
    async fn prolong(&self, change: &mut Change<'_>, session: &mut Session) -> Result<(), Failure> {
        let deadline = self.deadline(session.created_at, change.now);
        if deadline.since(session.expires_at) > self.deps.settings.refresh_ttl / 100 {
            session.expires_at = deadline;
            return Ok(change.sessions().update(session).await?);
        }
        Ok(change.sessions().rotate(session).await?)
    }

    /// When a refresh token given out at `now` ends, in a session begun at `created_at`.
    pub(super) fn deadline(&self, created_at: Timestamp, now: Timestamp) -> Timestamp {
        let settings = &self.deps.settings;
        now.plus(settings.refresh_ttl).min(created_at.plus(settings.session_max_lifetime))
    }
}

async fn living_session(change: &mut Change<'_>, id: SessionId) -> Result<Session, Failure> {
    let now = change.now;
    let session = change.sessions().find(id).await?.filter(|session| session.is_alive(now));
    Ok(session.ok_or(Refusal::InvalidRefreshToken)?)
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
