//! Out of the service: a message is rendered when it is sent, and what became of it is written down.

use std::time::Duration;

use userd_channels::{Channel, ChannelFault, email::Email};
use userd_model::{
    AccessRequestId, Delivery, DeliveryChannel, DeliveryId, FurtherEmailId, Timestamp, User, WebhookId,
    delivery::back_off,
    message::MessageCounts,
    preferences::{Category, MessageChannel},
    quiet_hours::zone_of,
};
use userd_storage::Failure;
use userd_templates::Reader;

use super::{Deliveries, content::Content, notice, place::Written, told::Reached, worker::Destination};
use crate::{
    addresses::{EmailView, addresses_of},
    change::Change,
    links::LinkAct,
    preferences::NotificationPreferences,
    remembered::open,
    user_reader::internal,
};

/// How long the operator's matters wait, such as credentials that a relay does not accept.
const OURS: Duration = Duration::from_secs(300);
/// The longest that a destination may ask us to wait.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);

/// What became of an attempt.
pub(super) enum Outcome {
    /// Taken by the channel.
    Taken,
    /// Taken by the messenger.
    InChat(InChat),
    /// Taken by the development mailbox.
    Kept(Box<Email>),
    /// Not now.
    Failed(ChannelFault),
    /// Not wanted any more.
    Muted,
    /// There is nobody to send it to, and never was.
    Nobody(&'static str),
}

/// A message that a chat has taken.
pub(super) struct InChat {
    /// Which it is there.
    pub(super) message: i64,
    /// The request that it shows, with something to press.
    pub(super) request: Option<AccessRequestId>,
}

impl Deliveries {
    /// Sends a message, and writes down what became of it.
    pub(super) async fn send(&self, delivery: &Delivery, destination: Destination) -> Result<(), Failure> {
        let now = self.deps.now();
        // The sender of webhooks has a breaker for each receiver.
        let is_webhook = delivery.channel == DeliveryChannel::Webhook;
        let outcome = match self.breakers.open_until(destination, now).filter(|_| !is_webhook) {
            Some(until) => Outcome::Failed(ChannelFault::Wait(until.since(now))),
            None => self.attempt(delivery).await?,
        };
        match &outcome {
            Outcome::Failed(ChannelFault::Later { .. } | ChannelFault::OurFault(_)) => {
                self.breakers.failed(destination, now)
            }
            Outcome::Failed(ChannelFault::Wait(wait)) if is_webhook => {
                self.breakers.hold(destination, now.plus(*wait), now);
            }
            Outcome::Failed(ChannelFault::Wait(_)) | Outcome::Muted => {}
            // Whatever it is, there was an answer.
            _ => self.breakers.succeeded(destination),
        }
        self.record(delivery.id, &outcome).await
    }

    async fn attempt(&self, delivery: &Delivery) -> Result<Outcome, Failure> {
        let gone = |reason: &str| Ok(Outcome::Failed(ChannelFault::Undeliverable(reason.to_owned())));
        if let Some(webhook) = delivery.webhook_id {
            return self.call(webhook, delivery).await;
        }
        let content = match self.content_of(delivery).await? {
            Some(Content::Letter(letter)) => return self.send_letter(delivery, letter).await,
            Some(Content::RequestCard(request, shown)) => return self.replace_card(delivery, (request, shown)).await,
            other => other,
        };
        let Some(user_id) = delivery.user_id else { return gone("there is nobody to tell") };
        let Some(user) = self.deps.store.reading().users().find(user_id).await? else {
            return gone("there is nobody to tell");
        };
        let address = match &content {
            Some(Content::NoticeTo(_, address)) => Some(*address),
            _ => None,
        };
        let written = match content {
            Some(content) => {
                let reached = match (delivery.channel, address) {
                    (DeliveryChannel::Email, None) => Reached::FirstAddress,
                    (DeliveryChannel::Email, Some(_)) => Reached::FurtherAddress,
                    (DeliveryChannel::Telegram, _) => Reached::Chat,
                    (DeliveryChannel::Inbox | DeliveryChannel::Webhook, _) => Reached::Inbox,
                };
                self.write(&user, &content, reached).await?
            }
            None => None,
        };
        let Some(written) = written else { return gone("there is nothing to tell") };
        if let Some(outcome) = self.chosen(delivery, &user, &written).await? {
            return Ok(outcome);
        }
        match delivery.channel {
            DeliveryChannel::Email => self.send_email(delivery, &user, written, address).await,
            DeliveryChannel::Telegram => match self.chat_of(&user).await? {
                Some(chat) => self.send_telegram(chat, written).await,
                None => gone("the bot may not write to the user"),
            },
            DeliveryChannel::Inbox | DeliveryChannel::Webhook => gone("no way leads there"),
        }
    }

