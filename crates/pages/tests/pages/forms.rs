//! Forms of the account and of the ways in that no story elsewhere sends, and that every form there is is sent by some test.

use std::{fs, path::Path};

use serde_json::json;
use userd_model::{Actor, GrantKind, RoleRules};
use userd_pages::policy::PAGES;
use userd_services::{
    invitations::NewInvitation,
    roles::RoleInput,
    sign_in::Finished,
    testing::{BOT_SECRET, TestOptions, TestProvider, bot_nobody_reaches},
};

use crate::{
    admin::give,
    browser::{Browser, PASSWORD, Place, form_of, unescaped},
    flows::{code, later, link, with},
};

const OTHER: &str = "seven purple ships at noon";
const SESSION: &str = "__Host-userd_session";

/// The address of the first form on a page that begins and ends so.
pub fn address(page: &str, begins: &str, ends: &str) -> String {
    let is_it =
        |part: &&str| part.starts_with(begins) && part.ends_with(ends) && part.len() > begins.len() + ends.len();
    page.split('"').find(is_it).unwrap_or_else(|| panic!("no {begins}…{ends} in {page}")).to_owned()
}

/// Whoever is signed in there proves the first address.
pub async fn prove_the_first(place: &Place, browser: &mut Browser<'_>) {
    later(place).await;
    browser.submit_from("/account/emails", "/account/emails/resend", &[]).await;
    let link = link(place).await;
    let done = browser.post(&link, "confirm=yes").await.text();
    assert!(done.contains("The address is confirmed"), "{done}");
    assert!(!done.contains("href=\"/sign-in"), "they are signed in: {done}");
}

#[tokio::test]
async fn a_code_by_mail_signs_in_and_leads_on() {
    let place = Place::with(with(|settings| settings.email_code_sign_in = true)).await;
    place.member("ada").await;
    prove_the_first(&place, &mut place.browser_of("ada").await).await;
    later(&place).await;
    let mut browser = place.browser();
    let (from, to) = ("/sign-in/email-code?next=%2Faccount%2Fdevices", "/sign-in/email-code");
    let no_address = browser.submit_from(from, to, &[("email", "no address")]).await;
    let html = no_address.text();
    assert_eq!(no_address.status, 422, "{html}");
    assert!(html.contains("id=\"email-wrong\"") && html.contains("value=\"no address\""), "{html}");
    let sent = browser.submit_from(from, to, &[("email", "ada@example.org")]).await;
    assert_eq!(sent.header("location"), "/sign-in/email-code/enter");
    let right = code(&place).await;
    let wrong = browser.submit("/sign-in/email-code/enter", &[("code", "000000")]).await;
    assert_eq!(wrong.status, 422, "{}", wrong.text());
    assert!(wrong.text().contains("/sign-in/email-code?next=%2Faccount%2Fdevices"), "{}", wrong.text());
    let right = format!(" {}-{} ", &right[..3], &right[3..]);
    let answer = browser.submit("/sign-in/email-code/enter", &[("code", &right)]).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/account/devices"), "{}", answer.text());
    let mut late = place.browser();
    let nothing = late.get("/sign-in/email-code/enter").await;
    assert_eq!(nothing.header("location"), "/sign-in?told=gone&next=%2Faccount", "no code was asked for");
    let token = form_of(&late.get("/sign-in").await.text(), "/sign-in")[0].1.clone();
    let gone = late.post("/sign-in/email-code/enter", &format!("form_token={token}")).await;
    assert_eq!(gone.header("location"), "/sign-in?told=gone&next=%2Faccount");
}

/// What the page does when its attempt is over.
#[tokio::test]
async fn an_attempt_by_the_bot_that_is_over_begins_again() {
    let place = Place::new().await;
    let mut browser = place.browser();
    let token = form_of(&browser.get("/sign-in").await.text(), "/sign-in")[0].1.clone();
    let never = browser.post("/sign-in/bot", &format!("form_token={token}")).await;
    assert_eq!(never.header("location"), "/sign-in?told=gone&next=%2Faccount");
    let way = "attempt=a&secret=b&next=%2Faccount%2Fdevices";
    browser.cookies.insert("__Host-userd_way".to_owned(), way.to_owned());
    let over = browser.post("/sign-in/bot", &format!("form_token={token}")).await;
    assert_eq!(over.header("location"), "/sign-in?told=gone&next=%2Faccount%2Fdevices");
}

