//! The way to a database: made when first needed, bounded in time and in sessions, and kept from running anything again
//! by itself.

use std::{fs, sync::Arc, time::Duration};

use tokio::{
    sync::Mutex,
    time::{Instant, timeout},
};
use tonic::transport::{Certificate, ClientTlsConfig};
use userd_storage::StoreError;
use ydb::{
    AccessTokenCredentials, AnonymousCredentials, ClientBuilder, Credentials, GCEMetadata, HasGrpcOptions, QueryClient,
    RetrySettings, ServiceAccountCredentials, SessionPoolSettings, StaticCredentials, TableClient, YdbError, YdbResult,
};

use super::{YdbOptions, classify};
use crate::address::{Address, Login};

/// How long it may take until the nodes are known and the first sessions open.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a session may take to open or to end: longer than the library's half a second, for a cluster far away.
const SESSION_TIMEOUT: Duration = Duration::from_secs(2);
/// After a fresh login that could not be had, how long until it is tried again.
const AGAIN_AFTER: Duration = Duration::from_secs(10);

/// The clients of one connected database.
pub(super) struct Connected {
    pub(super) query: QueryClient,
    pub(super) tables: TableClient,
}

/// A database that is connected to when first needed.
pub(super) struct Link {
    pub(super) options: YdbOptions,
    pub(super) address: Address,
    connected: Mutex<Option<Held>>,
}

/// Clients in use.
struct Held {
    clients: Arc<Connected>,
    /// When others with a fresh login take their place. The library asks for a token an hour after the last one, or
    /// when that has ended, and is lost for good when it gets none.
    fresh_at: Instant,
}

impl Link {
    pub(super) fn new(options: YdbOptions) -> Result<Self, StoreError> {
        let wrong = |why: String| StoreError::Unavailable(format!("ydb: {why}"));
        let address = Address::parse(&options.url.0).map_err(wrong)?;
        let files = match &address.login {
            Login::TokenFile(file) | Login::ServiceAccountFile(file) => Some(std::path::Path::new(file)),
            _ => None,
        };
        for file in files.into_iter().chain(options.ca_file.as_deref()) {
            fs::metadata(file).map_err(|error| wrong(format!("{}: {error}", file.display())))?;
        }
        Ok(Self { options, address, connected: Mutex::new(None) })
    }

    /// The clients; connects when nobody has, and again when the last try failed.
    pub(super) async fn connected(self: &Arc<Self>) -> Result<Arc<Connected>, StoreError> {
        let mut connected = self.connected.lock().await;
        if let Some(held) = &mut *connected {
            if self.address.login != Login::Anonymous && held.fresh_at <= Instant::now() {
                held.fresh_at = Instant::now() + CONNECT_TIMEOUT + AGAIN_AFTER;
                tokio::spawn(Arc::clone(self).log_in_again());
            }
            return Ok(Arc::clone(&held.clients));
        }
        let held = self.made().await?;
        let clients = Arc::clone(&held.clients);
        *connected = Some(held);
        Ok(clients)
    }

    /// Beside the work: what is under way ends with the login that it began with.
    async fn log_in_again(self: Arc<Self>) {
        let made = self.made().await;
        // Nobody is connected once the engine is closed.
        let Some(held) = &mut *self.connected.lock().await else { return };
        match made {
            Ok(made) => *held = made,
            Err(error) => {
                tracing::warn!(%error, "no fresh login at the database; the one of before stays in use");
                held.fresh_at = Instant::now() + AGAIN_AFTER;
            }
        }
    }

    async fn made(&self) -> Result<Held, StoreError> {
        let late = |_| StoreError::Unavailable("ydb: it takes too long to connect".to_owned());
        let made = timeout(CONNECT_TIMEOUT, self.connect()).await.map_err(late)?;
        let clients = Arc::new(made.map_err(|error| classify::connection(&error))?);
        Ok(Held { clients, fresh_at: Instant::now() + self.options.login_life })
    }

    pub(super) async fn close(&self) {
        self.connected.lock().await.take();
    }

    async fn connect(&self) -> YdbResult<Connected> {
        // The library's TLS takes whatever provider the process has; two are built in here.
        let _there_already = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let Address { database, discovery, .. } = &self.address;
        let endpoint = self.address.endpoint();
        let text = format!("{endpoint}{database}?use_discovery={discovery}");
        let mut builder = ClientBuilder::new_from_connection_string(text)?;
        if let Some(tls) = self.tls()? {
            builder = builder.with_tls_config(tls);
        }
        builder = self.log_in(builder)?.with_retry_settings(RetrySettings::dont_retry());
        let YdbOptions { max_sessions, warm_sessions, acquire_timeout, idle_life, .. } = self.options;
        let pool = SessionPoolSettings::new()
            .with_limit(max_sessions)
            .with_warm_up(warm_sessions)
            .with_acquire_timeout(acquire_timeout)
            .with_idle_ttl(idle_life)
            .with_session_create_timeout(SESSION_TIMEOUT)
            .with_session_delete_timeout(SESSION_TIMEOUT);
        let client = builder.build().await?.with_session_pool(pool).await?;
        Ok(Connected { query: client.query_client(), tables: client.table_client() })
    }

    /// With an authority of its own. The library connects to addresses and, where it is given one, compares
    /// certificates with those; here it is told the name.
    fn tls(&self) -> YdbResult<Option<ClientTlsConfig>> {
        let Some(file) = &self.options.ca_file else { return Ok(None) };
        let authority = Certificate::from_pem(fs::read(file)?);
        Ok(Some(ClientTlsConfig::new().ca_certificate(authority).domain_name(self.address.host())))
    }

    fn log_in(&self, builder: ClientBuilder) -> YdbResult<ClientBuilder> {
        Ok(match &self.address.login {
            Login::Anonymous => builder.with_credentials(AnonymousCredentials::new()),
            Login::TokenFile(file) => builder.with_credentials(TokenFile(file.clone())),
            Login::ServiceAccountFile(file) => {
                let account = ServiceAccountCredentials::from_file(file)?;
                builder.with_credentials(match &self.address.token_url {
                    Some(url) => account.with_url(url),
                    None => account,
                })
            }
            Login::Metadata(cloud) => {
                let url = self.address.token_url.as_deref().unwrap_or(cloud.metadata_url());
                builder.with_credentials(GCEMetadata::from_url(url)?)
            }
            Login::Password { user, password } => {
                let endpoint = self.address.endpoint().parse().map_err(|_| YdbError::Custom("endpoint".to_owned()))?;
                let (user, password) = (user.clone(), password.clone());
                let mut login = StaticCredentials::new(user, password, endpoint, self.address.database.clone());
                if let Some(tls) = self.tls()? {
                    login = login.with_tls_config(tls);
                }
                builder.with_credentials(login)
            }
        })
    }
}

/// A token that somebody else keeps fresh in a file: read at each login.
struct TokenFile(String);

impl Credentials for TokenFile {
    fn create_token(&self) -> YdbResult<ydb::TokenInfo> {
        let text = fs::read_to_string(&self.0).map_err(|error| YdbError::Custom(format!("{}: {error}", self.0)))?;
        AccessTokenCredentials::from(text.trim()).create_token()
    }

    fn debug_string(&self) -> String {
        format!("token in {}", self.0)
    }
}
