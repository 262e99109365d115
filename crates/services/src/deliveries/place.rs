//! Into the inbox, exactly once, and from there to the other ways that reach the user.

use url::Url;
use userd_model::{
    Delivery, DeliveryChannel, DeliveryState, NotificationId, Timestamp, User, UserId, UserStatus,
    message::MessageCounts,
    preferences::{CategoryName, MessageChannel, Preferences},
    quiet_hours::zone_of,
    texts::Language,
};
use userd_storage::Failure;
use userd_templates::{Category, Kind, Reader, Rendered, Value, Values};

use super::{Deliveries, content::Content, notice, told::Reached};
use crate::{
    addresses,
    admission::provider_name,
    change::{Change, Committed},
    fact_drafts::{self, OpenedFact},
    links::LinkAct,
    notifications::NotificationContent,
    preferences::NotificationPreferences,
    user_reader::internal,
};

/// A message as it is for one user.
pub(super) struct Written {
    pub(super) category: CategoryName,
    pub(super) is_security: bool,
    /// The ways that it may go.
    channels: Vec<MessageChannel>,
    expires_at: Option<Timestamp>,
    /// As it is sent.
    pub(super) rendered: Rendered,
    /// As the inbox shows it: what another service says stands there word by word.
    pub(super) shown: NotificationContent,
    /// What can be pressed under it in the messenger.
    pub(super) buttons: Vec<(String, String)>,
    /// The address that is told by a letter of its own.
    told_apart: Option<String>,
}

/// Whether a way is taken, or why not.
type Way = Result<(), &'static str>;

const fn way(is_wanted: bool, is_reachable: bool) -> Way {
    match (is_wanted, is_reachable) {
        (false, _) => Err(MessageCounts::MUTED),
        (true, false) => Err(MessageCounts::UNREACHABLE),
        (true, true) => Ok(()),
    }
}

impl Deliveries {
    /// Puts the notification into the inbox, and asks for the other ways, in one unit of work under the lease.
    pub(super) async fn place(&self, delivery: &Delivery, lease: (i64, i64)) -> Result<(), Failure> {
        let content = &self.content_of(delivery).await?;
        let Some(user_id) = delivery.user_id else { return Ok(()) };
        // Who has been erased by now is not found again inside either.
        let written = match (self.deps.store.reading().users().find(user_id).await?, content) {
            (Some(user), Some(content)) => {
                self.write(&user, content, Reached::Inbox).await?.map(|written| (content, written))
            }
            _ => None,
        };
        let written = written.as_ref();
        let asks_for_more = self
            .changes
            .run(&self.changes.system_context(), "place_notification", |change| async move {
                self.place_once(change, delivery, lease, written).await
            })
            .await?;
        if asks_for_more {
            self.wake();
        }
        Ok(())
    }

