//! The second level (L2): values, limits and messages in Redis. Every method answers within the response timeout and
//! says "no answer" instead of failing. Deliberately absent: what to do without an answer (tiered.rs).

mod address;
mod breaker;
mod connection;
mod layout;
mod pause;
mod reader;

use std::{sync::Arc, time::Duration};

use ::redis::{RedisResult, Script};
use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use self::{
    address::Address,
    breaker::{Breaker, Missed},
    connection::{Connection, Connector},
    layout::{Layout, Stored},
};
use crate::{CacheError, CacheKey, CacheOptions, Entry, Limit};

pub(crate) use self::reader::Reader;

pub(crate) fn check_url(url: &str) -> Result<(), CacheError> {
    Address::parse(url).map(drop)
}

/// Kinds of fan-out messages.
const PAYLOAD: &str = "m";
const INVALIDATION: &str = "i";
const RESYNC: &str = "r";

/// What Redis said about a read.
pub(crate) enum Found {
    /// A value and how long it may still live.
    Value(Entry, Duration),
    /// Everything below this version is out of date.
    Tombstone(i64),
    Nothing,
}

/// What Redis said about a write.
pub(crate) enum Kept {
    Yes,
    /// Something newer is there, of this version if it can be read.
    Newer(Option<i64>),
}

pub(crate) struct RedisLevel {
    connector: Connector,
    breaker: Breaker,
    layout: Layout,
    /// Names this replica in the fan-out, so that it does not hear itself.
    origin: String,
    response_timeout: Duration,
    floor_ttl: Duration,
    fanout_length: usize,
    fanout_wait: Duration,
}

impl RedisLevel {
    pub(crate) fn new(url: &str, options: &CacheOptions) -> Result<Self, CacheError> {
        let origin = options.random.id_bytes();
        Ok(Self {
            connector: Connector::new(Address::parse(url)?, options)?,
            breaker: Breaker::new(options.response_timeout),
            layout: Layout::new(&options.key_prefix),
            origin: format!("{:032x}", u128::from_be_bytes(origin)),
            response_timeout: options.response_timeout,
            floor_ttl: options.floor_ttl,
            fanout_length: options.fanout_length,
            fanout_wait: options.fanout_wait,
        })
    }

    pub(crate) fn answers(&self) -> bool {
        self.breaker.is_closed()
    }

    pub(crate) async fn get(&self, key: &CacheKey) -> Option<Found> {
        let call = self.layout.get.key(self.layout.value(key));
        let answer: Option<(Vec<u8>, u64)> =
            self.breaker.run("get", async |mut connection| call.invoke_async(&mut connection).await).await?;
        let Some((stored, life)) = answer else { return Some(Found::Nothing) };
        Some(match layout::read(&Bytes::from(stored)) {
            Some(Stored::Value(entry)) => Found::Value(entry, Duration::from_millis(life)),
            Some(Stored::Tombstone(version)) => Found::Tombstone(version),
            None => Found::Nothing,
        })
    }

    pub(crate) async fn put(&self, key: &CacheKey, entry: &Entry, ttl: Duration) -> Option<Kept> {
        let mut call = self.layout.put.key(self.layout.value(key));
        call.arg(layout::digits(entry.version)).arg(entry.bytes.as_ref()).arg(millis(ttl));
        let newer: Vec<u8> =
            self.breaker.run("put", async |mut connection| call.invoke_async(&mut connection).await).await?;
        Some(if newer.is_empty() { Kept::Yes } else { Kept::Newer(layout::newer(&newer)) })
    }

    /// Leaves a tombstone and tells the other replicas; what cannot be said now is said when Redis is back.
    pub(crate) async fn invalidate(&self, key: &CacheKey, version: i64) {
        // More than one turn only when the connection comes and goes within this call.
        for _ in 0..4 {
            let said =
                self.breaker.run("invalidate", async |connection| self.say_invalid(connection, key, version).await);
            if said.await.is_some() || self.breaker.miss(key, version) {
                return;
            }
        }
        self.breaker.put_back(Missed { invalidations: [(key.clone(), version)].into(), messages: false });
    }

    pub(crate) async fn publish(&self, message: &[u8]) {
        let said =
            self.breaker.run("publish", async |connection| self.append(connection, PAYLOAD, message).await).await;
        if said.is_none() {
            self.breaker.miss_message();
        }
    }

