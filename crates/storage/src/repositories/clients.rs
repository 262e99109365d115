//! Service accounts of other services. Rows are never removed, so that an id is never used again.

use userd_model::{Client, ClientId, Timestamp, UserId};

use super::{list, words};
use crate::{Row, StoreError, UnitOfWork, Value, statements};

/// Service accounts.
pub struct Clients<'a>(pub(super) &'a mut UnitOfWork);

/// The one scope in use; it leads the index of the list in time order.
const SCOPE: &str = "all";

statements! {
    INSERT = "clients.insert": "INSERT INTO clients (id, scope, name, secret_hash, permissions, created_by, \
        created_at, secret_changed_at, disabled_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
        (Uuid, Text, Text, Bytes, Json, Uuid, Timestamp, Timestamp, Timestamp) -> ();
    BY_ID = "clients.by_id": "SELECT id, scope, name, secret_hash, permissions, created_by, created_at, \
        secret_changed_at, disabled_at FROM clients WHERE id = $1"
        (Uuid) -> (Uuid, Text, Text, Bytes, Json, Uuid, Timestamp, Timestamp, Timestamp);
    UPDATE = "clients.update": "UPDATE clients SET name = $1, secret_hash = $2, permissions = $3, \
        secret_changed_at = $4, disabled_at = $5 WHERE id = $6"
        (Text, Bytes, Json, Timestamp, Timestamp, Uuid) -> ();
    FIRST_PAGE = "clients.first_page": "SELECT id, scope, name, secret_hash, permissions, created_by, created_at, \
        secret_changed_at, disabled_at FROM clients WHERE scope = $1 ORDER BY scope, created_at, id LIMIT $2"
        (Text, I64) -> (Uuid, Text, Text, Bytes, Json, Uuid, Timestamp, Timestamp, Timestamp);
    NEXT_PAGE = "clients.next_page": "SELECT id, scope, name, secret_hash, permissions, created_by, created_at, \
        secret_changed_at, disabled_at FROM clients WHERE scope = $1 AND (created_at, id) > ($2, $3) \
        ORDER BY scope, created_at, id LIMIT $4"
        (Text, Timestamp, Uuid, I64) -> (Uuid, Text, Text, Bytes, Json, Uuid, Timestamp, Timestamp, Timestamp);
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
        ];
        self.0.write(&INSERT, &values).await
    }

    /// The service account with this id, shut ones included.
    ///
    /// # Errors
    /// Storage faults only.
    pub async fn find(&mut self, id: ClientId) -> Result<Option<Client>, StoreError> {
        self.0.one(&BY_ID, &[id.into()], client).await
    }

    /// Writes name, secret, permissions and when it was shut. Nothing happens when the id is unknown.
    ///
    /// # Errors
    /// Storage faults only.
    pub async fn update(&mut self, client: &Client) -> Result<(), StoreError> {
        let values = [
            client.name.as_str().into(),
            client.secret_hash.clone().into(),
            words(&client.permissions),
            client.secret_changed_at.into(),
            client.disabled_at.into(),
            client.id.into(),
        ];
        self.0.write(&UPDATE, &values).await
    }

    /// Up to `limit` service accounts by (`created_at`, id) ascending, behind `after`; shut ones included.
    ///
    /// # Errors
    /// Storage faults only.
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
        id: ClientId(row.uuid(0)?),
        name: row.text(2)?,
        secret_hash: row.bytes(3)?,
        permissions: list(row.json(4)?)?,
        created_by: row.uuid_or_null(5)?.map(UserId),
        created_at: row.timestamp(6)?,
        secret_changed_at: row.timestamp(7)?,
        disabled_at: row.timestamp_or_null(8)?,
    })
}
