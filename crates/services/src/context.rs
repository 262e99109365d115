//! The context of one intention: who acts, from where, in which request, since when, and the seed of the ids that its
//! changes make. It is made once at the edge (a request, a command, a round of background work) and passed down.
//!
//! Deliberately absent: what the intention is about; that is the arguments of the service that carries it out.

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use userd_model::{Act, Actor, Level, Random, Refusal, Session, SessionId, Timestamp, UserId};

use crate::{Authenticated, Settings};

/// Where a request comes from, as far as it matters to limits, to the list of sessions and to audit.
#[derive(Clone, Debug, Default)]
pub struct RequestOrigin {
    /// The address as shown to the user.
    pub ip: Option<String>,
    /// The address as limits see it: IPv4 whole, IPv6 as its /64.
    pub network: String,
    /// `User-Agent`, shortened.
    pub user_agent: Option<String>,
}

/// Who acts, from where, in which request, since when.
pub struct Context {
    /// Whoever acts; [`Actor::Anonymous`] until somebody has proven who they are.
    pub actor: Actor,
    /// When the actor proved who they are, where that is a user.
    pub auth_time: Option<Timestamp>,
    /// How strongly they did.
    pub level: Level,
    /// From where.
    pub origin: RequestOrigin,
    /// The id of the request (`X-Request-Id`); none for commands and background work.
    pub request_id: Option<String>,
    /// Whom tokens that are issued now are for: one of the configured audiences; none: this service.
    pub audience: Option<String>,
    /// What the browser or app shows of an earlier sign-in on this device; a secret of its owner.
    pub device_token: Option<String>,
    /// When the request began. A change that starts after costly work has a later time of its own.
    pub now: Timestamp,
    /// Drawn with the first change: most requests only read.
    seed: OnceLock<[u8; 32]>,
    changes: AtomicU32,
}

impl Context {
    /// A context that begins now, of nobody from nowhere.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self {
            actor: Actor::Anonymous,
            auth_time: None,
            level: Level::One,
            origin: RequestOrigin::default(),
            request_id: None,
            audience: None,
            device_token: None,
            now,
            seed: OnceLock::new(),
            changes: AtomicU32::new(0),
        }
    }

    /// The same, acting as `actor`.
    #[must_use]
    pub fn acting_as(self, actor: Actor) -> Self {
        Self { actor, ..self }
    }

    /// The same, acting as whoever the token speaks for.
    #[must_use]
    pub fn authenticated(self, token: Authenticated) -> Self {
        let level = Level::of(&token.token.claims.amr);
        Self { actor: token.actor, auth_time: token.auth_time, level, ..self }
    }

    /// The same, acting as `actor` in this session.
    pub(crate) fn in_session(self, actor: Actor, session: &Session) -> Self {
        Self { actor, auth_time: Some(session.auth_time), level: Level::of(&session.amr), ..self }
    }

    /// The same, from `origin`.
    #[must_use]
    pub fn from_origin(self, origin: RequestOrigin) -> Self {
        Self { origin, ..self }
    }

    /// The same, on a device that shows this device token.
    #[must_use]
    pub fn on_device(self, device_token: Option<String>) -> Self {
        Self { device_token, ..self }
    }

    /// The same, of the request with this id.
    #[must_use]
    pub fn in_request(self, request_id: impl Into<String>) -> Self {
        Self { request_id: Some(request_id.into()), ..self }
    }

    /// The same, asking for tokens for `resource` (RFC 8707).
    ///
    /// # Errors
    /// `InvalidTarget` for what is not configured.
    pub fn for_resource(self, settings: &Settings, resource: Option<&str>) -> Result<Self, Refusal> {
        let audience = resource.map(|_| settings.audience(resource)).transpose()?.map(str::to_owned);
        Ok(Self { audience, ..self })
    }

    /// Refuses what the actor may not do.
    ///
    /// # Errors
    /// `Forbidden`; `NotSignedIn` for nobody.
    pub fn may(&self, act: &Act) -> Result<(), Refusal> {
        self.actor.may(act)
    }

    /// Refuses an act for which the actor must have proven who they are this strongly, and a moment ago.
    ///
    /// # Errors
    /// `InsufficientAuthentication`.
    pub fn must_have_proven(&self, level: Level, within: Duration) -> Result<(), Refusal> {
        match self.auth_time {
            Some(at) if self.level >= level && self.now.since(at) <= within => Ok(()),
            _ => Err(Refusal::InsufficientAuthentication { level, max_age: Some(within) }),
        }
    }

    /// The user and session that act.
    ///
    /// # Errors
    /// `Forbidden` for anybody who is no user.
    pub const fn user(&self) -> Result<(UserId, SessionId), Refusal> {
        match &self.actor {
            Actor::User { id, session_id, .. } => Ok((*id, *session_id)),
            Actor::Anonymous => Err(Refusal::NotSignedIn),
            _ => Err(Refusal::Forbidden),
        }
    }

    pub(crate) fn seed(&self, random: &dyn Random) -> &[u8; 32] {
        self.seed.get_or_init(|| random.secret())
    }

    /// The number of the next change of this context: two changes never derive the same ids.
    pub(crate) fn next_change(&self) -> u32 {
        self.changes.fetch_add(1, Ordering::Relaxed)
    }
}
