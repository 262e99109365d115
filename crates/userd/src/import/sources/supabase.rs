//! Supabase's tables `auth.users` and `auth.identities`.

use userd_services::import::ImportedPerson;

use super::values::{first, flag, full_name, inner, list, member, when, with_plus};
use crate::import::rows::Object;

/// What it counts among the providers though it is itself.
const OWN: [&str; 2] = ["email", "phone"];

pub(super) fn supabase(object: &Object) -> Result<ImportedPerson, String> {
    let id = member(object, "id").ok_or("no id: is this the table auth.users?")?;
    if member(object, "deleted_at").is_some() {
        return Err("deleted there".to_owned());
    }
    if flag(object, "is_anonymous", false) {
        return Err("an anonymous account: nobody could sign in to it here".to_owned());
    }
    if flag(object, "is_sso_user", false) {
        return Err("an account of SSO, which has no password and no address of its own".to_owned());
    }
    let mut identities = Vec::new();
    for identity in list(object, "identities")? {
        let provider = member(&identity, "provider").ok_or("an identity has no provider")?;
        if OWN.contains(&provider.as_str()) {
            continue;
        }
        // The first versions had the subject as the id.
        let subject = member(&identity, "provider_id")
            .or_else(|| member(&inner(&identity, "identity_data"), "sub"))
            .or_else(|| member(&identity, "id"));
        identities.push((provider, subject.ok_or("an identity has no provider_id")?));
    }
    let about = inner(object, "raw_user_meta_data");
    let parts = || full_name(member(&about, "first_name"), member(&about, "last_name"));
    let ends = member(object, "banned_until");
    let blocked_until = when(object, "banned_until");
    Ok(ImportedPerson {
        source_id: Some(id),
        email: member(object, "email"),
        email_verified: member(object, "email_confirmed_at").is_some(),
        phone: member(object, "phone").map(with_plus),
        display_name: first(&about, &["full_name", "name", "display_name"]).or_else(parts),
        locale: first(&about, &["locale", "lang"]),
        identities,
        password_hash: member(object, "encrypted_password"),
        created_at: when(object, "created_at"),
        // `infinity` is no moment, and has no end.
        blocked: ends.is_some(),
        blocked_until,
        ..ImportedPerson::default()
    })
}
