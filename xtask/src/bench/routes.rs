//! Throughput, latency and cost of the routes that matter, and the table of them.

use std::time::Duration;

use super::{
    Fault, Pace,
    client::get,
    load::{self, Caller, Measured, Same},
    logins,
    people::{self, Person, Refresher, Registrar},
    report::{Report, Table, short, time},
    server::{Server, Setting},
};

/// Connections for routes that need no password.
const MANY: usize = 64;
/// Connections for routes that hash one: enough to keep every core busy, few enough for the queue.
const FEW: usize = 16;

/// One route, measured.
pub(super) struct Route {
    name: &'static str,
    measured: Measured,
}

/// Measures every route, one after the other. `people` are at least as many as connections.
pub(super) fn measure(setting: &Setting, server: &Server, people: &[Person], pace: &Pace) -> Result<Vec<Route>, Fault> {
    let asking = people.first().ok_or("nobody is registered")?;
    let question = people::introspection(setting, server, asking)?;
    let same = |request: Vec<u8>| Box::new(Same(request)) as Box<dyn Caller>;
    let each = |make: &dyn Fn(&Person) -> Box<dyn Caller>, count: usize| people.iter().take(count).map(make).collect();
    let registrar =
        |worker: usize| Box::new(Registrar { prefix: format!("new{worker}x"), registered: 0 }) as Box<dyn Caller>;
    let plans: Vec<(&str, Vec<Box<dyn Caller>>)> = vec![
        ("GET /livez", (0..MANY).map(|_| same(get("/livez", None))).collect()),
        ("GET /v1/me", each(&|person| same(person.me()), MANY)),
        ("POST /oauth2/introspect", (0..MANY).map(|_| same(question.clone())).collect()),
        ("POST /v1/auth/refresh", each(&|person| Box::new(Refresher(person.refresh_token.clone())), MANY)),
        ("POST /v1/auth/login", logins::callers(people, FEW)),
        ("POST /v1/auth/register", (0..FEW).map(registrar).collect()),
    ];
    let mut routes = Vec::with_capacity(plans.len());
    for (name, callers) in plans {
        super::say(&format!("{name} on {}", setting.engine()));
        let measured = load::run(server, callers, pace.warm, pace.route)?;
        routes.push(Route { name, measured });
    }
    Ok(routes)
}

/// `/v1/me` against `/livez`, in two further windows right after each other, so that both see the same machine.
pub(super) fn me_against_livez(
    server: &Server,
    people: &[Person],
    pace: &Pace,
    report: &mut Report,
) -> Result<(), Fault> {
    let (mut ratios, mut costs) = (Vec::new(), Vec::new());
    for _ in 0..pace.rounds {
        let livez = (0..MANY).map(|_| Box::new(Same(get("/livez", None))) as Box<dyn Caller>).collect();
        let me = people.iter().take(MANY).map(|person| Box::new(Same(person.me())) as Box<dyn Caller>).collect();
        let livez = load::run(server, livez, Duration::from_millis(200), pace.round)?;
        let me = load::run(server, me, Duration::from_millis(200), pace.round)?;
        ratios.push(me.per_second / livez.per_second);
        costs.push(livez.server_cpu / me.server_cpu);
    }
    report.at_least("`/v1/me` throughput against `/livez`", super::median(ratios), 0.6, "");
    report.at_least("the same by the server's processor time per request", super::median(costs), 0.6, "");
    Ok(())
}

/// The table, a block of rows per engine.
pub(super) fn table(engines: &[(String, Vec<Route>)]) -> Table {
    let mut table = Table::new(
        "Routes",
        format!(
            "Closed loop, keep-alive, {MANY} connections ({FEW} where a password is hashed), each a person of their own, client on \
             the same cores. \"server CPU\" and \"client CPU\" are processor time per answer. The access log is on."
        ),
        &["route", "engine", "requests/s", "p50", "p99", "server CPU", "client CPU", "failed"],
    );
    for (engine, routes) in engines {
        for Route { name, measured } in routes {
            let micros = |micros: f64| time(Duration::from_secs_f64(micros / 1e6));
            table.row([
                format!("`{name}`"),
                engine.clone(),
                short(measured.per_second),
                time(measured.times.percentile(50)),
                time(measured.times.percentile(99)),
                micros(measured.server_cpu),
                micros(measured.client_cpu),
                measured.failed.to_string(),
            ]);
        }
    }
    table
}
