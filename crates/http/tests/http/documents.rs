//! The API document, the policy table and the router say the same.

use std::{collections::BTreeSet, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;
use userd_http::{
    documentation::DocumentError,
    documented::{Routes, routes},
    policy::{Access, PolicyGap, ROUTES, RouteAccess, check},
    router::{AssemblyError, assemble, document},
};
use userd_services::{HeldAt, accounts::Registration, passwords::Password, testing::TestOptions};
use userd_web::testing::*;

use crate::app::*;

async fn app_document() -> Value {
    get(&app(), "/openapi.json", &[]).await.json()
}

fn operations(document: &Value) -> impl Iterator<Item = (&String, &String, &Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    paths.flat_map(|(path, item)| {
        item.as_object().unwrap().iter().map(move |(method, operation)| (path, method, operation))
    })
}

/// AC-104: a route that nobody decided about fails the start, and so does a decision without a route.
#[test]
fn a_gap_between_routes_and_policy_fails_the_start() {
    let build = |table: &[RouteAccess]| assemble(Arc::new(api_with(|_| {})), app_routes(), table).map(|_| ());
    let full = app_table();
    assert!(build(&full).is_ok());
    for at in 0..full.len() {
        let mut table = full.clone();
        let gone = table.remove(at);
        let error = build(&table).unwrap_err();
        let expected = PolicyGap::RouteWithoutEntry(gone.method.to_owned(), gone.path.to_owned());
        assert!(matches!(error, AssemblyError::Policy(gap) if gap == expected), "{gone:?}");
    }
    let mut extra = full.clone();
    extra.push(RouteAccess { method: "POST", path: "/v1/gone", access: Access::Public, hashes: false });
    assert!(matches!(build(&extra), Err(AssemblyError::Policy(PolicyGap::EntryWithoutRoute("POST", "/v1/gone")))));
    let mut twice = full.clone();
    twice.push(RouteAccess { method: "GET", path: "/livez", access: Access::User, hashes: false });
    assert!(matches!(build(&twice), Err(AssemblyError::Policy(PolicyGap::Twice("GET", "/livez")))));
    assert!(check(&[], &[]).is_ok());
    assert!(assemble(Arc::new(api_with(|_| {})), Routes::new(), &[]).is_ok());
}

/// Of the routes that say they can be busy hashing, all give way, and no others do.
/// ASVS V15.1.3
#[test]
fn the_routes_that_hash_passwords_are_those_that_can_be_busy() {
    let document = document().unwrap();
    let busy: BTreeSet<_> = operations(&document)
        .filter(|(_, _, operation)| operation["responses"]["503"]["description"] == "Busy")
        .map(|(path, method, _)| (method.to_uppercase(), path.clone()))
        .collect();
    let marked = ROUTES.iter().filter(|route| route.hashes);
    let marked: BTreeSet<_> = marked.map(|route| (route.method.to_owned(), route.path.to_owned())).collect();
    assert!(busy.len() >= 4, "{busy:?}");
    assert_eq!(marked, busy);
}

mod elsewhere {
    #[derive(serde::Serialize, utoipa::ToSchema)]
    pub struct Alive {
        other: u8,
    }

    #[utoipa::path(get, path = "/elsewhere", responses((status = 200, body = Alive)))]
    pub async fn elsewhere() -> userd_web::extract::Json<Alive> {
        userd_web::extract::Json(Alive { other: 1 })
    }
}

#[test]
fn two_bodies_of_one_name_make_no_document() {
    let twice = userd_http::routes::all().with(routes!(elsewhere::elsewhere));
    let error = twice.documentation(ROUTES).document().unwrap_err();
    assert!(matches!(error, DocumentError::AmbiguousSchema(name) if name == "Alive"));
}

/// AC-104: the whole policy, to be read in review.
#[test]
fn the_policy_is_reviewed() {
    let lines: Vec<String> =
        ROUTES.iter().map(|entry| format!("{} {} {:?}", entry.method, entry.path, entry.access)).collect();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/http/policy.snapshot");
    let current = lines.join("\n") + "\n";
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &current).unwrap();
    }
    assert_eq!(
        std::fs::read_to_string(path).unwrap_or_default(),
        current,
        "review, then run UPDATE=1 cargo test -p userd-http"
    );
}

