//! Metrics of requests, with labels from fixed sets only: the route's template, the method, the status. Handles are
//! kept, so that a request costs two atomic additions. Deliberately absent: ids, addresses and anything a caller
//! chooses.

use std::{sync::OnceLock, time::Duration};

use http::{Method, StatusCode};
use metrics::{Counter, Histogram, counter, describe_counter, describe_gauge, describe_histogram, histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

use self::Shape::{Counts, Shows, Spreads};
use crate::process_metrics;

const REQUESTS: &str = "userd_http_requests_total";
const SECONDS: &str = "userd_http_request_seconds";
const BUILD: &str = "userd_build_info";
const PANICS: &str = "userd_http_panics_total";

/// Upper bounds in seconds: from a cached answer to the request deadline.
const BUCKETS: &[f64] = &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// Units of work that share a write.
const BATCHES: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OTHER"];
/// A status that is not here is counted as `other`; the last is a caller who went away before the answer.
const STATUSES: [(u16, &str); 31] = [
    (200, "200"),
    (201, "201"),
    (202, "202"),
    (204, "204"),
    (206, "206"),
    (302, "302"),
    (303, "303"),
    (304, "304"),
    (400, "400"),
    (401, "401"),
    (403, "403"),
    (404, "404"),
    (405, "405"),
    (406, "406"),
    (408, "408"),
    (409, "409"),
    (410, "410"),
    (412, "412"),
    (413, "413"),
    (414, "414"),
    (415, "415"),
    (422, "422"),
    (428, "428"),
    (429, "429"),
    (431, "431"),
    (500, "500"),
    (501, "501"),
    (502, "502"),
    (503, "503"),
    (504, "504"),
    (GONE, "client_gone"),
];
const GONE: u16 = 499;

/// The recorder's settings for this room's histograms: wiring calls this on the builder it installs.
///
/// # Errors
/// Never for this fixed list; the builder's signature has it.
pub fn with_buckets(builder: PrometheusBuilder) -> Result<PrometheusBuilder, BuildError> {
    // Every duration of userd ends in `_seconds`; the same bounds fit all of them.
    let builder = builder.set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), BUCKETS)?;
    // Without bounds it would be a summary, which cannot be added up over replicas.
    builder.set_buckets_for_metric(Matcher::Full("userd_sqlite_batch_size".to_owned()), BATCHES)
}

/// Installs the process's recorder with this room's settings. Once per process.
///
/// # Errors
/// A recorder is installed already.
pub fn install() -> Result<PrometheusHandle, BuildError> {
    let handle = with_buckets(PrometheusBuilder::new())?.install_recorder()?;
    describe();
    begin_at_zero();
    Ok(handle)
}

/// What `/metrics` answers: the series of the recorder, and what the system says about the process.
#[must_use]
pub fn render(handle: &PrometheusHandle) -> String {
    handle.render() + &process_metrics::render()
}

/// Says what was built, as a series that others can be joined with.
pub fn show_build(version: &'static str, commit: &'static str) {
    metrics::gauge!(BUILD, "version" => version, "commit" => commit).set(1.0);
}

/// A series that appears with its first event is no increase for whoever watches it: those that are documented exist from
/// the start. Rooms begin those whose labels they know: routes, providers, units of work.
fn begin_at_zero() {
    for (shape, name, _) in HELP {
        if LABELLED.contains(&name) {
            continue;
        }
        match shape {
            Counts => counter!(name).increment(0),
            Shows => metrics::gauge!(name).set(0.0),
            // Made known without an observation.
            Spreads => drop(histogram!(name)),
        }
    }
    for (name, label, values) in ZEROS {
        for value in *values {
            counter!(*name, *label => *value).increment(0);
        }
    }
    for (delivery, outcome) in SIGNALS {
        counter!("userd_signals_total", "delivery" => delivery, "outcome" => outcome).increment(0);
    }
}

/// How shared signals arrive, or do not.
const SIGNALS: [(&str, &str); 5] =
    [("poll", "taken"), ("poll", "refused"), ("push", "taken"), ("push", "retried"), ("push", "refused")];

/// Series with labels, and the one that is only there with a Redis.
const LABELLED: [&str; 18] = [
    "userd_sign_ins_total",
    "userd_audit_witness_total",
    "userd_signals_total",
    REQUESTS,
    SECONDS,
    PANICS,
    BUILD,
    "userd_http_connections_refused_total",
    "userd_unit_of_work_retries_total",
    "userd_unit_of_work_seconds",
    "userd_cache_requests_total",
    "userd_cache_redis_seconds",
    "userd_cache_redis_up",
    "userd_tokens_issued_total",
    "userd_tokens_refused_total",
    "userd_attempts_delayed_total",
    "userd_provider_faults_total",
    "userd_log_lines_dropped_total",
];

