//! The built-in pages: first setup, and where a sign-in lands that named no page of its own. Static files under a
//! policy that allows this host only; what they do goes through the same API as everything else.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
use utoipa_axum::routes;

use crate::{extract::Path, problem::Problem, router::Routes};

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// The routes of this resource.
#[must_use]
pub(super) fn routes() -> Routes {
    Routes::new().with(routes!(setup)).with(routes!(signed_in)).with(routes!(file))
}

/// The page behind the one-time setup link.
#[utoipa::path(get, path = "/setup", tag = "Pages", responses((status = 200, description = "An HTML page", body = String, content_type = "text/html")))]
async fn setup() -> Response {
    answer("text/html; charset=utf-8", include_str!("../pages/setup.html"))
}

/// Where a sign-in through a provider lands that named no `return_to`.
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
        "page.css" => Ok(answer("text/css; charset=utf-8", include_str!("../pages/page.css"))),
        _ => Err(Problem::not_found()),
    }
}

fn answer(media_type: &'static str, text: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(media_type)),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
    ];
    (headers, text).into_response()
}
