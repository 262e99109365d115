//! Messages in chats about requests: remembered when they are sent, and replaced by what the request has become when it was
//! decided elsewhere. An edit is a delivery like any other: it is tried until the chat shows it, and it shows what is so then.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use async_trait::async_trait;
use userd_channels::telegram::{ChatMessage, Message};
use userd_model::{AccessRequest, AccessRequestId, Delivery, DeliveryChannel, RequestState, User, UserId};
use userd_storage::Failure;

use super::{
    Deliveries,
    content::Content,
    place::Written,
    send::{InChat, Outcome},
};
use crate::change::Change;

/// More messages about one request are not replaced.
const MOST: u32 = 200;
/// How long messages are known after their request's last day.
const KEPT: Duration = Duration::from_secs(7 * 24 * 3600);

/// Says what a message about a request says by now.
#[async_trait]
pub(crate) trait RequestCards: Send + Sync {
    /// The message for this reader; none where it is no longer theirs to see.
    async fn card(&self, reader: &User, request: AccessRequestId) -> Result<Option<Message>, Failure>;
}

impl Deliveries {
    /// From now on messages about requests are made by this. Whoever made it holds it.
    pub(crate) fn make_cards_by(&self, cards: &Arc<dyn RequestCards>) {
        // Only services set it, once.
        let _ = self.cards.set(Arc::downgrade(cards));
    }

    /// Sends a message into a chat.
    pub(super) async fn send_telegram(&self, chat: String, written: Written) -> Result<Outcome, Failure> {
        let request = written.shown.data.get("request_id").filter(|_| !written.buttons.is_empty());
        let request = request.and_then(|id| serde_json::from_value(id.clone()).ok());
        let buttons = if written.buttons.is_empty() { Vec::new() } else { vec![written.buttons] };
        let message = Message { html: written.rendered.telegram, buttons, ..Message::default() };
        self.put(ChatMessage { chat, message, replaces: None }, request).await
    }

    /// Replaces a message about a request by what it says now.
    pub(super) async fn replace_card(
        &self,
        delivery: &Delivery,
        (request, message): (AccessRequestId, i64),
    ) -> Result<Outcome, Failure> {
        let cards = self.cards.get().and_then(Weak::upgrade);
        let (Some(cards), Some(id)) = (cards, delivery.user_id) else { return Ok(Outcome::Nobody("nothing is shown")) };
        let Some(user) = self.deps.store.reading().users().find(id).await? else {
            return Ok(Outcome::Nobody("there is nobody to tell"));
        };
        let Some(chat) = self.chat_of(&user).await? else {
            return Ok(Outcome::Nobody("the bot may not write to the user"));
        };
        match cards.card(&user, request).await? {
            Some(card) => self.put(ChatMessage { chat, message: card, replaces: Some(message) }, None).await,
            None => Ok(Outcome::Nobody("it is no longer theirs to see")),
        }
    }

    async fn put(&self, message: ChatMessage, request: Option<AccessRequestId>) -> Result<Outcome, Failure> {
        let Some(bot) = &self.channels.telegram else { return Ok(Outcome::Nobody("there is no bot")) };
        Ok(match bot.send(&message).await {
            Ok(message) => Outcome::InChat(InChat { message, request }),
            Err(fault) => Outcome::Failed(fault),
        })
    }

    /// Remembers which message shows a request. What has happened to the request while it was on its way is shown next.
    pub(super) async fn remember_card(
        &self,
        change: &mut Change<'_>,
        delivery: &Delivery,
        shown: &InChat,
    ) -> Result<(), Failure> {
        let (Some(user), Some(request)) = (delivery.user_id, shown.request) else { return Ok(()) };
        let Some(request) = change.access_requests().find(request).await? else { return Ok(()) };
        let remove_at = request.expires_at.plus(KEPT);
        change.request_messages().write(request.id, (user, shown.message), remove_at).await?;
        if request.version > 1 || request.state != RequestState::Open {
            let edit = self.edit(change, &request, (user, shown.message))?;
            change.deliveries().insert_many(&[edit]).await?;
        }
        Ok(())
    }

    /// Asks for what a request has become to be shown in the chats that show it, but for one user's.
    pub(crate) async fn replace_cards(
        &self,
        change: &mut Change<'_>,
        request: &AccessRequest,
        except: Option<UserId>,
    ) -> Result<(), Failure> {
        if !self.deps.settings.decide_in_chat {
            return Ok(());
        }
        let shown = change.request_messages().of_request(request.id, MOST).await?;
        let others = shown.into_iter().filter(|(user, _)| except != Some(*user));
        let edits: Vec<_> = others.map(|shown| self.edit(change, request, shown)).collect::<Result<_, _>>()?;
        change.deliveries().insert_many(&edits).await?;
        Ok(())
    }

    fn edit(
        &self,
        change: &mut Change<'_>,
        request: &AccessRequest,
        (user, message): (UserId, i64),
    ) -> Result<Delivery, Failure> {
        let id = change.id();
        self.to_user(id, DeliveryChannel::Telegram, user, &Content::RequestCard(request.id, message), change.now)
    }
}
