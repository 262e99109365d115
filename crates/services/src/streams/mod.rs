//! Shared signals: streams of security events that receivers set up themselves (OpenID Shared Signals 1.0), on the facts of
//! the event log. A stream is a place in the log and a short queue in front of it: what happens costs nothing more where
//! nobody listens, and what a receiver has not taken waits in the log.
//!
//! Deliberately absent: subjects that receivers add and remove. Every stream tells of everybody.

mod keys;
mod poll;
mod push;
mod queue;
mod signals;
mod status;

use std::{collections::BTreeSet, sync::Arc};

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use userd_channels::webhook::{WebhookSender, WebhookUrl};
use userd_crypto::place;
use userd_model::{
    Act, Actor, ClientId, EventKind, InvalidField, Refusal, Sealed, Signal, Stream, StreamId,
    stream::{MAX_STREAMS, MAX_STREAMS_OF_CLIENT, MIN_VERIFICATION_INTERVAL},
    text,
};
use userd_storage::Failure;

use self::keys::StreamKeys;
pub use self::{
    poll::{PollAnswer, PollRequest, SetError},
    push::Round,
    status::StatusView,
};
use crate::{
    Context, Dependencies,
    change::{Change, Changes},
    events::{EventStart, Events},
    limits::{Limited, Limits},
    role_reader::RoleReader,
    shard_leases::ShardLeases,
    signing_keys::SigningKeys,
    user_reader::internal,
};

/// RFC 8935.
pub const PUSH: &str = "urn:ietf:rfc:8935";
/// RFC 8936.
pub const POLL: &str = "urn:ietf:rfc:8936";
/// The most types that can be asked for.
const MAX_EVENTS: usize = 50;

/// Streams of shared signals.
pub struct Streams {
    deps: Dependencies,
    changes: Changes,
    limits: Limits,
    events: Events,
    roles: RoleReader,
    keys: StreamKeys,
    sender: Arc<WebhookSender>,
    leases: ShardLeases,
    /// Something was queued here.
    woken: Notify,
}

/// How signals are to reach a receiver.
#[derive(Clone)]
#[expect(missing_docs, reason = "the members of the specification")]
pub struct DeliveryInput {
    pub method: String,
    pub endpoint_url: Option<String>,
    pub authorization_header: Option<String>,
}

/// A stream as its receiver asks for it.
#[derive(Clone, Default)]
#[expect(missing_docs, reason = "the members of the specification")]
pub struct StreamInput {
    pub delivery: Option<DeliveryInput>,
    pub events_requested: Option<Vec<String>>,
    pub description: Option<String>,
}

/// A stream as its receiver sees it. What pushes authorize themselves with is not shown.
#[derive(Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the members of the specification")]
pub struct StreamView {
    pub stream_id: StreamId,
    pub client_id: ClientId,
    pub method: &'static str,
    /// None: its receiver polls.
    pub endpoint_url: Option<String>,
    pub events_requested: Vec<String>,
    pub events_delivered: Vec<&'static str>,
    pub description: Option<String>,
    pub status: &'static str,
    pub reason: Option<String>,
    pub min_verification_interval: u64,
    pub failing_since: Option<userd_model::Timestamp>,
}

/// Where signals are pushed to: sealed, since both may hold secrets.
#[derive(Serialize, Deserialize)]
struct Push {
    endpoint_url: String,
    authorization_header: Option<String>,
}

impl Streams {
    pub(crate) fn new(
        (deps, changes, limits): (Dependencies, Changes, Limits),
        events: Events,
        roles: RoleReader,
        signing_keys: SigningKeys,
        sender: Arc<WebhookSender>,
    ) -> Self {
        let keys = StreamKeys::new(deps.clone(), changes.clone(), signing_keys);
        let leases = ShardLeases::new(&deps, changes.clone(), "streams", 1);
        Self { deps, changes, limits, events, roles, keys, sender, leases, woken: Notify::new() }
    }

    /// Sets a stream up for the service account that asks. It tells of what happens from now on.
    ///
    /// # Errors
    /// `Forbidden`, `InvalidInput`, `TooManyStreams`, `TooManyAttempts`.
    pub async fn create(&self, ctx: &Context, input: StreamInput) -> Result<StreamView, Failure> {
        let client_id = self.manager(ctx).await?;
        let id = StreamId(uuid::Builder::from_random_bytes(self.deps.random.id_bytes()).into_uuid());
        let mut stream = Stream::new(id, client_id, self.deps.now());
        self.checked(id, input, true)?.apply(&mut stream);
        self.keys.make_first().await?;
        stream.cursor = self.events.read(EventStart::Now, 1).await?.next.into_positions();
        let stream = &stream;
        self.changes
            .run(ctx, "create_stream", |mut change| async move {
                let all = change.streams().all().await?;
                let own = all.iter().filter(|one| one.client_id == client_id).count();
                if own >= MAX_STREAMS_OF_CLIENT || all.len() >= MAX_STREAMS {
                    return Err(Refusal::TooManyStreams.into());
                }
                change.streams().insert(stream).await?;
                let data =
                    serde_json::json!({ "client_id": client_id, "events": stream.requested, "delivery": way(stream) });
                change.event(EventKind::StreamCreated, id, data);
                change.commit(()).await
            })
            .await?;
        self.woken.notify_waiters();
        self.view(stream)
    }

