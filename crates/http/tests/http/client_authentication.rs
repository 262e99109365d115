//! How service accounts show who they are on `/oauth2/*`.

use std::sync::Arc;

use axum::Router;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;
use userd_services::{Services, testing::TestOptions};
use userd_web::testing::*;

use crate::app::*;

struct Shop {
    services: Arc<Services>,
    router: Router,
    id: String,
    secret: String,
    refresh_token: String,
}

impl Shop {
    async fn open() -> Self {
        let services = test_services(TestOptions::default()).await;
        let permissions = ["tokens.introspect".to_owned()];
        let made = services.clients.create(&services.operator_context(), "shop", &permissions, None).await.unwrap();
        let (id, secret) = (made.client.id.to_string(), made.client_secret.to_string());
        let router = app_over(Arc::clone(&services));
        let ada = json!({ "username": "ada-of-the-shop", "password": "plum-Orchestra-19" }).to_string();
        let answer = post_json(&router, "/v1/auth/register", ada).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        let refresh_token = answer.json()["tokens"]["refresh_token"].as_str().unwrap().to_owned();
        Self { services, router, id, secret, refresh_token }
    }

    fn basic(&self, secret: &str) -> String {
        format!("Basic {}", STANDARD.encode(format!("{}:{secret}", self.id)))
    }

    fn form(&self, secret: &str) -> String {
        format!("&client_id={}&client_secret={secret}", self.id)
    }

    async fn ask(&self, path: &str, authorization: &str, body: &str) -> Answer {
        let mut headers = vec![("content-type", "application/x-www-form-urlencoded")];
        if !authorization.is_empty() {
            headers.push(("authorization", authorization));
        }
        ask(&self.router, request("POST", path, &headers, body.to_owned())).await
    }

    async fn refused(&self, path: &str, authorization: &str, body: &str, expected: (u16, &str)) {
        let answer = self.ask(path, authorization, body).await;
        assert_eq!(answer.status, expected.0, "{path} {body}: {}", answer.text());
        assert_eq!(answer.json()["error"], expected.1, "{path} {body}");
    }

