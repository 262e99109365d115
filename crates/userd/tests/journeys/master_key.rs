//! The master key changes while two replicas serve: the steps of docs/operations.md, one after the other.

use std::time::Duration;

use crate::support::{Caller, Engine, PASSWORD, Replica, TestApp, Tokens, unique_email, until};

/// An app under its first key, and the same with another one known, current, and alone.
struct Steps {
    old: TestApp,
    knows: TestApp,
    both: TestApp,
    new: TestApp,
}

impl Steps {
    async fn build() -> Option<Self> {
        let old = TestApp::build(Engine::Postgres).await?;
        let (old_file, new_file) = (old.get("crypto.master_key_file").to_owned(), old.path("new.key"));
        std::fs::write(&new_file, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n").unwrap();
        let new_file = new_file.to_str().unwrap();
        let new = old.with("crypto.master_key_file", new_file);
        Some(Self {
            knows: old.with("crypto.previous_master_key_files.0", new_file),
            both: new.with("crypto.previous_master_key_files.0", &old_file),
            old,
            new,
        })
    }
}

/// Whoever comes in at one replica is at home at the other.
async fn is_one_service(here: &Caller, there: &Caller) {
    let email = unique_email();
    let tokens = here.register(&email, PASSWORD).await;
    assert_eq!(there.with(&tokens).get("/v1/me").await.expect(200)["email"], email.as_str());
    let tokens = Tokens::of(&there.refresh(&tokens.refresh).await.expect(200));
    here.with(&tokens).get("/v1/me").await.expect(200);
    let tokens = there.login(&email, PASSWORD).await;
    here.with(&tokens).get("/v1/me").await.expect(200);
}

/// Both ways, before and after the signing keys were rotated under this configuration.
async fn both_serve(a: &Replica, b: &Replica, app: &TestApp, step: &str) {
    println!("{step}");
    for _ in 0..2 {
        is_one_service(&a.visitor(), &b.visitor()).await;
        is_one_service(&b.visitor(), &a.visitor()).await;
        app.ask(&["keys", "rotate"]).await;
    }
    for replica in [a, b] {
        let ready = replica.visitor().get("/readyz").await.expect(200);
        for part in ["signing_keys", "master_key"] {
            assert_eq!(ready["parts"][part], "ok", "{step}: {ready}");
        }
    }
}

/// ASVS V11.2.2
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_master_key_is_rotated_while_two_replicas_serve() {
    let Some(Steps { old, knows, both, new }) = Steps::build().await else { return };
    let mut a = old.open().await;
    let mut b = old.open().await;
    let people = [unique_email(), unique_email()];
    let tokens = a.visitor().register(&people[0], PASSWORD).await;
    b.visitor().register(&people[1], PASSWORD).await;
    both_serve(&a, &b, &old, "under the old key").await;
    for (app, step) in
        [(&knows, "the new key is known"), (&both, "the new key is current"), (&new, "the old key is gone")]
    {
        if step == "the old key is gone" {
            assert!(both.ask(&["keys", "rewrap"]).await["rewrapped"].as_u64().unwrap() > 0);
            both_serve(&a, &b, &both, "sealed anew").await;
        }
        a.stop().await;
        a = app.open().await;
        both_serve(&a, &b, app, &format!("{step}, at A")).await;
        b.stop().await;
        b = app.open().await;
        both_serve(&a, &b, app, &format!("{step}, at both")).await;
    }
    for person in &people {
        a.visitor().login(person, PASSWORD).await;
        b.visitor().login(person, PASSWORD).await;
    }
    b.visitor().refresh(&tokens.refresh).await.expect(200);
}

/// Whoever leaves the first step out is told by the replica that lacks the key, and it is taken out of the balancer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_does_not_know_the_new_master_key_says_so() {
    let Some(Steps { old, both, .. }) = Steps::build().await else { return };
    let b = old.open().await;
    let a = both.open().await;
    let (email, at_b) = (unique_email(), b.visitor());
    let tokens = a.visitor().register(&email, PASSWORD).await;
    assert_eq!(at_b.with(&tokens).get("/v1/me").await.status, 500);
    let ready = at_b.get("/readyz").await.expect(200);
    assert_eq!(ready["parts"]["master_key"], "degraded", "{ready}");
    let advice = "it belongs in crypto.previous_master_key_files of every replica";
    assert!(b.stdout().iter().any(|line| line.contains(advice)), "{}", b.log());
    both.ask(&["keys", "rotate"]).await;
    until("not ready", Duration::from_secs(20), async || {
        at_b.try_get("/readyz").await.is_ok_and(|answer| answer.status == 503)
    })
    .await;
    assert_eq!(at_b.get("/readyz").await.expect(503)["parts"]["signing_keys"], "down");
    let told =
        |line: &String| line.contains("the signing keys in the database cannot be opened") && line.contains(advice);
    assert_eq!(b.lines_of("ERROR").iter().filter(|line| told(line)).count(), 1, "{}", b.log());
    b.stop().await;
    // It learns the key as one more, and all is well.
    let b = both.with("crypto.master_key_file", old.get("crypto.master_key_file"));
    let b = b.with("crypto.previous_master_key_files.0", both.get("crypto.master_key_file")).open().await;
    both_serve(&a, &b, &both, "known to both").await;
    b.visitor().login(&email, PASSWORD).await;
}
