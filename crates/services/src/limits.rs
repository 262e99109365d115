//! Limits on attempts: what is counted, by whom, and how long the delay is. An attempt is reserved before it is
//! verified, so that a parallel storm never gets more than its burst; a success gives its reservation back.
//!
//! Secrets of 256 random bits (of service accounts, links, invitations, challenges, codes of a sign-in) are the other way
//! round: nobody guesses them, so they are looked up first, and only failures are counted. A service that goes on with an
//! old secret, or a neighbour's mail program, keeps nobody out who shows a right one.
//!
//! A lock is a delay. A device that has signed in to an account before has a count of its own there, so guessing
//! from elsewhere never locks the owner out. All such devices of an account, and its sessions, share twice one's count:
//! whoever signs in twenty times has no twenty counts.
//!
//! That a limit of an account was reached is a fact; it is told by the background work (`limits_reached.rs`), so that an
//! answer takes no longer where there is an account than where there is none.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwap;
use userd_cache::{Limit, LimitAnswer};
use userd_model::{Refusal, UserId};
use userd_storage::Failure;

use crate::{Dependencies, RequestOrigin, mailbox_proofs::MOST_FAILURES};

/// Accounts of which is remembered that a limit was reached, until it is told: a moment.
const MOST_REACHED: usize = 10_000;

/// `burst` attempts at once, then one more per `period`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Attempts at once.
    pub burst: u32,
    /// Time for one attempt to come back.
    pub period: Duration,
}

/// Links that are none, from one network. Good ones are not counted, and no token can be guessed, so there is nothing to
/// configure.
const BAD_LINKS: Rate = Rate { burst: 120, period: Duration::from_secs(1) };

/// The rates, from the configuration.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "each field is the rate of what its name says")]
pub struct LimitSettings {
    pub enabled: bool,
    pub password_per_account: Rate,
    pub password_per_known_device: Rate,
    pub password_per_network: Rate,
    pub registration_per_network: Rate,
    pub refresh_per_session: Rate,
    pub client_per_network: Rate,
    pub sign_in_per_network: Rate,
    pub second_factor_per_account: Rate,
    pub second_factor_per_network: Rate,
    pub notification_per_sender: Rate,
    pub broadcast_per_sender: Rate,
    pub mail_per_network: Rate,
    pub mail_per_recipient: Rate,
    pub code_per_network: Rate,
    pub passkey_per_network: Rate,
}

impl Default for LimitSettings {
    fn default() -> Self {
        let rate = |burst, seconds| Rate { burst, period: Duration::from_secs(seconds) };
        Self {
            enabled: true,
            password_per_account: rate(20, 900),
            password_per_known_device: rate(20, 60),
            password_per_network: rate(60, 5),
            registration_per_network: rate(20, 30),
            refresh_per_session: rate(60, 1),
            client_per_network: rate(60, 5),
            sign_in_per_network: rate(60, 5),
            second_factor_per_account: rate(10, 900),
            second_factor_per_network: rate(20, 60),
            notification_per_sender: Rate { burst: 600, period: Duration::from_millis(100) },
            broadcast_per_sender: rate(10, 360),
            mail_per_network: rate(20, 30),
            mail_per_recipient: rate(5, 600),
            code_per_network: rate(30, 10),
            passkey_per_network: rate(60, 5),
        }
    }
}

/// Of one account: each reads all that is held about it.
const EXPORTS: Rate = Rate { burst: 10, period: Duration::from_secs(360) };
/// Of one user: each tells its approvers.
const ACCESS_REQUESTS: Rate = Rate { burst: 20, period: Duration::from_secs(180) };
/// Of one actor: each reads a good part of the audit log.
const VERIFICATIONS: Rate = Rate { burst: 10, period: Duration::from_secs(30) };
/// Of one user: set-ups, first codes, removals. Whoever does it knows the secret, so it is no guessing.
const FACTOR_CHANGES: Rate = Rate { burst: 20, period: Duration::from_secs(30) };
/// Of one user: each new username takes the old one out of use for good.
const USERNAMES: Rate = Rate { burst: 5, period: Duration::from_secs(24 * 3600) };
/// Of one actor: each makes a call to somewhere else.
const WEBHOOK_TESTS: Rate = Rate { burst: 20, period: Duration::from_secs(3) };

/// Of one actor: each puts up to a thousand calls to somewhere else into a queue.
const RESENDS: Rate = Rate { burst: 60, period: Duration::from_secs(1) };

