//! From a message to a delivery for each of those whom it is for: step by step, each in a unit of work of its own that
//! writes where the next one begins. Whoever dies between two steps, or is frozen, repeats and leaves out nothing.

use userd_model::{
    Delivery, DeliveryChannel, Message, Timestamp, User, UserId, UserStatus,
    message::{MessageCounts, MessageCursor, MessageState},
};
use userd_storage::{
    Failure,
    repositories::{
        deliveries::bulk_queue_of,
        user_terms::{Term, TermKind},
    },
};

use super::Deliveries;
use crate::{change::Change, user_list};

/// Users who are found in one step, at most.
const STEP: usize = 250;
/// Users who are looked at in one step, at most, where there is no index of whom it is for.
const LOOKED_AT: usize = 5_000;
/// In a place, that it is one among those who hold a role: nobody registered then.
const BY_HOLDER: Timestamp = Timestamp::from_seconds(0);
/// Messages of which steps are done at once.
const MESSAGES: u32 = 8;

/// Those of the audience who come next, and where they end; nowhere where there are no more behind them.
struct Step {
    users: Vec<UserId>,
    cursor: Option<MessageCursor>,
}

impl Deliveries {
    /// Messages of which a next step is due. One waits while many of its copies do: what is to be done is a row each.
    pub(super) async fn to_be_expanded(&self) -> Result<Vec<Message>, Failure> {
        let mut reading = self.deps.store.reading();
        let mut due = Vec::new();
        for message in reading.messages().due(self.deps.now(), MESSAGES).await? {
            let inbox = DeliveryChannel::Inbox.as_str();
            let waiting = if message.recipients == 0 {
                0
            } else {
                message.recipients + reading.message_counts().all(message.id).await?.get(inbox, "pending")
            };
            if waiting < i64::try_from(STEP).unwrap_or(i64::MAX) * 4 {
                due.push(message);
            }
        }
        Ok(due)
    }

    /// The next step of a message, in one unit of work under the lease.
    pub(super) async fn expand(&self, message: &Message, (queue, epoch): (i64, i64)) -> Result<(), Failure> {
        let is_over = message.expires_at.is_some_and(|at| at <= self.deps.now());
        let step = if is_over { None } else { Some(self.next_step(message).await?) };
        let step = step.as_ref();
        self.changes
            .run(&self.changes.system_context(), "expand_notification", |mut change| async move {
                if !self.leases.is_held(&mut change, queue, epoch).await? {
                    self.leases.doubt();
                    return change.commit(()).await;
                }
                let found = change.messages().find(message.id).await?;
                let is_same = |found: &Message| found.state == MessageState::Pending && found.cursor == message.cursor;
                let Some(mut found) = found.filter(is_same) else { return change.commit(()).await };
                match step {
                    None => found.expire(),
                    Some(Step { users, cursor }) => {
                        self.copies(&mut change, &found, users).await?;
                        found.step(i64::try_from(users.len()).unwrap_or(i64::MAX), *cursor);
                    }
                }
                change.messages().update(&found).await?;
                change.commit(()).await
            })
            .await?;
        self.wake();
        Ok(())
    }

    /// Found outside the unit of work: who registers meanwhile is behind the message's time.
    async fn next_step(&self, message: &Message) -> Result<Step, Failure> {
        match &message.role {
            Some(role) if self.goes_by_holders(message).await? => self.next_holders(message, role).await,
            _ => self.next_users(message).await,
        }
    }

    /// Whether the next users are found by the role that they hold: from the beginning on, once the words by which accounts
    /// are found are written. A message goes on in the order in which it began.
    async fn goes_by_holders(&self, message: &Message) -> Result<bool, Failure> {
        match message.cursor {
            Some((at, _)) => Ok(at == BY_HOLDER),
            None => user_list::has_all_terms(&mut self.deps.store.reading()).await,
        }
    }

