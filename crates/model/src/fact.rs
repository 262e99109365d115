//! A fact: what happened, to what, by whom, in which request. It is written to the outbox in the unit of work that made
//! it true, and read from there by the event log, by notifications and by audit.
//!
//! Its `data` are ids and words, never personal data. What is personal is sealed: `origin` under the key of whoever
//! acted, `personal` under that of the subject, so that erasing somebody's key erases both.

use uuid::Uuid;

use crate::{Actor, ClientId, EventId, InvitationId, MessageId, Sealed, StreamId, Timestamp, UserId, WebhookId};

/// What a fact is about. Open words, so that a release reads what the next one wrote.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    /// `user`, `client` …
    pub kind: String,
    /// Its id or name.
    pub id: String,
}

/// Who made a fact true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactActor {
    /// `user`, `service`, `operator`, `system`, or `anonymous` where nobody has proven who they are.
    pub kind: String,
    /// Of a user or a service.
    pub id: Option<Uuid>,
}

/// One fact.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    /// For whoever reads it to recognise it again.
    pub id: EventId,
    /// What happened: the word of an [`EventKind`](crate::EventKind), perhaps of a later release.
    pub kind: String,
    /// Whether it goes into the event log.
    pub public: bool,
    /// To what.
    pub subject: Subject,
    /// Counts up by one with each fact of the subject, from 1 on; 0 for facts from before there were numbers.
    pub number: i64,
    /// By whom.
    pub actor: FactActor,
    /// In which request.
    pub request_id: Option<String>,
    /// From where: sealed.
    pub origin: Option<Sealed>,
    /// What was before and what is now, and whatever else is personal: sealed.
    pub personal: Option<Sealed>,
    /// When.
    pub at: Timestamp,
    /// More ids and words; a JSON object without personal data.
    pub data: serde_json::Value,
}

/// A public fact in the event log.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// The part of the log: a hash of the subject.
    pub shard: i64,
    /// The place in the shard: from 1 on, without gaps.
    pub position: i64,
    /// The fact's.
    pub id: EventId,
    /// What happened.
    pub kind: String,
    /// To what.
    pub subject: Subject,
    /// Which of the subject's facts it is. Facts that are not public leave gaps.
    pub number: i64,
    /// When.
    pub at: Timestamp,
    /// How long it is kept.
    pub expires_at: Timestamp,
    /// More ids and words.
    pub data: serde_json::Value,
}

impl Fact {
    /// The event that tells of it, at this place of the log.
    #[must_use]
    pub fn at_position(&self, shard: i64, position: i64, expires_at: Timestamp) -> Event {
        Event {
            shard,
            position,
            id: self.id,
            kind: self.kind.clone(),
            subject: self.subject.clone(),
            number: self.number,
            at: self.at,
            expires_at,
            data: self.data.clone(),
        }
    }

    /// Under whose key the origin is sealed: the user's who acted, or that of the user to whom somebody unknown did it.
    /// Under none where no user is concerned.
    #[must_use]
    pub fn origin_keeper(&self) -> Option<UserId> {
        let unknown = || if self.actor.is_unknown() { self.subject.user_id() } else { None };
        self.actor.user_id().or_else(unknown)
    }
}

impl Subject {
    const USER: &str = "user";
    const CLIENT: &str = "client";
    const WEBHOOK: &str = "webhook";
    const STREAM: &str = "stream";
    const NOTIFICATION: &str = "notification";
    const INVITATION: &str = "invitation";
    const AUDIT_LOG: &str = "audit_log";

    /// The audit log of this name.
    #[must_use]
    pub fn audit_log(origin: &str) -> Self {
        Self { kind: Self::AUDIT_LOG.to_owned(), id: origin.to_owned() }
    }

    /// The role with this name.
    #[must_use]
    pub fn role(name: &str) -> Self {
        Self { kind: "role".to_owned(), id: name.to_owned() }
    }

    /// The signing key with this id.
    #[must_use]
    pub fn signing_key(kid: &str) -> Self {
        Self { kind: "signing_key".to_owned(), id: kid.to_owned() }
    }

    /// The permission with this name.
    #[must_use]
    pub fn permission(name: &str) -> Self {
        Self { kind: "permission".to_owned(), id: name.to_owned() }
    }

    /// The user that it is, if it is one.
    #[must_use]
    pub fn user_id(&self) -> Option<UserId> {
        if self.kind == Self::USER { self.id.parse().ok() } else { None }
    }
}

impl From<UserId> for Subject {
    fn from(id: UserId) -> Self {
        Self { kind: Self::USER.to_owned(), id: id.to_string() }
    }
}

impl From<ClientId> for Subject {
    fn from(id: ClientId) -> Self {
        Self { kind: Self::CLIENT.to_owned(), id: id.to_string() }
    }
}

impl From<WebhookId> for Subject {
    fn from(id: WebhookId) -> Self {
        Self { kind: Self::WEBHOOK.to_owned(), id: id.to_string() }
    }
}

