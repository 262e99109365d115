//! Five bits a character, in the alphabet of one's choice.

/// The alphabet of RFC 4648, which authenticator apps read.
pub(crate) const RFC4648: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// Crockford's: nothing in it is taken for something else, for what people copy from paper.
pub(crate) const CROCKFORD: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// The text of some bytes, without padding.
pub(crate) fn encode(bytes: &[u8], alphabet: &[u8; 32]) -> String {
    let character = |value: u32| alphabet.get((value & 31) as usize).map_or('0', |byte| char::from(*byte));
    let (mut text, mut bits, mut have) = (String::with_capacity(bytes.len() * 2), 0_u32, 0);
    for byte in bytes {
        bits = (bits << 8 | u32::from(*byte)) & 0xffff;
        have += 8;
        while have >= 5 {
            have -= 5;
            text.push(character(bits >> have));
        }
    }
    if have > 0 {
        text.push(character(bits << (5 - have)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4648 section 10.
    #[test]
    fn the_vectors_of_the_standard_come_out() {
        let table =
            [("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foob", "MZXW6YQ"), ("foobar", "MZXW6YTBOI")];
        for (plain, text) in table {
            assert_eq!(encode(plain.as_bytes(), RFC4648), text);
        }
    }
}
