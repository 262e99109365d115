//! The revocation view: what every replica must refuse although a signature on it is good, kept in memory so that
//! no request reads the database for it.
//!
//! It is fed three ways, each enough on its own: in process right after the commit, through the cache's fan-out,
//! and by polling the `revocations` table, so that a lost message costs a second at most.

mod feed;

use std::{
    collections::HashMap,
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use userd_cache::LONGEST_LIFE;
use userd_model::{ClientId, Revocation, RevocationId, Revoked, SessionId, Timestamp, TokenId, UserId};
use userd_storage::Failure;

use self::feed::is_for_verifiers;
pub use self::feed::{FeedPage, FeedPlace};
use crate::Dependencies;

/// Entries outlive every token and every remembered value they can touch by this much.
pub(crate) const MARGIN: Duration = Duration::from_secs(120);
/// A poll looks this far behind the newest entry it has seen: a slower transaction may commit with an earlier time.
const OVERLAP: Duration = Duration::from_secs(15);
const PAGE: u32 = 1_000;

/// The view and the way into it.
pub struct Revocations {
    deps: Dependencies,
    view: RwLock<View>,
    /// Changes with every entry that is new here and for verifiers.
    news: watch::Sender<u64>,
    keys_are_behind: AtomicBool,
}

#[derive(Default)]
struct View {
    sessions: HashMap<SessionId, Timestamp>,
    tokens: HashMap<TokenId, Timestamp>,
    /// Tokens whose `ver` is below the first number are dead.
    clients: HashMap<ClientId, (i64, Timestamp)>,
    users: HashMap<UserId, (i64, Timestamp)>,
    /// Tokens whose version of the role is below the first number are dead.
    roles: HashMap<String, (i64, Timestamp)>,
    /// Tokens issued before the first time are dead.
    all: Option<(Timestamp, Timestamp)>,
    /// Entries applied already, so that a poll's overlap has no effect twice.
    seen: HashMap<RevocationId, Timestamp>,
    /// The newest entry that a poll has read. What was heard otherwise does not count: it says nothing about the
    /// entries before it.
    polled: Option<Timestamp>,
}

/// What a token must be checked for.
#[derive(Clone, Copy, Debug)]
pub struct Checked<'a> {
    /// `jti`.
    pub token: TokenId,
    /// `sid`, for users.
    pub session: Option<SessionId>,
    /// `sub` and `ver`, for users.
    pub user: Option<(UserId, i64)>,
    /// `client_id` and `ver`, for services.
    pub client: Option<(ClientId, i64)>,
    /// `roles` and `role_versions`, for users.
    pub roles: (&'a [String], &'a [i64]),
    /// `iat`.
    pub issued_at: Timestamp,
}

impl Checked<'_> {
    /// Whether it carries what a role does not allow any more. A token that says no versions is from before there were any.
    fn is_of_old_role(&self, roles: &HashMap<String, (i64, Timestamp)>) -> bool {
        let (names, versions) = self.roles;
        !roles.is_empty()
            && names.iter().enumerate().any(|(place, name)| {
                let version = versions.get(place).copied().unwrap_or_default();
                roles.get(name).is_some_and(|(lowest, _)| version < *lowest)
            })
    }
}

/// What other parts of the process must do about an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Consequence {
    /// Forget what is remembered about this user.
    ForgetUser {
        /// Whom.
        user: UserId,
        /// Up to which version.
        version: i64,
    },
    /// Forget what is remembered about this role.
    ForgetRole {
        /// Its name.
        role: String,
        /// Up to which version.
        version: i64,
    },
    /// Load the signing keys again.
    ReloadKeys,
}

#[derive(Serialize, Deserialize)]
struct Message {
    revocations: Vec<Revocation>,
}

impl Revocations {
    pub(crate) fn new(deps: Dependencies) -> Self {
        Self { deps, view: RwLock::default(), news: watch::Sender::default(), keys_are_behind: AtomicBool::default() }
    }

    /// Changes with every entry that is new here and for verifiers.
    #[must_use]
    pub fn news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    /// Whether anything in the view forbids this token.
    #[must_use]
    pub fn forbids(&self, checked: Checked<'_>) -> bool {
        let view = self.view.read().unwrap_or_else(PoisonError::into_inner);
        view.all.is_some_and(|(before, _)| checked.issued_at < before)
            || view.tokens.contains_key(&checked.token)
            || checked.is_of_old_role(&view.roles)
            || checked.session.is_some_and(|id| view.sessions.contains_key(&id))
            || checked
                .client
                .is_some_and(|(id, secret)| view.clients.get(&id).is_some_and(|(lowest, _)| secret < *lowest))
            || checked.user.is_some_and(|(id, epoch)| view.users.get(&id).is_some_and(|(lowest, _)| epoch < *lowest))
    }

    /// An entry; it can be forgotten when every token that it touches is dead, and every value that a cache remembers of it.
    pub(crate) fn entry(&self, id: RevocationId, what: Revoked, recorded_at: Timestamp) -> Revocation {
        Revocation { id, what, recorded_at, expires_at: recorded_at.plus(self.longest_touched()).plus(MARGIN) }
    }

    /// How long what is revoked may be told or remembered somewhere. Tokens may live shorter than values in Redis, which a
    /// replica that starts finds there.
    fn longest_touched(&self) -> Duration {
        self.deps.settings.access_ttl.max(LONGEST_LIFE)
    }

