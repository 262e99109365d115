//! Redis holds what we did not write: it is a miss, or starts anew, and never a wrong answer.

use std::time::Duration;

use crate::support::{
    MINUTE, connected, entry, eventually, key, next, patient, replica,
    server::{Server, installed},
};
use redis::AsyncCommands as _;
use userd_cache::{Cache, CacheHealth, Limit, LimitAnswer, Message};

const HOURLY: Limit = Limit { name: "login", burst: 10, period: Duration::from_secs(3600) };

/// Redis name of the value of user `id` under the default prefix.
fn value_name(id: &str) -> String {
    format!("userd:v:user:{id}")
}

/// Whatever lies under our names, the answer is a miss and the place is usable again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn poisoned_values_are_misses_and_heal() {
    if !installed() {
        return;
    }
    let server = Server::start().await;
    let cache = replica(&server.url(), patient()).await;
    connected(&*cache).await;
    let mut raw = server.raw().await;
    let header = format!("={:020}|", 1);
    let poison: [(&str, &[u8]); 6] = [
        ("empty", b""),
        ("short", b"=12|"),
        ("noise", b"\xff\xfe\x00 not what we write at all, and long enough"),
        ("kind", b"?00000000000000000001|body"),
        ("letters", b"=0000000000000000000a|body"),
        ("huge", b"=99999999999999999999|body"),
    ];
    for (id, bytes) in poison {
        let () = raw.set(value_name(id), bytes).await.unwrap();
    }
    let () = raw.set(value_name("forever"), header.as_bytes()).await.unwrap();
    let () = raw.lpush(value_name("list"), "x").await.unwrap();
    let ids = poison.iter().map(|(id, _)| *id).chain(["forever", "list"]);
    for id in ids {
        assert_eq!(cache.get(&key(id)).await, None, "{id}");
        assert!(cache.put(&key(id), entry(1, id), MINUTE).await, "{id}");
        let fresh = replica(&server.url(), patient()).await;
        assert_eq!(fresh.get(&key(id)).await, Some(entry(1, id)), "{id}");
    }
    let () = raw.del(value_name("list")).await.unwrap();
    let () = raw.lpush(value_name("list"), "x").await.unwrap();
    cache.invalidate(&key("list"), 2).await;
    assert!(!replica(&server.url(), patient()).await.put(&key("list"), entry(1, "late"), MINUTE).await);
    assert_eq!(cache.health().await, CacheHealth::Connected, "poison is no failure of the server");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_poisoned_limit_or_stream_heals() {
    if !installed() {
        return;
    }
    let server = Server::start().await;
    let (a, b) = (replica(&server.url(), patient()).await, replica(&server.url(), patient()).await);
    for cache in [&a, &b] {
        connected(&**cache).await;
    }
    let mut raw = server.raw().await;
    let () = raw.lpush("userd:l:login:list", "x").await.unwrap();
    let () = raw.set("userd:l:login:noise", "1e99").await.unwrap();
    let () = raw.set("userd:l:login:future", "9".repeat(16)).await.unwrap();
    for key in ["list", "noise"] {
        assert!(a.check(&HOURLY, key, 10).await.is_allowed(), "{key}");
        assert!(!b.check(&HOURLY, key, 1).await.is_allowed(), "{key}");
    }
    let LimitAnswer::RetryAfter(wait) = a.check(&HOURLY, "future", 1).await else { panic!("used up") };
    assert!(wait <= HOURLY.period, "never locked out for longer than the period: {wait:?}");

    let mut at_b = b.subscribe();
    let () = raw.set("userd:{fanout}", "not a stream").await.unwrap();
    let () = raw.set("userd:{fanout}:n", "not a number").await.unwrap();
    eventually("news arrive again", async || {
        a.publish(b"news"[..].into()).await;
        next(&mut at_b).await == Message::Payload(b"news"[..].into())
    })
    .await;
    assert_eq!(a.health().await, CacheHealth::Connected);
}
