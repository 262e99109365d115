//! Which tokens died before their time, and how old that knowledge is. Bounded: where it is too much, the older half becomes
//! one entry that refuses more and never less.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::Token;

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Session,
    User,
    Token,
    Client,
    Role,
    Key,
}

impl Kind {
    /// What touches tokens that are issued after it was recorded too.
    const fn is_lasting(self) -> bool {
        matches!(self, Self::Key | Self::Role)
    }
}

struct Entry {
    /// The least version that is still accepted: `ver`, or the one of the role; where all is dead, more than any.
    least: i64,
    recorded_at: Timestamp,
    /// When it can be forgotten: all that it touches has expired.
    until: Timestamp,
}

/// An item of the feed.
#[derive(Deserialize)]
struct Item {
    kind: String,
    session_id: Option<String>,
    user_id: Option<String>,
    token_id: Option<String>,
    client_id: Option<String>,
    kid: Option<String>,
    role: Option<String>,
    min_epoch: Option<i64>,
    before: Option<i64>,
    min_version: Option<i64>,
    #[serde(default, deserialize_with = "moment")]
    issued_before: Option<Timestamp>,
    #[serde(default, deserialize_with = "moment")]
    recorded_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "moment")]
    expires_at: Option<Timestamp>,
}

fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let text: Option<String> = Option::deserialize(deserializer)?;
    text.map(|text| text.parse().map_err(serde::de::Error::custom)).transpose()
}

/// What an item is not.
pub(crate) struct NotARevocation;

pub(crate) struct View {
    most: usize,
    entries: HashMap<(Kind, String), Entry>,
    /// Seconds: all that was issued before is dead.
    issued_before: i64,
    complete_at: Option<Instant>,
    pub(crate) overflows: u64,
}

impl View {
    pub(crate) fn new(most: usize) -> Self {
        Self { most, entries: HashMap::new(), issued_before: 0, complete_at: None, overflows: 0 }
    }

    pub(crate) fn forbids(&self, token: &Token) -> bool {
        let is_old = |kind, id: &str, version| {
            let found = self.entries.get(&(kind, id.to_owned()));
            found.is_some_and(|entry| version < entry.least)
        };
        let has = |kind, id: &str| is_old(kind, id, token.version);
        // A token without the version of a role is from before there were any.
        let version_of = |role: &str| token.role_versions.get(role).copied().unwrap_or_default();
        if token.roles.iter().any(|role| is_old(Kind::Role, role, version_of(role))) {
            return true;
        }
        if token.issued_at < self.issued_before || has(Kind::Key, &token.key_id) || has(Kind::Token, &token.token_id) {
            return true;
        }
        match &token.session_id {
            None => has(Kind::Client, &token.client_id),
            Some(session) => has(Kind::Session, session) || has(Kind::User, &token.subject),
        }
    }

    /// Takes items; one may come twice. Says whether a key is among them.
    pub(crate) fn apply(&mut self, items: Vec<Value>) -> Result<bool, NotARevocation> {
        let mut has_key = false;
        for item in items {
            has_key |= self.take(item)?;
        }
        if self.entries.len() > self.most {
            self.forget();
        }
        if self.entries.len() > self.most {
            self.coarsen(self.most / 2);
        }
        Ok(has_key)
    }

    fn take(&mut self, item: Value) -> Result<bool, NotARevocation> {
        let kind = item.get("kind").and_then(Value::as_str).ok_or(NotARevocation)?;
        if !["session", "token", "key", "user", "client", "role", "all"].contains(&kind) {
            return Ok(false);
        }
        let item: Item = serde_json::from_value(item).map_err(|_| NotARevocation)?;
        let all = Some(i64::MAX);
        let (kind, id, least) = match item.kind.as_str() {
            "all" => {
                self.raise(item.issued_before.ok_or(NotARevocation)?.as_second());
                return Ok(false);
            }
            "session" => (Kind::Session, item.session_id, all),
            "token" => (Kind::Token, item.token_id, all),
            "key" => (Kind::Key, item.kid, all),
            "user" => (Kind::User, item.user_id, item.min_epoch),
            "role" => (Kind::Role, item.role, item.min_version),
            _ => (Kind::Client, item.client_id, item.before),
        };
        let id = id.filter(|id| !id.is_empty()).ok_or(NotARevocation)?;
        let (least, until) = (least.ok_or(NotARevocation)?, item.expires_at.ok_or(NotARevocation)?);
        let recorded_at = item.recorded_at.unwrap_or(Timestamp::UNIX_EPOCH);
        let entry = self.entries.entry((kind, id)).or_insert(Entry { least, recorded_at, until });
        entry.least = entry.least.max(least);
        entry.recorded_at = entry.recorded_at.max(recorded_at);
        entry.until = entry.until.max(until);
        Ok(kind == Kind::Key)
    }

    fn raise(&mut self, second: i64) {
        self.issued_before = self.issued_before.max(second);
    }

    /// The older ones become "all that was issued until then". Keys and roles stay.
    fn coarsen(&mut self, keep: usize) {
        let others = self.entries.iter().filter(|((kind, _), _)| !kind.is_lasting());
        let mut times: Vec<Timestamp> = others.map(|(_, entry)| entry.recorded_at).collect();
        times.sort_unstable();
        let last = times.len().saturating_sub(keep);
        if let Some(latest) = last.checked_sub(1).and_then(|at| times.get(at)).copied() {
            self.entries.retain(|(kind, _), entry| kind.is_lasting() || entry.recorded_at > latest);
            self.raise(latest.as_second() + 1);
        }
        self.overflows += 1;
    }

    /// The service has said that nothing is missing. What can touch no living token is dropped.
    pub(crate) fn complete(&mut self) {
        self.complete_at = Some(Instant::now());
        self.forget();
    }

    fn forget(&mut self) {
        let now = Timestamp::now();
        self.entries.retain(|_, entry| entry.until > now);
    }

    /// None before it was complete.
    pub(crate) fn age(&self) -> Option<Duration> {
        self.complete_at.map(|at| at.elapsed())
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// For tests: a sign-out.
    #[cfg(feature = "testing")]
    pub(crate) fn end_session(&mut self, session: &str) {
        self.put((Kind::Session, session.to_owned()), i64::MAX);
    }

    /// For tests: a role that allows less.
    #[cfg(feature = "testing")]
    pub(crate) fn narrow_role(&mut self, role: &str, least: i64) {
        self.put((Kind::Role, role.to_owned()), least);
    }

    #[cfg(feature = "testing")]
    fn put(&mut self, what: (Kind, String), least: i64) {
        self.entries.insert(what, Entry { least, recorded_at: Timestamp::now(), until: Timestamp::MAX });
    }
}
