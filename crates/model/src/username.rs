//! The username, and what people type to sign in. Uniqueness is not here: it is a claim on [`Username::canonical`]
//! and another on [`Username::skeleton`], made by whoever stores a user.

use std::{borrow::Cow, sync::OnceLock};

use serde::{Deserialize, Serialize};
use unicode_normalization::{
    UnicodeNormalization,
    char::{canonical_combining_class, is_combining_mark},
};
use unicode_security::{GeneralSecurityProfile, RestrictionLevel, RestrictionLevelDetection};

use crate::{Email, Phone, text::fold_case};

/// Shortest and longest username, in characters.
const LENGTH: std::ops::RangeInclusive<usize> = 3..=32;
/// Longest input looked at, in bytes.
const MAX_INPUT: usize = 1024;

/// A username as its owner writes it. Two of them are the same when their canonical forms are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Username(String);

impl Username {
    /// The username that `text` spells: 3 to 32 letters and digits of one writing system, with single `_`, `.` and
    /// `-` between them (UTS 39: allowed characters, Highly Restrictive level, one kind of digits). White space
    /// around it is not part of it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.len() > MAX_INPUT {
            return Err("must have 3 to 32 characters");
        }
        let display: String = text.trim().nfc().collect();
        if display.contains('@') {
            return Err("must not contain @");
        }
        check_characters(&display)?;
        let username = Self(display);
        let canonical = username.canonical();
        if !LENGTH.contains(&username.0.chars().count()) || !LENGTH.contains(&canonical.chars().count()) {
            return Err("must have 3 to 32 characters");
        }
        if username.0.as_str().detect_restriction_level() > RestrictionLevel::HighlyRestrictive {
            return Err("must not mix letters of different alphabets");
        }
        Ok(username)
    }

    /// A username that was parsed before it was stored.
    #[must_use]
    pub const fn stored(display: String) -> Self {
        Self(display)
    }

    /// As its owner writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form that is compared: NFKC of the case-folded NFKC.
    #[must_use]
    pub fn canonical(&self) -> String {
        crate::text::folded(&self.0)
    }

    /// What the canonical form looks like (UTS 39 section 4, with `i` and `0` beside their doubles, and no second dot
    /// on letters that have one): equal for usernames that people confuse. Not for display.
    #[must_use]
    pub fn skeleton(&self) -> String {
        skeleton_of(&self.canonical())
    }

    /// Whether the name, or one that looks like it, speaks for the service; such names are not for self-registration.
    #[must_use]
    pub fn is_reserved(&self) -> bool {
        static SKELETONS: OnceLock<Vec<String>> = OnceLock::new();
        let skeletons = SKELETONS.get_or_init(|| RESERVED.split_whitespace().map(skeleton_of).collect());
        skeletons.contains(&self.skeleton())
    }
}

/// What somebody typed as login. Text that can be no login at all is a kind of its own and not an error, so that it
/// is handled in the same way, and takes the same time, as a wrong password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Login {
    /// It contains an @.
    Email(Email),
    /// It starts with a plus.
    Phone(Phone),
    /// Anything else that can be a username.
    Username(Username),
    /// Nothing that anybody could have registered.
    Unknown,
}

impl Login {
    /// The kind of login that `text` is. White space around it is not part of it, as it is not when one registers.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        let parsed = if text.contains('@') {
            Email::parse(text).map(Self::Email)
        } else if text.starts_with('+') {
            Phone::parse(text).map(Self::Phone)
        } else {
            Username::parse(text).map(Self::Username)
        };
        parsed.unwrap_or(Self::Unknown)
    }

    /// The form that claims and throttles are keyed by: one text for all spellings of one login; `None` for
    /// [`Login::Unknown`].
    #[must_use]
    pub fn canonical(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Email(email) => Some(Cow::Borrowed(email.as_str())),
            Self::Phone(phone) => Some(Cow::Borrowed(phone.as_str())),
            Self::Username(username) => Some(Cow::Owned(username.canonical())),
            Self::Unknown => None,
        }
    }
}

fn check_characters(display: &str) -> Result<(), &'static str> {
    let mut after_separator = true;
    let mut ascii_digits = false;
    let mut other_digits = false;
    for c in display.chars() {
        let separator = matches!(c, '_' | '.' | '-');
        if !separator && !((c.is_alphanumeric() || is_combining_mark(c)) && c.identifier_allowed()) {
            return Err("may have letters, digits, and _ . - between them");
        }
        if after_separator && (separator || is_combining_mark(c)) {
            return Err("must start with a letter or digit, and have only one of _ . - at a time");
        }
        after_separator = separator;
        ascii_digits |= c.is_ascii_digit();
        other_digits |= !c.is_ascii() && c.is_numeric();
    }
    if after_separator && !display.is_empty() {
        return Err("must end with a letter or digit");
    }
    if ascii_digits && other_digits {
        return Err("must not mix digits of different scripts");
    }
    Ok(())
}

/// The UTS 39 skeleton, lower-cased, taken twice because lower-casing may reach characters with doubles of their own
/// (0 → O → o). `i` joins `l`, its double when written as capital I.
fn skeleton_of(canonical: &str) -> String {
    let once: String = unicode_security::skeleton(canonical).flat_map(fold_case).collect();
    let twice = unicode_security::skeleton(&once).flat_map(fold_case);
    without_second_dots(twice).map(|c| if c == 'i' { 'l' } else { c }).collect()
}

/// Without each dot above a letter that is drawn with a dot already: it takes that one's place (Unicode section 7.1,
/// soft-dotted letters). `l` is among them, because it is what `i` looks like. In a skeleton all such letters that a
/// username may have are one of the three, and every mark that looks like the dot is the dot.
fn without_second_dots(skeleton: impl Iterator<Item = char>) -> impl Iterator<Item = char> {
    const DOT_ABOVE: char = '\u{307}';
    const ABOVE: u8 = 230;
    let mut dotted = false;
    skeleton.filter(move |c| {
        if is_combining_mark(*c) {
            let second = dotted && *c == DOT_ABOVE;
            // Another mark above hides the letter's own dot, so that one behind it is seen.
            dotted &= second || canonical_combining_class(*c) != ABOVE;
            return !second;
        }
        dotted = matches!(*c, 'i' | 'j' | 'l');
        true
    })
}

/// Names that speak for the service or clash with routes.
const RESERVED: &str = "abuse access account accounts admin administrator administration admins anonymous api audit \
    auth billing callback clients config contact daemon deleted developer docs everyone guest health help helpdesk \
    hostmaster internal localhost login logout mailer-daemon me moderator nobody noreply no-reply null oauth oauth2 \
    official openid operator owner password postmaster privacy register root security self service session sessions \
    settings signin signup staff status superuser support sysadmin system team telegram token tokens undefined \
    unknown user userd username users webmaster well-known yandex \
    администратор админ модератор поддержка система служба безопасность";
