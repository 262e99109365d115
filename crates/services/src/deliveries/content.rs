//! What a delivery carries, sealed: it opens only in the row that it was written in.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use userd_crypto::place;
use userd_model::{
    AccessRequestId, Delivery, DeliveryId, Event, EventId, Fact, FactActor, FurtherEmailId, Sealed, Subject, Timestamp,
};
use userd_storage::Failure;

use super::Deliveries;
use crate::{message_contents::SentMessage, user_reader::internal};

/// What is to be said.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Content {
    /// Something happened to the user.
    Notice(Notice),
    /// The same to a further address of the user's.
    NoticeTo(Notice, FurtherEmailId),
    /// An event, for another service.
    Event(Notice),
    /// A mail to an address.
    Letter(super::Letter),
    /// What a request has become, in place of this message in the chat.
    RequestCard(AccessRequestId, i64),
    /// Somebody says something. It lies in the message, not in the delivery.
    #[serde(skip)]
    Message(Arc<SentMessage>),
}

/// What happened, as the fact tells it. Its personal parts stay sealed under the keys of whom they describe.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Notice {
    pub(super) fact: uuid::Uuid,
    pub(super) kind: String,
    pub(super) subject: (String, String),
    pub(super) actor: (String, Option<uuid::Uuid>),
    pub(super) at: Timestamp,
    pub(super) number: i64,
    pub(super) data: serde_json::Value,
    pub(super) origin: Option<Sealed>,
    pub(super) personal: Option<Sealed>,
}

impl Notice {
    pub(super) fn of(fact: &Fact) -> Self {
        Self {
            fact: fact.id.0,
            kind: fact.kind.clone(),
            subject: (fact.subject.kind.clone(), fact.subject.id.clone()),
            actor: (fact.actor.kind.clone(), fact.actor.id),
            at: fact.at,
            number: fact.number,
            data: fact.data.clone(),
            origin: fact.origin.clone(),
            personal: fact.personal.clone(),
        }
    }

    /// What other services may know of it.
    pub(super) fn public(fact: &Fact) -> Self {
        Self { origin: None, personal: None, ..Self::of(fact) }
    }

    /// What the event log has of it. Who did it is not there, and no other service is told.
    pub(super) fn of_event(event: &Event) -> Self {
        Self {
            fact: event.id.0,
            kind: event.kind.clone(),
            subject: (event.subject.kind.clone(), event.subject.id.clone()),
            actor: (FactActor::unknown().kind, None),
            at: event.at,
            number: event.number,
            data: event.data.clone(),
            origin: None,
            personal: None,
        }
    }

    /// The fact again, as far as it matters here.
    pub(super) fn fact(&self) -> Fact {
        Fact {
            id: EventId(self.fact),
            kind: self.kind.clone(),
            public: true,
            subject: Subject { kind: self.subject.0.clone(), id: self.subject.1.clone() },
            number: self.number,
            actor: FactActor { kind: self.actor.0.clone(), id: self.actor.1 },
            request_id: None,
            origin: self.origin.clone(),
            personal: self.personal.clone(),
            at: self.at,
            data: self.data.clone(),
        }
    }
}

impl Deliveries {
    /// What a delivery says; nothing where the message is gone that it is a copy of.
    pub(super) async fn content_of(&self, delivery: &Delivery) -> Result<Option<Content>, Failure> {
        match delivery.message_id {
            Some(message) => Ok(self.messages.find(message).await?.map(Content::Message)),
            None => self.open(delivery.id, &delivery.content).map(Some),
        }
    }

    pub(super) fn seal(&self, id: DeliveryId, content: &Content) -> Result<Vec<u8>, Failure> {
        let plain = serde_json::to_vec(content).map_err(internal)?;
        let sealed = self.deps.vault.seal(self.deps.random.as_ref(), &context(id), &plain).map_err(internal)?;
        Ok(sealed.0)
    }

    pub(super) fn open(&self, id: DeliveryId, content: &[u8]) -> Result<Content, Failure> {
        let plain = self.deps.vault.open(&context(id), &Sealed(content.to_vec())).map_err(internal)?;
        serde_json::from_slice(&plain).map_err(internal)
    }
}

fn context(id: DeliveryId) -> String {
    place("deliveries", "content", id)
}

#[cfg(test)]
mod tests {
    use userd_model::UserId;

    use super::*;

    fn fact() -> Fact {
        Fact {
            id: EventId::from_random([3; 16]),
            kind: "user.username_changed".to_owned(),
            public: true,
            subject: UserId::from_random([1; 16]).into(),
            number: 7,
            actor: UserId::from_random([2; 16]).into(),
            request_id: None,
            origin: Some(Sealed(vec![1])),
            personal: Some(Sealed(vec![2])),
            at: Timestamp::from_seconds(1_800_000_000),
            data: serde_json::json!({ "role": "editor" }),
        }
    }

    /// Whom a fact concerns is told all of it; in the delivery to another service not even what is sealed lies.
    #[test]
    fn a_fact_is_the_same_in_a_notice_and_without_what_is_personal_for_others() {
        let fact = fact();
        assert_eq!(Notice::of(&fact).fact(), fact);
        assert_eq!(Notice::public(&fact).fact(), Fact { origin: None, personal: None, ..fact });
    }

    #[test]
    fn an_event_that_is_sent_again_says_what_it_said_and_not_who_did_it() {
        let fact = fact();
        let event = fact.at_position(3, 4, fact.at);
        let without = Fact { actor: FactActor::unknown(), origin: None, personal: None, ..fact };
        assert_eq!(Notice::of_event(&event).fact(), without);
    }
}
