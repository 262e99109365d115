//! Forged algorithms, keys and signatures.

use aws_lc_rs::{
    encoding::{AsDer, PublicKeyX509Der},
    hmac,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaKeyPair},
};
use base64::{Engine as _, engine::general_purpose::STANDARD, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use userd_crypto::{Algorithm, TokenError};
use userd_jose::{JoseError, SigningKey};

use crate::{fixture::*, forgery::*};

/// AC-075: `none` in every spelling, with and without a signature.
/// ASVS V9.1.2
#[test]
fn a_token_without_a_signature_algorithm_is_refused() {
    let fixture = Fixture::new();
    let header = fixture.header(ED);
    let mut all = Vec::new();
    for alg in [json!("none"), json!("None"), json!("noNE"), json!("NONE"), json!(""), json!("eddsa"), json!("EdDSA ")]
    {
        let token = fixture.sign(ED, &with(header.clone(), "alg", alg.clone()), &fixture.good_claims());
        let (head, body, _) = parts(&token);
        all.push(forged(format!("alg {alg}, signed"), token, ALGORITHM));
        all.push(forged(format!("alg {alg}, unsigned"), format!("{head}.{body}."), ALGORITHM));
    }
    for alg in [json!(["EdDSA"]), json!(null), json!({"EdDSA": 1}), json!(0)] {
        let token = fixture.sign(ED, &with(header.clone(), "alg", alg.clone()), &fixture.good_claims());
        all.push(forged(format!("alg {alg}"), token, NO_ALG));
    }
    all.push(forged("alg missing", fixture.sign(ED, &without(header, "alg"), &fixture.good_claims()), NO_ALG));
    refuse_all(&fixture, all);
}

/// AC-074: HS256 with our public key in any form, or with an empty key.
/// ASVS V9.1.2
#[test]
fn a_public_key_is_never_a_shared_secret() {
    let fixture = Fixture::new();
    let mut all = Vec::new();
    for algorithm in Algorithm::ALL {
        let public = fixture.key(algorithm).verifying_key(Some(fixture.kid(algorithm))).unwrap();
        let jwk = public.to_jwk();
        let number = jwk.get("n").or(jwk.get("x")).and_then(Value::as_str).unwrap();
        let raw = URL_SAFE_NO_PAD.decode(number).unwrap();
        let pem = format!(
            "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
            STANDARD.encode(spki(fixture.key(algorithm)))
        );
        let secrets = [
            ("PEM", pem.into_bytes()),
            ("JWK", jwk.to_string().into_bytes()),
            ("JWKS", fixture.tokens.jwks().to_vec()),
            ("DER", spki(fixture.key(algorithm))),
            ("raw bytes", raw),
            ("base64url text", number.as_bytes().to_vec()),
            ("kid", fixture.kid(algorithm).into_bytes()),
            ("nothing", Vec::new()),
        ];
        for (form, secret) in secrets {
            for alg in ["HS256", "HS384"] {
                let header = with(fixture.header(algorithm), "alg", alg.into()).to_string();
                let input = format!("{}.{}", b64(header), b64(fixture.good_claims().to_string()));
                let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), input.as_bytes());
                all.push(forged(
                    format!("{alg} with the {algorithm:?} key as {form}"),
                    format!("{input}.{}", b64(tag)),
                    ALGORITHM,
                ));
            }
        }
    }
    refuse_all(&fixture, all);
}

/// The public key as `SubjectPublicKeyInfo`, written by the library.
fn spki(key: &SigningKey) -> Vec<u8> {
    let pkcs8 = key.to_pkcs8().unwrap();
    let der: PublicKeyX509Der<'_> = match key.algorithm() {
        Algorithm::EdDSA => Ed25519KeyPair::from_pkcs8_maybe_unchecked(&pkcs8).unwrap().public_key().as_der(),
        Algorithm::ES256 => {
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8).unwrap().public_key().as_der()
        }
        Algorithm::RS256 => RsaKeyPair::from_pkcs8(&pkcs8).unwrap().public_key().as_der(),
    }
    .unwrap();
    der.as_ref().to_vec()
}

