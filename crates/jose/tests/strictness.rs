//! What is refused, and that another implementation agrees with what is accepted.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests may panic")]

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use proptest::prelude::*;
use serde_json::{Value, json};
use userd_jose::{Algorithm, Claims, Compact, JoseError, JwkSet, SigningKey, VerifyingKey, sign_compact};

fn b64(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

fn parse_header(header: &str) -> Result<(), JoseError> {
    Compact::parse(&format!("{}.{}.AA", b64(header), b64("{}")), 8192).map(|_| ())
}

fn refusal(token: &str) -> JoseError {
    Compact::parse(token, 8192).err().expect("refused")
}

#[test]
fn what_we_sign_we_verify_with_every_algorithm() {
    for algorithm in Algorithm::ALL {
        let key = SigningKey::generate(algorithm).unwrap();
        let public = VerifyingKey::from_jwk(&key.verifying_key(None).unwrap().to_jwk()).unwrap();
        let again = SigningKey::from_pkcs8(algorithm, &key.to_pkcs8().unwrap()).unwrap();
        let token = sign_compact(&again, &json!({"typ": "x"}), &json!({"a": 1})).unwrap();
        let claims = Compact::parse(&token, 8192).unwrap().verify_claims(&public).unwrap();
        assert_eq!(claims.integer("a").unwrap(), Some(1));
        assert_eq!(public.kid().unwrap(), public.thumbprint());
        assert_eq!(format!("{key:?}"), format!("SigningKey({})", algorithm.as_str()));
    }
}

/// ASVS V9.1.2
#[test]
fn a_key_is_good_for_its_own_algorithm_only() {
    let keys: Vec<_> = Algorithm::ALL.map(|algorithm| SigningKey::generate(algorithm).unwrap()).into();
    for signer in &keys {
        let token = sign_compact(signer, &json!({}), &json!({})).unwrap();
        for other in keys.iter().filter(|other| other.algorithm() != signer.algorithm()) {
            let verifier = other.verifying_key(None).unwrap();
            assert_eq!(Compact::parse(&token, 8192).unwrap().verify(&verifier), Err(JoseError::Algorithm));
        }
    }
    assert!(Algorithm::parse("none").is_none());
    assert!(Algorithm::parse("rs256").is_none());
    assert!(Algorithm::parse("HS256").is_none());
    assert!(Algorithm::parse("PS256").is_none());
}

/// AC-079: JWE has five parts, and five parts are not a token.
#[test]
fn only_three_parts_are_a_token() {
    for token in ["", ".", "a.b", "a.b.c.d", "a.b.c.d.e", "e30.e30"] {
        assert_eq!(refusal(token), JoseError::Parts, "{token}");
    }
    assert_eq!(refusal(&"a".repeat(8193)), JoseError::TooLong);
}

/// AC-115: malformed base64 is refused, never a panic.
#[test]
fn base64_is_canonical_or_refused() {
    for signature in ["AA==", "A", "AB", "A A", "+/", "AA\n", "é"] {
        assert_eq!(
            refusal(&format!("{}.e30.{signature}", b64(r#"{"alg":"EdDSA"}"#))),
            JoseError::Encoding,
            "{signature}"
        );
    }
}

#[test]
fn a_header_is_an_object_of_unique_members_that_we_understand() {
    assert_eq!(parse_header(r#"{"alg":"EdDSA","jku":"https://evil.example","jwk":{},"x5c":[]}"#), Ok(()));
    assert_eq!(parse_header(r#"{"alg":"EdDSA","alg":"none"}"#), Err(JoseError::Json));
    assert_eq!(parse_header(r#"["alg"]"#), Err(JoseError::Json));
    assert_eq!(parse_header(r#"{"alg":"EdDSA"} x"#), Err(JoseError::Json));
    assert_eq!(parse_header("{}"), Err(JoseError::Header("alg")));
    assert_eq!(parse_header(r#"{"alg":["EdDSA"]}"#), Err(JoseError::Header("alg")));
    assert_eq!(parse_header(r#"{"alg":"EdDSA","kid":7}"#), Err(JoseError::Header("kid")));
    assert_eq!(parse_header(r#"{"alg":"EdDSA","typ":null}"#), Err(JoseError::Header("typ")));
    assert_eq!(parse_header(r#"{"alg":"EdDSA","crit":["exp"]}"#), Err(JoseError::Header("crit")));
    assert_eq!(parse_header(r#"{"alg":"EdDSA","b64":false}"#), Err(JoseError::Header("b64")));
    assert_eq!(parse_header(r#"{"alg":"EdDSA","zip":"DEF"}"#), Err(JoseError::Header("zip")));
    assert_eq!(parse_header(r#"{"alg":"RSA-OAEP","enc":"A256GCM"}"#), Err(JoseError::Header("enc")));
}

/// What is strict about it is tested where it is read (crates/strict-json).
#[test]
fn claims_are_read_strictly() {
    assert!(Claims::parse(br#"{"a":{"b":[1,2,{"c":null}]}}"#).is_ok());
    for bad in [r#"{"a":1,"a":1}"#, "[]", "{", "{}{}", r#"{"a":18446744073709551616}"#] {
        assert_eq!(Claims::parse(bad.as_bytes()), Err(JoseError::Json), "{bad}");
    }
}

/// AC-076: a claim of another type is malformed, not absent.
#[test]
fn a_wrongly_typed_claim_is_an_error() {
    for exp in [
        "\"1\"",
        "1.0",
        "1.5",
        "-1",
        "1e10",
        "9223372036854775808",
        "253402300800",
        "-0.0",
        "-1.5",
        "null",
        "[1]",
        "true",
    ] {
        let claims = Claims::parse(format!(r#"{{"exp":{exp}}}"#).as_bytes()).unwrap();
        assert_eq!(claims.seconds("exp"), Err(JoseError::Claim("exp")), "{exp}");
        let with_fraction = match exp {
            "1.0" | "1.5" => Ok(Some(1)),
            "1e10" => Ok(Some(10_000_000_000)),
            _ => Err(JoseError::Claim("exp")),
        };
        assert_eq!(claims.numeric_date("exp"), with_fraction, "{exp}");
    }
    let claims = Claims::parse(br#"{"aud":["a","b"],"b":"true","one":"x","mixed":["a",1]}"#).unwrap();
    assert_eq!(claims.audience().unwrap(), ["a", "b"]);
    assert_eq!(claims.boolean("b"), Err(JoseError::Claim("b")));
    assert_eq!(claims.texts("mixed"), Err(JoseError::Claim("mixed")));
    assert_eq!(claims.texts("absent"), Ok(None));
    assert!(Claims::parse(br#"{"aud":7}"#).unwrap().audience().is_err());
    assert!(!format!("{claims:?}").contains("\"x\""));
}

#[test]
fn unusable_keys_are_refused_one_by_one_and_skipped_in_sets() {
    let good = SigningKey::generate(Algorithm::ES256).unwrap().verifying_key(Some("good".into())).unwrap().to_jwk();
    let with = |name: &str, value: Value| {
        let mut jwk = good.clone();
        jwk[name] = value;
        jwk
    };
    let bad = [
        with("use", "enc".into()),
        with("key_ops", json!(["encrypt"])),
        with("alg", "ES384".into()),
        with("crv", "P-384".into()),
        with("x", "AAAA".into()),
        with("y", b64(&"y".repeat(32)).into()),
        with("kty", "oct".into()),
        with("kid", 7.into()),
        json!("text"),
        json!({"kty": "oct", "k": "AAAA", "alg": "HS256"}),
        json!({"kty": "RSA", "n": b64(&"n".repeat(128)), "e": "AQAB"}),
        json!({"kty": "RSA", "n": b64(&"n".repeat(256)), "e": "AQ"}),
        json!({"kty": "OKP", "crv": "X25519", "x": b64(&"x".repeat(32))}),
    ];
    for jwk in &bad {
        assert!(VerifyingKey::from_jwk(jwk).is_err(), "{jwk}");
    }
    let mut keys = bad.to_vec();
    keys.push(good);
    let set = JwkSet::parse(json!({ "keys": keys }).to_string().as_bytes()).unwrap();
    assert_eq!(set.keys.len(), 1);
    assert!(set.find(Some("good"), Algorithm::ES256).is_some());
    assert!(JwkSet::parse(b"{}").is_err());
}

#[test]
fn without_a_kid_a_key_is_chosen_only_when_there_is_no_choice() {
    let key = |kid: &str| SigningKey::generate(Algorithm::EdDSA).unwrap().verifying_key(Some(kid.into())).unwrap();
    let set = JwkSet { keys: vec![key("a"), key("b")] };
    assert!(set.find(None, Algorithm::EdDSA).is_none());
    assert_eq!(set.find(Some("b"), Algorithm::EdDSA).unwrap().kid(), Some("b"));
    assert!(set.find(Some("c"), Algorithm::EdDSA).is_none());
}

#[test]
fn a_token_that_names_another_key_is_refused() {
    let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
    let token = sign_compact(&key, &json!({"kid": "other"}), &json!({})).unwrap();
    let public = key.verifying_key(Some("mine".into())).unwrap();
    assert!(matches!(Compact::parse(&token, 8192).unwrap().verify(&public), Err(JoseError::Key(_))));
}

#[test]
fn jsonwebtoken_reads_ours_and_we_read_its() {
    use jsonwebtoken as theirs;
    for (algorithm, name) in
        Algorithm::ALL.into_iter().zip([theirs::Algorithm::EdDSA, theirs::Algorithm::ES256, theirs::Algorithm::RS256])
    {
        let key = SigningKey::generate(algorithm).unwrap();
        let public = key.verifying_key(None).unwrap();
        let claims = json!({"sub": "someone", "exp": 4_102_444_800_u64});

        let ours = sign_compact(&key, &json!({"typ": "JWT"}), &claims).unwrap();
        let jwk: theirs::jwk::Jwk = serde_json::from_value(public.to_jwk()).unwrap();
        let decoding = theirs::DecodingKey::from_jwk(&jwk).unwrap();
        let read = theirs::decode::<Value>(&ours, &decoding, &theirs::Validation::new(name)).unwrap();
        assert_eq!(read.claims, claims);

        let pem = pem(&key.to_pkcs8().unwrap());
        let encoding = match algorithm {
            Algorithm::EdDSA => theirs::EncodingKey::from_ed_pem(&pem),
            Algorithm::ES256 => theirs::EncodingKey::from_ec_pem(&pem),
            Algorithm::RS256 => theirs::EncodingKey::from_rsa_pem(&pem),
        };
        let token = theirs::encode(&theirs::Header::new(name), &claims, &encoding.unwrap()).unwrap();
        let read = Compact::parse(&token, 8192).unwrap().verify_claims(&public).unwrap();
        assert_eq!(read.text("sub").unwrap(), Some("someone"));
    }
}

fn pem(der: &[u8]) -> Vec<u8> {
    use base64::engine::general_purpose::STANDARD;
    let body: Vec<String> =
        STANDARD.encode(der).as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into()).collect();
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", body.join("\n")).into_bytes()
}

proptest! {
    /// AC-115: no text makes the parser panic.
    #[test]
    fn any_text_is_parsed_or_refused(text in "\\PC{0,200}", bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Compact::parse(&text, 8192);
        let _ = Claims::parse(&bytes);
        let _ = JwkSet::parse(&bytes);
        for algorithm in Algorithm::ALL {
            prop_assert!(SigningKey::from_pkcs8(algorithm, &bytes).is_err());
        }
    }
}

#[test]
fn a_key_for_several_operations_is_good_where_verifying_is_one() {
    let good = SigningKey::generate(Algorithm::ES256).unwrap().verifying_key(None).unwrap().to_jwk();
    for (operations, taken) in [
        (json!(["verify"]), true),
        (json!(["sign", "verify"]), true),
        (json!(["sign"]), false),
        (json!([]), false),
        (json!("verify"), false),
        (json!(null), false),
    ] {
        let mut jwk = good.clone();
        jwk["key_ops"] = operations.clone();
        assert_eq!(VerifyingKey::from_jwk(&jwk).is_ok(), taken, "{operations}");
    }
    for member in ["alg", "use", "kid"] {
        let mut jwk = good.clone();
        jwk.as_object_mut().unwrap().remove(member);
        assert!(VerifyingKey::from_jwk(&jwk).is_ok(), "{member} may be missing");
    }
}

/// RFC 7518 section 2 forbids leading zeros; some write them, and it is the same key.
#[test]
fn leading_zeros_make_no_other_rsa_key() {
    let key = SigningKey::generate(Algorithm::RS256).unwrap().verifying_key(None).unwrap();
    let mut jwk = key.to_jwk();
    for member in ["n", "e"] {
        let number = URL_SAFE_NO_PAD.decode(jwk[member].as_str().unwrap()).unwrap();
        jwk[member] = URL_SAFE_NO_PAD.encode([vec![0, 0], number].concat()).into();
    }
    let read = VerifyingKey::from_jwk(&jwk).unwrap();
    assert_eq!((read.thumbprint(), read.algorithm()), (key.thumbprint(), Algorithm::RS256));
}

#[test]
fn a_token_may_be_as_long_as_the_caller_says_and_no_longer() {
    let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
    let token = sign_compact(&key, &json!({}), &json!({})).unwrap();
    assert!(Compact::parse(&token, token.len()).is_ok());
    assert_eq!(Compact::parse(&token, token.len() - 1).err(), Some(JoseError::TooLong));
}

#[test]
fn only_objects_are_signed_and_the_algorithm_is_the_keys() {
    let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
    for (header, claims) in
        [(json!({}), json!([])), (json!({}), json!("{}")), (json!([]), json!({})), (json!(1), json!({}))]
    {
        assert_eq!(sign_compact(&key, &header, &claims), Err(JoseError::Serialize), "{header} {claims}");
    }
    assert_eq!(userd_jose::hs256::sign(&json!([]), b"secret"), Err(JoseError::Serialize));
    assert!(matches!(userd_jose::hs256::sign(&json!({}), b""), Err(JoseError::Key(_))));
    let token = sign_compact(&key, &json!({"alg": "none"}), &json!({})).unwrap();
    assert_eq!(Compact::parse(&token, 8192).unwrap().header().alg, "EdDSA");
}

/// One with a private key is no token of the room of shared secrets, whatever the secret.
#[test]
fn a_token_of_another_algorithm_has_no_shared_secret() {
    let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
    let token = sign_compact(&key, &json!({}), &json!({})).unwrap();
    assert_eq!(userd_jose::hs256::verify(&token, b"secret", 8192), Err(JoseError::Algorithm));
    let ours = userd_jose::hs256::sign(&json!({"a": 1}), b"secret").unwrap();
    assert_eq!(userd_jose::hs256::verify(&ours, b"Secret", 8192), Err(JoseError::Signature));
    assert_eq!(userd_jose::hs256::verify(&ours, b"secret", ours.len() - 1), Err(JoseError::TooLong));
    assert_eq!(userd_jose::hs256::verify(&ours, b"secret", ours.len()).unwrap().integer("a"), Ok(Some(1)));
}

/// The last that is taken: the end of the year 9999, and what fits into a signed number.
#[test]
fn numbers_at_their_bounds_are_read() {
    let claims = Claims::parse(
        br#"{"end":253402300799,"before":253402300798.5,"behind":253402300800.5,"large":9223372036854775807,
            "zero":0,"yes":true,"all":[0,9223372036854775807],"over":[9223372036854775808],"one":"a"}"#,
    )
    .unwrap();
    assert_eq!(
        (claims.seconds("end"), claims.numeric_date("end")),
        (Ok(Some(253_402_300_799)), Ok(Some(253_402_300_799)))
    );
    assert_eq!(claims.numeric_date("before"), Ok(Some(253_402_300_798)));
    assert_eq!(claims.numeric_date("behind"), Err(JoseError::Claim("behind")));
    assert_eq!((claims.integer("large"), claims.integer("zero")), (Ok(Some(i64::MAX)), Ok(Some(0))));
    assert_eq!((claims.boolean("yes"), claims.boolean("no")), (Ok(Some(true)), Ok(None)));
    assert_eq!(claims.integers("all"), Ok(Some(vec![0, i64::MAX])));
    assert_eq!(claims.integers("over"), Err(JoseError::Claim("over")));
    assert_eq!(claims.integers("one"), Err(JoseError::Claim("one")));
    assert_eq!(
        (claims.integers("none"), claims.seconds("none"), claims.numeric_date("none")),
        (Ok(None), Ok(None), Ok(None))
    );
    assert_eq!(claims.audience(), Ok(Vec::new()));
    assert_eq!(claims.get("one"), Some(&json!("a")));
    assert_eq!(claims.into_members().len(), 9);
}

#[test]
fn what_is_no_private_key_block_is_no_key() {
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let good = String::from_utf8(pem(&key.to_pkcs8().unwrap())).unwrap();
    assert!(SigningKey::from_pem(Algorithm::ES256, &format!("\n {good} \n")).is_ok());
    assert!(SigningKey::from_pem(Algorithm::EdDSA, &good).is_err());
    for bad in [
        good.replacen("BEGIN PRIVATE", "BEGIN EC PRIVATE", 1),
        good.replacen("-----END PRIVATE KEY-----", "", 1),
        good.replacen('M', "!", 1),
        format!("{good}{good}"),
        String::new(),
    ] {
        assert!(SigningKey::from_pem(Algorithm::ES256, &bad).is_err(), "{bad}");
    }
}
