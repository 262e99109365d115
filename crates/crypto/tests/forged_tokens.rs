//! Every known way to forge a token, each with the reason for which it must fail: a forgery that fails for another
//! reason would prove nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests may panic")]

mod house;

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::STANDARD, engine::general_purpose::URL_SAFE_NO_PAD};
use house::{House, b64, now, sign_text};
use proptest::prelude::*;
use serde_json::{Value, json};
use userd_crypto::{Algorithm, TokenError};
use userd_jose::{JoseError, SigningKey};

const ED: Algorithm = Algorithm::EdDSA;
const ALGORITHM: TokenError = TokenError::Token(JoseError::Algorithm);
const SIGNATURE: TokenError = TokenError::Token(JoseError::Signature);
const ENCODING: TokenError = TokenError::Token(JoseError::Encoding);
const JSON: TokenError = TokenError::Token(JoseError::Json);
const PARTS: TokenError = TokenError::Token(JoseError::Parts);
const NO_ALG: TokenError = TokenError::Token(JoseError::Header("alg"));

type Forgery = (String, String, TokenError);

/// One named forgery.
fn forged(name: impl Into<String>, token: String, reason: TokenError) -> Forgery {
    (name.into(), token, reason)
}

fn refuse_all(house: &House, forgeries: Vec<Forgery>) {
    let honest = house.sign(ED, &house.header(ED), &house.good_claims());
    assert!(house.tokens.verify(&honest, now()).is_ok(), "the honest token passes");
    for (name, token, reason) in forgeries {
        assert_eq!(house.tokens.verify(&token, now()).err(), Some(reason), "{name}");
    }
    assert_eq!(house.tokens.remembered(), 1, "no forgery is remembered");
}

fn with(mut value: Value, member: &str, new: Value) -> Value {
    value[member] = new;
    value
}

fn without(mut value: Value, member: &str) -> Value {
    value.as_object_mut().unwrap().remove(member);
    value
}

/// Splits an honest token and signs nothing again.
fn parts(token: &str) -> (String, String, String) {
    let mut parts = token.split('.').map(str::to_owned);
    (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap())
}

/// AC-075: `none` in every spelling, with and without a signature.
/// ASVS V9.1.2
#[test]
fn a_token_without_a_signature_algorithm_is_refused() {
    let house = House::new();
    let header = house.header(ED);
    let mut all = Vec::new();
    for alg in [json!("none"), json!("None"), json!("noNE"), json!("NONE"), json!(""), json!("eddsa"), json!("EdDSA ")]
    {
        let token = house.sign(ED, &with(header.clone(), "alg", alg.clone()), &house.good_claims());
        let (head, body, _) = parts(&token);
        all.push(forged(format!("alg {alg}, signed"), token, ALGORITHM));
        all.push(forged(format!("alg {alg}, unsigned"), format!("{head}.{body}."), ALGORITHM));
    }
    for alg in [json!(["EdDSA"]), json!(null), json!({"EdDSA": 1}), json!(0)] {
        let token = house.sign(ED, &with(header.clone(), "alg", alg.clone()), &house.good_claims());
        all.push(forged(format!("alg {alg}"), token, NO_ALG));
    }
    all.push(forged("alg missing", house.sign(ED, &without(header, "alg"), &house.good_claims()), NO_ALG));
    refuse_all(&house, all);
}

/// AC-074: HS256 with our public key in any form, or with an empty key.
/// ASVS V9.1.2
#[test]
fn a_public_key_is_never_a_shared_secret() {
    let house = House::new();
    let mut all = Vec::new();
    for algorithm in Algorithm::ALL {
        let public = house.key(algorithm).verifying_key(Some(house.kid(algorithm))).unwrap();
        let jwk = public.to_jwk();
        let number = jwk.get("n").or(jwk.get("x")).and_then(Value::as_str).unwrap();
        let raw = URL_SAFE_NO_PAD.decode(number).unwrap();
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(spki(&raw)));
        let secrets = [
            ("PEM", pem.into_bytes()),
            ("JWK", jwk.to_string().into_bytes()),
            ("JWKS", house.tokens.jwks().to_vec()),
            ("DER", spki(&raw)),
            ("raw bytes", raw),
            ("base64url text", number.as_bytes().to_vec()),
            ("kid", house.kid(algorithm).into_bytes()),
            ("nothing", Vec::new()),
        ];
        for (form, secret) in secrets {
            for alg in ["HS256", "HS384"] {
                let header = with(house.header(algorithm), "alg", alg.into()).to_string();
                let input = format!("{}.{}", b64(header), b64(house.good_claims().to_string()));
                let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), input.as_bytes());
                all.push(forged(
                    format!("{alg} with the {algorithm:?} key as {form}"),
                    format!("{input}.{}", b64(tag)),
                    ALGORITHM,
                ));
            }
        }
    }
    refuse_all(&house, all);
}

