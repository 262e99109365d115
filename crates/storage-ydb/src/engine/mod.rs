//! The engine, on the official client library, of which only the query service and the description of tables are used.
//!
//! Every wait has an end, and nothing is run again here but reads outside of transactions, which decide nothing: what
//! lost a race is told as `Conflict`, and the store runs the whole unit of work again.

mod classify;
mod connect;
mod options;
mod rows;
mod schema;
mod transaction;
mod values;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::time::{Instant, timeout_at};
use userd_storage::{
    Access, Call, Engine, Rows, Statement, StoreError, Transaction, Value,
    engine::{Dialect, Reruns},
};
use ydb::TxMode;

pub use options::YdbOptions;

use self::{classify::Meaning, connect::Link, transaction::YdbTransaction};
use crate::yql::batch;

const HEALTH_TIMEOUT: Duration = Duration::from_secs(2);
/// How often a read outside of transactions is asked, and the bound of the first wait; each further one doubles it.
const READS: u32 = 6;
const FIRST_WAIT: Duration = Duration::from_millis(5);

/// A database of YDB.
pub struct YdbEngine {
    link: Arc<Link>,
}

impl YdbEngine {
    /// Reads the options and the certificate file; connects when first needed.
    ///
    /// # Errors
    /// `Unavailable` with the reason when the URL or a file is not understood. The URL is never told.
    pub fn new(options: YdbOptions) -> Result<Self, StoreError> {
        Ok(Self { link: Arc::new(Link::new(options)?) })
    }

    async fn read_once(&self, statement: &'static Statement, values: &[Value]) -> Result<Rows, Fault> {
        let calls = [Call { statement, values }];
        let Some(request) = batch::requests(&calls).pop() else { return Ok(Vec::new()) };
        let parameters = values::parameters(&request.given).map_err(Fault::Here)?;
        let mut client = self.link.connected().await.map_err(Fault::Here)?.query.clone();
        let asked = client.query_result_set(request.text()).params(parameters).with_tx_mode(TxMode::SnapshotReadOnly);
        match asked.await {
            Ok(set) => rows::of(statement, set).map_err(Fault::Here),
            Err(error) => Err(Fault::There(Box::new(error))),
        }
    }
}

/// Where a read failed.
enum Fault {
    Here(StoreError),
    There(Box<ydb::YdbError>),
}

#[async_trait]
impl Engine for YdbEngine {
    async fn begin(&self, access: Access) -> Result<Box<dyn Transaction>, StoreError> {
        let connected = self.link.connected().await?;
        Ok(Box::new(YdbTransaction::new(connected.query.clone(), self.link.options.statement_timeout, access)))
    }

    async fn read(&self, statement: &'static Statement, values: &[Value]) -> Result<Rows, StoreError> {
        let deadline = Instant::now() + self.link.options.statement_timeout;
        let mut tries = 0;
        loop {
            let late = || StoreError::Unavailable(format!("{}: ydb: no answer in time", statement.name));
            let answer = timeout_at(deadline, self.read_once(statement, values)).await.map_err(|_| late())?;
            let error = match answer {
                Ok(rows) => return Ok(rows),
                Err(Fault::Here(error)) => return Err(error),
                Err(Fault::There(error)) => error,
            };
            tries += 1;
            if tries >= READS || !matches!(classify::meaning(&error), Meaning::Again | Meaning::Slower | Meaning::Lost)
            {
                return Err(classify::read(&error, statement));
            }
            tokio::time::sleep(classify::spread(FIRST_WAIT * (1 << tries))).await;
        }
    }

    async fn run_schema(&self, sql: &str) -> Result<(), StoreError> {
        schema::run(&self.link, sql).await
    }

    fn reruns(&self) -> Reruns {
        Reruns::MANY
    }

    async fn verify(&self) -> Result<(), StoreError> {
        schema::verify(&self.link).await
    }

    async fn health(&self) -> Result<(), StoreError> {
        let asked = async {
            let mut client = self.link.connected().await?.query.clone();
            client.query_row("SELECT 1").await.map(drop).map_err(|error| classify::connection(&error))
        };
        let late = |_| StoreError::Unavailable("ydb: no answer in time".to_owned());
        tokio::time::timeout(HEALTH_TIMEOUT, asked).await.map_err(late)?
    }

    fn dialect(&self) -> Dialect {
        Dialect::Ydb
    }

    /// Sessions end with their streams, when the last of the clients is dropped.
    async fn close(&self) {
        self.link.close().await;
    }
}
