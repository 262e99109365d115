//! Values: versions, expiry, invalidation, names.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use userd_cache::{CacheHealth, CacheKey};

use crate::{
    Stand,
    support::{MINUTE, entry, eventually, key},
};

pub(crate) async fn what_was_put_is_read_by_every_replica(stand: Stand) {
    assert_eq!(stand.a.get(&key("u")).await, None);
    let binary = userd_cache::Entry { version: i64::MAX, bytes: vec![0, 255, b'|', b'\r', b'\n'].into() };
    assert!(stand.a.put(&key("u"), binary.clone(), MINUTE).await);
    assert_eq!(stand.a.get(&key("u")).await, Some(binary.clone()));
    assert_eq!(stand.b.get(&key("u")).await, Some(binary));
    assert_ne!(stand.a.health().await, CacheHealth::Degraded);
}

pub(crate) async fn a_value_ends_with_its_time(stand: Stand) {
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

pub(crate) async fn an_older_version_never_replaces_a_newer_one(stand: Stand) {
    assert!(stand.a.put(&key("u"), entry(5, "five"), MINUTE).await);
    assert!(!stand.a.put(&key("u"), entry(4, "four"), MINUTE).await);
    assert!(!stand.b.put(&key("u"), entry(-4, "minus four"), MINUTE).await);
    assert_eq!(stand.b.get(&key("u")).await, Some(entry(5, "five")));
    assert!(stand.b.put(&key("u"), entry(6, "six"), MINUTE).await);
    assert_eq!(stand.fresh().await.get(&key("u")).await, Some(entry(6, "six")));
}

pub(crate) async fn racing_late_writes_leave_the_newest(stand: Stand) {
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

pub(crate) async fn an_invalidated_value_is_gone_on_every_replica(stand: Stand) {
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

pub(crate) async fn a_late_write_cannot_bring_back_what_was_invalidated(stand: Stand) {
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

pub(crate) async fn a_local_invalidation_takes_effect_at_once(stand: Stand) {
    assert!(stand.a.put(&key("u"), entry(1, "one"), MINUTE).await);
    assert!(stand.b.get(&key("u")).await.is_some());
    stand.b.invalidate_local(&key("u"), 2);
    assert_eq!(stand.b.get(&key("u")).await, None, "not even from Redis, which still has it");
}

/// ASVS V1.3.9
pub(crate) async fn no_value_of_one_id_answers_another(stand: Stand) {
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
