//! What other services read to trust tokens: how long the key set may be kept, and what the feed tells them.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use userd_http::{Api, router::assemble};
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

/// A changed profile and a plain rotation are for this service's own processes; the pages go on over them.
#[tokio::test]
async fn the_feed_tells_verifiers_only_what_to_refuse() {
    let services = test_services(TestOptions::default()).await;
    let token = access_token_with(&services, "revocations.read").await;
    services.signing_keys.rotate(&services.operator_context()).await.unwrap();
    let random: &dyn Random = services.deps.random.as_ref();
    let (user_id, version) = (UserId::mint(random), 2);
    let unseen = [Revoked::Changed { user_id, version }, Revoked::Key { kid: String::new() }];
    let seen = [
        Revoked::Session { session_id: SessionId::mint(random), user_id },
        Revoked::User { user_id, min_epoch: 1, version },
        Revoked::Token { token_id: TokenId::mint(random) },
        Revoked::Key { kid: "k".to_owned() },
        Revoked::Client { client_id: ClientId::mint(random), before: 7 },
        Revoked::All { issued_before: services.deps.now() },
    ];
    record(&services, &[&unseen[..], &unseen, &seen, &unseen].concat()).await;
    let router = app_over(services);
    let bearer = format!("Bearer {token}");
    let (mut kinds, mut path) = (Vec::new(), "/v1/revocations?limit=2".to_owned());
    loop {
        let answer = get(&router, &path, &[("authorization", &bearer)]).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let page = answer.json();
        kinds.extend(page["items"].as_array().unwrap().iter().map(|item| item["kind"].as_str().unwrap().to_owned()));
        let Value::String(next) = &page["next_cursor"] else { panic!("no cursor: {page}") };
        path = format!("/v1/revocations?limit=2&after={next}");
        if page["has_more"] == false {
            break;
        }
    }
    assert_eq!(kinds, ["session", "user", "token", "key", "client", "all"]);
    let last = get(&router, &path, &[("authorization", &bearer)]).await.json();
    assert!(path.ends_with(last["next_cursor"].as_str().unwrap()) && last["has_more"] == false, "{last}");
}

/// `wait` holds an empty answer, longer than requests may take, and gives it at once when the process stops. (fault 2)
#[tokio::test]
async fn a_wait_is_not_cut_by_the_deadline_and_ends_with_a_stop() {
    let services = test_services(TestOptions::default()).await;
    let bearer = format!("Bearer {}", access_token_with(&services, "revocations.read").await);
    let api = Api { services, ..api_with(|options| options.request_deadline = Duration::from_millis(100)) };
    let draining = api.draining.clone();
    let router = assemble(Arc::new(api), app_routes(), &app_table()).unwrap();
    let ask = async |wait: &str| {
        let began = Instant::now();
        let path = format!("/v1/revocations?wait={wait}");
        (get(&router, &path, &[("authorization", &bearer)]).await, began.elapsed())
    };
    let (answer, took) = ask("1").await;
    assert_eq!(answer.json(), json!({"items": [], "next_cursor": null, "has_more": false}));
    assert!(took >= Duration::from_secs(1), "{took:?}");
    assert_eq!(ask("26").await.0.status, 400);
    assert_eq!(ask("-1").await.0.status, 400);
    let stop = async {
        tokio::task::yield_now().await;
        draining.start();
    };
    let ((answer, took), ()) = tokio::join!(ask("25"), stop);
    assert_eq!(answer.status, 200);
    assert!(took < Duration::from_secs(20), "{took:?}");
    // Whoever comes later is held for a moment only, but held.
    let (answer, took) = ask("25").await;
    assert_eq!(answer.status, 200);
    assert!((Duration::from_millis(250)..Duration::from_secs(20)).contains(&took), "{took:?}");
}

/// Clients that are made from the document know each kind by its own members. (fault 2)
#[test]
fn an_entry_of_the_feed_is_one_of_its_kinds_by_name() {
    let document = userd_http::router::document().unwrap();
    let schemas = &document["components"]["schemas"];
    let entry = &schemas["Revocation"];
    assert_eq!(entry["discriminator"]["propertyName"], "kind", "{entry}");
    let mapping = entry["discriminator"]["mapping"].as_object().unwrap();
    assert_eq!(mapping.len(), entry["oneOf"].as_array().unwrap().len());
    let members = [
        ("session", "session_id"),
        ("user", "min_epoch"),
        ("token", "token_id"),
        ("client", "before"),
        ("key", "kid"),
        ("role", "min_version"),
        ("all", "issued_before"),
    ];
    assert_eq!(mapping.len(), members.len());
    for (kind, member) in members {
        let name = mapping[kind].as_str().unwrap().rsplit('/').next().unwrap();
        let schema = &schemas[name];
        assert_eq!(schema["properties"]["kind"]["enum"], json!([kind]), "{schema}");
        assert!(schema["required"].as_array().unwrap().contains(&json!(member)), "{schema}");
    }
}
