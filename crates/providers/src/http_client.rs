//! The back channel to one provider: ten seconds, a bounded body, no redirects, no surprises about where it connects.
//! What the answers mean is not known here.

use std::{
    collections::BTreeSet,
    sync::{Arc, OnceLock},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use reqwest::{Method, dns::Resolve, header::HeaderMap};
use url::Url;
use zeroize::Zeroizing;

use crate::{
    config::ConfigError,
    fault::ProviderFault,
    private_address::{PublicOnly, SystemResolver, names_loopback, names_private},
    secret::Secret,
};

/// How one provider is reached.
#[derive(Clone, Debug)]
pub struct HttpOptions {
    /// For a whole call: connect, send, receive. Default 10 s.
    pub timeout: Duration,
    /// The longest answer taken, in bytes. Default 1 MiB.
    pub max_body: usize,
    /// `http://`, `https://`, `socks5://` or `socks5h://`, with credentials if needed.
    pub proxy: Option<Secret>,
    /// PEM: roots trusted besides the system's, for this provider only.
    pub extra_roots: Option<Vec<u8>>,
    /// PEM: a client certificate (chain) and its private key.
    pub client_identity: Option<Secret>,
    /// Lets discovered URLs lead to private addresses, and configured ones use plain http.
    pub allow_private_addresses: bool,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(10),
            max_body: 1024 * 1024,
            proxy: None,
            extra_roots: None,
            client_identity: None,
            allow_private_addresses: false,
        }
    }
}

/// A client for one provider.
///
/// An origin that the operator wrote into the configuration may be private; an origin learned from the network may
/// not, unless `allow_private_addresses` says so. With a proxy the proxy resolves names, so only addresses written
/// out are refused then, and the proxy's own rules decide about names.
pub(crate) struct HttpClient {
    plain: reqwest::Client,
    guarded: OnceLock<Result<reqwest::Client, String>>,
    options: HttpOptions,
    configured: BTreeSet<String>,
    resolver: Arc<dyn Resolve>,
}

impl HttpClient {
    /// A client that may reach the `configured` URLs wherever they lead.
    pub(crate) fn new(options: HttpOptions, configured: &[&Url]) -> Result<Self, ConfigError> {
        let plain = build(&options, None)?;
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
        Ok(Self { plain, guarded: OnceLock::new(), options, configured, resolver: Arc::new(SystemResolver) })
    }

