//! Where a case runs: a new database behind an engine that behaves or misbehaves, and apps built over it.

use std::{ops::Deref, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt as _;
use userd_model::{EventKind, Fact, Level, Random as _, Refusal, Subject, Timestamp, UserId, UserStatus};
use userd_services::{
    Failure, Services,
    testing::{TestOptions, settings, test_app},
};
use userd_storage::{
    Engine, Store, UnitOfWork,
    engines::{PostgresEngine, PostgresOptions, SqliteEngine, SqliteLocation, SqliteOptions},
    repositories::outbox::{SHARDS, shard_of},
    testing::{ConflictFirst, ManualClock, RunTwice, TestRandom, postgres_url, schema_on},
};

/// What a case runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backend {
    Memory,
    /// Left out where no server is given and none must be.
    Postgres,
    #[cfg(feature = "ydb")]
    Ydb,
}

/// How the engine behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FaultMode {
    Plain,
    RunTwice,
    ConflictFirst,
}

/// Runs a case, unless its backend is not at hand and need not be.
pub(crate) async fn run(backend: Backend, mode: FaultMode, case: impl AsyncFnOnce(Fixture)) {
    let Some(place) = Place::find(backend).await else { return };
    let engine = place.engine();
    // The schema is made without faults; only the case meets them.
    place.furnish(&engine).await;
    let front = match mode {
        FaultMode::Plain => Arc::clone(&engine),
        FaultMode::RunTwice => RunTwice::over(Arc::clone(&engine)),
        FaultMode::ConflictFirst => ConflictFirst::over(Arc::clone(&engine)),
    };
    let ended = AssertUnwindSafe(case(Fixture::over(front))).catch_unwind().await;
    engine.close().await;
    place.leave().await;
    if let Err(panic) = ended {
        std::panic::resume_unwind(panic);
    }
}

/// Where the tables are: in memory, in a schema of their own on the PostgreSQL server, or in an emulator of their own.
/// Making a schema takes a hundredth of the time that making a database takes.
enum Place {
    Memory,
    Postgres {
        server: Arc<dyn Engine>,
        url: String,
        schema: String,
    },
    #[cfg(feature = "ydb")]
    Ydb(ydb_emulator::Emulator),
}

impl Place {
    async fn find(backend: Backend) -> Option<Self> {
        match backend {
            Backend::Memory => Some(Self::Memory),
            Backend::Postgres => Self::on_postgres().await,
            #[cfg(feature = "ydb")]
            Backend::Ydb => {
                Some(Self::Ydb(ydb_emulator::Emulator::start(ydb_emulator::Options::default()).await.unwrap()))
            }
        }
    }

    async fn on_postgres() -> Option<Self> {
        let url = postgres_url().unwrap()?;
        let server: Arc<dyn Engine> = Arc::new(PostgresEngine::new(&PostgresOptions::at(&*url)).unwrap());
        let schema = format!("services_{}", u128::from_le_bytes(TestRandom::default().id_bytes()));
        server.run_schema(&format!("CREATE SCHEMA {schema}")).await.unwrap();
        Some(Self::Postgres { server, url, schema })
    }

    fn engine(&self) -> Arc<dyn Engine> {
        match self {
            Self::Memory => Arc::new(SqliteEngine::open(&SqliteOptions::at(SqliteLocation::Memory)).unwrap()),
            Self::Postgres { url, schema, .. } => {
                let and = if url.contains('?') { '&' } else { '?' };
                let url = format!("{url}{and}options=-csearch_path%3D{schema}");
                Arc::new(PostgresEngine::new(&PostgresOptions::at(url)).unwrap())
            }
            #[cfg(feature = "ydb")]
            Self::Ydb(emulator) => {
                let options = userd_storage_ydb::YdbOptions::at(&emulator.connection_string());
                Arc::new(userd_storage_ydb::YdbEngine::new(options).unwrap())
            }
        }
    }

    /// Makes the schema: by its steps, but on YDB as it is today. That the steps lead there is shown elsewhere
    /// (`crates/storage-ydb/tests/contract/schema.rs`), and over the wire they take ten times as long as a case.
    async fn furnish(&self, engine: &Arc<dyn Engine>) {
        #[cfg(feature = "ydb")]
        if let Self::Ydb(emulator) = self {
            let schema = userd_storage_ydb::yql::schema::schema().unwrap();
            schema.split_terminator(";\n").for_each(|step| emulator.run(step).unwrap());
            return;
        }
        schema_on(Arc::clone(engine)).await.unwrap();
    }

    async fn leave(self) {
        if let Self::Postgres { server, schema, .. } = self {
            server.run_schema(&format!("DROP SCHEMA {schema} CASCADE")).await.unwrap();
            server.close().await;
        }
    }
}

/// A database.
pub(crate) struct Fixture {
    pub(crate) store: Arc<Store>,
}

/// A service on a fixture.
pub(crate) struct TestApp {
    services: Arc<Services>,
    pub(crate) clock: Arc<ManualClock>,
}

impl Deref for TestApp {
    type Target = Services;

    fn deref(&self) -> &Services {
        &self.services
    }
}

impl Fixture {
    pub(crate) fn over(engine: Arc<dyn Engine>) -> Self {
        Self { store: Arc::new(Store::new(engine, Arc::new(TestRandom::default()))) }
    }

    /// The usual app: registration open, no limits.
    pub(crate) async fn app(&self) -> TestApp {
        self.app_with(TestOptions::default()).await
    }

    pub(crate) async fn app_with(&self, options: TestOptions) -> TestApp {
        self.try_app(options).await.unwrap()
    }

