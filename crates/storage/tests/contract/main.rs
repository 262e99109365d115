//! What every engine promises, as cases that each run on every engine, plainly and with re-runs forced. What only one
//! engine promises is in its own file.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails by panicking"
)]

mod batches;
mod faults;
mod gaps;
mod isolation;
mod migrating;
mod postgres;
mod proxy;
mod retrying;
mod sqlite;
mod sqlite_files;
mod stage;
mod tls;
mod undoing;
mod values;

/// Makes a test of each case on each engine in each weather.
macro_rules! contract {
    ($($module:ident::$case:ident),+ $(,)?) => {
        contract!(@backend in_memory Memory: $($module::$case),+);
        contract!(@backend in_a_file File: $($module::$case),+);
        contract!(@backend on_postgres Postgres: $($module::$case),+);
        contract!(@weather on_postgres_behind_a_pooler Postgres Pooled: $($module::$case),+);
    };
    (@backend $name:ident $backend:ident: $($module:ident::$case:ident),+) => {
        mod $name {
            contract!(@weather plainly $backend Plain: $($module::$case),+);
            contract!(@weather run_twice $backend RunTwice: $($module::$case),+);
            contract!(@weather conflict_first $backend ConflictFirst: $($module::$case),+);
        }
    };
    (@weather $name:ident $backend:ident $weather:ident: $($module:ident::$case:ident),+) => {
        mod $name {
            use userd_storage::testing::Backend;
            use crate::{gaps, stage::Weather};
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    gaps::run(stringify!($case), Backend::$backend, Weather::$weather, crate::$module::$case).await;
                }
            )+
        }
    };
}

contract! {
    undoing::what_is_committed_is_there_at_once,
    undoing::a_refusal_rolls_back,
    undoing::a_panic_rolls_back,
    undoing::a_dropped_future_rolls_back,
    undoing::an_answer_without_a_commit_is_refused,
    undoing::nothing_commits_after_a_failed_statement,
    undoing::a_write_outside_of_a_unit_of_work_is_refused,
    isolation::a_unit_of_work_reads_its_own_writes,
    isolation::an_open_unit_of_work_is_invisible_outside,
    isolation::parallel_increments_all_count,
    isolation::two_administrators_cannot_demote_each_other,
    isolation::one_of_many_inserts_of_a_key_wins,
    values::every_kind_comes_back_as_it_went_in,
    values::nothing_comes_back_as_nothing,
    values::a_duplicate_names_its_table,
    values::parameters_may_stand_in_any_order,
    values::text_is_ordered_by_its_bytes,
    values::pages_follow_each_other_without_gap_or_overlap,
    values::a_column_of_another_kind_is_corrupt_not_a_panic,
    batches::answers_come_in_the_order_of_the_calls,
    batches::an_empty_batch_is_nothing,
    batches::a_thousand_keys_go_in_one_batch,
    batches::a_duplicate_in_the_middle_of_a_batch_is_named_and_undoes_it,
    batches::nothing_commits_after_a_failed_batch,
    batches::deferred_writes_are_there_after_the_commit,
    batches::a_unit_of_work_may_be_deferred_writes_alone,
    batches::a_read_sees_the_writes_deferred_before_it,
    batches::a_deferred_duplicate_is_told_by_the_commit_and_undoes_all,
    batches::a_deferred_duplicate_is_told_by_the_read_behind_it,
    batches::deferred_writes_of_a_refusal_never_happen,
    batches::reads_are_asked_together_outside_of_a_unit_of_work_and_writes_refused,
}
