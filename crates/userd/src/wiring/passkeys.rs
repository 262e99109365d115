//! Whom passkeys belong to: what is configured, or the domain of the public address. Where they cannot be and nobody asked for
//! them, there are none.

use std::sync::Arc;

use userd_passkeys::{BUILT, Passkeys, RelyingParty, Unusable};
use userd_services::settings::WellKnown;

use super::WiringError;
use crate::config::Config;

/// Those that are switched on.
pub(super) fn of(config: &Config) -> Result<Option<Arc<dyn Passkeys>>, WiringError> {
    let Some(party) = party(config) else { return Ok(None) };
    match userd_passkeys::of(&party) {
        Ok(passkeys) => Ok(Some(passkeys)),
        Err(why) if is_asked_for(config) => Err(WiringError::Config(format!("passkeys: {why}"))),
        Err(why) => {
            tracing::info!("there are no passkeys: {why}");
            Ok(None)
        }
    }
}

/// What is wrong with what is asked for, and at which key.
pub(super) fn check(config: &Config) -> Result<(), (&'static str, String)> {
    let passkeys = &config.passkeys;
    if passkeys.enabled && !BUILT {
        return Err(("passkeys.enabled", Unusable::NotBuilt.to_string()));
    }
    let is_app = |app: &String| app.starts_with("android:apk-key-hash:") && url::Url::parse(app).is_ok();
    if !passkeys.android_apps.iter().all(is_app) {
        return Err(("passkeys.android_apps", "expected `android:apk-key-hash:` and a hash in base64url".to_owned()));
    }
    let is_insecure = |origin: &crate::config::WebOrigin| !origin.is_secure();
    if passkeys.related_origins.iter().any(is_insecure) {
        return Err(("passkeys.related_origins", "expected https:// (http:// only for localhost)".to_owned()));
    }
    match party(config).map(|party| party.check()) {
        Some(Err(why)) if is_asked_for(config) => {
            let is_origin = matches!(why, Unusable::Elsewhere { .. } | Unusable::NoOrigin);
            Err((if is_origin && !passkeys.origins.is_empty() { ORIGINS } else { RP_ID }, why.to_string()))
        }
        None if passkeys.enabled && !passkeys.origins.is_empty() => {
            Err((RP_ID, "needed with passkeys.origins, where http.public_url has no domain".to_owned()))
        }
        _ => Ok(()),
    }
}

const RP_ID: &str = "passkeys.rp_id";
const ORIGINS: &str = "passkeys.origins";

/// Whether the operator said anything about them, so that silence would be wrong.
fn is_asked_for(config: &Config) -> bool {
    !config.passkeys.rp_id.is_empty() || !config.passkeys.origins.is_empty()
}

fn party(config: &Config) -> Option<RelyingParty> {
    let passkeys = &config.passkeys;
    if !passkeys.enabled {
        return None;
    }
    let public = config.http.public_url.url();
    let mut party = match passkeys.rp_id.is_empty() {
        true => RelyingParty::at(public)?,
        false => RelyingParty {
            id: passkeys.rp_id.clone(),
            name: passkeys.rp_id.clone(),
            origins: vec![public.clone()],
            related: Vec::new(),
        },
    };
    if !passkeys.origins.is_empty() {
        party.origins = passkeys.origins.iter().map(|origin| origin.url().clone()).collect();
    }
    if !passkeys.rp_name.is_empty() {
        party.name.clone_from(&passkeys.rp_name);
    }
    party.origins.extend(passkeys.android_apps.iter().filter_map(|app| url::Url::parse(app).ok()));
    party.related = passkeys.related_origins.iter().map(|origin| origin.url().clone()).collect();
    Some(party)
}

/// What is told to browsers and password managers.
pub(super) fn well_known(config: &Config) -> WellKnown {
    let passkeys = &config.passkeys;
    let page =
        |page: &crate::config::Optional<crate::config::SecureUrl>| page.as_ref().map(|page| page.as_str().to_owned());
    WellKnown {
        related_origins: passkeys.related_origins.iter().map(crate::config::WebOrigin::as_text).collect(),
        passkey_enroll: page(&passkeys.enroll_url),
        passkey_manage: page(&passkeys.manage_url),
        change_password: page(&config.passwords.change_url),
    }
}