    /// The streams of whoever asks, oldest first; of everybody, to the operator.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn list(&self, ctx: &Context) -> Result<Vec<StreamView>, Failure> {
        let owner = owner(ctx, &Act::ReadStreams)?;
        let mut streams = self.deps.store.reading().streams().all().await?;
        streams.retain(|stream| owner.is_none_or(|owner| stream.client_id == owner));
        streams.sort_by_key(|stream| (stream.created_at, stream.id));
        streams.iter().map(|stream| self.view(stream)).collect()
    }

    /// One of them.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`.
    pub async fn read(&self, ctx: &Context, id: StreamId) -> Result<StreamView, Failure> {
        self.view(&self.find(ctx, &Act::ReadStreams, id).await?)
    }

    /// Changes a stream: what is not said stays, or, where it is replaced, goes back to what a new stream has.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`, `InvalidInput`, `TooManyAttempts`.
    pub async fn change(
        &self,
        ctx: &Context,
        id: StreamId,
        input: StreamInput,
        replaces: bool,
    ) -> Result<StreamView, Failure> {
        self.manager(ctx).await?;
        self.find(ctx, &Act::ManageStreams, id).await?;
        let wanted = &self.checked(id, input, replaces)?;
        let stream = self
            .changes
            .run(ctx, "change_stream", |mut change| async move {
                let mut stream = owned(&mut change, id).await?;
                wanted.apply(&mut stream);
                stream.pushed(change.now);
                stream.touch(change.now);
                change.streams().update(&stream).await?;
                told(&mut change, &stream);
                change.commit(stream).await
            })
            .await?;
        self.woken.notify_waiters();
        self.view(&stream)
    }

    /// Removes a stream and what waits in it.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`, `TooManyAttempts`.
    pub async fn remove(&self, ctx: &Context, id: StreamId) -> Result<(), Failure> {
        self.changing(ctx, id).await?;
        self.changes
            .run(ctx, "remove_stream", |mut change| async move {
                owned(&mut change, id).await?;
                queue::empty(&mut change, id).await?;
                change.streams().remove(id).await?;
                change.event(EventKind::StreamRemoved, id, serde_json::json!({}));
                change.commit(()).await
            })
            .await
    }

    /// The stream, if it is of whoever asks. That of another one is not there.
    async fn find(&self, ctx: &Context, act: &Act, id: StreamId) -> Result<Stream, Failure> {
        let owner = owner(ctx, act)?;
        let stream = self.deps.store.reading().streams().find(id).await?;
        let own = stream.filter(|stream| owner.is_none_or(|owner| stream.client_id == owner));
        Ok(own.ok_or(Refusal::NotFound)?)
    }

    /// The service account that manages its own.
    async fn manager(&self, ctx: &Context) -> Result<ClientId, Failure> {
        let client = owner(ctx, &Act::ManageStreams)?.ok_or(Refusal::Forbidden)?;
        self.count_change(client).await?;
        Ok(client)
    }

    /// A stream that is about to be changed by its owner, whose changes are counted, or by the operator.
    async fn changing(&self, ctx: &Context, id: StreamId) -> Result<(), Failure> {
        if let Some(client) = owner(ctx, &Act::ManageStreams)? {
            self.count_change(client).await?;
        }
        self.find(ctx, &Act::ManageStreams, id).await.map(drop)
    }

    async fn count_change(&self, client: ClientId) -> Result<(), Failure> {
        Ok(self.limits.reserve(Limited::StreamChange, &client.to_string()).await?)
    }

    /// What is asked for, if all of it is right.
    fn checked(&self, id: StreamId, input: StreamInput, replaces: bool) -> Result<Checked, Failure> {
        let mut wrong = Vec::new();
        let every = || Signal::ALL.iter().map(|signal| signal.uri().to_owned()).collect::<Vec<_>>();
        let requested = input.events_requested.or_else(|| replaces.then(every));
        if requested.as_ref().is_some_and(|all| !is_list_of_types(all)) {
            wrong.push(InvalidField::new("/events_requested", "must have 1 to 50 items of at most 500 characters"));
        }
        let description = match input.description.as_deref().map(text::reason) {
            Some(Err(detail)) => {
                wrong.push(InvalidField::new("/description", detail));
                None
            }
            Some(Ok(text)) => Some(Some(text)),
            None => replaces.then_some(None),
        };
        let push = match input.delivery {
            None => replaces.then_some(None),
            Some(delivery) => Some(self.push_of(delivery, &mut wrong)),
        };
        if !wrong.is_empty() {
            return Err(Refusal::InvalidInput(wrong).into());
        }
        let push = push.map(|push| push.map(|push| self.seal(id, &push)).transpose()).transpose()?;
        let requested = requested.map(|all| all.into_iter().collect::<BTreeSet<_>>().into_iter().collect());
        Ok(Checked { push, requested, description })
    }

    fn push_of(&self, delivery: DeliveryInput, wrong: &mut Vec<InvalidField>) -> Option<Push> {
        let mut refuse =
            |place: &str, detail: String| wrong.push(InvalidField::new(format!("/delivery/{place}"), detail));
        match delivery.method.as_str() {
            // Where to poll is not theirs to say.
            POLL => None,
            PUSH => {
                let url = delivery.endpoint_url.unwrap_or_default();
                if let Err(fault) = self.sender.url(&url) {
                    refuse("endpoint_url", fault.to_string());
                }
                let is_header =
                    |text: &String| text.len() <= 4096 && text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
                if delivery.authorization_header.as_ref().is_some_and(|text| !is_header(text)) {
                    refuse("authorization_header", "must have at most 4096 printable characters".to_owned());
                }
                Some(Push { endpoint_url: url, authorization_header: delivery.authorization_header })
            }
            _ => {
                refuse("method", format!("must be {PUSH} or {POLL}"));
                None
            }
        }
    }

    fn view(&self, stream: &Stream) -> Result<StreamView, Failure> {
        let push = stream.push.as_ref().map(|sealed| self.open(stream.id, sealed)).transpose()?;
        Ok(StreamView {
            stream_id: stream.id,
            client_id: stream.client_id,
            method: if push.is_some() { PUSH } else { POLL },
            endpoint_url: push.map(|push| push.endpoint_url),
            events_requested: stream.requested.clone(),
            events_delivered: stream.delivered().into_iter().map(Signal::uri).collect(),
            description: stream.description.clone(),
            status: stream.status.as_str(),
            reason: stream.reason.clone(),
            min_verification_interval: MIN_VERIFICATION_INTERVAL.as_secs(),
            failing_since: stream.failing_since,
        })
    }

    /// Bound to its row: what changes places opens nowhere.
    fn seal(&self, id: StreamId, push: &Push) -> Result<Sealed, Failure> {
        let plain = userd_crypto::Zeroizing::new(serde_json::to_vec(push).map_err(internal)?);
        self.deps.vault.seal(self.deps.random.as_ref(), &place("streams", "push", id), &plain).map_err(internal)
    }

    fn open(&self, id: StreamId, sealed: &Sealed) -> Result<Push, Failure> {
        let plain = self.deps.vault.open(&place("streams", "push", id), sealed).map_err(internal)?;
        serde_json::from_slice(&plain).map_err(|_| internal("no place that a stream is pushed to"))
    }
}

