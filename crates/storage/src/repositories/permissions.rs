//! Registered words of other services' permissions.

use userd_model::{Timestamp, permission::RegisteredPermission};

use crate::{
    Row, StoreError, UnitOfWork,
    tables::{List, Range, Shape, position, statements_of},
};

/// Registered permissions.
pub struct Permissions<'a>(pub(super) &'a mut UnitOfWork);

statements_of! { PERMISSIONS:
    UPSERT = "permissions.upsert": Shape::Upsert;
    FIND = "permissions.find": Shape::Find;
    PAGE = "permissions.page": Shape::List(List::by_key().range(Range::Behind));
    REMOVE = "permissions.remove": Shape::Remove;
}

impl Permissions<'_> {
    /// Registers a permission, or writes it anew.
    pub async fn upsert(&mut self, permission: &RegisteredPermission) -> Result<(), StoreError> {
        let RegisteredPermission { name, description, requestable, registered_by, created_at, managed } = permission;
        let values = [
            name.as_str().into(),
            description.clone().into(),
            (*requestable).into(),
            registered_by.as_str().into(),
            (*created_at).into(),
            (*managed).into(),
        ];
        self.0.write(&UPSERT, &values).await
    }

    /// The permission with this name.
    pub async fn find(&mut self, name: &str) -> Result<Option<RegisteredPermission>, StoreError> {
        self.0.one(&FIND, &[name.into()], permission).await
    }

    /// Up to `limit` permissions by name, behind this one.
    pub async fn page(&mut self, after: &str, limit: u32) -> Result<Vec<RegisteredPermission>, StoreError> {
        self.0.many(&PAGE, &[after.into(), i64::from(limit).into()], permission).await
    }

    /// Removes a permission.
    pub async fn remove(&mut self, name: &str) -> Result<(), StoreError> {
        self.0.write(&REMOVE, &[name.into()]).await
    }
}

fn permission(row: &mut Row) -> Result<RegisteredPermission, StoreError> {
    let created_at: Timestamp = row.timestamp(position!(PERMISSIONS.created_at))?;
    Ok(RegisteredPermission {
        name: row.text(position!(PERMISSIONS.name))?,
        description: row.text_or_null(position!(PERMISSIONS.description))?,
        requestable: row.bool(position!(PERMISSIONS.requestable))?,
        registered_by: row.text(position!(PERMISSIONS.registered_by))?,
        created_at,
        managed: row.bool_or_null(position!(PERMISSIONS.managed))?.unwrap_or_default(),
    })
}
