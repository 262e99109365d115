//! The account of whoever is signed in, page by page.

use std::{net::IpAddr, sync::Arc};

use userd_model::{
    RoleRules,
    preferences::{CategoryName, MessageChannel},
    texts::Language,
};
use userd_services::{notifications::Shown, places::Places, roles::RoleInput, sessions::Login, testing::TestOptions};

use crate::browser::{Browser, PASSWORD, Place};

const OTHER: &str = "seven purple ships at noon";
pub const PAGES: [&str; 11] = [
    "/account",
    "/account/emails",
    "/account/profile",
    "/account/security",
    "/account/devices",
    "/account/linked",
    "/account/notifications",
    "/account/preferences",
    "/account/access",
    "/account/data",
    "/account/prove",
];

async fn ada(place: &Place) -> Browser<'_> {
    place.member("ada").await;
    place.browser_of("ada").await
}

#[tokio::test]
async fn every_page_of_the_account_is_shown_in_both_languages_and_to_nobody_else() {
    let place = Place::new().await;
    let mut browser = ada(&place).await;
    for path in PAGES {
        let turned = place.browser().get(path).await;
        assert_eq!(turned.status, 303, "{path}");
        for (language, tag) in [("en", "<html lang=\"en\">"), ("ru", "<html lang=\"ru\">")] {
            browser.cookies.insert("__Host-userd_language".to_owned(), language.to_owned());
            let page = browser.get(path).await;
            assert_eq!((page.status.as_u16(), page.header("cache-control")), (200, "no-store"), "{path}");
            let html = page.text();
            assert!(html.contains(tag), "{path}");
            assert_eq!(html.matches("<h1>").count(), 1, "{path}");
            assert!(page.body.len() < 20_000, "{path}: {}", page.body.len());
        }
    }
}

#[tokio::test]
async fn a_profile_is_changed_and_a_change_in_another_window_is_not_lost() {
    let place = Place::new().await;
    let mut browser = ada(&place).await;
    let stale = crate::browser::form_of(&browser.get("/account/profile").await.text(), "/account/profile");
    let fields = [("display_name", "Ada Lovelace"), ("locale", "en"), ("time_zone", "Europe/Moscow")];
    let answer = browser.submit("/account/profile", &fields).await;
    assert_eq!(answer.header("location"), "/account/profile?told=saved", "{}", answer.text());
    assert!(browser.get("/account").await.text().contains("Hello, Ada Lovelace"));
    assert!(browser.get("/account").await.text().contains("03:00"), "times are the account's");
    let wrong = browser.submit("/account/profile", &[("time_zone", "Mars/Phobos")]).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.text().contains("time_zone-wrong"));
    let mut body = url::form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(stale).append_pair("display_name", "Countess");
    assert_eq!(browser.post("/account/profile", &body.finish()).await.status, 412);
    let renamed = browser.submit_from("/account/profile", "/account/username", &[("username", "countess")]).await;
    assert_eq!(renamed.status, 303);
}

#[tokio::test]
async fn a_password_is_changed_and_the_other_devices_are_out() {
    let place = Place::new().await;
    let mut browser = ada(&place).await;
    let mut other = place.browser_of("ada").await;
    let to = "/account/security/password";
    let wrong =
        browser.submit_from("/account/security", to, &[("current_password", "no"), ("new_password", OTHER)]).await;
    assert!(wrong.text().contains("This is not your current password"), "{}", wrong.text());
    let fields = [("current_password", PASSWORD), ("new_password", OTHER)];
    let answer = browser.submit_from("/account/security", to, &fields).await;
    assert_eq!(answer.header("location"), "/account/security?told=password");
    assert_eq!(
        (browser.get("/account").await.status.as_u16(), other.get("/account").await.status.as_u16()),
        (200, 303)
    );
}

#[tokio::test]
async fn an_app_is_set_up_after_a_fresh_proof_which_changes_the_cookie() {
    let place = Place::new().await;
    let mut browser = ada(&place).await;
    place.app.clock.advance(std::time::Duration::from_secs(3600));
    let asked = browser.get("/account/security/app").await;
    assert_eq!(asked.header("location"), "/account/prove?next=%2Faccount%2Fsecurity%2Fapp");
    let before = browser.cookies["__Host-userd_session"].clone();
    let fields = [("password", PASSWORD)];
    let proven = browser.submit_from(asked.header("location"), "/account/prove", &fields).await;
    assert_eq!(proven.header("location"), "/account/security/app", "{}", proven.text());
    assert_ne!(browser.cookies["__Host-userd_session"], before, "another secret after the proof");
    let page = browser.get("/account/security/app").await.text();
    assert!(page.contains("<svg"), "{page}");
    let wrong = browser.submit("/account/security/app", &[("code", "000000")]).await;
    assert_eq!(wrong.status, 422);
}

