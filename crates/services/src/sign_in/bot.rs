//! Sign-in by a message to the messenger's bot. The browser shows a link and a two-digit code; the person presses
//! Start, sees in the chat where the sign-in comes from, and taps the code that the browser shows. A link sent to
//! somebody else therefore does not sign its sender in: the victim would have to know a code that only the sender's
//! browser shows, and one wrong tap ends the attempt.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use userd_channels::telegram::{BotUser, Content, Message, escape_html, start_link};
use userd_crypto::{OpaqueSecret, constant_time_eq};
use userd_model::{
    Event, EventId, EventKind, Refusal, Timestamp, UserId,
    texts::{Language, Text},
};
use userd_providers::{Kind, Provider, telegram::bot_profile};
use userd_storage::{Failure, UnitOfWork};

use super::{SignIn, admit::KIND, admit::name, attempts::Keep, provider_fault};
use crate::{
    Origin, SignedIn,
    bot::{TelegramBot, UpdateHandler},
    limits::Limited,
    people::internal,
};

const LIFE: Duration = Duration::from_secs(300);
const PURPOSE: &str = "bot_attempt";
const CONTEXT: &str = "secrets|bot_attempt";
const PREFIX: &str = "";
/// A begun sign-in through the bot.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "named as in the contract")]
pub struct BotStart {
    pub link: String,
    /// For apps that open the chat without the payload.
    pub command: String,
    /// To be shown beside the link.
    pub match_code: String,
    /// Names the attempt when polling.
    pub attempt: String,
    /// Proves at the poll that it is the browser that began.
    pub secret: String,
    pub expires_in: u64,
}

/// What a poll answers.
#[derive(Debug)]
pub enum BotPoll {
    /// The person has not decided yet.
    Pending,
    /// Signed in.
    SignedIn(Box<SignedIn>),
}

#[derive(Clone, Serialize, Deserialize)]
struct Attempt {
    secret_hash: Vec<u8>,
    match_code: u8,
    from: String,
    state: State,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
enum State {
    Waiting,
    Asked { telegram_id: String },
    Confirmed { user: UserId },
}

impl SignIn {
    /// The provider whose people write to the bot.
    fn telegram(&self) -> Result<&Arc<dyn Provider>, Refusal> {
        self.offered().find(|provider| provider.kind() == Kind::Telegram).ok_or(Refusal::NoSuchProvider)
    }

    /// Begins a sign-in through the bot.
    ///
    /// # Errors
    /// `NoSuchProvider` without a bot, `TooManyAttempts`.
    pub async fn start_bot(&self, origin: &Origin) -> Result<BotStart, Failure> {
        self.limits.reserve_from(Limited::SignInPerNetwork, origin).await?;
        self.telegram()?;
        let bot = self.bot.as_deref().ok_or(Refusal::NoSuchProvider)?;
        let random = self.parts.random.as_ref();
        let (payload, hash) = OpaqueSecret::mint(PREFIX, random);
        let (secret, secret_hash) = OpaqueSecret::mint(PREFIX, random);
        let match_code = two_digits(self.parts.random.id_bytes());
        let attempt =
            Attempt { secret_hash: secret_hash.to_vec(), match_code, from: described(origin), state: State::Waiting };
        self.remember(&hash, &kept(None), &attempt, self.parts.now()).await?;
        let link = start_link(&bot.username, &payload).ok_or_else(|| internal("the bot's username is malformed"))?;
        Ok(BotStart {
            link: link.into(),
            command: format!("/start {}", payload.as_str()),
            match_code: match_code.to_string(),
            attempt: payload.to_string(),
            secret: secret.to_string(),
            expires_in: LIFE.as_secs(),
        })
    }

    /// Asks whether the person has confirmed. The tokens are handed out once.
    ///
    /// # Errors
    /// `InvalidCode` for an attempt that is unknown, over, refused, or another browser's.
    pub async fn poll_bot(&self, attempt: &str, secret: &str, origin: &Origin) -> Result<BotPoll, Failure> {
        let hash = &OpaqueSecret::hash_of(PREFIX, attempt).ok_or(Refusal::InvalidCode)?;
        let shown = OpaqueSecret::hash_of(PREFIX, secret).ok_or(Refusal::InvalidCode)?;
        let now = self.parts.now();
        // Polls of strangers and of people who are still reading cost a look, not a transaction.
        match self.bot_attempt(&mut self.parts.store.reading(), hash, now).await? {
            Some(attempt) if !constant_time_eq(&attempt.secret_hash, &shown) => return Err(Refusal::InvalidCode.into()),
            Some(Attempt { state: State::Confirmed { .. }, .. }) => {}
            Some(_) => return Ok(BotPoll::Pending),
            None => return Err(Refusal::InvalidCode.into()),
        }
        let user = self
            .parts
            .store
            .transact("poll_bot_attempt", |mut uow| async move {
                let attempt = self.bot_attempt(&mut uow, hash, now).await?.ok_or(Refusal::InvalidCode)?;
                if !constant_time_eq(&attempt.secret_hash, &shown) {
                    return Err(Refusal::InvalidCode.into());
                }
                let State::Confirmed { user } = attempt.state else { return uow.commit(None).await };
                uow.secrets().take(hash, PURPOSE, now).await?;
                uow.commit(Some(user)).await
            })
            .await?;
        match user {
            None => Ok(BotPoll::Pending),
            Some(user) => {
                let signed_in = self.start_session(user, None, origin).await?;
                self.limits.give_back(Limited::SignInPerNetwork, &origin.network).await;
                Ok(BotPoll::SignedIn(Box::new(signed_in)))
            }
        }
    }

