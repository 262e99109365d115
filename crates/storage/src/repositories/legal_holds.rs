//! Accounts that may not be erased.

use userd_model::{Timestamp, UserId};

use crate::{
    Row, StoreError, UnitOfWork,
    tables::{Shape, position, statements_of},
};

/// Accounts that may not be erased.
pub struct LegalHolds<'a>(pub(super) &'a mut UnitOfWork);

/// Why an account may not be erased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegalHold {
    /// Whose.
    pub user_id: UserId,
    /// In the words of whoever asked for it.
    pub reason: Option<String>,
    /// Since when.
    pub created_at: Timestamp,
}

statements_of! { LEGAL_HOLDS:
    UPSERT = "legal_holds.upsert": Shape::Upsert;
    BY_USER = "legal_holds.by_user": Shape::Find;
    REMOVE = "legal_holds.remove": Shape::Remove;
}

impl LegalHolds<'_> {
    /// Places a hold, or gives it another reason.
    pub async fn place(&mut self, hold: &LegalHold) -> Result<(), StoreError> {
        let values = [hold.user_id.into(), hold.reason.as_deref().into(), hold.created_at.into()];
        self.0.write(&UPSERT, &values).await
    }

    /// The hold on this account.
    pub async fn find(&mut self, user: UserId) -> Result<Option<LegalHold>, StoreError> {
        self.0.one(&BY_USER, &[user.into()], hold).await
    }

    /// Lifts a hold.
    pub async fn lift(&mut self, user: UserId) -> Result<(), StoreError> {
        self.0.write(&REMOVE, &[user.into()]).await
    }
}

fn hold(row: &mut Row) -> Result<LegalHold, StoreError> {
    Ok(LegalHold {
        user_id: UserId(row.uuid(position!(LEGAL_HOLDS.user_id))?),
        reason: row.text_or_null(position!(LEGAL_HOLDS.reason))?,
        created_at: row.timestamp(position!(LEGAL_HOLDS.created_at))?,
    })
}
