//! At a glance: how often what happened in the last day and month, how far behind the queues are, whether the database
//! serves. Of the process that answers only its own state is told; the counts are everybody's.

use std::{collections::BTreeMap, time::Duration};

use userd_model::{Act, DeliveryState, EventKind, Timestamp};
use userd_storage::{
    Failure,
    repositories::{hourly_counts::HourlyCount, outbox::SHARDS},
};

use crate::{
    Context, Dependencies,
    health::{DatabaseHealth, Health},
    hourly_counts::hour_of,
};

const HOURS: usize = 24;
const DAYS: usize = 30;
const AN_HOUR: Duration = Duration::from_secs(3600);
const A_DAY: Duration = Duration::from_secs(24 * 3600);
/// More hours than are kept.
const MOST: u32 = 1_000;

/// Tells how it goes.
pub struct Overview {
    deps: Dependencies,
}

/// How often one kind of fact happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frequency {
    /// In each of the last 24 hours, the present one last.
    pub hours: Vec<u64>,
    /// In each 24 hours of the last 30 times 24, those up to the present hour last.
    pub days: Vec<u64>,
}

/// How often what happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frequencies {
    /// Sessions that began.
    pub sign_ins: Frequency,
    /// Accounts that were made.
    pub registrations: Frequency,
    /// Sessions that ended because two parties held their refresh token.
    pub replays: Frequency,
    /// Accounts that were blocked.
    pub blocks: Frequency,
    /// Accounts that were deleted.
    pub deletions: Frequency,
}

/// How far behind the queues are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queues {
    /// How long the oldest fact has been waiting for the event log.
    pub facts: Option<Duration>,
    /// How long the oldest message has been waiting.
    pub deliveries: Option<Duration>,
    /// Whether there are messages that nobody tries any more.
    pub has_dead: bool,
}

impl Overview {
    pub(crate) const fn new(deps: Dependencies) -> Self {
        Self { deps }
    }

    /// How often what happened.
    ///
    /// # Errors
    /// `Forbidden`; storage faults.
    pub async fn frequencies(&self, ctx: &Context) -> Result<Frequencies, Failure> {
        ctx.may(&Act::ListUsers)?;
        let now = self.deps.now();
        // The present hour ends within it, so the last day ends with it too.
        let end = hour_of(now).plus(AN_HOUR);
        let first = end.minus(A_DAY.saturating_mul(30));
        let counted = self.deps.store.reading().hourly_counts().since(first, MOST).await?;
        let of = |kind: EventKind| frequency(&counted, kind.as_str(), end);
        Ok(Frequencies {
            sign_ins: of(EventKind::SessionStarted),
            registrations: of(EventKind::UserRegistered),
            replays: of(EventKind::RefreshTokenReplayed),
            blocks: of(EventKind::UserBlocked),
            deletions: of(EventKind::UserDeleted),
        })
    }

    /// How far behind the queues are.
    ///
    /// # Errors
    /// `Forbidden`; storage faults.
    pub async fn queues(&self, ctx: &Context) -> Result<Queues, Failure> {
        ctx.may(&Act::ReadDeliveries)?;
        let now = self.deps.now();
        let mut reading = self.deps.store.reading();
        let mut oldest: Option<Timestamp> = None;
        for shard in 0..SHARDS {
            let first = reading.outbox().page(shard, None, 1).await?;
            oldest = first.into_iter().map(|fact| fact.at).chain(oldest).min();
        }
        let waiting = reading.deliveries().oldest_pending().await?;
        let dead = reading.deliveries().in_state(DeliveryState::Dead, None, 1).await?;
        Ok(Queues {
            facts: oldest.map(|at| now.since(at)),
            deliveries: waiting.map(|delivery| now.since(delivery.created_at)),
            has_dead: !dead.is_empty(),
        })
    }

    /// Whether the database serves this process.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn database(&self, ctx: &Context, health: &Health) -> Result<DatabaseHealth, Failure> {
        ctx.may(&Act::ListUsers)?;
        Ok(health.database().await)
    }
}

fn frequency(counted: &[HourlyCount], kind: &str, end: Timestamp) -> Frequency {
    let mut by_hour: BTreeMap<Timestamp, u64> = BTreeMap::new();
    for count in counted {
        let number = count.counts.get(kind).copied().and_then(|number| u64::try_from(number).ok()).unwrap_or(0);
        *by_hour.entry(count.hour).or_default() += number;
    }
    let sums = |number: usize, span: Duration| {
        let mut sums = vec![0; number];
        for (hour, times) in &by_hour {
            // The last one is the youngest.
            let age = end.since(*hour).saturating_sub(Duration::from_micros(1)).as_secs() / span.as_secs();
            let place = usize::try_from(age).ok().and_then(|age| number.checked_sub(age + 1));
            if let Some(sum) = place.and_then(|place| sums.get_mut(place)) {
                *sum += times;
            }
        }
        sums
    };
    Frequency { hours: sums(HOURS, AN_HOUR), days: sums(DAYS, A_DAY) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_put_where_they_belong() {
        let end = hour_of(Timestamp::from_seconds(1_795_961_000)).plus(AN_HOUR);
        let at = |hours: u64, shard: i64, number: i64| HourlyCount {
            shard,
            hour: end.minus(AN_HOUR * u32::try_from(hours).unwrap()),
            counts: [("user.registered".to_owned(), number), ("user.blocked".to_owned(), 7)].into(),
        };
        let counted = [at(1, 0, 2), at(1, 3, 1), at(24, 0, 5), at(25, 0, 10), at(720, 1, 4), at(721, 1, 100)];
        let found = frequency(&counted, "user.registered", end);
        assert_eq!((found.hours.len(), found.days.len()), (24, 30));
        assert_eq!((found.hours[23], found.hours[0], found.hours.iter().sum::<u64>()), (3, 5, 8));
        assert_eq!((found.days[29], found.days[28], found.days[0], found.days.iter().sum::<u64>()), (8, 10, 4, 22));
    }
}