    async fn started(
        &self,
        bot: &TelegramBot,
        provider: &Arc<dyn Provider>,
        from: &BotUser,
        payload: Option<&str>,
    ) -> Result<(), Failure> {
        self.record_bot_access(provider, from, true).await?;
        let language = language_of(from);
        let asked = match payload {
            Some(payload) => self.ask(payload, from).await?,
            None => None,
        };
        let message = match asked {
            Some((attempt, payload)) => question(&attempt, &payload, &self.parts.settings.sign_in.public_url, language),
            None => plain(Text::BotSendTheCommand.in_language(language)),
        };
        if let Err(fault) = bot.api.send_message(&from.id, &message).await {
            tracing::warn!(%fault, "the bot could not answer");
        }
        Ok(())
    }

    /// Ties the attempt to the first person who opens its link.
    async fn ask(&self, payload: &str, from: &BotUser) -> Result<Option<(Attempt, String)>, Failure> {
        let Some(hash) = OpaqueSecret::hash_of(PREFIX, payload) else { return Ok(None) };
        let (hash, now, telegram_id) = (&hash, self.parts.now(), from.id.as_str());
        let attempt = self
            .parts
            .store
            .transact("ask_bot_attempt", |mut uow| async move {
                let Some(mut attempt) = self.bot_attempt(&mut uow, hash, now).await? else {
                    return uow.commit(None).await;
                };
                let mine = State::Asked { telegram_id: telegram_id.to_owned() };
                if attempt.state != State::Waiting && attempt.state != mine {
                    return uow.commit(None).await;
                }
                attempt.state = mine;
                self.keep(&mut uow, hash, &attempt).await?;
                uow.commit(Some(attempt)).await
            })
            .await?;
        Ok(attempt.map(|attempt| (attempt, payload.to_owned())))
    }

    /// A tap on a code, or on "not me".
    async fn pressed(&self, provider: &Arc<dyn Provider>, from: &BotUser, data: &str) -> Result<&'static str, Failure> {
        let (payload, code) = data.split_once(':').ok_or(Refusal::InvalidCode)?;
        let hash = &OpaqueSecret::hash_of(PREFIX, payload).ok_or(Refusal::InvalidCode)?;
        let now = self.parts.now();
        let language = language_of(from);
        let right = self
            .parts
            .store
            .transact("tap_bot_attempt", |mut uow| async move {
                let attempt = self.bot_attempt(&mut uow, hash, now).await?.ok_or(Refusal::InvalidCode)?;
                let mine = State::Asked { telegram_id: from.id.clone() };
                if attempt.state != mine {
                    return Err(Refusal::InvalidCode.into());
                }
                let right = attempt.match_code.to_string() == code;
                if !right {
                    uow.secrets().take(hash, PURPOSE, now).await?;
                }
                uow.commit(right).await
            })
            .await?;
        if !right {
            return Ok(Text::BotCancelled.in_language(language));
        }
        let profile = bot_profile(provider.as_ref(), &from.id, from.members())
            .map_err(|fault| provider_fault(provider.id(), fault))?;
        let user = self.admit(provider, profile).await?;
        self.parts
            .store
            .transact("confirm_bot_attempt", |mut uow| async move {
                let mut attempt = self.bot_attempt(&mut uow, hash, now).await?.ok_or(Refusal::InvalidCode)?;
                attempt.state = State::Confirmed { user };
                // From now on it is a way into the account: whatever shuts those must find it.
                let confirmed = self.sealed_secret(hash, &kept(Some(user)), &attempt, now)?;
                uow.secrets().take(hash, PURPOSE, now).await?;
                uow.secrets().insert(&confirmed).await?;
                uow.commit(()).await
            })
            .await?;
        Ok(Text::BotSignedIn.in_language(language))
    }

