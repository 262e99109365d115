//! The ways in which an OpenID provider can be hostile, one at a time.

use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use userd_jose::{SigningKey, hs256, sign_compact};

use super::documents;
use crate::{page::escape, reply::Fault};

macro_rules! fault_modes {
    ($($name:ident, $slug:literal, $what:literal;)+) => {
        /// A way to be hostile.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum FaultMode { $(#[doc = $what] $name,)+ }

        impl FaultMode {
            /// Every one.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The name in `/fault-mode?name=`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $slug,)+ }
            }

            /// What it does.
            #[must_use]
            pub const fn describe(self) -> &'static str {
                match self { $(Self::$name => $what,)+ }
            }
        }
    };
}

fault_modes! {
    OtherIssuerInAnswer, "mix-up", "The callback's `iss` names another issuer: a mix-up (RFC 9207).";
    NoIssuerInAnswer, "no-iss", "The callback has no `iss`, though discovery promises it.";
    OtherIssuerInToken, "token-iss", "The ID token's `iss` is another issuer.";
    OtherIssuerInDiscovery, "discovery-iss", "The discovery document names another issuer.";
    AlgorithmNone, "alg-none", "The ID token says `alg: none` and has no signature.";
    Hs256WithPublicKey, "hs256-public-key", "The ID token is an HMAC with the public key's text as the secret.";
    DuplicateKid, "duplicate-kid", "Two published keys have one `kid`; the token is signed by the stranger's.";
    StrangersKey, "strangers-key", "The ID token is signed by a key that is not published, under the real `kid`.";
    KeyInHeader, "key-in-header", "The ID token brings its own key in the header (`jwk`).";
    UnknownKid, "unknown-kid", "The ID token's `kid` is in no set.";
    CriticalHeader, "crit", "The ID token's header has a `crit` that nobody knows.";
    Tampered, "tampered", "One bit of the ID token's claims was changed after signing.";
    HugeToken, "huge", "The token endpoint answers more than a MiB.";
    HugeChunkedKeys, "huge-keys", "The key set is more than a MiB, its length unknown.";
    SlowLoris, "slow-loris", "The token endpoint sends a byte now and then, for ever.";
    HangingToken, "hang", "The token endpoint never answers.";
    RedirectingKeys, "redirect-jwks", "The key set redirects elsewhere.";
    RedirectingToken, "redirect-token", "The token endpoint redirects elsewhere with 307, which repeats the code there.";
    RedirectingUserinfo, "redirect-userinfo", "User-info redirects elsewhere, with the access token.";
    UserinfoAboutSomebodyElse, "userinfo-sub", "User-info is about another `sub` than the ID token.";
    EmptySubject, "empty-sub", "The `sub` is empty.";
    NullSubject, "null-sub", "The `sub` is null.";
    ZeroSubject, "zero-sub", "The `sub` is the text 0.";
    NumericSubject, "number-sub", "The `sub` is a number.";
    NoSubject, "no-sub", "There is no `sub`.";
    OtherAudience, "aud", "The ID token is for another client.";
    ManyAudiences, "many-aud", "The ID token is for us and another client, without `azp`.";
    OtherParty, "azp", "The ID token is for us and another client, and `azp` is that one.";
    OtherNonce, "nonce", "The ID token has another nonce.";
    NoNonce, "no-nonce", "The ID token has no nonce.";
    Expired, "expired", "The ID token ended an hour ago.";
    FromTheFuture, "future", "The ID token is issued tomorrow.";
    OtherAccessTokenHash, "at-hash", "`at_hash` is that of another access token.";
    NoIdToken, "no-id-token", "The token answer has no ID token.";
    UnverifiedEmail, "unverified", "Every address is unverified.";
    NoEmail, "no-email", "Nobody has an address.";
    ServerError, "500", "The token endpoint answers 500.";
}

