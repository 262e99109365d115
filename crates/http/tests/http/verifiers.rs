//! What other services read to trust tokens: how long the key set may be kept, and what the feed tells them.

use std::time::Duration;

use serde_json::Value;
use userd_model::{ClientId, Random, Revocation, RevocationId, Revoked, SessionId, TokenId, UserId};
use userd_services::{Services, testing::TestOptions};
use userd_web::testing::*;

use crate::app::*;

/// A verifier that keeps the set as long as it may still has every key before it signs.
#[tokio::test]
async fn the_key_set_is_kept_shorter_than_a_key_waits_to_sign() {
    for (publish_before, expected) in [
        (3600, "public, max-age=300, stale-while-revalidate=60"),
        (240, "public, max-age=120, stale-while-revalidate=60"),
        (60, "public, max-age=30, stale-while-revalidate=15"),
        (1, "public, max-age=0, stale-while-revalidate=0"),
    ] {
        let mut options = TestOptions::default();
        options.settings.publish_before = Duration::from_secs(publish_before);
        let answer = get(&app_over(test_services(options).await), "/.well-known/jwks.json", &[]).await;
        assert_eq!(answer.header("cache-control"), expected);
    }
}

async fn record(services: &Services, whats: &[Revoked]) {
    let (random, now): (&dyn Random, _) = (services.deps.random.as_ref(), services.deps.now());
    for (later, what) in (1..).zip(whats) {
        let entry = &Revocation {
            id: RevocationId::mint(random),
            what: what.clone(),
            recorded_at: now.plus(Duration::from_secs(later)),
            expires_at: now.plus(Duration::from_secs(600)),
        };
        let recorded = services.deps.store.transact("record", |mut uow| async move {
            uow.revocations().insert(entry).await?;
            uow.commit(()).await
        });
        recorded.await.unwrap();
    }
}

async fn token_of_a_reader(services: &Services) -> String {
    let permissions = ["revocations.read".to_owned()];
    let made = services.clients.create(&services.operator_context(), "reader", &permissions, None).await.unwrap();
    let id = made.client.id.to_string();
    let client = services.clients.authenticate(&id, &made.client_secret, &some_origin()).await.unwrap();
    services.clients.token(&client).unwrap().access_token
}

/// A changed profile and a plain rotation are for this service's own processes; the pages go on over them.
#[tokio::test]
async fn the_feed_tells_verifiers_only_what_to_refuse() {
    let services = test_services(TestOptions::default()).await;
    let token = token_of_a_reader(&services).await;
    services.signing_keys.rotate(&services.operator_context()).await.unwrap();
    let random: &dyn Random = services.deps.random.as_ref();
    let (user_id, version) = (UserId::mint(random), 2);
    let unseen = [Revoked::Changed { user_id, version }, Revoked::Key { kid: String::new() }];
    let seen = [
        Revoked::Session { session_id: SessionId::mint(random), user_id },
        Revoked::User { user_id, min_epoch: 1, version },
        Revoked::Token { token_id: TokenId::mint(random) },
        Revoked::Key { kid: "k".to_owned() },
        Revoked::Client { client_id: ClientId::mint(random) },
    ];
    record(&services, &[&unseen[..], &unseen, &seen, &unseen].concat()).await;
    let router = app_over(services);
    let bearer = format!("Bearer {token}");
    let (mut kinds, mut path, mut empty) = (Vec::new(), "/v1/revocations?limit=2".to_owned(), 0);
    for _ in 0..20 {
        let answer = get(&router, &path, &[("authorization", &bearer)]).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let page = answer.json();
        let items = page["items"].as_array().unwrap();
        empty += usize::from(items.is_empty());
        kinds.extend(items.iter().map(|item| item["kind"].as_str().unwrap().to_owned()));
        let Value::String(next) = &page["next_cursor"] else { panic!("no cursor: {page}") };
        let next = format!("/v1/revocations?limit=2&after={next}");
        if kinds.len() == seen.len() || next == path {
            break;
        }
        path = next;
    }
    assert_eq!(kinds, ["session", "user", "token", "key", "client"]);
    assert!(empty >= 2, "whole pages were left out, and led on");
}
