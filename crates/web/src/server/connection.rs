//! One connection: its requests, and how it ends. Deliberately absent: how it came to be (`server.rs`).

use std::{convert::Infallible, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, HttpBody as _},
    response::Response,
};
use http::{HeaderValue, Request, Version, header};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::watch,
};
use tower::Service;

use super::{
    Phase, ServerOptions,
    activity::{Activity, BusyBody},
    draining::Draining,
    guarded_io::Guarded,
    low_priority::Priority,
};
use crate::{
    client_address::Peer,
    extensions::{BadFraming, LowPriority},
};

/// What the requests of one connection share.
#[derive(Clone)]
pub(super) struct Connection {
    peer: SocketAddr,
    router: Router,
    draining: Draining,
    activity: Arc<Activity>,
    priority: Arc<Priority>,
}

impl Connection {
    pub(super) fn new(peer: SocketAddr, router: Router, draining: Draining) -> Self {
        Self { peer, router, draining, activity: Arc::default(), priority: Arc::default() }
    }

    /// Which priority this connection has among the others.
    pub(super) fn priority(&self) -> Arc<Priority> {
        Arc::clone(&self.priority)
    }

    /// Serves until the connection ends or is told to.
    pub(super) async fn serve<T>(
        self,
        stream: T,
        protocol: &Builder<TokioExecutor>,
        options: &ServerOptions,
        mut phase: watch::Receiver<Phase>,
    ) where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let activity = Arc::clone(&self.activity);
        let stream = Guarded::new(stream, Arc::clone(&activity), options.header_timeout, options.write_timeout);
        let service = service_fn(move |request| self.clone().answer(request));
        let mut exchange = pin!(protocol.serve_connection(TokioIo::new(stream), service));
        let idle = tokio::select! {
            result = exchange.as_mut() => {
                if let Err(error) = result {
                    tracing::debug!(error, "a connection ended early");
                }
                return;
            }
            _ = phase.wait_for(|phase| *phase != Phase::Serving) => false,
            () = activity.http2_idle(options.idle_timeout) => true,
        };
        // A caller whose next request is under way meanwhile learns from GOAWAY whether it was read.
        exchange.as_mut().graceful_shutdown();
        tokio::select! {
            _ = exchange.as_mut() => {}
            _ = phase.wait_for(|phase| *phase == Phase::Aborting) => {}
            () = still_idle(&activity, options.header_timeout), if idle => {}
        }
    }

    async fn answer(mut self, mut request: Request<Incoming>) -> Result<Response, Infallible> {
        let version = request.version();
        let busy = self.activity.begin(version);
        request.extensions_mut().insert(Peer(self.peer));
        if version == Version::HTTP_11 && request.headers().get_all(header::HOST).iter().count() != 1 {
            request.extensions_mut().insert(BadFraming("send exactly one Host header"));
        }
        // Where a proxy in front reads Content-Length and hyper reads Transfer-Encoding, what follows such a request
        // could be somebody else's; so nothing may follow it (RFC 9112 section 6.1).
        let chunked = request.headers().contains_key(header::TRANSFER_ENCODING);
        let mut response = self.router.call(request.map(Body::new)).await?;
        self.priority.answered(response.extensions_mut().remove::<LowPriority>());
        // While draining, callers are sent elsewhere before accepting ends, so that none is refused a connection.
        if chunked || version != Version::HTTP_2 && self.draining.has_started() {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        if response.size_hint().exact().is_some() {
            return Ok(response);
        }
        // A stream keeps its connection busy until its last byte.
        Ok(response.map(|body| Body::new(BusyBody::new(body, busy))))
    }
}

/// After GOAWAY: as long as a head may take to arrive, and then whatever it began.
async fn still_idle(activity: &Activity, header_timeout: Duration) {
    tokio::time::sleep(header_timeout).await;
    activity.http2_idle(header_timeout).await;
}

#[cfg(test)]
mod tests {
    use axum::routing::{get, post};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

    use super::*;
    use crate::{RequestLayer, RequestOptions, RouteTraits};

    struct Zero;

    impl userd_model::Random for Zero {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0);
        }
    }

    async fn ask(stream: &mut DuplexStream, line: &str) -> String {
        stream.write_all(format!("{line} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await.unwrap();
        let mut answer = vec![0; 8192];
        let length = stream.read(&mut answer).await.unwrap();
        String::from_utf8(answer[..length].to_vec()).unwrap()
    }

    #[tokio::test]
    async fn the_last_answer_decides_about_a_connections_priority() {
        let route = |path, hashes| RouteTraits { path, hashes, ..RouteTraits::default() };
        let routes = [route("/light", false), route("/hashes", true)];
        let layer = RequestLayer::new(&RequestOptions::new("http://x".parse().unwrap()), routes, &Zero);
        let router = Router::new()
            .route("/light", get(|| async {}))
            .route("/hashes", post(|| async { http::StatusCode::SERVICE_UNAVAILABLE }))
            .layer(layer);
        let connection = Connection::new(([127, 0, 0, 1], 1).into(), router, Draining::default());
        let priority = connection.priority();
        let (mut client, server) = tokio::io::duplex(64 * 1024);
        let (_phase, serving) = watch::channel(Phase::Serving);
        tokio::spawn(async move {
            let options = ServerOptions::default();
            connection.serve(server, &super::super::protocol(&options), &options, serving).await;
        });

        assert!(!priority.is_normal(), "nobody has answered it yet");
        for _ in 0..2 {
            assert!(ask(&mut client, "GET /light").await.starts_with("HTTP/1.1 200"));
            assert!(priority.is_normal());
            assert!(ask(&mut client, "POST /hashes").await.starts_with("HTTP/1.1 503"));
            assert!(!priority.is_normal(), "also when it was turned away");
        }
    }
}
