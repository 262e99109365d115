//! Mini App `initData`: a query string signed twice. Either the bot's token proves it (HMAC, with `signature` inside
//! the signed text) or Telegram's public key does (Ed25519, with `signature` outside), and then no token is needed.

use std::{collections::BTreeMap, time::Duration};

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use userd_model::Timestamp;
use userd_outbound::ConfigError;
use zeroize::Zeroizing;

use super::{
    describe, numeric_id,
    signed_fields::{BotToken, check_date, check_string, replay_key},
};
use crate::{
    answer::{Members, truth},
    config::{MiniAppCheck, TelegramOptions},
    digest::{hex32, hmac_sha256, same},
    fault::ProviderFault,
    profile::{Profile, ReplayKey},
    provider::Facts,
};

/// Telegram's Ed25519 keys for third parties, as published with the Mini Apps documentation.
const PRODUCTION_KEY: &str = "e7bf03a2fa4602af4580703d88dda5bb59f32ed8b02a56c187fe7d34caed242d";
const TEST_KEY: &str = "40055058a4ee38156a06562e52eece92a771bcd8346a8c4615cb7376eddf72ec";

const LONGEST: usize = 8 * 1024;

pub(crate) struct MiniApp {
    check: Check,
    window: Duration,
    /// Whoever has the data may use it again.
    reuse: bool,
}

enum Check {
    BotToken(Zeroizing<[u8; 32]>),
    PublicKey { key: [u8; 32], bot_id: String },
}

/// As configured; `None` where it is switched off.
pub(crate) fn verifier(
    options: &TelegramOptions,
    token: Option<&BotToken>,
    bot_id: &str,
) -> Result<Option<MiniApp>, ConfigError> {
    if options.mini_app == Some(false) {
        return Ok(None);
    }
    let window = options.mini_app_window.map_or(Duration::from_secs(600), |span| span.0);
    if window.is_zero() || window > Duration::from_secs(24 * 3600) {
        return Err(ConfigError::new("telegram.mini_app_window", "must be more than 0 and at most 24h"));
    }
    let check = match (options.mini_app_check, token) {
        (Some(MiniAppCheck::BotToken), None) => {
            return Err(ConfigError::new("telegram.mini_app_check", "bot_token needs telegram.bot_token"));
        }
        (Some(MiniAppCheck::BotToken) | None, Some(token)) => Check::BotToken(token.mini_app_key()),
        (Some(MiniAppCheck::PublicKey), _) | (None, None) => {
            let built_in = if options.test_environment { TEST_KEY } else { PRODUCTION_KEY };
            let key = options.mini_app_public_key.as_deref().unwrap_or(built_in);
            let wrong = || ConfigError::new("telegram.mini_app_public_key", "must be 64 lower-case hexadecimal digits");
            Check::PublicKey { key: hex32(key).ok_or_else(wrong)?, bot_id: bot_id.to_owned() }
        }
    };
    Ok(Some(MiniApp { check, window, reuse: options.mini_app_reuse }))
}

impl MiniApp {
    pub(crate) fn verify(&self, facts: &Facts, raw: &str, now: Timestamp) -> Result<Profile, ProviderFault> {
        let fields = fields(raw)?;
        self.check.verify(&fields)?;
        let date = check_date(&fields, self.window, now)?;
        let malformed = ProviderFault::Refused("payload_malformed");
        let user = fields.get("user").ok_or(ProviderFault::Refused("subject_missing"))?;
        let user = userd_jose::strict_json::object(user.as_bytes()).map_err(|_| malformed)?;
        if truth(user.get("is_bot")) == Some(true) {
            return Err(ProviderFault::Refused("bot_refused"));
        }
        let id = user.get("id").and_then(numeric_id).ok_or(ProviderFault::Refused("subject_missing"))?;
        let mut profile = describe(facts, &id, &user)?;
        profile.bot_access = truth(user.get("allows_write_to_pm"));
        profile.extra = extra(&fields);
        if !self.reuse {
            let once = replay_key(&fields, "telegram_init_data", date, self.window)?;
            // Telegram's clients hand the same data to the app again when it is reloaded.
            profile.replay_keys.push(ReplayKey { again_by_holder: true, ..once });
        }
        Ok(profile)
    }
}

fn extra(fields: &BTreeMap<String, String>) -> Members {
    fields.get("start_param").map(|param| ("start_param".to_owned(), param.as_str().into())).into_iter().collect()
}

impl Check {
    fn verify(&self, fields: &BTreeMap<String, String>) -> Result<(), ProviderFault> {
        let malformed = ProviderFault::Refused("payload_malformed");
        let genuine = match self {
            Self::BotToken(key) => {
                let hash = fields.get("hash").and_then(|hash| hex32(hash)).ok_or(malformed)?;
                same(&hmac_sha256(key.as_slice(), check_string(fields, &["hash"])?.as_bytes()), &hash)
            }
            Self::PublicKey { key, bot_id } => {
                let signature = fields.get("signature").ok_or(malformed.clone())?;
                let signature = URL_SAFE_NO_PAD.decode(signature.trim_end_matches('=')).map_err(|_| malformed)?;
                let signed = format!("{bot_id}:WebAppData\n{}", check_string(fields, &["hash", "signature"])?);
                UnparsedPublicKey::new(&ED25519, key).verify(signed.as_bytes(), &signature).is_ok()
            }
        };
        if genuine { Ok(()) } else { Err(ProviderFault::Refused("signature_invalid")) }
    }
}

/// The decoded fields; blank values stay, a name that comes twice is refused.
fn fields(raw: &str) -> Result<BTreeMap<String, String>, ProviderFault> {
    let malformed = ProviderFault::Refused("payload_malformed");
    if raw.is_empty() || raw.len() > LONGEST || !raw.is_ascii() {
        return Err(malformed);
    }
    let mut fields = BTreeMap::new();
    for (name, value) in url::form_urlencoded::parse(raw.as_bytes()) {
        let not_utf8 = name.contains('\u{fffd}') || value.contains('\u{fffd}');
        if not_utf8 || fields.insert(name.into_owned(), value.into_owned()).is_some() {
            return Err(malformed);
        }
    }
    Ok(fields)
}
