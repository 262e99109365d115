//! An authenticator app in the pages, with codes that are right.

use userd_crypto::{TotpSecret, Zeroizing};
use userd_model::Document;
use userd_services::{
    accounts::Registration,
    passwords::Password,
    testing::{TestOptions, settings},
};

use crate::{
    admin::{administered, requests::ask},
    browser::{PASSWORD, Place, form_of},
};

const APP: &str = "/account/security/app";
const STEP: &str = "/sign-in/step";

/// What an app makes of the key that a page shows for typing.
pub fn app(page: &str) -> TotpSecret {
    let text = page.split("<code>").nth(1).unwrap().split('<').next().unwrap();
    let letters = text.chars().filter(|letter| letter.is_ascii_alphanumeric());
    let bits: String =
        letters.map(|letter| format!("{:05b}", "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".find(letter).unwrap())).collect();
    let bytes = bits.as_bytes().chunks_exact(8).map(|eight| std::str::from_utf8(eight).unwrap());
    TotpSecret::from_bytes(Zeroizing::new(bytes.map(|eight| u8::from_str_radix(eight, 2).unwrap()).collect()))
}

#[tokio::test]
async fn an_app_is_set_up_by_its_first_code_and_asked_for_at_the_next_sign_in() {
    let place = Place::new().await;
    place.member("ada").await;
    let mut browser = place.browser_of("ada").await;
    let page = browser.get(APP).await.text();
    let (phone, at) = (app(&page), page.find("name=\"id\" value=\"").unwrap() + 17);
    let id = page[at..].split('"').next().unwrap().to_owned();
    let token = form_of(&page, APP)[0].1.clone();
    let now = || place.services().deps.now();
    let confirmed = browser.post(APP, &format!("form_token={token}&id={id}&code={}", phone.code(now()))).await;
    assert_eq!(confirmed.status, 200, "{}", confirmed.text());
    let codes = confirmed.text();
    assert!(codes.contains("recovery codes"), "{codes}");
    assert_eq!(codes.matches("<li><code>").count(), 10, "{codes}");

    let mut next = place.browser();
    let asked = next.submit("/sign-in", &[("login", "ada"), ("password", PASSWORD)]).await;
    assert_eq!(asked.header("location"), "/sign-in/step?next=%2Faccount");
    assert_eq!(next.submit(STEP, &[("code", &phone.code(now()))]).await.status, 422, "used already");
    place.app.clock.advance(std::time::Duration::from_secs(60));
    let answer = next.submit(STEP, &[("code", &phone.code(now()))]).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/account"), "{}", answer.text());

    // A fresh proof by the app, and a recovery code in its place.
    place.app.clock.advance(std::time::Duration::from_secs(3600));
    let proven = next.submit("/account/prove", &[("code", &phone.code(now()))]).await;
    assert_eq!(proven.header("location"), "/account", "{}", proven.text());
    let mut paper = place.browser();
    paper.submit("/sign-in", &[("login", "ada"), ("password", PASSWORD)]).await;
    let code = codes.split("<li><code>").nth(1).unwrap().split('<').next().unwrap();
    assert_eq!(paper.submit(STEP, &[("code", code)]).await.header("location"), "/account");
    assert!(next.get("/account/security").await.text().contains("9 codes left"));

    // Others in their place: shown once too.
    let renewed = next.submit_from("/account/security", "/account/security/recovery-codes", &[]).await;
    assert_eq!((renewed.status.as_u16(), renewed.header("cache-control")), (200, "no-store"), "{}", renewed.text());
    assert_eq!(renewed.text().matches("<li><code>").count(), 10, "{}", renewed.text());
    assert!(next.get("/account/security").await.text().contains("10 codes left"));
}

/// The codes replace the app when it is lost: they are shown here or never.
#[tokio::test]
async fn recovery_codes_are_shown_also_where_another_step_comes_after_the_app() {
    let url = "https://example.org/terms".to_owned();
    let terms = Document { id: "terms".to_owned(), version: "1".to_owned(), url, required: true };
    let place = demanding(vec![terms]).await;
    let services = place.services();
    let mut browser = place.browser();
    let from = "/sign-in?next=%2Fadmin%2Fusers";
    let asked = browser.submit_from(from, "/sign-in", &[("login", "root"), ("password", PASSWORD)]).await;
    let step = asked.header("location").to_owned();
    assert_eq!(step, "/sign-in/step?next=%2Fadmin%2Fusers");
    let page = browser.get(&step).await.text();
    let code = app(&page).code(services.deps.now());
    let token = form_of(&page, STEP)[0].1.clone();
    let body = format!("form_token={token}&next=%2Fadmin%2Fusers&code={code}");
    let codes = browser.post(STEP, &body).await;
    assert_eq!((codes.status.as_u16(), codes.header("cache-control")), (200, "no-store"), "{}", codes.text());
    assert_eq!(codes.text().matches("<li><code>").count(), 10, "{}", codes.text());
    assert!(codes.text().contains("href=\"/sign-in/step?next=%2Fadmin%2Fusers\""), "on to the step: {}", codes.text());
    assert!(!browser.cookies.contains_key("__Host-userd_session"), "nobody is in yet");
    assert!(browser.get(&step).await.text().contains("Please read and accept"));
    let answer = browser.submit_from(&step, STEP, &[("accept-terms", "yes")]).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/admin/users"), "{}", answer.text());
}

