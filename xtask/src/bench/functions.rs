//! Single functions in one thread: tokens, hashes, seals. `cargo bench -p userd-benches` measures more of them, with
//! statistics; these are here so that the report of a run stands alone.

use std::time::{Duration, Instant};

use serde_json::json;
use userd_crypto::{AccessClaims, Algorithm, LoadedKey, TokenOptions, Tokens};
use userd_model::{Clock, KeyState, Random, SessionId, Timestamp, TokenId};
use userd_storage::testing::ManualClock;

use super::{
    Fault,
    load::count,
    report::{Table, short, time},
    test_services::RealRandom,
};

/// Measures each function for `spell`.
pub(super) fn table(spell: Duration) -> Result<Table, Fault> {
    super::say("functions");
    let mut table = Table::new(
        "Access tokens",
        "One thread. Issue: claims to signed text. Verify: a token that was not seen before. Remembered: one that was.",
        &["", "issue", "verify", "remembered", "verifications saved by remembering"],
    );
    for algorithm in [Algorithm::EdDSA, Algorithm::ES256, Algorithm::RS256] {
        let now = ManualClock::default().now();
        let tokens = tokens(algorithm, 0)?;
        let claims = claims(now);
        let issue = each(spell, || tokens.issue(&claims).is_ok())?;
        let token = tokens.issue(&claims)?;
        let verify = each(spell, || tokens.verify(&token, now).is_ok())?;
        let remembering = self::tokens(algorithm, 1000)?;
        let token = remembering.issue(&claims)?;
        let hit = each(spell, || remembering.verify(&token, now).is_ok())?;
        let saved = verify.as_secs_f64() / hit.as_secs_f64();
        let name = algorithm.as_str();
        table.row([name.to_owned(), time(issue), time(verify), time(hit), format!("{} ×", short(saved))]);
    }
    Ok(table)
}

/// Tokens of one algorithm with a fresh key.
fn tokens(algorithm: Algorithm, remembered: usize) -> Result<Tokens, Fault> {
    let key = Tokens::generate_key(algorithm)?;
    let mut options = TokenOptions::new("https://id.bench.example", "userd");
    options.cache_capacity = remembered;
    let tokens = Tokens::new(options);
    tokens.load(vec![LoadedKey::signing(&key.kid, KeyState::Active, algorithm.as_str(), &key.pkcs8)?]);
    Ok(tokens)
}

/// What a user's token says.
fn claims(now: Timestamp) -> AccessClaims {
    let random = &RealRandom;
    AccessClaims {
        audience: "userd".to_owned(),
        sub: uuid::Builder::from_random_bytes(random.id_bytes()).into_uuid(),
        client_id: "userd".to_owned(),
        jti: TokenId::mint(random),
        sid: Some(SessionId::mint(random)),
        iat: now,
        nbf: now,
        exp: now.plus(Duration::from_secs(600)),
        roles: vec!["user".to_owned()],
        role_versions: vec![1],
        permissions_complete: true,
        permission_prefix: None,
        permissions: vec!["users:read".to_owned(), "roles:read".to_owned()],
        scope: None,
        auth_time: Some(now),
        amr: vec!["pwd".to_owned()],
        acr: Some("aal1".to_owned()),
        ver: 1,
        generation: Some(1),
    }
}

/// The median time of one call, over batches.
fn each(spell: Duration, mut call: impl FnMut() -> bool) -> Result<Duration, Fault> {
    const BATCH: u32 = 32;
    let (begun, mut batches) = (Instant::now(), Vec::new());
    while begun.elapsed() < spell {
        let started = Instant::now();
        for _ in 0..BATCH {
            if !std::hint::black_box(call()) {
                return Err(json!("a measured call failed").to_string().into());
            }
        }
        batches.push(started.elapsed());
    }
    batches.sort_unstable();
    let middle = batches.get(batches.len() / 2).copied().unwrap_or_default();
    Ok(middle.div_f64(count(BATCH as usize)))
}