/// ASVS V10.4.9
#[tokio::test]
async fn a_device_is_signed_out_from_another() {
    let place = Place::new().await;
    let mut browser = ada(&place).await;
    let mut other = place.browser_of("ada").await;
    let page = browser.get("/account/devices").await.text();
    assert_eq!(page.matches("/end\"").count(), 2, "registration's and the other browser's: {page}");
    let answer = browser.submit_from("/account/devices", "/account/devices/end-others", &[]).await;
    assert_eq!(answer.header("location"), "/account/devices?told=ended");
    assert_eq!(other.get("/account").await.status, 303);
    assert_eq!(browser.get("/account/devices").await.text().matches("/end\"").count(), 0);
}

/// Whoever looks for a stranger finds the newest first, and every other behind it.
#[tokio::test]
async fn every_device_is_on_some_page_and_the_newest_on_the_first() {
    let place = Place::new().await;
    let mut browser = ada(&place).await;
    for number in 0..30 {
        place.app.clock.advance(std::time::Duration::from_secs(1));
        let mut other = place.browser();
        other.headers.push(("user-agent", format!("Device{number:02}/1")));
        other.submit("/sign-in", &[("login", "ada"), ("password", PASSWORD)]).await;
    }
    let first = browser.get("/account/devices").await.text();
    assert!(first.contains("Device29/1") && !first.contains("Device00/1"), "{first}");
    assert!(first.contains("aria-label=\"Sign out there: Device29/1\""), "each button says where: {first}");
    assert!(first.find("this one").unwrap() < first.find("Device29/1").unwrap(), "one's own stands above: {first}");
    let (before, _) = first.split_once("\" rel=\"next\"").unwrap();
    let second = browser.get(before.rsplit('"').next().unwrap()).await.text();
    assert!(second.contains("Device00/1") && !second.contains("Device29/1"), "{second}");
    let ends = |page: &str| page.matches("/end\"").count();
    assert_eq!(ends(&first) + ends(&second), 30 + 1, "each but one's own, registration's too");
}

/// AC-116: what a device calls itself is shown as text.
#[tokio::test]
async fn a_hostile_device_name_is_text() {
    let place = Place::new().await;
    let mut browser = ada(&place).await;
    let login = Login {
        login: "ada".to_owned(),
        password: userd_services::passwords::Password::new(PASSWORD.to_owned()),
        device_name: Some("<script>alert(1)</script>".to_owned()),
        device_token: None,
    };
    let services = place.services();
    services.sessions.login(&services.context(), login).await.unwrap();
    let page = browser.get("/account/devices").await.text();
    assert!(!page.contains("<script>alert") && page.contains("&lt;script&gt;alert(1)"), "{page}");
}

#[tokio::test]
async fn preferences_are_chosen_and_safety_cannot_be_muted() {
    let place = Place::new().await;
    let mut browser = ada(&place).await;
    let fields = [("account/inbox", "yes"), ("quiet_from", "22:00"), ("quiet_to", "08:00")];
    let answer = browser.submit("/account/preferences", &fields).await;
    assert_eq!(answer.header("location"), "/account/preferences?told=saved", "{}", answer.text());
    let services = place.services();
    let cookie = &browser.cookies["__Host-userd_session"];
    let ctx = services.authenticate_browser(services.context(), cookie).await.unwrap().ctx;
    let chosen = services.preferences.read(&ctx).await.unwrap();
    let category = |name| CategoryName::parse(name).unwrap();
    assert!(chosen.wants(&category("account"), MessageChannel::Inbox));
    assert!(!chosen.wants(&category("account"), MessageChannel::Email));
    assert!(chosen.wants(&category("security"), MessageChannel::Email));
    assert_eq!(chosen.quiet_hours.unwrap().from(), "22:00");
}

