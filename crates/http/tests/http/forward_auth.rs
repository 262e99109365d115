//! Forward authentication from outside: what a proxy is answered, how a browser signs in at another host, and what does
//! not work for whoever would like to be somebody else there.

use std::{sync::Arc, time::Duration};

use axum::Router;
use url::Url;
use userd_http::Api;
use userd_model::{GrantKind, UserId};
use userd_services::{
    Context, Services, SignedIn,
    accounts::Registration,
    passwords::Password,
    roles::GrantInput,
    sign_in::ForwardHost,
    testing::{TestApp, TestOptions, settings, test_app},
};
use userd_web::{
    client_address::TrustedProxies,
    testing::{Answer, ask, request},
};

use super::{
    app::{access_token_with, api_with},
    sign_in_log::Memory,
};

const APP: &str = "app.example.org";
const OTHER: &str = "other.example.org:8443";
const PAGE: (&str, &str) = ("accept", "text/html,*/*;q=0.8");

struct Site {
    app: TestApp,
    router: Router,
}

/// Somebody who has signed in on userd's own pages.
struct Person {
    id: UserId,
    ctx: Context,
    token: String,
}

impl Site {
    async fn new() -> Self {
        Self::behind(&["0.0.0.0/0"]).await
    }

    async fn behind(proxies: &[&str]) -> Self {
        let mut settings = settings();
        settings.sign_in.forward_auth = [APP, OTHER].map(|host| ForwardHost::at(format!("https://{host}"))).into();
        let store = Arc::new(userd_storage::testing::memory_store().await.unwrap());
        let app = test_app(store, TestOptions { settings, ..TestOptions::default() }).await.unwrap();
        let trusted = TrustedProxies::parse(proxies).unwrap();
        let api = Api { services: Arc::clone(&app.services), ..api_with(|options| options.trusted_proxies = trusted) };
        Self { router: userd_http::router::build(Arc::new(api)).unwrap(), app }
    }

    fn services(&self) -> &Services {
        &self.app.services
    }

    async fn person(&self, name: &str) -> Person {
        let registration = Registration {
            username: Some(name.to_owned()),
            ..Registration::with(Password::new("correct horse battery staple".to_owned()))
        };
        let made = self.services().accounts.register(&self.services().context(), registration, None).await.unwrap();
        let SignedIn { user, tokens } = made.signed_in().unwrap();
        let seen = self.services().authenticate(&tokens.access_token).await.unwrap();
        Person { id: user.id, ctx: self.services().context().authenticated(seen), token: tokens.access_token }
    }

    /// A request that the proxy in front of `host` passes on, or asks about.
    async fn at(&self, host: &str, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut all = vec![("x-forwarded-host", host), ("x-forwarded-proto", "https")];
        all.extend_from_slice(headers);
        ask(&self.router, request(method, path, &all, "")).await
    }

    async fn asked(&self, host: &str, query: &str, headers: &[(&str, &str)]) -> Answer {
        self.at(host, "GET", &format!("/v1/forward-auth{query}"), headers).await
    }

    /// A sign-in begins at the host: the cookie that binds it, and the address on userd's pages.
    async fn begins(&self, host: &str, to: &str) -> (String, Url) {
        let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("to", to).finish();
        let begun = self.at(host, "GET", &format!("/_userd/start?{query}"), &[]).await;
        assert_eq!(begun.status, 303, "{}", begun.text());
        (cookie(&begun, "__Host-userd_return"), begun.header("location").parse().unwrap())
    }

    /// What userd's page sends the person back with.
    async fn code(&self, who: &Person, page: &Url) -> String {
        let of = |name: &str| page.query_pairs().find(|(known, _)| known == name).unwrap().1.into_owned();
        let sign_in = &self.services().sign_in;
        sign_in.code_for_app(&who.ctx, &of("return_to"), &of("code_challenge")).await.unwrap()
    }

    async fn comes_back(&self, host: &str, code: &str, cookies: &str) -> Answer {
        self.at(host, "GET", &format!("/_userd/callback?code={code}"), &[("cookie", cookies), PAGE]).await
    }

    /// The whole way, to the cookie of the host.
    async fn signed_in(&self, host: &str, who: &Person) -> String {
        let (kept, page) = self.begins(host, "/reports?year=2026").await;
        let code = self.code(who, &page).await;
        let back = self.comes_back(host, &code, &kept).await;
        assert_eq!(back.status, 303, "{}", back.text());
        assert_eq!(back.header("location"), format!("https://{host}/reports?year=2026"));
        cookie(&back, "__Host-userd_access")
    }
}

