//! Documents that users have accepted.

use userd_model::{Acceptance, Sealed, UserId};

use super::MOST;
use crate::{
    Row, StoreError, UnitOfWork, Value,
    tables::{List, Shape, position, statements_of},
};

/// Documents that users have accepted.
pub struct TermsAcceptances<'a>(pub(super) &'a mut UnitOfWork);

statements_of! { TERMS_ACCEPTANCES:
    UPSERT = "terms_acceptances.upsert": Shape::Upsert;
    OF_USER = "terms_acceptances.of_user": Shape::List(List::by_key().equal(1));
    REMOVE = "terms_acceptances.remove": Shape::Remove;
}

impl TermsAcceptances<'_> {
    /// Remembers that a document is accepted.
    pub async fn write(&mut self, acceptance: &Acceptance) -> Result<(), StoreError> {
        let values: [Value; 5] = [
            acceptance.user_id.into(),
            acceptance.document.as_str().into(),
            acceptance.version.as_str().into(),
            acceptance.accepted_at.into(),
            acceptance.origin.as_ref().map(|origin| origin.0.clone()).into(),
        ];
        self.0.write(&UPSERT, &values).await
    }

    /// What a user has accepted, by document and version; at most 1,000.
    pub async fn of_user(&mut self, user: UserId) -> Result<Vec<Acceptance>, StoreError> {
        self.0.many(&OF_USER, &[user.into(), i64::from(MOST).into()], acceptance).await
    }

    /// Forgets what a user has accepted.
    pub async fn remove_of_user(&mut self, user: UserId) -> Result<(), StoreError> {
        let keys = self.of_user(user).await?;
        let keys = keys.into_iter().map(|row| vec![user.into(), row.document.into(), row.version.into()]);
        self.0.write_many(&REMOVE, keys.collect()).await
    }
}

fn acceptance(row: &mut Row) -> Result<Acceptance, StoreError> {
    Ok(Acceptance {
        user_id: UserId(row.uuid(position!(TERMS_ACCEPTANCES.user_id))?),
        document: row.text(position!(TERMS_ACCEPTANCES.document))?,
        version: row.text(position!(TERMS_ACCEPTANCES.version))?,
        accepted_at: row.timestamp(position!(TERMS_ACCEPTANCES.accepted_at))?,
        origin: row.bytes_or_null(position!(TERMS_ACCEPTANCES.origin))?.map(Sealed),
    })
}
