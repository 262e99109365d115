//! Taking signals by asking (RFC 8936): what was taken before is acknowledged, and where nothing waits the answer is held
//! back until something does.

use std::{collections::BTreeMap, pin::pin, time::Duration};

use userd_model::{Act, Refusal, StreamId};
use userd_storage::Failure;
use uuid::Uuid;

use super::Streams;
use crate::{Context, limits::Limited, user_reader::internal};

/// The most signals in one answer.
const MOST: usize = 100;
/// The most that can be acknowledged at once.
const MOST_ACKNOWLEDGED: usize = 1_000;
/// What another replica queued waits this long at most.
const LOOK: Duration = Duration::from_secs(1);

/// What a receiver asks for.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the members of RFC 8936")]
pub struct PollRequest {
    pub max_events: Option<usize>,
    pub return_immediately: bool,
    pub ack: Vec<String>,
    pub set_errs: BTreeMap<String, SetError>,
}

/// Why a receiver does not take a signal.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the members of RFC 8936")]
pub struct SetError {
    pub err: String,
    pub description: Option<String>,
}

/// What it gets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PollAnswer {
    /// The tokens by their `jti`.
    pub sets: BTreeMap<String, String>,
    /// Whether more wait.
    pub more_available: bool,
}

impl Streams {
    /// Forgets what is acknowledged, and answers what waits. `end` ends the wait.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound` (also for a stream that is pushed), `InvalidInput`, `TooManyAttempts`.
    pub async fn poll(
        &self,
        ctx: &Context,
        id: StreamId,
        request: PollRequest,
        end: impl Future<Output = ()> + Send,
    ) -> Result<PollAnswer, Failure> {
        let stream = self.find(ctx, &Act::ReadStreams, id).await?;
        if stream.push.is_some() {
            return Err(Refusal::NotFound.into());
        }
        self.limits.reserve(Limited::StreamPoll, &stream.client_id.to_string()).await?;
        self.acknowledge(id, &request).await?;
        let most = request.max_events.unwrap_or(MOST).min(MOST);
        if most == 0 {
            return Ok(PollAnswer::default());
        }
        // Before reading: what is appended while the database is asked wakes up at once.
        let (mut news, mut end) = (self.events.news(), pin!(end));
        loop {
            let woken = self.woken.notified();
            let stream = self.find(ctx, &Act::ReadStreams, id).await?;
            let front = self.front(&stream, most).await?;
            if request.return_immediately || !front.signals.is_empty() {
                let mut answer = PollAnswer { sets: BTreeMap::new(), more_available: front.has_more };
                let signer = self.keys.signer().await?;
                for signal in front.signals {
                    answer.sets.insert(signal.id.to_string(), signer.sign(&signal.payload).map_err(internal)?);
                }
                return Ok(answer);
            }
            tokio::select! {
                biased;
                () = &mut end => return Ok(PollAnswer::default()),
                _ = news.changed() => {}
                () = woken => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    async fn acknowledge(&self, id: StreamId, request: &PollRequest) -> Result<(), Failure> {
        if request.ack.len() + request.set_errs.len() > MOST_ACKNOWLEDGED {
            return Err(Refusal::field("/ack", "must have at most 1000 items, setErrs included").into());
        }
        // What is no id of ours was never sent: nothing to forget, to count or to tell.
        let id_of = |jti: &String| Uuid::try_parse(jti).ok();
        let named: Vec<Uuid> = request.ack.iter().chain(request.set_errs.keys()).filter_map(id_of).collect();
        if named.is_empty() {
            return Ok(());
        }
        let removed = self.take(id, &named).await?;
        // By their ids: one may be written in two ways.
        let refused = request.set_errs.iter().filter_map(|(jti, fault)| Some((id_of(jti)?, fault)));
        let refused: BTreeMap<Uuid, &SetError> = refused.filter(|(jti, _)| removed.contains(jti)).collect();
        for (jti, fault) in &refused {
            let (err, said) = (shortened(&fault.err), shortened(fault.description.as_deref().unwrap_or_default()));
            tracing::warn!(stream = %id, %jti, err, said, "the receiver of a shared signal cannot use it");
        }
        count("taken", removed.len() - refused.len());
        count("refused", refused.len());
        Ok(())
    }
}

fn count(outcome: &'static str, signals: usize) {
    metrics::counter!("userd_signals_total", "delivery" => "poll", "outcome" => outcome).increment(signals as u64);
}

/// As much of somebody else's words as a log line bears.
pub(super) fn shortened(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}
