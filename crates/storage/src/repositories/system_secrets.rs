//! Keys of this installation (blind index, refresh-token tag …), sealed under the master key and shared by replicas.

use userd_model::{Sealed, Timestamp};

use crate::{
    Row, Statement, StoreError, UnitOfWork, Value,
    tables::{List, Shape, position, statements_of},
};

/// Keys of this installation.
pub struct SystemSecrets<'a>(pub(super) &'a mut UnitOfWork);

statements_of! { SYSTEM_SECRETS:
    BY_NAME = "system_secrets.by_name": Shape::Find;
    INSERT = "system_secrets.insert": Shape::Insert;
    UPDATE = "system_secrets.update": Shape::Update(&["sealed"]);
    EVERY = "system_secrets.every": Shape::List(List::by_key().unlimited());
}

/// The row with the id of this installation. It is no secret and stands in the clear, because it is compared before
/// anything is opened.
pub const INSTALLATION: &str = "installation";

/// What tells this installation's database from another one.
pub(crate) fn installation() -> (&'static Statement, Vec<Value>) {
    (&BY_NAME, vec![INSTALLATION.into()])
}

impl SystemSecrets<'_> {
    /// The secret with this name.
    pub async fn find(&mut self, name: &str) -> Result<Option<Sealed>, StoreError> {
        Ok(self.0.one(&BY_NAME, &[name.into()], secret).await?.map(|(_, sealed)| sealed))
    }

    /// Adds a secret.
    ///
    /// # Errors
    /// `Duplicate(Key("system_secrets"))` when the name exists: another replica was first, use its secret.
    pub async fn insert(&mut self, name: &str, sealed: &Sealed, now: Timestamp) -> Result<(), StoreError> {
        self.0.write_now(&INSERT, &[name.into(), sealed.0.clone().into(), now.into()]).await
    }

    /// Replaces a secret (sealed anew under another master key).
    pub async fn update(&mut self, name: &str, sealed: &Sealed) -> Result<(), StoreError> {
        self.0.write(&UPDATE, &[sealed.0.clone().into(), name.into()]).await
    }

    /// Every secret with its name, by name.
    pub async fn all(&mut self) -> Result<Vec<(String, Sealed)>, StoreError> {
        self.0.many(&EVERY, &[], secret).await
    }
}

fn secret(row: &mut Row) -> Result<(String, Sealed), StoreError> {
    Ok((row.text(position!(SYSTEM_SECRETS.name))?, Sealed(row.bytes(position!(SYSTEM_SECRETS.sealed))?)))
}
