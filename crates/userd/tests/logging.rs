//! What a log line looks like and what it can never do.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test may stop at the first surprise, and waits for files with a deadline"
)]

use std::{
    ffi::OsStr,
    fs, io,
    path::Path,
    sync::{Arc, Condvar, Mutex},
};

use serde_json::Value;
use tracing::{Dispatch, field, info, info_span, warn};
use userd::{
    config::{LogConfig, LogFormat, LogRotation},
    logging::{self, ColourChoice, Console, Guard, LogError, Stream},
};

/// A console that remembers.
#[derive(Clone, Default)]
struct Screen(Arc<Mutex<Vec<u8>>>);

impl io::Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

const PIPE: Console = Console { stream: Stream::Stdout, is_terminal: false, colour: false };
const TERMINAL: Console = Console { stream: Stream::Stdout, is_terminal: true, colour: true };

fn config(change: impl FnOnce(&mut LogConfig)) -> LogConfig {
    let mut config = LogConfig::default();
    change(&mut config);
    config
}

/// What appears on the console when `story` is told to a log of this configuration.
fn told(config: &LogConfig, console: Console, story: impl FnOnce()) -> String {
    let screen = Screen::default();
    let (dispatch, guard): (Dispatch, Guard) = logging::dispatch(config, console, screen.clone()).unwrap();
    tracing::dispatcher::with_default(&dispatch, story);
    drop(guard);
    String::from_utf8(screen.0.lock().unwrap().clone()).unwrap()
}

fn one_object(text: &str) -> Value {
    assert_eq!(text.matches('\n').count(), 1, "{text}");
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// ASVS V16.2.2, V16.2.4
#[test]
fn a_json_line_is_flat_and_carries_the_fields_of_the_spans_around_it() {
    let line = told(&LogConfig::default(), PIPE, || {
        let request = info_span!("request", request_id = "r-1", user_id = field::Empty, trace_id = field::Empty);
        let _in_request = request.enter();
        request.record("user_id", "u-1");
        let _inner = info_span!("unit_of_work", attempt = 2, request_id = "nearer").entered();
        info!(status = 200, cached = false, ratio = 0.5, "answered");
    });
    let line = one_object(&line);
    assert_eq!(line["level"], "INFO");
    assert_eq!(line["target"], "logging");
    assert_eq!(line["message"], "answered");
    assert_eq!(
        (&line["status"], &line["cached"], &line["ratio"], &line["attempt"]),
        (&200.into(), &false.into(), &0.5.into(), &2.into())
    );
    assert_eq!((&line["request_id"], &line["user_id"]), (&"nearer".into(), &"u-1".into()));
    assert_eq!(line.get("trace_id"), None);
    let time = line["timestamp"].as_str().unwrap();
    assert!(time.ends_with('Z') && time.len() == "2026-01-01T00:00:00.000000Z".len(), "{time}");
    time.parse::<jiff::Timestamp>().unwrap();
}

#[test]
fn a_pretty_line_reads_time_level_room_message_fields() {
    let line = told(&config(|log| log.format = LogFormat::Pretty), PIPE, || {
        info!(target: "userd_http::server", address = "127.0.0.1:8080", note = "two words", "listening");
    });
    let (time, rest) = line.split_at("2026-01-01 00:00:00.000Z".len());
    assert!(time.ends_with('Z'), "{line}");
    let wanted = format!(" INFO  {:22} {:40} address=127.0.0.1:8080 note=\"two words\"\n", "http::server", "listening");
    assert_eq!(rest, wanted);
}

#[test]
fn auto_is_pretty_on_a_terminal_and_json_elsewhere() {
    let auto = LogConfig::default();
    assert!(told(&auto, PIPE, || info!("hello")).starts_with('{'));
    assert!(told(&auto, TERMINAL, || info!("hello")).starts_with("\x1b["));
    assert!(!told(&auto, Console { colour: false, ..TERMINAL }, || info!("hello")).contains('\x1b'));
}

#[test]
fn colour_follows_the_flag_then_the_environment() {
    let some = |text: &'static str| Some(OsStr::new(text));
    assert!(ColourChoice::Auto.decide(true, None, some("xterm")));
    assert!(ColourChoice::Auto.decide(true, some(""), None));
    assert!(!ColourChoice::Auto.decide(true, some("1"), None));
    assert!(!ColourChoice::Auto.decide(true, None, some("dumb")));
    assert!(!ColourChoice::Auto.decide(false, None, None));
    assert!(ColourChoice::Always.decide(false, some("1"), None));
    assert!(!ColourChoice::Never.decide(true, None, None));
}

/// What somebody might send to forge a line, to steer a terminal or to hide text.
const HOSTILE: &str = "a\r\nINFO forged\x1b[2J\u{9b}2J\u{202e}\u{2028}\u{0}\"} {\"level\":\"ERROR\"";

/// ASVS V16.4.1
#[test]
fn a_value_from_outside_cannot_forge_a_line_or_steer_a_terminal() {
    for format in [LogFormat::Json, LogFormat::Pretty] {
        let text = told(&config(|log| log.format = format), PIPE, || {
            warn!(login = HOSTILE, debug = ?HOSTILE, shown = %HOSTILE, "{HOSTILE}");
        });
        assert_eq!(text.matches('\n').count(), 1, "{text:?}");
        let active = |c: char| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c) || c == '\u{2028}';
        assert!(!text.trim_end().contains(active), "{text:?}");
        if format == LogFormat::Json {
            let line = one_object(&text);
            assert_eq!(line["level"], "WARN");
            assert_eq!(
                (&line["login"], &line["shown"], &line["message"]),
                (&HOSTILE.into(), &HOSTILE.into(), &HOSTILE.into())
            );
        }
    }
}

