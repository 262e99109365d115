//! How many copies of each message are in which state.

use userd_model::{MessageId, Timestamp, message::MessageCounts};

use crate::{
    Row, StoreError, UnitOfWork, Value,
    tables::{List, Shape, position, statements_of},
};

/// How many copies of each message are in which state.
pub struct Counts<'a>(pub(super) &'a mut UnitOfWork);

statements_of! { MESSAGE_COUNTS:
    BY_SLOT = "message_counts.by_slot": Shape::Find;
    OF_MESSAGE = "message_counts.of_message": Shape::List(List::by_key().equal(1));
    UPSERT = "message_counts.upsert": Shape::Upsert;
}

impl Counts<'_> {
    /// What is counted in one slot.
    pub async fn find(&mut self, id: MessageId, slot: i64) -> Result<MessageCounts, StoreError> {
        Ok(self.0.one(&BY_SLOT, &[id.into(), slot.into()], counts).await?.unwrap_or_default())
    }

    /// All of it.
    pub async fn all(&mut self, id: MessageId) -> Result<MessageCounts, StoreError> {
        let mut all = MessageCounts::default();
        for slot in self.0.many(&OF_MESSAGE, &[id.into(), MessageCounts::SLOTS.into()], counts).await? {
            all.merge(&slot);
        }
        Ok(all)
    }

    /// Writes what is counted in one slot.
    pub async fn write(
        &mut self,
        id: MessageId,
        slot: i64,
        counts: &MessageCounts,
        remove_at: Timestamp,
    ) -> Result<(), StoreError> {
        let json = counts.0.iter().map(|(name, count)| (name.clone(), serde_json::Value::from(*count))).collect();
        self.0.write(&UPSERT, &[id.into(), slot.into(), Value::Json(json), remove_at.into()]).await
    }
}

fn counts(row: &mut Row) -> Result<MessageCounts, StoreError> {
    let json = row.json(position!(MESSAGE_COUNTS.counts))?;
    serde_json::from_value(json).map(MessageCounts).map_err(|_| StoreError::corrupt("counts are no numbers"))
}
