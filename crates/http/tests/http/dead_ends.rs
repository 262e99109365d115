//! Two accounts of one person, over the API: a first password, the move of an account elsewhere, administrators.

use axum::Router;
use serde_json::{Value, json};
use url::Url;
use userd_services::testing::TestOptions;
use userd_web::testing::*;

use crate::app::*;

const PASSWORD: &str = "plum-Orchestra-19";

/// Comes back from a provider as this person; the one-time code.
async fn code(router: &Router, provider: &str, person: &str) -> String {
    let begun = get(router, &format!("/v1/auth/{provider}/start"), &[]).await;
    let cookie = begun.header("set-cookie").split(';').next().unwrap().to_owned();
    let url = Url::parse(begun.header("location")).unwrap();
    let state = url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    let path = format!("/v1/auth/{provider}/callback?state={state}&code={person}");
    let landed = get(router, &path, &[("cookie", &cookie)]).await;
    let landed = Url::parse(landed.header("location")).unwrap();
    landed.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned()
}

/// Signs in: the user's id and the header that speaks for them.
async fn sign_in(router: &Router, provider: &str, person: &str) -> (String, String) {
    let body = json!({ "code": code(router, provider, person).await }).to_string();
    let pair = post_json(router, "/v1/auth/exchange", body).await.json();
    (pair["user"]["id"].as_str().unwrap().to_owned(), format!("Bearer {}", pair["access_token"].as_str().unwrap()))
}

async fn send(router: &Router, method: &str, path: &str, bearer: &str, body: Value) -> Answer {
    let headers = [("authorization", bearer), ("content-type", "application/json")];
    ask(router, request(method, path, &headers, body.to_string())).await
}

/// Sign in once with each of two providers, and the two accounts can become one. (fault 17)
#[tokio::test]
async fn an_account_elsewhere_moves_to_the_account_that_its_owner_keeps() {
    let providers = vec![TestProvider::named("yandex", false), TestProvider::named("telegram", false)];
    let services = test_services(TestOptions { providers, ..TestOptions::default() }).await;
    let router = app_over(std::sync::Arc::clone(&services));
    let (kept, here) = sign_in(&router, "yandex", "ada").await;
    let (other, there) = sign_in(&router, "telegram", "ada").await;
    assert_ne!(kept, other);

    let moving = "/v1/me/identities/move";
    let stuck = json!({ "code": code(&router, "telegram", "ada").await });
    let answer = send(&router, "POST", moving, &here, stuck.clone()).await;
    assert_eq!((answer.status.as_u16(), answer.json()["type"].clone()), (409, json!("/problems/last_way_in")));
    assert_eq!(send(&router, "POST", moving, &here, stuck).await.status, 422);

    let username = send(&router, "PUT", "/v1/me/username", &there, json!({ "username": "ada-of-telegram" })).await;
    assert_eq!(username.status, 200, "{}", username.text());
    for first in [json!({ "new_password": PASSWORD }), json!({ "current_password": null, "new_password": PASSWORD })] {
        let set = send(&router, "PUT", "/v1/me/password", &there, first).await;
        if set.status != 204 {
            assert_eq!(
                (set.status.as_u16(), set.json()["errors"][0]["pointer"].clone()),
                (422, json!("/current_password"))
            );
        }
    }
    let moved = send(&router, "POST", moving, &here, json!({ "code": code(&router, "telegram", "ada").await })).await;
    assert_eq!((moved.status.as_u16(), moved.json()["provider"].clone()), (200, json!("telegram")), "{}", moved.text());
    assert_eq!(sign_in(&router, "telegram", "ada").await.0, kept);
    let login = json!({ "login": "ada-of-telegram", "password": PASSWORD }).to_string();
    assert_eq!(post_json(&router, "/v1/auth/login", login).await.json()["user"]["id"], other);
    assert_eq!(send(&router, "POST", moving, &here, json!({ "code": "x", "user_id": other })).await.status, 400);

    // Administrators see them, and take all but the last.
    let permissions = ["users.read", "users.manage"].map(str::to_owned);
    let made = services.clients.create(&services.operator_context(), "desk", &permissions, None).await.unwrap();
    let client = services.clients.authenticate(&made.client.id.to_string(), &made.client_secret, &some_origin()).await;
    let desk = format!("Bearer {}", services.clients.token(&client.unwrap(), None).unwrap().access_token);
    let list = format!("/v1/users/{kept}/identities");
    let items = get(&router, &list, &[("authorization", &desk)]).await.json()["items"].as_array().unwrap().clone();
    assert_eq!(items.len(), 2);
    let paths: Vec<String> = items.iter().map(|item| format!("{list}/{}", item["id"].as_str().unwrap())).collect();
    for path in &paths {
        assert_eq!(send(&router, "DELETE", path, &here, Value::Null).await.status, 403);
    }
    let mut statuses = Vec::new();
    for path in &paths {
        statuses.push(send(&router, "DELETE", path, &desk, Value::Null).await.status.as_u16());
    }
    assert_eq!(statuses, [204, 409]);
}
