//! Passkeys in the pages: what the script asks, and the forms it sends. An authenticator of the stand-ins answers in place of
//! a browser's.

use serde_json::Value;
use userd_services::testing::{TestOptions, settings};
use userd_stand_ins::authenticator::Authenticator;
use userd_web::testing::Answer;

use crate::browser::{Browser, PASSWORD, Place, form_of};

const SESSION: &str = "__Host-userd_session";
const ADD: &str = "/account/security/passkeys/add";
const PROVE: &str = "/account/prove";
const STEP: &str = "/sign-in/step";

fn laptop() -> Authenticator {
    Authenticator::at("http://localhost:8080")
}

fn encoded(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// Asks what the script asks: with the fields of the form at `action` on the page at `from`.
async fn ask(browser: &mut Browser<'_>, from: &str, action: &str, question: &str) -> Answer {
    let page = browser.get(from).await;
    assert_eq!(page.status, 200, "{from}: {}", page.text());
    let html = page.text();
    let at = html.find(&format!("data-question=\"{question}\"")).unwrap_or_else(|| panic!("{question}: {html}"));
    assert!(html[..at].rfind(&format!("action=\"{action}\"")).is_some(), "{html}");
    let token = form_of(&html, action).into_iter().find(|(name, _)| name == "form_token").unwrap().1;
    let before = std::mem::replace(&mut browser.headers, vec![("accept", "application/json".to_owned())]);
    let answer = browser.post(question, &encoded(&[("form_token", &token), ("next", "/account")])).await;
    browser.headers = before;
    answer
}

fn asked(answer: &Answer) -> Value {
    assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (200, "no-store"), "{}", answer.text());
    serde_json::from_slice(&answer.body).unwrap()
}

/// Asks, has the authenticator answer, and sends the form.
async fn shown(browser: &mut Browser<'_>, place: [&str; 3], with: &mut Authenticator) -> Answer {
    let [from, action, question] = place;
    let begun = asked(&ask(browser, from, action, question).await);
    let answered = with.get(&begun["options"]).or_else(|| with.create(&begun["options"])).unwrap().to_string();
    let fields = [("challenge", begun["challenge"].as_str().unwrap()), ("credential", &answered)];
    browser.submit_from(from, action, &fields).await
}

const ALONE: [&str; 3] = ["/sign-in", "/sign-in/passkey", "/sign-in/passkey/question"];
const SECOND: [&str; 3] = [STEP, STEP, "/sign-in/step/question"];

async fn add(browser: &mut Browser<'_>, with: &mut Authenticator) -> Answer {
    let begun = asked(&ask(browser, ADD, ADD, "/account/security/passkeys/question").await);
    let made = with.create(&begun["options"]).unwrap().to_string();
    let fields = [("challenge", begun["challenge"].as_str().unwrap()), ("credential", &made)];
    browser.submit_from(ADD, ADD, &fields).await
}

