//! The event feed as another service follows it.

use std::{future::pending, time::Duration};

use userd_model::{Event, Permission, Refusal};
use userd_services::events::{EventCursor, EventPage, EventStart, EventsFailure};

use crate::{
    fixture::{Fixture, MINUTE, TestApp, refusal},
    personas::of,
};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// A service that keeps its cursor.
#[derive(Default)]
pub(crate) struct Consumer {
    cursor: Option<EventCursor>,
    pub(crate) heard: Vec<Event>,
}

impl Consumer {
    fn start(&self) -> EventStart {
        self.cursor.clone().map_or(EventStart::Oldest, EventStart::After)
    }

    /// Reads until there is nothing; how many events came.
    pub(crate) async fn read(&mut self, app: &TestApp, limit: usize) -> usize {
        let mut came = 0;
        loop {
            match self.read_page(app, limit).await.unwrap() {
                0 => return came,
                more => came += more,
            }
        }
    }

    /// Reads once; how many events came.
    pub(crate) async fn read_page(&mut self, app: &TestApp, limit: usize) -> Result<usize, EventsFailure> {
        let page = app.events.page(&app.operator_context(), self.start(), limit).await?;
        assert!(page.events.len() <= limit);
        self.cursor = Some(page.next);
        let came = page.events.len();
        self.heard.extend(page.events);
        Ok(came)
    }
}

/// Some accounts, and everything that happened to them in the log.
async fn with_events(app: &TestApp) {
    for name in ["ada", "grace", "mary", "edith"] {
        let user = app.member(name).await;
        app.accounts.change_username(&of(app, &user), &format!("{name}2"), None).await.unwrap();
    }
    assert_eq!(app.event_log.tick().await.unwrap(), 12);
}

#[apply(case)]
async fn a_consumer_hears_everything_once_whatever_its_pages_are(fixture: Fixture) {
    let app = fixture.app().await;
    with_events(&app).await;
    for limit in [1, 5, 200] {
        let mut consumer = Consumer::default();
        assert_eq!(consumer.read(&app, limit).await, 12);
        let mut ids: Vec<_> = consumer.heard.iter().map(|event| event.id.0).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 12);
        let cursor = consumer.cursor.clone();
        assert_eq!(consumer.read(&app, limit).await, 0);
        assert_eq!(consumer.cursor, cursor, "nothing new moves nothing");
    }
}

#[apply(case)]
async fn whoever_wants_no_history_begins_now(fixture: Fixture) {
    let app = fixture.app().await;
    with_events(&app).await;
    let page = app.events.page(&app.operator_context(), EventStart::Now, 50).await.unwrap();
    assert_eq!(page.events, []);
    app.member("joan").await;
    app.event_log.tick().await.unwrap();
    let page = app.events.page(&app.operator_context(), EventStart::After(page.next), 50).await.unwrap();
    assert_eq!(page.events.len(), 2);
}

#[apply(case)]
async fn an_answer_that_waits_comes_with_the_event_or_with_the_end(fixture: Fixture) {
    let app = fixture.app().await;
    let context = app.operator_context();
    let (page, ()) = tokio::join!(app.events.page_or_wait(&context, EventStart::Oldest, 50, pending()), async {
        app.member("ada").await;
        app.event_log.tick().await.unwrap();
    });
    let EventPage { events, next } = page.unwrap();
    assert!(!events.is_empty());
    let mut consumer = Consumer { cursor: Some(next), heard: events };
    consumer.read(&app, 50).await;
    assert_eq!(consumer.heard.len(), 2);
    let ended = app.events.page_or_wait(&context, consumer.start(), 50, async {}).await.unwrap();
    assert_eq!((ended.events.len(), Some(ended.next)), (0, consumer.cursor));
}

#[apply(case)]
async fn a_cursor_behind_what_is_kept_is_told_the_oldest(fixture: Fixture) {
    let app = fixture.app().await;
    with_events(&app).await;
    let mut consumer = Consumer::default();
    let first = app.events.page(&app.operator_context(), EventStart::Oldest, 1).await.unwrap();
    consumer.cursor = Some(first.next);
    app.advance(DAY * 91);
    app.sweeper.tick().await.unwrap();
    let at = app.now();
    let kept = app.member("joan").await;
    app.event_log.tick().await.unwrap();
    match app.events.page(&app.operator_context(), consumer.start(), 50).await {
        Err(EventsFailure::Expired { oldest }) => assert!(oldest.unwrap() >= at),
        other => panic!("{other:?}"),
    }
    let anew = app.events.page(&app.operator_context(), EventStart::Oldest, 50).await.unwrap();
    assert!(anew.events.iter().all(|event| event.subject == kept.id.into()));
    assert_eq!(anew.events.len(), 2);
}

/// After a backup was restored the log is shorter than what somebody has read.
#[apply(case)]
async fn a_cursor_of_another_log_is_refused(fixture: Fixture) {
    let app = fixture.app().await;
    with_events(&app).await;
    let beyond: EventCursor = serde_json::from_value(serde_json::json!(vec![1_000_000; 16])).unwrap();
    let short: EventCursor = serde_json::from_value(serde_json::json!([0])).unwrap();
    for cursor in [beyond, short] {
        let page = app.events.page(&app.operator_context(), EventStart::After(cursor), 50).await;
        assert!(matches!(page, Err(EventsFailure::Expired { oldest: Some(_) })), "{page:?}");
    }
}

#[apply(case)]
async fn only_holders_of_the_permission_read_events(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    app.advance(MINUTE);
    let context = of(&app, &ada);
    let page = app.events.page(&context, EventStart::Oldest, 50).await;
    assert_eq!(refusal(page.map_err(Into::into)), Refusal::Forbidden);
    assert!(Permission::EVENTS_READ.is_well_known());
}
