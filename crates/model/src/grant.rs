//! Grants: what somebody holds, why, and until when. The account's own row says in brief what is held, so that a token is
//! issued without another look; the grants beside it say the rest.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{GrantId, Role, Sealed, Timestamp, User, UserId};

/// What is granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantKind {
    /// A role.
    Role,
    /// A single permission.
    Permission,
}

impl GrantKind {
    /// The stored and published word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Role => "role",
            Self::Permission => "permission",
        }
    }

    /// The kind of a stored word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Role, Self::Permission].into_iter().find(|kind| kind.as_str() == word)
    }
}

/// Where a grant comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantSource {
    /// Somebody gave it.
    Direct,
    /// It was asked for, and decided.
    Request,
    /// The configuration says so.
    Config,
}

impl GrantSource {
    /// The stored and published word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Request => "request",
            Self::Config => "config",
        }
    }

    /// The source of a stored word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Direct, Self::Request, Self::Config].into_iter().find(|source| source.as_str() == word)
    }
}

/// A role or permission that a user holds. One of a thing: who is given it again holds it by the new grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// For others to name it.
    pub id: GrantId,
    /// Who holds it.
    pub user_id: UserId,
    /// What kind of thing.
    pub kind: GrantKind,
    /// Its name.
    pub name: String,
    /// Where it comes from.
    pub source: GrantSource,
    /// Why, sealed under the holder's key.
    pub reason: Option<Sealed>,
    /// The user, service account or operator that gave it.
    pub granted_by: String,
    /// When it was given.
    pub created_at: Timestamp,
    /// From when to when it counts.
    pub period: Period,
}

/// From when to when something counts; nothing: always.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    /// From when on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<Timestamp>,
    /// Up to when; at this moment no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

impl Period {
    /// Whether it counts at this time.
    #[must_use]
    pub fn covers(&self, now: Timestamp) -> bool {
        self.starts_at.is_none_or(|start| start <= now) && self.expires_at.is_none_or(|end| now < end)
    }

    /// Whether it counts always.
    #[must_use]
    pub fn is_endless(&self) -> bool {
        *self == Self::default()
    }
}

/// What an account's row says of grants beside the names of its roles.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Held {
    /// Permissions granted one by one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub permissions: Vec<String>,
    /// The times of roles that do not count always.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub role_periods: BTreeMap<String, Period>,
    /// The times of such permissions.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub permission_periods: BTreeMap<String, Period>,
}

impl Held {
    /// Whether there is nothing to say.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    const fn periods(&mut self, kind: GrantKind) -> &mut BTreeMap<String, Period> {
        match kind {
            GrantKind::Role => &mut self.role_periods,
            GrantKind::Permission => &mut self.permission_periods,
        }
    }
}

impl User {
    /// The roles that count at this time.
    pub fn roles_at(&self, now: Timestamp) -> impl Iterator<Item = &String> {
        let periods = &self.held.role_periods;
        self.roles.iter().filter(move |role| periods.get(*role).is_none_or(|period| period.covers(now)))
    }

    /// The permissions that were granted one by one and count at this time.
    pub fn permissions_at(&self, now: Timestamp) -> impl Iterator<Item = &String> {
        let periods = &self.held.permission_periods;
        self.held.permissions.iter().filter(move |word| periods.get(*word).is_none_or(|period| period.covers(now)))
    }

    /// Whether anything was ever granted and not taken away, whenever it counts. Such an account is nobody's to win by
    /// proving the mailbox that it only claims (decision 0008).
    #[must_use]
    pub const fn holds_rights(&self) -> bool {
        !self.roles.is_empty() || !self.held.permissions.is_empty()
    }

    /// Whether it has this role at this time.
    #[must_use]
    pub fn has_role(&self, role: &str, now: Timestamp) -> bool {
        self.roles_at(now).any(|held| held == role)
    }

    /// Whether it may do everything, and for good: what counts where the last administrator must not be lost.
    #[must_use]
    pub fn is_lasting_administrator(&self) -> bool {
        self.roles.iter().any(|role| role == Role::ADMIN) && !self.held.role_periods.contains_key(Role::ADMIN)
    }

    /// When the first of what counts now ends: no token lives longer.
    #[must_use]
    pub fn grants_end(&self, now: Timestamp) -> Option<Timestamp> {
        let periods = self.held.role_periods.values().chain(self.held.permission_periods.values());
        periods.filter(|period| period.covers(now)).filter_map(|period| period.expires_at).min()
    }

    /// Whether it holds this, whenever it counts.
    #[must_use]
    pub fn holds(&self, kind: GrantKind, name: &str) -> bool {
        self.granted(kind).iter().any(|held| held == name)
    }

