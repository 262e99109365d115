//! Whether a stream is on, and the proof that it lives.

use std::time::Duration;

use serde::Serialize;
use serde_json::json;
use userd_model::{Act, Refusal, Stream, StreamId, StreamStatus, text};
use userd_storage::Failure;

use super::{Streams, owned, queue, told};
use crate::{Context, change::Change, events::EventStart};

const VERIFICATION: &str = "https://schemas.openid.net/secevent/ssf/event-type/verification";
const UPDATED: &str = "https://schemas.openid.net/secevent/ssf/event-type/stream-updated";
/// The longest `state` that comes back.
const MAX_STATE: usize = 1_024;

/// Whether a stream is on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the members of the specification")]
pub struct StatusView {
    pub stream_id: StreamId,
    pub status: &'static str,
    pub reason: Option<String>,
}

impl Streams {
    /// Whether it is on.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`.
    pub async fn status(&self, ctx: &Context, id: StreamId) -> Result<StatusView, Failure> {
        Ok(view(&self.find(ctx, &Act::ReadStreams, id).await?))
    }

    /// Switches it: `paused` holds what happens, `disabled` forgets what waits and what happens meanwhile. The receiver is
    /// told where it was not the receiver.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`, `InvalidInput`, `TooManyAttempts`.
    pub async fn set_status(
        &self,
        ctx: &Context,
        id: StreamId,
        status: &str,
        reason: Option<&str>,
    ) -> Result<StatusView, Failure> {
        self.changing(ctx, id).await?;
        let Some(status) = StreamStatus::parse(status) else {
            return Err(Refusal::field("/status", "must be enabled, paused or disabled").into());
        };
        let reason = reason.map(text::reason).transpose().map_err(|detail| Refusal::field("/reason", detail))?;
        self.switch(ctx, id, status, reason).await
    }

    /// The same by us, where a receiver has not answered for days.
    pub(super) async fn pause(&self, id: StreamId, reason: &str) -> Result<(), Failure> {
        let context = self.changes.system_context();
        self.switch(&context, id, StreamStatus::Paused, Some(reason.to_owned())).await.map(drop)
    }

    async fn switch(
        &self,
        ctx: &Context,
        id: StreamId,
        status: StreamStatus,
        reason: Option<String>,
    ) -> Result<StatusView, Failure> {
        let by_another = ctx.may(&Act::OverseeStreams).is_ok();
        let end = &self.events.read(EventStart::Now, 1).await?.next.into_positions();
        let reason = &reason;
        let stream = self
            .changes
            .run(ctx, "switch_stream", |mut change| async move {
                let mut stream = owned(&mut change, id).await?;
                let before = stream.status;
                stream.set_status(status, reason.clone(), change.now);
                if status == StreamStatus::Disabled {
                    queue::empty(&mut change, id).await?;
                } else if before == StreamStatus::Disabled {
                    stream.cursor.clone_from(end);
                }
                if by_another && before != status {
                    self.say_updated(&mut change, &stream).await?;
                } else {
                    change.streams().update(&stream).await?;
                }
                told(&mut change, &stream);
                change.commit(stream).await
            })
            .await?;
        self.woken.notify_waiters();
        Ok(view(&stream))
    }

    async fn say_updated(&self, change: &mut Change<'_>, stream: &Stream) -> Result<(), Failure> {
        let mut body = json!({ "status": stream.status.as_str() });
        if let (Some(reason), Some(members)) = (&stream.reason, body.as_object_mut()) {
            members.insert("reason".to_owned(), json!(reason));
        }
        self.say(change, stream.clone(), UPDATED, body).await
    }

    /// Sends a proof that the stream lives, with the `state` that the receiver gave.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`, `InvalidInput`; `TooManyAttempts` more often than once a minute.
    pub async fn verify(&self, ctx: &Context, id: StreamId, state: Option<&str>) -> Result<(), Failure> {
        self.manager(ctx).await?;
        self.find(ctx, &Act::ManageStreams, id).await?;
        if state.is_some_and(|state| state.len() > MAX_STATE) {
            return Err(Refusal::field("/state", "must have at most 1024 characters").into());
        }
        let body = &state.map_or_else(|| json!({}), |state| json!({ "state": state }));
        self.changes
            .run(ctx, "verify_stream", |mut change| async move {
                let mut stream = owned(&mut change, id).await?;
                if let Some(wait) = stream.verification_wait(change.now) {
                    return Err(Refusal::TooManyAttempts(wait.max(Duration::from_secs(1))).into());
                }
                stream.verified_at = Some(change.now);
                self.say(&mut change, stream, VERIFICATION, body.clone()).await?;
                change.commit(()).await
            })
            .await?;
        self.woken.notify_waiters();
        Ok(())
    }
}

fn view(stream: &Stream) -> StatusView {
    StatusView { stream_id: stream.id, status: stream.status.as_str(), reason: stream.reason.clone() }
}
