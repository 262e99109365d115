//! Who a browser speaks for, and that a form is one that this browser was given. Deliberately absent: cookies, which the
//! pages keep; access tokens, which no page takes.

use std::time::Duration;

use userd_crypto::{Zeroizing, constant_time_eq};
use userd_model::Actor;
use userd_storage::Failure;

use crate::{Context, HeldAt, Services, recent_proof, sessions::Held};

/// A request of somebody whom a cookie speaks for.
pub struct BrowserVisit {
    /// Who acts.
    pub ctx: Context,
    /// How long the cookie is good from now on, where that has changed.
    pub renewed: Option<Duration>,
}

impl Services {
    /// The same context, acting as whoever holds the session of this cookie. What they may do is looked up anew.
    ///
    /// # Errors
    /// `NotSignedIn`, whatever is wrong with it; storage faults.
    pub async fn authenticate_browser(&self, ctx: Context, secret: &str) -> Result<BrowserVisit, Failure> {
        let held = self.sessions.held_in_browser(&ctx, secret, HeldAt::Pages).await?;
        self.visit(ctx, held).await
    }

    /// The same for a request that may change nothing (HEAD): it is no use of the session, which it does not prolong.
    ///
    /// # Errors
    /// As [`Self::authenticate_browser`].
    pub async fn recognise_browser(&self, ctx: Context, secret: &str) -> Result<BrowserVisit, Failure> {
        let held = self.sessions.recognised_in_browser(&ctx, secret, HeldAt::Pages).await?;
        self.visit(ctx, held).await
    }

    async fn visit(&self, ctx: Context, held: Held) -> Result<BrowserVisit, Failure> {
        let permissions = self.role_reader.rights_of(&held.user, ctx.now).await?.permissions;
        let actor = Actor::User { id: held.user.id, session_id: held.session.id, permissions };
        Ok(BrowserVisit { ctx: ctx.in_session(actor, &held.session), renewed: held.renewed })
    }

    /// Refuses whoever has not given their strongest proof a moment ago: asked by pages before what cannot be taken back,
    /// because a browser stays signed in for long. Services and operators are not asked.
    ///
    /// # Errors
    /// `InsufficientAuthentication`.
    pub async fn must_have_fresh_proof(&self, ctx: &Context) -> Result<(), Failure> {
        recent_proof::must_be_given_by_people(ctx, &self.deps.settings, &mut self.deps.store.reading()).await
    }

    /// Refuses an administrator who holds a second factor and has not shown it in this session, as what they send afterwards
    /// would: asked by pages before a form is filled in.
    ///
    /// # Errors
    /// `InsufficientAuthentication`.
    pub async fn must_have_strong_proof(&self, ctx: &Context) -> Result<(), Failure> {
        recent_proof::must_be_strong(ctx, &mut self.deps.store.reading()).await
    }

    /// Whether this cookie still holds a session. Asking is no use of it: an open page keeps nobody signed in.
    pub async fn is_signed_in_browser(&self, secret: &str) -> bool {
        self.sessions.living_in_browser(secret, HeldAt::Pages, self.deps.now()).await.is_ok()
    }

    /// A secret for a browser that is not signed in, which its forms are bound to.
    #[must_use]
    pub fn mint_form_secret(&self) -> Zeroizing<String> {
        userd_crypto::OpaqueSecret::mint("", self.deps.random.as_ref()).0
    }

    /// A proof key for a way through a provider's pages (RFC 7636): the verifier, which the browser keeps, and its challenge.
    #[must_use]
    pub fn mint_proof_key(&self) -> (Zeroizing<String>, String) {
        let verifier = self.mint_form_secret();
        let challenge = userd_providers::pkce_challenge(&verifier);
        (verifier, challenge)
    }

    /// What stands in every form that is given to the browser with this cookie.
    #[must_use]
    pub fn form_token(&self, cookie: &str) -> String {
        let hash = self.deps.crypto.index.keyed_hash("form of a page", &[cookie.as_bytes()]);
        hash.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Whether a form was given to the browser with this cookie.
    #[must_use]
    pub fn is_form_token(&self, cookie: &str, token: &str) -> bool {
        constant_time_eq(self.form_token(cookie).as_bytes(), token.as_bytes())
    }
}
