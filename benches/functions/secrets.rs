//! Passwords, sealed fields, blind indexes.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on stops")]

use std::sync::Arc;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use divan::Bencher;
use userd_benches::Dice;
use userd_crypto::{BlindIndex, Fields, MasterKeys, PasswordOptions, Passwords, RefreshTokens, Zeroizing, place};
use userd_model::{Random as _, SessionId, UserId};
use userd_storage::testing::ManualClock;

const PASSWORD: &str = "quartz-Lantern-42-mango";
const EMAIL: &str = "somebody.with.a.name@mail.example";

fn main() {
    divan::main();
}

fn argon2() -> Argon2<'static> {
    let ours = PasswordOptions::default();
    let params = Params::new(ours.memory_kib, ours.iterations, ours.parallelism, Some(32)).unwrap();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// The baseline of the next two: the library, memory of its own for each hash.
#[divan::bench(sample_count = 30)]
fn argon2id_in_fresh_memory(bencher: Bencher<'_, '_>) {
    let (argon2, mut output) = (argon2(), [0; 32]);
    bencher.bench_local(|| argon2.hash_password_into(PASSWORD.as_bytes(), b"0123456789abcdef", &mut output).unwrap());
}

#[divan::bench(sample_count = 30)]
fn argon2id_in_kept_memory(bencher: Bencher<'_, '_>) {
    let (argon2, mut output) = (argon2(), [0; 32]);
    let mut memory = vec![Block::new(); argon2.params().block_count()];
    bencher.bench_local(|| {
        let salt = b"0123456789abcdef";
        argon2.hash_password_into_with_memory(PASSWORD.as_bytes(), salt, &mut output, &mut memory).unwrap();
    });
}

/// What a sign-in pays: the queue, a worker's kept memory, the comparison.
#[divan::bench(sample_count = 30)]
fn verify_password(bencher: Bencher<'_, '_>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (random, clock) = (Arc::new(Dice), Arc::new(ManualClock::default()));
    let passwords = Passwords::new(PasswordOptions::default(), random, clock).unwrap();
    let text = || Zeroizing::new(PASSWORD.to_owned());
    let hash = runtime.block_on(passwords.hash(text())).unwrap();
    bencher.bench_local(|| runtime.block_on(passwords.verify(text(), Some(hash.clone()))).unwrap());
}

fn user() -> UserId {
    UserId::mint(&Dice)
}

fn fields() -> Fields {
    Fields::new(MasterKeys::generate(&Dice))
}

#[divan::bench]
fn seal_a_field(bencher: Bencher<'_, '_>) {
    let (fields, user) = (fields(), user());
    let key = fields.open_data_key(&fields.new_data_key(&Dice, user).unwrap(), user).unwrap();
    let place = place("users", "email", user);
    bencher.bench(|| key.seal(&Dice, &place, EMAIL.as_bytes()).unwrap());
}

/// What showing a user pays: unwrapping the data key, then opening the field.
#[divan::bench]
fn open_a_field(bencher: Bencher<'_, '_>) {
    let (fields, user) = (fields(), user());
    let wrapped = fields.new_data_key(&Dice, user).unwrap();
    let place = place("users", "email", user);
    let sealed = fields.open_data_key(&wrapped, user).unwrap().seal(&Dice, &place, EMAIL.as_bytes()).unwrap();
    bencher.bench(|| fields.open_data_key(&wrapped, user).unwrap().open(&place, &sealed).unwrap());
}

#[divan::bench]
fn blind_index_of_an_email(bencher: Bencher<'_, '_>) {
    let index = BlindIndex::new(Dice.secret());
    bencher.bench(|| index.claim_hash("email", EMAIL));
}

#[divan::bench]
fn mint_a_refresh_token(bencher: Bencher<'_, '_>) {
    let tokens = RefreshTokens::new(Dice.secret());
    let session = SessionId::mint(&Dice);
    bencher.bench(|| tokens.mint(&Dice, session));
}

/// What a forged one costs: no database is asked.
#[divan::bench]
fn read_a_refresh_token(bencher: Bencher<'_, '_>) {
    let tokens = RefreshTokens::new(Dice.secret());
    let (text, _) = tokens.mint(&Dice, SessionId::mint(&Dice));
    bencher.bench(|| tokens.parse(&text).unwrap());
}
