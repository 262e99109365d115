//! The table of fastapi-users.

use userd_services::import::ImportedPerson;

use super::values::{flag, member, moment};
use crate::import::rows::Object;

pub(super) fn fastapi_users(object: &Object) -> Result<ImportedPerson, String> {
    let email = member(object, "email").ok_or("no email: is this the table of users?")?;
    Ok(ImportedPerson {
        source_id: member(object, "id"),
        email: Some(email),
        email_verified: flag(object, "is_verified", false),
        username: member(object, "username"),
        password_hash: member(object, "hashed_password"),
        created_at: member(object, "created_at").and_then(|text| moment(&text)),
        blocked: !flag(object, "is_active", true),
        ..ImportedPerson::default()
    })
}