/// The Ed25519 form; for the others any bytes that a verifier might feed to HMAC do.
fn spki(raw: &[u8]) -> Vec<u8> {
    [&[0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0][..], raw].concat()
}

/// AC-075: a key signs and verifies with its own algorithm only.
/// ASVS V9.1.2
#[test]
fn algorithms_cannot_be_swapped_between_keys() {
    let house = House::new();
    let mut all = Vec::new();
    for signer in Algorithm::ALL {
        for named in Algorithm::ALL.into_iter().filter(|named| *named != signer) {
            let own_alg = with(house.header(signer), "kid", house.kid(named).into());
            all.push(forged(
                format!("{signer:?} under the name of the {named:?} key"),
                house.sign(signer, &own_alg, &house.good_claims()),
                ALGORITHM,
            ));
            let their_alg = house.header(named);
            all.push(forged(
                format!("{signer:?} that says it is {named:?}"),
                house.sign(signer, &their_alg, &house.good_claims()),
                SIGNATURE,
            ));
        }
    }
    for alg in ["PS256", "RS384", "RS512", "ES384", "ES256K", "Ed25519", "HS256", "RSA-OAEP", "dir"] {
        let header = with(house.header(Algorithm::RS256), "alg", alg.into());
        all.push(forged(
            format!("RS256 signature, header {alg}"),
            house.sign(Algorithm::RS256, &header, &house.good_claims()),
            ALGORITHM,
        ));
    }
    refuse_all(&house, all);
}

/// ASVS V9.1.3
#[test]
fn keys_come_from_our_set_and_never_from_the_token() {
    let house = House::new();
    let attacker = SigningKey::generate(ED).unwrap();
    let jwk = attacker.verifying_key(None).unwrap().to_jwk();
    let mut all = Vec::new();
    for (member, value) in [
        ("jwk", jwk.clone()),
        ("jku", json!("https://attacker.example/jwks.json")),
        ("x5u", json!("https://attacker.example/chain.pem")),
        ("x5c", json!(["MIIB"])),
    ] {
        let ours = with(house.header(ED), member, value.clone());
        all.push(forged(
            format!("{member} beside our kid"),
            house.sign_with(&attacker, &ours, &house.good_claims()),
            SIGNATURE,
        ));
        let theirs = with(house.header_of(&attacker), member, value.clone());
        all.push(forged(
            format!("{member} beside their kid"),
            house.sign_with(&attacker, &theirs, &house.good_claims()),
            TokenError::UnknownKey,
        ));
    }
    for kid in ["../../../../dev/null", "' OR 1=1 --", "unknown", "", "0", "\u{0}", "/proc/self/environ", "*"] {
        let header = with(house.header(ED), "kid", kid.into());
        all.push(forged(format!("kid {kid:?}"), house.sign(ED, &header, &house.good_claims()), TokenError::UnknownKey));
    }
    all.push(forged(
        "kid missing",
        house.sign(ED, &without(house.header(ED), "kid"), &house.good_claims()),
        TokenError::UnknownKey,
    ));
    let number = with(house.header(ED), "kid", 7.into());
    all.push(forged(
        "kid a number",
        house.sign(ED, &number, &house.good_claims()),
        TokenError::Token(JoseError::Header("kid")),
    ));
    let revoked = house.header_of(&house.revoked);
    all.push(forged(
        "a revoked key",
        house.sign_with(&house.revoked, &revoked, &house.good_claims()),
        TokenError::UnknownKey,
    ));
    refuse_all(&house, all);

    let mut header = house.header(ED);
    header["jku"] = "https://attacker.example/jwks.json".into();
    let ignored = house.sign(ED, &header, &house.good_claims());
    assert!(house.tokens.verify(&ignored, now()).is_ok(), "a header key is ignored, not obeyed");
}

