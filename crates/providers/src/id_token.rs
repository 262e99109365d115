//! Verification of ID tokens (OIDC Core 3.1.3.7). Every check is here; who the person is to us is not.

use std::{sync::Arc, time::Duration};

use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use url::Url;
use userd_jose::{Algorithm, Claims, Compact, JoseError};
use userd_model::Timestamp;
use userd_outbound::{ConfigError, HttpClient};

use crate::{
    answer::Members,
    config::ProviderConfig,
    digest::{same, sha256},
    fault::ProviderFault,
    jwks::KeySource,
    profile::{ReplayKey, subject},
};

/// The longest token that is read, in bytes: people are in hundreds of groups, and some pictures come in the token.
pub(crate) const MAX_TOKEN: usize = 512 * 1024;
/// How far two clocks may be apart.
pub(crate) const SKEW: Duration = Duration::from_secs(60);
/// How old a token may be that somebody hands over.
pub(crate) const STALE: Duration = Duration::from_secs(300);

/// Verifies the ID tokens of one issuer.
pub(crate) struct IdTokens {
    issuer: IssuerRule,
    algorithms: Vec<Algorithm>,
    /// What `aud` may name beside us.
    trusted_audiences: Vec<String>,
    keys: KeySource,
}

/// Which `iss` is right.
pub(crate) enum IssuerRule {
    /// One of these spellings, byte for byte.
    Exact(Vec<String>),
    /// The text around `{tenantid}`, and the tenants that may come in (none named: all).
    Template { before: String, after: String, tenants: Vec<String> },
}

/// What a token must be like this time.
pub(crate) struct Expect<'a> {
    /// Client ids of ours that may be its audience.
    pub(crate) audiences: &'a [String],
    pub(crate) nonce: Nonce<'a>,
    /// The access token that came with it.
    pub(crate) access_token: Option<&'a str>,
    /// Somebody handed it over: it must be young.
    pub(crate) handed_over: bool,
}

