//! The table of problems as a page for people (`docs/problems.md`) and as a schema for the API document.
//! A test keeps the page equal to the table.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{reasons, table};

/// `docs/problems.md`, generated from the table.
#[must_use]
pub fn problems_markdown() -> String {
    let mut page = String::from(
        "# Problems\n\n\
         Generated from `crates/web/src/problem/table.rs`; run `UPDATE=1 cargo test -p userd-web` after a change there.\n\n\
         Every error is answered as `application/problem+json` (RFC 9457). `type` is `/problems/<slug>`, `instance` is the\n\
         request id (also in `X-Request-Id` and in each line of the log), `errors` lists refused fields by JSON pointer.\n\
         Titles and `errors[].detail` are Russian where `Accept-Language` prefers `ru`; a caller that prefers `text/html`, as\n\
         browsers do, gets a page. `GET /problems/<slug>` explains each, as JSON or as a page. Slugs and statuses are stable.\n\n\
         On `/oauth2/*` errors have the form of RFC 6749 section 5.2, with the code of the last column; their status is 400\n\
         except for `invalid_client` and `invalid_token` (401), for `unauthorized_client` (403) and for transport problems.\n\n\
         | slug | status | title | по-русски | what to do | что делать | OAuth code |\n|---|---|---|---|---|---|---|\n",
    );
    let mut rows = table::ALL.to_vec();
    rows.sort_by_key(|row| (row.status, row.slug));
    for row in rows {
        // Writing into a String cannot fail.
        let _ = writeln!(
            page,
            "| `{}` | {} | {} | {} | {} | {} | `{}` |",
            row.slug, row.status, row.title, row.title_ru, row.advice, row.advice_ru, row.oauth
        );
    }
    page.push_str(
        "\n## Reasons\n\n\
         Why a sign-in through a provider ended: `error` where the browser lands, `reason` of `provider_refused` and\n\
         `sign_in_not_allowed`. Where there is no reason, `error` is a slug of the table above.\n\n\
         | reason | title | по-русски | what to do | что делать |\n|---|---|---|---|---|\n",
    );
    for reason in reasons::ALL {
        let reasons::Reason { slug, title, title_ru, advice, advice_ru } = reason;
        let _ = writeln!(page, "| `{slug}` | {title} | {title_ru} | {advice} | {advice_ru} |");
    }
    page
}

/// The JSON Schema of a problem.
#[must_use]
pub fn problem_schema() -> Value {
    let slugs: Vec<String> = table::ALL.iter().map(|row| format!("/problems/{}", row.slug)).collect();
    let reasons: Vec<&str> = reasons::ALL.iter().map(|reason| reason.slug).collect();
    json!({
        "type": "object",
        "description": "An error (RFC 9457).",
        "required": ["type", "title", "status", "instance"],
        "example": {
            "type": "/problems/invalid_input", "title": "The input is not accepted", "status": 422, "instance": "6f9619ff",
            "errors": [{"pointer": "/password", "detail": "must have at least 12 characters"}]
        },
        "properties": {
            "type": {"type": "string", "enum": slugs, "description": "The kind; GET it for advice."},
            "title": {"type": "string", "description": "For people; English or Russian by Accept-Language."},
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": {"type": "string", "description": "About this occurrence."},
            "instance": {"type": "string", "description": "The request id."},
            "reason": {"type": "string", "enum": reasons, "description": "Which check failed, where a provider's answer is refused."},
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["pointer", "detail"],
                    "properties": {
                        "pointer": {"type": "string", "description": "RFC 6901 pointer into the body; /name for a query parameter."},
                        "detail": {"type": "string", "description": "What is wrong; English or Russian by Accept-Language."}
                    }
                }
            }
        }
    })
}

/// The JSON Schema of an error on `/oauth2/*`.
#[must_use]
pub fn oauth_error_schema() -> Value {
    let mut codes: Vec<&str> = table::ALL.iter().map(|row| row.oauth).collect();
    codes.sort_unstable();
    codes.dedup();
    json!({
        "type": "object",
        "description": "An OAuth error (RFC 6749 section 5.2).",
        "required": ["error"],
        "example": {
            "error": "invalid_client", "error_description": "The client is not authenticated",
            "error_uri": "/problems/invalid_client", "instance": "6f9619ff"
        },
        "properties": {
            "error": {"type": "string", "enum": codes},
            "error_description": {"type": "string"},
            "error_uri": {"type": "string"},
            "instance": {"type": "string", "description": "The request id."}
        }
    })
}
