//! Which new passwords are good enough. Hashing is not here (crypto), nor is any rule about which kinds of
//! characters a password must have: length and not being guessable are the only rules (NIST SP 800-63B section 3.1.1).
//!
//! Nothing here copies the password: it is read as a stream of folded characters.

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use crate::password_blocklist;

/// Longest password, in bytes: what hashing may be asked to read.
pub const MAX_BYTES: usize = 4096;
/// Most signs and digits around a common password that do not make it a good one.
const TRIVIAL_PADDING: usize = 4;
/// Shortest own word that counts: shorter ones occur by chance.
const SHORTEST_WORD: usize = 3;
/// A password whose runs of neighbouring characters have at least this mean length is a walk, not a secret.
const WALK: usize = 4;

/// The form that is hashed: NFC, so that a password typed on another keyboard is the same password (RFC 8265
/// section 4.2). Case, spaces and length stay as they are. An owned answer is a copy of the secret: wipe it.
#[must_use]
pub fn normalise(password: &str) -> Cow<'_, str> {
    match is_nfc_quick(password.chars()) {
        IsNormalized::Yes => Cow::Borrowed(password),
        _ => Cow::Owned(password.nfc().collect()),
    }
}

/// What the operator asks of new passwords.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordRules {
    /// Fewest characters (code points after NFC).
    pub min_length: usize,
    /// Words that everybody here would guess: the service, the company, the product.
    pub context_words: Vec<String>,
}

impl Default for PasswordRules {
    fn default() -> Self {
        Self { min_length: 12, context_words: vec!["userd".to_owned()] }
    }
}

/// What an attacker knows about the user whose password it will be.
#[derive(Clone, Copy, Default)]
pub struct AboutUser<'a> {
    /// E-mail address.
    pub email: Option<&'a str>,
    /// Username.
    pub username: Option<&'a str>,
    /// Display name.
    pub display_name: Option<&'a str>,
}

impl PasswordRules {
    /// Whether `password` may become the password of the user described.
    ///
    /// # Errors
    /// What is wrong with it, in words for its owner; never the password itself.
    pub fn check(&self, password: &str, about: &AboutUser<'_>) -> Result<(), String> {
        if password.len() > MAX_BYTES || password.nfc().map(char::len_utf8).sum::<usize>() > MAX_BYTES {
            return Err(format!("must have at most {MAX_BYTES} bytes"));
        }
        if password.nfc().count() < self.min_length {
            return Err(format!("must have at least {} characters", self.min_length));
        }
        if is_common(password) {
            return Err("is one of the passwords that are guessed first".to_owned());
        }
        if is_repetition(password) || is_walk(password) {
            return Err("is a repetition or a simple sequence".to_owned());
        }
        if own_words(about).any(|word| is_made_of(password, word)) {
            return Err("is made of your own name or address".to_owned());
        }
        if self.context_words.iter().any(|word| is_made_of(password, word)) {
            return Err("is made of the name of this service".to_owned());
        }
        Ok(())
    }
}

/// On the blocklist, as it is, said twice or more, or with a few digits and signs around it.
fn is_common(password: &str) -> bool {
    if password_blocklist::contains(folded(password)) {
        return true;
    }
    let length = folded(password).count();
    let said_again = (2..=4).any(|times| {
        let unit = length / times;
        unit * times == length
            && has_period(password, unit)
            && password_blocklist::contains(folded(password).take(unit))
    });
    let padded = [core_of(password), password.trim_matches(|c: char| !c.is_alphanumeric())].into_iter().any(|core| {
        let padding = password.chars().count() - core.chars().count();
        (1..=TRIVIAL_PADDING).contains(&padding) && password_blocklist::contains(folded(core))
    });
    said_again || padded
}

/// One to four characters, again and again.
fn is_repetition(password: &str) -> bool {
    let length = folded(password).count();
    (1..=4).any(|period| length >= 2 * period && has_period(password, period))
}

/// Long runs along the alphabet, the digits or a keyboard's rows, in either direction, standing still included.
fn is_walk(password: &str) -> bool {
    let length = folded(password).count();
    let breaks =
        folded(password).zip(folded(password).skip(1)).filter(|(one, next)| !are_neighbours(*one, *next)).count();
    length >= WALK * (breaks + 1)
}

fn are_neighbours(one: char, next: char) -> bool {
    const WALKS: [&str; 8] = [
        "abcdefghijklmnopqrstuvwxyz",
        "12345678901",
        "qwertyuiop[]",
        "asdfghjkl;'",
        "zxcvbnm,./",
        "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
        "йцукенгшщзхъ",
        "фывапролджэячсмитьбю",
    ];
    one == next
        || WALKS
            .iter()
            .any(|walk| walk.chars().zip(walk.chars().skip(1)).any(|pair| pair == (one, next) || pair == (next, one)))
}

