//! Keys of the HTTP server.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    text::Optional,
    urls::WebOrigin,
    values::{Cidr, InputFile, Listen, Period},
};

/// The HTTP server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HttpConfig {
    /// Address and port to listen on. Port 0 takes any free port; the line `listening` names it.
    pub listen: Listen,
    /// Address and port of metrics and readiness, for those who run the service alone: `/metrics` and `/readyz` are then there,
    /// without TLS, and no longer on `listen`. Empty: on `listen`.
    pub admin_listen: Optional<Listen>,
    /// The address under which browsers and other services reach this one: scheme, host and port only. When it is not
    /// given, it is this machine's own, with the port of `listen`, or the one that the system chose for port 0.
    pub public_url: WebOrigin,
    /// Networks of reverse proxies whose `X-Forwarded-For` is believed; nobody's otherwise. `Forwarded` is never read.
    #[schemars(length(max = 256))]
    pub trusted_proxies: Vec<Cidr>,
    /// Web origins whose pages may call this API from a browser.
    #[schemars(length(max = 256))]
    pub cors_origins: Vec<WebOrigin>,
    /// How long readiness is already false before the port closes at a stop, so that balancers notice.
    #[schemars(extend("x-range" = ["0s", "5m"]))]
    pub drain_delay: Period,
    /// How long requests under way may take to finish at a stop.
    #[schemars(extend("x-range" = ["0s", "5m"]))]
    pub drain_timeout: Period,
    /// The longest one request may take; then 503.
    #[schemars(extend("x-range" = ["1s", "10m"]))]
    pub request_timeout: Period,
    /// The longest a client may take to send the headers of a request.
    #[schemars(extend("x-range" = ["1s", "5m"]))]
    pub header_timeout: Period,
    /// Connections at the same time; more wait in the system's queue.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max_connections: u32,
    /// TLS by the service itself. Both files, or none (a proxy in front does it).
    pub tls: TlsConfig,
}

impl HttpConfig {
    /// A public address that follows the port gets the one that the system chose.
    pub fn listened_on(&mut self, port: u16) {
        if self.public_url.url().port() == Some(0) {
            let address = std::net::SocketAddr::new(self.listen.ip(), port);
            self.public_url = WebOrigin::on_this_machine(address, self.tls.certificate_file.is_some());
        }
    }

    /// Whether both addresses cannot be listened on at once: the same port, of the same machine's address or of all.
    pub(super) fn listens_twice(&self) -> bool {
        let Some(admin) = self.admin_listen.as_ref() else { return false };
        let (ours, theirs) = (self.listen.0, admin.0);
        let overlaps = ours.ip().to_canonical() == theirs.ip().to_canonical()
            || ours.ip().is_unspecified()
            || theirs.ip().is_unspecified();
        ours.port() != 0 && ours.port() == theirs.port() && overlaps
    }
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            listen: Listen(std::net::SocketAddr::from(([127, 0, 0, 1], 8080))),
            admin_listen: Optional::NONE,
            public_url: WebOrigin::development(),
            trusted_proxies: Vec::new(),
            cors_origins: Vec::new(),
            drain_delay: Period::seconds(0),
            drain_timeout: Period::seconds(10),
            request_timeout: Period::seconds(30),
            header_timeout: Period::seconds(10),
            max_connections: 20_000,
            tls: TlsConfig::default(),
        }
    }
}

/// The certificate of the HTTP server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TlsConfig {
    /// PEM file with the certificate and its chain. Empty: no TLS here.
    pub certificate_file: Optional<InputFile>,
    /// PEM file with the private key.
    pub key_file: Optional<InputFile>,
}
