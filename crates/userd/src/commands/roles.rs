//! `userd roles …`: roles and permissions as a file declares them, and who holds what.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use userd_model::{GrantKind, Refusal, Role, RoleRules, UserStatus};
use userd_services::{
    Failure, Services,
    roles::{Declared, GrantInput, Planned, RoleInput},
};
use userd_web::extract::wanted;

use super::{said, said_of, users};
use crate::{
    config::RolesConfig,
    terminal::{Terminal, table},
    wiring::WiringError,
};

/// A file of roles.
#[derive(Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RolesFile {
    permissions: Vec<PermissionEntry>,
    roles: Vec<RoleEntry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PermissionEntry {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(default, skip_serializing_if = "is_false")]
    requestable: bool,
}

#[derive(Serialize, Deserialize)]
struct RoleEntry {
    name: String,
    #[serde(default)]
    permissions: Vec<String>,
    #[serde(flatten)]
    rules: RoleRules,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}

/// `roles list`.
pub async fn list(services: &Services, terminal: Terminal) -> Result<(), WiringError> {
    const PAGE: u32 = 200;
    let (ctx, mut all, mut after) = (services.operator_context(), Vec::<Role>::new(), None);
    loop {
        let page = services.roles.page(&ctx, after.as_deref(), PAGE).await.map_err(|failure| said(&failure))?;
        let is_last = page.len() < PAGE as usize;
        after = page.last().map(|role| role.name.clone());
        all.extend(page);
        if is_last {
            break;
        }
    }
    terminal.answer(&all, || {
        let row = |role: &Role| {
            let kind = match (Role::built_in(&role.name).is_some(), role.managed) {
                (true, _) => "built in",
                (false, true) => "managed",
                (false, false) => "",
            };
            let words = if role.is_admin() { "everything".to_owned() } else { role.permissions.join(",") };
            vec![role.name.clone(), kind.to_owned(), words, role.rules.includes.join(",")]
        };
        table(&["ROLE", "KIND", "PERMISSIONS", "INCLUDES"], &all.iter().map(row).collect::<Vec<_>>())
    });
    Ok(())
}

/// `roles plan`.
pub async fn plan(services: &Services, terminal: Terminal, declared: &Declared) -> Result<(), WiringError> {
    let planned = services.roles.plan(&services.operator_context(), declared).await;
    show(terminal, &planned.map_err(|failure| said(&failure))?, "would change");
    Ok(())
}

/// `roles apply`.
pub async fn apply(services: &Services, terminal: Terminal, declared: &Declared) -> Result<(), WiringError> {
    let done = services.roles.apply(&services.operator_context(), &services.permissions, declared).await;
    show(terminal, &done.map_err(|failure| said(&failure))?, "changed");
    Ok(())
}

/// `roles export`: what `apply` takes.
pub async fn export(services: &Services, terminal: Terminal) -> Result<(), WiringError> {
    let Declared { permissions, roles } =
        services.roles.export(&services.operator_context()).await.map_err(|failure| said(&failure))?;
    let file = RolesFile {
        permissions: permissions
            .into_iter()
            .map(|(name, description, requestable)| PermissionEntry { name, description, requestable })
            .collect(),
        roles: roles
            .into_iter()
            .map(|(name, RoleInput { permissions, rules })| RoleEntry { name, permissions, rules })
            .collect(),
    };
    // JSON is YAML: `apply` reads it as it is.
    terminal.answer(&file, || serde_json::to_string_pretty(&file).unwrap_or_default());
    Ok(())
}

/// `roles grant`.
pub async fn grant(
    services: &Services,
    terminal: Terminal,
    who: &str,
    role: &str,
    input: &GrantInput,
) -> Result<(), WiringError> {
    let found = users::find(services, who).await?;
    if found.status == UserStatus::Deleted {
        return Err(WiringError::Part(format!("{who} is deleted; `userd users restore {who}` has it back")));
    }
    let (ctx, user) = (services.operator_context(), found.id);
    let granted = services.grants.grant(&ctx, user, GrantKind::Role, role, input).await;
    let granted = granted.map_err(|failure| said_of(&failure, &format!("role {role}"), "roles list"))?;
    let until = granted.grant.period.expires_at;
    let answer = serde_json::json!({ "user_id": user, "role": role, "expires_at": until });
    terminal.answer(&answer, || match until {
        None => format!("{who} has the role {role}."),
        Some(end) => format!("{who} has the role {role} until {end}."),
    });
    Ok(())
}

/// `roles revoke`.
pub async fn revoke(services: &Services, terminal: Terminal, who: &str, role: &str) -> Result<(), WiringError> {
    let (ctx, user) = (services.operator_context(), users::find(services, who).await?.id);
    match services.grants.revoke(&ctx, user, GrantKind::Role, role).await {
        Err(Failure::Refused(Refusal::NotFound)) => {
            let what = format!("{who} does not have the role {role}; `userd users show {who}` shows what there is");
            return Err(WiringError::Part(what));
        }
        revoked => revoked.map_err(|failure| said(&failure))?,
    }
    let answer = serde_json::json!({ "user_id": user, "role": role, "revoked": true });
    terminal.answer(&answer, || format!("{who} has the role {role} no more."));
    Ok(())
}

