//! One unit of work on YDB. The client library lends a transaction to a callback and takes it back at the callback's
//! end; here it belongs to whoever works on it. So the callback waits for commands, and its future is driven from here,
//! by whoever waits for an answer: no task of its own, and dropped with the transaction, which rolls back.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};
use userd_storage::{Access, Call, Rows, Statement, StoreError, Transaction, Value};
use ydb::{
    QueryClient, ResultSet, RetryTxAttempt, TxMode, YdbError, YdbOrCustomerError, YdbResult, YdbResultWithCustomerErr,
};

use super::{
    classify::{self, Meaning},
    rows, values,
};
use crate::yql::batch::{Request, requests};

/// The bound of the wait after the first attempt that met an overloaded database; each further one doubles it.
const SLOW_WAIT: Duration = Duration::from_millis(500);

/// Where a transaction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing has been sent.
    Fresh,
    /// At least one statement has succeeded.
    Open,
    /// A statement failed or was not waited for.
    Unsound,
}

pub(super) struct YdbTransaction {
    client: QueryClient,
    timeout: Duration,
    attempt: u32,
    state: State,
    held: Option<Held>,
    /// What has added rows: a taken key may show at the commit alone.
    added: Vec<&'static Statement>,
}

/// The callback under way, and how it is told what to do.
struct Held {
    driver: BoxFuture<'static, YdbResultWithCustomerErr<()>>,
    commands: mpsc::UnboundedSender<Command>,
}

enum Command {
    Run {
        text: String,
        parameters: std::collections::HashMap<String, ydb::Value>,
        commit: bool,
        reply: oneshot::Sender<YdbResult<Vec<ResultSet>>>,
    },
    Commit,
}

/// What the library calls with a transaction: does what it is told until it is told to commit.
struct Bridge(mpsc::UnboundedReceiver<Command>);

/// Nobody wants the transaction any more.
#[derive(Debug, thiserror::Error)]
#[error("given up")]
struct GivenUp;

impl RetryTxAttempt<()> for Bridge {
    fn attempt<'a>(&'a mut self, tx: &'a mut ydb::Transaction) -> BoxFuture<'a, YdbResultWithCustomerErr<()>> {
        Box::pin(async move {
            loop {
                match self.0.recv().await {
                    Some(Command::Commit) => return Ok(()),
                    Some(Command::Run { text, parameters, commit, reply }) => {
                        let answer = ask(tx, text, parameters, commit).await;
                        let failed = answer.as_ref().err().cloned();
                        // Whoever asked may be gone; then the transaction is too.
                        let _nobody = reply.send(answer);
                        match failed {
                            Some(error) => return Err(error.into()),
                            None if commit => return Ok(()),
                            None => {}
                        }
                    }
                    None => return Err(YdbOrCustomerError::Customer(Arc::new(GivenUp))),
                }
            }
        })
    }
}

async fn ask(
    tx: &mut ydb::Transaction,
    text: String,
    parameters: std::collections::HashMap<String, ydb::Value>,
    commit: bool,
) -> YdbResult<Vec<ResultSet>> {
    let mut stream = tx.query(text).params(parameters).with_commit(commit).await?;
    let mut sets = Vec::new();
    while let Some(set) = stream.next_result_set().await? {
        sets.push(set);
    }
    // With the commit only this makes it last.
    stream.close().await?;
    Ok(sets)
}

/// Why a request has no answer.
enum Fault {
    /// What the database or the library says.
    Said(Box<YdbError>),
    /// No answer in time.
    Late,
}

impl YdbTransaction {
    pub(super) const fn new(client: QueryClient, timeout: Duration, access: Access) -> Self {
        Self { client, timeout, attempt: access.attempt, state: State::Fresh, held: None, added: Vec::new() }
    }

    fn held(&mut self) -> &mut Held {
        let client = self.client.clone();
        self.held.get_or_insert_with(|| {
            let (commands, received) = mpsc::unbounded_channel();
            let bridge = Bridge(received);
            let driver = async move { client.retry_tx(bridge).isolation(TxMode::SerializableReadWrite).await };
            Held { driver: Box::pin(driver), commands }
        })
    }

