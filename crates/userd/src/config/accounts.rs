//! Keys of accounts: sessions, limits on attempts, registration, deletion, where a sign-in may lead.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    text::Optional,
    urls::{ReturnUrl, SecureUrl, WebOrigin},
    values::{FilePath, InputFile, Period, Rate},
};

/// Sessions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SessionsConfig {
    /// Sessions one user may have; a further sign-in ends the oldest.
    #[schemars(range(min = 1, max = 1_000))]
    pub max_per_user: u32,
    /// The longest a session may be refreshed, whatever its use.
    #[schemars(extend("x-range" = ["1m", "3650d"]))]
    pub max_lifetime: Period,
    /// A file in MaxMind's format (.mmdb) that says where addresses are, by city or by country: devices and messages about
    /// sign-ins then name the place. It is held in memory, and read again at SIGHUP. Empty: addresses alone.
    pub places_file: Optional<InputFile>,
}

impl Default for SessionsConfig {
    fn default() -> Self {
        Self { max_per_user: 100, max_lifetime: Period::days(365), places_file: Optional(None) }
    }
}

/// Limits on attempts. A network is one IPv4 address or one IPv6 /64.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RateLimitsConfig {
    /// Whether attempts are limited at all. `false` is for measurements.
    pub enabled: bool,
    /// Wrong passwords for one account from devices it does not know.
    pub password_per_account: Rate,
    /// Wrong passwords for one account from one device that has signed in before.
    pub password_per_known_device: Rate,
    /// Wrong passwords from one network.
    pub password_per_network: Rate,
    /// Registrations from one network.
    pub registration_per_network: Rate,
    /// Refreshes of one session.
    pub refresh_per_session: Rate,
    /// Failed authentications of service clients from one network.
    pub client_per_network: Rate,
    /// Sign-ins through providers begun from one network.
    pub sign_in_per_network: Rate,
    /// Wrong second factors for one account, of each kind.
    pub second_factor_per_account: Rate,
    /// Wrong second factors from one network, whatever the account.
    pub second_factor_per_network: Rate,
    /// Notifications that one user or service sends.
    pub notification_per_sender: Rate,
    /// Of these, those to everybody who holds a role, or to everybody.
    pub broadcast_per_sender: Rate,
    /// Mails asked for from one network by whoever is not signed in: a forgotten password, a confirmation.
    pub mail_per_network: Rate,
    /// Mails of one kind that one network has sent to one address; and changes of address that one account asks for.
    pub mail_per_recipient: Rate,
    /// Wrong codes of mails from one network. Five wrong ones end a code in any case.
    pub code_per_network: Rate,
    /// Sign-ins and proofs by passkeys begun from one network, and wrong ones.
    pub passkey_per_network: Rate,
}

impl Default for RateLimitsConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            password_per_account: Rate::new(20, Period::minutes(15)),
            password_per_known_device: Rate::new(20, Period::minutes(1)),
            password_per_network: Rate::new(60, Period::seconds(5)),
            registration_per_network: Rate::new(20, Period::seconds(30)),
            refresh_per_session: Rate::new(60, Period::seconds(1)),
            client_per_network: Rate::new(60, Period::seconds(5)),
            sign_in_per_network: Rate::new(60, Period::seconds(5)),
            second_factor_per_account: Rate::new(10, Period::minutes(15)),
            second_factor_per_network: Rate::new(20, Period::minutes(1)),
            notification_per_sender: Rate::new(600, Period::milliseconds(100)),
            broadcast_per_sender: Rate::new(10, Period::minutes(6)),
            mail_per_network: Rate::new(20, Period::seconds(30)),
            mail_per_recipient: Rate::new(5, Period::minutes(10)),
            code_per_network: Rate::new(30, Period::seconds(10)),
            passkey_per_network: Rate::new(60, Period::seconds(5)),
        }
    }
}

/// Who may register.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RegistrationConfig {
    /// `open`: anybody; `invite`: who holds an invitation; `approval`: anybody, and who holds no invitation signs in once the
    /// account is approved; `closed`: nobody.
    pub mode: RegistrationMode,
    /// With `approval`: roles whose holders are asked and decide. None: whoever holds `users.manage`, who may decide in any
    /// case.
    #[schemars(length(max = 64))]
    pub approvers: Vec<String>,
    /// `deferred`: an account begins at once, and its e-mail address may be confirmed later. `required`: it begins when
    /// its address is confirmed, and registration does not tell who has an account.
    pub email_confirmation: EmailConfirmation,
    /// The domains whose e-mail addresses may be used here; all where there are none.
    #[schemars(length(max = 1000))]
    pub allowed_domains: Vec<String>,
    /// Domains whose e-mail addresses may not be used here, nor those below them.
    #[schemars(length(max = 10_000))]
    pub blocked_domains: Vec<String>,
    /// Documents that accounts need, such as terms of use. Whoever has not accepted a required one in this version is asked
    /// for it at the next sign-in, however they come in.
    #[schemars(length(max = 64))]
    pub documents: Vec<DocumentConfig>,
}

