//! What use cases cost on YDB, counted at the emulator: answers waited for, and where rows are written. Virtual time.

use std::{fmt::Write as _, sync::Arc, time::Duration};

use userd_model::{Permission, RoleRules, Verdict, message::Audience, role::Approvers};
use userd_services::{Context, access_requests::DecisionInput, notifications::Shown};
use userd_storage_ydb::{YdbEngine, YdbOptions, yql::schema::schema};
use ydb_emulator::{Emulator, Options, Split, Spread};

use crate::{
    deliveries::settle,
    fixture::{Fixture, TestApp},
    messages::message,
    personas::{PASSWORD, acting, at, elsewhere, login_with, of, registration, started},
    rights::support::{requestable, wanting},
};

async fn on_emulator() -> (TestApp, Emulator) {
    let emulator = Emulator::start(Options::default()).await.unwrap();
    schema().unwrap().split_terminator(";\n").for_each(|step| emulator.run(step).unwrap());
    let engine = Arc::new(YdbEngine::new(YdbOptions::at(&emulator.connection_string())).unwrap());
    (Fixture::over(engine).app().await, emulator)
}

/// Answers that each use case waits for. A sign-in and a refresh have a bound: four and two.
const ROUND_TRIPS: [(&str, u64); 10] = [
    ("register", 5),
    ("sign in with a password", 4),
    ("refresh", 2),
    ("`GET /v1/me`, first time", 2),
    ("`GET /v1/me`, warm", 0),
    ("introspect, once the asking service is known", 0),
    ("ask for a role", 8),
    ("approve the request", 9),
    ("list the inbox", 2),
    ("mark a notification as read", 2),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_use_case_waits_for_as_many_answers_as_the_page_says() {
    let (app, emulator) = on_emulator().await;
    app.register_permission("cms.write").await;
    let approvers = Approvers { roles: vec!["approver".into()], ..Approvers::default() };
    app.make_role("editor", &["cms.write"], RoleRules { approvers, ..requestable() }).await;
    let boris = app.member("boris").await;
    app.give_role(&boris, "approver").await;
    // What the first of its kind finds out for all that follow.
    app.ask(&app.member("first").await, wanting("editor")).await.unwrap();
    let deciding = acting(&app, &app.actor(&boris).await);
    let mut measured = Vec::new();
    let mut counted = |what: &'static str| {
        measured.push((what, emulator.counters().round_trips()));
        emulator.reset_counters();
    };
    emulator.reset_counters();

    let ada = app.member("ada").await;
    counted("register");
    let signed_in = app.login("ada", PASSWORD).await.unwrap();
    counted("sign in with a password");
    let tokens = app.refresh(&signed_in.tokens.refresh_token).await.unwrap().tokens;
    counted("refresh");
    for what in ["`GET /v1/me`, first time", "`GET /v1/me`, warm"] {
        app.who(&tokens.access_token).await.unwrap();
        app.user_reader.show(ada.id).await.unwrap();
        counted(what);
    }
    app.introspect(&app.operator_context(), &tokens.access_token).await.unwrap();
    counted("introspect, once the asking service is known");
    let asking = acting(&app, &app.actor(&ada).await);
    emulator.reset_counters();
    let asked = app.access_requests.ask(&asking, wanting("editor"), None).await.unwrap();
    counted("ask for a role");
    let input = DecisionInput::default();
    app.access_requests.decide(&deciding, asked.request.id, Verdict::Approve, &input).await.unwrap();
    counted("approve the request");
    settle(&app).await;
    emulator.reset_counters();
    let ctx = of(&app, &ada);
    let inbox = app.notifications.list(&ctx, Shown::Inbox, None, 50).await.unwrap();
    counted("list the inbox");
    app.notifications.read(&ctx, inbox.items[0].id).await.unwrap();
    counted("mark a notification as read");

    assert_eq!(measured, ROUND_TRIPS);
    assert_eq!(emulator.counters().full_scans_refused, 0);
    let page = include_str!("../../../../docs/ydb.md");
    for (what, trips) in ROUND_TRIPS {
        assert!(page.contains(&format!("| {what} | {trips} |")), "docs/ydb.md does not say: {what}, {trips}");
    }
}

/// What the last long run found: name, rows written, the busiest of four parts as a multiple of its fair share, how often
/// the key that was written most often; stretches locked, and their busiest part. docs/ydb-tables.md is made from it.
const MEASURED: &str = include_str!("../../../storage-ydb/schema/spread.txt");

/// As many roles, each with an approver of its own: an inbox of somebody whom everybody asks would be one key.
const APPROVERS: usize = 16;

