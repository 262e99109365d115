//! What receivers that fail, or never answer, cost the others, and that what waited a day for one arrives.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::sync::watch;
use userd_channels::webhook::{Allowed, WebhookOptions, WebhookSender};
use userd_model::{ClientId, DeliveryChannel, DeliveryState, UserId, WebhookId};
use userd_services::{testing::TestOptions, webhooks::WebhookInput};
use userd_stand_ins::{
    Fault, Options,
    webhook_receiver::{self, WebhookReceiver},
};
use userd_storage::{
    engines::{SqliteEngine, SqliteLocation, SqliteOptions},
    repositories::deliveries::queue_of,
    testing::{Counting, schema_on},
};
use uuid::Uuid;

use crate::fixture::{Fixture, MINUTE, TestApp};

const HOUR: Duration = Duration::from_secs(3600);
/// What waits for the dead receiver when the others get something.
const BACKLOG: u128 = 400;
/// What each of the others gets.
const EVENTS: u128 = 20;

/// A dead receiver with a backlog, and nine others at least, of which one waits in the queue of the dead one.
struct Ten {
    app: TestApp,
    counting: Arc<Counting>,
    dead: WebhookReceiver,
    alive: WebhookReceiver,
    others: usize,
}

async fn webhook(app: &TestApp, url: String, event: &str) -> WebhookId {
    let input = WebhookInput { url, events: vec![event.to_owned()], ..WebhookInput::default() };
    app.webhooks.create(&app.operator_context(), input, None).await.unwrap().webhook.id
}

impl Ten {
    async fn open() -> Self {
        let engine = Arc::new(SqliteEngine::open(&SqliteOptions::at(SqliteLocation::Memory)).unwrap());
        schema_on(engine.clone()).await.unwrap();
        let (engine, counting) = Counting::over(engine);
        let allowed = Allowed { http: true, private_addresses: true };
        // Longer than any test: whoever waits for the one that never answers is seen.
        let sender = WebhookOptions { allowed, timeout: 10 * MINUTE, ..WebhookOptions::default() };
        let webhooks = Some(Arc::new(WebhookSender::new(sender).unwrap()));
        let app = Fixture::over(engine).app_with(TestOptions { webhooks, ..TestOptions::default() }).await;
        let (dead, alive) = (start(&app).await, start(&app).await);
        let queue = queue_of(webhook(&app, dead.url(), "user.changed").await.0);
        let (mut others, mut is_shared) = (0, false);
        while others < 9 || !is_shared {
            let id = webhook(&app, format!("{}/{others}", alive.url()), "client.changed").await;
            is_shared |= queue_of(id.0) == queue;
            others += 1;
        }
        app.event_log.tick().await.unwrap();
        Self { app, counting, dead, alive, others }
    }

    async fn happen(&self) {
        let id = |n: u128| Uuid::from_u128((n + 1) << 64 | (n + 1));
        let backlog: Vec<_> = (0..BACKLOG).map(|n| self.app.fact("user.changed", UserId(id(n)), 1)).collect();
        self.app.push(&backlog).await;
        self.app.event_log.tick().await.unwrap();
        let events: Vec<_> = (0..EVENTS).map(|n| self.app.fact("client.changed", ClientId(id(n)), 1)).collect();
        self.app.push(&events).await;
        self.app.event_log.tick().await.unwrap();
    }

    fn expected(&self) -> usize {
        self.others * usize::try_from(EVENTS).unwrap()
    }
}

async fn start(app: &TestApp) -> WebhookReceiver {
    webhook_receiver::start(Options::with_clock(app.clock.clone())).await.unwrap()
}