    pub(crate) async fn send(&self, call: Call) -> Result<Answer, ProviderFault> {
        let host = call.url.host_str().unwrap_or_default().to_owned();
        let mut request = self.client_for(&call.url)?.request(call.method, call.url).headers(call.headers);
        if let Some(form) = call.form {
            request = request
                .header(reqwest::header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(form.as_str().to_owned());
        } else if let Some(json) = call.json {
            request = request.header(reqwest::header::CONTENT_TYPE, "application/json").body(json);
        }
        let response = request.send().await.map_err(|e| unavailable(&host, e))?;
        let status = response.status().as_u16();
        if (300..400).contains(&status) {
            return Err(ProviderFault::Unavailable(format!("{host} answered with a redirect ({status})")));
        }
        let body = bounded(response, self.options.max_body, &host).await?;
        Ok(Answer { status, body, host })
    }

    fn client_for(&self, url: &Url) -> Result<&reqwest::Client, ProviderFault> {
        let open = self.options.allow_private_addresses || self.configured.contains(&origin(url));
        if open {
            let scheme_is_fine = url.scheme() == "https" || url.scheme() == "http";
            return if scheme_is_fine { Ok(&self.plain) } else { Err(refused_target(url)) };
        }
        if url.scheme() != "https" || names_private(url) {
            return Err(refused_target(url));
        }
        let guarded = self
            .guarded
            .get_or_init(|| build(&self.options, Some(Arc::clone(&self.resolver))).map_err(|e| e.to_string()));
        guarded.as_ref().map_err(|e| ProviderFault::Unavailable(e.clone()))
    }
}

fn refused_target(url: &Url) -> ProviderFault {
    ProviderFault::Unavailable(format!(
        "{}: a discovered address must be https and public (allow_private_addresses lifts this)",
        url.origin().ascii_serialization()
    ))
}

fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

fn build(options: &HttpOptions, guarded_by: Option<Arc<dyn Resolve>>) -> Result<reqwest::Client, ConfigError> {
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
        let proxy = reqwest::Proxy::all(proxy.expose()).map_err(|_| ConfigError::new("proxy", "is not a proxy URL"))?;
        builder = builder.proxy(proxy);
    } else if let Some(resolver) = guarded_by {
        builder = builder.dns_resolver(Arc::new(PublicOnly(resolver)));
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

async fn bounded(mut response: reqwest::Response, max: usize, host: &str) -> Result<Bytes, ProviderFault> {
    let too_long = || ProviderFault::Unavailable(format!("{host} answered with more than {max} bytes"));
    if response.content_length().is_some_and(|length| length > max as u64) {
        return Err(too_long());
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(|e| unavailable(host, e))? {
        if body.len() + chunk.len() > max {
            return Err(too_long());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// The error's chain without the URL: queries may hold tokens.
fn unavailable(host: &str, error: reqwest::Error) -> ProviderFault {
    let error = error.without_url();
    let mut text = format!("{host}: {error}");
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    ProviderFault::Unavailable(text)
}

/// One call on the back channel.
pub(crate) struct Call {
    method: Method,
    url: Url,
    headers: HeaderMap,
    form: Option<Zeroizing<String>>,
    json: Option<Vec<u8>>,
}

impl Call {
    pub(crate) fn get(url: Url) -> Self {
        Self::new(Method::GET, url)
    }

    pub(crate) fn post(url: Url) -> Self {
        Self::new(Method::POST, url)
    }

    pub(crate) fn delete(url: Url) -> Self {
        Self::new(Method::DELETE, url)
    }

    fn new(method: Method, url: Url) -> Self {
        let call = Self { method, url, headers: HeaderMap::new(), form: None, json: None };
        call.header("accept", "application/json")
    }

    /// A header; its value is marked sensitive, so that no layer prints it. One that cannot be a header is left out.
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(mut value) = reqwest::header::HeaderValue::from_str(value) {
            value.set_sensitive(true);
            self.headers.insert(name, value);
        }
        self
    }

    pub(crate) fn form<'a>(mut self, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let text = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        self.form = Some(Zeroizing::new(text));
        self
    }

    pub(crate) fn json(mut self, value: &serde_json::Value) -> Self {
        self.json = Some(value.to_string().into_bytes());
        self
    }

    /// Adds to the query; only for providers that know no other way.
    pub(crate) fn query<'a>(mut self, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        self.url.query_pairs_mut().extend_pairs(pairs);
        self
    }
}

/// What came back, whatever the status.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
    pub(crate) host: String,
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests stop at the first surprise")]
mod tests {
    use super::*;

    struct LeadsInside;

    impl Resolve for LeadsInside {
        fn resolve(&self, _: reqwest::dns::Name) -> reqwest::dns::Resolving {
            let inside = "169.254.169.254:0".parse().unwrap();
            Box::pin(async move { Ok(Box::new(std::iter::once(inside)) as reqwest::dns::Addrs) })
        }
    }

    /// AC-120: a public name whose address is private is refused where the connection is made.
    #[tokio::test]
    async fn a_discovered_name_that_leads_inside_is_not_connected_to() {
        let mut client = HttpClient::new(HttpOptions::default(), &[]).unwrap();
        client.resolver = Arc::new(LeadsInside);
        let fault = client.send(Call::get(Url::parse("https://idp.example/x").unwrap())).await.err();
        let Some(ProviderFault::Unavailable(why)) = fault else { panic!("{fault:?}") };
        assert!(why.contains("leads to a private address"), "{why}");
    }

    #[test]
    fn plain_http_is_for_the_loopback_only() {
        let fine = |url: &str| HttpClient::new(HttpOptions::default(), &[&Url::parse(url).unwrap()]).is_ok();
        assert!(
            fine("https://idp.example/")
                && fine("http://127.0.0.1:1/")
                && fine("http://[::1]/")
                && fine("http://localhost/")
        );
        assert!(!fine("http://idp.example/") && !fine("http://10.0.0.1/") && !fine("ftp://127.0.0.1/"));
    }

    /// A fault's text goes to the log; queries and paths may hold tokens.
    #[tokio::test]
    async fn a_fault_does_not_tell_the_url() {
        let at = Url::parse("http://127.0.0.1:1/bot123:secret/getMe?access_token=secret").unwrap();
        let client = HttpClient::new(HttpOptions::default(), &[&at]).unwrap();
        let fault = client.send(Call::get(at)).await.err();
        assert!(matches!(&fault, Some(ProviderFault::Unavailable(text)) if !text.contains("secret")), "{fault:?}");
    }
}
