//! What every cache promises: one list of cases, run in process and on a real Redis (`USERD_TEST_REDIS`, or a private
//! server where redis-server is installed; with `USERD_TEST_REQUIRE_ALL=1` absence is a failure). Deliberately absent:
//! what happens when Redis fails (faults.rs).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use support::{Dice, HandClock, MINUTE, connected, entry, eventually, key, next, patient, replica, server};
use tokio::task::JoinSet;
use userd_cache::{Cache, CacheHealth, CacheKey, CacheOptions, Cached, Limit, LimitAnswer, Loaded, Memory, Message};

/// Two replicas of one cache; in process they are one and the same.
struct Stand {
    a: Arc<dyn Cache>,
    b: Arc<dyn Cache>,
    clock: Option<Arc<HandClock>>,
    redis: Option<(String, CacheOptions)>,
    _private: Option<server::Server>,
}

impl Stand {
    fn memory() -> Self {
        let clock = Arc::new(HandClock::default());
        let cache = Arc::new(Memory::new(&CacheOptions::new(clock.clone(), Arc::new(Dice))));
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
        let prefix = format!("test-{:x}", u128::from_be_bytes(userd_model::Random::id_bytes(&Dice)));
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
    ($($case:ident),+ $(,)?) => {
        mod in_process {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::$case(super::Stand::memory()).await;
            })+
        }
        mod on_redis {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                if let Some(stand) = super::Stand::redis().await {
                    super::$case(stand).await;
                }
            })+
        }
    };
}

contract![
    what_was_put_is_read_by_every_replica,
    a_value_ends_with_its_time,
    an_older_version_never_replaces_a_newer_one,
    racing_late_writes_leave_the_newest,
    an_invalidated_value_is_gone_on_every_replica,
    a_late_write_cannot_bring_back_what_was_invalidated,
    a_local_invalidation_takes_effect_at_once,
    no_value_of_one_id_answers_another,
    a_hundred_misses_load_once,
    a_load_that_is_dropped_or_panics_wedges_nobody,
    an_absence_is_not_remembered,
    a_failed_load_is_shared_and_not_remembered,
    a_value_that_carries_another_id_is_a_miss,
    a_change_during_the_load_is_loaded_again,
    a_storm_never_gets_more_than_the_burst,
    an_allowance_comes_back_over_time_and_not_before,
    a_refund_gives_back_exactly_one,
    a_reset_makes_the_allowance_whole_on_every_replica,
    limits_and_keys_do_not_share_allowances,
    a_message_reaches_every_replica_once_and_in_order,
];

async fn what_was_put_is_read_by_every_replica(stand: Stand) {
    assert_eq!(stand.a.get(&key("u")).await, None);
    let binary = userd_cache::Entry { version: i64::MAX, bytes: vec![0, 255, b'|', b'\r', b'\n'].into() };
    assert!(stand.a.put(&key("u"), binary.clone(), MINUTE).await);
    assert_eq!(stand.a.get(&key("u")).await, Some(binary.clone()));
    assert_eq!(stand.b.get(&key("u")).await, Some(binary));
    assert_ne!(stand.a.health().await, CacheHealth::Degraded);
}

async fn a_value_ends_with_its_time(stand: Stand) {
    let start = Instant::now();
    let ttl = Duration::from_millis(200);
    assert!(stand.a.put(&key("u"), entry(1, "one"), ttl).await);
    assert!(stand.b.get(&key("u")).await.is_some() || start.elapsed() >= ttl);
    eventually("expired at both", async || {
        stand.tick().await;
        stand.a.get(&key("u")).await.is_none() && stand.b.get(&key("u")).await.is_none()
    })
    .await;
    if stand.redis.is_some() {
        assert!(start.elapsed() >= ttl);
    }
}

async fn an_older_version_never_replaces_a_newer_one(stand: Stand) {
    assert!(stand.a.put(&key("u"), entry(5, "five"), MINUTE).await);
    assert!(!stand.a.put(&key("u"), entry(4, "four"), MINUTE).await);
    assert!(!stand.b.put(&key("u"), entry(-4, "minus four"), MINUTE).await);
    assert_eq!(stand.b.get(&key("u")).await, Some(entry(5, "five")));
    assert!(stand.b.put(&key("u"), entry(6, "six"), MINUTE).await);
    assert_eq!(stand.fresh().await.get(&key("u")).await, Some(entry(6, "six")));
}

