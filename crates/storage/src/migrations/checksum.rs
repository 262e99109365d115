//! Checksums of steps: they find an edit made by mistake. They guard against nobody; whoever can write the table can
//! write everything.

use aws_lc_rs::digest::{SHA256, digest};

/// The checksum of a step's text.
pub(super) fn of(text: &str) -> Vec<u8> {
    digest(&SHA256, text.as_bytes()).as_ref().to_vec()
}

/// What databases made before step 29 hold: FNV-1a, 128 bits. It is verified once more and then replaced.
pub(super) fn before(text: &str) -> Vec<u8> {
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    let hash = text.bytes().fold(OFFSET, |hash, byte| (hash ^ u128::from(byte)).wrapping_mul(PRIME));
    hash.to_be_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vectors of FNV's authors: databases of before hold these, whatever a later release would compute.
    #[test]
    fn the_checksum_of_before_is_fnv_1a() {
        for (text, hash) in [
            ("", 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128),
            ("a", 0xd228_cb69_6f1a_8caf_7891_2b70_4e4a_8964),
            ("foobar", 0x343e_1662_793c_64bf_6f0d_3597_ba44_6f18),
        ] {
            assert_eq!(before(text), hash.to_be_bytes(), "{text}");
        }
        assert_eq!(of("abc").get(..4), Some(&[0xba, 0x78, 0x16, 0xbf][..]), "SHA-256");
    }
}
