//! The reading end of the fan-out: one task per replica on a connection of its own (its reads wait for news). It
//! resumes by cursor after a break; gapless numbers tell it when something was lost for good. Deliberately absent:
//! what the messages mean to their subscribers.

use std::{
    convert::Infallible,
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use ::redis::{
    RedisResult, Value,
    streams::{StreamId, StreamReadReply},
};
use bytes::Bytes;

use super::{
    INVALIDATION, PAYLOAD, RedisLevel,
    connection::Connection,
    fanout_keys, layout,
    pause::{FIRST_PAUSE, longer},
};
use crate::{Memory, Message};

const BATCH: usize = 500;

pub(crate) struct Reader {
    l2: Arc<RedisLevel>,
    l1: Arc<Memory>,
    heard: Arc<AtomicBool>,
    place: Option<Place>,
}

/// Up to where the fan-out was read.
#[derive(PartialEq, Eq)]
struct Place {
    cursor: String,
    number: i64,
}

/// What it means that a read from a place brought nothing.
#[derive(Debug, PartialEq, Eq)]
enum Quiet {
    /// There is nothing.
    Nothing,
    /// There is something, which the next read must bring.
    Coming,
    /// What there was is lost.
    Lost,
}

impl Place {
    /// Reading from here brought nothing, and then the stream ended at `end`. `behind`: the read before that should have
    /// brought something too.
    fn quiet(&self, end: &Self, behind: bool) -> Quiet {
        if end == self {
            Quiet::Nothing
        } else if end.number <= self.number || behind {
            // The same number under another id was given out after a flush.
            Quiet::Lost
        } else {
            Quiet::Coming
        }
    }
}

impl Reader {
    /// A reader whose `heard` is true while it knows that it misses nothing.
    pub(crate) fn new(l2: Arc<RedisLevel>, l1: Arc<Memory>, heard: Arc<AtomicBool>) -> Self {
        Self { l2, l1, heard, place: None }
    }

    /// Takes the first place, so that everything published after this is heard. If it fails, `run` tries again.
    pub(crate) async fn begin(&mut self) -> RedisResult<()> {
        let mut connection = self.l2.connector.open(None).await?;
        self.place = Some(self.end(&mut connection).await?);
        self.heard.store(true, Ordering::Release);
        Ok(())
    }

    /// Reads for ever.
    pub(crate) async fn run(mut self) {
        let mut pause = FIRST_PAUSE;
        loop {
            let Err(error) = self.listen().await;
            tracing::debug!(%error, "the fan-out cannot be read");
            // It worked for a while: begin again with the short pause.
            pause = if self.heard.swap(false, Ordering::AcqRel) { FIRST_PAUSE } else { longer(pause) };
            tokio::time::sleep(pause).await;
        }
    }

    async fn listen(&mut self) -> RedisResult<Infallible> {
        let mut connection = self.l2.connector.open(None).await?;
        let mut wait = Duration::ZERO;
        let mut behind = false;
        loop {
            let Some(place) = &self.place else {
                let end = self.end(&mut connection).await?;
                self.lost(end);
                continue;
            };
            let batch = self.read(&mut connection, &place.cursor, wait).await?;
            let quiet = batch.is_empty();
            let all = batch.len() < BATCH;
            batch.into_iter().for_each(|message| self.hear(message));
            if quiet {
                behind = self.compare(&mut connection, behind).await?;
            }
            if all && !behind {
                self.heard.store(true, Ordering::Release);
            }
            wait = if all { self.l2.fanout_wait } else { Duration::ZERO };
        }
    }

    /// Nothing new came. Is that because the stream was flushed or replaced? Answers whether it has messages that the
    /// next read must bring; when that read brings none either, they are lost.
    async fn compare(&mut self, connection: &mut Connection, behind: bool) -> RedisResult<bool> {
        let end = self.end(connection).await?;
        let Some(place) = &self.place else { return Ok(false) };
        let quiet = place.quiet(&end, behind);
        if quiet == Quiet::Lost {
            self.lost(end);
        }
        Ok(quiet == Quiet::Coming)
    }

    /// Messages were missed: any value may have been invalidated, so all go, and subscribers are told to read again.
    fn lost(&mut self, end: Place) {
        self.gap();
        self.place = Some(end);
    }

    fn gap(&self) {
        tracing::info!("messages of the fan-out may have been missed; reading everything again");
        self.l1.forget_values();
        self.l1.tell(Message::Resync);
    }

    fn hear(&mut self, message: StreamId) {
        let number = message.get::<i64>("n").unwrap_or(0);
        let expected = self.place.as_ref().map_or(number, |place| place.number.saturating_add(1));
        if number != expected {
            self.gap();
        }
        let own = message.get::<String>("o").is_some_and(|origin| origin == self.l2.origin);
        if !own {
            self.deliver(&message);
        }
        self.place = Some(Place { cursor: message.id, number });
    }

    fn deliver(&self, message: &StreamId) {
        let kind = message.get::<String>("k").unwrap_or_default();
        let payload = message.get::<Vec<u8>>("p");
        match (kind.as_str(), payload) {
            (PAYLOAD, Some(payload)) => self.l1.tell(Message::Payload(Bytes::from(payload))),
            (INVALIDATION, Some(payload)) => match layout::read_invalidation(&payload) {
                Some((key, version)) => self.l1.drop_until(&key, version),
                None => self.gap(),
            },
            // A request to read again, or something that a newer release says: reading again is never wrong.
            _ => self.gap(),
        }
    }

    async fn read(&self, connection: &mut Connection, cursor: &str, wait: Duration) -> RedisResult<Vec<StreamId>> {
        let mut read = ::redis::cmd("XREAD");
        read.arg("COUNT").arg(BATCH);
        if !wait.is_zero() {
            read.arg("BLOCK").arg(super::millis(wait));
        }
        read.arg("STREAMS").arg(&self.l2.layout.stream).arg(cursor);
        let answer = self.in_time(wait, read.query_async::<Value>(connection)).await?;
        if answer == Value::Nil {
            return Ok(Vec::new());
        }
        let reply: StreamReadReply = ::redis::from_redis_value(answer)?;
        Ok(reply.keys.into_iter().flat_map(|key| key.ids).collect())
    }

    async fn end(&self, connection: &mut Connection) -> RedisResult<Place> {
        let call = fanout_keys(&self.l2.layout, &self.l2.layout.position);
        let (number, cursor) = self.in_time(Duration::ZERO, call.invoke_async::<(i64, String)>(connection)).await?;
        Ok(Place { cursor, number })
    }

    /// Allows a quarter of a second beyond the wait for news, so that a silent connection is noticed soon.
    async fn in_time<T>(&self, wait: Duration, work: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
        let grace = Duration::from_millis(250).max(self.l2.response_timeout);
        tokio::time::timeout(wait + grace, work)
            .await
            .unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(cursor: &str, number: i64) -> Place {
        Place { cursor: cursor.to_owned(), number }
    }

    /// A message that came between the read and the look at the end is no reason to read everything again.
    #[test]
    fn only_what_a_second_read_does_not_bring_is_lost() {
        let here = place("5-0", 5);
        assert_eq!(here.quiet(&place("6-0", 6), false), Quiet::Coming);
        assert_eq!(here.quiet(&place("6-0", 6), true), Quiet::Lost);
        for behind in [false, true] {
            assert_eq!(here.quiet(&place("5-0", 5), behind), Quiet::Nothing);
        }
    }

    #[test]
    fn an_end_that_lies_no_further_but_elsewhere_is_another_stream() {
        let here = place("5-0", 5);
        for elsewhere in [place("7-0", 5), place("1-0", 1), place("0-0", 0), place("5-0", 4)] {
            assert_eq!(here.quiet(&elsewhere, false), Quiet::Lost, "{}", elsewhere.cursor);
        }
    }
}
