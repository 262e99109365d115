//! What is shipped to run the service, given to the tools that read it: Prometheus' checker, systemd's, Helm's.

use std::{collections::BTreeSet, path::PathBuf, process::Stdio};

use tokio::{io::AsyncWriteExt, process::Command};

use crate::support::{Engine, TestApp, all_required, told};

fn deploy(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../deploy").join(path)
}

/// What a tool says, which must be content; none where it is not at hand and need not be.
async fn content(program: &str, arguments: &[&str], input: &str) -> Option<String> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Ok(mut child) = command.spawn() else {
        assert!(!all_required(), "{program} is not there: ./test installs it");
        return None;
    };
    child.stdin.take().unwrap().write_all(input.as_bytes()).await.unwrap();
    let ended = child.wait_with_output().await.unwrap();
    let (out, complaint) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    assert!(ended.status.success(), "{program} {arguments:?}: {}\n{out}\n{complaint}", ended.status);
    Some(format!("{out}{complaint}"))
}

/// (fault 33) promtool of Prometheus: the rules, cases of them, and a scrape of a service that has done something.
#[tokio::test]
async fn prometheus_takes_the_rules_and_what_the_service_says() {
    let rules = deploy("prometheus/userd.rules.yaml").display().to_string();
    let Some(checked) = content("promtool", &["check", "rules", &rules], "").await else { return };
    assert!(checked.contains("rules found"), "{checked}");
    let cases = deploy("prometheus/userd.rules.test.yaml").display().to_string();
    content("promtool", &["test", "rules", &cases], "").await;
    let replica = TestApp::build(Engine::Sqlite).await.unwrap().open().await;
    let (member, _) = replica.member().await;
    member.get("/v1/me").await.expect(200);
    let scrape = replica.visitor().get("/metrics").await.text;
    let complaint = content("promtool", &["check", "metrics"], &scrape).await.unwrap();
    assert_eq!(complaint, "");
}

/// (fault 35) Helm's own reader, where ./test could make one: what it makes of the chart is the manifest beside it.
#[tokio::test]
async fn helm_takes_the_chart_and_makes_the_manifest_of_it() {
    let Some(helm) = told("USERD_TEST_HELM") else {
        println!("no Helm here");
        return;
    };
    let chart = deploy("helm/userd").display().to_string();
    content(&helm, &["lint", "--strict", &chart], "").await;
    let made = content(&helm, &["template", "userd", &chart], "").await.unwrap();
    let manifest = std::fs::read_to_string(deploy("kubernetes/userd.yaml")).unwrap();
    let parts = |text: &str| -> BTreeSet<String> {
        let text = text.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join("\n");
        text.split("\n---")
            .map(|part| part.trim_start_matches("---").trim().to_owned())
            .filter(|part| !part.is_empty())
            .collect()
    };
    assert_eq!(parts(&made), parts(&manifest));
}

/// (fault 35) systemd's own reader, where there is one: the program stands elsewhere than in the unit.
#[tokio::test]
async fn systemd_takes_the_unit() {
    if Command::new("systemd-analyze").arg("--version").output().await.is_err() {
        println!("no systemd-analyze here");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let unit = std::fs::read_to_string(deploy("systemd/userd.service")).unwrap();
    let path = folder.path().join("userd.service");
    std::fs::write(&path, unit.replace("/usr/local/bin/userd", "/bin/true")).unwrap();
    let complaint = content("systemd-analyze", &["verify", path.to_str().unwrap()], "").await.unwrap();
    assert!(!complaint.contains("userd.service"), "{complaint}");
}
