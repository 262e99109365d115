//! The way to the server: the URL, TLS, and one connection with its prepared statements.

use std::{collections::HashMap, net::IpAddr, path::PathBuf, sync::Arc, time::Duration};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio::task::AbortHandle;
use tokio_postgres::{
    CancelToken, Client, Config, NoTls, RowStream,
    config::{Host, SslMode},
    types::Type,
};
use tokio_postgres_rustls::MakeRustlsConnect;
use url::form_urlencoded;

use super::{PostgresOptions, classify, values};
use crate::{Rows, Statement, StoreError, Value, engine::Dialect};

/// A network that swallows packets is noticed after this long.
const TCP_TIMEOUT: Duration = Duration::from_secs(15);
const KEEPALIVE: Duration = Duration::from_secs(30);

/// Makes connections.
pub(super) struct Connector {
    config: Config,
    tls: Option<MakeRustlsConnect>,
    timeout: Duration,
    statement_cache: bool,
    pub(super) pipelining: bool,
}

impl Connector {
    pub(super) fn new(options: &PostgresOptions) -> Result<Self, StoreError> {
        let (plain, tls) = split_tls(options)?;
        // The parser's own message may quote a part of the URL, and the URL holds a password.
        let mut config: Config = plain.parse().map_err(|_| refused("the url is not understood"))?;
        let mode = tls.mode.unwrap_or_else(|| mode_for(config.get_hosts()));
        config.ssl_mode(mode).tcp_user_timeout(TCP_TIMEOUT).keepalives_idle(KEEPALIVE);
        config.connect_timeout(options.connect_timeout);
        if config.get_application_name().is_none() {
            config.application_name("userd");
        }
        Ok(Self {
            config,
            tls: if mode == SslMode::Disable { None } else { Some(tls.connector()?) },
            timeout: options.connect_timeout,
            statement_cache: options.statement_cache,
            pipelining: options.pipelining,
        })
    }

    pub(super) async fn connect(&self) -> Result<Connection, StoreError> {
        let connecting = async {
            match &self.tls {
                None => self.config.connect(NoTls).await.map(|(client, driver)| (client, drive(driver))),
                Some(tls) => self.config.connect(tls.clone()).await.map(|(client, driver)| (client, drive(driver))),
            }
        };
        match tokio::time::timeout(self.timeout, connecting).await {
            Ok(Ok((client, driver))) => {
                Ok(Connection { client, driver, prepared: HashMap::new(), cached: self.statement_cache })
            }
            Ok(Err(error)) => Err(classify::connection(&error)),
            Err(_) => Err(StoreError::Unavailable("postgres: no connection in time".to_owned())),
        }
    }

    /// Asks the server to stop what a connection is doing. Best effort: the connection is thrown away anyway.
    pub(super) fn cancel(&self, token: CancelToken) {
        let (tls, timeout) = (self.tls.clone(), self.timeout);
        tokio::spawn(async move {
            let asking = async {
                match tls {
                    None => token.cancel_query(NoTls).await,
                    Some(tls) => token.cancel_query(tls).await,
                }
            };
            let _best_effort = tokio::time::timeout(timeout, asking).await;
        });
    }
}

/// Runs the connection's own task until it ends.
fn drive<F>(driver: F) -> AbortHandle
where
    F: Future<Output = Result<(), tokio_postgres::Error>> + Send + 'static,
{
    let task = tokio::spawn(async move {
        if let Err(error) = driver.await {
            tracing::warn!(
                code = error.code().map(tokio_postgres::error::SqlState::code),
                "postgres: a connection was lost"
            );
        }
    });
    task.abort_handle()
}

/// One connection. Prepared statements are found by the address of the constant they come from: no text is hashed.
pub(super) struct Connection {
    pub(super) client: Client,
    driver: AbortHandle,
    prepared: HashMap<usize, tokio_postgres::Statement>,
    cached: bool,
}

