//! What other services send to users, and how much of it is done.

use userd_model::{
    Message, MessageId, Sealed, Timestamp, UserId,
    message::MessageState,
    preferences::{CategoryName, MessageChannel},
};

use super::{known, list, words};
use crate::{
    Row, StoreError, UnitOfWork,
    tables::{List, Range, Shape, position, statements_of},
};

/// What other services send to users.
pub struct Messages<'a>(pub(super) &'a mut UnitOfWork);

statements_of! { MESSAGES:
    INSERT = "messages.insert": Shape::Insert;
    BY_ID = "messages.by_id": Shape::Find;
    UPDATE = "messages.update": Shape::Update(&["state", "cursor_at", "cursor_user", "recipients"]);
    DUE = "messages.due": Shape::List(List::along("messages_by_due").equal(1).range(Range::UpTo));
}

impl Messages<'_> {
    /// Adds a message.
    ///
    /// # Errors
    /// `Duplicate(Key("messages"))` when it is there.
    pub async fn insert(&mut self, message: &Message) -> Result<(), StoreError> {
        let channels: Vec<String> = message.channels.iter().map(|channel| channel.as_str().to_owned()).collect();
        let values = [
            message.id.into(),
            message.state.as_str().into(),
            message.due_at.into(),
            message.category.as_str().into(),
            message.audience.clone().into(),
            message.role.clone().into(),
            words(&channels),
            message.content.0.clone().into(),
            message.sent_by.0.clone().into(),
            message.sent_by.1.into(),
            message.created_at.into(),
            message.expires_at.into(),
            message.cursor.map(|(at, _)| at).into(),
            message.cursor.map(|(_, user)| user.0).into(),
            message.recipients.into(),
            message.remove_at.into(),
        ];
        self.0.write(&INSERT, &values).await
    }

    /// The message with this id.
    pub async fn find(&mut self, id: MessageId) -> Result<Option<Message>, StoreError> {
        self.0.one(&BY_ID, &[id.into()], message).await
    }

    /// Writes how far it is.
    pub async fn update(&mut self, message: &Message) -> Result<(), StoreError> {
        let values = [
            message.state.as_str().into(),
            message.cursor.map(|(at, _)| at).into(),
            message.cursor.map(|(_, user)| user.0).into(),
            message.recipients.into(),
            message.id.into(),
        ];
        self.0.write(&UPDATE, &values).await
    }

    /// Up to `limit` that become deliveries, the longest due first.
    pub async fn due(&mut self, now: Timestamp, limit: u32) -> Result<Vec<Message>, StoreError> {
        let pending = MessageState::Pending.as_str().into();
        self.0.many(&DUE, &[pending, now.into(), i64::from(limit).into()], message).await
    }
}

fn message(row: &mut Row) -> Result<Message, StoreError> {
    let channels = list(row.json(position!(MESSAGES.channels))?)?;
    let channel = |word: &String| MessageChannel::ALL.into_iter().find(|channel| channel.as_str() == word);
    let cursor_at = row.timestamp_or_null(position!(MESSAGES.cursor_at))?;
    let cursor_user = row.uuid_or_null(position!(MESSAGES.cursor_user))?;
    Ok(Message {
        id: MessageId(row.uuid(position!(MESSAGES.id))?),
        state: known("state of a message", MessageState::parse(&row.text(position!(MESSAGES.state))?))?,
        due_at: row.timestamp(position!(MESSAGES.due_at))?,
        category: CategoryName::parse(&row.text(position!(MESSAGES.category))?).map_err(StoreError::corrupt)?,
        audience: row.text(position!(MESSAGES.audience))?,
        role: row.text_or_null(position!(MESSAGES.role))?,
        channels: channels.iter().filter_map(channel).collect(),
        content: Sealed(row.bytes(position!(MESSAGES.content))?),
        sent_by: (row.text(position!(MESSAGES.sender_kind))?, row.uuid_or_null(position!(MESSAGES.sender_id))?),
        created_at: row.timestamp(position!(MESSAGES.created_at))?,
        expires_at: row.timestamp_or_null(position!(MESSAGES.expires_at))?,
        cursor: cursor_at.zip(cursor_user.map(UserId)),
        recipients: row.i64(position!(MESSAGES.recipients))?,
        remove_at: row.timestamp(position!(MESSAGES.remove_at))?,
    })
}
