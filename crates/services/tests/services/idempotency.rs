//! Repeated requests: what they make, what they are told, and until when.

use std::time::Duration;

use userd_crypto::OpaqueSecret;
use userd_model::Refusal;
use userd_services::{Failure, IdempotentRequest, SignedIn, accounts::Registration, limits::Rate};
use userd_storage::repositories::idempotency_keys::IdempotencyRecord;

use crate::{
    fixture::{DAY, Fixture, MINUTE, TestApp, refusal, with},
    personas::{OTHER_PASSWORD, PASSWORD, acting, at, elsewhere, home, of_session, password, registration, started},
    rights::support::{allowing, requestable, wanting},
    sign_in::elsewhere::{app_with_acme, code, person},
};

fn named(app: &TestApp, name: &str, text: &str) -> IdempotentRequest {
    app.idempotency.request("register", name, text.as_bytes())
}

async fn register(app: &TestApp, name: &str, text: &str, n: usize) -> Result<SignedIn, Failure> {
    let asked = Registration { password: password(text), ..registration(None, Some(name)) };
    app.accounts.register(&at(app, elsewhere(n)), asked, Some(&named(app, name, text))).await.map(started)
}

/// (fault 5) Whoever knows a key guesses passwords no faster with it than at sign-in.
#[apply(case)]
async fn a_body_that_does_not_match_counts_like_a_wrong_password(fixture: Fixture) {
    let app = fixture
        .app_with(with(|settings| {
            settings.limits.enabled = true;
            settings.limits.password_per_account = Rate { burst: 5, period: MINUTE };
        }))
        .await;
    register(&app, "ada", PASSWORD, 0).await.unwrap();
    for n in 0..12 {
        register(&app, "ada", PASSWORD, n).await.expect("a repeat costs nothing");
    }
    let mut compared = 0;
    for n in 0..300 {
        match refusal(register(&app, "ada", &format!("guess number {n} of many"), n).await) {
            Refusal::IdempotencyMismatch => compared += 1,
            Refusal::TooManyAttempts(_) => {}
            other => panic!("{other}"),
        }
    }
    assert_eq!(compared, 5);
    let right = refusal(register(&app, "ada", PASSWORD, 301).await);
    assert!(matches!(right, Refusal::TooManyAttempts(_)), "nobody is told that this one is right: {right}");
    assert!(
        matches!(refusal(app.login("ada", OTHER_PASSWORD).await), Refusal::TooManyAttempts(_)),
        "one count for both"
    );
}

/// (fault 5) A repeat opens nothing once its owner is meant to be safe from it.
#[apply(case)]
async fn a_repeat_is_refused_after_a_new_password_a_block_or_a_sign_out(fixture: Fixture) {
    let app = fixture.app().await;
    let operator = app.operator_context();
    for (n, name) in ["ada", "grace", "joan", "mary", "lise", "emmy"].into_iter().enumerate() {
        let first = register(&app, name, PASSWORD, 0).await.unwrap();
        let again = register(&app, name, PASSWORD, 1).await.unwrap();
        assert_eq!(again.user.id, first.user.id);
        assert_ne!(again.tokens.session_id, first.tokens.session_id);
        let (id, session) = (first.user.id, first.tokens.session_id);
        let (old, new) = (password(PASSWORD), password(OTHER_PASSWORD));
        let own = of_session(&app, id, session, home());
        match n {
            0 => app.accounts.change_password(&own, &old, &new).await.unwrap(),
            1 => app.accounts.set_password(&operator, id, &new).await.unwrap(),
            2 => drop(app.users.block(&operator, id).await.unwrap()),
            3 => drop(app.users.sign_out(&operator, id).await.unwrap()),
            4 => app.sessions.end_all(&own, id, None).await.unwrap(),
            _ => app.sessions.end_all(&own, id, Some(session)).await.unwrap(),
        }
        let devices = app.devices_of(id).await.len();
        assert_eq!(refusal(register(&app, name, PASSWORD, 2).await), Refusal::ReplayRefused, "{name}");
        assert_eq!(app.devices_of(id).await.len(), devices, "{name}: and no session began");
    }
    app.advance(DAY);
    assert_eq!(refusal(register(&app, "ada", PASSWORD, 3).await), Refusal::UsernameTaken, "a key is kept for a day");
}