/// The name of the file is ours, whatever people are called.
/// ASVS V5.4.2
#[tokio::test]
async fn a_copy_is_downloaded_and_the_account_deleted() {
    let place = Place::new().await;
    let mut browser = ada(&place).await;
    let file = browser.get("/account/data/export").await;
    assert_eq!(file.header("content-disposition"), "attachment; filename=\"account.json\"");
    assert!(file.text().contains("ada@example.org"), "{}", file.text());
    let wrong = browser.submit_from("/account/data", "/account/data/delete", &[("current_password", "no")]).await;
    assert!(wrong.text().contains("not your current password"), "{}", wrong.text());
    let answer = browser.submit_from("/account/data", "/account/data/delete", &[("current_password", PASSWORD)]).await;
    assert_eq!(answer.header("location"), "/sign-in?told=deleted", "{}", answer.text());
    assert_eq!(browser.get("/account").await.status, 303);
    let back = browser.submit("/sign-in", &[("login", "ada"), ("password", PASSWORD)]).await;
    assert_eq!(back.header("location"), "/sign-in/step?next=%2Faccount");
    assert!(browser.get("/sign-in/step").await.text().contains("Have your account back"));
    assert_eq!(browser.submit("/sign-in/step", &[]).await.header("location"), "/account");
    assert_eq!(browser.get("/account").await.status, 200);
}

#[tokio::test]
async fn a_first_address_that_is_not_proven_is_sent_to_again_or_put_right() {
    let place = Place::new().await;
    let mut browser = ada(&place).await;
    let again = browser.submit_from("/account/emails", "/account/emails/resend", &[]).await;
    assert_eq!(again.header("location"), "/account/emails?told=sent");
    let page = browser.get("/account/emails?told=sent").await.text();
    assert!(page.contains("A message is on its way") && !page.contains("action=\"/account/emails\""), "{page}");
    let (from, to, right) = ("/account/emails", "/account/emails/change", "ada@right.example");
    for (fields, marked) in [
        ([("email", "no address"), ("current_password", PASSWORD)], "email-wrong"),
        ([("email", right), ("current_password", "wrong")], "current_password-wrong"),
        ([("email", right), ("current_password", "")], "current_password-wrong"),
    ] {
        let refused = browser.submit_from(from, to, &fields).await;
        assert!(refused.status.is_client_error() && refused.text().contains(marked), "{marked}: {}", refused.text());
        assert!(refused.text().contains(&format!("value=\"{}\"", fields[0].1)), "what was typed stays");
    }
    browser.cookies.insert("__Host-userd_language".to_owned(), "ru".to_owned());
    let russian = browser.get(from).await.text();
    assert!(russian.contains("основной") && russian.contains("ещё не подтверждён<"), "адрес is masculine: {russian}");
    browser.cookies.remove("__Host-userd_language");
    crate::flows::later(&place).await;
    let sent = browser.submit_from(from, to, &[("email", right), ("current_password", PASSWORD)]).await;
    assert_eq!(sent.header("location"), "/account/emails?told=sent", "{}", sent.text());
    assert!(browser.get("/account/emails").await.text().contains("ada@example.org"), "until the other is proven");
    let link = crate::flows::link(&place).await;
    assert!(browser.post(&link, "confirm=yes").await.text().contains("The address is confirmed"));
    let page = browser.get("/account/emails").await.text();
    assert!(page.contains(right) && !page.contains("ada@example.org"), "{page}");
    assert!(page.contains("action=\"/account/emails\"") && !page.contains(to), "further ones from now on: {page}");
}

/// A city for every address.
struct OneCity;

impl Places for OneCity {
    fn place(&self, address: IpAddr, language: Language) -> Option<String> {
        address
            .is_unspecified()
            .then(|| if language == Language::Russian { "Берлин <b>" } else { "Berlin <b>" }.to_owned())
    }
}

#[tokio::test]
async fn devices_are_shown_with_the_place_of_their_address() {
    let place = Place::with(TestOptions { places: Some(Arc::new(OneCity)), ..TestOptions::default() }).await;
    let mut browser = ada(&place).await;
    let page = browser.get("/account/devices").await.text();
    let shown = |city: &str| format!("{city} &lt;b&gt; · 0.0.0.0");
    assert!(page.contains(&shown("Berlin")), "{page}");
    browser.cookies.insert("__Host-userd_language".to_owned(), "ru".to_owned());
    assert!(browser.get("/account/devices").await.text().contains(&shown("Берлин")));
}

