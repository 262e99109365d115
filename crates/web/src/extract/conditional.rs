//! `If-Match` and `Idempotency-Key`: the two headers that guard writes.

use axum::extract::FromRequestParts;
use http::{HeaderMap, HeaderName, header, request::Parts};
use userd_model::Refusal;
use utoipa::{
    IntoParams,
    openapi::{
        Required,
        path::{Parameter, ParameterBuilder, ParameterIn},
        schema::{Object, Type},
    },
};

use crate::problem::Problem;

/// What `If-Match` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precondition {
    /// `*`: the resource exists.
    Exists,
    /// `"<version>"`: the resource has this version.
    Version(i64),
}

/// The `If-Match` header, if there is one (RFC 9110 section 13.1.1). One tag or `*`; lists and anything else are
/// 400. A weak tag counts as its strong twin: a proxy that compresses answers makes `W/"7"` of our `"7"`, and the
/// tag is the version, which says all that a write must know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IfMatch(pub Option<Precondition>);

impl IfMatch {
    /// The version that the resource must still have, if the caller named one.
    #[must_use]
    pub fn version(self) -> Option<i64> {
        match self.0 {
            Some(Precondition::Version(version)) => Some(version),
            Some(Precondition::Exists) | None => None,
        }
    }

    /// Compares with the current version.
    ///
    /// # Errors
    /// `VersionMismatch` (412).
    pub fn check(self, current: i64) -> Result<(), Refusal> {
        match self.version() {
            Some(wanted) if wanted != current => Err(Refusal::VersionMismatch),
            _ => Ok(()),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let malformed = || Problem::malformed("If-Match must be \"<version>\" in double quotes, or *");
        let Some(text) = single(&parts.headers, &header::IF_MATCH).map_err(|()| malformed())? else {
            return Ok(Self(None));
        };
        if text == "*" {
            return Ok(Self(Some(Precondition::Exists)));
        }
        let digits = text.strip_prefix("W/").unwrap_or(text);
        let digits = digits.strip_prefix('"').and_then(|t| t.strip_suffix('"')).ok_or_else(malformed)?;
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(malformed());
        }
        let version = digits.parse().map_err(|_| malformed())?;
        Ok(Self(Some(Precondition::Version(version))))
    }
}

/// The `Idempotency-Key` header, if there is one: 1 to 255 visible ASCII characters, else 400.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey(pub Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        const NAME: HeaderName = HeaderName::from_static("idempotency-key");
        let malformed = || Problem::malformed("Idempotency-Key must be 1 to 255 visible ASCII characters, sent once");
        match single(&parts.headers, &NAME).map_err(|()| malformed())? {
            None => Ok(Self(None)),
            Some(key) if (1..=255).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic()) => {
                Ok(Self(Some(key.to_owned())))
            }
            Some(_) => Err(malformed()),
        }
    }
}

impl IntoParams for IfMatch {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let description =
            "The version that the resource must still have, in double quotes; or `*`. `W/` before it is ignored.";
        vec![header_parameter("If-Match", description)]
    }
}

impl IntoParams for IdempotencyKey {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![header_parameter(
            "Idempotency-Key",
            "1 to 255 visible ASCII characters: the same key and body get the same answer for 24 hours.",
        )]
    }
}

fn header_parameter(name: &str, description: &str) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(description))
        .schema(Some(Object::with_type(Type::String)))
        .build()
}

/// The value of a header that may occur once.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, ()> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(());
    }
    value.to_str().map(Some).map_err(|_| ())
}
