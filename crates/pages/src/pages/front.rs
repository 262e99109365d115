//! The address without a path, the choice of a language, and the files that pages load.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use http::header;
use userd_web::{Problem, extract::Path};

use crate::{browser_cookies, fields::Fields, routes::Routes, site::Site, visit::Visit};

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get("/assets/{file}", file).get("/", front).post("/language", choose_language)
}

/// Where somebody begins: the account, or the way in.
async fn front(visit: Visit) -> Response {
    Visit::go(if visit.account.is_some() { "/account" } else { "/sign-in" })
}

async fn choose_language(fields: Fields) -> Response {
    let mut answer = Visit::go(fields.text("next"));
    let chosen = fields.text("language");
    if matches!(chosen, "en" | "ru") {
        answer.headers_mut().extend(browser_cookies::language(chosen).map(|value| (header::SET_COOKIE, value)));
    }
    answer
}

async fn file(State(site): State<Arc<Site>>, Path(name): Path<String>) -> Result<Response, Problem> {
    site.assets.answer(&name).ok_or_else(Problem::not_found)
}