/// AC-059: an application leads straight to a task and gets its visitors back, if it is of the list; nobody else does.
#[tokio::test]
async fn an_application_leads_to_a_task_and_gets_its_visitors_back() {
    let place = Place::new().await;
    place.member("ada").await;
    let mut browser = place.browser();
    let asked = "/account/security/password?return_to=https%3A%2F%2Fapp.example%2Fdone";
    let turned = browser.get(asked).await;
    let sign_in = turned.header("location").to_owned();
    assert!(sign_in.starts_with("/sign-in?next="), "{sign_in}");
    let signed_in = browser.submit_from(&sign_in, "/sign-in", &[("login", "ada"), ("password", PASSWORD)]).await;
    assert_eq!(signed_in.header("location"), asked);
    let back = "href=\"https://app.example/done\"";
    let page = browser.get(asked).await.text();
    assert!(page.contains(back) && page.contains("Back to app.example"), "{page}");
    let fields = [("current_password", PASSWORD), ("new_password", OTHER)];
    let changed = browser.submit_from(asked, "/account/security/password", &fields).await;
    assert_eq!(changed.header("location"), "/account/security?told=password");
    assert!(browser.get("/account/security?told=password").await.text().contains(back), "the way back is still there");
    for evil in ["https://evil.example/", "https://app.example/done/../x", "javascript:alert(1)"] {
        let encoded: String = url::form_urlencoded::byte_serialize(evil.as_bytes()).collect();
        let page = browser.get(&format!("/account/username?return_to={encoded}")).await.text();
        assert!(!page.contains(&format!("href=\"{evil}\"")) && page.contains(back), "{page}");
    }
    browser.submit_from("/account", "/sign-out", &[]).await;
    assert!(!browser.cookies.contains_key("__Host-userd_back"), "it ends with the session");
}

/// What was typed stays, and what is wrong with it stands at its field.
#[tokio::test]
async fn a_request_that_is_refused_is_mended_where_it_was_written() {
    let place = Place::new().await;
    let services = place.services();
    let rules = RoleRules {
        requestable: true,
        reason_prompt: Some("Which <customer>?".to_owned()),
        max_duration_seconds: Some(30 * 24 * 3600),
        ..RoleRules::default()
    };
    let role = RoleInput { permissions: Vec::new(), rules };
    services.roles.create(&services.operator_context(), "printer", &role, None).await.unwrap();
    let mut browser = ada(&place).await;
    let page = browser.get("/account/access").await.text();
    assert!(page.contains("Which &lt;customer&gt;?") && page.contains("at most 30 days"), "{page}");
    let what = ("what", "role/printer");
    for (fields, marked) in [
        ([what, ("reason", "for printing"), ("days", "a week")], "days-wrong"),
        ([what, ("reason", "for printing"), ("days", "99999")], "days-wrong"),
        ([what, ("reason", ""), ("days", "3")], "reason-wrong"),
    ] {
        let refused = browser.submit("/account/access", &fields).await;
        let html = refused.text();
        assert_eq!(refused.status, 422, "{html}");
        assert!(html.contains(marked) && html.contains("role=\"alert\"") && html.contains(fields[1].1), "{html}");
        assert!(html.contains(&format!("value=\"{}\"", fields[2].1)), "{html}");
        assert!(html.contains("value=\"role/printer\" selected"), "{html}");
    }
    // Nobody may decide on it: a refusal that concerns no field.
    let refused = browser.submit("/account/access", &[what, ("reason", "for printing"), ("days", "")]).await;
    assert_eq!(refused.status, 409, "{}", refused.text());
    assert!(
        refused.text().contains("role=\"alert\"") && refused.text().contains(">for printing<"),
        "{}",
        refused.text()
    );
}

#[tokio::test]
async fn quiet_hours_that_are_refused_stay_in_the_form() {
    let place = Place::new().await;
    let mut browser = ada(&place).await;
    let fields = [("account/inbox", "yes"), ("quiet_from", "22:00"), ("quiet_to", "22:00")];
    let refused = browser.submit("/account/preferences", &fields).await;
    let html = refused.text();
    assert_eq!(refused.status, 422, "{html}");
    assert!(html.contains("id=\"quiet_to-wrong\"") && html.contains("value=\"22:00\""), "{html}");
    let tick = |name: &str| html[html.find(name).unwrap()..].split('>').next().unwrap().to_owned();
    assert!(tick("account/inbox").contains("checked") && !tick("account/email").contains("checked"), "{html}");
    let again = browser.submit("/account/preferences", &[("quiet_from", "22:00"), ("quiet_to", "08:00")]).await;
    assert_eq!(again.header("location"), "/account/preferences?told=saved", "{}", again.text());
}

