//! What goes where nothing can be sent now is put aside, many in one unit of work, so that it hides nothing that is behind
//! it in its queue: a receiver that is dead or never answers costs the others next to nothing, however much waits for it.

use std::time::Duration;

use userd_model::{Delivery, DeliveryChannel, DeliveryId, Timestamp};
use userd_storage::Failure;

use super::{
    Deliveries,
    worker::{Lease, Work},
};

/// Rows of one unit of work.
const UNIT: usize = 100;
/// How long what waits for a destination that gives no place back is put aside.
const MEANWHILE: Duration = Duration::from_secs(2);

impl Deliveries {
    /// Takes out of what is due what goes to destinations that are left alone, or stuck. Answers how much that was.
    pub(super) async fn put_aside(&self, due: &mut Vec<(Work, Lease)>) -> Result<usize, Failure> {
        let now = self.deps.now();
        let mut aside = Vec::new();
        due.retain(|(work, _)| {
            let Some(delivery) = may_wait(work, now) else { return true };
            let is_stuck = || {
                self.under_way(|under_way| under_way.is_stuck(work, tokio::time::Instant::now()))
                    .then(|| now.plus(MEANWHILE))
            };
            let until = self.left_alone_until(work, now).or_else(is_stuck);
            aside.extend(until.map(|until| (delivery.id, until)));
            until.is_none()
        });
        for rows in aside.chunks(UNIT) {
            self.postpone_all(rows).await?;
        }
        Ok(aside.len())
    }

    /// Until when nothing is sent where it goes.
    pub(super) fn left_alone_until(&self, work: &Work, now: Timestamp) -> Option<Timestamp> {
        may_wait(work, now).and_then(|_| self.breakers.left_alone_until(work.destination(), now))
    }

    async fn postpone_all(&self, rows: &[(DeliveryId, Timestamp)]) -> Result<(), Failure> {
        self.changes
            .run(&self.changes.system_context(), "put_deliveries_aside", |mut change| async move {
                for (id, until) in rows {
                    if let Some(mut delivery) = Self::still_pending(&mut change, *id).await? {
                        delivery.postpone(*until, None);
                        change.deliveries().update(&delivery).await?;
                    }
                }
                change.commit(()).await
            })
            .await
    }
}

/// The delivery, if it can be put aside. Inboxes are the database, and this would ask more of it; what is over is told so now.
fn may_wait(work: &Work, now: Timestamp) -> Option<&Delivery> {
    let Work::Deliver(delivery) = work else { return None };
    Some(delivery.as_ref()).filter(|it| it.channel != DeliveryChannel::Inbox && now < it.deadline)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inboxes_and_what_is_over_are_never_put_aside() {
        let now = Timestamp::from_seconds(1_800_000_000);
        for channel in DeliveryChannel::ALL {
            let id = DeliveryId::from_random([1; 16]);
            let delivery = Deliveries::delivery(id, *channel, 0, Vec::new(), now);
            let end = delivery.deadline;
            let work = Work::Deliver(Box::new(delivery));
            for at in [now, end.minus(Duration::from_micros(1))] {
                assert_eq!(may_wait(&work, at).is_some(), *channel != DeliveryChannel::Inbox, "{channel:?}");
            }
            assert!(may_wait(&work, end).is_none(), "{channel:?}: that it is over is told now");
        }
    }
}
