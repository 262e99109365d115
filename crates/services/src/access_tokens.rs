//! Access tokens: issued here, checked here, and nowhere else. A token is verified once; after that the revocation
//! view decides for the rest of its life.

use std::{sync::Arc, time::Duration};

use serde::Serialize;
use userd_crypto::{AccessClaims, TokenError, VerifiedToken};
use userd_model::{
    Actor, Client, ClientId, Level, Permission, Refusal, Revoked, Session, SessionId, Timestamp, TokenId, User, UserId,
};
use userd_storage::Failure;

use crate::{
    Context, Dependencies, Settings,
    change::Changes,
    revocations::{Checked, Revocations},
    role_reader::RoleReader,
    user_reader::internal,
};

/// Issues and checks access tokens.
#[derive(Clone)]
pub struct AccessTokens {
    deps: Dependencies,
    changes: Changes,
    revocations: Arc<Revocations>,
    roles: RoleReader,
}

/// A checked access token: who acts, and the token's own facts.
#[derive(Clone, Debug)]
pub struct Authenticated {
    /// Who acts.
    pub actor: Actor,
    /// When the user proved who they are; none for services.
    pub auth_time: Option<Timestamp>,
    /// The token's claims.
    pub token: Arc<VerifiedToken>,
}

impl Authenticated {
    /// The user and session behind a user's token; services have none.
    ///
    /// # Errors
    /// `Forbidden` for a service.
    pub const fn user(&self) -> Result<(UserId, SessionId), Refusal> {
        match &self.actor {
            Actor::User { id, session_id, .. } => Ok((*id, *session_id)),
            _ => Err(Refusal::Forbidden),
        }
    }
}

/// A token that was issued. No Debug: the token is a secret.
pub struct Issued {
    /// For the `Authorization` header.
    pub token: String,
    /// How long it is good.
    pub expires_in: Duration,
}

/// How many bytes the names of roles and permissions may take in a token together.
const MAX_RIGHTS: usize = 4096;

/// What an access token says about its session.
#[derive(Clone, Debug)]
pub struct SessionFacts {
    /// `sid`.
    pub id: SessionId,
    /// When the user proved who they are.
    pub auth_time: Timestamp,
    /// How (RFC 8176).
    pub amr: Vec<String>,
    /// Whom the token is for; none: this service.
    pub audience: Option<String>,
    /// How many times its refresh token has rotated.
    pub generation: i64,
}

impl SessionFacts {
    pub(crate) fn of(session: &Session, audience: Option<&String>) -> Self {
        let (id, auth_time, amr) = (session.id, session.auth_time, session.amr.clone());
        Self { id, auth_time, amr, audience: audience.cloned(), generation: session.generation }
    }
}

/// What introspection answers (RFC 7662 section 2.2). Inactive tokens answer `active: false` and nothing else.
#[derive(Clone, Debug, Serialize, PartialEq)]
#[expect(missing_docs, reason = "the members of RFC 7662")]
pub struct Introspection {
    pub active: bool,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub token: Option<serde_json::Map<String, serde_json::Value>>,
}

impl AccessTokens {
    pub(crate) const fn new(
        deps: Dependencies,
        changes: Changes,
        revocations: Arc<Revocations>,
        roles: RoleReader,
    ) -> Self {
        Self { deps, changes, revocations, roles }
    }

    /// Issues a token for a user's session.
    ///
    /// # Errors
    /// Faults of storage (roles) and signing.
    pub async fn issue(&self, user: &User, session: &SessionFacts, now: Timestamp) -> Result<Issued, Failure> {
        let rights = self.roles.rights_of(user, now).await?;
        let frame = self.frame(now, session.audience.as_deref())?;
        // Nobody holds a right by a token for longer than by its grant.
        let exp = user.grants_end(now).map_or(frame.exp, |end| frame.exp.min(end));
        let permissions = words(&rights.permissions);
        let fits = |words: &[String]| words.iter().map(String::len).sum::<usize>() <= MAX_RIGHTS;
        let permissions_complete = fits(&[rights.roles.as_slice(), permissions.as_slice()].concat());
        let carries_roles = permissions_complete || fits(&rights.roles);
        let claims = AccessClaims {
            exp,
            sub: user.id.0,
            client_id: FIRST_PARTY.to_owned(),
            sid: Some(session.id),
            roles: if carries_roles { rights.roles } else { Vec::new() },
            role_versions: if carries_roles { rights.role_versions } else { Vec::new() },
            permissions: if permissions_complete { permissions } else { Vec::new() },
            permissions_complete,
            auth_time: Some(session.auth_time),
            amr: session.amr.clone(),
            acr: Some(Level::of(&session.amr).as_str().to_owned()),
            ver: user.security_epoch,
            generation: Some(session.generation),
            ..frame
        };
        Ok(Issued { token: self.sign(&claims, "user")?, expires_in: exp.since(now) })
    }

    /// Issues a token for a service account (`client_credentials`).
    ///
    /// # Errors
    /// `InvalidTarget` for a resource that the account may not have tokens for; faults of signing.
    pub fn issue_for_client(&self, client: &Client, resource: Option<&str>, now: Timestamp) -> Result<String, Failure> {
        let claims = AccessClaims {
            sub: client.id.0,
            client_id: client.id.to_string(),
            scope: Some(client.permissions.join(" ")),
            permissions: client.permissions.clone(),
            permission_prefix: client.permission_prefix.clone(),
            // A new secret or a shut account kills what was issued before, and nothing after.
            ver: client.secret_changed_at.micros(),
            ..self.frame(now, resource)?
        };
        self.sign(&claims, "client")
    }