/// AC-076: times that are text, floats, negative, huge or missing.
/// ASVS V9.2.1
#[test]
fn malformed_times_are_refused() {
    let house = House::new();
    let header = house.header(ED).to_string();
    let mut all = Vec::new();
    for name in ["exp", "nbf", "iat", "auth_time"] {
        for value in [
            "\"1800000600\"",
            "1800000600.0",
            "1.8e9",
            "-1",
            "9223372036854775808",
            "18446744073709551616",
            "99999999999999",
            "null",
            "true",
            "[1800000600]",
            "{}",
        ] {
            let text = with(house.good_claims(), name, json!("@")).to_string().replace("\"@\"", value);
            all.push(forged(
                format!("{name} {value}"),
                sign_text(house.key(ED), &header, &text),
                TokenError::Claim(name),
            ));
        }
        for value in ["1e400", "-1e400", "NaN", "Infinity", "0x6b49d200", "01800000600", "1800000600,"] {
            let text = with(house.good_claims(), name, json!("@")).to_string().replace("\"@\"", value);
            all.push(forged(format!("{name} {value}"), sign_text(house.key(ED), &header, &text), JSON));
        }
    }
    for (name, seconds, reason) in [
        ("exp", 1_800_000_000, TokenError::Expired),
        ("exp", 0, TokenError::Expired),
        ("nbf", 1_800_000_061, TokenError::NotYetValid),
        ("iat", 1_800_000_061, TokenError::NotYetValid),
    ] {
        let claims = with(house.good_claims(), name, seconds.into());
        all.push(forged(format!("{name} {seconds}"), house.sign(ED, &house.header(ED), &claims), reason));
    }
    refuse_all(&house, all);
}

/// AC-058: a token for somebody else, from somebody else, or without what an access token needs.
/// ASVS V9.2.3
#[test]
fn claims_must_be_there_and_be_ours() {
    let house = House::new();
    let mut all = Vec::new();
    for name in ["iss", "aud", "sub", "client_id", "jti", "iat", "nbf", "exp", "roles", "permissions", "amr", "ver"] {
        let claims = without(house.good_claims(), name);
        all.push(forged(
            format!("{name} missing"),
            house.sign(ED, &house.header(ED), &claims),
            TokenError::Claim(name),
        ));
    }
    let wrong = [
        ("iss", json!("https://users.example/")),
        ("iss", json!("https://Users.example")),
        ("iss", json!(["https://users.example"])),
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
        ("permissions", json!({"users.manage": true})),
        ("amr", json!("pwd")),
        ("scope", json!(["profile"])),
        ("client_id", json!(1)),
        ("ver", json!(-1)),
        ("ver", json!("7")),
        ("ver", json!(7.5)),
    ];
    for (name, value) in wrong {
        let claims = with(house.good_claims(), name, value.clone());
        all.push(forged(
            format!("{name} {value}"),
            house.sign(ED, &house.header(ED), &claims),
            TokenError::Claim(name),
        ));
    }
    refuse_all(&house, all);
}

/// AC-058: an ID token, a refresh token, a logout token used as an access token.
/// AC-081: a refresh token on the API.
/// ASVS V9.2.2
#[test]
fn other_kinds_of_tokens_are_not_access_tokens() {
    let house = House::new();
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
        let header = with(house.header(ED), "typ", typ.into());
        all.push(forged(format!("typ {typ:?}"), house.sign(ED, &header, &house.good_claims()), TokenError::WrongType));
    }
    all.push(forged(
        "typ missing",
        house.sign(ED, &without(house.header(ED), "typ"), &house.good_claims()),
        TokenError::WrongType,
    ));
    let list = with(house.header(ED), "typ", json!(["at+jwt"]));
    all.push(forged(
        "typ a list",
        house.sign(ED, &list, &house.good_claims()),
        TokenError::Token(JoseError::Header("typ")),
    ));
    all.push(forged("a refresh token", format!("udr_{}", "A".repeat(86)), PARTS));
    refuse_all(&house, all);
}

/// AC-079: JWE is not accepted, compressed or not.
#[test]
fn only_the_plain_compact_form_is_read() {
    let house = House::new();
    let token = house.sign(ED, &house.header(ED), &house.good_claims());
    let (head, body, signature) = parts(&token);
    let header = |name: &str, value: Value| house.sign(ED, &with(house.header(ED), name, value), &house.good_claims());
    let unsupported = |name| TokenError::Token(JoseError::Header(name));
    let flat = json!({"protected": head, "payload": body, "signature": signature}).to_string();
    let bomb =
        b64(json!({"alg": "PBES2-HS256+A128KW", "enc": "A128GCM", "zip": "DEF", "p2c": 1_000_000_000}).to_string());
    let huge = with(house.good_claims(), "padding", "x".repeat(8192).into());
    refuse_all(
        &house,
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
            forged("oversized", house.sign(ED, &house.header(ED), &huge), TokenError::Token(JoseError::TooLong)),
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
    let house = House::new();
    let token = house.sign(ED, &house.header(ED), &house.good_claims());
    let (head, body, signature) = parts(&token);
    let (start, last) = signature.split_at(signature.len() - 1);
    let other = ["A", "Q", "g", "w"]
        .into_iter()
        .find(|letter| *letter == last)
        .map(|letter| char::from(letter.as_bytes()[0] + 1));
    refuse_all(
        &house,
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
            forged("BOM", sign_text(house.key(ED), &format!("\u{feff}{}", house.header(ED)), "{}"), JSON),
        ],
    );
}

