//! What people live through in the pages, clicked in a real browser: a newcomer's first minutes, the way from a provider to a
//! role that was asked for, passkeys.

use serde_json::json;
use userd_stand_ins::{Options, oidc};

use crate::{
    browser::Browser,
    fixture::{Fixture, as_person},
    providers,
    support::{Engine, TestApp, all_required, script, told},
};

/// AC-083, AC-127: the whole story of the service, from its first start to a decided request; nothing is asked of another host.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_story_of_the_service_is_clicked_from_the_first_start_to_a_decided_request() {
    let usual = Some("/usr/bin/chromium".to_owned()).filter(|path| std::path::Path::new(path).exists());
    let Some(chromium) = told("USERD_TEST_CHROMIUM").or(usual) else {
        assert!(!all_required(), "there is no Chromium: ./test installs it");
        return;
    };
    let Some(app) = TestApp::build(Engine::Sqlite).await else { return };
    let upstream = oidc::start(Options::default()).await.unwrap();
    let fixture = Fixture::open(&Fixture::address(&app), json!([providers::oidc("corp", &upstream, true)])).await;
    let link = fixture.replica.stderr().into_iter().find(|line| line.contains("/setup#token=")).unwrap();
    let link = link.split_whitespace().find(|word| word.starts_with("http")).unwrap().to_owned();
    roles(&fixture).await;
    let usual = || concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/pages").to_owned();
    let pictures = told("USERD_TEST_PICTURES").unwrap_or_else(usual);
    let Some(found) = script::run("pages_people.mjs", &[&link, &pictures, &chromium]).await else { return };
    println!("the newcomer's path: {} clicks, {} ms", found["newcomer_clicks"], found["newcomer_ms"]);
    assert_eq!(
        found["steps"],
        json!([
            "a newcomer became administrator, invited a person and gave them a role",
            "signed up through a provider",
            "changed the profile",
            "asked for a role",
            "the administrator approved",
            "the notification came by itself, and the badge says true",
            "read, and the badge is hidden: true",
            "the role is visible",
            "the audit log has it",
        ]),
        "{found}"
    );
    for what in ["complaints", "elsewhere", "violations", "wide"] {
        assert_eq!(found[what], json!([]), "{what}");
    }
    assert!(found["newcomer_ms"].as_u64().unwrap() < 120_000, "{found}");
}

/// Two roles: one to be given, one to be asked for. Made by the command, while nobody is administrator yet.
async fn roles(fixture: &Fixture) {
    let file = fixture.app.path("roles.yaml");
    std::fs::write(
        &file,
        "roles:\n  - name: editor\n    permissions: [users.read]\n  - name: reader\n    permissions: [users.read]\n    \
         requestable: true\n",
    )
    .unwrap();
    fixture.app.ask(&["roles", "apply", file.to_str().unwrap()]).await;
}

/// In through a provider without a script, into the page that somebody wanted; the code of the way back stays out of the
/// address that is shown in the end.
#[tokio::test]
async fn a_provider_signs_in_to_the_pages_and_leads_to_where_somebody_was_going() {
    let Some(app) = TestApp::build(Engine::Sqlite).await else { return };
    let upstream = oidc::start(Options::default()).await.unwrap();
    let fixture = Fixture::open(&Fixture::address(&app), json!([providers::oidc("corp", &upstream, true)])).await;
    let mut browser = Browser::new();
    let page = browser.go(&format!("{}/account/devices", fixture.base)).await;
    assert_eq!((page.url.path(), page.url.query()), ("/sign-in", Some("next=%2Faccount%2Fdevices")));
    let way = page.text.split('"').find(|part| part.starts_with("/sign-in/with/corp")).unwrap().replace("&amp;", "&");
    let provider = browser.get(&format!("{}{way}", fixture.base)).await.location().unwrap();
    let landed = browser.go(&as_person(provider.clone(), "ivan")).await;
    assert_eq!(
        (landed.status, landed.url.path(), landed.url.query()),
        (200, "/account/devices", None),
        "{}",
        landed.text
    );
    let page = browser.go(&format!("{}/account/linked", fixture.base)).await;
    assert!(page.text.contains("<strong>Single sign-on</strong>"), "{}", page.text);
    let kept = browser.cookies_for(&fixture.base);
    assert!(kept.contains("__Host-userd_last_way=with-corp") && !kept.contains("userd_way="), "{kept}");

    // Whoever declines is told so on the sign-in page, and nobody is in.
    let mut other = Browser::new();
    let provider = other.get(&format!("{}/sign-in/with/corp", fixture.base)).await.location().unwrap();
    let refused = other.go(&as_person(provider, "deny")).await;
    assert!(refused.text.contains("role=\"alert\""), "{}", refused.text);
    assert!(!other.cookies_for(&fixture.base).contains("userd_session="));
}
