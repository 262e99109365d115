//! Typed reading of a verified payload. Absent is `None`; present with another type is an error, never "absent":
//! that confusion is how wrongly typed expiries were ignored elsewhere (CVE-2026-25537).

use serde_json::{Map, Value};

use crate::{JoseError, strict_json};

/// The end of the year 9999, seconds since the epoch: no token lives longer.
const LAST_SECOND: u64 = 253_402_300_799;

/// The members of a token's payload.
#[derive(Clone, PartialEq)]
pub struct Claims(Map<String, Value>);

impl Claims {
    /// Reads a payload. Only sensible after its signature was verified.
    pub fn parse(payload: &[u8]) -> Result<Self, JoseError> {
        Ok(Self(strict_json::object(payload)?))
    }

    /// The raw value of a claim.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// All members.
    #[must_use]
    pub fn into_members(self) -> Map<String, Value> {
        self.0
    }

    /// A text claim.
    pub fn text(&self, name: &'static str) -> Result<Option<&str>, JoseError> {
        self.0.get(name).map(|value| value.as_str().ok_or(JoseError::Claim(name))).transpose()
    }

    /// A whole number, not negative.
    ///
    /// # Errors
    /// [`JoseError::Claim`] for text, floats (`1.0` too), negatives and numbers beyond `i64`.
    pub fn integer(&self, name: &'static str) -> Result<Option<i64>, JoseError> {
        let integer = |value: &Value| value.as_u64().and_then(|number| i64::try_from(number).ok());
        self.0.get(name).map(|value| integer(value).ok_or(JoseError::Claim(name))).transpose()
    }

    /// A `NumericDate` as others may write it (RFC 7519 section 2), with a fraction or an exponent: the second that it is
    /// in, at most the end of the year 9999.
    pub fn numeric_date(&self, name: &'static str) -> Result<Option<i64>, JoseError> {
        match self.0.get(name).and_then(|value| value.as_f64().filter(|_| value.is_f64())) {
            #[expect(clippy::cast_possible_truncation, reason = "within the bounds, and the fraction is not wanted")]
            #[expect(clippy::cast_precision_loss, reason = "the last second is far below 2^53")]
            Some(seconds) if seconds.is_sign_positive() && seconds < LAST_SECOND as f64 => Ok(Some(seconds as i64)),
            Some(_) => Err(JoseError::Claim(name)),
            None => self.seconds(name),
        }
    }

    /// A `NumericDate` as we write it: whole seconds since the epoch, at most the end of the year 9999.
    pub fn seconds(&self, name: &'static str) -> Result<Option<i64>, JoseError> {
        let seconds = self.integer(name)?;
        match seconds {
            Some(number) if number.unsigned_abs() > LAST_SECOND => Err(JoseError::Claim(name)),
            _ => Ok(seconds),
        }
    }

    /// True or false.
    ///
    /// # Errors
    /// [`JoseError::Claim`] for anything else (the strings `"true"` and `"false"` too).
    pub fn boolean(&self, name: &'static str) -> Result<Option<bool>, JoseError> {
        self.0.get(name).map(|value| value.as_bool().ok_or(JoseError::Claim(name))).transpose()
    }

    /// A list of texts.
    pub fn texts(&self, name: &'static str) -> Result<Option<Vec<&str>>, JoseError> {
        self.0.get(name).map(|value| texts_of(value).ok_or(JoseError::Claim(name))).transpose()
    }

    /// A list of whole numbers, none negative.
    pub fn integers(&self, name: &'static str) -> Result<Option<Vec<i64>>, JoseError> {
        let integer = |value: &Value| value.as_u64().and_then(|number| i64::try_from(number).ok());
        let all = |value: &Value| value.as_array()?.iter().map(integer).collect::<Option<Vec<i64>>>();
        self.0.get(name).map(|value| all(value).ok_or(JoseError::Claim(name))).transpose()
    }

    /// The audience: one text or a list of texts (RFC 7519 section 4.1.3). Empty when absent.
    pub fn audience(&self) -> Result<Vec<&str>, JoseError> {
        match self.0.get("aud") {
            Some(Value::String(one)) => Ok(vec![one]),
            _ => Ok(self.texts("aud")?.unwrap_or_default()),
        }
    }
}

/// Shows the names of the claims; their values are personal.
impl std::fmt::Debug for Claims {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

fn texts_of(value: &Value) -> Option<Vec<&str>> {
    value.as_array()?.iter().map(Value::as_str).collect()
}
