//! The binary on YDB, over an emulator: journeys of the other engines, and what several replicas share. In builds with
//! the feature `ydb`: two by default, all by hand (`./test ydb`). The services' own suite runs on it too.

use std::{collections::HashMap, time::Duration};

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    account_life, audit, canaries, killed_while_draining,
    moving::{by_table, copy, everybody_is_at_home, inhabit},
    operations, passkeys, races, rights, second_factors, story,
    support::{Caller, Engine, PASSWORD, Replica, TestApp, Tokens, caller::send, unique_email, until},
};

/// Each journey as on the other engines.
macro_rules! on_ydb {
    ($($room:ident::$name:ident,)+) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            $room::$name::journey(TestApp::build(Engine::Ydb).await.unwrap()).await;
        }
    )+};
}

on_ydb! {
    story::the_whole_story_of_an_account,
    story::an_account_blocked_at_the_command_line_is_refused_within_a_second,
    story::the_setup_link_of_the_first_start_works_exactly_once,
    rights::a_right_is_asked_for_given_used_and_taken,
    audit::an_auditor_reads_proves_and_verifies_and_needs_to_believe_nobody,
    canaries::canaries_are_found_nowhere_but_in_their_own_answers,
    killed_while_draining::a_process_killed_while_notifications_drain_tells_everybody_once,
    account_life::an_account_is_confirmed_recovered_and_moved_by_what_arrives_in_mailboxes,
    account_life::an_account_is_invited_accepts_terms_and_comes_back_until_it_is_erased,
    passkeys::a_passkey_is_set_up_signs_in_is_lost_and_replaced,
    second_factors::an_authenticator_app_is_set_up_signs_in_is_lost_and_replaced,
    operations::migrations_are_shown_and_applied,
    operations::the_doctor_is_content_with_a_good_setup,
    operations::who_keeps_no_ledger_of_erased_accounts_is_told_by_the_start_and_by_the_doctor,
    operations::a_new_master_key_takes_over_and_the_old_one_can_go,
    operations::every_command_answers_in_json,
}

const PATIENCE: Duration = Duration::from_secs(60);

/// Replicas of one service.
async fn replicas(count: usize) -> (TestApp, Vec<Replica>) {
    let app = TestApp::build(Engine::Ydb).await.unwrap();
    // They share a key as replicas do; making it is for the embedded setup.
    std::fs::write(app.path("master.key"), "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n").unwrap();
    let mut all = Vec::new();
    for _ in 0..count {
        all.push(app.open().await);
    }
    (app, all)
}

/// The events of everybody, in the order of the feed.
async fn feed(caller: &Caller) -> Vec<Value> {
    let (mut events, mut path) = (Vec::new(), "/v1/events?limit=100".to_owned());
    loop {
        let page = caller.get(&path).await.expect(200);
        let items = page["items"].as_array().unwrap().clone();
        if items.is_empty() {
            return events;
        }
        events.extend(items);
        path = format!("/v1/events?limit=100&after={}", page["next"].as_str().unwrap());
    }
}

/// Each event once, and those of a subject in their order.
fn in_order(events: &[Value]) {
    let mut last: HashMap<&str, (u64, &Value)> = HashMap::new();
    for event in events {
        let number = event["sequence"].as_str().unwrap().parse().unwrap();
        if let Some((before, other)) = last.insert(event["subject"].as_str().unwrap(), (number, event)) {
            assert!(before < number, "{other}\ncame before {event}");
        }
    }
}

async fn rename(caller: &Caller, name: &str) {
    let request = caller.request(Method::PATCH, "/v1/me").json(&json!({ "display_name": name }));
    send(request).await.unwrap().expect(200);
}

async fn has_message(caller: &Caller, words: &str) -> bool {
    let inbox = caller.get("/v1/me/notifications").await.expect(200);
    inbox["items"].as_array().unwrap().iter().any(|item| item["title"].as_str().unwrap().contains(words))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_replicas_on_ydb_are_one_service() {
    let (app, all) = replicas(2).await;
    let [a, b] = [&all[0], &all[1]];
    let keys = a.visitor().get("/.well-known/jwks.json").await.expect(200);
    assert_eq!(keys, b.visitor().get("/.well-known/jwks.json").await.expect(200));
    let email = unique_email();
    let tokens = a.visitor().register(&email, PASSWORD).await;
    let at_b = b.visitor().with(&tokens);
    assert_eq!(at_b.get("/v1/me").await.expect(200)["id"], tokens.user["id"]);
    let next = Tokens::of(&b.visitor().refresh(&tokens.refresh).await.expect(200));
    a.visitor().refresh(&next.refresh).await.expect(200);

    // What dies at one is dead at the other within a second.
    let admin = a.admin(&app).await;
    admin.poke(&format!("/v1/users/{}/block", tokens.user_id())).await.expect(200);
    until("refused at the other", Duration::from_secs(1), async || !at_b.is_let_in().await).await;
    let again = b.visitor().post("/v1/auth/register", json!({ "email": email, "password": PASSWORD })).await;
    again.refused(409, "email_taken");
}

/// Sixty-four at once at both: the races of the other engines.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn races_across_replicas_on_ydb_have_one_winner() {
    let (_app, all) = replicas(2).await;
    let both = [all[0].visitor(), all[1].visitor()];
    races::one_refresh_token(&both).await;
    races::one_email(&both).await;
}

