//! Forms that are refused, and pages that come too late: what was typed stays, what is wrong is marked, and there is a way on.

use userd_model::{GrantKind, RoleRules};
use userd_services::{accounts::Registration, passwords::Password, roles::RoleInput};
use userd_web::testing::Answer;

use crate::{
    admin::give,
    browser::{Browser, PASSWORD, Place, form_of},
    flows::{code, later, link, with},
    forms::prove_the_first,
    second_factors::app,
};

const OTHER: &str = "seven purple ships at noon";
const PROFILE: &str = "/account/profile";
const APP: &str = "/account/security/app";

async fn ada(place: &Place) -> Browser<'_> {
    place.member("ada").await;
    place.browser_of("ada").await
}

/// Sends the form that is on a page already, with these fields.
async fn send_on(browser: &mut Browser<'_>, page: &str, to: &str, fields: &[(&str, &str)]) -> Answer {
    let mut body = url::form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(form_of(page, to)).extend_pairs(fields);
    browser.post(to, &body.finish()).await
}

fn has(page: &Answer, all: &[&str]) {
    let html = page.text();
    for must in all {
        assert!(html.contains(must), "{must}: {html}");
    }
}

#[tokio::test]
async fn a_profile_that_is_refused_keeps_what_was_typed() {
    let place = Place::new().await;
    let mut browser = ada(&place).await;
    let fields = [("display_name", "Новое Имя"), ("locale", "ru"), ("time_zone", "Москва")];
    let refused = browser.submit(PROFILE, &fields).await;
    assert_eq!(refused.status, 422);
    has(&refused, &["value=\"Новое Имя\"", "value=\"Москва\"", "id=\"time_zone-wrong\"", "value=\"ru\" selected"]);
    has(&refused, &["value=\"ada\""]);
    place.member("grace").await;
    for (name, status) in [("no name", 422_u16), ("grace", 409)] {
        let refused = browser.submit_from(PROFILE, "/account/username", &[("username", name)]).await;
        assert_eq!(refused.status, status, "{}", refused.text());
        has(&refused, &[&format!("value=\"{name}\""), "id=\"username-wrong\"", "id=\"time_zone\""]);
        assert!(!refused.text().contains("Москва"), "of the other form what is stored");
    }
}

#[tokio::test]
async fn a_change_that_another_window_was_faster_with_takes_the_second_try() {
    let place = Place::new().await;
    let mut browser = ada(&place).await;
    let seen = browser.get(PROFILE).await.text();
    browser.submit(PROFILE, &[("display_name", "Ada Lovelace")]).await;
    // What is wrong with it is told first, and it is still over what was seen.
    let typed = [("display_name", "Countess"), ("time_zone", "Mars/Phobos")];
    let wrong = send_on(&mut browser, &seen, PROFILE, &typed).await;
    assert_eq!(wrong.status, 422);
    let late = send_on(&mut browser, &wrong.text(), PROFILE, &[("display_name", "Countess")]).await;
    assert_eq!(late.status, 412);
    has(&late, &["value=\"Countess\"", "changed in another window"]);
    let again = send_on(&mut browser, &late.text(), PROFILE, &[("display_name", "Countess")]).await;
    assert_eq!(again.header("location"), "/account/profile?told=saved", "{}", again.text());

    let preferences = "/account/preferences";
    let seen = browser.get(preferences).await.text();
    let (night, evening) =
        ([("quiet_from", "22:00"), ("quiet_to", "08:00")], [("quiet_from", "20:00"), ("quiet_to", "07:00")]);
    assert_eq!(browser.submit(preferences, &night).await.status, 303);
    let late = send_on(&mut browser, &seen, preferences, &evening).await;
    assert_eq!(late.status, 412);
    has(&late, &["value=\"20:00\"", "changed in another window"]);
    assert_eq!(send_on(&mut browser, &late.text(), preferences, &evening).await.status, 303);
}

#[tokio::test]
async fn asking_to_be_rid_of_something_keeps_what_was_typed() {
    let place = Place::new().await;
    let ada = place.member("ada").await;
    let services = place.services();
    for role in ["printer", "scanner"] {
        let input = RoleInput { permissions: Vec::new(), rules: RoleRules::default() };
        services.roles.create(&services.operator_context(), role, &input, None).await.unwrap();
        give(&place, &ada, GrantKind::Role, role).await;
    }
    let mut browser = place.browser_of("ada").await;
    let long = "x".repeat(501);
    let fields = [("what", "role/scanner"), ("reason", long.as_str())];
    let refused = browser.submit_from("/account/access", "/account/access/removal", &fields).await;
    assert_eq!(refused.status, 422);
    has(&refused, &["value=\"role/scanner\" selected", "id=\"removal-reason-wrong\"", &long]);
    assert!(!refused.text().contains("id=\"reason-wrong\""), "the other form was not sent");
}

