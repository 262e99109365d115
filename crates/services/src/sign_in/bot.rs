//! Sign-in by a message to the messenger's bot. The browser shows a link and a two-digit code; the person presses
//! Start, sees in the chat where the sign-in comes from, and taps the code that the browser shows. A link sent to
//! somebody else therefore does not sign its sender in: the victim would have to know a code that only the sender's
//! browser shows, and one wrong tap ends the login.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use userd_channels::telegram::{BotUser, Content, Message, escape_html, start_link};
use userd_crypto::{OpaqueSecret, constant_time_eq};
use userd_model::{
    EventKind, IdentityId, Refusal, Timestamp, UserId, agents,
    texts::{Language, Text},
};
use userd_providers::{Kind, Provider, telegram::bot_profile};
use userd_storage::{Failure, UnitOfWork};

use super::{
    SignIn,
    admit::Admission,
    identity_names::{KIND, name},
    login_flow::Keep,
    provider_fault,
};
use crate::{
    Completion, Context, RequestOrigin,
    bot::{TelegramBot, UpdateHandler},
    limits::Limited,
    sign_in_outcome,
    user_reader::internal,
};

const LIFE: Duration = Duration::from_secs(300);
const PURPOSE: &str = crate::sessions::BOT_PURPOSE;
const CONTEXT: &str = "secrets|bot_attempt";
const PREFIX: &str = "";

/// A begun sign-in through the bot.
#[derive(Clone)]
#[expect(missing_docs, reason = "named as in the contract")]
pub struct BotStart {
    pub link: String,
    /// For apps that open the chat without the payload.
    pub command: String,
    /// To be shown beside the link.
    pub match_code: String,
    /// Names the login flow when polling.
    pub attempt: String,
    /// Proves at the poll that it is the browser that began.
    pub secret: String,
    pub expires_in: u64,
}

/// Shows none of what signs in: link, command, attempt, secret and code.
impl std::fmt::Debug for BotStart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BotStart").field("expires_in", &self.expires_in).finish_non_exhaustive()
    }
}

/// What a poll answers.
#[derive(Debug)]
pub enum BotPoll {
    /// The person has not decided yet.
    Pending,
    /// Confirmed: the way in is complete.
    Completed(Box<Completion>),
}

#[derive(Clone, Serialize, Deserialize)]
struct BotLogin {
    secret_hash: Vec<u8>,
    match_code: u8,
    from: String,
    state: State,
    /// The hash of the invitation that was shown.
    #[serde(default)]
    invitation: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
enum State {
    Waiting,
    Asked { telegram_id: String },
    Confirmed { user: UserId, identity: Option<IdentityId> },
    Refused(Why),
}

/// Why somebody who tapped the right code is not let in: told to the browser that began, for as long as the login lives.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Why {
    Blocked,
    AccountExists,
    AccountGone,
    DomainNotAllowed,
    InvitationGone,
    SignUpClosed,
}

impl Why {
    /// None for what ends no login: it may go better the next time.
    const fn of(refusal: &Refusal) -> Option<Self> {
        Some(match refusal {
            Refusal::Blocked => Self::Blocked,
            Refusal::AccountExists => Self::AccountExists,
            Refusal::ProviderRefused(slug) => match slug.as_bytes() {
                b"account_gone" => Self::AccountGone,
                b"domain_not_allowed" => Self::DomainNotAllowed,
                b"invitation_refused" => Self::InvitationGone,
                b"sign_up_closed" => Self::SignUpClosed,
                _ => return None,
            },
            _ => return None,
        })
    }

    const fn refusal(self) -> Refusal {
        match self {
            Self::Blocked => Refusal::Blocked,
            Self::AccountExists => Refusal::AccountExists,
            Self::AccountGone => Refusal::ProviderRefused("account_gone"),
            Self::DomainNotAllowed => Refusal::ProviderRefused("domain_not_allowed"),
            Self::InvitationGone => Refusal::InvitationGone,
            Self::SignUpClosed => Refusal::ProviderRefused("sign_up_closed"),
        }
    }
}

impl SignIn {
    /// The provider whose people write to the bot.
    pub(super) fn telegram(&self) -> Result<Arc<dyn Provider>, Refusal> {
        self.offered().into_iter().find(|provider| provider.kind() == Kind::Telegram).ok_or(Refusal::NoSuchProvider)
    }

