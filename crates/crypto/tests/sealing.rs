//! Field encryption, blind indexes and opaque secrets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests may panic")]

use std::sync::atomic::{AtomicU64, Ordering};

use proptest::prelude::*;
use userd_crypto::{
    BlindIndex, CryptoError, Fields, MasterKeys, OpaqueSecret, RefreshTokens, Vault, constant_time_eq, place,
};
use userd_model::{Random, Sealed, SessionId, UserId};

/// Counts instead of drawing: different every time, the same in every run.
#[derive(Default)]
struct Counting(AtomicU64);

impl Random for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let number = self.0.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed).to_le_bytes();
            chunk.copy_from_slice(&number[..chunk.len()]);
        }
    }
}

fn alice() -> UserId {
    UserId::from_random([1; 16])
}

fn bob() -> UserId {
    UserId::from_random([2; 16])
}

fn fields() -> Fields {
    Fields::new(MasterKeys::new([7; 32], vec![]))
}

#[test]
fn a_field_is_opened_where_it_was_sealed() {
    let (fields, random) = (fields(), Counting::default());
    let wrapped = fields.new_data_key(&random, alice()).unwrap();
    let key = fields.open_data_key(&wrapped, alice()).unwrap();
    let email = key.seal(&random, &place("users", "email", alice()), b"alice@example.org").unwrap();
    assert_eq!(key.open(&place("users", "email", alice()), &email).unwrap().as_slice(), b"alice@example.org");
    assert!(!email.0.windows(5).any(|window| window == b"alice"));
}

#[test]
fn a_field_moved_to_another_row_or_column_is_not_opened() {
    let (fields, random) = (fields(), Counting::default());
    let wrapped = fields.new_data_key(&random, alice()).unwrap();
    let key = fields.open_data_key(&wrapped, alice()).unwrap();
    let email = key.seal(&random, &place("users", "email", alice()), b"alice@example.org").unwrap();
    for elsewhere in
        [place("users", "phone", alice()), place("users", "email", bob()), place("user", "semail", alice())]
    {
        assert_eq!(key.open(&elsewhere, &email).unwrap_err(), CryptoError::CannotOpen);
    }
    assert_eq!(fields.open_data_key(&wrapped, bob()).unwrap_err(), CryptoError::CannotOpen);
}

/// ASVS V11.3.3, V11.2.5
#[test]
fn no_changed_bit_goes_unnoticed() {
    let (fields, random) = (fields(), Counting::default());
    let sealed = fields.seal_system(&random, "a secret", b"text").unwrap();
    for at in 0..sealed.0.len() * 8 {
        let mut changed = sealed.clone();
        changed.0[at / 8] ^= 1 << (at % 8);
        assert!(fields.open_system("a secret", &changed).is_err(), "bit {at}");
    }
    for len in 0..sealed.0.len() {
        assert!(fields.open_system("a secret", &Sealed(sealed.0[..len].to_vec())).is_err(), "{len} bytes");
    }
    assert!(fields.open_system("another", &sealed).is_err());
}

/// ASVS V11.3.4
#[test]
fn sealing_twice_never_repeats_a_nonce() {
    let (fields, random) = (fields(), Counting::default());
    let nonces: std::collections::HashSet<_> =
        (0..10_000).map(|_| fields.seal_system(&random, "x", b"y").unwrap().0[5..17].to_vec()).collect();
    assert_eq!(nonces.len(), 10_000);
}

/// ASVS V11.2.2
#[test]
fn a_new_master_key_opens_the_old_and_rewraps_it() {
    let random = Counting::default();
    let old = fields();
    let wrapped = old.new_data_key(&random, alice()).unwrap();
    let field = old.open_data_key(&wrapped, alice()).unwrap().seal(&random, "place", b"kept").unwrap();
    let system = old.seal_system(&random, "index", b"key").unwrap();
    assert!(!old.needs_rewrap(&wrapped));

    let rotating = Fields::new(MasterKeys::new([8; 32], vec![[7; 32]]));
    assert!(rotating.needs_rewrap(&wrapped));
    let rewrapped = rotating.rewrap_data_key(&random, &wrapped, alice()).unwrap();
    let system = rotating.rewrap_system(&random, "index", &system).unwrap();
    assert!(!rotating.needs_rewrap(&rewrapped));

    let new = Fields::new(MasterKeys::new([8; 32], vec![]));
    assert!(!new.knows(&wrapped) && new.knows(&rewrapped) && !new.lacks_a_key(), "nothing was opened yet");
    assert_eq!(new.open_data_key(&wrapped, alice()).unwrap_err(), CryptoError::UnknownMasterKey);
    assert!(new.lacks_a_key() && !rotating.lacks_a_key());
    let key = new.open_data_key(&rewrapped, alice()).unwrap();
    assert_eq!(key.open("place", &field).unwrap().as_slice(), b"kept");
    assert_eq!(new.open_system("index", &system).unwrap().as_slice(), b"key");
}

