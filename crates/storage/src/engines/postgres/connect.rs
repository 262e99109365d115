//! The way to the server, and one connection with its prepared statements.

use std::{
    collections::HashMap,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    task::AbortHandle,
    time::Instant,
};
use tokio_postgres::{CancelToken, Client, Config, NoTls, RowStream, config::SslMode, types::Type};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{
    PostgresOptions, classify,
    tls::{Tls, refused},
    values,
};
use crate::{
    Rows, Statement, StoreError, Value,
    engine::{Call, Pin},
};

/// A network that swallows packets is noticed after this long.
const TCP_TIMEOUT: Duration = Duration::from_secs(15);
const KEEPALIVE: Duration = Duration::from_secs(30);

/// Makes connections.
pub(super) struct Connector {
    config: Config,
    tls: Option<MakeRustlsConnect>,
    timeout: Duration,
    pin: OnceLock<Arc<Pin>>,
    statement_cache: bool,
    pub(super) pipelining: bool,
    began: Instant,
    /// Connections that have answered nobody since then are not trusted; microseconds since the beginning.
    distrusted: AtomicU64,
}

impl Connector {
    pub(super) fn new(options: &PostgresOptions) -> Result<Self, StoreError> {
        let (plain, tls) = Tls::split(options)?;
        // The parser's own message may quote a part of the URL, and the URL holds a password.
        let mut config: Config = plain.parse().map_err(|_| refused("the url is not understood"))?;
        let mode = tls.mode(&config);
        config.ssl_mode(mode).tcp_user_timeout(TCP_TIMEOUT).keepalives_idle(KEEPALIVE);
        config.connect_timeout(options.connect_timeout);
        if config.get_application_name().is_none() {
            config.application_name("userd");
        }
        Ok(Self {
            config,
            tls: if mode == SslMode::Disable { None } else { Some(tls.connector()?) },
            timeout: options.connect_timeout,
            pin: OnceLock::new(),
            statement_cache: options.statement_cache,
            pipelining: options.pipelining,
            began: Instant::now(),
            distrusted: AtomicU64::new(0),
        })
    }

    fn micros(&self, moment: Instant) -> u64 {
        let since = moment.saturating_duration_since(self.began);
        u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
    }

    /// Begins to wait for an answer.
    pub(super) fn waiting(&self, deadline: Duration) -> Waiting<'_> {
        Waiting { connector: self, since: Some(Instant::now()), patience: deadline.min(SUSPICIOUS) }
    }

    /// Whether a connection may be used: one that has answered since somebody waited for another in vain.
    pub(super) fn trusts(&self, connection: &Connection) -> bool {
        let distrusted = self.distrusted.load(Ordering::Relaxed);
        !connection.client.is_closed() && (distrusted == 0 || connection.answered.load(Ordering::Relaxed) > distrusted)
    }

    pub(super) fn has_answered(&self, connection: &Connection) {
        connection.answered.store(self.micros(Instant::now()), Ordering::Relaxed);
    }

    pub(super) async fn connect(&self) -> Result<Connection, StoreError> {
        match tokio::time::timeout(self.timeout, self.connecting()).await {
            Ok(connected) => connected,
            Err(_) => Err(StoreError::Unavailable("postgres: no connection in time".to_owned())),
        }
    }

    async fn connecting(&self) -> Result<Connection, StoreError> {
        let connected = match &self.tls {
            None => self.config.connect(NoTls).await.map(begun),
            Some(tls) => self.config.connect(tls.clone()).await.map(begun),
        };
        let (client, encoding, driver) = connected.map_err(|error| classify::connection(&error))?;
        let (prepared, cached) = (HashMap::new(), self.statement_cache);
        let answered = AtomicU64::new(self.micros(Instant::now()));
        let connection = Connection { client, driver, prepared, cached, answered };
        let fit = match in_utf8(encoding.as_deref()) {
            Ok(()) => self.leads_to_the_pinned(&connection.client).await,
            refused => refused,
        };
        match fit {
            Ok(()) => Ok(connection),
            Err(error) => {
                connection.abort();
                Err(error)
            }
        }
    }

    async fn leads_to_the_pinned(&self, client: &Client) -> Result<(), StoreError> {
        let Some(pin) = self.pin.get() else { return Ok(()) };
        let answer = query(client, pin.statement, None, &pin.values).await;
        let rows = answer.map_err(|error| classify::statement(&error, pin.statement))??;
        pin.check(&rows).inspect_err(|error| tracing::error!(%error, "postgres: a new connection is not used"))
    }

    pub(super) fn pin(&self, pin: Arc<Pin>) {
        let _the_first_one_stays = self.pin.set(pin);
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

/// An answer that somebody gave up waiting for after this long speaks against the way to the server, not for haste.
const SUSPICIOUS: Duration = Duration::from_secs(1);

/// A wait for an answer. Where the network swallows what is sent, connections that were idle meanwhile are as dead as the
/// one that was asked, and each would cost its next user the same wait: after a wait in vain they are not used again.
pub(super) struct Waiting<'a> {
    connector: &'a Connector,
    since: Option<Instant>,
    patience: Duration,
}

impl Waiting<'_> {
    pub(super) fn answered(mut self, connection: &Connection) {
        self.since = None;
        self.connector.has_answered(connection);
    }
}

impl Drop for Waiting<'_> {
    /// Too late, or given up by whoever asked.
    fn drop(&mut self) {
        if let Some(since) = self.since.filter(|since| since.elapsed() >= self.patience) {
            self.connector.distrusted.fetch_max(self.connector.micros(since), Ordering::Relaxed);
        }
    }
}

/// A connection, the encoding of its database, and its own task.
fn begun<S, T>((client, driver): (Client, tokio_postgres::Connection<S, T>)) -> (Client, Option<String>, AbortHandle)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let encoding = driver.parameter("server_encoding").map(str::to_owned);
    (client, encoding, drive(driver))
}

/// In another encoding a name that it cannot hold would be an error of one request. A pooler may not tell.
fn in_utf8(encoding: Option<&str>) -> Result<(), StoreError> {
    match encoding {
        None | Some("UTF8") => Ok(()),
        Some(other) => Err(StoreError::Unusable(format!(
            "postgres: the database is encoded in {other} and must be in UTF8: make another one, CREATE DATABASE userd \
             ENCODING 'UTF8' TEMPLATE template0, and name it in database.url"
        ))),
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
    /// When it last answered, in the connector's time.
    answered: AtomicU64,
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

    /// Prepares what is not prepared yet: a round trip each, once in a connection's life.
    pub(super) async fn prepare_all(
        &mut self,
        calls: &[Call<'_>],
    ) -> Result<Vec<Option<tokio_postgres::Statement>>, tokio_postgres::Error> {
        let mut prepared = Vec::with_capacity(calls.len());
        for call in calls {
            prepared.push(self.prepare(call.statement).await?);
        }
        Ok(prepared)
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
    pub(super) fn abort(&self) {
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
    client.prepare_typed(statement.sql, &types).await
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
            client.query_typed_raw(statement.sql, typed).await?
        }
    };
    values::collect(stream, statement).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_database_in_utf8_is_used_and_a_pooler_need_not_tell() {
        assert!(in_utf8(None).is_ok() && in_utf8(Some("UTF8")).is_ok());
        for other in ["SQL_ASCII", "LATIN1", "utf8", ""] {
            let refused = in_utf8(Some(other));
            assert!(
                matches!(&refused, Err(StoreError::Unusable(why)) if why.contains("ENCODING 'UTF8'")),
                "{refused:?}"
            );
        }
    }
}
