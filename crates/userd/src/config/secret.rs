//! A secret: wiped from memory when dropped, masked wherever it could be seen. It leaves through `expose` only.

use std::fmt;

use serde::{Serialize, Serializer};
use zeroize::Zeroizing;

use super::text::{Text, text_traits};

/// What stands where a secret would.
pub const MASK: &str = "********";

/// A password, token or key.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// The secret itself, for the one place that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(MASK)
    }
}

impl Text for Secret {
    const FORMAT: &'static str = "secret";
    const EXPECTED: &'static str = "a secret of 1 to 65536 bytes";
    const SECRET: bool = true;
    fn parse_text(text: &str) -> Result<Self, &'static str> {
        if text.trim().is_empty() || text.len() > 65_536 {
            return Err("");
        }
        Ok(Self(Zeroizing::new(text.to_owned())))
    }
}

text_traits!(Secret);
