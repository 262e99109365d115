//! Private keys. They never leave this room but as PKCS#8 in a buffer that is wiped.

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rand::SystemRandom,
    rsa,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use crate::{Algorithm, JoseError, VerifyingKey};

/// A private key that signs with exactly one algorithm. Parsed once, because parsing RSA costs more than signing.
pub struct SigningKey(Pair);

enum Pair {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
    Rsa(rsa::KeyPair),
}

impl SigningKey {
    /// A new key from the library's own generator, seeded by the operating system. RSA keys have 3072 bits.
    pub fn generate(algorithm: Algorithm) -> Result<Self, JoseError> {
        let pair = match algorithm {
            Algorithm::EdDSA => Ed25519KeyPair::generate().map(Pair::Ed25519),
            Algorithm::ES256 => EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map(Pair::P256),
            Algorithm::RS256 => rsa::KeyPair::generate(rsa::KeySize::Rsa3072).map(Pair::Rsa),
        };
        pair.map(Self).map_err(|_| JoseError::Key("generation failed"))
    }

    /// Reads PKCS#8 (DER); the public half is checked against the private one.
    pub fn from_pkcs8(algorithm: Algorithm, der: &[u8]) -> Result<Self, JoseError> {
        let pair = match algorithm {
            Algorithm::EdDSA => Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).map(Pair::Ed25519),
            Algorithm::ES256 => EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der).map(Pair::P256),
            Algorithm::RS256 => rsa::KeyPair::from_pkcs8(der).map(Pair::Rsa),
        };
        pair.map(Self).map_err(|_| JoseError::Key("not PKCS#8 for this algorithm"))
    }

    /// Reads one `PRIVATE KEY` block (RFC 7468 section 10), the form of Apple's `.p8` files.
    pub fn from_pem(algorithm: Algorithm, pem: &str) -> Result<Self, JoseError> {
        let body = pem
            .trim()
            .strip_prefix("-----BEGIN PRIVATE KEY-----")
            .and_then(|rest| rest.strip_suffix("-----END PRIVATE KEY-----"))
            .ok_or(JoseError::Key("not a PRIVATE KEY block"))?;
        let text: Zeroizing<String> = Zeroizing::new(body.split_ascii_whitespace().collect());
        let der = STANDARD.decode(text.as_bytes()).map_err(|_| JoseError::Key("not base64"))?;
        Self::from_pkcs8(algorithm, &Zeroizing::new(der))
    }

    /// The key as PKCS#8 version 1 (DER), for sealing and storing.
    pub fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, JoseError> {
        let bytes = match &self.0 {
            Pair::Ed25519(pair) => pair.to_pkcs8v1().map(|der| der.as_ref().to_vec()),
            Pair::P256(pair) => pair.to_pkcs8v1().map(|der| der.as_ref().to_vec()),
            Pair::Rsa(pair) => AsDer::<Pkcs8V1Der<'_>>::as_der(pair).map(|der| der.as_ref().to_vec()),
        };
        bytes.map(Zeroizing::new).map_err(|_| JoseError::Key("cannot be written"))
    }

    /// The one algorithm it signs with.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        match &self.0 {
            Pair::Ed25519(_) => Algorithm::EdDSA,
            Pair::P256(_) => Algorithm::ES256,
            Pair::Rsa(_) => Algorithm::RS256,
        }
    }

    /// The public half. Without a `kid` it is named by its thumbprint (RFC 7638).
    pub fn verifying_key(&self, kid: Option<String>) -> Result<VerifyingKey, JoseError> {
        let public = match &self.0 {
            Pair::Ed25519(pair) => VerifyingKey::ed25519(kid, pair.public_key().as_ref()),
            Pair::P256(pair) => VerifyingKey::p256(kid, pair.public_key().as_ref()),
            Pair::Rsa(pair) => {
                let public = pair.public_key();
                let (n, e) = (public.modulus(), public.exponent());
                VerifyingKey::rsa(kid, n.big_endian_without_leading_zero(), e.big_endian_without_leading_zero())
            }
        }?;
        Ok(if public.kid().is_some() {
            public
        } else {
            let kid = public.thumbprint();
            public.named(kid)
        })
    }

    /// Signs `message`: 64 bytes for EdDSA and ES256, the modulus' length for RS256.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, JoseError> {
        let random = SystemRandom::new();
        let signature = match &self.0 {
            Pair::Ed25519(pair) => pair.try_sign(message).map(|signature| signature.as_ref().to_vec()),
            Pair::P256(pair) => pair.sign(&random, message).map(|signature| signature.as_ref().to_vec()),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).map(|()| signature)
            }
        };
        signature.map_err(|_| JoseError::Key("signing failed"))
    }
}

/// Shows the algorithm, nothing of the key.
impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({})", self.algorithm().as_str())
    }
}
