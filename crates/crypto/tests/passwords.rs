//! Passwords hashed and verified for real, at a small cost.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests may panic")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use argon2::{Algorithm, Argon2, AssociatedData, ParamsBuilder, Version};
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use userd_crypto::{MAX_PASSWORD_BYTES, PasswordError, PasswordOptions, Passwords, Verdict};
use userd_model::{Clock, Random, Timestamp};
use zeroize::Zeroizing;

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(1_800_000_000)
    }
}

/// A different byte every time.
#[derive(Default)]
struct Counting(AtomicU8);

impl Random for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(self.0.fetch_add(1, Ordering::Relaxed));
    }
}

fn cheap() -> PasswordOptions {
    PasswordOptions {
        memory_kib: 64,
        iterations: 1,
        parallelism: 1,
        workers: 2,
        queue: 64,
        ..PasswordOptions::default()
    }
}

fn start(options: PasswordOptions) -> Passwords {
    Passwords::new(options, Arc::new(Counting::default()), Arc::new(Still)).unwrap()
}

fn text(password: &str) -> Zeroizing<String> {
    Zeroizing::new(password.to_owned())
}

const RIGHT: Verdict = Verdict { matches: true, needs_rehash: false };
const OUTDATED: Verdict = Verdict { matches: true, needs_rehash: true };
const WRONG: Verdict = Verdict { matches: false, needs_rehash: false };

/// ASVS V11.4.2
#[test]
fn rfc_9106_section_5_3_argon2id() {
    let mut params = ParamsBuilder::new();
    params.m_cost(32).t_cost(3).p_cost(4).output_len(32).data(AssociatedData::new(&[4; 12]).unwrap());
    let secret = [3; 8];
    let context =
        Argon2::new_with_secret(&secret, Algorithm::Argon2id, Version::V0x13, params.build().unwrap()).unwrap();
    let mut output = [0; 32];
    context.hash_password_into(&[1; 32], &[2; 16], &mut output).unwrap();
    assert_eq!(hex::encode(output), "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659");
}

#[tokio::test]
async fn hashes_made_by_the_reference_implementation_are_verified() {
    let passwords = start(cheap());
    for phc in [
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc",
    ] {
        assert_eq!(passwords.verify(text("password"), Some(phc.into())).await, Ok(OUTDATED), "{phc}");
        assert_eq!(passwords.verify(text("Password"), Some(phc.into())).await, Ok(WRONG));
    }
}

