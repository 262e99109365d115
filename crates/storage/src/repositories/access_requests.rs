//! Requests for a change of rights.

use userd_model::{
    AccessRequest, AccessRequestId, RequestKind, RequestState, RequestedAction, Sealed, Timestamp, UserId,
};

use super::known;
use crate::{
    Row, StoreError, UnitOfWork, Value,
    tables::{List, Range, Shape, position, statements_of},
};

/// Requests for a change of rights.
pub struct AccessRequests<'a>(pub(super) &'a mut UnitOfWork);

statements_of! { ACCESS_REQUESTS:
    UPSERT = "access_requests.upsert": Shape::Upsert;
    FIND = "access_requests.find": Shape::Find;
    OF_USER = "access_requests.of_user":
        Shape::List(List::along("access_requests_by_user").equal(1).range(Range::Behind).descending());
    IN_STATE = "access_requests.in_state":
        Shape::List(List::along("access_requests_by_state").equal(1).range(Range::Behind).descending());
    OVER = "access_requests.over": Shape::List(List::along("access_requests_by_expiry").equal(1).range(Range::UpTo));
}

/// A place in a list: its order goes from the newest to the oldest.
pub type RequestPlace = (Timestamp, AccessRequestId);

impl AccessRequests<'_> {
    /// Writes a request, new or changed.
    pub async fn write(&mut self, request: &AccessRequest) -> Result<(), StoreError> {
        let decisions =
            serde_json::to_value(&request.decisions).map_err(|error| StoreError::corrupt(error.to_string()))?;
        let seconds = request.duration_seconds.map(|seconds| i64::try_from(seconds).unwrap_or(i64::MAX));
        let values: Vec<Value> = vec![
            request.id.into(),
            request.requester.into(),
            request.kind.as_str().into(),
            request.name.as_str().into(),
            request.action.as_str().into(),
            request.reason.as_ref().map(|sealed| sealed.0.clone()).into(),
            request.starts_at.into(),
            seconds.into(),
            request.state.as_str().into(),
            decisions.into(),
            request.created_at.into(),
            request.expires_at.into(),
            request.version.into(),
        ];
        self.0.write(&UPSERT, &values).await
    }

    /// The request with this id.
    pub async fn find(&mut self, id: AccessRequestId) -> Result<Option<AccessRequest>, StoreError> {
        self.0.one(&FIND, &[id.into()], request).await
    }

    /// Up to `limit` requests of a user, the newest first, behind `after`.
    pub async fn of_user(
        &mut self,
        user: UserId,
        (at, id): RequestPlace,
        limit: u32,
    ) -> Result<Vec<AccessRequest>, StoreError> {
        let values = [user.into(), at.into(), id.into(), i64::from(limit).into()];
        self.0.many(&OF_USER, &values, request).await
    }

    /// Up to `limit` requests in this stored state, the newest first, behind `after`.
    pub async fn in_state(
        &mut self,
        state: RequestState,
        (at, id): RequestPlace,
        limit: u32,
    ) -> Result<Vec<AccessRequest>, StoreError> {
        let values = [state.as_str().into(), at.into(), id.into(), i64::from(limit).into()];
        self.0.many(&IN_STATE, &values, request).await
    }

    /// Up to `limit` open requests whose time is over, the earliest first.
    pub async fn over(&mut self, now: Timestamp, limit: u32) -> Result<Vec<AccessRequest>, StoreError> {
        let values = [RequestState::Open.as_str().into(), now.into(), i64::from(limit).into()];
        self.0.many(&OVER, &values, request).await
    }
}

fn request(row: &mut Row) -> Result<AccessRequest, StoreError> {
    let action = row.text(position!(ACCESS_REQUESTS.action))?;
    let seconds = row.i64_or_null(position!(ACCESS_REQUESTS.duration_seconds))?;
    Ok(AccessRequest {
        id: AccessRequestId(row.uuid(position!(ACCESS_REQUESTS.id))?),
        requester: UserId(row.uuid(position!(ACCESS_REQUESTS.user_id))?),
        kind: known("kind of request", RequestKind::parse(&row.text(position!(ACCESS_REQUESTS.kind))?))?,
        name: row.text(position!(ACCESS_REQUESTS.name))?,
        action: known("action of a request", RequestedAction::parse(&action))?,
        reason: row.bytes_or_null(position!(ACCESS_REQUESTS.reason))?.map(Sealed),
        starts_at: row.timestamp_or_null(position!(ACCESS_REQUESTS.starts_at))?,
        duration_seconds: seconds.and_then(|seconds| u64::try_from(seconds).ok()),
        state: known("state of a request", RequestState::parse(&row.text(position!(ACCESS_REQUESTS.state))?))?,
        decisions: serde_json::from_value(row.json(position!(ACCESS_REQUESTS.decisions))?)
            .map_err(|error| StoreError::corrupt(error.to_string()))?,
        created_at: row.timestamp(position!(ACCESS_REQUESTS.created_at))?,
        expires_at: row.timestamp(position!(ACCESS_REQUESTS.expires_at))?,
        version: row.i64(position!(ACCESS_REQUESTS.version))?,
    })
}
