//! Arrows that Cargo cannot see: what is absent inside a room, although a dependency would allow it.

use crate::source::{code, mentions, none, offenders, production};

/// ASVS V15.4.1
#[test]
fn the_model_is_plain_values() {
    let absent =
        ["tokio::", "async_trait::", "futures_util::", "std::fs", "std::net", "std::thread", "std::env", "async fn"];
    none("the model has no I/O, no async, no threads", offenders(&["model"], &absent));
}

#[test]
fn services_know_no_http_and_no_driver() {
    let absent = ["axum::", "hyper::", "http::", "rusqlite::", "tokio_postgres::", "redis::", "reqwest::", "utoipa::"];
    none("services speak to rooms, not to protocols", offenders(&["services"], &absent));
}

#[test]
fn the_http_room_knows_no_storage() {
    let absent = ["userd_storage::", "userd_cache::", "userd_crypto::", "rusqlite::", "tokio_postgres::", "redis::"];
    none("handlers call services", offenders(&["http", "web"], &absent));
}

#[test]
fn handlers_ask_services_not_their_parts() {
    let mut wrong = Vec::new();
    for source in production("http").iter().chain(&production("web")) {
        let lines =
            code(source).into_iter().filter(|(_, line)| line.contains("services.parts") || line.contains(".parts."));
        wrong.extend(lines.map(|(number, _)| format!("{}:{number}", source.path)));
    }
    none("what a handler needs is a method of a service", wrong);
}

#[test]
fn the_request_layer_knows_no_route() {
    let mut wrong = Vec::new();
    for source in production("web") {
        let lines =
            code(&source).into_iter().filter(|(_, line)| line.contains("utoipa::path") || line.contains("routes!("));
        wrong.extend(lines.map(|(number, _)| format!("{}:{number}", source.path)));
    }
    none("routes are registered in crates/http/src/routes", wrong);
}

#[test]
fn repositories_know_no_engine() {
    let mut wrong = Vec::new();
    for source in production("storage").iter().filter(|source| source.path.contains("/src/repositories/")) {
        for (number, line) in code(source) {
            let engines = ["rusqlite::", "tokio_postgres::", "deadpool::", "crate::engines", "engines::"];
            wrong.extend(
                engines
                    .iter()
                    .filter(|path| mentions(line, path))
                    .map(|path| format!("{}:{number}: {path}", source.path)),
            );
        }
    }
    none("a repository is written once, for every engine", wrong);
}

#[test]
fn only_an_engine_knows_its_driver() {
    let drivers = [
        ("rusqlite::", "/engines/sqlite"),
        ("tokio_postgres::", "/engines/postgres"),
        ("deadpool::", "/engines/postgres"),
    ];
    let mut wrong = Vec::new();
    for source in production("storage") {
        for (driver, home) in drivers.iter().filter(|(_, home)| !source.path.contains(home)) {
            let lines = code(&source).into_iter().filter(|(_, line)| mentions(line, driver));
            wrong.extend(lines.map(|(number, _)| format!("{}:{number}: {driver} outside {home}", source.path)));
        }
    }
    none("one engine in one place", wrong);
}

#[test]
fn rules_do_not_read_the_clock() {
    let clocks = [
        "SystemTime::now",
        "Instant::now",
        "std::time::SystemTime",
        "jiff::Timestamp::now",
        "Timestamp::now",
        "Zoned::now",
    ];
    none("time is passed in, so that tests can move it", offenders(&["model", "services", "jose"], &clocks));
}

/// ASVS V6.5.3
#[test]
fn rules_do_not_draw_chance() {
    let chance = ["aws_lc_rs::rand", "getrandom::", "rand::", "Uuid::new_v4", "Uuid::now_v7"];
    none(
        "chance is passed in, so that tests can repeat it",
        offenders(&["model", "services", "storage", "cache", "http", "web"], &chance),
    );
}

/// ASVS V1.2.5
#[test]
fn no_command_is_run_outside_the_wiring() {
    let rooms =
        ["model", "jose", "crypto", "storage", "cache", "outbound", "providers", "channels", "services", "http", "web"];
    let processes = ["std::process::Command", "tokio::process", "process::Command"];
    none("only the wiring may run a command, for the master key", offenders(&rooms, &processes));
}

/// ASVS V1.2.4
#[test]
fn no_sql_is_made_of_strings() {
    let mut wrong = Vec::new();
    for source in production("storage").iter().chain(&production("services")) {
        for (number, line) in code(source) {
            let made = ["format!(\"SELECT", "format!(\"INSERT", "format!(\"UPDATE", "format!(\"DELETE"];
            wrong.extend(
                made.iter()
                    .filter(|text| line.contains(**text))
                    .map(|text| format!("{}:{number}: {text}", source.path)),
            );
        }
    }
    none("statements are constants with bound values", wrong);
}

#[test]
fn status_codes_of_refusals_stand_in_one_table() {
    let mut wrong = Vec::new();
    for source in production("services").iter().chain(&production("model")) {
        for (number, line) in code(source) {
            if mentions(line, "StatusCode") || line.contains(".status_code(") {
                wrong.push(format!("{}:{number}", source.path));
            }
        }
    }
    none("status codes are the table's in crates/web/src/problem, and the handlers' for success", wrong);
}