    /// Whether there is a bot to sign in through.
    #[must_use]
    pub fn has_bot(&self) -> bool {
        self.bot.is_some()
    }

    /// Begins a sign-in through the bot, with the token of an invitation for whoever has no account yet.
    ///
    /// # Errors
    /// `NoSuchProvider` without a bot, `InvitationGone`, `TooManyAttempts`.
    pub async fn start_bot(&self, ctx: &Context, invitation: Option<&str>) -> Result<BotStart, Failure> {
        self.limits.reserve_from(Limited::SignInPerNetwork, &ctx.origin).await?;
        self.telegram()?;
        let bot = self.bot.as_deref().ok_or(Refusal::NoSuchProvider)?;
        let invitation = self.look_at_invitation(ctx, invitation).await?;
        let random = self.deps.random.as_ref();
        let (payload, hash) = OpaqueSecret::mint(PREFIX, random);
        let (secret, secret_hash) = OpaqueSecret::mint(PREFIX, random);
        let match_code = two_digits(self.deps.random.id_bytes());
        let login = BotLogin {
            secret_hash: secret_hash.to_vec(),
            match_code,
            from: described(&ctx.origin),
            state: State::Waiting,
            invitation,
        };
        self.remember(ctx, &hash, &kept(None), &login).await?;
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
    /// `InvalidCode` for a login that is unknown, over, declined in the chat, or another browser's. What speaks against the person
    /// who tapped the right code: `Blocked`, `AccountExists`, `InvitationGone`, `ProviderRefused`.
    pub async fn poll_bot(&self, ctx: &Context, attempt: &str, secret: &str) -> Result<BotPoll, Failure> {
        let hash = &OpaqueSecret::hash_of(PREFIX, attempt).ok_or(Refusal::InvalidCode)?;
        let shown = OpaqueSecret::hash_of(PREFIX, secret).ok_or(Refusal::InvalidCode)?;
        let now = self.deps.now();
        // Polls of strangers and of people who are still reading cost a look, not a transaction.
        match self.bot_login(&mut self.deps.store.reading(), hash, now).await? {
            Some(login) if !constant_time_eq(&login.secret_hash, &shown) => return Err(Refusal::InvalidCode.into()),
            Some(BotLogin { state: State::Confirmed { .. }, .. }) => {}
            Some(BotLogin { state: State::Refused(why), .. }) => return Err(why.refusal().into()),
            Some(_) => return Ok(BotPoll::Pending),
            None => return Err(Refusal::InvalidCode.into()),
        }
        let user = self
            .changes
            .run(ctx, "poll_bot_attempt", |mut change| async move {
                let login = self.bot_login(&mut change, hash, now).await?.ok_or(Refusal::InvalidCode)?;
                if !constant_time_eq(&login.secret_hash, &shown) {
                    return Err(Refusal::InvalidCode.into());
                }
                let State::Confirmed { user, identity } = login.state else { return change.commit(None).await };
                change.one_time_tokens().take(hash, PURPOSE, now).await?;
                change.commit(Some(Admission { user, identity })).await
            })
            .await?;
        match user {
            None => Ok(BotPoll::Pending),
            Some(admission) => {
                let end = self.start_session(ctx, admission, None).await;
                let telegram = self.telegram().ok();
                let method = telegram.as_ref().map_or(sign_in_outcome::UNKNOWN, |telegram| telegram.id());
                sign_in_outcome::ended(method, end.as_ref().map(Completion::who));
                let completion = end?;
                self.limits.give_back(Limited::SignInPerNetwork, &ctx.origin.network).await;
                Ok(BotPoll::Completed(Box::new(completion)))
            }
        }
    }

    async fn started(
        &self,
        ctx: &Context,
        bot: &TelegramBot,
        provider: &Arc<dyn Provider>,
        from: &BotUser,
        payload: Option<&str>,
    ) -> Result<(), Failure> {
        self.record_bot_access(ctx, provider, from, true).await?;
        let language = language_of(from);
        let asked = match payload {
            Some(payload) => self.ask(ctx, payload, from).await?,
            None => None,
        };
        let message = match asked {
            Some((login, payload)) => question(&login, &payload, &self.deps.settings.sign_in.public_url, language),
            None => plain(Text::BotSendTheCommand.in_language(language)),
        };
        if let Err(fault) = bot.api.send_message(&from.id, &message).await {
            tracing::warn!(%fault, "the bot could not answer");
        }
        Ok(())
    }

    /// Ties the login to the first person who opens its link.
    async fn ask(&self, ctx: &Context, payload: &str, from: &BotUser) -> Result<Option<(BotLogin, String)>, Failure> {
        let Some(hash) = OpaqueSecret::hash_of(PREFIX, payload) else { return Ok(None) };
        let (hash, now, telegram_id) = (&hash, self.deps.now(), from.id.as_str());
        let login = self
            .changes
            .run(ctx, "ask_bot_attempt", |mut change| async move {
                let Some(mut login) = self.bot_login(&mut change, hash, now).await? else {
                    return change.commit(None).await;
                };
                let mine = State::Asked { telegram_id: telegram_id.to_owned() };
                if login.state != State::Waiting && login.state != mine {
                    return change.commit(None).await;
                }
                login.state = mine;
                self.keep(&mut change, hash, &login).await?;
                change.commit(Some(login)).await
            })
            .await?;
        Ok(login.map(|login| (login, payload.to_owned())))
    }

    /// A tap on a code, or on "not me".
    async fn pressed(
        &self,
        ctx: &Context,
        provider: &Arc<dyn Provider>,
        from: &BotUser,
        data: &str,
    ) -> Result<&'static str, Failure> {
        let (payload, code) = data.split_once(':').ok_or(Refusal::InvalidCode)?;
        let hash = &OpaqueSecret::hash_of(PREFIX, payload).ok_or(Refusal::InvalidCode)?;
        let now = self.deps.now();
        let language = language_of(from);
        let (right, invitation) = self
            .changes
            .run(ctx, "tap_bot_attempt", |mut change| async move {
                let login = self.bot_login(&mut change, hash, now).await?.ok_or(Refusal::InvalidCode)?;
                let mine = State::Asked { telegram_id: from.id.clone() };
                if login.state != mine {
                    return Err(Refusal::InvalidCode.into());
                }
                let right = login.match_code.to_string() == code;
                if !right {
                    change.one_time_tokens().take(hash, PURPOSE, now).await?;
                }
                change.commit((right, login.invitation)).await
            })
            .await?;
        if !right {
            sign_in_outcome::ended_early(provider.id(), &Refusal::ProviderRefused("access_denied").into());
            return Ok(Text::BotCancelled.in_language(language));
        }
        let profile = bot_profile(provider.as_ref(), &from.id, from.members())
            .map_err(|fault| provider_fault(provider.id(), fault))?;
        let admission = self.admit(ctx, provider, profile, None, invitation.as_deref()).await;
        let Admission { user, identity } = match admission {
            Ok(admission) => admission,
            Err(failure) => return self.not_let_in(ctx, provider, hash, failure, language).await,
        };
        self.changes
            .run(ctx, "confirm_bot_attempt", |mut change| async move {
                let mut login = self.bot_login(&mut change, hash, now).await?.ok_or(Refusal::InvalidCode)?;
                login.state = State::Confirmed { user, identity };
                // From now on it signs its owner in, so a new password or a block must find and remove it.
                let confirmed = self.sealed_secret(&change, hash, &kept(Some(user)), &login)?;
                change.one_time_tokens().take(hash, PURPOSE, now).await?;
                change.one_time_tokens().insert(&confirmed).await?;
                change.commit(()).await
            })
            .await?;
        Ok(Text::BotSignedIn.in_language(language))
    }

