//! Telegram in the browser, end to end, beside its sign-in host and its Bot API: OpenID Connect, the widget's page, and that
//! all ways are one person's. The bot's stories are in `telegram_bot`, payloads that others sign in
//! `telegram_payloads`.

use serde_json::json;
use userd_stand_ins::telegram::{NonceEcho, WidgetAnswer};

use crate::{
    browser::{Browser, Page},
    fixture::{Fixture, as_person},
    support::{Engine, PASSWORD, TestApp, Tokens},
    telegram_network::open,
};

on_each_engine! {
    async fn every_way_of_telegram_leads_to_one_user(app: TestApp) {
        let network = open(&app, json!({})).await;
        let (fixture, telegram) = (&network.fixture, &network.telegram);
        let ivan = fixture.sign_in("telegram", "ivan").await;
        let visitor = fixture.visitor();
        let widget = json!(telegram.widget_fields("ivan").unwrap());
        let by_widget = visitor.post("/v1/auth/telegram/widget", widget).await.expect(200);
        let init_data = json!({ "init_data": telegram.init_data("ivan").unwrap() });
        let by_app = visitor.post("/v1/auth/telegram/mini-app", init_data).await.expect(200);
        let id_token = json!({ "id_token": telegram.id_token("ivan", None).unwrap() });
        let by_token = visitor.post("/v1/auth/telegram/token", id_token.clone()).await.expect(200);
        let again = visitor.post("/v1/auth/telegram/token", id_token).await;
        assert_eq!(again.refused(401, "provider_refused")["reason"], "replayed");
        let attempt = network.start_bot().await;
        network.asked("ivan", &attempt).await;
        network.pressed("ivan", &attempt.match_code).await;
        let by_bot = network.poll(&attempt).await.expect(200);
        for tokens in [by_widget, by_app, by_token, by_bot] {
            assert_eq!(Tokens::of(&tokens).user_id(), ivan.user_id());
        }
        assert_eq!((fixture.users().await, fixture.identities(&ivan).await.len()), (1, 1));

        // Whether the nonce comes back is contested: none will do, another will not.
        telegram.turn(|knobs| knobs.nonce = NonceEcho::Absent);
        assert_eq!(fixture.sign_in("telegram", "ivan").await.user_id(), ivan.user_id());
        telegram.turn(|knobs| knobs.nonce = NonceEcho::Wrong);
        assert_eq!(fixture.sign_in_with(&mut Browser::new(), "telegram", "ivan").await.error(), "nonce_mismatch");
        telegram.turn(|knobs| (knobs.nonce, knobs.other_audience) = (NonceEcho::Present, true));
        assert_eq!(fixture.sign_in_with(&mut Browser::new(), "telegram", "ivan").await.error(), "audience_mismatch");
        telegram.turn(|knobs| (knobs.other_audience, knobs.no_numeric_id) = (false, true));
        assert_eq!(fixture.sign_in_with(&mut Browser::new(), "telegram", "maria").await.error(), "telegram_id_missing");
        assert_eq!(fixture.users().await, 1);
    }

    /// What was unlinked opens nothing any more, by whichever name Telegram calls the person.
    async fn an_unlinked_telegram_opens_nothing(app: TestApp) {
        let network = open(&app, json!({})).await;
        let fixture = &network.fixture;
        let keeper = fixture.visitor().register("keeper@example.net", PASSWORD).await;
        let caller = fixture.visitor().with(&keeper);
        // Linked by OpenID Connect, which tells an opaque name beside the number; used by the widget, which does not.
        let mut browser = Browser::new();
        let page = fixture.begin_link(&mut browser, &caller, "telegram").await;
        assert_eq!(browser.go(&as_person(page, "ivan")).await.param("linked").as_deref(), Some("telegram"));
        let widget = json!(network.telegram.widget_fields("ivan").unwrap());
        let by_widget = fixture.visitor().post("/v1/auth/telegram/widget", widget).await.expect(200);
        assert_eq!(Tokens::of(&by_widget).user_id(), keeper.user_id());
        fixture.unlink(&keeper, "telegram").await.expect(204);
        assert_ne!(fixture.sign_in("telegram", "ivan").await.user_id(), keeper.user_id());
    }

    /// AC-052: the widget's answer comes with our state to the browser that began, in the query or in the fragment,
    /// which our page reads; in another browser, without the state, or a second time it is refused.
    async fn the_widgets_page_is_bound_to_the_browser(app: TestApp) {
        let network = open(&app, json!({ "start": "widget" })).await;
        let fixture = &network.fixture;
        network.telegram.turn(|knobs| knobs.widget = WidgetAnswer::Query);
        let mut browser = Browser::new();
        let back = answered(fixture, &mut browser, "ivan").await;
        let reason = |page: &Page| page.param("error").unwrap();
        assert_eq!(
            reason(&Browser::new().go(&answered(fixture, &mut Browser::new(), "zoe").await).await),
            "browser_mismatch"
        );
        let without_state: String = {
            let url = url::Url::parse(&back).unwrap();
            let mut bare = url.clone();
            let pairs: Vec<_> = url.query_pairs().into_owned().filter(|(name, _)| name != "state").collect();
            bare.query_pairs_mut().clear().extend_pairs(pairs);
            bare.into()
        };
        assert_eq!(reason(&browser.another_tab().go(&without_state).await), "state_missing");
        fixture.exchange(&browser.another_tab().go(&back).await, None).await;
        assert_eq!(reason(&browser.another_tab().go(&back).await), "state_unknown");

        // In the fragment, as the full page answers: no server sees it, so our page posts it.
        network.telegram.turn(|knobs| knobs.widget = WidgetAnswer::Fragment);
        let mut browser = Browser::new();
        let back = answered(fixture, &mut browser, "maria").await;
        let page = browser.go(&back).await;
        assert_eq!(page.status, 200, "{}", page.url);
        assert!(page.headers["content-type"].to_str().unwrap().starts_with("text/html"), "{:?}", page.headers);
        assert!(page.headers["content-security-policy"].to_str().unwrap().contains("script-src 'self'"));
        assert!(!page.text.contains("<script>"), "no script in the page itself");
        let result =
            url::Url::parse(&back).unwrap().fragment().unwrap().strip_prefix("tgAuthResult=").unwrap().to_owned();
        let state = page.param("state").unwrap();
        let callback = page.url.as_str().split('?').next().unwrap().to_owned();
        let fields = [("state", state.as_str()), ("tgAuthResult", result.as_str())];
        let landed = Browser::new().post(&callback, &fields).await;
        assert_eq!(landed.location().unwrap().query(), Some("error=browser_mismatch"));

        let mut browser = Browser::new();
        let back = answered(fixture, &mut browser, "oleg").await;
        let page = browser.go(&back).await;
        let result =
            url::Url::parse(&back).unwrap().fragment().unwrap().strip_prefix("tgAuthResult=").unwrap().to_owned();
        let state = page.param("state").unwrap();
        let landed = browser.post(&callback, &[("state", &state), ("tgAuthResult", &result)]).await;
        let landed = browser.follow(landed).await;
        let oleg = fixture.exchange(&landed, None).await;
        assert_eq!(fixture.me(&oleg).await["display_name"], "Oleg Example");
        assert_eq!(fixture.users().await, 2, "ivan and oleg");
        // Who declined comes back with `false`; the page says so.
        let mut browser = Browser::new();
        let start = fixture.begin(&mut browser, "telegram", None).await;
        let page = browser.go(&as_person(start, "deny")).await;
        assert_eq!(page.status, 200);
        let state = page.param("state").unwrap();
        let landed = browser.post(&callback, &[("state", &state), ("error", "access_denied")]).await;
        assert_eq!(browser.follow(landed).await.error(), "access_denied");
    }
}

/// The callback's address with what Telegram's page answered, not opened yet.
async fn answered(fixture: &Fixture, browser: &mut Browser, person: &str) -> String {
    let page = fixture.begin(browser, "telegram", None).await;
    browser.get(&as_person(page, person)).await.location().unwrap().into()
}
