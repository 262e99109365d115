//! What messages say, sealed in their rows, and for a while opened: a message to a million is opened once.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use userd_crypto::place;
use userd_model::{
    Message, MessageId, Sealed, Timestamp,
    message::{Button, MessageContent, MessageText},
    preferences::{CategoryName, MessageChannel},
    texts::Language,
};
use userd_storage::Failure;

use crate::{Dependencies, notifications::NotificationContent, user_reader::internal};

/// Messages that are remembered.
const MOST: usize = 64;

/// A message, opened. It never changes.
pub(crate) struct SentMessage {
    pub(crate) category: CategoryName,
    pub(crate) channels: Vec<MessageChannel>,
    pub(crate) expires_at: Option<Timestamp>,
    content: MessageContent,
}

impl SentMessage {
    /// The buttons under it, for somebody who reads this language: what they say, and what they carry.
    pub(crate) fn buttons(&self, language: Language) -> Vec<(String, String)> {
        let label = |button: &Button| MessageText::Each(button.label.clone()).in_language(language).to_owned();
        self.content.buttons.iter().map(|button| (label(button), button.data.clone())).collect()
    }

    /// What it says to somebody who reads this language.
    pub(crate) fn in_language(&self, language: Language) -> NotificationContent {
        let MessageContent { title, body, data, action_url, .. } = &self.content;
        NotificationContent {
            title: title.in_language(language).to_owned(),
            body: body.in_language(language).to_owned(),
            data: data.clone().into(),
            action_url: action_url.clone(),
        }
    }
}

/// Seals, opens and remembers what messages say.
#[derive(Clone)]
pub(crate) struct MessageContents {
    deps: Dependencies,
    opened: Arc<Mutex<HashMap<MessageId, Arc<SentMessage>>>>,
}

impl MessageContents {
    pub(crate) fn new(deps: Dependencies) -> Self {
        Self { deps, opened: Arc::default() }
    }

    pub(crate) fn seal(&self, id: MessageId, content: &MessageContent) -> Result<Sealed, Failure> {
        let plain = serde_json::to_vec(content).map_err(internal)?;
        self.deps.vault.seal(self.deps.random.as_ref(), &context(id), &plain).map_err(internal)
    }

    /// The message with this id, if it is still there.
    pub(crate) async fn find(&self, id: MessageId) -> Result<Option<Arc<SentMessage>>, Failure> {
        if let Some(known) = self.opened(|opened| opened.get(&id).cloned()) {
            return Ok(Some(known));
        }
        let Some(message) = self.deps.store.reading().messages().find(id).await? else { return Ok(None) };
        let message = Arc::new(self.open(message)?);
        self.opened(|opened| {
            if opened.len() >= MOST {
                opened.clear();
            }
            opened.insert(id, Arc::clone(&message));
        });
        Ok(Some(message))
    }

    fn open(&self, message: Message) -> Result<SentMessage, Failure> {
        let plain = self.deps.vault.open(&context(message.id), &message.content).map_err(internal)?;
        let content = serde_json::from_slice(&plain).map_err(internal)?;
        let Message { category, channels, expires_at, .. } = message;
        Ok(SentMessage { category, channels, expires_at, content })
    }

    fn opened<T>(&self, act: impl FnOnce(&mut HashMap<MessageId, Arc<SentMessage>>) -> T) -> T {
        act(&mut self.opened.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn context(id: MessageId) -> String {
    place("messages", "content", id)
}
