//! Sign-in by a message to the messenger's bot. The browser shows a link and a two-digit code; the person presses
//! Start, sees in the chat where the sign-in comes from, and taps the code that the browser shows. A link sent to
//! somebody else therefore does not sign its sender in: the victim would have to know a code that only the sender's
//! browser shows, and one wrong tap ends the attempt.

use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use userd_crypto::{OpaqueSecret, constant_time_eq};
use userd_model::{Event, EventId, EventKind, Refusal, Timestamp, UserId};
use userd_providers::{
    Kind, Provider, Secret,
    telegram::{
        bot::{BotUser, Content, Update, start_link, webhook_secret_matches},
        bot_api::{BotApi, Message, escape_html},
    },
};
use userd_storage::{Failure, UnitOfWork};

use super::{SignIn, admit::KIND, admit::name, attempts::Keep, provider_fault};
use crate::{Origin, SignedIn, limits::Limited, people::internal};

const LIFE: Duration = Duration::from_secs(300);
const PURPOSE: &str = "bot_attempt";
const CONTEXT: &str = "secrets|bot_attempt";
const PREFIX: &str = "";
/// Updates are recognised as repeated for this long; Telegram gives up on them after a day.
const UPDATES_KEPT: Duration = Duration::from_secs(25 * 3600);

