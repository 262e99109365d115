//! What services obey, parsed and checked by the wiring.

use std::time::Duration;

use userd_model::{Document, Email, Refusal, password::PasswordRules};

use crate::{limits::LimitSettings, sign_in::SignInSettings};

/// The settings of all services.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `iss` of tokens.
    pub issuer: String,
    /// What tokens may be for (`aud`), the first where nothing else is asked for. This service's own routes want the first.
    pub audiences: Vec<String>,
    /// Life of an access token.
    pub access_ttl: Duration,
    /// Life of a refresh token; each refresh begins it anew.
    pub refresh_ttl: Duration,
    /// The longest a session may be refreshed, whatever its use.
    pub session_max_lifetime: Duration,
    /// Sessions one user may have; a further sign-in ends the oldest.
    pub sessions_per_user: usize,
    /// The algorithm new signing keys are made for.
    pub algorithm: userd_crypto::Algorithm,
    /// How long a key signs before the next one takes over.
    pub rotation_period: Duration,
    /// How long a key is published before it signs.
    pub publish_before: Duration,
    /// What a new password must satisfy.
    pub password_rules: PasswordRules,
    /// Who may register.
    pub registration: RegistrationMode,
    /// Roles whose holders decide about accounts that wait until they are approved, beside whoever administers accounts.
    pub registration_approvers: Vec<String>,
    /// Whether those who decide requests may do so by a button of the bot, where the role allows it.
    pub decide_in_chat: bool,
    /// Whether pages stand beside the API: what needs one can lead there.
    pub has_pages: bool,
    /// Whether an account begins when its address is confirmed.
    pub email_confirmation_required: bool,
    /// The documents that accounts need, in the versions that count now.
    pub documents: Vec<Document>,
    /// Whether a code that is sent to a proven address signs in.
    pub email_code_sign_in: bool,
    /// Whose addresses may be used.
    pub email_domains: EmailDomains,
    /// How long a deleted account can be restored.
    pub restore_window: Duration,
    /// The limits to begin with; see `Services::reload`.
    pub limits: LimitSettings,
    /// Sign-in through providers.
    pub sign_in: SignInSettings,
    /// How long things are kept.
    pub retention: Retention,
    /// Patience with receivers of webhooks.
    pub webhooks: WebhookSettings,
    /// Whether no other process serves this database, as a lock of the system says: then whoever had a lease is gone.
    pub serves_alone: bool,
    /// How fresh a sign-in must be for linking and other sensitive acts.
    pub fresh_sign_in: Duration,
    /// Who must show two factors.
    pub mfa: MfaSettings,
    /// What browsers and password managers look up.
    pub well_known: WellKnown,
}

/// Who may register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegistrationMode {
    /// Anybody.
    Open,
    /// Whoever shows an invitation.
    Invite,
    /// Anybody; an account without an invitation waits until it is approved.
    Approval,
    /// Nobody.
    Closed,
}

impl RegistrationMode {
    /// Whether a stranger may register, who shows an invitation or none.
    #[must_use]
    pub const fn admits(self, is_invited: bool) -> bool {
        match self {
            Self::Open | Self::Approval => true,
            Self::Invite => is_invited,
            Self::Closed => false,
        }
    }
}

/// Who must show two factors.
#[derive(Clone, Debug, Default)]
pub struct MfaSettings {
    /// Whoever holds one of these roles, or one that includes it. Whoever holds a second factor shows it in any case.
    pub required_for: Vec<String>,
    /// How long a device on which a second factor was shown stands for it at sign-ins by password; zero: never.
    pub remember_devices: Duration,
}

/// What browsers and password managers look up below `/.well-known`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WellKnown {
    /// Pages elsewhere that may use the passkeys of this domain.
    pub related_origins: Vec<String>,
    /// Where a passkey is set up.
    pub passkey_enroll: Option<String>,
    /// Where passkeys are managed.
    pub passkey_manage: Option<String>,
    /// Where a password is changed.
    pub change_password: Option<String>,
}

/// The domains whose e-mail addresses may be used here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EmailDomains {
    /// These alone; all where there are none.
    pub allowed: Vec<String>,
    /// Never these, nor what lies below them.
    pub blocked: Vec<String>,
}

impl EmailDomains {
    /// Refuses an address at a domain that is not wanted.
    ///
    /// # Errors
    /// `InvalidInput` at `/email`.
    pub fn must_admit(&self, email: &Email) -> Result<(), Refusal> {
        let domain = email.domain();
        let below = |blocked: &String| domain.strip_suffix(blocked.as_str()).is_some_and(|rest| rest.ends_with('.'));
        let is_blocked = self.blocked.iter().any(|blocked| blocked == domain || below(blocked));
        let is_allowed = self.allowed.is_empty() || self.allowed.iter().any(|allowed| allowed == domain);
        if is_allowed && !is_blocked {
            return Ok(());
        }
        Err(Refusal::field("/email", "is at a domain whose addresses are not accepted here"))
    }
}

impl Settings {
    /// The name of the service for people: its host.
    #[must_use]
    pub fn site(&self) -> String {
        let url = url::Url::parse(&self.sign_in.public_url).ok();
        url.as_ref().and_then(url::Url::host_str).unwrap_or("userd").to_owned()
    }

    /// The audience of tokens that are for `resource`, as a request asks for it (RFC 8707), or for this service.
    ///
    /// # Errors
    /// `InvalidTarget` for what is not configured.
    pub fn audience(&self, resource: Option<&str>) -> Result<&str, Refusal> {
        let mut known = self.audiences.iter().map(String::as_str);
        match resource {
            Some(resource) => known.find(|audience| *audience == resource).ok_or(Refusal::InvalidTarget),
            None => Ok(known.next().unwrap_or_default()),
        }
    }
}

/// How long things are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Events.
    pub events: Duration,
    /// Entries of the audit log.
    pub audit: Duration,
    /// Notifications, unless whoever sends one says less.
    pub inbox: Duration,
    /// Deliveries that are done.
    pub deliveries: Duration,
    /// Dead letters.
    pub dead_letters: Duration,
    /// Mails in the development mailbox …
    pub mails: Duration,
    /// … and how many.
    pub mails_count: usize,
}

impl Default for Retention {
    fn default() -> Self {
        let days = |days: u64| Duration::from_secs(days * 24 * 3600);
        Self {
            events: days(90),
            audit: days(400),
            inbox: days(180),
            deliveries: days(7),
            dead_letters: days(30),
            mails: days(7),
            mails_count: 1_000,
        }
    }
}

/// Patience with receivers of webhooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WebhookSettings {
    /// How often an event is tried.
    pub tries: i64,
    /// For how long every call must fail until a webhook is switched off.
    pub disable_after: Duration,
}

impl Default for WebhookSettings {
    fn default() -> Self {
        Self { tries: 10, disable_after: Duration::from_secs(5 * 24 * 3600) }
    }
}
