//! What the doctor asks of the wired services, as a request would: do rows last, is every table there, is the clock behind
//! what was written, do mails leave. One row is written, the one that `/readyz` writes.

use std::time::Duration;

use userd_cache::CacheHealth;
use userd_model::Timestamp;
use userd_services::{Services, audit::AuditFilter};
use userd_storage::{migrations::StepState, repositories::copying::COPIED};

use super::finding::{Finding, ok, warning, wrong};
use crate::{config::Config, wiring::channels};

/// As long a clock may be behind: what machines differ by, and a little more.
const BEHIND: Duration = Duration::from_secs(60);
/// As long the relay has to let us in.
const PATIENCE: Duration = Duration::from_secs(5);

const LACKS_A_KEY: &str = "something in the database is sealed under a master key that is not known here: add its file to \
                           crypto.previous_master_key_files and restart";

/// Each part that can be asked while a service runs beside.
pub(super) async fn serving(config: &Config, services: &Services, findings: &mut Vec<Finding>) {
    findings.push(rows(services).await);
    findings.extend(clock_is_behind(services).await);
    findings.push(signing_keys(services).await);
    if services.deps.crypto.fields.lacks_a_key() {
        findings.push(wrong("master_key", LACKS_A_KEY));
    }
    findings.push(match services.deps.cache.health().await {
        CacheHealth::InProcess => ok("cache", "in process; with several replicas configure cache.url: redis://…"),
        CacheHealth::Connected => ok("cache", "Redis answers"),
        CacheHealth::Degraded => warning(
            "cache",
            "Redis does not answer: everything works, slower, and limits count per replica. Check cache.url",
        ),
    });
    findings.push(match services.setup.is_open().await {
        Ok(true) => warning("administrator", "there is none yet: `userd users create-admin --email me@example.org`"),
        Ok(false) => ok("administrator", "there is one"),
        Err(fault) => wrong("administrator", fault.to_string()),
    });
    findings.extend(relay(config).await);
}

/// What `/readyz` says of the database, and every table, of which it looks at two.
async fn rows(services: &Services) -> Finding {
    for table in COPIED.iter() {
        if let Err(fault) = table.page(&mut services.deps.store.reading(), None, 1).await {
            return wrong("rows", format!("the table {} cannot be read: {fault}", table.name()));
        }
    }
    match services.health.ask().await {
        Ok(()) => ok("rows", "every table is read, and what is written lasts"),
        Err(fault) => wrong("rows", format!("the service answers 503: {fault}")),
    }
}

/// Against the newest time that the database knows: of the log, of a key, of a step of the schema. Of a clock that is ahead
/// nothing can be told without another one.
async fn clock_is_behind(services: &Services) -> Option<Finding> {
    let newest = newest(services).await?;
    let now = services.deps.clock.now();
    (now.plus(BEHIND) < newest).then(|| {
        let says = "this clock is behind, or was ahead then: set it (NTP)";
        wrong("clock", format!("says {now}, and the database was written at {newest}: {says}"))
    })
}

/// What cannot be read is another finding's.
async fn newest(services: &Services) -> Option<Timestamp> {
    let ctx = services.operator_context();
    let entries = services.audit.list(&ctx, &AuditFilter::default(), None, 1).await;
    let entries = entries.into_iter().flat_map(|page| page.items).map(|entry| entry.at);
    let keys = services.signing_keys.list(&ctx).await.into_iter().flatten().map(|key| key.created_at);
    let steps = services.deps.store.migration_status().await.into_iter().flatten();
    let steps = steps.filter_map(|step| match step.state {
        StepState::Applied(at) | StepState::Changed(at) | StepState::Newer(at) => Some(at),
        StepState::Pending => None,
    });
    entries.chain(keys).chain(steps).max()
}

async fn signing_keys(services: &Services) -> Finding {
    match services.signing_keys.list(&services.operator_context()).await {
        Err(fault) => wrong("signing_keys", fault.to_string()),
        Ok(_) if !services.signing_keys.are_readable() => {
            wrong("signing_keys", "those in the database cannot be opened; the log says why")
        }
        Ok(keys) => match services.deps.crypto.tokens.active_kid() {
            None => wrong("signing_keys", "none is active: `userd keys rotate`"),
            Some(kid) => match services.signing_keys.algorithm_change().await {
                Ok(Some(change)) => warning("signing_keys", format!("{kid} signs: {change}")),
                _ => ok("signing_keys", format!("{} of them; {kid} signs", keys.len())),
            },
        },
    }
}

/// Whether the relay lets us in; nothing where mails lie in the development mailbox. No mail is sent.
async fn relay(config: &Config) -> Option<Finding> {
    let relay = match channels::relay(config, PATIENCE) {
        Ok(relay) => relay?,
        Err(fault) => return Some(wrong("mail", fault.to_string())),
    };
    Some(match relay.check().await {
        Ok(()) => ok("mail", "the relay lets us in"),
        Err(fault) => wrong("mail", format!("mails wait, and are lost in the end: {fault}. Check mail.url")),
    })
}