#[tokio::test]
async fn every_documented_operation_is_routed() {
    let router = app();
    let document = get(&router, "/openapi.json", &[]).await.json();
    let mut count = 0;
    for (path, method, _) in operations(&document) {
        let concrete =
            path.split('/').map(|part| if part.starts_with('{') { "x" } else { part }).collect::<Vec<_>>().join("/");
        // No handler knows this method; the router says which ones the path has.
        let answer = ask(&router, request("BREW", &concrete, &[], "")).await;
        assert_eq!(answer.status, 405, "{path}");
        let allowed = answer.header("allow").split(',').any(|name| name.eq_ignore_ascii_case(method));
        assert!(allowed, "{method} {path}: {}", answer.header("allow"));
        count += 1;
    }
    assert_eq!(count, app_table().len());
}

/// AC-104: every route that is not public refuses a caller without credentials, with false ones, and with ones in the
/// wrong place; and every answer of every route is complete.
/// ASVS V6.3.4
#[tokio::test]
async fn no_route_but_the_public_ones_serves_strangers() {
    let router = app();
    let id = "6f9619ff-8b86-4011-b42d-00c04fc964ff";
    let bearer = ("authorization", "Bearer eyJhbGciOiJub25lIn0.e30.");
    let basic = ("authorization", "Basic YTpi");
    for entry in ROUTES {
        let path = entry
            .path
            .split('/')
            .map(|part| if part.starts_with('{') { id } else { part })
            .collect::<Vec<_>>()
            .join("/");
        let media_type = match entry.path.starts_with("/oauth2/") {
            true => ("content-type", "application/x-www-form-urlencoded"),
            false => ("content-type", "application/json"),
        };
        for credentials in
            [None, Some(bearer), Some(basic), Some(("cookie", "access_token=x; session=x")), Some(("x-user-id", id))]
        {
            let headers: Vec<_> = std::iter::once(media_type).chain(credentials).collect();
            let body = if entry.path.starts_with("/oauth2/") { "token=x" } else { "{}" };
            let answer = ask(&router, request(entry.method, &path, &headers, body)).await;
            assert!(answer.status.as_u16() < 500, "{entry:?}: {}", answer.text());
            if entry.access != Access::Public {
                assert_eq!(answer.status, 401, "{entry:?} with {credentials:?}: {}", answer.text());
                assert!(!answer.header("www-authenticate").is_empty(), "{entry:?}");
            }
            for header in [
                "x-request-id",
                "x-content-type-options",
                "content-security-policy",
                "referrer-policy",
                "cache-control",
            ] {
                assert!(!answer.header(header).is_empty(), "{entry:?} answers without {header}");
            }
        }
    }
}

/// The cookie by which the pages know somebody stands for nothing here: a form of another site sends it along.
#[tokio::test]
async fn no_route_takes_the_cookie_of_the_pages() {
    let services = test_services(TestOptions::default()).await;
    let registration = Registration {
        username: Some("ada".to_owned()),
        ..Registration::with(Password::new("correct horse battery staple".to_owned()))
    };
    let ctx = visit(&services);
    let signed_in = services.accounts.register(&ctx, registration, None).await.unwrap().signed_in().unwrap();
    let held = services.sessions.hold_in_browser(&ctx, signed_in, HeldAt::Pages).await.unwrap();
    services.authenticate_browser(visit(&services), &held.secret).await.expect("the pages take it");
    let cookie = format!("__Host-userd_session={}", held.secret.as_str());
    let router = app_over(services);
    let mut refused = 0;
    let id = "6f9619ff-8b86-4011-b42d-00c04fc964ff";
    for entry in ROUTES.iter().filter(|entry| entry.access != Access::Public && !entry.path.starts_with("/oauth2/")) {
        let parts = entry.path.split('/').map(|part| if part.starts_with('{') { id } else { part });
        let path = parts.collect::<Vec<_>>().join("/");
        let (own, json) = (("sec-fetch-site", "same-origin"), ("content-type", "application/json"));
        let headers = [("cookie", cookie.as_str()), json, own];
        let answer = ask(&router, request(entry.method, &path, &headers, "{}")).await;
        assert_eq!(answer.status, 401, "{entry:?}: {}", answer.text());
        refused += 1;
    }
    assert!(refused > 50, "{refused}");
}

