//! Problems: how a refusal leaves the service (RFC 9457, `application/problem+json`). The table of all kinds is in
//! `problem/table.rs`, the one of reasons in `problem/reasons.rs`; both are told to people by `problem/page.rs`. Deliberately absent: causes. Nothing here holds an error with a source, so none can leak.

pub mod document;
mod failure;
pub mod page;
pub mod reasons;
pub mod table;

use std::{borrow::Cow, time::Duration};

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Map, Value, json};
use userd_model::{InvalidField, Level, Refusal, RequestState, details};

pub use page::Words;
pub use reasons::Reason;
pub use table::Row;
pub use userd_model::texts::Language;

/// What whoever has shown nothing is asked for.
pub(crate) const ASKED: &str = r#"Bearer realm="userd""#;
/// The same to whoever has shown a token that is not good.
pub(crate) const BAD_TOKEN: &str = r#"Bearer realm="userd", error="invalid_token""#;

/// One problem on its way to the caller.
///
/// As an answer it carries its status and waits in the response's extensions; the middleware writes the body, because
/// only it knows the request id, the language, and whether the path speaks OAuth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    row: &'static Row,
    detail: Option<Cow<'static, str>>,
    errors: Vec<InvalidField>,
    reason: Option<&'static str>,
    retry_after: Option<Duration>,
    /// How strongly and how lately the caller has to prove who they are (RFC 9470).
    wanted_proof: Option<(Level, Option<Duration>)>,
    restore_token: Option<Box<RestoreToken>>,
}

/// Gives a deleted account back. Printing leaves it out.
#[derive(Clone, PartialEq, Eq)]
struct RestoreToken(String);

impl std::fmt::Debug for RestoreToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RestoreToken(…)")
    }
}

impl Problem {
    /// A problem of one kind. Kinds that answer 429 or 503 get a `Retry-After` of two seconds.
    #[must_use]
    pub fn of(row: &'static Row) -> Self {
        let retry_after = matches!(row.status, 429 | 503).then_some(table::DEFAULT_RETRY);
        Self {
            row,
            detail: None,
            errors: Vec::new(),
            reason: None,
            retry_after,
            wanted_proof: None,
            restore_token: None,
        }
    }

    /// The account is deleted; this token gives it back to whoever has proven to be its owner.
    #[must_use]
    pub fn account_deleted(restore_token: String) -> Self {
        Self { restore_token: Some(Box::new(RestoreToken(restore_token))), ..Self::of(&table::ACCOUNT_DELETED) }
    }

    /// No such thing, or its existence is private.
    #[must_use]
    pub fn not_found() -> Self {
        Self::of(&table::NOT_FOUND)
    }

    /// Something broke here. Log the cause where it is known; the caller gets the request id only.
    #[must_use]
    pub fn internal() -> Self {
        Self::of(&table::INTERNAL)
    }

    /// Something outside is away; repeat after `after`.
    #[must_use]
    pub fn unavailable(after: Duration) -> Self {
        Self::of(&table::UNAVAILABLE).retry_after(after)
    }

    /// A header, parameter or URL outside the body is malformed.
    #[must_use]
    pub fn malformed(detail: &'static str) -> Self {
        Self::of(&table::MALFORMED_REQUEST).detail(detail)
    }

    /// Says more about this occurrence. Never put a value of the request here.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Names one field and what is wrong with it.
    #[must_use]
    pub fn field(mut self, pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        self.errors.push(InvalidField::new(pointer, detail));
        self
    }

