//! The numbers of facts: of each subject, that of its last one. Read and written in the unit of work that makes a fact
//! true: who takes a number sees every fact of the subject before, and a number of a change that was undone is free.

use userd_model::{Sealed, Subject, User, UserId};

use super::{
    first_row,
    users::{self, user},
};
use crate::{
    Call, Row, StoreError, UnitOfWork, Value,
    tables::{Shape, position, statements_of},
};

/// The numbers of facts.
pub struct FactNumbers<'a>(pub(super) &'a mut UnitOfWork);

statements_of! { FACT_NUMBERS:
    BY_SUBJECT = "fact_numbers.by_subject": Shape::Find;
    UPSERT = "fact_numbers.upsert": Shape::Upsert;
}

/// For whoever asks for a number beside something else.
pub(super) static OF_SUBJECT: &crate::Statement = &BY_SUBJECT;

impl FactNumbers<'_> {
    /// The last number of each subject, 0 for one without facts; and the data keys of users, asked for together.
    pub async fn find_with_keys(
        &mut self,
        subjects: &[Subject],
        owners: &[UserId],
    ) -> Result<(Vec<i64>, Vec<Option<Sealed>>), StoreError> {
        let of_subjects: Vec<[Value; 2]> = subjects.iter().map(key).collect();
        let of_owners: Vec<[Value; 1]> = owners.iter().map(|id| [(*id).into()]).collect();
        let numbers = of_subjects.iter().map(|values| Call { statement: &BY_SUBJECT, values });
        let keys = of_owners.iter().map(|values| Call { statement: users::BY_ID, values });
        let calls: Vec<Call<'_>> = numbers.chain(keys).collect();
        let mut answers = self.0.run_together(&calls).await?.into_iter();
        let mut numbers = Vec::with_capacity(subjects.len());
        for rows in answers.by_ref().take(subjects.len()) {
            numbers.push(rows.into_iter().next().map_or(Ok(0), |mut row| number(&mut row))?);
        }
        let mut keys = Vec::with_capacity(owners.len());
        for rows in answers {
            let owner: Option<User> = rows.into_iter().next().map(|mut row| user(&mut row)).transpose()?;
            keys.push(owner.and_then(|user| user.data_key));
        }
        Ok((numbers, keys))
    }

    /// Those of these users that there are, in this order, each with the last number of the facts about them: asked for
    /// together.
    pub async fn find_with_users(&mut self, ids: &[UserId]) -> Result<Vec<(User, i64)>, StoreError> {
        let keys: Vec<[Value; 1]> = ids.iter().map(|id| [(*id).into()]).collect();
        let subjects: Vec<[Value; 2]> = ids.iter().map(|id| key(&(*id).into())).collect();
        let users = keys.iter().map(|values| Call { statement: users::BY_ID, values });
        let numbers = subjects.iter().map(|values| Call { statement: &BY_SUBJECT, values });
        let calls: Vec<Call<'_>> = users.chain(numbers).collect();
        let mut rows = self.0.run_together(&calls).await?;
        let numbers = rows.split_off(ids.len().min(rows.len()));
        let mut found = Vec::with_capacity(ids.len());
        for (of_user, of_subject) in rows.into_iter().zip(numbers) {
            if let Some(user) = first_row(users::BY_ID, Some(of_user), user)? {
                found.push((user, first_row(&BY_SUBJECT, Some(of_subject), number)?.unwrap_or(0)));
            }
        }
        Ok(found)
    }

    /// Writes the last number of each subject.
    pub async fn write_many(&mut self, numbers: &[(Subject, i64)]) -> Result<(), StoreError> {
        self.0.write_many(&UPSERT, numbers.iter().map(numbered).collect()).await
    }
}

pub(super) fn key(subject: &Subject) -> [Value; 2] {
    [subject.kind.as_str().into(), subject.id.as_str().into()]
}

/// A row of a subject and a number.
pub(super) fn numbered((subject, number): &(Subject, i64)) -> Vec<Value> {
    let [kind, id] = key(subject);
    vec![kind, id, owner(subject), (*number).into()]
}

/// The user that a subject is, or the nil id.
pub(super) fn owner(subject: &Subject) -> Value {
    subject.user_id().unwrap_or(UserId(uuid::Uuid::nil())).into()
}

pub(super) fn number(row: &mut Row) -> Result<i64, StoreError> {
    row.i64(position!(FACT_NUMBERS.number))
}
