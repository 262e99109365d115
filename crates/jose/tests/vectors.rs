//! Published vectors: what other people computed with other code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests may panic")]

use base64::{Engine as _, engine::general_purpose::STANDARD, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;
use userd_jose::{Algorithm, Compact, JwkSet, SigningKey, VerifyingKey, hs256};

/// RFC 7515 A.2 and A.3 share this payload.
const JOE: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
const FRODO: &str = "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4";

fn ed25519_of_rfc_8037() -> SigningKey {
    let seed = URL_SAFE_NO_PAD.decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap();
    let prefix = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    SigningKey::from_pkcs8(Algorithm::EdDSA, &[&prefix[..], &seed].concat()).unwrap()
}

/// ASVS V11.6.1
#[test]
fn rfc_8037_a1_to_a3_the_public_key_and_its_thumbprint() {
    let public = ed25519_of_rfc_8037().verifying_key(None).unwrap();
    assert_eq!(public.to_jwk()["x"], "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    assert_eq!(public.to_jwk()["crv"], "Ed25519");
    assert_eq!(public.thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    assert_eq!(public.kid(), Some("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"));
}

#[test]
fn rfc_8037_a4_and_a5_the_signature() {
    let key = ed25519_of_rfc_8037();
    let input = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    let signature = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    assert_eq!(URL_SAFE_NO_PAD.encode(key.sign(input.as_bytes()).unwrap()), signature);

    let token = format!("{input}.{signature}");
    let public = key.verifying_key(None).unwrap();
    assert_eq!(Compact::parse(&token, 8192).unwrap().verify(&public).unwrap(), b"Example of Ed25519 signing");
}

#[test]
fn rfc_7515_a2_rs256() {
    let key = VerifyingKey::from_jwk(&json!({"kty": "RSA", "e": "AQAB",
        "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"}))
    .unwrap();
    let token = format!(
        "eyJhbGciOiJSUzI1NiJ9.{JOE}.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
    );
    let claims = Compact::parse(&token, 8192).unwrap().verify_claims(&key).unwrap();
    assert_eq!(claims.text("iss").unwrap(), Some("joe"));
    assert_eq!(claims.seconds("exp").unwrap(), Some(1_300_819_380));
}

#[test]
fn rfc_7515_a3_es256() {
    let pkcs8 = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjpsQnnGQmL+YBIffH1136cspYG6+0iY7X1fCE9+E9LKhRANCAAR/zc4ncPbEXUGDy+5v20t7WAczNXvp7xO6z248e9FURcfxRM0bvZt+hyzf7bnuufSzaV1uqQskrYpGIyiFiOWt";
    let key = SigningKey::from_pkcs8(Algorithm::ES256, &STANDARD.decode(pkcs8).unwrap()).unwrap();
    let public = key.verifying_key(None).unwrap();
    assert_eq!(public.to_jwk()["x"], "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU");
    assert_eq!(public.to_jwk()["y"], "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");

    let token = format!(
        "eyJhbGciOiJFUzI1NiJ9.{JOE}.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
    );
    let claims = Compact::parse(&token, 8192).unwrap().verify_claims(&public).unwrap();
    assert_eq!(claims.get("http://example.com/is_root"), Some(&json!(true)));

    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n{}\n-----END PRIVATE KEY-----\n", &pkcs8[..64], &pkcs8[64..]);
    let read = SigningKey::from_pem(Algorithm::ES256, &pem).unwrap();
    assert_eq!(read.verifying_key(None).unwrap().thumbprint(), public.thumbprint());
}

#[test]
fn rfc_7520_section_4_1_rs256_over_text() {
    let key = VerifyingKey::from_jwk(&json!({"kty": "RSA", "kid": "bilbo.baggins@hobbiton.example", "use": "sig", "e": "AQAB",
        "n": "n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw"}))
    .unwrap();
    let token = format!(
        "eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9.{FRODO}.MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx996ivp83xuglII7PNDi84wnB-BDkoBwA78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_qHRD68BNt1uSNCrUCTJDt5aAE6x8wW1Kt9eRo4QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS_de3xyIrDaLGdjluPxUAhb6L2aXic1U12podGU0KLUQSE_oI-ZnmKJ3F4uOZDnd6QZWJushZ41Axf_fcIe8u9ipH84ogoree7vjbU5y18kDquDg"
    );
    let token = Compact::parse(&token, 8192).unwrap();
    assert_eq!(token.header().kid.as_deref(), Some("bilbo.baggins@hobbiton.example"));
    assert!(
        String::from_utf8_lossy(token.verify(&key).unwrap()).starts_with("It\u{2019}s a dangerous business, Frodo")
    );
}

#[test]
fn rfc_7515_a1_hs256_in_its_own_room() {
    let secret = URL_SAFE_NO_PAD
        .decode("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")
        .unwrap();
    let token = format!("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{JOE}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    assert_eq!(hs256::verify(&token, &secret, 8192).unwrap().text("iss").unwrap(), Some("joe"));
    assert!(hs256::verify(&token, b"another", 8192).is_err());
    assert!(hs256::verify(&token, b"", 8192).is_err());
    let ours = hs256::sign(&json!({"a": 1}), &secret).unwrap();
    assert!(hs256::verify(&ours, &secret, 8192).is_ok());
}

#[test]
fn rfc_7638_section_3_1_the_thumbprint_of_an_rsa_key() {
    let key = VerifyingKey::from_jwk(&json!({"kty": "RSA", "e": "AQAB", "alg": "RS256", "kid": "2011-04-29",
        "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"}))
    .unwrap();
    assert_eq!(key.thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}

#[test]
fn telegrams_published_set_is_read_and_its_unknown_curve_is_skipped() {
    let set = JwkSet::parse(include_bytes!("telegram_jwks.json")).unwrap();
    let names: Vec<_> = set.keys.iter().map(|key| (key.kid().unwrap(), key.algorithm())).collect();
    assert_eq!(
        names,
        [("oidc-1", Algorithm::RS256), ("oidc-es256-1", Algorithm::ES256), ("oidc-eddsa-1", Algorithm::EdDSA)]
    );
    assert!(set.find(Some("oidc-1"), Algorithm::RS256).is_some());
    assert!(set.find(Some("oidc-1"), Algorithm::ES256).is_none());
    assert!(set.find(Some("oidc-es256k-1"), Algorithm::ES256).is_none());
    assert!(set.find(None, Algorithm::EdDSA).is_some());
}