/// ASVS V11.4.4
#[test]
fn a_master_key_file_is_32_bytes_of_base64() {
    let keys = MasterKeys::generate(&Counting::default());
    let read = MasterKeys::parse_key(&format!("{}\n", keys.current_text().as_str())).unwrap();
    assert_eq!(MasterKeys::new(*read, vec![]).current_id(), keys.current_id());
    for bad in ["", "short", "AAAA", "not base64!"] {
        assert_eq!(MasterKeys::parse_key(bad).unwrap_err(), CryptoError::MalformedMasterKey);
    }
}

/// ASVS V11.7.2
#[test]
fn printing_shows_no_secret() {
    let random = Counting::default();
    let fields = Fields::new(MasterKeys::new([0xAB; 32], vec![[0xCD; 32]]));
    let key = fields.open_data_key(&fields.new_data_key(&random, alice()).unwrap(), alice()).unwrap();
    let printed = format!("{fields:?} {key:?} {:?} {:?}", BlindIndex::new([0xAB; 32]), RefreshTokens::new([0xAB; 32]));
    for secret in ["171", "205", "abab", "ABAB"] {
        assert!(!printed.contains(secret), "{printed}");
    }
}

#[test]
fn rfc_4231_hmac_sha_256() {
    use aws_lc_rs::hmac;
    let tag = |key: &[u8], data: &[u8]| hex::encode(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), data));
    assert_eq!(tag(&[0x0b; 20], b"Hi There"), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    assert_eq!(
        tag(b"Jefe", b"what do ya want for nothing?"),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    );
    assert_eq!(tag(&[0xaa; 20], &[0xdd; 50]), "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
}

#[test]
fn claims_of_different_kinds_or_values_never_share_a_hash() {
    let index = BlindIndex::new([3; 32]);
    assert_eq!(index.claim_hash("email", "a@b.c"), index.claim_hash("email", "a@b.c"));
    assert_ne!(index.claim_hash("email", "a@b.c"), index.claim_hash("username", "a@b.c"));
    assert_ne!(index.claim_hash("email", "a@b.c"), index.claim_hash("emaila", "@b.c"));
    assert_ne!(index.claim_hash("email", "a@b.c"), BlindIndex::new([4; 32]).claim_hash("email", "a@b.c"));
    assert_ne!(index.derive("a"), index.derive("b"));
    assert_ne!(index.derive("claim"), index.claim_hash("", ""));
}

#[test]
fn keyed_hashes_differ_by_label_parts_and_key_and_are_no_claims() {
    let index = BlindIndex::new([3; 32]);
    let of_one = index.keyed_hash("code", &[b"ab", b"c"]);
    assert_eq!(index.keyed_hash("code", &[b"ab", b"c"]), of_one);
    for other in [
        index.keyed_hash("codes", &[b"ab", b"c"]),
        index.keyed_hash("code", &[b"a", b"bc"]),
        index.keyed_hash("code", &[b"ab", b"c", b""]),
        index.keyed_hash("code", &[b"abc"]),
        index.claim_hash("code", "abc"),
        index.derive("code"),
        BlindIndex::new([4; 32]).keyed_hash("code", &[b"ab", b"c"]),
    ] {
        assert_ne!(other, of_one);
    }
}

/// Under one key too: the label in the tag tells them apart, not the prefix alone.
#[test]
fn no_kind_of_session_secret_is_taken_for_another() {
    let kinds = [RefreshTokens::new([5; 32]), RefreshTokens::of_browsers([5; 32]), RefreshTokens::of_hosts([5; 32])];
    let prefixes = ["udr_", "udb_", "udh_"];
    for (minting, prefix) in kinds.iter().zip(prefixes) {
        let (text, hash) = minting.mint(&Counting::default(), SessionId::from_random([9; 16]));
        assert_eq!(minting.parse(&text), Some((SessionId::from_random([9; 16]), hash)));
        for (reading, other) in kinds.iter().zip(prefixes).filter(|(_, other)| *other != prefix) {
            assert_eq!(reading.parse(&text), None, "{prefix} as {other}");
            assert_eq!(reading.parse(&text.replacen(prefix, other, 1)), None, "{prefix} renamed to {other}");
        }
    }
}

/// ASVS V11.5.1
#[test]
fn a_refresh_token_names_its_session_and_cannot_be_forged() {
    let (tokens, random) = (RefreshTokens::new([5; 32]), Counting::default());
    let session = SessionId::from_random([9; 16]);
    let (text, hash) = tokens.mint(&random, session);
    let (other, other_hash) = tokens.mint(&random, session);
    assert_ne!(*text, *other);
    assert_ne!(hash, other_hash);
    assert_eq!(tokens.parse(&text), Some((session, hash)));
    assert_eq!(RefreshTokens::new([6; 32]).parse(&text), None);
    let cookies = RefreshTokens::of_browsers([5; 32]);
    let of_cookie = text.replacen("udr_", "udb_", 1);
    assert_eq!((cookies.parse(&text), cookies.parse(&of_cookie)), (None, None), "one kind is never the other");
    for at in 0..text.len() {
        let mut changed = text.as_bytes().to_vec();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        assert_eq!(tokens.parse(&String::from_utf8(changed).unwrap()), None, "character {at}");
    }
    for bad in ["", "udr_", "udr_AAAA", &text[4..], &format!("{}=", text.as_str()), &format!(" {}", text.as_str())] {
        assert_eq!(tokens.parse(bad), None);
    }
}

#[test]
fn an_opaque_secret_is_known_by_its_hash_and_kind() {
    let random = Counting::default();
    let (text, hash) = OpaqueSecret::mint("udc_", &random);
    assert_eq!(text.len(), 47);
    assert_eq!(OpaqueSecret::hash_of("udc_", &text), Some(hash));
    assert_eq!(OpaqueSecret::hash_of("udl_", &text), None);
    assert_eq!(OpaqueSecret::hash_of("udc_", &text[..46]), None);
    assert_eq!(OpaqueSecret::hash_of("udc_", "udc_é"), None);
}

/// The generator of the running service.
struct Drawn;

impl Random for Drawn {
    #[expect(clippy::disallowed_methods, reason = "the generator itself is what is tested")]
    fn fill(&self, bytes: &mut [u8]) {
        aws_lc_rs::rand::fill(bytes).unwrap();
    }
}

/// ASVS V7.2.3, V11.5.2
#[test]
fn secrets_drawn_in_a_burst_by_many_threads_are_all_different_and_256_bits_long() {
    let draw = || (0..25_000).map(|_| OpaqueSecret::mint("udc_", &Drawn).0.to_string()).collect::<Vec<_>>();
    let threads: Vec<_> = (0..8).map(|_| std::thread::spawn(draw)).collect();
    let drawn: Vec<String> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    let distinct: std::collections::HashSet<&str> = drawn.iter().map(String::as_str).collect();
    assert_eq!(distinct.len(), 200_000);
    // 43 characters of base64url are 256 bits and two that are always zero.
    assert!(drawn.iter().all(|secret| secret.len() == "udc_".len() + 43));
    for place in 4..46 {
        let letters: std::collections::HashSet<u8> = drawn.iter().map(|secret| secret.as_bytes()[place]).collect();
        assert_eq!(letters.len(), 64, "every letter occurs at {place}");
    }
}

/// AC-136: secrets are compared without telling where they differ.
#[test]
fn equality_in_constant_time_is_equality() {
    assert!(constant_time_eq(b"same", b"same"));
    assert!(!constant_time_eq(b"same", b"sane"));
    assert!(!constant_time_eq(b"same", b"sam"));
    assert!(constant_time_eq(b"", b""));
}

proptest! {
    /// AC-115: random bytes are never opened and never panic.
    #[test]
    fn random_bytes_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..100), text in "\\PC{0,120}") {
        let fields = fields();
        let key = fields.open_data_key(&fields.new_data_key(&Counting::default(), alice()).unwrap(), alice()).unwrap();
        let sealed = Sealed(bytes);
        prop_assert!(fields.open_system("x", &sealed).is_err());
        prop_assert!(fields.open_data_key(&sealed, alice()).is_err());
        prop_assert!(key.open("x", &sealed).is_err());
        prop_assert!(RefreshTokens::new([5; 32]).parse(&text).is_none());
        let _ = OpaqueSecret::hash_of("udc_", &text);
    }
}

