//! Recovery codes: 120 random bits each, written down by people. So many that nobody who reads the database finds one by
//! trying, were the key of the hashes known too: they need no slow hash. Stored as keyed hashes only.

use userd_model::{Random, text};
use zeroize::Zeroizing;

use crate::base32::{CROCKFORD, encode};

const BYTES: usize = 15;
/// Five bits each.
const CHARACTERS: usize = BYTES * 8 / 5;
/// Codes that were written down while 80 bits counted as enough. They are good until their owner has a new set.
const CHARACTERS_BEFORE: usize = 16;
const GROUP: usize = 4;

/// A recovery code in its one form.
pub struct RecoveryCodeText(Zeroizing<String>);

impl RecoveryCodeText {
    /// A new code.
    #[must_use]
    pub fn mint(random: &dyn Random) -> Self {
        let mut bytes = Zeroizing::new([0; BYTES]);
        random.fill(bytes.as_mut_slice());
        Self(Zeroizing::new(encode(bytes.as_slice(), CROCKFORD)))
    }

    /// What somebody typed: case, dashes and spaces do not matter, and what looks like 0 or 1 is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let told = |c: &char| !text::is_separator(*c);
        let meant = |c: char| match c.to_ascii_lowercase() {
            'o' => '0',
            'i' | 'l' => '1',
            other => other,
        };
        if text.len() > 4 * CHARACTERS {
            return None;
        }
        let text: Zeroizing<String> = Zeroizing::new(text.chars().filter(told).map(meant).collect());
        let lawful =
            [CHARACTERS, CHARACTERS_BEFORE].contains(&text.len()) && text.bytes().all(|byte| CROCKFORD.contains(&byte));
        lawful.then_some(Self(text))
    }

    /// For hashing.
    #[must_use]
    pub fn canonical(&self) -> &str {
        &self.0
    }

    /// As it is shown, once: `xxxx-xxxx-xxxx-xxxx-xxxx-xxxx`.
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
        assert_eq!(shown.len(), 29);
        let typed = [
            shown.clone(),
            shown.to_uppercase(),
            shown.replace('-', " "),
            shown.replace('-', "\u{2011}"),
            shown.replace('-', "\u{2013}"),
            shown.replace('0', "O").replace('1', "l"),
        ];
        for text in typed {
            let read = RecoveryCodeText::parse(&text).expect("a code");
            assert_eq!(read.canonical(), code.canonical(), "{text}");
        }
        for wrong in [
            "",
            "1234",
            "uuuu-uuuu-uuuu-uuuu-uuuu-uuuu",
            &format!("{shown}0"),
            &shown[..24],
            "١٢٣٤-0000-0000-0000-0000-0000",
        ] {
            assert!(RecoveryCodeText::parse(wrong).is_none(), "{wrong}");
        }
        assert!(RecoveryCodeText::parse(&shown[..19]).is_some(), "of before");
    }

    #[test]
    fn letters_that_look_like_digits_are_these_digits() {
        let read = RecoveryCodeText::parse("oO0i-I1lL-2222-3333-4444-5555").unwrap();
        assert_eq!(read.canonical(), "000111112222333344445555");
    }

    /// What is far too long is not looked at.
    #[test]
    fn a_code_may_be_written_as_widely_as_four_bytes_a_character() {
        let widely = |spaces: usize| format!("{}{}", "0".repeat(CHARACTERS), " ".repeat(spaces));
        assert!(RecoveryCodeText::parse(&widely(3 * CHARACTERS)).is_some());
        assert!(RecoveryCodeText::parse(&widely(3 * CHARACTERS + 1)).is_none());
    }

    /// Every drawn bit is in the code: one that is changed makes another code. From 112 bits on a plain hash is enough.
    /// ASVS V6.5.2, V6.5.4
    #[test]
    fn a_code_has_more_bits_than_anybody_can_try() {
        struct Flipped(Option<usize>);

        impl Random for Flipped {
            fn fill(&self, bytes: &mut [u8]) {
                if let Some(bit) = self.0 {
                    bytes[bit / 8] ^= 1 << (bit % 8);
                }
            }
        }

        let made = |bit| RecoveryCodeText::mint(&Flipped(bit)).canonical().to_owned();
        let codes: std::collections::BTreeSet<_> =
            (0..BYTES * 8).map(|bit| made(Some(bit))).chain([made(None)]).collect();
        assert_eq!(codes.len(), BYTES * 8 + 1);
        assert!(codes.len() > 112, "fewer bits need the slow hash of passwords");
    }
}
