//! What a token endpoint answers: JSON, or a form as OAuth had it before it was a standard. What the tokens mean is not
//! known here.

use serde_json::Value;
use userd_model::Timestamp;
use userd_outbound::{Answer, Secret};

use crate::{
    answer::{Members, ReadAnswer, text},
    fault::ProviderFault,
    profile::ProviderTokens,
};

/// The members of a token endpoint's good answer.
pub(crate) fn good_token_answer(answer: &Answer) -> Result<Members, ProviderFault> {
    let wanted = answer.status != 429 && answer.status < 500 && answer.members().is_err();
    match form(&answer.body).filter(|_| wanted) {
        Some(members) => answer.good_of(members),
        None => answer.good(),
    }
}

/// A form with a token or an error in it and nothing twice; a page of HTML is none.
fn form(body: &[u8]) -> Option<Members> {
    let mut members = Members::new();
    for (name, value) in url::form_urlencoded::parse(body.trim_ascii()) {
        if members.insert(name.into_owned(), value.into_owned().into()).is_some() {
            return None;
        }
    }
    ["access_token", "id_token", "error"].iter().any(|name| members.contains_key(*name)).then_some(members)
}

/// A token endpoint's good answer.
#[derive(Debug)]
pub(crate) struct TokenAnswer {
    pub(crate) access_token: Option<Secret>,
    pub(crate) refresh_token: Option<Secret>,
    pub(crate) id_token: Option<Secret>,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) scope: Option<String>,
    pub(crate) members: Members,
}

impl TokenAnswer {
    pub(crate) fn read(mut members: Members, now: Timestamp) -> Self {
        let mut secret = |name: &str| match members.remove(name) {
            Some(Value::String(text)) if !text.is_empty() => Some(Secret::new(text)),
            _ => None,
        };
        let (access_token, refresh_token, id_token) =
            (secret("access_token"), secret("refresh_token"), secret("id_token"));
        let seconds = members.get("expires_in").and_then(|v| v.as_u64().or_else(|| v.as_str()?.parse().ok()));
        let expires_at = seconds.map(|s| now.plus(std::time::Duration::from_secs(s.min(10 * 366 * 86_400))));
        let scope = text(&members, "scope");
        Self { access_token, refresh_token, id_token, expires_at, scope, members }
    }

    pub(crate) fn access_token(&self) -> Result<&Secret, ProviderFault> {
        self.access_token.as_ref().ok_or(ProviderFault::Refused("token_missing"))
    }

    pub(crate) fn tokens(&self, device_id: Option<&str>) -> Option<ProviderTokens> {
        Some(ProviderTokens {
            access_token: self.access_token.clone()?,
            refresh_token: self.refresh_token.clone(),
            expires_at: self.expires_at,
            scope: self.scope.clone(),
            device_id: device_id.map(str::to_owned),
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests stop at the first surprise")]
mod tests {
    use super::*;

    fn answer(status: u16, body: &'static str) -> Answer {
        Answer { status, body: bytes::Bytes::from_static(body.as_bytes()), host: "h".into(), ..Answer::default() }
    }

    /// A form is a token answer too (fault 15).
    #[test]
    fn a_form_is_read_as_a_token_answer() {
        let form = answer(200, "access_token=at%2D1&expires_in=3600&scope=user%3Aemail&token_type=bearer\n");
        let read = TokenAnswer::read(good_token_answer(&form).unwrap(), Timestamp::from_seconds(0));
        assert_eq!(read.access_token().unwrap().expose(), "at-1");
        assert_eq!((read.expires_at, read.scope.as_deref()), (Some(Timestamp::from_seconds(3600)), Some("user:email")));
        for refused in ["error=bad_verification_code&error_description=x", "error=invalid_grant&access_token=at"] {
            assert_eq!(good_token_answer(&answer(200, refused)), Err(ProviderFault::Refused("code_refused")));
        }
        for nonsense in ["access_token=a&access_token=b", "<html>access_token=a", "", "&&", "token=a"] {
            let read = good_token_answer(&answer(200, nonsense));
            assert!(matches!(read, Err(ProviderFault::Unavailable(_))), "{nonsense}");
        }
        let ill = good_token_answer(&answer(502, "access_token=a"));
        assert!(matches!(ill, Err(ProviderFault::Unavailable(_))), "whatever it says");
    }
}
