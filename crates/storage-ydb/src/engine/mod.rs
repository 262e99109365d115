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

use std::{collections::HashMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::time::{Instant, timeout_at};
use userd_storage::{
    Access, Call, Engine, Rows, Statement, StoreError, Transaction, Value,
    engine::{Dialect, Reruns},
};
use ydb::{QueryClient, ResultSet, TxMode, YdbResult};

pub use options::YdbOptions;

use self::{classify::Meaning, connect::Link, transaction::YdbTransaction};
use crate::yql::batch::{Request, requests};

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

    /// One text, one round trip: its reads see one snapshot.
    async fn read_once(&self, request: &Request, answers: &mut [Rows]) -> Result<(), Fault> {
        let parameters = values::parameters(&request.given).map_err(Fault::Here)?;
        let client = self.link.connected().await.map_err(Fault::Here)?.query.clone();
        let sets = ask(client, request.text(), parameters).await.map_err(|error| Fault::There(Box::new(error)))?;
        rows::hand_out(&request.answers, sets, answers).map_err(Fault::Here)
    }

    /// The same until it is answered, but not for ever.
    async fn read_patiently(&self, request: &Request, answers: &mut [Rows]) -> Result<(), StoreError> {
        let deadline = Instant::now() + self.link.options.statement_timeout;
        let name = request.statements.first().map_or("", |statement| statement.name);
        let mut tries = 0;
        loop {
            let late = |_| StoreError::Unavailable(format!("{name}: ydb: no answer in time"));
            let error = match timeout_at(deadline, self.read_once(request, answers)).await.map_err(late)? {
                Ok(()) => return Ok(()),
                Err(Fault::Here(error)) => return Err(error),
                Err(Fault::There(error)) => error,
            };
            tries += 1;
            if tries >= READS || !matches!(classify::meaning(&error), Meaning::Again | Meaning::Slower | Meaning::Lost)
            {
                return Err(classify::read(&error, name));
            }
            tokio::time::sleep(classify::spread(FIRST_WAIT * (1 << tries))).await;
        }
    }
}

async fn ask(
    mut client: QueryClient,
    text: String,
    parameters: HashMap<String, ydb::Value>,
) -> YdbResult<Vec<ResultSet>> {
    let mut stream = client.query(text).params(parameters).with_tx_mode(TxMode::SnapshotReadOnly).await?;
    let mut sets = Vec::new();
    while let Some(set) = stream.next_result_set().await? {
        sets.push(set);
    }
    stream.close().await?;
    Ok(sets)
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
        let mut answers = self.read_together(&[Call { statement, values }]).await?;
        Ok(answers.pop().unwrap_or_default())
    }

    /// In one text where they fit.
    async fn read_together(&self, calls: &[Call<'_>]) -> Result<Vec<Rows>, StoreError> {
        let mut answers = vec![Rows::new(); calls.len()];
        for request in requests(calls) {
            self.read_patiently(&request, &mut answers).await?;
        }
        Ok(answers)
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
