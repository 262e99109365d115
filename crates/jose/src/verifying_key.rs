//! Public keys, read from and written as JSON Web Keys (RFC 7517, RFC 7518 section 6, RFC 8037 section 2).

use aws_lc_rs::{
    digest,
    signature::{
        ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
    },
};
use serde_json::{Map, Value, json};

use crate::{Algorithm, JoseError, encoding};

const COORDINATE: usize = 32;

/// A public key that is good for exactly one algorithm.
#[derive(Clone)]
pub struct VerifyingKey {
    kid: Option<String>,
    material: Material,
    parsed: ParsedPublicKey,
}

#[derive(Clone, PartialEq, Eq)]
enum Material {
    Ed25519 { x: Vec<u8> },
    P256 { x: Vec<u8>, y: Vec<u8> },
    Rsa { n: Vec<u8>, e: Vec<u8> },
}

impl VerifyingKey {
    /// Reads one JWK. Private members are ignored.
    ///
    /// # Errors
    /// [`JoseError::Key`]: another `kty`, curve, `alg` or `use`; members missing, of the wrong length or not
    /// canonical; a point off the curve; RSA outside 2048 to 8192 bits.
    pub fn from_jwk(jwk: &Value) -> Result<Self, JoseError> {
        let members = jwk.as_object().ok_or(JoseError::Key("not an object"))?;
        for_signatures(members)?;
        let material = match text(members, "kty")? {
            Some("OKP") => Material::Ed25519 { x: coordinate(members, "Ed25519", "x")? },
            Some("EC") => {
                Material::P256 { x: coordinate(members, "P-256", "x")?, y: coordinate(members, "P-256", "y")? }
            }
            Some("RSA") => Material::Rsa { n: number(members, "n")?, e: number(members, "e")? },
            _ => return Err(JoseError::Key("kty is not supported")),
        };
        let kid = text(members, "kid")?.map(str::to_owned);
        let key = Self::from_material(kid, material)?;
        match text(members, "alg")? {
            Some(alg) if alg != key.algorithm().as_str() => Err(JoseError::Key("alg is not supported")),
            _ => Ok(key),
        }
    }

    pub(crate) fn ed25519(kid: Option<String>, public: &[u8]) -> Result<Self, JoseError> {
        Self::from_material(kid, Material::Ed25519 { x: public.to_vec() })
    }

    /// `point` is uncompressed: 4, x, y.
    pub(crate) fn p256(kid: Option<String>, point: &[u8]) -> Result<Self, JoseError> {
        match point.split_first() {
            Some((4, numbers)) if numbers.len() == 2 * COORDINATE => {
                let (x, y) = numbers.split_at(COORDINATE);
                Self::from_material(kid, Material::P256 { x: x.to_vec(), y: y.to_vec() })
            }
            _ => Err(JoseError::Key("not an uncompressed point")),
        }
    }

    pub(crate) fn rsa(kid: Option<String>, n: &[u8], e: &[u8]) -> Result<Self, JoseError> {
        Self::from_material(kid, Material::Rsa { n: n.to_vec(), e: e.to_vec() })
    }

    fn from_material(kid: Option<String>, material: Material) -> Result<Self, JoseError> {
        let parsed = match &material {
            Material::Ed25519 { x } => ParsedPublicKey::new(&ED25519, x),
            Material::P256 { x, y } => {
                ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, [&[4], x.as_slice(), y.as_slice()].concat())
            }
            Material::Rsa { n, e } => {
                if !(256..=1024).contains(&n.len()) || e.len() > 8 || e == &[1] {
                    return Err(JoseError::Key("RSA size"));
                }
                RsaPublicKeyComponents { n, e }.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
            }
        };
        let parsed = parsed.map_err(|_| JoseError::Key("not a public key of its kind"))?;
        Ok(Self { kid, material, parsed })
    }

    /// The name it goes by in token headers.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The one algorithm it is good for.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        match self.material {
            Material::Ed25519 { .. } => Algorithm::EdDSA,
            Material::P256 { .. } => Algorithm::ES256,
            Material::Rsa { .. } => Algorithm::RS256,
        }
    }

    /// Whether `signature` is this key's over `message`.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), JoseError> {
        self.parsed.verify_sig(message, signature).map_err(|_| JoseError::Signature)
    }

    /// The key for publishing: the required members, `alg`, `use` and, when it has one, `kid`.
    #[must_use]
    pub fn to_jwk(&self) -> Value {
        let mut jwk = self.required_members();
        jwk.insert("alg".to_owned(), self.algorithm().as_str().into());
        jwk.insert("use".to_owned(), "sig".into());
        if let Some(kid) = &self.kid {
            jwk.insert("kid".to_owned(), kid.as_str().into());
        }
        Value::Object(jwk)
    }

    /// The JWK thumbprint with SHA-256, base64url (RFC 7638): a name that anybody computes alike.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        // A map keeps its names in order, has no spaces and nothing to escape: the exact form of RFC 7638 section 3.
        let text = Value::Object(self.required_members()).to_string();
        encoding::encode(digest::digest(&digest::SHA256, text.as_bytes()))
    }

    /// The same key under another name.
    #[must_use]
    pub fn named(self, kid: String) -> Self {
        Self { kid: Some(kid), ..self }
    }

    fn required_members(&self) -> Map<String, Value> {
        let members = match &self.material {
            Material::Ed25519 { x } => json!({"crv": "Ed25519", "kty": "OKP", "x": encoding::encode(x)}),
            Material::P256 { x, y } => {
                json!({"crv": "P-256", "kty": "EC", "x": encoding::encode(x), "y": encoding::encode(y)})
            }
            Material::Rsa { n, e } => json!({"e": encoding::encode(e), "kty": "RSA", "n": encoding::encode(n)}),
        };
        match members {
            Value::Object(members) => members,
            _ => Map::new(),
        }
    }
}

impl std::fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VerifyingKey").field("kid", &self.kid).field("algorithm", &self.algorithm()).finish()
    }
}

/// A key published for encryption must not verify signatures (RFC 7517 sections 4.2 and 4.3).
fn for_signatures(members: &Map<String, Value>) -> Result<(), JoseError> {
    if !matches!(text(members, "use")?, None | Some("sig")) {
        return Err(JoseError::Key("not for signatures"));
    }
    match members.get("key_ops") {
        None => Ok(()),
        Some(Value::Array(operations)) if operations.iter().any(|operation| operation == "verify") => Ok(()),
        Some(_) => Err(JoseError::Key("not for signatures")),
    }
}

fn text<'a>(members: &'a Map<String, Value>, name: &'static str) -> Result<Option<&'a str>, JoseError> {
    members.get(name).map(|value| value.as_str().ok_or(JoseError::Key(name))).transpose()
}

fn number(members: &Map<String, Value>, name: &'static str) -> Result<Vec<u8>, JoseError> {
    let bytes = encoding::decode(text(members, name)?.ok_or(JoseError::Key(name))?)?;
    // RFC 7518 section 2 forbids leading zeros, yet some publishers write them; dropping them keeps one spelling.
    Ok(bytes.into_iter().skip_while(|byte| *byte == 0).collect())
}

fn coordinate(members: &Map<String, Value>, curve: &'static str, name: &'static str) -> Result<Vec<u8>, JoseError> {
    if text(members, "crv")? != Some(curve) {
        return Err(JoseError::Key("crv is not supported"));
    }
    let bytes = encoding::decode(text(members, name)?.ok_or(JoseError::Key(name))?)?;
    if bytes.len() == COORDINATE { Ok(bytes) } else { Err(JoseError::Key(name)) }
}