impl Connection {
    /// Prepares the statement unless it is, or unless statements are not to be prepared.
    pub(super) async fn prepare(
        &mut self,
        statement: &'static Statement,
    ) -> Result<Option<tokio_postgres::Statement>, tokio_postgres::Error> {
        if !self.cached {
            return Ok(None);
        }
        if let Some(known) = self.prepared.get(&address(statement)) {
            return Ok(Some(known.clone()));
        }
        let prepared = prepare(&self.client, statement).await?;
        self.prepared.insert(address(statement), prepared.clone());
        Ok(Some(prepared))
    }

    /// Prepares and runs.
    pub(super) async fn query(
        &mut self,
        statement: &'static Statement,
        values: &[Value],
    ) -> Result<Result<Rows, StoreError>, tokio_postgres::Error> {
        let prepared = self.prepare(statement).await?;
        query(&self.client, statement, prepared.as_ref(), values).await
    }

    /// Ends it at once, whatever it is doing.
    pub(super) fn abort(self) {
        self.driver.abort();
    }
}

pub(super) fn address(statement: &'static Statement) -> usize {
    std::ptr::from_ref(statement).addr()
}

pub(super) async fn prepare(
    client: &Client,
    statement: &'static Statement,
) -> Result<tokio_postgres::Statement, tokio_postgres::Error> {
    let types: Vec<Type> = statement.parameters.iter().map(|kind| values::type_of(*kind)).collect();
    client.prepare_typed(statement.text(Dialect::Postgres), &types).await
}

/// Runs a statement, prepared or not; the inner error is about the rows, not about the way to them.
pub(super) async fn query(
    client: &Client,
    statement: &'static Statement,
    prepared: Option<&tokio_postgres::Statement>,
    values: &[Value],
) -> Result<Result<Rows, StoreError>, tokio_postgres::Error> {
    let stream: RowStream = match prepared {
        Some(prepared) => client.query_raw(prepared, values).await?,
        None => {
            let typed = values.iter().map(|value| (value, values::type_of(value.kind())));
            client.query_typed_raw(statement.text(Dialect::Postgres), typed).await?
        }
    };
    values::collect(stream, statement).await
}

/// What the URL and the options say about TLS.
struct Tls {
    /// As the URL says, if it does.
    mode: Option<SslMode>,
    ca_file: Option<PathBuf>,
    cert_file: Option<PathBuf>,
    key_file: Option<PathBuf>,
}

/// Without `sslmode`: nobody listens between here and a server on this machine; everywhere else TLS, checked.
fn mode_for(hosts: &[Host]) -> SslMode {
    let is_here = |host: &Host| match host {
        Host::Tcp(name) if name == "localhost" => true,
        Host::Tcp(name) => name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()),
        _ => true,
    };
    if hosts.iter().all(is_here) { SslMode::Disable } else { SslMode::Require }
}

/// Takes the `ssl…` parameters out of the URL: the driver knows fewer modes than libpq.
fn split_tls(options: &PostgresOptions) -> Result<(String, Tls), StoreError> {
    let mut tls = Tls {
        mode: None,
        ca_file: options.ca_file.clone(),
        cert_file: options.client_cert_file.clone(),
        key_file: options.client_key_file.clone(),
    };
    let Some((place, parameters)) = options.url.split_once('?') else { return Ok((options.url.clone(), tls)) };
    let mut rest = form_urlencoded::Serializer::new(String::new());
    for (name, value) in form_urlencoded::parse(parameters.as_bytes()) {
        match (&*name, &*value) {
            ("sslmode", "disable") => tls.mode = Some(SslMode::Disable),
            ("sslmode", "prefer" | "allow") => tls.mode = Some(SslMode::Prefer),
            ("sslmode", "require" | "verify-full") => tls.mode = Some(SslMode::Require),
            ("sslmode", _) => return Err(refused("sslmode is not one of disable, prefer, require, verify-full")),
            ("sslrootcert", file) => tls.ca_file = Some(file.into()),
            ("sslcert", file) => tls.cert_file = Some(file.into()),
            ("sslkey", file) => tls.key_file = Some(file.into()),
            (name, value) => drop(rest.append_pair(name, value)),
        }
    }
    // The driver decodes percent signs only, no plus signs.
    Ok((format!("{place}?{}", rest.finish().replace('+', "%20")), tls))
}

