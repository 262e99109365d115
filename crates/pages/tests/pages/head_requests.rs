//! HEAD: what previews of links and browsers that fetch ahead send before anybody has clicked.

use std::{sync::Arc, time::Duration};

use userd_model::UserId;
use userd_pages::policy::PAGES;
use userd_services::{
    accounts::Registration,
    passwords::Password,
    testing::{TestOptions, settings},
};
use userd_storage::{
    Store,
    testing::{Counting, TestRandom, memory_store},
};

use crate::{
    browser::{Browser, PASSWORD, Place, form_of},
    second_factors::app,
};

const STEP: &str = "/sign-in/step";
const STEP_COOKIE: &str = "__Host-userd_step";

/// An administrator, at the step in which an app is set up.
async fn at_the_step<'a>(place: &'a Place, name: &str) -> (Browser<'a>, UserId) {
    let services = place.services();
    let registration =
        Registration { username: Some(name.to_owned()), ..Registration::with(Password::new(PASSWORD.to_owned())) };
    let made = services.setup.create_administrator(&services.operator_context(), registration).await.unwrap();
    let mut browser = place.browser();
    let answer = browser.submit("/sign-in", &[("login", name), ("password", PASSWORD)]).await;
    assert!(answer.header("location").starts_with(STEP), "{}", answer.text());
    (browser, made.id)
}

/// The first code of the app that this page sets up.
async fn confirm(place: &Place, browser: &mut Browser<'_>, page: &str) {
    let code = app(page).code(place.services().deps.now());
    let confirmed = browser.post(STEP, &format!("form_token={}&code={code}", form_of(page, STEP)[0].1)).await;
    assert!(confirmed.text().contains("recovery codes"), "{}", confirmed.text());
}

/// Every page of the table, as an administrator whose session was not seen for a while, with a step of somebody's sign-in
/// under way: the database is asked for no unit of work, no cookie is touched, and the app that was being set up is
/// still the one. (fault 13)
/// ASVS V3.5.3
#[tokio::test]
async fn head_changes_nothing_on_any_page() {
    let inner = memory_store().await.unwrap();
    let (engine, counting) = Counting::over(Arc::clone(inner.engine()));
    let mut settings = settings();
    settings.mfa.required_for = vec!["admin".to_owned()];
    let store = Arc::new(Store::new(engine, Arc::new(TestRandom::default())));
    let place = Place::over(store, TestOptions { settings, ..TestOptions::default() }).await;
    let (mut root, id) = at_the_step(&place, "root").await;
    let page = root.get(STEP).await.text();
    confirm(&place, &mut root, &page).await;
    place.app.clock.advance(Duration::from_secs(600));
    let (mut eve, _) = at_the_step(&place, "eve").await;
    let shown = eve.get(STEP).await.text();
    root.cookies.insert(STEP_COOKIE.to_owned(), eve.cookies[STEP_COOKIE].clone());
    let held = root.cookies.clone();
    counting.take();
    for page in PAGES {
        let path = page.path.replace("{id}", &id.to_string()).replace(['{', '}'], "");
        let answer = root.send("HEAD", &path, &[], "").await;
        assert!(answer.status.as_u16() < 500, "{path}: {}", answer.status);
        let mut units = counting.take().units;
        // The overview asks whether the database takes a write, as a probe does: that row is nobody's.
        units.remove("health");
        assert!(units.is_empty(), "HEAD {path} changed something: {units:?}");
        assert_eq!(root.cookies, held, "HEAD {path} touched a cookie");
    }
    assert_eq!(root.send("HEAD", "/admin/users", &[], "").await.status, 200, "they are let in");
    confirm(&place, &mut eve, &shown).await;
    root.get("/account").await;
    assert!(counting.take().units.contains_key("seen_in_browser"), "a GET is a use of the session");
}
