//! The list of devices, and ending sessions on them.

use serde::Serialize;
use userd_model::{Act, Refusal, Session, SessionId, Timestamp, UserId};
use userd_storage::Failure;

use super::{CHALLENGE_PURPOSE, Sessions, login::device_name};
use crate::{
    Context,
    change::Change,
    email_code_rows::CODE_PURPOSE,
    idempotency,
    mailbox_proofs::{AskedIn, Proofs},
};

/// Codes of a provider's sign-in that are on their way to be exchanged.
pub(crate) const EXCHANGE_PURPOSE: &str = "exchange_code";
/// Sign-ins by the bot that are on their way.
pub(crate) const BOT_PURPOSE: &str = "bot_attempt";

/// One-time tokens that would begin a session: whoever signs out everywhere ends these too.
const BEGINNINGS: [&str; 6] = [
    CHALLENGE_PURPOSE,
    idempotency::REPLAY_PURPOSE,
    idempotency::SECRET_PURPOSE,
    EXCHANGE_PURPOSE,
    BOT_PURPOSE,
    CODE_PURPOSE,
];

/// A session as its owner and administrators see it.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "named as in the contract")]
pub struct SessionView {
    pub id: SessionId,
    pub device_name: Option<String>,
    pub user_agent: Option<String>,
    pub ip: Option<String>,
    pub amr: Vec<String>,
    pub created_at: Timestamp,
    pub last_seen_at: Timestamp,
    pub expires_at: Timestamp,
    pub current: bool,
}

impl Sessions {
    /// A user's living sessions, oldest first.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn list(
        &self,
        ctx: &Context,
        of: UserId,
        after: Option<(Timestamp, SessionId)>,
        limit: u32,
    ) -> Result<Vec<SessionView>, Failure> {
        ctx.may(&Act::ReadSessions(of))?;
        self.deps.store.reading().users().find(of).await?.ok_or(Refusal::NotFound)?;
        let current = ctx.user().ok().map(|(_, session)| session);
        let mut found = Vec::new();
        let mut after = after;
        // Ended sessions leave gaps in a page: go on until it is full or there are no more.
        while found.len() < limit as usize {
            let page = self.deps.store.reading().sessions().page_of_user(of, after, limit).await?;
            let Some(last) = page.last() else { break };
            after = Some((last.created_at, last.id));
            found.extend(page.iter().filter(|session| session.is_alive(ctx.now)).map(|session| view(session, current)));
        }
        found.truncate(limit as usize);
        Ok(found)
    }

    /// Gives a device of the signed-in user another name.
    ///
    /// # Errors
    /// `Forbidden`, `InvalidInput`; `NotFound` for a session that is not theirs or has ended.
    pub async fn name_device(&self, ctx: &Context, id: SessionId, name: &str) -> Result<SessionView, Failure> {
        let (user, current) = ctx.user()?;
        ctx.may(&Act::NameDevice(user))?;
        let name = &device_name(Some(name))?;
        let session = self
            .changes
            .run(ctx, "name_device", |mut change| async move {
                let now = change.now;
                let found = change.sessions().find(id).await?;
                let is_theirs = |session: &Session| session.user_id == user && session.is_alive(now);
                let mut session = found.filter(is_theirs).ok_or(Refusal::NotFound)?;
                session.device_name.clone_from(name);
                change.sessions().update_many(std::slice::from_ref(&session)).await?;
                change.commit(session).await
            })
            .await?;
        Ok(view(&session, Some(current)))
    }

    /// Signs out: ends the session that acts.
    ///
    /// # Errors
    /// `Forbidden` for a service.
    pub async fn sign_out(&self, ctx: &Context) -> Result<(), Failure> {
        let (user, session) = ctx.user()?;
        self.end_chosen(ctx, user, "logout", Chosen::Own(session)).await
    }

    /// Ends one session of a user. Ending an ended one is fine.
    ///
    /// # Errors
    /// `Forbidden`; `NotFound` when the user has no such session.
    pub async fn end(&self, ctx: &Context, user: UserId, session: SessionId) -> Result<(), Failure> {
        ctx.may(&Act::EndSessions(user))?;
        let is_own = ctx.user().is_ok_and(|(_, acting)| acting == session);
        let chosen = if is_own { Chosen::Own(session) } else { Chosen::Another(session) };
        self.end_chosen(ctx, user, "ended_by_user", chosen).await
    }

    /// Ends all sessions of a user, except one where given.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn end_all(&self, ctx: &Context, user: UserId, except: Option<SessionId>) -> Result<(), Failure> {
        ctx.may(&Act::EndSessions(user))?;
        self.end_chosen(ctx, user, "logout_all", Chosen::AllBut(except)).await
    }

    /// Ends the session a refresh token belongs to (RFC 7009): whoever holds it may. An unknown token is fine.
    pub async fn revoke_refresh_token(&self, ctx: &Context, token: &str) -> Result<(), Failure> {
        let Some((id, _)) = self.deps.crypto.refresh_tokens.parse(token) else { return Ok(()) };
        match self.deps.store.reading().sessions().find(id).await? {
            Some(session) => self.end_chosen(ctx, session.user_id, "revoked", Chosen::Own(id)).await,
            None => Ok(()),
        }
    }

    async fn end_chosen(
        &self,
        ctx: &Context,
        user: UserId,
        reason: &'static str,
        chosen: Chosen,
    ) -> Result<(), Failure> {
        self.changes
            .run(ctx, "end_sessions", |mut change| async move {
                let sessions = choose(&mut change, user, chosen).await?;
                if let Chosen::AllBut(_) = chosen {
                    for purpose in BEGINNINGS {
                        change.one_time_tokens().remove_of_owner_for(user, purpose).await?;
                    }
                }
                if let Some(asked_in) = chosen.takes_along() {
                    let now = change.now;
                    Proofs(&self.deps).forget_other_addresses(&mut change, user, now, asked_in).await?;
                }
                change.end_sessions(sessions, reason).await?;
                change.commit(()).await
            })
            .await
    }
}