    fn requests(&self) -> [(&'static str, String); 4] {
        [
            ("/oauth2/token", format!("grant_type=refresh_token&refresh_token={}", self.refresh_token)),
            ("/oauth2/token", "grant_type=client_credentials".to_owned()),
            ("/oauth2/introspect", format!("token={}", self.refresh_token)),
            ("/oauth2/revoke", format!("token={}", self.refresh_token)),
        ]
    }
}

/// RFC 6749 section 6: who shows credentials beside a refresh token must show the right ones. (fault 8)
#[tokio::test]
async fn wrong_client_credentials_are_refused_whatever_else_would_do() {
    let shop = Shop::open().await;
    for (path, body) in shop.requests() {
        for wrong in ["wrong", &format!("{}x", shop.secret)] {
            shop.refused(path, &shop.basic(wrong), &body, (401, "invalid_client")).await;
            shop.refused(path, "", &format!("{body}{}", shop.form(wrong)), (401, "invalid_client")).await;
        }
        shop.refused(path, "", &format!("{body}&client_secret={}", shop.secret), (401, "invalid_client")).await;
    }
    let (path, body) = &shop.requests()[0];
    let renewed = shop.ask(path, "", body).await;
    assert_eq!(renewed.status, 200, "nothing of this used the token up or ended the session: {}", renewed.text());
    let next = renewed.json()["refresh_token"].as_str().unwrap().to_owned();
    let body = format!("grant_type=refresh_token&refresh_token={next}");
    assert_eq!(shop.ask(path, &shop.basic(&shop.secret), &body).await.status, 200, "right credentials do no harm");
}

/// Good credentials of a service account that was switched off are none, beside a refresh token too: what was asked for
/// by it goes on without it. (faults 7 and 8)
#[tokio::test]
async fn credentials_of_a_disabled_client_are_refused_whatever_else_would_do() {
    let shop = Shop::open().await;
    shop.services.clients.disable(&shop.services.operator_context(), shop.id.parse().unwrap()).await.unwrap();
    for (path, body) in shop.requests() {
        shop.refused(path, &shop.basic(&shop.secret), &body, (401, "invalid_client")).await;
        shop.refused(path, "", &format!("{body}{}", shop.form(&shop.secret)), (401, "invalid_client")).await;
    }
    let (path, body) = &shop.requests()[0];
    assert_eq!(shop.ask(path, "", body).await.status, 200, "the person's session is none of its business");
}

/// RFC 6749 section 2.3: one method of authentication in a request, here and at introspection and revocation. (fault 8)
#[tokio::test]
async fn two_methods_of_client_authentication_in_one_request_are_refused() {
    let shop = Shop::open().await;
    for (path, body) in shop.requests() {
        for (basic, form) in [(&shop.secret, &shop.secret), (&shop.secret, &"wrong".to_owned())] {
            let twice = format!("{body}{}", shop.form(form));
            shop.refused(path, &shop.basic(basic), &twice, (400, "invalid_request")).await;
        }
        let secret = format!("{body}&client_secret={}", shop.secret);
        shop.refused(path, &shop.basic(&shop.secret), &secret, (400, "invalid_request")).await;
        let another = format!("{body}&client_id=another");
        shop.refused(path, &shop.basic(&shop.secret), &another, (400, "invalid_request")).await;
    }
    let token = shop.ask("/oauth2/token", &shop.basic(&shop.secret), "grant_type=client_credentials").await.json();
    let bearer = format!("Bearer {}", token["access_token"].as_str().unwrap());
    let twice = format!("token=x{}", shop.form(&shop.secret));
    shop.refused("/oauth2/introspect", &bearer, &twice, (400, "invalid_request")).await;
    // An id that only repeats who it is authenticates nobody; a field without a value is no field.
    for named in [format!("&client_id={}", shop.id), "&client_secret=&client_id=".to_owned()] {
        let body = format!("grant_type=client_credentials{named}");
        assert_eq!(shop.ask("/oauth2/token", &shop.basic(&shop.secret), &body).await.status, 200, "{named}");
    }
}

/// RFC 6749 sections 5.1 and 5.2: what holds tokens is kept nowhere, and only who is not authenticated is challenged.
#[tokio::test]
async fn answers_with_tokens_and_refusals_have_the_headers_of_oauth() {
    let shop = Shop::open().await;
    let (path, body) = &shop.requests()[0];
    let client = shop.ask("/oauth2/token", &shop.basic(&shop.secret), "grant_type=client_credentials").await;
    for answer in [client, shop.ask(path, "", body).await] {
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!((answer.header("cache-control"), answer.header("pragma")), ("no-store", "no-cache"));
    }
    let unknown = shop.ask(path, "", "grant_type=refresh_token&refresh_token=udr_x").await;
    assert_eq!((unknown.status.as_u16(), unknown.json()["error"].as_str()), (400, Some("invalid_grant")));
    assert!(
        !unknown.headers.contains_key("www-authenticate"),
        "whoever shows a refresh token is no client to ask for a secret"
    );
    let twice = "grant_type=client_credentials&resource=userd&resource=userd";
    shop.refused("/oauth2/token", &shop.basic(&shop.secret), twice, (400, "invalid_target")).await;
}

/// Who is known and may not ask is told so, by a status that the document has: 403, whichever way they came.
#[tokio::test]
async fn introspection_without_the_permission_is_forbidden() {
    let shop = Shop::open().await;
    let ctx = shop.services.operator_context();
    let made = shop.services.clients.create(&ctx, "curious", &["events.read".to_owned()], None).await.unwrap();
    let (id, secret) = (made.client.id.to_string(), made.client_secret.to_string());
    let basic = format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")));
    let token = shop.ask("/oauth2/token", &basic, "grant_type=client_credentials").await.json();
    let bearer = format!("Bearer {}", token["access_token"].as_str().unwrap());
    for authorization in [&basic, &bearer] {
        shop.refused("/oauth2/introspect", authorization, "token=x", (403, "unauthorized_client")).await;
    }
    shop.refused(
        "/oauth2/introspect",
        "",
        &format!("token=x&client_id={id}&client_secret={secret}"),
        (403, "unauthorized_client"),
    )
    .await;
}
