//! Pushing one security event token (RFC 8935): the same places are refused as for webhooks, and the answer is 202 or says
//! what is wrong with it.

use std::time::Duration;

use userd_model::Timestamp;
use userd_outbound::{Answer, Call, Unreachable, printable};

use super::{UrlFault, WebhookSender, WebhookUrl, retry_after};

/// One token for one receiver.
#[derive(Clone)]
pub struct SecurityEventCall<'a> {
    /// Where to.
    pub url: &'a WebhookUrl,
    /// What the receiver wants to see in `Authorization`.
    pub authorization: Option<&'a str>,
    /// The token.
    pub token: String,
    /// When this attempt is made.
    pub at: Timestamp,
}

/// The receiver is somebody's, and the authorization is a secret.
impl std::fmt::Debug for SecurityEventCall<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecurityEventCall").field("url", &self.url).finish_non_exhaustive()
    }
}

/// Why a token was not taken. The reasons name the host, and nothing else of the URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecurityEventFault {
    /// The receiver has looked at this token and does not want it (400 with an error of RFC 8935 section 2.4).
    #[error("the receiver does not take the token: {0}")]
    Rejected(String),
    /// Anything else: it may be taken later.
    #[error("the receiver cannot be reached: {reason}")]
    Unavailable {
        /// How long it asks us to wait.
        retry_after: Option<Duration>,
        /// What happened.
        reason: String,
    },
}

impl WebhookSender {
    /// Pushes a token. `Ok` when the receiver has taken it (202, or another 2xx).
    ///
    /// # Errors
    /// See [`SecurityEventFault`].
    pub async fn push(&self, call: SecurityEventCall<'_>) -> Result<(), SecurityEventFault> {
        let later = |reason| SecurityEventFault::Unavailable { retry_after: None, reason };
        if call.url.url().scheme() == "http" && !self.allowed.http {
            return Err(later(format!("{}: {}", printable(&call.url.origin()), UrlFault::Scheme)));
        }
        let mut http = Call::post(call.url.url().clone()).body("application/secevent+jwt", call.token.into());
        if let Some(authorization) = call.authorization {
            http = http.header("authorization", authorization);
        }
        match self.http.send(http).await {
            Ok(answer) => meaning(&answer, call.at),
            Err(Unreachable::Refused(why) | Unreachable::Failed(why)) => Err(later(printable(&why))),
        }
    }
}

fn meaning(answer: &Answer, now: Timestamp) -> Result<(), SecurityEventFault> {
    let reason = format!("{} answered {}", answer.host, answer.status);
    match answer.status {
        200..=299 => Ok(()),
        400 => Err(match rejected(&answer.body) {
            Some(said) => SecurityEventFault::Rejected(printable(&format!("{reason}: {said}"))),
            None => SecurityEventFault::Unavailable { retry_after: None, reason: printable(&reason) },
        }),
        _ => {
            let retry_after = answer.header("retry-after").and_then(|text| retry_after::parse(text, now));
            Err(SecurityEventFault::Unavailable { retry_after, reason: printable(&reason) })
        }
    }
}

/// What is wrong, where the body says it (RFC 8935 section 2.3).
fn rejected(body: &[u8]) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    let word = |name: &str| body.get(name).and_then(serde_json::Value::as_str);
    let said = format!("{} {}", word("err")?, word("description").unwrap_or_default());
    Some(said.chars().take(200).collect())
}
