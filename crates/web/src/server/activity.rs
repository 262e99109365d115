//! What a connection is doing, told by its requests and answers to its clocks. Deliberately absent: the clocks of bytes
//! (`guarded_io.rs`).

use std::{
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
use tokio::time::Instant;

/// What a connection is doing.
#[derive(Debug)]
pub(super) struct Activity {
    begun: AtomicU64,
    ended: AtomicU64,
    http2: AtomicBool,
    since: Instant,
    /// When something ended, in milliseconds since then.
    last: AtomicU64,
}

impl Default for Activity {
    fn default() -> Self {
        Self {
            begun: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            http2: AtomicBool::new(false),
            since: Instant::now(),
            last: AtomicU64::new(0),
        }
    }
}

/// A request in flight.
#[derive(Debug)]
pub(super) struct Busy {
    activity: Arc<Activity>,
    http2: bool,
    /// False while the next move is the reader's.
    ours: bool,
}

impl Activity {
    pub(super) fn begin(self: &Arc<Self>, version: Version) -> Busy {
        let http2 = version == Version::HTTP_2;
        if http2 {
            self.http2.store(true, Ordering::Relaxed);
        }
        self.begun.fetch_add(1, Ordering::Relaxed);
        Busy { activity: Arc::clone(self), http2, ours: true }
    }

    fn is_waiting(&self) -> bool {
        self.begun.load(Ordering::Relaxed) == self.ended.load(Ordering::Acquire)
    }

    /// The number of requests so far, if the next bytes must be the head of another one. The heads of HTTP/2 come
    /// beside what is under way (`Http2Heads`).
    pub(super) fn awaits_head(&self) -> Option<u64> {
        let waiting = self.is_waiting() && !self.http2.load(Ordering::Relaxed);
        waiting.then(|| self.begun.load(Ordering::Relaxed))
    }

    /// Ends when the connection speaks HTTP/2 and has done nothing for this long. hyper does this for HTTP/1.
    pub(super) async fn http2_idle(&self, limit: Duration) {
        loop {
            let left = if self.http2.load(Ordering::Relaxed) && self.is_waiting() {
                let last = Duration::from_millis(self.last.load(Ordering::Relaxed));
                limit.saturating_sub(self.since.elapsed().saturating_sub(last))
            } else {
                limit
            };
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left).await;
        }
    }

    fn end_one(&self) {
        let now = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.fetch_max(now, Ordering::Relaxed);
        self.ended.fetch_add(1, Ordering::Release);
    }
}

impl Busy {
    /// A frame of HTTP/2 is offered: its reader decides when the next is wanted, and may do so never.
    fn wait_for_reader(&mut self) {
        if self.http2 && self.ours {
            self.ours = false;
            self.activity.end_one();
        }
    }

    fn go_on(&mut self) {
        if !self.ours {
            self.ours = true;
            self.activity.begun.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        if self.ours {
            self.activity.end_one();
        }
    }
}

/// A body that keeps its connection busy.
pub(super) struct BusyBody {
    body: Body,
    busy: Busy,
}

impl BusyBody {
    pub(super) fn new(body: Body, busy: Busy) -> Self {
        Self { body, busy }
    }
}

impl HttpBody for BusyBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.busy.go_on();
        let frame = Pin::new(&mut self.body).poll_frame(context);
        if frame.is_ready() {
            self.busy.wait_for_reader();
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