#[tokio::test]
async fn each_operation_documents_its_needs_and_problems() {
    let document = app_document().await;
    assert_eq!(document["openapi"], "3.1.0");
    let statuses = |path: &str, method: &str| -> BTreeSet<String> {
        document["paths"][path][method]["responses"].as_object().unwrap().keys().cloned().collect()
    };
    let make = statuses("/v1/things", "post");
    for status in ["201", "400", "408", "413", "415", "422", "429", "503"] {
        assert!(make.contains(status), "{status} in {make:?}");
    }
    let change = statuses("/v1/things/{id}", "patch");
    for status in ["200", "401", "403", "404", "412"] {
        assert!(change.contains(status), "{status} in {change:?}");
    }
    let change = &document["paths"]["/v1/things/{id}"]["patch"];
    assert_eq!(change["security"], serde_json::json!([{"bearer": []}]));
    assert_eq!(change["x-permission"], "users.manage");
    assert_eq!(
        change["responses"]["409"]["content"]["application/problem+json"]["schema"]["$ref"],
        "#/components/schemas/Problem"
    );
    assert_eq!(document["paths"]["/livez"]["get"]["security"], serde_json::json!([]));
    let token = &document["paths"]["/oauth2/form"]["post"]["responses"]["400"];
    assert_eq!(token["$ref"], "#/components/responses/OAuthError400");
}

#[test]
fn the_document_is_whole() {
    let document = document().unwrap();
    let mut ids = BTreeSet::new();
    for (path, method, operation) in operations(&document) {
        let id = operation["operationId"].as_str().unwrap_or_default();
        assert!(!id.is_empty() && ids.insert(id.to_owned()), "{method} {path}: operationId {id} is missing or taken");
        assert!(operation["summary"].as_str().is_some_and(|text| !text.is_empty()), "{method} {path} has no summary");
        assert!(operation["tags"].as_array().is_some_and(|tags| !tags.is_empty()), "{method} {path} has no tag");
        let responses = operation["responses"].as_object().unwrap();
        assert!(responses.keys().any(|status| status.starts_with(['2', '3'])), "{method} {path} never succeeds");
        for name in path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let documented = parameters.iter().any(|p| p["name"] == name && p["in"] == "path" && p["required"] == true);
            assert!(documented, "{method} {path}: {{{name}}} is not documented");
        }
    }
    assert!(!ids.is_empty());
    resolve_references(&document, &document);
}

fn resolve_references(value: &Value, document: &Value) {
    if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
    match value {
        Value::Object(members) => members.values().for_each(|inner| resolve_references(inner, document)),
        Value::Array(items) => items.iter().for_each(|inner| resolve_references(inner, document)),
        _ => {}
    }
}

/// ASVS V3.6.1, V14.2.3
#[tokio::test]
async fn the_documentation_page_loads_from_here_only() {
    let router = app();
    let page = get(&router, "/docs", &[]).await;
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(page.header("content-security-policy").contains("script-src 'self';"));
    let text = page.text();
    let mut loaded = 0;
    for part in text.split(['"', '\'']).filter(|part| part.starts_with("docs/")) {
        let file = get(&router, &format!("/{part}"), &[]).await;
        assert_eq!(file.status, 200, "{part}");
        assert!(!file.body.is_empty(), "{part}");
        loaded += 1;
    }
    assert_eq!(loaded, 4);
    assert!(!text.contains("//"), "no other host is named");
    assert!(
        !text.contains("<style") && !text.contains(" style=") && !text.contains("<script>") && !text.contains(" on"),
        "no inline code"
    );
    let start = get(&router, "/docs/start.js", &[]).await;
    assert_eq!(start.header("content-type"), "text/javascript; charset=utf-8");
    assert!(start.text().contains("openapi.json"));
    for absent in ["/docs/index.html", "/docs/oauth2-redirect.html", "/docs/swagger-ui.css.map", "/docs/"] {
        assert_eq!(get(&router, absent, &[]).await.status, 404, "{absent}");
    }
}

