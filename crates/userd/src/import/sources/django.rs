//! Django's `dumpdata auth.user`.

use serde_json::Value;
use userd_model::Email;
use userd_services::import::ImportedPerson;

use super::values::{flag, full_name, member, moment, plain};
use crate::import::rows::Object;

pub(super) fn django(object: &Object) -> Result<ImportedPerson, String> {
    let fields = object.get("fields").and_then(Value::as_object).ok_or("no fields: is this a dump of dumpdata?")?;
    let name = member(fields, "username");
    let email = member(fields, "email");
    // Where the address is the name, it is the address.
    let is_address = |name: &String| Email::parse(name).is_ok();
    let email = email.or_else(|| name.clone().filter(is_address));
    Ok(ImportedPerson {
        source_id: object.get("pk").and_then(plain),
        email,
        username: name.filter(|name| !is_address(name)),
        display_name: full_name(member(fields, "first_name"), member(fields, "last_name")),
        // An exclamation mark is Django's word for none.
        password_hash: member(fields, "password").filter(|hash| !hash.starts_with('!')),
        created_at: member(fields, "date_joined").and_then(|text| moment(&text)),
        blocked: !flag(fields, "is_active", true),
        ..ImportedPerson::default()
    })
}