    /// From when to when it holds this.
    #[must_use]
    pub fn period_of(&self, kind: GrantKind, name: &str) -> Option<Period> {
        let periods = match kind {
            GrantKind::Role => &self.held.role_periods,
            GrantKind::Permission => &self.held.permission_periods,
        };
        self.holds(kind, name).then(|| periods.get(name).copied().unwrap_or_default())
    }

    const fn granted(&self, kind: GrantKind) -> &Vec<String> {
        match kind {
            GrantKind::Role => &self.roles,
            GrantKind::Permission => &self.held.permissions,
        }
    }

    const fn granted_mut(&mut self, kind: GrantKind) -> &mut Vec<String> {
        match kind {
            GrantKind::Role => &mut self.roles,
            GrantKind::Permission => &mut self.held.permissions,
        }
    }

    /// Gives it a role or permission, or another time for one that it holds. Nothing is taken from it now, unless the time
    /// says so: then tokens of before are void.
    pub fn grant(&mut self, kind: GrantKind, name: &str, period: Period, now: Timestamp) {
        let counted = self.period_of(kind, name).is_some_and(|period| period.covers(now));
        if !self.holds(kind, name) {
            self.granted_mut(kind).push(name.to_owned());
        }
        let before = self.held.periods(kind).remove(name);
        if !period.is_endless() {
            self.held.periods(kind).insert(name.to_owned(), period);
        }
        // A token lives no longer than the grants that it was issued for: a nearer end must reach those too.
        let is_nearer = |end: Timestamp| before.and_then(|before| before.expires_at).is_none_or(|old| end < old);
        if counted && (!period.covers(now) || period.expires_at.is_some_and(is_nearer)) {
            self.raise_epoch(now);
        } else {
            self.touch(now);
        }
    }

    /// Takes a role or permission away. What counted until now makes the tokens of before void. Whether there was
    /// something to take.
    pub fn revoke_grant(&mut self, kind: GrantKind, name: &str, now: Timestamp) -> bool {
        let Some(period) = self.period_of(kind, name) else { return false };
        self.granted_mut(kind).retain(|held| held != name);
        self.held.periods(kind).remove(name);
        if period.covers(now) {
            self.raise_epoch(now);
        } else {
            self.touch(now);
        }
        true
    }

