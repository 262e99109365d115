//! Into the inbox, exactly once, and from there to the other ways that reach the user.

use url::Url;
use userd_model::{
    Delivery, DeliveryChannel, NotificationId, User,
    preferences::{CategoryName, MessageChannel, Preferences},
    quiet_hours::zone_of,
};
use userd_storage::Failure;
use userd_templates::{Category, Kind, Reader, Rendered, Value, Values};

use super::{Deliveries, content::Content, notice};
use crate::{
    change::{Change, Committed},
    fact_drafts,
    links::LinkAct,
    notifications::{KEPT, NotificationContent},
    preferences::NotificationPreferences,
    user_reader::internal,
};

/// A message as it is for one user.
pub(super) struct Written {
    pub(super) category: CategoryName,
    pub(super) is_security: bool,
    pub(super) rendered: Rendered,
    pub(super) data: serde_json::Value,
    pub(super) action_url: Option<String>,
}

impl Deliveries {
    /// Puts the notification into the inbox, and asks for the other ways, in one unit of work under the lease.
    pub(super) async fn place(&self, delivery: &Delivery, lease: (i64, i64)) -> Result<(), Failure> {
        let content = &self.open(delivery.id, &delivery.content)?;
        let Some(user_id) = delivery.user_id else { return Ok(()) };
        // Who has been erased by now is not found again inside either.
        let written = match self.deps.store.reading().users().find(user_id).await? {
            Some(user) => self.write(&user, content).await?,
            None => None,
        };
        let written = written.as_ref();
        self.changes
            .run(&self.changes.system_context(), "place_notification", |change| async move {
                self.place_once(change, delivery, lease, content, written).await
            })
            .await
    }

    async fn place_once(
        &self,
        mut change: Change<'_>,
        delivery: &Delivery,
        (queue, epoch): (i64, i64),
        content: &Content,
        written: Option<&Written>,
    ) -> Result<Committed<()>, Failure> {
        if !self.leases.is_held(&mut change, queue, epoch).await? {
            self.leases.doubt();
            return change.commit(()).await;
        }
        let Some(mut delivery) = Self::still_pending(&mut change, delivery.id).await? else {
            return change.commit(()).await;
        };
        let now = change.now;
        let user = match delivery.user_id {
            Some(id) => change.users().find(id).await?,
            None => None,
        };
        let (Some(user), Some(written)) = (user, written) else {
            delivery.bury("there is nobody to tell", now);
            change.deliveries().update(&delivery).await?;
            return change.commit(()).await;
        };
        let id = NotificationId(delivery.id.0);
        let shown = NotificationContent {
            title: written.rendered.subject.clone(),
            body: written.rendered.text.trim_end().to_owned(),
            data: written.data.clone(),
            action_url: written.action_url.clone(),
        };
        let preferences = NotificationPreferences::of(&mut change, user.id).await?;
        let category = &written.category;
        if preferences.wants(category, MessageChannel::Inbox) {
            self.notifications.place(&mut change, &user, (id, category.as_str()), &shown, now.plus(KEPT)).await?;
        }
        let quiet_until = preferences.quiet_until(category, now, &zone_of(user.time_zone.as_deref()));
        let mut further = Vec::new();
        for channel in self.reachable(&mut change, &user, written, &preferences).await? {
            let id = self.id_of(delivery.id.0, channel);
            let copy = self.to_user(id, channel, user.id, content, now)?;
            let due_at = quiet_until.unwrap_or(now);
            further.push(Delivery { message_id: delivery.message_id, due_at, ..copy });
        }
        change.deliveries().insert_many(&further).await?;
        delivery.deliver(now);
        change.deliveries().update(&delivery).await?;
        metrics::counter!("userd_deliveries_total", "channel" => "inbox", "outcome" => "delivered").increment(1);
        change.commit(()).await
    }

    /// The ways besides the inbox on which the user is told. A security notice goes to the proven address, else by the
    /// messenger.
    async fn reachable(
        &self,
        change: &mut Change<'_>,
        user: &User,
        written: &Written,
        preferences: &Preferences,
    ) -> Result<Vec<DeliveryChannel>, Failure> {
        let mut channels = Vec::new();
        let wants = |channel| preferences.wants(&written.category, channel);
        if user.email.is_some() && user.email_verified && wants(MessageChannel::Email) {
            channels.push(DeliveryChannel::Email);
        }
        let may_write = self.channels.telegram.is_some() && wants(MessageChannel::Telegram);
        if may_write && (!written.is_security || channels.is_empty()) {
            let identities = change.identities().of_user(user.id).await?;
            channels.extend(identities.iter().any(|identity| identity.bot_access).then_some(DeliveryChannel::Telegram));
        }
        Ok(channels)
    }

    /// The message in the user's language; none where there is nothing to say any more.
    pub(super) async fn write(&self, user: &User, content: &Content) -> Result<Option<Written>, Failure> {
        let reader = Reader::of(user.locale.as_deref(), user.time_zone.as_deref());
        let (kind, values, category, data, action_url) = match content {
            Content::Notice(notice) => {
                let fact = notice.fact();
                let Some(kind) = notice::template(&fact) else { return Ok(None) };
                let opened = fact_drafts::open(&self.deps, &fact).await?;
                let session_id = fact.data.get("session_id").and_then(|id| serde_json::from_value(id.clone()).ok());
                let link = self.mint(user, LinkAct::NotMe { session_id }).await?;
                let values = notice::values(kind, &fact, &opened, &self.deps.settings.site(), &link);
                let data = serde_json::json!({ "event": fact.kind, "event_id": fact.id });
                (kind, values, kind.category().into(), data, None)
            }
            Content::Event(_) => return Ok(None),
            Content::Message { category, content } => {
                let NotificationContent { title, body, data, action_url } = content;
                let values = Values::default()
                    .with("title", Value::Words(title.clone()))
                    .with("body", Value::Text(body.clone()));
                let values = match action_url.as_deref().and_then(|url| Url::parse(url).ok()) {
                    Some(url) => values.with("action", Value::Link(url)),
                    None => values,
                };
                let category = CategoryName::parse(category).unwrap_or_else(|_| Kind::Message.category().into());
                (Kind::Message, values, category, data.clone(), action_url.clone())
            }
        };
        let rendered = self.channels.templates.render(kind, &values, &reader).map_err(internal)?;
        let is_security = kind.category() == Category::Security;
        Ok(Some(Written { category, is_security, rendered, data, action_url }))
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
