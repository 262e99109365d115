//! One connection: its requests, and how it ends. Deliberately absent: how it came to be (`server.rs`).

use std::{convert::Infallible, net::SocketAddr, pin::pin, sync::Arc};

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
    guarded_io::{Activity, BusyBody, Guarded},
    lane::{GivesWay, Standing},
};
use crate::{api::Draining, client_address::Peer};

/// What the requests of one connection share.
#[derive(Clone)]
pub(super) struct Connection {
    peer: SocketAddr,
    router: Router,
    draining: Draining,
    activity: Arc<Activity>,
    standing: Arc<Standing>,
}

impl Connection {
    pub(super) fn new(peer: SocketAddr, router: Router, draining: Draining) -> Self {
        Self { peer, router, draining, activity: Arc::default(), standing: Arc::default() }
    }

    /// How this connection stands with the others.
    pub(super) fn standing(&self) -> Arc<Standing> {
        Arc::clone(&self.standing)
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
        let stream = Guarded::new(stream, activity, options.header_timeout, options.write_timeout);
        let service = service_fn(move |request| self.clone().answer(request));
        let mut exchange = pin!(protocol.serve_connection(TokioIo::new(stream), service));
        tokio::select! {
            result = exchange.as_mut() => {
                if let Err(error) = result {
                    tracing::debug!(error, "a connection ended early");
                }
                return;
            }
            _ = phase.wait_for(|phase| *phase != Phase::Serving) => {}
        }
        exchange.as_mut().graceful_shutdown();
        tokio::select! {
            _ = exchange.as_mut() => {}
            _ = phase.wait_for(|phase| *phase == Phase::Aborting) => {}
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
        self.standing.answered(response.extensions_mut().remove::<GivesWay>());
        // While draining, callers are sent elsewhere before accepting ends, so that none meets a closed door.
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

/// Marks a request whose host two readers could see differently (RFC 9112 section 3.2); the middleware answers it
/// with 400.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BadFraming(pub(crate) &'static str);
