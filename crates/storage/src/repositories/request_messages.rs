//! Messages in chats that show a request.

use userd_model::{AccessRequestId, Timestamp, UserId};

use crate::{
    Row, StoreError, UnitOfWork,
    tables::{List, Shape, position, statements_of},
};

/// Messages in chats that show a request.
pub struct RequestMessages<'a>(pub(super) &'a mut UnitOfWork);

statements_of! { REQUEST_MESSAGES:
    UPSERT = "request_messages.upsert": Shape::Upsert;
    OF_REQUEST = "request_messages.of_request": Shape::List(List::by_key().equal(1));
}

impl RequestMessages<'_> {
    /// The message with this number in the chat with the user shows the request, until it matters no more.
    pub async fn write(
        &mut self,
        request: AccessRequestId,
        (user, message): (UserId, i64),
        remove_at: Timestamp,
    ) -> Result<(), StoreError> {
        self.0.write(&UPSERT, &[request.into(), user.into(), message.into(), remove_at.into()]).await
    }

    /// Up to `limit` messages that show the request: in whose chat, and which.
    pub async fn of_request(&mut self, request: AccessRequestId, limit: u32) -> Result<Vec<(UserId, i64)>, StoreError> {
        let read = |row: &mut Row| {
            let user = UserId(row.uuid(position!(REQUEST_MESSAGES.user_id))?);
            Ok((user, row.i64(position!(REQUEST_MESSAGES.message_id))?))
        };
        self.0.many(&OF_REQUEST, &[request.into(), i64::from(limit).into()], read).await
    }
}
