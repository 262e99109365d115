//! Every route as every kind of caller: what the policy comes to when it is tried. The snapshot is read in review.

pub mod callers;
pub mod requests;

use std::{collections::BTreeMap, fmt::Write as _};

use userd_http::policy::{Access, ROUTES, RouteAccess};
use userd_web::testing::Answer;

use self::{
    callers::{App, Persona},
    requests::request_for,
};

const SNAPSHOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/http/personas.snapshot");

/// The routes are shared among so many: the test machine has two cores, and this is its longest test of one thread.
const THREADS: usize = 2;

/// Status, and the slug of the problem or the OAuth error.
type Outcome = (u16, String);

/// AC-104: what each kind of caller gets from each route, and that it is what the policy says.
/// ASVS V14.3.2
#[test]
fn every_route_answers_every_persona_as_the_policy_says() {
    let threads: Vec<_> = (0..THREADS).map(|first| std::thread::spawn(move || ask_of_every(first))).collect();
    let mut lines: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap().into_iter()).collect();
    let table: Vec<_> =
        ROUTES.iter().enumerate().map(|(at, route)| (route, lines[at % THREADS].next().unwrap())).collect();
    let current = render(&table);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(SNAPSHOT, &current).unwrap();
    }
    let reviewed = std::fs::read_to_string(SNAPSHOT).unwrap_or_default();
    assert_eq!(reviewed, current, "review, then run UPDATE=1 cargo test -p userd-http");
}

/// What a thread finds out: the line of every so many routes, beginning with this one. Its apps are its own.
#[tokio::main(flavor = "current_thread")]
async fn ask_of_every(first: usize) -> Vec<Vec<Outcome>> {
    let mut lines = Vec::new();
    let mut app = App::start().await;
    for route in ROUTES.iter().skip(first).step_by(THREADS) {
        let mut line = Vec::new();
        for persona in Persona::all() {
            let request = request_for(&mut app, route, persona).await;
            let answer = app.ask(request).await;
            line.push(outcome(&answer));
            assert_access(route, persona, &answer);
            assert_not_kept(route, &answer);
            if route.method != "GET" && answer.status.as_u16() < 400 {
                app = App::start().await;
            }
        }
        lines.push(line);
    }
    lines
}

/// Who may not is told so before anything else is looked at; who may is never told so.
fn assert_access(route: &RouteAccess, persona: Persona, answer: &Answer) {
    let (status, word) = outcome(answer);
    let refused = ["not_signed_in", "invalid_token", "forbidden", "unauthorized_client", "invalid_client"];
    let may = match &route.access {
        Access::Public => return,
        Access::User => persona.is_signed_in_user(),
        Access::Permission(permission) => persona.sends_bearer() && persona.has(permission),
        Access::Service(_) => persona == Persona::Service,
        Access::Client => persona == Persona::Basic,
        Access::ClientOrBearer(permission) => persona.has(permission),
    };
    assert_eq!(may, !refused.contains(&word.as_str()), "{route:?} as {persona:?}: {status} {}", answer.text());
}

/// What carries tokens or personal data is kept by no browser and no proxy.
fn assert_not_kept(route: &RouteAccess, answer: &Answer) {
    let open = ["/v1/auth/providers", "/v1/revocations"].contains(&route.path);
    if (route.path.starts_with("/v1/") || route.path.starts_with("/oauth2/")) && !open {
        assert_eq!(answer.header("cache-control"), "no-store", "{} {}", route.method, route.path);
    }
}

fn outcome(answer: &Answer) -> Outcome {
    let status = answer.status.as_u16();
    if status < 400 {
        return (status, String::new());
    }
    let json = answer.json();
    let word = match json["error"].as_str() {
        Some(error) => error.to_owned(),
        None => json["type"].as_str().unwrap().trim_start_matches("/problems/").to_owned(),
    };
    (status, word)
}

fn render(table: &[(&RouteAccess, Vec<Outcome>)]) -> String {
    let cells = cell_names(table);
    let names: Vec<String> = Persona::all().iter().map(|persona| persona.name()).collect();
    let mut text = String::from("# Who gets what from which route. Letters tell problems of one status apart:\n");
    for ((status, word), cell) in cells.iter().filter(|(outcome, _)| !outcome.1.is_empty()) {
        let _ = writeln!(text, "#   {cell:<5} {status} {word}");
    }
    let head = names.join(" ");
    let _ = writeln!(text, "\n{:<54} {head} | needs", "route");
    for (route, line) in table {
        let _ = write!(text, "{:<54} ", format!("{} {}", route.method, route.path));
        for (outcome, name) in line.iter().zip(&names) {
            let _ = write!(text, "{:<width$} ", cells[outcome], width = name.len());
        }
        let _ = writeln!(text, "| {:?}", route.access);
    }
    text
}

/// `404`, or `401a` and `401b` where two problems share a status.
fn cell_names(table: &[(&RouteAccess, Vec<Outcome>)]) -> BTreeMap<Outcome, String> {
    let mut words: BTreeMap<u16, Vec<String>> = BTreeMap::new();
    for (status, word) in table.iter().flat_map(|(_, line)| line) {
        let known = words.entry(*status).or_default();
        if !known.contains(word) {
            known.push(word.clone());
        }
    }
    let mut cells = BTreeMap::new();
    for (status, mut known) in words {
        known.sort();
        let alone = known.len() == 1;
        for (word, letter) in known.into_iter().zip('a'..='z') {
            let cell = if alone { status.to_string() } else { format!("{status}{letter}") };
            cells.insert((status, word), cell);
        }
    }
    cells
}
