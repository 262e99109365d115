//! What every cache promises: one list of cases, run in process and on a real Redis (`USERD_TEST_REDIS`, or a private
//! server where redis-server is installed; with `USERD_TEST_REQUIRE_ALL=1` absence is a failure). Deliberately absent:
//! what happens when Redis fails (../faults.rs).

mod fanout;
mod limits;
mod typed;
mod values;

use std::{sync::Arc, time::Duration};

use crate::support::{ManualClock, TestRng, connected, patient, replica, server};
use userd_cache::{Cache, CacheOptions, Memory};

/// Two replicas of one cache; in process they are one and the same.
struct Fixture {
    a: Arc<dyn Cache>,
    b: Arc<dyn Cache>,
    clock: Option<Arc<ManualClock>>,
    redis: Option<(String, CacheOptions)>,
    _private: Option<server::Server>,
}

impl Fixture {
    fn memory() -> Self {
        let clock = Arc::new(ManualClock::default());
        let cache = Arc::new(Memory::new(&CacheOptions::new(clock.clone(), Arc::new(TestRng))));
        Self { a: cache.clone(), b: cache, clock: Some(clock), redis: None, _private: None }
    }

    async fn redis() -> Option<Self> {
        let (url, private) = match server::given() {
            Some(url) => (url, None),
            None => {
                if !server::installed() {
                    return None;
                }
                let private = server::Server::start().await;
                (private.url(), Some(private))
            }
        };
        let prefix = format!("test-{:x}", u128::from_be_bytes(userd_model::Random::id_bytes(&TestRng)));
        let options = CacheOptions { key_prefix: prefix, ..patient() };
        let a = replica(&url, options.clone()).await;
        let b = replica(&url, options.clone()).await;
        connected(&*a).await;
        connected(&*b).await;
        Some(Self { a, b, clock: None, redis: Some((url, options)), _private: private })
    }

    /// A replica that has nothing in its own memory.
    async fn fresh(&self) -> Arc<dyn Cache> {
        match &self.redis {
            Some((url, options)) => replica(url, options.clone()).await,
            None => self.a.clone(),
        }
    }

    /// Lets a little time pass.
    async fn tick(&self) {
        match &self.clock {
            Some(clock) => clock.advance(Duration::from_millis(5)),
            None => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    }
}

macro_rules! contract {
    ($($room:ident: $case:ident),+ $(,)?) => {
        mod in_process {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::$room::$case(super::Fixture::memory()).await;
            })+
        }
        mod on_redis {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                if let Some(fixture) = super::Fixture::redis().await {
                    super::$room::$case(fixture).await;
                }
            })+
        }
    };
}

contract![
    values: what_was_put_is_read_by_every_replica,
    values: a_value_ends_with_its_time,
    values: an_older_version_never_replaces_a_newer_one,
    values: racing_late_writes_leave_the_newest,
    values: an_invalidated_value_is_gone_on_every_replica,
    values: a_late_write_cannot_bring_back_what_was_invalidated,
    values: a_local_invalidation_takes_effect_at_once,
    values: a_floor_holds_as_long_as_any_value_lives,
    values: no_value_of_one_id_answers_another,
    typed: a_hundred_misses_load_once,
    typed: a_load_that_is_dropped_or_panics_wedges_nobody,
    typed: an_absence_is_not_remembered,
    typed: a_failed_load_is_shared_and_not_remembered,
    typed: a_value_that_carries_another_id_is_a_miss,
    typed: a_change_during_the_load_is_loaded_again,
    limits: a_burst_of_one_allows_exactly_one,
    limits: a_storm_never_gets_more_than_the_burst,
    limits: an_allowance_comes_back_over_time_and_not_before,
    limits: a_refund_gives_back_exactly_one,
    limits: a_reset_makes_the_allowance_whole_on_every_replica,
    limits: limits_and_keys_do_not_share_allowances,
    fanout: a_message_reaches_every_replica_once_and_in_order,
];
