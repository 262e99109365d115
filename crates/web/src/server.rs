//! The accept loop: connections in, bounded in number, size and time; out in peace when the process stops.
//! Our own, because `axum::serve` sets no timer: header timeouts would not work there (slowloris), and a stuck
//! connection could hold the stop forever. Deliberately absent: everything about a single request (`request_layer.rs`).

mod activity;
mod admission;
mod connection;
mod draining;
mod guarded_io;
mod http2_heads;
mod low_priority;
pub mod tls;

use std::{future::Future, io, net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use hyper_util::{
    rt::{TokioExecutor, TokioTimer},
    server::conn::auto::Builder,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
};
use tokio_rustls::server::TlsStream;

pub use self::draining::Draining;
use self::{
    admission::{Admission, Place, Refused},
    connection::Connection,
    low_priority::LowPriorityQueue,
};

/// The bounds of the accept loop.
#[derive(Clone)]
pub struct ServerOptions {
    /// From the first byte of a request to the end of its headers, and from the connection to its first request.
    pub header_timeout: Duration,
    /// How long a connection may wait for its next request. Over HTTP/2 that is while no stream makes progress:
    /// PING, SETTINGS and the like are no use of it.
    pub idle_timeout: Duration,
    /// How long an answer may wait for a caller who does not read.
    pub write_timeout: Duration,
    /// All headers and the request line together, in bytes; more is 431. At least 8192.
    pub max_header_bytes: u32,
    /// Header fields; more is 431.
    pub max_headers: usize,
    /// Open connections; more wait in the kernel's queue. An idle one costs some 16 KiB.
    pub max_connections: usize,
    /// Open connections of one address; more are closed at once. `None` behind a proxy, which is one address.
    pub max_connections_per_address: Option<usize>,
    /// Serve TLS; see [`tls::from_files`].
    pub tls: Option<tls::ServerTls>,
    /// How long a TLS handshake may take.
    pub tls_handshake_timeout: Duration,
    /// Between `/readyz` turning 503 and the end of accepting: as long as balancers need to notice.
    pub drain_delay: Duration,
    /// How long requests in flight may take after that.
    pub drain_deadline: Duration,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(75),
            write_timeout: Duration::from_secs(30),
            max_header_bytes: 32 * 1024,
            max_headers: 100,
            max_connections: 20_000,
            max_connections_per_address: Some(15_000),
            tls: None,
            tls_handshake_timeout: Duration::from_secs(10),
            drain_delay: Duration::ZERO,
            drain_deadline: Duration::from_secs(10),
        }
    }
}

/// What the loop did in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Served {
    /// Connections accepted.
    pub accepted: u64,
    /// Connections closed at once, because their address had too many.
    pub refused: u64,
    /// Connections cut off at the drain deadline.
    pub aborted: usize,
}

/// What connections are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Serving,
    /// Finish what is in flight and close.
    Draining,
    /// Close now.
    Aborting,
}

/// Serves `router` on `listener` until `shutdown` ends, then drains: readiness goes first, then accepting stops,
/// requests in flight finish (`Connection: close`, GOAWAY), and after the drain deadline the rest is cut off.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    options: ServerOptions,
    draining: Draining,
    shutdown: impl Future<Output = ()>,
) -> Served {
    let (phase, _) = watch::channel(Phase::Serving);
    let queue = Arc::<LowPriorityQueue>::default();
    let scheduler = tokio::spawn(Arc::clone(&queue).run());
    let mut host = Host {
        admission: Admission::new(options.max_connections, options.max_connections_per_address),
        queue,
        protocol: Arc::new(protocol(&options)),
        served: Served::default(),
        router,
        draining: draining.clone(),
        options: Arc::new(options),
    };
    let (drain_delay, drain_deadline) = (host.options.drain_delay, host.options.drain_deadline);
    let stop = async {
        shutdown.await;
        draining.start();
        tracing::info!("draining");
        tokio::select! {
            () = tokio::time::sleep(drain_delay) => {}
            () = draining.is_in_a_hurry() => {}
        }
    };
    tokio::select! {
        biased;
        () = stop => {}
        () = host.accept(&listener, &phase) => {}
    }
    drop(listener);
    phase.send_replace(Phase::Draining);
    let too_late = async {
        tokio::select! {
            () = tokio::time::sleep(drain_deadline) => {}
            () = draining.is_in_a_hurry() => {}
        }
    };
    let finished = tokio::select! {
        () = phase.closed() => true,
        () = too_late => false,
    };
    if !finished {
        host.served.aborted = phase.receiver_count();
        tracing::warn!(connections = host.served.aborted, "cutting off what did not finish in time");
        phase.send_replace(Phase::Aborting);
        phase.closed().await;
    }
    scheduler.abort();
    host.served
}

