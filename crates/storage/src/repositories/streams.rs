//! Streams of shared signals. Few rows; whoever looks for those of a service account reads them all.

use userd_model::{ClientId, Sealed, Stream, StreamId, StreamStatus};

use super::{known, list, words};
use crate::{
    Row, StoreError, UnitOfWork, Value,
    tables::{List, Shape, position, statements_of},
};

/// Streams.
pub struct Streams<'a>(pub(super) &'a mut UnitOfWork);

statements_of! { STREAMS:
    INSERT = "streams.insert": Shape::Insert;
    EVERY = "streams.every": Shape::List(List::by_key().unlimited());
    BY_ID = "streams.by_id": Shape::Find;
    UPDATE = "streams.update": Shape::Update(&[
        "requested", "description", "push", "status", "reason", "cursor", "queued", "verified_at", "failing_since",
        "attempts", "due_at", "updated_at", "version",
    ]);
    REMOVE = "streams.remove": Shape::Remove;
}

impl Streams<'_> {
    /// Adds a stream.
    ///
    /// # Errors
    /// `Duplicate(Key("streams"))` when the id exists.
    pub async fn insert(&mut self, stream: &Stream) -> Result<(), StoreError> {
        let [mine @ .., updated_at, version, _] = changeable(stream);
        let ids = [stream.id.into(), stream.client_id.into()];
        let values: Vec<Value> =
            ids.into_iter().chain(mine).chain([stream.created_at.into(), updated_at, version]).collect();
        self.0.write(&INSERT, &values).await
    }

    /// Every stream, by id.
    pub async fn all(&mut self) -> Result<Vec<Stream>, StoreError> {
        self.0.many(&EVERY, &[], stream).await
    }

    /// The stream with this id.
    pub async fn find(&mut self, id: StreamId) -> Result<Option<Stream>, StoreError> {
        self.0.one(&BY_ID, &[id.into()], stream).await
    }

    /// Writes everything but whose it is and since when. Nothing happens when the id is unknown.
    pub async fn update(&mut self, stream: &Stream) -> Result<(), StoreError> {
        self.0.write(&UPDATE, &changeable(stream)).await
    }

    /// Removes a stream.
    pub async fn remove(&mut self, id: StreamId) -> Result<(), StoreError> {
        self.0.write(&REMOVE, &[id.into()]).await
    }
}

/// What an update takes, the id last.
fn changeable(stream: &Stream) -> [Value; 14] {
    [
        words(&stream.requested),
        stream.description.clone().into(),
        stream.push.as_ref().map(|sealed| sealed.0.clone()).into(),
        stream.status.as_str().into(),
        stream.reason.clone().into(),
        serde_json::Value::from(stream.cursor.clone()).into(),
        stream.queued.into(),
        stream.verified_at.into(),
        stream.failing_since.into(),
        stream.attempts.into(),
        stream.due_at.into(),
        stream.updated_at.into(),
        stream.version.into(),
        stream.id.into(),
    ]
}

fn stream(row: &mut Row) -> Result<Stream, StoreError> {
    let cursor = row.json(position!(STREAMS.cursor))?;
    Ok(Stream {
        id: StreamId(row.uuid(position!(STREAMS.id))?),
        client_id: ClientId(row.uuid(position!(STREAMS.client_id))?),
        requested: list(row.json(position!(STREAMS.requested))?)?,
        description: row.text_or_null(position!(STREAMS.description))?,
        push: row.bytes_or_null(position!(STREAMS.push))?.map(Sealed),
        status: known("status of a stream", StreamStatus::parse(&row.text(position!(STREAMS.status))?))?,
        reason: row.text_or_null(position!(STREAMS.reason))?,
        cursor: serde_json::from_value(cursor).map_err(|error| StoreError::corrupt(format!("a cursor: {error}")))?,
        queued: row.i64(position!(STREAMS.queued))?,
        verified_at: row.timestamp_or_null(position!(STREAMS.verified_at))?,
        failing_since: row.timestamp_or_null(position!(STREAMS.failing_since))?,
        attempts: row.i64(position!(STREAMS.attempts))?,
        due_at: row.timestamp(position!(STREAMS.due_at))?,
        created_at: row.timestamp(position!(STREAMS.created_at))?,
        updated_at: row.timestamp(position!(STREAMS.updated_at))?,
        version: row.i64(position!(STREAMS.version))?,
    })
}
