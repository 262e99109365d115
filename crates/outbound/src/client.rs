//! Calls to other people's servers: ten seconds, a bounded body, no redirects unless asked for, no surprises about where
//! they connect. What the answers mean is not known here.

use std::{
    collections::BTreeSet,
    sync::{Arc, OnceLock},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use tracing::Instrument as _;
use url::Url;

use crate::{
    call::{Answer, Call},
    error::{ConfigError, PrivateAddress, Unreachable},
    private_address::{PublicOnly, SystemResolver, names_loopback, names_private},
    secret::Secret,
};

/// How one server is reached, and what is borne from it.
#[derive(Clone, Debug)]
pub struct HttpOptions {
    /// For a whole call: connect, send, receive. Default 10 s.
    pub timeout: Duration,
    /// The longest answer taken, in bytes. Default 1 MiB.
    pub max_body: usize,
    /// The status and the headers are the answer: what follows them is kept where it is there at once, and can be neither
    /// too long nor late. Default no.
    pub head_only: bool,
    /// How many redirects of a GET are followed, each under the rules of the first call and, at another origin, without
    /// its headers. A redirected POST is never sent again. Default 0: a redirect is a fault.
    pub max_redirects: usize,
    /// `http://`, `https://`, `socks5://` or `socks5h://`, with credentials if needed.
    pub proxy: Option<Secret>,
    /// PEM: roots trusted besides the system's, for this server only.
    pub extra_roots: Option<Vec<u8>>,
    /// PEM: a client certificate (chain) and its private key.
    pub client_identity: Option<Secret>,
    /// Lets discovered URLs lead to private addresses, and configured ones use plain http.
    pub allow_private_addresses: bool,
    /// Lets discovered URLs use plain http.
    pub allow_http: bool,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(10),
            max_body: 1024 * 1024,
            head_only: false,
            max_redirects: 0,
            proxy: None,
            extra_roots: None,
            client_identity: None,
            allow_private_addresses: false,
            allow_http: false,
        }
    }
}

impl HttpOptions {
    /// Whether a file or a URL of the operator's is in it: what is wrong with one is told at the start.
    const fn has_what_may_be_wrong(&self) -> bool {
        self.proxy.is_some() || self.extra_roots.is_some() || self.client_identity.is_some()
    }
}

/// How long the rest of an answer is read that nobody keeps.
const PATIENCE: Duration = Duration::from_millis(500);

/// A client for one server.
///
/// An origin that the operator wrote into the configuration may be private; an origin learned from the network may
/// not, unless `allow_private_addresses` says so. With a proxy the proxy resolves names, so only addresses written
/// out are refused then, and the proxy's own rules decide about names.
///
/// Each of its two clients is made when the first call needs it: it reads the system's certificates, a tenth of a start. What
/// fails then may be over at the next call, as where too many files were open: only a client that was made is kept.
pub struct HttpClient {
    plain: OnceLock<reqwest::Client>,
    guarded: OnceLock<reqwest::Client>,
    options: HttpOptions,
    configured: BTreeSet<String>,
    guard: Arc<PublicOnly>,
}

impl HttpClient {
    /// A client that may reach the `configured` URLs wherever they lead.
    ///
    /// # Errors
    /// A configured URL that is neither https nor the loopback's; a proxy, root or client certificate that is none.
    pub fn new(options: HttpOptions, configured: &[&Url]) -> Result<Self, ConfigError> {
        let plain = OnceLock::new();
        if options.has_what_may_be_wrong() {
            let _new = plain.set(build(&options, None)?);
        }
        for url in configured {
            let plain_http_is_fine = options.allow_private_addresses || names_loopback(url);
            if !(url.scheme() == "https" || (url.scheme() == "http" && plain_http_is_fine)) {
                return Err(ConfigError::new(
                    "endpoints",
                    format!("{url} must be https, except on the loopback or with allow_private_addresses"),
                ));
            }
        }
        let configured = configured.iter().map(|url| origin(url)).collect();
        let guard = Arc::new(PublicOnly::over(Arc::new(SystemResolver)));
        Ok(Self { plain, guarded: OnceLock::new(), options, configured, guard })
    }

    /// Makes one call. Any status is an answer, except a redirect that is not followed.
    ///
    /// # Errors
    /// The server is not reached, leads where it may not, or breaks a bound.
    pub async fn send(&self, call: Call) -> Result<Answer, Unreachable> {
        let (host, whole) = (call.host().to_owned(), self.options.timeout);
        let late = |_| Unreachable::Failed(format!("{host}: no whole answer within {whole:?}"));
        let span = tracing::debug_span!(target: "userd::spans", "call", host = host.as_str());
        tokio::time::timeout(whole, self.follow(call)).instrument(span).await.map_err(late)?
    }

    async fn follow(&self, mut call: Call) -> Result<Answer, Unreachable> {
        let mut left = self.options.max_redirects;
        loop {
            let response = self.send_once(&call).await?;
            let status = response.status();
            if !status.is_redirection() {
                return self.answer(response, call.host()).await;
            }
            let refused =
                || Unreachable::Refused(format!("{} answered with a redirect ({})", call.host(), status.as_u16()));
            call = call.redirected(&response).filter(|_| left > 0).ok_or_else(refused)?;
            left -= 1;
        }
    }

