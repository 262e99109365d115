//! better-auth's tables `user` and `account`. Each database adapter spells their columns in its own way.

use userd_services::import::ImportedPerson;

use super::values::{by_one_spelling, flag, list, member, when, with_plus};
use crate::import::rows::Object;

/// What it calls a password of its own.
const PASSWORD: &str = "credential";

pub(super) fn better_auth(object: Object) -> Result<ImportedPerson, String> {
    let object = &by_one_spelling(object);
    let id = member(object, "id").ok_or("no id: is this the table `user`?")?;
    let (mut identities, mut password_hash) = (Vec::new(), None);
    for account in list(object, "accounts")? {
        let account = by_one_spelling(account);
        let of = |name: &str| member(&account, name).ok_or_else(|| format!("an account has no {name}"));
        let provider = of("providerid")?;
        if provider == PASSWORD {
            password_hash = member(&account, "password");
        } else {
            identities.push((provider, of("accountid")?));
        }
    }
    let ends = when(object, "banexpires");
    let banned = flag(object, "banned", false);
    Ok(ImportedPerson {
        source_id: Some(id),
        email: member(object, "email"),
        email_verified: flag(object, "emailverified", false),
        username: member(object, "username"),
        phone: member(object, "phonenumber").map(with_plus),
        display_name: member(object, "name"),
        identities,
        password_hash,
        created_at: when(object, "createdat"),
        blocked: banned,
        blocked_until: ends.filter(|_| banned),
        ..ImportedPerson::default()
    })
}
