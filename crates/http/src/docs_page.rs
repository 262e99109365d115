//! `/docs`: Swagger UI from the binary itself, under a policy that allows no other host and no inline code.

use std::{borrow::Cow, sync::Arc};

use axum::response::{Html, IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, header};
use userd_web::Problem;

/// Addresses are relative, so that the page also works below a path prefix of a proxy.
const PAGE: &str = r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>userd API</title>
<link rel="icon" type="image/png" href="docs/favicon-32x32.png">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"><noscript>This page needs JavaScript; <a href="openapi.json">the document itself</a> does not.</noscript></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"#;

/// Tokens stay in the page's memory: nothing is persisted, no validator is asked.
const START: &str = r##"SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  displayRequestDuration: true,
  persistAuthorization: false,
  tryItOutEnabled: true,
  validatorUrl: null,
  withCredentials: false,
});
// Swagger UI leaves the body and the choice of a server without a name that screen readers could say.
function giveName(field) {
  if (field.title || field.hasAttribute("aria-label")) return;
  const ofBody = field.matches(".body-param__text") ? "Request body" : field.placeholder;
  // The label around the choice of a server is empty.
  if (field.id === "servers") field.setAttribute("aria-label", "Server");
  else if (!field.labels?.length) field.setAttribute("aria-label", ofBody || "Value");
}
new MutationObserver(() => document.querySelectorAll("input, select, textarea").forEach(giveName))
  .observe(document.getElementById("swagger-ui"), { childList: true, subtree: true });
"##;

const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// The files that the page loads, from the vendored distribution.
const FILES: [(&str, &str); 3] = [
    ("swagger-ui.css", "text/css; charset=utf-8"),
    ("swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
    ("favicon-32x32.png", "image/png"),
];

/// The page.
pub(crate) fn page() -> Response {
    ([(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(PAGE_POLICY))], Html(PAGE)).into_response()
}

/// One of its files.
pub(crate) fn file(name: &str) -> Result<Response, Problem> {
    if name == "start.js" {
        return Ok(answer("text/javascript; charset=utf-8", START.into(), false));
    }
    let (name, media_type) = FILES.into_iter().find(|(known, _)| *known == name).ok_or_else(Problem::not_found)?;
    let config = Arc::new(utoipa_swagger_ui::Config::from("/openapi.json"));
    match utoipa_swagger_ui::serve(name, config) {
        Ok(Some(file)) => Ok(answer(media_type, embedded(file.bytes), file.gzpipped)),
        Ok(None) => Err(Problem::not_found()),
        Err(error) => {
            tracing::error!(%error, name, "a file of the documentation page cannot be served");
            Err(Problem::internal())
        }
    }
}

/// The file lies in the program itself; serving it copies nothing.
fn embedded(bytes: Cow<'static, [u8]>) -> Bytes {
    match bytes {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => bytes.into(),
    }
}

fn answer(media_type: &'static str, body: Bytes, gzipped: bool) -> Response {
    const CACHE: (HeaderName, HeaderValue) = (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    let mut response = ([(header::CONTENT_TYPE, HeaderValue::from_static(media_type)), CACHE], body).into_response();
    if gzipped {
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}
