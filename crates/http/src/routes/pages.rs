//! The built-in pages: the front page, first setup, where a sign-in lands that named no page of its own, and what hands over an answer
//! in a fragment. Static files under a policy that allows this host only; what they do goes through the same API as everything else.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
use url::Url;
use userd_web::{extract::Path, problem::Problem};

use crate::documented::{Routes, routes};

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// The routes of this resource.
#[must_use]
pub(super) fn routes() -> Routes {
    Routes::new().with(routes!(front)).with(routes!(setup)).with(routes!(signed_in)).with(routes!(file))
}

/// What this is, for whoever opens the address that the start prints.
#[utoipa::path(get, path = "/", tag = "Pages", responses((status = 200, description = "An HTML page", body = String, content_type = "text/html"),
    (status = 303, description = "Where pages for people are on: to the account, or to sign in")))]
async fn front() -> Response {
    answer("text/html; charset=utf-8", include_str!("../pages/index.html"))
}

/// The page behind the one-time setup link.
#[utoipa::path(get, path = "/setup", tag = "Pages", responses((status = 200, description = "An HTML page", body = String, content_type = "text/html")))]
async fn setup() -> Response {
    answer("text/html; charset=utf-8", include_str!("../pages/setup.html"))
}

/// The page after a sign-in through a provider that named no `return_to`.
#[utoipa::path(get, path = "/signed-in", tag = "Pages", responses((status = 200, description = "An HTML page", body = String, content_type = "text/html")))]
async fn signed_in() -> Response {
    answer("text/html; charset=utf-8", include_str!("../pages/signed-in.html"))
}

/// A file of these pages.
#[utoipa::path(get, path = "/pages/{file}", tag = "Pages", params(("file" = String, Path, description = "The file's name")),
    responses((status = 200, description = "The file", content((String = "text/javascript"), (String = "text/css")))))]
async fn file(Path(file): Path<String>) -> Result<Response, Problem> {
    match file.as_str() {
        "page.js" => Ok(answer("text/javascript; charset=utf-8", include_str!("../pages/page.js"))),
        "telegram.js" => Ok(answer("text/javascript; charset=utf-8", include_str!("../pages/telegram.js"))),
        "page.css" => Ok(answer("text/css; charset=utf-8", include_str!("../pages/page.css"))),
        _ => Err(Problem::not_found()),
    }
}

/// The page under Telegram's callback that posts the fragment to the same path. Some browsers hold a form's policy
/// against the redirect that answers it too, so the policy names where that may lead.
pub(super) fn telegram_fragment(return_to: &[String]) -> Result<Response, Problem> {
    let mut policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; \
        form-action 'self'"
            .to_owned();
    for url in return_to.iter().filter_map(|url| Url::parse(url).ok()) {
        let origin = url.origin();
        let source = if origin.is_tuple() { origin.ascii_serialization() } else { format!("{}:", url.scheme()) };
        policy.push(' ');
        policy.push_str(&source);
    }
    let policy = HeaderValue::from_str(&policy).map_err(|_| Problem::internal())?;
    let mut page = answer("text/html; charset=utf-8", include_str!("../pages/telegram.html"));
    page.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    Ok(page)
}

fn answer(media_type: &'static str, text: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(media_type)),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
    ];
    (headers, text).into_response()
}
