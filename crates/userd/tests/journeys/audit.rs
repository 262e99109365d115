//! The audit log as an auditor meets it: read, proven and verified, by the API, at the command line, by a checker
//! that knows the specifications alone, and by the packages that Go's checksum database is built on.

use std::{fs::File, process::Stdio, time::Duration};

use serde_json::{Value, json};

use crate::support::{Engine, TestApp, script::Script, until};

/// A caller that may read the audit log.
async fn auditor(app: &TestApp, replica: &crate::support::Replica) -> crate::support::Caller {
    let made = app.ask(&["clients", "create", "auditor", "--permission", "audit.read"]).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let (id, secret) = (text(&made["client"]["id"]), text(&made["client_secret"]));
    let form = [("grant_type", "client_credentials")];
    let token = replica.visitor().form("/oauth2/token", &form, Some((&id, &secret))).await.expect(200);
    replica.visitor().bearing(token["access_token"].as_str().unwrap())
}

/// The checkpoint in a proof.
fn note(proof: &str) -> &str {
    proof.split_once("\n\n").unwrap().1
}

/// By a proof as anybody gets it: the checkpoint in it has the witness's signature, which a checker of its own verifies.
#[tokio::test]
async fn a_witness_that_knows_the_specifications_alone_cosigns_and_is_waited_for_by_nobody() {
    let (Some(mut witness), Some(mut checker)) =
        (Script::start("witness.py", &[]), Script::start("verify_audit.py", &[]))
    else {
        return;
    };
    let told = witness.ask("unknown+00000000+AQ==").await;
    let (url, verifier) = (told["url"].as_str().unwrap(), told["verifier"].as_str().unwrap());
    let app = TestApp::build(Engine::Sqlite).await.unwrap().at_its_address();
    let app = app.with("audit.witness_url", url).with("audit.witness_key", verifier);
    let replica = app.open().await;
    replica.member().await;
    let auditor = auditor(&app, &replica).await;
    let newest = async || {
        let page = auditor.get("/v1/audit-events?limit=1").await.expect(200);
        let id = page["items"][0]["id"].as_str().unwrap_or_default().to_owned();
        let proof = auditor.get(&format!("/v1/audit-events/{id}/proof")).await;
        (proof.status == 200).then(|| note(&proof.text).to_owned())
    };
    // It does not know this log yet: the checkpoint is signed all the same, by nobody else.
    let mut alone = None;
    until("a checkpoint", Duration::from_secs(20), async || {
        alone = newest().await;
        alone.is_some()
    })
    .await;
    let by = json!({ "note": alone, "witness": verifier });
    assert_eq!(checker.ask(&format!("cosignature {by}")).await, false);
    let key = app.ask(&["audit", "key"]).await;
    witness.ask(key.as_str().unwrap()).await;
    assert!(replica.stop().await.status.success());

    // Started again it asks at once, and a third time with a proof from the size that the witness knows.
    let mut sizes = Vec::new();
    for _ in 0..2 {
        let replica = app.open().await;
        let auditor = auditor.at(&replica.url);
        let mut cosigned = String::new();
        until("a cosigned checkpoint", Duration::from_secs(20), async || {
            let page = auditor.get("/v1/audit-events?limit=1").await.expect(200);
            let id = page["items"][0]["id"].as_str().unwrap().to_owned();
            cosigned = note(&auditor.get(&format!("/v1/audit-events/{id}/proof")).await.text).to_owned();
            cosigned.contains(" witness.example/w1 ")
        })
        .await;
        let by = json!({ "note": cosigned, "witness": verifier });
        assert!(checker.ask(&format!("cosignature {by}")).await.as_u64().unwrap() > 1_700_000_000);
        assert!(!cosigned.contains("another.example"), "whom nobody knows is not believed: {cosigned}");
        sizes.push(witness.ask("?").await["size"].as_u64().unwrap());
        replica.member().await;
        until("more is in the audit log", Duration::from_secs(20), async || {
            let page = auditor.get("/v1/audit-events?limit=1").await.expect(200);
            page["items"][0]["position"].as_u64() >= sizes.last().copied()
        })
        .await;
        assert!(app.ask(&["audit", "verify"]).await["intact"].as_bool().unwrap());
        assert!(replica.stop().await.status.success());
    }
    assert!(sizes[0] > 0 && sizes[1] > sizes[0], "{sizes:?}");
}

