//! Administrators are told of a webhook that the service switched off: in the unit of work that does it, as a message to
//! whoever holds their role.

use userd_channels::ChannelFault;
use userd_model::{
    Message, MessageId, Role, WebhookId,
    message::{EachLanguage, MessageContent, MessageState, MessageText},
    preferences::{Category, MessageChannel},
    texts::Language,
};
use userd_storage::Failure;
use userd_templates::{Kind, Reader, Value, Values};

use super::Deliveries;
use crate::{user_reader::internal, webhooks::SwitchedOff};

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
        let in_language = |language| {
            let reader = Reader { language, ..Reader::default() };
            self.channels.templates.render(Kind::WebhookDisabled, &values, &reader).map_err(internal)
        };
        let (en, ru) = (in_language(Language::English)?, in_language(Language::Russian)?);
        let content = MessageContent {
            title: MessageText::Each(EachLanguage { ru: ru.subject, en: en.subject }),
            body: MessageText::Each(EachLanguage {
                ru: ru.text.trim_end().to_owned(),
                en: en.text.trim_end().to_owned(),
            }),
            data: serde_json::Map::new(),
            action_url: None,
        };
        Ok(Message {
            id,
            state: MessageState::Pending,
            due_at: off.at,
            category: Category::Administration.into(),
            audience: "role".to_owned(),
            role: Some(Role::ADMIN.to_owned()),
            channels: MessageChannel::ALL.to_vec(),
            content: self.messages.seal(id, &content)?,
            sent_by: ("system".to_owned(), None),
            created_at: off.at,
            expires_at: None,
            cursor: None,
            recipients: 0,
            remove_at: off.at.plus(Message::KEPT),
        })
    }
}
