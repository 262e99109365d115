//! A byte stream that gives up on callers who take their time: headers that trickle, answers that nobody reads.
//! hyper has one timer for idle connections and slow headers, and none before it knows the protocol; these differ.

use std::{
    future::Future,
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

use super::{activity::Activity, http2_heads::Http2Heads};

/// Which head is awaited, by its number.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Head {
    /// The one before the next request: of HTTP/1, or the first of a connection.
    Next(u64),
    /// A header block of HTTP/2 that has begun, whatever else is under way.
    Block(u64),
}

/// The stream with its two clocks.
pub(super) struct Guarded<T> {
    stream: T,
    activity: Arc<Activity>,
    header_timeout: Duration,
    write_timeout: Duration,
    heads: Http2Heads,
    /// Runs while a head is incomplete.
    head: Option<(Head, Pin<Box<Sleep>>)>,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<T> Guarded<T> {
    pub(super) fn new(stream: T, activity: Arc<Activity>, header_timeout: Duration, write_timeout: Duration) -> Self {
        // The first head is awaited from the start.
        let head = Some((Head::Next(0), Box::pin(sleep(header_timeout))));
        Self { stream, activity, header_timeout, write_timeout, heads: Http2Heads::default(), head, stalled: None }
    }

    /// Keeps the head clock in step; an error when it has run out.
    fn watch_head(&mut self, context: &mut Context<'_>, got_bytes: bool) -> io::Result<()> {
        let next = self.activity.awaits_head().map(Head::Next);
        let Some(current) = next.or_else(|| self.heads.unfinished().map(Head::Block)) else {
            self.head = None;
            return Ok(());
        };
        if self.head.as_ref().is_some_and(|(of, _)| *of != current) {
            self.head = None;
        }
        let has_begun = got_bytes || matches!(current, Head::Block(_));
        if has_begun && self.head.is_none() {
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
        let new = buffer.filled().get(before..).unwrap_or_default();
        let got_bytes = !new.is_empty();
        self.heads.read(new);
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
