//! Checking a presented access token, with a second look where its key may only be unknown here: another replica
//! can have rotated a moment ago.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use userd_model::{Act, Actor, Refusal, User, UserId};
use userd_storage::Failure;

use crate::{
    Authenticated, Context, Services,
    access_tokens::{Introspection, Unaccepted, words},
    role_reader::Rights,
};

/// Keys are loaded at most this often because of unknown ones, whatever strangers send.
const APART: Duration = Duration::from_secs(1);

/// When keys were last loaded because of an unknown one.
#[derive(Default)]
pub(crate) struct LastLook(AtomicI64);

impl Services {
    /// Checks a token that is presented to this service's own routes: one for another service opens nothing here, or
    /// each service could act as its callers.
    ///
    /// # Errors
    /// `NotSignedIn`, whatever is wrong with it, but `ForAnotherService` for a good one that is.
    pub async fn authenticate(&self, token: &str) -> Result<Authenticated, Refusal> {
        let mut authenticated = self.authenticate_any(token).await?;
        self.complete(&mut authenticated).await;
        let wanted = self.deps.settings.audience(None)?;
        if wanted == authenticated.token.claims.audience {
            Ok(authenticated)
        } else {
            Err(Refusal::ForAnotherService { wanted: wanted.to_owned() })
        }
    }

    /// A token that is too small for what its user holds says so; then it is looked up.
    async fn complete(&self, authenticated: &mut Authenticated) {
        if authenticated.token.claims.permissions_complete {
            return;
        }
        let Actor::User { id, permissions, .. } = &mut authenticated.actor else { return };
        // What cannot be looked up is not held.
        if let Ok((_, rights)) = self.held_by(*id).await {
            *permissions = rights.permissions;
        }
    }

    /// A user and what they hold now, from memory.
    async fn held_by(&self, id: UserId) -> Result<(Arc<User>, Rights), Failure> {
        let user = self.user_reader.current(id).await?;
        let rights = self.role_reader.rights_of(&user, self.now()).await?;
        Ok((user, rights))
    }

    /// Checks a token, whichever of our audiences it is for.
    pub(crate) async fn authenticate_any(&self, token: &str) -> Result<Authenticated, Refusal> {
        let authenticated = match self.access_tokens.authenticate(token) {
            Err(Unaccepted::UnknownKey) if self.look_again().await => self.access_tokens.authenticate(token)?,
            other => other?,
        };
        if !authenticated.token.is_met() {
            self.meet(&authenticated).await?;
        }
        Ok(authenticated)
    }

    /// What is done once a token: one whose session or account is not in the database is dead, as after a backup was
    /// restored from before they were made. What was met here is not looked up again: it ends within minutes, and cannot
    /// be renewed. Nobody is shut out because the database does not answer; then the next request asks.
    async fn meet(&self, authenticated: &Authenticated) -> Result<(), Refusal> {
        let mut reading = self.deps.store.reading();
        let is_there = match &authenticated.actor {
            Actor::User { id, session_id, .. } => {
                let found = reading.sessions().find_with_user(*session_id).await;
                found.map(|found| found.is_some_and(|(_, user)| user.id == *id))
            }
            Actor::Service { id, .. } => reading.clients().find(*id).await.map(|found| found.is_some()),
            Actor::Anonymous | Actor::Operator | Actor::System => Ok(true),
        };
        match is_there {
            Ok(true) => authenticated.token.meet(),
            Ok(false) => {
                metrics::counter!("userd_tokens_refused_total", "reason" => "unknown_owner").increment(1);
                return Err(Refusal::NotSignedIn);
            }
            Err(error) => tracing::debug!(%error, "whose a token is was not looked up"),
        }
        self.sessions.saw(authenticated).await;
        Ok(())
    }

    /// RFC 7662: what a token says, if it is good now. Of a user's: what they hold now, which was given after it or did not
    /// fit into it, and counts no longer than the first end among it. Where that cannot be looked up the token's own words stand:
    /// of what was taken away since it would be dead.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn introspect(&self, ctx: &Context, token: &str) -> Result<Introspection, Refusal> {
        ctx.may(&Act::IntrospectToken)?;
        let Ok(authenticated) = self.authenticate_any(token).await else {
            return Ok(self.access_tokens.introspection(None));
        };
        let mut claims = authenticated.token.claims.clone();
        if let Actor::User { id, .. } = authenticated.actor
            && let Ok((user, rights)) = self.held_by(id).await
        {
            claims.exp = user.grants_end(self.now()).map_or(claims.exp, |end| claims.exp.min(end));
            claims.permissions = words(&rights.permissions);
            (claims.roles, claims.role_versions, claims.permissions_complete) =
                (rights.roles, rights.role_versions, true);
        }
        Ok(self.access_tokens.introspection(Some(&claims)))
    }

    /// Loads the signing keys again, unless that was just done. IdempotencyKeys whether it did.
    async fn look_again(&self) -> bool {
        let now = self.deps.now().micros();
        let apart = i64::try_from(APART.as_micros()).unwrap_or(i64::MAX);
        let last = self.last_look.0.load(Ordering::Acquire);
        let due = now.saturating_sub(last) >= apart
            && self.last_look.0.compare_exchange(last, now, Ordering::AcqRel, Ordering::Acquire).is_ok();
        due && self.signing_keys.reload().await.is_ok()
    }
}
