//! The server behind its nodes: sessions, the transactions in them, and running a text in one.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use tokio::sync::mpsc;
use ydb_grpc::ydb_proto::{
    query::{NodeShutdownHint, SessionState, session_state::SessionHint},
    status_ids::StatusCode,
};

use crate::{
    clock::Clock,
    counters::Counts,
    failure::{Failure, Outcome},
    faults::Faults,
    locked,
    options::Options,
    plan::Parameters,
    run::{Run, Table, ddl, declared},
    store::{Store, transaction::Transaction},
    yql,
};

/// Transactions that one session may have open.
const MOST_TRANSACTIONS: usize = 10;
/// Sessions that one node may have.
const MOST_SESSIONS: usize = 1_000;
/// Bytes of a text.
const LONGEST_TEXT: usize = 10 * 1024;

#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) port: u16,
    pub(crate) leaving: AtomicBool,
    pub(crate) dead: AtomicBool,
}

#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) node: usize,
    /// The other end of the attach stream.
    pub(crate) attached: Option<mpsc::UnboundedSender<SessionState>>,
    pub(crate) busy: bool,
    pub(crate) transactions: BTreeMap<String, Transaction>,
}

#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) options: Options,
    pub(crate) nodes: Vec<Node>,
    pub(crate) store: Mutex<Store>,
    pub(crate) counts: Mutex<Counts>,
    pub(crate) sessions: Mutex<BTreeMap<String, Session>>,
    pub(crate) tokens: Mutex<BTreeSet<String>>,
    pub(crate) faults: Faults,
    pub(crate) clock: Clock,
    numbers: AtomicU64,
}

impl Server {
    pub(crate) fn new(options: Options, ports: &[u16]) -> Self {
        let node = |port: &u16| Node { port: *port, leaving: AtomicBool::new(false), dead: AtomicBool::new(false) };
        Self {
            nodes: ports.iter().map(node).collect(),
            store: Mutex::new(Store::new(&options.database)),
            counts: Mutex::default(),
            sessions: Mutex::default(),
            tokens: Mutex::new(options.token.iter().cloned().collect()),
            faults: Faults::default(),
            clock: Clock::new(options.now),
            numbers: AtomicU64::new(1),
            options,
        }
    }

