//! The phone number in E.164 form. Whether it rings is not decided here, nor how people like to write it.

use std::fmt;

/// A phone number: `+` and 8 to 15 digits. Printing hides it: it is personal data.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Phone(String);

impl Phone {
    /// The number that `text` spells: E.164 with its plus, nothing else but white space around it.
    ///
    /// # Errors
    /// What is wrong with it, in words for its writer; never the number itself.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        let digits = text.strip_prefix('+').ok_or("must start with + and the country code")?;
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err("must have only digits after the +");
        }
        if !(8..=15).contains(&digits.len()) {
            return Err("must have 8 to 15 digits");
        }
        if digits.starts_with('0') {
            return Err("must start with a country code, which is never 0");
        }
        Ok(Self(text.to_owned()))
    }

    /// The number a provider gave: international, with or without the plus.
    pub fn parse_digits(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        if text.starts_with('+') { Self::parse(text) } else { Self::parse(&format!("+{text}")) }
    }

    /// A number that was parsed before it was stored.
    #[must_use]
    pub const fn stored(canonical: String) -> Self {
        Self(canonical)
    }

    /// The canonical form, with the plus: what is stored, dialled and compared.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The canonical form, without a copy.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Phone(…)")
    }
}