/// The bot's page without a script: it says what to do in the chat, and its button asks whether that was done.
#[tokio::test]
async fn somebody_signs_in_by_the_bot_without_javascript() {
    let providers = vec![TestProvider::named("telegram", false)];
    let place = Place::with(TestOptions { providers, bot: Some(bot_nobody_reaches()), ..TestOptions::default() }).await;
    let mut browser = place.browser();
    let page = browser.get("/sign-in/bot?next=%2Faccount%2Fdevices").await.text();
    let between = |begins: &str| page.split_once(begins).unwrap().1.split(['<', '"']).next().unwrap().to_owned();
    let (payload, number) = (between("<code>/start "), between("<strong class=\"number\">"));
    assert_eq!(
        between("href=\"https://t.me/userd_test_bot?start="),
        payload,
        "the link brings the same as the command"
    );
    let token = form_of(&page, "/sign-in/bot")[0].1.clone();
    let body = format!("form_token={token}");
    let early = browser.post("/sign-in/bot", &body).await;
    assert_eq!(early.status, 200);
    assert!(early.text().contains("The bot has not heard from you yet"), "{}", early.text());
    for still in [&format!("/start {payload}<"), &format!("start={payload}\""), &format!(">{number}</strong>")] {
        assert!(early.text().contains(still), "whoever is not done yet needs {still}: {}", early.text());
    }
    assert!(form_of(&early.text(), "/sign-in/bot").contains(&("form_token".to_owned(), token)), "its button is there");

    let services = place.services();
    let ada = json!({ "id": 7, "is_bot": false, "first_name": "Ada", "username": "ada", "language_code": "en" });
    let chat = json!({ "id": 7, "type": "private" });
    let start = format!("/start {payload}");
    let start = json!({ "message_id": 1, "date": 1, "chat": chat, "from": ada, "text": start });
    let tap = json!({ "message_id": 1, "date": 1, "chat": chat });
    let tap = json!({ "id": "q1", "from": ada, "message": tap, "data": format!("{payload}:{number}") });
    for update in [json!({ "update_id": 1, "message": start }), json!({ "update_id": 2, "callback_query": tap })] {
        let (ctx, secret) = (services.context(), Some(BOT_SECRET.as_bytes()));
        services.bot.take_webhook(&ctx, secret, update.to_string().as_bytes()).await.unwrap();
    }
    let done = browser.post("/sign-in/bot", &body).await;
    assert_eq!((done.status.as_u16(), done.header("location")), (303, "/account/devices"), "{}", done.text());
    assert!(browser.cookies.contains_key(SESSION) && browser.get("/account").await.status == 200);
}

#[tokio::test]
async fn a_demanded_password_is_chosen_at_the_step() {
    let place = Place::new().await;
    let ada = place.member("ada").await;
    let services = place.services();
    services.users.require_password_change(&services.operator_context(), ada.id).await.unwrap();
    let mut browser = place.browser();
    let asked = browser.submit("/sign-in", &[("login", "ada"), ("password", PASSWORD)]).await;
    assert_eq!(asked.header("location"), "/sign-in/step?next=%2Faccount");
    let short = browser.submit("/sign-in/step", &[("new_password", "short")]).await;
    assert_eq!(short.status, 422);
    assert!(short.text().contains("new_password-wrong"), "{}", short.text());
    let answer = browser.submit("/sign-in/step", &[("new_password", OTHER)]).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/account"), "{}", answer.text());
    let with_it = place.browser().submit("/sign-in", &[("login", "ada"), ("password", OTHER)]).await;
    assert_eq!(with_it.header("location"), "/account");
}