/// What is asked for, looked at.
struct Checked {
    push: Option<Option<Sealed>>,
    requested: Option<Vec<String>>,
    description: Option<Option<String>>,
}

impl Checked {
    fn apply(&self, stream: &mut Stream) {
        if let Some(push) = &self.push {
            stream.push.clone_from(push);
        }
        if let Some(requested) = &self.requested {
            stream.requested.clone_from(requested);
        }
        if let Some(description) = &self.description {
            stream.description.clone_from(description);
        }
    }
}

/// The service account whose streams are meant; none: all of them, which is for the operator and for us.
fn owner(ctx: &Context, act: &Act) -> Result<Option<ClientId>, Refusal> {
    if ctx.may(&Act::OverseeStreams).is_ok() {
        return Ok(None);
    }
    ctx.may(act)?;
    match &ctx.actor {
        Actor::Service { id, .. } => Ok(Some(*id)),
        _ => Err(Refusal::Forbidden),
    }
}

fn is_list_of_types(all: &[String]) -> bool {
    (1..=MAX_EVENTS).contains(&all.len()) && all.iter().all(|one| (1..=500).contains(&one.len()))
}

async fn owned(change: &mut Change<'_>, id: StreamId) -> Result<Stream, Failure> {
    Ok(change.streams().find(id).await?.ok_or(Refusal::NotFound)?)
}

/// Tells that somebody changed it.
fn told(change: &mut Change<'_>, stream: &Stream) {
    let (status, delivery) = (stream.status.as_str(), way(stream));
    let data = serde_json::json!({ "events": stream.requested, "delivery": delivery, "status": status });
    change.event(EventKind::StreamChanged, stream.id, data);
}

const fn way(stream: &Stream) -> &'static str {
    if stream.push.is_some() { "push" } else { "poll" }
}

/// Where a stored stream is pushed to.
fn stored_url(push: &Push) -> Result<WebhookUrl, Failure> {
    WebhookUrl::stored(&push.endpoint_url).ok_or_else(|| internal("no URL of a stream"))
}