    /// What speaks against the person waits for their browser; the chat says that something does.
    async fn not_let_in(
        &self,
        ctx: &Context,
        provider: &Arc<dyn Provider>,
        hash: &[u8],
        failure: Failure,
        language: Language,
    ) -> Result<&'static str, Failure> {
        let why = match &failure {
            Failure::Refused(refusal) => Why::of(refusal),
            _ => None,
        };
        let Some(why) = why else { return Err(failure) };
        sign_in_outcome::ended_early(provider.id(), &failure);
        self.changes
            .run(ctx, "refuse_bot_attempt", |mut change| async move {
                let now = change.now;
                let mut login = self.bot_login(&mut change, hash, now).await?.ok_or(Refusal::InvalidCode)?;
                login.state = State::Refused(why);
                self.keep(&mut change, hash, &login).await?;
                change.commit(()).await
            })
            .await?;
        Ok(Text::BotRefused.in_language(language))
    }

    /// Records whether the bot may write to a user who has linked this account.
    pub(super) async fn record_bot_access(
        &self,
        ctx: &Context,
        provider: &Arc<dyn Provider>,
        from: &BotUser,
        may_write: bool,
    ) -> Result<(), Failure> {
        let hash = &self.deps.crypto.index.claim_hash(KIND, &name(provider.id(), &provider.issuer(), &from.id));
        self.changes
            .run(ctx, "record_bot_access", |mut change| async move {
                let Some(claim) = change.claims().find(hash).await? else { return change.commit(()).await };
                let Some(user) = change.users().find(claim.owner).await? else { return change.commit(()).await };
                let identities = change.identities().of_user(claim.owner).await?;
                for mut identity in identities {
                    // A user may have linked several accounts of this provider.
                    if identity.provider != provider.id()
                        || identity.bot_access == may_write
                        || self.open(&user, identity.id, "subject", &identity.subject)?.as_slice() != from.id.as_bytes()
                    {
                        continue;
                    }
                    identity.bot_access = may_write;
                    change.identities().update(&identity).await?;
                    let data = serde_json::json!({ "identity_id": identity.id, "may_write": may_write });
                    change.event(EventKind::BotAccessChanged, claim.owner, data);
                    break;
                }
                change.commit(()).await
            })
            .await
    }

    async fn bot_login(&self, uow: &mut UnitOfWork, hash: &[u8], now: Timestamp) -> Result<Option<BotLogin>, Failure> {
        match uow.one_time_tokens().find(hash, PURPOSE, now).await? {
            Some(secret) => self.unseal(CONTEXT, hash, secret.payload).map(Some),
            None => Ok(None),
        }
    }

    async fn keep(&self, uow: &mut UnitOfWork, hash: &[u8], login: &BotLogin) -> Result<(), Failure> {
        let sealed = self.sealed(CONTEXT, hash, login)?;
        Ok(uow.one_time_tokens().update_payload(hash, &sealed).await?)
    }
}

