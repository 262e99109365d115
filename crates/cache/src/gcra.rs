//! Rate limits by GCRA: one number per key (the "theoretical arrival time"), a decision without a counter to reset.
//! This file holds the arithmetic and the in-process cells. Deliberately absent: which limits exist and what a
//! refusal means. The Redis form of the same arithmetic is `redis/gcra.lua`.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use userd_model::Timestamp;

/// `burst` units may be taken at once; they come back evenly over `period`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Names the limit; two limits never share allowances.
    pub name: &'static str,
    /// Most units at once. Zero refuses everything.
    pub burst: u32,
    /// Time in which a used-up allowance comes back whole.
    pub period: Duration,
}

/// Whether the asked units were taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitAnswer {
    /// Taken.
    Allowed,
    /// Nothing was taken; the same request is lawful after this wait if nobody else takes meanwhile. A request that
    /// costs more than the burst is never lawful and is answered with the whole period.
    RetryAfter(Duration),
}

impl LimitAnswer {
    /// Whether the units were taken.
    #[must_use]
    pub fn is_allowed(self) -> bool {
        self == Self::Allowed
    }
}

impl Limit {
    /// Microseconds in which one unit comes back, rounded up so that rounding never gives more than the burst.
    pub(crate) fn unit(&self) -> i64 {
        let period = i64::try_from(self.period.as_micros()).unwrap_or(i64::MAX >> 16);
        let burst = i64::from(self.burst.max(1));
        (period / burst + i64::from(period % burst != 0)).max(1)
    }

    /// Microseconds in which the whole burst comes back.
    pub(crate) fn whole(&self) -> i64 {
        self.unit().saturating_mul(i64::from(self.burst.max(1)))
    }

    /// The new debt (microseconds until the allowance is whole) after taking `cost`, or the time to wait.
    fn take(&self, debt: i64, cost: u32) -> Result<i64, Duration> {
        if cost > self.burst {
            return Err(self.period);
        }
        let after = debt.clamp(0, self.whole()).saturating_add(self.unit().saturating_mul(i64::from(cost)));
        match after.saturating_sub(self.whole()) {
            excess if excess > 0 => Err(micros(excess)),
            _ => Ok(after),
        }
    }
}

pub(crate) fn micros(count: i64) -> Duration {
    Duration::from_micros(u64::try_from(count).unwrap_or(0))
}

const SHARDS: usize = 32;

/// The in-process cells: 16 bytes of keyed hash and 8 of time each, no personal data. Bounded: cells that are whole
/// again go first; under a flood of new keys those closest to whole go, so a heavy offender is forgotten last.
pub(crate) struct Cells {
    shards: Vec<Mutex<HashMap<CellId, i64>>>,
    per_shard: usize,
    hashers: [RandomState; 2],
}

type CellId = (u64, u64);

