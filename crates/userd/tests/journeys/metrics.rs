//! What those who run the service read: its series, an address for them alone, and `userd health`.

use std::{collections::BTreeSet, time::Duration};

use crate::support::{Caller, Engine, TestApp, until};

/// The metrics that the manual promises.
fn documented() -> BTreeSet<&'static str> {
    let manual = include_str!("../../../../docs/operations.md");
    let table = manual.split("\n## Metrics\n").nth(1).unwrap().split("Alerts worth having").next().unwrap();
    let names = table.split('`').skip(1).step_by(2);
    names.filter(|name| name.starts_with("userd_") || name.starts_with("process_")).collect()
}

on_each_engine! {
    /// (fault 33) A series that appears with its first event is no increase for whoever watches it.
    async fn every_documented_series_is_there_from_the_start_and_none_is_a_summary(app: TestApp) {
        let app = app.with("providers.0.id", "yandex").with("providers.0.kind", "yandex")
            .with("providers.0.client_id", "a").with("providers.0.client_secret", "b");
        let replica = app.open().await;
        let text = replica.visitor().get("/metrics").await.text;
        assert!(!text.contains(" summary\n"), "{text}");
        let with_redis = app.engine() == Engine::Postgres;
        for name in documented() {
            let of_redis = name.starts_with("userd_cache_redis");
            let of_sqlite = name == "userd_sqlite_batch_size";
            let is_there = text.lines().any(|line| {
                let rest = line.strip_prefix(name);
                rest.is_some_and(|rest| rest.starts_with(['{', ' ']) || rest.starts_with("_count") || rest.starts_with("_bucket"))
            });
            assert!(is_there || of_redis && !with_redis || of_sqlite && with_redis, "{name}\n{text}");
        }
        for line in [
            "userd_provider_faults_total{provider=\"yandex\"} 0",
            "userd_tokens_issued_total{kind=\"user\"} 0",
            "userd_attempts_delayed_total{limit=\"sign_in_per_network\"} 0",
            "userd_attempts_delayed_total{limit=\"link_per_network\"} 0",
            "userd_http_panics_total{route=\"/v1/me\"} 0",
            "userd_log_lines_dropped_total{sink=\"log-file\"} 0",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        assert!(text.contains("userd_build_info{version=\"0.1.0\""), "{text}");
    }
}

/// (fault 33)
/// ASVS V13.4.5
#[tokio::test]
async fn metrics_and_readiness_have_an_address_of_their_own_where_one_is_configured() {
    let app = TestApp::build(Engine::Sqlite).await.unwrap().at_its_address();
    let port = crate::support::servers::free_port();
    let app = app.with("http.admin_listen", &format!("127.0.0.1:{port}")).with("http.drain_delay", "1s");
    // Readiness is not where the program is usually asked for it.
    let replica = crate::support::Replica::spawn(app.command());
    let admin = Caller::new(&format!("http://127.0.0.1:{port}"));
    let public = Caller::new(app.get("http.public_url"));
    until("ready", Duration::from_secs(20), async || {
        let ready = admin.try_get("/readyz").await.is_ok_and(|answer| answer.status == 200);
        ready && public.try_get("/livez").await.is_ok()
    })
    .await;
    assert!(admin.get("/metrics").await.text.contains("userd_build_info"));
    admin.get("/livez").await.expect(200);
    for path in ["/metrics", "/readyz"] {
        public.get(path).await.refused(404, "not_found");
    }
    for path in ["/v1/me", "/docs", "/version", "/.well-known/jwks.json"] {
        admin.get(path).await.refused(404, "not_found");
    }
    let healthy = app.run(&["health"]).await;
    assert!(healthy.status.success(), "{healthy:?}");
    // The admin address tells that the service is about to stop for as long as it takes.
    replica.signal(rustix::process::Signal::TERM);
    until("draining", Duration::from_secs(5), async || {
        admin.try_get("/readyz").await.is_ok_and(|answer| answer.status == 503)
    })
    .await;
    assert!(replica.ended().await.status.success());
}

/// (fault 35)
#[tokio::test]
async fn health_asks_the_service_of_this_configuration() {
    let app = TestApp::build(Engine::Sqlite).await.unwrap().at_its_address();
    assert_eq!(app.run(&["health"]).await.status.code(), Some(1), "nobody is there");
    let replica = app.open().await;
    let answer = app.ask(&["health"]).await;
    assert_eq!(answer["ready"], true, "{answer}");
    // As in a container: every address is listened on.
    let port = app.get("http.listen").rsplit(':').next().unwrap();
    assert!(app.with("http.listen", &format!("0.0.0.0:{port}")).run(&["health"]).await.status.success());
    assert_eq!(app.with("http.listen", "127.0.0.1:0").run(&["health"]).await.status.code(), Some(2));
    assert!(replica.stop().await.status.success());
}

/// (fault 35) What is shipped to run it: each names what the service has.
#[test]
fn the_recipes_use_what_the_service_offers() {
    let dockerfile = include_str!("../../../../Dockerfile");
    assert!(dockerfile.contains("HEALTHCHECK") && dockerfile.contains("[\"/usr/local/bin/userd\", \"health\"]"));
    let unit = include_str!("../../../../deploy/systemd/userd.service");
    assert!(unit.contains("\nLoadCredential=master.key:") && unit.contains("\nExecReload=/bin/kill -HUP $MAINPID"));
    let compose = include_str!("../../../../compose.yaml");
    for words in ["\"0400\", \"-o\", \"65532\"", "USERD_JWKS_URL: http://userd:8080/", "\"health\"]"] {
        assert!(compose.contains(words), "{words}");
    }
    let manifest = include_str!("../../../../deploy/kubernetes/userd.yaml");
    assert!(manifest.contains("admin_listen: \"0.0.0.0:9090\"") && manifest.contains("path: /readyz, port: admin"));
}

/// (fault 33) The dashboard and the alerts ask for series that there are.
#[test]
fn dashboard_and_alerts_ask_for_what_is_measured() {
    let dashboard: serde_json::Value =
        serde_json::from_str(include_str!("../../../../deploy/grafana/userd.json")).unwrap();
    let rules = include_str!("../../../../deploy/prometheus/userd.rules.yaml");
    let panels = dashboard["panels"].as_array().unwrap();
    let asked = panels.iter().flat_map(|panel| panel["targets"].as_array().into_iter().flatten());
    let asked: Vec<&str> = asked.map(|target| target["expr"].as_str().unwrap()).chain([rules]).collect();
    assert!(asked.len() > 30, "{}", asked.len());
    let documented = documented();
    let mut used = BTreeSet::new();
    for text in asked {
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        for word in words.filter(|word| word.starts_with("userd_") || word.starts_with("process_")) {
            let name = ["_bucket", "_count", "_sum"].iter().find_map(|end| word.strip_suffix(end)).unwrap_or(word);
            assert!(documented.contains(name), "{word} is no series of docs/operations.md: {text}");
            used.insert(name);
        }
    }
    assert!(used.len() > 25, "{used:?}");
}

/// (fault 35) The chart for Helm, whose templates hold values and no logic: with those it comes with it makes the manifest beside it.
#[test]
fn the_chart_makes_the_manifest() {
    let values = include_str!("../../../../deploy/helm/userd/values.yaml");
    let mut made = include_str!("../../../../deploy/helm/userd/templates/userd.yaml").to_owned();
    for line in values.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.split_once(": ").unwrap();
        let place = format!("{{{{ .Values.{name} }}}}");
        assert!(made.contains(&place), "{name} is used nowhere");
        made = made.replace(&place, value.trim_matches('"'));
    }
    assert!(!made.contains("{{"), "{made}");
    let manifest = include_str!("../../../../deploy/kubernetes/userd.yaml");
    let without_remarks = manifest.lines().skip_while(|line| line.starts_with('#')).collect::<Vec<_>>().join("\n");
    assert_eq!(made.trim_end(), without_remarks.trim_end());
    let chart = include_str!("../../../../deploy/helm/userd/Chart.yaml");
    assert!(chart.contains(&format!("appVersion: \"{}\"", env!("CARGO_PKG_VERSION"))), "{chart}");
}

/// (fault 35)
#[test]
fn the_recipe_for_a_debian_package_makes_one() {
    let there = std::process::Command::new("dpkg-deb").arg("--version").output().is_ok();
    if !there {
        println!("no dpkg-deb here");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let script = format!("{root}/deploy/debian/build");
    // What it packs is not looked at, and the real one is large.
    let made =
        std::process::Command::new("sh").arg(&script).args(["/bin/true", folder.path().to_str().unwrap()]).output();
    let made = made.unwrap();
    assert!(made.status.success(), "{made:?}");
    let package = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
    let list = std::process::Command::new("dpkg-deb").arg("--contents").arg(&package).output().unwrap();
    let list = String::from_utf8(list.stdout).unwrap();
    for file in ["./usr/bin/userd", "./lib/systemd/system/userd.service", "./etc/userd/config.yaml"] {
        assert!(list.contains(file), "{file}\n{list}");
    }
    assert!(!list.contains("master.key"), "{list}");
}
