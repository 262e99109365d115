//! Recovery codes: 80 random bits each, written down by people. Stored as keyed hashes only.

use userd_model::Random;
use zeroize::Zeroizing;

use crate::base32::{CROCKFORD, encode};

const CHARACTERS: usize = 16;
const GROUP: usize = 4;

/// A recovery code in its one form.
pub struct RecoveryCodeText(Zeroizing<String>);

impl RecoveryCodeText {
    /// A new code.
    #[must_use]
    pub fn mint(random: &dyn Random) -> Self {
        let mut bytes = Zeroizing::new([0; 10]);
        random.fill(bytes.as_mut_slice());
        Self(Zeroizing::new(encode(bytes.as_slice(), CROCKFORD)))
    }

    /// What somebody typed: case, hyphens and spaces do not matter, and what looks like 0 or 1 is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let told = |c: &char| !c.is_whitespace() && *c != '-';
        let meant = |c: char| match c.to_ascii_lowercase() {
            'o' => '0',
            'i' | 'l' => '1',
            other => other,
        };
        if text.len() > 4 * CHARACTERS {
            return None;
        }
        let text: Zeroizing<String> = Zeroizing::new(text.chars().filter(told).map(meant).collect());
        let lawful = text.len() == CHARACTERS && text.bytes().all(|byte| CROCKFORD.contains(&byte));
        lawful.then_some(Self(text))
    }

    /// For hashing.
    #[must_use]
    pub fn canonical(&self) -> &str {
        &self.0
    }

    /// As it is shown, once: `xxxx-xxxx-xxxx-xxxx`.
    #[must_use]
    pub fn shown(&self) -> String {
        let groups = self.0.as_bytes().chunks(GROUP).map(String::from_utf8_lossy);
        groups.collect::<Vec<_>>().join("-")
    }
}

impl std::fmt::Debug for RecoveryCodeText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RecoveryCodeText")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed;

    impl Random for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.iter_mut().zip(200_u8..).for_each(|(byte, value)| *byte = value);
        }
    }

    #[test]
    fn a_code_is_read_as_people_type_it() {
        let code = RecoveryCodeText::mint(&Fixed);
        let shown = code.shown();
        assert_eq!(shown.len(), 19);
        let typed =
            [shown.clone(), shown.to_uppercase(), shown.replace('-', " "), shown.replace('0', "O").replace('1', "l")];
        for text in typed {
            let read = RecoveryCodeText::parse(&text).expect("a code");
            assert_eq!(read.canonical(), code.canonical(), "{text}");
        }
        for wrong in ["", "1234", "uuuu-uuuu-uuuu-uuuu", &format!("{shown}0"), "١٢٣٤-0000-0000-0000"] {
            assert!(RecoveryCodeText::parse(wrong).is_none(), "{wrong}");
        }
    }
}
