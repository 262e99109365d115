//! Honest tokens: issued, verified, remembered, rotated, and read by another implementation.

use std::{sync::Arc, time::Duration};

use crate::fixture::{Fixture, claims, now};
use jsonwebtoken as theirs;
use serde_json::{Value, json};
use userd_crypto::{Algorithm, LoadedKey, MAX_TOKEN_LEN, RefreshTokens, TokenError, TokenOptions, Tokens};
use userd_jose::Compact;
use userd_model::{KeyState, SessionId, Timestamp};

fn later(seconds: u64) -> Timestamp {
    now().plus(Duration::from_secs(seconds))
}

#[test]
fn what_is_issued_is_verified_with_all_its_claims() {
    let fixture = Fixture::new();
    let token = fixture.tokens.issue(&claims()).unwrap();
    let verified = fixture.tokens.verify(&token, now()).unwrap();
    assert_eq!(verified.claims, claims());
    let mut expected = fixture.good_claims();
    expected["sub_type"] = json!("user");
    assert_eq!(Value::Object(fixture.tokens.members(&verified.claims)), expected);
    assert_eq!(verified.kid, fixture.kid(Algorithm::EdDSA));

    let header = Compact::parse(&token, 8192).unwrap().header().clone();
    assert_eq!((header.alg.as_str(), header.typ.as_deref()), ("EdDSA", Some("at+jwt")));
    let mut service = claims();
    (service.sid, service.auth_time, service.scope, service.generation) = (None, None, None, None);
    let token = fixture.tokens.issue(&service).unwrap();
    assert_eq!(fixture.tokens.verify(&token, now()).unwrap().claims, service);
}

/// ASVS V9.2.1
#[test]
fn a_token_lives_from_its_nbf_to_its_exp_and_not_a_second_longer() {
    let fixture = Fixture::new();
    let token = fixture.tokens.issue(&claims()).unwrap();
    for _remembered in [false, true] {
        assert!(fixture.tokens.verify(&token, later(599)).is_ok());
        assert_eq!(fixture.tokens.verify(&token, later(600)).unwrap_err(), TokenError::Expired);
        assert!(fixture.tokens.verify(&token, now().minus(Duration::from_secs(60))).is_ok());
        let early = now().minus(Duration::from_secs(61));
        assert_eq!(fixture.tokens.verify(&token, early).unwrap_err(), TokenError::NotYetValid);
    }
}

#[test]
fn a_verified_token_is_remembered_and_a_refused_one_is_not() {
    let fixture = Fixture::new();
    let token = fixture.tokens.issue(&claims()).unwrap();
    let first = fixture.tokens.verify(&token, now()).unwrap();
    let second = fixture.tokens.verify(&token, now()).unwrap();
    assert!(Arc::ptr_eq(&first, &second));
    assert_eq!(fixture.tokens.remembered(), 1);

    assert!(fixture.tokens.verify(&format!("{token}A"), now()).is_err());
    let another = fixture.tokens.issue(&claims_with_jti(9)).unwrap();
    assert!(fixture.tokens.verify(&another, later(600)).is_err());
    assert_eq!(fixture.tokens.remembered(), 1);
}

#[test]
fn no_more_tokens_are_remembered_than_allowed() {
    let fixture = Fixture::with_capacity(20);
    for number in 0..100 {
        let token = fixture.tokens.issue(&claims_with_jti(number)).unwrap();
        fixture.tokens.verify(&token, now()).unwrap();
    }
    assert!(fixture.tokens.remembered() <= 20, "{}", fixture.tokens.remembered());
}

#[test]
fn a_retired_key_and_the_next_one_verify_and_a_revoked_one_does_not() {
    let fixture = Fixture::new();
    for algorithm in Algorithm::ALL {
        let token = fixture.sign(algorithm, &fixture.header(algorithm), &fixture.good_claims());
        assert!(fixture.tokens.verify(&token, now()).is_ok(), "{algorithm:?}");
    }
    let token = fixture.sign_with(&fixture.revoked, &fixture.header_of(&fixture.revoked), &fixture.good_claims());
    assert_eq!(fixture.tokens.verify(&token, now()).unwrap_err(), TokenError::UnknownKey);
}