#[tokio::test]
async fn an_invitation_and_a_restoration_are_taken_by_their_links() {
    let place = Place::new().await;
    let services = place.services();
    let operator = services.context().acting_as(Actor::Operator);
    let invited = NewInvitation { email: Some("eve@example.org".to_owned()), ..NewInvitation::default() };
    services.invitations.create(&operator, &invited, None).await.unwrap();
    let invitation = link(&place).await;
    let mut browser = place.browser();
    assert!(browser.get(&invitation).await.text().contains("You are invited"));
    assert_eq!(browser.post(&invitation, "confirm=yes&new_password=short").await.status, 422);
    let body = format!("confirm=yes&new_password={}", OTHER.replace(' ', "+"));
    let done = browser.post(&invitation, &body).await.text();
    assert!(done.contains("You have an account now"), "{done}");
    let fields = [("login", "eve@example.org"), ("password", OTHER)];
    assert_eq!(browser.submit("/sign-in", &fields).await.header("location"), "/account");

    later(&place).await;
    let deleted = browser.submit_from("/account/data", "/account/data/delete", &[("current_password", OTHER)]).await;
    assert_eq!(deleted.header("location"), "/sign-in?told=deleted", "{}", deleted.text());
    let restoration = link(&place).await;
    assert!(browser.get(&restoration).await.text().contains("Have your account back"));
    let done = browser.post(&restoration, "confirm=yes").await.text();
    assert!(done.contains("Your account is back"), "{done}");
    assert_eq!(browser.submit("/sign-in", &fields).await.header("location"), "/account");
}

/// Sends: /account/emails/{id}/first, /account/emails/{id}/remove
#[tokio::test]
async fn a_further_address_becomes_the_first_and_the_other_goes() {
    let place = Place::new().await;
    place.member("ada").await;
    let mut browser = place.browser_of("ada").await;
    prove_the_first(&place, &mut browser).await;
    later(&place).await;
    let added = browser.submit("/account/emails", &[("email", "ada@work.example")]).await;
    assert_eq!(added.header("location"), "/account/emails?told=sent", "{}", added.text());
    let link = link(&place).await;
    browser.post(&link, "confirm=yes").await;
    let page = browser.get("/account/emails").await.text();
    let first = address(&page, "/account/emails/", "/first");
    let made = browser.submit_from("/account/emails", &first, &[]).await;
    assert_eq!(made.header("location"), "/account/emails?told=saved", "{}", made.text());
    let page = browser.get("/account/emails").await.text();
    assert!(page.find("ada@work.example").unwrap() < page.find("ada@example.org").unwrap(), "{page}");
    assert!(page.contains("aria-label=\"Remove: ada@example.org\""), "each button says of what: {page}");
    let remove = address(&page, "/account/emails/", "/remove");
    let removed = browser.submit_from("/account/emails", &remove, &[]).await;
    assert_eq!(removed.header("location"), "/account/emails?told=saved", "{}", removed.text());
    assert!(!browser.get("/account/emails").await.text().contains("ada@example.org"));
}

/// The mail asks for its code to be typed where it was asked for: that is this page.
#[tokio::test]
async fn an_address_is_proven_by_the_code_of_its_mail() {
    let place = Place::new().await;
    place.member("ada").await;
    let mut browser = place.browser_of("ada").await;
    let (here, there) = ("/account/emails", "/account/emails/code");
    let first = code(&place).await;
    let wrong = browser.submit_from(here, there, &[("code", "000000")]).await;
    assert_eq!(wrong.status, 422);
    let page = wrong.text();
    assert!(page.contains("id=\"code-wrong\"") && page.contains("role=\"alert\""), "{page}");
    assert!(!page.contains("id=\"email-wrong\""), "the other form was not sent: {page}");
    let proven = browser.submit_from(here, there, &[("code", &first)]).await;
    assert_eq!(proven.header("location"), "/account/emails?told=proven", "{}", proven.text());
    let page = browser.get("/account/emails?told=proven").await.text();
    assert!(page.contains("The address is confirmed") && !page.contains(there), "nothing waits: {page}");
    later(&place).await;
    browser.submit(here, &[("email", "ada@work.example")]).await;
    let second = code(&place).await;
    let page = browser.get("/account/emails?told=sent").await.text();
    assert!(page.contains("The message to ada@work.example has a code in it"), "{page}");
    let read_out = format!("{}-{}", &second[..3], &second[3..]);
    let proven = browser.submit_from(here, there, &[("code", &read_out)]).await;
    assert_eq!(proven.header("location"), "/account/emails?told=proven", "{}", proven.text());
    let page = browser.get(here).await.text();
    assert!(page.contains("ada@work.example") && !page.contains(there), "{page}");
    browser.submit(here, &[("email", "ada@home.example")]).await;
    browser.submit(here, &[("email", "ada@club.example")]).await;
    let page = browser.get(here).await.text();
    let choice = page.split_once("<select id=\"sent_to\"").unwrap().1.split("</select>").next().unwrap();
    assert_eq!(choice.matches("<option").count(), 2, "{page}");
    place.app.clock.advance(std::time::Duration::from_secs(601));
    assert!(!browser.get(here).await.text().contains(there), "the codes are over, the links are not");
}

