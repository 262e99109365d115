//! A delivery: one message on its way to one destination. It is due, tried, tried again, and done.
//! Deliberately absent: what it says, and how it is sent.

use std::time::Duration;

use crate::{DeliveryId, MessageId, Timestamp, UserId, WebhookId};

macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$doc])* $variant),+ }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The published word.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// What a word means.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.as_str() == word)
            }
        }
    };
}

words! {
    /// The way that it goes.
    DeliveryChannel {
        /// Into the inbox; from there the other ways to people begin.
        Inbox = "inbox",
        /// By e-mail.
        Email = "email",
        /// By the messenger's bot.
        Telegram = "telegram",
        /// To another service.
        Webhook = "webhook",
    }
}

words! {
    /// How far it is.
    DeliveryState {
        /// It is due, or will be.
        Pending = "pending",
        /// The other side has taken it.
        Delivered = "delivered",
        /// It will never be taken: a dead letter.
        Dead = "dead",
        /// Its time is over.
        Expired = "expired",
        /// An operator gave it up.
        Dropped = "dropped",
    }
}

/// One message on its way to one destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Names it for good: a second copy of what is sent has the same id.
    pub id: DeliveryId,
    /// The queue in which it waits; [`Self::NO_QUEUE`] once it is done.
    pub queue: i64,
    /// When it is tried next.
    pub due_at: Timestamp,
    /// How far it is.
    pub state: DeliveryState,
    /// The way that it goes.
    pub channel: DeliveryChannel,
    /// To whom, where that is a person.
    pub user_id: Option<UserId>,
    /// To which other service.
    pub webhook_id: Option<WebhookId>,
    /// The message that it is one copy of, where somebody sent one.
    pub message_id: Option<MessageId>,
    /// What is sent: sealed.
    pub content: Vec<u8>,
    /// How often it was tried.
    pub attempts: i64,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops being worth it.
    pub deadline: Timestamp,
    /// When it was done.
    pub finished_at: Option<Timestamp>,
    /// When its row can go.
    pub remove_at: Timestamp,
}

/// How long rows of finished deliveries stay, for those who ask what became of them.
const FINISHED_KEPT: Duration = Duration::from_secs(7 * 24 * 3600);
/// The same for dead letters.
const DEAD_KEPT: Duration = Duration::from_secs(30 * 24 * 3600);
/// The longest reason that is kept.
const MAX_REASON: usize = 300;

impl Delivery {
    /// Where nothing waits.
    pub const NO_QUEUE: i64 = -1;

    /// A row that never goes while it waits: the sweeper is for those that are done.
    #[must_use]
    pub fn kept_while_pending(deadline: Timestamp) -> Timestamp {
        deadline.plus(DEAD_KEPT)
    }

    /// The same delivery, not worth anything after `expires_at` either.
    #[must_use]
    pub fn ending(mut self, expires_at: Option<Timestamp>) -> Self {
        if let Some(at) = expires_at.filter(|at| *at < self.deadline) {
            self.deadline = at;
            self.remove_at = Self::kept_while_pending(at);
        }
        self
    }

    /// It was taken.
    pub fn deliver(&mut self, now: Timestamp) {
        self.attempts += 1;
        self.last_error = None;
        self.finish(DeliveryState::Delivered, now);
    }

    /// It will never be taken, for this reason.
    pub fn bury(&mut self, reason: &str, now: Timestamp) {
        self.attempts += 1;
        self.last_error = Some(shortened(reason));
        self.finish(DeliveryState::Dead, now);
    }

    /// Its time is over.
    pub fn expire(&mut self, now: Timestamp) {
        self.finish(DeliveryState::Expired, now);
    }

    /// It is given up.
    pub fn give_up(&mut self, now: Timestamp) {
        self.finish(DeliveryState::Dropped, now);
    }

    /// It is tried again at `due_at`; `reason` says what went wrong, where it was tried.
    pub fn postpone(&mut self, due_at: Timestamp, reason: Option<&str>) {
        self.due_at = due_at;
        if let Some(reason) = reason {
            self.attempts += 1;
            self.last_error = Some(shortened(reason));
        }
    }

