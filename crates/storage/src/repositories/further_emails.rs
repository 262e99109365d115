//! Further proven addresses of users. Whose an address is stands in `claims`.

use userd_model::{FurtherEmail, FurtherEmailId, Sealed, UserId};

use super::MOST;
use crate::{
    Row, StoreError, UnitOfWork, Value,
    tables::{List, Shape, position, statements_of},
};

/// Further addresses.
pub struct FurtherEmails<'a>(pub(super) &'a mut UnitOfWork);

statements_of! { FURTHER_EMAILS:
    INSERT = "further_emails.insert": Shape::Insert;
    OF_USER = "further_emails.of_user": Shape::List(List::along("further_emails_by_user").equal(1));
    REMOVE = "further_emails.remove": Shape::Remove;
}

impl FurtherEmails<'_> {
    /// Adds an address.
    ///
    /// # Errors
    /// `Duplicate(Key("further_emails"))` when the id exists.
    pub async fn insert(&mut self, address: &FurtherEmail) -> Result<(), StoreError> {
        let values: [Value; 4] =
            [address.id.into(), address.user_id.into(), address.email.0.clone().into(), address.created_at.into()];
        self.0.write(&INSERT, &values).await
    }

    /// The user's further addresses, oldest first.
    pub async fn of_user(&mut self, user: UserId) -> Result<Vec<FurtherEmail>, StoreError> {
        self.0.many(&OF_USER, &[user.into(), i64::from(MOST).into()], address).await
    }

    /// Removes an address.
    pub async fn remove(&mut self, id: FurtherEmailId) -> Result<(), StoreError> {
        self.0.write(&REMOVE, &[id.into()]).await
    }
}

fn address(row: &mut Row) -> Result<FurtherEmail, StoreError> {
    Ok(FurtherEmail {
        id: FurtherEmailId(row.uuid(position!(FURTHER_EMAILS.id))?),
        user_id: UserId(row.uuid(position!(FURTHER_EMAILS.user_id))?),
        email: Sealed(row.bytes(position!(FURTHER_EMAILS.email_sealed))?),
        created_at: row.timestamp(position!(FURTHER_EMAILS.created_at))?,
    })
}