impl Tls {
    fn connector(&self) -> Result<MakeRustlsConnect, StoreError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|_| refused("no TLS version in common with ourselves"))?
            .with_root_certificates(self.roots()?);
        let config = match (&self.cert_file, &self.key_file) {
            (None, None) => config.with_no_client_auth(),
            (Some(cert), Some(key)) => {
                let chain = certificates(cert)?;
                let key =
                    PrivateKeyDer::from_pem_file(key).map_err(|_| refused("the client key file is not readable"))?;
                config
                    .with_client_auth_cert(chain, key)
                    .map_err(|_| refused("client certificate and key do not fit together"))?
            }
            _ => return Err(refused("a client certificate needs its key, and a key its certificate")),
        };
        Ok(MakeRustlsConnect::new(config))
    }

    fn roots(&self) -> Result<RootCertStore, StoreError> {
        let mut roots = RootCertStore::empty();
        let (certificates, named) = match &self.ca_file {
            Some(file) => (certificates(file)?, true),
            None => (rustls_native_certs::load_native_certs().certs, false),
        };
        let (_, unusable) = roots.add_parsable_certificates(certificates);
        if named && (roots.is_empty() || unusable > 0) {
            return Err(refused("the CA file has certificates that cannot be used"));
        }
        Ok(roots)
    }
}

fn certificates(file: &PathBuf) -> Result<Vec<CertificateDer<'static>>, StoreError> {
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match read {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(refused(&format!("no certificate could be read from {}", file.display()))),
    }
}

fn refused(why: &str) -> StoreError {
    StoreError::Unavailable(format!("postgres: {why}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
    use super::*;

    fn tls_of(url: &str) -> Result<(String, Tls), StoreError> {
        split_tls(&PostgresOptions::at(url))
    }

    #[test]
    fn require_means_that_the_certificate_is_checked() {
        let (plain, tls) =
            tls_of("postgres://u:p@h/d?sslmode=require&application_name=a+b&sslrootcert=%2Fca.pem").unwrap();
        assert_eq!(tls.mode, Some(SslMode::Require));
        assert_eq!(tls.ca_file, Some(PathBuf::from("/ca.pem")));
        assert_eq!(plain, "postgres://u:p@h/d?application_name=a%20b");
        assert_eq!(tls_of("postgres://h/d?sslmode=verify-full").unwrap().1.mode, Some(SslMode::Require));
    }

    #[test]
    fn a_mode_that_checks_half_is_refused() {
        assert!(tls_of("postgres://h/d?sslmode=verify-ca").is_err());
    }

    #[test]
    fn without_a_word_only_this_machine_is_spoken_to_in_the_clear() {
        let mode = |url: &str| mode_for(url.parse::<Config>().unwrap().get_hosts());
        assert_eq!(mode("postgres://u@localhost/d"), SslMode::Disable);
        assert_eq!(mode("postgres://u@127.0.0.1,[::1]/d"), SslMode::Disable);
        assert_eq!(mode("postgres:///d?host=/run/postgresql"), SslMode::Disable);
        assert_eq!(mode("postgres://u@db.example/d"), SslMode::Require);
        assert_eq!(mode("postgres://u@localhost,db.example/d"), SslMode::Require);
        assert_eq!(mode("postgres://u@10.0.0.1/d"), SslMode::Require);
    }

    #[test]
    fn the_password_is_in_no_error_and_no_debug_text() {
        let options = PostgresOptions::at("postgres://u:hunter2@h:notaport/d");
        let Err(error) = Connector::new(&options) else { panic!("accepted") };
        assert!(!format!("{error:?} {error} {options:?}").contains("hunter2"));
    }
}
