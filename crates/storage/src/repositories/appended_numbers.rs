//! How far the facts of each subject have been passed on.

use userd_model::Subject;

use super::fact_numbers::{key, numbered};
use crate::{
    Call, Row, StoreError, UnitOfWork, Value,
    tables::{Shape, position, statements_of},
};

/// How far the facts of each subject have been passed on.
pub struct AppendedNumbers<'a>(pub(super) &'a mut UnitOfWork);

statements_of! { APPENDED_NUMBERS:
    BY_SUBJECT = "appended_numbers.by_subject": Shape::Find;
    UPSERT = "appended_numbers.upsert": Shape::Upsert;
}

impl AppendedNumbers<'_> {
    /// The last number of each subject that was passed on, 0 where none was.
    pub async fn find_many(&mut self, subjects: &[Subject]) -> Result<Vec<i64>, StoreError> {
        let keys: Vec<[Value; 2]> = subjects.iter().map(key).collect();
        let calls: Vec<Call<'_>> = keys.iter().map(|values| Call { statement: &BY_SUBJECT, values }).collect();
        if calls.is_empty() {
            return Ok(Vec::new());
        }
        let answers = self.0.run_together(&calls).await?;
        answers.into_iter().map(|rows| rows.into_iter().next().map_or(Ok(0), |mut row| number(&mut row))).collect()
    }

    /// Writes the last number of each subject.
    pub async fn write_many(&mut self, numbers: &[(Subject, i64)]) -> Result<(), StoreError> {
        self.0.write_many(&UPSERT, numbers.iter().map(numbered).collect()).await
    }
}

fn number(row: &mut Row) -> Result<i64, StoreError> {
    row.i64(position!(APPENDED_NUMBERS.number))
}
