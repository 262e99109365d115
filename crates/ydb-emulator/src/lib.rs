//! A server with YDB's rules over memory: real gRPC on the real protos, for tests and for trying by hand.
//!
//! It is never shipped, and what it says is our reading of YDB's documents and tests, not YDB. `docs/decisions/0036` says
//! what that is worth.

mod clock;
mod counters;
mod failure;
mod faults;
mod grpc;
mod literal;
mod options;
mod plan;
mod run;
mod sessions;
mod store;
mod stubs;
mod value;
mod yql;

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

pub use counters::{Counts, Split, Spread, markdown};
pub use failure::{Failure, issue};
pub use faults::{Act, Fault, Faults, Phase};
pub use options::{Moment, Options, Tls};
pub use tonic::Code;
pub use ydb_grpc::ydb_proto::status_ids::StatusCode;

use sessions::Server;

/// A running emulator; it stops when it is dropped.
#[derive(Debug)]
pub struct Emulator {
    server: Arc<Server>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Emulator {
    /// Starts one on 127.0.0.1.
    ///
    /// # Errors
    /// When the port cannot be had.
    pub async fn start(options: Options) -> io::Result<Self> {
        let (server, tasks) = grpc::start(options).await?;
        Ok(Self { server, tasks })
    }

    /// Where clients connect: `grpc://127.0.0.1:port/local`.
    #[must_use]
    pub fn connection_string(&self) -> String {
        let scheme = if self.server.options.tls.is_some() { "grpcs" } else { "grpc" };
        format!("{scheme}://{}{}", self.endpoint(), self.server.options.database)
    }

    /// The first node's `host:port`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("{}:{}", self.server.host(), self.server.nodes.first().map_or(0, |node| node.port))
    }

    /// Runs a text outside of any transaction, as somebody at the console would: no client, no call, no fault.
    ///
    /// # Errors
    /// What the server would refuse it with.
    pub fn run(&self, text: &str) -> Result<(), Failure> {
        self.server.execute(text, plan::Parameters::new(), None).map(drop)
    }

    /// The script of faults.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.server.faults
    }

    /// What was asked so far.
    #[must_use]
    pub fn counters(&self) -> Counts {
        locked(&self.server.counts).clone()
    }

    /// Counts from zero again, the touches of keys too.
    pub fn reset_counters(&self) {
        *locked(&self.server.counts) = Counts::default();
        for table in locked(&self.server.store).tables.values_mut() {
            table.rows.load.reset();
            table.indexes.iter_mut().for_each(|index| index.load.reset());
        }
    }

    /// How writes and locks spread over the keys of every table and index.
    #[must_use]
    pub fn spread(&self, split: Split) -> Vec<Spread> {
        let store = locked(&self.server.store);
        let mut found = Vec::new();
        for (path, table) in &store.tables {
            let schema = &table.schema;
            let names = |columns: &[usize]| {
                columns.iter().filter_map(|at| schema.columns.get(*at)).map(|column| column.name.clone()).collect()
            };
            found.push(table.rows.load.spread(path, None, names(&schema.key), split));
            for (shape, space) in schema.indexes.iter().zip(&table.indexes) {
                let key = names(&schema.index_key(shape));
                found.push(space.load.spread(path, Some(&shape.name), key, split));
            }
        }
        found
    }

    /// Sessions that are open now.
    #[must_use]
    pub fn open_sessions(&self) -> usize {
        locked(&self.server.sessions).len()
    }

    /// Sets the clock, in microseconds since 1970.
    pub fn set_now(&self, now: u64) {
        self.server.clock.set(now);
    }

    /// Moves the clock; from then on it stands still between calls.
    pub fn advance(&self, by: Duration) {
        self.server.clock.advance(by);
    }

    /// Removes rows past their time, as the server does about once an hour; how many.
    #[must_use]
    pub fn sweep(&self) -> usize {
        locked(&self.server.store).sweep(self.server.clock.now())
    }

    /// A node says that it is about to stop: sessions get a hint, discovery no longer names it, no new session there.
    pub fn shut_node_down(&self, node: usize) {
        self.server.shut_node_down(node);
    }

    /// A node is gone: its sessions too, and whoever calls it hears UNAVAILABLE.
    pub fn kill_node(&self, node: usize) {
        self.server.kill_node(node);
    }

    /// A node is there again.
    pub fn revive_node(&self, node: usize) {
        self.server.revive_node(node);
    }

    /// From now on this token is accepted, and none of before.
    pub fn accept_only(&self, token: &str) {
        *locked(&self.server.tokens) = [token.to_owned()].into();
    }

    /// Ends all sessions, as the server may at any time.
    pub fn drop_sessions(&self) {
        self.server.drop_sessions(None);
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.tasks.iter().for_each(tokio::task::JoinHandle::abort);
        // Whoever is still connected hears that nobody is there.
        (0..self.server.nodes.len()).for_each(|node| self.server.kill_node(node));
    }
}

/// A lock, whoever panicked with it before.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
