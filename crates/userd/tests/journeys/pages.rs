//! Every page in a real browser: what readers for the blind, narrow windows, dark rooms and strict policies meet.

use crate::support::{Engine, TestApp, all_required, script, told};

const PASSWORD: &str = "correct horse battery staple";

/// Where Chromium is, as Debian has it.
fn chromium() -> Option<String> {
    let named = told("USERD_TEST_CHROMIUM");
    let usual = || Some("/usr/bin/chromium".to_owned()).filter(|path| std::path::Path::new(path).exists());
    named.or_else(usual)
}

/// AC-116, AC-127: pages run nothing of others, load nothing from elsewhere, and axe finds nothing, for everybody who can see
/// them; forms work without scripts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_passes_in_a_browser_for_every_persona_language_scheme_and_width() {
    let Some(app) = TestApp::build(Engine::Sqlite).await else { return };
    let Some(chromium) = chromium() else {
        assert!(!all_required(), "there is no Chromium: ./test installs it");
        return;
    };
    let app = app.at_its_address();
    let replica = app.open().await;
    app.create_admin("root@example.org", PASSWORD).await;
    let usual = || concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/pages").to_owned();
    let pictures = told("USERD_TEST_PICTURES").unwrap_or_else(usual);
    // `USERD_TEST_PAGES=full`: every persona, language, scheme and width with every other, by hand.
    let product = told("USERD_TEST_PAGES").unwrap_or_default();
    let arguments = [replica.url.as_str(), "root@example.org", PASSWORD, &pictures, &chromium, &product];
    let Some(found) = script::run("pages_browser.mjs", &arguments).await else { return };
    let count = found["visited"].as_u64().unwrap();
    assert!(count > 40, "pages are no longer found: {found}");
    assert!(found["passkey_forms"].as_u64().unwrap() > 3, "forms for passkeys are no longer looked at: {found}");
    for what in ["violations", "complaints", "elsewhere", "wide"] {
        let told = found[what].as_array().unwrap();
        assert!(told.is_empty(), "{what}: {told:#?}");
    }
    let expected = [
        "registered: /account",
        "saved: /account/profile?told=saved",
        "chose: /account/preferences?told=saved",
        "left: /sign-in",
    ];
    let steps: Vec<_> =
        found["without_javascript"].as_array().unwrap().iter().filter_map(|step| step.as_str()).collect();
    assert_eq!(&steps[..4], &expected);
    assert!(steps[4].starts_with("back button: /sign-in"), "nothing of before is shown: {}", steps[4]);
    assert_eq!(steps[5], "came back: /account");
}

/// Whoever has pages of their own switches these off: what is left is the API, and the links that its mails carry.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_pages_are_switched_off_there_is_none() {
    let Some(app) = TestApp::build(Engine::Sqlite).await else { return };
    let replica = app.with("pages.enabled", "false").open().await;
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let ask = async |path: &str| {
        client
            .get(format!("{}{path}", replica.url))
            .header("accept", "text/html")
            .send()
            .await
            .unwrap()
            .status()
            .as_u16()
    };
    for path in
        ["/sign-in", "/register", "/forgot", "/account/data", "/account", "/account/emails", "/admin", "/admin/users"]
    {
        assert_eq!(ask(path).await, 404, "{path}");
    }
    assert_eq!(ask("/v1/auth/providers").await, 200);
    let link = format!("/l/udl_{}", "A".repeat(43));
    assert_eq!(ask(&link).await, 410, "links in mails are answered all the same");
}
