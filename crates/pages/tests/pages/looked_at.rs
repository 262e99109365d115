//! Every page of the table in a real browser: the steps of a sign-in, links of mails and answers to forms among them, which no
//! link leads to. What axe finds, what the console says, and what is wider than the window. Who follows the links of pages is
//! `userd/tests/journeys/pages.rs`.

use std::collections::BTreeMap;

use axum::{Router, extract::RawQuery, http::HeaderMap, response::IntoResponse, routing::get};
use serde_json::{Value, json};
use userd_model::{Actor, Document, GrantKind, RoleRules};
use userd_pages::policy::PAGES;
use userd_passkeys::RelyingParty;
use userd_services::{
    RegistrationMode, Settings,
    accounts::Registration,
    invitations::NewInvitation,
    passwords::Password,
    roles::RoleInput,
    testing::{TestOptions, TestProvider, settings},
};
use userd_test_support::told;

use crate::{
    admin::give,
    browser::{Browser, PASSWORD, Place, form_of},
    flows::{later, link},
    forms::{address, link_acme, prove_the_first},
    in_chromium::{CLIENTS, programs},
    second_factors::app,
};

const STEP: &str = "/sign-in/step";

/// What no browser shows as a page of ours: files, ways on, what a script reads, and what needs others.
const NOT_LOOKED_AT: [&str; 13] = [
    "/",
    "/assets/{file}",
    "/admin",
    "/admin/audit/export",
    // In a sandbox, where axe cannot run either.
    "/admin/templates/{name}/html",
    "/sign-in/with/{provider}",
    "/continue",
    "/.well-known/change-password",
    // It needs the messenger.
    "/sign-in/bot",
    "/account/security/passkeys/accepted",
    "/account/prove/with/{provider}",
    "/account/notifications/stream",
    "/account/data/export",
];

/// A place at an address of its own, and what is opened there.
struct Plan {
    place: Place,
    listener: tokio::net::TcpListener,
    address: String,
    visits: Vec<Value>,
    seen: Vec<String>,
}

impl Plan {
    async fn new(settings: Settings) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://localhost:{}", listener.local_addr().unwrap().port());
        let party = RelyingParty::at(&address.parse().unwrap()).unwrap();
        let (passkeys, providers) = (userd_passkeys::of(&party).ok(), vec![TestProvider::named("acme", false)]);
        let options = TestOptions { settings, passkeys, providers, ..TestOptions::default() };
        Self { place: Place::with(options).await, listener, address, visits: Vec::new(), seen: Vec::new() }
    }

    /// Opens a page with what this browser holds now.
    fn open(&mut self, cookies: &BTreeMap<String, String>, path: &str) {
        self.send(cookies, path, None);
    }

    /// The same, and then sends the form at `action` there, filled in.
    fn send(&mut self, cookies: &BTreeMap<String, String>, path: &str, form: Option<(&str, &[(&str, &str)])>) {
        let cookies: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let form = form.map(|(action, fields)| {
            json!({ "action": action, "fields": fields.iter().copied().collect::<BTreeMap<_, _>>() })
        });
        self.visits.push(json!({ "address": self.address, "path": path, "cookies": cookies, "form": form }));
        self.seen.push(path.to_owned());
    }

    /// Serves the pages, and what a browser of a test holds: a real one gets it as if it had been here before.
    fn serve(self) -> (Vec<Value>, Vec<String>) {
        let Self { place, listener, visits, seen, .. } = self;
        let hold = |RawQuery(query): RawQuery| async move {
            let mut headers = HeaderMap::new();
            for (_, cookie) in url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
                let cookie = format!("{cookie}; Path=/; Secure; HttpOnly; SameSite=Lax");
                headers.append("set-cookie", cookie.parse().unwrap());
            }
            (headers, "held").into_response()
        };
        let router = Router::new().route("/hold", get(hold)).fallback_service(place.router.clone());
        tokio::spawn(async move {
            axum::serve(listener, router).await.unwrap();
            drop(place);
        });
        (visits, seen)
    }
}

