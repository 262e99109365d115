//! Recovery codes, by their keyed hashes. Using one removes it: whoever commits first has used it.

use userd_model::{Timestamp, UserId};

use super::MOST;
use crate::{
    Row, StoreError, UnitOfWork,
    tables::{List, Shape, position, statements_of},
};

/// Recovery codes.
pub struct RecoveryCodes<'a>(pub(super) &'a mut UnitOfWork);

/// One code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoveryCode {
    /// Of the code itself, which is not stored.
    pub hash: Vec<u8>,
    /// Whose.
    pub user_id: UserId,
    /// When its set was made.
    pub created_at: Timestamp,
}

statements_of! { RECOVERY_CODES:
    INSERT = "recovery_codes.insert": Shape::Insert;
    BY_HASH = "recovery_codes.by_hash": Shape::Find;
    BY_USER = "recovery_codes.by_user": Shape::List(List::along("recovery_codes_by_user").equal(1));
    REMOVE = "recovery_codes.remove": Shape::Remove;
}

impl RecoveryCodes<'_> {
    /// Takes a code of the user away, if it is there.
    ///
    /// # Errors
    /// `Conflict` when another one was taking it at the same moment.
    pub async fn take(&mut self, user: UserId, hash: &[u8]) -> Result<bool, StoreError> {
        let found = self.0.one(&BY_HASH, &[hash.into()], code).await?.filter(|code| code.user_id == user);
        if found.is_some() {
            self.0.write(&REMOVE, &[hash.into()]).await?;
        }
        Ok(found.is_some())
    }

    /// The user's codes that are left; at most 1,000.
    pub async fn of_user(&mut self, user: UserId) -> Result<Vec<RecoveryCode>, StoreError> {
        self.0.many(&BY_USER, &[user.into(), i64::from(MOST).into()], code).await
    }

    /// Puts these codes in the place of those that the user had.
    pub async fn replace(&mut self, user: UserId, codes: &[RecoveryCode]) -> Result<(), StoreError> {
        let before = self.of_user(user).await?;
        self.0.write_many(&REMOVE, before.into_iter().map(|code| vec![code.hash.into()]).collect()).await?;
        let values = |code: &RecoveryCode| vec![code.hash.clone().into(), code.user_id.into(), code.created_at.into()];
        self.0.write_many(&INSERT, codes.iter().map(values).collect()).await
    }
}

fn code(row: &mut Row) -> Result<RecoveryCode, StoreError> {
    Ok(RecoveryCode {
        hash: row.bytes(position!(RECOVERY_CODES.hash))?,
        user_id: UserId(row.uuid(position!(RECOVERY_CODES.user_id))?),
        created_at: row.timestamp(position!(RECOVERY_CODES.created_at))?,
    })
}
