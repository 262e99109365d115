//! What the scripts of pages do, in a real browser: passkeys with Chromium's virtual authenticator, and the inbox as it fills.

use std::{path::Path, time::Duration};

use serde_json::{Value, json};
use userd_passkeys::RelyingParty;
use userd_services::testing::TestOptions;
use userd_test_support::told;

use crate::browser::Place;

pub const CLIENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/clients");

/// Node with the packages of the clients, and Chromium; none where they are not at hand and need not be.
pub fn programs() -> Option<String> {
    let usual = Some("/usr/bin/chromium".to_owned()).filter(|path| Path::new(path).exists());
    let chromium = told("USERD_TEST_CHROMIUM").or(usual).filter(|_| told("USERD_TEST_NODE_MODULES").is_some());
    assert!(chromium.is_some() || told("USERD_TEST_REQUIRE_ALL").is_none(), "./test installs Chromium and packages");
    chromium
}

/// The pages at an address of their own; what happens is told to inboxes as in the service.
async fn serve() -> (Place, String) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let party = RelyingParty::at(&address.parse().unwrap()).unwrap();
    let passkeys = userd_passkeys::of(&party).ok();
    let place = Place::with(TestOptions { passkeys, ..TestOptions::default() }).await;
    let (router, services) = (place.router.clone(), std::sync::Arc::clone(&place.app.services));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    tokio::spawn(async move {
        loop {
            services.event_log.tick().await.unwrap();
            services.deliveries.tick().await.unwrap();
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    (place, address)
}

/// AC-127: nothing is asked of another host, and nothing breaks the content policy.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn passkeys_and_the_inbox_work_in_a_browser() {
    let Some(chromium) = programs() else { return };
    let (_place, address) = serve().await;
    let usual = || concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/pages").to_owned();
    let pictures = told("USERD_TEST_PICTURES").unwrap_or_else(usual);
    let mut node = tokio::process::Command::new("node");
    node.current_dir(CLIENTS).args(["pages_passkeys.mjs", &address, &pictures, &chromium]).kill_on_drop(true);
    let output = node.output().await.unwrap();
    let (text, complaint) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{text}\n{complaint}");
    let found: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(
        found["steps"],
        json!([
            "a notification came by itself, and the badge says true",
            "read, and the badge is hidden: true",
            "unsaved changes are asked about: true",
            "offered after the password, and made: 1",
            "the passkey was the second factor",
            "the login's field filled it in",
            "and it was the fresher proof",
            "removed",
        ]),
        "{found}"
    );
    for what in ["complaints", "elsewhere", "violations", "wide"] {
        assert_eq!(found[what], json!([]), "{what}");
    }
    let signals = found["signals"].to_string();
    for must in [
        "signalAllAcceptedCredentials /account allAcceptedCredentialIds,rpId,userId",
        "signalAllAcceptedCredentials /account/security allAcceptedCredentialIds,rpId,userId",
        "signalCurrentUserDetails /account/security displayName,name,rpId,userId",
    ] {
        assert!(signals.contains(must), "{must}: {signals}");
    }
}
