//! What reaches a person how: for each category of messages and each channel yes or no, and quiet hours.
//!
//! Whatever a person never chose is on. Deliberately absent: whether a channel is there at all (an address, a chat).

use std::{collections::BTreeMap, fmt};

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::{InvalidField, Refusal, Timestamp, quiet_hours::QuietHours};

/// The most categories that one person's preferences name, ours included.
const MOST: usize = 50;
/// The longest name of a category.
const MAX_NAME: usize = 50;

/// What a message of this service is about; people choose by it what reaches them how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Category {
    /// Somebody may be in the account: cannot be muted where it is read first, and ignores quiet hours.
    Security,
    /// The account itself.
    Account,
    /// For those who run the service.
    Administration,
    /// What other services send.
    Message,
}

impl Category {
    /// Every one of them. Other services send under names of their own.
    pub const ALL: [Self; 4] = [Self::Security, Self::Account, Self::Administration, Self::Message];

    /// The published word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Security => "security",
            Self::Account => "account",
            Self::Administration => "administration",
            Self::Message => "message",
        }
    }

    /// Whether its readers may switch it off everywhere.
    #[must_use]
    pub const fn may_be_muted(self) -> bool {
        !matches!(self, Self::Security)
    }
}

/// The name of a category, ours or another service's: 1 to 50 of `a-z`, `0-9`, `_`, `.` and `-`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CategoryName(String);

impl CategoryName {
    /// The category with this name.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(name: &str) -> Result<Self, &'static str> {
        let lawful = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_.-".contains(&byte);
        let fits = (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(lawful);
        fits.then(|| Self(name.to_owned())).ok_or("must be named by 1 to 50 of a-z, 0-9, _, . and -")
    }

    /// Its name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it may be switched off on this channel.
    #[must_use]
    pub fn may_be_muted(&self, channel: MessageChannel) -> bool {
        *self != Category::Security.into() || channel == MessageChannel::Telegram
    }

    /// Whether it waits for the end of quiet hours.
    #[must_use]
    pub fn obeys_quiet_hours(&self) -> bool {
        *self != Category::Security.into()
    }
}

impl From<Category> for CategoryName {
    fn from(category: Category) -> Self {
        Self(category.as_str().to_owned())
    }
}

impl TryFrom<String> for CategoryName {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        Self::parse(&name)
    }
}

impl From<CategoryName> for String {
    fn from(name: CategoryName) -> Self {
        name.0
    }
}

impl fmt::Debug for CategoryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A way to a person that can be switched off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageChannel {
    /// The list in the application.
    Inbox,
    /// Every proven address.
    Email,
    /// The chat with the bot.
    Telegram,
}

impl MessageChannel {
    /// Every one of them.
    pub const ALL: [Self; 3] = [Self::Inbox, Self::Email, Self::Telegram];

    /// The published word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inbox => "inbox",
            Self::Email => "email",
            Self::Telegram => "telegram",
        }
    }
}

/// Where the messages of one category go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the members of the contract's object")]
pub struct ChannelChoice {
    pub inbox: bool,
    pub email: bool,
    pub telegram: bool,
}

impl Default for ChannelChoice {
    fn default() -> Self {
        Self { inbox: true, email: true, telegram: true }
    }
}

impl ChannelChoice {
    /// Whether this channel is on.
    #[must_use]
    pub const fn has(self, channel: MessageChannel) -> bool {
        match channel {
            MessageChannel::Inbox => self.inbox,
            MessageChannel::Email => self.email,
            MessageChannel::Telegram => self.telegram,
        }
    }

    const fn without(self, channel: MessageChannel) -> Self {
        match channel {
            MessageChannel::Inbox => Self { inbox: false, ..self },
            MessageChannel::Email => Self { email: false, ..self },
            MessageChannel::Telegram => Self { telegram: false, ..self },
        }
    }
}

/// What one person chose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preferences {
    /// What was chosen; a category that is not here is on everywhere.
    pub categories: BTreeMap<CategoryName, ChannelChoice>,
    /// When nothing rings.
    pub quiet_hours: Option<QuietHours>,
    /// Guards changes; 0 as long as nothing was ever chosen.
    pub version: i64,
}