/// Labels with few values, which other rooms count.
const ZEROS: &[(&str, &str, &[&str])] = &[
    ("userd_http_connections_refused_total", "reason", &["address", "accept", "tls"]),
    ("userd_tokens_issued_total", "kind", &["user", "client"]),
    (
        "userd_tokens_refused_total",
        "reason",
        &[
            "expired",
            "not_yet_valid",
            "unknown_key",
            "wrong_type",
            "claim",
            "malformed",
            "refresh_token",
            "unknown_owner",
        ],
    ),
    (
        "userd_attempts_delayed_total",
        "limit",
        &[
            "password_per_account",
            "password_per_known_device",
            "password_per_known_devices",
            "password_per_network",
            "registration_per_network",
            "refresh_per_session",
            "client_per_network",
            "sign_in_per_network",
            "notification_per_sender",
            "broadcast_per_sender",
            "link_per_network",
            "mail_per_network",
            "mail_per_recipient",
            "mail_per_recipient_from_all",
            "mail_per_user",
            "code_per_network",
            "code_per_address",
            "passkey_per_network",
            "export_per_user",
            "access_request_per_user",
            "webhook_test",
            "stream_change",
            "stream_poll",
            "token_revocation",
            "account_made",
            "reset_sent",
        ],
    ),
    ("userd_log_lines_dropped_total", "sink", &["log-console", "log-file"]),
    ("userd_audit_witness_total", "outcome", &["cosigned", "failed"]),
];

enum Shape {
    Counts,
    Shows,
    Spreads,
}

/// Every metric of the program with its `# HELP` line, whichever room counts it.
const HELP: [(Shape, &str, &str); 37] = [
    (Shows, BUILD, "1, with the version and the commit of the program."),
    (Counts, REQUESTS, "Requests by route, method and status."),
    (Spreads, SECONDS, "Time from a request to the start of its answer, in seconds, by route and method."),
    (Counts, PANICS, "Handlers that panicked, by route; each one is a bug."),
    (Shows, "userd_http_connections", "Connections that are open."),
    (Shows, "userd_http_connections_limit", "Connections that may be open; more wait in the system's queue."),
    (Counts, "userd_http_connections_total", "Connections taken."),
    (
        Counts,
        "userd_http_connections_refused_total",
        "Connections not served, by reason: too many of one address, not given by the system, failed in the TLS handshake.",
    ),
    (Shows, "userd_argon2_queue_depth", "Passwords that wait to be hashed."),
    (Shows, "userd_argon2_running", "Passwords that are being hashed."),
    (Spreads, "userd_argon2_seconds", "Time to hash one password, in seconds, without the wait."),
    (Counts, "userd_argon2_rejected_total", "Passwords refused because the queue was full or too slow."),
    (Counts, "userd_unit_of_work_retries_total", "Units of work run again after a conflict, by name."),
    (
        Spreads,
        "userd_unit_of_work_seconds",
        "Time of units of work with their re-runs, in seconds, by name and outcome.",
    ),
    (Counts, "userd_event_log_rounds_total", "Finished rounds of the worker of the event log."),
    (Counts, "userd_event_log_facts_total", "Facts passed on from the outbox."),
    (Counts, "userd_audit_entries_total", "Entries appended to the audit log."),
    (Shows, "userd_audit_size", "Entries that the last checkpoint signed here has."),
    (
        Counts,
        "userd_audit_checkpoints_refused_total",
        "Checkpoints that could not be signed: the log contradicts an earlier one, or the database failed.",
    ),
    (Counts, "userd_audit_witness_total", "Calls of the witness of the audit log, by outcome: cosigned, failed."),
    (Shows, "userd_audit_intact", "What the last verification in this process found: 1 or 0."),
    (Shows, "userd_outbox_oldest_seconds", "Age of the oldest fact that could not be passed on yet, in seconds."),
    (Counts, "userd_deliveries_total", "Messages, by channel and outcome."),
    (Counts, "userd_signals_total", "Shared signals, by delivery and outcome."),
    (
        Shows,
        "userd_deliveries_oldest_seconds",
        "How long the oldest message has been due, or its destination has taken nothing, in seconds, by channel.",
    ),
    (Counts, "userd_deliveries_rounds_total", "Finished rounds of the worker of messages."),
    (Spreads, "userd_sqlite_batch_size", "Units of work that shared one write to the disk."),
    (Counts, "userd_cache_requests_total", "Reads of the cache, by space and result."),
    (Spreads, "userd_cache_redis_seconds", "Time of calls to Redis, in seconds, by operation."),
    (Shows, "userd_cache_redis_up", "1 while Redis answers, 0 while this process uses its own memory instead."),
    (Counts, "userd_tokens_issued_total", "Access tokens issued, by kind."),
    (Counts, "userd_tokens_refused_total", "Access tokens refused, by reason."),
    (Counts, "userd_attempts_delayed_total", "Attempts refused by a limit, by limit."),
    (
        Counts,
        "userd_passkey_copies_suspected_total",
        "Passkeys refused because their counter went back: there may be two of them.",
    ),
    (Counts, "userd_sign_ins_total", "Sign-ins that ended, by method and outcome."),
    (Counts, "userd_provider_faults_total", "Calls to providers that failed by their fault or ours, by provider."),
    (
        Counts,
        "userd_log_lines_dropped_total",
        "Log lines lost because a sink was too slow or could not be written, by sink.",
    ),
];

