//! Roles that the configuration declares, as the services know roles.

use userd_model::{
    Permission, Role, RoleRules, UserId,
    role::{Approvers, AutoApprove, Notify},
};
use userd_services::roles::{Declared, RoleInput};

use crate::config::{DeclaredApprovers, DeclaredNotify, DeclaredRole, RolesConfig};

/// What is declared here; what is wrong with it, with the key under `roles`.
///
/// # Errors
/// All that can be told without a database.
pub fn declared(config: &RolesConfig) -> Result<Declared, Vec<(String, String)>> {
    let mut wrong = Vec::new();
    for (at, one) in config.permissions.iter().enumerate() {
        if Permission::parse(&one.name).is_none() {
            wrong
                .push((format!("permissions.{at}.name"), "expected 1 to 100 of a-z, 0-9, `_`, `.` and `-`".to_owned()));
        }
        if config.permissions.iter().take(at).any(|other| other.name == one.name) {
            wrong.push((format!("permissions.{at}.name"), "another permission has this name".to_owned()));
        }
    }
    let mut roles = Vec::new();
    for (at, one) in config.declared.iter().enumerate() {
        if config.declared.iter().take(at).any(|other| other.name == one.name) {
            wrong.push((format!("declared.{at}.name"), "another role has this name".to_owned()));
        }
        match role(one) {
            Ok(role) => {
                let is_named = Role::is_name(&role.name);
                if !is_named {
                    let detail = "expected 1 to 100 of a-z, 0-9, `_`, `.` and `-`";
                    wrong.push((format!("declared.{at}.name"), detail.to_owned()));
                }
                let faults = role.faults().into_iter().filter(|_| is_named);
                wrong.extend(faults.map(|fault| {
                    (format!("declared.{at}"), format!("{}: {}", fault.pointer.trim_start_matches('/'), fault.detail))
                }));
                roles.push((role.name, RoleInput { permissions: role.permissions, rules: role.rules }));
            }
            Err(key) => wrong.push((format!("declared.{at}.{key}"), "expected the id of a user".to_owned())),
        }
    }
    let permissions = config.permissions.iter();
    let permissions = permissions.map(|one| (one.name.clone(), filled(&one.description), one.requestable)).collect();
    if wrong.is_empty() { Ok(Declared { permissions, roles }) } else { Err(wrong) }
}

/// The role; the key of what is no user's id.
fn role(one: &DeclaredRole) -> Result<Role, String> {
    let rules = RoleRules {
        description: filled(&one.description),
        includes: one.includes.clone(),
        requestable: one.requestable,
        approvers: approvers("approvers", &one.approvers)?,
        quorum: one.quorum,
        decline_quorum: one.decline_quorum,
        reason_prompt: filled(&one.reason_prompt),
        auto_approve: match &one.auto_approve_roles[..] {
            [] => AutoApprove::All(one.auto_approve),
            _ if one.auto_approve => AutoApprove::All(true),
            roles => AutoApprove::Holders { roles: roles.to_vec() },
        },
        decide_in_chat: one.decide_in_chat,
        notify: match one.notify {
            DeclaredNotify::All => Notify::All,
            DeclaredNotify::Named => Notify::Named,
            DeclaredNotify::Random => Notify::Random(one.notify_count),
        },
        escalate_after_seconds: one.escalate_after.as_ref().map(|period| period.as_secs()),
        escalate_to: approvers("escalate_to", &one.escalate_to)?,
        request_ttl_seconds: one.request_ttl.as_secs(),
        max_duration_seconds: one.max_duration.as_ref().map(|period| period.as_secs()),
    };
    Ok(Role { name: one.name.clone(), permissions: one.permissions.clone(), rules, ..Role::default() })
}

fn approvers(key: &str, named: &DeclaredApprovers) -> Result<Approvers, String> {
    let mut users = Vec::with_capacity(named.users.len());
    for (at, text) in named.users.iter().enumerate() {
        users.push(text.parse::<UserId>().map_err(|_| format!("{key}.users.{at}"))?);
    }
    Ok(Approvers { roles: named.roles.clone(), users })
}

fn filled(text: &str) -> Option<String> {
    Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned)
}