/// ASVS V11.3.3: what the vault seals opens at its place only, unchanged only, and never under one subkey twice.
#[test]
fn a_vault_opens_what_it_sealed_and_nothing_else() {
    let (fields, random) = (fields(), Counting::default());
    let vault = |wrapped: &Sealed| Vault::new(fields.open_data_key(wrapped, alice()).unwrap());
    let (ours, theirs) =
        (fields.new_data_key(&random, alice()).unwrap(), fields.new_data_key(&random, alice()).unwrap());
    let sealed = vault(&ours).seal(&random, "sessions|successor|1", b"token").unwrap();
    assert_eq!(vault(&ours).open("sessions|successor|1", &sealed).unwrap().as_slice(), b"token");
    assert_eq!(vault(&ours).open("sessions|successor|2", &sealed).unwrap_err(), CryptoError::CannotOpen);
    assert_eq!(vault(&theirs).open("sessions|successor|1", &sealed).unwrap_err(), CryptoError::CannotOpen);
    for at in 0..sealed.0.len() {
        let mut changed = sealed.clone();
        changed.0[at] ^= 1;
        assert!(vault(&ours).open("sessions|successor|1", &changed).is_err(), "byte {at}");
    }
    for cut in 0..sealed.0.len() {
        assert!(vault(&ours).open("sessions|successor|1", &Sealed(sealed.0[..cut].to_vec())).is_err(), "{cut} bytes");
    }
    let again = vault(&ours).seal(&random, "sessions|successor|1", b"token").unwrap();
    assert_ne!(again.0[..16], sealed.0[..16], "each value has a subkey of its own");
}