    /// It begins anew, in its queue: an operator has mended what was wrong.
    pub fn retry(&mut self, queue: i64, now: Timestamp, life: Duration) {
        self.queue = queue;
        self.due_at = now;
        self.state = DeliveryState::Pending;
        self.attempts = 0;
        self.finished_at = None;
        self.deadline = now.plus(life);
        self.remove_at = Self::kept_while_pending(self.deadline);
    }

    fn finish(&mut self, state: DeliveryState, now: Timestamp) {
        self.state = state;
        self.queue = Self::NO_QUEUE;
        self.finished_at = Some(now);
        self.remove_at = now.plus(if state == DeliveryState::Dead { DEAD_KEPT } else { FINISHED_KEPT });
    }
}

/// The time to the next attempt after `attempts` of them; none when it was the last. `jitter` is a number from 0 to
/// `u32::MAX`, drawn for this attempt: full jitter spreads those that failed together.
#[must_use]
pub fn back_off(channel: DeliveryChannel, attempts: i64, jitter: u32) -> Option<Duration> {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 3600;
    // The example schedule of Standard Webhooks: ten tries in 75 hours.
    const WEBHOOK: [u64; 9] =
        [5, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR];
    let tried = usize::try_from(attempts.max(1) - 1).unwrap_or(usize::MAX);
    let share = f64::from(jitter) / f64::from(u32::MAX);
    if channel == DeliveryChannel::Webhook {
        let planned = Duration::from_secs(*WEBHOOK.get(tried)?);
        return Some(planned.mul_f64(0.9 + share * 0.2));
    }
    let most =
        Duration::from_secs(5 * 2_u64.pow(u32::try_from(tried.min(10)).unwrap_or(10))).min(Duration::from_secs(HOUR));
    Some(most.mul_f64(share).max(Duration::from_secs(1)))
}