/// The schema behind a reference, or the schema itself.
fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let target = schema["$ref"].as_str().and_then(|at| document.pointer(at.trim_start_matches('#')));
    target.unwrap_or(schema)
}

/// Whoever makes a client from the document gets names that are names, and types that are types (fault 33).
#[test]
fn the_document_is_exact_enough_for_typed_clients() {
    let document = document().unwrap();
    let mut ids = BTreeSet::new();
    for (path, method, operation) in operations(&document) {
        let id = operation["operationId"].as_str().unwrap();
        let is_name = id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        assert!(is_name && ids.insert(id), "{method} {path}: {id}");
        for (status, response) in operation["responses"].as_object().unwrap() {
            for (media_type, content) in response["content"].as_object().into_iter().flatten() {
                let schema = resolved(&document, &content["schema"]);
                let is_typed = schema.as_object().is_some_and(|members| !members.is_empty());
                assert!(is_typed, "{method} {path} {status} {media_type}: {content}");
            }
        }
        let body = &operation["requestBody"]["content"]["application/json"]["schema"];
        let body = resolved(&document, body);
        let Some(required) = body["required"].as_array() else { continue };
        let example = body["example"].as_object().unwrap_or_else(|| panic!("{method} {path} has no example"));
        assert!(required.iter().all(|name| example.contains_key(name.as_str().unwrap())), "{path}: {example:?}");
        assert!(example.keys().all(|name| body["properties"].get(name).is_some()), "{path}: {example:?}");
    }
    let schemas = &document["components"]["schemas"];
    let user = &schemas["User"];
    assert_eq!(user["properties"]["status"]["enum"], serde_json::json!(["active", "blocked", "deleted"]));
    let all: BTreeSet<_> = user["properties"].as_object().unwrap().keys().map(String::as_str).collect();
    let required = user["required"].as_array().unwrap().iter().map(|name| name.as_str().unwrap());
    assert_eq!(required.collect::<BTreeSet<_>>(), all, "what is not known is null, not left out");
    assert!(!schemas["TokenPair"]["required"].as_array().unwrap().contains(&"device_token".into()));
    assert!(!schemas["Register"]["required"].as_array().unwrap().contains(&"email".into()), "requests may leave out");
}

/// Whoever makes a client knows of every text how long it may be, before it is sent; at most as long as a body.
/// ASVS V2.1.1
#[test]
fn every_text_of_a_body_is_bounded_in_the_document() {
    let document = document().unwrap();
    let is_text = |schema: &Value| {
        let kind = &schema["type"];
        kind == "string" || kind.as_array().is_some_and(|kinds| kinds.contains(&"string".into()))
    };
    let is_bounded = |schema: &Value| {
        ["maxLength", "format", "pattern", "enum", "const"].iter().any(|bound| schema.get(bound).is_some())
    };
    let (mut texts, mut unbounded) = (0, BTreeSet::new());
    for (path, method, operation) in operations(&document) {
        for (_, content) in operation["requestBody"]["content"].as_object().into_iter().flatten() {
            let body = resolved(&document, &content["schema"]);
            for (name, member) in body["properties"].as_object().into_iter().flatten() {
                let schema = resolved(&document, member);
                texts += usize::from(is_text(schema));
                if is_text(schema) && !is_bounded(schema) {
                    unbounded.insert(format!("{method} {path}: {name}"));
                }
            }
        }
    }
    assert!(texts > 50, "the texts are no longer found: {texts}");
    assert!(unbounded.is_empty(), "{unbounded:#?}");
}