/// A document that accounts need.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DocumentConfig {
    /// Lower-case letters, digits, `-` and `_`, at most 32: stored with what is accepted, never change it.
    pub id: String,
    /// A word of at most 64 characters. Another one, and it is asked for anew.
    pub version: String,
    /// Where it can be read.
    pub url: SecureUrl,
    /// Whether nobody signs in who has not accepted it. Default: true.
    #[serde(default = "yes")]
    pub required: bool,
}

const fn yes() -> bool {
    true
}

impl Default for RegistrationConfig {
    fn default() -> Self {
        Self {
            mode: RegistrationMode::Open,
            approvers: Vec::new(),
            email_confirmation: EmailConfirmation::Deferred,
            allowed_domains: Vec::new(),
            blocked_domains: Vec::new(),
            documents: Vec::new(),
        }
    }
}

/// Who may register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "explained at the key; doc lines would make the schema a list of alternatives")]
pub enum RegistrationMode {
    Open,
    Invite,
    Approval,
    Closed,
}

/// When an e-mail address must be confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "explained at the key; doc lines would make the schema a list of alternatives")]
pub enum EmailConfirmation {
    Required,
    Deferred,
}

/// Second factors. Whoever holds one is asked for it in any case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MfaConfig {
    /// Roles whose holders must have a second factor: who has none is led to set one up, and can do nothing else.
    #[schemars(length(max = 64))]
    pub required_for: Vec<String>,
    /// How long a device on which a second factor was shown is not asked for it again at a sign-in by password; never
    /// for whom `required_for` names. `0s`: it is always asked for.
    #[schemars(extend("x-range" = ["0s", "365d"]))]
    pub remember_devices: Period,
}

impl Default for MfaConfig {
    fn default() -> Self {
        Self { required_for: Vec::new(), remember_devices: Period::seconds(0) }
    }
}

/// Passkeys: a way in without a password, and a second factor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PasskeysConfig {
    /// Whether there are any. They need a domain: where `http.public_url` is an address and `rp_id` is not given, there are
    /// none. On a loopback address they belong to `localhost`.
    pub enabled: bool,
    /// The domain that they belong to; never change it, or all of them are lost. Empty: the host of `http.public_url`.
    #[schemars(length(max = 253))]
    pub rp_id: String,
    /// What people read. Empty: the domain.
    #[schemars(length(max = 64))]
    pub rp_name: String,
    /// Web origins at the domain or below it whose pages may ask for passkeys. Empty: `http.public_url`.
    #[schemars(length(max = 64))]
    pub origins: Vec<WebOrigin>,
    /// Android apps that may, by their certificates: `android:apk-key-hash:…`.
    #[schemars(length(max = 64))]
    pub android_apps: Vec<String>,
    /// Web origins elsewhere that may use the same passkeys: `/.well-known/webauthn` at the domain names them to browsers.
    #[schemars(length(max = 64))]
    pub related_origins: Vec<WebOrigin>,
    /// The page on which a passkey is set up, for password managers (`/.well-known/passkey-endpoints`).
    pub enroll_url: Optional<SecureUrl>,
    /// The page on which passkeys are managed.
    pub manage_url: Optional<SecureUrl>,
}

impl Default for PasskeysConfig {
    fn default() -> Self {
        Self {
            enabled: userd_passkeys::BUILT,
            rp_id: String::new(),
            rp_name: String::new(),
            origins: Vec::new(),
            android_apps: Vec::new(),
            related_origins: Vec::new(),
            enroll_url: Optional(None),
            manage_url: Optional(None),
        }
    }
}

/// The end of accounts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AccountsConfig {
    /// How long a deleted account can be restored before it is erased.
    #[schemars(extend("x-range" = ["0s", "365d"]))]
    pub restore_window: Period,
    /// The file that names erased accounts, outside the database, so that `userd restore` erases them in a backup too.
    /// Empty: beside the embedded database; none with PostgreSQL.
    pub purge_ledger: Optional<FilePath>,
}

impl Default for AccountsConfig {
    fn default() -> Self {
        Self { restore_window: Period::days(30), purge_ledger: Optional(None) }
    }
}

/// Sign-in without a password.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SignInConfig {
    /// Where a browser or an app may be sent after signing in; `return_to` must equal one of them. An app's own scheme
    /// is a reversed domain name: `com.example.app:/signed-in`.
    #[schemars(length(max = 256))]
    pub return_to: Vec<ReturnUrl>,
    /// Other hosts whose proxy asks `/v1/forward-auth` whom a request is of, by their origins: `https://app.example.org`. The
    /// proxy is one of `http.trusted_proxies`, and passes `/_userd/` of the host on to here.
    #[schemars(length(max = 256))]
    pub forward_auth: Vec<WebOrigin>,
    /// Whether a code that is sent to a proven e-mail address signs in. Whoever reads somebody's mail is then in; a second
    /// factor is asked for all the same.
    pub email_code: bool,
}
