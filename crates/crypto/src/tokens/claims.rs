//! What an access token says (RFC 9068 section 2.2), written and read strictly: a claim of another type, or an id in
//! another spelling, is refused and never guessed at.

use std::time::Duration;

use serde_json::{Map, Value, json};
use userd_jose::Claims;
use userd_model::{SessionId, Timestamp, TokenId};
use uuid::Uuid;

use super::{TokenError, TokenOptions};

/// How far clocks of replicas may differ, for `iat` and `nbf`. `exp` has no leeway.
const LEEWAY: Duration = Duration::from_secs(60);

/// The claims of an access token but `iss`, which is the same for all, and `sub_type`, which follows from `sid`: `user`,
/// or `client` for a service account's own. Times count whole seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessClaims {
    /// `aud`: the one service that it is for.
    pub audience: String,
    /// `sub`: the user, or the service account itself when there is no session.
    pub sub: Uuid,
    /// `client_id`: who asked for the token.
    pub client_id: String,
    /// `jti`.
    pub jti: TokenId,
    /// `sid`: the session; absent in tokens of service accounts.
    pub sid: Option<SessionId>,
    /// `iat`: when it was issued.
    pub iat: Timestamp,
    /// `nbf`: from when on it counts.
    pub nbf: Timestamp,
    /// `exp`: from when on it no longer counts.
    pub exp: Timestamp,
    /// `roles`, by name.
    pub roles: Vec<String>,
    /// `role_versions`: of each of `roles`, the version of what it allows that the token carries; empty in tokens of
    /// service accounts.
    pub role_versions: Vec<i64>,
    /// `permissions`, by name.
    pub permissions: Vec<String>,
    /// `permissions_complete`, said only where it is not so: what is held does not fit into a token.
    pub permissions_complete: bool,
    /// `permission_prefix`: what a service account may register, give and ask about begins so; absent where it is not limited.
    pub permission_prefix: Option<String>,
    /// `scope`, separated by spaces.
    pub scope: Option<String>,
    /// `auth_time`: when the user last proved who they are.
    pub auth_time: Option<Timestamp>,
    /// `amr`: how (RFC 8176).
    pub amr: Vec<String>,
    /// `acr`: how strongly; absent in tokens of service accounts.
    pub acr: Option<String>,
    /// `ver`: the user's security epoch; a raised epoch makes older tokens void.
    pub ver: i64,
    /// `gen`: the generation of the refresh token that it came with; absent in tokens of service accounts.
    pub generation: Option<i64>,
}

impl AccessClaims {
    pub(super) fn to_members(&self, options: &TokenOptions) -> Map<String, Value> {
        let mut members = Map::from_iter([
            ("iss".to_owned(), json!(options.issuer)),
            ("aud".to_owned(), json!(self.audience)),
            ("sub".to_owned(), json!(self.sub)),
            ("sub_type".to_owned(), json!(self.sub_type())),
            ("client_id".to_owned(), json!(self.client_id)),
            ("jti".to_owned(), json!(self.jti)),
            ("iat".to_owned(), json!(self.iat.seconds())),
            ("nbf".to_owned(), json!(self.nbf.seconds())),
            ("exp".to_owned(), json!(self.exp.seconds())),
            ("roles".to_owned(), json!(self.roles)),
            ("permissions".to_owned(), json!(self.permissions)),
            ("amr".to_owned(), json!(self.amr)),
            ("ver".to_owned(), json!(self.ver)),
        ]);
        let optional = [
            ("sid", self.sid.map(|sid| json!(sid))),
            ("scope", self.scope.as_ref().map(|scope| json!(scope))),
            ("auth_time", self.auth_time.map(|time| json!(time.seconds()))),
            ("acr", self.acr.as_ref().map(|acr| json!(acr))),
            ("gen", self.generation.map(|generation| json!(generation))),
            ("role_versions", (!self.role_versions.is_empty()).then(|| json!(self.role_versions))),
            ("permission_prefix", self.permission_prefix.as_ref().map(|prefix| json!(prefix))),
            ("permissions_complete", (!self.permissions_complete).then_some(json!(false))),
        ];
        members.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        members
    }

    /// Reads everything but decides nothing about time, so that the answer can be remembered.
    pub(super) fn read(claims: &Claims, options: &TokenOptions) -> Result<Self, TokenError> {
        if claims.text("iss")? != Some(options.issuer.as_str()) {
            return Err(TokenError::Claim("iss"));
        }
        let named = claims.audience()?;
        let audience = options.audiences.iter().find(|known| named.contains(&known.as_str()));
        let read = Self {
            audience: required(audience, "aud")?.clone(),
            sub: required(id(claims, "sub")?, "sub")?,
            client_id: required(claims.text("client_id")?, "client_id")?.to_owned(),
            jti: TokenId(required(id(claims, "jti")?, "jti")?),
            sid: id(claims, "sid")?.map(SessionId),
            iat: required(time(claims, "iat")?, "iat")?,
            nbf: required(time(claims, "nbf")?, "nbf")?,
            exp: required(time(claims, "exp")?, "exp")?,
            roles: words(claims, "roles")?,
            role_versions: claims.integers("role_versions")?.unwrap_or_default(),
            permissions: words(claims, "permissions")?,
            permissions_complete: claims.boolean("permissions_complete")?.unwrap_or(true),
            permission_prefix: claims.text("permission_prefix")?.map(str::to_owned),
            scope: claims.text("scope")?.map(str::to_owned),
            auth_time: time(claims, "auth_time")?,
            amr: words(claims, "amr")?,
            acr: claims.text("acr")?.map(str::to_owned),
            ver: required(claims.integer("ver")?, "ver")?,
            // Tokens of before this claim was made have none.
            generation: claims.integer("gen")?,
        };
        // Tokens of before this claim was made have none.
        match claims.text("sub_type")? {
            Some(kind) if kind != read.sub_type() => Err(TokenError::Claim("sub_type")),
            _ => Ok(read),
        }
    }

    const fn sub_type(&self) -> &'static str {
        if self.sid.is_some() { "user" } else { "client" }
    }

    pub(super) fn check_time(&self, now: Timestamp) -> Result<(), TokenError> {
        if now >= self.exp {
            return Err(TokenError::Expired);
        }
        let latest = now.plus(LEEWAY);
        if self.nbf > latest || self.iat > latest {
            return Err(TokenError::NotYetValid);
        }
        Ok(())
    }
}

fn required<T>(value: Option<T>, name: &'static str) -> Result<T, TokenError> {
    value.ok_or(TokenError::Claim(name))
}

fn time(claims: &Claims, name: &'static str) -> Result<Option<Timestamp>, TokenError> {
    Ok(claims.seconds(name)?.map(Timestamp::from_seconds))
}

fn words(claims: &Claims, name: &'static str) -> Result<Vec<String>, TokenError> {
    Ok(required(claims.texts(name)?, name)?.into_iter().map(str::to_owned).collect())
}

/// One id has one spelling: lower case with hyphens.
fn id(claims: &Claims, name: &'static str) -> Result<Option<Uuid>, TokenError> {
    let Some(text) = claims.text(name)? else {
        return Ok(None);
    };
    match Uuid::try_parse(text) {
        Ok(id) if id.hyphenated().to_string() == text => Ok(Some(id)),
        _ => Err(TokenError::Claim(name)),
    }
}
