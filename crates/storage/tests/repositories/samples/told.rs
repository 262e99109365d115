//! What is told, kept and sent: facts, events, entries of the audit log, notifications, messages and their deliveries.

use serde_json::json;
use userd_model::{
    Delivery, DeliveryChannel, DeliveryId, DeliveryState, Event, EventId, EventKind, Fact, FactActor, Folder, Inbox,
    Message, MessageId, Notification, NotificationId, Random, Sealed, Subject, Timestamp, UserId,
    message::{MessageCounts, MessageState},
    preferences::{CategoryName, MessageChannel},
};
use userd_storage::{
    repositories::{audit_entries::AuditRow, deliveries::queue_of, event_heads::EventHead, hourly_counts::HourlyCount},
    testing::TestRandom,
};

use super::{hash, id, moment, sealed, seconds, word};

/// Every field filled, about a user.
pub(crate) fn fact(kind: EventKind, at: Timestamp) -> Fact {
    Fact {
        id: EventId(id()),
        kind: kind.as_str().to_owned(),
        public: true,
        subject: id::<UserId>().into(),
        number: 7,
        actor: FactActor { kind: "service".to_owned(), id: Some(id()) },
        request_id: Some(word()),
        origin: Some(sealed(70)),
        personal: Some(sealed(1)),
        at,
        data: json!({"session_id": word()}),
    }
}

/// A shard that nobody else uses, whose last event expires a day later.
pub(crate) fn event_head(fact: &Fact) -> EventHead {
    EventHead { shard: moment().micros(), position: 7, expires_at: fact.at.plus(seconds(86_400)) }
}

/// The event of a fact at the end of a shard.
pub(crate) fn event(fact: &Fact, head: &EventHead) -> Event {
    Event {
        shard: head.shard,
        position: head.position,
        id: fact.id,
        kind: fact.kind.clone(),
        subject: fact.subject.clone(),
        number: fact.number,
        at: fact.at,
        expires_at: head.expires_at,
        data: fact.data.clone(),
    }
}

/// An entry of the audit log.
pub(crate) fn audit_row(position: i64) -> AuditRow {
    let (act, actor, subject) = (word(), word(), word());
    AuditRow { position, id: EventId(id()), act, actor, subject, at: moment(), entry: hash().to_vec() }
}

/// A notification that is read, and the inbox in which it lies.
pub(crate) fn notification(user_id: UserId, at: Timestamp) -> (Notification, Inbox) {
    let mut inbox = Inbox::empty(user_id);
    let created_at = inbox.receive(at);
    let mut notification = Notification {
        id: NotificationId::from_random(TestRandom::default().id_bytes()),
        user_id,
        folder: Folder::Unread,
        category: "message".to_owned(),
        content: Sealed(vec![1, 0, 255]),
        created_at,
        expires_at: created_at.plus(seconds(60)),
        read_at: None,
        archived_at: None,
    };
    inbox.read(&mut notification, at.plus(seconds(1)));
    (notification, inbox)
}

/// A delivery that failed once.
pub(crate) fn delivery(user_id: UserId, at: Timestamp) -> Delivery {
    Delivery {
        id: DeliveryId::from_random(TestRandom::default().id_bytes()),
        queue: queue_of(user_id.0),
        due_at: at.plus(seconds(5)),
        state: DeliveryState::Pending,
        channel: DeliveryChannel::Email,
        user_id: Some(user_id),
        webhook_id: None,
        message_id: None,
        content: vec![1, 2, 0, 255],
        attempts: 1,
        last_error: Some("the relay cannot take the message now".to_owned()),
        created_at: at,
        deadline: at.plus(seconds(86_400)),
        finished_at: None,
        remove_at: Delivery::kept_while_pending(at.plus(seconds(86_400))),
    }
}

/// What a shard counted in an hour.
pub(crate) fn hourly_count(hour: Timestamp) -> HourlyCount {
    HourlyCount { shard: 3, hour, counts: [("user.registered".to_owned(), 2)].into() }
}

/// Some copies of a message.
pub(crate) fn message_counts() -> MessageCounts {
    MessageCounts([("inbox.pending".to_owned(), -2), ("inbox.delivered".to_owned(), 2)].into())
}

/// A message to everybody, of which a step is done.
pub(crate) fn message(cursor: UserId, at: Timestamp) -> Message {
    Message {
        id: MessageId::from_random(TestRandom::default().id_bytes()),
        state: MessageState::Pending,
        due_at: at.plus(seconds(5)),
        category: CategoryName::parse("orders").unwrap(),
        audience: "role".to_owned(),
        role: Some("editor".to_owned()),
        channels: vec![MessageChannel::Email, MessageChannel::Inbox],
        content: Sealed(vec![1, 2, 0, 255]),
        sent_by: ("service".to_owned(), Some(cursor.0)),
        created_at: at,
        expires_at: Some(at.plus(seconds(86_400))),
        cursor: Some((at, cursor)),
        recipients: 17,
        remove_at: at.plus(Message::KEPT),
    }
}

/// Nothing filled that may be empty, about nobody.
pub(crate) fn bare_fact(at: Timestamp) -> Fact {
    Fact {
        kind: "later.release".to_owned(),
        public: false,
        subject: Subject { kind: "роль".to_owned(), id: word() },
        actor: FactActor::unknown(),
        request_id: None,
        origin: None,
        personal: None,
        data: json!({}),
        ..fact(EventKind::UserChanged, at)
    }
}