/// A cookie of the answer as it is sent back. Each is of this host alone.
fn cookie(answer: &Answer, name: &str) -> String {
    let set = answer.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap());
    let set = set.into_iter().find(|set| set.starts_with(&format!("{name}="))).expect(name);
    for must in ["Path=/", "Secure", "HttpOnly", "SameSite=Lax"] {
        assert!(set.split("; ").any(|part| part == must), "{set} has no {must}");
    }
    assert!(!set.contains("Domain"), "{set}");
    set.split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_person_signs_in_at_another_host_and_the_service_behind_its_proxy_learns_who_it_is() {
    let site = Site::new().await;
    let ada = site.person("ada").await;
    let headers = [PAGE, ("x-forwarded-uri", "/reports?year=2026&x=1"), ("x-forwarded-method", "GET")];
    let sent = site.asked(APP, "", &headers).await;
    let start = "https://app.example.org/_userd/start?to=%2Freports%3Fyear%3D2026%26x%3D1";
    assert_eq!((sent.status.as_u16(), sent.header("location")), (303, start));
    // nginx takes no redirect for an answer, so it is told with a 401.
    let sent = site.asked(APP, "?redirect_status=401", &headers).await;
    assert_eq!((sent.status.as_u16(), sent.header("location")), (401, start));

    let held = site.signed_in(APP, &ada).await;
    let known = site.asked(APP, "", &[("cookie", &held)]).await;
    assert_eq!((known.status.as_u16(), known.header("cache-control")), (200, "no-store"));
    let id = ada.id.to_string();
    assert_eq!((known.header("x-userd-user"), known.header("x-userd-username")), (id.as_str(), "ada"));
    assert_eq!(known.header("x-userd-acr"), "aal1");
    // What is not known is said too: a proxy that copies it leaves nothing of what the client sent.
    for name in ["x-userd-email", "x-userd-client", "x-userd-roles"] {
        assert!(known.headers.contains_key(name) && known.header(name).is_empty(), "{name}");
    }
    // Its session is one of the account's, and ends as all others do.
    let sessions = site.services().sessions.list(&ada.ctx, ada.id, None, 50).await.unwrap();
    assert!(sessions.iter().any(|session| session.device_name.as_deref() == Some(APP)));
    let out = site.at(APP, "POST", "/_userd/sign-out", &[("cookie", &held)]).await;
    assert_eq!((out.status.as_u16(), out.header("location")), (303, "http://127.0.0.1:8080"));
    assert_eq!(site.asked(APP, "", &[("cookie", &held)]).await.status, 401);
}

#[tokio::test]
async fn a_bearer_token_passes_for_its_audience_alone_and_names_who_it_is() {
    let site = Site::new().await;
    let ada = site.person("ada").await;
    let bearer = format!("Bearer {}", ada.token);
    let known = site.asked(APP, "", &[("authorization", &bearer)]).await;
    assert_eq!((known.status.as_u16(), known.header("x-userd-user")), (200, ada.id.to_string().as_str()));
    let other = site.asked(APP, "?audience=https://orders.example", &[("authorization", &bearer)]).await;
    assert_eq!(other.status, 401, "a token for userd is none for a service behind the proxy");
    let nobody = site.asked(APP, "?audience=nobody", &[("authorization", &bearer)]).await;
    assert_eq!(nobody.slug(), "invalid_target");
    let machine = format!("Bearer {}", access_token_with(site.services(), "users.read").await);
    let known = site.asked(APP, "?permission=users.read", &[("authorization", &machine)]).await;
    assert_eq!((known.status.as_u16(), known.header("x-userd-user")), (200, ""));
    assert!(!known.header("x-userd-client").is_empty());
    // A bad token is not made good by a good cookie, and nobody is sent to sign in for it.
    let held = site.signed_in(APP, &ada).await;
    let both = site.asked(APP, "", &[("authorization", "Bearer nonsense"), ("cookie", &held)]).await;
    assert_eq!(both.status, 401);
}

#[tokio::test]
async fn what_a_route_asks_for_is_held_by_whoever_passes() {
    let site = Site::new().await;
    let ada = site.person("ada").await;
    let held = site.signed_in(APP, &ada).await;
    let cookie = [("cookie", held.as_str()), PAGE];
    assert_eq!(site.asked(APP, "?role=admin", &cookie).await.status, 403);
    let (services, input) = (site.services(), GrantInput::default());
    let operator = services.operator_context();
    services.grants.grant(&operator, ada.id, GrantKind::Role, "admin", &input).await.unwrap();
    for (query, status) in [
        ("?role=admin", 200),
        ("?role=staff", 403),
        ("?permission=users.read", 200),
        ("?permission=orders.read", 403),
        ("?role=admin&permission=orders.read", 403),
        ("?permission=No%20Permission", 400),
        ("?redirect_status=200", 400),
        ("?rôle=admin", 400),
    ] {
        let answer = site.asked(APP, query, &cookie).await;
        assert_eq!(answer.status, status, "{query}: {}", answer.text());
        assert_eq!(answer.header("x-userd-roles"), if status == 200 { "admin" } else { "" }, "{query}");
    }
}