    /// Takes away what has ended by itself: tokens end with it, so none is made void. The names, if any.
    pub fn drop_ended(&mut self, now: Timestamp) -> Vec<(GrantKind, String)> {
        let is_over = |(_, period): &(&String, &Period)| period.expires_at.is_some_and(|end| end <= now);
        let ended = |kind, periods: &BTreeMap<String, Period>| {
            periods.iter().filter(is_over).map(|(name, _)| (kind, name.clone())).collect::<Vec<_>>()
        };
        let mut gone = ended(GrantKind::Role, &self.held.role_periods);
        gone.extend(ended(GrantKind::Permission, &self.held.permission_periods));
        for (kind, name) in &gone {
            self.granted_mut(*kind).retain(|held| held != name);
            self.held.periods(*kind).remove(name);
        }
        if !gone.is_empty() {
            self.touch(now);
        }
        gone
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::user::tests::user;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn at(seconds: i64) -> Timestamp {
        if seconds < 0 {
            NOW.minus(Duration::from_secs(seconds.unsigned_abs()))
        } else {
            NOW.plus(Duration::from_secs(seconds.unsigned_abs()))
        }
    }

    fn period(start: Option<i64>, end: Option<i64>) -> Period {
        Period { starts_at: start.map(at), expires_at: end.map(at) }
    }

    /// Whatever its time: what counts tomorrow is worth winning today.
    #[test]
    fn a_role_or_a_permission_is_a_right_that_is_held() {
        assert!(!user(1).holds_rights());
        for kind in [GrantKind::Role, GrantKind::Permission] {
            let mut user = user(1);
            user.grant(kind, "users.manage", period(Some(10), Some(20)), NOW);
            assert!(user.holds_rights(), "{kind:?}");
            user.revoke_grant(kind, "users.manage", NOW);
            assert!(!user.holds_rights(), "{kind:?}");
        }
    }

    #[test]
    fn a_role_counts_from_its_start_to_its_end() {
        let mut user = user(1);
        user.grant(GrantKind::Role, "editor", period(Some(10), Some(20)), NOW);
        for (seconds, counts) in [(0, false), (9, false), (10, true), (19, true), (20, false)] {
            assert_eq!(user.has_role("editor", at(seconds)), counts, "{seconds}");
        }
        assert!(user.holds(GrantKind::Role, "editor"), "granted all the while");
        assert_eq!(user.grants_end(at(15)), Some(at(20)));
        assert_eq!(user.grants_end(at(5)), None, "what does not count yet ends no token");
    }

    #[test]
    fn taking_away_what_counts_makes_tokens_void_and_nothing_else_does() {
        let mut user = user(1);
        let epoch = user.security_epoch;
        user.grant(GrantKind::Role, "editor", Period::default(), NOW);
        user.grant(GrantKind::Permission, "a.b", period(Some(10), None), NOW);
        assert_eq!(user.security_epoch, epoch, "what is given kills no token");
        assert!(user.revoke_grant(GrantKind::Permission, "a.b", NOW));
        assert_eq!(user.security_epoch, epoch, "it did not count yet");
        user.grant(GrantKind::Role, "editor", period(None, Some(60)), NOW);
        assert_eq!(user.security_epoch, epoch + 1, "tokens of before could outlive the new end");
        user.grant(GrantKind::Role, "editor", period(None, Some(90)), NOW);
        assert_eq!(user.security_epoch, epoch + 1, "a later end kills no token");
        user.grant(GrantKind::Role, "editor", period(Some(30), None), NOW);
        assert_eq!(user.security_epoch, epoch + 2, "it counts no more for a while");
        assert!(user.revoke_grant(GrantKind::Role, "editor", at(40)));
        assert_eq!(user.security_epoch, epoch + 3);
        assert!(!user.revoke_grant(GrantKind::Role, "editor", at(40)), "there is nothing to take");
        assert!(user.held.is_empty());
    }

    #[test]
    fn the_same_end_said_again_makes_no_token_void() {
        let mut user = user(1);
        for _ in 0..2 {
            user.grant(GrantKind::Permission, "a.b", period(None, Some(60)), NOW);
            assert_eq!(user.security_epoch, 1);
        }
        assert_eq!(user.held.permissions, ["a.b"], "held once");
        user.grant(GrantKind::Permission, "a.b", period(None, Some(59)), NOW);
        assert_eq!(user.security_epoch, 2);
    }

    #[test]
    fn what_ends_first_of_all_that_counts_ends_tokens() {
        let mut user = user(1);
        user.grant(GrantKind::Role, "a", period(None, Some(20)), NOW);
        user.grant(GrantKind::Permission, "b", period(None, Some(10)), NOW);
        user.grant(GrantKind::Role, "c", Period::default(), NOW);
        assert_eq!((user.grants_end(at(9)), user.grants_end(at(10))), (Some(at(10)), Some(at(20))));
        assert_eq!(user.grants_end(at(20)), None);
        assert_eq!(user.period_of(GrantKind::Role, "a"), Some(period(None, Some(20))));
        assert_eq!(user.period_of(GrantKind::Role, "c"), Some(Period::default()));
        assert_eq!(user.period_of(GrantKind::Permission, "a"), None, "a role is no permission");
        assert!(!user.holds(GrantKind::Role, "b") && user.holds(GrantKind::Permission, "b"));
    }

    #[test]
    fn what_has_ended_is_dropped_and_no_token_with_it() {
        let mut user = user(1);
        user.grant(GrantKind::Role, "a", period(None, Some(10)), NOW);
        user.grant(GrantKind::Role, "b", Period::default(), NOW);
        user.grant(GrantKind::Permission, "c", period(None, Some(10)), NOW);
        user.grant(GrantKind::Permission, "d", period(None, Some(11)), NOW);
        let (epoch, version) = (user.security_epoch, user.version);
        assert_eq!(user.drop_ended(at(9)), []);
        assert_eq!(user.version, version, "nothing changed");
        let gone = user.drop_ended(at(10));
        assert_eq!(gone, [(GrantKind::Role, "a".to_owned()), (GrantKind::Permission, "c".to_owned())]);
        assert_eq!((user.security_epoch, user.roles.clone()), (epoch, vec!["b".to_owned()]));
        assert_eq!(user.permissions_at(at(10)).collect::<Vec<_>>(), ["d"]);
    }

    #[test]
    fn an_administrator_for_a_while_is_no_lasting_one() {
        let mut user = user(1);
        user.grant(GrantKind::Role, Role::ADMIN, period(None, Some(10)), NOW);
        assert!(!user.is_lasting_administrator() && user.has_role(Role::ADMIN, NOW));
        user.grant(GrantKind::Role, Role::ADMIN, Period::default(), NOW);
        assert!(user.is_lasting_administrator());
    }

    #[test]
    fn what_a_row_says_is_read_back_and_a_row_of_before_says_nothing() {
        let mut user = user(1);
        user.grant(GrantKind::Role, "a", period(Some(1), Some(10)), NOW);
        user.grant(GrantKind::Permission, "c", Period::default(), NOW);
        let text = serde_json::to_string(&user.held).unwrap();
        assert_eq!(serde_json::from_str::<Held>(&text).unwrap(), user.held);
        assert_eq!(serde_json::from_str::<Held>("{}").unwrap(), Held::default());
    }
}