/// Sends: /account/security/factors/{id}/rename, /account/security/factors/{id}/remove
#[tokio::test]
async fn a_passkey_is_added_signs_in_is_renamed_and_removed() {
    let place = Place::new().await;
    place.member("ada").await;
    let (mut browser, mut laptop) = (place.browser_of("ada").await, laptop());
    assert!(browser.get(ADD).await.text().contains("Passkeys need JavaScript"), "the sentence for those without");
    let late = [("challenge", "of-before"), ("credential", "{}"), ("name", "The <old> one")];
    let refused = browser.submit(ADD, &late).await;
    assert!(refused.status.is_client_error(), "{}", refused.text());
    assert!(refused.text().contains("value=\"The &lt;old&gt; one\""), "what it is called stays: {}", refused.text());
    let added = add(&mut browser, &mut laptop).await;
    assert_eq!(added.status, 200);
    assert!(added.text().contains("recovery codes"), "with the first factor: {}", added.text());

    let mut other = place.browser();
    let answer = shown(&mut other, ALONE, &mut laptop).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/account"), "{}", answer.text());
    assert_eq!(other.cookies["__Host-userd_last_way"], "passkey");
    let page = other.get("/account/security").await.text();
    let path = page.split('"').find(|part| part.ends_with("/rename")).unwrap().to_owned();
    let told = other.get("/account/security/passkeys/accepted").await;
    let told: Value = serde_json::from_slice(&told.body).unwrap();
    assert_eq!(told["accepted"]["rpId"], "localhost");
    assert_eq!(told["accepted"]["allAcceptedCredentialIds"][0], laptop.ids()[0].as_str());
    assert_eq!((told["name"].as_str(), told["displayName"].as_str()), (Some("ada@example.org"), Some("ada")));

    assert_eq!(other.submit(&path, &[("name", "")]).await.status, 422);
    let hostile = "<b>laptop</b>";
    let renamed = other.submit(&path, &[("name", hostile)]).await;
    assert_eq!(renamed.header("location"), "/account/security?told=renamed");
    let page = other.get("/account/security?told=renamed").await.text();
    assert!(page.contains("&lt;b&gt;laptop") && !page.contains(hostile), "{page}");
    for button in ["Rename", "Remove"] {
        assert!(page.contains(&format!("aria-label=\"{button}: &lt;b&gt;laptop")), "{button}: {page}");
    }

    let remove = path.replace("/rename", "/remove");
    let removed = other.submit_from("/account/security", &remove, &[]).await;
    assert_eq!(removed.header("location"), "/account/security?told=removed");
    let refused = shown(&mut place.browser(), ALONE, &mut laptop).await;
    assert_eq!(refused.status, 422);
    let html = refused.text();
    assert!(html.contains("This passkey is not accepted") && html.contains("data-passkey-unknown"), "{html}");
}

/// Whoever has nothing but a passkey beside the password gets through the second step.
#[tokio::test]
async fn a_passkey_is_the_second_factor() {
    let place = Place::new().await;
    place.member("ada").await;
    let mut laptop = laptop();
    let page = add(&mut place.browser_of("ada").await, &mut laptop).await.text();
    let code = page.split("<code>").nth(1).unwrap().split('<').next().unwrap().to_owned();
    let mut browser = place.browser();
    let answer = browser.submit("/sign-in", &[("login", "ada"), ("password", PASSWORD)]).await;
    assert_eq!(answer.header("location"), "/sign-in/step?next=%2Faccount");
    let page = browser.get(STEP).await.text();
    assert!(page.contains("Use a passkey") && page.contains(">Recovery code<"), "{page}");
    assert!(!page.contains("authenticator app"), "there is none: {page}");
    for nothing in ["{}", "no JSON", "null"] {
        assert_eq!(browser.submit(STEP, &[("credential", nothing)]).await.status, 422, "{nothing}");
    }
    let answer = shown(&mut browser, SECOND, &mut laptop).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/account"), "{}", answer.text());
    assert!(browser.cookies.contains_key(SESSION));
    let mut paper = place.browser();
    paper.submit("/sign-in", &[("login", "ada"), ("password", PASSWORD)]).await;
    assert_eq!(paper.submit(STEP, &[("code", &code)]).await.header("location"), "/account");
}

#[tokio::test]
async fn a_factor_that_is_demanded_may_be_a_passkey() {
    let mut settings = settings();
    settings.mfa.required_for = vec!["admin".to_owned()];
    let place = Place::with(TestOptions { settings, ..TestOptions::default() }).await;
    let services = place.services();
    let registration = userd_services::accounts::Registration {
        username: Some("root".to_owned()),
        ..userd_services::accounts::Registration::with(userd_services::passwords::Password::new(PASSWORD.to_owned()))
    };
    services.setup.create_administrator(&services.operator_context(), registration).await.unwrap();
    let (mut browser, mut laptop) = (place.browser(), laptop());
    browser.submit("/sign-in", &[("login", "root"), ("password", PASSWORD)]).await;
    let answer = shown(&mut browser, SECOND, &mut laptop).await;
    assert!(answer.text().contains("recovery codes"), "{}", answer.text());
    assert_eq!(browser.get("/admin/users").await.status, 200, "in, with two factors");
}

