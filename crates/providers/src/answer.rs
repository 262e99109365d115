//! Reading what providers answer: JSON with odd types, errors with status 200, tokens. Nothing is trusted here but
//! its shape.

use serde_json::{Map, Value};
use userd_model::Email;
use userd_outbound::{Answer, printable};

use crate::{fault::ProviderFault, profile::Profile};

/// Members of a JSON object.
pub(crate) type Members = Map<String, Value>;

/// What an answer says, once its shape is right.
pub(crate) trait ReadAnswer {
    /// The body as one JSON object without duplicate members.
    fn members(&self) -> Result<Members, ProviderFault>;

    /// The body as any JSON value without duplicate members.
    fn value(&self) -> Result<Value, ProviderFault>;

    /// The members of a good answer; an error in any of the usual dresses is a fault, whatever the status.
    fn good(&self) -> Result<Members, ProviderFault>;

    /// The same of members that were read already.
    fn good_of(&self, members: Members) -> Result<Members, ProviderFault>;
}

impl ReadAnswer for Answer {
    fn members(&self) -> Result<Members, ProviderFault> {
        // RFC 8259 section 8.1 lets a reader overlook a byte order mark.
        let body = self.body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&self.body);
        userd_jose::strict_json::object(body).map_err(|_| {
            ProviderFault::Unavailable(format!("{} answered {} without a JSON object", self.host, self.status))
        })
    }

    fn value(&self) -> Result<Value, ProviderFault> {
        userd_jose::strict_json::value(&self.body)
            .map_err(|_| ProviderFault::Unavailable(format!("{} answered {} without JSON", self.host, self.status)))
    }

    fn good(&self) -> Result<Members, ProviderFault> {
        if self.status == 429 || self.status >= 500 {
            return Err(ProviderFault::Unavailable(format!("{} answered {}", self.host, self.status)));
        }
        let members = match self.members() {
            Ok(members) => members,
            Err(_) if self.status >= 400 => Members::new(),
            Err(fault) => return Err(fault),
        };
        self.good_of(members)
    }

    fn good_of(&self, members: Members) -> Result<Members, ProviderFault> {
        let ok = (200..300).contains(&self.status);
        match error_text(&members) {
            None if ok => Ok(members),
            None => Err(fault(self, &format!("status {}", self.status), "")),
            Some(error) => {
                let description = text(&members, "error_description").or_else(|| text(&members, "error_msg"));
                Err(fault(self, &error, description.as_deref().unwrap_or_default()))
            }
        }
    }
}

fn fault(answer: &Answer, error: &str, description: &str) -> ProviderFault {
    let told = printable(&format!("{}: {error} {description}", answer.host));
    if concerns_us(error) {
        return ProviderFault::Misconfigured(told);
    }
    if matches!(error, "temporarily_unavailable" | "server_error" | "slow_down") {
        return ProviderFault::Unavailable(told);
    }
    tracing::info!(answer = told, "the provider refuses");
    ProviderFault::Refused(match error {
        "invalid_grant" | "bad_verification_code" | "bad_refresh_token" | "expired_token" => "code_refused",
        _ if answer.status == 401 || error == "invalid_token" => "token_refused",
        _ => "provider_error",
    })
}

/// Errors are free text: Yandex answers two with spaces in them, OK answers numbers.
fn error_text(members: &Members) -> Option<String> {
    match members.get("error") {
        error if says_nothing(error) => {}
        Some(Value::String(error)) => return Some(error.clone()),
        Some(Value::Object(nested)) => {
            return Some(
                text_or_number(nested, "error_msg")
                    .or_else(|| text_or_number(nested, "message"))
                    .unwrap_or_else(|| "error".into()),
            );
        }
        Some(other) => return Some(other.to_string()),
        None => {}
    }
    members.get("error_code").filter(|code| !says_nothing(Some(code))).map(|code| match code {
        Value::String(code) => code.clone(),
        other => other.to_string(),
    })
}