/// Preferences as somebody sends them.
#[derive(Clone, Debug, Default)]
pub struct PreferencesInput {
    /// By name.
    pub categories: BTreeMap<String, ChannelChoice>,
    /// From and to.
    pub quiet_hours: Option<(String, String)>,
}

impl Preferences {
    /// Whether messages of this category go this way.
    #[must_use]
    pub fn wants(&self, category: &CategoryName, channel: MessageChannel) -> bool {
        !category.may_be_muted(channel) || self.choice(category).has(channel)
    }

    /// Until when a message of this category waits; `None` when it may go now.
    #[must_use]
    pub fn quiet_until(&self, category: &CategoryName, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        self.quiet_hours.filter(|_| category.obeys_quiet_hours())?.end_of_quiet(now, zone)
    }

    /// Our own categories and the chosen ones, for showing.
    #[must_use]
    pub fn shown(&self) -> BTreeMap<CategoryName, ChannelChoice> {
        let ours = Category::ALL.map(|category| (CategoryName::from(category), ChannelChoice::default()));
        ours.into_iter().chain(self.categories.clone()).collect()
    }

    /// Chooses anew, everything at once.
    ///
    /// # Errors
    /// `VersionMismatch`; `InvalidInput` with every field that is wrong.
    pub fn replace(&mut self, input: &PreferencesInput, expected: Option<i64>) -> Result<(), Refusal> {
        if expected.is_some_and(|expected| expected != self.version) {
            return Err(Refusal::VersionMismatch);
        }
        let chosen = input.checked()?;
        *self = Self { version: self.version + 1, ..chosen };
        Ok(())
    }

    /// Switches one channel of a category off; answers whether that changed anything. No count is asked here: whoever
    /// wants no more mail is not told that their list is full.
    ///
    /// # Errors
    /// `Forbidden` for what cannot be muted.
    pub fn mute(&mut self, category: &CategoryName, channel: MessageChannel) -> Result<bool, Refusal> {
        if !category.may_be_muted(channel) {
            return Err(Refusal::Forbidden);
        }
        let before = self.choice(category);
        if !before.has(channel) {
            return Ok(false);
        }
        self.categories.insert(category.clone(), before.without(channel));
        self.version += 1;
        Ok(true)
    }

    fn choice(&self, category: &CategoryName) -> ChannelChoice {
        self.categories.get(category).copied().unwrap_or_default()
    }
}

impl PreferencesInput {
    fn checked(&self) -> Result<Preferences, Refusal> {
        let mut wrong = Vec::new();
        let mut categories = BTreeMap::new();
        for (name, choice) in &self.categories {
            match CategoryName::parse(name) {
                Ok(category) => {
                    wrong.extend(not_to_be_muted(&category, *choice));
                    categories.insert(category, *choice);
                }
                Err(detail) => wrong.push(InvalidField::new(format!("/categories/{}", pointer(name)), detail)),
            }
        }
        let quiet_hours = self.quiet_hours.as_ref().map(|(from, to)| QuietHours::parse(from, to)).transpose();
        let quiet_hours = quiet_hours.unwrap_or_else(|fields| {
            let inside =
                |field: InvalidField| InvalidField::new(format!("/quiet_hours{}", field.pointer), field.detail);
            wrong.extend(fields.into_iter().map(inside));
            None
        });
        let preferences = Preferences { categories, quiet_hours, version: 0 };
        if preferences.shown().len() > MOST {
            wrong.insert(0, InvalidField::new("/categories", "must have at most 50 categories, ours included"));
            wrong.truncate(MOST);
        }
        if wrong.is_empty() { Ok(preferences) } else { Err(Refusal::InvalidInput(wrong)) }
    }
}

fn not_to_be_muted(category: &CategoryName, choice: ChannelChoice) -> impl Iterator<Item = InvalidField> {
    let muted = MessageChannel::ALL.into_iter().filter(move |channel| !choice.has(*channel));
    muted.filter(|channel| !category.may_be_muted(*channel)).map(|channel| {
        let pointer = format!("/categories/{}/{}", category.as_str(), channel.as_str());
        InvalidField::new(pointer, "must stay on: this is how you learn that somebody else is in your account")
    })
}

/// A name that may be anything, as a part of a pointer (RFC 6901).
fn pointer(name: &str) -> String {
    let name: String = name.chars().filter(|c| !c.is_control()).take(64).collect();
    name.replace('~', "~0").replace('/', "~1")
}
