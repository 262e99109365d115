//! What a way in asks for before and after the password: registration, confirmation, new passwords, terms, links in mails,
//! second factors, applications that send people here.

use std::{
    io,
    sync::{Arc, Mutex},
};

use http::StatusCode;
use userd_model::{Actor, Document, RequestState, SessionId, Verdict};
use userd_services::{
    RegistrationMode, Settings,
    access_requests::DecisionInput,
    accounts::Registration,
    passwords::Password,
    testing::{TestOptions, settings},
};

use crate::{
    browser::{Browser, PASSWORD, Place, form_of},
    second_factors::app,
};

const SESSION: &str = "__Host-userd_session";
const OTHER: &str = "seven purple ships at noon";

pub fn with(change: impl FnOnce(&mut Settings)) -> TestOptions {
    let mut settings = settings();
    change(&mut settings);
    TestOptions { settings, ..TestOptions::default() }
}

/// The text of the newest mail.
pub async fn mail(place: &Place) -> String {
    let services = place.services();
    while services.deliveries.tick().await.unwrap() > 0 {}
    services.deliveries.mails(&services.operator_context(), 10).await.unwrap().remove(0).text
}

/// What was to be sent is sent, and time goes on: the next mail is the newest.
pub async fn later(place: &Place) {
    while place.services().deliveries.tick().await.unwrap() > 0 {}
    place.app.clock.advance(std::time::Duration::from_secs(1));
}

/// The path of the link in it.
pub async fn link(place: &Place) -> String {
    let text = mail(place).await;
    let at = text.find("/l/udl_").unwrap_or_else(|| panic!("no link in {text}"));
    text[at..].split_whitespace().next().unwrap().to_owned()
}

/// The code in it.
pub async fn code(place: &Place) -> String {
    let text = mail(place).await;
    text.split(|c: char| !c.is_ascii_digit()).find(|word| word.len() == 6).unwrap().to_owned()
}

async fn register(browser: &mut Browser<'_>, fields: &[(&str, &str)]) -> userd_web::testing::Answer {
    let mut all = vec![("email", "ada@example.org"), ("password", PASSWORD)];
    all.extend_from_slice(fields);
    browser.submit("/register", &all).await
}

/// The log, for the test to read.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Whoever is signed in by making an account stands in the line of that request. (fault 14)
/// ASVS V16.3.1
#[tokio::test]
async fn whoever_is_signed_in_by_a_form_stands_in_its_line_of_the_log() {
    let (place, log) = (Place::new().await, Log::default());
    let written = log.clone();
    let subscriber = tracing_subscriber::fmt().json().with_writer(move || written.clone()).finish();
    let _listening = tracing::subscriber::set_default(subscriber);
    let (mut browser, services) = (place.browser(), place.services());
    register(&mut browser, &[]).await;
    let visit = services.authenticate_browser(services.context(), &browser.cookies[SESSION]).await.unwrap();
    let ada = visit.ctx.user().unwrap().0.to_string();
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let mut lines = text.lines().rev().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let line = lines.find(|line| line["target"] == "userd_http::access").unwrap();
    assert_eq!(line["span"]["user_id"], ada.as_str(), "{line}");
}

#[tokio::test]
async fn somebody_makes_an_account_and_is_in() {
    let place = Place::new().await;
    let mut browser = place.browser();
    let answer = register(&mut browser, &[("display_name", "Ada")]).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/account"), "{}", answer.text());
    assert!(browser.get("/account").await.text().contains("Hello, Ada"));
}

#[tokio::test]
async fn what_is_wrong_with_a_registration_stands_at_its_field() {
    let place = Place::new().await;
    place.member("ada").await;
    let mut browser = place.browser();
    let answer = browser.submit("/register", &[("email", "no address"), ("password", "short")]).await;
    assert_eq!(answer.status, 422);
    let html = answer.text();
    for must in ["id=\"email-wrong\"", "id=\"password-wrong\"", "aria-invalid=\"true\"", "value=\"no address\""] {
        assert!(html.contains(must), "{must}: {html}");
    }
    assert!(!html.contains("value=\"short\""));
    let taken = register(&mut browser, &[]).await;
    assert_eq!(taken.status, 409);
    assert!(taken.text().contains("There is an account with this address"));
    assert!(taken.text().contains("id=\"email-wrong\""), "{}", taken.text());
}