/// Of one service account: its streams of shared signals, each change of which is a handful of reads and writes.
const STREAM_CHANGES: Rate = Rate { burst: 60, period: Duration::from_secs(1) };
/// Of one service account: taking signals. Each is a read, and where something waits a signature for each.
const STREAM_POLLS: Rate = Rate { burst: 200, period: Duration::from_millis(50) };
/// Of one actor: accounts made for others. Whoever moves people here at once has `userd import`.
const ACCOUNTS_MADE: Rate = Rate { burst: 1000, period: Duration::from_millis(100) };
/// Of one actor: links to set a password, sent to others. What one mailbox gets is counted besides.
const RESETS_SENT: Rate = Rate { burst: 60, period: Duration::from_secs(1) };
/// Of one actor: ending every session of somebody.
const TOKEN_REVOCATIONS: Rate = Rate { burst: 100, period: Duration::from_millis(100) };

/// Pages with something of somebody on them, from one network: each reads a little.
const PAGES: Rate = Rate { burst: 600, period: Duration::from_millis(20) };

/// What is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named like the settings")]
pub enum Limited {
    PasswordPerAccount,
    PasswordPerKnownDevice,
    PasswordPerKnownDevices,
    PasswordPerNetwork,
    RegistrationPerNetwork,
    RefreshPerSession,
    ClientPerNetwork,
    SignInPerNetwork,
    SecondFactorPerAccount,
    SecondFactorPerNetwork,
    FactorChange,
    NotificationPerSender,
    BroadcastPerSender,
    LinkPerNetwork,
    ExportPerUser,
    UsernamePerUser,
    AccessRequestPerUser,
    AuditVerification,
    MailPerNetwork,
    MailPerRecipient,
    MailPerRecipientFromAll,
    MailPerUser,
    CodePerNetwork,
    CodePerAddress,
    PagePerNetwork,
    PasskeyPerNetwork,
    WebhookTest,
    Resend,
    StreamChange,
    StreamPoll,
    TokenRevocation,
    AccountMade,
    ResetSent,
}

/// Enforces the limits.
#[derive(Clone)]
pub struct Limits {
    deps: Dependencies,
    rates: Arc<ArcSwap<LimitSettings>>,
    /// Limits of accounts that were reached here, with the time in which a whole burst comes back.
    reached: Arc<Mutex<HashMap<(UserId, &'static str), Duration>>>,
}

impl Limits {
    pub(crate) fn new(deps: Dependencies) -> Self {
        let rates = Arc::new(ArcSwap::from_pointee(deps.settings.limits));
        Self { deps, rates, reached: Arc::default() }
    }

    /// Other rates from now on. What was counted stays.
    pub(crate) fn replace(&self, rates: LimitSettings) {
        self.rates.store(Arc::new(rates));
    }

    /// Whether attempts are limited at all.
    pub(crate) fn enabled(&self) -> bool {
        self.rates.load().enabled
    }

    /// Reserves one attempt.
    ///
    /// # Errors
    /// `TooManyAttempts` with the time after which one more is free.
    pub async fn reserve(&self, what: Limited, key: &str) -> Result<(), Refusal> {
        let Some(limit) = self.limit(what) else { return Ok(()) };
        match self.deps.cache.check(&limit, key, 1).await {
            LimitAnswer::Allowed => Ok(()),
            LimitAnswer::RetryAfter(wait) => {
                metrics::counter!("userd_attempts_delayed_total", "limit" => limit.name).increment(1);
                Err(Refusal::TooManyAttempts(wait))
            }
        }
    }

    /// Reserves one attempt at an account, where there is one; otherwise of a name that nobody has.
    ///
    /// # Errors
    /// `TooManyAttempts`.
    pub(crate) async fn reserve_at(&self, what: Limited, key: &str, account: Option<UserId>) -> Result<(), Refusal> {
        let reserved = self.reserve(what, key).await;
        if let (Err(_), Some(account), Some(limit)) = (&reserved, account, self.limit(what)) {
            let mut reached = self.reached.lock().unwrap_or_else(PoisonError::into_inner);
            if reached.len() < MOST_REACHED {
                reached.insert((account, limit.name), limit.period);
            }
        }
        reserved
    }

    /// What was reached since this was asked last.
    pub(crate) fn take_reached(&self) -> Vec<(UserId, &'static str, Duration)> {
        let mut reached = self.reached.lock().unwrap_or_else(PoisonError::into_inner);
        reached.drain().map(|((account, limit), period)| (account, limit, period)).collect()
    }

    /// Reserves one attempt for where the request comes from.
    ///
    /// # Errors
    /// `TooManyAttempts`.
    pub async fn reserve_from(&self, what: Limited, origin: &RequestOrigin) -> Result<(), Refusal> {
        self.reserve(what, &origin.network).await
    }

