//! Roles: named sets of permissions, which may include other roles, and how one asks for them. The built-in ones are here
//! and not in a table: nobody removes them, and a new release adds what it brings.
//!
//! Deliberately absent: who holds a role (`grant.rs`), and whether what it includes exists; services look.

mod asking;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::asking::{Approvers, AutoApprove, Notify};
use crate::{InvalidField, Permission};

/// A role: a named set of permissions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    /// Unique.
    pub name: String,
    /// What it allows by itself.
    pub permissions: Vec<String>,
    /// What else it is.
    pub rules: RoleRules,
    /// Whether the configuration declares it: then only `userd roles apply` changes it.
    pub managed: bool,
    /// Raised with every change; tokens carry it, so that those of before a right was taken away can be told.
    pub version: i64,
}

/// What a role is besides the permissions that it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RoleRules {
    /// For people.
    pub description: Option<String>,
    /// Roles whose permissions it has too.
    pub includes: Vec<String>,
    /// Whether users may ask for it.
    pub requestable: bool,
    /// Who decides requests for it; nobody named: whoever may grant it.
    pub approvers: Approvers,
    /// How many must approve.
    pub quorum: u32,
    /// How many must decline.
    pub decline_quorum: u32,
    /// What people are asked for with their request; a reason is required then.
    pub reason_prompt: Option<String>,
    /// Whose requests are granted at once.
    pub auto_approve: AutoApprove,
    /// Whether a request may be decided in a chat.
    pub decide_in_chat: bool,
    /// Which of those who may decide are told of a request.
    pub notify: Notify,
    /// After how long without a decision others may decide too, and are told.
    pub escalate_after_seconds: Option<u64>,
    /// Who they are.
    pub escalate_to: Approvers,
    /// How long a request stays open.
    pub request_ttl_seconds: u64,
    /// How long a grant by request lasts at most.
    pub max_duration_seconds: Option<u64>,
}

impl Default for RoleRules {
    fn default() -> Self {
        Self {
            description: None,
            includes: Vec::new(),
            requestable: false,
            approvers: Approvers::default(),
            quorum: 1,
            decline_quorum: 1,
            reason_prompt: None,
            auto_approve: AutoApprove::default(),
            decide_in_chat: false,
            notify: Notify::All,
            escalate_after_seconds: None,
            escalate_to: Approvers::default(),
            request_ttl_seconds: Self::REQUEST_TTL.as_secs(),
            max_duration_seconds: None,
        }
    }
}

impl RoleRules {
    /// How long a request stays open where a role says nothing.
    pub const REQUEST_TTL: Duration = Duration::from_secs(7 * 24 * 3600);
    /// The longest time that a request may stay open.
    pub const MAX_REQUEST_TTL: u64 = 90 * 24 * 3600;
    /// The longest grant by request.
    pub const MAX_DURATION: u64 = 10 * 365 * 24 * 3600;
    /// The most that must decide.
    pub const MAX_QUORUM: u32 = 20;

    /// The other roles that a role names, each list where it stands.
    #[must_use]
    pub fn named_roles(&self) -> [(&'static str, &[String]); 4] {
        [
            ("/includes", &self.includes),
            ("/approvers/roles", &self.approvers.roles),
            ("/auto_approve/roles", self.auto_approve.roles()),
            ("/escalate_to/roles", &self.escalate_to.roles),
        ]
    }
}

impl Role {
    /// The name of the role that may do everything.
    pub const ADMIN: &'static str = "admin";
    /// The longest name, in bytes.
    pub const MAX_NAME: usize = 100;
    /// The most permissions of a role by itself.
    pub const MAX_PERMISSIONS: usize = 500;
    /// The most roles that one includes, and that decide about one.
    pub const MAX_ROLES: usize = 50;

    /// Whether this can be a role's name: 1 to 100 of `a-z`, `0-9`, `_`, `.` and `-`.
    #[must_use]
    pub fn is_name(name: &str) -> bool {
        let lawful = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_.-".contains(&byte);
        (1..=Self::MAX_NAME).contains(&name.len()) && name.bytes().all(lawful)
    }