#[tokio::test]
async fn a_password_matches_its_own_hash_only() {
    let passwords = start(cheap());
    let hash = passwords.hash(text("correct horse")).await.unwrap();
    assert!(hash.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{hash}");
    assert_ne!(hash, passwords.hash(text("correct horse")).await.unwrap(), "a new salt every time");
    assert_eq!(passwords.verify(text("correct horse"), Some(hash.clone())).await, Ok(RIGHT));
    for wrong in ["", "correct hors", "correct horse ", "Correct horse"] {
        assert_eq!(passwords.verify(text(wrong), Some(hash.clone())).await, Ok(WRONG), "{wrong:?}");
    }
}

/// ASVS V11.2.2
#[tokio::test]
async fn a_changed_cost_asks_for_a_new_hash_after_the_next_sign_in() {
    let old = start(cheap()).hash(text("correct horse")).await.unwrap();
    let new = start(PasswordOptions { iterations: 2, ..cheap() });
    assert_eq!(new.verify(text("correct horse"), Some(old.clone())).await, Ok(OUTDATED));
    assert_eq!(new.verify(text("wrong"), Some(old)).await, Ok(WRONG));
}

#[tokio::test]
async fn an_unknown_login_costs_the_same_work_and_never_matches() {
    let passwords = start(cheap());
    assert_eq!(passwords.state().memory_kib, 0);
    assert_eq!(passwords.verify(text(""), None).await, Ok(WRONG));
    assert_eq!(passwords.state().memory_kib, 64, "it was hashed like any other");
    assert_eq!(passwords.verify(text("correct horse"), None).await, Ok(WRONG));
}

#[tokio::test]
async fn too_long_a_password_is_refused_before_hashing() {
    let passwords = start(cheap());
    let long = "x".repeat(MAX_PASSWORD_BYTES + 1);
    assert_eq!(passwords.hash(text(&long)).await, Err(PasswordError::TooLong));
    assert_eq!(passwords.verify(text(&long), None).await, Err(PasswordError::TooLong));
    assert_eq!(passwords.state().memory_kib, 0);
    assert!(passwords.hash(text(&long[1..])).await.is_ok());
}

/// AC-115: a malformed stored hash is refused without a panic, and a dear one does not occupy a worker.
#[tokio::test]
async fn hashes_that_are_malformed_or_too_dear_are_refused() {
    let passwords = start(cheap());
    let salt_and_hash = "c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
    for start in [
        "",
        "$argon2id$v=19$m=262145,t=1,p=1$",
        "$argon2id$v=19$m=4294967295,t=1,p=1$",
        "$argon2id$v=19$m=64,t=17,p=1$",
        "$argon2id$v=19$m=64,t=0,p=1$",
        "$argon2id$v=19$m=64,t=1,p=17$",
        "$argon2id$v=19$m=1,t=1,p=1$",
        "$argon2id$v=19$m=+64,t=1,p=1$",
        "$argon2id$v=19$m=64,t=1$",
        "$argon2id$v=19$m=64,t=1,p=1,data=AAAA$",
        "$argon2id$v=19$t=1,m=64,p=1$",
        "$argon2id$v=16$m=64,t=1,p=1$",
        "$argon2d$v=19$m=64,t=1,p=1$",
        "$2b$12$",
    ] {
        let answer = passwords.verify(text("password"), Some(format!("{start}{salt_and_hash}"))).await;
        assert_eq!(answer, Err(PasswordError::UnsupportedHash), "{start}");
    }
    for end in
        ["c29t$nf65EOgLrQMR/uIPnA4rEg", "c29tZXNhbHQ$AAAA", "c29tZXNhbHQ$nf65EOgL!", "c29tZXNhbHQ", "c29tZXNhbHQ=$AAAA"]
    {
        let answer = passwords.verify(text("password"), Some(format!("$argon2id$v=19$m=64,t=1,p=1${end}"))).await;
        assert_eq!(answer, Err(PasswordError::UnsupportedHash), "{end}");
    }
    assert!(
        Passwords::new(PasswordOptions { memory_kib: 0, ..cheap() }, Arc::new(Counting::default()), Arc::new(Still))
            .is_err()
    );
}

#[tokio::test]
async fn memory_is_bounded_by_the_workers_and_a_dearer_hash_gives_its_memory_back() {
    let passwords = Arc::new(start(cheap()));
    let work: Vec<_> = (0..40)
        .map(|number| {
            let passwords = Arc::clone(&passwords);
            tokio::spawn(async move { passwords.hash(text(&format!("password {number}"))).await })
        })
        .collect();
    for hash in work {
        hash.await.unwrap().unwrap();
        assert!(passwords.state().memory_kib <= 2 * 64);
    }
    let dearer = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
    passwords.verify(text("password"), Some(dearer.into())).await.unwrap();
    assert!(passwords.state().memory_kib <= 64, "{:?}", passwords.state());
}

#[tokio::test]
async fn a_worker_without_work_gives_its_memory_back() {
    let passwords = start(PasswordOptions { workers: 1, idle: Duration::from_millis(1), ..cheap() });
    passwords.hash(text("correct horse")).await.unwrap();
    while passwords.state().memory_kib > 0 {
        tokio::task::yield_now().await;
    }
    passwords.hash(text("correct horse")).await.unwrap();
}

/// Resident memory of this process, MiB.
#[cfg(target_os = "linux")]
fn resident_mib() -> usize {
    let pages: Vec<usize> = std::fs::read_to_string("/proc/self/statm")
        .unwrap()
        .split_whitespace()
        .map(|number| number.parse().unwrap())
        .collect();
    pages[1] * 4 / 1024
}

/// (fault 32) Freed is not given back: the C library keeps what a thread freed, unless it was mapped by itself.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_system_has_the_memory_of_idle_workers_back_after_every_storm() {
    const WORKERS: usize = 8;
    let options = PasswordOptions {
        memory_kib: 19_456,
        workers: WORKERS,
        idle: Duration::from_millis(200),
        deadline: Duration::from_secs(60),
        ..cheap()
    };
    let passwords = Arc::new(start(options));
    let before = resident_mib();
    for storm in 0..3 {
        let work: Vec<_> = (0..WORKERS * 2)
            .map(|_| {
                let passwords = Arc::clone(&passwords);
                tokio::spawn(async move { passwords.verify(text("wrong"), None).await })
            })
            .collect();
        for hash in work {
            hash.await.unwrap().unwrap();
        }
        while passwords.state().memory_kib > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let held = || resident_mib().saturating_sub(before);
        let patience = std::time::Instant::now();
        while held() > 24 {
            assert!(patience.elapsed() < Duration::from_secs(5), "{} MiB are held after storm {storm}", held());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// (fault 32) Many accounts with hashes of an earlier, higher cost do not add up.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hashes_of_a_higher_cost_take_their_memory_one_after_the_other() {
    let phc = start(PasswordOptions { memory_kib: 32_768, ..cheap() }).hash(text("password")).await.unwrap();
    let passwords = Arc::new(start(PasswordOptions { workers: 4, deadline: Duration::from_secs(60), ..cheap() }));
    let work: Vec<_> = (0..8)
        .map(|_| {
            let (passwords, phc) = (Arc::clone(&passwords), phc.clone());
            tokio::spawn(async move { passwords.verify(text("password"), Some(phc)).await })
        })
        .collect();
    let mut most = 0;
    while work.iter().any(|one| !one.is_finished()) {
        most = most.max(passwords.state().memory_kib);
        tokio::task::yield_now().await;
    }
    for one in work {
        assert!(one.await.unwrap().unwrap().matches);
    }
    assert!((32_768..32_768 + 4 * 64 + 1).contains(&most), "{most} KiB");
}

#[tokio::test]
async fn a_pepper_is_needed_to_verify_and_can_be_replaced() {
    let peppered = |current: u8, previous: &[u8]| PasswordOptions {
        pepper: Some(Zeroizing::new([current; 32])),
        previous_peppers: previous.iter().map(|byte| Zeroizing::new([*byte; 32])).collect(),
        ..cheap()
    };
    let plain = start(cheap());
    let first = start(peppered(1, &[]));
    let hash = first.hash(text("correct horse")).await.unwrap();
    assert!(hash.contains(",keyid="), "{hash}");
    assert_eq!(first.verify(text("correct horse"), Some(hash.clone())).await, Ok(RIGHT));
    assert_eq!(first.verify(text("wrong"), Some(hash.clone())).await, Ok(WRONG));
    assert_eq!(plain.verify(text("correct horse"), Some(hash.clone())).await, Err(PasswordError::UnsupportedHash));

    let second = start(peppered(2, &[1]));
    assert_eq!(second.verify(text("correct horse"), Some(hash)).await, Ok(OUTDATED));
    let unpeppered = plain.hash(text("correct horse")).await.unwrap();
    assert_eq!(second.verify(text("correct horse"), Some(unpeppered)).await, Ok(OUTDATED));
}

/// A pepper that is no longer mixed in opens what it made, and nothing new is made with it.
#[tokio::test]
async fn a_pepper_that_was_given_up_makes_no_new_hash() {
    let key = || Zeroizing::new([1; 32]);
    let old = start(PasswordOptions { pepper: Some(key()), ..cheap() }).hash(text("correct horse")).await.unwrap();
    let given_up = start(PasswordOptions { previous_peppers: vec![key()], ..cheap() });
    assert_eq!(given_up.verify(text("correct horse"), Some(old.clone())).await, Ok(OUTDATED));
    let new = given_up.hash(text("correct horse")).await.unwrap();
    assert!(!new.contains("keyid="), "{new}");
    assert_eq!(given_up.verify(text("correct horse"), Some(new)).await, Ok(RIGHT));
    assert_eq!(given_up.import(&old), None, "what a pepper made is nobody else's hash");
}

/// Of our cost in everything but one thing.
#[tokio::test]
async fn another_algorithm_and_a_shorter_output_ask_for_a_new_hash() {
    let passwords = start(cheap());
    for (algorithm, length, verdict) in
        [(Algorithm::Argon2id, 32, RIGHT), (Algorithm::Argon2i, 32, OUTDATED), (Algorithm::Argon2id, 16, OUTDATED)]
    {
        let params = ParamsBuilder::new().m_cost(64).t_cost(1).p_cost(1).output_len(length).build().unwrap();
        let mut output = vec![0; length];
        Argon2::new(algorithm, Version::V0x13, params).hash_password_into(b"x", &[1; 16], &mut output).unwrap();
        let (salt, output) = (STANDARD_NO_PAD.encode([1; 16]), STANDARD_NO_PAD.encode(output));
        let phc = format!("${algorithm}$v=19$m=64,t=1,p=1${salt}${output}");
        assert_eq!(passwords.verify(text("x"), Some(phc.clone())).await, Ok(verdict), "{phc}");
    }
}

#[test]
fn printing_shows_no_pepper() {
    let options = PasswordOptions { pepper: Some(Zeroizing::new([0xAB; 32])), ..cheap() };
    assert!(!format!("{options:?}").contains("171"));
    assert!(format!("{options:?}").contains("pepper: true"));
    let passwords = start(options);
    assert!(!format!("{passwords:?}").contains("171"));
}

/// Composed and decomposed letters are different bytes: the caller normalises, this room does not guess.
#[tokio::test]
async fn normalisation_is_the_callers() {
    let passwords = start(cheap());
    let hash = passwords.hash(text("caf\u{e9}")).await.unwrap();
    assert_eq!(passwords.verify(text("cafe\u{301}"), Some(hash)).await, Ok(WRONG));
}

/// Made by Django 5.2, Passlib 1.7, argon2-cffi and Python's hashlib and cryptography of one password.
const OF_OTHERS: [&str; 19] = [
    "argon2$argon2id$v=19$m=102400,t=2,p=8$VElHQ1dEbUtSR3pXZWpnNkFQSEh2Zg$z/y0Nx5ta/FfNCIkEYdX775qBwYduj4o1C7TImrwcB8",
    "bcrypt_sha256$$2b$05$djpeYqBDfPPxanwTimCc6uovyv9hYIqazufe8PlBvlQ46PWKVCroC",
    "bcrypt$$2b$05$62ebY7.KnHvcM7nOfL6jWOhTM9qLHQZua5BmVB2BjClFalGHkO1lS",
    "scrypt$16384$p6xV9zEbjHMbbu6TbIfoiI$8$5$\
        iUVZSxoCnovYmORpkfVwu5fJwZCCnMk/TU5Bcu4gE2b5RTZbmFEHRtpUaN0Jz64nm04qylZK0QP8V+Mv16Rfvw==",
    "$2b$05$P1FJMBQnTkvF3K4qylAxtuZDneQzxjM65hnaq2pwRO.HaQxtYGhx.",
    // The same, with bits set in the salt's last character that mean nothing: some makers leave them so.
    "$2b$05$P1FJMBQnTkvF3K4qylAxtvZDneQzxjM65hnaq2pwRO.HaQxtYGhx.",
    "$bcrypt-sha256$v=2,t=2b,r=5$37wzvbmkgobCniO2V1/tzO$GfXzU0EksEw5cIQzmL1nIb9Vl.joeYu",
    "$pbkdf2$131000$t1ZKaS3FGCOkVColJESI0Q$ovbrQe.PnW1Ysq2MoTMCBvCD4gU",
    "$pbkdf2-sha256$29000$DMG4V2pt7b3XOsf4PwfgvA$IJwTJNcSHfSviSGAYee26XuyNZBBWXLLWIyIL10K1eQ",
    "$pbkdf2-sha512$25000$eY8xJsQYgxBCCMHYu3euVQ$\
        FXTnPpWJoyaKUxnfGtqU23PWDCJSQNSVyk8Cd7mhFFeRmuCT99yW8UtqedoOpeANiH.AueyLGDMC83DlWMmW4Q",
    "$scrypt$ln=14,r=8,p=1$NiYEQAiBcC5F6D0HQMg55w$4+KrDdq1L62qyZS3dQkYeiA6hNRBioHT7ILZa+/xD8E",
    "$argon2id$v=19$m=65536,t=3,p=4$+J/z/r83xlgLQQhB6H2P0Q$7BiWq0z6XnvtpQKpLxLCL5kCYbryus5mxDwMt4N/BQ8",
    "pbkdf2_sha256$1000$salt$PWyZsurmtbkvlpLoqtE+F8NzNlziwxTyjghnK8EVkXk=",
    "pbkdf2_sha1$1000$salt$d72cC96Yl7DkDoJHpnG4HjcrBRY=",
    "$argon2i$v=19$m=1024,t=2,p=2$c29tZXNhbHQxMjM0NTY3OA$ZXZQp5nLFFYi1dI17RTtvG0OyPSM7JCXPFUouVtsRdg",
    "argon2$argon2i$v=19$m=1024,t=2,p=2$c29tZXNhbHQxMjM0NTY3OA$ZXZQp5nLFFYi1dI17RTtvG0OyPSM7JCXPFUouVtsRdg",
    // better-auth's.
    "00112233445566778899aabbccddeeff:6a108119f29862734ff652922e4a6c332a00a6ddcac0f88944a31953b862e182\
        1c067009426e87f718a6366036bb0bbe1bb6641a1f2f01a545d7125efad5dcc4",
    // Firebase's, as Kratos and as Supabase write it.
    "$firescrypt$ln=14,r=8,p=1$42xEC+ixf3L2lw==$\
        Dl+fbp6jfFHY32beUZl8RL6VDRgFvkpGhPixkdDPIirbR8Bu67jRs92okWRziGs/jfyGhzuqjGN59+G0V3oF/g==$Bw==$\
        jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==",
    "$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,\
        sk=jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==$\
        42xEC+ixf3L2lw==$\
        Dl+fbp6jfFHY32beUZl8RL6VDRgFvkpGhPixkdDPIirbR8Bu67jRs92okWRziGs/jfyGhzuqjGN59+G0V3oF/g==",
];

/// What Firebase's own tool and Supabase's tests give for other passwords; and letters that better-auth brings into NFKC, of
/// which NFC has made nothing else.
const OTHER_PASSWORDS: [(&str, &str); 3] = [
    (
        "user1password",
        "$firescrypt$ln=14,r=8,p=1$42xEC+ixf3L2lw==$\
            lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==$Bw==$\
            jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==",
    ),
    (
        "mytestpassword",
        "$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,\
            sk=ou9tdYTGyYm8kuR6Dt0Bp0kDuAYoXrK16mbZO4yGwAn3oLspjnN0/c41v8xZnO1n14J3MjKj1b2g6AUCAlFwMw==$\
            C0sHCg9ek77hsg==$\
            zKVTMvnWVw5BBOZNUdnsalx4c4c7y/w7IS5p6Ut2+CfEFFlz37J9huyQfov4iizN8dbjvEJlM5tQaJP84+hfTw==",
    ),
    (
        "\u{fb01}ne \u{2116} 1",
        "00112233445566778899aabbccddeeff:7b68ee26e0676a06f38c178f32705285e457a643c1a3076a2997656985f23515\
            4d3c8d83fd4f5f7d366aa5f1727a436aa154930c42e02794f2125cb67abb3bfa",
    ),
];

#[tokio::test]
async fn hashes_of_other_software_are_verified_and_outdated_at_once() {
    let passwords = start(cheap());
    for of_others in OF_OTHERS {
        let stored = passwords.import(of_others).unwrap_or_else(|| panic!("{of_others} is not taken"));
        let right = passwords.verify(text("correct horse, пароль"), Some(stored.clone())).await;
        assert_eq!(right, Ok(OUTDATED), "{of_others}");
        for wrong in ["correct horse, парол", ""] {
            assert_eq!(passwords.verify(text(wrong), Some(stored.clone())).await, Ok(WRONG), "{of_others}");
        }
    }
    for (password, of_others) in OTHER_PASSWORDS {
        let stored = passwords.import(of_others).unwrap_or_else(|| panic!("{of_others} is not taken"));
        assert_eq!(passwords.verify(text(password), Some(stored)).await, Ok(OUTDATED), "{of_others}");
    }
}

/// A planted hash must not be able to occupy a worker, and what is only like a hash is none.
#[test]
fn hashes_that_are_unknown_broken_or_too_dear_are_not_imported() {
    let passwords = start(cheap());
    for bad in [
        "",
        "!",
        "correct horse",
        "$1$abcdefgh$G9iNJUCjHB/hNuI3H5UtB0",
        "md5$salt$0123456789abcdef0123456789abcdef",
        "$2b$16$P1FJMBQnTkvF3K4qylAxtuZDneQzxjM65hnaq2pwRO.HaQxtYGhx.",
        "$2x$05$P1FJMBQnTkvF3K4qylAxtuZDneQzxjM65hnaq2pwRO.HaQxtYGhx.",
        "$2b$05$P1FJMBQnTkvF3K4qylAxtuZDneQzxjM65hnaq2pwRO.HaQxtYGhx",
        "pbkdf2_sha256$2000001$salt$DJDz0xuyiRjC8XP/oGCYQOUsbYxYuGXqRV+NhHkqR9s=",
        "pbkdf2_sha256$0$salt$DJDz0xuyiRjC8XP/oGCYQOUsbYxYuGXqRV+NhHkqR9s=",
        "pbkdf2_sha256$1000$salt$AAAA",
        "pbkdf2_md5$1000$salt$DJDz0xuyiRjC8XP/oGCYQOUsbYxYuGXqRV+NhHkqR9s=",
        "$scrypt$ln=20,r=8,p=1$NiYEQAiBcC5F6D0HQMg55w$4+KrDdq1L62qyZS3dQkYeiA6hNRBioHT7ILZa+/xD8E",
        "scrypt$16385$p6xV9zEbjHMbbu6TbIfoiI$8$5$iUVZSxoCnovYmORpkfVwu5fJwZCCnMk=",
        "$scrypt$ln=14,r=8,p=1$NiYEQAiBcC5F6D0HQMg55w$",
        "scrypt$16384$salt$8$5$",
        "scrypt$16384$salt$8$5$AAAA",
        "$2b$05$P1FJMBQnTkvF3K4qylAxtuZDneQzxjM65hnaq2pwRO.HaQxtYGé.",
        "$argon2id$v=19$m=4194304,t=3,p=4$+J/z/r83xlgLQQhB6H2P0Q$7BiWq0z6XnvtpQKpLxLCL5kCYbryus5mxDwMt4N/BQ8",
        "$argon2i$v=19$m=4194304,t=3,p=4$+J/z/r83xlgLQQhB6H2P0Q$7BiWq0z6XnvtpQKpLxLCL5kCYbryus5mxDwMt4N/BQ8",
        "$argon2d$v=19$m=65536,t=3,p=4$+J/z/r83xlgLQQhB6H2P0Q$7BiWq0z6XnvtpQKpLxLCL5kCYbryus5mxDwMt4N/BQ8",
        "00112233445566778899aabbccddeeff:6a108119f29862734ff652922e4a6c33",
        "00112233445566778899aabbccddeeff:",
        "no hexadecimal:6a108119f29862734ff652922e4a6c332a00a6ddcac0f88944a31953b862e182\
            1c067009426e87f718a6366036bb0bbe1bb6641a1f2f01a545d7125efad5dcc4",
        // A key as short as it likes to be is met by many passwords.
        "$firescrypt$ln=14,r=8,p=1$42xEC+ixf3L2lw==$Dl8=$Bw==$jxs=",
        "$firescrypt$ln=14,r=8,p=1$42xEC+ixf3L2lw==$$Bw==$",
        "$firescrypt$ln=30,r=8,p=1$42xEC+ixf3L2lw==$\
            Dl+fbp6jfFHY32beUZl8RL6VDRgFvkpGhPixkdDPIirbR8Bu67jRs92okWRziGs/jfyGhzuqjGN59+G0V3oF/g==$Bw==$\
            jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==",
        "$fbscrypt$v=1,n=14,r=4096,p=1,ss=Bw==,sk=jxspr8Ki0RYycVU8zykbdA==$42xEC+ixf3L2lw==$jxspr8Ki0RYycVU8zykbdA==",
        "$fbscrypt$v=2,n=14,r=8,p=1,ss=Bw==,sk=jxspr8Ki0RYycVU8zykbdA==$42xEC+ixf3L2lw==$jxspr8Ki0RYycVU8zykbdA==",
    ] {
        assert_eq!(passwords.import(bad), None, "{bad}");
    }
}
