//! Limits: never more than the burst, never later than promised.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use userd_cache::{Limit, LimitAnswer};

use super::Fixture;
use crate::support::eventually;

const HOURLY: Limit = Limit { name: "login", burst: 10, period: Duration::from_secs(3600) };

/// AC-023: a thousand parallel guesses, over two replicas, before any of them is counted.
pub(crate) async fn a_storm_never_gets_more_than_the_burst(fixture: Fixture) {
    let mut guesses = JoinSet::new();
    for guess in 0..1000 {
        let cache = if guess % 2 == 0 { fixture.a.clone() } else { fixture.b.clone() };
        guesses.spawn(async move { cache.check(&HOURLY, "ada", 1).await.is_allowed() });
    }
    let mut allowed = 0;
    while let Some(guess) = guesses.join_next().await {
        allowed += u32::from(guess.unwrap());
    }
    assert_eq!(allowed, HOURLY.burst);
}

pub(crate) async fn an_allowance_comes_back_over_time_and_not_before(fixture: Fixture) {
    let limit = Limit { name: "quick", burst: 3, period: Duration::from_millis(300) };
    assert_eq!(fixture.a.check(&limit, "ada", 4).await, LimitAnswer::RetryAfter(limit.period), "more than the burst");
    assert!(fixture.a.check(&limit, "ada", 3).await.is_allowed());
    let asked = Instant::now();
    let LimitAnswer::RetryAfter(wait) = fixture.a.check(&limit, "ada", 1).await else {
        // Only where the machine stood still for as long as one unit needs.
        assert!(fixture.clock.is_none());
        return;
    };
    assert!(wait > Duration::ZERO && wait <= Duration::from_millis(100), "{wait:?}");
    if let Some(clock) = &fixture.clock {
        clock.advance(wait - Duration::from_micros(1));
        assert_eq!(fixture.a.check(&limit, "ada", 1).await, LimitAnswer::RetryAfter(Duration::from_micros(1)));
        clock.advance(Duration::from_micros(1));
        assert!(fixture.a.check(&limit, "ada", 1).await.is_allowed());
        assert!(!fixture.a.check(&limit, "ada", 1).await.is_allowed());
    } else {
        eventually("one unit came back", async || fixture.b.check(&limit, "ada", 1).await.is_allowed()).await;
        assert!(asked.elapsed() >= wait, "{:?} is sooner than {wait:?}", asked.elapsed());
    }
}

/// A burst of one is one attempt and not none: the smallest limit that can be configured (fault 38).
pub(crate) async fn a_burst_of_one_allows_exactly_one(fixture: Fixture) {
    let once = Limit { name: "once", burst: 1, period: Duration::from_secs(3600) };
    assert!(fixture.a.check(&once, "ada", 1).await.is_allowed());
    assert!(!fixture.b.check(&once, "ada", 1).await.is_allowed());
    fixture.a.refund(&once, "ada").await;
    assert!(fixture.b.check(&once, "ada", 1).await.is_allowed());
    assert!(!fixture.a.check(&once, "ada", 1).await.is_allowed());
}

pub(crate) async fn a_refund_gives_back_exactly_one(fixture: Fixture) {
    fixture.a.refund(&HOURLY, "ada").await;
    assert!(fixture.a.check(&HOURLY, "ada", 10).await.is_allowed());
    assert!(!fixture.b.check(&HOURLY, "ada", 1).await.is_allowed());
    fixture.b.refund(&HOURLY, "ada").await;
    assert!(fixture.a.check(&HOURLY, "ada", 1).await.is_allowed());
    assert!(!fixture.a.check(&HOURLY, "ada", 1).await.is_allowed());
}

pub(crate) async fn a_reset_makes_the_allowance_whole_on_every_replica(fixture: Fixture) {
    assert!(fixture.a.check(&HOURLY, "ada", 10).await.is_allowed());
    assert!(!fixture.b.check(&HOURLY, "ada", 1).await.is_allowed());
    fixture.b.reset_limit(&HOURLY, "ada").await;
    assert!(
        fixture.a.check(&HOURLY, "ada", 10).await.is_allowed(),
        "at the replica that remembers the used-up one too"
    );
    assert!(!fixture.b.check(&HOURLY, "ada", 1).await.is_allowed());
}

pub(crate) async fn limits_and_keys_do_not_share_allowances(fixture: Fixture) {
    let other = Limit { name: "login:ada", ..HOURLY };
    for (limit, key) in [(HOURLY, "ada"), (HOURLY, "ada\r\n"), (HOURLY, "ada:x"), (other, "x"), (other, "")] {
        assert!(fixture.a.check(&limit, key, 10).await.is_allowed(), "{key:?}");
        assert!(!fixture.a.check(&limit, key, 1).await.is_allowed(), "{key:?}");
    }
}