    /// Whether a new role may have this name. Browsers take `..` in an address for the folder above: such a role would have no
    /// page. One from before keeps its name.
    #[must_use]
    pub fn is_new_name(name: &str) -> bool {
        Self::is_name(name) && !name.starts_with('.')
    }

    /// The built-in role with this name.
    #[must_use]
    pub fn built_in(name: &str) -> Option<Self> {
        let (_, description, permissions) = BUILT_IN.iter().find(|(known, ..)| *known == name)?;
        // In order, as those of every role are kept: what was read and is sent back changes nothing.
        let mut permissions: Vec<String> =
            permissions.iter().map(|permission| permission.as_str().to_owned()).collect();
        permissions.sort_unstable();
        Some(Self {
            name: name.to_owned(),
            permissions,
            rules: RoleRules { description: Some((*description).to_owned()), ..RoleRules::default() },
            managed: false,
            version: 0,
        })
    }

    /// The names of the built-in roles, in order.
    pub fn built_in_names() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().map(|(name, ..)| *name)
    }

    /// Whether it is the role that may do everything, and which nobody changes.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        self.name == Self::ADMIN
    }

    /// What is wrong with it, field by field, as far as it can be told without other roles.
    #[must_use]
    pub fn faults(&self) -> Vec<InvalidField> {
        let rules = &self.rules;
        let mut wrong = Vec::new();
        let mut must = |lawful: bool, pointer: String, detail: &str| {
            if !lawful {
                wrong.push(InvalidField::new(pointer, detail));
            }
        };
        must(self.permissions.len() <= Self::MAX_PERMISSIONS, "/permissions".into(), "at most 500 permissions");
        for (place, word) in self.permissions.iter().enumerate() {
            let pointer = format!("/permissions/{place}");
            must(Permission::parse(word).is_some(), pointer, "1 to 100 of a-z, 0-9, _, . and -");
        }
        for (pointer, names) in rules.named_roles() {
            must(names.len() <= Self::MAX_ROLES, pointer.to_owned(), "at most 50 roles");
            for (place, name) in names.iter().enumerate() {
                must(Self::is_name(name), format!("{pointer}/{place}"), "1 to 100 of a-z, 0-9, _, . and -");
            }
        }
        must(!rules.includes.contains(&self.name), "/includes".into(), "a role cannot include itself");
        let ttl = rules.request_ttl_seconds;
        let lawful = (60..=RoleRules::MAX_REQUEST_TTL).contains(&ttl);
        must(lawful, "/request_ttl_seconds".into(), "must be between 60 seconds and 90 days");
        let longest = rules.max_duration_seconds;
        let lawful = longest.is_none_or(|seconds| (60..=RoleRules::MAX_DURATION).contains(&seconds));
        must(lawful, "/max_duration_seconds".into(), "must be between 60 seconds and 10 years");
        wrong.extend(asking::faults(rules));
        wrong
    }
}