/// (fault 5) What was shown once is shown again for some minutes, and never when it is no longer true.
#[apply(case)]
async fn a_clients_secret_is_repeated_for_ten_minutes(fixture: Fixture) {
    let app = fixture.app().await;
    let operator = app.operator_context();
    let make = async |key: &str| {
        let once = app.idempotency.request("create_client", key, b"body");
        app.clients.create(&operator, "Billing", &[], Some(&once)).await
    };
    let first = make("one").await.unwrap();
    app.advance(MINUTE * 10 - Duration::from_secs(1));
    let again = make("one").await.unwrap();
    assert_eq!((again.client, &again.client_secret), (first.client.clone(), &first.client_secret));
    app.advance(Duration::from_secs(1));
    assert_eq!(refusal(make("one").await), Refusal::SecretAlreadyShown);
    let rotated = make("two").await.unwrap();
    app.clients.rotate_secret(&operator, rotated.client.id, None).await.unwrap();
    assert_eq!(refusal(make("two").await), Refusal::SecretAlreadyShown, "a secret that is none any more");
    assert_eq!(app.clients.page(&operator, None, 10).await.unwrap().len(), 2);
}

/// A repeat of a rotation, or of enabling, is no second one: whoever has the first answer has the secret that counts.
#[apply(case)]
async fn a_new_secret_of_a_client_is_made_once(fixture: Fixture) {
    let app = fixture.app().await;
    let (operator, service) = (app.operator_context(), app.service(&[]).await);
    let rotate = async |key: &str| {
        let once = app.idempotency.request("rotate", key, b"");
        app.clients.rotate_secret(&operator, service.id, Some(&once)).await
    };
    let first = rotate("one").await.unwrap();
    assert_ne!(first.client_secret, service.secret);
    let again = rotate("one").await.unwrap();
    assert_eq!((again.client, &again.client_secret), (first.client.clone(), &first.client_secret));
    app.client_token(service.id, &first.client_secret).await.unwrap();
    app.advance(MINUTE * 10);
    assert_eq!(refusal(rotate("one").await), Refusal::SecretAlreadyShown);
    assert_ne!(rotate("two").await.unwrap().client_secret, first.client_secret);

    app.clients.disable(&operator, service.id).await.unwrap();
    let enable = async || {
        let once = app.idempotency.request("enable", "one", b"");
        app.clients.enable(&operator, service.id, Some(&once)).await
    };
    let enabled = enable().await.unwrap();
    assert_eq!(enable().await.unwrap().client_secret, enabled.client_secret, "though it is not disabled any more");
    app.client_token(service.id, &enabled.client_secret).await.unwrap();
}

/// (fault 5) A role, a permission and a request are made once, however often they are asked for; and only as they were.
#[apply(case)]
async fn repeats_name_the_role_the_permission_and_the_request_that_are_there(fixture: Fixture) {
    let app = fixture.app().await;
    let (operator, _root) = (app.operator_context(), app.admin().await);
    let key = |body: &str| app.idempotency.request("POST /v1/roles", "one", body.as_bytes());
    let role = |name: &'static str| {
        let (app, operator, key) = (&app, &operator, key(name));
        async move { app.roles.create(operator, name, &allowing(&[], requestable()), Some(&key)).await }
    };
    let made = role("editor").await.unwrap();
    assert_eq!(role("editor").await.unwrap(), made, "not `name_taken`");
    assert_eq!(refusal(role("writer").await), Refusal::IdempotencyMismatch);
    let key = |body: &str| app.idempotency.request("POST /v1/permissions", "one", body.as_bytes());
    let permission = |name: &'static str| {
        let (app, operator, key) = (&app, &operator, key(name));
        async move { app.permissions.register(operator, name, None, false, Some(&key)).await }
    };
    let made = permission("cms.write").await.unwrap();
    assert_eq!(permission("cms.write").await.unwrap(), made);
    assert_eq!(refusal(permission("cms.read").await), Refusal::IdempotencyMismatch);
    app.permissions.remove(&operator, "cms.write").await.unwrap();
    assert_eq!(refusal(permission("cms.write").await), Refusal::NotFound, "it does not come back");
    let ada = app.member("ada").await;
    let ctx = acting(&app, &app.actor(&ada).await);
    let key = &app.idempotency.request("POST /v1/me/access-requests ada", "one", b"editor");
    let asked = app.access_requests.ask(&ctx, wanting("editor"), Some(key)).await.unwrap();
    assert_eq!(app.access_requests.ask(&ctx, wanting("editor"), Some(key)).await.unwrap(), asked, "not `request_open`");
    let withdrawn = app.access_requests.withdraw(&ctx, asked.request.id).await.unwrap();
    assert_eq!(app.access_requests.ask(&ctx, wanting("editor"), Some(key)).await.unwrap(), withdrawn, "as it is now");
    let other = &app.idempotency.request("POST /v1/me/access-requests ada", "one", b"support");
    let answer = app.access_requests.ask(&ctx, wanting("editor"), Some(other)).await;
    assert_eq!(refusal(answer), Refusal::IdempotencyMismatch);
    assert_eq!(app.access_requests.own(&ctx, None, 10).await.unwrap().items.len(), 1);
}