/// The user's own words: each whole, and e-mail address and display name in parts.
fn own_words<'a>(about: &AboutUser<'a>) -> impl Iterator<Item = &'a str> {
    let email = about.email.into_iter().flat_map(|email| std::iter::once(email).chain(email.split(['@', '+'])));
    let domain = about.email.and_then(|email| email.rsplit_once('@')).map(|(_, domain)| domain);
    let labels = domain.into_iter().flat_map(|domain| domain.split('.'));
    let name = about.display_name.into_iter().flat_map(|name| std::iter::once(name).chain(name.split_whitespace()));
    email.chain(labels).chain(about.username).chain(name)
}

/// Whether the password is `word`, once or several times, forwards or backwards, whatever the case and the
/// separators, with nothing around it but digits and signs.
fn is_made_of(password: &str, word: &str) -> bool {
    let matches = |password: &str, word: &str| {
        let word: String = letters_and_digits(word).collect();
        word.chars().count() >= SHORTEST_WORD
            && (is_repeated(letters_and_digits(password), word.chars())
                || is_repeated(letters_and_digits(password), word.chars().rev()))
    };
    matches(password, word) || matches(core_of(password), core_of(word))
}

/// Whether `text` is `unit` one or more times.
fn is_repeated(text: impl Iterator<Item = char> + Clone, unit: impl Iterator<Item = char> + Clone) -> bool {
    let (text_length, unit_length) = (text.clone().count(), unit.clone().count());
    unit_length > 0
        && text_length >= unit_length
        && text_length.is_multiple_of(unit_length)
        && text.zip(std::iter::repeat_with(|| unit.clone()).flatten()).all(|(one, other)| one == other)
}

fn has_period(password: &str, period: usize) -> bool {
    period > 0 && folded(password).zip(folded(password).skip(period)).all(|(one, again)| one == again)
}

/// From the first letter to the last.
fn core_of(text: &str) -> &str {
    text.trim_matches(|c: char| !c.is_alphabetic())
}

fn letters_and_digits(text: &str) -> impl Iterator<Item = char> + Clone {
    folded(text).filter(|c| c.is_alphanumeric())
}

/// NFC in lower case, character by character.
fn folded(text: &str) -> impl Iterator<Item = char> + Clone {
    text.nfc().flat_map(char::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repetition_is_one_to_four_characters_twice_at_least() {
        for (text, is_one) in [
            ("aa", true),
            ("abab", true),
            ("abcabc", true),
            ("abcdabcd", true),
            ("ABABab", true),
            ("ab", false),
            ("aba", false),
            ("abca", false),
            ("abcdab", false),
            ("abcdeabcde", false),
            ("aab", false),
        ] {
            assert_eq!(is_repetition(text), is_one, "{text}");
        }
    }

    #[test]
    fn a_walk_goes_four_steps_and_more_before_it_turns() {
        for (text, is_one) in [
            ("abcd", true),
            ("dcba", true),
            ("aabb", true),
            ("7890", true),
            ("abcdwxyz", true),
            ("abc", false),
            ("abcdwxy", false),
            ("acegikmo", false),
        ] {
            assert_eq!(is_walk(text), is_one, "{text}");
        }
        for (one, next, are) in [
            ('a', 'b', true),
            ('b', 'a', true),
            ('k', 'k', true),
            ('0', '1', true),
            ('z', 'a', false),
            ('a', 'c', false),
        ] {
            assert_eq!(are_neighbours(one, next), are, "{one}{next}");
        }
    }

    #[test]
    fn a_text_is_its_unit_whole_times() {
        for (text, unit, is_it) in [
            ("ab", "ab", true),
            ("ababab", "ab", true),
            ("aba", "ab", false),
            ("abac", "ab", false),
            ("a", "ab", false),
            ("", "a", false),
            ("a", "", false),
            ("", "", false),
        ] {
            assert_eq!(is_repeated(text.chars(), unit.chars()), is_it, "{text} of {unit}");
        }
        assert!(has_period("abab", 2) && !has_period("abac", 2) && !has_period("aaaa", 0));
    }

    #[test]
    fn a_word_of_ones_own_has_three_letters_and_counts_in_either_direction() {
        for (password, word, is_made) in [
            ("anna", "Anna", true),
            ("annaanna", "anna", true),
            ("2026-petra!", "petra", true),
            ("artep", "petra", true),
            ("joe99", "joe", true),
            ("jojo", "jo", false),
            ("annabel", "anna", false),
            ("xanna", "anna", false),
        ] {
            assert_eq!(is_made_of(password, word), is_made, "{password} of {word}");
        }
    }

    #[test]
    fn four_signs_around_a_common_password_are_no_secret_and_five_may_be() {
        for (text, is_it) in
            [("sunshine", true), ("sunshine#42!", true), ("42#sunshine!", true), ("sunshine#421!", false)]
        {
            assert_eq!(is_common(text), is_it, "{text}");
        }
    }
}
