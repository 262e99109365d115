//! A byte stream that gives up on callers who take their time: headers that trickle, answers that nobody reads.
//! hyper has one timer for idle connections and slow headers, and none before it knows the protocol; these differ.

use std::{
    future::Future,
    io::{self, IoSlice},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::body::{Body, Bytes, HttpBody};
use http::Version;
use hyper::body::{Frame, SizeHint};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

/// What a connection is doing, told by its service to its stream.
#[derive(Debug, Default)]
pub(super) struct Activity {
    begun: AtomicU64,
    ended: AtomicU64,
    http2: AtomicBool,
}

/// A request in flight.
#[derive(Debug)]
pub(super) struct Busy(Arc<Activity>);

impl Activity {
    pub(super) fn begin(self: &Arc<Self>, version: Version) -> Busy {
        if version == Version::HTTP_2 {
            self.http2.store(true, Ordering::Relaxed);
        }
        self.begun.fetch_add(1, Ordering::Relaxed);
        Busy(Arc::clone(self))
    }

    /// The number of requests so far, if the next bytes must be the head of another one. HTTP/2 has its own bounds.
    fn awaits_head(&self) -> Option<u64> {
        let begun = self.begun.load(Ordering::Relaxed);
        let waiting = begun == self.ended.load(Ordering::Relaxed) && !self.http2.load(Ordering::Relaxed);
        waiting.then_some(begun)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Ordering::Relaxed);
    }
}

/// A body that keeps its connection busy.
pub(super) struct BusyBody {
    body: Body,
    _busy: Busy,
}

impl BusyBody {
    pub(super) fn new(body: Body, busy: Busy) -> Self {
        Self { body, _busy: busy }
    }
}

impl HttpBody for BusyBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The stream with its two clocks.
pub(super) struct Guarded<T> {
    stream: T,
    activity: Arc<Activity>,
    header_timeout: Duration,
    write_timeout: Duration,
    /// Runs while a head is incomplete; the number tells which head.
    head: Option<(u64, Pin<Box<Sleep>>)>,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<T> Guarded<T> {
    pub(super) fn new(stream: T, activity: Arc<Activity>, header_timeout: Duration, write_timeout: Duration) -> Self {
        // The first head is awaited from the start.
        let head = Some((0, Box::pin(sleep(header_timeout))));
        Self { stream, activity, header_timeout, write_timeout, head, stalled: None }
    }

    /// Keeps the head clock in step; an error when it has run out.
    fn watch_head(&mut self, context: &mut Context<'_>, got_bytes: bool) -> io::Result<()> {
        let Some(current) = self.activity.awaits_head() else {
            self.head = None;
            return Ok(());
        };
        if self.head.as_ref().is_some_and(|(of, _)| *of != current) {
            self.head = None;
        }
        if got_bytes && self.head.is_none() {
            self.head = Some((current, Box::pin(sleep(self.header_timeout))));
        }
        let Some((_, clock)) = &mut self.head else { return Ok(()) };
        if clock.as_mut().poll(context).is_ready() { Err(too_slow("the request head")) } else { Ok(()) }
    }

    fn watch_writing<R>(&mut self, context: &mut Context<'_>, result: Poll<io::Result<R>>) -> Poll<io::Result<R>> {
        if result.is_ready() {
            self.stalled = None;
            return result;
        }
        let timeout = self.write_timeout;
        let clock = self.stalled.get_or_insert_with(|| Box::pin(sleep(timeout)));
        match clock.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(too_slow("the reader"))),
            Poll::Pending => Poll::Pending,
        }
    }
}

fn too_slow(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, format!("{what} is too slow"))
}

impl<T: AsyncRead + Unpin> AsyncRead for Guarded<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let result = Pin::new(&mut self.stream).poll_read(context, buffer);
        let got_bytes = buffer.filled().len() > before;
        match self.watch_head(context, got_bytes) {
            Ok(()) => result,
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Guarded<T> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watch_writing(context, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.watch_writing(context, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_flush(context);
        self.watch_writing(context, result)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_shutdown(context);
        self.watch_writing(context, result)
    }
}
