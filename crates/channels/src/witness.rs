//! Calls of a witness of the audit log (C2SP `tlog-witness`): a checkpoint goes out, signatures come back. What they are worth
//! is not known here.

use std::time::Duration;

use url::Url;
use userd_outbound::{Call, ConfigError, HttpClient, HttpOptions};

/// Nothing waits for it, but a call has an end.
const TIMEOUT: Duration = Duration::from_secs(10);
/// A few lines of signatures.
const LONGEST: usize = 16 * 1024;

/// A witness.
pub struct WitnessClient {
    url: Url,
    http: HttpClient,
}

impl WitnessClient {
    /// The witness with this submission prefix. Nothing is contacted.
    ///
    /// # Errors
    /// A prefix that is neither https nor the loopback's.
    pub fn new(prefix: &str) -> Result<Self, ConfigError> {
        let wrong = |_| ConfigError::new("audit.witness_url", "is no URL");
        let url = Url::parse(&format!("{}/add-checkpoint", prefix.trim_end_matches('/'))).map_err(wrong)?;
        let options = HttpOptions { timeout: TIMEOUT, max_body: LONGEST, ..HttpOptions::default() };
        let http = HttpClient::new(options, &[&url])?;
        Ok(Self { url, http })
    }

    /// Sends a checkpoint once; the status and the body of the answer.
    ///
    /// # Errors
    /// Why none came, in words for the log.
    pub async fn add_checkpoint(&self, body: String) -> Result<(u16, String), String> {
        let call = Call::post(self.url.clone()).body("text/plain; charset=utf-8", body.into_bytes().into());
        let answer = self.http.send(call).await.map_err(userd_outbound::Unreachable::why)?;
        Ok((answer.status, String::from_utf8_lossy(&answer.body).into_owned()))
    }
}
