//! Roles: named sets of permissions. Few rows; replicas read them all.

use userd_model::{Role, Timestamp};

use super::{list, words};
use crate::{
    Row, StoreError, UnitOfWork,
    tables::{List, Shape, position, statements_of},
};

/// Roles.
pub struct Roles<'a>(pub(super) &'a mut UnitOfWork);

statements_of! { ROLES:
    BY_NAME = "roles.by_name": Shape::Find;
    EVERY = "roles.every": Shape::List(List::by_key().unlimited());
    INSERT = "roles.insert": Shape::Insert;
    UPDATE = "roles.update": Shape::Update(&["permissions", "updated_at"]);
}

impl Roles<'_> {
    /// The role with this name.
    pub async fn find(&mut self, name: &str) -> Result<Option<Role>, StoreError> {
        self.0.one(&BY_NAME, &[name.into()], role).await
    }

    /// Every role, by name.
    pub async fn all(&mut self) -> Result<Vec<Role>, StoreError> {
        self.0.many(&EVERY, &[], role).await
    }

    /// Adds the role, or replaces what it allows and keeps when it was made.
    ///
    /// # Errors
    /// `Conflict` when another one was adding it at the same moment.
    pub async fn upsert(&mut self, role: &Role, now: Timestamp) -> Result<(), StoreError> {
        let name = role.name.as_str();
        if self.find(name).await?.is_some() {
            return self.0.write(&UPDATE, &[words(&role.permissions), now.into(), name.into()]).await;
        }
        match self.0.write_now(&INSERT, &[name.into(), words(&role.permissions), now.into(), now.into()]).await {
            // It was not there a moment ago: a lost race.
            Err(StoreError::Duplicate(_)) => Err(StoreError::Conflict),
            other => other,
        }
    }
}

fn role(row: &mut Row) -> Result<Role, StoreError> {
    Ok(Role { name: row.text(position!(ROLES.name))?, permissions: list(row.json(position!(ROLES.permissions))?)? })
}