#[test]
fn a_field_cannot_take_the_place_of_the_level_or_the_time() {
    let line = one_object(&told(&LogConfig::default(), PIPE, || info!(level = "DEBUG", timestamp = 0, "hello")));
    assert_eq!(
        (&line["level"], &line["field.level"], &line["field.timestamp"]),
        (&"INFO".into(), &"DEBUG".into(), &0.into())
    );
}

#[test]
fn a_very_long_value_is_cut() {
    let line = told(&LogConfig::default(), PIPE, || info!(path = "ä".repeat(1_000_000), "hello"));
    assert!(line.len() < 5_000);
    assert!(one_object(&line)["path"].as_str().unwrap().ends_with("bytes more)"));
}

#[test]
fn an_error_is_told_with_its_causes() {
    #[derive(Debug, thiserror::Error)]
    #[error("the answer is lost")]
    struct Lost(#[source] io::Error);
    let error = Lost(io::Error::other("the wire is cut"));
    let line = one_object(&told(&LogConfig::default(), PIPE, || {
        let error: &(dyn std::error::Error + 'static) = &error;
        warn!(error, "failed");
    }));
    assert_eq!(line["error"], "the answer is lost: the wire is cut");
}

#[test]
fn levels_are_set_per_room() {
    let text = told(&config(|log| log.level = "warn,userd_storage=debug".parse().unwrap()), PIPE, || {
        info!(target: "userd_http", "left out");
        tracing::debug!(target: "userd_storage::engine", "kept");
        tracing::trace!(target: "userd_storage::engine", "left out");
        warn!(target: "userd_http", "kept");
    });
    assert_eq!(text.matches("kept").count(), 2);
    assert!(!text.contains("left out"));
}

/// The client library of YDB writes the parameters of queries to its spans and the words of the server to its events.
#[test]
fn nothing_of_the_client_library_of_ydb_is_written_at_any_level() {
    let text = told(&config(|log| log.level = "trace,ydb=trace".parse().unwrap()), PIPE, || {
        let _query = info_span!(target: "ydb::client_query", "ydb.ExecuteQuery", params = "canary").entered();
        tracing::error!(target: "ydb", "canary");
        tracing::error!(target: "ydb::session_pool", "canary");
        warn!("kept");
    });
    assert!(text.contains("kept") && !text.contains("canary"), "{text}");
}

#[test]
fn a_warning_carries_its_request_id_when_only_warnings_are_written() {
    let line = told(&config(|log| log.level = "warn".parse().unwrap()), PIPE, || {
        let _in_request = info_span!("request", request_id = "r-1").entered();
        info!("left out");
        warn!("kept");
    });
    assert_eq!(one_object(&line)["request_id"], "r-1");
}

fn files_in(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn the_file_is_json_rotated_kept_within_bounds_and_linked() {
    let directory = tempfile::tempdir().unwrap();
    let logs = directory.path().join("logs");
    let file = logs.join("userd.log");
    fs::create_dir(&logs).unwrap();
    for day in 1..=9 {
        fs::write(logs.join(format!("userd.log.2020-01-0{day}")), "old").unwrap();
    }
    fs::write(logs.join("userd-audit.log"), "not ours").unwrap();
    fs::write(&file, "from before rotation").unwrap();
    let config = config(|log| {
        log.file = logging_file(&file);
        log.keep = 3;
    });
    told(&config, TERMINAL, || info!("to both"));
    assert_eq!(one_object(&fs::read_to_string(&file).unwrap())["message"], "to both");
    assert!(file.is_symlink());
    let names = files_in(&logs);
    for theirs in ["userd-audit.log", "userd.log.before-rotation"] {
        assert!(names.contains(&theirs.to_owned()), "{names:?}");
    }
    assert_eq!(names.iter().filter(|name| name.starts_with("userd.log.2")).count(), 3, "{names:?}");
}

fn logging_file(path: &Path) -> userd::config::Optional<userd::config::FilePath> {
    userd::config::Optional(Some(path.to_str().unwrap().parse().unwrap()))
}

#[test]
fn without_rotation_the_file_is_a_plain_one_and_grows() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("new/userd.log");
    let config = config(|log| {
        log.file = logging_file(&file);
        log.rotation = LogRotation::Never;
    });
    told(&config, PIPE, || info!("first"));
    told(&config, PIPE, || info!("second"));
    assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), 2);
    assert_eq!(files_in(file.parent().unwrap()), ["userd.log"]);
}

#[test]
fn a_file_that_cannot_be_opened_is_said_so() {
    let config = config(|log| log.file = logging_file(Path::new("/proc/nowhere/userd.log")));
    let error = logging::dispatch(&config, PIPE, io::sink()).err().unwrap();
    assert!(
        matches!(&error, LogError::File { .. }) && error.to_string().contains("/proc/nowhere/userd.log"),
        "{error}"
    );
}

/// A console that takes nothing until it is let go.
#[derive(Clone, Default)]
struct Stuck(Arc<(Mutex<bool>, Condvar)>);

impl io::Write for Stuck {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let (free, turned) = &*self.0;
        let _free = turned.wait_while(free.lock().unwrap(), |free| !*free).unwrap();
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_stuck_console_drops_lines_and_never_stops_whoever_logs() {
    let stuck = Stuck::default();
    let config = config(|log| log.buffer_lines = 128);
    let (dispatch, guard) = logging::dispatch(&config, PIPE, stuck.clone()).unwrap();
    // Comes to an end at all, although nothing is written.
    tracing::dispatcher::with_default(&dispatch, || (0..10_000).for_each(|number| info!(number, "line")));
    assert!(guard.dropped_lines() > 9_000, "{}", guard.dropped_lines());
    *stuck.0.0.lock().unwrap() = true;
    stuck.0.1.notify_all();
    drop(guard);
}
