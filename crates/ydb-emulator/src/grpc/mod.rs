//! The services, on a port for every node.

mod auth;
mod describe;
mod discovery;
mod query;
mod results;
mod scheme;
mod table;
mod tls;

use std::{
    io,
    net::Ipv4Addr,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::{net::TcpListener, task::JoinHandle};
use tokio_rustls::TlsAcceptor;
use tonic::{Code, Request, Status};
use ydb_grpc::{
    google_proto_workaround::protobuf::Any,
    ydb_proto::{operations::Operation, status_ids::StatusCode},
};

use crate::{
    failure::{Failure, Outcome},
    faults::{Act, Phase},
    locked,
    options::Options,
    sessions::Server,
    stubs,
};

/// The largest message, as the server has it.
const LARGEST_MESSAGE: usize = 64 << 20;

/// One node: what every service has.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) server: Arc<Server>,
    pub(crate) number: usize,
}

/// What a scripted fault does to a call.
pub(crate) enum Verdict {
    Work,
    /// The work is done, the answer is another one.
    WorkThen(Answer),
    Instead(Answer),
}

#[derive(Clone, Debug)]
pub(crate) enum Answer {
    Refusal(Failure),
    Transport(Status),
    /// The stream breaks off after its first part.
    Cut,
}

impl Answer {
    /// For calls without a stream.
    pub(crate) fn into_refusal(self) -> Result<Failure, Status> {
        match self {
            Self::Refusal(failure) => Ok(failure),
            Self::Transport(status) => Err(status),
            Self::Cut => Err(broken()),
        }
    }
}

pub(crate) fn broken() -> Status {
    Status::new(Code::Unavailable, "connection reset by the emulator's script")
}

pub(crate) async fn start(options: Options) -> io::Result<(Arc<Server>, Vec<JoinHandle<()>>)> {
    let mut listeners = Vec::new();
    for node in 0..options.nodes.clamp(1, 3) {
        let port = if node == 0 { options.port } else { 0 };
        listeners.push(TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?);
    }
    let ports: Vec<_> =
        listeners.iter().map(|listener| Ok(listener.local_addr()?.port())).collect::<io::Result<_>>()?;
    let acceptor = options.tls.as_ref().map(tls::acceptor).transpose()?;
    let server = Arc::new(Server::new(options, &ports));
    let tasks = listeners
        .into_iter()
        .enumerate()
        .map(|(number, listener)| {
            let node = Node { server: Arc::clone(&server), number };
            tokio::spawn(serve(node, listener, acceptor.clone()))
        })
        .collect();
    Ok((server, tasks))
}

async fn serve(node: Node, listener: TcpListener, acceptor: Option<TlsAcceptor>) {
    use stubs::{
        auth::auth_service_server::AuthServiceServer, discovery::discovery_service_server::DiscoveryServiceServer,
        query::query_service_server::QueryServiceServer, scheme::scheme_service_server::SchemeServiceServer,
        table::table_service_server::TableServiceServer,
    };
    let queries = QueryServiceServer::new(node.clone())
        .max_decoding_message_size(LARGEST_MESSAGE)
        .max_encoding_message_size(LARGEST_MESSAGE);
    let router = tonic::transport::Server::builder()
        .add_service(queries)
        .add_service(DiscoveryServiceServer::new(node.clone()))
        .add_service(AuthServiceServer::new(node.clone()))
        .add_service(SchemeServiceServer::new(node.clone()))
        .add_service(TableServiceServer::new(node));
    // It ends with the emulator; then nobody is left to be told.
    drop(router.serve_with_incoming(tls::connections(listener, acceptor)).await);
}

impl Node {
    /// Every call begins here: counted, and refused without a token or by a node that is gone.
    pub(crate) fn enter<T>(&self, name: &str, request: Request<T>) -> Result<T, Status> {
        *locked(&self.server.counts).rpcs.entry(name.to_owned()).or_default() += 1;
        let dead = self.server.nodes.get(self.number).is_none_or(|node| node.dead.load(Ordering::Relaxed));
        if dead {
            return Err(Status::unavailable("the node is gone"));
        }
        let token = request.metadata().get("x-ydb-auth-ticket").and_then(|token| token.to_str().ok());
        let known = token.is_some_and(|token| locked(&self.server.tokens).contains(token));
        if self.server.is_protected() && !known && name != "Auth/Login" {
            return Err(Status::unauthenticated("Access denied without user token"));
        }
        Ok(request.into_inner())
    }

    /// What the script of faults says to a call.
    pub(crate) async fn verdict(&self, phase: Phase, text: &str) -> Verdict {
        let Some(act) = self.server.faults.take(phase, text) else { return Verdict::Work };
        let (answer, applied) = match act {
            Act::Delay(length) => {
                pause(length).await;
                return Verdict::Work;
            }
            Act::Status { code, applied } => (Answer::Refusal(scripted(code)), applied),
            Act::Grpc { code, applied } => {
                (Answer::Transport(Status::new(code, "an error by the emulator's script")), applied)
            }
            Act::Cut { applied } => (Answer::Cut, applied),
        };
        if applied { Verdict::WorkThen(answer) } else { Verdict::Instead(answer) }
    }

    /// A call without a stream: the script first, then the work.
    pub(crate) async fn scripted<T>(
        &self,
        phase: Phase,
        work: impl FnOnce() -> Outcome<T>,
    ) -> Result<Outcome<T>, Status> {
        Ok(match self.verdict(phase, "").await {
            Verdict::Work => work(),
            Verdict::WorkThen(answer) => {
                // Whether it succeeds is what the caller is not to know.
                drop(work());
                Err(answer.into_refusal()?)
            }
            Verdict::Instead(answer) => Err(answer.into_refusal()?),
        })
    }
}

async fn pause(length: Duration) {
    tokio::time::sleep(length).await;
}

fn scripted(code: StatusCode) -> Failure {
    let issue = if code == StatusCode::Aborted { crate::failure::issue::LOCKS_INVALIDATED } else { 0 };
    Failure::new(code, issue, format!("{} by the emulator's script", code.as_str_name()))
}

/// The envelope of calls that are operations.
pub(crate) fn operation<T: prost::Message>(name: &str, outcome: Outcome<T>) -> Option<Operation> {
    let mut operation = Operation { ready: true, ..Default::default() };
    match outcome {
        Ok(result) => {
            operation.status = StatusCode::Success as i32;
            operation.result =
                Some(Any { type_url: format!("type.googleapis.com/Ydb.{name}"), value: result.encode_to_vec() });
        }
        Err(failure) => {
            operation.status = failure.status as i32;
            operation.issues = failure.issues();
        }
    }
    Some(operation)
}
