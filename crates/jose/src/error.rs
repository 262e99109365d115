//! Why a token or key was refused. No variant carries any part of the token, the key or their contents.

/// A refused token or key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JoseError {
    /// Longer than the caller allows.
    #[error("the token is too long")]
    TooLong,
    /// Not three parts separated by dots (five would be JWE).
    #[error("the token does not have three parts")]
    Parts,
    /// Not canonical base64url without padding.
    #[error("a part is not canonical base64url")]
    Encoding,
    /// Not one JSON object, or one that other readers may read otherwise ([`strict_json`](crate::strict_json)).
    #[error("not a JSON object with unique members")]
    Json,
    /// A header member has the wrong type or asks for something we do not do.
    #[error("the header member {0} is missing, malformed or not supported")]
    Header(&'static str),
    /// The algorithm is not the key's.
    #[error("the algorithm is not the key's")]
    Algorithm,
    /// The signature is not the key's over this token.
    #[error("the signature does not verify")]
    Signature,
    /// Not a usable key; the text says which rule it broke.
    #[error("not a usable key: {0}")]
    Key(&'static str),
    /// A claim has the wrong type or range.
    #[error("the claim {0} is malformed")]
    Claim(&'static str),
    /// Claims or a header that cannot be written as a JSON object.
    #[error("not serializable as a JSON object")]
    Serialize,
}

impl From<userd_strict_json::Refused> for JoseError {
    fn from(_: userd_strict_json::Refused) -> Self {
        Self::Json
    }
}