impl FaultMode {
    /// By its name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|fault_mode| fault_mode.as_str() == name)
    }

    /// Whether somebody may still come in: these fault modes are inconveniences, not attacks.
    #[must_use]
    pub const fn is_survivable(self) -> bool {
        matches!(self, Self::UnverifiedEmail | Self::NoEmail)
    }

    /// The fault of a path.
    pub(super) fn fault(self, path: &str, base: &str) -> Option<Fault> {
        let elsewhere = || Fault::Redirect(format!("{base}/elsewhere{path}"));
        match (self, path) {
            (Self::HugeToken, "/token") => Some(Fault::Huge),
            (Self::HugeChunkedKeys, "/jwks") => Some(Fault::HugeChunked),
            (Self::SlowLoris, "/token") => Some(Fault::SlowLoris),
            (Self::HangingToken, "/token") => Some(Fault::Hang),
            (Self::RedirectingKeys, "/jwks")
            | (Self::RedirectingToken, "/token")
            | (Self::RedirectingUserinfo, "/userinfo") => Some(elsewhere()),
            (Self::ServerError, "/token") => Some(Fault::Status(500, json!({ "error": "server_error" }))),
            _ => None,
        }
    }

    /// The ID token, made wrong.
    pub(super) fn sign(
        self,
        key: &SigningKey,
        stranger: &SigningKey,
        mut header: Value,
        mut claims: Value,
    ) -> Option<String> {
        self.change_claims(&mut claims);
        match self {
            Self::AlgorithmNone => Some(unsigned(&claims)),
            Self::Hs256WithPublicKey => hs256::sign(&claims, documents::public(key).to_string().as_bytes()).ok(),
            Self::StrangersKey | Self::DuplicateKid => sign_compact(stranger, &header, &claims).ok(),
            Self::KeyInHeader => {
                header["jwk"] = documents::public(stranger);
                sign_compact(stranger, &header, &claims).ok()
            }
            Self::UnknownKid => {
                header["kid"] = "nobodys".into();
                sign_compact(key, &header, &claims).ok()
            }
            Self::CriticalHeader => {
                header["crit"] = json!(["exp"]);
                sign_compact(key, &header, &claims).ok()
            }
            Self::Tampered => sign_compact(key, &header, &claims).ok().and_then(|token| tampered(&token, claims)),
            _ => sign_compact(key, &header, &claims).ok(),
        }
    }

    fn change_claims(self, claims: &mut Value) {
        let shifted = |claims: &Value, name: &str, by: i64| claims[name].as_i64().unwrap_or_default() + by;
        match self {
            Self::OtherIssuerInToken => claims["iss"] = "https://login.victim.example".into(),
            Self::EmptySubject => claims["sub"] = "".into(),
            Self::NullSubject => claims["sub"] = Value::Null,
            Self::ZeroSubject => claims["sub"] = "0".into(),
            Self::NumericSubject => claims["sub"] = 4242.into(),
            Self::NoSubject => remove(claims, "sub"),
            Self::OtherAudience => claims["aud"] = "another-client".into(),
            Self::ManyAudiences => claims["aud"] = json!([claims["aud"], "another-client"]),
            Self::OtherParty => {
                claims["aud"] = json!([claims["aud"], "another-client"]);
                claims["azp"] = "another-client".into();
            }
            Self::OtherNonce => claims["nonce"] = "another-nonce".into(),
            Self::NoNonce => remove(claims, "nonce"),
            Self::Expired => {
                claims["iat"] = shifted(claims, "iat", -7200).into();
                claims["exp"] = shifted(claims, "exp", -7200).into();
            }
            Self::FromTheFuture => {
                claims["iat"] = shifted(claims, "iat", 86_400).into();
                claims["exp"] = shifted(claims, "exp", 86_400).into();
            }
            Self::OtherAccessTokenHash => claims["at_hash"] = half_hash("another-token").into(),
            Self::RedirectingUserinfo | Self::UserinfoAboutSomebodyElse => {
                // So that user-info is asked.
                remove(claims, "email");
                remove(claims, "email_verified");
            }
            _ => {}
        }
    }
}

fn remove(claims: &mut Value, name: &str) {
    if let Some(members) = claims.as_object_mut() {
        members.remove(name);
    }
}

fn unsigned(claims: &Value) -> String {
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.", encode(&json!({ "alg": "none", "typ": "JWT" })), encode(claims))
}

/// The same header and signature over other claims.
fn tampered(token: &str, mut claims: Value) -> Option<String> {
    let (header, rest) = token.split_once('.')?;
    let (_, signature) = rest.split_once('.')?;
    claims["sub"] = "somebody-else".into();
    Some(format!("{header}.{}.{signature}", URL_SAFE_NO_PAD.encode(claims.to_string())))
}

/// `iss` of the callback.
pub(super) fn issuer_in_answer(fault_mode: Option<FaultMode>, base: &str) -> Option<String> {
    match fault_mode {
        Some(FaultMode::OtherIssuerInAnswer) => Some("https://login.victim.example".to_owned()),
        Some(FaultMode::NoIssuerInAnswer) => None,
        _ => Some(base.to_owned()),
    }
}

/// `at_hash` for ES256 and RS256 (OIDC Core 3.1.3.6).
pub(crate) fn half_hash(token: &str) -> String {
    let hash = digest::digest(&digest::SHA256, token.as_bytes());
    URL_SAFE_NO_PAD.encode(hash.as_ref().get(..16).unwrap_or_default())
}

/// The fault modes as links.
pub(super) fn choice(now: Option<FaultMode>) -> String {
    let item = |name: &str, what: &str, chosen: bool| {
        let mark = if chosen { " ←" } else { "" };
        format!("<li><a href=\"/fault-mode?name={name}\">{}</a>: {}{mark}</li>", escape(name), escape(what))
    };
    let friendly = item("", "an honest provider / честный провайдер", now.is_none());
    let rest: String = FaultMode::ALL
        .iter()
        .map(|fault_mode| item(fault_mode.as_str(), fault_mode.describe(), now == Some(*fault_mode)))
        .collect();
    let title = "<h2>How hostile? / Как вредить?</h2><p>Choose, then go back. / Выберите и вернитесь назад.</p>";
    format!("{title}<ul>{friendly}{rest}</ul>")
}
