//! What roles allow, from memory. Roles are rows; the built-in ones are there without one. Nothing is decided here about
//! who may change what.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use userd_cache::{Cached, Loaded};
use userd_model::{Actor, InvalidField, Permission, Role, Timestamp, User};
use userd_storage::{Failure, UnitOfWork};

use crate::Dependencies;

/// Roles read at once.
const PAGE: u32 = 500;

/// Reads roles.
#[derive(Clone)]
pub struct RoleReader {
    deps: Dependencies,
    rows: Arc<Cached<Resolved, Failure>>,
}

/// A role, and what it allows together with all that it includes.
#[derive(Serialize, Deserialize)]
struct Resolved {
    role: Role,
    permissions: Vec<String>,
}

impl Resolved {
    fn allows(&self) -> impl Iterator<Item = Permission> {
        self.permissions.iter().filter_map(|word| Permission::parse(word))
    }
}

/// What somebody holds at a time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    /// Roles that count now.
    pub roles: Vec<String>,
    /// The version of what each of them allows.
    pub role_versions: Vec<i64>,
    /// What all of it allows, sorted, each once.
    pub permissions: Vec<Permission>,
}

impl RoleReader {
    pub(crate) fn new(deps: Dependencies) -> Self {
        let rows = Cached::new(deps.cache.clone(), deps.random.clone(), "role", Duration::from_secs(60));
        Self { deps, rows: Arc::new(rows) }
    }

    /// The permissions of all these roles together, sorted, each once. Unknown roles allow nothing.
    pub async fn permissions(&self, names: &[String]) -> Result<Vec<Permission>, Failure> {
        let mut all = Vec::new();
        for name in names {
            all.extend(self.resolved(name).await?.iter().flat_map(|role| role.allows()));
        }
        Ok(sorted(all))
    }

    /// What a user holds at this time.
    pub async fn rights_of(&self, user: &User, now: Timestamp) -> Result<Rights, Failure> {
        let roles: Vec<String> = user.roles_at(now).cloned().collect();
        let mut role_versions = Vec::with_capacity(roles.len());
        let mut permissions: Vec<Permission> =
            user.permissions_at(now).filter_map(|word| Permission::parse(word)).collect();
        for name in &roles {
            // The version and what it allows come of one entry: a token never says a version newer than its permissions.
            let role = self.resolved(name).await?;
            role_versions.push(role.as_ref().map_or(0, |role| role.role.version));
            permissions.extend(role.iter().flat_map(|role| role.allows()));
        }
        Ok(Rights { roles, role_versions, permissions: sorted(permissions) })
    }

    /// A role, possibly a moment old.
    pub async fn find(&self, name: &str) -> Result<Option<Role>, Failure> {
        Ok(self.resolved(name).await?.map(|resolved| resolved.role.clone()))
    }

    async fn resolved(&self, name: &str) -> Result<Option<Arc<Resolved>>, Failure> {
        if !Role::is_name(name) {
            return Ok(None);
        }
        let store = &self.deps.store;
        self.rows
            .get_or_load(name, || async move {
                let mut reading = store.reading();
                let Some(role) = read(&mut reading, name).await? else { return Ok(None) };
                // After the version: what it includes may be newer than that, never older.
                let permissions = read_permissions(&mut reading, std::slice::from_ref(&role.name)).await?;
                let permissions = permissions.iter().map(|permission| permission.as_str().to_owned()).collect();
                Ok::<_, Failure>(Some(Loaded { version: role.version, value: Resolved { role, permissions } }))
            })
            .await
    }

    /// After a commit: nothing older than this version may count again.
    pub(crate) async fn changed(&self, name: &str, version: i64) {
        self.rows.invalidate(name, version).await;
    }

    /// Another replica changed the role: forget what is remembered here.
    pub(crate) fn forget(&self, name: &str, version: i64) {
        self.rows.invalidate_local(name, version);
    }
}