    /// Takes `cost` (−1 gives one back). Answers the microseconds to wait, zero when taken, and the debt after it.
    /// `seed` is the debt to start from if Redis does not know the cell.
    pub(crate) async fn take(&self, limit: &Limit, key: &str, cost: i64, seed: i64) -> Option<(i64, i64)> {
        let mut call = self.layout.gcra.key(self.layout.limit(limit.name, key));
        call.arg(limit.unit()).arg(limit.whole()).arg(cost).arg(seed);
        self.breaker.run("limit", async |mut connection| call.invoke_async(&mut connection).await).await
    }

    /// Makes the allowance whole, explicitly: an absent cell would mean "unknown".
    pub(crate) async fn reset(&self, limit: &Limit, key: &str) -> Option<()> {
        let name = self.layout.limit(limit.name, key);
        let life = millis(crate::gcra::micros(limit.whole()));
        self.breaker
            .run("limit", async |mut connection| {
                ::redis::cmd("SET").arg(&name).arg(0).arg("PX").arg(life).exec_async(&mut connection).await
            })
            .await
    }

    /// Keeps a connection for ever: whenever the breaker opens, tries until it can be closed.
    pub(crate) async fn keep_connected(self: Arc<Self>) {
        loop {
            let mut pause = self.breaker.wait_until_open().await;
            loop {
                tokio::time::sleep(pause).await;
                match self.reconnect().await {
                    Ok(()) => break,
                    Err(error) => tracing::debug!(%error, "redis is still away"),
                }
                pause = self.breaker.longer();
            }
            tracing::info!("redis is back");
        }
    }

    /// Opens a connection, proves that it answers and accepts writes in time, says what was missed, closes the breaker.
    pub(crate) async fn reconnect(&self) -> RedisResult<()> {
        let connection = self.connector.open(Some(self.response_timeout)).await?;
        self.prove(connection.clone()).await?;
        loop {
            let missed = self.breaker.take_missed();
            if let Err(error) = self.catch_up(&connection, &missed).await {
                self.breaker.put_back(missed);
                return Err(error);
            }
            if self.breaker.close(connection.clone()) {
                return Ok(());
            }
        }
    }

    async fn prove(&self, mut connection: Connection) -> RedisResult<()> {
        let mut write = ::redis::cmd("SET");
        write.arg(self.layout.probe()).arg(&self.origin).arg("PX").arg(1000);
        tokio::time::timeout(self.response_timeout, write.exec_async(&mut connection))
            .await
            .unwrap_or_else(|_| Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()))
    }

    async fn catch_up(&self, connection: &Connection, missed: &Missed) -> RedisResult<()> {
        stream::iter(&missed.invalidations)
            .map(Ok)
            .try_for_each_concurrent(64, |(key, version)| self.say_invalid(connection.clone(), key, *version))
            .await?;
        if missed.messages {
            self.append(connection.clone(), RESYNC, b"").await?;
        }
        Ok(())
    }

    async fn say_invalid(&self, mut connection: Connection, key: &CacheKey, version: i64) -> RedisResult<()> {
        let mut call = self.layout.invalidate.key(self.layout.value(key));
        call.arg(layout::digits(version)).arg(millis(self.floor_ttl));
        let payload = layout::invalidation(key, version);
        // Both at once: who hears of it first refuses the old value by its own floor.
        let told = self.append(connection.clone(), INVALIDATION, &payload);
        let (left, told) = tokio::join!(call.invoke_async::<i64>(&mut connection), told);
        left.and(told)
    }

    async fn append(&self, mut connection: Connection, kind: &str, payload: &[u8]) -> RedisResult<()> {
        let mut call = fanout_keys(&self.layout, &self.layout.publish);
        call.arg(self.fanout_length).arg(&self.origin).arg(kind).arg(payload);
        call.invoke_async::<i64>(&mut connection).await.map(|_number| ())
    }
}

fn fanout_keys<'a>(layout: &Layout, script: &'a Script) -> ::redis::ScriptInvocation<'a> {
    let mut call = script.key(&layout.stream);
    call.key(&layout.number);
    call
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX >> 16).clamp(1, u64::MAX >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Redis refuses a life of nothing, and one that is no signed number.
    #[test]
    fn a_life_is_at_least_a_millisecond_and_never_too_long_for_redis() {
        for (span, life) in [
            (Duration::ZERO, 1),
            (Duration::from_micros(999), 1),
            (Duration::from_micros(2_999), 2),
            (Duration::from_secs(60), 60_000),
            (Duration::MAX, u64::MAX >> 16),
        ] {
            assert_eq!(millis(span), life, "{span:?}");
        }
    }
}