#[async_trait]
impl UpdateHandler for SignIn {
    async fn handle(&self, ctx: &Context, bot: &TelegramBot, update: &Content) -> Result<bool, Failure> {
        let provider = self.telegram()?;
        match update {
            Content::Start { from, payload } => self.started(ctx, bot, &provider, from, payload.as_deref()).await?,
            Content::Button { from, query_id, data, .. } => {
                let answer = self.pressed(ctx, &provider, from, data).await;
                let text = answer.as_ref().map_or("", |text| text);
                if let Err(fault) = bot.api.answer_callback_query(query_id, text).await {
                    tracing::debug!(%fault, "a button could not be answered");
                }
                answer?;
            }
            Content::Access { from, may_write } => self.record_bot_access(ctx, &provider, from, *may_write).await?,
            Content::Text { .. } | Content::OwnPhone { .. } | Content::Other => return Ok(false),
        }
        Ok(true)
    }
}

const fn kept(owner: Option<UserId>) -> Keep {
    Keep { purpose: PURPOSE, context: CONTEXT, owner, life: LIFE }
}

/// The question in the chat: where the sign-in comes from, three codes of which one is right, and a way out.
fn question(login: &BotLogin, payload: &str, site: &str, language: Language) -> Message {
    let (site, from) = (escape_html(site), escape_html(&login.from));
    let html = Text::BotWhichCode.filled(language, &[("site", &site), ("from", &from)]);
    let right = login.match_code;
    let mut codes = [right, 10 + (right + 27) % 90, 10 + (right + 53) % 90];
    codes.sort_unstable();
    let row = codes.map(|code| (code.to_string(), format!("{payload}:{code}"))).to_vec();
    let no = vec![(Text::BotNotMe.in_language(language).to_owned(), format!("{payload}:no"))];
    Message { html, buttons: vec![row, no], protect: true, ..Message::default() }
}

pub(super) fn language_of(person: &BotUser) -> Language {
    person.language().map_or_else(Language::default, |tag| Language::of_tag(&tag))
}

fn plain(text: &str) -> Message {
    Message { html: escape_html(text), ..Message::default() }
}

fn described(origin: &RequestOrigin) -> String {
    let ip = origin.ip.as_deref().unwrap_or("?");
    origin.user_agent.as_deref().map_or_else(|| ip.to_owned(), |agent| format!("{ip}, {}", agents::called(agent)))
}

/// 10 to 99, from 128 random bits.
fn two_digits(bytes: [u8; 16]) -> u8 {
    u8::try_from(10 + u128::from_be_bytes(bytes) % 90).unwrap_or(10)
}