    /// Sets `Retry-After`.
    #[must_use]
    pub fn retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }

    /// The kind.
    #[must_use]
    pub fn row(&self) -> &'static Row {
        self.row
    }

    /// Why a provider's answer is refused, where that is the problem.
    #[must_use]
    pub const fn reason(&self) -> Option<&'static str> {
        self.reason
    }

    /// What is said to people: the reason's words where there is one, else the kind's.
    #[must_use]
    pub fn words(&self) -> Words {
        let reason = self.reason.and_then(reasons::find);
        reason.map_or_else(|| Words::from(self.row), Words::from)
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.row.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Writes the problem as RFC 9457 has it.
    #[must_use]
    pub fn to_json(&self, language: Language, request_id: &str) -> Value {
        let title = match language {
            Language::English => self.row.title,
            Language::Russian => self.row.title_ru,
        };
        let mut body = Map::new();
        body.insert("type".into(), format!("/problems/{}", self.row.slug).into());
        body.insert("title".into(), title.into());
        body.insert("status".into(), self.row.status.into());
        if let Some(detail) = &self.detail {
            body.insert("detail".into(), detail.as_ref().into());
        }
        body.insert("instance".into(), request_id.into());
        if let Some(reason) = self.reason {
            body.insert("reason".into(), reason.into());
        }
        if let Some(token) = &self.restore_token {
            body.insert("restore_token".into(), token.0.as_str().into());
        }
        if !self.errors.is_empty() {
            body.insert("errors".into(), self.errors_json(language));
        }
        Value::Object(body)
    }

    /// Writes the problem as RFC 6749 section 5.2 has it, for `/oauth2/*`.
    #[must_use]
    pub fn to_oauth_json(&self, request_id: &str) -> Value {
        let mut description = String::from(self.row.title);
        if let Some(detail) = &self.detail {
            description = format!("{description}: {detail}");
        }
        for error in &self.errors {
            description = format!("{description}; {}: {}", error.pointer.trim_start_matches('/'), error.detail);
        }
        // The RFC allows printable ASCII without quotes and backslashes only.
        description.retain(|c| matches!(c, ' '..='~') && c != '"' && c != '\\');
        json!({
            "error": self.row.oauth,
            "error_description": description,
            "error_uri": format!("/problems/{}", self.row.slug),
            "instance": request_id,
        })
    }

    /// The status on `/oauth2/*`: what the caller did wrong is 400, except failed client authentication and a permission
    /// that is missing: only introspection asks for one, as a protected resource does (RFC 6750 section 3.1).
    #[must_use]
    pub fn oauth_status(&self) -> StatusCode {
        match (self.row.oauth, self.row.status) {
            ("invalid_client" | "invalid_token", _) => StatusCode::UNAUTHORIZED,
            ("unauthorized_client", _) => StatusCode::FORBIDDEN,
            (_, 401..=404 | 409 | 412 | 422) => StatusCode::BAD_REQUEST,
            _ => self.status(),
        }
    }

    /// The refused fields: where, and what is wrong, in the caller's language.
    fn told_in(&self, language: Language) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
        self.errors.iter().map(move |error| (error.pointer.as_str(), details::in_language(&error.detail, language)))
    }

    fn errors_json(&self, language: Language) -> Value {
        self.told_in(language).map(|(pointer, detail)| json!({"pointer": pointer, "detail": detail})).collect()
    }

    fn challenge(&self) -> Option<HeaderValue> {
        if let Some((level, max_age)) = self.wanted_proof {
            let max_age = max_age.map(|age| format!(r#", max_age="{}""#, age.as_secs())).unwrap_or_default();
            let (slug, acr) = (self.row.slug, level.as_str());
            let text = format!(r#"Bearer realm="userd", error="{slug}", acr_values="{acr}"{max_age}"#);
            return HeaderValue::try_from(text).ok();
        }
        if self.row.status != 401 {
            return None;
        }
        Some(HeaderValue::from_static(match self.row.slug {
            "invalid_client" => r#"Basic realm="userd", charset="UTF-8""#,
            "not_signed_in" => BAD_TOKEN,
            _ => ASKED,
        }))
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let problem = Self::of(table::of_refusal(&refusal));
        match refusal {
            Refusal::InvalidInput(errors) => Self { errors, ..problem },
            Refusal::Malformed(detail) => problem.detail(detail),
            Refusal::ForAnotherService { wanted } => {
                problem.detail(format!("the token is for another service; ask for one with the resource {wanted}"))
            }
            Refusal::RequestClosed(state) => problem.detail(closed(state)),
            Refusal::WrongCurrentPassword => problem.field("/current_password", "is not the current password"),
            Refusal::ProviderRefused(reason) | Refusal::SignInNotAllowed(reason) => {
                Self { reason: Some(reason), ..problem }
            }
            Refusal::InsufficientAuthentication { level, max_age } => {
                Self { wanted_proof: Some((level, max_age)), ..problem }
            }
            Refusal::TooManyAttempts(wait) | Refusal::Busy(wait) => problem.retry_after(wait),
            _ => problem,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        if let Some(after) = self.retry_after {
            let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        if let Some(challenge) = self.challenge() {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response.extensions_mut().insert(self);
        response
    }
}
/// How a request has ended.
const fn closed(state: RequestState) -> &'static str {
    match state {
        RequestState::Open => "it is open",
        RequestState::Approved => "it was approved",
        RequestState::Declined => "it was declined",
        RequestState::Withdrawn => "it was withdrawn",
        RequestState::Expired => "it has expired",
    }
}
