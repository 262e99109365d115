//! What each use case asks of the database: statements, and answers waited for.

use std::sync::Arc;

use userd_services::{passwords::Password, sessions::Login};
use userd_storage::{
    Engine,
    testing::{Counted, Counting},
};

use super::{
    Fault,
    people::PASSWORD,
    report::Table,
    runtime,
    test_services::{self, context},
};

/// Runs each use case once over `engine` and counts.
pub(super) fn table(engine: Arc<dyn Engine>, name: &str) -> Result<Table, Fault> {
    super::say("questions to the database");
    let (engine, counting) = Counting::over(engine);
    let mut table = Table::new(
        format!("What a use case asks of the database ({name})"),
        "Statements in transactions and reads outside of them; round trips on a networked engine (statements sent together \
         are one, BEGIN travels with the first, deferred writes with the commit).",
        &["use case", "statements in a transaction", "reads outside", "round trips"],
    );
    let mut row = |what: &str, counted: &Counted| {
        let units = counted.units.values();
        let (statements, trips) = units.fold((0, 0), |(a, b), unit| (a + unit.statements, b + unit.round_trips()));
        let reads: u64 = counted.reads.values().sum();
        table.row([what.to_owned(), statements.to_string(), reads.to_string(), (trips + reads).to_string()]);
    };
    runtime()?.block_on(async {
        let services = test_services::services(engine.clone()).await?;
        counting.take();
        let registered = test_services::register(&services, 0).await?;
        row("register", &counting.take());
        let login = Login {
            login: "person0@bench.example".to_owned(),
            password: Password::new(PASSWORD.to_owned()),
            device_name: None,
            device_token: None,
        };
        let signed_in =
            services.sessions.login(&context(&services), login).await?.signed_in().map_err(|step| step.status)?;
        row("login", &counting.take());
        let refreshed = services.sessions.refresh(&context(&services), &signed_in.tokens.refresh_token).await?;
        row("refresh", &counting.take());
        for name in ["`GET /v1/me`, first time", "`GET /v1/me`, warm"] {
            services.authenticate(&refreshed.tokens.access_token).await?;
            services.user_reader.show(registered.user.id).await?;
            row(name, &counting.take());
        }
        services.introspect(&services.operator_context(), &refreshed.tokens.access_token).await?;
        row("introspect, once the asking service is known", &counting.take());
        engine.close().await;
        Ok::<_, Fault>(())
    })?;
    Ok(table)
}