    /// What its reader has chosen by now: that it is not wanted any more, or that it waits for the end of quiet hours.
    async fn chosen(&self, delivery: &Delivery, user: &User, written: &Written) -> Result<Option<Outcome>, Failure> {
        let channel = match delivery.channel {
            DeliveryChannel::Email => MessageChannel::Email,
            DeliveryChannel::Telegram => MessageChannel::Telegram,
            DeliveryChannel::Inbox | DeliveryChannel::Webhook => return Ok(None),
        };
        let preferences = NotificationPreferences::of(&mut self.deps.store.reading(), user.id).await?;
        if !preferences.wants(&written.category, channel) {
            return Ok(Some(Outcome::Muted));
        }
        let (now, zone) = (self.deps.now(), zone_of(user.time_zone.as_deref()));
        let quiet_until = preferences.quiet_until(&written.category, now, &zone);
        Ok(quiet_until.map(|until| Outcome::Failed(ChannelFault::Wait(until.since(now)))))
    }

    /// Tells another service of an event, and the webhook of what came of it.
    async fn call(&self, webhook: WebhookId, delivery: &Delivery) -> Result<Outcome, Failure> {
        let off = || Outcome::Failed(ChannelFault::Undeliverable("the webhook is gone or off".to_owned()));
        let Content::Event(event) = self.open(delivery.id, &delivery.content)? else { return Ok(off()) };
        let event = event.fact().at_position(0, 0, delivery.deadline);
        let Some(call) = self.webhooks.call_for(webhook, &event, self.deps.now()).await? else { return Ok(off()) };
        let sent = Channel::send(self.channels.webhooks.as_ref(), &call).await;
        self.record_call(webhook, sent.as_ref().copied()).await?;
        Ok(sent.map_or_else(Outcome::Failed, |()| Outcome::Taken))
    }

    /// To the user's first address, or to a further one.
    async fn send_email(
        &self,
        delivery: &Delivery,
        user: &User,
        written: Written,
        further: Option<FurtherEmailId>,
    ) -> Result<Outcome, Failure> {
        let all = addresses_of(&self.deps, &mut self.deps.store.reading(), user).await?;
        let is_meant = |address: &EmailView| further.map_or(address.primary, |id| address.id == id);
        let address = all.into_iter().find(|address| is_meant(address) && address.verified);
        let parsed = address.and_then(|address| userd_model::Email::parse(&address.email).ok());
        let Some(to) = parsed else {
            return Ok(Outcome::Failed(ChannelFault::Undeliverable("the address is not proven any more".to_owned())));
        };
        let unsubscribe = LinkAct::Unsubscribe { category: written.category.clone(), channel: MessageChannel::Email };
        let may_be_muted = written.category.may_be_muted(MessageChannel::Email);
        let unsubscribe = if may_be_muted { Some(self.mint(user, unsubscribe).await?) } else { None };
        let language = Reader::of(user.locale.as_deref(), None).language;
        let rendered = match &unsubscribe {
            Some(url) => written.rendered.with_unsubscribe(url, language),
            None => written.rendered,
        };
        let email = Email {
            id: delivery.id.0,
            at: delivery.created_at,
            to,
            to_name: user.display_name.clone(),
            subject: rendered.subject,
            text: rendered.text,
            html: rendered.html,
            language: user.locale.clone().unwrap_or_else(|| "en".to_owned()),
            unsubscribe,
        };
        Ok(match &self.channels.email {
            None => Outcome::Kept(Box::new(email)),
            Some(relay) => relay.send(&email).await.map_or_else(Outcome::Failed, |()| Outcome::Taken),
        })
    }

    /// The private chat with the user, if the bot may write there.
    pub(super) async fn chat_of(&self, user: &User) -> Result<Option<String>, Failure> {
        let identities = self.deps.store.reading().identities().of_user(user.id).await?;
        let Some(identity) = identities.iter().find(|identity| identity.bot_access) else { return Ok(None) };
        let subject = open(&self.deps, user, identity.id, "subject", &identity.subject)?;
        String::from_utf8(subject.to_vec()).map(Some).map_err(internal)
    }

