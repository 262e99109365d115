//! Redis killed, paused, flushed, replaced, poisoned: it costs speed and nothing else. Every test breaks a private
//! server of its own. Deliberately absent: what holds while Redis is well (contract/).

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crate::support::{
    MINUTE, TestRng, connected, degraded, entry, eventually, hasty, key, next, patient,
    proxy::Proxy,
    replica,
    server::{Server, installed},
};
use redis::AsyncCommands as _;
use userd_cache::{Cache, CacheHealth, CacheOptions, Cached, Limit, LimitAnswer, Loaded, Message, connect};

const HOURLY: Limit = Limit { name: "login", burst: 10, period: Duration::from_secs(3600) };

/// F05: no error, and the limits still hold.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_redis_costs_no_error_and_limits_still_hold() {
    if !installed() {
        return;
    }
    let mut server = Server::start().await;
    let cache = replica(&server.url(), hasty()).await;
    connected(&*cache).await;
    assert!(cache.put(&key("u"), entry(1, "one"), MINUTE).await);
    assert!(cache.check(&HOURLY, "ada", 7).await.is_allowed());
    server.kill();
    degraded(&*cache).await;

    let mut ours = cache.subscribe();
    let start = Instant::now();
    for round in 0..200 {
        assert_eq!(cache.get(&key("elsewhere")).await, None);
        cache.put(&key("new"), entry(round, "new"), MINUTE).await;
        assert_eq!(cache.get(&key("new")).await, Some(entry(round, "new")), "kept in process");
        cache.invalidate(&key("new"), round + 1).await;
        assert_eq!(cache.get(&key("new")).await, None);
    }
    let mut allowed = 0;
    for _ in 0..100 {
        allowed += u32::from(cache.check(&HOURLY, "ada", 1).await.is_allowed());
    }
    assert_eq!(allowed, 3, "what was used up before the failure stays used up");
    cache.publish(b"news"[..].into()).await;
    assert_eq!(next(&mut ours).await, Message::Payload(b"news"[..].into()), "this process still hears itself");
    assert!(start.elapsed() < Duration::from_secs(3), "1,000 calls waited for a dead server: {:?}", start.elapsed());

    server.run().await;
    connected(&*cache).await;
    assert!(cache.put(&key("back"), entry(1, "back"), MINUTE).await);
    assert_eq!(replica(&server.url(), patient()).await.get(&key("back")).await, Some(entry(1, "back")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paused_redis_is_waited_for_once_and_then_not_asked() {
    if !installed() {
        return;
    }
    let server = Server::start().await;
    let options = CacheOptions { connection_timeout: Duration::from_secs(1), ..hasty() };
    let cache = replica(&server.url(), options).await;
    connected(&*cache).await;
    server.pause();
    let start = Instant::now();
    assert_eq!(cache.get(&key("u")).await, None);
    let first = start.elapsed();
    assert!(first < Duration::from_millis(500), "50 ms and what a busy machine adds, not {first:?}");
    assert_eq!(cache.health().await, CacheHealth::Degraded);
    let start = Instant::now();
    let mut allowed = 0;
    for _ in 0..1000 {
        assert_eq!(cache.get(&key("u")).await, None);
        allowed += u32::from(cache.check(&HOURLY, "ada", 1).await.is_allowed());
    }
    assert_eq!(allowed, HOURLY.burst);
    assert!(start.elapsed() < Duration::from_millis(1000), "2,000 calls behind an open breaker: {:?}", start.elapsed());
    server.resume();
    connected(&*cache).await;
}

/// F06: answers that come late open the breaker.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_redis_is_left_alone_until_it_is_quick_again() {
    if !installed() {
        return;
    }
    let server = Server::start().await;
    let proxy = Proxy::start(server.port).await;
    let cache = replica(&format!("redis://127.0.0.1:{}", proxy.port), hasty()).await;
    connected(&*cache).await;
    proxy.slow_down(Duration::from_millis(200));
    let mut waits = Vec::new();
    for _ in 0..500 {
        let start = Instant::now();
        assert_eq!(cache.get(&key("u")).await, None);
        waits.push(start.elapsed());
        tokio::task::yield_now().await;
    }
    assert_eq!(cache.health().await, CacheHealth::Degraded);
    waits.sort();
    assert!(waits[495] < Duration::from_millis(100), "p99 {:?}", waits[495]);
    proxy.slow_down(Duration::ZERO);
    connected(&*cache).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invalidation_during_a_pause_is_made_up_for() {
    if !installed() {
        return;
    }
    let server = Server::start().await;
    let options = CacheOptions { response_timeout: Duration::from_millis(500), ..patient() };
    let (a, b) = (replica(&server.url(), options.clone()).await, replica(&server.url(), options).await);
    for cache in [&a, &b] {
        connected(&**cache).await;
    }
    for id in ["u", "v"] {
        assert!(a.put(&key(id), entry(1, "old"), MINUTE).await);
        assert!(b.get(&key(id)).await.is_some());
    }
    let mut at_b = b.subscribe();
    server.pause();
    a.invalidate(&key("u"), 2).await;
    a.publish(b"lost on the way"[..].into()).await;
    assert_eq!(a.get(&key("u")).await, None);
    server.resume();
    connected(&*a).await;
    eventually("b learns of it", async || b.get(&key("u")).await.is_none()).await;
    let fresh = replica(&server.url(), patient()).await;
    assert_eq!(fresh.get(&key("u")).await, None, "Redis had kept the old value");
    assert!(!fresh.put(&key("u"), entry(1, "late"), MINUTE).await);
    assert_eq!(fresh.get(&key("v")).await, Some(entry(1, "old")), "the rest is still there");
    eventually("b is told to read again", async || next(&mut at_b).await == Message::Resync).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_in_process_answer_for_a_moment_only_while_the_fan_out_is_not_heard() {
    if !installed() {
        return;
    }
    let mut server = Server::start().await;
    let options = CacheOptions { degraded_age: Duration::from_millis(100), ..hasty() };
    let cache = replica(&server.url(), options).await;
    connected(&*cache).await;
    assert!(cache.put(&key("u"), entry(1, "one"), MINUTE).await);
    server.kill();
    let took = eventually("no longer trusted", async || cache.get(&key("u")).await.is_none()).await;
    assert!(took < Duration::from_secs(2), "{took:?}");
}

/// Commands are answered, and what other replicas say is not heard: that is no health, and values are not trusted for long.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fan_out_that_may_not_be_read_is_as_bad_as_none() {
    if !installed() {
        return;
    }
    let server = Server::start_with(&["--user", "default", "on", "nopass", "~*", "+@all", "-xread"]).await;
    let options = CacheOptions { degraded_age: Duration::ZERO, l1_ttl: MINUTE, ..patient() };
    let cache = replica(&server.url(), options).await;
    degraded(&*cache).await;
    assert!(cache.put(&key("u"), entry(1, "one"), MINUTE).await);
    let mut raw = server.raw().await;
    let kept: i64 = raw.del("userd:v:user:u").await.unwrap();
    assert_eq!(kept, 1, "Redis has it all the same");
    eventually("not from this process", async || cache.get(&key("u")).await.is_none()).await;
    assert_eq!(cache.health().await, CacheHealth::Degraded);
}

/// A warm read never leaves the process.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn warm_reads_cost_no_round_trip() {
    if !installed() {
        return;
    }
    let server = Server::start().await;
    let cache = replica(&server.url(), patient()).await;
    connected(&*cache).await;
    let names: Cached<String, ()> = Cached::new(cache.clone(), Arc::new(TestRng), "name", MINUTE);
    let mut raw = server.raw().await;
    for round in 0..1001 {
        let loads = || async { Ok(Some(Loaded { version: 1, value: "Ada".to_owned() })) };
        assert_eq!(names.get_or_load("u", loads).await, Ok(Some(Arc::new("Ada".to_owned()))));
        if round == 0 {
            redis::cmd("CONFIG").arg("RESETSTAT").exec_async(&mut raw).await.unwrap();
        }
    }
    let statistics: String = redis::cmd("INFO").arg("commandstats").query_async(&mut raw).await.unwrap();
    // Of our scripts only those that touch a value ask for its life.
    assert!(!statistics.contains("cmdstat_pttl:"), "{statistics}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flushed_redis_costs_speed_only() {
    if !installed() {
        return;
    }
    let server = Server::start().await;
    let (a, b) = (replica(&server.url(), patient()).await, replica(&server.url(), patient()).await);
    for cache in [&a, &b] {
        connected(&**cache).await;
    }
    let (mut at_a, mut at_b) = (a.subscribe(), b.subscribe());
    a.publish(b"before"[..].into()).await;
    assert_eq!(next(&mut at_b).await, Message::Payload(b"before"[..].into()));
    assert_eq!(next(&mut at_a).await, Message::Payload(b"before"[..].into()));
    assert!(a.put(&key("u"), entry(1, "one"), MINUTE).await);
    assert!(a.check(&HOURLY, "ada", 10).await.is_allowed());

    let mut raw = server.raw().await;
    redis::cmd("FLUSHALL").exec_async(&mut raw).await.unwrap();
    redis::cmd("SCRIPT").arg("FLUSH").exec_async(&mut raw).await.unwrap();
    assert_eq!(next(&mut at_a).await, Message::Resync);
    assert_eq!(next(&mut at_b).await, Message::Resync);
    assert_eq!(a.get(&key("u")).await, None, "a miss, not an error");
    assert!(matches!(a.check(&HOURLY, "ada", 1).await, LimitAnswer::RetryAfter(_)), "a flush hands out no allowance");
    assert_eq!(a.health().await, CacheHealth::Connected);
    b.publish(b"after"[..].into()).await;
    assert_eq!(next(&mut at_a).await, Message::Payload(b"after"[..].into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flush_followed_by_news_at_once_is_noticed_too() {
    if !installed() {
        return;
    }
    let server = Server::start().await;
    // b waits for news so long that only the news themselves can tell it.
    let waiting = CacheOptions { fanout_wait: MINUTE, ..patient() };
    let (a, b) = (replica(&server.url(), patient()).await, replica(&server.url(), waiting).await);
    connected(&*b).await;
    for round in 0..3_u8 {
        a.publish(vec![round].into()).await;
    }
    let mut at_b = b.subscribe();
    eventually("b has read so far", async || {
        a.publish(b"mark"[..].into()).await;
        next(&mut at_b).await == Message::Payload(b"mark"[..].into())
    })
    .await;
    let mut raw = server.raw().await;
    a_millisecond_later(&mut raw).await;
    redis::cmd("FLUSHALL").exec_async(&mut raw).await.unwrap();
    a.publish(b"after"[..].into()).await;
    eventually("resync", async || next(&mut at_b).await == Message::Resync).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn news_after_a_flush_that_sort_before_what_was_read_are_noticed_when_the_wait_ends() {
    if !installed() {
        return;
    }
    let server = Server::start().await;
    let (a, b) = (replica(&server.url(), patient()).await, replica(&server.url(), patient()).await);
    connected(&*b).await;
    let mut at_b = b.subscribe();
    // A clock that is an hour ahead until the flush: what comes after it sorts before all that was read, and its
    // number is the one read last.
    let mut raw = server.raw().await;
    let ahead = format!("{}-0", milliseconds(&mut raw).await + 3_600_000);
    redis::pipe()
        .atomic()
        .set("userd:{fanout}:n", 1)
        .cmd("XADD")
        .arg(&["userd:{fanout}", &ahead, "n", "1", "o", "another", "k", "m", "p", "early"])
        .exec_async(&mut raw)
        .await
        .unwrap();
    assert_eq!(next(&mut at_b).await, Message::Payload(b"early"[..].into()));
    redis::cmd("FLUSHALL").exec_async(&mut raw).await.unwrap();
    a.publish(b"late"[..].into()).await;
    eventually("resync", async || next(&mut at_b).await == Message::Resync).await;
    a.publish(b"after"[..].into()).await;
    eventually("heard again", async || next(&mut at_b).await == Message::Payload(b"after"[..].into())).await;
}

/// What Redis takes for now; ids of a stream begin with it.
async fn milliseconds(raw: &mut redis::aio::MultiplexedConnection) -> u64 {
    let (seconds, micros): (u64, u64) = redis::cmd("TIME").query_async(raw).await.unwrap();
    seconds * 1_000 + micros / 1_000
}

/// Waits until a new stream's first id sorts after all ids given so far. Within one millisecond it does not, and then
/// only the end of the wait tells a reader.
async fn a_millisecond_later(raw: &mut redis::aio::MultiplexedConnection) {
    let now = milliseconds(raw).await;
    while milliseconds(raw).await <= now {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_was_cut_off_resumes_where_it_was() {
    if !installed() {
        return;
    }
    let server = Server::start().await;
    let b = replica(&server.url(), patient()).await;
    connected(&*b).await;
    let mut at_b = b.subscribe();
    let mut raw = server.raw().await;
    for round in 0..5_u8 {
        let _cut: i64 =
            redis::cmd("CLIENT").arg(&["KILL", "TYPE", "normal", "SKIPME", "yes"]).query_async(&mut raw).await.unwrap();
        let a = replica(&server.url(), patient()).await;
        for number in 0..50_u8 {
            a.publish(vec![round, number].into()).await;
        }
        for number in 0..50_u8 {
            assert_eq!(next(&mut at_b).await, Message::Payload(vec![round, number].into()));
        }
    }
    connected(&*b).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_lost_for_good_is_noticed_even_when_nothing_follows() {
    if !installed() {
        return;
    }
    let server = Server::start().await;
    let b = replica(&server.url(), patient()).await;
    connected(&*b).await;
    assert!(b.put(&key("u"), entry(1, "one"), MINUTE).await);
    let mut at_b = b.subscribe();
    let mut raw = server.raw().await;
    let _number: i64 = raw.incr("userd:{fanout}:n", 1).await.unwrap();
    assert_eq!(next(&mut at_b).await, Message::Resync);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_service_starts_without_redis_and_finds_it_later() {
    if !installed() {
        return;
    }
    let mut server = Server::prepared(&[]);
    let cache = connect(&server.url(), hasty()).await.unwrap();
    assert_eq!(cache.health().await, CacheHealth::Degraded);
    assert!(cache.put(&key("u"), entry(1, "one"), MINUTE).await);
    assert_eq!(cache.get(&key("u")).await, Some(entry(1, "one")));
    let mut subscription = cache.subscribe();
    server.run().await;
    connected(&*cache).await;
    assert_eq!(next(&mut subscription).await, Message::Resync, "what was said before it came is unknown");
}

#[tokio::test]
async fn a_malformed_url_is_an_error_and_a_missing_authority_too() {
    for url in ["", "redis", "redis://", "memory://x", "postgres://localhost"] {
        assert!(connect(url, hasty()).await.is_err(), "{url}");
    }
    let missing = CacheOptions { authority_file: Some("/nonexistent/ca.pem".into()), ..hasty() };
    assert!(connect("rediss://localhost", missing).await.is_err());
    let memory = connect("memory:", hasty()).await.unwrap();
    assert_eq!(memory.health().await, CacheHealth::InProcess);
}