    async fn place_once(
        &self,
        mut change: Change<'_>,
        delivery: &Delivery,
        (queue, epoch): (i64, i64),
        written: Option<&(&Content, Written)>,
    ) -> Result<Committed<bool>, Failure> {
        if !self.leases.is_held(&mut change, queue, epoch).await? {
            self.leases.doubt();
            return change.commit(false).await;
        }
        let Some(mut delivery) = Self::still_pending(&mut change, delivery.id).await? else {
            return change.commit(false).await;
        };
        let now = change.now;
        let user = match delivery.user_id {
            Some(id) => change.users().find(id).await?,
            None => None,
        };
        // Others have nothing to say to whoever is blocked or deleted; what happens to the account is told all the same.
        let is_told = |user: &User| delivery.message_id.is_none() || user.status_at(now) == UserStatus::Active;
        let (Some(user), Some((content, written))) = (user.filter(is_told), written) else {
            delivery.bury("there is nobody to tell", now);
            self.write_state(&mut change, DeliveryState::Pending, &mut delivery).await?;
            return change.commit(false).await;
        };
        let preferences = NotificationPreferences::of(&mut change, user.id).await?;
        let category = &written.category;
        let is_shown =
            written.channels.contains(&MessageChannel::Inbox) && preferences.wants(category, MessageChannel::Inbox);
        if is_shown {
            let (id, kept) = (NotificationId(delivery.id.0), now.plus(self.deps.settings.retention.inbox));
            let expires_at = written.expires_at.map_or(kept, |at| at.min(kept));
            let shown = &written.shown;
            self.notifications.place(&mut change, &user, (id, category.as_str()), shown, expires_at).await?;
        }
        let inbox = DeliveryChannel::Inbox.as_str();
        let mut counted =
            vec![(inbox, "pending", -1), (inbox, if is_shown { "delivered" } else { MessageCounts::MUTED }, 1)];
        let due_at = preferences.quiet_until(category, now, &zone_of(user.time_zone.as_deref())).unwrap_or(now);
        let mut further = Vec::new();
        for (channel, way) in self.ways(&mut change, &user, written, &preferences).await? {
            counted.push((channel.as_str(), way.err().unwrap_or("pending"), 1));
            if way.is_ok() {
                let copy = self.to_user(self.id_of(delivery.id.0, channel), channel, user.id, content, due_at)?;
                let copy = Delivery { message_id: delivery.message_id, created_at: now, ..copy };
                further.push(copy.ending(written.expires_at));
            }
        }
        if written.is_security && further.iter().any(|copy| copy.channel == DeliveryChannel::Email) {
            let told_apart = written.told_apart.as_deref();
            further.extend(self.to_further_addresses(&mut change, &user, (content, told_apart), due_at).await?);
        }
        change.deliveries().insert_many(&further).await?;
        delivery.deliver(now);
        self.keep_done(&mut delivery);
        change.deliveries().update(&delivery).await?;
        Self::count(&mut change, &delivery, &counted).await?;
        metrics::counter!("userd_deliveries_total", "channel" => "inbox", "outcome" => "delivered").increment(1);
        change.commit(!further.is_empty()).await
    }

    /// A security notice goes to every proven address: one of them may be in other hands. Not to the one that was the first
    /// until then: its letter says the same, and can do more.
    async fn to_further_addresses(
        &self,
        change: &mut Change<'_>,
        user: &User,
        (content, told_apart): (&Content, Option<&str>),
        due_at: Timestamp,
    ) -> Result<Vec<Delivery>, Failure> {
        let Content::Notice(notice) = content else { return Ok(Vec::new()) };
        let mut copies = Vec::new();
        for address in change.further_emails().of_user(user.id).await? {
            if told_apart.is_some() && told_apart == Some(addresses::open(&self.deps, user, &address)?.as_str()) {
                continue;
            }
            let (id, content) = (change.id(), Content::NoticeTo(notice.clone(), address.id));
            let copy = self.to_user(id, DeliveryChannel::Email, user.id, &content, due_at)?;
            copies.push(Delivery { created_at: change.now, ..copy });
        }
        Ok(copies)
    }

    /// The ways besides the inbox by which the user could be told, and why one is not taken. A security notice goes to
    /// the proven address, else by the messenger.
    async fn ways(
        &self,
        change: &mut Change<'_>,
        user: &User,
        written: &Written,
        preferences: &Preferences,
    ) -> Result<Vec<(DeliveryChannel, Way)>, Failure> {
        let mut ways = Vec::new();
        let wants = |channel| preferences.wants(&written.category, channel);
        if written.channels.contains(&MessageChannel::Email) {
            let is_reachable = user.email.is_some() && user.email_verified;
            ways.push((DeliveryChannel::Email, way(wants(MessageChannel::Email), is_reachable)));
        }
        let is_told = written.is_security && ways.iter().any(|(_, way)| way.is_ok());
        if written.channels.contains(&MessageChannel::Telegram) && !is_told {
            let wants = wants(MessageChannel::Telegram);
            let is_reachable = wants && self.may_write(change, user.id).await?;
            ways.push((DeliveryChannel::Telegram, way(wants, is_reachable)));
        }
        Ok(ways)
    }