    /// Certificates are made out to names.
    pub(crate) fn host(&self) -> &'static str {
        if self.options.tls.is_some() { "localhost" } else { "127.0.0.1" }
    }

    pub(crate) fn next_number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn is_protected(&self) -> bool {
        self.options.credentials.is_some() || self.options.token.is_some()
    }

    pub(crate) fn open_session(&self, node: usize) -> Outcome<String> {
        let open = locked(&self.sessions).values().filter(|session| session.node == node).count();
        if open >= MOST_SESSIONS {
            return Err(Failure::new(StatusCode::Overloaded, 0, "Active sessions limit exceeded"));
        }
        let id = format!("ydb://session/3?node_id={}&id={:032x}", node + 1, self.next_number());
        let session = Session { node, attached: None, busy: false, transactions: BTreeMap::new() };
        locked(&self.sessions).insert(id.clone(), session);
        locked(&self.counts).sessions += 1;
        Ok(id)
    }

    /// Ends a session and what it has open; whether there was one.
    pub(crate) fn close_session(&self, id: &str) -> bool {
        let Some(session) = locked(&self.sessions).remove(id) else { return false };
        for tx in session.transactions.into_values() {
            self.roll_back(tx);
        }
        true
    }

    pub(crate) fn drop_sessions(&self, node: Option<usize>) {
        let ids: Vec<_> = locked(&self.sessions)
            .iter()
            .filter(|(_, session)| node.is_none_or(|node| session.node == node))
            .map(|(id, _)| id.clone())
            .collect();
        ids.iter().for_each(|id| {
            self.close_session(id);
        });
    }

    /// Something with a session that lives at this node.
    pub(crate) fn with_session<T>(
        &self,
        id: &str,
        node: usize,
        work: impl FnOnce(&mut Session) -> Outcome<T>,
    ) -> Outcome<T> {
        match locked(&self.sessions).get_mut(id) {
            Some(session) if session.node == node => work(session),
            _ => Err(Failure::bad_session(id)),
        }
    }

    /// Takes a transaction out of its session.
    pub(crate) fn take_transaction(&self, session: &str, node: usize, id: &str) -> Outcome<Transaction> {
        self.with_session(session, node, |session| {
            session.transactions.remove(id).ok_or_else(|| Failure::no_transaction(id))
        })
    }

    /// Puts it (back) in; a session that has gone meanwhile takes its transaction along.
    pub(crate) fn keep_transaction(&self, session: &str, node: usize, tx: Transaction) -> Outcome<()> {
        let mut tx = Some(tx);
        let kept = self.with_session(session, node, |session| {
            if session.transactions.len() >= MOST_TRANSACTIONS {
                return Err(Failure::new(
                    StatusCode::BadSession,
                    2014,
                    "Exceeded maximum allowed number of active transactions",
                ));
            }
            if let Some(tx) = tx.take() {
                session.transactions.insert(tx.id.clone(), tx);
            }
            Ok(())
        });
        if let Some(tx) = tx {
            self.roll_back(tx);
        }
        kept
    }

    pub(crate) fn roll_back(&self, mut tx: Transaction) {
        locked(&self.store).end(&mut tx);
        locked(&self.counts).rolled_back += 1;
    }

    pub(crate) fn commit(&self, tx: Transaction) -> Outcome<()> {
        let outcome = locked(&self.store).commit(tx);
        let mut counts = locked(&self.counts);
        match &outcome {
            Ok(()) => counts.committed += 1,
            Err(failure) if failure.status == StatusCode::Aborted => counts.aborted += 1,
            Err(_) => counts.rolled_back += 1,
        }
        outcome
    }

    /// Runs a text. Without a transaction it is one of its own, or changes tables.
    pub(crate) fn execute(&self, text: &str, given: Parameters, tx: Option<&mut Transaction>) -> Outcome<Vec<Table>> {
        if text.len() > LONGEST_TEXT {
            return Err(Failure::bad_request(format!(
                "Query text size exceeds limit ({} > {LONGEST_TEXT})",
                text.len()
            )));
        }
        let script = yql::parse(text)?;
        let parameters = declared(&script, given)?;
        let now = self.clock.now();
        let mut store = locked(&self.store);
        store.sweep_if_due(now);
        if tx.is_none()
            && let Some(changes) = ddl(&script)?
        {
            for change in changes {
                locked(&self.counts).statements.entry("DDL".to_owned()).and_modify(|count| *count += 1).or_insert(1);
                store.alter(change)?;
            }
            return Ok(Vec::new());
        }
        let mut own = None;
        let tx = match tx {
            Some(tx) => tx,
            None => own.insert(Transaction::new(String::new(), crate::store::transaction::Mode::SerializableReadWrite)),
        };
        let mut counts = locked(&self.counts);
        let mut run = Run {
            store: &mut store,
            counts: &mut counts,
            options: &self.options,
            tx,
            parameters,
            named: BTreeMap::new(),
            now,
        };
        let results = run.script(&script);
        drop(counts);
        drop(store);
        match (own, results) {
            (None, results) => results,
            (Some(tx), Ok(results)) => self.commit(tx).map(|()| results),
            (Some(tx), Err(failure)) => {
                self.roll_back(tx);
                Err(failure)
            }
        }
    }

    pub(crate) fn shut_node_down(&self, node: usize) {
        let Some(leaving) = self.nodes.get(node) else { return };
        leaving.leaving.store(true, Ordering::Relaxed);
        for session in locked(&self.sessions).values().filter(|session| session.node == node) {
            if let Some(stream) = &session.attached {
                let hint = Some(SessionHint::NodeShutdown(NodeShutdownHint {}));
                let state = SessionState { status: StatusCode::Success as i32, issues: Vec::new(), session_hint: hint };
                // Whoever has gone needs no hint.
                drop(stream.send(state));
            }
        }
    }

    pub(crate) fn kill_node(&self, node: usize) {
        if let Some(gone) = self.nodes.get(node) {
            gone.dead.store(true, Ordering::Relaxed);
            self.drop_sessions(Some(node));
        }
    }

    pub(crate) fn revive_node(&self, node: usize) {
        if let Some(back) = self.nodes.get(node) {
            back.dead.store(false, Ordering::Relaxed);
            back.leaving.store(false, Ordering::Relaxed);
        }
    }
}
