//! How often what happened in each hour, counted from facts: in the unit of work that passes them on, under the lease of
//! their shard, so that each is counted once whoever works and however often they try. Deliberately absent: anything that
//! is no fact, as attempts that failed.

use std::collections::BTreeMap;

use userd_model::{EventKind, Fact, Timestamp};
use userd_storage::{StoreError, UnitOfWork, repositories::hourly_counts::HourlyCount};

/// What is counted.
pub(crate) const COUNTED: [EventKind; 5] = [
    EventKind::SessionStarted,
    EventKind::UserRegistered,
    EventKind::RefreshTokenReplayed,
    EventKind::UserBlocked,
    EventKind::UserDeleted,
];

const HOUR: i64 = 3600 * 1_000_000;

/// When the hour of a moment begins.
pub(crate) const fn hour_of(at: Timestamp) -> Timestamp {
    Timestamp::from_micros(at.micros().div_euclid(HOUR) * HOUR)
}

/// What a shard's hours come to with these facts; to be written in the same unit of work.
pub(crate) async fn with(uow: &mut UnitOfWork, shard: i64, facts: &[Fact]) -> Result<Vec<HourlyCount>, StoreError> {
    let mut hours: BTreeMap<Timestamp, BTreeMap<String, i64>> = BTreeMap::new();
    for fact in facts.iter().filter(|fact| COUNTED.iter().any(|kind| kind.as_str() == fact.kind)) {
        *hours.entry(hour_of(fact.at)).or_default().entry(fact.kind.clone()).or_default() += 1;
    }
    let mut all = Vec::with_capacity(hours.len());
    for (hour, more) in hours {
        let known = uow.hourly_counts().find(shard, hour).await?;
        let mut counted = known.unwrap_or_else(|| HourlyCount { shard, hour, counts: BTreeMap::new() });
        for (kind, number) in more {
            *counted.counts.entry(kind).or_default() += number;
        }
        all.push(counted);
    }
    Ok(all)
}
