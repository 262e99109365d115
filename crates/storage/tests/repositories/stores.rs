//! On what every case runs: each engine, plain and behind the two decorators that make units of work run again.

use std::sync::Arc;

use userd_storage::{
    Engine, Store,
    testing::{Backend, ConflictFirst, RunTwice, TestDatabase, TestRandom, schema_on},
};

/// Runs the body in a unit of work and commits what it gives.
macro_rules! transact {
    ($store:expr, $uow:ident => $body:expr) => {
        $store
            .transact("case", |mut $uow| async move {
                let value = $body;
                $uow.commit(value).await
            })
            .await
    };
}
pub(crate) use transact;

/// Puts something between a store and its engine, or nothing.
type Front = fn(Arc<dyn Engine>) -> Arc<dyn Engine>;

const FRONTS: [(&str, Front); 3] =
    [("plain", |engine| engine), ("RunTwice", RunTwice::over), ("ConflictFirst", ConflictFirst::over)];

/// Runs `case` on every engine at hand, each with a new database, plain and behind both decorators.
pub(crate) async fn on_every_store(case: impl AsyncFn(&Store)) {
    on(&FRONTS, case).await;
}

/// Runs `case` on every engine at hand, plain.
pub(crate) async fn on_every_engine(case: impl AsyncFn(&Store)) {
    on(&FRONTS[..1], case).await;
}

async fn on(fronts: &[(&str, Front)], case: impl AsyncFn(&Store)) {
    for backend in [Backend::Memory, Backend::File, Backend::Postgres] {
        let Some(database) = TestDatabase::create(backend).await.unwrap() else { continue };
        let engine = database.engine().unwrap();
        schema_on(Arc::clone(&engine)).await.unwrap();
        for (name, front) in fronts {
            eprintln!("{backend:?}, {name}");
            case(&Store::new(front(Arc::clone(&engine)), Arc::new(TestRandom::default()))).await;
        }
        engine.close().await;
    }
}
