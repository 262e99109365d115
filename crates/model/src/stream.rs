//! Streams of shared signals: what a receiver set up, how far it is, and what it may be told (OpenID Shared Signals 1.0,
//! CAEP 1.0, RISC 1.0). Deliberately absent: what a signal says (services make it of an event), and sending it.

use std::time::Duration;

use crate::{ClientId, Sealed, StreamId, Timestamp, UserId};

/// How many streams there may be.
pub const MAX_STREAMS: usize = 200;
/// How many of them one service account may have.
pub const MAX_STREAMS_OF_CLIENT: usize = 4;
/// A receiver may ask for a proof of life this often.
pub const MIN_VERIFICATION_INTERVAL: Duration = Duration::from_secs(60);

macro_rules! signals {
    ($($(#[doc = $doc:literal])+ $name:ident = $uri:literal),+ $(,)?) => {
        /// What a receiver may be told. The others do not happen here.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Signal { $($(#[doc = $doc])+ $name),+ }

        impl Signal {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The published type.
            #[must_use]
            pub const fn uri(self) -> &'static str {
                match self { $(Self::$name => $uri),+ }
            }
        }
    };
}

signals! {
    /// A session ended.
    SessionRevoked = "https://schemas.openid.net/secevent/caep/event-type/session-revoked",
    /// Roles or permissions changed: tokens that are out are wrong.
    TokenClaimsChange = "https://schemas.openid.net/secevent/caep/event-type/token-claims-change",
    /// A password or second factor was made, changed or removed.
    CredentialChange = "https://schemas.openid.net/secevent/caep/event-type/credential-change",
    /// A session counts for more than before.
    AssuranceLevelChange = "https://schemas.openid.net/secevent/caep/event-type/assurance-level-change",
    /// The account was shut, or deleted so that it can be restored.
    AccountDisabled = "https://schemas.openid.net/secevent/risc/event-type/account-disabled",
    /// It is open again.
    AccountEnabled = "https://schemas.openid.net/secevent/risc/event-type/account-enabled",
    /// It was erased.
    AccountPurged = "https://schemas.openid.net/secevent/risc/event-type/account-purged",
    /// Its owner must choose a new password.
    AccountCredentialChangeRequired =
        "https://schemas.openid.net/secevent/risc/event-type/account-credential-change-required",
}

impl Signal {
    /// The signal of a published type.
    #[must_use]
    pub fn parse(uri: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|signal| signal.uri() == uri)
    }
}

/// Whether signals go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamStatus {
    /// They do.
    Enabled,
    /// They are held until they do again.
    Paused,
    /// They are not kept.
    Disabled,
}

impl StreamStatus {
    /// The published word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Paused => "paused",
            Self::Disabled => "disabled",
        }
    }

    /// The status of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Enabled, Self::Paused, Self::Disabled].into_iter().find(|status| status.as_str() == word)
    }
}

/// A stream of one receiver.
#[derive(Clone, Debug, PartialEq)]
pub struct Stream {
    /// `stream_id`.
    pub id: StreamId,
    /// Whose it is, and `aud` of what it carries: no access token has this audience.
    pub client_id: ClientId,
    /// The types that were asked for, known here or not.
    pub requested: Vec<String>,
    /// What its receiver says of it.
    pub description: Option<String>,
    /// Where signals are pushed to, and with which authorization; none: its receiver polls.
    pub push: Option<Sealed>,
    /// Whether signals go out.
    pub status: StreamStatus,
    /// Why it is so.
    pub reason: Option<String>,
    /// How far in the event log it is: the last position of each shard.
    pub cursor: Vec<i64>,
    /// How many signals have been queued so far.
    pub queued: i64,
    /// When its receiver last asked for a proof of life.
    pub verified_at: Option<Timestamp>,
    /// Since when every push has failed.
    pub failing_since: Option<Timestamp>,
    /// How often the signal in front was tried.
    pub attempts: i64,
    /// When it is tried again.
    pub due_at: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed by somebody.
    pub updated_at: Timestamp,
    /// Counts changes by somebody.
    pub version: i64,
}

impl Stream {
    /// The signals that it carries: those that were asked for and happen here.
    #[must_use]
    pub fn delivered(&self) -> Vec<Signal> {
        Signal::ALL.iter().copied().filter(|signal| self.wants(*signal)).collect()
    }

    /// Whether it carries this signal.
    #[must_use]
    pub fn wants(&self, signal: Signal) -> bool {
        self.requested.iter().any(|uri| uri == signal.uri())
    }

