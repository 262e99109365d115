//! What the service itself tells many: of a webhook that it switched off, of a request that they may decide. It is written
//! in the unit of work that makes it true, as a message like those of other services.

use userd_channels::ChannelFault;
use userd_model::{
    Message, MessageId, Role, Timestamp, UserId, WebhookId,
    message::{Button, EachLanguage, MessageContent, MessageState, MessageText},
    preferences::MessageChannel,
    texts::Language,
};
use userd_storage::Failure;
use userd_templates::{Kind, Reader, Value, Values};

use super::Deliveries;
use crate::{change::Change, user_reader::internal, webhooks::SwitchedOff};

/// What a message carries besides its words.
#[derive(Default)]
pub(crate) struct MoreOfMessage {
    /// For programs that show inboxes.
    pub(crate) data: serde_json::Map<String, serde_json::Value>,
    /// For messengers.
    pub(crate) buttons: Vec<Button>,
}

impl Deliveries {
    /// Writes down how a call went, and tells of a webhook that is off because of it.
    pub(super) async fn record_call(
        &self,
        webhook: WebhookId,
        outcome: Result<(), &ChannelFault>,
    ) -> Result<(), Failure> {
        // Drawn before: a unit of work that runs again makes the same message.
        let id = MessageId::mint(self.deps.random.as_ref());
        self.webhooks.record_and_tell(webhook, outcome, &|off| self.tell_of(id, off).map(Some)).await
    }

    fn tell_of(&self, id: MessageId, off: &SwitchedOff<'_>) -> Result<Message, Failure> {
        let days = off.failing_since.map_or(0, |since| off.at.since(since).as_secs().div_ceil(24 * 3600));
        let values = Values::default()
            .with("site", Value::Words(self.deps.settings.site()))
            .with("at", Value::Moment(off.at))
            .with("url", Value::Words(off.url.to_owned()))
            .with("days", Value::Count(days))
            .with_words("reason", off.fault.map(ToString::to_string).as_deref());
        let message = self.written(id, (Kind::WebhookDisabled, &values), MoreOfMessage::default(), off.at)?;
        Ok(Message { audience: "role".to_owned(), role: Some(Role::ADMIN.to_owned()), ..message })
    }

    /// Tells users something that the service writes itself: in their inboxes, and from there as they chose. The id is
    /// minted before the unit of work: what the message says is sealed with it.
    pub(crate) async fn write_to_users(
        &self,
        change: &mut Change<'_>,
        id: MessageId,
        (kind, values): (Kind, &Values),
        more: MoreOfMessage,
        users: &[UserId],
    ) -> Result<(), Failure> {
        let mut message = self.written(id, (kind, values), more, change.now)?;
        self.copies(change, &message, users).await?;
        message.step(i64::try_from(users.len()).unwrap_or(i64::MAX), None);
        Ok(change.messages().insert(&message).await?)
    }

    /// A message in both languages, to users named one by one.
    fn written(
        &self,
        id: MessageId,
        (kind, values): (Kind, &Values),
        more: MoreOfMessage,
        at: Timestamp,
    ) -> Result<Message, Failure> {
        let in_language = |language| {
            let reader = Reader { language, ..Reader::default() };
            self.channels.templates.render(kind, values, &reader).map_err(internal)
        };
        let (en, ru) = (in_language(Language::English)?, in_language(Language::Russian)?);
        let content = MessageContent {
            title: MessageText::Each(EachLanguage { ru: ru.subject, en: en.subject }),
            body: MessageText::Each(EachLanguage {
                ru: ru.text.trim_end().to_owned(),
                en: en.text.trim_end().to_owned(),
            }),
            data: more.data,
            action_url: None,
            buttons: more.buttons,
        };
        Ok(Message {
            id,
            state: MessageState::Pending,
            due_at: at,
            category: kind.category().into(),
            audience: "users".to_owned(),
            role: None,
            channels: MessageChannel::ALL.to_vec(),
            content: self.messages.seal(id, &content)?,
            sent_by: ("system".to_owned(), None),
            created_at: at,
            expires_at: None,
            cursor: None,
            recipients: 0,
            remove_at: at.plus(Message::KEPT),
        })
    }
}