/// Every notification is on one page and no other; the newest are where the script puts what comes.
#[tokio::test]
async fn an_inbox_is_read_page_by_page() {
    let place = Place::new().await;
    let mut browser = ada(&place).await;
    let services = place.services();
    for number in 0..20 {
        let name = format!("countess{number}");
        let fields = [("username", name.as_str())];
        assert_eq!(browser.submit_from("/account/profile", "/account/username", &fields).await.status, 303);
    }
    while services.event_log.tick().await.unwrap() > 0 {}
    while services.deliveries.tick().await.unwrap() > 0 {}
    let (mut path, mut shown, mut pages) = ("/account/notifications".to_owned(), Vec::new(), 0);
    loop {
        let page = browser.get(&path).await.text();
        let ids = page.split("data-message=\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned());
        shown.extend(ids.filter(|id| !id.is_empty()));
        assert_eq!(page.contains("data-inbox=\""), pages == 0, "{page}");
        assert_eq!(page.contains("To the beginning"), pages > 0, "{page}");
        pages += 1;
        let Some((before, _)) = page.split_once("\" rel=\"next\"") else { break };
        path = before.rsplit('"').next().unwrap().to_owned();
    }
    let cookie = &browser.cookies["__Host-userd_session"];
    let ctx = services.authenticate_browser(services.context(), cookie).await.unwrap().ctx;
    let all = services.notifications.list(&ctx, Shown::Inbox, None, 100).await.unwrap().items;
    assert!(pages == 2 && all.len() >= 20, "{pages} pages of {}", all.len());
    assert_eq!(shown, all.iter().map(|one| one.id.to_string()).collect::<Vec<_>>());
    place.member("grace").await;
    assert_eq!(place.browser_of("grace").await.get(&path).await.status, 400, "of another inbox");
}

/// Who clears up far down stays there; with the last one of a page that page is gone, too.
#[tokio::test]
async fn whoever_puts_something_away_stays_on_their_page_of_the_inbox() {
    let place = Place::new().await;
    let mut browser = ada(&place).await;
    let services = place.services();
    for number in 0..20 {
        let name = format!("countess{number}");
        let fields = [("username", name.as_str())];
        assert_eq!(browser.submit_from("/account/profile", "/account/username", &fields).await.status, 303);
    }
    while services.event_log.tick().await.unwrap() > 0 {}
    while services.deliveries.tick().await.unwrap() > 0 {}
    let page = browser.get("/account/notifications").await.text();
    let (before, _) = page.split_once("\" rel=\"next\"").unwrap();
    let second = before.rsplit('"').next().unwrap().to_owned();
    assert_eq!(browser.submit_from(&second, "/account/notifications/read-all", &[]).await.header("location"), second);
    loop {
        let page = browser.get(&second).await;
        if page.status == 303 {
            assert_eq!(page.header("location"), "/account/notifications", "nothing is left there");
            break;
        }
        let archive = crate::forms::address(&page.text(), "/account/notifications/", "/archive");
        assert_eq!(browser.submit_from(&second, &archive, &[]).await.header("location"), second);
    }
    assert_eq!(browser.get("/account/notifications").await.text().matches("/archive\"").count(), 15 + 1);
}

/// Leaving a page with something written asks first; the script finds the forms by a word of theirs.
#[tokio::test]
async fn forms_in_which_people_write_say_so_to_the_script() {
    let (place, _, ada) = crate::admin::administered().await;
    let request = crate::admin::requests::ask(&place, &ada, "I write the news now").await;
    let mut browser = place.browser_of("boss").await;
    for (path, form) in [
        (format!("/admin/users/{}/grants/give", ada.id), None),
        (format!("/admin/users/{}/acts/block", ada.id), None),
        (request, None),
        ("/admin/permissions/register".to_owned(), None),
        ("/admin/invitations/make".to_owned(), None),
        ("/account/emails".to_owned(), Some("/account/emails/change")),
        ("/account/access".to_owned(), Some("/account/access/removal")),
    ] {
        let page = browser.get(&path).await.text();
        let action = format!("action=\"{}\"", form.unwrap_or(&path));
        let rest = page.split_once(&action).unwrap_or_else(|| panic!("no {action}: {page}")).1;
        assert!(rest.split('>').next().unwrap().contains("data-guard"), "{path}: {page}");
    }
}
