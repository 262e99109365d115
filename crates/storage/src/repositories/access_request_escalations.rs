//! Requests of which more people are told, when nobody has decided for long.

use userd_model::{AccessRequest, AccessRequestId, Timestamp};

use crate::{
    Row, StoreError, UnitOfWork,
    tables::{List, Range, Shape, position, statements_of},
};

/// Requests of which more people are told later.
pub struct AccessRequestEscalations<'a>(pub(super) &'a mut UnitOfWork);

statements_of! { ACCESS_REQUEST_ESCALATIONS:
    UPSERT = "access_request_escalations.upsert": Shape::Upsert;
    DUE = "access_request_escalations.due":
        Shape::List(List::along("access_request_escalations_by_due").range(Range::UpTo));
    REMOVE = "access_request_escalations.remove": Shape::Remove;
}

impl AccessRequestEscalations<'_> {
    /// More people are told at this time, unless it has ended by then.
    pub async fn write(&mut self, request: &AccessRequest, due_at: Timestamp) -> Result<(), StoreError> {
        self.0.write(&UPSERT, &[request.id.into(), request.requester.into(), due_at.into()]).await
    }

    /// Up to `limit` requests of which more people are to be told by now, the earliest first.
    pub async fn due(&mut self, now: Timestamp, limit: u32) -> Result<Vec<AccessRequestId>, StoreError> {
        let read = |row: &mut Row| Ok(AccessRequestId(row.uuid(position!(ACCESS_REQUEST_ESCALATIONS.request_id))?));
        self.0.many(&DUE, &[now.into(), i64::from(limit).into()], read).await
    }

    /// They have been told, or need not be.
    pub async fn remove(&mut self, request: AccessRequestId) -> Result<(), StoreError> {
        self.0.write(&REMOVE, &[request.into()]).await
    }
}
