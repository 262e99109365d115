//! Values: versions, expiry, invalidation, names.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::task::JoinSet;
use userd_cache::{Cache, CacheHealth, CacheKey, CacheOptions, LONGEST_LIFE};

use super::Fixture;
use crate::support::{MINUTE, entry, eventually, key, replica};

pub(crate) async fn what_was_put_is_read_by_every_replica(fixture: Fixture) {
    assert_eq!(fixture.a.get(&key("u")).await, None);
    let binary = userd_cache::Entry::new(i64::MAX, vec![0, 255, b'|', b'\r', b'\n']);
    assert!(fixture.a.put(&key("u"), binary.clone(), MINUTE).await);
    assert_eq!(fixture.a.get(&key("u")).await, Some(binary.clone()));
    assert_eq!(fixture.b.get(&key("u")).await, Some(binary));
    assert_ne!(fixture.a.health().await, CacheHealth::Degraded);
}

pub(crate) async fn a_value_ends_with_its_time(fixture: Fixture) {
    let start = Instant::now();
    let ttl = Duration::from_millis(200);
    assert!(fixture.a.put(&key("u"), entry(1, "one"), ttl).await);
    assert!(fixture.b.get(&key("u")).await.is_some() || start.elapsed() >= ttl);
    eventually("expired at both", async || {
        fixture.tick().await;
        fixture.a.get(&key("u")).await.is_none() && fixture.b.get(&key("u")).await.is_none()
    })
    .await;
    if fixture.redis.is_some() {
        assert!(start.elapsed() >= ttl);
    }
}

pub(crate) async fn an_older_version_never_replaces_a_newer_one(fixture: Fixture) {
    assert!(fixture.a.put(&key("u"), entry(5, "five"), MINUTE).await);
    assert!(!fixture.a.put(&key("u"), entry(4, "four"), MINUTE).await);
    assert!(!fixture.b.put(&key("u"), entry(-4, "minus four"), MINUTE).await);
    assert_eq!(fixture.b.get(&key("u")).await, Some(entry(5, "five")));
    assert!(fixture.b.put(&key("u"), entry(6, "six"), MINUTE).await);
    assert_eq!(fixture.fresh().await.get(&key("u")).await, Some(entry(6, "six")));
}

pub(crate) async fn racing_late_writes_leave_the_newest(fixture: Fixture) {
    let mut writers = JoinSet::new();
    for turn in 0..200_i64 {
        // 83 and 200 have no common divisor: every version once, in no order.
        let version = turn * 83 % 200;
        let cache = if turn % 2 == 0 { fixture.a.clone() } else { fixture.b.clone() };
        writers.spawn(async move { cache.put(&key("u"), entry(version, &version.to_string()), MINUTE).await });
    }
    while let Some(writer) = writers.join_next().await {
        writer.unwrap();
    }
    assert_eq!(fixture.fresh().await.get(&key("u")).await, Some(entry(199, "199")));
}

pub(crate) async fn an_invalidated_value_is_gone_on_every_replica(fixture: Fixture) {
    for round in 0..20 {
        let key = key(&round.to_string());
        assert!(fixture.a.put(&key, entry(1, "one"), MINUTE).await);
        assert!(fixture.b.get(&key).await.is_some(), "warm at the other replica");
        fixture.a.invalidate(&key, 2).await;
        assert_eq!(fixture.a.get(&key).await, None);
        let took = eventually("gone at the other replica", async || fixture.b.get(&key).await.is_none()).await;
        assert!(took < Duration::from_secs(1), "{took:?}");
    }
}

pub(crate) async fn a_late_write_cannot_bring_back_what_was_invalidated(fixture: Fixture) {
    fixture.a.invalidate(&key("u"), 2).await;
    for cache in [&fixture.a, &fixture.b] {
        assert!(!cache.put(&key("u"), entry(1, "late"), MINUTE).await);
        assert_eq!(cache.get(&key("u")).await, None);
    }
    assert_eq!(fixture.fresh().await.get(&key("u")).await, None);
    assert!(fixture.b.put(&key("u"), entry(2, "current"), MINUTE).await);
    fixture.a.invalidate(&key("u"), 1).await;
    assert_eq!(
        fixture.fresh().await.get(&key("u")).await,
        Some(entry(2, "current")),
        "an old invalidation is harmless"
    );
}

pub(crate) async fn a_local_invalidation_takes_effect_at_once(fixture: Fixture) {
    assert!(fixture.a.put(&key("u"), entry(1, "one"), MINUTE).await);
    assert!(fixture.b.get(&key("u")).await.is_some());
    fixture.b.invalidate_local(&key("u"), 2);
    assert_eq!(fixture.b.get(&key("u")).await, None, "not even from Redis, which still has it");
}

/// Who was told apart from the cache has raised the floor of one replica, and the value is elsewhere as long as it lives.
pub(crate) async fn a_floor_holds_as_long_as_any_value_lives(fixture: Fixture) {
    let clock = fixture.clock.clone().unwrap_or_default();
    let there: Arc<dyn Cache> = match &fixture.redis {
        None => fixture.b.clone(),
        Some((url, options)) => replica(url, CacheOptions { clock: clock.clone(), ..options.clone() }).await,
    };
    assert!(fixture.a.put(&key("u"), entry(1, "one"), LONGEST_LIFE).await);
    there.invalidate_local(&key("u"), 2);
    clock.advance(LONGEST_LIFE);
    assert_eq!(there.get(&key("u")).await, None, "also where Redis still has it");
    assert!(!there.put(&key("u"), entry(1, "late"), MINUTE).await);
}

/// ASVS V1.3.9
pub(crate) async fn no_value_of_one_id_answers_another(fixture: Fixture) {
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
            assert!(fixture.a.put(&CacheKey::new(space, *id), value, MINUTE).await, "{id:?}");
        }
    }
    let fresh = fixture.fresh().await;
    for (number, id) in ids.iter().enumerate() {
        for space in spaces {
            let value = entry(number.try_into().unwrap(), &format!("{space}/{id}"));
            assert_eq!(fresh.get(&CacheKey::new(space, *id)).await, Some(value), "{id:?}");
        }
    }
    assert_eq!(fresh.get(&CacheKey::new("user", "b")).await, None);
}
