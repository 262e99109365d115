//! What a browser gets to hold: fields that password managers know, a way out on every page, no token of the API.

use crate::{account::PAGES, admin::administered, browser::Place};

/// The `input` elements of a page whose type is `password`.
fn password_fields(html: &str) -> Vec<&str> {
    let inputs = html.split("<input").skip(1).map(|rest| rest.split('>').next().unwrap());
    inputs.filter(|input| input.contains("name=\"password\"") || input.contains("_password\"")).collect()
}

/// ASVS V6.2.6, V6.2.7
#[tokio::test]
async fn passwords_are_masked_may_be_pasted_and_are_known_to_managers() {
    let place = Place::new().await;
    place.member("ada").await;
    let (mut stranger, mut ada) = (place.browser(), place.browser_of("ada").await);
    for (signed_in, path, fields) in [
        (false, "/sign-in", &["current-password"][..]),
        (false, "/register", &["new-password"]),
        (true, "/account/prove", &["current-password"]),
        (true, "/account/security", &["current-password", "new-password"]),
    ] {
        let browser = if signed_in { &mut ada } else { &mut stranger };
        let html = browser.get(path).await.text();
        let inputs = password_fields(&html);
        assert_eq!(inputs.len(), fields.len(), "{path}: {inputs:?}");
        for (input, purpose) in inputs.into_iter().zip(fields) {
            assert!(input.contains("type=\"password\""), "{path}: {input}");
            assert!(input.contains(&format!("autocomplete=\"{purpose}\"")), "{path}: {input}");
            assert!(!input.contains("onpaste") && !input.contains("readonly"), "{path}: {input}");
            assert!(!input.contains("maxlength"), "a long one is told, not cut: {path}: {input}");
            assert!(!input.contains("value="), "{path}: {input}");
        }
    }
}

/// Scripts of a page, extensions and whoever looks over a shoulder find no token: the session is in a cookie that scripts
/// do not see.
/// ASVS V7.4.4, V10.1.1
#[tokio::test]
async fn every_page_of_a_session_has_the_way_out_and_none_a_token() {
    let (place, _, ada) = administered().await;
    let mut boss = place.browser_of("boss").await;
    let session = boss.cookies["__Host-userd_session"].clone();
    let administration = ["/admin/users".to_owned(), format!("/admin/users/{}", ada.id), "/admin/audit".to_owned()];
    for path in PAGES.iter().map(|path| (*path).to_owned()).chain(administration) {
        let page = boss.get(&path).await;
        assert_eq!(page.status, 200, "{path}");
        let html = page.text();
        assert!(html.contains("action=\"/sign-out\""), "{path}: no way out");
        for token in ["eyJ", "udr_", "udd_", session.as_str()] {
            assert!(!html.contains(token), "{path}: {token}");
        }
    }
}