    /// Those who hold the role, by the id of their account: so many rows as there are of them, among however many others.
    async fn next_holders(&self, message: &Message, role: &str) -> Result<Step, Failure> {
        let mut reading = self.deps.store.reading();
        let after = message.cursor.map_or_else(|| Term::before(role), |(_, user)| Term::of(role, user));
        let page = u32::try_from(STEP).unwrap_or(u32::MAX);
        let found = reading.user_terms().behind(TermKind::Role, &after, page).await?;
        let holders: Vec<UserId> = found.iter().take_while(|term| term.value == role).map(|term| term.user).collect();
        let users = reading.users().find_many(&holders).await?;
        let is_meant = |user: &User| user.created_at <= message.due_at && is_meant(message, user, self.deps.now());
        let users = users.into_iter().flatten().filter(is_meant).map(|user| user.id).collect();
        let last = holders.last().filter(|_| holders.len() == STEP);
        Ok(Step { users, cursor: last.map(|last| (BY_HOLDER, *last)) })
    }

    /// Everybody, by the time of their registration.
    async fn next_users(&self, message: &Message) -> Result<Step, Failure> {
        let (mut users, mut cursor, mut looked_at) = (Vec::new(), message.cursor, 0);
        let page = u32::try_from(STEP).unwrap_or(u32::MAX);
        while users.len() < STEP && looked_at < LOOKED_AT {
            let found = self.deps.store.reading().users().page(cursor, page).await?;
            for user in &found {
                if user.created_at > message.due_at {
                    return Ok(Step { users, cursor: None });
                }
                if users.len() == STEP {
                    break;
                }
                users.extend(is_meant(message, user, self.deps.now()).then_some(user.id));
                cursor = Some((user.created_at, user.id));
                looked_at += 1;
            }
            if found.len() < STEP && users.len() < STEP {
                return Ok(Step { users, cursor: None });
            }
        }
        Ok(Step { users, cursor })
    }

    /// A copy for each of these users, on its way to the inbox and from there.
    pub(crate) async fn copies(
        &self,
        change: &mut Change<'_>,
        message: &Message,
        users: &[UserId],
    ) -> Result<(), Failure> {
        let copy = |user: &UserId| {
            let id = self.derived(&[message.id.0.as_bytes(), user.0.as_bytes()]);
            let due_at = message.due_at.max(change.now);
            // What it says is in the message.
            let base = Self::delivery(id, DeliveryChannel::Inbox, bulk_queue_of(user.0), Vec::new(), due_at);
            let copy = Delivery { user_id: Some(*user), message_id: Some(message.id), created_at: change.now, ..base };
            copy.ending(message.expires_at)
        };
        let copies: Vec<_> = users.iter().map(copy).collect();
        Ok(change.deliveries().insert_many(&copies).await?)
    }

    /// Counts for the message, if it is a copy of one.
    pub(super) async fn count(
        change: &mut Change<'_>,
        copy: &Delivery,
        counted: &[(&str, &str, i64)],
    ) -> Result<(), Failure> {
        let (Some(message), Some(user)) = (copy.message_id, copy.user_id) else { return Ok(()) };
        let slot = MessageCounts::slot_of(user);
        let mut counts = change.message_counts().find(message, slot).await?;
        for (channel, state, by) in counted {
            counts.add(channel, state, *by);
        }
        let remove_at = change.now.plus(Message::KEPT);
        Ok(change.message_counts().write(message, slot, &counts, remove_at).await?)
    }

    /// How long the row of one that is done stays.
    pub(super) fn keep_done(&self, delivery: &mut Delivery) {
        let kept = &self.deps.settings.retention;
        if let Some(at) = delivery.finished_at {
            let is_dead = delivery.state == userd_model::DeliveryState::Dead;
            delivery.remove_at = at.plus(if is_dead { kept.dead_letters } else { kept.deliveries });
        }
    }

    /// Writes how far a delivery is that was `before`, and counts it.
    pub(super) async fn write_state(
        &self,
        change: &mut Change<'_>,
        before: userd_model::DeliveryState,
        delivery: &mut Delivery,
    ) -> Result<(), Failure> {
        self.keep_done(delivery);
        change.deliveries().update(delivery).await?;
        if before == delivery.state {
            return Ok(());
        }
        let channel = delivery.channel.as_str();
        let moved = [(channel, before.as_str(), -1), (channel, delivery.state.as_str(), 1)];
        Self::count(change, delivery, &moved).await
    }
}

/// Blocked and deleted accounts are told nothing by others.
fn is_meant(message: &Message, user: &User, now: Timestamp) -> bool {
    let has_role = message.role.as_ref().is_none_or(|role| user.has_role(role, now));
    user.status_at(now) == UserStatus::Active && has_role
}
