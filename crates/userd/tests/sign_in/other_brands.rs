//! VK ID, GitHub and Apple end to end, each with what it does in its own way.

use serde_json::json;
use userd_stand_ins::{Options, apple, github, vk};

use crate::{
    browser::Browser,
    fixture::{Fixture, as_person},
    providers,
    support::{Engine, TestApp, Tokens},
};

on_each_engine! {
    async fn vk_github_and_apple_sign_people_in(app: TestApp) {
        let (vk, github, apple) = tokio::join!(
            vk::start(Options::default()),
            github::start(Options::default()),
            apple::start(Options::default())
        );
        let (vk, github, apple) = (vk.unwrap(), github.unwrap(), apple.unwrap());
        let entries = json!([providers::vk(&vk), providers::github(&github), providers::apple(&apple)]);
        let fixture = Fixture::open(&Fixture::address(&app), entries).await;
        let offered = fixture.visitor().get("/v1/auth/providers").await.expect(200);
        let ids: Vec<&str> =
            offered["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect();
        assert_eq!(ids, ["vk", "github", "apple"]);

        for provider in ids {
            let oleg = fixture.sign_in(provider, "oleg").await;
            assert_eq!(fixture.sign_in(provider, "oleg").await.user_id(), oleg.user_id(), "{provider}");
            let maria = fixture.sign_in(provider, "maria").await;
            assert_ne!(maria.user_id(), oleg.user_id(), "{provider}");
            let denied = fixture.sign_in_with(&mut Browser::new(), provider, "deny").await;
            assert_eq!(denied.error(), "access_denied", "{provider}");
        }

        vk.turn(|knobs| knobs.wrong_state_in_answer = true);
        assert_eq!(fixture.sign_in_with(&mut Browser::new(), "vk", "oleg").await.error(), "state_mismatch");
        apple.turn(|knobs| knobs.wrong_nonce = true);
        assert_eq!(fixture.sign_in_with(&mut Browser::new(), "apple", "oleg").await.error(), "nonce_mismatch");
        apple.turn(|knobs| knobs.wrong_nonce = false);

        // Apps: Apple's identity token counts once; GitHub's only when it was issued to us.
        let token = apple.id_token("oleg", None).unwrap();
        let path = "/v1/auth/apple/token";
        let by_app = Tokens::of(&fixture.visitor().post(path, json!({ "id_token": token })).await.expect(200));
        assert_eq!(by_app.user_id(), fixture.sign_in("apple", "oleg").await.user_id());
        let again = fixture.visitor().post(path, json!({ "id_token": token })).await;
        assert_eq!(again.refused(401, "provider_refused")["reason"], "replayed");
        let github_token = json!({ "access_token": "gho_somebody_elses" });
        let strange = fixture.visitor().post("/v1/auth/github/token", github_token).await;
        strange.refused(401, "provider_refused");
    }

    /// AC-083: the form that Apple's page posts here counts only with the cookie of the browser that began.
    async fn apples_form_comes_with_a_cookie_that_crosses_sites(app: TestApp) {
        let apple = apple::start(Options::default()).await.unwrap();
        let fixture = Fixture::open(&Fixture::address(&app), json!([providers::apple(&apple)])).await;
        let mut browser = Browser::new();
        let start = fixture.begin(&mut browser, "apple", None).await;
        let cookie = browser.cookie_lines.iter().find(|line| line.starts_with("__Host-userd_attempt_post_")).unwrap();
        assert!(
            cookie.contains("SameSite=None") && cookie.contains("Secure") && cookie.contains("HttpOnly"),
            "{cookie}"
        );
        // The victim is sent to the attacker's answer: another browser has no cookie, or that of its own flow.
        let form = browser.go(&as_person(start, "ivan")).await;
        let mut victim = Browser::new();
        let landed = victim.fill_in(&form, &[]).await;
        assert_eq!(landed.param("error").as_deref(), Some("browser_mismatch"), "{}", landed.url);
        // That used nothing up: the browser that began still comes back.
        assert_eq!(fixture.users().await, 0);
        assert_eq!(browser.fill_in(&form, &[]).await.code().len(), 43);
        assert_eq!(fixture.sign_in_with(&mut browser, "apple", "ivan").await.code().len(), 43);
    }
}
