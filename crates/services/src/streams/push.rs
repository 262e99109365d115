//! Taking signals to receivers (RFC 8935), in the order of each stream, by one replica at a time. A receiver that does not
//! answer is left alone for longer and longer, and nobody else waits for it; what it has not taken stays in the queue.

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, task::JoinSet};
use userd_channels::webhook::{SecurityEventCall, SecurityEventFault};
use userd_model::{QueuedSignal, Stream};
use userd_storage::Failure;

use super::{Push, Streams, stored_url};
use crate::{Services, faults::Outage, user_reader::internal};

/// Signals of one stream in one round; then it is the others' turn.
const BATCH: usize = 50;
/// Receivers that are called at the same time.
const AT_ONCE: usize = 16;
/// How often it is looked whether something is to be pushed, where nothing happens here.
const LOOK: Duration = Duration::from_secs(1);
/// The same where no stream is pushed: one that is made here wakes us.
const LOOK_FOR_STREAMS: Duration = Duration::from_secs(5);
/// The longest that a receiver is left alone, unless it asks for more.
const LONGEST_WAIT: Duration = Duration::from_mins(5);

impl Streams {
    /// Pushes what waits, until it is told to stop.
    pub(crate) async fn work(services: Arc<Services>, mut stop: watch::Receiver<bool>) {
        let (mut outage, mut news) = (Outage::default(), None);
        loop {
            let streams = &services.streams;
            let woken = streams.woken.notified();
            let round = services.push_signals().await;
            if let Some(failure) = outage.begins(&round) {
                tracing::warn!(%failure, "shared signals are not pushed; it will be tried again until it works");
            }
            let failing = outage.lasts();
            let round = round.unwrap_or_default();
            if round.taken > 0 && !*stop.borrow() {
                continue;
            }
            // The end of the log is looked at for those alone who wait for it.
            let is_new = round.has_streams && news.is_none();
            news = news.filter(|_| round.has_streams).or_else(|| round.has_streams.then(|| streams.events.news()));
            if is_new {
                continue;
            }
            let wait = if round.has_streams { LOOK } else { LOOK_FOR_STREAMS };
            tokio::select! {
                () = appended(&mut news), if !failing => {}
                () = woken, if !failing => {}
                () = tokio::time::sleep(wait) => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
    }

    /// The next key is made in time.
    ///
    /// # Errors
    /// Faults of storage and cryptography.
    pub async fn keep_keys(&self) -> Result<(), Failure> {
        self.keys.tick().await
    }

    pub(crate) async fn give_back(&self) -> Result<(), Failure> {
        if self.leases.held().is_empty() { Ok(()) } else { self.leases.give_back().await }
    }

    /// Those of the pushed streams that a push is due for; none where another replica pushes.
    async fn due(&self, mut streams: Vec<Stream>) -> Result<Vec<Stream>, Failure> {
        let now = self.deps.now();
        let mut reading = self.deps.store.reading();
        streams.retain(|stream| stream.due_at <= now);
        if streams.is_empty() {
            return Ok(streams);
        }
        self.leases.take(now).await?;
        if self.leases.held().is_empty() {
            return Ok(Vec::new());
        }
        let mut due = Vec::new();
        for stream in streams {
            let client = reading.clients().find(stream.client_id).await?;
            // Whoever is disabled is told nothing more; what waits stays until it is removed.
            if client.is_some_and(|client| client.disabled_at.is_none()) {
                due.push(stream);
            }
        }
        Ok(due)
    }

    /// Pushes to one receiver until nothing waits or something goes wrong. Answers how many were taken.
    async fn push_all(&self, stream: &Stream) -> Result<usize, Failure> {
        let Some(sealed) = &stream.push else { return Ok(0) };
        let push = self.open(stream.id, sealed)?;
        let front = self.front(stream, BATCH).await?;
        let mut taken = 0;
        for signal in &front.signals {
            if !self.push_one(stream, &push, signal, taken).await? {
                break;
            }
            taken += 1;
        }
        Ok(taken)
    }

    /// Answers whether it goes on with the next one.
    async fn push_one(
        &self,
        stream: &Stream,
        push: &Push,
        signal: &QueuedSignal,
        before: usize,
    ) -> Result<bool, Failure> {
        let (url, authorization) = (&stored_url(push)?, push.authorization_header.as_deref());
        let token = self.keys.signer().await?.sign(&signal.payload).map_err(internal)?;
        let call = SecurityEventCall { url, authorization, token, at: self.deps.now() };
        let fault = match self.sender.push(call).await {
            Ok(()) => {
                count("taken");
                self.record(stream.id, Some(signal.id), Stream::pushed).await?;
                return Ok(true);
            }
            Err(fault) => fault,
        };
        // What was taken in this round has begun the count anew.
        let attempts = if before == 0 { stream.attempts } else { 0 };
        let settings = self.deps.settings.webhooks;
        if let SecurityEventFault::Rejected(reason) = &fault
            && attempts + 1 >= settings.tries
        {
            count("refused");
            tracing::warn!(stream = %stream.id, jti = %signal.id, reason, "a shared signal is given up");
            self.record(stream.id, Some(signal.id), Stream::pushed).await?;
            return Ok(true);
        }
        count("retried");
        let wait = match &fault {
            SecurityEventFault::Unavailable { retry_after: Some(wait), .. } => *wait,
            _ => self.back_off(attempts),
        };
        let since = stream.failing_since.filter(|_| before == 0);
        tracing::debug!(stream = %stream.id, %fault, "a shared signal was not taken; later");
        self.record(stream.id, None, |stream, now| {
            stream.push_failed(wait, settings.disable_after, now);
        })
        .await?;
        if since.is_some_and(|since| self.deps.now().since(since) >= settings.disable_after) {
            tracing::warn!(stream = %stream.id, %fault, "a stream of shared signals is paused; `userd streams resume` goes on");
            self.pause(stream.id, "every push has failed for days").await?;
        }
        Ok(false)
    }

    /// One second, two, four … and a part by chance, so that receivers that fell together are not called together.
    fn back_off(&self, attempts: i64) -> Duration {
        let seconds = 1_u64 << attempts.clamp(0, 8);
        let [chance, ..] = self.deps.random.id_bytes();
        let wait = Duration::from_secs(seconds) + Duration::from_millis(seconds * u64::from(chance));
        wait.min(LONGEST_WAIT)
    }
}

/// What a round came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// How many signals were taken.
    pub taken: usize,
    /// Whether any stream is pushed.
    pub has_streams: bool,
}

impl Services {
    /// One round of pushes.
    ///
    /// # Errors
    /// Storage faults. What a receiver does is none.
    pub async fn push_signals(self: &Arc<Self>) -> Result<Round, Failure> {
        let mut streams = self.deps.store.reading().streams().all().await?;
        streams.retain(|stream| stream.push.is_some());
        let mut round = Round { taken: 0, has_streams: !streams.is_empty() };
        let (mut left, mut calls) = (self.streams.due(streams).await?.into_iter(), JoinSet::new());
        loop {
            while calls.len() < AT_ONCE
                && let Some(stream) = left.next()
            {
                let services = Arc::clone(self);
                calls.spawn(async move { services.streams.push_all(&stream).await });
            }
            match calls.join_next().await {
                None => return Ok(round),
                Some(taken) => round.taken += taken.map_err(internal)??,
            }
        }
    }
}

/// Something was appended to the log; never, where nobody listens.
async fn appended(news: &mut Option<watch::Receiver<i64>>) {
    match news {
        Some(news) => drop(news.changed().await),
        None => std::future::pending().await,
    }
}

fn count(outcome: &'static str) {
    metrics::counter!("userd_signals_total", "delivery" => "push", "outcome" => outcome).increment(1);
}
