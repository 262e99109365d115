//! Who has to do with requests for a role: who decides, whose are granted at once, who is told, and who is asked when
//! nobody decides for long.

use serde::{Deserialize, Serialize};

use super::{Role, RoleRules};
use crate::{InvalidField, UserId};

/// Who decides requests.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Approvers {
    /// Whoever holds one of these roles.
    pub roles: Vec<String>,
    /// These users.
    pub users: Vec<UserId>,
}

impl Approvers {
    /// Whether nobody is named.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.roles.is_empty() && self.users.is_empty()
    }
}

/// Whose requests are granted at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum AutoApprove {
    /// Everybody's, or nobody's.
    All(bool),
    /// Those of whoever holds one of these roles.
    Holders {
        /// The roles.
        roles: Vec<String>,
    },
}

impl Default for AutoApprove {
    fn default() -> Self {
        Self::All(false)
    }
}

impl AutoApprove {
    /// The roles whose holders it trusts.
    #[must_use]
    pub fn roles(&self) -> &[String] {
        match self {
            Self::All(_) => &[],
            Self::Holders { roles } => roles,
        }
    }

    /// Whether anybody's requests are granted at once.
    #[must_use]
    pub fn is_on(&self) -> bool {
        match self {
            Self::All(all) => *all,
            Self::Holders { roles } => !roles.is_empty(),
        }
    }

    /// Whether a request of somebody with these roles is granted at once.
    #[must_use]
    pub fn covers(&self, held: &[String]) -> bool {
        match self {
            Self::All(all) => *all,
            Self::Holders { roles } => roles.iter().any(|role| held.contains(role)),
        }
    }
}

/// Which of those who may decide are told of a request. Whoever is not told may decide all the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notify {
    /// Everybody.
    #[default]
    All,
    /// The users whom the role names; everybody where too few of them may decide.
    Named,
    /// So many, drawn for each request.
    Random(u32),
}

impl Notify {
    /// The most that are told of one request.
    pub const MOST: u32 = 50;
}

/// What is wrong with who has to do with requests, field by field.
pub(super) fn faults(rules: &RoleRules) -> Vec<InvalidField> {
    let mut wrong = Vec::new();
    let mut must = |lawful: bool, pointer: &str, detail: &str| {
        if !lawful {
            wrong.push(InvalidField::new(pointer, detail));
        }
    };
    for (pointer, named) in [("/approvers/users", &rules.approvers), ("/escalate_to/users", &rules.escalate_to)] {
        must(named.users.len() <= Role::MAX_ROLES, pointer, "at most 50 users");
    }
    let quorums = [("/quorum", rules.quorum), ("/decline_quorum", rules.decline_quorum)];
    for (pointer, quorum) in quorums {
        must((1..=RoleRules::MAX_QUORUM).contains(&quorum), pointer, "must be between 1 and 20");
    }
    if let Notify::Random(count) = rules.notify {
        let lawful = (rules.quorum..=Notify::MOST).contains(&count) && count > 0;
        must(lawful, "/notify", "as many as must approve, at least, and at most 50");
    }
    if let Some(after) = rules.escalate_after_seconds {
        let lawful = (60..rules.request_ttl_seconds).contains(&after);
        must(lawful, "/escalate_after_seconds", "at least 60 seconds, and less than the request stays open");
        must(!rules.escalate_to.is_empty(), "/escalate_to", "name somebody who decides then");
    } else {
        must(rules.escalate_to.is_empty(), "/escalate_to", "say after how long: `escalate_after_seconds`");
    }
    wrong
}