/// (fault 5) Two rows that change places in the database hand out nothing of each other's.
#[apply(case)]
async fn saved_rows_open_only_in_their_own_place(fixture: Fixture) {
    let app = fixture.app().await;
    for name in ["ada", "grace", "joan", "mary"] {
        register(&app, name, PASSWORD, 0).await.unwrap();
    }
    swap(&app, "ada", "grace", false).await;
    swap(&app, "joan", "mary", true).await;
    for name in ["ada", "grace", "joan", "mary"] {
        let answer = register(&app, name, PASSWORD, 1).await;
        assert_eq!(refusal(answer), Refusal::ReplayRefused, "{name}");
    }
}

async fn swap(app: &TestApp, one: &str, other: &str, with_bodies: bool) {
    let of = async |name: &str| {
        let key = app.deps.crypto.index.keyed_hash("idempotency key", &[b"register", name.as_bytes()]);
        app.reading().idempotency_keys().find(&key, app.now()).await.unwrap().unwrap()
    };
    let (one, other) = (of(one).await, of(other).await);
    let with_answer = |place: &IdempotencyRecord, from: &IdempotencyRecord| IdempotencyRecord {
        key_hash: place.key_hash.clone(),
        body_hash: if with_bodies { &from.body_hash } else { &place.body_hash }.clone(),
        answer: from.answer.clone(),
        // Later than the row's end, so that it is replaced.
        created_at: place.expires_at,
        expires_at: place.expires_at.plus(DAY),
    };
    let swapped = &[with_answer(&one, &other), with_answer(&other, &one)];
    let put = app.deps.store.transact("swap", |mut uow| async move {
        for record in swapped {
            uow.idempotency_keys().insert(record).await?;
        }
        uow.commit(()).await
    });
    put.await.unwrap();
}

/// (fault 5) The same for what is sealed beside a one-time code.
#[apply(case)]
async fn one_time_codes_that_change_places_sign_nobody_in(fixture: Fixture) {
    let (app, acme) = app_with_acme(&fixture).await;
    let mut codes = Vec::new();
    for subject in ["1", "2"] {
        acme.is(person("acme", subject));
        codes.push(code(app.through("acme").await));
    }
    let hashes: Vec<_> = codes.iter().map(|code| OpaqueSecret::hash_of("", code).unwrap()).collect();
    let mut payloads = Vec::new();
    for hash in &hashes {
        let found = app.reading().one_time_tokens().find(hash, "exchange_code", app.now()).await.unwrap();
        payloads.push(found.unwrap().payload);
    }
    let (hashes, payloads) = (&hashes, &payloads);
    let put = app.deps.store.transact("swap", |mut uow| async move {
        uow.one_time_tokens().update_payload(&hashes[0], &payloads[1]).await?;
        uow.one_time_tokens().update_payload(&hashes[1], &payloads[0]).await?;
        uow.commit(()).await
    });
    put.await.unwrap();
    for code in &codes {
        assert!(app.sign_in.exchange(&at(&app, home()), code, None, None).await.is_err());
    }
}
