//! A webhook: where another service wants to be told of events, of which, and how it fares. What is sent, and how it is
//! signed, is not known here.

use std::time::Duration;

use crate::{EventKind, InvalidField, Refusal, Sealed, Timestamp, UserId, WebhookId};

/// The most webhooks there may be: they are all looked at for each event.
pub const MAX_WEBHOOKS: usize = 200;
/// The most patterns of one webhook.
pub const MAX_PATTERNS: usize = 50;
/// How long secrets before the present one sign too.
const BOTH_SECRETS: Duration = Duration::from_hours(24);

/// Which events: a type (`user.registered`), all types that begin alike (`user.*`), or all (`*`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventPattern(String);

impl EventPattern {
    /// Reads a pattern that some event of this release matches.
    ///
    /// # Errors
    /// What would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let pattern = Self(text.to_owned());
        if EventKind::ALL.iter().any(|kind| pattern.matches(kind.as_str())) {
            return Ok(pattern);
        }
        let words = EventKind::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", ");
        Err(format!("no event is of this type; write `*`, a beginning such as `user.*`, or one of {words}"))
    }

    /// A pattern as it is stored: perhaps that of another release.
    #[must_use]
    pub const fn stored(text: String) -> Self {
        Self(text)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether events of this type are meant.
    #[must_use]
    pub fn matches(&self, kind: &str) -> bool {
        match self.0.strip_suffix('*') {
            Some("") => true,
            Some(beginning) if beginning.ends_with('.') => kind.starts_with(beginning),
            _ => self.0 == kind,
        }
    }
}

/// The patterns of a webhook, from texts: in the order given, each once.
///
/// # Errors
/// `InvalidInput`, with a pointer to each that is wrong.
pub fn patterns(texts: &[String]) -> Result<Vec<EventPattern>, Refusal> {
    if !(1..=MAX_PATTERNS).contains(&texts.len()) {
        return Err(Refusal::field("/events", format!("must have 1 to {MAX_PATTERNS} items")));
    }
    let (mut patterns, mut wrong) = (Vec::new(), Vec::new());
    for (at, text) in texts.iter().enumerate() {
        match EventPattern::parse(text) {
            Ok(pattern) if patterns.contains(&pattern) => {}
            Ok(pattern) => patterns.push(pattern),
            Err(detail) => wrong.push(InvalidField::new(format!("/events/{at}"), detail)),
        }
    }
    if wrong.is_empty() { Ok(patterns) } else { Err(Refusal::InvalidInput(wrong)) }
}

/// Why a webhook is switched off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DisabledReason {
    /// Somebody who may manage webhooks switched it off.
    ByRequest,
    /// The receiver said that it wants no more.
    Gone,
    /// It has only failed for days.
    Failing,
}

impl DisabledReason {
    const ALL: [Self; 3] = [Self::ByRequest, Self::Gone, Self::Failing];

    /// The published word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ByRequest => "by_request",
            Self::Gone => "gone",
            Self::Failing => "failing",
        }
    }

    /// The reason of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == word)
    }
}

/// How calls are signed, by the versions of Standard Webhooks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SignatureScheme {
    /// HMAC-SHA-256 with a secret that the receiver has too.
    #[default]
    V1,
    /// Ed25519: the receiver has the public key, and cannot sign.
    V1a,
}

impl SignatureScheme {
    const ALL: [Self; 2] = [Self::V1, Self::V1a];

    /// The published word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V1a => "v1a",
        }
    }

    /// The scheme that is asked for: the usual one where nothing is said.
    ///
    /// # Errors
    /// `InvalidInput` at `/signature`.
    pub fn asked(word: Option<&str>) -> Result<Self, Refusal> {
        let Some(word) = word else { return Ok(Self::default()) };
        let found = Self::ALL.into_iter().find(|scheme| scheme.as_str() == word);
        found.ok_or_else(|| Refusal::field("/signature", "must be v1 or v1a"))
    }
}

/// How a receiver took an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivered {
    /// It has it.
    Yes,
    /// Not now.
    No,
    /// It wants no more of anything.
    Gone,
}

/// A webhook. Its URL is sealed, because it may hold a secret.
#[derive(Clone, PartialEq)]
pub struct Webhook {
    /// Its id.
    pub id: WebhookId,
    /// Where to.
    pub url: Sealed,
    /// Which events.
    pub events: Vec<EventPattern>,
    /// For people.
    pub description: Option<String>,
    /// What signs.
    pub secret: Sealed,
    /// What signs too, until `previous_until`: the secret before the present one, and those that signed beside that.
    pub previous_secret: Option<Sealed>,
    /// Until when.
    pub previous_until: Option<Timestamp>,
    /// Who made it; none where that was no user.
    pub created_by: Option<UserId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When somebody last changed it.
    pub updated_at: Timestamp,
    /// Since when it is switched off.
    pub disabled_at: Option<Timestamp>,
    /// Why.
    pub disabled_reason: Option<DisabledReason>,
    /// Since when every call has failed.
    pub failing_since: Option<Timestamp>,
    /// Counts changes; guards `If-Match`.
    pub version: i64,
}