/// ASVS V11.1.1
#[test]
fn revoking_a_key_voids_remembered_tokens_at_once() {
    let fixture = Fixture::new();
    let token = fixture.tokens.issue(&claims()).unwrap();
    let first = fixture.tokens.verify(&token, now()).unwrap();

    fixture.tokens.load(fixture.keys([KeyState::Active, KeyState::Retired, KeyState::Next]));
    let unchanged = fixture.tokens.verify(&token, now()).unwrap();
    assert!(Arc::ptr_eq(&first, &unchanged), "loading the same keys forgets nothing");

    fixture.tokens.load(fixture.keys([KeyState::Retired, KeyState::Active, KeyState::Next]));
    let rotated = fixture.tokens.verify(&token, now()).unwrap();
    assert!(!Arc::ptr_eq(&first, &rotated), "a rotation verifies anew");
    assert_eq!(fixture.tokens.active_kid(), Some(fixture.kid(Algorithm::ES256)));

    fixture.tokens.load(fixture.keys([KeyState::Revoked, KeyState::Active, KeyState::Next]));
    assert_eq!(fixture.tokens.verify(&token, now()).unwrap_err(), TokenError::UnknownKey);
}

#[test]
fn a_key_listed_as_revoked_once_counts_nowhere() {
    let fixture = Fixture::new();
    let mut keys = fixture.keys([KeyState::Active, KeyState::Retired, KeyState::Next]);
    let ed = fixture.key(Algorithm::EdDSA).verifying_key(None).unwrap();
    keys.push(LoadedKey::public(ed.kid().unwrap(), KeyState::Revoked, &ed.to_jwk()).unwrap());
    fixture.tokens.load(keys);
    assert_eq!(fixture.tokens.issue(&claims()).unwrap_err(), TokenError::NoSigningKey);
}

#[test]
fn the_published_set_names_next_active_and_retired_keys_and_no_private_member() {
    let fixture = Fixture::new();
    let set: Value = serde_json::from_slice(&fixture.tokens.jwks()).unwrap();
    let keys = set["keys"].as_array().unwrap();
    let mut kids: Vec<_> = keys.iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect();
    let mut expected: Vec<_> = Algorithm::ALL.map(|algorithm| fixture.kid(algorithm)).into();
    kids.sort();
    expected.sort();
    assert_eq!(kids, expected);
    for key in keys {
        assert!(["d", "p", "q", "dp", "dq", "qi", "k"].iter().all(|member| key.get(member).is_none()), "{key}");
    }
}

/// RFC 7517 section 4 and RFC 8037 section 2: verifiers of other makers choose a key by these members (fault 38).
#[test]
fn a_published_key_has_these_members_and_no_other() {
    let fixture = Fixture::new();
    let set: Value = serde_json::from_slice(&fixture.tokens.jwks()).unwrap();
    for key in set["keys"].as_array().unwrap() {
        let key = key.as_object().unwrap();
        let of_kind: &[&str] = match (key["alg"].as_str().unwrap(), key["kty"].as_str().unwrap()) {
            ("EdDSA", "OKP") => &["crv", "x"],
            ("ES256", "EC") => &["crv", "x", "y"],
            ("RS256", "RSA") => &["e", "n"],
            other => panic!("{other:?}"),
        };
        let mut members = [&["alg", "kid", "kty", "use"], of_kind].concat();
        members.sort_unstable();
        let mut published: Vec<_> = key.keys().map(String::as_str).collect();
        published.sort_unstable();
        assert_eq!(published, members);
        assert_eq!(key["use"], "sig");
        assert!(key.get("crv").is_none_or(|curve| curve == "Ed25519" || curve == "P-256"));
    }
}