/// The role with this name, as it is stored or built in.
pub(crate) async fn read(uow: &mut UnitOfWork, name: &str) -> Result<Option<Role>, Failure> {
    // What cannot be a name is none, and not every database takes every character.
    if !Role::is_name(name) {
        return Ok(None);
    }
    // The role that may do everything is what this release says, whatever a row says.
    if name == Role::ADMIN {
        return Ok(Role::built_in(name));
    }
    let stored = uow.roles().find(name).await?;
    Ok(stored.or_else(|| Role::built_in(name)))
}

/// What roles allow together, as it is stored: for deciding.
pub(crate) async fn read_permissions(uow: &mut UnitOfWork, names: &[String]) -> Result<Vec<Permission>, Failure> {
    let roles = read_many(uow, names).await?;
    permissions_of(uow, roles).await
}

/// What these roles allow together with all that they include, which is read level by level.
pub(crate) async fn permissions_of(uow: &mut UnitOfWork, roles: Vec<Role>) -> Result<Vec<Permission>, Failure> {
    let (mut all, mut seen, mut level) = (Vec::new(), BTreeSet::new(), roles);
    while !level.is_empty() {
        seen.extend(level.iter().map(|role| role.name.clone()));
        all.extend(level.iter().flat_map(|role| &role.permissions).filter_map(|word| Permission::parse(word)));
        let included: BTreeSet<String> = level.into_iter().flat_map(|role| role.rules.includes).collect();
        let new: Vec<String> = included.into_iter().filter(|name| !seen.contains(name)).collect();
        level = read_many(uow, &new).await?;
    }
    Ok(sorted(all))
}

/// Those of these roles that there are, asked for together.
pub(crate) async fn read_many(uow: &mut UnitOfWork, names: &[String]) -> Result<Vec<Role>, Failure> {
    let is_row = |name: &&str| Role::is_name(name) && *name != Role::ADMIN;
    let rows: Vec<&str> = names.iter().map(String::as_str).filter(is_row).collect();
    let stored = uow.roles().find_many(&rows).await?;
    let found = rows.into_iter().zip(stored).filter_map(|(name, role)| role.or_else(|| Role::built_in(name)));
    let admin = names.iter().find(|name| *name == Role::ADMIN).and_then(|name| Role::built_in(name));
    Ok(found.chain(admin).collect())
}

/// The roles that somebody wants to give, each once, as far as they exist and allow nothing that the giver may not. What is
/// wrong is said at `/roles/…`.
pub(crate) async fn grantable(
    uow: &mut UnitOfWork,
    giver: &Actor,
    names: &[String],
    wrong: &mut Vec<InvalidField>,
) -> Result<Vec<String>, Failure> {
    let mut roles: Vec<String> = Vec::new();
    for (place, name) in names.iter().enumerate() {
        let mut refuse = |detail: &str| wrong.push(InvalidField::new(format!("/roles/{place}"), detail));
        if read(uow, name).await?.is_none() {
            refuse("no such role");
        } else if !read_permissions(uow, std::slice::from_ref(name)).await?.iter().all(|one| giver.may_give(one)) {
            refuse("this role allows what you may not do yourself");
        } else if !roles.contains(name) {
            roles.push(name.clone());
        }
    }
    Ok(roles)
}

/// Every stored role.
pub(crate) async fn every_role(uow: &mut UnitOfWork) -> Result<Vec<Role>, Failure> {
    let mut roles: Vec<Role> = Vec::new();
    loop {
        let after = roles.last().map(|role| role.name.clone()).unwrap_or_default();
        let page = uow.roles().page(&after, PAGE).await?;
        let is_last = page.len() < PAGE as usize;
        roles.extend(page);
        if is_last {
            return Ok(roles);
        }
    }
}

fn sorted(mut permissions: Vec<Permission>) -> Vec<Permission> {
    permissions.sort_unstable();
    permissions.dedup();
    permissions
}
