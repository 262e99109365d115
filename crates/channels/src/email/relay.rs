//! The SMTP relay: kept connections, TLS, bounds on time, and what its answers mean.

use std::{net::IpAddr, path::PathBuf, time::Duration};

use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor,
    message::Mailbox,
    transport::smtp::{
        Error, PoolConfig,
        authentication::Credentials,
        client::{Certificate, Tls, TlsParameters},
        extension::ClientId,
    },
};
use tokio::sync::Semaphore;
use url::{Host, Url};
use userd_outbound::{ConfigError, Secret, printable};

use super::{Email, EmailFault, message::compose};

/// Which relay, and how it is spoken to.
#[derive(Clone, Debug)]
pub struct RelayOptions {
    /// `smtp://user:password@host:587` (STARTTLS, which may be missing on the loopback only) or `smtps://…:465`.
    pub url: Secret,
    /// `no-reply@example.org` or `Example <no-reply@example.org>`.
    pub from: String,
    /// PEM file with the certificate authority of the relay; the system's without it.
    pub ca_file: Option<PathBuf>,
    /// Connections at the same time.
    pub connections: u32,
    /// The longest a message may take on its way into the relay, connecting included.
    pub timeout: Duration,
}

/// A relay. Connections are made when the first message is sent, kept, and made anew when they broke.
pub struct Relay {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    sender: Mailbox,
    timeout: Duration,
    /// As many as there may be connections: what the transport bounds is how many it keeps, not how many it opens.
    places: Semaphore,
}

impl Relay {
    /// A relay that is not spoken to yet.
    ///
    /// # Errors
    /// The key that is wrong, without its value.
    pub fn new(options: &RelayOptions) -> Result<Self, ConfigError> {
        let sender: Mailbox = options
            .from
            .parse()
            .map_err(|_| ConfigError::new("mail.from", "must be an address, with or without a name"))?;
        let wrong = |detail: &str| ConfigError::new("mail.url", detail);
        let url = Url::parse(options.url.expose()).map_err(|_| wrong("must be smtp://host:587 or smtps://host:465"))?;
        let host = url.host_str().ok_or_else(|| wrong("has no host"))?.trim_matches(['[', ']']).to_owned();
        let tls = tls(&url, &host, options)?;
        let port = url.port().unwrap_or(if url.scheme() == "smtps" { 465 } else { 587 });
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(port)
            .tls(tls)
            .timeout(Some(options.timeout))
            .hello_name(ClientId::Domain(sender.email.domain().to_owned()))
            .pool_config(PoolConfig::new().max_size(options.connections).idle_timeout(Duration::from_secs(60)));
        if !url.username().is_empty() {
            let decoded = |text: &str| {
                percent_encoding::percent_decode_str(text)
                    .decode_utf8()
                    .map(std::borrow::Cow::into_owned)
                    .map_err(|_| wrong("user and password must be percent-encoded UTF-8"))
            };
            let password = decoded(url.password().unwrap_or_default())?;
            builder = builder.credentials(Credentials::new(decoded(url.username())?, password));
        }
        let places = Semaphore::new(usize::try_from(options.connections).unwrap_or(1).max(1));
        Ok(Self { transport: builder.build(), sender, timeout: options.timeout, places })
    }

    /// Hands a message to the relay. `Ok` when the relay has taken it; from then on it is the relay's.
    ///
    /// # Errors
    /// See [`EmailFault`]; after `Unavailable` it may have been taken all the same, and a second copy has the same
    /// `Message-ID`.
    pub async fn send(&self, email: &Email) -> Result<(), EmailFault> {
        let message = compose(email, &self.sender)?;
        // Closed it never is; whoever waits has the time of those before.
        let _place = self.places.acquire().await.ok();
        let sent = self.in_time(self.transport.send(message)).await.map(drop);
        // The transport takes a connection back in a task of its own: before the next one asks for it.
        tokio::task::yield_now().await;
        sent
    }

    /// Whether the relay lets us in now: for `userd doctor`.
    ///
    /// # Errors
    /// See [`EmailFault`].
    pub async fn check(&self) -> Result<(), EmailFault> {
        match self.in_time(self.transport.test_connection()).await? {
            true => Ok(()),
            false => Err(EmailFault::Unavailable("the relay says no to NOOP".to_owned())),
        }
    }

    async fn in_time<T>(&self, call: impl Future<Output = Result<T, Error>>) -> Result<T, EmailFault> {
        match tokio::time::timeout(self.timeout, call).await {
            Ok(ended) => ended.map_err(|error| fault(&error)),
            Err(_) => Err(EmailFault::Unavailable(format!("no end after {:?}", self.timeout))),
        }
    }
}

/// TLS from the first byte, or STARTTLS, without which nothing is said outside of this machine.
fn tls(url: &Url, host: &str, options: &RelayOptions) -> Result<Tls, ConfigError> {
    let mut parameters = TlsParameters::builder(host.to_owned());
    if let Some(file) = &options.ca_file {
        let unreadable = |_| ConfigError::new("mail.ca_file", "is no PEM file with certificates");
        let pem = std::fs::read(file).map_err(|_| ConfigError::new("mail.ca_file", "cannot be read"))?;
        parameters = parameters.add_root_certificate(Certificate::from_pem(&pem).map_err(unreadable)?);
    }
    let parameters =
        parameters.build().map_err(|_| ConfigError::new("mail.url", "TLS cannot be set up for this host"))?;
    match url.scheme() {
        "smtps" => Ok(Tls::Wrapper(parameters)),
        "smtp" if is_loopback(url) => Ok(Tls::Opportunistic(parameters)),
        "smtp" => Ok(Tls::Required(parameters)),
        _ => Err(ConfigError::new("mail.url", "must begin with smtp:// or smtps://")),
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        // Schemes that the standard does not know keep an address as text.
        Some(Host::Domain(name)) => {
            name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Codes decide (RFC 5321 section 4.2, RFC 4954 section 6): the words beside them are for the log.
fn fault(error: &Error) -> EmailFault {
    let told = printable(&with_causes(error));
    match error.status().map(|code| code.to_string()) {
        Some(code) if ["530", "534", "535", "538"].contains(&code.as_str()) => EmailFault::NotAccepted(told),
        // Everything else that ends in a permanent answer is about this message or its address.
        Some(_) if error.is_permanent() => EmailFault::Undeliverable(told),
        // It closes, or cannot tell who we are: the next message would hear the same.
        Some(code) if ["421", "432", "454"].contains(&code.as_str()) => EmailFault::Unavailable(told),
        // A mailbox that is full or busy, a greylist: the relay is there.
        Some(_) => EmailFault::Deferred(told),
        None if error.is_tls() || error.is_client() => EmailFault::NotAccepted(told),
        None => EmailFault::Unavailable(told),
    }
}

fn with_causes(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text.push_str(": ");
            text.push_str(&inner_text);
        }
        cause = inner.source();
    }
    text
}
