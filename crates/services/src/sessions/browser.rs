//! Sessions that a browser holds by a cookie: the same rows, with another secret. Whoever has signed in, or has proven
//! again who they are, hands the refresh token back here and gets the cookie's secret for it: no way in knows of browsers.
//!
//! Deliberately absent: replays. A browser sends one secret until it gets another, so nothing is lost on the way, and a
//! secret of before opens nothing (decision 0035).

use std::time::Duration;

use userd_crypto::{RefreshTokens, Zeroizing, constant_time_eq};
use userd_model::{Refusal, Session, SessionId, Timestamp, User};
use userd_storage::{Failure, UnitOfWork};

use super::{Sessions, SignedIn};
use crate::{Context, UserView};

/// A use is written this long after the one before: most requests only read.
const SEEN_APART: Duration = Duration::from_secs(300);

/// Where a browser holds a session. A secret of one place opens nothing at another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeldAt<'a> {
    /// The pages here.
    Pages,
    /// A host whose proxy asks here whom a request is of (decision 0046), by its name.
    Host(&'a str),
}

/// A session that a browser holds. No Debug: the secret is one.
pub struct InBrowser {
    /// Whose.
    pub user: UserView,
    /// For the cookie.
    pub secret: Zeroizing<String>,
    /// Which.
    pub session_id: SessionId,
    /// How long the cookie is good without use.
    pub expires_in: Duration,
    /// Shows at a later sign-in that this browser has signed in before.
    pub device_token: Option<String>,
}

/// What a cookie stands for.
pub(crate) struct Held {
    pub session: Session,
    pub user: User,
    /// How long the cookie is good from now on, where that has changed.
    pub renewed: Option<Duration>,
}

impl Sessions {
    /// Gives the session that has just begun, or was just raised, to the browser: its refresh token is used up.
    ///
    /// # Errors
    /// `NotSignedIn` where the session has ended meanwhile, or has gone on with another refresh token.
    pub async fn hold_in_browser(
        &self,
        ctx: &Context,
        signed_in: SignedIn,
        at: HeldAt<'_>,
    ) -> Result<InBrowser, Failure> {
        let SignedIn { user, tokens } = signed_in;
        let parsed = self.deps.crypto.refresh_tokens.parse(&tokens.refresh_token);
        let (session_id, hash) = parsed.ok_or(Refusal::NotSignedIn)?;
        let (secret, new_hash) = self.secrets(at).mint(self.deps.random.as_ref(), session_id);
        let new_hash = self.bound(at, new_hash);
        self.changes
            .run(ctx, "hold_in_browser", |mut change| async move {
                let now = change.now;
                let found = change.sessions().find(session_id).await?;
                let mut session = found.filter(|session| is_held(session, &hash, now)).ok_or(Refusal::NotSignedIn)?;
                session.hand_over(new_hash.to_vec());
                change.sessions().update(&session).await?;
                change.commit(()).await
            })
            .await?;
        let expires_in = Duration::from_secs(tokens.refresh_expires_in);
        Ok(InBrowser { user, secret, session_id, expires_in, device_token: tokens.device_token })
    }

    /// What a cookie's secret stands for, read anew for each request: whoever is signed out, blocked or deleted is out.
    /// Use prolongs the session, as a refresh does, and asks what a refresh asks.
    ///
    /// # Errors
    /// `NotSignedIn`, whatever is wrong with it.
    pub(crate) async fn held_in_browser(&self, ctx: &Context, secret: &str, at: HeldAt<'_>) -> Result<Held, Failure> {
        let (session, user, hash) = self.living_in_browser(secret, at, ctx.now).await?;
        if ctx.now.since(session.last_seen_at) < SEEN_APART {
            return Ok(Held { session, user, renewed: None });
        }
        self.seen_in_browser(ctx, session.id, &hash).await.map_err(out)
    }

