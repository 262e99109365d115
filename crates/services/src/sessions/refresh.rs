//! Refreshing: the token rotates with each use. A network that loses the answer is not an attack, so the one before
//! may be replayed until its successor is used and gets the same successor. Anything older ends the family, and so does a
//! replay that shows that two people hold its tokens (decision 0003).

use std::sync::Arc;

use tokio::sync::{Mutex, MutexGuard};
use userd_crypto::{Zeroizing, constant_time_eq};
use userd_model::{
    EventKind, Refusal, Revoked, Sealed, Session, SessionId, Timestamp, User,
    session::{Party, Presented, Replay},
};
use userd_storage::Failure;

use super::{Sessions, SignedIn};
use crate::{
    Context,
    access_tokens::SessionFacts,
    change::Change,
    limits::Limited,
    mailbox_proofs::{AskedIn, Proofs},
    user_reader::internal,
};

/// What a change decided.
enum Outcome {
    /// With this refresh token.
    Refreshed(Box<(User, Session, String)>),
    /// The token is not the newest: what that means is for another change.
    NotTheNewest,
    /// Two parties held tokens of the family.
    Ended,
}

/// Replays of one session go one after the other here: a crowd with one token, each writing a fact of one user, would
/// conflict without end. A few turns for all sessions are enough.
#[derive(Clone, Default)]
pub(crate) struct Replays(Arc<[Mutex<()>; 32]>);

impl Replays {
    async fn turn(&self, session: SessionId) -> Option<MutexGuard<'_, ()>> {
        let place = session.0.as_bytes().last().map_or(0, |byte| usize::from(*byte) % self.0.len());
        Some(self.0.get(place)?.lock().await)
    }
}

/// What is presented, and by whom.
struct Presentation {
    session_id: SessionId,
    hash: [u8; 32],
    party: Party,
}

/// Everything random a refresh needs, minted before.
pub(crate) struct Minted {
    pub(super) successor: Zeroizing<String>,
    pub(super) successor_hash: [u8; 32],
    pub(super) sealed: Sealed,
}

