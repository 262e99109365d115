//! One token against a key set: no network, no clock of its own.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};
use userd_jose::{Claims, Compact, JoseError, VerifyingKey};

use crate::{Options, Reason, Token};

const LONGEST: usize = 16_384;
const ALGORITHMS: [&str; 3] = ["EdDSA", "ES256", "RS256"];

/// Reads one token. `key` finds a key by its name.
pub(crate) fn verify(
    text: &str,
    key: impl Fn(&str) -> Option<VerifyingKey>,
    options: &Options,
    now: i64,
) -> Result<Token, Reason> {
    let parts: Vec<&str> = text.split('.').collect();
    let plain = |part: &&str| part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if text.len() > LONGEST || parts.len() != 3 || !parts.iter().all(|part| !part.is_empty() && plain(part)) {
        return Err(Reason::Malformed);
    }
    let compact = Compact::parse(text, LONGEST).map_err(|error| unread(&error, &parts))?;
    let header = compact.header();
    let kind = header.typ.as_deref().unwrap_or_default().to_ascii_lowercase();
    if !matches!(kind.as_str(), "at+jwt" | "application/at+jwt") {
        return Err(Reason::Type);
    }
    if !ALGORITHMS.contains(&header.alg.as_str()) {
        return Err(Reason::Algorithm);
    }
    let kid = header.kid.as_deref().filter(|kid| !kid.is_empty()).ok_or(Reason::UnknownKey)?;
    let key = key(kid).ok_or(Reason::UnknownKey)?;
    // The algorithm that belongs to the key, never the one that the token names.
    let payload = compact.verify(&key).map_err(|error| match error {
        JoseError::Algorithm => Reason::Algorithm,
        _ => Reason::Signature,
    })?;
    // What is an object, but one that another reader may read otherwise, says nothing certain.
    let is_object = || serde_json::from_slice::<Map<String, Value>>(payload).is_ok();
    let unread = |_| if is_object() { Reason::Claims } else { Reason::Malformed };
    let claims = Claims::parse(payload).map_err(unread)?;
    token_of(claims, kid, options, now)
}

/// Why it could not be taken apart. A signature that has no second spelling is a wrong one.
fn unread(error: &JoseError, parts: &[&str]) -> Reason {
    match error {
        JoseError::Header("alg") => Reason::Algorithm,
        JoseError::Header("kid") => Reason::UnknownKey,
        JoseError::Header("typ") => Reason::Type,
        JoseError::Encoding if parts.iter().take(2).all(|part| URL_SAFE_NO_PAD.decode(part).is_ok()) => {
            Reason::Signature
        }
        _ => Reason::Malformed,
    }
}

/// What a remembered token is asked again.
pub(crate) fn check_times(token: &Token, options: &Options, now: i64) -> Result<(), Reason> {
    if token.expires_at > now - leeway(options) { Ok(()) } else { Err(Reason::Expired) }
}

fn leeway(options: &Options) -> i64 {
    i64::try_from(options.leeway.as_secs()).unwrap_or(60)
}

fn token_of(claims: Claims, kid: &str, options: &Options, now: i64) -> Result<Token, Reason> {
    let text = |name| match claims.text(name) {
        Ok(Some(text)) if !text.is_empty() => Ok(text.to_owned()),
        _ => Err(Reason::Claims),
    };
    let seconds = |name| claims.seconds(name).map_err(|_| Reason::Claims);
    let words = |name| match claims.texts(name) {
        Ok(words) => Ok::<Vec<String>, _>(words.unwrap_or_default().into_iter().map(str::to_owned).collect()),
        Err(_) => Err(Reason::Claims),
    };
    let roles = words("roles")?;
    // They stand at the places of their roles.
    let versions = claims.integers("role_versions").map_err(|_| Reason::Claims)?.unwrap_or_default();
    let token = Token {
        subject: text("sub")?,
        client_id: text("client_id")?,
        session_id: if claims.get("sid").is_some() { Some(text("sid")?) } else { None },
        token_id: text("jti")?,
        issued_at: seconds("iat")?.ok_or(Reason::Claims)?,
        expires_at: seconds("exp")?.ok_or(Reason::Claims)?,
        version: claims.integer("ver").ok().flatten().ok_or(Reason::Claims)?,
        role_versions: roles.iter().cloned().zip(versions).collect(),
        roles,
        permissions: words("permissions")?,
        key_id: kid.to_owned(),
        claims: claims.clone().into_members(),
    };
    let begins = seconds("nbf")?.unwrap_or(token.issued_at);
    if token.session_id.is_none() && token.client_id != token.subject {
        return Err(Reason::Claims);
    }
    if claims.text("iss").ok().flatten() != Some(options.issuer.as_str()) {
        return Err(Reason::Issuer);
    }
    let is_for_us = claims.audience().is_ok_and(|several| several.contains(&options.audience.as_str()));
    if !is_for_us {
        return Err(Reason::Audience);
    }
    check_times(&token, options, now)?;
    let latest = now + leeway(options);
    if begins > latest || token.issued_at > latest {
        return Err(Reason::NotYetValid);
    }
    Ok(token)
}
