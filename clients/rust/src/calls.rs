//! Calls of the service: with a time limit, without redirects, of a bounded size, with the own account's token, which is
//! renewed before it ends.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Client, Method, header, redirect::Policy};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{Error, Options, error::unavailable};

const LONGEST_ANSWER: usize = 8 << 20;

/// One call.
#[derive(Clone)]
pub(crate) struct Call {
    method: Method,
    path: String,
    form: Option<Vec<(&'static str, String)>>,
    json: Option<Value>,
    token: Option<String>,
    is_basic: bool,
    timeout: Option<Duration>,
}

impl Call {
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self::of(Method::GET, path, None)
    }

    pub(crate) fn of(method: Method, path: impl Into<String>, json: Option<Value>) -> Self {
        Self { method, path: path.into(), form: None, json, token: None, is_basic: false, timeout: None }
    }

    /// A form, with the account's id and secret.
    pub(crate) fn form(path: &str, form: Vec<(&'static str, String)>) -> Self {
        Self { form: Some(form), is_basic: true, ..Self::of(Method::POST, path, None) }
    }

    pub(crate) fn bearing(self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self }
    }

    pub(crate) fn within(self, timeout: Duration) -> Self {
        Self { timeout: Some(timeout), ..self }
    }
}

/// What came.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) retry_after: Duration,
    pub(crate) cache_control: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// An error where the service will not do it, however often it is asked. 410 is for whoever asked.
    fn refused(self, path: &str) -> Result<Self, Error> {
        match self.status {
            401 | 408 | 410 | 429 => Ok(self),
            status @ 400..500 => Err(Error::Refused { path: path.to_owned(), status, told: told(&self.body) }),
            _ => Ok(self),
        }
    }

    /// The JSON of a good answer.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, Error> {
        if !(200..300).contains(&self.status) {
            return Err(unavailable(format!("the service answered {}{}", self.status, told(&self.body))));
        }
        let body = if self.body.is_empty() { b"null".as_slice() } else { &self.body };
        serde_json::from_slice(body).map_err(|error| unavailable(error.to_string()))
    }
}

/// For a message: what an answer that is an error says of itself.
fn told(body: &[u8]) -> String {
    let Ok(Value::Object(said)) = serde_json::from_slice(body) else { return String::new() };
    let text = |name: &str| said.get(name).and_then(Value::as_str).map(str::to_owned);
    let fields =
        said.get("errors").and_then(Value::as_array).into_iter().flatten().filter_map(|field| {
            Some(format!("{} {}", field.get("pointer")?.as_str()?, field.get("detail")?.as_str()?))
        });
    let title = text("title").or_else(|| text("error_description")).or_else(|| text("error"));
    let words: Vec<String> = title.into_iter().chain(text("detail")).chain(fields).collect();
    if words.is_empty() { String::new() } else { format!(": {}", words.join("; ")) }
}

pub(crate) struct Calls {
    options: Arc<Options>,
    http: Client,
    /// By resource.
    own: Mutex<HashMap<String, Arc<OwnToken>>>,
}