async fn racing_late_writes_leave_the_newest(stand: Stand) {
    let mut writers = JoinSet::new();
    for turn in 0..200_i64 {
        // 83 and 200 have no common divisor: every version once, in no order.
        let version = turn * 83 % 200;
        let cache = if turn % 2 == 0 { stand.a.clone() } else { stand.b.clone() };
        writers.spawn(async move { cache.put(&key("u"), entry(version, &version.to_string()), MINUTE).await });
    }
    while let Some(writer) = writers.join_next().await {
        writer.unwrap();
    }
    assert_eq!(stand.fresh().await.get(&key("u")).await, Some(entry(199, "199")));
}

async fn an_invalidated_value_is_gone_on_every_replica(stand: Stand) {
    for round in 0..20 {
        let key = key(&round.to_string());
        assert!(stand.a.put(&key, entry(1, "one"), MINUTE).await);
        assert!(stand.b.get(&key).await.is_some(), "warm at the other replica");
        stand.a.invalidate(&key, 2).await;
        assert_eq!(stand.a.get(&key).await, None);
        let took = eventually("gone at the other replica", async || stand.b.get(&key).await.is_none()).await;
        assert!(took < Duration::from_secs(1), "{took:?}");
    }
}

async fn a_late_write_cannot_bring_back_what_was_invalidated(stand: Stand) {
    stand.a.invalidate(&key("u"), 2).await;
    for cache in [&stand.a, &stand.b] {
        assert!(!cache.put(&key("u"), entry(1, "late"), MINUTE).await);
        assert_eq!(cache.get(&key("u")).await, None);
    }
    assert_eq!(stand.fresh().await.get(&key("u")).await, None);
    assert!(stand.b.put(&key("u"), entry(2, "current"), MINUTE).await);
    stand.a.invalidate(&key("u"), 1).await;
    assert_eq!(stand.fresh().await.get(&key("u")).await, Some(entry(2, "current")), "an old invalidation is harmless");
}

async fn a_local_invalidation_takes_effect_at_once(stand: Stand) {
    assert!(stand.a.put(&key("u"), entry(1, "one"), MINUTE).await);
    assert!(stand.b.get(&key("u")).await.is_some());
    stand.b.invalidate_local(&key("u"), 2);
    assert_eq!(stand.b.get(&key("u")).await, None, "not even from Redis, which still has it");
}

/// ASVS V1.3.9
async fn no_value_of_one_id_answers_another(stand: Stand) {
    let ids = [
        "a",
        "A",
        "a ",
        " a",
        "a\r\n",
        "a\0",
        "a\0b",
        "a:b",
        "a%3Ab",
        "a*",
        "a?",
        "{a}",
        "{b}a",
        "",
        "é",
        "e\u{301}",
        "user:a",
        "\r\nSET x y\r\n",
        "a|b",
        "../a",
    ];
    let spaces = ["user", "user.2", "role"];
    for (number, id) in ids.iter().enumerate() {
        for space in spaces {
            let value = entry(number.try_into().unwrap(), &format!("{space}/{id}"));
            assert!(stand.a.put(&CacheKey::new(space, *id), value, MINUTE).await, "{id:?}");
        }
    }
    let fresh = stand.fresh().await;
    for (number, id) in ids.iter().enumerate() {
        for space in spaces {
            let value = entry(number.try_into().unwrap(), &format!("{space}/{id}"));
            assert_eq!(fresh.get(&CacheKey::new(space, *id)).await, Some(value), "{id:?}");
        }
    }
    assert_eq!(fresh.get(&CacheKey::new("user", "b")).await, None);
}

type Names = Cached<String, &'static str>;

fn names(cache: &Arc<dyn Cache>) -> Arc<Names> {
    Arc::new(Cached::new(cache.clone(), Arc::new(Dice), "name", MINUTE))
}

fn loaded(version: i64, name: &str) -> Result<Option<Loaded<String>>, &'static str> {
    Ok(Some(Loaded { version, value: name.to_owned() }))
}

async fn a_hundred_misses_load_once(stand: Stand) {
    let names = names(&stand.a);
    let (loads, asked) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let mut callers = JoinSet::new();
    for _ in 0..100 {
        let (names, loads, asked) = (names.clone(), loads.clone(), asked.clone());
        callers.spawn(async move {
            asked.fetch_add(1, Ordering::SeqCst);
            names
                .get_or_load("u", || async {
                    loads.fetch_add(1, Ordering::SeqCst);
                    while asked.load(Ordering::SeqCst) < 100 {
                        tokio::task::yield_now().await;
                    }
                    loaded(1, "Ada")
                })
                .await
        });
    }
    while let Some(answer) = callers.join_next().await {
        assert_eq!(answer.unwrap(), Ok(Some("Ada".to_owned())));
    }
    assert_eq!(loads.load(Ordering::SeqCst), 1);
    assert_eq!(names.get_or_load("u", || async { Err("warm") }).await, Ok(Some("Ada".to_owned())));
}