    /// Writes down what became of an attempt, unless somebody else has decided meanwhile.
    async fn record(&self, id: DeliveryId, outcome: &Outcome) -> Result<(), Failure> {
        let jitter = u32::from_be_bytes(self.deps.random.id_bytes()[..4].try_into().map_err(internal)?);
        self.changes
            .run(&self.changes.system_context(), "record_delivery", |mut change| async move {
                let Some(mut delivery) = Self::still_pending(&mut change, id).await? else {
                    return change.commit(()).await;
                };
                let (now, before) = (change.now, delivery.state);
                let word = match outcome {
                    Outcome::Muted => {
                        delivery.give_up(now);
                        MessageCounts::MUTED
                    }
                    Outcome::Taken => {
                        delivery.deliver(now);
                        "delivered"
                    }
                    Outcome::InChat(shown) => {
                        self.remember_card(&mut change, &delivery, shown).await?;
                        delivery.deliver(now);
                        "delivered"
                    }
                    Outcome::Kept(email) => {
                        self.keep(&mut change, &delivery, email).await?;
                        delivery.deliver(now);
                        "delivered"
                    }
                    Outcome::Nobody(reason) => {
                        delivery.give_up(now);
                        delivery.last_error = Some((*reason).to_owned());
                        "dropped"
                    }
                    Outcome::Failed(fault) => {
                        if matches!(fault, ChannelFault::Gone(_)) {
                            unreachable_by(&mut change, &delivery).await?;
                        }
                        failed(&mut delivery, fault, (jitter, self.deps.settings.webhooks.tries), now)
                    }
                };
                let channel = delivery.channel.as_str();
                if word == MessageCounts::MUTED {
                    self.keep_done(&mut delivery);
                    change.deliveries().update(&delivery).await?;
                    Self::count(&mut change, &delivery, &[(channel, before.as_str(), -1), (channel, MessageCounts::MUTED, 1)]).await?;
                } else {
                    self.write_state(&mut change, before, &mut delivery).await?;
                }
                metrics::counter!("userd_deliveries_total", "channel" => channel, "outcome" => word).increment(1);
                if word == "dead" {
                    self.fall_back(&mut change, &delivery).await?;
                    let reason = delivery.last_error.as_deref().unwrap_or_default();
                    tracing::warn!(delivery_id = %delivery.id, channel, reason, "a message will never arrive; it is kept as a dead letter");
                }
                change.commit(()).await
            })
            .await
    }

    /// A security notice that no mail reaches goes by the messenger, if the bot may write.
    pub(super) async fn fall_back(&self, change: &mut Change<'_>, dead: &Delivery) -> Result<(), Failure> {
        let (DeliveryChannel::Email, None, Some(user)) = (dead.channel, dead.message_id, dead.user_id) else {
            return Ok(());
        };
        let content = self.open(dead.id, &dead.content)?;
        let Content::Notice(notice) = &content else { return Ok(()) };
        let kind = notice::template(&notice.fact());
        let security = Category::Security;
        let wants = NotificationPreferences::of(change, user).await?.wants(&security.into(), MessageChannel::Telegram);
        if kind.is_none_or(|kind| kind.category() != security) || !wants || !self.may_write(change, user).await? {
            return Ok(());
        }
        let id = self.id_of(dead.id.0, DeliveryChannel::Telegram);
        // An operator who tried the mail again has it there already.
        if change.deliveries().find(id).await?.is_none() {
            let copy = self.to_user(id, DeliveryChannel::Telegram, user, &content, change.now)?;
            change.deliveries().insert_many(&[copy]).await?;
        }
        Ok(())
    }

    /// The delivery, if nobody is done with it yet.
    pub(super) async fn still_pending(change: &mut Change<'_>, id: DeliveryId) -> Result<Option<Delivery>, Failure> {
        let found = change.deliveries().find(id).await?;
        Ok(found.filter(|delivery| delivery.state == userd_model::DeliveryState::Pending))
    }
}

/// What a fault means for the message.
fn failed(delivery: &mut Delivery, fault: &ChannelFault, (jitter, tries): (u32, i64), now: Timestamp) -> &'static str {
    match fault {
        ChannelFault::Wait(wait) => {
            delivery.postpone(now.plus((*wait).min(LONGEST_WAIT)), None);
            "waited"
        }
        ChannelFault::OurFault(reason) => {
            tracing::error!(
                channel = delivery.channel.as_str(),
                reason,
                "messages cannot be sent until this is mended"
            );
            delivery.last_error = Some(reason.clone());
            delivery.postpone(now.plus(OURS), None);
            "retried"
        }
        ChannelFault::Later { after, reason } => try_again(delivery, (*after, reason), (jitter, tries), now),
        ChannelFault::Deferred(reason) => try_again(delivery, (None, reason), (jitter, tries), now),
        ChannelFault::Undeliverable(reason) | ChannelFault::Gone(reason) => {
            delivery.bury(reason, now);
            "dead"
        }
    }
}

