//! A session that goes on stronger or fresher than it was: its refresh token rotates, as with a refresh, and what was
//! proven is written with it.

use userd_model::{EventKind, Level, Refusal, Session, SessionId, User};
use userd_storage::Failure;

use super::{Sessions, SignedIn, refresh::Minted};
use crate::{Context, access_tokens::SessionFacts, change::Change};

/// A session after it was raised, and its new refresh token.
pub(crate) struct Raised {
    user: User,
    session: Session,
    refresh_token: String,
}

impl Sessions {
    /// Mints what a session goes on with, before the change.
    pub(crate) fn mint_raise(&self, session: SessionId) -> Result<Minted, Failure> {
        self.mint_successor(session)
    }

    /// Writes that the user of a session has just proven who they are again. `amr` says what was added to how.
    ///
    /// # Errors
    /// `NotSignedIn` where the session has ended meanwhile.
    pub(crate) async fn raise(
        &self,
        change: &mut Change<'_>,
        user: User,
        session: SessionId,
        minted: &Minted,
        amr: impl FnOnce(Vec<String>) -> Vec<String>,
    ) -> Result<Raised, Failure> {
        let now = change.now;
        let found = change.sessions().find(session).await?;
        let mut session = found.filter(|it| it.user_id == user.id && it.is_alive(now)).ok_or(Refusal::NotSignedIn)?;
        let before = Level::of(&session.amr);
        session.amr = amr(std::mem::take(&mut session.amr));
        let level = Level::of(&session.amr);
        if level > before {
            let data = serde_json::json!({ "session_id": session.id, "acr": level, "previous": before });
            change.event(EventKind::AssuranceRaised, user.id, data);
        }
        session.auth_time = now;
        session.ip.clone_from(&change.context.origin.ip);
        let party = self.party(change.context);
        session.rotate(minted.successor_hash.to_vec(), minted.sealed.clone(), party, now);
        session.expires_at = self.deadline(session.created_at, now);
        change.sessions().update(&session).await?;
        Ok(Raised { user, session, refresh_token: minted.successor.to_string() })
    }

    /// The tokens of a raised session, after the commit.
    pub(crate) async fn raised(&self, ctx: &Context, raised: Raised) -> Result<SignedIn, Failure> {
        let Raised { user, session, refresh_token } = raised;
        let facts = SessionFacts::of(&session, ctx.audience.as_ref());
        let tokens = self.tokens(&user, &facts, refresh_token, session.expires_at, self.deps.now()).await?;
        Ok(SignedIn { user: self.user_reader.view(&user)?, tokens })
    }
}
