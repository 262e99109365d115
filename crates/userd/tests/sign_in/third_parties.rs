//! Providers that others wrote: npm oidc-provider and PyPI oidc-provider-mock, clicked through page by page.

use serde_json::{Value, json};

use crate::{
    browser::{Browser, Page},
    clients::Upstream,
    fixture::{Fixture, ProofKey, callback},
    support::{Engine, PASSWORD, TestApp},
};

const SECRET: &str = "an upstream secret of forty characters..";

fn oidc(issuer: &str) -> Value {
    json!([{
        "id": "corp", "kind": "oidc", "issuer": issuer, "client_id": "userd", "client_secret": SECRET,
        "allow_private_addresses": true, "keep_tokens": true, "trust_email": true,
    }])
}

/// The provider's own pages: who one is, then consent where it asks.
async fn click_through(fixture: &Fixture, browser: &mut Browser, start: &str, login: &str) -> Page {
    let mut page = browser.go(start).await;
    for _ in 0..3 {
        if page.url.as_str().starts_with(&fixture.base) || !page.text.contains("<form") {
            break;
        }
        let asks_login = page.text.contains("name=\"login\"");
        page = if asks_login {
            browser.fill_in(&page, &[("login", login), ("password", "anything")]).await
        } else if page.text.contains("name=\"sub\"") {
            browser.fill_in(&page, &[("sub", login)]).await
        } else {
            browser.fill_in(&page, &[]).await
        };
    }
    page
}

on_each_engine! {
    async fn npm_oidc_provider_signs_people_in_links_and_is_unlinked(app: TestApp) {
        let app = Fixture::address(&app);
        let arguments = ["userd", SECRET, &callback(&app, "corp")];
        let Some(upstream) = Upstream::start("oidc_upstream.mjs", &arguments).await else { return };
        let fixture = Fixture::open(&app, oidc(&upstream.issuer)).await;

        // A newcomer, with the application's proof key.
        let (mut browser, key) = (Browser::new(), ProofKey::new());
        let start = fixture.begin(&mut browser, "corp", Some(&key)).await;
        let landed = click_through(&fixture, &mut browser, start.as_str(), "alice").await;
        let alice = fixture.exchange(&landed, Some(&key)).await;
        let me = fixture.me(&alice).await;
        assert_eq!((&me["email"], &me["email_verified"]), (&json!("alice@example.org"), &json!(true)));
        assert_eq!(me["display_name"], "alice of elsewhere");
        let identities = fixture.identities(&alice).await;
        assert_eq!((identities.len(), &identities[0]["provider"]), (1, &json!("corp")));

        // The second time, from another browser, it is the same user.
        let mut other = Browser::new();
        let start = fixture.begin(&mut other, "corp", None).await;
        let landed = click_through(&fixture, &mut other, start.as_str(), "alice").await;
        assert_eq!(fixture.exchange(&landed, None).await.user_id(), alice.user_id());

        // The only way in cannot be taken away.
        fixture.unlink(&alice, "corp").await.refused(409, "last_way_in");

        // Somebody with a password links another account there, signs in with it, and unlinks it.
        let visitor = fixture.visitor();
        let boris = visitor.register("boris@example.net", PASSWORD).await;
        let caller = visitor.with(&boris);
        let mut browser = Browser::new();
        let start = fixture.begin_link(&mut browser, &caller, "corp").await;
        let landed = click_through(&fixture, &mut browser, start.as_str(), "bob").await;
        assert!(landed.is_at_app());
        assert_eq!(landed.param("linked").as_deref(), Some("corp"));
        let mut browser = Browser::new();
        let start = fixture.begin(&mut browser, "corp", None).await;
        let landed = click_through(&fixture, &mut browser, start.as_str(), "bob").await;
        assert_eq!(fixture.exchange(&landed, None).await.user_id(), boris.user_id());
        fixture.unlink(&boris, "corp").await.expect(204);
        assert!(fixture.identities(&boris).await.is_empty());
        // What was unlinked is a stranger again: a user of its own.
        let mut browser = Browser::new();
        let start = fixture.begin(&mut browser, "corp", None).await;
        let landed = click_through(&fixture, &mut browser, start.as_str(), "bob").await;
        assert_ne!(fixture.exchange(&landed, None).await.user_id(), boris.user_id());
    }

    async fn pypi_oidc_provider_mock_signs_people_in(app: TestApp) {
        let Some(upstream) = Upstream::start("oidc_mock_upstream.py", &[]).await else { return };
        let fixture = Fixture::open(&Fixture::address(&app), oidc(&upstream.issuer)).await;
        let mut users = Vec::new();
        for _ in 0..2 {
            let (mut browser, key) = (Browser::new(), ProofKey::new());
            let start = fixture.begin(&mut browser, "corp", Some(&key)).await;
            let landed = click_through(&fixture, &mut browser, start.as_str(), "mira").await;
            let mira = fixture.exchange(&landed, Some(&key)).await;
            assert_eq!(fixture.me(&mira).await["email"], "mira@example.org");
            users.push(mira.user_id().to_owned());
        }
        assert_eq!(users[0], users[1]);
        assert_eq!(fixture.users().await, 1);
    }
}