/// Whether a path is one of the template's.
fn is_of(template: &str, path: &str) -> bool {
    let path = path.split('?').next().unwrap();
    let (of, parts) = (template.split('/'), path.split('/'));
    of.clone().count() == parts.clone().count()
        && of.zip(parts).all(|(of, part)| of == part || (of.starts_with('{') && !part.starts_with('+')))
}

async fn signs_in(place: &Place, name: &str) -> BTreeMap<String, String> {
    let mut browser = place.browser();
    browser.submit("/sign-in", &[("login", name), ("password", PASSWORD)]).await;
    browser.cookies
}

/// Sets up an app, and answers with the page of its recovery codes.
async fn set_up_app(place: &Place, browser: &mut Browser<'_>) {
    let page = browser.get("/account/security/app").await.text();
    let id = form_of(&page, "/account/security/app").into_iter().find(|(name, _)| name == "id").unwrap().1;
    let token = form_of(&page, "/account/security/app")[0].1.clone();
    let code = app(&page).code(place.services().deps.now());
    let body = format!("form_token={token}&id={id}&code={code}");
    assert_eq!(browser.post("/account/security/app", &body).await.status, 200);
}

/// The usual place: visitors, a member and an administrator.
async fn usual() -> Plan {
    let mut settings = settings();
    settings.email_code_sign_in = true;
    settings.mfa.required_for = vec!["support".to_owned()];
    let mut plan = Plan::new(settings).await;
    people(&mut plan).await;
    administration(&mut plan).await;
    plan
}

async fn people(plan: &mut Plan) {
    let nobody = BTreeMap::new();
    for path in ["/sign-in", "/register", "/forgot", "/setup", "/sign-in/email-code", "/signed-in"] {
        plan.open(&nobody, path);
    }
    plan.send(&nobody, "/register", Some(("/register", &[("email", "ada@example.org"), ("password", PASSWORD)])));
    plan.send(&nobody, "/sign-in", Some(("/sign-in", &[("login", "ada"), ("password", "wrong")])));
    let place = &plan.place;
    place.member_called("ada", "Анна Константинопольская <b>").await;
    let services = place.services();
    let operator = services.context().acting_as(Actor::Operator);
    let rules = RoleRules {
        requestable: true,
        reason_prompt: Some("Which printer?".to_owned()),
        max_duration_seconds: Some(30 * 24 * 3600),
        ..RoleRules::default()
    };
    let boss = place.member("boss").await;
    give(place, &boss, GrantKind::Role, "admin").await;
    services.roles.create(&operator, "printer", &RoleInput { permissions: Vec::new(), rules }, None).await.unwrap();
    let mut browser = place.browser_of("ada").await;
    prove_the_first(place, &mut browser).await;
    link_acme(place, &mut browser).await;
    browser.submit("/account/access", &[("what", "role/printer"), ("reason", "for printing"), ("days", "3")]).await;
    while services.event_log.tick().await.unwrap() > 0 {}
    while services.deliveries.tick().await.unwrap() > 0 {}
    let mut with_code = place.browser();
    with_code.submit("/sign-in/email-code", &[("email", "ada@example.org")]).await;
    later(place).await;
    // A link ends with every change of the ways in, so it is of somebody who changes none.
    place.member("fay").await;
    later(place).await;
    let mut forgot = place.browser();
    forgot.submit("/forgot", &[("login", "fay@example.org")]).await;
    let reset = link(place).await;
    later(place).await;
    let invited = NewInvitation { email: Some("eve@example.org".to_owned()), ..NewInvitation::default() };
    services.invitations.create(&operator, &invited, None).await.unwrap();
    let invitation = link(place).await;
    set_up_app(place, &mut browser).await;
    let security = browser.get("/account/security").await.text();
    let rename = address(&security, "/account/security/factors/", "/rename");
    let second = signs_in(place, "ada").await;
    let pat = place.member("pat").await;
    services.users.require_password_change(&operator, pat.id).await.unwrap();
    let eve = place.member("eve").await;
    give(place, &eve, GrantKind::Role, "support").await;
    place.member("rex").await;
    let mut rex = place.browser_of("rex").await;
    rex.submit("/account/data/delete", &[("current_password", PASSWORD)]).await;
    let steps = [signs_in(place, "pat").await, signs_in(place, "eve").await, signs_in(place, "rex").await];
    let (held, with_code) = (browser.cookies.clone(), with_code.cookies.clone());

    plan.open(&with_code, "/sign-in/email-code/enter");
    plan.open(&nobody, &reset);
    plan.open(&nobody, &invitation);
    plan.send(&nobody, &reset, Some(("", &[("new_password", "short")])));
    for cookies in steps.iter().chain([&second]) {
        plan.open(cookies, STEP);
    }
    plan.send(&second, STEP, Some((STEP, &[("code", "000000")])));
    for path in crate::account::PAGES.into_iter().chain([
        "/account/username",
        "/account/security/password",
        "/account/security/passkeys/add",
        "/account/data/delete",
        &rename,
    ]) {
        plan.open(&held, path);
    }
    plan.send(&held, "/account/security", Some(("/account/security/recovery-codes", &[])));
    plan.send(&held, "/account/emails", Some(("/account/emails", &[("email", "no.dot@here")])));
    plan.send(&held, "/account/access", Some(("/account/access", &[("days", "99999"), ("reason", "why")])));
    // Before there was any factor.
    let place = &plan.place;
    place.member("new").await;
    let new = place.browser_of("new").await.cookies;
    plan.open(&new, "/account/security/app");
    plan.open(&new, "/account/security/passkeys/offer");
    plan.open(&new, "/account/emails");
    let taken = "/account/linked?told=failed&why=identity_taken&provider=acme";
    plan.open(&new, taken);
    plan.send(&new, taken, Some(("/account/linked/move", &[])));
    plan.send(&new, "/account/linked", Some(("/account/linked/with/acme", &[])));
}