/// Registrations, sign-ins, refreshes, notifications and decisions, as many of each: 750 in all, or as many as
/// `USERD_TEST_YDB_OPERATIONS` says; by hand (`./test ydb`), for it takes a minute. `UPDATE=1` writes down what
/// is found: do so with 10,000.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_spread_over_partitions_but_where_the_page_says_otherwise() {
    let all = told("USERD_TEST_YDB_OPERATIONS").map_or(750, |text| text.parse::<usize>().unwrap());
    let (app, emulator) = on_emulator().await;
    app.register_permission("cms.write").await;
    let mut approvers = Vec::new();
    for number in 0..APPROVERS {
        let (role, approver) = (format!("editor{number}"), format!("approver{number}"));
        let named = Approvers { roles: vec![approver.clone()], ..Approvers::default() };
        app.make_role(&approver, &[], RoleRules::default()).await;
        app.make_role(&role, &["cms.write"], RoleRules { approvers: named, ..requestable() }).await;
        let member = app.member(&approver).await;
        app.give_role(&member, &approver).await;
        approvers.push(acting(&app, &app.actor(&member).await));
    }
    let sender = acting(&app, &app.service(&[Permission::NOTIFICATIONS_SEND]).await.actor);
    emulator.reset_counters();
    for number in 0..all / 5 {
        let of = number % APPROVERS;
        live(&app, number, (&format!("editor{of}"), &approvers[of]), &sender).await;
    }
    let window = (all / 10).min(1_000);
    let spread = emulator.spread(Split { partitions: 4, window });
    let mut found = String::new();
    for of in spread.iter().filter(|of| of.writes > 0) {
        let of_share = |share: Option<f64>| share.map_or_else(|| "-".to_owned(), |share| format!("{share:.2}"));
        let (writes, locks) = (of_share(of.hottest_writes), of_share(of.hottest_locks));
        writeln!(found, "{} {} {writes} {} {} {locks}", name(of), of.writes, of.hottest_key, of.locks).unwrap();
    }
    println!("{all} operations, windows of {window}:\n{found}");
    if told("UPDATE").is_some() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../storage-ydb/schema/spread.txt");
        std::fs::write(file, format!("# {all} operations, windows of {window}\n{found}")).unwrap();
        return;
    }
    let known = hot(MEASURED);
    let new: Vec<_> = hot(&found).into_iter().filter(|name| !known.contains(name)).collect();
    assert!(new.is_empty(), "more than twice the fair share at one place: {new:#?}\n{found}");
    assert!(!known.is_empty(), "the check can find something: the audit log is in one order");
}

/// Where more than twice the fair share goes to one part.
fn hot(measured: &str) -> Vec<&str> {
    measured
        .lines()
        .filter_map(|line| {
            let mut words = line.split(' ');
            let (name, writes, locks) = (words.next()?, words.nth(1)?, words.nth(2)?);
            let is_hot = |share: &str| share.parse::<f64>().is_ok_and(|share| share > 2.0);
            (is_hot(writes) || is_hot(locks)).then_some(name)
        })
        .collect()
}

fn name(of: &Spread) -> String {
    of.index.clone().unwrap_or_else(|| of.table.rsplit('/').next().unwrap().to_owned())
}

/// Somebody registers, signs in, goes on, is sent something, asks for a role and gets it.
async fn live(app: &TestApp, number: usize, (role, deciding): (&str, &Context), sender: &Context) {
    let name = format!("user{number}");
    let here = || at(app, elsewhere(number));
    let asked = registration(Some(&format!("{name}@example.org")), Some(&name));
    let id = app.accounts.register(&here(), asked, None).await.map(started).unwrap().user.id;
    let signed_in = app.sessions.login(&here(), login_with(&name, PASSWORD)).await.map(started).unwrap();
    let tokens = app.sessions.refresh(&here(), &signed_in.tokens.refresh_token).await.unwrap().tokens;
    app.messages.send(sender, message(Audience::Users(vec![id])), None).await.unwrap();
    let ada = crate::personas::Member { id, email: String::new(), tokens };
    let asked = app.ask(&ada, wanting(role)).await.unwrap();
    let input = DecisionInput::default();
    app.access_requests.decide(deciding, asked.request.id, Verdict::Approve, &input).await.unwrap();
    if number % 20 == 19 {
        settle(app).await;
    }
    app.advance(Duration::from_millis(50));
}

#[expect(clippy::disallowed_methods, reason = "tests are told by the environment how much to do")]
fn told(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
