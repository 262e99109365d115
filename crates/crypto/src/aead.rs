//! AES-256-GCM with a random 96-bit nonce, and the layout of sealed bytes:
//! `version (1) | key mark (4) | nonce (12) | ciphertext | tag (16)`. Version and mark are authenticated too.
//!
//! A key must not seal more than 2^32 values with random nonces (NIST SP 800-38D section 8.3): a data key seals one
//! user's fields, a master key one data key per user.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use userd_model::{Random, Sealed};
use zeroize::{Zeroize as _, Zeroizing};

use crate::CryptoError;

const VERSION: u8 = 1;
const MARK_LEN: usize = 4;
const HEADER_LEN: usize = 1 + MARK_LEN;

/// Which kind of key, or which master key, sealed a value.
pub(crate) type Mark = [u8; MARK_LEN];

/// 256 bits.
pub(crate) type Key = Zeroizing<[u8; 32]>;

pub(crate) fn seal(key: &Key, mark: Mark, random: &dyn Random, aad: &str, plain: &[u8]) -> Result<Sealed, CryptoError> {
    let mut nonce = [0; NONCE_LEN];
    random.fill(&mut nonce);
    let header = header(mark);
    let body = seal_with_nonce(key, nonce, &bound(header, aad), plain)?;
    Ok(Sealed([&header, nonce.as_slice(), &body].concat()))
}

pub(crate) fn open(key: &Key, mark: Mark, aad: &str, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    let (header, rest) = sealed.0.split_first_chunk::<HEADER_LEN>().ok_or(CryptoError::CannotOpen)?;
    let (nonce, body) = rest.split_first_chunk::<NONCE_LEN>().ok_or(CryptoError::CannotOpen)?;
    if *header != self::header(mark) {
        return Err(CryptoError::CannotOpen);
    }
    let mut buffer = Zeroizing::new(body.to_vec());
    let plain_len = cipher(key)?
        .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(bound(*header, aad)), &mut buffer)
        .map_err(|_| CryptoError::CannotOpen)?
        .len();
    buffer.truncate(plain_len);
    Ok(buffer)
}

/// The mark of a sealed value of a version that we read.
pub(crate) fn mark_of(sealed: &Sealed) -> Option<Mark> {
    match sealed.0.split_first_chunk::<HEADER_LEN>()?.0 {
        [VERSION, mark @ ..] => Some(*mark),
        _ => None,
    }
}

fn seal_with_nonce(key: &Key, nonce: [u8; NONCE_LEN], aad: &[u8], plain: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let mut buffer = Vec::with_capacity(plain.len() + 16);
    buffer.extend_from_slice(plain);
    let sealed =
        cipher(key)?.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(aad), &mut buffer);
    if sealed.is_err() {
        buffer.zeroize();
        return Err(CryptoError::Library);
    }
    Ok(buffer)
}

fn cipher(key: &Key) -> Result<LessSafeKey, CryptoError> {
    UnboundKey::new(&AES_256_GCM, key.as_slice()).map(LessSafeKey::new).map_err(|_| CryptoError::Library)
}

fn header([a, b, c, d]: Mark) -> [u8; HEADER_LEN] {
    [VERSION, a, b, c, d]
}

fn bound(header: [u8; HEADER_LEN], aad: &str) -> Vec<u8> {
    [&header, aad.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may panic")]
    use super::*;

    fn check(key: &str, nonce: &str, plain: &str, aad: &str, expected: &str) {
        let bytes = |text: &str| hex::decode(text).unwrap();
        let key = Zeroizing::new(<[u8; 32]>::try_from(bytes(key)).unwrap());
        let nonce = <[u8; 12]>::try_from(bytes(nonce)).unwrap();
        assert_eq!(hex::encode(seal_with_nonce(&key, nonce, &bytes(aad), &bytes(plain)).unwrap()), expected);
    }

    /// A value of another kind or master key is none of this one, even where their keys were the same.
    #[test]
    fn what_was_sealed_under_one_mark_is_not_opened_under_another() {
        struct Fixed;
        impl Random for Fixed {
            fn fill(&self, bytes: &mut [u8]) {
                bytes.fill(4);
            }
        }
        let key = Zeroizing::new([1; 32]);
        let sealed = seal(&key, *b"aaaa", &Fixed, "place", b"text").unwrap();
        assert_eq!(open(&key, *b"aaaa", "place", &sealed).unwrap().as_slice(), b"text");
        assert_eq!(open(&key, *b"bbbb", "place", &sealed).unwrap_err(), CryptoError::CannotOpen);
        assert_eq!(mark_of(&sealed), Some(*b"aaaa"));
        let mut newer = sealed;
        newer.0[0] = VERSION + 1;
        assert_eq!(mark_of(&newer), None);
    }

    /// ASVS V11.3.2
    #[test]
    fn the_vectors_of_the_gcm_specification_for_256_bit_keys() {
        let (zero_key, zero_nonce) = ("00".repeat(32), "00".repeat(12));
        check(&zero_key, &zero_nonce, "", "", "530f8afbc74536b9a963b4f1c4cb738b");
        check(
            &zero_key,
            &zero_nonce,
            &"00".repeat(16),
            "",
            "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919",
        );
        check(
            "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
            "cafebabefacedbaddecaf888",
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
            "feedfacedeadbeeffeedfacedeadbeefabaddad2",
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b",
        );
    }
}