async fn a_load_that_is_dropped_or_panics_wedges_nobody(stand: Stand) {
    let names = names(&stand.a);
    let (begun, mut begins) = tokio::sync::mpsc::unbounded_channel();
    let stuck = tokio::spawn({
        let names = names.clone();
        async move {
            names
                .get_or_load("u", || async {
                    begun.send(()).unwrap();
                    std::future::pending().await
                })
                .await
        }
    });
    begins.recv().await.unwrap();
    let waiting = tokio::spawn({
        let names = names.clone();
        async move { names.get_or_load("u", || async { panic!("the loader is broken") }).await }
    });
    stuck.abort();
    assert!(waiting.await.unwrap_err().is_panic(), "it took over, and broke in its turn");
    assert_eq!(names.get_or_load("u", || async { loaded(1, "Ada") }).await, Ok(Some("Ada".to_owned())));
}

async fn an_absence_is_not_remembered(stand: Stand) {
    let names = names(&stand.a);
    assert_eq!(names.get_or_load("u", || async { Ok(None) }).await, Ok(None));
    assert_eq!(names.get_or_load("u", || async { loaded(1, "Ada") }).await, Ok(Some("Ada".to_owned())));
}

async fn a_failed_load_is_shared_and_not_remembered(stand: Stand) {
    let names = names(&stand.a);
    let (loads, asked) = (AtomicU32::new(0), AtomicU32::new(0));
    let fails = async || {
        asked.fetch_add(1, Ordering::SeqCst);
        let load = || async {
            loads.fetch_add(1, Ordering::SeqCst);
            while asked.load(Ordering::SeqCst) < 2 {
                tokio::task::yield_now().await;
            }
            Err("database away")
        };
        names.get_or_load("u", load).await
    };
    let (first, second) = tokio::join!(fails(), fails());
    assert_eq!((first, second), (Err("database away"), Err("database away")));
    assert!(loads.load(Ordering::SeqCst) <= 2, "{loads:?}");
    assert_eq!(names.get_or_load("u", || async { loaded(1, "Ada") }).await, Ok(Some("Ada".to_owned())));
}

async fn a_value_that_carries_another_id_is_a_miss(stand: Stand) {
    let names = names(&stand.a);
    assert!(names.get_or_load("mallory", || async { loaded(9, "Mallory") }).await.is_ok());
    let of_mallory = stand.a.get(&CacheKey::new("name", "mallory")).await.unwrap();
    assert!(stand.a.put(&CacheKey::new("name", "ada"), of_mallory.clone(), MINUTE).await);
    assert_eq!(names.get_or_load("ada", || async { loaded(9, "Ada") }).await, Ok(Some("Ada".to_owned())));

    let nonsense = userd_cache::Entry { version: 1, bytes: of_mallory.bytes.slice(..7) };
    assert!(stand.a.put(&CacheKey::new("name", "bob"), nonsense, MINUTE).await);
    assert_eq!(names.get_or_load("bob", || async { loaded(1, "Bob") }).await, Ok(Some("Bob".to_owned())));
}

async fn a_change_during_the_load_is_loaded_again(stand: Stand) {
    let names = names(&stand.a);
    let loads = AtomicU32::new(0);
    let answer = names
        .get_or_load("u", || async {
            if loads.fetch_add(1, Ordering::SeqCst) > 0 {
                return loaded(2, "Countess Lovelace");
            }
            let read_before_the_change = loaded(1, "Ada");
            names.invalidate("u", 2).await;
            read_before_the_change
        })
        .await;
    assert_eq!(answer, Ok(Some("Countess Lovelace".to_owned())));
    assert_eq!(names.get_or_load("u", || async { Err("warm") }).await, Ok(Some("Countess Lovelace".to_owned())));
}

const HOURLY: Limit = Limit { name: "login", burst: 10, period: Duration::from_secs(3600) };

/// AC-023: a thousand parallel guesses, over two replicas, before any of them is counted.
async fn a_storm_never_gets_more_than_the_burst(stand: Stand) {
    let mut guesses = JoinSet::new();
    for guess in 0..1000 {
        let cache = if guess % 2 == 0 { stand.a.clone() } else { stand.b.clone() };
        guesses.spawn(async move { cache.check(&HOURLY, "ada", 1).await.is_allowed() });
    }
    let mut allowed = 0;
    while let Some(guess) = guesses.join_next().await {
        allowed += u32::from(guess.unwrap());
    }
    assert_eq!(allowed, HOURLY.burst);
}

