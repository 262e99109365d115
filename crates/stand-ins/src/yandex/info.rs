//! Yandex' user-info: JSON, and the JWT that apps fetch, signed with the client's secret or with one the caller names.

use std::time::Duration;

use axum::response::Response;
use serde_json::{Map, Value, json};

use super::{Behind, CLIENT_ID, CLIENT_SECRET, Knobs};
use crate::{ask::Ask, grants::Issued, outside, reply, server::Shared, test_users::TestUser};

const YEAR: Duration = Duration::from_secs(31_536_000);

impl Behind {
    pub(super) fn info(&self, shared: &Shared<Knobs>, ask: &Ask) -> Response {
        // `Bearer` and the query are accepted in practice; `OAuth` is what is documented.
        let token = ["OAuth", "Bearer"]
            .into_iter()
            .find_map(|scheme| ask.authorization(scheme))
            .or_else(|| ask.query_param("oauth_token"));
        let Some(issued) = token.and_then(|token| self.books.by_access_token(&token, shared.now())) else {
            return reply::text(401, String::new());
        };
        let knobs = shared.knobs();
        match ask.query_param("format").as_deref() {
            None | Some("json") => reply::json(200, &about(&issued, &knobs)),
            Some("jwt") => {
                let secret = ask.query_param("jwt_secret").unwrap_or_else(|| CLIENT_SECRET.to_owned());
                match userd_jose::hs256::sign(&claims(&issued, shared), secret.as_bytes()) {
                    Ok(token) => reply::text(200, token),
                    Err(_) => reply::oauth_error(400, "invalid_request", "jwt_secret"),
                }
            }
            Some(_) => reply::oauth_error(400, "invalid_request", "this stand-in knows json and jwt"),
        }
    }
}

/// Members by scope; nothing where the person has nothing.
fn about(issued: &Issued, knobs: &Knobs) -> Value {
    let (person, grant) = (&issued.grant.person, &issued.grant);
    let everything = grant.scope.is_empty();
    let may = |scope: &str| everything || grant.has_scope(scope);
    let mut info = json!({
        "id": person.number.to_string(),
        "login": person.username.clone().unwrap_or_default(),
        "client_id": knobs.client_id_in_info.as_deref().unwrap_or(CLIENT_ID),
        "psuid": psuid(person),
    });
    if person.username.is_none() {
        info["old_social_login"] = format!("uid-{}", person.number).into();
    }
    if may("login:info") {
        info["first_name"] = person.first_name.as_str().into();
        info["last_name"] = person.last_name.as_str().into();
        info["real_name"] = person.name().into();
        info["display_name"] = person.username.clone().unwrap_or_else(|| person.first_name.clone()).into();
        info["sex"] = Value::Null;
    }
    if let Some(email) = person.email.as_ref().filter(|_| may("login:email")) {
        info["default_email"] = email.as_str().into();
        info["emails"] = json!([email]);
    }
    if may("login:default_phone") {
        let phone = |number: &String| json!({ "id": person.number % 100_000_000, "number": number });
        info["default_phone"] = person.phone.as_ref().map(phone).into();
    }
    if may("login:birthday") {
        info["birthday"] = person.birthday.clone().into();
    }
    if may("login:avatar") {
        info["is_avatar_empty"] = (!person.avatar).into();
        info["default_avatar_id"] = avatar_id(person).into();
    }
    let mut members: Map<String, Value> = info.as_object().cloned().unwrap_or_default();
    members.retain(|name, _| !knobs.missing_in_info.contains(name));
    Value::Object(members)
}

/// Other names than the JSON's, a numeric id, and neither `aud` nor `client_id`.
fn claims(issued: &Issued, shared: &Shared<Knobs>) -> Value {
    let (person, now) = (&issued.grant.person, shared.now());
    json!({
        "iat": now.seconds(), "exp": now.plus(YEAR).seconds(), "jti": outside::random_text(),
        "iss": "login.yandex.ru", "uid": person.number, "login": person.username.clone().unwrap_or_default(),
        "psuid": psuid(person), "name": person.name(), "email": person.email.clone().unwrap_or_default(),
        "birthday": person.birthday.clone().unwrap_or_default(), "gender": null,
        "display_name": person.first_name, "avatar_id": avatar_id(person),
    })
}

/// Derived from the client's and the person's ids, as Yandex does.
fn psuid(person: &TestUser) -> String {
    format!("1.AAA.{}", outside::sha256_text(&format!("{CLIENT_ID}:{}", person.number)))
}

/// Has a slash in it; without a picture it is the stub's.
fn avatar_id(person: &TestUser) -> String {
    if person.avatar { format!("1824/{}-1", person.key) } else { "0/0-0".to_owned() }
}
