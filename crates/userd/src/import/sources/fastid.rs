//! FastID's tables `users` and `oauth_accounts`.

use userd_services::import::ImportedPerson;

use super::values::{flag, full_name, list, member, when};
use crate::import::rows::Object;

/// Older versions have Telegram's number with the person alone.
const TELEGRAM: &str = "telegram";

pub(super) fn fastid(object: &Object) -> Result<ImportedPerson, String> {
    let id = member(object, "id").ok_or("no id: is this the table `users`?")?;
    let mut identities = Vec::new();
    for account in list(object, "oauth_accounts")? {
        let of = |name: &str| member(&account, name).ok_or_else(|| format!("an account has no {name}"));
        identities.push((of("provider")?, of("account_id")?));
    }
    let known = identities.iter().any(|(provider, _)| provider == TELEGRAM);
    identities.extend(member(object, "telegram_id").filter(|_| !known).map(|number| (TELEGRAM.to_owned(), number)));
    Ok(ImportedPerson {
        source_id: Some(id),
        email: member(object, "email"),
        email_verified: flag(object, "is_verified", false),
        display_name: full_name(member(object, "first_name"), member(object, "last_name")),
        identities,
        password_hash: member(object, "hashed_password"),
        created_at: when(object, "created_at"),
        blocked: !flag(object, "is_active", true),
        ..ImportedPerson::default()
    })
}
