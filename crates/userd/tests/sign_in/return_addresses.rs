//! Where a sign-in may lead: the configured addresses, compared exactly. Three hundred and more that only look like
//! them are refused before anything else happens.

use std::collections::BTreeSet;

use serde_json::json;
use userd_stand_ins::{Options, oidc};

use crate::{
    browser::Browser,
    fixture::{APP, BARE_APP, Fixture, PHONE_APP, ProofKey, as_person},
    providers,
    support::{Engine, PASSWORD, TestApp},
};

/// Addresses that others have taken for `https://app.example.org/signed-in`, or that run code.
fn corpus() -> BTreeSet<String> {
    let mut corpus = BTreeSet::new();
    let hosts = [
        "app.example.org@evil.test",
        "evil.test@app.example.org",
        "user:pass@app.example.org",
        "app.example.org:443",
        "app.example.org:80",
        "app.example.org:444",
        "app.example.org.",
        "APP.example.org",
        "app.example.org.evil.test",
        "evil.test/app.example.org",
        "evil.test?app.example.org",
        "evil.test#app.example.org",
        "evil.test\\@app.example.org",
        "app.example.org\\@evil.test",
        "app.example.org%00.evil.test",
        "app.example.org%2eevil.test",
        "app.example.org%40evil.test",
        "app.example.org%2F@evil.test",
        "xn--pp-8ka.example.org",
        "app。example。org",
        "ａpp.example.org",
        "app.example.org\u{200b}",
        "\u{202e}app.example.org",
        "app.example.org\t",
        " app.example.org",
        "app.example.org\n",
        "app.example.org\r\nx: y",
        "*.example.org",
        "app.example.org%0d%0a",
        "[::1]",
        "127.0.0.1",
        "0x7f000001",
        "2130706433",
        "localhost",
        "example.org",
        "www.app.example.org",
        "app-example.org",
        "appXexample.org",
        "app.example.org:@evil.test",
        "app.example.org;evil.test",
        "app.example.org,evil.test",
        "evil.test\u{2044}app.example.org",
        "app.example.org\u{ff0f}evil.test",
        "app.example.orgevil.test",
        "evil.test%5c.app.example.org",
    ];
    for host in hosts {
        for scheme in ["https://", "http://", "//", "https:/", "https:"] {
            corpus.insert(format!("{scheme}{host}/signed-in"));
        }
    }
    let paths = [
        "/",
        "",
        "/signed-in/",
        "/signed-in?",
        "/signed-in#",
        "/signed-in?x=1",
        "/signed-in#x",
        "/signed-in/..",
        "/signed-in/.",
        "/./signed-in",
        "/x/../signed-in",
        "//signed-in",
        "/%73igned-in",
        "/signed%2din",
        "/signed-in%00",
        "/signed-in%0d%0a",
        "/signed-in%2f..%2fadmin",
        "/signed-in/%2e%2e/admin",
        "/signed-in;x",
        "/SIGNED-IN",
        "/signed-in*",
        "/*",
        "/signed-in\\..\\admin",
        "/signed-in\u{0}",
        "/signed-in ",
        " /signed-in",
        "/signed-in\n",
        "/signed-in/../../evil",
        "/other",
        "/signed-in%20",
        "/signed-in%3f",
        "\\signed-in",
        "/\\evil.test",
        "/signed-in%252f",
        "/..;/signed-in",
        "/signed-in.evil.test",
        "@evil.test/signed-in",
        ".evil.test/signed-in",
    ];
    for path in paths {
        corpus.insert(format!("https://app.example.org{path}"));
    }
    let schemes = [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\nscript:alert(1)",
        "java\tscript:alert(1)",
        "\u{1}javascript:alert(1)",
        "javascript://app.example.org/%0aalert(1)",
        "javascript:https://app.example.org/signed-in",
        "data:text/html,<script>1</script>",
        "data:text/html;base64,PHNjcmlwdD4x",
        "DATA:text/html,x",
        "vbscript:msgbox(1)",
        "file:///etc/passwd",
        "ftp://app.example.org/signed-in",
        "blob:https://app.example.org/signed-in",
        "view-source:https://app.example.org/signed-in",
        "about:blank",
        "intent://app.example.org/#Intent;end",
        "ws://app.example.org/signed-in",
        "wss://app.example.org/signed-in",
        "filesystem:https://app.example.org/x",
        "jar:https://app.example.org!/x",
        "mailto:a@app.example.org",
        "tel:1",
        "org.example.app://signed-in",
        "org.example.app:signed-in",
        "org.example.app:///signed-in",
        "org.example.APP:/signed-in",
        "org.example.app:/signed-in/",
        "org.example.app:/signed-in?x",
        "org.example.app.evil:/signed-in",
        "org.example.app:/../signed-in",
        "com.example.app:/signed-in",
        "https",
        "https:",
        "https://",
        "http://",
        "/",
        "//",
        "///",
        "\\\\evil.test",
        "/\\evil.test",
        "//evil.test",
        "///evil.test",
        "////evil.test",
        "\\/evil.test",
        "/signed-in",
        "signed-in",
        "?",
        "#",
        "",
        " ",
        "null",
        "undefined",
        "%",
        "%2f%2fevil.test",
        "%68ttps://app.example.org/signed-in",
        "https%3A%2F%2Fapp.example.org%2Fsigned-in",
        "https://app.example.org%2fsigned-in",
        "HTTPS://app.example.org/signed-in",
        "hTTps://app.example.org/signed-in",
        "https:\\\\app.example.org\\signed-in",
        "https:/\\app.example.org/signed-in",
        "https:///app.example.org/signed-in",
        "https:////app.example.org/signed-in",
        "\thttps://app.example.org/signed-in",
        "https://app.example.org/signed-in\u{a0}",
        "\u{feff}https://app.example.org/signed-in",
        "https://app.example.org/signed-in,https://evil.test",
        "https://app.example.org/signed-in https://evil.test",
        "https://app.example.org/signed-in&return_to=https://evil.test",
        "url=https://evil.test",
        "https://[app.example.org]/signed-in",
        "https://app.example.org:0443/signed-in",
        "https://app.example.org:/signed-in",
        "https://@app.example.org/signed-in",
        "https://:@app.example.org/signed-in",
        "https://a:b@evil.test:c@app.example.org/signed-in",
    ];
    corpus.extend(schemes.map(str::to_owned));
    corpus
}

