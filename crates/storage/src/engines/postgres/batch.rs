//! Several statements under way on one connection: all are sent, in their order, before the first answer is waited for.
//! The server works them off in that order, so a batch costs one round trip. Deliberately absent: transactions.

use std::{future::poll_fn, pin::Pin, task::Poll};

use futures_util::future::{BoxFuture, FutureExt, MaybeDone, maybe_done};
use tokio_postgres::{Client, Error, Statement};

use super::connect::query;
use crate::{Rows, StoreError, engine::Call};

/// What a statement came to; the inner error is about the rows, not about the way to them.
pub(super) type Answer = Result<Result<Rows, StoreError>, Error>;

/// Statements that have been sent.
pub(super) struct Batch<'a>(Vec<MaybeDone<BoxFuture<'a, Answer>>>);

impl<'a> Batch<'a> {
    /// Sends `calls` with what was prepared for each.
    pub(super) async fn send(client: &'a Client, calls: &'a [Call<'a>], prepared: &'a [Option<Statement>]) -> Self {
        let requests = calls.iter().zip(prepared);
        let mut batch = Self(
            requests
                .map(|(call, prepared)| {
                    maybe_done(query(client, call.statement, prepared.as_ref(), call.values).boxed())
                })
                .collect(),
        );
        // The driver sends a request when it is first polled; so the order of polling is the order on the wire.
        poll_fn(|context| {
            for request in &mut batch.0 {
                let _sent = Pin::new(request).poll(context);
            }
            Poll::Ready(())
        })
        .await;
        batch
    }

    /// Whether one of them could not even be sent: a value that does not fit, or a connection that is gone.
    pub(super) fn is_broken(&self) -> bool {
        self.0.iter().any(|request| matches!(request, MaybeDone::Done(Err(_))))
    }

    /// The answers, in the order of the calls.
    pub(super) async fn answers(self) -> Vec<Answer> {
        let mut answers = Vec::with_capacity(self.0.len());
        for mut request in self.0 {
            Pin::new(&mut request).await;
            answers.extend(Pin::new(&mut request).take_output());
        }
        answers
    }
}

/// The same without sending ahead, for poolers that cannot take it: stops at the first failure.
pub(super) async fn one_by_one(client: &Client, calls: &[Call<'_>], prepared: &[Option<Statement>]) -> Vec<Answer> {
    let mut answers = Vec::with_capacity(calls.len());
    for (call, prepared) in calls.iter().zip(prepared) {
        let answer = query(client, call.statement, prepared.as_ref(), call.values).await;
        let failed = !matches!(answer, Ok(Ok(_)));
        answers.push(answer);
        if failed {
            break;
        }
    }
    answers
}
