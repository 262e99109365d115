//! The query service.

use std::pin::Pin;

use futures_util::{Stream, StreamExt, stream};
use tokio::sync::mpsc;
use tonic::{Request, Response, Status, async_trait};
use ydb_grpc::ydb_proto::{
    TypedValue,
    query::{
        AttachSessionRequest, BeginTransactionRequest, BeginTransactionResponse, CommitTransactionRequest,
        CommitTransactionResponse, CreateSessionRequest, CreateSessionResponse, DeleteSessionRequest,
        DeleteSessionResponse, ExecMode, ExecuteQueryRequest, ExecuteQueryResponsePart, RollbackTransactionRequest,
        RollbackTransactionResponse, SessionState, TransactionMeta, TransactionSettings, execute_query_request::Query,
        transaction_control::TxSelector, transaction_settings::TxMode,
    },
    status_ids::StatusCode,
};

use super::{
    Answer, Node, Verdict, broken,
    results::{parts, refusal},
};
use crate::{
    failure::{Failure, Outcome},
    faults::Phase,
    plan::Parameters,
    run::Table,
    sessions::Server,
    store::transaction::{Mode, Transaction},
    stubs::query::query_service_server::QueryService,
    value::{Type, Value},
};

type Parts<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// An answer without a result.
macro_rules! answer {
    ($response:ident, $outcome:expr $(, $field:ident: $value:expr)*) => {{
        let (status, issues) = status_of(&$outcome);
        Ok(Response::new($response { status, issues, $($field: $value),* }))
    }};
}

fn status_of<T>(outcome: &Outcome<T>) -> (i32, Vec<ydb_grpc::ydb_proto::issue::IssueMessage>) {
    match outcome {
        Ok(_) => (StatusCode::Success as i32, Vec::new()),
        Err(failure) => (failure.status as i32, failure.issues()),
    }
}

#[async_trait]
impl QueryService for Node {
    type AttachSessionStream = Parts<SessionState>;
    type ExecuteQueryStream = Parts<ExecuteQueryResponsePart>;

    async fn create_session(
        &self,
        request: Request<CreateSessionRequest>,
    ) -> Result<Response<CreateSessionResponse>, Status> {
        self.enter("Query/CreateSession", request)?;
        let open = || {
            let leaving = self.server.nodes.get(self.number);
            if leaving.is_none_or(|node| node.leaving.load(std::sync::atomic::Ordering::Relaxed)) {
                return Err(Failure::new(StatusCode::Unavailable, 0, "the node is about to stop"));
            }
            self.server.open_session(self.number)
        };
        let outcome = self.scripted(Phase::CreateSession, open).await?;
        let node_id = i64::try_from(self.number + 1).unwrap_or_default();
        answer!(CreateSessionResponse, outcome, session_id: outcome.unwrap_or_default(), node_id: node_id)
    }

    async fn delete_session(
        &self,
        request: Request<DeleteSessionRequest>,
    ) -> Result<Response<DeleteSessionResponse>, Status> {
        let id = self.enter("Query/DeleteSession", request)?.session_id;
        let outcome = if self.server.close_session(&id) { Ok(()) } else { Err(Failure::bad_session(&id)) };
        answer!(DeleteSessionResponse, outcome)
    }

    async fn attach_session(
        &self,
        request: Request<AttachSessionRequest>,
    ) -> Result<Response<Self::AttachSessionStream>, Status> {
        let id = self.enter("Query/AttachSession", request)?.session_id;
        let (sender, states) = mpsc::unbounded_channel();
        let attach = || {
            self.server.with_session(&id, self.number, |session| {
                session.attached = Some(sender);
                Ok(())
            })
        };
        let outcome = self.scripted(Phase::AttachSession, attach).await?;
        let (status, issues) = status_of(&outcome);
        let first = stream::iter([Ok(SessionState { status, issues, session_hint: None })]);
        if outcome.is_err() {
            return Ok(Response::new(first.boxed()));
        }
        // The session lives as long as this stream.
        let guard = Attached { server: std::sync::Arc::clone(&self.server), id };
        let later = stream::unfold((states, guard), |(mut states, guard)| async move {
            states.recv().await.map(|state| (Ok(state), (states, guard)))
        });
        Ok(Response::new(first.chain(later).boxed()))
    }

    async fn begin_transaction(
        &self,
        request: Request<BeginTransactionRequest>,
    ) -> Result<Response<BeginTransactionResponse>, Status> {
        let begin = self.enter("Query/BeginTransaction", request)?;
        let work = || {
            let mode = mode(begin.tx_settings.as_ref())?;
            if !mode.is_interactive() {
                return Err(Failure::bad_request("this mode cannot be begun interactively"));
            }
            let tx = self.new_transaction(mode);
            let id = tx.id.clone();
            self.server.keep_transaction(&begin.session_id, self.number, tx)?;
            Ok(id)
        };
        let outcome = self.scripted(Phase::Begin, work).await?;
        let tx_meta = outcome.as_ref().ok().map(|id| TransactionMeta { id: id.clone() });
        answer!(BeginTransactionResponse, outcome, tx_meta: tx_meta)
    }

