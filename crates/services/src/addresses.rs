//! The e-mail addresses of a user: the first one, which stands in the account, and further ones, each sealed in a row of its
//! own. Deliberately absent: how an address is proven and claimed (`accounts/emails/`).

use serde::Serialize;
use userd_model::{FurtherEmail, FurtherEmailId, Timestamp, User};
use userd_storage::{Failure, UnitOfWork};

use crate::{
    Dependencies,
    user_reader::{internal, open_field},
};

/// An address as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EmailView {
    /// The account's own id for the first address.
    pub id: FurtherEmailId,
    /// The address.
    pub email: String,
    /// Whether it is the first one.
    pub primary: bool,
    /// Whether its owner has proven to read mail there.
    pub verified: bool,
    /// When it was added; none for the first one.
    pub created_at: Option<Timestamp>,
}

/// Every address of a user, the first one first.
pub(crate) async fn addresses_of(
    deps: &Dependencies,
    unit: &mut UnitOfWork,
    user: &User,
) -> Result<Vec<EmailView>, Failure> {
    let mut all = Vec::new();
    if let Some(email) = open_field(deps, user, "email", user.email.as_ref())? {
        let id = FurtherEmailId(user.id.0);
        all.push(EmailView { id, email, primary: true, verified: user.email_verified, created_at: None });
    }
    for row in unit.further_emails().of_user(user.id).await? {
        let (id, email, created_at) = (row.id, open(deps, user, &row)?, Some(row.created_at));
        all.push(EmailView { id, email, primary: false, verified: true, created_at });
    }
    Ok(all)
}

pub(crate) fn open(deps: &Dependencies, user: &User, row: &FurtherEmail) -> Result<String, Failure> {
    open_field(deps, user, &field(row.id), Some(&row.email))?.ok_or_else(|| internal("a user without a data key"))
}

/// In which field the address is sealed.
pub(crate) fn field(id: FurtherEmailId) -> String {
    format!("further_email|{id}")
}