/// The bot, where one is configured.
pub struct BotDoor {
    /// Its API.
    pub api: BotApi,
    /// Its name, for links.
    pub username: String,
    /// What the webhook must bring along.
    pub webhook_secret: Secret,
}

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
    fn bot_door(&self) -> Result<(&BotDoor, &Arc<dyn Provider>), Refusal> {
        let provider = self.offered().find(|provider| provider.kind() == Kind::Telegram);
        self.bot.as_deref().zip(provider).ok_or(Refusal::NoSuchProvider)
    }

    /// Begins a sign-in through the bot.
    ///
    /// # Errors
    /// `NoSuchProvider` without a bot, `TooManyAttempts`.
    pub async fn start_bot(&self, origin: &Origin) -> Result<BotStart, Failure> {
        self.limits.reserve_from(Limited::SignInPerNetwork, origin).await?;
        let (door, _) = self.bot_door()?;
        let random = self.parts.random.as_ref();
        let (payload, hash) = OpaqueSecret::mint(PREFIX, random);
        let (secret, secret_hash) = OpaqueSecret::mint(PREFIX, random);
        let match_code = two_digits(self.parts.random.id_bytes());
        let attempt =
            Attempt { secret_hash: secret_hash.to_vec(), match_code, from: described(origin), state: State::Waiting };
        self.remember(&hash, &kept(None), &attempt, self.parts.now()).await?;
        let link = start_link(&door.username, &payload).ok_or_else(|| internal("the bot's username is malformed"))?;
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
                uow.one_time_tokens().take(hash, PURPOSE, now).await?;
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

    /// Takes one call of the bot's webhook.
    ///
    /// # Errors
    /// `NotSignedIn` without the right secret, `Malformed` for what is no update.
    pub async fn take_update(&self, secret: Option<&[u8]>, body: &[u8]) -> Result<(), Failure> {
        let (door, provider) = self.bot_door()?;
        if !webhook_secret_matches(&door.webhook_secret, secret) {
            return Err(Refusal::NotSignedIn.into());
        }
        let update = Update::parse(body).map_err(|_| Refusal::Malformed("this is no update of the Bot API"))?;
        if self.was_taken(update.id).await? {
            return Ok(());
        }
        let answered = match update.content {
            Content::Start { from, payload } => self.started(door, provider, &from, payload.as_deref()).await,
            Content::Button { from, query_id, data, .. } => {
                let told = self.pressed(provider, &from, &data).await;
                let text = told.as_ref().map_or("", |text| text);
                if let Err(fault) = door.api.answer_callback_query(&query_id, text).await {
                    tracing::debug!(%fault, "a button could not be answered");
                }
                told.map(drop)
            }
            Content::Access { from, may_write } => self.record_bot_access(provider, &from, may_write).await,
            Content::Text { .. } | Content::OwnPhone { .. } | Content::Other => Ok(()),
        };
        match answered {
            Err(Failure::Refused(refusal)) => tracing::debug!(%refusal, "an update of the bot was refused"),
            // Telegram repeats what was not taken: nothing is lost while the database is away.
            other => other?,
        }
        self.mark_taken(update.id).await
    }

    /// Whether this update was taken before. Each step of a sign-in is single use by itself, so an update that is
    /// taken twice at the same moment does nothing twice.
    async fn was_taken(&self, update: i64) -> Result<bool, Failure> {
        Ok(self.parts.store.reading().replay_guard().was_consumed(&self.update_hash(update)).await?)
    }

    async fn mark_taken(&self, update: i64) -> Result<(), Failure> {
        let (hash, until) = (&self.update_hash(update), self.parts.now().plus(UPDATES_KEPT));
        self.parts
            .store
            .transact("take_bot_update", |mut uow| async move {
                uow.replay_guard().consume_once(hash, "bot_update", until).await?;
                uow.commit(()).await
            })
            .await
    }

    fn update_hash(&self, update: i64) -> [u8; 32] {
        self.parts.crypto.index.keyed_hash("bot update", &[&update.to_be_bytes()])
    }

    async fn started(
        &self,
        door: &BotDoor,
        provider: &Arc<dyn Provider>,
        from: &BotUser,
        payload: Option<&str>,
    ) -> Result<(), Failure> {
        self.record_bot_access(provider, from, true).await?;
        let russian = from.language().is_some_and(|language| language.starts_with("ru"));
        let asked = match payload {
            Some(payload) => self.ask(payload, from).await?,
            None => None,
        };
        let message = match (asked, payload) {
            (Some((attempt, payload)), _) => {
                question(&attempt, &payload, &self.parts.settings.sign_in.public_url, russian)
            }
            (None, _) if russian => plain("Откройте страницу входа и отправьте команду, показанную на ней."),
            (None, _) => plain("Open the sign-in page and send the command that it shows."),
        };
        if let Err(fault) = door.api.send_message(&from.id, &message).await {
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
        let russian = from.language().is_some_and(|language| language.starts_with("ru"));
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
                    uow.one_time_tokens().take(hash, PURPOSE, now).await?;
                }
                uow.commit(right).await
            })
            .await?;
        if !right {
            return Ok(if russian { "Вход отменён." } else { "The sign-in is cancelled." });
        }
        let profile = from.profile(provider.as_ref()).map_err(|fault| provider_fault(provider.id(), fault))?;
        let user = self.admit(provider, profile).await?;
        self.parts
            .store
            .transact("confirm_bot_attempt", |mut uow| async move {
                let mut attempt = self.bot_attempt(&mut uow, hash, now).await?.ok_or(Refusal::InvalidCode)?;
                attempt.state = State::Confirmed { user };
                // From now on it is a way into the account: whatever shuts those must find it.
                let confirmed = self.sealed_secret(hash, &kept(Some(user)), &attempt, now)?;
                uow.one_time_tokens().take(hash, PURPOSE, now).await?;
                uow.one_time_tokens().insert(&confirmed).await?;
                uow.commit(()).await
            })
            .await?;
        Ok(if russian {
            "Готово: вернитесь на страницу входа."
        } else {
            "Done: go back to the sign-in page."
        })
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
        match uow.one_time_tokens().find(hash, PURPOSE, now).await? {
            Some(secret) => self.unseal(CONTEXT, secret.payload).map(Some),
            None => Ok(None),
        }
    }

    async fn keep(&self, uow: &mut UnitOfWork, hash: &[u8], attempt: &Attempt) -> Result<(), Failure> {
        let bytes = serde_json::to_vec(attempt).map_err(internal)?;
        let sealed = self.parts.vault.seal(self.parts.random.as_ref(), CONTEXT, &bytes).map_err(internal)?;
        Ok(uow.one_time_tokens().update_payload(hash, &sealed.0).await?)
    }
}

const fn kept(owner: Option<UserId>) -> Keep {
    Keep { purpose: PURPOSE, context: CONTEXT, owner, life: LIFE }
}

/// The question in the chat: where the sign-in comes from, three codes of which one is right, and a way out.
fn question(attempt: &Attempt, payload: &str, site: &str, russian: bool) -> Message {
    let (site, from) = (escape_html(site), escape_html(&attempt.from));
    let html = if russian {
        format!(
            "Вход на <b>{site}</b>\n{from}\n\nНажмите код, который показывает браузер. Если вы не входите — «Это не я»."
        )
    } else {
        format!(
            "Sign-in to <b>{site}</b>\n{from}\n\nTap the code that your browser shows. If you are not signing in, tap “Not me”."
        )
    };
    let right = attempt.match_code;
    let mut codes = [right, 10 + (right + 27) % 90, 10 + (right + 53) % 90];
    codes.sort_unstable();
    let row = codes.map(|code| (code.to_string(), format!("{payload}:{code}"))).to_vec();
    let no = if russian { "Это не я" } else { "Not me" };
    Message { html, buttons: vec![row, vec![(no.to_owned(), format!("{payload}:no"))]], protect: true, silent: false }
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
