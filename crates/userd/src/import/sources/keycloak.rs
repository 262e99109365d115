//! Keycloak's export of a realm.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD},
};
use serde_json::Value;
use userd_model::{Email, Timestamp};
use userd_services::import::ImportedPerson;

use super::values::{flag, full_name, list, member, plain};
use crate::import::rows::Object;

pub(super) fn keycloak(object: &Object) -> Result<ImportedPerson, String> {
    if object.contains_key("serviceAccountClientId") {
        return Err("a service account: make one here, `userd clients create`".to_owned());
    }
    let name = member(object, "username");
    let email = member(object, "email");
    let mut identities = Vec::new();
    for link in list(object, "federatedIdentities")? {
        let of = |name: &str| member(&link, name).ok_or_else(|| format!("a federated identity has no {name}"));
        identities.push((of("identityProvider")?, of("userId")?));
    }
    let credentials = object.get("credentials").and_then(Value::as_array).into_iter().flatten();
    let password = credentials.filter_map(Value::as_object).find(|one| one.get("type") == Some(&"password".into()));
    let created = object.get("createdTimestamp").and_then(Value::as_i64);
    Ok(ImportedPerson {
        source_id: member(object, "id"),
        email_verified: flag(object, "emailVerified", false),
        // With "e-mail as username" the name is the address.
        username: name.filter(|name| Email::parse(name).is_err()),
        email,
        display_name: full_name(member(object, "firstName"), member(object, "lastName")),
        locale: object.get("attributes").and_then(|all| all.get("locale")?.get(0)).and_then(plain),
        identities,
        password_hash: password.map(keycloak_hash).transpose()?,
        created_at: created.map(|millis| Timestamp::from_micros(millis.saturating_mul(1000))),
        blocked: !flag(object, "enabled", true),
        ..ImportedPerson::default()
    })
}

/// Keycloak's credential in the form of the libraries: PBKDF2 as Passlib writes it, argon2id as everybody does.
fn keycloak_hash(credential: &Object) -> Result<String, String> {
    // Two documents in texts, each of them JSON.
    let inner = |name: &str| -> Result<Object, String> {
        let text = member(credential, name).ok_or_else(|| format!("the password has no {name}"))?;
        serde_json::from_str(&text).map_err(|_| format!("{name} of the password is no JSON object"))
    };
    let (secret, about) = (inner("secretData")?, inner("credentialData")?);
    let bytes = |name: &str| {
        let text = member(&secret, name).and_then(|text| STANDARD.decode(text).ok());
        text.ok_or_else(|| format!("the password has no {name}"))
    };
    let (salt, value) = (STANDARD_NO_PAD.encode(bytes("salt")?), STANDARD_NO_PAD.encode(bytes("value")?));
    let iterations = about.get("hashIterations").and_then(Value::as_u64).ok_or("the password has no hashIterations")?;
    let algorithm = member(&about, "algorithm").unwrap_or_default();
    let dotted = |text: &str| text.replace('+', ".");
    let (salt_dotted, value_dotted) = (dotted(&salt), dotted(&value));
    match algorithm.as_str() {
        "pbkdf2" => Ok(format!("$pbkdf2${iterations}${salt_dotted}${value_dotted}")),
        "pbkdf2-sha256" => Ok(format!("$pbkdf2-sha256${iterations}${salt_dotted}${value_dotted}")),
        "pbkdf2-sha512" => Ok(format!("$pbkdf2-sha512${iterations}${salt_dotted}${value_dotted}")),
        "argon2" => {
            let parameter = |name: &str| {
                let list = about.get("additionalParameters").and_then(|all| all.get(name));
                list.and_then(|list| list.get(0)).and_then(plain).ok_or_else(|| format!("argon2 has no {name}"))
            };
            if parameter("type")? != "id" || parameter("version")? != "1.3" {
                return Err("only argon2id of version 1.3 is verified here".to_owned());
            }
            let (memory, parallelism) = (parameter("memory")?, parameter("parallelism")?);
            Ok(format!("$argon2id$v=19$m={memory},t={iterations},p={parallelism}${salt}${value}"))
        }
        other => Err(format!("passwords hashed by `{other}` are not verified here")),
    }
}