    /// After the commit: applies the entries here and tells the other replicas.
    pub(crate) async fn announce(&self, entries: &[Revocation]) {
        if entries.is_empty() {
            return;
        }
        self.apply(entries);
        // Whoever changed them loads them, unless nobody waits for that any more.
        if entries.iter().any(|entry| matches!(entry.what, Revoked::Key { .. })) {
            self.keys_are_behind();
        }
        if let Ok(bytes) = serde_json::to_vec(&Message { revocations: entries.to_vec() }) {
            self.deps.cache.publish(bytes.into()).await;
        }
    }

    /// The keys were changed and may not have been loaded since: the next poll says so again.
    pub(crate) fn keys_are_behind(&self) {
        self.keys_are_behind.store(true, Ordering::Release);
    }

    /// Takes a message of another replica. Nonsense is ignored: the poll brings the truth.
    pub fn receive(&self, message: &[u8]) -> Vec<Consequence> {
        serde_json::from_slice::<Message>(message).map(|message| self.apply(&message.revocations)).unwrap_or_default()
    }

    /// Reads what the table has beyond what is known, and forgets what has expired. What follows from it is added to
    /// `consequences`, page by page: it is not heard again, and must be done also where a later page cannot be read.
    ///
    /// # Errors
    /// Storage faults; the view has what was read before.
    pub async fn poll(&self, consequences: &mut Vec<Consequence>) -> Result<(), Failure> {
        if self.keys_are_behind.swap(false, Ordering::AcqRel) {
            consequences.push(Consequence::ReloadKeys);
        }
        let now = self.deps.now();
        let polled = self.view.read().unwrap_or_else(PoisonError::into_inner).polled;
        let mut after = polled.map_or_else(
            || now.minus(self.longest_touched()).minus(MARGIN),
            // A replica whose clock is ahead must not move everybody's window.
            |newest| newest.min(now).minus(OVERLAP),
        );
        let mut after_id = RevocationId(uuid::Uuid::nil());
        loop {
            let page = self.deps.store.reading().revocations().page(Some((after, after_id)), PAGE).await?;
            consequences.extend(self.apply(&page));
            self.polled_until(page.last());
            match page.last() {
                Some(last) if page.len() >= PAGE as usize => {
                    (after, after_id) = (last.recorded_at, last.id);
                }
                _ => break,
            }
        }
        self.view.write().unwrap_or_else(PoisonError::into_inner).forget_expired(now);
        Ok(())
    }

    fn apply(&self, entries: &[Revocation]) -> Vec<Consequence> {
        let mut view = self.view.write().unwrap_or_else(PoisonError::into_inner);
        let is_new = |entry: &&Revocation| !view.seen.contains_key(&entry.id) && is_for_verifiers(entry);
        let is_news = entries.iter().any(|entry| is_new(&entry));
        let consequences = entries.iter().filter_map(|entry| view.apply(entry)).collect();
        drop(view);
        if is_news {
            self.news.send_modify(|news| *news = news.wrapping_add(1));
        }
        consequences
    }

    fn polled_until(&self, last: Option<&Revocation>) {
        let mut view = self.view.write().unwrap_or_else(PoisonError::into_inner);
        view.polled = view.polled.max(last.map(|last| last.recorded_at));
    }
}

impl View {
    fn apply(&mut self, entry: &Revocation) -> Option<Consequence> {
        if self.seen.insert(entry.id, entry.expires_at).is_some() {
            return None;
        }
        match &entry.what {
            Revoked::Session { session_id, .. } => {
                self.sessions.insert(*session_id, entry.expires_at);
                None
            }
            Revoked::Token { token_id } => {
                self.tokens.insert(*token_id, entry.expires_at);
                None
            }
            Revoked::Client { client_id, before } => {
                let slot = self.clients.entry(*client_id).or_insert((*before, entry.expires_at));
                *slot = (slot.0.max(*before), slot.1.max(entry.expires_at));
                None
            }
            Revoked::All { issued_before } => {
                let known = self.all.unwrap_or((*issued_before, entry.expires_at));
                self.all = Some((known.0.max(*issued_before), known.1.max(entry.expires_at)));
                None
            }
            Revoked::User { user_id, min_epoch, version } => {
                let slot = self.users.entry(*user_id).or_insert((*min_epoch, entry.expires_at));
                *slot = (slot.0.max(*min_epoch), slot.1.max(entry.expires_at));
                Some(Consequence::ForgetUser { user: *user_id, version: *version })
            }
            Revoked::Role { role, min_version, version } => {
                if *min_version > 0 {
                    let slot = self.roles.entry(role.clone()).or_insert((*min_version, entry.expires_at));
                    *slot = (slot.0.max(*min_version), slot.1.max(entry.expires_at));
                }
                Some(Consequence::ForgetRole { role: role.clone(), version: *version })
            }
            Revoked::Changed { user_id, version } => {
                Some(Consequence::ForgetUser { user: *user_id, version: *version })
            }
            Revoked::Key { .. } => Some(Consequence::ReloadKeys),
        }
    }

    /// Forgets what was recorded so long ago that no token is alive, and no value remembered, that it touches.
    fn forget_expired(&mut self, now: Timestamp) {
        self.sessions.retain(|_, expires| *expires > now);
        self.tokens.retain(|_, expires| *expires > now);
        self.clients.retain(|_, (_, expires)| *expires > now);
        self.users.retain(|_, (_, expires)| *expires > now);
        self.roles.retain(|_, (_, expires)| *expires > now);
        self.all = self.all.filter(|(_, expires)| *expires > now);
        self.seen.retain(|_, expires| *expires > now);
    }
}

#[cfg(test)]
mod tests;