#[tokio::test]
async fn where_registration_is_closed_no_page_offers_it() {
    let place = Place::with(with(|settings| settings.registration = RegistrationMode::Closed)).await;
    let mut browser = place.browser();
    assert!(!browser.get("/sign-in").await.text().contains("/register"));
    let page = browser.get("/register").await.text();
    assert!(page.contains("Nobody can register here") && !page.contains("action=\"/register\""), "{page}");
}

#[tokio::test]
async fn terms_are_accepted_by_ticking_them() {
    let document = |version: &str| Document {
        id: "terms".to_owned(),
        version: version.to_owned(),
        url: "https://example.org/terms".to_owned(),
        required: true,
    };
    let place = Place::with(with(|settings| settings.documents = vec![document("1")])).await;
    let mut browser = place.browser();
    let asked = register(&mut browser, &[]).await;
    assert_eq!(asked.header("location"), "/sign-in/step?next=%2Faccount", "nobody is in without them");
    assert_eq!(browser.submit("/sign-in/step", &[]).await.status, 422);
    let answer = browser.submit("/sign-in/step", &[("accept-terms", "yes")]).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/account"));
}

#[tokio::test]
async fn an_account_that_waits_goes_on_from_its_page_once_it_is_approved() {
    let place = Place::with(with(|settings| settings.registration = RegistrationMode::Approval)).await;
    let services = place.services();
    let boss =
        Registration { username: Some("boss".to_owned()), ..Registration::with(Password::new(PASSWORD.to_owned())) };
    let boss = services.setup.create_administrator(&services.operator_context(), boss).await.unwrap();
    let mut browser = place.browser();
    let step = "/sign-in/step?next=%2Faccount";
    assert_eq!(register(&mut browser, &[]).await.header("location"), step);
    assert!(browser.get("/sign-in/step").await.text().contains("Waiting for approval"));
    assert_eq!(browser.submit("/sign-in/step", &[]).await.header("location"), step, "nobody has decided yet");
    let actor = Actor::User { id: boss.id, session_id: SessionId(boss.id.0), permissions: Vec::new() };
    let ctx = || services.context().acting_as(actor.clone());
    let open = services.access_requests.list(&ctx(), RequestState::Open, None, 10).await.unwrap().items;
    let (id, input) = (open[0].request.id, DecisionInput::default());
    services.access_requests.decide(&ctx(), id, Verdict::Approve, &input).await.unwrap();
    assert_eq!(browser.submit("/sign-in/step", &[]).await.header("location"), "/account");
    assert!(browser.cookies.contains_key(SESSION));
}