impl From<StreamId> for Subject {
    fn from(id: StreamId) -> Self {
        Self { kind: Self::STREAM.to_owned(), id: id.to_string() }
    }
}

impl From<MessageId> for Subject {
    fn from(id: MessageId) -> Self {
        Self { kind: Self::NOTIFICATION.to_owned(), id: id.to_string() }
    }
}

impl From<InvitationId> for Subject {
    fn from(id: InvitationId) -> Self {
        Self { kind: Self::INVITATION.to_owned(), id: id.to_string() }
    }
}

impl FactActor {
    const USER: &str = "user";
    const ANONYMOUS: &str = "anonymous";

    /// Nobody that is known.
    #[must_use]
    pub fn unknown() -> Self {
        Self { kind: Self::ANONYMOUS.to_owned(), id: None }
    }

    /// Whether nobody has proven who acted.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.kind == Self::ANONYMOUS
    }

    /// The user that acted, if one did.
    #[must_use]
    pub fn user_id(&self) -> Option<UserId> {
        self.id.filter(|_| self.kind == Self::USER).map(UserId)
    }
}

impl From<&Actor> for FactActor {
    fn from(actor: &Actor) -> Self {
        let (kind, id) = match actor {
            Actor::Anonymous => return Self::unknown(),
            Actor::User { id, .. } => return (*id).into(),
            Actor::Service { id, .. } => ("service", Some(id.0)),
            Actor::Operator => ("operator", None),
            Actor::System => ("system", None),
        };
        Self { kind: kind.to_owned(), id }
    }
}

impl From<UserId> for FactActor {
    fn from(id: UserId) -> Self {
        Self { kind: Self::USER.to_owned(), id: Some(id.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SessionId;

    const ACTOR: UserId = UserId(Uuid::from_u128(1));
    const SUBJECT: UserId = UserId(Uuid::from_u128(2));

    fn fact(actor: FactActor, subject: Subject) -> Fact {
        Fact {
            id: EventId(Uuid::nil()),
            kind: "user.changed".to_owned(),
            public: true,
            subject,
            number: 7,
            actor,
            request_id: None,
            origin: None,
            personal: None,
            at: Timestamp::from_seconds(1),
            data: serde_json::json!({}),
        }
    }

    fn service() -> FactActor {
        let actor = Actor::Service { id: ClientId(Uuid::from_u128(3)), permissions: Vec::new(), prefix: None };
        FactActor::from(&actor)
    }

    /// Where it came from is personal: of the user who acted, or of the one to whom somebody unknown did it.
    #[test]
    fn the_origin_is_kept_by_whom_it_tells_of() {
        for (actor, subject, keeper) in [
            (FactActor::from(ACTOR), Subject::from(SUBJECT), Some(ACTOR)),
            (FactActor::unknown(), Subject::from(SUBJECT), Some(SUBJECT)),
            (FactActor::unknown(), Subject::role("editor"), None),
            (service(), Subject::from(SUBJECT), None),
            (FactActor::from(&Actor::Operator), Subject::from(SUBJECT), None),
            (FactActor::from(ACTOR), Subject::role("editor"), Some(ACTOR)),
        ] {
            assert_eq!(fact(actor.clone(), subject.clone()).origin_keeper(), keeper, "{actor:?} {subject:?}");
        }
    }

    #[test]
    fn an_actor_is_told_by_a_word_and_an_id_where_there_is_one() {
        let user = Actor::User { id: ACTOR, session_id: SessionId(Uuid::nil()), permissions: Vec::new() };
        for (actor, kind, id, of_user) in [
            (FactActor::from(&user), "user", Some(ACTOR.0), Some(ACTOR)),
            (service(), "service", Some(Uuid::from_u128(3)), None),
            (FactActor::from(&Actor::Operator), "operator", None, None),
            (FactActor::from(&Actor::System), "system", None, None),
            (FactActor::from(&Actor::Anonymous), "anonymous", None, None),
        ] {
            assert_eq!((actor.kind.as_str(), actor.id, actor.user_id()), (kind, id, of_user));
            assert_eq!(actor.is_unknown(), kind == "anonymous");
        }
    }

    #[test]
    fn a_subject_is_a_user_by_its_kind_and_not_by_its_id() {
        assert_eq!(Subject::from(SUBJECT).user_id(), Some(SUBJECT));
        assert_eq!(Subject { kind: "client".to_owned(), ..Subject::from(SUBJECT) }.user_id(), None);
        assert_eq!(Subject { id: "nobody".to_owned(), ..Subject::from(SUBJECT) }.user_id(), None);
    }

    #[test]
    fn an_event_says_what_its_fact_does() {
        let (fact, expires_at) = (fact(ACTOR.into(), Subject::from(SUBJECT)), Timestamp::from_seconds(9));
        let event = fact.at_position(3, 4, expires_at);
        assert_eq!((event.shard, event.position, event.number, event.expires_at), (3, 4, 7, expires_at));
        assert_eq!((event.id, event.kind, event.subject, event.at), (fact.id, fact.kind, fact.subject, fact.at));
    }
}