    pub(crate) async fn try_app(&self, options: TestOptions) -> Result<TestApp, Failure> {
        let made = test_app(Arc::clone(&self.store), options).await?;
        Ok(TestApp { services: made.services, clock: made.clock })
    }

    /// Two replicas on one database that hear nothing of each other but what the database tells.
    pub(crate) async fn two_apps(&self) -> (TestApp, TestApp) {
        let first = self.app().await;
        let clock = Some(Arc::clone(&first.clock));
        let second = self.app_with(TestOptions { clock, seed: 2, ..TestOptions::default() }).await;
        (first, second)
    }
}

impl TestApp {
    pub(crate) fn shared(&self) -> Arc<Services> {
        Arc::clone(&self.services)
    }

    /// A fact that nobody told.
    pub(crate) fn fact(&self, kind: &str, subject: impl Into<Subject>, number: i64) -> Fact {
        Fact {
            id: userd_model::EventId::from_random(TestRandom::default().id_bytes()),
            kind: kind.to_owned(),
            public: true,
            subject: subject.into(),
            number,
            actor: userd_model::FactActor::unknown(),
            request_id: None,
            origin: None,
            personal: None,
            at: self.now(),
            data: serde_json::json!({}),
        }
    }

    pub(crate) async fn push(&self, facts: &[Fact]) {
        let pushed = self.deps.store.transact("push", |mut uow| async move {
            uow.outbox().push_many(facts).await?;
            uow.commit(()).await
        });
        pushed.await.unwrap();
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.deps.now()
    }

    pub(crate) fn advance(&self, span: Duration) {
        self.clock.advance(span);
    }

    pub(crate) fn reading(&self) -> UnitOfWork {
        self.deps.store.reading()
    }

    /// The words of every event of a user in the outbox, sorted.
    pub(crate) async fn events_of(&self, user: UserId) -> Vec<String> {
        let mut words: Vec<String> = self.facts_of(user).await.into_iter().map(|fact| fact.kind).collect();
        words.sort_unstable();
        words
    }

    /// Every fact about a subject in the outbox, in the order of their numbers.
    pub(crate) async fn facts_of(&self, subject: impl Into<Subject>) -> Vec<Fact> {
        let subject = subject.into();
        let shard = shard_of(&subject);
        let mut facts = self.reading().outbox().page(shard, None, 10_000).await.unwrap();
        facts.retain(|fact| fact.subject == subject);
        facts.sort_by_key(|fact| fact.number);
        facts
    }

    /// Every fact in the outbox.
    pub(crate) async fn facts(&self) -> Vec<Fact> {
        let mut facts = Vec::new();
        for shard in 0..SHARDS {
            facts.extend(self.reading().outbox().page(shard, None, 10_000).await.unwrap());
        }
        facts
    }

    pub(crate) async fn count_of(&self, user: UserId, kind: EventKind) -> usize {
        self.events_of(user).await.iter().filter(|word| **word == kind.as_str()).count()
    }

    /// Marks an account as deleted, as the service will once owners can delete theirs.
    pub(crate) async fn delete(&self, user: UserId) {
        self.rewrite(user, |user| user.status = UserStatus::Deleted).await;
    }

    /// Writes an account as nothing here writes it.
    pub(crate) async fn rewrite(&self, user: UserId, how: impl Fn(&mut userd_model::User) + Send + Sync) {
        let how = &how;
        self.deps
            .store
            .transact("rewrite", |mut uow| async move {
                let mut found = uow.users().find(user).await?.unwrap();
                how(&mut found);
                uow.users().update(&found).await?;
                uow.commit(()).await
            })
            .await
            .unwrap();
    }
}

/// Default settings with one change.
pub(crate) fn with(change: impl FnOnce(&mut userd_services::Settings)) -> TestOptions {
    let mut changed = settings();
    change(&mut changed);
    TestOptions { settings: changed, ..TestOptions::default() }
}

/// The refusal that an answer is.
#[track_caller]
pub(crate) fn refusal<T>(answer: Result<T, Failure>) -> Refusal {
    match answer {
        Err(Failure::Refused(refusal)) => refusal,
        Err(other) => panic!("a fault instead of a refusal: {other:?}"),
        Ok(_) => panic!("nothing was refused"),
    }
}

/// The refusal of an act for which the sign-in is too long ago.
pub(crate) fn out_of_date() -> Refusal {
    Refusal::InsufficientAuthentication { level: Level::One, max_age: Some(5 * MINUTE) }
}

/// The pointers of the fields that are refused.
#[track_caller]
pub(crate) fn wrong_fields<T>(answer: Result<T, Failure>) -> Vec<String> {
    match refusal(answer) {
        Refusal::InvalidInput(fields) => fields.into_iter().map(|field| field.pointer).collect(),
        other => panic!("refused, but not for its fields: {other:?}"),
    }
}

pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const DAY: Duration = Duration::from_secs(24 * 3600);

/// How often to do something: as the environment says, else `usually`.
#[expect(clippy::disallowed_methods, reason = "a longer run is asked for by whoever starts the tests")]
pub(crate) fn rounds(variable: &str, usually: usize) -> usize {
    std::env::var(variable).ok().map_or(usually, |text| text.parse().expect("a number"))
}

/// Runs sixty-four calls at once; answers come in no order.
pub(crate) async fn at_once<T, F>(count: usize, call: impl Fn(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let mut calls = tokio::task::JoinSet::new();
    for turn in 0..count {
        calls.spawn(call(turn));
    }
    calls.join_all().await
}