/// No other site is led to, wherever the address to go back to is written.
#[tokio::test]
async fn nobody_is_led_to_another_site_on_the_way() {
    let site = Site::new().await;
    let ada = site.person("ada").await;
    for to in ["//evil.example", "https://evil.example", "/\\evil.example", "/_userd/start?to=/", "/\r\nX: y", "", "x"]
    {
        let (kept, page) = site.begins(APP, to).await;
        let code = site.code(&ada, &page).await;
        let back = site.comes_back(APP, &code, &kept).await;
        assert_eq!(back.header("location"), "https://app.example.org/", "{to}");
        let sent = site.asked(APP, "", &[PAGE, ("x-forwarded-uri", to.split('\r').next().unwrap())]).await;
        let start = sent.header("location");
        assert!(start.starts_with("https://app.example.org/_userd/start?to=%2F") && !start.contains("evil"), "{start}");
    }
    // A cookie that somebody else wrote leads nowhere else either.
    let (kept, page) = site.begins(APP, "/").await;
    let code = site.code(&ada, &page).await;
    let forged = kept.replace("to=%2F", "to=https%3A%2F%2Fevil.example");
    assert_eq!(site.comes_back(APP, &code, &forged).await.header("location"), "https://app.example.org/");
}

#[tokio::test]
async fn only_a_trusted_proxy_says_which_host_it_is_and_only_configured_hosts_are_served() {
    let site = Site::new().await;
    let ada = site.person("ada").await;
    let held = site.signed_in(APP, &ada).await;
    let cookie = [("cookie", held.as_str())];
    for host in ["evil.example", "app.example.org.evil.example", "app.example.org:443", "app.example.org, x", ""] {
        assert_eq!(site.asked(host, "", &cookie).await.slug(), "forbidden", "{host}");
        assert_eq!(site.at(host, "GET", "/_userd/start", &[]).await.slug(), "forbidden", "{host}");
    }
    let twice = [("cookie", held.as_str()), ("x-forwarded-host", OTHER)];
    assert_eq!(site.asked(APP, "", &twice).await.slug(), "forbidden");
    assert_eq!(ask(&site.router, request("GET", "/v1/forward-auth", &cookie, "")).await.slug(), "forbidden");
    // Somebody who talks to userd without the proxy.
    let direct = Site::behind(&["10.0.0.0/8"]).await;
    for path in ["/v1/forward-auth", "/_userd/start", "/_userd/callback"] {
        assert_eq!(direct.at(APP, "GET", path, &[]).await.slug(), "forbidden", "{path}");
    }
}

/// A host that is missing in the configuration is the mistake of whoever configured the proxy.
#[tokio::test]
async fn a_host_that_is_not_configured_is_said_aloud_once() {
    let site = Site::new().await;
    let log = Memory::default();
    let subscriber = tracing_subscriber::fmt().with_writer(log.clone()).finish();
    let _listening = tracing::subscriber::set_default(subscriber);
    for host in ["wiki.example.org", "WIKI.example.org", "wiki.example.org"] {
        assert_eq!(site.asked(host, "", &[]).await.slug(), "forbidden");
    }
    let told = log.text();
    assert_eq!(told.matches("wiki.example.org").count(), 1, "{told}");
    assert!(told.contains("WARN") && told.contains("sign_in.forward_auth"), "{told}");
    // A name for each request of somebody who makes them up.
    for n in 0..100 {
        site.asked(&format!("made-up-{n}.example"), "", &[]).await;
    }
    assert!(log.text().matches("made-up-").count() <= 32);
}

#[tokio::test]
async fn an_audience_that_there_is_none_of_is_refused_whoever_asks() {
    let site = Site::new().await;
    let ada = site.person("ada").await;
    let held = site.signed_in(APP, &ada).await;
    let answer = site.asked(APP, "?audience=zzz", &[("cookie", &held)]).await;
    assert_eq!((answer.status.as_u16(), answer.slug().as_str()), (422, "invalid_target"));
    // A browser that nobody is signed in in is shown it, and not led to a sign-in that would not help.
    let page = site.asked(APP, "?audience=zzz", &[PAGE]).await;
    assert!(page.status == 422 && page.text().contains("invalid_target"), "{}", page.text());
    assert_eq!(site.asked(APP, "?audience=https://orders.example", &[("cookie", &held)]).await.status, 200);
}

