//! What a page of an inbox and its unread count cost where it has a thousand rows, and where it has a million.

use std::{path::Path, time::Duration, time::Instant};

use userd_model::{Actor, Notification, NotificationId, Random as _, SessionId, UserId};
use userd_services::{Context, notifications::Shown, testing::channels};

use super::{
    Fault,
    load::Times,
    messages::{AtWork, message, readers},
    report::{Report, Table, short, time},
    test_services::{RealRandom, context},
};

/// Rows written in one unit of work.
const PORTION: usize = 2_000;
/// A page.
const PAGE: usize = 50;
/// Questions of each kind, asked in turns of both inboxes.
const ROUNDS: usize = 1_000;

pub(super) async fn measure(folder: &Path, is_quick: bool, report: &mut Report) -> Result<(), Fault> {
    let (few, many) = (1_000, if is_quick { 100_000 } else { 1_000_000 });
    super::say(&format!("inboxes of {few} and {many} rows"));
    let few = Filled::open(&folder.join("inbox-few.db"), few).await?;
    let many = Filled::open(&folder.join("inbox-many.db"), many).await?;
    let mut table = Table::new(
        "Inboxes",
        format!(
            "One inbox of {} rows and one of {}, each in a database of its own, in this process. {ROUNDS} questions of each, in \
             turns.",
            few.rows, many.rows
        ),
        &["", "few, p50", "many, p50", "few, p99", "many, p99", "p50, many against few"],
    );
    for name in ["a page of 50", "the unread count"] {
        let (mut times_few, mut times_many) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            times_few.push(few.ask(name).await?);
            times_many.push(many.ask(name).await?);
        }
        let (times_few, times_many) = (Times::new(times_few), Times::new(times_many));
        let middle = (times_few.percentile(50), times_many.percentile(50));
        let ratio = middle.1.as_secs_f64() / middle.0.as_secs_f64();
        table.row([
            name.to_owned(),
            time(middle.0),
            time(middle.1),
            time(times_few.percentile(99)),
            time(times_many.percentile(99)),
            short(ratio),
        ]);
        report.at_most(format!("{name} of an inbox of {} rows against {}", many.rows, few.rows), ratio, 1.2, "");
    }
    report.tables.push(table);
    few.at_work.end().await;
    many.at_work.end().await;
    Ok(())
}

/// Somebody with an inbox of so many rows.
struct Filled {
    at_work: AtWork,
    reader: Context,
    rows: usize,
}

impl Filled {
    async fn open(file: &Path, rows: usize) -> Result<Self, Fault> {
        let at_work = AtWork::begin(file, channels()).await?;
        let services = &at_work.services;
        let owner = *readers(services).await?.first().ok_or("nobody is registered")?;
        let input =
            userd_model::message::MessageInput { channels: Some(vec!["inbox".to_owned()]), ..message(&[owner]) };
        // A page of real ones on top, which are opened and shown.
        for _ in 0..=PAGE {
            services.messages.send(&services.operator_context(), input.clone(), None).await?;
        }
        let actor = Actor::User { id: owner, session_id: SessionId(uuid::Uuid::nil()), permissions: Vec::new() };
        let reader = context(services).acting_as(actor);
        let begun = Instant::now();
        while services.notifications.list(&reader, Shown::Inbox, None, PAGE).await?.items.len() < PAGE {
            if begun.elapsed() > Duration::from_secs(60) {
                return Err("notifications do not arrive".into());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let filled = Self { at_work, reader, rows };
        filled.fill(owner).await?;
        Ok(filled)
    }

    /// Older ones, which nobody opens here.
    async fn fill(&self, owner: UserId) -> Result<(), Fault> {
        let store = &self.at_work.services.deps.store;
        let newest = store.reading().notifications().newest(owner, &[userd_model::Folder::Unread], None, 1).await?;
        let sample = newest.into_iter().next().ok_or("an empty inbox")?;
        for begin in (0..self.rows).step_by(PORTION) {
            let older = |place: usize| Notification {
                id: NotificationId::from_random(RealRandom.id_bytes()),
                created_at: sample.created_at.minus(Duration::from_secs(60) + Duration::from_millis(place as u64)),
                ..sample.clone()
            };
            let older: Vec<Notification> = (begin..(begin + PORTION).min(self.rows)).map(older).collect();
            let older = &older;
            let written = store.transact("fill", |mut uow| async move {
                for notification in older {
                    uow.notifications().insert(notification).await?;
                }
                let mut inbox = uow.inboxes().of(owner).await?;
                let more = i64::try_from(older.len()).unwrap_or(i64::MAX);
                (inbox.unread, inbox.unseen) = (inbox.unread + more, inbox.unseen + more);
                uow.inboxes().write(&inbox).await?;
                uow.commit(()).await
            });
            written.await?;
        }
        Ok(())
    }

    async fn ask(&self, name: &str) -> Result<Duration, Fault> {
        let notifications = &self.at_work.services.notifications;
        let begun = Instant::now();
        if name == "the unread count" {
            let unread = notifications.counts(&self.reader).await?.unread;
            if usize::try_from(unread)? < self.rows {
                return Err(format!("{unread} are unread").into());
            }
        } else {
            let page = notifications.list(&self.reader, Shown::Inbox, None, PAGE).await?;
            if page.items.len() != PAGE || page.next.is_none() {
                return Err("a page that is not full".into());
            }
        }
        Ok(begun.elapsed())
    }
}