/// A place whose administrators need a second factor, and one who holds none yet.
async fn demanding(documents: Vec<Document>) -> Place {
    let mut settings = settings();
    settings.documents = documents;
    settings.mfa.required_for = vec!["admin".to_owned()];
    let place = Place::with(TestOptions { settings, ..TestOptions::default() }).await;
    let services = place.services();
    let root =
        Registration { username: Some("root".to_owned()), ..Registration::with(Password::new(PASSWORD.to_owned())) };
    services.setup.create_administrator(&services.operator_context(), root).await.unwrap();
    place
}

/// Of an account one key waits at a time: the second sign-in's takes the place of the first's.
#[tokio::test]
async fn a_sign_in_whose_key_another_has_replaced_is_shown_a_new_one() {
    let place = demanding(Vec::new()).await;
    let (mut first, mut second) = (place.browser(), place.browser());
    let mut pages = Vec::new();
    for browser in [&mut first, &mut second] {
        browser.submit("/sign-in", &[("login", "root"), ("password", PASSWORD)]).await;
        pages.push(browser.get(STEP).await.text());
    }
    let send = |page: &str| {
        let token = form_of(page, STEP)[0].1.clone();
        format!("form_token={token}&next=%2Faccount&code={}", app(page).code(place.services().deps.now()))
    };
    let replaced = first.post(STEP, &send(&pages[0])).await;
    let page = replaced.text();
    assert_eq!(replaced.status, 422, "{page}");
    assert!(page.contains("scan this new picture") && page.contains("<svg"), "{page}");
    assert_ne!(*app(&page).base32(), *app(&pages[0]).base32());
    let done = first.post(STEP, &send(&page)).await;
    assert_eq!(done.text().matches("<li><code>").count(), 10, "{}", done.text());
}

/// Whoever has just set a factor up has not shown it yet: it is asked for before a form is filled in, not after.
#[tokio::test]
async fn a_factor_is_asked_for_before_a_form_of_administration_is_filled_in() {
    let (place, _, ada) = administered().await;
    let mut browser = place.browser_of("boss").await;
    let webhook = [("url", "https://shop.example/hooks"), ("events", "*")];
    assert_eq!(browser.submit("/admin/webhooks/make", &webhook).await.status, 200);
    let list = browser.get("/admin/webhooks").await.text();
    let webhook =
        list.split('"').find(|part| part.starts_with("/admin/webhooks/") && part.len() > 40).unwrap().to_owned();
    let request = ask(&place, &ada, "I write the news now").await;
    let comment = "name=\"comment\"";
    assert!(browser.get(&request).await.text().contains(comment));
    let page = browser.get(APP).await.text();
    let phone = app(&page);
    let mut body = url::form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(form_of(&page, APP)).append_pair("code", &phone.code(place.services().deps.now()));
    assert_eq!(browser.post(APP, &body.finish()).await.status, 200);
    let to_the_proof = |way: &str, path: &str| format!("/account/prove?{way}next={}", path.replace('/', "%2F"));
    for path in [
        "/admin/clients/make".to_owned(),
        "/admin/webhooks/make".to_owned(),
        format!("{webhook}/change"),
        "/admin/invitations/make".to_owned(),
        "/admin/permissions/register".to_owned(),
        "/admin/users/+make".to_owned(),
        format!("/admin/users/{}/grants/give", ada.id),
        format!("/admin/users/{}/acts/block", ada.id),
    ] {
        let asked = browser.get(&path).await;
        assert_eq!(asked.header("location"), to_the_proof("", &path).replace('+', "%2B"), "{path}: {}", asked.text());
    }
    let page = browser.get(&request).await.text();
    assert!(page.contains("I write the news now") && !page.contains(comment), "reading is free: {page}");
    assert!(page.contains(&format!("href=\"{}\"", to_the_proof("", &request))), "{page}");
    // What is done at once, without anything to fill in.
    for act in ["test", "switch"] {
        let tried = browser.submit_from(&webhook, &format!("{webhook}/{act}"), &[("to", "off")]).await;
        assert_eq!(tried.header("location"), to_the_proof("told=unsent&", &webhook), "{act}: {}", tried.text());
    }
    place.app.clock.advance(std::time::Duration::from_secs(60));
    let (asked, code) = (to_the_proof("", "/admin/invitations/make"), phone.code(place.services().deps.now()));
    let proven = browser.submit_from(&asked, "/account/prove", &[("password", PASSWORD), ("code", &code)]).await;
    assert_eq!(proven.header("location"), "/admin/invitations/make", "{}", proven.text());
    let made = browser.submit("/admin/invitations/make", &[("uses", "2")]).await;
    assert!(made.text().contains("register?invitation="), "{}", made.text());
    assert!(browser.get(&request).await.text().contains(comment));
}