    async fn commit_transaction(
        &self,
        request: Request<CommitTransactionRequest>,
    ) -> Result<Response<CommitTransactionResponse>, Status> {
        let commit = self.enter("Query/CommitTransaction", request)?;
        let busy = match self.occupy(&commit.session_id) {
            Ok(busy) => busy,
            Err(failure) => return answer!(CommitTransactionResponse, Err::<(), _>(failure)),
        };
        let outcome = match self.server.take_transaction(&commit.session_id, self.number, &commit.tx_id) {
            Ok(tx) => self.commit(tx).await,
            Err(failure) => Err(Answer::Refusal(failure)),
        };
        drop(busy);
        let outcome = match outcome {
            Ok(()) => Ok(()),
            Err(answer) => Err(answer.into_refusal()?),
        };
        answer!(CommitTransactionResponse, outcome)
    }

    async fn rollback_transaction(
        &self,
        request: Request<RollbackTransactionRequest>,
    ) -> Result<Response<RollbackTransactionResponse>, Status> {
        let rollback = self.enter("Query/RollbackTransaction", request)?;
        let work = || {
            let tx = self.server.take_transaction(&rollback.session_id, self.number, &rollback.tx_id)?;
            self.server.roll_back(tx);
            Ok(())
        };
        let outcome = self.scripted(Phase::Rollback, work).await?;
        answer!(RollbackTransactionResponse, outcome)
    }

    async fn execute_query(
        &self,
        request: Request<ExecuteQueryRequest>,
    ) -> Result<Response<Self::ExecuteQueryStream>, Status> {
        let request = self.enter("Query/ExecuteQuery", request)?;
        let with_stats = request.stats_mode > 10;
        let busy = if request.session_id.is_empty() { None } else { Some(self.occupy(&request.session_id)) };
        let executed = match busy.as_ref() {
            Some(Err(failure)) => Err(Answer::Refusal(failure.clone())),
            _ => self.execute(&request).await,
        };
        // The session is free before the client can know that the answer has ended.
        drop(busy);
        let answers: Vec<Result<ExecuteQueryResponsePart, Status>> = match executed {
            Ok((results, tx, None)) => parts(&results, tx, with_stats).into_iter().map(Ok).collect(),
            Ok((results, tx, Some(()))) => {
                parts(&results, tx, false).into_iter().take(1).map(Ok).chain([Err(broken())]).collect()
            }
            Err(Answer::Refusal(failure)) => {
                if matches!(failure.status, StatusCode::BadSession | StatusCode::SessionExpired) {
                    self.server.close_session(&request.session_id);
                }
                vec![Ok(refusal(&failure))]
            }
            Err(Answer::Transport(status)) => return Err(status),
            Err(Answer::Cut) => vec![Err(broken())],
        };
        Ok(Response::new(stream::iter(answers).boxed()))
    }
}

/// Results, the transaction's name, and whether the stream is cut behind its first part.
type Executed = (Vec<Table>, Option<String>, Option<()>);

impl Node {
    fn new_transaction(&self, mode: Mode) -> Transaction {
        Transaction::new(format!("{:026}", self.server.next_number()), mode)
    }

    async fn execute(&self, request: &ExecuteQueryRequest) -> Result<Executed, Answer> {
        let text = match &request.query {
            Some(Query::QueryContent(content)) => content.text.as_str(),
            None => return Err(Answer::Refusal(Failure::bad_request("no query"))),
        };
        if request.exec_mode != ExecMode::Execute as i32 {
            return Err(Answer::Refusal(Failure::unsupported("the emulator executes; it does not explain")));
        }
        let given = parameters(&request.parameters).map_err(Answer::Refusal)?;
        let Some(mut tx) = self.transaction(request).await? else {
            return self.without_transaction(text, given).await;
        };
        let work = |tx: &mut Transaction| self.server.execute(text, given, Some(tx)).map_err(Answer::Refusal);
        let outcome = match self.verdict(Phase::Statement, text).await {
            Verdict::Work => work(&mut tx).map(|results| (results, None)),
            Verdict::WorkThen(Answer::Cut) => work(&mut tx).map(|results| (results, Some(()))),
            Verdict::WorkThen(answer) => work(&mut tx).and(Err(answer)),
            Verdict::Instead(answer) => Err(answer),
        };
        let (results, cut) = match outcome {
            Ok(done) => done,
            Err(answer) => {
                // A failed statement ends its transaction.
                self.server.roll_back(tx);
                return Err(answer);
            }
        };
        let commits = request.tx_control.as_ref().is_some_and(|control| control.commit_tx);
        if commits {
            return match self.commit(tx).await {
                Ok(()) => Ok((results, Some(String::new()), cut)),
                Err(Answer::Cut) => Ok((results, None, Some(()))),
                Err(answer) => Err(answer),
            };
        }
        let id = tx.id.clone();
        self.server.keep_transaction(&request.session_id, self.number, tx).map_err(Answer::Refusal)?;
        Ok((results, Some(id), cut))
    }