/// Some send the member along when all is well: empty, zero, or `{"code": "ok"}`.
fn says_nothing(error: Option<&Value>) -> bool {
    match error {
        None | Some(Value::Null | Value::Bool(false)) => true,
        Some(Value::String(text)) => text.is_empty() || text.eq_ignore_ascii_case("ok"),
        Some(Value::Number(number)) => number.as_i64() == Some(0),
        Some(Value::Array(list)) => list.is_empty(),
        Some(Value::Object(nested)) => {
            nested.values().all(|value| says_nothing(Some(value)))
                || nested.get("code").is_some_and(|code| says_nothing(Some(code)))
        }
        Some(Value::Bool(true)) => false,
    }
}

fn concerns_us(error: &str) -> bool {
    matches!(
        error,
        "invalid_client"
            | "unauthorized_client"
            | "incorrect_client_credentials"
            | "redirect_uri_mismatch"
            | "application_suspended"
            | "unsupported_grant_type"
            | "invalid_scope"
            | "Basic auth required"
            | "Malformed Authorization header"
    )
}

/// A text member that is not empty.
pub(crate) fn text(members: &Members, name: &str) -> Option<String> {
    members.get(name).and_then(Value::as_str).filter(|t| !t.is_empty()).map(str::to_owned)
}

/// A text member, or a whole number as its decimal text.
pub(crate) fn text_or_number(members: &Members, name: &str) -> Option<String> {
    members.get(name).and_then(scalar)
}

/// Text that is not empty, or a whole number as its decimal text; negative ones are error values in disguise.
pub(crate) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) if number.is_u64() => Some(number.to_string()),
        _ => None,
    }
}

/// A boolean, or one written as text.
pub(crate) fn truth(value: Option<&Value>) -> Option<bool> {
    match value {
        Some(Value::Bool(truth)) => Some(*truth),
        Some(Value::String(text)) if text == "true" => Some(true),
        Some(Value::String(text)) if text == "false" => Some(false),
        _ => None,
    }
}

/// A picture's URL, https only: it ends up in other people's pages.
pub(crate) fn picture(url: Option<String>) -> Option<String> {
    url.filter(|u| u.len() <= 2048 && url::Url::parse(u).is_ok_and(|u| u.scheme() == "https"))
}

/// A phone number; some providers drop the plus.
pub(crate) fn phone(number: Option<String>) -> Option<String> {
    let number = number?;
    let all_digits = number.bytes().all(|b| b.is_ascii_digit());
    Some(if all_digits && (8..=15).contains(&number.len()) { format!("+{number}") } else { number })
}

/// A language tag; some write the underscore of a POSIX locale.
pub(crate) fn locale(tag: Option<String>) -> Option<String> {
    tag.map(|tag| tag.replace('_', "-"))
}