/// Sends: /account/devices/{id}/end
#[tokio::test]
async fn one_device_is_signed_out_and_the_others_stay() {
    let place = Place::new().await;
    place.member("ada").await;
    let mut browser = place.browser_of("ada").await;
    let (mut lost, mut kept) = (place.browser(), place.browser_of("ada").await);
    lost.headers.push(("user-agent", "Lost/1".to_owned()));
    lost.submit("/sign-in", &[("login", "ada"), ("password", PASSWORD)]).await;
    let page = browser.get("/account/devices").await.text();
    let its_line = &page[page.find("Lost/1").unwrap()..];
    let answer = browser.submit_from("/account/devices", &address(its_line, "/account/devices/", "/end"), &[]).await;
    assert_eq!(answer.header("location"), "/account/devices?told=ended");
    assert_eq!((lost.get("/account").await.status.as_u16(), kept.get("/account").await.status.as_u16()), (303, 200));
}

/// Sends: /account/notifications/{id}/archive
#[tokio::test]
async fn a_notification_is_put_away() {
    let place = Place::new().await;
    place.member("ada").await;
    let mut browser = place.browser_of("ada").await;
    browser.submit("/account/username", &[("username", "countess")]).await;
    while place.services().event_log.tick().await.unwrap() > 0 {}
    while place.services().deliveries.tick().await.unwrap() > 0 {}
    let page = browser.get("/account/notifications").await.text();
    assert!(page.contains("countess"), "{page}");
    let its_form = &page[page.find("countess").unwrap()..];
    let archive = address(its_form, "/account/notifications/", "/archive");
    let answer = browser.submit_from("/account/notifications", &archive, &[]).await;
    assert_eq!(answer.header("location"), "/account/notifications", "{}", answer.text());
    assert!(!browser.get("/account/notifications").await.text().contains("countess"));
}

/// Sends: /account/access/{id}/withdraw
#[tokio::test]
async fn a_request_is_withdrawn_by_whoever_made_it() {
    let place = Place::new().await;
    let boss = place.member("boss").await;
    place.member("ada").await;
    give(&place, &boss, GrantKind::Role, "admin").await;
    let services = place.services();
    let operator = services.operator_context();
    let rules = RoleRules { requestable: true, ..RoleRules::default() };
    let role = RoleInput { permissions: Vec::new(), rules };
    services.roles.create(&operator, "printer", &role, None).await.unwrap();
    let mut browser = place.browser_of("ada").await;
    let fields = [("what", "role/printer"), ("reason", "for printing"), ("days", "3")];
    let asked = browser.submit("/account/access", &fields).await;
    assert_eq!(asked.header("location"), "/account/access?told=asked", "{}", asked.text());
    let again = browser.submit("/account/access", &fields).await;
    assert!(again.text().contains("You have asked for this already"), "{}", again.text());
    let page = browser.get("/account/access").await.text();
    let withdraw = address(&page, "/account/access/", "/withdraw");
    assert_eq!(browser.submit_from("/account/access", &withdraw, &[]).await.header("location"), "/account/access");
    let page = browser.get("/account/access").await.text();
    assert!(page.contains("withdrawn") && !page.contains("/withdraw\""), "{page}");
}

/// Links the provider's account to whoever is signed in there, as its pages lead.
pub async fn link_acme(place: &Place, browser: &mut Browser<'_>) {
    let page = browser.submit_from("/account/linked", "/account/linked/with/acme", &[]).await.text();
    let there = page.split('"').find(|part| part.starts_with("https://acme.example/")).expect("the way there");
    let url = url::Url::parse(&unescaped(there)).unwrap();
    let state = url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    let params = [("code", "sub-1".to_owned()), ("state", state)].map(|(name, value)| (name.to_owned(), value)).into();
    let services = place.services();
    let ctx = services.authenticate_browser(services.context(), &browser.cookies[SESSION]).await.unwrap().ctx;
    let linked = services.sign_in.finish(&ctx, "acme", &params, browser.cookies.values()).await;
    assert!(matches!(linked, Finished::Linked { .. }), "{linked:?}");
}

