//! Hashes that other software made: bcrypt, PBKDF2 and scrypt as Django, Passlib, Keycloak and others write them. They are
//! verified until their owners sign in once, and then made anew with ours. Deliberately absent: making one.

mod scrypts;

use std::num::NonZeroU32;

use aws_lc_rs::{digest, hmac, pbkdf2};
use base64::{
    Engine as _, alphabet,
    engine::{
        DecodePaddingMode,
        general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD, STANDARD_NO_PAD},
    },
};
use zeroize::Zeroizing;

use self::scrypts::Scrypt;
use super::{PasswordError, Verdict, memory::Memory};

/// What a planted hash may cost at most: about what the dearest settings of these makers cost.
const MOST_ITERATIONS: u32 = 2_000_000;
const MOST_BCRYPT: u32 = 15;
/// bcrypt reads no more of a password.
const BCRYPT_BYTES: usize = 72;
/// bcrypt's base64. Some makers set bits of a last character that mean nothing; they are not looked at.
const BCRYPT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::BCRYPT,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

/// A hash of another maker.
pub(super) enum Imported {
    Bcrypt { hash: String, before: Before },
    Pbkdf2 { algorithm: pbkdf2::Algorithm, iterations: NonZeroU32, salt: Vec<u8>, output: Vec<u8> },
    Scrypt(Scrypt),
}

/// What is done with a password before bcrypt, so that it reads long ones.
pub(super) enum Before {
    Nothing,
    /// Django's `bcrypt_sha256`: SHA-256 in hexadecimal.
    Sha256,
    /// Passlib's `bcrypt-sha256`, version 2: HMAC-SHA-256 with bcrypt's salt as the key, in base64.
    Hmac(String),
}

/// How a hash of other software is stored here. argon2 is as we have it ourselves.
pub(super) fn stored(text: &str) -> String {
    let text = text.trim();
    // Django puts the name of its hasher in front of what the libraries write.
    let bare = text.strip_prefix("argon2").filter(|rest| rest.starts_with("$argon2i"));
    let bare = bare.or_else(|| text.strip_prefix("bcrypt$").filter(|rest| rest.starts_with("$2"))).unwrap_or(text);
    bare.to_owned()
}

impl Imported {
    /// Reads a stored hash; nothing where it is none of these.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if let Some(hash) = text.strip_prefix("bcrypt_sha256$") {
            return bcrypt(hash, |_| Before::Sha256);
        }
        if let Some(rest) = text.strip_prefix("$bcrypt-sha256$v=2,t=2b,r=") {
            let [cost, salt, output] = fields(rest)?;
            let cost: u32 = cost.parse().ok()?;
            return bcrypt(&format!("$2b${cost:02}${salt}{output}"), |salt| Before::Hmac(salt.to_owned()));
        }
        bcrypt(text, |_| Before::Nothing)
            .or_else(|| django_pbkdf2(text))
            .or_else(|| passlib_pbkdf2(text))
            .or_else(|| Scrypt::parse(text).map(Self::Scrypt))
    }

    /// Whether it is the password. A hash that matches is always made anew.
    pub(super) fn verdict(&self, memory: &Memory, password: &str) -> Result<Verdict, PasswordError> {
        let matches = self.matches(memory, password)?;
        Ok(Verdict { matches, needs_rehash: matches })
    }

    fn matches(&self, memory: &Memory, password: &str) -> Result<bool, PasswordError> {
        match self {
            Self::Bcrypt { hash, before } => {
                let password = before.apply(password);
                let read = password.get(..BCRYPT_BYTES).unwrap_or(&password);
                bcrypt::verify(read, hash).map_err(|_| PasswordError::Failed)
            }
            Self::Pbkdf2 { algorithm, iterations, salt, output } => {
                Ok(pbkdf2::verify(*algorithm, *iterations, salt, password.as_bytes(), output).is_ok())
            }
            Self::Scrypt(hash) => hash.matches(memory, password),
        }
    }
}

impl Before {
    fn apply(&self, password: &str) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(match self {
            Self::Nothing => password.as_bytes().to_vec(),
            Self::Sha256 => {
                let hash = digest::digest(&digest::SHA256, password.as_bytes());
                hash.as_ref().iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect()
            }
            Self::Hmac(salt) => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, salt.as_bytes());
                STANDARD.encode(hmac::sign(&key, password.as_bytes())).into_bytes()
            }
        })
    }
}

/// `$2b$12$`, 22 characters of salt and 31 of output. `before` is told the salt.
fn bcrypt(hash: &str, before: impl FnOnce(&str) -> Before) -> Option<Imported> {
    let kind = ["2a", "2b", "2y"].into_iter().find(|kind| hash.get(1..3) == Some(kind))?;
    let (cost, rest) = hash.strip_prefix('$')?.strip_prefix(kind)?.strip_prefix('$')?.split_once('$')?;
    let affordable = cost.len() == 2 && cost.parse::<u32>().is_ok_and(|cost| (4..=MOST_BCRYPT).contains(&cost));
    let (salt, output) = rest.split_at_checked(22).filter(|_| affordable)?;
    let canonical = |text: &str, bytes: usize| {
        let read = BCRYPT.decode(text).ok().filter(|read| read.len() == bytes)?;
        Some(BCRYPT.encode(read))
    };
    let (salt, output) = (canonical(salt, 16)?, canonical(output, 23)?);
    Some(Imported::Bcrypt { before: before(&salt), hash: format!("${kind}${cost}${salt}{output}") })
}

