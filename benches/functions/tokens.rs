//! Access tokens: ours against `jsonwebtoken`, on the same keys and claims. "remembered" is what a request pays.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on stops")]

use base64::{Engine as _, engine::general_purpose::STANDARD};
use divan::Bencher;
use jsonwebtoken as theirs;
use serde_json::{Map, Value};
use userd_benches::{ALGORITHMS, AUDIENCE, ISSUER, claims, new_key, now, tokens};
use userd_crypto::NewKey;

fn main() {
    divan::main();
}

#[divan::bench(args = ALGORITHMS)]
fn sign(bencher: Bencher<'_, '_>, algorithm: &str) {
    let (tokens, claims) = (tokens(&new_key(algorithm).unwrap(), 0).unwrap(), claims());
    bencher.bench(|| tokens.issue(&claims).unwrap());
}

#[divan::bench(args = ALGORITHMS)]
fn sign_with_jsonwebtoken(bencher: Bencher<'_, '_>, algorithm: &str) {
    let key = new_key(algorithm).unwrap();
    let (header, members) = (theirs::Header::new(algorithm.parse().unwrap()), members(&key));
    let key = encoding_key(&key);
    bencher.bench(|| theirs::encode(&header, &members, &key).unwrap());
}

#[divan::bench(args = ALGORITHMS)]
fn verify(bencher: Bencher<'_, '_>, algorithm: &str) {
    let tokens = tokens(&new_key(algorithm).unwrap(), 0).unwrap();
    let token = tokens.issue(&claims()).unwrap();
    bencher.bench(|| tokens.verify(&token, now()).unwrap());
}

#[divan::bench(args = ALGORITHMS)]
fn verify_with_jsonwebtoken(bencher: Bencher<'_, '_>, algorithm: &str) {
    let key = new_key(algorithm).unwrap();
    let token = tokens(&key, 0).unwrap().issue(&claims()).unwrap();
    let jwk = serde_json::from_value(key.public_jwk.clone()).unwrap();
    let key = theirs::DecodingKey::from_jwk(&jwk).unwrap();
    let mut validation = theirs::Validation::new(algorithm.parse().unwrap());
    validation.set_audience(&[AUDIENCE]);
    validation.set_issuer(&[ISSUER]);
    // Time stands still here; it is checked by ours and not by theirs.
    validation.validate_exp = false;
    bencher.bench(|| theirs::decode::<Map<String, Value>>(&token, &key, &validation).unwrap());
}

#[divan::bench(threads = [1, 2])]
fn verify_remembered(bencher: Bencher<'_, '_>) {
    let tokens = tokens(&new_key("EdDSA").unwrap(), 1000).unwrap();
    let token = tokens.issue(&claims()).unwrap();
    bencher.bench(|| tokens.verify(&token, now()).unwrap());
}

/// The claims as the token carries them.
fn members(key: &NewKey) -> Map<String, Value> {
    tokens(key, 0).unwrap().members(&claims())
}

fn encoding_key(key: &NewKey) -> theirs::EncodingKey {
    let pem = pem(&key.pkcs8);
    match key.algorithm.as_str() {
        "RS256" => theirs::EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap(),
        "ES256" => theirs::EncodingKey::from_ec_pem(pem.as_bytes()).unwrap(),
        _ => theirs::EncodingKey::from_ed_pem(pem.as_bytes()).unwrap(),
    }
}

fn pem(pkcs8: &[u8]) -> String {
    let text = STANDARD.encode(pkcs8);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n"))
}