async fn an_allowance_comes_back_over_time_and_not_before(stand: Stand) {
    let limit = Limit { name: "quick", burst: 3, period: Duration::from_millis(300) };
    assert_eq!(stand.a.check(&limit, "ada", 4).await, LimitAnswer::RetryAfter(limit.period), "more than the burst");
    assert!(stand.a.check(&limit, "ada", 3).await.is_allowed());
    let asked = Instant::now();
    let LimitAnswer::RetryAfter(wait) = stand.a.check(&limit, "ada", 1).await else {
        // Only where the machine stood still for as long as one unit needs.
        assert!(stand.clock.is_none());
        return;
    };
    assert!(wait > Duration::ZERO && wait <= Duration::from_millis(100), "{wait:?}");
    if let Some(clock) = &stand.clock {
        clock.advance(wait - Duration::from_micros(1));
        assert_eq!(stand.a.check(&limit, "ada", 1).await, LimitAnswer::RetryAfter(Duration::from_micros(1)));
        clock.advance(Duration::from_micros(1));
        assert!(stand.a.check(&limit, "ada", 1).await.is_allowed());
        assert!(!stand.a.check(&limit, "ada", 1).await.is_allowed());
    } else {
        eventually("one unit came back", async || stand.b.check(&limit, "ada", 1).await.is_allowed()).await;
        assert!(asked.elapsed() >= wait, "{:?} is sooner than {wait:?}", asked.elapsed());
    }
}

async fn a_refund_gives_back_exactly_one(stand: Stand) {
    stand.a.refund(&HOURLY, "ada").await;
    assert!(stand.a.check(&HOURLY, "ada", 10).await.is_allowed());
    assert!(!stand.b.check(&HOURLY, "ada", 1).await.is_allowed());
    stand.b.refund(&HOURLY, "ada").await;
    assert!(stand.a.check(&HOURLY, "ada", 1).await.is_allowed());
    assert!(!stand.a.check(&HOURLY, "ada", 1).await.is_allowed());
}

async fn a_reset_makes_the_allowance_whole_on_every_replica(stand: Stand) {
    assert!(stand.a.check(&HOURLY, "ada", 10).await.is_allowed());
    assert!(!stand.b.check(&HOURLY, "ada", 1).await.is_allowed());
    stand.b.reset_limit(&HOURLY, "ada").await;
    assert!(stand.a.check(&HOURLY, "ada", 10).await.is_allowed(), "at the replica that remembers the used-up one too");
    assert!(!stand.b.check(&HOURLY, "ada", 1).await.is_allowed());
}

async fn limits_and_keys_do_not_share_allowances(stand: Stand) {
    let other = Limit { name: "login:ada", ..HOURLY };
    for (limit, key) in [(HOURLY, "ada"), (HOURLY, "ada\r\n"), (HOURLY, "ada:x"), (other, "x"), (other, "")] {
        assert!(stand.a.check(&limit, key, 10).await.is_allowed(), "{key:?}");
        assert!(!stand.a.check(&limit, key, 1).await.is_allowed(), "{key:?}");
    }
}

async fn a_message_reaches_every_replica_once_and_in_order(stand: Stand) {
    let (mut at_a, mut at_b) = (stand.a.subscribe(), stand.b.subscribe());
    for number in 0..100_u8 {
        stand.a.publish(vec![number, 0, b'\r'].into()).await;
    }
    stand.b.publish(b"last"[..].into()).await;
    let last = Message::Payload(b"last"[..].into());
    for subscription in [&mut at_a, &mut at_b] {
        let mut heard = Vec::new();
        for _ in 0..101 {
            heard.push(next(subscription).await);
        }
        // A replica hears itself at once, so at b its own message may overtake those that are on their way.
        heard.retain(|message| *message != last);
        let sent: Vec<_> = (0..100_u8).map(|number| Message::Payload(vec![number, 0, b'\r'].into())).collect();
        assert_eq!(heard, sent);
    }
}

#[tokio::test]
async fn a_subscriber_that_falls_behind_is_told_to_read_again() {
    let stand = Stand::memory();
    let mut slow = stand.a.subscribe();
    for _ in 0..5_000 {
        stand.a.publish(b"news"[..].into()).await;
    }
    assert_eq!(next(&mut slow).await, Message::Resync);
    assert_eq!(next(&mut slow).await, Message::Payload(b"news"[..].into()));
}