/// The account's token for one resource.
#[derive(Default)]
struct OwnToken {
    known: Mutex<Known>,
    /// One renews at a time.
    renewing: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Known {
    text: String,
    good_until: Option<Instant>,
    renew_at: Option<Instant>,
}

impl OwnToken {
    fn known<T>(&self, what: impl FnOnce(&mut Known) -> T) -> T {
        what(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// An error as `/oauth2/*` has it.
#[derive(Default, Deserialize)]
struct OAuthError {
    error: String,
}

#[derive(Deserialize)]
struct Issued {
    access_token: String,
    expires_in: f64,
}

impl Calls {
    pub(crate) fn new(options: Arc<Options>) -> Result<Self, Error> {
        let http = Client::builder().redirect(Policy::none()).build();
        let http = http.map_err(|_| Error::Options("no HTTP client can be made here"))?;
        Ok(Self { options, http, own: Mutex::default() })
    }

    fn own(&self, resource: &str) -> Arc<OwnToken> {
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(own.entry(resource.to_owned()).or_default())
    }

    /// One call; any answer is one.
    pub(crate) async fn call(&self, call: &Call) -> Result<Answer, Error> {
        let url = format!("{}{}", self.options.base_url, call.path);
        let mut request = self.http.request(call.method.clone(), url);
        request = request.timeout(call.timeout.unwrap_or(self.options.timeout));
        if let Some(form) = &call.form {
            request = request.form(form);
        }
        if let Some(json) = &call.json {
            request = request.json(json);
        }
        if let Some(token) = &call.token {
            request = request.bearer_auth(token);
        }
        if let Some((id, secret)) = self.options.client.as_ref().filter(|_| call.is_basic) {
            request = request.basic_auth(escaped(id), Some(escaped(secret)));
        }
        let mut answer = request.send().await.map_err(|error| unavailable(error.without_url().to_string()))?;
        let text =
            |name| answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        let (after, cache_control) = (text(header::RETRY_AFTER), text(header::CACHE_CONTROL));
        let (status, mut body) = (answer.status().as_u16(), Vec::new());
        while let Some(chunk) = answer.chunk().await.map_err(|error| unavailable(error.without_url().to_string()))? {
            if body.len() + chunk.len() > LONGEST_ANSWER {
                return Err(unavailable("the answer is too long"));
            }
            body.extend_from_slice(&chunk);
        }
        let retry_after = Duration::from_secs(after.parse::<u32>().unwrap_or_default().into());
        Ok(Answer { status, retry_after, cache_control, body })
    }

    /// A call with the own token; once more with a new one where that is refused.
    pub(crate) async fn ask(self: &Arc<Self>, call: Call) -> Result<Answer, Error> {
        let itself = &self.options.userd_audience;
        let token = self.token(itself).await?;
        let first = self.call(&call.clone().bearing(&token)).await?;
        if first.status != 401 {
            return first.refused(&call.path);
        }
        self.drop_token(&token);
        let token = self.token(itself).await?;
        let path = call.path.clone();
        self.call(&call.bearing(&token)).await?.refused(&path)
    }

    /// The access token of the service account for a resource.
    pub(crate) async fn token(self: &Arc<Self>, resource: &str) -> Result<String, Error> {
        let (own, now) = (self.own(resource), Instant::now());
        let (text, is_good, is_due) = own.known(|known| {
            let is_good = known.good_until.is_some_and(|until| now < until);
            let is_due = is_good && known.renew_at.is_some_and(|at| now >= at);
            if is_due {
                known.renew_at = now.checked_add(Duration::from_secs(1));
            }
            (known.text.clone(), is_good, is_due)
        });
        if !is_good {
            return self.renew(&own, resource, &text).await;
        }
        if is_due {
            let (calls, resource, seen) = (Arc::clone(self), resource.to_owned(), text.clone());
            tokio::spawn(async move { calls.renew(&own, &resource, &seen).await.map(drop) });
        }
        Ok(text)
    }

    /// Gets another token than the one that was seen, unless somebody else has got one meanwhile.
    async fn renew(&self, own: &OwnToken, resource: &str, seen: &str) -> Result<String, Error> {
        if self.options.client.is_none() {
            return Err(unavailable("the options name no account of this service"));
        }
        let _alone = own.renewing.lock().await;
        let now = Instant::now();
        let got = own.known(|known| {
            (known.text != seen && known.good_until.is_some_and(|until| now < until)).then(|| known.text.clone())
        });
        if let Some(text) = got {
            return Ok(text);
        }
        let answer = self.issued(resource).await?;
        if answer.status == 401 {
            return Err(Error::CredentialsRefused);
        }
        let answer = answer.refused("/oauth2/token")?;
        let issued: Option<Issued> = serde_json::from_slice(&answer.body).ok();
        let issued = issued.filter(|issued| answer.status == 200 && !issued.access_token.is_empty());
        let issued = issued
            .ok_or_else(|| unavailable(format!("no token of our own: {}{}", answer.status, told(&answer.body))))?;
        let life = Duration::try_from_secs_f64(issued.expires_in).unwrap_or_default();
        let now = Instant::now();
        own.known(|known| {
            known.text.clone_from(&issued.access_token);
            known.good_until = now.checked_add(life.mul_f64(0.95));
            known.renew_at = now.checked_add(life.mul_f64(0.75));
        });
        Ok(issued.access_token)
    }

    async fn issued(&self, resource: &str) -> Result<Answer, Error> {
        let grant = ("grant_type", "client_credentials".to_owned());
        let form = vec![grant.clone(), ("resource", resource.to_owned())];
        let answer = self.call(&Call::form("/oauth2/token", form)).await?;
        let is_unknown = || {
            let said: OAuthError = serde_json::from_slice(&answer.body).unwrap_or_default();
            answer.status != 200 && said.error == "invalid_target"
        };
        if resource == self.options.userd_audience && is_unknown() {
            // A userd that goes by another name: what the account gets by itself is for it, as a rule.
            return self.call(&Call::form("/oauth2/token", vec![grant])).await;
        }
        Ok(answer)
    }

    /// The one for userd is refused.
    pub(crate) fn drop_token(&self, seen: &str) {
        self.own(&self.options.userd_audience).known(|known| {
            if known.text == seen {
                known.good_until = None;
            }
        });
    }
}

/// For a path, a query, or HTTP Basic (RFC 6749 section 2.3.1).
pub(crate) fn escaped(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// Between nought and one.
pub(crate) fn chance() -> f64 {
    let mut bytes = [0; 4];
    crate::outside::fill(&mut bytes);
    f64::from(u32::from_be_bytes(bytes)) / f64::from(u32::MAX)
}
