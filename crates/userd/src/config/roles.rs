//! Keys of roles.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    text::Optional,
    values::{FilePath, Period},
};

/// Roles and permissions that are declared by configuration: here, or in a file beside it. `userd roles plan` shows what would
/// change and `userd roles apply` makes it so; nothing of it is applied at start.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RolesConfig {
    /// The file that declares them, as `userd roles export` writes it, where no other one is named. Empty: none.
    pub file: Optional<FilePath>,
    /// Permissions of other services that are declared here.
    pub permissions: Vec<DeclaredPermission>,
    /// Roles that are declared here; `roles.file` is empty then.
    pub declared: Vec<DeclaredRole>,
}

impl RolesConfig {
    /// Whether something is declared here.
    #[must_use]
    pub const fn is_inline(&self) -> bool {
        !self.permissions.is_empty() || !self.declared.is_empty()
    }
}

/// A permission of another service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeclaredPermission {
    /// 1 to 100 of `a-z`, `0-9`, `_`, `.` and `-`.
    pub name: String,
    /// What it allows, for people.
    #[serde(default)]
    pub description: String,
    /// Whether users may ask for it.
    #[serde(default)]
    pub requestable: bool,
}

/// A role. What each key means is in `docs/roles.md`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DeclaredRole {
    /// 1 to 100 of `a-z`, `0-9`, `_`, `.` and `-`.
    pub name: String,
    /// For people.
    pub description: String,
    /// What it allows by itself.
    pub permissions: Vec<String>,
    /// Roles whose permissions it has too.
    pub includes: Vec<String>,
    /// Whether users may ask for it.
    pub requestable: bool,
    /// Who decides requests for it. Nobody named: whoever may grant it.
    pub approvers: DeclaredApprovers,
    /// How many must approve.
    #[schemars(range(min = 1, max = 20))]
    pub quorum: u32,
    /// How many must decline.
    #[schemars(range(min = 1, max = 20))]
    pub decline_quorum: u32,
    /// What people are asked for with their request; a reason is required then.
    pub reason_prompt: String,
    /// Whether everybody's requests are granted at once.
    pub auto_approve: bool,
    /// Holders of these roles have their requests granted at once.
    pub auto_approve_roles: Vec<String>,
    /// Whether a request may be decided in a chat.
    pub decide_in_chat: bool,
    /// Which of those who may decide are told of a request: all, the users named, or `notify_count` of them at random.
    pub notify: DeclaredNotify,
    /// How many are told, at random.
    #[schemars(range(min = 1, max = 50))]
    pub notify_count: u32,
    /// After how long without a decision others may decide too, and are told. Empty: never.
    #[schemars(extend("x-range" = ["1m", "90d"]))]
    pub escalate_after: Optional<Period>,
    /// Who they are.
    pub escalate_to: DeclaredApprovers,
    /// How long a request stays open.
    #[schemars(extend("x-range" = ["1m", "90d"]))]
    pub request_ttl: Period,
    /// How long a grant by request lasts at most. Empty: for good.
    #[schemars(extend("x-range" = ["1m", "3650d"]))]
    pub max_duration: Optional<Period>,
}

impl Default for DeclaredRole {
    fn default() -> Self {
        Self {
            name: String::new(),
            description: String::new(),
            permissions: Vec::new(),
            includes: Vec::new(),
            requestable: false,
            approvers: DeclaredApprovers::default(),
            quorum: 1,
            decline_quorum: 1,
            reason_prompt: String::new(),
            auto_approve: false,
            auto_approve_roles: Vec::new(),
            decide_in_chat: false,
            notify: DeclaredNotify::All,
            notify_count: 1,
            escalate_after: Optional::NONE,
            escalate_to: DeclaredApprovers::default(),
            request_ttl: Period::seconds(7 * 24 * 3600),
            max_duration: Optional::NONE,
        }
    }
}

/// Who decides.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DeclaredApprovers {
    /// Whoever holds one of these roles.
    pub roles: Vec<String>,
    /// Users, by their ids.
    pub users: Vec<String>,
}

/// Which of those who may decide are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "explained at the key; doc lines would make the schema a list of alternatives")]
pub enum DeclaredNotify {
    All,
    Named,
    Random,
}
