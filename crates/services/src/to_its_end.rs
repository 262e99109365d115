//! Work that ends once it has begun, also when whoever waits for it goes away: a caller who hangs up must not keep a commit
//! from having its consequences. As long as somebody waits it goes on in their place, so nothing is handed about for it.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use tokio::runtime::Handle;
use tracing::Instrument as _;

/// See the module. Empty once it has ended.
pub(crate) struct ToItsEnd<T: Send + 'static>(Option<Work<T>>);

type Work<T> = Pin<Box<dyn Future<Output = T> + Send>>;

impl<T: Send + 'static> ToItsEnd<T> {
    pub(crate) fn of(work: impl Future<Output = T> + Send + 'static) -> Self {
        Self(Some(Box::pin(work)))
    }
}

impl<T: Send + 'static> Future for ToItsEnd<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        // Taken out meanwhile: work that panics is over, and is not begun again where nobody waits.
        let Some(mut work) = self.0.take() else { return Poll::Pending };
        let polled = work.as_mut().poll(context);
        if polled.is_pending() {
            self.0 = Some(work);
        }
        polled
    }
}

impl<T: Send + 'static> Drop for ToItsEnd<T> {
    fn drop(&mut self) {
        // Outside of a runtime the process is at its end, and this is as if it had died.
        if let (Some(work), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn(work.in_current_span());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_util::FutureExt as _;
    use tokio::sync::{Notify, oneshot};

    use super::*;

    #[tokio::test]
    async fn work_goes_on_when_nobody_waits_for_it() {
        let (go, (done, ended)) = (Arc::new(Notify::new()), oneshot::channel());
        let gone = Arc::clone(&go);
        let mut work = ToItsEnd::of(async move {
            gone.notified().await;
            done.send("done").unwrap();
        });
        assert_eq!((&mut work).now_or_never(), None);
        drop(work);
        go.notify_one();
        assert_eq!(ended.await, Ok("done"));
    }

    #[tokio::test]
    async fn what_such_work_leaves_to_be_done_is_done_too() {
        let (done, ended) = oneshot::channel();
        drop(ToItsEnd::of(async move { Some(ToItsEnd::of(async move { done.send(()).unwrap() })) }));
        assert_eq!(ended.await, Ok(()));
    }

    #[tokio::test]
    async fn work_that_panics_is_over() {
        let mut work = ToItsEnd::<()>::of(async { panic!("on purpose") });
        let panicked = std::panic::AssertUnwindSafe(&mut work).catch_unwind().await;
        assert!(panicked.is_err() && work.0.is_none());
    }
}