#[derive(Clone, Copy)]
enum Chosen {
    /// The one that acts, ended by whoever holds it.
    Own(SessionId),
    /// Another one, which somebody else may have held.
    Another(SessionId),
    AllBut(Option<SessionId>),
}

impl Chosen {
    /// The proofs of other addresses that end too. Whoever leaves a browser and reads the mail elsewhere keeps theirs.
    const fn takes_along(self) -> Option<AskedIn> {
        match self {
            Self::Own(_) => None,
            Self::Another(session) => Some(AskedIn::One(session)),
            Self::AllBut(kept) => Some(AskedIn::AllBut(kept)),
        }
    }
}

async fn choose(change: &mut Change<'_>, user: UserId, chosen: Chosen) -> Result<Vec<Session>, Failure> {
    let now = change.now;
    match chosen {
        Chosen::Own(id) | Chosen::Another(id) => {
            let session = change.sessions().find(id).await?.filter(|session| session.user_id == user);
            let session = session.ok_or(Refusal::NotFound)?;
            Ok(if session.ended_at.is_none() { vec![session] } else { Vec::new() })
        }
        Chosen::AllBut(except) => {
            let alive = change.sessions().alive_of_user(user, now).await?;
            Ok(alive.into_iter().filter(|session| Some(session.id) != except).collect())
        }
    }
}

fn view(session: &Session, current: Option<SessionId>) -> SessionView {
    SessionView {
        id: session.id,
        device_name: session.device_name.clone(),
        user_agent: session.user_agent.clone(),
        ip: session.ip.clone(),
        amr: session.amr.clone(),
        created_at: session.created_at,
        last_seen_at: session.last_seen_at,
        expires_at: session.expires_at,
        current: Some(session.id) == current,
    }
}