/// Sends: /account/linked/{id}/remove, /admin/users/{id}/identities/{identity}/unlink
#[tokio::test]
async fn a_linked_account_is_unlinked_by_its_holder_and_by_an_administrator() {
    let providers = vec![TestProvider::named("acme", false)];
    let place = Place::with(TestOptions { providers, ..TestOptions::default() }).await;
    let (ada, boss) = (place.member("ada").await, place.member("boss").await);
    give(&place, &boss, GrantKind::Role, "admin").await;
    let mut browser = place.browser_of("ada").await;
    link_acme(&place, &mut browser).await;
    let page = browser.get("/account/linked").await.text();
    let remove = address(&page, "/account/linked/", "/remove");
    let removed = browser.submit_from("/account/linked", &remove, &[]).await;
    assert_eq!(removed.header("location"), "/account/linked?told=removed", "{}", removed.text());
    assert!(browser.get("/account/linked").await.text().contains("None yet."));
    link_acme(&place, &mut browser).await;
    let mut of_boss = place.browser_of("boss").await;
    let (her_page, account) = (format!("/admin/users/{}", ada.id), format!("/admin/users/{}/identities/", ada.id));
    let unlink = address(&of_boss.get(&her_page).await.text(), &account, "/unlink");
    let unlinked = of_boss.submit(&unlink, &[]).await;
    assert_eq!(unlinked.header("location"), format!("{her_page}?done=unlinked"), "{}", unlinked.text());
    assert!(browser.get("/account/linked").await.text().contains("None yet."));
    assert_eq!(of_boss.get(&unlink).await.status, 404, "once");
}

#[tokio::test]
async fn the_first_administrator_is_made_by_the_setup_code() {
    let place = Place::new().await;
    let services = place.services();
    let code = services.setup.open(&services.operator_context()).await.unwrap().unwrap();
    let mut browser = place.browser();
    let short = [("setup_token", code.as_str()), ("username", "root"), ("password", "short")];
    let refused = browser.submit("/setup", &short).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text().contains("password-wrong") && refused.text().contains(&code), "{}", refused.text());
    let wrong = [("setup_token", "000000"), ("username", "root"), ("password", PASSWORD)];
    let refused = browser.submit("/setup", &wrong).await;
    assert!(refused.text().contains("id=\"setup_token-wrong\""), "{}", refused.text());
    let mut late = place.browser();
    let token = form_of(&late.get("/setup").await.text(), "/setup")[0].1.clone();
    let fields = [("setup_token", code.as_str()), ("username", "root"), ("password", PASSWORD)];
    let made = browser.submit("/setup", &fields).await;
    assert_eq!((made.status.as_u16(), made.header("location")), (303, "/admin/overview?done=setup"), "{}", made.text());
    assert_eq!(browser.get("/admin/users").await.status, 200);
    let mut body = url::form_urlencoded::Serializer::new(String::new());
    body.append_pair("form_token", &token).extend_pairs(fields);
    let sent = late.post("/setup", &body.finish()).await;
    for page in [sent, late.get("/setup").await] {
        let html = page.text();
        assert!(html.contains("There is an administrator already") && !html.contains("action=\"/setup\""), "{html}");
        assert!(html.contains("href=\"/sign-in\""), "{html}");
    }
}

/// The text of every test here.
fn sources(folder: &Path) -> String {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| if path.is_dir() { sources(&path) } else { fs::read_to_string(path).unwrap() }).collect()
}

/// By its address in a text, or, where that has an id in it, by a line `Sends:` over the test.
#[test]
fn every_form_is_sent_by_a_test_without_javascript() {
    let tests = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pages"));
    let lines = tests.lines().filter_map(|line| line.trim().strip_prefix("/// Sends: "));
    let said: Vec<&str> = lines.flat_map(|line| line.split(", ")).collect();
    let is_sent = |path: &str| said.contains(&path) || tests.contains(&format!("\"{path}\""));
    let forms = PAGES.iter().filter(|page| page.method == "POST");
    let unsent: Vec<&str> = forms.map(|page| page.path).filter(|path| !is_sent(path)).collect();
    assert!(unsent.is_empty(), "no test sends {unsent:#?}");
}
