//! Whom a request to another host is of, for the proxy in front of it: by an access token, or by the cookie of a session
//! of that host (decision 0046). Deliberately absent: headers and cookies, which the API keeps.

use userd_crypto::Zeroizing;
use userd_model::{Actor, Level, Permission, Refusal, Session, User};
use userd_storage::Failure;

use crate::{Context, HeldAt, Services, SignedIn, UserView, sign_in::ForwardHost};

/// Whoever a request to another host is of.
pub struct ForwardedCaller {
    /// Who acts.
    pub ctx: Context,
    /// What is known of them; nothing of a service account.
    pub user: Option<UserView>,
    /// The roles that count now.
    pub roles: Vec<String>,
}

impl ForwardedCaller {
    /// Refuses whoever lacks what the host asks for.
    ///
    /// # Errors
    /// `Forbidden`.
    pub fn must_hold(&self, role: Option<&str>, permission: Option<&Permission>) -> Result<(), Refusal> {
        let held = match &self.ctx.actor {
            Actor::User { permissions, .. } | Actor::Service { permissions, .. } => permissions.as_slice(),
            _ => &[],
        };
        let has_role = role.is_none_or(|role| self.roles.iter().any(|held| held == role));
        let has_permission = permission.is_none_or(|permission| held.contains(permission));
        if has_role && has_permission { Ok(()) } else { Err(Refusal::Forbidden) }
    }

    /// How strongly they have proven who they are.
    #[must_use]
    pub const fn level(&self) -> Level {
        self.ctx.level
    }
}

impl Services {
    /// The host whose proxy asks, where it may.
    ///
    /// # Errors
    /// `Forbidden` for a host that is not configured.
    pub fn forward_host(&self, name: &str) -> Result<&ForwardHost, Refusal> {
        let hosts = &self.deps.settings.sign_in.forward_auth;
        hosts.iter().find(|host| host.name().eq_ignore_ascii_case(name)).ok_or(Refusal::Forbidden)
    }

    /// Whose an access token for this audience is; none asked for: this service's own. One for another audience opens
    /// nothing, or each service could act as its callers at the others.
    ///
    /// # Errors
    /// `NotSignedIn`, whatever is wrong with it; `InvalidTarget` for an audience that is not configured.
    pub async fn forwarded_bearer(
        &self,
        ctx: Context,
        token: &str,
        audience: Option<&str>,
    ) -> Result<ForwardedCaller, Failure> {
        let audience = self.deps.settings.audience(audience)?;
        let authenticated = self.authenticate_any(token).await?;
        if authenticated.token.claims.audience != audience {
            return Err(Refusal::NotSignedIn.into());
        }
        let ctx = ctx.authenticated(authenticated);
        match &ctx.actor {
            Actor::User { .. } => self.forwarded_user(ctx).await,
            Actor::Service { .. } => Ok(ForwardedCaller { ctx, user: None, roles: Vec::new() }),
            _ => Err(Refusal::NotSignedIn.into()),
        }
    }

    /// Whose session of this host the cookie's secret stands for, read anew for each request.
    ///
    /// # Errors
    /// `NotSignedIn`, whatever is wrong with it.
    pub async fn forwarded_cookie(
        &self,
        ctx: Context,
        host: &ForwardHost,
        secret: &str,
    ) -> Result<ForwardedCaller, Failure> {
        let held = self.sessions.held_in_browser(&ctx, secret, HeldAt::Host(host.name())).await?;
        self.forwarded_session(ctx, &held.session, &held.user).await
    }

    /// The same for a request that may change nothing (HEAD): it is no use of the session, which it does not prolong.
    ///
    /// # Errors
    /// As [`Self::forwarded_cookie`].
    pub async fn recognise_forwarded_cookie(
        &self,
        ctx: Context,
        host: &ForwardHost,
        secret: &str,
    ) -> Result<ForwardedCaller, Failure> {
        let held = self.sessions.recognised_in_browser(&ctx, secret, HeldAt::Host(host.name())).await?;
        self.forwarded_session(ctx, &held.session, &held.user).await
    }

    /// Begins a session of this host for whoever comes back to it with a code, and gives the secret of its cookie.
    ///
    /// # Errors
    /// `InvalidCode`; `NotSignedIn` where a step is asked for that is not taken here; what ends every sign-in.
    pub async fn begin_at_host(
        &self,
        ctx: &Context,
        host: &ForwardHost,
        code: &str,
        verifier: &str,
    ) -> Result<Zeroizing<String>, Failure> {
        let completion = self.sign_in.exchange_at_host(ctx, host.name(), code, verifier).await?;
        let signed_in: SignedIn = completion.signed_in().map_err(|_| Refusal::NotSignedIn)?;
        let held = self.sessions.hold_in_browser(ctx, signed_in, HeldAt::Host(host.name())).await?;
        Ok(held.secret)
    }

    async fn forwarded_session(
        &self,
        ctx: Context,
        session: &Session,
        user: &User,
    ) -> Result<ForwardedCaller, Failure> {
        let rights = self.role_reader.rights_of(user, ctx.now).await?;
        let actor = Actor::User { id: user.id, session_id: session.id, permissions: rights.permissions };
        let view = self.user_reader.view(user)?;
        Ok(ForwardedCaller { ctx: ctx.in_session(actor, session), user: Some(view), roles: rights.roles })
    }

    async fn forwarded_user(&self, ctx: Context) -> Result<ForwardedCaller, Failure> {
        let (id, session_id) = ctx.user()?;
        let user = self.user_reader.current(id).await?;
        let rights = self.role_reader.rights_of(&user, ctx.now).await?;
        let view = self.user_reader.view(&user)?;
        let actor = Actor::User { id, session_id, permissions: rights.permissions };
        Ok(ForwardedCaller { ctx: ctx.acting_as(actor), user: Some(view), roles: rights.roles })
    }
}