    /// The same for a request that may change nothing (HEAD): it asks what a use asks, and is none.
    ///
    /// # Errors
    /// `NotSignedIn`, whatever is wrong with it.
    pub(crate) async fn recognised_in_browser(
        &self,
        ctx: &Context,
        secret: &str,
        at: HeldAt<'_>,
    ) -> Result<Held, Failure> {
        let (session, user, _) = self.living_in_browser(secret, at, ctx.now).await?;
        if ctx.now.since(session.last_seen_at) >= SEEN_APART {
            self.must_be_renewable(&mut self.deps.store.reading(), &user, &session).await.map_err(out)?;
        }
        Ok(Held { session, user, renewed: None })
    }

    /// The session of a cookie's secret, its user, and the secret's hash. Prolongs nothing, and asks nothing of today's rules.
    pub(crate) async fn living_in_browser(
        &self,
        secret: &str,
        at: HeldAt<'_>,
        now: Timestamp,
    ) -> Result<(Session, User, [u8; 32]), Failure> {
        // A forged secret fails its tag here and never reaches the database.
        let (id, hash) = self.secrets(at).parse(secret).ok_or(Refusal::NotSignedIn)?;
        let hash = self.bound(at, hash);
        let found = self.deps.store.reading().sessions().find_with_user(id).await?;
        let living = found.filter(|(session, _)| is_held(session, &hash, now));
        let (session, user) = living.ok_or(Refusal::NotSignedIn)?;
        user.must_be_active(now).map_err(|_| Refusal::NotSignedIn)?;
        Ok((session, user, hash))
    }

    fn secrets(&self, at: HeldAt<'_>) -> &RefreshTokens {
        match at {
            HeldAt::Pages => &self.deps.crypto.browser_secrets,
            HeldAt::Host(_) => &self.deps.crypto.host_secrets,
        }
    }

    /// What is stored of a secret: at a host its name is part of it, so the secret is nobody's at any other.
    fn bound(&self, at: HeldAt<'_>, hash: [u8; 32]) -> [u8; 32] {
        match at {
            HeldAt::Pages => hash,
            HeldAt::Host(host) => self.deps.crypto.index.keyed_hash("session at a host", &[&hash, host.as_bytes()]),
        }
    }

    async fn seen_in_browser(&self, ctx: &Context, id: SessionId, hash: &[u8; 32]) -> Result<Held, Failure> {
        self.changes
            .run(ctx, "seen_in_browser", |mut change| async move {
                let now = change.now;
                let found = change.sessions().find_with_user(id).await?;
                let living = found.filter(|(session, _)| is_held(session, hash, now));
                let (mut session, user) = living.ok_or(Refusal::NotSignedIn)?;
                user.must_be_active(now)?;
                self.must_be_renewable(&mut change, &user, &session).await?;
                session.last_seen_at = now;
                session.ip.clone_from(&change.context.origin.ip);
                session.expires_at = self.deadline(session.created_at, now);
                change.sessions().update(&session).await?;
                let renewed = Some(session.expires_at.since(now));
                change.commit(Held { session, user, renewed }).await
            })
            .await
    }

    /// Refuses whom a sign-in would not admit today, and a session that is weaker than policy asks.
    async fn must_be_renewable(&self, unit: &mut UnitOfWork, user: &User, session: &Session) -> Result<(), Failure> {
        self.admission.must_still_hold(unit, user, session).await?;
        self.must_be_strong_enough(unit, user, session).await
    }
}

/// Whether the secret with this hash holds the session now.
fn is_held(session: &Session, hash: &[u8; 32], now: Timestamp) -> bool {
    session.is_alive(now) && constant_time_eq(&session.current_hash, hash)
}

/// Whoever may not go on signs in again, and is told there what is asked for.
fn out(failure: Failure) -> Failure {
    match failure {
        Failure::Refused(_) => Refusal::NotSignedIn.into(),
        other => other,
    }
}