    async fn send_once(&self, call: &Call) -> Result<reqwest::Response, Unreachable> {
        let client = self.client_for(&call.url)?;
        let mut request = client.request(call.method.clone(), call.url.clone()).headers(call.headers.clone());
        if let Some(form) = &call.form {
            request = request
                .header(reqwest::header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(form.as_str().to_owned());
        } else if let Some((content_type, body)) = &call.body {
            request = request.header(reqwest::header::CONTENT_TYPE, *content_type).body(body.clone());
        }
        request.send().await.map_err(|e| unreachable(call.host(), e))
    }

    async fn answer(&self, mut response: reqwest::Response, host: &str) -> Result<Answer, Unreachable> {
        let status = response.status().as_u16();
        let headers = std::mem::take(response.headers_mut());
        let body = bounded(response, self.options.max_body, host);
        let body = if self.options.head_only {
            // Read to its end when that is near, so that the connection can be used again.
            tokio::time::timeout(PATIENCE, body).await.ok().and_then(Result::ok).unwrap_or_default()
        } else {
            body.await?
        };
        Ok(Answer { status, body, host: host.to_owned(), headers })
    }

    fn client_for(&self, url: &Url) -> Result<&reqwest::Client, Unreachable> {
        let open = self.options.allow_private_addresses || self.configured.contains(&origin(url));
        if open {
            let scheme_is_fine = url.scheme() == "https" || url.scheme() == "http";
            return if scheme_is_fine { self.made(&self.plain, None) } else { Err(refused_target(url)) };
        }
        let scheme_is_fine = url.scheme() == "https" || (url.scheme() == "http" && self.options.allow_http);
        if !scheme_is_fine || names_private(url) {
            return Err(refused_target(url));
        }
        self.made(&self.guarded, Some(&self.guard))
    }

    fn made<'a>(
        &self,
        client: &'a OnceLock<reqwest::Client>,
        guard: Option<&Arc<PublicOnly>>,
    ) -> Result<&'a reqwest::Client, Unreachable> {
        if let Some(made) = client.get() {
            return Ok(made);
        }
        let made = build(&self.options, guard.cloned()).map_err(|e| Unreachable::Failed(e.to_string()))?;
        Ok(client.get_or_init(|| made))
    }
}

fn refused_target(url: &Url) -> Unreachable {
    Unreachable::Refused(format!(
        "{}: a discovered address must be https and public (allow_private_addresses lifts this)",
        url.origin().ascii_serialization()
    ))
}

fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

fn build(options: &HttpOptions, guard: Option<Arc<PublicOnly>>) -> Result<reqwest::Client, ConfigError> {
    let mut builder = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .retry(reqwest::retry::never())
        .timeout(options.timeout)
        .connect_timeout(options.timeout.min(Duration::from_secs(5)))
        .pool_idle_timeout(Duration::from_secs(60))
        .tls_version_min(reqwest::tls::Version::TLS_1_2)
        .user_agent(concat!("userd/", env!("CARGO_PKG_VERSION")));
    if let Some(proxy) = &options.proxy {
        builder = builder.proxy(named_proxy(proxy)?);
    } else if let Some(guard) = guard {
        builder = builder.dns_resolver(guard);
    }
    if let Some(pem) = &options.extra_roots {
        let roots =
            reqwest::Certificate::from_pem_bundle(pem).map_err(|e| ConfigError::new("ca_file", e.to_string()))?;
        if roots.is_empty() {
            return Err(ConfigError::new("ca_file", "holds no certificate"));
        }
        builder = builder.tls_certs_merge(roots);
    }
    if let Some(pem) = &options.client_identity {
        let identity = reqwest::Identity::from_pem(pem.expose().as_bytes()).map_err(|_| {
            ConfigError::new("client_certificate_file", "the certificate or its key is not readable PEM")
        })?;
        builder = builder.identity(identity);
    }
    builder.build().map_err(|e| {
        let cause = std::error::Error::source(&e).map_or_else(|| e.to_string(), ToString::to_string);
        ConfigError::new("ca_file", format!("no TLS client can be made: {cause}"))
    })
}

/// A proxy that calls do go through: reqwest takes any scheme, and calls directly where it knows none of that name.
fn named_proxy(proxy: &Secret) -> Result<reqwest::Proxy, ConfigError> {
    let has_host = |url: &Url| url.host_str().is_some_and(|host| !host.is_empty());
    let is_known = |url: &Url| matches!(url.scheme(), "http" | "https" | "socks5" | "socks5h");
    let lawful =
        Url::parse(proxy.expose()).ok().filter(|url| is_known(url) && has_host(url) && url.fragment().is_none());
    lawful.and_then(|url| reqwest::Proxy::all(url).ok()).ok_or_else(|| {
        let expected = "expected http://host:port, https://host:port, socks5://host:port or socks5h://host:port";
        ConfigError::new("proxy", expected)
    })
}

async fn bounded(mut response: reqwest::Response, max: usize, host: &str) -> Result<Bytes, Unreachable> {
    let too_long = || Unreachable::Failed(format!("{host} answered with more than {max} bytes"));
    if response.content_length().is_some_and(|length| length > max as u64) {
        return Err(too_long());
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(|e| unreachable(host, e))? {
        if body.len() + chunk.len() > max {
            return Err(too_long());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// The error's chain without the URL: queries may hold tokens.
fn unreachable(host: &str, error: reqwest::Error) -> Unreachable {
    let error = error.without_url();
    let mut text = format!("{host}: {error}");
    let mut source = std::error::Error::source(&error);
    let mut is_private = false;
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        is_private |= cause.is::<PrivateAddress>();
        source = cause.source();
    }
    if is_private { Unreachable::Refused(text) } else { Unreachable::Failed(text) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests stop at the first surprise")]
mod tests;
