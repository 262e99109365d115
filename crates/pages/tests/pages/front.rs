//! What every page has: headers, files that are kept for ever, languages, problems in the same look.

use userd_web::testing::Answer;

use crate::browser::{PASSWORD, Place};

fn asset_of(page: &Answer, kind: &str) -> String {
    let html = page.text();
    let at = html.split('"').find(|part| part.starts_with("/assets/") && part.ends_with(kind));
    at.unwrap_or_else(|| panic!("no {kind} in {html}")).to_owned()
}

#[tokio::test]
async fn files_are_kept_for_ever_under_a_name_that_changes_with_them() {
    let place = Place::new().await;
    let mut browser = place.browser();
    let page = browser.get("/sign-in").await;
    for (kind, media_type) in [(".css", "text/css; charset=utf-8"), (".js", "text/javascript; charset=utf-8")] {
        let path = asset_of(&page, kind);
        let file = browser.get(&path).await;
        assert_eq!((file.status.as_u16(), file.header("content-type")), (200, media_type));
        assert_eq!(file.header("cache-control"), "public, max-age=31536000, immutable");
        assert!(file.header("set-cookie").is_empty() && file.header("vary").is_empty(), "the same for everybody");
        let other = path.replace("page.", "page.0");
        assert_eq!(browser.get(&other).await.status, 404, "no other name");
    }
}

#[tokio::test]
async fn the_language_is_the_chosen_one_else_the_accounts_else_the_browsers() {
    let place = Place::new().await;
    let mut browser = place.browser();
    assert!(browser.get("/sign-in").await.text().contains("<html lang=\"en\">"));
    browser.headers.push(("accept-language", "ru-RU,ru;q=0.9,en;q=0.8".to_owned()));
    let page = browser.get("/sign-in").await;
    assert!(page.text().contains("<html lang=\"ru\">") && page.text().contains("Войти"));
    assert_eq!((page.header("content-language"), page.header("vary")), ("ru", "cookie, accept-language"));
    let chosen = browser.submit_from("/sign-in?next=/account", "/language", &[("language", "en")]).await;
    assert_eq!((chosen.status.as_u16(), chosen.header("location")), (303, "/sign-in?next=/account"), "back again");
    assert!(browser.get("/sign-in").await.text().contains("<html lang=\"en\">"));
    assert!(browser.get("/no/such/page").await.text().contains("the API"));
}

#[tokio::test]
async fn the_front_leads_to_where_somebody_begins() {
    let place = Place::new().await;
    place.member("ada").await;
    assert_eq!(place.browser().get("/").await.header("location"), "/sign-in");
    assert_eq!(place.browser_of("ada").await.get("/").await.header("location"), "/account");
}

#[tokio::test]
async fn what_is_no_page_is_asked_of_the_api() {
    let place = Place::new().await;
    assert_eq!(place.browser().get("/v1/me").await.text(), "the API");
}

#[tokio::test]
async fn a_problem_is_a_page_in_the_same_look() {
    let place = Place::new().await;
    let mut browser = place.browser();
    let page = browser.send("PUT", "/account", &[], "").await;
    assert_eq!(page.status, 405);
    let page = browser.get("/assets/nothing.css").await;
    assert_eq!(page.status, 404);
    assert!(page.text().contains("There is no such page") && page.text().contains("Orchard"), "{}", page.text());
    assert!(page.header("content-security-policy").contains("style-src 'self'"));
    browser.headers.push(("accept-language", "ru".to_owned()));
    assert!(browser.get("/assets/nothing.css").await.text().contains("Такой страницы нет"));
}

#[tokio::test]
async fn too_many_attempts_are_told_at_the_form() {
    let limits = userd_services::limits::LimitSettings::default();
    let settings = userd_services::Settings { limits, ..userd_services::testing::settings() };
    let options = userd_services::testing::TestOptions { settings, ..Default::default() };
    let place = Place::with(options).await;
    place.member("ada").await;
    let mut browser = place.browser();
    for _ in 0..20 {
        let answer = browser.submit("/sign-in", &[("login", "ada"), ("password", "wrong")]).await;
        assert_eq!(answer.status, 401);
    }
    let answer = browser.submit("/sign-in", &[("login", "ada"), ("password", PASSWORD)]).await;
    assert_eq!(answer.status, 429);
    assert!(answer.text().contains("Too many attempts"));
}
