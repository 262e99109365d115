//! Messages on their way: how many a second drain into a relay and into a receiver, and what a receiver that is dead costs
//! nine others. The services, the relay and the receivers share this process, so what is measured is a floor.

use std::{
    collections::HashMap,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{sync::watch, task::JoinSet};
use userd_channels::{
    Secret,
    email::{Relay, RelayOptions},
    webhook::{Allowed, WebhookOptions, WebhookSender},
};
use userd_model::{
    EventId, Fact, FactActor, Random as _, Timestamp, UserId,
    message::{Audience, MessageInput, MessageText},
};
use userd_services::{Services, deliveries::Channels, testing::channels, webhooks::WebhookInput};
use userd_stand_ins::{
    Fault as Broken, Options, mailbox,
    webhook_receiver::{self, WebhookReceiver},
};
use userd_storage::engines::{SqliteEngine, SqliteLocation, SqliteOptions};

use super::{
    Fault,
    load::{Times, count},
    report::{Report, Table, short, time},
    test_services::{self, RealRandom},
};

/// Readers of mail.
const READERS: usize = 50;
/// Events a second, where times are measured.
const PER_SECOND: u32 = 20;
/// How the events of this benchmark are called.
const KIND: &str = "user.changed";
/// Nothing here takes longer.
const LONGEST: Duration = Duration::from_secs(300);

/// Measures everything that this file and `inboxes.rs` say.
pub(super) fn measure(folder: &Path, is_quick: bool, report: &mut Report) -> Result<(), Fault> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        drains(folder, is_quick, report).await?;
        one_dead_of_ten(folder, is_quick, report).await?;
        super::inboxes::measure(folder, is_quick, report).await
    })
}

/// Services at work, over a database of their own.
pub(super) struct AtWork {
    pub(super) services: Arc<Services>,
    engine: Arc<SqliteEngine>,
    stop: watch::Sender<bool>,
    loops: JoinSet<()>,
}

impl AtWork {
    pub(super) async fn begin(file: &Path, channels: Channels) -> Result<Self, Fault> {
        let engine = Arc::new(SqliteEngine::open(&SqliteOptions::at(SqliteLocation::File(file.to_owned())))?);
        let services = test_services::services_with(engine.clone(), channels).await?;
        let (stop, stopped) = watch::channel(false);
        let loops = services.start_background(&stopped);
        Ok(Self { services, engine, stop, loops })
    }

    pub(super) async fn end(mut self) {
        // Nobody listens where the loops have ended already.
        let _ = self.stop.send(true);
        while self.loops.join_next().await.is_some() {}
        userd_storage::Engine::close(self.engine.as_ref()).await;
    }

    /// Events of as many accounts, all at once.
    async fn happen(&self, events: usize) -> Result<(), Fault> {
        let now = self.services.deps.clock.now();
        let facts: Vec<Fact> = (0..events).map(|_| fact(now)).collect();
        let facts = &facts;
        let pushed = self.services.deps.store.transact("bench", |mut uow| async move {
            uow.outbox().push_many(facts).await?;
            uow.commit(()).await
        });
        Ok(pushed.await?)
    }

    async fn webhook(&self, url: String) -> Result<(), Fault> {
        let input = WebhookInput { url, events: vec![KIND.to_owned()], ..WebhookInput::default() };
        self.services.webhooks.create(&self.services.operator_context(), input, None).await?;
        Ok(())
    }
}

fn fact(at: Timestamp) -> Fact {
    Fact {
        id: EventId::from_random(RealRandom.id_bytes()),
        kind: KIND.to_owned(),
        public: true,
        subject: UserId::mint(&RealRandom).into(),
        number: 1,
        actor: FactActor::unknown(),
        request_id: None,
        origin: None,
        personal: None,
        at,
        data: serde_json::json!({ "changed": ["display_name"] }),
    }
}

/// Calls receivers on this machine.
fn sender(timeout: Duration) -> Result<Arc<WebhookSender>, Fault> {
    let allowed = Allowed { http: true, private_addresses: true };
    Ok(Arc::new(WebhookSender::new(WebhookOptions { allowed, timeout, ..WebhookOptions::default() })?))
}

async fn drains(folder: &Path, is_quick: bool, report: &mut Report) -> Result<(), Fault> {
    let (mails, calls) = if is_quick { (1_000, 1_000) } else { (10_000, 10_000) };
    super::say(&format!("{mails} mails into a relay, {calls} events into a receiver"));
    let relay = mailbox::start(Options::default(), 0).await?;
    let options = RelayOptions {
        url: Secret::new(relay.smtp_url.clone()),
        from: "userd <no-reply@bench.example>".to_owned(),
        ca_file: None,
        connections: 4,
        timeout: Duration::from_secs(30),
    };
    let email = Some(Arc::new(Relay::new(&options)?) as _);
    let webhooks = sender(Duration::from_secs(15))?;
    let at_work = AtWork::begin(&folder.join("drains.db"), Channels { email, webhooks, ..channels() }).await?;
    let readers = readers(&at_work.services).await?;
    // What registrations send is no part of it.
    wait_for(|| relay.count() >= READERS).await?;

    let before = relay.count();
    let begun = Instant::now();
    for _ in 0..mails / READERS {
        at_work.services.messages.send(&at_work.services.operator_context(), message(&readers), None).await?;
    }
    wait_for(|| relay.count() >= before + mails).await?;
    let mail_rate = count(mails) / begun.elapsed().as_secs_f64();

    let receiver = webhook_receiver::start(Options::default()).await?;
    at_work.webhook(receiver.url()).await?;
    let begun = Instant::now();
    at_work.happen(calls).await?;
    wait_for(|| receiver.count() >= calls).await?;
    let call_rate = count(calls) / begun.elapsed().as_secs_f64();
    at_work.end().await;

    let mut table = Table::new(
        "Messages drained",
        "From the first of them asked for to the last of them taken, in one process with the relay and the receiver, over the \
         embedded database: 4 connections to the relay, 8 calls of a receiver at once.",
        &["", "messages", "per second"],
    );
    table.row(["mails into a relay (SMTP)".to_owned(), mails.to_string(), short(mail_rate)]);
    table.row(["events into one webhook".to_owned(), calls.to_string(), short(call_rate)]);
    report.tables.push(table);
    Ok(())
}

