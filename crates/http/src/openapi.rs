//! Completes the document that utoipa collects from handlers: security, the problems each operation can answer, and
//! the headers all answers have. Handlers therefore document their own success only. Deliberately absent: paths and
//! bodies; those stand at the handlers.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use utoipa::openapi::HttpMethod;

use userd_web::problem::{document, table};

use crate::policy::{Access, RouteAccess};

const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// The resources in the order in which a reader meets them.
const TAGS: [&str; 13] = [
    "Sign-in",
    "Providers",
    "Telegram bot",
    "Forward authentication",
    "Me",
    "Identities",
    "OAuth 2.0",
    "Users",
    "Clients",
    "Webhooks",
    "Signing keys",
    "Pages",
    "Service",
];

/// The whole document, OpenAPI 3.1.
pub(crate) fn complete(collected: &utoipa::openapi::OpenApi, table: &[RouteAccess]) -> Value {
    // A document of plain data always becomes JSON; an empty one fails the policy check that follows.
    let mut doc = serde_json::to_value(collected).unwrap_or_else(|_| json!({}));
    if let Some(root) = doc.as_object_mut() {
        root.insert("openapi".into(), "3.1.0".into());
        root.insert("info".into(), info());
        root.insert("servers".into(), json!([{"url": "/"}]));
        root.insert("tags".into(), TAGS.iter().map(|name| json!({"name": name})).collect());
    }
    for (path, item) in members(doc.get_mut("paths")) {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            if METHODS.contains(&method.as_str()) {
                let method = method.to_uppercase();
                let access = table.iter().find(|entry| entry.path == path && entry.method == method);
                complete_operation(path, &method, access.map_or(&Access::Public, |entry| &entry.access), operation);
            }
        }
    }
    require_what_answers_always_have(&mut doc);
    add_components(&mut doc);
    doc
}

/// An answer has all of its members: what is not known is null. (What may be left out is declared as never null.) Only
/// the optional members of a request may be absent.
fn require_what_answers_always_have(doc: &mut Value) {
    let mut asked = BTreeSet::new();
    let operations = doc.get("paths").and_then(Value::as_object).into_iter().flat_map(Map::values);
    for operation in operations.filter_map(Value::as_object).flat_map(Map::values) {
        note_schemas(doc, operation.get("requestBody").unwrap_or(&Value::Null), &mut asked);
    }
    for (_, schema) in members(doc.pointer_mut("/components/schemas")).filter(|(name, _)| !asked.contains(*name)) {
        let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
        let nullable: Vec<_> = properties.filter(|(_, of)| may_be_null(of)).map(|(name, _)| name.clone()).collect();
        let Some(schema) = schema.as_object_mut().filter(|_| !nullable.is_empty()) else { continue };
        if let Some(required) = schema.entry("required").or_insert_with(|| json!([])).as_array_mut() {
            let missing: Vec<_> =
                nullable.into_iter().map(Value::from).filter(|name| !required.contains(name)).collect();
            required.extend(missing);
        }
    }
}