impl Sessions {
    /// Exchanges a refresh token for a new pair.
    ///
    /// # Errors
    /// `InvalidRefreshToken`, `Blocked`, `TooManyAttempts`; `InsufficientAuthentication` for a session that is weaker than
    /// policy asks today: it stays, and is raised by a step-up; `SignInNotAllowed` when today's rules would not admit who
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
        let presented = &Presentation { session_id, hash, party: self.party(ctx) };
        let outcome = match self.rotate(ctx, presented).await? {
            Outcome::NotTheNewest => self.settle_replay(ctx, presented).await?,
            other => other,
        };
        let Outcome::Refreshed(answer) = outcome else {
            tracing::warn!(session_id = %session_id, "an old refresh token was replayed; the session is ended");
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

    /// Rotates, if the newest token is presented.
    async fn rotate(&self, ctx: &Context, presented: &Presentation) -> Result<Outcome, Failure> {
        let minted = &self.mint_successor(presented.session_id)?;
        self.changes
            .run(ctx, "refresh", |mut change| async move {
                let (mut session, user) = living(&mut change, presented.session_id).await?;
                if place(&session, &presented.hash) != Presented::Current {
                    return change.commit(Outcome::NotTheNewest).await;
                }
                self.admission.must_still_hold(&mut change, &user, &session).await?;
                self.must_be_strong_enough(&mut change, &user, &session).await?;
                let now = change.now;
                session.rotate(minted.successor_hash.to_vec(), minted.sealed.clone(), presented.party, now);
                session.ip.clone_from(&change.context.origin.ip);
                self.prolong(&mut change, &mut session).await?;
                change.commit(Outcome::Refreshed(Box::new((user, session, minted.successor.to_string())))).await
            })
            .await
    }

    /// Answers a lost answer again, or ends the family. A change of its own, which looks again: others may have refreshed
    /// or ended the session meanwhile.
    async fn settle_replay(&self, ctx: &Context, presented: &Presentation) -> Result<Outcome, Failure> {
        let _turn = self.replays.turn(presented.session_id).await;
        let newest_seen = self.newest_seen(presented.session_id).await;
        self.changes
            .run(ctx, "refresh_token_replayed", |mut change| async move {
                let (mut session, user) = living(&mut change, presented.session_id).await?;
                let before = session.parties;
                let replay = match place(&session, &presented.hash) {
                    Presented::Current => return Err(Refusal::InvalidRefreshToken.into()),
                    Presented::Replay => {
                        let successor_seen = newest_seen.is_some_and(|generation| generation >= session.generation);
                        session.replayed_by(presented.party, successor_seen, change.now)
                    }
                    Presented::Stale => Replay::Theft,
                };
                if replay == Replay::Theft {
                    self.end_stolen(&mut change, session).await?;
                    return change.commit(Outcome::Ended).await;
                }
                self.admission.must_still_hold(&mut change, &user, &session).await?;
                self.must_be_strong_enough(&mut change, &user, &session).await?;
                if session.parties != before {
                    change.sessions().rotate(&session).await?;
                }
                change.event(EventKind::RefreshTokenReused, user.id, serde_json::json!({ "session_id": session.id }));
                let text = self.open_successor(&session)?;
                change.commit(Outcome::Refreshed(Box::new((user, session, text)))).await
            })
            .await
    }

    /// Who presents a token, without saying where they are.
    pub(super) fn party(&self, ctx: &Context) -> Party {
        let (network, agent) = (&ctx.origin.network, ctx.origin.user_agent.as_deref().unwrap_or_default());
        let hash = self.deps.crypto.index.keyed_hash("party of a refresh", &[network.as_bytes(), agent.as_bytes()]);
        hash.into_iter().take(size_of::<Party>()).fold(0, |party, byte| party << 8 | Party::from(byte))
    }

    pub(super) fn mint_successor(&self, session_id: SessionId) -> Result<Minted, Failure> {
        let random = self.deps.random.as_ref();
        let (successor, successor_hash) = self.deps.crypto.refresh_tokens.mint(random, session_id);
        let sealed =
            self.deps.vault.seal(random, &successor_context(session_id), successor.as_bytes()).map_err(internal)?;
        Ok(Minted { successor, successor_hash, sealed })
    }

    /// What was asked for in it may have been the thief's wish.
    async fn end_stolen(&self, change: &mut Change<'_>, mut session: Session) -> Result<(), Failure> {
        let (session_id, user_id, now) = (session.id, session.user_id, change.now);
        session.end(now);
        change.sessions().update(&session).await?;
        Proofs(&self.deps).forget_other_addresses(change, user_id, now, AskedIn::One(session_id)).await?;
        change.revoke(Revoked::Session { session_id, user_id });
        change.event(EventKind::RefreshTokenReplayed, user_id, serde_json::json!({ "session_id": session_id }));
        Ok(())
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

/// The session that can still be refreshed, and its user, who may still sign in.
async fn living(change: &mut Change<'_>, id: SessionId) -> Result<(Session, User), Failure> {
    let now = change.now;
    let found = change.sessions().find_with_user(id).await?.filter(|(session, _)| session.is_alive(now));
    let (session, user) = found.ok_or(Refusal::InvalidRefreshToken)?;
    user.must_be_active(now).map_err(|refusal| match refusal {
        Refusal::NotSignedIn => Refusal::InvalidRefreshToken,
        other => other,
    })?;
    Ok((session, user))
}

/// Which of the family's tokens has this hash.
fn place(session: &Session, hash: &[u8]) -> Presented {
    let is_current = constant_time_eq(&session.current_hash, hash);
    let is_previous = session.previous_hash.as_ref().is_some_and(|previous| constant_time_eq(previous, hash));
    session.place(is_current, is_previous)
}

fn successor_context(session_id: SessionId) -> String {
    format!("sessions|successor|{session_id}")
}
