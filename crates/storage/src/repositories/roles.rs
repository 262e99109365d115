//! Roles: named sets of permissions. Few rows; replicas read them all.

use userd_model::{Role, Timestamp};

use super::{list, words};
use crate::{Row, StoreError, UnitOfWork, statements};

/// Roles.
pub struct Roles<'a>(pub(super) &'a mut UnitOfWork);

statements! {
    BY_NAME = "roles.by_name": "SELECT name, permissions FROM roles WHERE name = $1" (Text) -> (Text, Json);
    EVERY = "roles.every": "SELECT name, permissions FROM roles ORDER BY name" () -> (Text, Json);
    INSERT = "roles.insert":
        "INSERT INTO roles (name, permissions, created_at, updated_at) VALUES ($1, $2, $3, $4)"
        (Text, Json, Timestamp, Timestamp) -> ();
    UPDATE = "roles.update": "UPDATE roles SET permissions = $1, updated_at = $2 WHERE name = $3"
        (Json, Timestamp, Text) -> ();
}

impl Roles<'_> {
    /// The role with this name.
    ///
    /// # Errors
    /// Storage faults only.
    pub async fn find(&mut self, name: &str) -> Result<Option<Role>, StoreError> {
        self.0.one(&BY_NAME, &[name.into()], role).await
    }

    /// Every role, by name.
    ///
    /// # Errors
    /// Storage faults only.
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
    Ok(Role { name: row.text(0)?, permissions: list(row.json(1)?)? })
}