/// Sends: /l/{token}
#[tokio::test]
async fn a_forgotten_password_is_set_by_the_link_of_the_mail() {
    let place = Place::new().await;
    place.member("ada").await;
    let mut browser = place.browser();
    let answer = browser.submit("/forgot", &[("login", "nobody@example.org")]).await;
    let known = browser.submit("/forgot", &[("login", "ada@example.org")]).await;
    assert_eq!((answer.status, known.status), (StatusCode::OK, StatusCode::OK));
    let without_token = |text: String| {
        text.split("form_token").map(|part| part.get(90..).unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(without_token(answer.text()), without_token(known.text()), "nobody learns whether it is known");
    let link = link(&place).await;
    let page = browser.get(&link).await;
    assert_eq!((page.status.as_u16(), page.header("referrer-policy")), (200, "no-referrer"));
    let short = browser.post(&link, "confirm=yes&new_password=short").await;
    assert_eq!(short.status, 422);
    assert!(short.text().contains("new_password-wrong"), "{}", short.text());
    let body = format!("confirm=yes&new_password={}", OTHER.replace(' ', "+"));
    assert!(browser.post(&link, &body).await.text().contains("The password is set"));
    assert_eq!(browser.get(&link).await.status, 410, "once");
    assert_eq!(browser.submit("/sign-in", &[("login", "ada@example.org"), ("password", OTHER)]).await.status, 303);
}

/// The setup link's page ends in what is next. (fault 28)
#[tokio::test]
async fn the_first_administrator_is_told_what_is_next() {
    let place = Place::new().await;
    let services = place.services();
    let token = services.setup.open(&services.operator_context()).await.unwrap().unwrap();
    let mut browser = place.browser();
    let fields = [("setup_token", &*token), ("username", "root"), ("password", PASSWORD)];
    let answer = browser.submit("/setup", &fields).await;
    assert_eq!(answer.header("location"), "/admin/overview?done=setup", "{}", answer.text());
    let page = browser.get("/admin/overview?done=setup").await.text();
    for next in ["/account/security", "/admin/invitations/make", "/admin/clients/make"] {
        assert!(page.contains(&format!("<li><a href=\"{next}\">")), "{next}: {page}");
        assert_eq!(browser.get(next).await.status, 200, "{next}");
    }
}

#[tokio::test]
async fn where_addresses_are_confirmed_first_the_code_of_the_mail_signs_in() {
    let place = Place::with(with(|settings| settings.email_confirmation_required = true)).await;
    let mut browser = place.browser();
    let answer = register(&mut browser, &[]).await;
    assert_eq!(answer.header("location"), "/sign-in/step?next=%2Faccount");
    let page = browser.get("/sign-in/step?next=%2Faccount").await.text();
    assert!(page.contains("ada@example.org") && page.contains("Confirm your address"), "{page}");
    let wrong = browser.submit("/sign-in/step", &[("code", "000000")]).await;
    assert_eq!(wrong.status, 422);
    let lost = code(&place).await;
    later(&place).await;
    let sent = browser.submit_from("/sign-in/step?next=%2Faccount", "/sign-in/step/resend", &[]).await;
    assert_eq!(sent.header("location"), "/sign-in/step?told=sent&next=%2Faccount", "{}", sent.text());
    let page = browser.get(sent.header("location")).await.text();
    assert!(page.contains("Another message is on its way") && page.contains("ada@example.org"), "{page}");
    let code = code(&place).await;
    assert_ne!(code, lost);
    assert_eq!(browser.submit("/sign-in/step", &[("code", &lost)]).await.status, 422, "the one before is over");
    let answer = browser.submit("/sign-in/step", &[("code", &code)]).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/account"), "{}", answer.text());
    assert!(browser.get("/account").await.text().contains("confirmed"));
}

#[tokio::test]
async fn whoever_must_have_two_factors_sets_one_up_and_keeps_the_recovery_codes() {
    let place = Place::with(with(|settings| settings.mfa.required_for = vec!["admin".to_owned()])).await;
    let services = place.services();
    let registration = userd_services::accounts::Registration {
        username: Some("root".to_owned()),
        ..userd_services::accounts::Registration::with(userd_services::passwords::Password::new(PASSWORD.to_owned()))
    };
    services.setup.create_administrator(&services.operator_context(), registration).await.unwrap();
    let mut browser = place.browser();
    let answer = browser.submit("/sign-in", &[("login", "root"), ("password", PASSWORD)]).await;
    assert_eq!(answer.header("location"), "/sign-in/step?next=%2Faccount");
    assert!(!browser.cookies.contains_key(SESSION));
    assert_eq!(browser.get("/account").await.status, 303, "and nothing else can be done");
    let page = browser.get("/sign-in/step").await.text();
    assert!(page.contains("<svg") && page.contains("Set up an authenticator app"), "{page}");
    let token = form_of(&page, "/sign-in/step")[0].1.clone();
    let wrong = browser.post("/sign-in/step", &format!("form_token={token}&code=000000")).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.text().contains("<svg"), "{}", wrong.text());
    assert_eq!(*app(&wrong.text()).base32(), *app(&page).base32(), "the app may have the secret already");
}

#[tokio::test]
async fn a_step_without_a_sign_in_begins_again() {
    let place = Place::new().await;
    assert_eq!(place.browser().get("/sign-in/step").await.header("location"), "/sign-in?told=gone&next=%2Faccount");
}

#[tokio::test]
async fn a_link_that_is_none_is_told_so() {
    let place = Place::new().await;
    let mut browser = place.browser();
    let page = browser.get(&format!("/l/udl_{}", "A".repeat(43))).await;
    assert_eq!(page.status, 410);
    assert!(page.text().contains("Orchard"));
}

/// AC-083: the code of somebody else's sign-in opens nothing in this browser, and is left to whoever holds its key. Whoever
/// opens the page without one is asked to sign in.
#[tokio::test]
async fn a_code_of_another_browser_signs_nobody_in() {
    let place = Place::new().await;
    place.member("mallory").await;
    let services = place.services();
    let mallory = place.browser_of("mallory").await;
    let ctx = services.authenticate_browser(services.context(), &mallory.cookies[SESSION]).await.unwrap().ctx;
    let (verifier, challenge) = services.mint_proof_key();
    let code = services.sign_in.code_for_app(&ctx, "https://app.example/done", &challenge).await.unwrap();
    let mut victim = place.browser();
    let answer = victim.get(&format!("/signed-in?code={code}")).await;
    assert_eq!(answer.status, 200);
    assert!(!victim.cookies.contains_key(SESSION));
    assert_eq!(victim.get("/signed-in").await.status, 200);
    let taken = services.sign_in.exchange(&services.context(), &code, Some(&verifier), None).await;
    assert!(taken.unwrap().signed_in().is_ok(), "it is still good");
}

#[tokio::test]
async fn an_application_sends_somebody_here_and_gets_tokens_back() {
    let place = Place::new().await;
    let ada = place.member("ada").await;
    let services = place.services();
    let (verifier, challenge) = services.mint_proof_key();
    let mut browser = place.browser();
    let from = format!("/sign-in?return_to=https%3A%2F%2Fapp.example%2Fdone&code_challenge={challenge}&state=xyz");
    let answer = browser.submit_from(&from, "/sign-in", &[("login", "ada"), ("password", PASSWORD)]).await;
    let next = answer.header("location").to_owned();
    assert!(next.starts_with("/continue?return_to=https%3A%2F%2Fapp.example%2Fdone&"), "{next}");
    let back = browser.get(&next).await;
    assert_eq!(back.status, 303);
    let url = url::Url::parse(back.header("location")).unwrap();
    assert_eq!((url.host_str(), url.path()), (Some("app.example"), "/done"));
    let query: std::collections::HashMap<_, _> = url.query_pairs().into_owned().collect();
    assert_eq!(query["state"], "xyz");
    let wrong = services.sign_in.exchange(&services.context(), &query["code"], Some("wrong"), None).await;
    assert!(wrong.is_err(), "a wrong verifier uses the code up");
    let back = browser.get(&next).await;
    let url = url::Url::parse(back.header("location")).unwrap();
    let code = url.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    let exchanged = services.sign_in.exchange(&services.context(), &code, Some(&verifier), None).await.unwrap();
    let signed_in = exchanged.signed_in().unwrap();
    assert_eq!(signed_in.user.id, ada.id);
    let token = services.authenticate(&signed_in.tokens.access_token).await.unwrap();
    assert_eq!(token.token.claims.amr, ["pwd"], "what was proven here");
}

/// AC-059: an application that is not known gets nobody and nothing.
#[tokio::test]
async fn an_unknown_application_gets_no_code() {
    let place = Place::new().await;
    place.member("ada").await;
    let (_, challenge) = place.services().mint_proof_key();
    let mut browser = place.browser_of("ada").await;
    for (return_to, challenge) in [
        ("https://evil.example/done", challenge.as_str()),
        ("https://app.example/done/", &challenge),
        ("https://app.example.evil.example/done", &challenge),
        ("javascript:alert(1)", &challenge),
        ("https://app.example/done", ""),
        ("https://app.example/done", "short"),
    ] {
        let asked = [("return_to", return_to), ("code_challenge", challenge)];
        let asked = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(asked).finish();
        let answer = browser.get(&format!("/continue?{asked}")).await;
        assert_eq!(answer.status, 422, "{return_to} {challenge}");
        assert!(answer.header("location").is_empty());
    }
}

#[tokio::test]
async fn password_managers_find_where_a_password_is_changed() {
    let place = Place::new().await;
    let answer = place.browser().get("/.well-known/change-password").await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/account/security"));
}
