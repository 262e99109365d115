//! What the tests of the whole binary share (`crates/userd/tests`): the program as a process, people who call it, lines
//! that can be cut, private servers. Deliberately absent: tests, and anything that is shipped.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test may stop at the first surprise, and says what it saw"
)]
#![allow(missing_docs, reason = "most of it says what it is by its name")]

pub mod caller;
pub mod proxy;
pub mod replica;
pub mod script;
pub mod servers;
pub mod test_app;

use std::{
    collections::hash_map::RandomState,
    hash::BuildHasher,
    time::{Duration, Instant},
};

pub use self::{
    caller::{Answer, Caller, Tokens},
    replica::Replica,
    test_app::{Engine, TestApp},
};

/// A password that no rule refuses.
pub const PASSWORD: &str = "correct horse battery staple 7";

/// Runs a journey on the embedded engine with the cache in process, and on PostgreSQL with Redis. Where it is used,
/// `TestApp` and `Engine` are in scope. Its `journey` can be run on a further engine.
#[macro_export]
macro_rules! on_each_engine {
    ($($(#[$attribute:meta])* async fn $name:ident($app:ident: TestApp) $body:block)+) => {$(
        pub(crate) mod $name {
            use super::*;

            $(#[$attribute])*
            pub(crate) async fn journey($app: TestApp) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                journey(TestApp::build(Engine::Sqlite).await.unwrap()).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres_and_redis() {
                let Some(app) = TestApp::build(Engine::Postgres).await else { return };
                journey(app).await;
            }
        }
    )+};
}

/// A name that nobody has.
pub fn unique(stem: &str) -> String {
    format!("{stem}{:x}", RandomState::new().hash_one(stem) >> 16)
}

/// An e-mail address that nobody has.
pub fn unique_email() -> String {
    format!("{}@example.org", unique("post"))
}

/// What the environment of the tests says; `None` where it says nothing.
#[expect(clippy::disallowed_methods, reason = "tests are told by the environment which servers and how many rounds")]
pub fn told(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// How often to do something: as the environment says, else `usually`.
pub fn rounds(variable: &str, usually: usize) -> usize {
    told(variable).map_or(usually, |text| text.parse().expect("a number"))
}

/// Whether something that is not at hand fails the test.
pub fn all_required() -> bool {
    told("USERD_TEST_REQUIRE_ALL").as_deref() == Some("1")
}

/// Tries until `done`, and says how long it took. Panics after `patience`.
pub async fn until(what: &str, patience: Duration, mut done: impl AsyncFnMut() -> bool) -> Duration {
    let start = Instant::now();
    while !done().await {
        assert!(start.elapsed() < patience, "{what}: not within {patience:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    start.elapsed()
}

/// Median and worst of some times, for the record.
pub fn spread(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort();
    (times[times.len() / 2], times[times.len() - 1])
}