    async fn send(&mut self, request: &Request, commit: bool) -> Result<Result<Vec<ResultSet>, Fault>, StoreError> {
        let parameters = values::parameters(&request.given)?;
        let deadline = self.timeout;
        self.added
            .extend(request.statements.iter().filter(|statement| statement.sql.trim_start().starts_with("INSERT")));
        let held = self.held();
        let (reply, mut answer) = oneshot::channel();
        let command = Command::Run { text: request.text(), parameters, commit, reply };
        held.commands.send(command).map_err(|_| unsound())?;
        let answered = async {
            tokio::select! {
                biased;
                Ok(answer) = &mut answer => answer,
                // The last thing that it does may be to answer.
                ended = &mut held.driver => match answer.try_recv() {
                    Ok(answer) => answer,
                    Err(_) => Err(ended.err().map_or_else(lost, YdbOrCustomerError::to_ydb_error)),
                },
            }
        };
        Ok(match timeout(deadline, answered).await {
            Ok(Ok(sets)) => Ok(sets),
            Ok(Err(error)) => Err(Fault::Said(Box::new(error))),
            Err(_) => Err(Fault::Late),
        })
    }

    /// What a failed request without a commit comes to. An overloaded database is left alone for a while first, its
    /// session given back.
    async fn failed(&mut self, fault: Fault, of: &[&'static Statement]) -> StoreError {
        self.held = None;
        let error = match fault {
            Fault::Said(error) => error,
            Fault::Late => {
                let name = of.first().map_or("", |statement| statement.name);
                return StoreError::Unavailable(format!("{name}: ydb: no answer in time"));
            }
        };
        if classify::meaning(&error) == Meaning::Slower && self.attempt < classify::PATIENCE {
            tokio::time::sleep(classify::spread(SLOW_WAIT * (1 << self.attempt))).await;
        }
        classify::statements(&error, of, self.attempt)
    }

    /// All but the commit.
    async fn all(&mut self, requests: &[Request], answers: &mut [Rows]) -> Result<(), StoreError> {
        for request in requests {
            match self.send(request, false).await? {
                Ok(sets) => rows::hand_out(&request.answers, sets, answers)?,
                Err(fault) => return Err(self.failed(fault, &request.statements).await),
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Transaction for YdbTransaction {
    async fn run(&mut self, statement: &'static Statement, values: &[Value]) -> Result<Rows, StoreError> {
        let mut answers = self.run_together(&[Call { statement, values }]).await?;
        Ok(answers.pop().unwrap_or_default())
    }

    async fn run_together(&mut self, calls: &[Call<'_>]) -> Result<Vec<Rows>, StoreError> {
        if calls.is_empty() {
            return Ok(Vec::new());
        }
        // Unsound until it has succeeded: also when nobody waits for the answer any more.
        if std::mem::replace(&mut self.state, State::Unsound) == State::Unsound {
            return Err(unsound());
        }
        let mut answers = vec![Rows::new(); calls.len()];
        self.all(&requests(calls), &mut answers).await?;
        self.state = State::Open;
        Ok(answers)
    }

    async fn commit_after(mut self: Box<Self>, writes: &[Call<'_>]) -> Result<(), StoreError> {
        let mut requests = requests(writes);
        let Some(last) = requests.pop() else { return self.commit().await };
        if std::mem::replace(&mut self.state, State::Unsound) == State::Unsound {
            return Err(unsound());
        }
        self.all(&requests, &mut vec![Rows::new(); writes.len()]).await?;
        match self.send(&last, true).await? {
            Ok(_) => Ok(()),
            Err(Fault::Late) => Err(StoreError::OutcomeUnknown("ydb: no answer to the commit in time".to_owned())),
            Err(Fault::Said(error)) => Err(classify::commit(&error, &self.added)),
        }
    }

    async fn commit(mut self: Box<Self>) -> Result<(), StoreError> {
        match std::mem::replace(&mut self.state, State::Unsound) {
            State::Open => {}
            State::Unsound => return Err(unsound()),
            State::Fresh => return Ok(()),
        }
        let deadline = self.timeout;
        let held = self.held();
        held.commands.send(Command::Commit).map_err(|_| unsound())?;
        match timeout(deadline, &mut held.driver).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(classify::commit(&error.to_ydb_error(), &self.added)),
            Err(_) => Err(StoreError::OutcomeUnknown("ydb: no answer to the commit in time".to_owned())),
        }
    }
}

fn unsound() -> StoreError {
    StoreError::corrupt("ydb: a transaction went on after a statement of it had failed")
}

fn lost() -> YdbError {
    YdbError::Transport("the transaction ended by itself".to_owned())
}
