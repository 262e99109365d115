//! Identities of Ory Kratos. Which traits there are is each schema's own choice; the usual ones are looked for.

use serde_json::Value;
use userd_model::Email;
use userd_services::import::ImportedPerson;

use super::values::{first, flag, full_name, inner, list, member, plain, when};
use crate::import::rows::Object;

pub(super) fn kratos(object: &Object) -> Result<ImportedPerson, String> {
    let id = member(object, "id").ok_or("no id: is this a list of identities?")?;
    let traits = object.get("traits").and_then(Value::as_object).ok_or("no traits: is this a list of identities?")?;
    let credentials = inner(object, "credentials");
    let password = credentials.get("password").and_then(Value::as_object);
    let logins = password.map(identifiers).unwrap_or_default();
    let is_address = |text: &String| Email::parse(text).is_ok();
    let addresses: Vec<Object> =
        list(object, "verifiable_addresses")?.into_iter().filter(|one| is(one, "via", "email")).collect();
    let email = member(traits, "email").or_else(|| addresses.first().and_then(|one| member(one, "value")));
    let email = email.or_else(|| logins.iter().find(|login| is_address(login)).cloned());
    let is_of_person = |one: &&Object| member(one, "value").as_deref().map(lower) == email.as_deref().map(lower);
    let email_verified = addresses.iter().find(is_of_person).is_some_and(|one| flag(one, "verified", false));
    let username = member(traits, "username").or_else(|| logins.into_iter().find(|login| !login.contains('@')));
    Ok(ImportedPerson {
        source_id: Some(id),
        email_verified,
        email,
        username: username.filter(|name| !is_address(name)),
        phone: first(traits, &["phone", "phone_number"]).filter(|number| number.starts_with('+')),
        display_name: display_name(traits),
        locale: first(traits, &["locale", "language"]),
        identities: identities(&credentials)?,
        password_hash: password.map(hash).transpose()?,
        created_at: when(object, "created_at"),
        blocked: is(object, "state", "inactive"),
        ..ImportedPerson::default()
    })
}

fn is(object: &Object, name: &str, value: &str) -> bool {
    member(object, name).as_deref() == Some(value)
}

fn lower(text: &str) -> String {
    text.to_lowercase()
}

fn identifiers(credential: &Object) -> Vec<String> {
    credential.get("identifiers").and_then(Value::as_array).into_iter().flatten().filter_map(plain).collect()
}

/// A text, or what schemas copied from its examples have: an object of two.
fn display_name(traits: &Object) -> Option<String> {
    let name = inner(traits, "name");
    let parts = |of: &Object| full_name(first(of, &["first", "first_name"]), first(of, &["last", "last_name"]));
    first(traits, &["name", "full_name", "display_name"]).or_else(|| parts(&name)).or_else(|| parts(traits))
}

/// By its configuration; else by what is unique of it, `yandex:123`.
fn identities(credentials: &Object) -> Result<Vec<(String, String)>, String> {
    let Some(credential) = credentials.get("oidc").and_then(Value::as_object) else { return Ok(Vec::new()) };
    let listed = list(&inner(credential, "config"), "providers")?;
    if listed.is_empty() {
        let split = |one: String| {
            let (provider, subject) = one.split_once(':').ok_or("an identifier of oidc has no colon")?;
            Ok((provider.to_owned(), subject.to_owned()))
        };
        return identifiers(credential).into_iter().map(split).collect();
    }
    let of = |one: &Object, name: &str| member(one, name).ok_or_else(|| format!("an account of oidc has no {name}"));
    listed.iter().map(|one| Ok((of(one, "provider")?, of(one, "subject")?))).collect()
}

/// The hash in the form of the libraries: Kratos has its own for PBKDF2 and scrypt.
fn hash(credential: &Object) -> Result<String, String> {
    let hash = member(&inner(credential, "config"), "hashed_password");
    let hash = hash.ok_or("the password's hash is not in the file: ask Kratos with include_credential=password")?;
    let parts: Vec<&str> = hash.split('$').collect();
    let ["", kind, costs, salt, output] = parts[..] else { return Ok(hash) };
    let bare = |text: &str| text.trim_end_matches('=').to_owned();
    let dotted = |text: &str| bare(text).replace('+', ".");
    if let Some(costs) = costs.strip_prefix("i=").filter(|_| kind.starts_with("pbkdf2-")) {
        let iterations = costs.split(',').next().unwrap_or(costs);
        return Ok(format!("${kind}${iterations}${}${}", dotted(salt), dotted(output)));
    }
    // It says `ln` and writes what that is the logarithm of.
    let n = costs.strip_prefix("ln=").filter(|_| kind == "scrypt").and_then(|costs| costs.split_once(','));
    match n.and_then(|(n, others)| Some((n.parse::<u64>().ok().filter(|n| n.is_power_of_two())?, others))) {
        Some((n, others)) => Ok(format!("$scrypt$ln={},{others}${}${}", n.trailing_zeros(), bare(salt), bare(output))),
        None => Ok(hash),
    }
}