/// Name, for people, what it allows.
type BuiltIn = (&'static str, &'static str, &'static [Permission]);

const BUILT_IN: &[BuiltIn] = &[
    (Role::ADMIN, "May do everything", Permission::WELL_KNOWN),
    (
        "user_manager",
        "Looks after accounts",
        &[
            Permission::USERS_READ,
            Permission::USERS_MANAGE,
            Permission::USERS_RESET_FACTORS,
            Permission::ROLES_READ,
            Permission::NOTIFICATIONS_SEND,
        ],
    ),
    (
        "approver",
        "Sees access requests; decides those for roles that name it",
        &[Permission::ROLES_READ, Permission::ACCESS_REQUESTS_READ],
    ),
    (
        "auditor",
        "Sees everything and changes nothing",
        &[
            Permission::USERS_READ,
            Permission::ROLES_READ,
            Permission::CLIENTS_READ,
            Permission::SIGNING_KEYS_READ,
            Permission::EVENTS_READ,
            Permission::AUDIT_READ,
            Permission::DELIVERIES_READ,
            Permission::WEBHOOKS_READ,
            Permission::ACCESS_REQUESTS_READ,
        ],
    ),
    (
        "support",
        "Helps people: sees accounts and what became of messages",
        &[Permission::USERS_READ, Permission::DELIVERIES_READ],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_roles_are_lawful_and_only_one_may_everything() {
        for name in Role::built_in_names() {
            let role = Role::built_in(name).unwrap();
            assert_eq!(role.faults(), [], "{name}");
            assert!(role.permissions.is_sorted(), "{name}: what is read and sent back changes nothing");
            let everything = role.permissions.len() == Permission::WELL_KNOWN.len();
            assert_eq!(everything, name == Role::ADMIN, "{name}");
        }
        assert_eq!(Role::built_in("editor"), None);
    }

    /// Who sees everything sees every resource that people read; streams are service accounts' own.
    #[test]
    fn an_auditor_holds_every_right_to_read_and_no_other() {
        let readers = Permission::WELL_KNOWN.iter().map(Permission::as_str);
        let readers: Vec<_> = readers
            .filter(|word| word.ends_with(".read") && !["ssf.read", "revocations.read"].contains(word))
            .collect();
        let mut held = Role::built_in("auditor").unwrap().permissions;
        held.sort_by_key(|word| Permission::parse(word));
        assert_eq!(held, readers);
    }

    #[test]
    fn what_is_wrong_with_a_role_is_said_field_by_field() {
        let role = Role {
            name: "a".into(),
            permissions: vec!["ok.yes".into(), "No".into()],
            rules: RoleRules {
                includes: vec!["a".into(), "B".into()],
                auto_approve: AutoApprove::Holders { roles: vec!["a".into(), String::new()] },
                quorum: 0,
                decline_quorum: 21,
                notify: Notify::Random(51),
                escalate_after_seconds: Some(59),
                request_ttl_seconds: 59,
                max_duration_seconds: Some(1),
                ..RoleRules::default()
            },
            ..Role::default()
        };
        let pointers: Vec<_> = role.faults().into_iter().map(|fault| fault.pointer).collect();
        let expected = [
            "/permissions/1",
            "/includes/1",
            "/auto_approve/roles/1",
            "/includes",
            "/request_ttl_seconds",
            "/max_duration_seconds",
            "/quorum",
            "/decline_quorum",
            "/notify",
            "/escalate_after_seconds",
            "/escalate_to",
        ];
        assert_eq!(pointers, expected);
    }

    /// Each bound by itself, at what is just taken and just not.
    #[test]
    fn what_a_role_says_lies_within_its_bounds() {
        let faults = |rules: RoleRules| {
            let role = Role { name: "a".into(), rules, ..Role::default() };
            role.faults().into_iter().map(|fault| fault.pointer).collect::<Vec<_>>()
        };
        let rules = RoleRules::default;
        let users =
            |count: usize| Approvers { users: vec![crate::UserId(uuid::Uuid::nil()); count], roles: Vec::new() };
        let others = |count: usize| (0..count).map(|number| format!("b{number}")).collect::<Vec<_>>();
        for (most, more, pointer) in [
            (
                RoleRules { request_ttl_seconds: 60, ..rules() },
                RoleRules { request_ttl_seconds: 59, ..rules() },
                "/request_ttl_seconds",
            ),
            (
                RoleRules { request_ttl_seconds: 90 * 86_400, ..rules() },
                RoleRules { request_ttl_seconds: 90 * 86_400 + 1, ..rules() },
                "/request_ttl_seconds",
            ),
            (
                RoleRules { max_duration_seconds: Some(60), ..rules() },
                RoleRules { max_duration_seconds: Some(59), ..rules() },
                "/max_duration_seconds",
            ),
            (
                RoleRules { max_duration_seconds: Some(3650 * 86_400), ..rules() },
                RoleRules { max_duration_seconds: Some(3650 * 86_400 + 1), ..rules() },
                "/max_duration_seconds",
            ),
            (RoleRules { quorum: 20, ..rules() }, RoleRules { quorum: 21, ..rules() }, "/quorum"),
            (
                RoleRules { decline_quorum: 20, ..rules() },
                RoleRules { decline_quorum: 0, ..rules() },
                "/decline_quorum",
            ),
            (
                RoleRules { quorum: 3, notify: Notify::Random(3), ..rules() },
                RoleRules { quorum: 3, notify: Notify::Random(2), ..rules() },
                "/notify",
            ),
            (
                RoleRules { notify: Notify::Random(50), ..rules() },
                RoleRules { notify: Notify::Random(51), ..rules() },
                "/notify",
            ),
            (
                RoleRules { escalate_after_seconds: Some(60), escalate_to: users(1), ..rules() },
                RoleRules { escalate_after_seconds: Some(59), escalate_to: users(1), ..rules() },
                "/escalate_after_seconds",
            ),
            (
                RoleRules {
                    request_ttl_seconds: 100,
                    escalate_after_seconds: Some(99),
                    escalate_to: users(1),
                    ..rules()
                },
                RoleRules {
                    request_ttl_seconds: 100,
                    escalate_after_seconds: Some(100),
                    escalate_to: users(1),
                    ..rules()
                },
                "/escalate_after_seconds",
            ),
            (rules(), RoleRules { escalate_to: users(1), ..rules() }, "/escalate_to"),
            (
                RoleRules { approvers: users(50), ..rules() },
                RoleRules { approvers: users(51), ..rules() },
                "/approvers/users",
            ),
            (RoleRules { includes: others(50), ..rules() }, RoleRules { includes: others(51), ..rules() }, "/includes"),
        ] {
            assert_eq!(faults(most), [""; 0], "{pointer}");
            assert_eq!(faults(more), [pointer]);
        }
        let held = |count: usize| Role {
            name: "a".into(),
            permissions: (0..count).map(|number| format!("b.{number}")).collect(),
            ..Role::default()
        };
        assert_eq!((held(500).faults().len(), held(501).faults().len()), (0, 1));
    }

    #[test]
    fn requests_are_granted_at_once_to_those_who_are_named() {
        let roles = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let holders = |names: &[&str]| AutoApprove::Holders { roles: roles(names) };
        for (rule, is_on, of_editors, of_nobody) in [
            (AutoApprove::All(true), true, true, true),
            (AutoApprove::All(false), false, false, false),
            (holders(&[]), false, false, false),
            (holders(&["staff", "editor"]), true, true, false),
            (holders(&["staff"]), true, false, false),
        ] {
            assert_eq!(rule.is_on(), is_on, "{rule:?}");
            assert_eq!((rule.covers(&roles(&["editor"])), rule.covers(&[])), (of_editors, of_nobody), "{rule:?}");
        }
        let (none, user) =
            (Approvers::default(), Approvers { users: vec![crate::UserId(uuid::Uuid::nil())], roles: Vec::new() });
        let role = Approvers { users: Vec::new(), roles: roles(&["a"]) };
        assert_eq!((none.is_empty(), user.is_empty(), role.is_empty()), (true, false, false));
    }

    #[test]
    fn names_are_short_plain_words() {
        for name in ["a", "a.b-c_9", &"x".repeat(100)] {
            assert!(Role::is_name(name) && Role::is_new_name(name), "{name}");
        }
        for name in [".", "..", ".hidden"] {
            assert!(Role::is_name(name) && !Role::is_new_name(name), "{name}");
        }
        for name in ["", "A", "a b", "роль", "a/b", &"x".repeat(101)] {
            assert!(!Role::is_name(name) && !Role::is_new_name(name), "{name}");
        }
    }
}
