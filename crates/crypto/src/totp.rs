//! Time-based one-time codes (RFC 6238): HMAC-SHA-1 over the number of the half minute, six digits. That is what every
//! authenticator app reads; SHA-1 is no weakness in HMAC.

use aws_lc_rs::hmac;
use userd_model::{Random, Timestamp, text};
use zeroize::Zeroizing;

use crate::constant_time_eq;

/// Seconds of one time step.
const PERIOD: i64 = 30;
const DIGITS: usize = 6;
/// Clocks of phones: the step before and the step after are good too.
const WINDOW: i64 = 1;
/// RFC 4226 section 4: as long as the hash.
const SECRET_LEN: usize = 20;

/// The secret that an authenticator app shares with us. Wiped when dropped, never printed.
pub struct TotpSecret(Zeroizing<Vec<u8>>);

impl TotpSecret {
    /// A new secret of 160 bits.
    #[must_use]
    pub fn mint(random: &dyn Random) -> Self {
        let mut bytes = Zeroizing::new(vec![0; SECRET_LEN]);
        random.fill(&mut bytes);
        Self(bytes)
    }

    /// The secret that [`Self::as_bytes`] gave.
    #[must_use]
    pub const fn from_bytes(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(bytes)
    }

    /// For sealing.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// As apps take it: base32 (RFC 4648) without padding.
    #[must_use]
    pub fn base32(&self) -> Zeroizing<String> {
        Zeroizing::new(crate::base32::encode(&self.0, crate::base32::RFC4648))
    }

    /// The code at `now`.
    #[must_use]
    pub fn code(&self, now: Timestamp) -> String {
        self.code_of(step(now))
    }

    /// The time step of a code that is good at `now` and later than `last`, the step of the last code that was accepted:
    /// a code is good once, and so is every one before it. Whatever is wrong, it takes the same time.
    #[must_use]
    pub fn accepted(&self, code: &str, now: Timestamp, last: i64) -> Option<i64> {
        let code: Zeroizing<String> = Zeroizing::new(code.chars().filter(|c| !text::is_separator(*c)).collect());
        let mut found = None;
        for step in step(now) - WINDOW..=step(now) + WINDOW {
            let matches = constant_time_eq(self.code_of(step).as_bytes(), code.as_bytes());
            if matches && step > last {
                found = Some(step);
            }
        }
        found
    }

    /// RFC 4226 section 5.3.
    fn code_of(&self, step: i64) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &self.0);
        let tag = hmac::sign(&key, &step.to_be_bytes());
        let tag = tag.as_ref();
        let offset = usize::from(tag.last().copied().unwrap_or_default() & 0x0f);
        let four = tag.get(offset..offset + 4).and_then(|four| <[u8; 4]>::try_from(four).ok()).unwrap_or_default();
        let number = (u32::from_be_bytes(four) & 0x7fff_ffff) % 10_u32.pow(DIGITS as u32);
        format!("{number:0width$}", width = DIGITS)
    }
}

impl std::fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TotpSecret")
    }
}

fn step(now: Timestamp) -> i64 {
    now.seconds().div_euclid(PERIOD)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> TotpSecret {
        TotpSecret(Zeroizing::new(b"12345678901234567890".to_vec()))
    }

    /// RFC 6238 appendix B, the last six of its eight digits.
    #[test]
    fn the_codes_of_the_standard_come_out() {
        let table = [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ];
        for (seconds, code) in table {
            assert_eq!(secret().code(Timestamp::from_seconds(seconds)), code, "at {seconds}");
        }
        assert_eq!(*secret().base32(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    }

    #[test]
    fn a_secret_is_160_drawn_bits_and_kept_whole() {
        struct Drawn;
        impl Random for Drawn {
            fn fill(&self, bytes: &mut [u8]) {
                bytes.iter_mut().zip(1..).for_each(|(byte, value)| *byte = value);
            }
        }
        let minted = TotpSecret::mint(&Drawn);
        assert_eq!(minted.as_bytes(), (1..=20).collect::<Vec<u8>>());
        let kept = TotpSecret::from_bytes(Zeroizing::new(minted.as_bytes().to_vec()));
        assert_eq!(kept.base32(), minted.base32());
        assert_eq!(format!("{minted:?}"), "TotpSecret");
    }

    #[test]
    fn a_code_is_good_for_one_step_before_and_after_and_never_twice() {
        let at = |seconds: i64| Timestamp::from_seconds(1_234_567_890 + seconds);
        let code = secret().code(at(0));
        let step = step(at(0));
        for (seconds, accepted) in [(-60, false), (-30, true), (0, true), (29, true), (30, true), (60, false)] {
            assert_eq!(secret().accepted(&code, at(seconds), 0).is_some(), accepted, "{seconds} seconds off");
        }
        assert_eq!(secret().accepted(&code, at(0), 0), Some(step));
        assert_eq!(secret().accepted(&code, at(0), step), None, "used");
        assert_eq!(secret().accepted(&code, at(0), step + 1), None, "a later one was used");
        for dash in ['-', '\u{2011}', '\u{2013}', '\u{2212}'] {
            let typed = format!("{}{dash}{}", &code[..3], &code[3..]);
            assert_eq!(secret().accepted(&typed, at(0), 0), Some(step), "{typed}");
        }
        assert_eq!(
            secret().accepted(&format!(" {} {}", &code[..3], &code[3..]), at(0), 0),
            Some(step),
            "as apps show it"
        );
        for wrong in ["", "12345", "1234567", "０05924", "-05924", "abcdef"] {
            assert_eq!(secret().accepted(wrong, at(0), 0), None, "{wrong}");
        }
    }
}