    /// A text on its own: DDL, or one that is committed at once.
    async fn without_transaction(&self, text: &str, given: Parameters) -> Result<Executed, Answer> {
        let work = || self.server.execute(text, given, None).map_err(Answer::Refusal);
        match self.verdict(Phase::Statement, text).await {
            Verdict::Work => Ok((work()?, None, None)),
            Verdict::WorkThen(Answer::Cut) => Ok((work()?, None, Some(()))),
            Verdict::WorkThen(answer) => work().and(Err(answer)),
            Verdict::Instead(answer) => Err(answer),
        }
    }

    /// The transaction that the request names or begins.
    async fn transaction(&self, request: &ExecuteQueryRequest) -> Result<Option<Transaction>, Answer> {
        let Some(control) = &request.tx_control else { return Ok(None) };
        match &control.tx_selector {
            None => Err(Answer::Refusal(Failure::bad_request("a transaction control without a transaction"))),
            Some(TxSelector::TxId(id)) => {
                self.server.take_transaction(&request.session_id, self.number, id).map(Some).map_err(Answer::Refusal)
            }
            Some(TxSelector::BeginTx(settings)) => {
                let mode = mode(Some(settings)).map_err(Answer::Refusal)?;
                if !mode.is_interactive() && !control.commit_tx {
                    let refusal = Failure::bad_request("this mode is for one statement with its commit");
                    return Err(Answer::Refusal(refusal));
                }
                match self.verdict(Phase::Begin, "").await {
                    Verdict::Work => Ok(Some(self.new_transaction(mode))),
                    Verdict::WorkThen(answer) | Verdict::Instead(answer) => Err(answer),
                }
            }
        }
    }

    async fn commit(&self, tx: Transaction) -> Result<(), Answer> {
        match self.verdict(Phase::Commit, "").await {
            Verdict::Work => self.server.commit(tx).map_err(Answer::Refusal),
            Verdict::WorkThen(answer) => self.server.commit(tx).map_err(Answer::Refusal).and(Err(answer)),
            Verdict::Instead(answer) => {
                self.server.roll_back(tx);
                Err(answer)
            }
        }
    }

    /// One query at a time.
    fn occupy(&self, id: &str) -> Outcome<Busy> {
        self.server.with_session(id, self.number, |session| {
            if session.busy {
                return Err(Failure::new(StatusCode::SessionBusy, 0, "Pending previous query completion"));
            }
            session.busy = true;
            Ok(Busy { server: std::sync::Arc::clone(&self.server), id: id.to_owned(), node: self.number })
        })
    }
}

/// A session at work.
struct Busy {
    server: std::sync::Arc<Server>,
    id: String,
    node: usize,
}

impl Drop for Busy {
    fn drop(&mut self) {
        // The session may be gone.
        drop(self.server.with_session(&self.id, self.node, |session| {
            session.busy = false;
            Ok(())
        }));
    }
}

/// An attach stream; the session ends with it.
struct Attached {
    server: std::sync::Arc<Server>,
    id: String,
}

impl Drop for Attached {
    fn drop(&mut self) {
        self.server.close_session(&self.id);
    }
}

fn mode(settings: Option<&TransactionSettings>) -> Outcome<Mode> {
    match settings.and_then(|settings| settings.tx_mode) {
        None | Some(TxMode::SerializableReadWrite(_)) => Ok(Mode::SerializableReadWrite),
        Some(TxMode::SnapshotReadOnly(_)) => Ok(Mode::SnapshotReadOnly),
        Some(TxMode::SnapshotReadWrite(_)) => Ok(Mode::SnapshotReadWrite),
        Some(TxMode::OnlineReadOnly(_)) => Ok(Mode::OnlineReadOnly),
        Some(TxMode::StaleReadOnly(_)) => Ok(Mode::StaleReadOnly),
    }
}

/// Parameters without their dollar.
fn parameters(given: &std::collections::HashMap<String, TypedValue>) -> Outcome<Parameters> {
    let mut found = Parameters::new();
    for (name, typed) in given {
        let bare = name.strip_prefix('$');
        let bare =
            bare.ok_or_else(|| Failure::bad_request(format!("Invalid parameter name: {name}, expected $name")))?;
        let data_type = Type::from_wire(typed.r#type.as_ref())?;
        let value = Value::from_wire(&data_type, typed.value.as_ref())?;
        found.insert(bare.to_owned(), (data_type, value));
    }
    Ok(found)
}