async fn administration(plan: &mut Plan) {
    let place = &plan.place;
    let mut browser = place.browser_of("boss").await;
    let ada = browser.get("/admin/users?query=ada@example.org").await.text();
    let ada = ada.split('"').find(|part| part.starts_with("/admin/users/") && part.len() == 49).unwrap().to_owned();
    let client = [("name", "shop"), ("permissions", "events.read")];
    let webhook = [("url", "https://shop.example/hooks"), ("events", "*")];
    browser.submit("/admin/clients/make", &client).await;
    let (clients, operator) = (&place.services().clients, place.services().operator_context());
    let off = clients.create(&operator, "old till", &[], None).await.unwrap().client.id;
    clients.disable(&operator, off).await.unwrap();
    browser.submit("/admin/webhooks/make", &webhook).await;
    browser.submit("/admin/invitations/make", &[("uses", "2")]).await;
    browser.submit("/admin/permissions/register", &[("name", "billing.read")]).await;
    let mut one = async |list: &str, ends: &str| {
        let page = browser.get(list).await.text();
        address(&page, &format!("{}/", list.split('?').next().unwrap()), ends)
    };
    let (client, withdraw) = (one("/admin/clients", "/rotate").await, one("/admin/invitations", "/withdraw").await);
    let request = one("/admin/requests", "").await;
    let (word, key) = (one("/admin/permissions", "/remove").await, one("/admin/signing-keys", "/revoke").await);
    let list = browser.get("/admin/webhooks").await.text();
    let is_one = |part: &&str| part.starts_with("/admin/webhooks/") && part.len() > 40;
    let webhook = list.split('"').find(is_one).unwrap().to_owned();
    let page = browser.get(&ada).await.text();
    let unlink = address(&page, &format!("{ada}/identities/"), "/unlink");
    let held = browser.cookies.clone();
    let mut paths = vec![ada.clone(), withdraw, webhook.clone(), request, word, key, unlink];
    paths.extend(["rotate", "disable", "change"].map(|act| client.replace("rotate", act)));
    paths.push(format!("/admin/clients/{off}/enable"));
    paths.extend(["change", "rotate", "remove"].map(|act| format!("{webhook}/{act}")));
    paths.extend(["/change", "/grants/give", "/acts/block", "/acts/delete"].map(|rest| format!("{ada}{rest}")));
    paths.extend(["", "/change", "/remove"].map(|rest| format!("/admin/roles/printer{rest}")));
    let plain = PAGES.iter().map(|page| (page.method, page.path));
    let plain = plain.filter(|(method, path)| *method == "GET" && path.starts_with("/admin/") && !path.contains('{'));
    paths.extend(plain.map(|(_, path)| path.to_owned()).filter(|path| !NOT_LOOKED_AT.contains(&path.as_str())));
    let eve = browser.get("/admin/users?query=eve@example.org").await.text();
    let eve = eve.split('"').find(|part| part.starts_with("/admin/users/") && part.len() == 49).unwrap().to_owned();
    paths.push(format!("{eve}/grants/role/support/take"));
    for path in &paths {
        plan.open(&held, path);
    }
    // What answers when something was made, or found wrong.
    for (path, fields) in [
        ("/admin/clients/make", &[("name", "till")][..]),
        ("/admin/clients/make", &[("name", "till"), ("other_permissions", "no.such")]),
        ("/admin/webhooks/make", &[("url", "https://till.example/hooks"), ("events", "user.*")]),
        ("/admin/webhooks/make", &[("url", "https://till.example/hooks"), ("events", "Not-an-event")]),
        ("/admin/invitations/make", &[("uses", "2")]),
        ("/admin/roles/+make", &[("name", "Not a name")]),
    ] {
        plan.send(&held, path, Some((path, fields)));
    }
    plan.send(&held, "/admin/audit", Some(("/admin/audit/verify", &[])));
}