/// Later than the time before, unless that was the last.
fn try_again(
    delivery: &mut Delivery,
    (after, reason): (Option<Duration>, &str),
    (jitter, tries): (u32, i64),
    now: Timestamp,
) -> &'static str {
    let attempts = delivery.attempts + 1;
    let is_left = delivery.channel != DeliveryChannel::Webhook || attempts < tries;
    match back_off(delivery.channel, attempts, jitter).filter(|_| is_left) {
        Some(wait) => {
            let wait = wait.max(after.unwrap_or_default()).min(LONGEST_WAIT);
            delivery.postpone(now.plus(wait), Some(reason));
            "retried"
        }
        None => {
            delivery.bury(reason, now);
            "dead"
        }
    }
}

/// Whoever blocked the bot is not written to until they start it again.
async fn unreachable_by(change: &mut Change<'_>, delivery: &Delivery) -> Result<(), Failure> {
    let (DeliveryChannel::Telegram, Some(user)) = (delivery.channel, delivery.user_id) else { return Ok(()) };
    let identity = change.identities().of_user(user).await?.into_iter().find(|identity| identity.bot_access);
    if let Some(mut identity) = identity {
        identity.bot_access = false;
        change.identities().update(&identity).await?;
        let data = serde_json::json!({ "identity_id": identity.id, "may_write": false });
        change.event(userd_model::EventKind::BotAccessChanged, user, data);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use userd_model::DeliveryState;

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
    const HOUR: Duration = Duration::from_secs(3600);

    /// What becomes of a delivery that was tried so often before, with the longest jitter and three tries for webhooks.
    fn after(channel: DeliveryChannel, attempts: i64, fault: &ChannelFault) -> (&'static str, Delivery) {
        let mut delivery = Deliveries::delivery(DeliveryId::from_random([1; 16]), channel, 0, Vec::new(), NOW);
        delivery.attempts = attempts;
        (failed(&mut delivery, fault, (u32::MAX, 3), NOW), delivery)
    }

    fn later(after: Option<Duration>) -> ChannelFault {
        ChannelFault::Later { after, reason: "away".to_owned() }
    }

    /// Only what the other side did counts as an attempt; it is waited for as long as it asks, and for a day at most.
    #[test]
    fn a_fault_puts_a_message_off_for_as_long_as_it_says() {
        let first = back_off(DeliveryChannel::Email, 1, u32::MAX).expect("another try");
        let away = Some("away");
        for (fault, word, wait, attempts, reason) in [
            (ChannelFault::Wait(HOUR), "waited", HOUR, 0, None),
            (ChannelFault::Wait(HOUR * 25), "waited", HOUR * 24, 0, None),
            (ChannelFault::OurFault("away".to_owned()), "retried", OURS, 0, away),
            (later(None), "retried", first, 1, away),
            (later(Some(first / 2)), "retried", first, 1, away),
            (later(Some(HOUR)), "retried", HOUR, 1, away),
            (later(Some(HOUR * 25)), "retried", HOUR * 24, 1, away),
            (ChannelFault::Deferred("away".to_owned()), "retried", first, 1, away),
        ] {
            let (said, delivery) = after(DeliveryChannel::Email, 0, &fault);
            assert_eq!(
                (said, delivery.due_at, delivery.state),
                (word, NOW.plus(wait), DeliveryState::Pending),
                "{fault:?}"
            );
            assert_eq!((delivery.attempts, delivery.last_error.as_deref()), (attempts, reason), "{fault:?}");
        }
        for fault in [ChannelFault::Undeliverable("away".to_owned()), ChannelFault::Gone("away".to_owned())] {
            let (said, delivery) = after(DeliveryChannel::Email, 0, &fault);
            assert_eq!((said, delivery.state, delivery.last_error.as_deref()), ("dead", DeliveryState::Dead, away));
        }
    }

    /// A webhook has as many tries as the settings say; a mail is tried to its end, which is a matter of time.
    #[test]
    fn the_last_try_of_a_webhook_makes_a_dead_letter() {
        for (channel, attempts, word) in [
            (DeliveryChannel::Webhook, 1, "retried"),
            (DeliveryChannel::Webhook, 2, "dead"),
            (DeliveryChannel::Email, 2, "retried"),
            (DeliveryChannel::Email, 1_000, "retried"),
            (DeliveryChannel::Telegram, 2, "retried"),
        ] {
            let (said, delivery) = after(channel, attempts, &later(None));
            assert_eq!((said, delivery.attempts), (word, attempts + 1), "{channel:?} after {attempts}");
            let (waited, delivery) = after(channel, attempts, &ChannelFault::Wait(HOUR));
            assert_eq!((waited, delivery.attempts), ("waited", attempts), "{channel:?}: nothing was tried");
        }
    }
}