/// A URL may hold a secret even when it is sealed; nothing of it is printed.
impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Webhook").field("id", &self.id).field("events", &self.events).finish_non_exhaustive()
    }
}

impl Webhook {
    /// Whether it is called for events of this type.
    #[must_use]
    pub fn wants(&self, kind: &str) -> bool {
        self.is_enabled() && self.events.iter().any(|pattern| pattern.matches(kind))
    }

    /// Whether it is called at all.
    #[must_use]
    pub const fn is_enabled(&self) -> bool {
        self.disabled_at.is_none()
    }

    /// What signed before the present one, as long as it signs too.
    #[must_use]
    pub fn previous_secret(&self, now: Timestamp) -> Option<&Sealed> {
        self.previous_secret.as_ref().filter(|_| self.previous_until.is_some_and(|until| now < until))
    }

    /// Refuses a change of another version than the present one.
    ///
    /// # Errors
    /// `VersionMismatch`.
    pub const fn must_have_version(&self, expected: Option<i64>) -> Result<(), Refusal> {
        match expected {
            Some(version) if version != self.version => Err(Refusal::VersionMismatch),
            _ => Ok(()),
        }
    }

    /// Leads elsewhere. What failed before was at the other place.
    pub fn lead_to(&mut self, url: Sealed) {
        self.url = url;
        self.failing_since = None;
    }

    /// Switches it on, with a clean slate, or off.
    pub const fn set_enabled(&mut self, enabled: bool, now: Timestamp) {
        match (enabled, self.is_enabled()) {
            (true, false) => {
                self.disabled_at = None;
                self.disabled_reason = None;
                self.failing_since = None;
            }
            (false, true) => self.disable(DisabledReason::ByRequest, now),
            _ => {}
        }
    }

    /// Another secret signs; those until now, sealed anew as the previous ones, sign too for a day.
    pub fn rotate_secret(&mut self, secret: Sealed, previous: Sealed, now: Timestamp) {
        self.secret = secret;
        self.previous_secret = Some(previous);
        self.previous_until = Some(now.plus(BOTH_SECRETS));
    }

    /// Marks a change at `now` by somebody.
    pub fn touch(&mut self, now: Timestamp) {
        if self.previous_secret(now).is_none() {
            (self.previous_secret, self.previous_until) = (None, None);
        }
        self.version += 1;
        self.updated_at = now;
    }

    /// What follows from how a call went, where `patience` is how long every call may fail; whether anything has changed. Of a webhook that is off nothing follows.
    pub fn called(&mut self, delivered: Delivered, now: Timestamp, patience: Duration) -> bool {
        match (delivered, self.failing_since) {
            _ if !self.is_enabled() => return false,
            (Delivered::Yes, None) => return false,
            (Delivered::Yes, Some(_)) => self.failing_since = None,
            (Delivered::Gone, _) => self.disable(DisabledReason::Gone, now),
            (Delivered::No, None) => self.failing_since = Some(now),
            (Delivered::No, Some(since)) if now.since(since) >= patience => self.disable(DisabledReason::Failing, now),
            (Delivered::No, Some(_)) => return false,
        }
        true
    }

