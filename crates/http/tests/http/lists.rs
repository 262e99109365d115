//! Lists in pages, also those that are short.

use std::sync::Arc;

use serde_json::{Value, json};
use userd_services::testing::TestOptions;
use userd_web::testing::*;

use crate::app::*;

/// A limit that is none and a cursor of nobody are refused by every list, and each says where it goes on.
#[tokio::test]
async fn short_lists_take_limit_and_cursor_as_all_do() {
    let services = test_services(TestOptions::default()).await;
    let app = app_over(Arc::clone(&services));
    let ada = json!({ "username": "ada-of-lists", "password": "plum-Orchestra-19" }).to_string();
    let ada = post_json(&app, "/v1/auth/register", ada).await.json();
    let (id, own) = (ada["user"]["id"].as_str().unwrap(), ada["tokens"]["access_token"].as_str().unwrap().to_owned());
    let reader = access_token_with(&services, "users.read").await;
    let (keys, hooks) =
        (access_token_with(&services, "signing_keys.read").await, access_token_with(&services, "webhooks.read").await);
    for (path, token) in [
        ("/v1/auth/providers".to_owned(), None),
        ("/v1/auth/documents".to_owned(), None),
        ("/v1/me/grants".to_owned(), Some(&own)),
        ("/v1/me/emails".to_owned(), Some(&own)),
        ("/v1/me/factors".to_owned(), Some(&own)),
        ("/v1/me/identities".to_owned(), Some(&own)),
        ("/v1/me/access-requests/catalogue".to_owned(), Some(&own)),
        (format!("/v1/users/{id}/identities"), Some(&reader)),
        (format!("/v1/users/{id}/grants"), Some(&reader)),
        ("/v1/signing-keys".to_owned(), Some(&keys)),
        ("/v1/webhooks".to_owned(), Some(&hooks)),
    ] {
        let bearer = token.map(|token| format!("Bearer {token}"));
        let headers: Vec<_> = bearer.iter().map(|bearer| ("authorization", bearer.as_str())).collect();
        let whole = get(&app, &path, &headers).await;
        assert_eq!(whole.status, 200, "{path}: {}", whole.text());
        assert_eq!(whole.json().get("next_cursor"), Some(&Value::Null), "{path}");
        for (query, slug) in
            [("limit=0", "invalid_parameter"), ("limit=201", "invalid_parameter"), ("cursor=x", "invalid_cursor")]
        {
            let refused = get(&app, &format!("{path}?{query}"), &headers).await;
            assert_eq!((refused.status.as_u16(), refused.slug().as_str()), (400, slug), "{path}?{query}");
        }
    }
}

/// Page by page every webhook is shown, each once.
#[tokio::test]
async fn webhooks_are_read_page_by_page() {
    let services = test_services(TestOptions::default()).await;
    let app = app_over(Arc::clone(&services));
    let manager = format!("Bearer {}", access_token_with(&services, "webhooks.manage").await);
    let reader = format!("Bearer {}", access_token_with(&services, "webhooks.read").await);
    let make = async |n: usize| {
        let body = json!({ "url": format!("https://shop.example/{n}"), "events": ["user.*"] }).to_string();
        let headers = [("authorization", manager.as_str()), ("content-type", "application/json")];
        let made = ask(&app, request("POST", "/v1/webhooks", &headers, body)).await;
        assert_eq!(made.status, 201, "{}", made.text());
        made.json()["id"].clone()
    };
    let mut made = vec![make(0).await, make(1).await, make(2).await];
    let (mut shown, mut query) = (Vec::new(), "?limit=1".to_owned());
    loop {
        let page = get(&app, &format!("/v1/webhooks{query}"), &[("authorization", &reader)]).await.json();
        let items = page["items"].as_array().unwrap();
        assert_eq!(items.len(), 1);
        shown.push(items[0]["id"].clone());
        let Some(next) = page["next_cursor"].as_str() else { break };
        query = format!("?limit=1&cursor={next}");
    }
    made.sort_by_key(ToString::to_string);
    shown.sort_by_key(ToString::to_string);
    assert_eq!(shown, made);
}
