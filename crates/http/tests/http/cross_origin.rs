//! Which routes pages of other origins may call with cookies.

use userd_web::{cors::Cors, testing::*};

use crate::app::app_with;

const OURS: &str = "https://app.example.org";
/// Where linking begins: the one answer with a cookie that pages of other origins may take.
const LINKING: &str = "/v1/me/identities/acme/start";

/// AC-126: credentials are allowed to configured origins only, and only where linking begins.
/// ASVS V3.4.2
#[tokio::test]
async fn cookies_travel_only_where_linking_begins() {
    let router = app_with(|options| options.cors = Cors::parse(&[OURS]).unwrap());
    let asked = [
        ("origin", OURS),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "authorization,content-type"),
    ];
    let preflight = ask(&router, request("OPTIONS", LINKING, &asked, "")).await;
    assert_eq!(preflight.header("access-control-allow-credentials"), "true");
    assert_eq!(preflight.header("access-control-allow-origin"), OURS, "exact, as credentials demand");
    let answer = ask(&router, request("POST", LINKING, &[("origin", OURS)], "")).await;
    assert_eq!((answer.status.as_u16(), answer.header("access-control-allow-credentials")), (401, "true"));
    for other in ["/v1/me", "/v1/me/identities", "/v1/me/identities/acme", "/v1/auth/acme/start", "/v1/auth/refresh"] {
        for answer in [
            ask(&router, request("OPTIONS", other, &asked, "")).await,
            ask(&router, request("POST", other, &[("origin", OURS)], "")).await,
        ] {
            assert_eq!(answer.header("access-control-allow-origin"), OURS);
            assert!(!answer.headers.contains_key("access-control-allow-credentials"), "{other}");
        }
    }
}
