//! An authenticator app in the pages, with codes that are right.

use userd_crypto::{TotpSecret, Zeroizing};

use crate::browser::{PASSWORD, Place};

const APP: &str = "/account/security/app";
const STEP: &str = "/sign-in/step";

/// What an app makes of the key that a page shows for typing.
fn app(page: &str) -> TotpSecret {
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
    let token = crate::browser::form_of(&page, APP)[0].1.clone();
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
}