/// Where each of the other steps is asked for.
async fn other_steps() -> Vec<Plan> {
    let url = "https://example.org/terms".to_owned();
    let terms = Document { id: "terms".to_owned(), version: "1".to_owned(), url, required: true };
    let mut plans = Vec::new();
    for settings in [
        Settings { email_confirmation_required: true, ..settings() },
        Settings { registration: RegistrationMode::Approval, ..settings() },
        Settings { documents: vec![terms], ..settings() },
        Settings { registration: RegistrationMode::Closed, ..settings() },
    ] {
        let mut plan = Plan::new(settings).await;
        let services = plan.place.services();
        let root = Registration {
            username: Some("root".to_owned()),
            ..Registration::with(Password::new(PASSWORD.to_owned()))
        };
        services.setup.create_administrator(&services.operator_context(), root).await.unwrap();
        let mut browser = plan.place.browser();
        if browser.get("/register").await.text().contains("action=\"/register\"") {
            browser.submit("/register", &[("email", "eve@example.org"), ("password", PASSWORD)]).await;
            assert!(browser.get(STEP).await.status.is_success());
            let held = browser.cookies.clone();
            plan.open(&held, STEP);
        }
        plan.open(&BTreeMap::new(), "/register");
        plans.push(plan);
    }
    plans
}

/// AC-127: of the steps, links and answers too, none breaks the content policy or asks another host.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_of_the_table_is_looked_at_in_a_browser() {
    let mut plans = vec![usual().await];
    plans.extend(other_steps().await);
    let (mut visits, mut seen) = (Vec::new(), Vec::new());
    for plan in plans {
        let (opened, paths) = plan.serve();
        visits.extend(opened);
        seen.extend(paths);
    }
    let pages = PAGES.iter().filter(|page| page.method == "GET" && !NOT_LOOKED_AT.contains(&page.path));
    let missed: Vec<&str> =
        pages.map(|page| page.path).filter(|template| !seen.iter().any(|path| is_of(template, path))).collect();
    assert!(missed.is_empty(), "nobody looks at {missed:#?}");

    let Some(chromium) = programs() else { return };
    let usual = || concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/pages").to_owned();
    let pictures = told("USERD_TEST_PICTURES").unwrap_or_else(usual);
    let plan = Value::Array(visits.clone()).to_string();
    let mut node = tokio::process::Command::new("node");
    node.current_dir(CLIENTS).args(["pages_look.mjs", &plan, &pictures, &chromium]).kill_on_drop(true);
    let output = node.output().await.unwrap();
    let (text, complaint) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{text}\n{complaint}");
    let found: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let ways = if told("USERD_TEST_PAGES").is_some_and(|pages| pages == "full") { 4 } else { 1 };
    assert_eq!(found["looked"].as_u64(), Some(ways * visits.len() as u64), "{found}");
    for what in ["complaints", "elsewhere", "violations", "wide", "strayed"] {
        assert_eq!(found[what], json!([]), "{what}");
    }
}