#[tokio::test]
async fn a_fresher_proof_is_a_passkey_and_leads_back() {
    let place = Place::new().await;
    place.member("ada").await;
    let (mut browser, mut laptop) = (place.browser_of("ada").await, laptop());
    assert!(!browser.get(PROVE).await.text().contains("Use a passkey"), "there is none yet");
    add(&mut browser, &mut laptop).await;
    // The session was begun with a password alone: a second passkey asks for the first.
    let turned = asked(&ask(&mut browser, ADD, ADD, "/account/security/passkeys/question").await);
    let there = turned["go"].as_str().unwrap().to_owned();
    assert!(there.starts_with("/account/prove?next=%2Faccount%2Fsecurity%2Fpasskeys%2Fadd"), "{there}");
    let before = browser.cookies[SESSION].clone();
    let answer = shown(&mut browser, [&there, PROVE, "/account/prove/question"], &mut laptop).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    assert!(answer.header("location").starts_with(ADD), "{}", answer.header("location"));
    assert_ne!(browser.cookies[SESSION], before, "the secret of before opens nothing");
    let second = add(&mut browser, &mut self::laptop()).await;
    assert_eq!(second.header("location"), "/account/security?told=passkey", "{}", second.text());
}

#[tokio::test]
async fn a_passkey_is_offered_after_a_password_until_somebody_has_one_or_says_no() {
    let place = Place::new().await;
    place.member("ada").await;
    let fields = [("login", "ada"), ("password", PASSWORD), ("passkeys", "yes")];
    let offer = "/account/security/passkeys/offer?next=%2Faccount%2Fdevices";
    let mut browser = place.browser();
    let from = "/sign-in?next=/account/devices";
    assert_eq!(browser.submit_from(from, "/sign-in", &fields).await.header("location"), offer);
    let page = browser.get(offer).await.text();
    assert!(page.contains("Sign in without a password next time") && page.contains("Not now"), "{page}");
    let no = browser.submit_from(offer, "/account/security/passkeys/offer", &[]).await;
    assert_eq!(no.header("location"), "/account/devices");
    assert_eq!(browser.get(offer).await.header("location"), "/account/devices", "not again in this browser");
    browser.submit_from("/account", "/sign-out", &[]).await;
    assert_eq!(browser.submit_from(from, "/sign-in", &fields).await.header("location"), "/account/devices");

    let mut other = place.browser();
    other.submit_from(from, "/sign-in", &fields).await;
    add(&mut other, &mut laptop()).await;
    assert_eq!(other.get(offer).await.header("location"), "/account/devices", "there is one");
}

/// AC-126: what the script asks is guarded as every form is, and the API's token opens none of it.
#[tokio::test]
async fn questions_are_asked_by_this_site_and_this_browser_alone() {
    let place = Place::new().await;
    place.member("ada").await;
    let mut browser = place.browser_of("ada").await;
    let token = form_of(&browser.get("/account").await.text(), "/sign-out")[0].1.clone();
    for question in [
        "/sign-in/passkey/question",
        "/sign-in/step/question",
        "/account/prove/question",
        "/account/security/passkeys/question",
    ] {
        let without = browser.post(question, "").await;
        assert_eq!(without.status, 403, "{question}");
        let foreign = [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")];
        let body = encoded(&[("form_token", &token)]);
        assert_eq!(browser.send("POST", question, &foreign, &body).await.status, 403, "{question}");
    }
    let nobody = place.browser().get("/account/security/passkeys/accepted").await;
    assert_eq!(nobody.status, 303);
}

#[tokio::test]
async fn where_there_are_no_passkeys_no_page_speaks_of_them() {
    let place = Place::with(TestOptions { passkeys: None, ..TestOptions::default() }).await;
    place.member("ada").await;
    let mut browser = place.browser_of("ada").await;
    for path in ["/account/security", "/account/prove", "/account"] {
        let page = browser.get(path).await.text();
        assert!(!page.contains("asskey"), "{path}: {page}");
    }
    assert!(!place.browser().get("/sign-in").await.text().contains("asskey"));
    assert_eq!(browser.get(ADD).await.status, 404);
}

#[tokio::test]
async fn the_way_that_was_taken_last_is_marked() {
    let place = Place::new().await;
    place.member("ada").await;
    let mut browser = place.browser();
    assert!(!browser.get("/sign-in").await.text().contains("last used"));
    browser.submit("/sign-in", &[("login", "ada"), ("password", PASSWORD)]).await;
    assert_eq!(browser.cookies["__Host-userd_last_way"], "password", "the way, and nobody's name");
    browser.submit_from("/account", "/sign-out", &[]).await;
    assert!(browser.get("/sign-in").await.text().contains("last used"));
}