    /// Whether the bot may write to the user.
    pub(super) async fn may_write(&self, change: &mut Change<'_>, user: UserId) -> Result<bool, Failure> {
        let identities = change.identities().of_user(user).await?;
        Ok(self.channels.telegram.is_some() && identities.iter().any(|identity| identity.bot_access))
    }

    /// Puts where it is beside the address, for people alone.
    fn say_place(&self, opened: &mut OpenedFact, language: Language) {
        let Some(ip) = opened.origin.as_mut().and_then(|origin| origin.ip.as_mut()) else { return };
        if let Some(place) = self.deps.place_of(ip, language) {
            *ip = format!("{ip} ({place})");
        }
    }

    /// The message in the user's language; none where there is nothing to say any more.
    pub(super) async fn write(
        &self,
        user: &User,
        content: &Content,
        reached: Reached,
    ) -> Result<Option<Written>, Failure> {
        let reader = Reader::of(user.locale.as_deref(), user.time_zone.as_deref());
        let (kind, values, data, told_apart) = match content {
            Content::Notice(notice) | Content::NoticeTo(notice, _) => {
                let fact = notice.fact();
                let Some(kind) = notice::template(&fact) else { return Ok(None) };
                let mut opened = fact_drafts::open(&self.deps, &fact).await?;
                self.say_place(&mut opened, reader.language);
                let link = self.not_me(user, (&fact, &opened), reached).await?;
                let called = |provider: &str| provider_name(&self.providers, provider);
                let values = notice::values(kind, &fact, &opened, (&self.deps.settings.site(), &link), called);
                let data = serde_json::json!({ "event": fact.kind, "event_id": fact.id });
                let before = opened.personal.as_ref().and_then(|personal| personal.get("before"));
                let before = before.filter(|_| kind == Kind::EmailChanged).and_then(serde_json::Value::as_str);
                (kind, values, data, before.map(str::to_owned))
            }
            Content::Event(_) | Content::Letter(_) | Content::RequestCard(..) => return Ok(None),
            Content::Message(message) => {
                let said = message.in_language(reader.language);
                let values = Values::default()
                    .with("title", Value::Words(said.title.clone()))
                    .with("body", Value::Text(said.body.clone()));
                let values = match said.action_url.as_deref().and_then(|url| Url::parse(url).ok()) {
                    Some(url) => values.with("action", Value::Link(url)),
                    None => values,
                };
                let rendered = self.channels.templates.render(Kind::Message, &values, &reader).map_err(internal)?;
                return Ok(Some(Written {
                    category: message.category.clone(),
                    is_security: false,
                    channels: message.channels.clone(),
                    expires_at: message.expires_at,
                    rendered,
                    shown: said,
                    buttons: message.buttons(reader.language),
                    told_apart: None,
                }));
            }
        };
        let rendered = self.channels.templates.render(kind, &values, &reader).map_err(internal)?;
        let is_security = kind.category() == Category::Security;
        let shown = NotificationContent {
            title: rendered.subject.clone(),
            body: rendered.text.trim_end().to_owned(),
            data,
            action_url: None,
        };
        let (category, channels) = (kind.category().into(), MessageChannel::ALL.to_vec());
        let buttons = Vec::new();
        Ok(Some(Written { category, is_security, channels, expires_at: None, rendered, shown, buttons, told_apart }))
    }

    /// A link of the user's: in a unit of work of its own, since a message is rendered outside of any. One that is not
    /// sent in the end expires.
    pub(super) async fn mint(&self, user: &User, act: LinkAct) -> Result<Url, Failure> {
        let act = &act;
        self.changes
            .run(&self.changes.system_context(), "mint_link", |mut change| async move {
                let url = self.links.mint(&mut change, user.id, act.clone()).await?;
                change.commit(url).await
            })
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_that_is_not_wanted_is_muted_whether_it_is_there_or_not() {
        let ways =
            [(false, false), (false, true), (true, false), (true, true)].map(|(wanted, there)| way(wanted, there));
        assert_eq!(ways, [Err("muted"), Err("muted"), Err("unreachable"), Ok(())]);
    }
}
