//! What an object of each software says of somebody.

use std::path::Path;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD},
};
use serde_json::{Map, Value};
use userd_model::{Email, Timestamp};
use userd_services::import::ImportedPerson;

use super::rows::{Format, Object};

/// Where people come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Source {
    /// Columns by our names: id, email, email_verified, username, phone, display_name, locale, roles, password_hash,
    /// created_at, blocked, identity.PROVIDER.
    Csv,
    /// The same as objects, one a line; `roles` a list, `identities` an object from provider to subject.
    Jsonl,
    /// The table of fastapi-users (id, email, hashed_password, is_active, is_verified), as CSV or JSON Lines.
    FastapiUsers,
    /// `manage.py dumpdata auth.user`, as JSON or JSON Lines (--format jsonl).
    Django,
    /// A realm export with its users, or a file of users of it.
    Keycloak,
}

impl Source {
    /// The name by which it is remembered where somebody came from.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
            Self::FastapiUsers => "fastapi-users",
            Self::Django => "django",
            Self::Keycloak => "keycloak",
        }
    }

    pub(super) fn format(self, path: &Path) -> Format {
        let ends = |end: &str| path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(end));
        match self {
            Self::Csv => Format::Csv,
            Self::Jsonl => Format::JsonLines,
            _ if ends("csv") => Format::Csv,
            _ if ends("jsonl") || ends("ndjson") => Format::JsonLines,
            _ => Format::Json,
        }
    }

    /// Who it is.
    ///
    /// # Errors
    /// Why nobody can tell.
    pub(super) fn person(self, object: Object) -> Result<ImportedPerson, String> {
        match self {
            Self::Csv | Self::Jsonl => ours(object),
            Self::FastapiUsers => fastapi_users(&object),
            Self::Django => django(&object),
            Self::Keycloak => keycloak(&object),
        }
    }
}

fn ours(object: Object) -> Result<ImportedPerson, String> {
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

fn fastapi_users(object: &Object) -> Result<ImportedPerson, String> {
    let flag = |name: &str, usual: bool| object.get(name).and_then(truth).unwrap_or(usual);
    let email = member(object, "email").ok_or("no email: is this the table of users?")?;
    Ok(ImportedPerson {
        source_id: member(object, "id"),
        email: Some(email),
        email_verified: flag("is_verified", false),
        username: member(object, "username"),
        password_hash: member(object, "hashed_password"),
        created_at: member(object, "created_at").and_then(|text| moment(&text)),
        blocked: !flag("is_active", true),
        ..ImportedPerson::default()
    })
}

fn django(object: &Object) -> Result<ImportedPerson, String> {
    let fields = object.get("fields").and_then(Value::as_object).ok_or("no fields: is this a dump of dumpdata?")?;
    let name = member(fields, "username");
    let email = member(fields, "email");
    // Where the address is the name, it is the address.
    let is_address = |name: &String| Email::parse(name).is_ok();
    let email = email.or_else(|| name.clone().filter(is_address));
    let full = [member(fields, "first_name"), member(fields, "last_name")];
    let full: Vec<String> = full.into_iter().flatten().collect();
    Ok(ImportedPerson {
        source_id: object.get("pk").and_then(plain),
        email,
        username: name.filter(|name| !is_address(name)),
        display_name: Some(full.join(" ")).filter(|name| !name.is_empty()),
        // An exclamation mark is Django's word for none.
        password_hash: member(fields, "password").filter(|hash| !hash.starts_with('!')),
        created_at: member(fields, "date_joined").and_then(|text| moment(&text)),
        blocked: !fields.get("is_active").and_then(truth).unwrap_or(true),
        ..ImportedPerson::default()
    })
}

fn keycloak(object: &Object) -> Result<ImportedPerson, String> {
    if object.contains_key("serviceAccountClientId") {
        return Err("a service account: make one here, `userd clients create`".to_owned());
    }
    let name = member(object, "username");
    let email = member(object, "email");
    let full = [member(object, "firstName"), member(object, "lastName")];
    let full: Vec<String> = full.into_iter().flatten().collect();
    let mut identities = Vec::new();
    for link in object.get("federatedIdentities").and_then(Value::as_array).into_iter().flatten() {
        let link = link.as_object().ok_or("a federated identity is no object")?;
        let of = |name: &str| member(link, name).ok_or_else(|| format!("a federated identity has no {name}"));
        identities.push((of("identityProvider")?, of("userId")?));
    }
    let credentials = object.get("credentials").and_then(Value::as_array).into_iter().flatten();
    let password = credentials.filter_map(Value::as_object).find(|one| one.get("type") == Some(&"password".into()));
    let created = object.get("createdTimestamp").and_then(Value::as_i64);
    Ok(ImportedPerson {
        source_id: member(object, "id"),
        email_verified: object.get("emailVerified").and_then(truth).unwrap_or(false),
        // With "e-mail as username" the name is the address.
        username: name.filter(|name| Email::parse(name).is_err()),
        email,
        display_name: Some(full.join(" ")).filter(|name| !name.is_empty()),
        locale: object.pointer_text("attributes", "locale"),
        identities,
        password_hash: password.map(keycloak_hash).transpose()?,
        created_at: created.map(|millis| Timestamp::from_micros(millis.saturating_mul(1000))),
        blocked: !object.get("enabled").and_then(truth).unwrap_or(true),
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

trait FirstText {
    /// The first text of a list in a member of a member.
    fn pointer_text(&self, outer: &str, inner: &str) -> Option<String>;
}

impl FirstText for Map<String, Value> {
    fn pointer_text(&self, outer: &str, inner: &str) -> Option<String> {
        self.get(outer)?.get(inner)?.get(0).and_then(plain)
    }
}

/// A member as text; empty ones are not there.
fn member(object: &Object, name: &str) -> Option<String> {
    object.get(name).and_then(plain).filter(|text| !text.is_empty())
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// As JSON, CSV and databases write it.
fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(is) => Some(*is),
        other => match plain(other)?.to_ascii_lowercase().as_str() {
            "true" | "t" | "1" | "yes" => Some(true),
            "false" | "f" | "0" | "no" | "" => Some(false),
            _ => None,
        },
    }
}

fn words(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Array(list) => list.iter().map(plain).collect(),
        other => {
            Some(plain(other)?.split([' ', ',', ';']).filter(|word| !word.is_empty()).map(str::to_owned).collect())
        }
    }
}

/// RFC 3339, also with the space that databases write and without an offset, which is then UTC.
fn moment(text: &str) -> Option<Timestamp> {
    let text = text.replacen(' ', "T", 1);
    let has_offset = text.ends_with(['Z', 'z']) || text.get(19..).is_some_and(|rest| rest.contains(['+', '-']));
    let whole = if has_offset { text } else { format!("{text}Z") };
    // PostgreSQL writes +00 for +00:00.
    let short = whole.len() > 3 && matches!(whole.as_bytes().get(whole.len() - 3), Some(b'+' | b'-'));
    let whole = if short { format!("{whole}:00") } else { whole };
    whole.parse().ok()
}