    /// Records whether the bot may write to a user who has linked this account.
    async fn record_bot_access(
        &self,
        provider: &Arc<dyn Provider>,
        from: &BotUser,
        may_write: bool,
    ) -> Result<(), Failure> {
        let hash = &self.parts.crypto.index.claim_hash(KIND, &name(provider.id(), &provider.issuer(), &from.id));
        let (now, event_id) = (self.parts.now(), EventId::mint(self.parts.random.as_ref()));
        self.parts
            .store
            .transact("record_bot_access", |mut uow| async move {
                let Some(claim) = uow.claims().find(hash).await? else { return uow.commit(()).await };
                let Some(user) = uow.users().find(claim.owner).await? else { return uow.commit(()).await };
                let identities = uow.identities().of_user(claim.owner).await?;
                for mut identity in identities {
                    // A user may have linked several accounts of this provider.
                    if identity.provider != provider.id()
                        || identity.bot_access == may_write
                        || self.open(&user, identity.id, "subject", &identity.subject)?.as_slice() != from.id.as_bytes()
                    {
                        continue;
                    }
                    identity.bot_access = may_write;
                    uow.identities().update(&identity).await?;
                    let event = Event {
                        id: event_id,
                        kind: EventKind::BotAccessChanged,
                        user_id: claim.owner,
                        at: now,
                        data: serde_json::json!({ "identity_id": identity.id, "may_write": may_write }),
                    };
                    uow.outbox().push(&event).await?;
                    break;
                }
                uow.commit(()).await
            })
            .await
    }

    async fn bot_attempt(&self, uow: &mut UnitOfWork, hash: &[u8], now: Timestamp) -> Result<Option<Attempt>, Failure> {
        match uow.secrets().find(hash, PURPOSE, now).await? {
            Some(secret) => self.unseal(CONTEXT, secret.payload).map(Some),
            None => Ok(None),
        }
    }

    async fn keep(&self, uow: &mut UnitOfWork, hash: &[u8], attempt: &Attempt) -> Result<(), Failure> {
        let bytes = serde_json::to_vec(attempt).map_err(internal)?;
        let sealed = self.parts.vault.seal(self.parts.random.as_ref(), CONTEXT, &bytes).map_err(internal)?;
        Ok(uow.secrets().update_payload(hash, &sealed.0).await?)
    }
}

#[async_trait]
impl UpdateHandler for SignIn {
    async fn handle(&self, bot: &TelegramBot, update: &Content) -> Result<bool, Failure> {
        let provider = self.telegram()?;
        match update {
            Content::Start { from, payload } => self.started(bot, provider, from, payload.as_deref()).await?,
            Content::Button { from, query_id, data, .. } => {
                let told = self.pressed(provider, from, data).await;
                let text = told.as_ref().map_or("", |text| text);
                if let Err(fault) = bot.api.answer_callback_query(query_id, text).await {
                    tracing::debug!(%fault, "a button could not be answered");
                }
                told?;
            }
            Content::Access { from, may_write } => self.record_bot_access(provider, from, *may_write).await?,
            Content::Text { .. } | Content::OwnPhone { .. } | Content::Other => return Ok(false),
        }
        Ok(true)
    }
}

const fn kept(owner: Option<UserId>) -> Keep {
    Keep { purpose: PURPOSE, context: CONTEXT, owner, life: LIFE }
}

/// The question in the chat: where the sign-in comes from, three codes of which one is right, and a way out.
fn question(attempt: &Attempt, payload: &str, site: &str, language: Language) -> Message {
    let (site, from) = (escape_html(site), escape_html(&attempt.from));
    let html = Text::BotWhichCode.filled(language, &[("site", &site), ("from", &from)]);
    let right = attempt.match_code;
    let mut codes = [right, 10 + (right + 27) % 90, 10 + (right + 53) % 90];
    codes.sort_unstable();
    let row = codes.map(|code| (code.to_string(), format!("{payload}:{code}"))).to_vec();
    let no = vec![(Text::BotNotMe.in_language(language).to_owned(), format!("{payload}:no"))];
    Message { html, buttons: vec![row, no], protect: true, silent: false }
}

fn language_of(person: &BotUser) -> Language {
    person.language().map_or_else(Language::default, |tag| Language::of_tag(&tag))
}

fn plain(text: &str) -> Message {
    Message { html: escape_html(text), ..Message::default() }
}

fn described(origin: &Origin) -> String {
    let ip = origin.ip.as_deref().unwrap_or("?");
    origin.user_agent.as_ref().map_or_else(|| ip.to_owned(), |agent| format!("{ip}, {agent}"))
}

/// 10 to 99, from 128 random bits.
fn two_digits(bytes: [u8; 16]) -> u8 {
    u8::try_from(10 + u128::from_be_bytes(bytes) % 90).unwrap_or(10)
}
