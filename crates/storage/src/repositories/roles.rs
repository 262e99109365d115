//! Roles that were made: named sets of permissions. The built-in ones are no rows, unless somebody changed them.

use userd_model::{Role, Timestamp};

use super::{first_row, list, words};
use crate::{
    Call, Row, StoreError, UnitOfWork,
    tables::{List, Range, Shape, position, statements_of},
};

/// Roles.
pub struct Roles<'a>(pub(super) &'a mut UnitOfWork);

statements_of! { ROLES:
    BY_NAME = "roles.by_name": Shape::Find;
    PAGE = "roles.page": Shape::List(List::by_key().range(Range::Behind));
    INSERT = "roles.insert": Shape::Insert;
    UPDATE = "roles.update": Shape::Update(&["permissions", "updated_at", "rules", "managed", "version"]);
    REMOVE = "roles.remove": Shape::Remove;
}

impl Roles<'_> {
    /// The role with this name.
    pub async fn find(&mut self, name: &str) -> Result<Option<Role>, StoreError> {
        self.0.one(&BY_NAME, &[name.into()], role).await
    }

    /// The roles with these names, in this order.
    pub async fn find_many(&mut self, names: &[&str]) -> Result<Vec<Option<Role>>, StoreError> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let keys: Vec<[crate::Value; 1]> = names.iter().map(|name| [(*name).into()]).collect();
        let calls: Vec<Call<'_>> = keys.iter().map(|values| Call { statement: &BY_NAME, values }).collect();
        let answers = self.0.run_together(&calls).await?;
        answers.into_iter().map(|rows| first_row(&BY_NAME, Some(rows), role)).collect()
    }

    /// Up to `limit` roles by name, behind this one.
    pub async fn page(&mut self, after: &str, limit: u32) -> Result<Vec<Role>, StoreError> {
        self.0.many(&PAGE, &[after.into(), i64::from(limit).into()], role).await
    }

    /// Adds the role, or replaces what it is and keeps when it was made.
    ///
    /// # Errors
    /// `Conflict` when another one was adding it at the same moment.
    pub async fn upsert(&mut self, role: &Role, now: Timestamp) -> Result<(), StoreError> {
        let name = role.name.as_str();
        let permissions = words(&role.permissions);
        let rules = serde_json::to_value(&role.rules).map_err(|error| StoreError::corrupt(error.to_string()))?;
        let (managed, version) = (role.managed, role.version);
        if self.find(name).await?.is_some() {
            let values = [permissions, now.into(), rules.into(), managed.into(), version.into(), name.into()];
            return self.0.write(&UPDATE, &values).await;
        }
        let values = [name.into(), permissions, now.into(), now.into(), rules.into(), managed.into(), version.into()];
        match self.0.write_now(&INSERT, &values).await {
            // It was not there a moment ago: a lost race.
            Err(StoreError::Duplicate(_)) => Err(StoreError::Conflict),
            other => other,
        }
    }

    /// Removes the role.
    pub async fn remove(&mut self, name: &str) -> Result<(), StoreError> {
        self.0.write(&REMOVE, &[name.into()]).await
    }
}

fn role(row: &mut Row) -> Result<Role, StoreError> {
    let rules = row.json_or_null(position!(ROLES.rules))?;
    Ok(Role {
        name: row.text(position!(ROLES.name))?,
        permissions: list(row.json(position!(ROLES.permissions))?)?,
        rules: rules
            .map(|rules| serde_json::from_value(rules).map_err(|error| StoreError::corrupt(error.to_string())))
            .transpose()?
            .unwrap_or_default(),
        managed: row.bool_or_null(position!(ROLES.managed))?.unwrap_or_default(),
        version: row.i64_or_null(position!(ROLES.version))?.unwrap_or(1),
    })
}