fn describe() {
    for (shape, name, help) in HELP {
        match shape {
            Counts => describe_counter!(name, help),
            Shows => describe_gauge!(name, help),
            Spreads => describe_histogram!(name, help),
        }
    }
}

/// The meters of one route.
pub(crate) struct RouteMeters {
    label: &'static str,
    /// Made for the methods that are asked: of two hundred routes most have one.
    by_method: [OnceLock<Box<MethodMeters>>; METHODS.len()],
}

#[derive(Default)]
struct MethodMeters {
    seconds: OnceLock<Histogram>,
    by_status: [OnceLock<Counter>; STATUSES.len()],
    other: OnceLock<Counter>,
}

impl RouteMeters {
    pub(crate) fn new(label: &'static str) -> Self {
        counter!(PANICS, "route" => label).increment(0);
        Self { label, by_method: Default::default() }
    }

    /// Counts one answer.
    pub(crate) fn answered(&self, method: &Method, status: StatusCode, took: Duration) {
        self.count(method, status.as_u16());
        let Some((label, meters)) = self.method(method) else {
            return;
        };
        let seconds = meters.seconds.get_or_init(|| histogram!(SECONDS, "route" => self.label, "method" => label));
        seconds.record(took.as_secs_f64());
    }

    /// Counts a caller who did not wait for the answer.
    pub(crate) fn gone(&self, method: &Method) {
        self.count(method, GONE);
    }

    /// Counts a panic.
    pub(crate) fn panicked(&self) {
        counter!(PANICS, "route" => self.label).increment(1);
    }

    fn count(&self, method: &Method, status: u16) {
        let Some((method, meters)) = self.method(method) else {
            return;
        };
        let place = STATUSES.iter().position(|(code, _)| *code == status);
        let known = place.and_then(|at| Some((meters.by_status.get(at)?, STATUSES.get(at)?.1)));
        let (cell, label) = known.unwrap_or((&meters.other, "other"));
        cell.get_or_init(|| counter!(REQUESTS, "route" => self.label, "method" => method, "status" => label))
            .increment(1);
    }

    fn method(&self, method: &Method) -> Option<(&'static str, &MethodMeters)> {
        let other = METHODS.len() - 1;
        let at = METHODS.iter().position(|name| *name == method.as_str()).unwrap_or(other);
        Some((METHODS.get(at)?, self.by_method.get(at)?.get_or_init(Box::default)))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_operations_manual_names_every_metric_and_no_other() {
        let manual = include_str!("../../../docs/operations.md");
        let names = manual.split('`').skip(1).step_by(2).filter(|code| code.starts_with("userd_"));
        let names: BTreeSet<&str> = names.filter(|name| !name.contains(['{', ' '])).collect();
        let described: BTreeSet<&str> = HELP.iter().map(|(_, name, _)| *name).collect();
        assert_eq!(described.len(), HELP.len());
        assert_eq!(described, names);
    }

    #[test]
    fn every_metric_has_a_help_line() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            describe();
            for (shape, name, _) in HELP {
                match shape {
                    Counts => counter!(name).increment(1),
                    Shows => metrics::gauge!(name).set(1.0),
                    Spreads => histogram!(name).record(1.0),
                }
            }
        });
        let rendered = handle.render();
        for (_, name, help) in HELP {
            assert!(rendered.contains(&format!("# HELP {name} {help}\n")), "{name}\n{rendered}");
        }
    }
}
