//! The call itself and what its answer means. Redirects are not followed, names are looked up once and lead outside, time
//! and size are bounded.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use userd_outbound::{Answer, Call, ConfigError, HttpClient, HttpOptions, Secret, Unreachable, printable};

use super::{Allowed, UrlFault, WebhookCall, WebhookFault, WebhookUrl, breaker::Breakers, retry_after, signature};

/// How receivers are called.
#[derive(Clone, Debug)]
pub struct WebhookOptions {
    /// For a whole call. Default 15 s.
    pub timeout: Duration,
    /// Calls of one receiver at the same time: a slow one has no more of the callers than this. Default 16.
    pub calls_per_receiver: usize,
    /// Where receivers may be. Default: https, outside.
    pub allowed: Allowed,
    /// The proxy that calls go through. It resolves names then, so its own rules keep them outside.
    pub proxy: Option<Secret>,
    /// PEM file with certificate authorities that are trusted besides the system's.
    pub ca_file: Option<PathBuf>,
}

impl Default for WebhookOptions {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(15),
            calls_per_receiver: 16,
            allowed: Allowed::default(),
            proxy: None,
            ca_file: None,
        }
    }
}

/// How much of an answer's body is read before the connection is given up instead.
const MAX_ANSWER: usize = 16 * 1024;

/// Calls receivers. One for all of them: connections are kept by host, and no call waits for another.
pub struct WebhookSender {
    pub(super) http: HttpClient,
    breakers: Breakers,
    pub(super) allowed: Allowed,
}

impl WebhookSender {
    /// A sender that has called nobody yet.
    ///
    /// # Errors
    /// The key that is wrong, without its value.
    pub fn new(options: WebhookOptions) -> Result<Self, ConfigError> {
        let unreadable = |_| ConfigError::new("webhooks.ca_file", "cannot be read");
        let extra_roots = options.ca_file.map(std::fs::read).transpose().map_err(unreadable)?;
        let (breakers, allowed) = (Breakers::new(options.calls_per_receiver), options.allowed);
        let options = HttpOptions {
            timeout: options.timeout,
            max_body: MAX_ANSWER,
            head_only: true,
            proxy: options.proxy,
            extra_roots,
            allow_private_addresses: allowed.private_addresses,
            allow_http: allowed.http,
            ..HttpOptions::default()
        };
        let http = HttpClient::new(options, &[])
            .map_err(|fault| ConfigError::new(format!("webhooks.{}", fault.field), fault.detail))?;
        Ok(Self { http, breakers, allowed })
    }

    /// Reads a URL that may be called.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn url(&self, text: &str) -> Result<WebhookUrl, UrlFault> {
        WebhookUrl::parse(text, self.allowed)
    }

    /// Makes the call, if it may be made now. `Ok` when the receiver has taken the event (2xx).
    ///
    /// # Errors
    /// See [`WebhookFault`]. After `Unavailable` it may have been taken all the same, and a second copy has the same id.
    pub async fn send(&self, call: &WebhookCall) -> Result<(), WebhookFault> {
        let headers = signature::sign(call)?;
        let leave = self.breakers.leave(call.url.as_str(), call.at).map_err(WebhookFault::Wait)?;
        let began = Instant::now();
        let sent = self.call(call, &headers).await;
        leave.ended(sent.as_ref().err(), call.at.plus(began.elapsed()));
        sent
    }

    /// The same whatever is known of the receiver, for somebody who looks on: how it ends is not remembered.
    ///
    /// # Errors
    /// Those of [`Self::send`].
    pub async fn send_at_once(&self, call: &WebhookCall) -> Result<(), WebhookFault> {
        self.call(call, &signature::sign(call)?).await
    }

    async fn call(&self, call: &WebhookCall, headers: &signature::Headers) -> Result<(), WebhookFault> {
        if call.url.url().scheme() == "http" && !self.allowed.http {
            return Err(WebhookFault::Refused(format!("{}: {}", printable(&call.url.origin()), UrlFault::Scheme)));
        }
        let http = Call::post(call.url.url().clone())
            .header("accept", "*/*")
            .header("webhook-id", &call.id)
            .header("webhook-timestamp", &headers.timestamp)
            .header("webhook-signature", &headers.signature)
            .body(call.content_type.as_str(), call.body.clone());
        match self.http.send(http).await {
            Ok(answer) => meaning(&answer, call),
            Err(Unreachable::Refused(why)) => Err(WebhookFault::Refused(printable(&why))),
            Err(Unreachable::Failed(why)) => {
                Err(WebhookFault::Unavailable { retry_after: None, reason: printable(&why) })
            }
        }
    }
}

/// What a status says; a header of the receiver's can say more.
fn meaning(answer: &Answer, call: &WebhookCall) -> Result<(), WebhookFault> {
    let reason = printable(&format!("{} answered {}", answer.host, answer.status));
    let retry_after = answer.header("retry-after").and_then(|text| retry_after::parse(text, call.at));
    let wish = answer.header("webhook-delivery").map(str::trim);
    Err(match (answer.status, wish) {
        (_, Some("disable")) => WebhookFault::Gone(format!("{reason} and `webhook-delivery: disable`")),
        (200..=299, _) => return Ok(()),
        (410, _) => WebhookFault::Gone(reason),
        (_, Some("abort-message")) => WebhookFault::Aborted(format!("{reason} and `webhook-delivery: abort-message`")),
        (429 | 502 | 504, _) => WebhookFault::Throttled { retry_after, reason },
        (500..=599, _) => WebhookFault::Unavailable { retry_after, reason },
        _ => WebhookFault::Refused(reason),
    })
}
