//! What reaches a log: the client library writes every parameter of a query to its spans.

use std::{
    fmt,
    sync::{Arc, Mutex},
};

use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

use crate::fixture::{FaultMode, Fixture};

const CANARY: &str = "canary-of-a-parameter";

/// Writes down everything that it is let hear.
struct Everything(Arc<Mutex<String>>, fn(&Metadata<'_>) -> bool);

struct Writer<'a>(&'a Mutex<String>);

impl Visit for Writer<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.lock().unwrap().push_str(&format!("{field}={value:?} "));
    }
}

impl Subscriber for Everything {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.1(metadata)
    }
    fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
        span.record(&mut Writer(&self.0));
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, values: &span::Record<'_>) {
        values.record(&mut Writer(&self.0));
    }
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &Event<'_>) {
        event.record(&mut Writer(&self.0));
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

/// What the service lets pass (`crates/userd/src/logging`): of the library nothing at all.
fn all_but_the_library(about: &Metadata<'_>) -> bool {
    about.target() != "ydb" && !about.target().starts_with("ydb::")
}

/// What the service would log meanwhile.
pub(crate) async fn written_by<T>(work: impl Future<Output = T>) -> (String, T) {
    let written = Arc::new(Mutex::new(String::new()));
    let guard = tracing::subscriber::set_default(Everything(Arc::clone(&written), all_but_the_library));
    let done = work.await;
    drop(guard);
    let written = written.lock().unwrap().clone();
    (written, done)
}

async fn written_while_a_canary_is_stored(hears: fn(&Metadata<'_>) -> bool) -> String {
    let written = Arc::new(Mutex::new(String::new()));
    let guard = tracing::subscriber::set_default(Everything(Arc::clone(&written), hears));
    let fixture = Fixture::set(FaultMode::Plain).await;
    fixture.put(CANARY, 1).await.unwrap();
    let twice = fixture.put(CANARY, 1).await.unwrap_err();
    assert_eq!(fixture.get(CANARY).await, Some(1));
    assert!(!format!("{twice:?} {twice}").contains(CANARY));
    drop(guard);
    let written = written.lock().unwrap();
    written.clone()
}

#[tokio::test]
async fn no_parameter_reaches_a_log() {
    let written = written_while_a_canary_is_stored(all_but_the_library).await;
    assert!(!written.contains(CANARY), "{written}");
}

/// The test above can fail: without the filter the library writes it.
#[tokio::test]
async fn without_the_filter_the_library_writes_parameters() {
    let written = written_while_a_canary_is_stored(|_| true).await;
    assert!(written.contains(CANARY), "the library has mended its ways: the filter can go");
}