/// Every list is read in pages: `limit` and `cursor` in, `next_cursor` out. Feeds go on by `after`.
#[test]
fn every_list_is_paged() {
    let document = document().unwrap();
    let mut lists = 0;
    for (path, _, operation) in operations(&document).filter(|(_, method, _)| *method == "get") {
        let answer = &operation["responses"]["200"]["content"]["application/json"]["schema"];
        let members = &resolved(&document, answer)["properties"];
        if members["items"]["type"] != "array" {
            continue;
        }
        lists += 1;
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let names: BTreeSet<_> = parameters.filter_map(|parameter| parameter["name"].as_str()).collect();
        assert!(names.contains("limit") && (names.contains("cursor") || names.contains("after")), "{path}: {names:?}");
        assert!(members["next_cursor"].is_object() || members["next"].is_object(), "{path}: {members}");
    }
    assert!(lists > 20, "the lists are no longer found: {lists}");
}

/// A body that may be left out is no `null`, which is refused; the front page leads on where there are pages.
#[tokio::test]
async fn an_optional_body_is_never_null() {
    let document = document().unwrap();
    for (path, method, operation) in operations(&document) {
        let contents = operation["requestBody"]["content"].as_object();
        for schema in contents.into_iter().flatten().map(|(_, content)| content["schema"].to_string()) {
            assert!(!schema.contains("null"), "{method} {path}: {schema}");
        }
    }
    let body = &document["paths"]["/v1/auth/logout-all"]["post"]["requestBody"]["content"]["application/json"];
    assert_eq!(body["schema"], serde_json::json!({ "$ref": "#/components/schemas/LogoutAll" }));
    assert!(document["paths"]["/"]["get"]["responses"]["303"].is_object());
    let router = app();
    let ada = r#"{"username": "ada-of-no-body", "password": "a long enough passphrase"}"#;
    let ada = post_json(&router, "/v1/auth/register", ada).await.json();
    let bearer = format!("Bearer {}", ada["tokens"]["access_token"].as_str().unwrap());
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    assert_eq!(ask(&router, request("POST", "/v1/auth/logout-all", &headers, "null")).await.status, 400);
    assert_eq!(ask(&router, request("POST", "/v1/auth/logout-all", &headers[..1], "")).await.status, 204);
}

/// What is answered, at introspection and the key set too, has the members of its schema, and no others (fault 33).
/// ASVS V15.3.1
#[tokio::test]
async fn introspection_and_keys_have_the_members_of_their_schemas() {
    let router = app();
    let document = app_document().await;
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    let properties = |name: &str| names(&document["components"]["schemas"][name]["properties"]);
    let keys = get(&router, "/.well-known/jwks.json", &[]).await.json();
    assert_eq!(names(&keys), properties("KeySet"));
    for key in keys["keys"].as_array().unwrap() {
        assert!(names(key).is_subset(&properties("PublicKey")), "{key}");
        let required = document["components"]["schemas"]["PublicKey"]["required"].as_array().unwrap();
        assert!(required.iter().all(|name| key.get(name.as_str().unwrap()).is_some()), "{key}");
    }
    let metadata = get(&router, "/.well-known/oauth-authorization-server", &[]).await.json();
    assert_eq!(names(&metadata), properties("Metadata"));
    let body = r#"{"username": "documented", "password": "a long enough passphrase"}"#;
    let registered = post_json(&router, "/v1/auth/register", body).await.json();
    assert_eq!(names(&registered["user"]), properties("User"));
    assert!(names(&registered["tokens"]).is_subset(&properties("TokenPair")));
    let token = registered["tokens"]["access_token"].as_str().unwrap();
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    // Introspection answers the claims of a token, and these two beside them.
    let told: BTreeSet<_> = names(&claims).into_iter().chain(["active", "token_type"].map(str::to_owned)).collect();
    let of_services = BTreeSet::from(["scope".to_owned()]);
    assert_eq!(told, &properties("Introspection") - &of_services);
}
