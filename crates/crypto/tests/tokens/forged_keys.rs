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

use crate::{forgery::*, house::*};

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
        let pem = format!(
            "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
            STANDARD.encode(spki(house.key(algorithm)))
        );
        let secrets = [
            ("PEM", pem.into_bytes()),
            ("JWK", jwk.to_string().into_bytes()),
            ("JWKS", house.tokens.jwks().to_vec()),
            ("DER", spki(house.key(algorithm))),
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
