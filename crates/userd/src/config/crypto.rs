//! Keys of the master key, of tokens and of password hashing.

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    secret::Secret,
    text::Optional,
    urls::SecureUrl,
    values::{FilePath, InputFile, Period},
};

/// The master key, under which everything else is encrypted. One of three ways to give it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CryptoConfig {
    /// The key itself: 32 bytes in base64. Better from the environment than from a file that is shared.
    pub master_key: Optional<Secret>,
    /// File with the key: 32 bytes in base64. Made at the first start of a development setup.
    #[schemars(extend("x-read-later" = true))]
    pub master_key_file: FilePath,
    /// Program and arguments that print the key, such as a vault's client. No shell is involved.
    #[schemars(length(max = 32))]
    pub master_key_command: Vec<String>,
    /// Files with further master keys, which open what they sealed: earlier ones until `userd keys rewrap` is done, and the one to come before any replica seals with it.
    #[schemars(length(max = 16))]
    pub previous_master_key_files: Vec<InputFile>,
}

/// Where the master key comes from.
#[derive(Clone, Copy, Debug)]
pub enum MasterKeySource<'a> {
    /// It was given.
    Given(&'a Secret),
    /// It is what this program prints: program, then arguments.
    Command(&'a [String]),
    /// It is in this file.
    File(&'a Path),
}

impl CryptoConfig {
    /// The one way that counts: a key or a command, when given, instead of the file.
    #[must_use]
    pub fn master_key_source(&self) -> MasterKeySource<'_> {
        match &*self.master_key {
            Some(key) => MasterKeySource::Given(key),
            None if !self.master_key_command.is_empty() => MasterKeySource::Command(&self.master_key_command),
            None => MasterKeySource::File(&self.master_key_file),
        }
    }
}

impl Default for CryptoConfig {
    fn default() -> Self {
        Self {
            master_key: Optional::NONE,
            master_key_file: FilePath("data/master.key".into()),
            master_key_command: Vec::new(),
            previous_master_key_files: Vec::new(),
        }
    }
}

/// Access tokens, refresh tokens and the keys that sign.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TokensConfig {
    /// `iss` of tokens: an https URL (http only for localhost). Empty: `http.public_url`.
    pub issuer: Optional<SecureUrl>,
    /// `aud` of tokens: who they are for, a text or a list. userd's own routes want the first, and a token is for it unless
    /// `resource` asks for one of the others.
    pub audience: Audiences,
    /// Life of an access token.
    #[schemars(extend("x-range" = ["30s", "1d"]))]
    pub access_ttl: Period,
    /// Life of a refresh token; each refresh begins it anew.
    #[schemars(extend("x-range" = ["1m", "400d"]))]
    pub refresh_ttl: Period,
    /// What new signing keys are made for. Keys of another algorithm stay valid until they are retired.
    pub algorithm: SigningAlgorithm,
    /// How long a key signs before the next one takes over.
    #[schemars(extend("x-range" = ["1h", "1000d"]))]
    pub rotation_period: Period,
    /// How long a key is published before it signs: longer than others cache the JWKS.
    #[schemars(extend("x-range" = ["1m", "30d"]))]
    pub publish_before: Period,
    /// Verified tokens remembered in this process, so that each is verified once.
    #[schemars(range(min = 0, max = 10_000_000))]
    pub verified_cache_entries: u32,
}

impl Default for TokensConfig {
    fn default() -> Self {
        Self {
            issuer: Optional::NONE,
            audience: Audiences(vec!["userd".to_owned()]),
            access_ttl: Period::minutes(10),
            refresh_ttl: Period::days(30),
            algorithm: SigningAlgorithm::EdDSA,
            rotation_period: Period::days(30),
            publish_before: Period::hours(1),
            verified_cache_entries: 50_000,
        }
    }
}

/// Whom tokens may be for: at least one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "OneOrMany", into = "OneOrMany")]
pub struct Audiences(pub Vec<String>);

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl From<OneOrMany> for Audiences {
    fn from(given: OneOrMany) -> Self {
        match given {
            OneOrMany::One(one) => Self(vec![one]),
            OneOrMany::Many(many) => Self(many),
        }
    }
}

impl From<Audiences> for OneOrMany {
    fn from(Audiences(mut all): Audiences) -> Self {
        match all.pop() {
            Some(only) if all.is_empty() => Self::One(only),
            last => Self::Many(all.into_iter().chain(last).collect()),
        }
    }
}

impl JsonSchema for Audiences {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Audiences".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": ["string", "array"],
            "minLength": 1,
            "maxLength": 256,
            "items": { "type": "string", "minLength": 1, "maxLength": 256 },
            "minItems": 1,
            "maxItems": 64,
        })
    }
}

/// A signature algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[expect(
    missing_docs,
    reason = "the names are those of RFC 7518 and RFC 8037; a doc line would double them in the schema"
)]
pub enum SigningAlgorithm {
    EdDSA,
    ES256,
    RS256,
}

/// What passwords must be and how they are hashed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PasswordsConfig {
    /// Characters at least.
    #[schemars(range(min = 8, max = 128))]
    pub min_length: u32,
    /// The cost of one hash. A password hashed at another cost is hashed anew at its next use.
    pub argon2: Argon2Config,
    /// Threads that hash; 0: one per core, but no more than half of the memory holds that the control group or the machine
    /// has. They take at most this times `argon2.memory_kib`.
    #[schemars(range(min = 0, max = 1_024))]
    pub workers: u32,
    /// Hashes that may wait; more are answered 503 with Retry-After.
    #[schemars(range(min = 1, max = 100_000))]
    pub queue: u32,
    /// The longest wait for a hash; then 503.
    #[schemars(extend("x-range" = ["100ms", "2m"]))]
    pub queue_timeout: Period,
    /// A secret that is mixed into every hash and is not in the database: 32 bytes in base64. Changing it voids all
    /// passwords.
    pub pepper: Optional<Secret>,
    /// File with that secret.
    pub pepper_file: Optional<FilePath>,
    /// Words that make a password too easy to guess here, such as the name of the product.
    #[schemars(length(max = 256), inner(length(min = 3, max = 64)))]
    pub context_words: Vec<String>,
    /// The page on which a password is changed, for password managers (`/.well-known/change-password`).
    pub change_url: Optional<SecureUrl>,
}

impl Default for PasswordsConfig {
    fn default() -> Self {
        Self {
            min_length: 12,
            argon2: Argon2Config::default(),
            workers: 0,
            queue: 256,
            queue_timeout: Period::seconds(10),
            pepper: Optional::NONE,
            pepper_file: Optional::NONE,
            context_words: Vec::new(),
            change_url: Optional(None),
        }
    }
}

/// The cost of argon2id (RFC 9106).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Argon2Config {
    /// Memory of one hash, in KiB.
    #[schemars(range(min = 8_192, max = 4_194_304))]
    pub memory_kib: u32,
    /// Passes over the memory.
    #[schemars(range(min = 1, max = 64))]
    pub iterations: u32,
    /// Lanes.
    #[schemars(range(min = 1, max = 64))]
    pub parallelism: u32,
}

impl Default for Argon2Config {
    fn default() -> Self {
        Self { memory_kib: 19_456, iterations: 2, parallelism: 1 }
    }
}