/// The names of the schemas that a part of the document refers to, and of those that they refer to.
fn note_schemas(doc: &Value, part: &Value, found: &mut BTreeSet<String>) {
    match part {
        Value::Object(members) => {
            let name = part.get("$ref").and_then(Value::as_str).and_then(|at| at.strip_prefix("#/components/schemas/"));
            if let Some(name) = name.filter(|name| found.insert((*name).to_owned())) {
                note_schemas(doc, doc.pointer(&format!("/components/schemas/{name}")).unwrap_or(&Value::Null), found);
            }
            members.values().for_each(|value| note_schemas(doc, value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| note_schemas(doc, value, found)),
        _ => {}
    }
}

fn may_be_null(schema: &Value) -> bool {
    let is_null = |kind: &Value| kind == "null" || kind.get("type").is_some_and(|kind| kind == "null");
    let one_of = ["type", "oneOf", "anyOf"].into_iter().filter_map(|word| schema.get(word)?.as_array());
    one_of.flatten().any(is_null)
}

/// The name of a method, as requests have it.
pub(crate) fn name(method: &HttpMethod) -> &'static str {
    match method {
        HttpMethod::Get => "GET",
        HttpMethod::Post => "POST",
        HttpMethod::Put => "PUT",
        HttpMethod::Delete => "DELETE",
        HttpMethod::Options => "OPTIONS",
        HttpMethod::Head => "HEAD",
        HttpMethod::Patch => "PATCH",
        HttpMethod::Trace => "TRACE",
    }
}

fn info() -> Value {
    json!({
        "title": "userd",
        "version": env!("CARGO_PKG_VERSION"),
        "description": "The users service: accounts, sign-in, tokens and sessions. Errors are problems (RFC 9457); \
            each `type` can be read at its own address.",
        "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}
    })
}

fn complete_operation(path: &str, method: &str, access: &Access, operation: &mut Value) {
    let statuses = possible_statuses(path, method, access, operation);
    let family = if path.starts_with("/oauth2/") { "OAuthError" } else { "Problem" };
    let Some(operation) = operation.as_object_mut() else {
        return;
    };
    operation.insert("operationId".into(), operation_id(operation).into());
    operation.insert("security".into(), security(access));
    if let Access::Permission(permission) | Access::Service(permission) | Access::ClientOrBearer(permission) = access {
        let note = format!("Access the permission `{}`.", permission.as_str());
        let text = operation.get("description").and_then(Value::as_str).map(|text| format!("{text}\n\n{note}"));
        operation.insert("description".into(), text.unwrap_or(note).into());
        operation.insert("x-permission".into(), permission.as_str().into());
    }
    for (_, body) in members(operation.get_mut("requestBody").and_then(|body| body.get_mut("content"))) {
        refuse_null(body);
    }
    let responses = operation.entry("responses").or_insert_with(|| json!({}));
    for (status, response) in members(Some(responses)) {
        complete_response(status, family, response);
    }
    for status in statuses {
        let known = responses.as_object_mut();
        let Some(known) = known.filter(|known| !known.contains_key(&status.to_string())) else {
            continue;
        };
        known.insert(status.to_string(), json!({"$ref": format!("#/components/responses/{family}{status}")}));
    }
}

/// A body that may be left out is an `Option` to its handler, which utoipa calls perhaps null; `null` is no body, it is refused.
fn refuse_null(body: &mut Value) {
    let Some(schema) = body.get_mut("schema") else { return };
    let is_null = |choice: &Value| choice.get("type").is_some_and(|kind| kind == "null");
    let only = match schema.get("oneOf").and_then(Value::as_array).map(Vec::as_slice) {
        Some([only, null] | [null, only]) if is_null(null) => only.clone(),
        _ => return,
    };
    *schema = only;
}

/// Resource and handler, `me_change_password`: handlers of different resources may have the same name.
fn operation_id(operation: &Map<String, Value>) -> String {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_lowercase();
    let tag = text(operation.get("tags").and_then(|tags| tags.get(0))).replace(" 2.0", "2").replace([' ', '-'], "_");
    format!("{tag}_{}", text(operation.get("operationId")))
}

/// A response that a handler declares: an error gets the problem's body, beside a page where it may be one, and all get the
/// request id.
fn complete_response(status: &str, family: &str, response: &mut Value) {
    let Some(response) = response.as_object_mut() else {
        return;
    };
    if status.starts_with(['4', '5']) {
        let declared = response.entry("content").or_insert_with(|| json!({}));
        if let (Some(declared), Value::Object(problem)) = (declared.as_object_mut(), content(family)) {
            declared.extend(problem);
        }
    }
    let headers = response.entry("headers").or_insert_with(|| json!({}));
    if let Some(headers) = headers.as_object_mut() {
        headers.insert("X-Request-Id".into(), json!({"$ref": "#/components/headers/X-Request-Id"}));
    }
}

/// The statuses of problems that this operation can answer, by its form and who may call it.
fn possible_statuses(path: &str, method: &str, access: &Access, operation: &Value) -> BTreeSet<u16> {
    let mut statuses = BTreeSet::new();
    let parameters = operation.get("parameters").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let has = |place: &str, name: Option<&str>| {
        parameters.iter().any(|p| {
            p.get("in").is_some_and(|given| given == place)
                && name.is_none_or(|name| p.get("name").is_some_and(|n| n == name))
        })
    };
    if path.starts_with("/v1/") || path.starts_with("/oauth2/") {
        statuses.extend([400, 403, 414, 429, 503]);
    }
    if *access != Access::Public {
        statuses.extend([400, 401, 403]);
    }
    // Public as they are, a client that shows credentials there must show right ones (RFC 6749 section 5.2).
    if path.starts_with("/oauth2/") {
        statuses.insert(401);
    }
    if method != "GET" && matches!(access, Access::User | Access::Permission(_) | Access::Service(_)) {
        statuses.insert(409);
    }
    if operation.get("requestBody").is_some() {
        statuses.extend([400, 408, 413, 415, 422]);
    }
    if has("query", None) {
        statuses.insert(400);
    }
    if has("path", None) {
        statuses.insert(404);
    }
    if has("header", Some("If-Match")) {
        statuses.extend([400, 412]);
    }
    if has("header", Some("Idempotency-Key")) {
        statuses.extend([400, 409, 422]);
    }
    statuses
}

fn security(access: &Access) -> Value {
    match access {
        Access::Public => json!([]),
        Access::User | Access::Permission(_) | Access::Service(_) => json!([{"bearer": []}]),
        Access::Client => json!([{"client": []}]),
        Access::ClientOrBearer(_) => json!([{"client": []}, {"bearer": []}]),
    }
}

fn content(family: &str) -> Value {
    let media_type = if family == "Problem" { "application/problem+json" } else { "application/json" };
    json!({ media_type: {"schema": {"$ref": format!("#/components/schemas/{family}")}} })
}

fn add_components(doc: &mut Value) {
    let Some(root) = doc.as_object_mut() else {
        return;
    };
    let components = root.entry("components").or_insert_with(|| json!({}));
    let mut put = |group: &str, name: String, value: Value| {
        let Some(components) = components.as_object_mut() else {
            return;
        };
        let group = components.entry(group).or_insert_with(|| json!({}));
        if let Some(group) = group.as_object_mut() {
            group.insert(name, value);
        }
    };
    put("schemas", "Problem".into(), document::problem_schema());
    put("schemas", "OAuthError".into(), document::oauth_error_schema());
    put(
        "headers",
        "X-Request-Id".into(),
        json!({
            "description": "The id of this request: the caller's own, or a new one.", "schema": {"type": "string"}
        }),
    );
    put(
        "headers",
        "Retry-After".into(),
        json!({
            "description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}
        }),
    );
    put(
        "securitySchemes",
        "bearer".into(),
        json!({
            "type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "An access token."
        }),
    );
    put(
        "securitySchemes",
        "client".into(),
        json!({
            "type": "http", "scheme": "basic", "description": "The id and secret of a service account."
        }),
    );
    let statuses: BTreeSet<u16> = table::ALL.iter().map(|row| row.status).collect();
    for status in statuses {
        for family in ["Problem", "OAuthError"] {
            put("responses", format!("{family}{status}"), problem_response(status, family));
        }
    }
}

fn problem_response(status: u16, family: &str) -> Value {
    let rows = table::ALL.iter().filter(|row| row.status == status);
    let slugs: Vec<String> = rows.map(|row| format!("`{}`", row.slug)).collect();
    let mut headers = Map::new();
    headers.insert("X-Request-Id".into(), json!({"$ref": "#/components/headers/X-Request-Id"}));
    if matches!(status, 429 | 503) {
        headers.insert("Retry-After".into(), json!({"$ref": "#/components/headers/Retry-After"}));
    }
    json!({"description": slugs.join(", "), "headers": headers, "content": content(family)})
}

fn members(value: Option<&mut Value>) -> impl Iterator<Item = (&String, &mut Value)> {
    value.and_then(Value::as_object_mut).into_iter().flat_map(serde_json::Map::iter_mut)
}
