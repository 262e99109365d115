//! Which open request there is for a thing: of one user at most one.

use userd_model::{AccessRequest, AccessRequestId, RequestKind, UserId};

use crate::{
    Row, StoreError, UnitOfWork, Value,
    tables::{Shape, position, statements_of},
};

/// Open requests by what they are for.
pub struct OpenAccessRequests<'a>(pub(super) &'a mut UnitOfWork);

statements_of! { OPEN_ACCESS_REQUESTS:
    INSERT = "open_access_requests.insert": Shape::Insert;
    FIND = "open_access_requests.find": Shape::Find;
    REMOVE = "open_access_requests.remove": Shape::Remove;
}

impl OpenAccessRequests<'_> {
    /// The request is open.
    ///
    /// # Errors
    /// `Conflict` when another one was opened at the same moment.
    pub async fn insert(&mut self, request: &AccessRequest) -> Result<(), StoreError> {
        let mut values = key(request.requester, request.kind, &request.name);
        values.push(request.id.into());
        match self.0.write_now(&INSERT, &values).await {
            // It was not there a moment ago: a lost race.
            Err(StoreError::Duplicate(_)) => Err(StoreError::Conflict),
            other => other,
        }
    }

    /// The open request of this user for this thing.
    pub async fn find(
        &mut self,
        user: UserId,
        kind: impl Into<RequestKind>,
        name: &str,
    ) -> Result<Option<AccessRequestId>, StoreError> {
        let read = |row: &mut Row| Ok(AccessRequestId(row.uuid(position!(OPEN_ACCESS_REQUESTS.request_id))?));
        self.0.one(&FIND, &key(user, kind.into(), name), read).await
    }

    /// The request is open no more.
    pub async fn remove(&mut self, request: &AccessRequest) -> Result<(), StoreError> {
        self.0.write(&REMOVE, &key(request.requester, request.kind, &request.name)).await
    }
}

fn key(user: UserId, kind: RequestKind, name: &str) -> Vec<Value> {
    vec![user.into(), kind.as_str().into(), name.into()]
}
