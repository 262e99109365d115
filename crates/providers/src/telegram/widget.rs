//! The legacy login widget: fields signed with the bot's token. The signature names no audience, browser or flow,
//! so the caller binds it to its own state; here it is genuine, young and counted once.

use std::{collections::BTreeMap, time::Duration};

use base64::{
    Engine as _,
    alphabet::{STANDARD, URL_SAFE},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde_json::Value;
use userd_model::Timestamp;
use userd_outbound::ConfigError;
use zeroize::Zeroizing;

use super::{
    describe,
    signed_fields::{BotToken, check_date, check_string, replay_key},
};
use crate::{
    answer::Members,
    digest::{hex32, hmac_sha256, same},
    fault::ProviderFault,
    profile::Profile,
    provider::Facts,
    span::Span,
};

/// More fields than the widget will ever send.
const MOST_FIELDS: usize = 32;

pub(crate) struct Widget {
    key: Zeroizing<[u8; 32]>,
    window: Duration,
}

impl Widget {
    pub(crate) fn new(token: &BotToken, window: Option<Span>) -> Result<Self, ConfigError> {
        let window = window.map_or(Duration::from_secs(300), |span| span.0);
        if window.is_zero() || window > Duration::from_secs(900) {
            return Err(ConfigError::new("telegram.widget_window", "must be more than 0 and at most 15m"));
        }
        Ok(Self { key: token.widget_key(), window })
    }

    pub(crate) fn verify(
        &self,
        facts: &Facts,
        fields: &BTreeMap<String, String>,
        now: Timestamp,
    ) -> Result<Profile, ProviderFault> {
        let malformed = ProviderFault::Refused("payload_malformed");
        let too_long = |(name, value): (&String, &String)| name.len() > 64 || value.len() > 2048;
        if fields.len() > MOST_FIELDS || fields.iter().any(too_long) {
            return Err(malformed);
        }
        let hash = fields.get("hash").and_then(|hash| hex32(hash)).ok_or(malformed)?;
        // What is signed is what was sent, whether we know the name or not. Some libraries fill in `"last_name": ""`, which
        // was neither; since blank fields say nothing, nothing is lost without them.
        let told: BTreeMap<_, _> =
            fields.iter().filter(|(_, v)| !v.is_empty()).map(|(n, v)| (n.clone(), v.clone())).collect();
        if ![fields, &told]
            .into_iter()
            .map(|sent| self.signs(sent, &hash))
            .collect::<Result<Vec<_>, _>>()?
            .contains(&true)
        {
            return Err(ProviderFault::Refused("signature_invalid"));
        }
        let fields = &told;
        let date = check_date(fields, self.window, now)?;
        let id = fields.get("id").filter(|id| is_id(id)).ok_or(ProviderFault::Refused("subject_missing"))?;
        let members: Members = fields.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect();
        let mut profile = describe(facts, id, &members)?;
        profile.replay_keys.push(replay_key(fields, "telegram_widget", date, self.window)?);
        Ok(profile)
    }

    fn signs(&self, sent: &BTreeMap<String, String>, hash: &[u8]) -> Result<bool, ProviderFault> {
        Ok(same(&hmac_sha256(self.key.as_slice(), check_string(sent, &["hash"])?.as_bytes()), hash))
    }
}

/// A positive decimal number as Telegram writes it: no sign, no leading zero, at most 52 bits.
fn is_id(text: &str) -> bool {
    text.parse::<u64>().is_ok_and(|id| (1..1 << 52).contains(&id) && id.to_string() == text)
}

/// The widget's fields as a script hands them over: text, whole numbers and booleans, each as Telegram signs it.
#[must_use]
pub fn fields_of_json(members: Members) -> Option<BTreeMap<String, String>> {
    let text = |value| match value {
        Value::String(text) => Some(text),
        Value::Number(number) if !number.is_f64() => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    };
    let told = members.into_iter().filter(|(_, value)| !value.is_null());
    told.map(|(name, value)| Some((name, text(value)?))).collect()
}

/// The fields inside `tgAuthResult`: base64 (either alphabet) of a JSON object with text and whole numbers.
pub(crate) fn fields_of_fragment(result: &str) -> Result<BTreeMap<String, String>, ProviderFault> {
    let malformed = || ProviderFault::Refused("payload_malformed");
    if result == "false" {
        // Telegram's page says so when the person presses Cancel.
        return Err(ProviderFault::Refused("access_denied"));
    }
    if result.len() > 16 * 1024 {
        return Err(malformed());
    }
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let url_safe = result.contains(['-', '_']);
    let engine = GeneralPurpose::new(if url_safe { &URL_SAFE } else { &STANDARD }, config);
    let json = engine.decode(result).map_err(|_| malformed())?;
    let members = userd_jose::strict_json::object(&json).map_err(|_| malformed())?;
    fields_of_json(members).ok_or_else(malformed)
}