/// People with an address that is proven.
pub(super) async fn readers(services: &Services) -> Result<Vec<UserId>, Fault> {
    let mut readers = Vec::with_capacity(READERS);
    for number in 0..READERS {
        readers.push(test_services::register(services, number).await?.user.id);
    }
    let all = &readers;
    let proven = services.deps.store.transact("bench", |mut uow| async move {
        for id in all {
            if let Some(mut user) = uow.users().find(*id).await? {
                user.email_verified = true;
                uow.users().update(&user).await?;
            }
        }
        uow.commit(()).await
    });
    proven.await?;
    Ok(readers)
}

pub(super) fn message(to: &[UserId]) -> MessageInput {
    MessageInput {
        to: Audience::Users(to.to_vec()),
        category: "orders".to_owned(),
        title: MessageText::One("Your order".to_owned()),
        body: MessageText::One("It is on its way.".to_owned()),
        data: None,
        action_url: None,
        channels: Some(vec!["email".to_owned()]),
        not_before: None,
        expires_at: None,
    }
}

async fn one_dead_of_ten(folder: &Path, is_quick: bool, report: &mut Report) -> Result<(), Fault> {
    let seconds = if is_quick { 10 } else { 60 };
    let mut table = Table::new(
        "One dead receiver of ten",
        format!(
            "{PER_SECOND} events a second for {seconds} s, each to ten receivers; the time from the event to its arrival at the nine, \
             which waits for the event log and the queue. Calls are given up after 5 s."
        ),
        &["the tenth", "arrived at the nine", "p50", "p99"],
    );
    let mut usual = None;
    for (name, broken) in [("answers", None), ("answers 503", Some(503)), ("never answers", Some(0))] {
        super::say(&format!("ten receivers, of which one {name}"));
        let times = nine(&folder.join(format!("ten-{}.db", broken.unwrap_or(1))), broken, seconds).await?;
        let p99 = times.percentile(99);
        table.row([name.to_owned(), times.count().to_string(), time(times.percentile(50)), time(p99)]);
        match usual {
            None => usual = Some(p99),
            Some(usual) => {
                let ratio = p99.as_secs_f64() / usual.as_secs_f64();
                report.at_most(
                    format!("p99 of nine receivers when the tenth {name}, against ten that answer"),
                    ratio,
                    2.0,
                    "",
                );
            }
        }
    }
    report.tables.push(table);
    Ok(())
}

/// How long events took to nine receivers.
async fn nine(file: &Path, broken: Option<u16>, seconds: u32) -> Result<Times, Fault> {
    let webhooks = sender(Duration::from_secs(5))?;
    let at_work = AtWork::begin(file, Channels { webhooks, ..channels() }).await?;
    let tenth = webhook_receiver::start(Options::default()).await?;
    match broken {
        None => {}
        Some(0) => tenth.fail("*", Broken::Hang),
        Some(status) => tenth.turn(|knobs| knobs.status = status),
    }
    at_work.webhook(tenth.url()).await?;
    let mut others = Vec::new();
    for _ in 0..9 {
        let receiver = webhook_receiver::start(Options::default()).await?;
        at_work.webhook(receiver.url()).await?;
        others.push(receiver);
    }
    let mut clock = tokio::time::interval(Duration::from_secs(1) / PER_SECOND);
    let events = usize::try_from(seconds * PER_SECOND)?;
    for _ in 0..events {
        clock.tick().await;
        at_work.happen(1).await?;
    }
    wait_for(|| others.iter().all(|receiver| receiver.count() >= events)).await?;
    at_work.end().await;
    let mut times = Vec::new();
    for receiver in &others {
        times.extend(arrived(receiver)?);
    }
    Ok(Times::new(times))
}

/// How long each event took that came, the first time that it came.
fn arrived(receiver: &WebhookReceiver) -> Result<Vec<Duration>, Fault> {
    let mut first: HashMap<String, Duration> = HashMap::new();
    for one in receiver.received() {
        let event: serde_json::Value = serde_json::from_str(&one.body)?;
        let at = event.get("time").and_then(|time| time.as_str()).ok_or("an event without a time")?;
        let at: Timestamp = at.parse()?;
        first.entry(one.id).or_insert_with(|| one.at.since(at));
    }
    Ok(first.into_values().collect())
}

async fn wait_for(is_done: impl Fn() -> bool) -> Result<(), Fault> {
    let begun = Instant::now();
    while !is_done() {
        if begun.elapsed() > LONGEST {
            return Err("messages do not arrive".into());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}
