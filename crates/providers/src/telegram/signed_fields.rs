//! What the widget and Mini Apps share: the bot's token, the string that is signed, the window in time.

use std::{collections::BTreeMap, time::Duration};

use userd_model::{
    Timestamp,
    telegram::{BOT_TOKEN_SHAPE, bot_id},
};
use userd_outbound::{ConfigError, Secret};
use zeroize::Zeroizing;

use crate::{
    digest::{hmac_sha256, sha256},
    fault::ProviderFault,
    profile::ReplayKey,
};

/// How far Telegram's clock may be ahead of ours.
const AHEAD: Duration = Duration::from_secs(30);

/// A bot's token, `<id>:<secret>`. An empty one would make everybody a signer.
#[derive(Clone, Debug)]
pub(crate) struct BotToken {
    id: String,
    whole: Secret,
}

impl BotToken {
    /// Reads a token; its shape is checked, not whether Telegram knows it.
    pub(crate) fn parse(token: &Secret) -> Result<Self, ConfigError> {
        let id = bot_id(token.expose()).ok_or_else(|| ConfigError::new("telegram.bot_token", BOT_TOKEN_SHAPE))?;
        Ok(Self { id: id.to_owned(), whole: token.clone() })
    }

    /// The bot's id: the part before the colon.
    pub(crate) fn bot_id(&self) -> &str {
        &self.id
    }

    /// The widget's key.
    pub(crate) fn widget_key(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(sha256(self.whole.expose().as_bytes()))
    }

    /// The Mini Apps' key.
    pub(crate) fn mini_app_key(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(hmac_sha256(b"WebAppData", self.whole.expose().as_bytes()))
    }
}

/// `name=value` lines in the order of names, joined by line feeds, without the named ones. Values are as decoded; a
/// control character would let one value pose as two lines.
pub(crate) fn check_string(fields: &BTreeMap<String, String>, without: &[&str]) -> Result<String, ProviderFault> {
    let unlawful = |text: &str| text.chars().any(char::is_control);
    if fields.iter().any(|(name, value)| unlawful(name) || unlawful(value) || name.contains('=')) {
        return Err(ProviderFault::Refused("payload_malformed"));
    }
    let lines: Vec<String> = fields
        .iter()
        .filter(|(name, _)| !without.contains(&name.as_str()))
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    Ok(lines.join("\n"))
}

/// `auth_date`, when it is neither old nor from the future.
pub(crate) fn check_date(
    fields: &BTreeMap<String, String>,
    window: Duration,
    now: Timestamp,
) -> Result<Timestamp, ProviderFault> {
    let malformed = ProviderFault::Refused("payload_malformed");
    let text = fields.get("auth_date").ok_or(malformed.clone())?;
    let seconds: u32 = text.parse().map_err(|_| malformed.clone())?;
    if seconds.to_string() != *text {
        return Err(malformed);
    }
    let date = Timestamp::from_seconds(i64::from(seconds));
    if date > now.plus(AHEAD) || date.plus(window) < now {
        return Err(ProviderFault::Refused("payload_stale"));
    }
    Ok(date)
}

/// One use of what was signed, whichever of its signatures was checked.
pub(crate) fn replay_key(
    fields: &BTreeMap<String, String>,
    purpose: &'static str,
    date: Timestamp,
    window: Duration,
) -> Result<ReplayKey, ProviderFault> {
    let signed = check_string(fields, &["hash", "signature"])?;
    Ok(ReplayKey {
        hash: sha256(signed.as_bytes()),
        purpose,
        until: date.plus(window).plus(AHEAD),
        again_by_holder: false,
    })
}