on_each_engine! {
    /// AC-059: addresses with a user, wildcards, dots, encodings, other paths; compared exactly.
    /// AC-060: `javascript:`, `data:` and other schemes.
    /// ASVS V10.4.1, V3.7.2
    async fn only_the_configured_addresses_are_taken(app: TestApp) {
        let upstream = oidc::start(Options::default()).await.unwrap();
        let fixture = Fixture::open(&Fixture::address(&app), json!([providers::oidc("corp", &upstream, true)])).await;
        let member = fixture.visitor().register("wanderer@example.net", PASSWORD).await;
        let caller = fixture.visitor().with(&member);
        let corpus = corpus();
        assert!(corpus.len() >= 300, "{}", corpus.len());
        for address in &corpus {
            let answer =
                fixture.visitor().request(reqwest::Method::GET, "/v1/auth/corp/start").query(&[("return_to", address)]);
            let answer = crate::support::caller::send(answer).await.unwrap();
            let refusal = answer.refused(422, "invalid_input");
            assert_eq!(refusal["errors"][0]["pointer"], "/return_to", "{address:?}");
            assert!(answer.header("location").is_empty() && answer.header("set-cookie").is_empty(), "{address:?}");
        }
        for address in corpus.iter().step_by(7) {
            let answer = caller.post("/v1/me/identities/corp/start", json!({ "return_to": address })).await;
            answer.refused(422, "invalid_input");
        }
        // Two of them, of which the first is good: two parsers could see two.
        let twice = format!("/v1/auth/corp/start?return_to={APP}&return_to=https://evil.test/");
        assert_eq!(fixture.visitor().get(&twice).await.status, 400);
        assert!(upstream.requests().is_empty(), "the provider was not even asked where its page is");

        // The good ones, also for an app of a phone; nothing given leads to the built-in page.
        for (good, shown) in [(APP, APP), (PHONE_APP, PHONE_APP), (BARE_APP, "https://bare.example.org/")] {
            let mut browser = Browser::new();
            let pairs = [("return_to", good), ("code_challenge", &ProofKey::new().challenge)];
            let page = browser.get(&fixture.start_url("corp", &pairs)).await.location().unwrap();
            let back = browser.get(&as_person(page, "ivan")).await.location().unwrap();
            let landed = browser.get(back.as_str()).await;
            assert_eq!(landed.status, 303);
            let to = landed.location().unwrap();
            assert!(to.as_str().starts_with(&format!("{shown}?code=")), "{to}");
        }
        let mut browser = Browser::new();
        let page = browser.get(&fixture.start_url("corp", &[])).await.location().unwrap();
        let landed = browser.go(&as_person(page, "ivan")).await;
        assert!(landed.url.as_str().starts_with(&format!("{}/signed-in?code=", fixture.base)), "{}", landed.url);
        assert_eq!(landed.status, 200);
    }
}