/// What is declared: in the file that is named, else in the configuration, else in the file that it names.
pub fn declared_in(named: Option<PathBuf>, config: &RolesConfig) -> Result<Declared, WiringError> {
    if let Some(file) = named {
        return read(&file);
    }
    if config.is_inline() {
        let told = |(key, detail): (String, String)| format!("roles.{key}: {detail}");
        let wrong = |wrong: Vec<_>| WiringError::Config(wrong.into_iter().map(told).collect::<Vec<_>>().join("\n"));
        return crate::wiring::roles::declared(config).map_err(wrong);
    }
    let none = || WiringError::Config("name a file, or set roles.file or roles.declared".to_owned());
    read(config.file.0.as_deref().ok_or_else(none)?)
}

/// The file of the configuration, for whoever checks it: the service itself does not read it.
///
/// # Errors
/// `Config`: it cannot be read, or what is wrong in it.
pub fn check(config: &RolesConfig) -> Result<(), WiringError> {
    config.file.0.as_deref().map_or(Ok(()), |file| {
        read(file).map(drop).map_err(|fault| WiringError::Config(format!("roles.file: {fault}")))
    })
}

fn read(file: &Path) -> Result<Declared, WiringError> {
    let wrong = |what: &dyn std::fmt::Display| WiringError::Config(format!("{}: {what}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| wrong(&error))?;
    let written: Value = serde_saphyr::from_str(&text).map_err(|error| wrong(&error))?;
    if let Some(fault) = misread(&written) {
        return Err(wrong(&fault));
    }
    let file: RolesFile = serde_saphyr::from_str(&text).map_err(|error| wrong(&error))?;
    let roles = serde_json::to_value(&file.roles).map_err(|error| wrong(&error))?;
    if let Some(fault) = written.get("roles").and_then(|written| unread("roles", written, &roles)) {
        return Err(wrong(&fault));
    }
    let RolesFile { permissions, roles } = file;
    Ok(Declared {
        permissions: permissions.into_iter().map(|one| (one.name, one.description, one.requestable)).collect(),
        roles: roles
            .into_iter()
            .map(|RoleEntry { name, permissions, rules }| (name, RoleInput { permissions, rules }))
            .collect(),
    })
}

/// Rules that may be of several kinds, in the words of a file: serde tells the program's.
const KINDS: [(&str, &str); 2] = [
    ("auto_approve", "expected true, false or { roles: [NAME] }"),
    ("notify", "expected all, named or { random: NUMBER }"),
];

/// The first rule with a value that it cannot have. Each is read alone: of a whole role serde tells neither which rule it
/// was nor where it stands.
fn misread(written: &Value) -> Option<String> {
    let roles = written.get("roles")?.as_array()?;
    roles.iter().enumerate().find_map(|(place, role)| {
        role.as_object()?.iter().find_map(|(key, value)| {
            let alone = Value::from_iter([(key.as_str(), value.clone())]);
            let fault = serde_json::from_value::<RoleRules>(alone).err()?;
            let kind = KINDS.iter().find(|(rule, _)| rule == key);
            let expected = kind.map_or_else(|| wanted(&fault.to_string()), |(_, kind)| (*kind).to_owned());
            Some(format!("roles.{place}.{key}: {expected}, found {value}"))
        })
    })
}

/// The first key that nobody has read, and those that are read there: a rule may have another name in the configuration. Rows
/// of the database are of the same types, and pass over what a later release has put into them; in a file a misspelt key would
/// silently leave a rule out.
fn unread(at: &str, written: &Value, read: &Value) -> Option<String> {
    match (written, read) {
        (Value::Object(written), Value::Object(read)) => written.iter().find_map(|(key, value)| {
            let at = format!("{at}.{key}");
            match read.get(key) {
                Some(read) => unread(&at, value, read),
                None => {
                    let known: Vec<&str> = read.keys().map(String::as_str).collect();
                    Some(format!("{at}: unknown key; there are {}", known.join(", ")))
                }
            }
        }),
        (Value::Array(written), Value::Array(read)) => {
            let mut pairs = written.iter().zip(read).enumerate();
            pairs.find_map(|(place, (written, read))| unread(&format!("{at}.{place}"), written, read))
        }
        _ => None,
    }
}

fn show(terminal: Terminal, planned: &[Planned], verb: &str) {
    terminal.answer(&planned, || {
        if planned.is_empty() {
            return "Nothing differs.".to_owned();
        }
        let mut lines = Vec::new();
        for one in planned {
            lines.push(format!("{} {} {}", one.change, one.kind, one.name));
            lines.extend(one.differences.iter().map(|difference| format!("    {difference}")));
        }
        lines.push(format!("{} {verb}.", planned.len()));
        lines.join("\n")
    });
}