#[test]
fn a_member_named_twice_is_refused() {
    let house = House::new();
    let (header, claims) = (house.header(ED).to_string(), house.good_claims().to_string());
    let twice = |text: &str, member: &str| text.replacen('{', &format!("{{{member},"), 1);
    let sign = |header: &str, claims: &str| sign_text(house.key(ED), header, claims);
    refuse_all(
        &house,
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

/// ASVS V9.1.1
#[test]
fn odd_signatures_are_refused() {
    let house = House::new();
    let mut all = Vec::new();
    for algorithm in Algorithm::ALL {
        let token = house.sign(algorithm, &house.header(algorithm), &house.good_claims());
        let (head, body, signature) = parts(&token);
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        let mut odd = vec![
            ("empty", Vec::new()),
            ("all zero", vec![0; signature.len()]),
            ("all ones", vec![0xff; signature.len()]),
            ("cut", signature[..signature.len() - 1].to_vec()),
            ("doubled", signature.repeat(2)),
        ];
        match algorithm {
            Algorithm::ES256 => odd.push(("in ASN.1", asn1(&signature))),
            Algorithm::EdDSA => odd.push(("with S + L", plus_group_order(&signature))),
            Algorithm::RS256 => {}
        }
        for (name, signature) in odd {
            all.push(forged(
                format!("{algorithm:?} signature {name}"),
                format!("{head}.{body}.{}", b64(signature)),
                SIGNATURE,
            ));
        }
        let other = with(house.good_claims(), "roles", json!(["owner"])).to_string();
        all.push(forged(
            format!("{algorithm:?} signature of other claims"),
            format!("{head}.{}.{}", b64(other), b64(&signature)),
            SIGNATURE,
        ));
    }
    refuse_all(&house, all);
}

/// The same ECDSA signature in the other common form.
fn asn1(fixed: &[u8]) -> Vec<u8> {
    let integer = |number: &[u8]| {
        let zero: &[u8] = if number[0] >= 0x80 { &[0] } else { &[] };
        [&[2, u8::try_from(number.len() + zero.len()).unwrap()], zero, number].concat()
    };
    let body = [integer(&fixed[..32]), integer(&fixed[32..])].concat();
    [&[0x30, u8::try_from(body.len()).unwrap()][..], &body].concat()
}

/// RFC 8032 section 5.1.7 forbids S beyond the group order; verifiers that forget it accept a second signature.
fn plus_group_order(signature: &[u8]) -> Vec<u8> {
    let order = hex::decode("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010").unwrap();
    let mut changed = signature.to_vec();
    let mut carry = 0_u16;
    for (byte, add) in changed[32..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        *byte = u8::try_from(sum & 0xff).unwrap();
        carry = sum >> 8;
    }
    changed
}

fn shared() -> &'static (House, String) {
    static SHARED: std::sync::OnceLock<(House, String)> = std::sync::OnceLock::new();
    SHARED.get_or_init(|| {
        let house = House::new();
        let token = house.sign(ED, &house.header(ED), &house.good_claims());
        (house, token)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// ASVS V9.1.1
    #[test]
    fn a_mutated_token_never_verifies(at in any::<prop::sample::Index>(), letter in any::<u8>(), kind in 0..3) {
        let (house, token) = shared();
        let mut bytes = token.clone().into_bytes();
        let at = at.index(bytes.len());
        match kind {
            0 => bytes[at] = letter & 0x7f,
            1 => bytes.insert(at, letter & 0x7f),
            _ => drop(bytes.remove(at)),
        }
        let mutated = String::from_utf8(bytes).unwrap();
        prop_assert!(mutated == *token || house.tokens.verify(&mutated, now()).is_err());
    }

    /// AC-115: no text is a token, and none makes the verifier panic.
    #[test]
    fn any_text_is_refused(text in "\\PC{0,300}", header in "\\PC{0,50}", claims in "\\PC{0,50}") {
        let (house, _) = shared();
        prop_assert!(house.tokens.verify(&text, now()).is_err());
        prop_assert!(house.tokens.verify(&sign_text(house.key(ED), &header, &claims), now()).is_err());
    }
}
