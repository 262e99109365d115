//! Query strings and forms: pairs without duplicates, in valid UTF-8.

use axum::extract::{FromRequest, FromRequestParts, Request};
use http::request::Parts;
use serde::de::DeserializeOwned;
use url::form_urlencoded;

use super::json::{pointer_of, read_body, require_media_type, wanted};
use crate::problem::{Problem, table};

/// Query parameters. `T` derives `Deserialize` with `deny_unknown_fields`, so that a misspelt filter is an error and
/// not the whole list. Refusal: 400 `invalid_parameter`.
#[derive(Clone, Copy, Debug)]
pub struct Query<T>(pub T);

/// An `application/x-www-form-urlencoded` body for `/oauth2/*` (RFC 6749 section 3.2: a parameter occurs once, one
/// without a value counts as absent, unknown ones are ignored). Refusals: 400, 408, 413, 415.
#[derive(Clone, Copy, Debug)]
pub struct Form<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let text = parts.uri.query().unwrap_or_default();
        read_pairs(text.as_bytes(), false, &table::INVALID_PARAMETER).map(Self)
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Form<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        require_media_type(request.headers(), "application/x-www-form-urlencoded")?;
        let body = read_body(request.into_body()).await?;
        read_pairs(&body, true, &table::MALFORMED_REQUEST).map(Self)
    }
}

fn read_pairs<T: DeserializeOwned>(
    text: &[u8],
    is_form: bool,
    row: &'static crate::problem::Row,
) -> Result<T, Problem> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for (name, value) in form_urlencoded::parse(text) {
        if name.contains('\u{fffd}') || value.contains('\u{fffd}') {
            return Err(Problem::of(row).detail("a parameter is not valid UTF-8"));
        }
        if pairs.iter().any(|(known, _)| *known == name) {
            // RFC 8707 allows several; a token here is for one.
            if is_form && name == "resource" {
                return Err(Problem::of(&table::INVALID_TARGET).field(pointer(&name), "occurs twice"));
            }
            return Err(Problem::of(row).field(pointer(&name), "occurs twice"));
        }
        // One without a value counts as absent there.
        if !(is_form && value.is_empty()) {
            pairs.push((name.into_owned(), value.into_owned()));
        }
    }
    // Parsed once more from the cleaned pairs, because this reader turns text into numbers and booleans.
    let clean = form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
    let reader = serde_urlencoded::Deserializer::new(form_urlencoded::parse(clean.as_bytes()));
    serde_path_to_error::deserialize(reader)
        .map_err(|error| describe(&error.inner().to_string(), pointer_of(error.path()), row))
}

/// Turns serde's words into a problem that names the parameter and never repeats its value.
fn describe(message: &str, place: String, row: &'static crate::problem::Row) -> Problem {
    let name = |before: &str| message.strip_prefix(before).and_then(|rest| rest.split('`').next());
    if let Some(name) = name("unknown field `") {
        return Problem::of(row).field(pointer(name), "is not a parameter of this request");
    }
    if let Some(name) = name("missing field `") {
        return Problem::of(row).field(pointer(name), "is required");
    }
    if place.is_empty() {
        return Problem::of(row).detail("a parameter has not the form that it needs");
    }
    Problem::of(row).field(place, form_of(message))
}

/// What a value should have been: parsers of the standard library say it in words of their own.
fn form_of(message: &str) -> String {
    const OF_INTEGERS: [&str; 3] = ["invalid digit", "cannot parse integer", "number too"];
    if OF_INTEGERS.iter().any(|start| message.starts_with(start)) {
        return "expected a whole number".to_owned();
    }
    if message.starts_with("provided string was not") { "expected a boolean".to_owned() } else { wanted(message) }
}

fn pointer(name: &str) -> String {
    let name: String = name.chars().filter(|c| !c.is_control()).take(64).collect();
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, clippy::indexing_slicing, reason = "tests fail by panicking")]
    use serde::Deserialize;

    use super::*;
    use crate::problem::Language;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only parsed")]
    struct Filter {
        created_after: Option<userd_model::Timestamp>,
    }

    /// The library that reads times would say which byte of the value it does not like.
    #[test]
    fn a_wrong_time_is_told_by_its_form_in_both_languages() {
        for value in ["yesterday", "2026-01-31", "2026-01-31T25%3A00%3A00Z", ""] {
            let text = format!("created_after={value}");
            let read = read_pairs::<Filter>(text.as_bytes(), false, &table::INVALID_PARAMETER);
            let problem = read.expect_err("the parameter must be refused");
            for (language, detail) in [
                (Language::English, "expected a time as 2026-01-31T12:00:00Z"),
                (Language::Russian, "должно быть временем вида 2026-01-31T12:00:00Z"),
            ] {
                let json = problem.to_json(language, "id");
                assert_eq!(json["errors"][0]["pointer"], "/created_after", "{value}");
                assert_eq!(json["errors"][0]["detail"], detail, "{value}");
            }
        }
    }
}
