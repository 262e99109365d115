//! Keys of how long things are kept.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::values::Period;

/// How long things are kept. A change counts for what comes, or is finished, from then on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RetentionConfig {
    /// Events in the feed. An older cursor is answered 410.
    #[schemars(extend("x-range" = ["1d", "3650d"]))]
    pub events: Period,
    /// Entries of the audit log. Older ones are removed from its front, and what remains can still be proven.
    #[schemars(extend("x-range" = ["30d", "36500d"]))]
    pub audit: Period,
    /// Notifications in inboxes, unless their sender says less.
    #[schemars(extend("x-range" = ["1d", "3650d"]))]
    pub inbox: Period,
    /// Rows of messages that have arrived, expired or been given up.
    #[schemars(extend("x-range" = ["1h", "365d"]))]
    pub deliveries: Period,
    /// Dead letters.
    #[schemars(extend("x-range" = ["1h", "365d"]))]
    pub dead_letters: Period,
    /// Mails in the development mailbox.
    #[schemars(extend("x-range" = ["1h", "365d"]))]
    pub development_mails: Period,
    /// How many of these, at most.
    #[schemars(range(min = 1, max = 10_000))]
    pub development_mails_count: u32,
}

impl Default for RetentionConfig {
    fn default() -> Self {
        Self {
            events: Period::days(90),
            audit: Period::days(400),
            inbox: Period::days(180),
            deliveries: Period::days(7),
            dead_letters: Period::days(30),
            development_mails: Period::days(7),
            development_mails_count: 1_000,
        }
    }
}