#[test]
fn without_keys_nothing_is_issued_or_verified() {
    let fixture = Fixture::new();
    let token = fixture.tokens.issue(&claims()).unwrap();
    let empty = Tokens::new(TokenOptions::new("https://users.example", "userd"));
    assert_eq!(empty.issue(&claims()).unwrap_err(), TokenError::NoSigningKey);
    assert_eq!(empty.verify(&token, now()).unwrap_err(), TokenError::UnknownKey);
    assert_eq!(&*empty.jwks(), br#"{"keys":[]}"#);
}

#[test]
fn a_generated_key_is_named_by_its_thumbprint_and_can_be_loaded() {
    for algorithm in Algorithm::ALL {
        let key = Tokens::generate_key(algorithm).unwrap();
        let loaded = LoadedKey::signing(&key.kid, KeyState::Active, algorithm.as_str(), &key.pkcs8).unwrap();
        let tokens = Tokens::new(TokenOptions::new("https://users.example", "userd"));
        tokens.load(vec![loaded]);
        let token = tokens.issue(&claims()).unwrap();
        let elsewhere = Tokens::new(TokenOptions::new("https://users.example", "userd"));
        elsewhere.load(vec![LoadedKey::public(&key.kid, KeyState::Retired, &key.public_jwk).unwrap()]);
        assert_eq!(elsewhere.verify(&token, now()).unwrap().kid, key.kid);
        assert_eq!(key.public_jwk["kid"], key.kid.as_str());
        assert!(!format!("{key:?}").contains("pkcs8"));
    }
    assert!(LoadedKey::signing("kid", KeyState::Active, "none", &[]).is_err());
}

#[test]
fn a_token_that_nobody_would_accept_is_not_issued() {
    let fixture = Fixture::new();
    let mut huge = claims();
    huge.roles = vec!["x".repeat(100); 100];
    assert!(fixture.tokens.issue(&huge).is_err());
}

#[test]
fn jsonwebtoken_verifies_ours_and_we_verify_its() {
    let fixture = Fixture::new();
    for (algorithm, name) in
        Algorithm::ALL.into_iter().zip([theirs::Algorithm::EdDSA, theirs::Algorithm::ES256, theirs::Algorithm::RS256])
    {
        let token = fixture.sign(algorithm, &fixture.header(algorithm), &fixture.good_claims());
        let public = fixture.key(algorithm).verifying_key(None).unwrap();
        let jwk: theirs::jwk::Jwk = serde_json::from_value(public.to_jwk()).unwrap();
        let mut validation = theirs::Validation::new(name);
        validation.set_audience(&["userd"]);
        validation.set_issuer(&["https://users.example"]);
        validation.validate_exp = false;
        validation.validate_nbf = false;
        let decoding = theirs::DecodingKey::from_jwk(&jwk).unwrap();
        let read = theirs::decode::<Value>(&token, &decoding, &validation).unwrap();
        assert_eq!(read.claims, fixture.good_claims());

        let mut header = theirs::Header::new(name);
        header.typ = Some("at+jwt".into());
        header.kid = Some(fixture.kid(algorithm));
        let pem = crate::fixture::pem(fixture.key(algorithm));
        let encoding = match algorithm {
            Algorithm::EdDSA => theirs::EncodingKey::from_ed_pem(&pem),
            Algorithm::ES256 => theirs::EncodingKey::from_ec_pem(&pem),
            Algorithm::RS256 => theirs::EncodingKey::from_rsa_pem(&pem),
        };
        let token = theirs::encode(&header, &fixture.good_claims(), &encoding.unwrap()).unwrap();
        assert_eq!(fixture.tokens.verify(&token, now()).unwrap().claims, claims());
    }
}

/// AC-081: an access token given where a refresh token is expected, and the other way round.
#[test]
fn access_and_refresh_tokens_never_stand_in_for_each_other() {
    let fixture = Fixture::new();
    let refresh = RefreshTokens::new([1; 32]);
    assert_eq!(refresh.parse(&fixture.tokens.issue(&claims()).unwrap()), None);
    let (text, _) = refresh.mint(&crate::fixture::Fixed, SessionId::from_random([2; 16]));
    assert!(fixture.tokens.verify(&text, now()).is_err());
}

/// AC-135: RSA private keys are only ever in aws-lc. The `rsa` crate is in the lock file below the library that verifies what
/// passkeys sign, with public keys alone, and nobody else can use it.
/// ASVS V11.3.1
#[test]
fn the_rsa_crate_is_not_among_our_dependencies() {
    let lock = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.lock")).unwrap();
    assert!(lock.contains("name = \"aws-lc-rs\""));
    let depends = |package: &&str| package.lines().any(|line| line == " \"rsa\"," || line.starts_with(" \"rsa "));
    let users = lock.split("[[package]]").filter(depends);
    let names: Vec<_> =
        users.filter_map(|package| package.lines().find_map(|line| line.strip_prefix("name = "))).collect();
    assert_eq!(names, ["\"crypto-glue\""]);
}

#[test]
fn printing_shows_no_key() {
    let fixture = Fixture::new();
    let printed = format!("{:?}", fixture.tokens);
    assert!(printed.contains(&fixture.kid(Algorithm::EdDSA)));
    let key = LoadedKey::signing("kid", KeyState::Active, "EdDSA", &fixture.key(Algorithm::EdDSA).to_pkcs8().unwrap());
    assert_eq!(
        format!("{:?}", key.unwrap()),
        "LoadedKey { kid: \"kid\", state: Active, half: Signing(SigningKey(EdDSA)) }"
    );
}

fn claims_with_jti(number: u8) -> userd_crypto::AccessClaims {
    let mut claims = claims();
    claims.jti = userd_model::TokenId::from_random([number; 16]);
    claims
}

/// ASVS V9.2.4
#[test]
fn the_audience_may_be_a_list_that_names_us() {
    let fixture = Fixture::new();
    let mut claims = fixture.good_claims();
    claims["aud"] = json!(["someone else", "userd"]);
    let token = fixture.sign(Algorithm::EdDSA, &fixture.header(Algorithm::EdDSA), &claims);
    assert!(fixture.tokens.verify(&token, now()).is_ok());
    for typ in ["AT+JWT", "application/at+jwt", "Application/At+Jwt"] {
        let mut header = fixture.header(Algorithm::EdDSA);
        header["typ"] = typ.into();
        let token = fixture.sign(Algorithm::EdDSA, &header, &fixture.good_claims());
        assert!(fixture.tokens.verify(&token, now()).is_ok(), "{typ}");
    }
}

/// What is said only where it is so, said and not said.
#[test]
fn claims_that_are_not_always_there_are_written_and_read() {
    let fixture = Fixture::new();
    let mut said = claims();
    said.permissions_complete = false;
    said.permission_prefix = Some("billing.".to_owned());
    let members = fixture.tokens.members(&said);
    assert_eq!((&members["permissions_complete"], &members["permission_prefix"]), (&json!(false), &json!("billing.")));
    let mut unsaid = claims();
    (unsaid.acr, unsaid.scope, unsaid.auth_time, unsaid.generation) = (None, None, None, None);
    (unsaid.roles, unsaid.role_versions, unsaid.permissions) = (Vec::new(), Vec::new(), Vec::new());
    let members = fixture.tokens.members(&unsaid);
    for name in ["acr", "scope", "auth_time", "gen", "role_versions", "permissions_complete", "permission_prefix"] {
        assert!(!members.contains_key(name), "{name}");
    }
    assert_eq!((&members["roles"], &members["permissions"]), (&json!([]), &json!([])));
    for claims in [said, unsaid] {
        let token = fixture.tokens.issue(&claims).unwrap();
        assert_eq!(fixture.tokens.verify(&token, now()).unwrap().claims, claims);
    }
}

/// The longest that is taken is issued too, and one more character is neither.
#[test]
fn a_token_may_be_as_long_as_is_said_and_no_longer() {
    let fixture = Fixture::new();
    let padded = |length: usize| {
        let mut padded = claims();
        padded.client_id = "x".repeat(length);
        padded
    };
    let room = MAX_TOKEN_LEN - fixture.tokens.issue(&padded(0)).unwrap().len();
    let fits = (0..=room * 3 / 4 + 4).rev().find(|length| fixture.tokens.issue(&padded(*length)).is_ok()).unwrap();
    let longest = fixture.tokens.issue(&padded(fits)).unwrap();
    assert_eq!(longest.len(), MAX_TOKEN_LEN);
    assert_eq!(fixture.tokens.verify(&longest, now()).unwrap().claims, padded(fits));
    let mut longer = fixture.good_claims();
    longer["client_id"] = "x".repeat(fits + 1).into();
    longer["sub_type"] = json!("user");
    let longer = fixture.sign(Algorithm::EdDSA, &fixture.header(Algorithm::EdDSA), &longer);
    assert!(longer.len() > MAX_TOKEN_LEN);
    let refused = fixture.tokens.verify(&longer, now()).unwrap_err();
    assert_eq!(refused, TokenError::Token(userd_jose::JoseError::TooLong));
}

#[test]
fn what_is_done_once_a_token_is_remembered_with_it() {
    let fixture = Fixture::new();
    let (one, other) = (claims_with_jti(1), claims_with_jti(2));
    let (one, other) = (fixture.tokens.issue(&one).unwrap(), fixture.tokens.issue(&other).unwrap());
    assert!(!fixture.tokens.verify(&one, now()).unwrap().is_met());
    fixture.tokens.verify(&one, now()).unwrap().meet();
    assert!(fixture.tokens.verify(&one, now()).unwrap().is_met());
    assert!(!fixture.tokens.verify(&other, now()).unwrap().is_met());
}

/// The token says for which of the services that are known here it is.
#[test]
fn each_known_audience_is_taken_and_told() {
    let fixture = Fixture::new();
    let options = TokenOptions {
        audiences: vec!["another".to_owned(), "userd".to_owned()],
        ..TokenOptions::new("https://users.example", "userd")
    };
    let tokens = Tokens::new(options);
    tokens.load(fixture.keys([KeyState::Active, KeyState::Retired, KeyState::Next]));
    for audience in ["another", "userd"] {
        let mut claims = claims();
        claims.audience = audience.to_owned();
        let token = tokens.issue(&claims).unwrap();
        assert_eq!(tokens.verify(&token, now()).unwrap().claims.audience, audience);
    }
}
