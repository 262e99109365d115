//! A provider that hangs hurts those who use it and nobody else.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::task::JoinSet;
use userd_stand_ins::{Fault, Options, oidc};

use crate::{
    browser::Browser,
    fixture::{Fixture, as_person},
    providers,
    support::{Engine, PASSWORD, TestApp, Tokens},
};

/// How many people wait for the hanging provider.
const WAITING: usize = 50;

on_each_engine! {
    /// Fifty sign-ins hang at a provider; a password still signs in at once.
    async fn a_hanging_provider_does_not_slow_passwords(app: TestApp) {
        let upstream = oidc::start(Options::default()).await.unwrap();
        let mut entry = providers::oidc("corp", &upstream, true);
        entry["timeout"] = "4s".into();
        let fixture = Fixture::open(&Fixture::address(&app), json!([entry])).await;
        fixture.visitor().register("quick@example.net", PASSWORD).await;
        fixture.sign_in("corp", "oleg").await;

        upstream.fail("/token", Fault::Hang);
        let mut attempts = Vec::new();
        for _ in 0..WAITING {
            let mut browser = Browser::new();
            let page = fixture.begin(&mut browser, "corp", None).await;
            let back = browser.get(&as_person(page, "ivan")).await.location().unwrap();
            attempts.push((browser, back));
        }
        let mut hanging = JoinSet::new();
        for (mut browser, back) in attempts {
            hanging.spawn(async move { browser.go(back.as_str()).await });
        }
        crate::support::until("all of them hang", Duration::from_secs(10), async || {
            upstream.requests_to("/token").len() > WAITING
        })
        .await;
        let mut slowest = Duration::ZERO;
        for _ in 0..5 {
            let start = Instant::now();
            fixture.visitor().login("quick@example.net", PASSWORD).await;
            slowest = slowest.max(start.elapsed());
        }
        assert_eq!(hanging.try_join_next().map(|page| page.unwrap().url.to_string()), None, "they still hang");
        println!("the slowest of five logins beside {WAITING} hanging sign-ins: {slowest:?}");
        assert!(slowest < Duration::from_secs(2), "{slowest:?}");
        for page in hanging.join_all().await {
            assert_eq!(page.error(), "provider_unavailable");
        }

        // When it is back, so is its sign-in; and a provider that cannot even be discovered says so at the start.
        upstream.recover();
        fixture.sign_in("corp", "ivan").await;
        upstream.fail("*", Fault::Status(503, json!({})));
        let fixture = fixture.reopen_with(json!({ "providers": [providers::oidc("corp", &upstream, true)] })).await;
        let answer = fixture.visitor().get("/v1/auth/corp/start").await;
        answer.refused(503, "provider_unavailable");
        assert!(!answer.header("retry-after").is_empty());
        upstream.recover();
        fixture.sign_in("corp", "ivan").await;
    }

    /// What `docs/sign-in.md` says under "Sessions here and at the provider": a session is begun by a provider and lives by
    /// itself from then on. Nothing is asked there again, and a sign-out here is told to nobody there.
    /// ASVS V7.1.3, V7.6.1
    async fn a_session_lives_and_ends_without_its_provider(app: TestApp) {
        let upstream = oidc::start(Options::default()).await.unwrap();
        let entry = providers::oidc("corp", &upstream, true);
        let fixture = Fixture::open(&Fixture::address(&app), json!([entry])).await;
        let tokens = fixture.sign_in("corp", "oleg").await;
        let asked = upstream.requests().len();

        upstream.fail("*", Fault::Status(503, json!({})));
        let renewed = Tokens::of(&fixture.visitor().refresh(&tokens.refresh).await.expect(200));
        assert_eq!(fixture.me(&renewed).await["id"], tokens.user_id());
        let caller = fixture.visitor().with(&renewed);
        caller.poke("/v1/auth/logout").await.expect(204);
        assert!(!caller.is_let_in().await, "a sign-out needs nobody there");
        assert_eq!(upstream.requests().len(), asked, "nobody there was asked or told");

        // The session there goes on: whoever is let in there is let in here, to a session of its own.
        upstream.recover();
        let again = fixture.sign_in("corp", "oleg").await;
        assert_eq!(again.user_id(), tokens.user_id());
        assert!(fixture.visitor().with(&again).is_let_in().await && !caller.is_let_in().await);
    }
}