    const fn disable(&mut self, reason: DisabledReason, now: Timestamp) {
        self.disabled_at = Some(now);
        self.disabled_reason = Some(reason);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn webhook() -> Webhook {
        Webhook {
            id: WebhookId::from_random([1; 16]),
            url: Sealed(Vec::new()),
            events: vec![EventPattern::parse("user.*").unwrap(), EventPattern::parse("client.created").unwrap()],
            description: None,
            secret: Sealed(vec![1]),
            previous_secret: None,
            previous_until: None,
            created_by: None,
            created_at: at(0),
            updated_at: at(0),
            disabled_at: None,
            disabled_reason: None,
            failing_since: None,
            version: 1,
        }
    }

    const fn at(hours: i64) -> Timestamp {
        Timestamp::from_seconds(1_796_000_000 + hours * 3600)
    }

    /// Golden: receivers' owners rely on what a pattern matches.
    #[test]
    fn a_pattern_means_a_type_a_beginning_or_everything() {
        for (pattern, kind, matches) in [
            ("*", "user.registered", true),
            ("*", "of.a.later.release", true),
            ("user.registered", "user.registered", true),
            ("user.registered", "user.registered_twice", false),
            ("user.*", "user.registered", true),
            ("user.*", "user.of.a.later.release", true),
            ("user.*", "user", false),
            ("user.*", "users.registered", false),
            ("user.*", "session.started", false),
            ("USER.*", "user.registered", false),
        ] {
            assert_eq!(EventPattern::stored(pattern.to_owned()).matches(kind), matches, "{pattern} {kind}");
        }
    }

    #[test]
    fn a_pattern_that_no_event_matches_is_refused_where_it_stands() {
        for kind in EventKind::ALL {
            assert_eq!(EventPattern::parse(kind.as_str()).unwrap().as_str(), kind.as_str());
        }
        for text in [
            "",
            "**",
            ".*",
            "user*",
            "user.",
            "user",
            "user.reg*",
            "*.registered",
            "no.such",
            "User.*",
            " *",
            "user.*\n",
        ] {
            let detail = EventPattern::parse(text).expect_err(text);
            assert!(detail.contains("user.registered"), "{detail}");
        }
        let texts = ["user.*", "no.such", "user.*", "*x"].map(str::to_owned);
        let Err(Refusal::InvalidInput(wrong)) = patterns(&texts) else { panic!("taken") };
        let pointers: Vec<_> = wrong.iter().map(|field| field.pointer.as_str()).collect();
        assert_eq!(pointers, ["/events/1", "/events/3"]);
        assert_eq!(patterns(&texts[..1]).unwrap().len(), 1);
        assert_eq!(patterns(&[texts[0].clone(), texts[0].clone()]).unwrap().len(), 1, "each once");
        assert!(patterns(&[]).is_err() && patterns(&vec!["*".to_owned(); 51]).is_err());
        assert!(patterns(&vec!["*".to_owned(); 50]).is_ok());
    }

    #[test]
    fn a_webhook_that_is_off_wants_nothing() {
        let mut webhook = webhook();
        assert!(webhook.wants("user.blocked") && webhook.wants("client.created") && !webhook.wants("client.disabled"));
        webhook.set_enabled(false, at(1));
        assert!(!webhook.wants("user.blocked"));
        assert_eq!(webhook.disabled_reason, Some(DisabledReason::ByRequest));
        webhook.set_enabled(true, at(2));
        assert!(webhook.wants("user.blocked") && webhook.disabled_reason.is_none());
    }

    #[test]
    fn five_days_of_nothing_but_failures_disable_and_one_success_begins_them_anew() {
        let mut webhook = webhook();
        assert!(!webhook.called(Delivered::Yes, at(0), Duration::from_hours(5 * 24)));
        assert!(webhook.called(Delivered::No, at(1), Duration::from_hours(5 * 24)));
        assert!(!webhook.called(Delivered::No, at(100), Duration::from_hours(5 * 24)));
        assert!(webhook.called(Delivered::Yes, at(101), Duration::from_hours(5 * 24)), "the count ends");
        assert!(webhook.called(Delivered::No, at(102), Duration::from_hours(5 * 24)));
        assert!(!webhook.called(Delivered::No, at(102 + 119), Duration::from_hours(5 * 24)));
        assert!(webhook.called(Delivered::No, at(102 + 120), Duration::from_hours(5 * 24)));
        assert_eq!((webhook.disabled_at, webhook.disabled_reason), (Some(at(222)), Some(DisabledReason::Failing)));
        assert!(
            !webhook.called(Delivered::Yes, at(223), Duration::from_hours(5 * 24)),
            "a late answer switches nothing on"
        );
        webhook.set_enabled(true, at(300));
        assert!(
            webhook.called(Delivered::No, at(301), Duration::from_hours(5 * 24)) && webhook.is_enabled(),
            "with a clean slate"
        );
    }

    #[test]
    fn whoever_wants_no_more_is_off_at_once() {
        let mut webhook = webhook();
        assert!(webhook.called(Delivered::Gone, at(0), Duration::from_hours(5 * 24)));
        assert_eq!(webhook.disabled_reason, Some(DisabledReason::Gone));
    }

    #[test]
    fn the_old_secret_signs_for_a_day_and_is_then_forgotten() {
        let mut webhook = webhook();
        webhook.rotate_secret(Sealed(vec![2]), Sealed(vec![1]), at(0));
        webhook.touch(at(0));
        assert_eq!(webhook.previous_secret(at(23)), Some(&Sealed(vec![1])));
        assert_eq!(webhook.previous_secret(at(24)), None);
        webhook.touch(at(24));
        assert_eq!((&webhook.previous_secret, webhook.version), (&None, 3));
    }

    #[test]
    fn what_is_asked_for_is_a_scheme_or_the_usual_one() {
        assert_eq!(SignatureScheme::asked(None), Ok(SignatureScheme::V1));
        assert_eq!(SignatureScheme::asked(Some("v1")), Ok(SignatureScheme::V1));
        assert_eq!(SignatureScheme::asked(Some("v1a")), Ok(SignatureScheme::V1a));
        assert!(SignatureScheme::asked(Some("V1")).is_err() && SignatureScheme::asked(Some("")).is_err());
    }

    #[test]
    fn what_failed_at_another_place_counts_no_more() {
        let mut webhook = webhook();
        webhook.called(Delivered::No, at(0), Duration::from_hours(1));
        webhook.lead_to(Sealed(vec![9]));
        assert_eq!((&webhook.url, webhook.failing_since), (&Sealed(vec![9]), None));
        for (expected, is_right) in [(None, true), (Some(1), true), (Some(0), false), (Some(2), false)] {
            assert_eq!(webhook.must_have_version(expected).is_ok(), is_right, "{expected:?}");
        }
    }

    #[test]
    fn reasons_are_read_as_they_were_written() {
        for reason in DisabledReason::ALL {
            assert_eq!(DisabledReason::parse(reason.as_str()), Some(reason));
        }
        assert_eq!(DisabledReason::parse("bored"), None);
    }
}
