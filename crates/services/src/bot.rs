//! The messenger's bot: takes each update once and hands it to whoever handles its kind. What an update leads to is the
//! handlers' matter; signing in by a message (`sign_in/bot.rs`) is the first of them.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
pub use userd_channels::telegram::SECRET_HEADER as WEBHOOK_SECRET_HEADER;
use userd_channels::{
    Secret,
    telegram::{BotApi, Content, Update, webhook_secret_matches},
};
use userd_model::Refusal;
use userd_storage::Failure;

use crate::{Context, Dependencies, change::Changes};

/// Updates are recognised as repeated for this long; Telegram gives up on them after a day.
const UPDATES_KEPT: Duration = Duration::from_secs(25 * 3600);

/// The bot, where one is configured.
pub struct TelegramBot {
    /// Its API.
    pub api: BotApi,
    /// Its name, for links.
    pub username: String,
    /// What the webhook must bring along.
    pub webhook_secret: Secret,
}

/// Does something about some of the bot's updates.
#[async_trait]
pub trait UpdateHandler: Send + Sync {
    /// Whether the update was for this handler; if not, the next one is asked.
    ///
    /// An update may come twice at the same moment: what a handler does is single use by itself. A refusal ends the
    /// update; after any other failure Telegram delivers it again.
    async fn handle(&self, ctx: &Context, bot: &TelegramBot, update: &Content) -> Result<bool, Failure>;
}

/// Takes updates, from the webhook or from polling.
pub struct BotUpdates {
    deps: Dependencies,
    changes: Changes,
    bot: Option<Arc<TelegramBot>>,
    handlers: Vec<Arc<dyn UpdateHandler>>,
}

impl BotUpdates {
    /// Without a bot every update is refused. Handlers are asked in their order; sign-in takes every start and every
    /// button, so it comes last.
    #[must_use]
    pub fn new(
        deps: Dependencies,
        changes: Changes,
        bot: Option<Arc<TelegramBot>>,
        handlers: Vec<Arc<dyn UpdateHandler>>,
    ) -> Self {
        Self { deps, changes, bot, handlers }
    }

    /// Takes one call of the webhook.
    ///
    /// # Errors
    /// `NotSignedIn` without the right secret, `Malformed` for what is no update.
    pub async fn take_webhook(&self, ctx: &Context, secret: Option<&[u8]>, body: &[u8]) -> Result<(), Failure> {
        if !webhook_secret_matches(&self.bot()?.webhook_secret, secret) {
            return Err(Refusal::NotSignedIn.into());
        }
        let update = Update::parse(body).map_err(|_| Refusal::Malformed("this is no update of the Bot API"))?;
        self.take(ctx, update).await
    }

    /// Takes one update, however it came; one that was taken before does nothing.
    ///
    /// # Errors
    /// `NoSuchProvider` without a bot; faults, after which it must be delivered again.
    pub async fn take(&self, ctx: &Context, update: Update) -> Result<(), Failure> {
        let (bot, hash) = (self.bot()?, &self.hash(update.id));
        if self.deps.store.reading().replay_guard().was_consumed(hash).await? {
            return Ok(());
        }
        match self.hand_over(ctx, bot, &update.content).await {
            Err(Failure::Refused(refusal)) => tracing::debug!(%refusal, "an update of the bot was refused"),
            // Telegram repeats what was not taken: nothing is lost while the database is away.
            other => other?,
        }
        self.changes
            .run(ctx, "take_bot_update", |mut change| async move {
                let until = change.now.plus(UPDATES_KEPT);
                change.replay_guard().consume_once(hash, "bot_update", until).await?;
                change.commit(()).await
            })
            .await
    }

    async fn hand_over(&self, ctx: &Context, bot: &TelegramBot, update: &Content) -> Result<(), Failure> {
        for handler in &self.handlers {
            if handler.handle(ctx, bot, update).await? {
                break;
            }
        }
        Ok(())
    }

    fn bot(&self) -> Result<&TelegramBot, Refusal> {
        self.bot.as_deref().ok_or(Refusal::NoSuchProvider)
    }

    fn hash(&self, update: i64) -> [u8; 32] {
        self.deps.crypto.index.keyed_hash("bot update", &[&update.to_be_bytes()])
    }
}
