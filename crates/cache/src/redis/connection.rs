//! One way to open a connection for all three topologies. Deliberately absent: when to open one (mod.rs, reader.rs).
//! The client's own reconnecting is not used: the breaker opens a fresh connection, which also asks the sentinels for
//! the master again, so there is one mechanism and not two that wait for each other.

use std::time::Duration;

use ::redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, IntoConnectionInfo, Pipeline, RedisConnectionInfo, RedisError,
    RedisFuture, RedisResult, TlsCertificates, TlsMode, Value,
    aio::{ConnectionLike, MultiplexedConnection},
    cluster::ClusterClient,
    cluster_async::ClusterConnection,
    sentinel::{SentinelClientBuilder, SentinelServerType},
};

use super::address::{Address, Topology};
use crate::{CacheError, CacheOptions};

/// An open connection; cloning it shares it.
#[derive(Clone)]
pub(crate) enum Connection {
    Node(MultiplexedConnection),
    Cluster(ClusterConnection),
}

/// What is needed to open connections.
pub(crate) struct Connector {
    address: Address,
    authority: Option<Vec<u8>>,
    timeout: Duration,
}

impl Connector {
    /// Checks `address` and the certificate file; connects nowhere.
    pub(crate) fn new(mut address: Address, options: &CacheOptions) -> Result<Self, CacheError> {
        if options.username.is_some() {
            address.username.clone_from(&options.username);
        }
        if options.password.is_some() {
            address.password.clone_from(&options.password);
        }
        let authority = match &options.authority_file {
            Some(path) => Some(std::fs::read(path).map_err(|e| CacheError::Authority(e.to_string()))?),
            None => None,
        };
        let connector = Self { address, authority, timeout: options.connection_timeout };
        if connector.address.tls {
            connector.node().map_err(|e| CacheError::Authority(e.to_string()))?;
        }
        Ok(connector)
    }

    /// Opens a connection within the connection timeout (for sentinels: one timeout for each).
    /// `response` is the longest wait for one answer on it; none for reads that wait for news.
    pub(crate) async fn open(&self, response: Option<Duration>) -> RedisResult<Connection> {
        let attempts = match self.address.topology {
            Topology::Single | Topology::Cluster => 1,
            Topology::Sentinel { .. } => u32::try_from(self.address.hosts.len()).unwrap_or(1).saturating_add(1),
        };
        let opened = tokio::time::timeout(self.timeout.saturating_mul(attempts), self.open_now(response)).await;
        opened.unwrap_or_else(|_| Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()))
    }

    async fn open_now(&self, response: Option<Duration>) -> RedisResult<Connection> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.timeout))
            .set_response_timeout(response)
            .set_pipeline_buffer_size(1024);
        match &self.address.topology {
            Topology::Single => {
                Ok(Connection::Node(self.node()?.get_multiplexed_async_connection_with_config(&config).await?))
            }
            Topology::Cluster => Ok(Connection::Cluster(self.cluster(response)?.get_async_connection().await?)),
            Topology::Sentinel { .. } => {
                let mut client = self.sentinel()?.build()?;
                Ok(Connection::Node(client.get_async_connection_with_config(&config).await?))
            }
        }
    }

    fn node(&self) -> RedisResult<Client> {
        let address = self.addresses().next().ok_or_else(nowhere)?;
        let info = address.into_connection_info()?.set_redis_settings(self.handshake());
        match self.certificates() {
            Some(certificates) => Client::build_with_tls(info, certificates),
            None => Client::open(info),
        }
    }

    fn cluster(&self, response: Option<Duration>) -> RedisResult<ClusterClient> {
        let mut builder = ClusterClient::builder(self.addresses()).connection_timeout(self.timeout);
        // The builder knows no "wait for ever"; the reader has its own, shorter, timeout around every read.
        builder = builder.response_timeout(response.unwrap_or(Duration::from_secs(60)));
        if let Some(username) = &self.address.username {
            builder = builder.username(username);
        }
        if let Some(password) = &self.address.password {
            builder = builder.password(password.as_str());
        }
        if self.address.tls {
            builder = builder.tls(TlsMode::Secure);
        }
        if let Some(certificates) = self.certificates() {
            builder = builder.certs(certificates);
        }
        builder.build()
    }

    fn sentinel(&self) -> RedisResult<SentinelClientBuilder> {
        let Topology::Sentinel { master, username, password } = &self.address.topology else {
            return Err(nowhere());
        };
        let mut builder = SentinelClientBuilder::new(self.addresses(), master, SentinelServerType::Master)?
            .set_client_to_redis_db(self.address.database);
        if let Some(username) = &self.address.username {
            builder = builder.set_client_to_redis_username(username);
        }
        if let Some(password) = &self.address.password {
            builder = builder.set_client_to_redis_password(password.as_str());
        }
        if let Some(username) = username {
            builder = builder.set_client_to_sentinel_username(username);
        }
        if let Some(password) = password {
            builder = builder.set_client_to_sentinel_password(password.as_str());
        }
        if self.address.tls {
            builder = builder.set_client_to_redis_tls_mode(TlsMode::Secure);
        }
        if let Some(certificates) = self.certificates() {
            builder = builder
                .set_client_to_redis_certificates(certificates.clone())
                .set_client_to_sentinel_certificates(certificates);
        }
        Ok(builder)
    }

    fn addresses(&self) -> impl Iterator<Item = ConnectionAddr> + '_ {
        self.address.hosts.iter().cloned().map(|(host, port)| {
            if self.address.tls {
                ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None }
            } else {
                ConnectionAddr::Tcp(host, port)
            }
        })
    }

    fn handshake(&self) -> RedisConnectionInfo {
        let mut info = RedisConnectionInfo::default().set_db(self.address.database);
        if let Some(username) = &self.address.username {
            info = info.set_username(username);
        }
        if let Some(password) = &self.address.password {
            info = info.set_password(password.as_str());
        }
        info
    }

    fn certificates(&self) -> Option<TlsCertificates> {
        let root = self.authority.clone().filter(|_| self.address.tls)?;
        Some(TlsCertificates { client_tls: None, root_cert: Some(root) })
    }
}

fn nowhere() -> RedisError {
    RedisError::from((::redis::ErrorKind::InvalidClientConfig, "no address"))
}

impl ConnectionLike for Connection {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::Node(node) => node.req_packed_command(cmd),
            Self::Cluster(cluster) => cluster.req_packed_command(cmd),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::Node(node) => node.req_packed_commands(pipeline, offset, count),
            Self::Cluster(cluster) => cluster.req_packed_commands(pipeline, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::Node(node) => node.get_db(),
            Self::Cluster(cluster) => cluster.get_db(),
        }
    }
}