/// F13: four hundred messages for a receiver that fails are a few calls and a few units of work; the others get theirs in
/// the same round, also the one that waits behind them in their queue.
#[tokio::test]
async fn a_receiver_that_fails_costs_the_others_a_few_units_of_work() {
    let ten = Ten::open().await;
    ten.dead.turn(|knobs| knobs.status = 503);
    ten.happen().await;
    ten.counting.take();
    ten.app.deliveries.tick().await.unwrap();
    assert_eq!(ten.alive.received().len(), ten.expected());
    let calls = ten.dead.received().len();
    assert!((3..=16).contains(&calls), "{calls} calls of the dead one");
    let units = ten.counting.take().units;
    let recorded = units["record_delivery"].commits;
    assert!(recorded <= u64::try_from(ten.expected()).unwrap() + 24, "{recorded} deliveries written one by one");
    assert!(units["put_deliveries_aside"].commits <= 12, "{units:?}");
    let waiting = ten.app.reading().deliveries().in_state(DeliveryState::Pending, None, 1_000).await.unwrap();
    assert_eq!(waiting.len(), usize::try_from(BACKLOG).unwrap(), "nothing is lost");
}

/// F13: a receiver that takes every call and never answers holds its own places and nobody else's, also before one of its
/// calls is given up.
#[tokio::test]
async fn a_receiver_that_never_answers_holds_nobody_else_up() {
    let ten = Ten::open().await;
    ten.dead.fail("*", Fault::Hang);
    ten.happen().await;
    let (_stop, stopped) = watch::channel(false);
    let working = tokio::spawn(Arc::clone(&ten.app.deliveries).work(stopped));
    // On a busy machine one of the others may look stuck for a moment: what was put aside comes back as time goes on.
    let all = async {
        while ten.alive.received().len() < ten.expected() {
            tokio::time::sleep(Duration::from_millis(10)).await;
            ten.app.advance(Duration::from_millis(10));
        }
    };
    let arrived = tokio::time::timeout(MINUTE, all).await;
    working.abort();
    arrived.expect("the others wait for it");
    assert_eq!(ten.dead.requests().len(), 8, "calls of it at once");
}

/// F52: what a day has brought for a receiver that was away is there, told by its age, and arrives when it is back: all of
/// it, each once.
#[tokio::test]
async fn what_waited_a_day_for_a_receiver_arrives_when_it_is_back() {
    let ten = Ten::open().await;
    let settle = async || {
        ten.app.event_log.tick().await.unwrap();
        ten.app.deliveries.tick().await.unwrap();
    };
    ten.dead.turn(|knobs| knobs.status = 503);
    let mut expected = 0;
    for hour in 0..24_u128 {
        let id = |n: u128| UserId(Uuid::from_u128((hour * 100 + n + 1) << 64 | 7));
        let facts: Vec<_> = (0..40).map(|n| ten.app.fact("user.changed", id(n), 1)).collect();
        ten.app.push(&facts).await;
        expected += facts.len();
        settle().await;
        ten.app.advance(HOUR);
    }
    let waiting = ten.app.reading().deliveries().in_state(DeliveryState::Pending, None, 5_000).await.unwrap();
    assert_eq!(waiting.len(), expected);
    let oldest = ten.app.reading().deliveries().oldest_pending().await.unwrap().unwrap();
    assert!(ten.app.now().since(oldest.created_at) >= 23 * HOUR);
    let told = ten.app.deliveries.longest_failing(DeliveryChannel::Webhook);
    assert!(told >= 23 * HOUR, "and metrics say so: {told:?}");

    ten.dead.turn(|knobs| knobs.status = 204);
    let before = ten.dead.received().len();
    let mut rounds = 0;
    while ten.app.reading().deliveries().oldest_pending().await.unwrap().is_some() {
        ten.app.advance(Duration::from_secs(10));
        settle().await;
        rounds += 1;
        // A failed call is tried again after up to a day; all others come in the first rounds.
        if rounds > 60 {
            ten.app.advance(HOUR);
        }
        assert!(rounds < 120, "it is not drained");
    }
    let mut copies: HashMap<String, usize> = HashMap::new();
    for one in &ten.dead.received()[before..] {
        *copies.entry(one.id.clone()).or_default() += 1;
    }
    assert_eq!((copies.len(), copies.values().max()), (expected, Some(&1)));
    assert_eq!(ten.app.deliveries.longest_failing(DeliveryChannel::Webhook), Duration::ZERO);
}
