//! Secret text: wiped from memory when dropped, never shown. Where it comes from is the configuration's matter.

use std::{borrow::Cow, fmt, fs, io, path::Path};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use crate::error::ConfigError;

/// A secret string. `Debug` and `Serialize` write a placeholder.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

const HIDDEN: &str = "[hidden]";

/// What is in a file. A pipe or a device is none: it would hold whoever reads it for as long as nobody writes.
///
/// # Errors
/// What the system says.
pub fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let about = fs::metadata(path)?;
    if about.is_file() || about.is_dir() { fs::read(path) } else { Err(io::Error::other("must be a file")) }
}

impl Secret {
    /// Takes the text over.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text itself; for the one call that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether nothing is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The secret given inline or in a file (one trailing line break is dropped); both at once are refused.
    ///
    /// # Errors
    /// Both are given, the file cannot be read, or nothing is in it.
    pub fn resolve(
        field: &'static str,
        inline: Option<&Self>,
        file: Option<&Path>,
    ) -> Result<Option<Self>, ConfigError> {
        let found = match (inline, file) {
            (Some(_), Some(_)) => return Err(ConfigError::new(field, "is given both inline and as a file: keep one")),
            (Some(inline), None) => inline.clone(),
            (None, Some(path)) => {
                let wrong =
                    |e: io::Error| ConfigError::new(format!("{field}_file"), format!("{}: {e}", path.display()));
                let bytes = Zeroizing::new(read_file(path).map_err(wrong)?);
                let text = std::str::from_utf8(&bytes);
                let text = text.map_err(|_| wrong(io::ErrorKind::InvalidData.into()))?;
                Self::new(text.trim_end_matches(['\n', '\r']))
            }
            (None, None) => return Ok(None),
        };
        if found.is_empty() {
            return Err(ConfigError::new(field, "is empty"));
        }
        Ok(Some(found))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(HIDDEN)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::new(Cow::<'de, str>::deserialize(deserializer)?.into_owned()))
    }
}

impl schemars::JsonSchema for Secret {
    fn schema_name() -> Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "writeOnly": true })
    }
}