on_each_engine! {
    async fn an_auditor_reads_proves_and_verifies_and_needs_to_believe_nobody(app: TestApp) {
        let app = app.at_its_address();
        let file = app.path("checkpoints.txt");
        let app = app.with("audit.checkpoint_file", file.to_str().unwrap());
        let replica = app.open().await;
        let admin = replica.admin(&app).await;
        let (_, ada) = replica.member().await;
        admin.post(&format!("/v1/users/{}/block", ada.user_id()), json!({ "reason": "spam" })).await.expect(200);
        let auditor = auditor(&app, &replica).await;
        let of_ada = format!("/v1/users/{}/audit-events", ada.user_id());
        until("the block is in the audit log", Duration::from_secs(20), async || {
            let page = auditor.get(&of_ada).await.expect(200);
            page["items"].as_array().unwrap().iter().any(|item| item["act"] == "user.blocked")
        })
        .await;
        let page = auditor.get(&format!("/v1/audit-events?act=user.blocked&subject={}", ada.user_id())).await.expect(200);
        let blocked = &page["items"][0];
        assert_eq!((&blocked["after"], &blocked["actor"]["kind"]), (&json!({ "reason": "spam" }), &json!("user")));
        assert_eq!(blocked["origin"]["ip"], "127.0.0.1");
        assert!(blocked["request_id"].is_string(), "{blocked}");
        replica.visitor().with(&ada).get("/v1/audit-events").await.refused(401, "not_signed_in");

        let key = app.ask(&["audit", "key"]).await;
        let proof = async |id: &Value| {
            let answer = auditor.get(&format!("/v1/audit-events/{}/proof", id.as_str().unwrap())).await;
            assert_eq!(answer.status, 200);
            answer.text
        };
        let first = proof(&blocked["id"]).await;
        let size = note(&first).lines().nth(1).unwrap();
        replica.member().await;
        until("more is in the audit log", Duration::from_secs(20), async || {
            let newest = auditor.get("/v1/audit-events?limit=1").await.expect(200);
            newest["items"][0]["position"].as_u64() >= size.parse().ok()
        })
        .await;
        let newest = auditor.get("/v1/audit-events?limit=1").await.expect(200)["items"][0].clone();
        let second = proof(&newest["id"]).await;
        let verified = auditor.get(&format!("/v1/audit-events/verify?since={size}")).await.expect(200);
        assert_eq!((&verified["intact"], &verified["verifier"]), (&json!(true), &key), "{verified}");
        let Some(ours) = Script::start("verify_audit.py", &[]) else { return };
        // The one of another maker is there where Go is.
        let checkers = [Some(ours), Script::compiled("USERD_TEST_TLOG")];
        let consistency = |old: &str| {
            let hashes = &verified["consistency"]["hashes"];
            json!({ "old": old, "new": verified["consistency"]["checkpoint"], "hashes": hashes, "verifier": key })
        };
        for mut checker in checkers.into_iter().flatten() {
            let entry = checker.ask(&format!("inclusion {}", json!({ "proof": first, "verifier": key }))).await;
            assert_eq!((&entry["act"], &entry["id"]), (&json!("user.blocked"), &blocked["id"]));
            assert_eq!(checker.ask(&format!("consistency {}", consistency(note(&first)))).await, true);
            // The checkers can refuse.
            for changed in [first.replacen("index ", "index 1", 1), second.replacen("extra e", "extra f", 1)] {
                let asked = json!({ "proof": changed, "verifier": key });
                assert_eq!(checker.ask(&format!("inclusion {asked}")).await, false);
            }
            assert_eq!(checker.ask(&format!("consistency {}", consistency(note(&second)))).await, false);
        }

        let kept = std::fs::read_to_string(&file).unwrap();
        assert!(kept.contains(note(&first)) && kept.contains(note(&second)));
        let file = file.to_str().unwrap();
        let found = app.ask(&["audit", "verify", "--checkpoint", file]).await;
        assert_eq!((&found["intact"], &found["entries"]), (&json!(true), &found["size"]), "{found}");
        for format in ["jsonl", "cef", "syslog"] {
            let output = app.run(&["audit", "export", "--format", format]).await;
            assert!(output.status.success());
            let text = String::from_utf8(output.stdout).unwrap();
            assert_eq!(text.lines().count() as u64, found["size"].as_u64().unwrap(), "{text}");
        }
    }
}

/// What follows the log ends where nobody reads on, and an export for which there is no room fails.
#[tokio::test]
async fn an_export_ends_where_nothing_can_be_written() {
    let app = TestApp::build(Engine::Sqlite).await.unwrap();
    let replica = app.open().await;
    replica.member().await;
    let is_there = async || !app.run(&["audit", "export"]).await.stdout.is_empty();
    until("something is in the audit log", Duration::from_secs(20), is_there).await;
    for arguments in [["audit", "export"].as_slice(), &["audit", "tail", "--follow"]] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let (reader, closed) = std::io::pipe().unwrap();
        drop(reader);
        for (stdout, code) in [(Stdio::from(full), 1), (Stdio::from(closed), 0)] {
            let child = app.command().args(arguments).stdout(stdout).spawn().unwrap();
            let ended = tokio::time::timeout(Duration::from_secs(20), child.wait_with_output()).await;
            let ended = ended.unwrap_or_else(|_| panic!("{arguments:?} does not end")).unwrap();
            let stderr = String::from_utf8_lossy(&ended.stderr);
            assert_eq!(ended.status.code(), Some(code), "{arguments:?}: {stderr}");
            assert_eq!(stderr.contains("could not be written"), code == 1, "{arguments:?}: {stderr}");
        }
    }
    assert!(replica.stop().await.status.success());
}
