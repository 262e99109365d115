//! What YDB is known not to keep. A listed case that passes fails the run: the line has to go.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;

use crate::fixture::{FaultMode, Fixture};

const GAPS: &[(&str, &str)] = &[(
    "every_kind_comes_back_as_it_went_in",
    "YDB has no moments before 1970; such a moment becomes the first it has",
)];

pub(crate) async fn run<F, Fut>(name: &str, mode: FaultMode, case: F)
where
    F: FnOnce(Fixture) -> Fut,
    Fut: Future<Output = ()>,
{
    let fixture = Fixture::set(mode).await;
    match GAPS.iter().find(|(gap, _)| *gap == name) {
        None => case(fixture).await,
        Some((_, reason)) => {
            let kept = AssertUnwindSafe(case(fixture)).catch_unwind().await.is_ok();
            assert!(!kept, "{name} passes: take it from the list ({reason})");
        }
    }
}