/// First and last name together, if there is any.
pub(crate) fn full_name(first: Option<String>, last: Option<String>) -> Option<String> {
    let name = [first, last].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let name = name.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

/// Takes down the address as given, and whether it is proven. One that could not be registered here proves nothing:
/// its domain is looked at only once it was parsed (`a@evil.example\n@corp.example` is of no domain at all).
pub(crate) fn note_email(
    profile: &mut Profile,
    given: Option<String>,
    (trust, claimed): (Option<bool>, Option<bool>),
    rule: impl FnOnce(&Email) -> bool,
) {
    profile.email = given.filter(|email| email.contains('@') && !email.chars().any(char::is_control));
    let parsed = profile.email.as_deref().and_then(|email| Email::parse(email).ok());
    let rule = parsed.as_ref().is_some_and(rule);
    profile.email_verified = parsed.is_some() && judge_email(trust, claimed, rule);
    profile.email_vouched = profile.email_verified && (rule || claimed == Some(true));
}

/// Whether an address counts as proven. `rule`: what the provider's own rule says; the operator's word goes over it,
/// but nobody's goes over the provider's own "not verified".
fn judge_email(trust: Option<bool>, claimed: Option<bool>, rule: bool) -> bool {
    match (trust, claimed) {
        (Some(false), _) | (_, Some(false)) => false,
        (Some(true), _) => true,
        (None, _) => rule,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests stop at the first surprise")]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn profile() -> Profile {
        Profile {
            provider: "p".into(),
            issuer: "https://issuer.example".into(),
            client_id: "c".into(),
            subject: "1".into(),
            secondary: None,
            email: None,
            email_verified: false,
            email_vouched: false,
            phone: None,
            username: None,
            name: None,
            picture: None,
            birthday: None,
            locale: None,
            groups: Vec::new(),
            extra: Members::new(),
            tokens: None,
            bot_access: None,
            replay_keys: Vec::new(),
        }
    }

    fn answer(status: u16, body: &'static str) -> Answer {
        Answer { status, body: bytes::Bytes::from_static(body.as_bytes()), host: "h".into(), ..Answer::default() }
    }

    #[test]
    fn an_error_is_an_error_whatever_the_status() {
        let refused = |status, body| answer(status, body).good().err();
        assert_eq!(refused(200, r#"{"error":"bad_verification_code"}"#), Some(ProviderFault::Refused("code_refused")));
        assert_eq!(
            refused(200, r#"{"error_code":102,"error_msg":"x"}"#),
            Some(ProviderFault::Refused("provider_error"))
        );
        assert_eq!(refused(400, r#"{"error":"invalid_grant"}"#), Some(ProviderFault::Refused("code_refused")));
        assert_eq!(refused(401, "<html>"), Some(ProviderFault::Refused("token_refused")));
        for body in [r#"{"error":"Basic auth required"}"#, r#"{"error":"invalid_client"}"#] {
            assert!(matches!(refused(400, body), Some(ProviderFault::Misconfigured(_))), "{body}");
        }
        for (status, body) in
            [(500, "{}"), (502, "<html>"), (429, "{}"), (200, "<html>"), (200, "[]"), (200, r#"{"id":"1","id":"2"}"#)]
        {
            assert!(matches!(refused(status, body), Some(ProviderFault::Unavailable(_))), "{status} {body}");
        }
    }

    /// What is sent along when all is well is no error (fault 15).
    #[test]
    fn an_error_member_that_says_nothing_is_none() {
        for fine in [
            r#"{"error":{"code":"ok","message":"","log_id":"2026"},"id":"1"}"#,
            r#"{"error":{"code":0},"id":"1"}"#,
            r#"{"error":{},"id":"1"}"#,
            r#"{"error":"","error_code":0,"id":"1"}"#,
            r#"{"error":0,"id":"1"}"#,
            r#"{"error":false,"id":"1"}"#,
            r#"{"error":null,"error_code":null,"id":"1"}"#,
            "\u{feff}{\"id\":\"1\"}",
        ] {
            let members = answer(200, fine).good().unwrap();
            assert_eq!(text(&members, "id").as_deref(), Some("1"), "{fine}");
            assert!(answer(400, fine).good().is_err(), "{fine}");
        }
        for wrong in [
            r#"{"error":{"code":"access_token_invalid","message":"x"}}"#,
            r#"{"error":{"message":"x"}}"#,
            r#"{"error":true}"#,
            r#"{"error":7}"#,
            r#"{"error_code":"ok?"}"#,
        ] {
            assert!(answer(200, wrong).good().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_operator_is_believed_but_not_against_the_provider() {
        assert!(judge_email(Some(true), None, false));
        assert!(!judge_email(Some(true), Some(false), true));
        assert!(!judge_email(Some(false), Some(true), true));
        assert!(judge_email(None, None, true));
        assert!(!judge_email(None, Some(true), false));
    }

    /// ASVS V1.2.2
    #[test]
    fn a_picture_that_is_not_https_is_dropped() {
        assert_eq!(picture(Some("javascript:alert(1)".into())), None);
        assert_eq!(picture(Some("http://t.me/a.jpg".into())), None);
        assert!(picture(Some("https://t.me/a.jpg".into())).is_some());
    }
}