/// Of three replicas two are killed, one after the other: whoever is left takes their leases and goes on, events keep
/// their order and come once, notifications and requests go on, and the audit log is whole.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_replicas_on_ydb_lose_two_and_lose_nothing() {
    let (app, mut all) = replicas(3).await;
    let admin = all[0].admin(&app).await;
    let (ann, tokens) = all[1].member().await;
    let role = json!({ "name": "editor", "permissions": ["users.read"], "requestable": true });
    admin.at(&all[1].url).post("/v1/roles", role).await.expect(201);
    let ask = json!({ "kind": "role", "name": "editor", "action": "grant", "reason": "I write the news" });
    let asked = ann.at(&all[2].url).post("/v1/me/access-requests", ask).await.expect(201);
    let mut names = 0;
    while all.len() > 1 {
        for replica in &all {
            names += 1;
            rename(&ann.at(&replica.url), &format!("Ann {names}")).await;
        }
        all.remove(0).kill().await;
    }
    let left = &all[0];
    let (admin, ann) = (admin.at(&left.url), ann.at(&left.url));
    until("the administrator is told", PATIENCE, async || has_message(&admin, "asks for access").await).await;
    let path = format!("/v1/access-requests/{}/approve", asked["id"].as_str().unwrap());
    admin.post(&path, json!({})).await.expect(200);
    until("the requester is told", PATIENCE, async || has_message(&ann, "approved").await).await;

    let of_ann = |event: &&Value| event["subject"] == tokens.user_id();
    let changes =
        |events: &[Value]| events.iter().filter(of_ann).filter(|event| event["type"] == "user.changed").count();
    until("every change in the feed", PATIENCE, async || changes(&feed(&admin).await) == names).await;
    let events = feed(&admin).await;
    in_order(&events);
    let kinds: Vec<_> = events.iter().filter(of_ann).map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!((kinds[0], changes(&events)), ("user.registered", names), "{kinds:?}");
    assert!(kinds.contains(&"access_request.closed") && kinds.contains(&"user.role_granted"), "{kinds:?}");
    let verified = admin.get("/v1/audit-events/verify").await.expect(200);
    assert_eq!(verified["intact"], true, "{verified}");
    app.ask(&["audit", "verify"]).await;
}

/// From both other engines to YDB, and back to a new file: everybody goes on with what they held.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_moves_to_ydb_and_back() {
    for from in [Engine::Sqlite, Engine::Postgres] {
        let Some(old) = TestApp::build(from).await else { continue };
        let key = old.get("crypto.master_key_file").to_owned();
        let (on_ydb, back) =
            (TestApp::build(Engine::Ydb).await.unwrap(), TestApp::build(Engine::Sqlite).await.unwrap());
        let (on_ydb, back) = (on_ydb.with("crypto.master_key_file", &key), back.with("crypto.master_key_file", &key));
        let people = inhabit(&old, 5).await;
        let there = copied(&old, &on_ydb).await;
        assert_eq!((there["users"].0, there["sessions"].0, there["claims"].0), (5, 5, 5));
        assert_eq!(there, copied(&on_ydb, &back).await, "the same rows, by their checksums");
        // A target that holds something is left alone.
        let again = copy(&old, &on_ydb, &[]).await;
        assert!(String::from_utf8_lossy(&again.stderr).contains("not empty"), "{again:?}");
        everybody_is_at_home(&on_ydb, &people).await;
        everybody_is_at_home(&back, &people).await;
    }
}

async fn copied(from: &TestApp, to: &TestApp) -> HashMap<String, (u64, String)> {
    let output = copy(from, to, &[]).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    by_table(&serde_json::from_slice(&output.stdout).unwrap())
}
