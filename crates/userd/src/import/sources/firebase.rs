//! Firebase's `auth:export`, and the parameters of its hashes, which its console shows and its export has not.

use std::path::Path;

use serde_json::Value;
use userd_services::import::ImportedPerson;

use super::values::{flag, list, member, when, with_plus};
use crate::import::rows::Object;

/// What it counts among the providers though it is itself.
const OWN: [&str; 2] = ["password", "phone"];

/// The parameters of a project's hashes. Not printed: among them is a key.
#[derive(Clone)]
pub struct HashConfig {
    signer_key: String,
    salt_separator: String,
    rounds: String,
    mem_cost: String,
}

impl HashConfig {
    /// Reads what the console shows (`hash_config { algorithm: SCRYPT, base64_signer_key: …, … }`), as text or as JSON.
    ///
    /// # Errors
    /// What is missing.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Self::parse(&text).map_err(|why| format!("{}: {why}", path.display()))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let clean = |text: &str| text.trim().trim_matches('"').to_owned();
        let lines = text.split(['\n', ',', '{', '}']).filter_map(|line| line.split_once(':'));
        let pairs: Vec<(String, String)> = lines.map(|(name, value)| (clean(name), clean(value))).collect();
        let of = |name: &str| {
            let found = pairs.iter().find(|(found, _)| found == name);
            found.map(|(_, value)| value.clone()).ok_or_else(|| format!("there is no {name} in it"))
        };
        if let Some((_, other)) = pairs.iter().find(|(name, value)| name == "algorithm" && value != "SCRYPT") {
            return Err(format!("the algorithm is {other}; SCRYPT is what a project has by itself"));
        }
        Ok(Self {
            signer_key: of("base64_signer_key")?,
            salt_separator: of("base64_salt_separator")?,
            rounds: of("rounds")?,
            mem_cost: of("mem_cost")?,
        })
    }

    /// Somebody's hash with what is needed to verify it, as Kratos writes it.
    fn whole(&self, hash: &str, salt: &str) -> String {
        let Self { signer_key, salt_separator, rounds, mem_cost } = self;
        // The service answers in the alphabet of URLs, the command line tool brings it into the other.
        let usual = |text: &str| text.replace('-', "+").replace('_', "/");
        let (salt, hash) = (usual(salt), usual(hash));
        format!("$firescrypt$ln={mem_cost},r={rounds},p=1${salt}${hash}${salt_separator}${signer_key}")
    }
}

pub(super) fn firebase(object: &Object, hashes: Option<&HashConfig>) -> Result<ImportedPerson, String> {
    let id = member(object, "localId").ok_or("no localId: is this an export of accounts?")?;
    let mut identities = Vec::new();
    for account in list(object, "providerUserInfo")? {
        let provider = member(&account, "providerId").ok_or("an account has no providerId")?;
        if !OWN.contains(&provider.as_str()) {
            identities.push((provider, member(&account, "rawId").ok_or("an account has no rawId")?));
        }
    }
    let password_hash = match member(object, "passwordHash") {
        None => None,
        Some(hash) => {
            let hashes = hashes.ok_or("a password, but --hash-config was not given")?;
            let version = object.get("version").and_then(Value::as_i64).unwrap_or_default();
            let salt = member(object, "salt").filter(|_| version == 0);
            Some(hashes.whole(&hash, &salt.ok_or("the password is not hashed by Firebase itself")?))
        }
    };
    Ok(ImportedPerson {
        source_id: Some(id),
        email: member(object, "email"),
        email_verified: flag(object, "emailVerified", false),
        phone: member(object, "phoneNumber").map(with_plus),
        display_name: member(object, "displayName"),
        identities,
        password_hash,
        created_at: when(object, "createdAt"),
        blocked: flag(object, "disabled", false),
        ..ImportedPerson::default()
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::HashConfig;

    #[test]
    fn parameters_are_read_as_the_console_shows_them_and_as_json() {
        let shown = "hash_config {\n  algorithm: SCRYPT,\n  base64_signer_key: c2lnbmVy==,\n  base64_salt_separator: Bw==,\n  \
             rounds: 8,\n  mem_cost: 14,\n}\n";
        let json = r#"{"algorithm": "SCRYPT", "base64_signer_key": "c2lnbmVy==", "base64_salt_separator": "Bw==",
            "rounds": 8, "mem_cost": 14}"#;
        for text in [shown, json] {
            let config = HashConfig::parse(text).unwrap();
            assert_eq!(config.whole("-_A=", "c2E="), "$firescrypt$ln=14,r=8,p=1$c2E=$+/A=$Bw==$c2lnbmVy==");
        }
        let told = |text: &str| HashConfig::parse(text).err().unwrap_or_default();
        assert!(told(&shown.replace("rounds", "round")).contains("rounds"));
        assert!(told(&shown.replace("SCRYPT", "BCRYPT")).contains("BCRYPT"));
    }
}