    /// Counts what showing a random secret came to, if it was refused; a right one passes, whatever others have shown.
    ///
    /// # Errors
    /// The refusal itself; `TooManyAttempts` in its place where there were too many.
    pub(crate) async fn count_failure<T>(
        &self,
        what: Limited,
        origin: &RequestOrigin,
        outcome: Result<T, Failure>,
    ) -> Result<T, Failure> {
        let is_refused = matches!(outcome, Err(Failure::Refused(_)));
        if is_refused {
            self.reserve_from(what, origin).await?;
        }
        outcome
    }

    /// Gives a reservation back: the attempt was right.
    pub async fn give_back(&self, what: Limited, key: &str) {
        if let Some(limit) = self.limit(what) {
            self.deps.cache.refund(&limit, key).await;
        }
    }

    fn limit(&self, what: Limited) -> Option<Limit> {
        let settings = self.rates.load();
        if !settings.enabled {
            return None;
        }
        let (name, rate) = match what {
            Limited::PasswordPerAccount => ("password_per_account", settings.password_per_account),
            Limited::PasswordPerKnownDevice => ("password_per_known_device", settings.password_per_known_device),
            Limited::PasswordPerKnownDevices => {
                ("password_per_known_devices", twice(settings.password_per_known_device))
            }
            Limited::PasswordPerNetwork => ("password_per_network", settings.password_per_network),
            Limited::RegistrationPerNetwork => ("registration_per_network", settings.registration_per_network),
            Limited::RefreshPerSession => ("refresh_per_session", settings.refresh_per_session),
            Limited::ClientPerNetwork => ("client_per_network", settings.client_per_network),
            Limited::SignInPerNetwork => ("sign_in_per_network", settings.sign_in_per_network),
            Limited::SecondFactorPerAccount => ("second_factor_per_account", settings.second_factor_per_account),
            Limited::SecondFactorPerNetwork => ("second_factor_per_network", settings.second_factor_per_network),
            Limited::FactorChange => ("factor_change", FACTOR_CHANGES),
            Limited::NotificationPerSender => ("notification_per_sender", settings.notification_per_sender),
            Limited::BroadcastPerSender => ("broadcast_per_sender", settings.broadcast_per_sender),
            Limited::UsernamePerUser => ("username_per_user", USERNAMES),
            Limited::ExportPerUser => ("export_per_user", EXPORTS),
            Limited::AccessRequestPerUser => ("access_request_per_user", ACCESS_REQUESTS),
            Limited::AuditVerification => ("audit_verification", VERIFICATIONS),
            Limited::MailPerNetwork => ("mail_per_network", settings.mail_per_network),
            Limited::MailPerRecipient => ("mail_per_recipient", settings.mail_per_recipient),
            Limited::MailPerRecipientFromAll => ("mail_per_recipient_from_all", from_all(settings.mail_per_recipient)),
            Limited::MailPerUser => ("mail_per_user", settings.mail_per_recipient),
            Limited::CodePerNetwork => ("code_per_network", settings.code_per_network),
            Limited::CodePerAddress => ("code_per_address", guesses_at(settings.mail_per_recipient)),
            Limited::PasskeyPerNetwork => ("passkey_per_network", settings.passkey_per_network),
            Limited::LinkPerNetwork => ("link_per_network", BAD_LINKS),
            Limited::PagePerNetwork => ("page_per_network", PAGES),
            Limited::WebhookTest => ("webhook_test", WEBHOOK_TESTS),
            Limited::Resend => ("resend", RESENDS),
            Limited::StreamChange => ("stream_change", STREAM_CHANGES),
            Limited::StreamPoll => ("stream_poll", STREAM_POLLS),
            Limited::TokenRevocation => ("token_revocation", TOKEN_REVOCATIONS),
            Limited::AccountMade => ("account_made", ACCOUNTS_MADE),
            Limited::ResetSent => ("reset_sent", RESETS_SENT),
        };
        // The cache counts the time in which a whole burst comes back.
        Some(Limit { name, burst: rate.burst, period: rate.period * rate.burst })
    }
}

/// What all networks together may have sent to one address: four times as much at once, and no more than one of them as time
/// goes on, so that a mailbox is not flooded from many.
const fn from_all(one: Rate) -> Rate {
    Rate { burst: one.burst.saturating_mul(4), period: one.period }
}

/// Wrong codes for one address: five for each mail that one network may have sent to it.
fn guesses_at(mails: Rate) -> Rate {
    Rate { burst: mails.burst.saturating_mul(MOST_FAILURES), period: mails.period / MOST_FAILURES }
}

/// Twice as much in the same time.
fn twice(rate: Rate) -> Rate {
    Rate { burst: rate.burst.saturating_mul(2), period: rate.period / 2 }
}
