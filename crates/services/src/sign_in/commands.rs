//! What people tell the messenger's bot besides signing in: `/start` alone, `/stop`, `/help`. Who stops the bot is written
//! to by it no more, whatever their preferences say, until they start it again.

use async_trait::async_trait;
use userd_channels::telegram::{BotUser, Content, Message, escape_html};
use userd_model::texts::Text;
use userd_storage::Failure;

use super::{SignIn, bot::language_of};
use crate::{
    Context,
    bot::{TelegramBot, UpdateHandler},
};

/// Obeys the bot's commands. Asked before sign-in, which takes every other start.
pub(crate) struct BotCommands(pub(crate) SignIn);

#[async_trait]
impl UpdateHandler for BotCommands {
    async fn handle(&self, ctx: &Context, bot: &TelegramBot, update: &Content) -> Result<bool, Failure> {
        let (from, answer) = match update {
            Content::Start { from, payload: None } => (from, Text::BotGreeting),
            Content::Text { from, text } => match command(text, &bot.username) {
                Some("/stop") => (from, Text::BotStopped),
                Some("/help") => (from, Text::BotHelp),
                _ => return Ok(false),
            },
            _ => return Ok(false),
        };
        if answer != Text::BotHelp {
            let may_write = answer == Text::BotGreeting;
            self.0.record_bot_access(ctx, &self.0.telegram()?, from, may_write).await?;
        }
        self.answer(bot, from, answer).await;
        Ok(true)
    }
}

impl BotCommands {
    async fn answer(&self, bot: &TelegramBot, to: &BotUser, text: Text) {
        let site = escape_html(&self.0.deps.settings.sign_in.public_url);
        let html = text.filled(language_of(to), &[("site", &site)]);
        if let Err(fault) = bot.api.send_message(&to.id, &Message { html, ..Message::default() }).await {
            tracing::warn!(%fault, "the bot could not answer");
        }
    }
}

/// The command that a text is: alone, or addressed to this bot (`/stop@its_name`).
fn command<'a>(text: &'a str, bot: &str) -> Option<&'a str> {
    let mut words = text.split_ascii_whitespace();
    let (command, None) = (words.next()?, words.next()) else { return None };
    match command.split_once('@') {
        None => Some(command),
        Some((command, addressee)) => addressee.eq_ignore_ascii_case(bot).then_some(command),
    }
}
