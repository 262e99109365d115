//! Tokens in another form or spelling, and arbitrary texts.

use proptest::prelude::*;
use serde_json::{Value, json};
use userd_crypto::TokenError;
use userd_jose::JoseError;

use crate::{fixture::*, forgery::*};

/// AC-079: JWE is not accepted, compressed or not.
#[test]
fn only_the_plain_compact_form_is_read() {
    let fixture = Fixture::new();
    let token = fixture.sign(ED, &fixture.header(ED), &fixture.good_claims());
    let (head, body, signature) = parts(&token);
    let header =
        |name: &str, value: Value| fixture.sign(ED, &with(fixture.header(ED), name, value), &fixture.good_claims());
    let unsupported = |name| TokenError::Token(JoseError::Header(name));
    let flat = json!({"protected": head, "payload": body, "signature": signature}).to_string();
    let bomb =
        b64(json!({"alg": "PBES2-HS256+A128KW", "enc": "A128GCM", "zip": "DEF", "p2c": 1_000_000_000}).to_string());
    let huge = with(fixture.good_claims(), "padding", "x".repeat(8192).into());
    refuse_all(
        &fixture,
        vec![
            forged("JWE of five parts", format!("{bomb}.AAAA.AAAA.AAAA.AAAA"), PARTS),
            forged("JWE header on three parts", format!("{bomb}.{body}.{signature}"), unsupported("zip")),
            forged("JSON serialization", flat, PARTS),
            forged("zip", header("zip", "DEF".into()), unsupported("zip")),
            forged("enc", header("enc", "A256GCM".into()), unsupported("enc")),
            forged("crit unknown", header("crit", json!(["x"])), unsupported("crit")),
            forged("crit empty", header("crit", json!([])), unsupported("crit")),
            forged("crit exp", header("crit", json!(["exp"])), unsupported("crit")),
            forged("b64 false", header("b64", false.into()), unsupported("b64")),
            forged("oversized", fixture.sign(ED, &fixture.header(ED), &huge), TokenError::Token(JoseError::TooLong)),
            forged("two parts", format!("{head}.{body}"), PARTS),
            forged("four parts", format!("{token}."), PARTS),
            forged("empty", String::new(), PARTS),
            forged("dots", "..".into(), JSON),
            forged("empty payload", format!("{head}..{signature}"), SIGNATURE),
            forged("bearer prefix", format!("Bearer {token}"), ENCODING),
        ],
    );
}

/// AC-115: malformed encodings are refused without a panic.
#[test]
fn one_token_has_one_spelling() {
    let fixture = Fixture::new();
    let token = fixture.sign(ED, &fixture.header(ED), &fixture.good_claims());
    let (head, body, signature) = parts(&token);
    let (start, last) = signature.split_at(signature.len() - 1);
    let other = ["A", "Q", "g", "w"]
        .into_iter()
        .find(|letter| *letter == last)
        .map(|letter| char::from(letter.as_bytes()[0] + 1));
    refuse_all(
        &fixture,
        vec![
            forged("padding", format!("{token}=="), ENCODING),
            forged("trailing bits", format!("{head}.{body}.{start}{}", other.unwrap()), ENCODING),
            forged("trailing byte", format!("{token}A"), SIGNATURE),
            forged("trailing bytes", format!("{token}AA"), SIGNATURE),
            forged("three trailing characters", format!("{token}AAA"), ENCODING),
            forged("trailing newline", format!("{token}\n"), ENCODING),
            forged("leading space", format!(" {token}"), ENCODING),
            forged("inner space", format!("{head}. {body}.{signature}"), ENCODING),
            forged("standard alphabet", format!("{head}.{body}.{}", "+/".repeat(43)), ENCODING),
            forged("not ASCII", format!("{head}.{body}.é"), ENCODING),
            forged("NUL", format!("{token}\0"), ENCODING),
            forged("BOM", sign_text(fixture.key(ED), &format!("\u{feff}{}", fixture.header(ED)), "{}"), JSON),
        ],
    );
}

#[test]
fn a_member_named_twice_is_refused() {
    let fixture = Fixture::new();
    let (header, claims) = (fixture.header(ED).to_string(), fixture.good_claims().to_string());
    let twice = |text: &str, member: &str| text.replacen('{', &format!("{{{member},"), 1);
    let sign = |header: &str, claims: &str| sign_text(fixture.key(ED), header, claims);
    refuse_all(
        &fixture,
        vec![
            forged("alg twice", sign(&twice(&header, r#""alg":"none""#), &claims), JSON),
            forged("alg twice, escaped", sign(&twice(&header, r#""\u0061lg":"none""#), &claims), JSON),
            forged("kid twice", sign(&twice(&header, r#""kid":"x""#), &claims), JSON),
            forged("typ twice", sign(&twice(&header, r#""typ":"at+jwt""#), &claims), JSON),
            forged(
                "sub twice",
                sign(&header, &twice(&claims, r#""sub":"22222222-2222-4222-8222-222222222222""#)),
                JSON,
            ),
            forged("exp twice", sign(&header, &twice(&claims, r#""exp":9999999999"#)), JSON),
            forged("roles twice", sign(&header, &twice(&claims, r#""roles":["admin"]"#)), JSON),
            forged("nested twice", sign(&header, &twice(&claims, r#""act":{"sub":"a","sub":"b"}"#)), JSON),
            forged("claims not an object", sign(&header, "[]"), JSON),
            forged("claims with a tail", sign(&header, &format!("{claims}{claims}")), JSON),
            forged("header not an object", sign("\"EdDSA\"", &claims), JSON),
            forged("header not UTF-8", format!("{}.e30.AA", b64(b"{\"alg\":\"\xff\"}")), JSON),
        ],
    );
}
fn shared() -> &'static (Fixture, String) {
    static SHARED: std::sync::OnceLock<(Fixture, String)> = std::sync::OnceLock::new();
    SHARED.get_or_init(|| {
        let fixture = Fixture::new();
        let token = fixture.sign(ED, &fixture.header(ED), &fixture.good_claims());
        (fixture, token)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// ASVS V9.1.1
    #[test]
    fn a_mutated_token_never_verifies(at in any::<prop::sample::Index>(), letter in any::<u8>(), kind in 0..3) {
        let (fixture, token) = shared();
        let mut bytes = token.clone().into_bytes();
        let at = at.index(bytes.len());
        match kind {
            0 => bytes[at] = letter & 0x7f,
            1 => bytes.insert(at, letter & 0x7f),
            _ => drop(bytes.remove(at)),
        }
        let mutated = String::from_utf8(bytes).unwrap();
        prop_assert!(mutated == *token || fixture.tokens.verify(&mutated, now()).is_err());
    }

    /// AC-115: no text is a token, and none makes the verifier panic.
    #[test]
    fn any_text_is_refused(text in "\\PC{0,300}", header in "\\PC{0,50}", claims in "\\PC{0,50}") {
        let (fixture, _) = shared();
        prop_assert!(fixture.tokens.verify(&text, now()).is_err());
        prop_assert!(fixture.tokens.verify(&sign_text(fixture.key(ED), &header, &claims), now()).is_err());
    }
}