fn algorithm(name: &str) -> Option<pbkdf2::Algorithm> {
    match name {
        "sha1" => Some(pbkdf2::PBKDF2_HMAC_SHA1),
        "sha256" => Some(pbkdf2::PBKDF2_HMAC_SHA256),
        "sha512" => Some(pbkdf2::PBKDF2_HMAC_SHA512),
        _ => None,
    }
}

/// `pbkdf2_sha256$iterations$salt$base64`: the salt is the text itself.
fn django_pbkdf2(text: &str) -> Option<Imported> {
    let (name, rest) = text.strip_prefix("pbkdf2_")?.split_once('$')?;
    let [iterations, salt, output] = fields(rest)?;
    pbkdf2(name, iterations, salt.as_bytes().to_vec(), STANDARD.decode(output).ok()?)
}

/// `$pbkdf2-sha256$rounds$salt$hash`, both in base64 with a dot for the plus. `$pbkdf2$` is SHA-1. Keycloak's hashes are
/// brought into this form.
fn passlib_pbkdf2(text: &str) -> Option<Imported> {
    let (name, rest) = text.strip_prefix("$pbkdf2")?.split_once('$')?;
    let name = if name.is_empty() { "sha1" } else { name.strip_prefix('-')? };
    let [rounds, salt, output] = fields(rest)?;
    let decode = |text: &str| STANDARD_NO_PAD.decode(text.replace('.', "+")).ok();
    pbkdf2(name, rounds, decode(salt)?, decode(output)?)
}

fn pbkdf2(name: &str, iterations: &str, salt: Vec<u8>, output: Vec<u8>) -> Option<Imported> {
    let iterations = iterations.parse::<NonZeroU32>().ok().filter(|count| count.get() <= MOST_ITERATIONS)?;
    has_lengths(&salt, &output).then_some(Imported::Pbkdf2 { algorithm: algorithm(name)?, iterations, salt, output })
}

/// A short output would be met by many passwords, and an empty one by each.
fn has_lengths(salt: &[u8], output: &[u8]) -> bool {
    !salt.is_empty() && salt.len() <= 1024 && (16..=128).contains(&output.len())
}

fn fields(text: &str) -> Option<[&str; 3]> {
    text.split('$').collect::<Vec<_>>().try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "DJDz0xuyiRjC8XP/oGCYQOUsbYxYuGXqRV+NhHkqR9s=";
    const SALT_AND_OUTPUT: &str = "P1FJMBQnTkvF3K4qylAxtuZDneQzxjM65hnaq2pwRO.HaQxtYGhx.";

    fn is_taken(text: &str) -> bool {
        Imported::parse(text).is_some()
    }

    /// Each bound by itself, at what is just allowed and just not.
    #[test]
    fn a_hash_may_cost_what_its_makers_dearest_settings_do_and_not_more() {
        for (cost, taken) in [("04", true), ("15", true), ("03", false), ("16", false), ("5", false)] {
            assert_eq!(is_taken(&format!("$2b${cost}${SALT_AND_OUTPUT}")), taken, "bcrypt {cost}");
        }
        for (rounds, taken) in [("1", true), ("2000000", true), ("0", false), ("2000001", false)] {
            assert_eq!(is_taken(&format!("pbkdf2_sha256${rounds}$salt${OUTPUT}")), taken, "PBKDF2 {rounds}");
        }
        // 64 MiB are 128 bytes by r by the number whose logarithm is given.
        for (costs, taken) in [
            ("ln=16,r=8,p=1", true),
            ("ln=14,r=32,p=8", true),
            ("ln=16,r=9,p=1", false),
            ("ln=17,r=8,p=1", false),
            ("ln=14,r=8,p=9", false),
            ("ln=14,r=8,p=0", false),
            ("ln=64,r=8,p=1", false),
            ("ln=14,r=8,p=1,x=1", false),
            ("ln=14,p=1,r=8", false),
        ] {
            assert_eq!(is_taken(&format!("$scrypt${costs}$c2FsdA$AAAAAAAAAAAAAAAAAAAAAA")), taken, "scrypt {costs}");
        }
        for (text, taken) in [
            (format!("scrypt$16384$salt$8$5${OUTPUT}"), true),
            (format!("scrypt$16384$salt$8$5${OUTPUT}$"), false),
            (format!("scrypt$16385$salt$8$5${OUTPUT}"), false),
            (format!("scrypt$0$salt$8$5${OUTPUT}"), false),
        ] {
            assert_eq!(is_taken(&text), taken, "{text}");
        }
    }

    /// A hash without salt is one of many equal ones, and a short output is met by many passwords.
    #[test]
    fn salts_and_outputs_have_lengths_that_somebody_would_choose() {
        for (salt, output, taken) in [
            (1, 16, true),
            (1024, 128, true),
            (0, 32, false),
            (1025, 32, false),
            (16, 15, false),
            (16, 129, false),
            (16, 0, false),
        ] {
            assert_eq!(has_lengths(&vec![1; salt], &vec![2; output]), taken, "salt of {salt}, output of {output}");
        }
    }

    #[test]
    fn the_word_in_front_of_a_hash_goes_only_where_a_hash_follows() {
        for (text, kept) in [
            (" argon2$argon2id$v=19$x\n", "$argon2id$v=19$x"),
            ("argon2$argon2i$v=19$x", "$argon2i$v=19$x"),
            ("bcrypt$$2b$05$x", "$2b$05$x"),
            ("argon2", "argon2"),
            ("argon2$2b$05$x", "argon2$2b$05$x"),
            ("bcrypt$", "bcrypt$"),
            ("bcrypt$argon2id$x", "bcrypt$argon2id$x"),
        ] {
            assert_eq!(stored(text), kept);
        }
    }
}