#[tokio::test]
async fn the_key_of_an_app_stays_after_a_wrong_code_until_it_is_over() {
    let place = Place::new().await;
    let mut browser = ada(&place).await;
    let mut page = browser.get(APP).await.text();
    let first = app(&page).base32();
    for _ in 0..4 {
        let wrong = send_on(&mut browser, &page, APP, &[("code", "000000")]).await;
        assert_eq!(wrong.status, 422);
        page = wrong.text();
        assert!(page.contains("<svg") && page.contains("role=\"alert\""), "{page}");
        assert_eq!(*app(&page).base32(), *first);
    }
    let over = send_on(&mut browser, &page, APP, &[("code", "000000")]).await;
    has(&over, &["<svg", "scan this new picture"]);
    let second = app(&over.text());
    assert_ne!(*second.base32(), *first, "of the key of before no code is taken any more");
    let right = second.code(place.services().deps.now());
    let right = format!("{}-{}", &right[..3], &right[3..]);
    has(&send_on(&mut browser, &over.text(), APP, &[("code", &right)]).await, &["recovery codes"]);
}

/// Whoever has a form's id and another session is shown nothing of its key.
#[tokio::test]
async fn the_key_of_an_app_is_shown_again_to_its_own_session_alone() {
    let place = Place::new().await;
    let mut browser = ada(&place).await;
    let mut other = place.browser_of("ada").await;
    let page = browser.get(APP).await.text();
    let id = form_of(&page, APP).into_iter().find(|(name, _)| name == "id").unwrap().1;
    let token = form_of(&other.get("/account").await.text(), "/sign-out")[0].1.clone();
    let tried = other.post(APP, &format!("form_token={token}&id={id}&code=000000")).await;
    assert_ne!(*app(&tried.text()).base32(), *app(&page).base32());
}

#[tokio::test]
async fn a_link_that_is_opened_twice_leads_on() {
    let place = Place::new().await;
    place.member("ada").await;
    let mut browser = place.browser();
    browser.submit("/forgot", &[("login", "ada@example.org")]).await;
    let link = link(&place).await;
    let body = format!("confirm=yes&new_password={}", OTHER.replace(' ', "+"));
    assert_eq!(browser.post(&link, &body).await.status, 200);
    for late in [browser.get(&link).await, browser.post(&link, &body).await] {
        assert_eq!((late.status.as_u16(), late.header("referrer-policy")), (410, "no-referrer"));
        has(
            &late,
            &[
                "This link does not work any more",
                "href=\"/sign-in?next=%2Faccount\"",
                "href=\"/forgot?next=%2Faccount\"",
            ],
        );
    }
    browser.headers.push(("accept-language", "ru".to_owned()));
    has(&browser.get(&link).await, &["Эта ссылка больше не работает", "Забыли пароль?"]);
}

#[tokio::test]
async fn a_form_that_comes_too_late_leads_back_to_its_page() {
    let place = Place::new().await;
    let ada = place.member("ada").await;
    let mut browser = place.browser_of("ada").await;
    let resend = "/account/emails/resend";
    let before = browser.post(resend, "form_token=of-a-session-before").await;
    assert_eq!(before.status, 403);
    has(&before, &["This form is out of date", "<a class=\"button\" href=\"/account/emails\">"]);
    let page = browser.get("/account/emails").await.text();
    let services = place.services();
    services.sessions.end_all(&services.operator_context(), ada.id, None).await.unwrap();
    let turned = send_on(&mut browser, &page, resend, &[]).await;
    assert_eq!(turned.header("location"), "/sign-in?told=unsent&next=%2Faccount%2Femails");
    let sign_in = browser.get(turned.header("location")).await;
    has(&sign_in, &["what you sent was not done", "value=\"/account/emails\""]);
}

#[tokio::test]
async fn problems_are_told_in_the_language_of_the_account() {
    let place = Place::new().await;
    let mut browser = ada(&place).await;
    browser.submit(PROFILE, &[("locale", "ru")]).await;
    let nothing = browser.get("/account/security/factors/0197a5c1-4b1c-7d8e-8f00-000000000001/rename").await;
    for page in [browser.get("/admin").await, nothing] {
        assert_eq!((page.status.as_u16(), page.header("content-language")), (404, "ru"));
        has(&page, &["<html lang=\"ru\">", "Такой страницы нет"]);
    }
    assert_eq!(
        place.browser().get("/sign-in/with/nobody").await.header("content-language"),
        "en",
        "of nobody's account"
    );
}

