//! The compact serialization (RFC 7515 section 7.1): three parts, one signature.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::{Claims, JoseError, SigningKey, VerifyingKey, encoding, strict_json};

/// A token that was taken apart, not yet trusted: [`Compact::verify`] is the only way to its payload.
pub struct Compact<'a> {
    header: Header,
    signing_input: &'a str,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

/// What a token says about itself. Hints for choosing a key, never a reason to trust: key material in a header
/// (`jwk`, `jku`, `x5c`, `x5u`) is not even kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The algorithm as written; it counts only when it equals the key's.
    pub alg: String,
    /// The media type of the whole token.
    pub typ: Option<String>,
    /// The name of the key.
    pub kid: Option<String>,
}

impl<'a> Compact<'a> {
    /// Takes a token apart.
    ///
    /// # Errors
    /// [`JoseError::TooLong`] over `max_len` bytes; [`JoseError::Parts`] for anything but three parts (JWE has five);
    /// [`JoseError::Encoding`], [`JoseError::Json`] and [`JoseError::Header`] for a malformed header, a `crit`
    /// (we understand no extensions), `b64`, `zip` or `enc`.
    pub fn parse(token: &'a str, max_len: usize) -> Result<Self, JoseError> {
        if token.len() > max_len {
            return Err(JoseError::TooLong);
        }
        let mut parts = token.split('.');
        let (Some(header), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(JoseError::Parts);
        };
        let signing_input = token.get(..header.len() + 1 + payload.len()).ok_or(JoseError::Parts)?;
        Ok(Self {
            header: Header::parse(&encoding::decode(header)?)?,
            signing_input,
            payload: encoding::decode(payload)?,
            signature: encoding::decode(signature)?,
        })
    }

    /// The header, for choosing the key and checking `typ`.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The payload, when `key` signed it with its own algorithm.
    ///
    /// # Errors
    /// [`JoseError::Algorithm`] when the header names another algorithm than the key's, [`JoseError::Key`] when it
    /// names another key, [`JoseError::Signature`].
    pub fn verify(&self, key: &VerifyingKey) -> Result<&[u8], JoseError> {
        if self.header.alg != key.algorithm().as_str() {
            return Err(JoseError::Algorithm);
        }
        if let (Some(named), Some(kid)) = (self.header.kid.as_deref(), key.kid())
            && named != kid
        {
            return Err(JoseError::Key("the token names another one"));
        }
        key.verify(self.signing_input.as_bytes(), &self.signature)?;
        Ok(&self.payload)
    }

    /// As [`Compact::verify`], and reads the payload as claims.
    pub fn verify_claims(&self, key: &VerifyingKey) -> Result<Claims, JoseError> {
        Claims::parse(self.verify(key)?)
    }

    pub(crate) const fn signed(&self) -> (&'a str, &[u8], &Vec<u8>) {
        (self.signing_input, self.signature.as_slice(), &self.payload)
    }
}

impl Header {
    fn parse(bytes: &[u8]) -> Result<Self, JoseError> {
        let mut members = strict_json::object(bytes)?;
        for refused in ["crit", "b64", "zip", "enc"] {
            if members.contains_key(refused) {
                return Err(JoseError::Header(refused));
            }
        }
        Ok(Self {
            alg: text(&mut members, "alg")?.ok_or(JoseError::Header("alg"))?,
            typ: text(&mut members, "typ")?,
            kid: text(&mut members, "kid")?,
        })
    }
}

fn text(members: &mut Map<String, Value>, name: &'static str) -> Result<Option<String>, JoseError> {
    match members.remove(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(JoseError::Header(name)),
    }
}

/// Signs `claims` under `header` (an object such as `{"typ": "at+jwt", "kid": "…"}`); `alg` is always the key's.
///
/// # Errors
/// [`JoseError::Serialize`] when either is not a JSON object, [`JoseError::Key`] when the key cannot sign.
pub fn sign_compact(key: &SigningKey, header: &Value, claims: &impl Serialize) -> Result<String, JoseError> {
    let mut header = header.as_object().cloned().ok_or(JoseError::Serialize)?;
    header.insert("alg".to_owned(), key.algorithm().as_str().into());
    let input = signing_input(&header, claims)?;
    let signature = key.sign(input.as_bytes())?;
    Ok(format!("{input}.{}", encoding::encode(signature)))
}

pub(crate) fn signing_input(header: &Map<String, Value>, claims: &impl Serialize) -> Result<String, JoseError> {
    let header = serde_json::to_vec(header).map_err(|_| JoseError::Serialize)?;
    let payload = serde_json::to_vec(claims).map_err(|_| JoseError::Serialize)?;
    if payload.first() != Some(&b'{') {
        return Err(JoseError::Serialize);
    }
    Ok(format!("{}.{}", encoding::encode(header), encoding::encode(payload)))
}