/// A form of another site brings no cookie; what it is answered would take this browser's away.
#[tokio::test]
async fn another_site_signs_nobody_out_of_a_host() {
    let site = Site::new().await;
    let ada = site.person("ada").await;
    let held = site.signed_in(APP, &ada).await;
    for elsewhere in [
        ("origin", "https://evil.example"),
        ("origin", "http://app.example.org"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        let out = site.at(APP, "POST", "/_userd/sign-out", &[elsewhere]).await;
        assert_eq!((out.status.as_u16(), out.slug().as_str()), (403, "cross_site"), "{elsewhere:?}");
        assert!(!out.headers.contains_key("set-cookie"), "{elsewhere:?}");
    }
    assert_eq!(site.asked(APP, "", &[("cookie", &held)]).await.status, 200);
    let own = [("cookie", held.as_str()), ("origin", "https://app.example.org"), ("sec-fetch-site", "same-origin")];
    assert_eq!(site.at(APP, "POST", "/_userd/sign-out", &own).await.status, 303);
    assert_eq!(site.asked(APP, "", &[("cookie", &held)]).await.status, 401);
}

/// The cookie of a host is good at that host, for forward-auth and nothing else; no other secret is good there.
#[tokio::test]
async fn a_cookie_of_one_host_opens_nothing_at_another_nor_here() {
    let site = Site::new().await;
    let ada = site.person("ada").await;
    let held = site.signed_in(APP, &ada).await;
    let secret = held.split_once('=').unwrap().1;
    assert_eq!(site.asked(OTHER, "", &[("cookie", &held)]).await.status, 401);
    assert!(site.services().authenticate_browser(site.services().context(), secret).await.is_err());
    assert!(site.services().authenticate(secret).await.is_err());
    assert!(site.services().sessions.refresh(&site.services().context(), secret).await.is_err());
    // Two cookies of one name are nobody's, a changed one is none.
    let twice = format!("{held}; {held}");
    assert_eq!(site.asked(APP, "", &[("cookie", &twice)]).await.status, 401);
    let other = if held.as_bytes()[60] == b'x' { "y" } else { "x" };
    let changed = format!("{}{other}{}", &held[..60], &held[61..]);
    assert_eq!(site.asked(APP, "", &[("cookie", &changed)]).await.status, 401);
    // What somebody in the middle of the way might try with the code of another host.
    let (kept, page) = site.begins(APP, "/").await;
    let code = site.code(&ada, &page).await;
    assert_eq!(site.comes_back(OTHER, &code, &kept).await.status.as_u16(), 422);
}

/// A code for a host makes no tokens, also for whoever holds its proof key: the service behind the proxy could be it.
#[tokio::test]
async fn a_code_for_a_host_is_exchanged_for_tokens_nowhere() {
    let site = Site::new().await;
    let ada = site.person("ada").await;
    let (kept, page) = site.begins(APP, "/").await;
    let code = site.code(&ada, &page).await;
    let verifier = userd_web::cookies::field(kept.split_once('=').unwrap().1, "verifier").unwrap();
    let ctx = site.services().context();
    assert!(site.services().sign_in.exchange(&ctx, &code, Some(&verifier), None).await.is_err());
    // And one for an application begins no session of a host.
    let challenge = userd_providers::pkce_challenge(&verifier);
    let app = "https://app.example/done";
    let code = site.services().sign_in.code_for_app(&ada.ctx, app, &challenge).await.unwrap();
    assert_eq!(site.comes_back(APP, &code, &kept).await.status.as_u16(), 422);
}

/// Whoever lures a browser to the callback with a code of their own signs it in as nobody.
#[tokio::test]
async fn a_callback_that_this_browser_did_not_ask_for_signs_nobody_in() {
    let site = Site::new().await;
    let (mallory, ada) = (site.person("mallory").await, site.person("ada").await);
    let (kept, page) = site.begins(APP, "/").await;
    let code = site.code(&mallory, &page).await;
    let lured = site.comes_back(APP, &code, "").await;
    assert_eq!((lured.status.as_u16(), lured.header("location")), (303, "https://app.example.org/"));
    assert!(!lured.headers.contains_key("set-cookie"));
    let (of_ada, _) = site.begins(APP, "/").await;
    let lured = site.comes_back(APP, &code, &of_ada).await;
    assert_eq!((lured.status.as_u16(), lured.headers.contains_key("set-cookie")), (422, false));
    // Shown in vain, a code is used up; and one that was used ends what it began.
    assert_eq!(site.comes_back(APP, &code, &kept).await.status.as_u16(), 422);
    let (kept, page) = site.begins(APP, "/").await;
    let code = site.code(&ada, &page).await;
    let held = cookie(&site.comes_back(APP, &code, &kept).await, "__Host-userd_access");
    assert_eq!(site.asked(APP, "", &[("cookie", &held)]).await.status, 200);
    assert_eq!(site.comes_back(APP, &code, &kept).await.status.as_u16(), 422);
    assert_eq!(site.asked(APP, "", &[("cookie", &held)]).await.status, 401);
}

#[tokio::test]
async fn whoever_is_blocked_or_signed_out_everywhere_is_out_at_the_next_request() {
    let site = Site::new().await;
    let services = site.services();
    let ada = site.person("ada").await;
    let held = site.signed_in(APP, &ada).await;
    services.sessions.end_all(&ada.ctx, ada.id, None).await.unwrap();
    assert_eq!(site.asked(APP, "", &[("cookie", &held)]).await.status, 401);
    let bearer = format!("Bearer {}", ada.token);
    assert_eq!(site.asked(APP, "", &[("authorization", &bearer)]).await.status, 401);
    // Signing in again replaces the session of that browser, and leaves one.
    let bob = site.person("bob").await;
    let first = site.signed_in(APP, &bob).await;
    let (kept, page) = site.begins(APP, "/").await;
    let code = site.code(&bob, &page).await;
    let second = site.comes_back(APP, &code, &format!("{kept}; {first}")).await;
    let second = cookie(&second, "__Host-userd_access");
    assert_eq!(site.asked(APP, "", &[("cookie", &first)]).await.status, 401);
    assert_eq!(site.asked(APP, "", &[("cookie", &second)]).await.status, 200);
    let admin = services.operator_context();
    services.users.block(&admin, bob.id).await.unwrap();
    assert_eq!(site.asked(APP, "", &[("cookie", &second)]).await.status, 401);
}

/// A proxy that asks by the method of the request asks by HEAD too: it hears who it is, and the session is as old as before. (fault 13)
/// ASVS V3.5.3
#[tokio::test]
async fn a_proxy_that_asks_by_head_prolongs_nothing() {
    let site = Site::new().await;
    let ada = site.person("ada").await;
    let held = site.signed_in(APP, &ada).await;
    let cookie = [("cookie", held.as_str()), PAGE];
    let seen = async || {
        let sessions = site.services().sessions.list(&ada.ctx, ada.id, None, 50).await.unwrap();
        let of_host = sessions.into_iter().find(|session| session.device_name.as_deref() == Some(APP));
        of_host.unwrap().last_seen_at
    };
    let before = seen().await;
    site.app.clock.advance(Duration::from_secs(301));
    let head = site.at(APP, "HEAD", "/v1/forward-auth", &cookie).await;
    assert_eq!((head.status.as_u16(), head.header("x-userd-username")), (200, "ada"));
    assert_eq!(site.at(APP, "HEAD", "/v1/forward-auth?role=admin", &cookie).await.status, 403);
    assert_eq!(seen().await, before);
    assert_eq!(site.asked(APP, "", &cookie).await.status, 200);
    assert!(seen().await > before, "GET is a use");
    // Nor does it put a proof key into a browser that has one already.
    let begun = site.at(APP, "HEAD", "/_userd/start?to=%2F", &[]).await;
    assert!(!begun.headers.contains_key("set-cookie") && !begun.headers.contains_key("location"));
    site.services().sessions.end_all(&ada.ctx, ada.id, None).await.unwrap();
    assert_eq!(site.at(APP, "HEAD", "/v1/forward-auth", &[("cookie", held.as_str())]).await.status, 401);
}

/// Scripts, pictures and forms get a status, no page to sign in at.
#[tokio::test]
async fn only_a_person_who_opens_a_page_is_led_to_sign_in() {
    let site = Site::new().await;
    for headers in [
        vec![("accept", "application/json")],
        vec![PAGE, ("sec-fetch-mode", "cors")],
        vec![PAGE, ("x-forwarded-method", "POST")],
        vec![],
    ] {
        let answer = site.asked(APP, "?redirect_status=401", &headers).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (401, ""), "{headers:?}");
    }
    let page = [("sec-fetch-mode", "navigate"), ("accept", "*/*")];
    assert_eq!(site.asked(APP, "", &page).await.status, 303);
}