fn shortened(reason: &str) -> String {
    reason.chars().filter(|letter| !letter.is_control()).take(MAX_REASON).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webhook_is_tried_ten_times_in_three_days() {
        let waits: Vec<_> = (1..=10).map(|tried| back_off(DeliveryChannel::Webhook, tried, u32::MAX / 2)).collect();
        assert_eq!(waits.iter().flatten().count(), 9, "and then it is a dead letter");
        assert_eq!(waits.last(), Some(&None));
        let whole: Duration = waits.into_iter().flatten().sum();
        assert!(Duration::from_secs(75 * 3600) < whole && whole < Duration::from_secs(77 * 3600), "{whole:?}");
    }

    #[test]
    fn a_mail_is_tried_at_longer_intervals_up_to_an_hour() {
        let longest = |tried| back_off(DeliveryChannel::Email, tried, u32::MAX).unwrap_or_default().as_secs();
        assert_eq!([1, 2, 3, 4, 10, 11, 1_000_000].map(longest), [5, 10, 20, 40, 2560, 3600, 3600]);
        assert_eq!(back_off(DeliveryChannel::Email, 9, 0), Some(Duration::from_secs(1)), "full jitter");
    }

    #[test]
    fn a_delivery_ends_with_the_first_of_its_ends() {
        let at = |hours: u64| Timestamp::from_seconds(1_800_000_000).plus(Duration::from_secs(hours * 3600));
        let delivery = Delivery {
            id: DeliveryId(uuid::Uuid::nil()),
            queue: 0,
            due_at: at(0),
            state: DeliveryState::Pending,
            channel: DeliveryChannel::Email,
            user_id: None,
            webhook_id: None,
            message_id: None,
            content: Vec::new(),
            attempts: 0,
            last_error: None,
            created_at: at(0),
            deadline: at(2),
            finished_at: None,
            remove_at: Delivery::kept_while_pending(at(2)),
        };
        for (expires_at, end) in [(None, at(2)), (Some(at(1)), at(1)), (Some(at(3)), at(2))] {
            let ending = delivery.clone().ending(expires_at);
            assert_eq!((ending.deadline, ending.remove_at), (end, Delivery::kept_while_pending(end)));
        }
    }

    #[test]
    fn a_delivery_that_is_done_waits_nowhere_and_is_kept_for_those_who_ask() {
        type Ending = fn(&mut Delivery, Timestamp);
        let now = Timestamp::from_seconds(1_800_000_000);
        let endings: [(Ending, DeliveryState, i64, Option<&str>, u64); 4] = [
            (Delivery::deliver, DeliveryState::Delivered, 2, None, 7),
            (|one, now| one.bury("no\u{7} more", now), DeliveryState::Dead, 2, Some("no more"), 30),
            (Delivery::expire, DeliveryState::Expired, 1, Some("before"), 7),
            (Delivery::give_up, DeliveryState::Dropped, 1, Some("before"), 7),
        ];
        for (end, state, attempts, last_error, days) in endings {
            let mut delivery = waiting(now);
            end(&mut delivery, now);
            assert_eq!((delivery.state, delivery.queue, delivery.finished_at), (state, Delivery::NO_QUEUE, Some(now)));
            assert_eq!((delivery.attempts, delivery.last_error.as_deref()), (attempts, last_error), "{state:?}");
            assert_eq!(delivery.remove_at, now.plus(Duration::from_secs(days * 86_400)), "{state:?}");
            delivery.retry(5, now, Duration::from_secs(60));
            let again = Delivery { queue: 5, attempts: 0, last_error: delivery.last_error.clone(), ..waiting(now) };
            let deadline = now.plus(Duration::from_secs(60));
            assert_eq!(delivery, Delivery { deadline, remove_at: Delivery::kept_while_pending(deadline), ..again });
        }
    }

    /// Put off without having been tried, nothing was tried.
    #[test]
    fn what_is_put_off_counts_as_tried_where_it_was() {
        let now = Timestamp::from_seconds(1_800_000_000);
        let later = now.plus(Duration::from_secs(5));
        let mut delivery = waiting(now);
        delivery.postpone(later, None);
        assert_eq!(delivery, Delivery { due_at: later, ..waiting(now) });
        delivery.postpone(now, Some(&"x".repeat(301)));
        assert_eq!((delivery.due_at, delivery.attempts, delivery.last_error), (now, 2, Some("x".repeat(300))));
    }

    #[test]
    fn a_webhooks_waits_are_spread_by_a_tenth_and_none_is_shorter_than_the_first() {
        let wait = |tried, jitter| back_off(DeliveryChannel::Webhook, tried, jitter);
        let seconds = |seconds: f64| Some(Duration::from_secs_f64(seconds));
        assert_eq!((wait(1, 0), wait(1, u32::MAX)), (seconds(4.5), seconds(5.5)));
        assert_eq!((wait(0, 0), wait(-1, 0)), (wait(1, 0), wait(1, 0)));
        assert_eq!((wait(2, 0), wait(9, 0)), (seconds(270.0), seconds(77_760.0)));
    }

    fn waiting(now: Timestamp) -> Delivery {
        Delivery {
            id: DeliveryId(uuid::Uuid::nil()),
            queue: 3,
            due_at: now,
            state: DeliveryState::Pending,
            channel: DeliveryChannel::Email,
            user_id: None,
            webhook_id: None,
            message_id: None,
            content: Vec::new(),
            attempts: 1,
            last_error: Some("before".to_owned()),
            created_at: now,
            deadline: now,
            finished_at: None,
            remove_at: now,
        }
    }

    /// Fault 38: what is published is never changed, only added to.
    #[test]
    fn the_published_words_are_fixed() {
        let channels: Vec<_> = DeliveryChannel::ALL.iter().map(|word| word.as_str()).collect();
        assert_eq!(channels, ["inbox", "email", "telegram", "webhook"]);
        let states: Vec<_> = DeliveryState::ALL.iter().map(|word| word.as_str()).collect();
        assert_eq!(states, ["pending", "delivered", "dead", "expired", "dropped"]);
        assert!(DeliveryState::ALL.iter().all(|state| DeliveryState::parse(state.as_str()) == Some(*state)));
    }
}
