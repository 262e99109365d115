//! Our own columns, of CSV and JSON Lines.

use userd_services::import::ImportedPerson;

use super::values::{moment, plain, truth, words};
use crate::import::rows::Object;

pub(super) fn ours(object: Object) -> Result<ImportedPerson, String> {
    let mut person = ImportedPerson::default();
    for (name, value) in object {
        if value.is_null() {
            continue;
        }
        let text = || plain(&value).ok_or_else(|| format!("{name} is no text"));
        match name.as_str() {
            "id" => person.source_id = Some(text()?),
            "email" => person.email = Some(text()?),
            "email_verified" => {
                person.email_verified = truth(&value).ok_or_else(|| format!("{name}: true or false"))?
            }
            "username" => person.username = Some(text()?),
            "phone" => person.phone = Some(text()?),
            "display_name" => person.display_name = Some(text()?),
            "locale" => person.locale = Some(text()?),
            "roles" => person.roles = words(&value).ok_or_else(|| format!("{name} is no list"))?,
            "password_hash" => person.password_hash = Some(text()?),
            "created_at" => person.created_at = Some(moment(&text()?).ok_or_else(|| format!("{name}: RFC 3339"))?),
            "blocked_until" => {
                person.blocked_until = Some(moment(&text()?).ok_or_else(|| format!("{name}: RFC 3339"))?)
            }
            "blocked" => person.blocked = truth(&value).ok_or_else(|| format!("{name}: true or false"))?,
            "identities" => {
                let members = value.as_object().ok_or_else(|| format!("{name} is no object"))?;
                for (provider, subject) in members {
                    let subject = plain(subject).ok_or_else(|| format!("{name}: {provider} is no text"))?;
                    person.identities.push((provider.clone(), subject));
                }
            }
            other => match other.strip_prefix("identity.") {
                Some(provider) => person.identities.push((provider.to_owned(), text()?)),
                None => return Err(format!("`{other}` is no column here")),
            },
        }
    }
    Ok(person)
}
