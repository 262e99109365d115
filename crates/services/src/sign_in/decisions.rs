//! What approvers press under the bot's messages about requests. The button names a request; who presses is the user to
//! whom this account of the messenger is linked, never one with the same address. The message is edited to what came of it; those
//! of others, and all of them when it was decided elsewhere, by the deliveries.

use async_trait::async_trait;
use userd_channels::telegram::{BotUser, Content, Message, escape_html};
use userd_model::{
    AccessRequestId, Refusal, RequestState, User, UserId, Verdict,
    message::MessageText,
    texts::{Language, Text},
};
use userd_storage::Failure;

use super::{
    SignIn,
    bot::language_of,
    identity_names::{KIND, name},
};
use crate::{
    Context,
    access_requests::{AccessRequests, InChat, Pressed, parse},
    bot::{TelegramBot, UpdateHandler},
    deliveries::RequestCards,
};

/// Takes the buttons of requests. Asked before sign-in, which takes every other button.
pub(crate) struct ChatDecisions {
    pub(crate) sign_in: SignIn,
    pub(crate) requests: AccessRequests,
}

#[async_trait]
impl UpdateHandler for ChatDecisions {
    async fn handle(&self, ctx: &Context, bot: &TelegramBot, update: &Content) -> Result<bool, Failure> {
        let Content::Button { from, query_id, data, message_id } = update else { return Ok(false) };
        let Some(pressed) = parse(data) else { return Ok(false) };
        let language = language_of(from);
        let notice = match self.decide(ctx, bot, (from, *message_id), pressed).await {
            Ok(notice) => notice.filled(language, &[("site", &self.sign_in.deps.settings.site())]),
            Err(Failure::Refused(_)) => Text::BotMayNotDecide.in_language(language).to_owned(),
            Err(fault) => return Err(fault),
        };
        if let Err(fault) = bot.api.answer_callback_query(query_id, &notice).await {
            tracing::debug!(%fault, "the bot could not answer a button");
        }
        Ok(true)
    }
}

#[async_trait]
impl RequestCards for ChatDecisions {
    async fn card(&self, reader: &User, request: AccessRequestId) -> Result<Option<Message>, Failure> {
        match self.requests.in_chat(reader.id, request).await {
            Ok(shown) => {
                let language = Language::of_tag(reader.locale.as_deref().unwrap_or_default());
                self.message(&shown, language).await.map(Some)
            }
            Err(Failure::Refused(Refusal::NotFound)) => Ok(None),
            Err(other) => Err(other),
        }
    }
}

impl ChatDecisions {
    async fn decide(
        &self,
        ctx: &Context,
        bot: &TelegramBot,
        (from, message): (&BotUser, i64),
        pressed: Pressed,
    ) -> Result<Text, Failure> {
        let me = self.owner(from).await?;
        let notice = match self.requests.decide_in_chat(ctx, me, pressed).await {
            Ok(()) => Text::BotDecided,
            Err(Failure::Refused(Refusal::VersionMismatch | Refusal::RequestClosed(_))) => Text::BotRequestChanged,
            // The message leads there from now on.
            Err(Failure::Refused(Refusal::InsufficientAuthentication { .. })) => Text::BotDecideElsewhere,
            Err(other) => return Err(other),
        };
        let shown = self.requests.in_chat(me, pressed.request).await?;
        let edited = bot.api.edit_message(&from.id, message, &self.message(&shown, language_of(from)).await?).await;
        if let Err(fault) = edited {
            tracing::warn!(%fault, "the bot could not edit a message about a request");
        }
        Ok(notice)
    }

    /// Whose account of the messenger it is.
    async fn owner(&self, from: &BotUser) -> Result<UserId, Failure> {
        let provider = self.sign_in.telegram()?;
        let deps = &self.sign_in.deps;
        let hash = deps.crypto.index.claim_hash(KIND, &name(provider.id(), &provider.issuer(), &from.id));
        let claim = deps.store.reading().claims().find(&hash).await?.ok_or(Refusal::NotFound)?;
        Ok(claim.owner)
    }

    /// The message about the request as it is now: who asks for what, who has decided, and what is missing.
    async fn message(&self, shown: &InChat, language: Language) -> Result<Message, Failure> {
        let who = escape_html(&shown.who());
        let mut html = match shown.what() {
            Some(what) => Text::BotRequest.filled(language, &[("who", &who), ("what", &escape_html(what))]),
            None => Text::BotAccountRequest.filled(language, &[("who", &who)]),
        };
        for (decision, _) in &shown.view.decisions {
            let mark = if decision.verdict == Verdict::Approve { "✅" } else { "❌" };
            let name = match decision.by {
                Some(by) => self.requests.name_of(by).await?,
                None => String::new(),
            };
            html.extend(["\n", mark, " ", &escape_html(&name)]);
        }
        let state = match shown.view.state {
            RequestState::Open => Text::BotRequestOpen.filled(language, &[("missing", &shown.missing.to_string())]),
            RequestState::Approved => Text::BotRequestApproved.in_language(language).to_owned(),
            RequestState::Declined => Text::BotRequestDeclined.in_language(language).to_owned(),
            _ => Text::BotRequestEnded.in_language(language).to_owned(),
        };
        html.extend(["\n\n", &state]);
        let label = |label: &userd_model::message::EachLanguage| {
            MessageText::Each(label.clone()).in_language(language).to_owned()
        };
        let row: Vec<_> = shown.buttons.iter().map(|button| (label(&button.label), button.data.clone())).collect();
        let buttons = if row.is_empty() { Vec::new() } else { vec![row] };
        let site = self.sign_in.deps.settings.site();
        let there = || Text::BotDecideThere.filled(language, &[("site", &site)]);
        let link = shown.elsewhere.as_ref().map(|page| (there(), page.to_string()));
        Ok(Message { html, buttons, link, ..Message::default() })
    }
}
