//! The services in this process, over any engine: what they cost without HTTP and without a client. The real clock, the
//! real random source and the defaults; only password hashing is cheap, because nobody measures it through here.

use std::sync::Arc;

use userd_cache::CacheOptions;
use userd_crypto::{MasterKeys, PasswordOptions, TokenOptions};
use userd_model::{Clock, Random, Timestamp};
use userd_services::{
    Context, Dependencies, RequestOrigin, Services, SignedIn,
    accounts::Registration,
    deliveries::Channels,
    passwords::Password,
    start::{CryptoOptions, unlock},
    testing::settings,
};
use userd_storage::{Engine, Store};

use super::{Fault, people::PASSWORD};

/// The machine's clock.
struct RealClock;

impl Clock for RealClock {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "a measurement of what really happens needs the real time")]
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }
}

/// The library's generator, as in service.
pub(super) struct RealRandom;

impl Random for RealRandom {
    fn fill(&self, bytes: &mut [u8]) {
        #[expect(clippy::disallowed_methods, reason = "what is measured should cost what it costs in service")]
        let filled = aws_lc_rs::rand::fill(bytes);
        if filled.is_err() {
            std::process::abort();
        }
    }
}

/// Where in-process calls come from.
pub(super) fn context(services: &Services) -> Context {
    let origin = RequestOrigin {
        ip: Some("127.0.0.1".to_owned()),
        network: "127.0.0.1".to_owned(),
        user_agent: Some("bench".to_owned()),
    };
    services.context().from_origin(origin)
}

/// The services over `engine`, its schema made, without a way out.
pub(super) async fn services(engine: Arc<dyn Engine>) -> Result<Arc<Services>, Fault> {
    services_with(engine, userd_services::testing::channels()).await
}

/// The same, with ways out.
pub(super) async fn services_with(engine: Arc<dyn Engine>, channels: Channels) -> Result<Arc<Services>, Fault> {
    let (clock, random): (Arc<dyn Clock>, Arc<dyn Random>) = (Arc::new(RealClock), Arc::new(RealRandom));
    let store = Arc::new(Store::new(engine, Arc::clone(&random)));
    store.migrate(clock.as_ref()).await?;
    let settings = settings();
    let options = CryptoOptions {
        tokens: TokenOptions::new(settings.issuer.clone(), settings.audience(None)?),
        passwords: PasswordOptions { memory_kib: 64, iterations: 1, ..PasswordOptions::default() },
    };
    let (crypto, vault) = unlock(&store, MasterKeys::new([7; 32], Vec::new()), &random, &clock, options).await?;
    let cache = userd_cache::connect("memory:", CacheOptions::new(Arc::clone(&clock), Arc::clone(&random))).await?;
    let deps = Dependencies {
        store,
        crypto: Arc::new(crypto),
        vault: Arc::new(vault),
        cache,
        clock,
        random,
        purge_ledger: None,
        checkpoint_ledger: None,
        checkpoint_witness: None,
        passkeys: None,
        places: None,
        settings: Arc::new(settings),
    };
    let services = Services::new(deps, Vec::new(), None, channels);
    services.signing_keys.start().await?;
    Ok(services)
}

/// Registers somebody.
pub(super) async fn register(services: &Services, number: usize) -> Result<SignedIn, Fault> {
    let registration = Registration {
        email: Some(format!("person{number}@bench.example")),
        ..Registration::with(Password::new(PASSWORD.to_owned()))
    };
    let completion = services.accounts.register(&context(services), registration, None).await?;
    completion.signed_in().map_err(|step| format!("{} is asked for", step.status).into())
}
