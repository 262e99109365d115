//! Honestly signed tokens that say what no access token of ours says.

use serde_json::json;
use userd_crypto::TokenError;
use userd_jose::JoseError;

use crate::{fixture::*, forgery::*};

/// AC-076: times that are text, floats, negative, huge or missing.
/// ASVS V9.2.1
#[test]
fn malformed_times_are_refused() {
    let fixture = Fixture::new();
    let header = fixture.header(ED).to_string();
    let mut all = Vec::new();
    for name in ["exp", "nbf", "iat", "auth_time"] {
        for value in [
            "\"1800000600\"",
            "1800000600.0",
            "1.8e9",
            "-1",
            "9223372036854775808",
            "99999999999999",
            "null",
            "true",
            "[1800000600]",
            "{}",
        ] {
            let text = with(fixture.good_claims(), name, json!("@")).to_string().replace("\"@\"", value);
            all.push(forged(
                format!("{name} {value}"),
                sign_text(fixture.key(ED), &header, &text),
                TokenError::Claim(name),
            ));
        }
        for value in
            ["18446744073709551616", "1e400", "-1e400", "NaN", "Infinity", "0x6b49d200", "01800000600", "1800000600,"]
        {
            let text = with(fixture.good_claims(), name, json!("@")).to_string().replace("\"@\"", value);
            all.push(forged(format!("{name} {value}"), sign_text(fixture.key(ED), &header, &text), JSON));
        }
    }
    for (name, seconds, reason) in [
        ("exp", 1_800_000_000, TokenError::Expired),
        ("exp", 0, TokenError::Expired),
        ("nbf", 1_800_000_061, TokenError::NotYetValid),
        ("iat", 1_800_000_061, TokenError::NotYetValid),
    ] {
        let claims = with(fixture.good_claims(), name, seconds.into());
        all.push(forged(format!("{name} {seconds}"), fixture.sign(ED, &fixture.header(ED), &claims), reason));
    }
    refuse_all(&fixture, all);
}

/// AC-058: a token for somebody else, from somebody else, or without what an access token needs.
/// ASVS V9.2.3, V10.3.1
#[test]
fn claims_must_be_there_and_be_ours() {
    let fixture = Fixture::new();
    let mut all = Vec::new();
    for name in ["iss", "aud", "sub", "client_id", "jti", "iat", "nbf", "exp", "roles", "permissions", "amr", "ver"] {
        let claims = without(fixture.good_claims(), name);
        all.push(forged(
            format!("{name} missing"),
            fixture.sign(ED, &fixture.header(ED), &claims),
            TokenError::Claim(name),
        ));
    }
    let wrong = [
        ("iss", json!("https://users.example/")),
        ("iss", json!("https://Users.example")),
        ("iss", json!(["https://users.example"])),
        ("sub_type", json!("client")),
        ("sub_type", json!("User")),
        ("sub_type", json!(1)),
        ("aud", json!("another")),
        ("aud", json!("userd2")),
        ("aud", json!("")),
        ("aud", json!(["another", "userd "])),
        ("aud", json!([])),
        ("aud", json!(["userd", 1])),
        ("aud", json!({"userd": true})),
        ("sub", json!("admin")),
        ("sub", json!("11111111111141118111111111111111")),
        ("sub", json!("{11111111-1111-4111-8111-111111111111}")),
        ("sub", json!("urn:uuid:11111111-1111-4111-8111-111111111111")),
        ("sub", json!(1)),
        ("sid", json!("AAAAAAAA-1111-4111-8111-111111111111")),
        ("sid", json!(null)),
        ("jti", json!("7")),
        ("roles", json!("admin")),
        ("roles", json!([["admin"]])),
        ("role_versions", json!(["4"])),
        ("role_versions", json!([-1])),
        ("permissions_complete", json!("false")),
        ("permissions", json!({"users.manage": true})),
        ("amr", json!("pwd")),
        ("scope", json!(["profile"])),
        ("client_id", json!(1)),
        ("ver", json!(-1)),
        ("ver", json!("7")),
        ("ver", json!(7.5)),
        ("gen", json!(-1)),
        ("gen", json!("3")),
    ];
    for (name, value) in wrong {
        let claims = with(fixture.good_claims(), name, value.clone());
        all.push(forged(
            format!("{name} {value}"),
            fixture.sign(ED, &fixture.header(ED), &claims),
            TokenError::Claim(name),
        ));
    }
    refuse_all(&fixture, all);
}

/// AC-058: an ID token, a refresh token, a logout token used as an access token.
/// AC-081: a refresh token on the API.
/// ASVS V9.2.2
#[test]
fn other_kinds_of_tokens_are_not_access_tokens() {
    let fixture = Fixture::new();
    let mut all = Vec::new();
    for typ in [
        "JWT",
        "jwt",
        "",
        "id+jwt",
        "logout+jwt",
        "rt+jwt",
        "at",
        "at+jwt ",
        "at+jwt; charset=utf-8",
        "text/at+jwt",
        "secevent+jwt",
    ] {
        let header = with(fixture.header(ED), "typ", typ.into());
        all.push(forged(
            format!("typ {typ:?}"),
            fixture.sign(ED, &header, &fixture.good_claims()),
            TokenError::WrongType,
        ));
    }
    all.push(forged(
        "typ missing",
        fixture.sign(ED, &without(fixture.header(ED), "typ"), &fixture.good_claims()),
        TokenError::WrongType,
    ));
    let list = with(fixture.header(ED), "typ", json!(["at+jwt"]));
    all.push(forged(
        "typ a list",
        fixture.sign(ED, &list, &fixture.good_claims()),
        TokenError::Token(JoseError::Header("typ")),
    ));
    all.push(forged("a refresh token", format!("udr_{}", "A".repeat(86)), PARTS));
    refuse_all(&fixture, all);
}