#[tokio::test]
async fn a_password_that_is_missing_is_marked_where_it_is_asked_for() {
    let place = Place::new().await;
    let mut browser = ada(&place).await;
    for (from, to, fields, marked) in [
        ("/account/data", "/account/data/delete", &[("current_password", "")][..], "current_password-wrong"),
        (
            "/account/security",
            "/account/security/password",
            &[("current_password", ""), ("new_password", OTHER)],
            "current_password-wrong",
        ),
        ("/account/prove", "/account/prove", &[("password", ""), ("code", "")], "password-wrong"),
    ] {
        let refused = browser.submit_from(from, to, fields).await;
        assert_eq!(refused.status, 422, "{to}: {}", refused.text());
        has(&refused, &[&format!("id=\"{marked}\""), &format!("action=\"{to}\""), "aria-invalid=\"true\""]);
    }
    let wrong = browser.submit("/account/prove", &[("password", "no")]).await;
    has(&wrong, &["id=\"password-wrong\"", "This is not your current password"]);
    assert_eq!(browser.get("/account").await.status, 200, "the account is there");
}

#[tokio::test]
async fn a_form_asks_for_nothing_that_it_lacks() {
    let place = Place::new().await;
    let mut browser = place.browser();
    let refused = browser.submit("/register", &[("email", " "), ("password", PASSWORD)]).await;
    assert_eq!(refused.status, 422);
    has(&refused, &["Give your e-mail address."]);
    assert!(!refused.text().contains("or a username"), "{}", refused.text());
    let refused = browser.submit("/forgot", &[("login", " ")]).await;
    assert_eq!(refused.status, 422);
    has(&refused, &["id=\"login-wrong\"", "action=\"/forgot\""]);
}

#[tokio::test]
async fn no_message_is_promised_to_an_address_that_is_theirs_already() {
    let place = Place::new().await;
    let mut browser = ada(&place).await;
    prove_the_first(&place, &mut browser).await;
    later(&place).await;
    let refused = browser.submit("/account/emails", &[("email", "Ada@Example.org")]).await;
    assert_eq!(refused.status, 422);
    has(&refused, &["Is one of your addresses already.", "value=\"Ada@Example.org\""]);
}

#[tokio::test]
async fn what_is_over_or_switched_off_shows_no_form() {
    let place = Place::with(with(|settings| settings.email_code_sign_in = false)).await;
    let mut browser = place.browser();
    for path in ["/sign-in/email-code", "/sign-in/email-code/enter"] {
        assert_eq!(browser.get(path).await.status, 404, "{path}");
    }
    has(&browser.get("/setup").await, &["action=\"/setup\""]);
    let services = place.services();
    let root =
        Registration { username: Some("root".to_owned()), ..Registration::with(Password::new(PASSWORD.to_owned())) };
    services.setup.create_administrator(&services.operator_context(), root).await.unwrap();
    let page = browser.get("/setup").await;
    has(&page, &["There is an administrator already", "href=\"/sign-in\""]);
    assert!(!page.text().contains("action=\"/setup\""), "{}", page.text());
}

#[tokio::test]
async fn a_code_of_a_mail_is_taken_as_it_is_read_out() {
    let place = Place::with(with(|settings| settings.email_confirmation_required = true)).await;
    let mut browser = place.browser();
    browser.submit("/register", &[("email", "ada@example.org"), ("password", PASSWORD)]).await;
    let code = code(&place).await;
    let read_out = format!("{} – {}", &code[..3], &code[3..]);
    let answer = browser.submit("/sign-in/step", &[("code", &read_out)]).await;
    assert_eq!(answer.header("location"), "/account", "{}", answer.text());
}

#[tokio::test]
async fn a_document_that_is_not_accepted_is_marked() {
    let document = |id: &str| userd_model::Document {
        id: id.to_owned(),
        version: "1".to_owned(),
        url: "https://example.org/terms".to_owned(),
        required: true,
    };
    let place = Place::with(with(|settings| settings.documents = vec![document("terms"), document("privacy")])).await;
    let mut browser = place.browser();
    browser.submit("/register", &[("email", "ada@example.org"), ("password", PASSWORD)]).await;
    let refused = browser.submit("/sign-in/step", &[("accept-terms", "yes")]).await;
    assert_eq!(refused.status, 422);
    has(&refused, &["id=\"accept-privacy-wrong\""]);
    assert!(!refused.text().contains("id=\"accept-terms-wrong\""), "{}", refused.text());
    assert_eq!(refused.text().matches(" checked").count(), 1, "{}", refused.text());
}