    fn frame(&self, now: Timestamp, resource: Option<&str>) -> Result<AccessClaims, Refusal> {
        let settings: &Settings = &self.deps.settings;
        Ok(AccessClaims {
            audience: settings.audience(resource)?.to_owned(),
            sub: uuid::Uuid::nil(),
            client_id: String::new(),
            jti: TokenId::mint(self.deps.random.as_ref()),
            sid: None,
            iat: now,
            nbf: now,
            exp: now.plus(settings.access_ttl),
            roles: Vec::new(),
            role_versions: Vec::new(),
            permissions: Vec::new(),
            permissions_complete: true,
            permission_prefix: None,
            scope: None,
            auth_time: None,
            amr: Vec::new(),
            acr: None,
            ver: 0,
            generation: None,
        })
    }

    fn sign(&self, claims: &AccessClaims, kind: &'static str) -> Result<String, Failure> {
        metrics::counter!("userd_tokens_issued_total", "kind" => kind).increment(1);
        self.deps.crypto.tokens.issue(claims).map_err(internal)
    }

    /// Checks a presented token: signature (or the memory of it), times, and the revocation view.
    ///
    /// # Errors
    /// [`Unaccepted`]: callers learn `NotSignedIn`, whatever is wrong with it.
    pub fn authenticate(&self, token: &str) -> Result<Authenticated, Unaccepted> {
        let token = self.deps.crypto.tokens.verify(token, self.deps.now()).map_err(refused)?;
        let issued = token.claims.iat;
        let authenticated = read(token).map_err(|_| Unaccepted::Token)?;
        // A token of a time when they lived longer outlives the entries that revoke it, so it ends with today's life.
        if issued.plus(self.deps.settings.access_ttl) <= self.deps.now() {
            return Err(unaccepted("expired"));
        }
        if self.revocations.forbids(subject(&authenticated)) {
            return Err(unaccepted("revoked"));
        }
        Ok(authenticated)
    }

    /// RFC 7662: what is said of a token that was just checked; nothing of one that is not good.
    #[must_use]
    pub fn introspection(&self, claims: Option<&AccessClaims>) -> Introspection {
        claims.map_or(Introspection { active: false, token: None }, |claims| {
            let mut members = self.deps.crypto.tokens.members(claims);
            members.insert("token_type".into(), "Bearer".into());
            Introspection { active: true, token: Some(members) }
        })
    }

    /// RFC 7009: revokes one access token: whoever holds it may. Unknown and dead tokens are fine: they do not work
    /// either.
    pub async fn revoke(&self, ctx: &Context, token: &str) -> Result<(), Failure> {
        let Ok(authenticated) = self.authenticate(token) else { return Ok(()) };
        let token_id = authenticated.token.claims.jti;
        self.changes
            .run(ctx, "revoke_token", |mut change| async move {
                change.revoke(Revoked::Token { token_id });
                change.commit(()).await
            })
            .await
    }
}

/// `client_id` of tokens issued to the service's own sign-in API.
const FIRST_PARTY: &str = "userd";

pub(crate) fn words(permissions: &[Permission]) -> Vec<String> {
    permissions.iter().map(|permission| permission.as_str().to_owned()).collect()
}

/// Why a token is not accepted, as far as the service itself acts on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unaccepted {
    /// Its key is not known here: another replica may have rotated.
    UnknownKey,
    /// Anything else.
    Token,
}

impl From<Unaccepted> for Refusal {
    fn from(_: Unaccepted) -> Self {
        Self::NotSignedIn
    }
}

fn unaccepted(reason: &'static str) -> Unaccepted {
    metrics::counter!("userd_tokens_refused_total", "reason" => reason).increment(1);
    Unaccepted::Token
}

fn refused(error: TokenError) -> Unaccepted {
    let reason = match error {
        TokenError::Expired => "expired",
        TokenError::NotYetValid => "not_yet_valid",
        TokenError::UnknownKey => "unknown_key",
        TokenError::WrongType => "wrong_type",
        TokenError::Claim(_) => "claim",
        _ => "malformed",
    };
    metrics::counter!("userd_tokens_refused_total", "reason" => reason).increment(1);
    if error == TokenError::UnknownKey { Unaccepted::UnknownKey } else { Unaccepted::Token }
}

/// A user's token has a session; a service's has its own id as subject and none.
fn read(token: Arc<VerifiedToken>) -> Result<Authenticated, Refusal> {
    let claims = &token.claims;
    let permissions = claims.permissions.iter().filter_map(|word| Permission::parse(word)).collect();
    let actor = match claims.sid {
        Some(session_id) => Actor::User { id: UserId(claims.sub), session_id, permissions },
        None if claims.client_id == claims.sub.to_string() => {
            Actor::Service { id: ClientId(claims.sub), permissions, prefix: claims.permission_prefix.clone() }
        }
        None => return Err(Refusal::NotSignedIn),
    };
    Ok(Authenticated { actor, auth_time: claims.auth_time, token })
}

fn subject(authenticated: &Authenticated) -> Checked<'_> {
    let claims = &authenticated.token.claims;
    let (session, user, client) = match &authenticated.actor {
        Actor::User { id, session_id, .. } => (Some(*session_id), Some((*id, claims.ver)), None),
        Actor::Service { id, .. } => (None, None, Some((*id, claims.ver))),
        Actor::Anonymous | Actor::Operator | Actor::System => (None, None, None),
    };
    Checked {
        token: claims.jti,
        session,
        user,
        client,
        roles: (&claims.roles, &claims.role_versions),
        issued_at: claims.iat,
    }
}
