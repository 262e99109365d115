//! Sixty-four at once after one thing: one wins, the others learn so, and nobody is signed out for it. Run within one
//! process on each engine, and across two replicas.

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::Barrier;

use crate::support::{Answer, Caller, Engine, PASSWORD, Replica, TestApp, caller::send, rounds, unique, unique_email};

/// How many run.
const CONTESTANTS: usize = 64;

/// Everybody does it at once, spread over the callers.
pub async fn race<F>(callers: &[Caller], act: impl Fn(Caller, usize) -> F) -> Vec<Answer>
where
    F: Future<Output = reqwest::Result<Answer>> + Send + 'static,
{
    let barrier = Arc::new(Barrier::new(CONTESTANTS));
    let mut running = Vec::new();
    for number in 0..CONTESTANTS {
        let (barrier, acting) = (Arc::clone(&barrier), act(callers[number % callers.len()].clone(), number));
        running.push(tokio::spawn(async move {
            barrier.wait().await;
            acting.await
        }));
    }
    let mut answers = Vec::new();
    for one in running {
        answers.push(one.await.unwrap().unwrap());
    }
    answers
}

fn count(answers: &[Answer], status: u16) -> usize {
    answers.iter().filter(|answer| answer.status == status).count()
}

/// Everybody registers with one address.
pub async fn one_email(callers: &[Caller]) {
    let email = unique_email();
    let answers = race(callers, |caller, number| {
        // Spelled in two ways, which are one address.
        let email = if number % 2 == 0 { email.clone() } else { email.replace("@example.org", "@EXAMPLE.org") };
        async move { caller.try_post("/v1/auth/register", &json!({ "email": email, "password": PASSWORD })).await }
    })
    .await;
    assert_eq!(count(&answers, 201), 1, "{answers:#?}");
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        answer.refused(409, "email_taken");
    }
    callers[0].login(&email, PASSWORD).await;
}

/// Everybody refreshes with one token: one lineage, the same successor for all, and it works afterwards.
pub async fn one_refresh_token(callers: &[Caller]) {
    let tokens = callers[0].register(&unique_email(), PASSWORD).await;
    let answers = race(callers, |caller, _| {
        let body = json!({ "refresh_token": tokens.refresh });
        async move { caller.try_post("/v1/auth/refresh", &body).await }
    })
    .await;
    let successors: Vec<Value> = answers.iter().map(|answer| answer.expect(200)["refresh_token"].clone()).collect();
    assert!(successors.iter().all(|successor| *successor == successors[0]), "a fork");
    let successor = successors[0].as_str().unwrap();
    callers[0].refresh(successor).await.expect(200);
}

/// Everybody sends one request with one idempotency key: one account, and tokens of their own for all.
pub async fn one_idempotency_key(callers: &[Caller]) {
    let (email, key) = (unique_email(), unique("key"));
    let answers = race(callers, |caller, _| {
        let body = json!({ "email": email, "password": PASSWORD });
        let request = caller.request(Method::POST, "/v1/auth/register").header("idempotency-key", &key).json(&body);
        async move { send(request).await }
    })
    .await;
    let first = answers[0].expect(201);
    for answer in &answers {
        let body = answer.expect(201);
        assert_eq!(body["user"]["id"], first["user"]["id"]);
    }
    let mut tokens: Vec<_> =
        answers.iter().map(|answer| answer.expect(201)["tokens"]["refresh_token"].clone()).collect();
    callers[0].refresh(tokens[0].as_str().unwrap()).await.expect(200);
    tokens.sort_by_key(ToString::to_string);
    tokens.dedup();
    assert_eq!(tokens.len(), answers.len());
    let other = json!({ "email": unique_email(), "password": PASSWORD });
    let request = callers[0].request(Method::POST, "/v1/auth/register").header("idempotency-key", &key).json(&other);
    send(request).await.unwrap().refused(422, "idempotency_mismatch");
}

/// Everybody becomes the first administrator, with the links that the replicas printed.
pub async fn the_first_administrator(callers: &[Caller], links: &[String]) {
    let answers = race(callers, |caller, number| {
        let token = &links[number % links.len()];
        let body = json!({ "setup_token": token, "email": unique_email(), "password": PASSWORD });
        async move { caller.try_post("/v1/setup", &body).await }
    })
    .await;
    assert_eq!(count(&answers, 201), 1, "{answers:#?}");
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        assert!(matches!(answer.status, 409 | 422), "{answer:?}");
    }
}

/// The token of the setup link that a replica printed.
pub fn setup_token(replica: &Replica) -> String {
    let lines = replica.stderr();
    let link = lines.iter().find(|line| line.contains("/setup#token=")).unwrap();
    link.rsplit('=').next().unwrap().to_owned()
}

on_each_engine! {
    /// AC-090: one refresh token, sixty-four times at once.
    /// ASVS V10.4.5
    async fn a_race_for_one_refresh_token_has_one_lineage(app: TestApp) {
        let replica = app.open().await;
        for _ in 0..rounds("USERD_TEST_RACES", 3) {
            one_refresh_token(&[replica.visitor()]).await;
        }
    }

    /// ASVS V2.3.4, V15.4.2
    async fn a_race_for_one_email_has_one_winner(app: TestApp) {
        let replica = app.open().await;
        for _ in 0..rounds("USERD_TEST_RACES", 3) {
            one_email(&[replica.visitor()]).await;
        }
    }

    async fn a_race_for_one_idempotency_key_has_one_answer(app: TestApp) {
        let replica = app.open().await;
        for _ in 0..rounds("USERD_TEST_RACES", 3) {
            one_idempotency_key(&[replica.visitor()]).await;
        }
    }

    /// AC-107: sixty-four at once with the setup link.
    async fn a_race_for_the_first_administrator_has_one_winner(app: TestApp) {
        let replica = app.open().await;
        the_first_administrator(&[replica.visitor()], &[setup_token(&replica)]).await;
    }
}
