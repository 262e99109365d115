//! An authenticator with a browser around it: makes passkeys and signs with them (ES256), from the options that a page
//! would hand to `navigator.credentials` to the JSON that it would send on. Its knobs are what attackers turn.

#![expect(clippy::unwrap_used, reason = "an authenticator that cannot sign is a broken test")]

use std::collections::BTreeMap;

use aws_lc_rs::{
    digest::{SHA256, digest},
    rand::{SecureRandom, SystemRandom},
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use serde_json::{Value, json};

/// An authenticator; a clone of it is a copy of its keys.
#[derive(Clone)]
pub struct Authenticator {
    /// Where the browser is.
    pub origin: String,
    /// Whether it verifies who is there.
    pub verifies_user: bool,
    /// Whether it says that somebody is there.
    pub user_is_present: bool,
    /// Whether it counts its signatures, as hardware keys do; synchronised ones do not.
    pub counts: bool,
    /// The domain that it signs for, where it is not the one that it was asked for.
    pub signs_for: Option<String>,
    held: BTreeMap<Vec<u8>, Passkey>,
}

#[derive(Clone)]
struct Passkey {
    rp_id: String,
    user: Vec<u8>,
    key: Vec<u8>,
    counter: u32,
}

impl Authenticator {
    /// One in a browser that shows a page of `origin`.
    #[must_use]
    pub fn at(origin: &str) -> Self {
        Self {
            origin: origin.to_owned(),
            verifies_user: true,
            user_is_present: true,
            counts: false,
            signs_for: None,
            held: BTreeMap::new(),
        }
    }

    /// What names its passkeys, as in JSON.
    #[must_use]
    pub fn ids(&self) -> Vec<String> {
        self.held.keys().map(|id| BASE64URL.encode(id)).collect()
    }

    /// Forgets all of them.
    pub fn reset(&mut self) {
        self.held.clear();
    }

    /// `navigator.credentials.create`, then `toJSON()`: none where it holds one that is excluded.
    ///
    /// # Panics
    /// Where `options` are none.
    pub fn create(&mut self, options: &Value) -> Option<Value> {
        let excluded = options["excludeCredentials"].as_array().map_or(&[][..], Vec::as_slice);
        if excluded.iter().any(|one| self.held.contains_key(&bytes(&one["id"]))) {
            return None;
        }
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let id = random_id();
        let passkey = Passkey {
            rp_id: text(&options["rp"]["id"]),
            user: bytes(&options["user"]["id"]),
            key: pair.to_pkcs8v1().unwrap().as_ref().to_vec(),
            counter: u32::from(self.counts),
        };
        let mut data = self.data(&passkey, ATTESTED);
        data.extend([0; 16]);
        data.extend(u16::try_from(id.len()).unwrap().to_be_bytes());
        data.extend(&id);
        data.extend(cose(pair.public_key().as_ref()));
        self.held.insert(id.clone(), passkey);
        let client_data = self.client_data("webauthn.create", options);
        Some(json!({
            "id": BASE64URL.encode(&id), "rawId": BASE64URL.encode(&id), "type": "public-key",
            "authenticatorAttachment": "platform", "clientExtensionResults": { "credProps": { "rk": true } },
            "response": {
                "clientDataJSON": BASE64URL.encode(client_data), "authenticatorData": BASE64URL.encode(&data),
                "attestationObject": BASE64URL.encode(attestation(&data)), "transports": ["internal"],
                "publicKeyAlgorithm": -7,
            },
        }))
    }

    /// `navigator.credentials.get`, then `toJSON()`: none where it holds no passkey that would do.
    ///
    /// # Panics
    /// Where `options` are none.
    pub fn get(&mut self, options: &Value) -> Option<Value> {
        let accepted: Vec<_> = options["allowCredentials"].as_array()?.iter().map(|one| bytes(&one["id"])).collect();
        let rp_id = text(&options["rpId"]);
        let fits =
            |id: &Vec<u8>, passkey: &Passkey| passkey.rp_id == rp_id && (accepted.is_empty() || accepted.contains(id));
        let (id, passkey) = self.held.iter_mut().find(|(id, passkey)| fits(id, passkey))?;
        passkey.counter += u32::from(self.counts);
        let (id, passkey) = (id.clone(), passkey.clone());
        let (data, client_data) = (self.data(&passkey, 0), self.client_data("webauthn.get", options));
        let signed = [&data, digest(&SHA256, client_data.as_bytes()).as_ref()].concat();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &passkey.key).unwrap();
        let signature = pair.sign(&SystemRandom::new(), &signed).unwrap();
        Some(json!({
            "id": BASE64URL.encode(&id), "rawId": BASE64URL.encode(&id), "type": "public-key",
            "authenticatorAttachment": "platform", "clientExtensionResults": {},
            "response": {
                "clientDataJSON": BASE64URL.encode(client_data), "authenticatorData": BASE64URL.encode(&data),
                "signature": BASE64URL.encode(signature.as_ref()), "userHandle": BASE64URL.encode(&passkey.user),
            },
        }))
    }

    fn data(&self, passkey: &Passkey, further: u8) -> Vec<u8> {
        let rp_id = self.signs_for.as_ref().unwrap_or(&passkey.rp_id);
        let flags = u8::from(self.user_is_present) * PRESENT + u8::from(self.verifies_user) * VERIFIED + further;
        let mut data = digest(&SHA256, rp_id.as_bytes()).as_ref().to_vec();
        data.push(flags);
        data.extend(passkey.counter.to_be_bytes());
        data
    }

    fn client_data(&self, kind: &str, options: &Value) -> String {
        let (challenge, origin) = (&options["challenge"], &self.origin);
        json!({ "type": kind, "challenge": challenge, "origin": origin, "crossOrigin": false }).to_string()
    }
}

/// Flags of authenticator data.
const PRESENT: u8 = 0x01;
const VERIFIED: u8 = 0x04;
const ATTESTED: u8 = 0x40;

fn random_id() -> Vec<u8> {
    let mut id = vec![0; 32];
    SystemRandom::new().fill(&mut id).unwrap();
    id
}

/// A public key of P-256 as COSE has it (RFC 9053): `{1: 2, 3: -7, -1: 1, -2: x, -3: y}`.
fn cose(point: &[u8]) -> Vec<u8> {
    let (x, y) = (&point[1..33], &point[33..65]);
    [&[0xA5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20][..], x, &[0x22, 0x58, 0x20], y].concat()
}

/// `{"fmt": "none", "attStmt": {}, "authData": data}`
fn attestation(data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).unwrap().to_be_bytes();
    [&b"\xA3\x63fmt\x64none\x67attStmt\xA0\x68authData\x59"[..], &length[..], data].concat()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn bytes(value: &Value) -> Vec<u8> {
    BASE64URL.decode(value.as_str().unwrap()).unwrap()
}