/// AC-075: a key signs and verifies with its own algorithm only.
/// ASVS V9.1.2, V11.4.3
#[test]
fn algorithms_cannot_be_swapped_between_keys() {
    let fixture = Fixture::new();
    let mut all = Vec::new();
    for signer in Algorithm::ALL {
        for named in Algorithm::ALL.into_iter().filter(|named| *named != signer) {
            let own_alg = with(fixture.header(signer), "kid", fixture.kid(named).into());
            all.push(forged(
                format!("{signer:?} under the name of the {named:?} key"),
                fixture.sign(signer, &own_alg, &fixture.good_claims()),
                ALGORITHM,
            ));
            let their_alg = fixture.header(named);
            all.push(forged(
                format!("{signer:?} that says it is {named:?}"),
                fixture.sign(signer, &their_alg, &fixture.good_claims()),
                SIGNATURE,
            ));
        }
    }
    for alg in ["PS256", "RS384", "RS512", "ES384", "ES256K", "Ed25519", "HS256", "RSA-OAEP", "dir"] {
        let header = with(fixture.header(Algorithm::RS256), "alg", alg.into());
        all.push(forged(
            format!("RS256 signature, header {alg}"),
            fixture.sign(Algorithm::RS256, &header, &fixture.good_claims()),
            ALGORITHM,
        ));
    }
    refuse_all(&fixture, all);
}

/// ASVS V9.1.3
#[test]
fn keys_come_from_our_set_and_never_from_the_token() {
    let fixture = Fixture::new();
    let attacker = SigningKey::generate(ED).unwrap();
    let jwk = attacker.verifying_key(None).unwrap().to_jwk();
    let mut all = Vec::new();
    for (member, value) in [
        ("jwk", jwk.clone()),
        ("jku", json!("https://attacker.example/jwks.json")),
        ("x5u", json!("https://attacker.example/chain.pem")),
        ("x5c", json!(["MIIB"])),
    ] {
        let ours = with(fixture.header(ED), member, value.clone());
        all.push(forged(
            format!("{member} beside our kid"),
            fixture.sign_with(&attacker, &ours, &fixture.good_claims()),
            SIGNATURE,
        ));
        let theirs = with(fixture.header_of(&attacker), member, value.clone());
        all.push(forged(
            format!("{member} beside their kid"),
            fixture.sign_with(&attacker, &theirs, &fixture.good_claims()),
            TokenError::UnknownKey,
        ));
    }
    for kid in ["../../../../dev/null", "' OR 1=1 --", "unknown", "", "0", "\u{0}", "/proc/self/environ", "*"] {
        let header = with(fixture.header(ED), "kid", kid.into());
        all.push(forged(
            format!("kid {kid:?}"),
            fixture.sign(ED, &header, &fixture.good_claims()),
            TokenError::UnknownKey,
        ));
    }
    all.push(forged(
        "kid missing",
        fixture.sign(ED, &without(fixture.header(ED), "kid"), &fixture.good_claims()),
        TokenError::UnknownKey,
    ));
    let number = with(fixture.header(ED), "kid", 7.into());
    all.push(forged(
        "kid a number",
        fixture.sign(ED, &number, &fixture.good_claims()),
        TokenError::Token(JoseError::Header("kid")),
    ));
    let revoked = fixture.header_of(&fixture.revoked);
    all.push(forged(
        "a revoked key",
        fixture.sign_with(&fixture.revoked, &revoked, &fixture.good_claims()),
        TokenError::UnknownKey,
    ));
    refuse_all(&fixture, all);

    let mut header = fixture.header(ED);
    header["jku"] = "https://attacker.example/jwks.json".into();
    let ignored = fixture.sign(ED, &header, &fixture.good_claims());
    assert!(fixture.tokens.verify(&ignored, now()).is_ok(), "a header key is ignored, not obeyed");
}
/// ASVS V9.1.1
#[test]
fn odd_signatures_are_refused() {
    let fixture = Fixture::new();
    let mut all = Vec::new();
    for algorithm in Algorithm::ALL {
        let token = fixture.sign(algorithm, &fixture.header(algorithm), &fixture.good_claims());
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
        let other = with(fixture.good_claims(), "roles", json!(["owner"])).to_string();
        all.push(forged(
            format!("{algorithm:?} signature of other claims"),
            format!("{head}.{}.{}", b64(other), b64(&signature)),
            SIGNATURE,
        ));
    }
    refuse_all(&fixture, all);
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