/// Which nonce is right.
#[derive(Clone, Copy)]
pub(crate) enum Nonce<'a> {
    /// It must be there and be this.
    Required(&'a str),
    /// If it is there, it must be this.
    IfPresent(&'a str),
    /// The app shows the one that it gave the provider's SDK, which may have hashed it on the way.
    Shown(&'a str),
    /// None was shown, so none may be there.
    Absent,
}

/// A verified ID token.
#[derive(Debug)]
pub(crate) struct IdToken {
    pub(crate) issuer: String,
    pub(crate) subject: String,
    pub(crate) client_id: String,
    pub(crate) claims: Members,
    pub(crate) replay_key: ReplayKey,
}

impl IdTokens {
    pub(crate) fn new(http: Arc<HttpClient>, issuer: IssuerRule, config: &ProviderConfig) -> Result<Self, ConfigError> {
        let algorithms = match &config.algorithms {
            None => Algorithm::ALL.to_vec(),
            Some(names) => {
                let wrong =
                    |name: &String| ConfigError::new("algorithms", format!("{name} is not RS256, ES256 or EdDSA"));
                names.iter().map(|n| Algorithm::parse(n).ok_or_else(|| wrong(n))).collect::<Result<_, _>>()?
            }
        };
        let trusted_audiences = config.trusted_audiences.clone();
        Ok(Self { issuer, algorithms, trusted_audiences, keys: KeySource::new(http) })
    }

    /// Whether an `iss` parameter of a callback (RFC 9207) is this issuer's.
    pub(crate) fn is_issuer(&self, iss: &str) -> bool {
        self.issuer.admits(iss, None)
    }

    pub(crate) async fn verify(
        &self,
        token: &str,
        jwks: &Url,
        expect: &Expect<'_>,
        now: Timestamp,
    ) -> Result<IdToken, ProviderFault> {
        let compact = Compact::parse(token, MAX_TOKEN).map_err(refusal)?;
        if compact.header().typ.as_deref().is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT")) {
            return Err(ProviderFault::malformed_token("the header says that it is no JWT"));
        }
        let (claims, algorithm) = self.signed(&compact, jwks, now).await?;
        let issuer = self.check_issuer(&claims)?;
        let client_id = check_audience(&claims, expect.audiences, &self.trusted_audiences)?;
        let expires = check_times(&claims, expect.handed_over, now)?;
        check_nonce(&claims, expect.nonce)?;
        check_access_token_hash(&claims, algorithm, expect.access_token)?;
        let subject = subject(claims.text("sub").map_err(refusal)?)?;
        let until = if expect.handed_over { now.plus(STALE).plus(SKEW) } else { expires.plus(SKEW) };
        // What was signed is hashed, not the signature: an ECDSA signature has a second valid spelling.
        let signed = token.rsplit_once('.').map_or(token, |(signed, _)| signed);
        let replay_key =
            ReplayKey { hash: sha256(signed.as_bytes()), purpose: "id_token", until, again_by_holder: false };
        Ok(IdToken { issuer, subject, client_id, claims: claims.into_members(), replay_key })
    }

    /// The claims, signed with the issuer's key and an allowed algorithm.
    async fn signed(
        &self,
        compact: &Compact<'_>,
        jwks: &Url,
        now: Timestamp,
    ) -> Result<(Claims, Algorithm), ProviderFault> {
        let header = compact.header();
        let algorithm = Algorithm::parse(&header.alg).filter(|a| self.algorithms.contains(a));
        let algorithm = algorithm.ok_or(ProviderFault::Refused("algorithm_not_allowed"))?;
        let key = self.keys.find(jwks, header.kid.as_deref(), algorithm, now).await?;
        Ok((compact.verify_claims(&key).map_err(refusal)?, algorithm))
    }

    /// A signed user-info answer (OIDC Core 5.3.2). It should name its issuer and us; where it does, it must be right.
    pub(crate) async fn verify_user_info(
        &self,
        token: &str,
        jwks: &Url,
        client_id: &str,
        now: Timestamp,
    ) -> Result<Members, ProviderFault> {
        let compact = Compact::parse(token, MAX_TOKEN).map_err(refusal)?;
        let (claims, _) = self.signed(&compact, jwks, now).await?;
        if claims.get("iss").is_some() {
            self.check_issuer(&claims)?;
        }
        if claims.get("aud").is_some() && !claims.audience().map_err(refusal)?.contains(&client_id) {
            return Err(ProviderFault::Refused("audience_mismatch"));
        }
        let expires = claims.numeric_date("exp").map_err(refusal)?.map(Timestamp::from_seconds);
        if expires.is_some_and(|expires| expires.plus(SKEW) <= now) {
            return Err(ProviderFault::Refused("token_expired"));
        }
        Ok(claims.into_members())
    }

    fn check_issuer(&self, claims: &Claims) -> Result<String, ProviderFault> {
        let iss = claims.text("iss").map_err(refusal)?.unwrap_or_default();
        let tenant = claims.text("tid").ok().flatten().unwrap_or_default();
        if self.issuer.admits(iss, Some(tenant)) {
            Ok(self.issuer.canonical(iss))
        } else {
            Err(ProviderFault::Refused("issuer_mismatch"))
        }
    }
}

impl IssuerRule {
    /// From an issuer, or a template that has `{tenantid}` in it once.
    pub(crate) fn of(issuer: &str, config: &ProviderConfig) -> Result<Self, ConfigError> {
        let Some(template) = &config.issuer_template else {
            return Ok(Self::Exact(vec![issuer.to_owned()]));
        };
        match template.split_once("{tenantid}") {
            Some((before, after)) if before.starts_with("https://") && !after.contains('{') => Ok(Self::Template {
                before: before.to_owned(),
                after: after.to_owned(),
                tenants: config.tenants.clone(),
            }),
            _ => Err(ConfigError::new("issuer_template", "must be an https URL with {tenantid} in its path once")),
        }
    }

    fn admits(&self, iss: &str, tenant: Option<&str>) -> bool {
        match self {
            Self::Exact(spellings) => spellings.iter().any(|spelling| spelling == iss),
            Self::Template { before, after, tenants } => {
                let named = iss.strip_prefix(before.as_str()).and_then(|rest| rest.strip_suffix(after.as_str()));
                let plain = |t: &str| {
                    !t.is_empty() && t.len() <= 64 && t.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                };
                named.is_some_and(|named| {
                    plain(named)
                        && tenant.is_none_or(|tenant| tenant == named)
                        && (tenants.is_empty() || tenants.iter().any(|t| t == named))
                })
            }
        }
    }

    /// The one spelling that identities are kept under.
    fn canonical(&self, iss: &str) -> String {
        match self {
            Self::Exact(spellings) => spellings.first().map_or_else(|| iss.to_owned(), Clone::clone),
            Self::Template { .. } => iss.to_owned(),
        }
    }
}

/// We are named; and who is named beside us is known, or the token says that it was issued to us.
fn check_audience(claims: &Claims, ours: &[String], trusted: &[String]) -> Result<String, ProviderFault> {
    let mismatch = ProviderFault::Refused("audience_mismatch");
    let audiences: Vec<&str> = match claims.get("aud") {
        Some(serde_json::Value::String(one)) => vec![one],
        Some(serde_json::Value::Array(many)) => {
            many.iter().map(|a| a.as_str().ok_or_else(|| mismatch.clone())).collect::<Result<_, _>>()?
        }
        _ => return Err(mismatch),
    };
    let party = claims.text("azp").map_err(refusal)?;
    let is_ours = |id: &str| ours.iter().any(|our| our == id);
    let all_known = audiences.iter().all(|audience| is_ours(audience) || trusted.iter().any(|known| known == audience));
    if (!all_known && audiences.len() > 1 && party.is_none()) || party.is_some_and(|party| !is_ours(party)) {
        return Err(mismatch);
    }
    audiences.into_iter().find(|a| is_ours(a)).map(str::to_owned).ok_or(mismatch)
}

fn check_times(claims: &Claims, handed_over: bool, now: Timestamp) -> Result<Timestamp, ProviderFault> {
    let moment = |name| claims.numeric_date(name).map_err(refusal).map(|s| s.map(Timestamp::from_seconds));
    let absent = |name| move || ProviderFault::malformed_token(format_args!("the claim {name} is absent"));
    let expires = moment("exp")?.ok_or_else(absent("exp"))?;
    let issued = moment("iat")?.ok_or_else(absent("iat"))?;
    if expires.plus(SKEW) <= now {
        return Err(ProviderFault::Refused("token_expired"));
    }
    if issued > now.plus(SKEW) || moment("nbf")?.is_some_and(|from| from > now.plus(SKEW)) {
        return Err(ProviderFault::Refused("token_not_yet_valid"));
    }
    if handed_over && issued.plus(STALE) < now {
        return Err(ProviderFault::Refused("token_stale"));
    }
    Ok(expires)
}

fn check_nonce(claims: &Claims, nonce: Nonce<'_>) -> Result<(), ProviderFault> {
    let found = claims.text("nonce").map_err(refusal)?;
    match (nonce, found) {
        (Nonce::Required(_) | Nonce::Shown(_), None) => Err(ProviderFault::Refused("nonce_missing")),
        (Nonce::IfPresent(_) | Nonce::Absent, None) => Ok(()),
        (Nonce::Required(ours) | Nonce::IfPresent(ours), Some(found)) if same(ours.as_bytes(), found.as_bytes()) => {
            Ok(())
        }
        (Nonce::Shown(shown), Some(found)) if is_nonce_or_its_hash(shown, found) => Ok(()),
        (_, Some(_)) => Err(ProviderFault::Refused("nonce_mismatch")),
    }
}

/// SDKs put the nonce into the token as it is, or its SHA-256 as Apple's and Google's samples do (hexadecimal) and
/// others (base64url). An empty one binds nothing.
fn is_nonce_or_its_hash(shown: &str, found: &str) -> bool {
    let hash = sha256(shown.as_bytes());
    let forms = [shown.to_owned(), hex::encode(hash), URL_SAFE_NO_PAD.encode(hash)];
    !shown.is_empty() && forms.iter().any(|form| same(form.as_bytes(), found.as_bytes()))
}

/// `at_hash`: half of the hash that belongs to the signature's algorithm (Ed25519: SHA-512).
fn check_access_token_hash(
    claims: &Claims,
    algorithm: Algorithm,
    access_token: Option<&str>,
) -> Result<(), ProviderFault> {
    let (Some(at_hash), Some(access_token)) = (claims.text("at_hash").map_err(refusal)?, access_token) else {
        return Ok(());
    };
    let hash = if algorithm == Algorithm::EdDSA { &digest::SHA512 } else { &digest::SHA256 };
    let full = digest::digest(hash, access_token.as_bytes());
    let half = full.as_ref().get(..full.as_ref().len() / 2).unwrap_or_default();
    if same(at_hash.as_bytes(), URL_SAFE_NO_PAD.encode(half).as_bytes()) {
        Ok(())
    } else {
        Err(ProviderFault::Refused("token_hash_mismatch"))
    }
}

#[allow(clippy::needless_pass_by_value, reason = "fits map_err")]
pub(crate) fn refusal(error: JoseError) -> ProviderFault {
    match error {
        JoseError::Algorithm => ProviderFault::Refused("algorithm_not_allowed"),
        JoseError::Signature => ProviderFault::Refused("signature_invalid"),
        other => ProviderFault::malformed_token(other),
    }
}
