//! The way to a database: made when first needed, bounded in time and in sessions, and kept from running anything again
//! by itself.

use std::{fs, time::Duration};

use tokio::{sync::Mutex, time::timeout};
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

/// The clients of one connected database.
pub(super) struct Connected {
    pub(super) query: QueryClient,
    pub(super) tables: TableClient,
}

/// A database that is connected to when first needed.
pub(super) struct Link {
    pub(super) options: YdbOptions,
    pub(super) address: Address,
    connected: Mutex<Option<std::sync::Arc<Connected>>>,
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
    pub(super) async fn connected(&self) -> Result<std::sync::Arc<Connected>, StoreError> {
        let mut connected = self.connected.lock().await;
        if let Some(connected) = &*connected {
            return Ok(std::sync::Arc::clone(connected));
        }
        let late = |_| StoreError::Unavailable("ydb: it takes too long to connect".to_owned());
        let made = timeout(CONNECT_TIMEOUT, self.connect()).await.map_err(late)?;
        let made = std::sync::Arc::new(made.map_err(|error| classify::connection(&error))?);
        *connected = Some(std::sync::Arc::clone(&made));
        Ok(made)
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
        if let Some(file) = &self.options.ca_file {
            builder = builder.load_certificate(file)?;
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

    fn log_in(&self, builder: ClientBuilder) -> YdbResult<ClientBuilder> {
        Ok(match &self.address.login {
            Login::Anonymous => builder.with_credentials(AnonymousCredentials::new()),
            Login::TokenFile(file) => builder.with_credentials(TokenFile(file.clone())),
            Login::ServiceAccountFile(file) => builder.with_credentials(ServiceAccountCredentials::from_file(file)?),
            Login::Metadata => builder.with_credentials(GCEMetadata::new()),
            Login::Password { user, password } => {
                let endpoint = self.address.endpoint().parse().map_err(|_| YdbError::Custom("endpoint".to_owned()))?;
                let (user, password) = (user.clone(), password.clone());
                let mut login = StaticCredentials::new(user, password, endpoint, self.address.database.clone());
                if let Some(file) = &self.options.ca_file {
                    login = login.load_certificate(file)?;
                }
                builder.with_credentials(login)
            }
        })
    }
}

/// A token that somebody else keeps fresh in a file: read again whenever the library wants a new one.
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