impl Cells {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            per_shard: capacity.div_ceil(SHARDS).max(1),
            hashers: [RandomState::new(), RandomState::new()],
        }
    }

    /// Takes `cost` or says how long to wait.
    pub(crate) fn check(&self, limit: &Limit, key: &str, cost: u32, now: Timestamp) -> LimitAnswer {
        let (id, mut shard) = self.open(limit, key);
        let debt = debt_of(&shard, id, now);
        match limit.take(debt, cost) {
            Ok(after) => {
                self.store(&mut shard, id, after, now);
                LimitAnswer::Allowed
            }
            Err(wait) => LimitAnswer::RetryAfter(wait),
        }
    }

    pub(crate) fn refund(&self, limit: &Limit, key: &str, now: Timestamp) {
        let (id, mut shard) = self.open(limit, key);
        let debt = debt_of(&shard, id, now).min(limit.whole()).saturating_sub(limit.unit());
        self.store(&mut shard, id, debt, now);
    }

    /// How long until the allowance is whole: what this replica last knew.
    pub(crate) fn debt(&self, limit: &Limit, key: &str, now: Timestamp) -> i64 {
        let (id, shard) = self.open(limit, key);
        debt_of(&shard, id, now).clamp(0, limit.whole())
    }

    /// Takes over what a shared cell says. Zero forgets the cell.
    pub(crate) fn set_debt(&self, limit: &Limit, key: &str, debt: i64, now: Timestamp) {
        let (id, mut shard) = self.open(limit, key);
        self.store(&mut shard, id, debt.min(limit.whole()), now);
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner).len()).sum()
    }

    #[expect(clippy::indexing_slicing, reason = "the index is taken modulo the fixed length")]
    fn open(&self, limit: &Limit, key: &str) -> (CellId, MutexGuard<'_, HashMap<CellId, i64>>) {
        let [first, second] = &self.hashers;
        let id = (first.hash_one((limit.name, key)), second.hash_one((limit.name, key)));
        let index = usize::try_from(id.0 % SHARDS as u64).unwrap_or(0);
        (id, self.shards[index].lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn store(&self, shard: &mut HashMap<CellId, i64>, id: CellId, debt: i64, now: Timestamp) {
        if debt <= 0 {
            shard.remove(&id);
            return;
        }
        if shard.len() >= self.per_shard && !shard.contains_key(&id) {
            make_room(shard, now);
        }
        shard.insert(id, now.micros().saturating_add(debt));
    }
}

fn debt_of(shard: &HashMap<CellId, i64>, id: CellId, now: Timestamp) -> i64 {
    shard.get(&id).map_or(0, |whole_at| whole_at.saturating_sub(now.micros()).max(0))
}

/// Drops what is whole; when that is not enough, the eighth that is closest to whole. Linear, but at most once per
/// eighth of the shard.
fn make_room(shard: &mut HashMap<CellId, i64>, now: Timestamp) {
    let before = shard.len();
    shard.retain(|_, whole_at| *whole_at > now.micros());
    let room = before / 8 + 1;
    if before - shard.len() >= room {
        return;
    }
    let mut times: Vec<i64> = shard.values().copied().collect();
    let last = room.min(times.len()).saturating_sub(1);
    if last >= times.len() {
        return;
    }
    let (_, threshold, _) = times.select_nth_unstable(last);
    let threshold = *threshold;
    let mut left = room;
    shard.retain(|_, whole_at| {
        let goes = left > 0 && *whole_at <= threshold;
        left -= usize::from(goes);
        !goes
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Limit = Limit { name: "login", burst: 7, period: Duration::from_secs(1) };
    const NOW: Timestamp = Timestamp::from_seconds(1_000);

    #[test]
    fn a_period_that_does_not_divide_still_gives_the_whole_burst_and_no_more() {
        let cells = Cells::new(100);
        let allowed = (0..20).filter(|_| cells.check(&LIMIT, "a", 1, NOW).is_allowed()).count();
        assert_eq!(allowed, 7);
    }

    #[test]
    fn a_cost_above_the_burst_is_never_lawful() {
        let cells = Cells::new(100);
        assert_eq!(cells.check(&LIMIT, "a", 8, NOW), LimitAnswer::RetryAfter(LIMIT.period));
        assert!(cells.check(&LIMIT, "a", 7, NOW).is_allowed(), "and it took nothing");
    }

    #[test]
    fn a_limit_of_nothing_refuses_everything() {
        let nothing = Limit { burst: 0, ..LIMIT };
        assert!(!Cells::new(100).check(&nothing, "a", 1, NOW).is_allowed());
    }

    #[test]
    fn a_clock_that_jumps_back_locks_nobody_out_for_longer_than_the_period() {
        let cells = Cells::new(100);
        assert!(cells.check(&LIMIT, "a", 7, NOW).is_allowed());
        let hours_ago = NOW.minus(Duration::from_secs(7_200));
        let LimitAnswer::RetryAfter(wait) = cells.check(&LIMIT, "a", 1, hours_ago) else {
            unreachable!("the burst is used up");
        };
        assert!(wait <= LIMIT.period, "{wait:?}");
    }

    /// AC-023: a flood of new keys must not wash the counter of the attacked account away.
    #[test]
    fn cells_stay_bounded_and_the_heaviest_offender_is_kept() {
        let cells = Cells::new(320);
        assert!(cells.check(&LIMIT, "victim", 7, NOW).is_allowed());
        for other in 0..20_000 {
            assert!(cells.check(&LIMIT, &format!("other-{other}"), 1, NOW).is_allowed());
        }
        assert!(cells.len() <= 320, "{}", cells.len());
        assert!(!cells.check(&LIMIT, "victim", 1, NOW).is_allowed());
    }

    #[test]
    fn a_unit_is_rounded_up_and_never_nothing() {
        let of = |burst, period| Limit { name: "login", burst, period };
        let second = Duration::from_secs(1);
        for (limit, unit, whole) in [
            (of(7, second), 142_858, 1_000_006),
            (of(10, second), 100_000, 1_000_000),
            (of(1, second), 1_000_000, 1_000_000),
            (of(0, second), 1_000_000, 1_000_000),
            (of(3, Duration::ZERO), 1, 3),
        ] {
            assert_eq!((limit.unit(), limit.whole()), (unit, whole), "{limit:?}");
        }
    }

    #[test]
    fn what_just_fits_is_taken_and_the_wait_is_for_what_does_not() {
        let (unit, whole) = (LIMIT.unit(), LIMIT.whole());
        assert_eq!(LIMIT.take(0, 7), Ok(whole));
        assert_eq!(LIMIT.take(1, 7), Err(Duration::from_micros(1)));
        assert_eq!(LIMIT.take(whole - unit, 1), Ok(whole));
        assert_eq!(LIMIT.take(-5, 1), Ok(unit), "there is no credit");
        assert_eq!(LIMIT.take(2 * whole, 1), Err(micros(unit)), "and no debt beyond the whole");
        assert_eq!(LIMIT.take(3, 0), Ok(3));
    }

    #[test]
    fn a_debt_is_taken_over_given_back_and_paid_by_time() {
        let (cells, unit, whole) = (Cells::new(100), LIMIT.unit(), LIMIT.whole());
        cells.set_debt(&LIMIT, "a", 10 * whole, NOW);
        assert_eq!(cells.debt(&LIMIT, "a", NOW), whole);
        cells.refund(&LIMIT, "a", NOW);
        assert_eq!(cells.debt(&LIMIT, "a", NOW), whole - unit);
        let hours_ago = NOW.minus(Duration::from_secs(7_200));
        assert_eq!(cells.debt(&LIMIT, "a", hours_ago), whole, "never more, whatever the clock says");
        cells.refund(&LIMIT, "a", hours_ago);
        assert_eq!(cells.debt(&LIMIT, "a", hours_ago), whole - unit);
        assert_eq!(cells.debt(&LIMIT, "a", NOW), 0);
        cells.set_debt(&LIMIT, "a", unit, NOW);
        assert_eq!(cells.debt(&LIMIT, "a", NOW.plus(Duration::from_micros(1))), unit - 1);
        for forgets in [unit, 0] {
            cells.set_debt(&LIMIT, "a", unit, NOW);
            cells.refund(&LIMIT, "a", NOW);
            cells.set_debt(&LIMIT, "b", forgets, NOW);
            cells.refund(&LIMIT, "b", NOW);
            assert_eq!(cells.len(), 0, "what is whole is no cell");
        }
    }

    #[test]
    fn room_is_a_share_for_each_shard_and_at_least_one_cell() {
        for (capacity, per_shard) in [(0, 1), (1, 1), (SHARDS, 1), (SHARDS + 1, 2), (10 * SHARDS, 10)] {
            assert_eq!(Cells::new(capacity).per_shard, per_shard, "{capacity}");
        }
    }

    /// Of sixteen, three make room: an eighth and one.
    #[test]
    fn room_is_made_by_what_is_whole_and_then_by_what_is_closest_to_it() {
        let now = NOW.micros();
        let shard = |times: &[i64]| -> HashMap<CellId, i64> {
            (0_u64..).zip(times).map(|(id, time)| ((id, id), now + time)).collect()
        };
        let left = |times: &[i64]| {
            let mut shard = shard(times);
            make_room(&mut shard, NOW);
            let mut left: Vec<i64> = shard.into_values().map(|time| time - now).collect();
            left.sort_unstable();
            left
        };
        let whole: Vec<i64> = [-2, -1, 0].into_iter().chain(1..=13).collect();
        assert_eq!(left(&whole), (1..=13).collect::<Vec<_>>(), "enough are whole");
        assert_eq!(left(&(1..=16).collect::<Vec<_>>()), (4..=16).collect::<Vec<_>>(), "none is whole");
        let one: Vec<i64> = [0].into_iter().chain(1..=15).collect();
        assert_eq!(left(&one), (4..=15).collect::<Vec<_>>(), "one is whole, which is too little");
        assert_eq!(left(&[7; 16]), [7; 13], "of equal ones no more go");
        assert_eq!(left(&[7]), [0; 0]);
    }

    #[test]
    fn cells_that_are_whole_again_are_the_first_to_go() {
        let cells = Cells::new(SHARDS);
        for other in 0..2_000 {
            let moment = NOW.plus(Duration::from_secs(other));
            assert!(cells.check(&LIMIT, &format!("other-{other}"), 1, moment).is_allowed());
        }
        assert!(cells.len() <= SHARDS);
    }
}