    /// Whether what happens goes into its queue.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.status == StreamStatus::Enabled
    }

    /// Another status. It is tried at once.
    pub fn set_status(&mut self, status: StreamStatus, reason: Option<String>, now: Timestamp) {
        (self.status, self.reason) = (status, reason);
        (self.failing_since, self.attempts, self.due_at) = (None, 0, now);
        self.touch(now);
    }

    /// Somebody changed it.
    pub fn touch(&mut self, now: Timestamp) {
        self.updated_at = now;
        self.version += 1;
    }

    /// How long its receiver must wait until it may ask for a proof of life again.
    #[must_use]
    pub fn verification_wait(&self, now: Timestamp) -> Option<Duration> {
        let next = self.verified_at?.plus(MIN_VERIFICATION_INTERVAL);
        (next > now).then(|| next.since(now))
    }

    /// A new one, from which nothing was asked yet.
    #[must_use]
    pub fn new(id: StreamId, client_id: ClientId, now: Timestamp) -> Self {
        Self {
            id,
            client_id,
            requested: Vec::new(),
            description: None,
            push: None,
            status: StreamStatus::Enabled,
            reason: None,
            cursor: Vec::new(),
            queued: 0,
            verified_at: None,
            failing_since: None,
            attempts: 0,
            due_at: now,
            created_at: now,
            updated_at: now,
            version: 1,
        }
    }

    /// A signal was taken.
    pub fn pushed(&mut self, now: Timestamp) {
        (self.failing_since, self.attempts, self.due_at) = (None, 0, now);
    }

    /// A push failed. Answers whether every one has for so long that no more is to be tried.
    pub fn push_failed(&mut self, wait: Duration, patience: Duration, now: Timestamp) -> bool {
        self.attempts += 1;
        self.due_at = now.plus(wait);
        let since = *self.failing_since.get_or_insert(now);
        now.since(since) >= patience
    }
}

/// A signal that waits to be taken.
#[derive(Clone, Debug, PartialEq)]
pub struct QueuedSignal {
    /// Of which stream.
    pub stream_id: StreamId,
    /// `jti`: the same however often the same is queued.
    pub id: uuid::Uuid,
    /// Its place in the queue.
    pub number: i64,
    /// Whom it is about; none: the stream itself. Those are sent whatever the status is.
    pub user_id: Option<UserId>,
    /// What it says, to be signed: a JSON object.
    pub payload: serde_json::Value,
    /// When it was queued.
    pub created_at: Timestamp,
    /// When nobody needs it any more.
    pub expires_at: Timestamp,
}

/// A key that signals are signed with, the private half sealed.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamKey {
    /// Its name: the thumbprint of the public half.
    pub kid: String,
    /// The public half (RFC 7517).
    pub public_jwk: serde_json::Value,
    /// The private half, PKCS#8, sealed.
    pub private_key: Sealed,
    /// When it was made.
    pub created_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_signal_has_a_type_of_its_own_that_names_it() {
        for signal in Signal::ALL {
            assert_eq!(Signal::parse(signal.uri()), Some(*signal));
        }
        assert_eq!(Signal::parse("https://schemas.openid.net/secevent/caep/event-type/device-compliance-change"), None);
    }

    #[test]
    fn a_proof_of_life_is_asked_for_once_a_minute() {
        let at = Timestamp::from_seconds;
        let mut stream = Stream::new(StreamId(uuid::Uuid::nil()), ClientId(uuid::Uuid::nil()), at(0));
        assert_eq!(stream.verification_wait(at(5)), None, "never asked");
        stream.verified_at = Some(at(10));
        for (now, wait) in [(10, Some(60)), (69, Some(1)), (70, None), (99, None)] {
            assert_eq!(stream.verification_wait(at(now)), wait.map(Duration::from_secs), "{now}");
        }
    }

    #[test]
    fn a_stream_carries_what_was_asked_for_and_is_known() {
        let at = Timestamp::from_seconds;
        let mut stream = Stream::new(StreamId(uuid::Uuid::nil()), ClientId(uuid::Uuid::nil()), at(0));
        assert_eq!(stream.delivered(), []);
        stream.requested = vec![Signal::AccountPurged.uri().to_owned(), "https://later.example/signal".to_owned()];
        assert_eq!(stream.delivered(), [Signal::AccountPurged]);
        assert!(stream.wants(Signal::AccountPurged) && !stream.wants(Signal::AccountEnabled));
        stream.push_failed(Duration::from_secs(60), Duration::from_secs(3600), at(1));
        assert!(stream.is_enabled());
        stream.set_status(StreamStatus::Paused, Some("maintenance".to_owned()), at(2));
        assert!(!stream.is_enabled());
        assert_eq!((stream.failing_since, stream.attempts, stream.due_at), (None, 0, at(2)));
        assert_eq!((stream.reason.as_deref(), stream.updated_at, stream.version), (Some("maintenance"), at(2), 2));
    }

    #[test]
    fn pushes_that_fail_for_long_enough_are_the_last_ones_and_one_that_is_taken_begins_anew() {
        let start = Timestamp::from_seconds(1_800_000_000);
        let (wait, patience) = (Duration::from_secs(60), Duration::from_secs(3600));
        let mut stream = Stream::new(StreamId(uuid::Uuid::nil()), ClientId(uuid::Uuid::nil()), start);
        assert!(!stream.push_failed(wait, patience, start));
        assert_eq!((stream.attempts, stream.due_at), (1, start.plus(wait)));
        assert!(!stream.push_failed(wait, patience, start.plus(patience - wait)));
        assert!(stream.push_failed(wait, patience, start.plus(patience)));
        stream.pushed(start.plus(patience));
        assert!(!stream.push_failed(wait, patience, start.plus(patience + wait)), "a new count");
    }
}