struct Host {
    admission: Admission,
    queue: Arc<LowPriorityQueue>,
    protocol: Arc<Builder<TokioExecutor>>,
    served: Served,
    router: Router,
    draining: Draining,
    options: Arc<ServerOptions>,
}

impl Host {
    /// Accepts for ever.
    async fn accept(&mut self, listener: &TcpListener, phase: &watch::Sender<Phase>) {
        loop {
            let Some(slot) = self.admission.slot().await else { return };
            let (stream, peer) = match listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    self.pause_after(&error).await;
                    continue;
                }
            };
            self.served.accepted += 1;
            match self.admission.enter(peer.ip().to_canonical(), slot) {
                Some(place) => self.spawn(stream, peer, phase.subscribe(), place),
                None => self.served.refused += 1,
            }
        }
    }

    /// A caller who gave up is nothing; a process without descriptors needs a moment.
    async fn pause_after(&mut self, error: &io::Error) {
        use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
        if !matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
            self.admission.not_accepted(error);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn spawn(&self, stream: TcpStream, peer: SocketAddr, phase: watch::Receiver<Phase>, held: Place) {
        let (protocol, options) = (Arc::clone(&self.protocol), Arc::clone(&self.options));
        let connection = Connection::new(peer, self.router.clone(), self.draining.clone());
        // Small answers should leave at once; where this fails they only leave a little later.
        let _ = stream.set_nodelay(true);
        // Two tasks and not one with a branch: a task is as large as its largest branch, and there are many.
        let (queue, priority) = (Arc::clone(&self.queue), connection.priority());
        match options.tls.as_ref().map(tls::ServerTls::current) {
            None => tokio::spawn(queue.schedule(priority, async move {
                let _held_until_the_end = held;
                connection.serve(stream, &protocol, &options, phase).await;
            })),
            Some(tls) => tokio::spawn(queue.schedule(priority, async move {
                let _held_until_the_end = held;
                match handshake(tls, stream, options.tls_handshake_timeout, phase.clone()).await {
                    Ok(stream) => connection.serve(stream, &protocol, &options, phase).await,
                    Err(error) => {
                        Refused::Tls.count();
                        tracing::debug!(%error, "a TLS handshake failed");
                    }
                }
            })),
        };
    }
}

/// Ends with the handshake, its timeout, or the beginning of the drain, whichever is first.
async fn handshake(
    tls: Arc<rustls::ServerConfig>,
    stream: TcpStream,
    time: Duration,
    mut phase: watch::Receiver<Phase>,
) -> io::Result<TlsStream<TcpStream>> {
    tokio::select! {
        result = tokio::time::timeout(time, tokio_rustls::TlsAcceptor::from(tls).accept(stream)) => result?,
        _ = phase.wait_for(|phase| *phase != Phase::Serving) => Err(io::ErrorKind::ConnectionAborted.into()),
    }
}

fn protocol(options: &ServerOptions) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        // hyper counts idle time too; the time of the headers themselves is watched by `Guarded`.
        .header_read_timeout(options.idle_timeout)
        .max_headers(options.max_headers)
        .max_buf_size(usize::try_from(options.max_header_bytes).unwrap_or(usize::MAX).max(8192));
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(20))
        .max_concurrent_streams(200)
        .max_header_list_size(options.max_header_bytes)
        .max_pending_accept_reset_streams(20)
        .max_local_error_reset_streams(64)
        .initial_stream_window_size(64 * 1024)
        .initial_connection_window_size(1024 * 1024)
        .max_send_buf_size(64 * 1024);
    builder
}
