//! Service accounts of other services. Rows are never removed, so that an id is never used again.

use serde_json::Value as Json;
use userd_model::{Client, ClientId, Timestamp, UserId};

use super::{list, words};
use crate::{
    Row, StoreError, UnitOfWork, Value,
    tables::{List, Range, Shape, position, statements_of},
};

/// Service accounts.
pub struct Clients<'a>(pub(super) &'a mut UnitOfWork);

/// The one scope in use; it leads the index of the list in time order.
const SCOPE: &str = "all";

statements_of! { CLIENTS:
    INSERT = "clients.insert": Shape::Insert;
    BY_ID = "clients.by_id": Shape::Find;
    UPDATE = "clients.update":
        Shape::Update(&[
        "name", "secret_hash", "permissions", "secret_changed_at", "disabled_at", "audiences", "version",
    ]);
    FIRST_PAGE = "clients.first_page": Shape::List(List::along("clients_by_created").equal(1));
    NEXT_PAGE = "clients.next_page": Shape::List(List::along("clients_by_created").equal(1).range(Range::Behind));
}

impl Clients<'_> {
    /// Adds a service account.
    ///
    /// # Errors
    /// `Duplicate(Key("clients"))` when the id exists.
    pub async fn insert(&mut self, client: &Client) -> Result<(), StoreError> {
        let values = [
            client.id.into(),
            SCOPE.into(),
            client.name.as_str().into(),
            client.secret_hash.clone().into(),
            words(&client.permissions),
            Value::from(client.created_by),
            client.created_at.into(),
            client.secret_changed_at.into(),
            client.disabled_at.into(),
            Value::from(client.audiences.as_deref().map(Json::from)),
            client.version.into(),
            client.permission_prefix.as_deref().into(),
        ];
        self.0.write(&INSERT, &values).await
    }

    /// The service account with this id, shut ones included.
    pub async fn find(&mut self, id: ClientId) -> Result<Option<Client>, StoreError> {
        self.0.one(&BY_ID, &[id.into()], client).await
    }

    /// Writes name, secret, permissions, audiences and when it was shut. Nothing happens when the id is unknown.
    pub async fn update(&mut self, client: &Client) -> Result<(), StoreError> {
        let values = [
            client.name.as_str().into(),
            client.secret_hash.clone().into(),
            words(&client.permissions),
            client.secret_changed_at.into(),
            client.disabled_at.into(),
            Value::from(client.audiences.as_deref().map(Json::from)),
            client.version.into(),
            client.id.into(),
        ];
        self.0.write(&UPDATE, &values).await
    }

    /// Up to `limit` service accounts by (`created_at`, id) ascending, behind `after`; shut ones included.
    pub async fn page(&mut self, after: Option<(Timestamp, ClientId)>, limit: u32) -> Result<Vec<Client>, StoreError> {
        let limit = i64::from(limit).into();
        match after {
            None => self.0.many(&FIRST_PAGE, &[SCOPE.into(), limit], client).await,
            Some((at, id)) => self.0.many(&NEXT_PAGE, &[SCOPE.into(), at.into(), id.into(), limit], client).await,
        }
    }
}

fn client(row: &mut Row) -> Result<Client, StoreError> {
    Ok(Client {
        id: ClientId(row.uuid(position!(CLIENTS.id))?),
        name: row.text(position!(CLIENTS.name))?,
        secret_hash: row.bytes(position!(CLIENTS.secret_hash))?,
        permissions: list(row.json(position!(CLIENTS.permissions))?)?,
        created_by: row.uuid_or_null(position!(CLIENTS.created_by))?.map(UserId),
        created_at: row.timestamp(position!(CLIENTS.created_at))?,
        secret_changed_at: row.timestamp(position!(CLIENTS.secret_changed_at))?,
        disabled_at: row.timestamp_or_null(position!(CLIENTS.disabled_at))?,
        audiences: row.json_or_null(position!(CLIENTS.audiences))?.map(list).transpose()?,
        version: row.i64_or_null(position!(CLIENTS.version))?.unwrap_or(1),
        permission_prefix: row.text_or_null(position!(CLIENTS.permission_prefix))?,
    })
}
