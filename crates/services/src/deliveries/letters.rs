//! Letters: mails to an address rather than to a user, because they prove it, or help somebody who cannot sign in. Whom a
//! letter is for, and whether anybody, is looked up when it is sent: the request that asks for one does the same for
//! every address, in the same time.

use serde::{Deserialize, Serialize};
use userd_channels::email::Email as Mail;
use userd_model::{Delivery, DeliveryChannel, DeliveryId, Email, Timestamp, User, UserId, agents};
use userd_storage::{Failure, repositories::deliveries::queue_of};
use userd_templates::{Kind, Reader, Value, Values};

use super::{Deliveries, content::Content, send::Outcome};
use crate::{
    Context,
    addresses::addresses_of,
    change::Change,
    email_code_rows::mint_code,
    limits::Limited,
    link_tokens,
    links::LinkAct,
    mailbox_proofs::{self, Proofs, Proves},
    sealing::hex,
    user_reader::{internal, open_field},
};

/// A mail to an address.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "letter", rename_all = "snake_case")]
pub(crate) enum Letter {
    /// Link and code that prove the address. Whoever has it already is told so instead.
    ProveAddress { to: String, locale: Option<String>, token: String, code: String, owner: Option<UserId> },
    /// The same for the claimed address of an account that has not proven it, if there is such an account.
    ProveOwn { claim: Vec<u8> },
    /// A link that sets a new password.
    ResetPassword { whose: Whose, asked: Asked },
    /// A code that signs in whoever has proven this address, if anybody.
    SignInCode { claim: Vec<u8>, challenge: Vec<u8>, asked: Asked },
    /// An invitation to register, while it is good.
    Invitation { to: String, locale: Option<String>, token: String, until: Timestamp },
    /// The account is deleted, and how to have it back.
    AccountDeleted { user: UserId },
    /// To the address that an account had.
    AddressChanged { to: String, user: UserId, asked: Asked },
}

/// Whose account a letter is about.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Whose {
    /// Of whoever has this login, if anybody.
    Login(Vec<u8>),
    /// Of this user.
    User(UserId),
}

/// When and from where a letter was asked for.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Asked {
    at: Timestamp,
    address: Option<String>,
    device: Option<String>,
}

/// A letter that has somebody to go to.
struct Addressed {
    to: Email,
    name: Option<String>,
    kind: Kind,
    values: Values,
    reader: Reader,
}

impl Asked {
    pub(crate) fn from(ctx: &Context, at: Timestamp) -> Self {
        Self { at, address: ctx.origin.ip.clone(), device: ctx.origin.user_agent.clone() }
    }

    fn into_values(self, values: Values) -> Values {
        // As the pages call it: who did not do this looks for the same words in the list of devices.
        let device = self.device.as_deref().map(agents::called);
        let values = values.with("at", Value::Moment(self.at)).with_words("device", device.as_deref());
        match self.address {
            Some(address) => values.with("address", Value::Exact(address)),
            None => values,
        }
    }
}

impl Letter {
    /// How long it is worth sending: no longer than what it carries is good.
    const fn life(&self) -> std::time::Duration {
        match self {
            Self::ProveAddress { .. }
            | Self::ProveOwn { .. }
            | Self::AddressChanged { .. }
            | Self::Invitation { .. }
            | Self::AccountDeleted { .. } => mailbox_proofs::LIFE,
            Self::SignInCode { .. } => mailbox_proofs::CODE_LIFE,
            Self::ResetPassword { .. } => link_tokens::PASSWORD_RESET_LIFE,
        }
    }
}

impl Deliveries {
    /// Asks for a letter, in the change that it belongs to. Wake the worker after the commit.
    pub(crate) async fn post(
        &self,
        change: &mut Change<'_>,
        letter: &Letter,
        user: Option<UserId>,
    ) -> Result<(), Failure> {
        let id: DeliveryId = change.id();
        let content = self.seal(id, &Content::Letter(letter.clone()))?;
        let base = Self::delivery(id, DeliveryChannel::Email, queue_of(id.0), content, change.now);
        let deadline = change.now.plus(letter.life());
        let remove_at = Delivery::kept_while_pending(deadline);
        let delivery = Delivery { user_id: user, deadline, remove_at, ..base };
        Ok(change.deliveries().insert_many(&[delivery]).await?)
    }

    pub(super) async fn send_letter(&self, delivery: &Delivery, letter: Letter) -> Result<Outcome, Failure> {
        let Some(addressed) = self.address(letter).await? else {
            return Ok(Outcome::Nobody("there is nobody to write to"));
        };
        let Addressed { to, name, kind, values, reader } = addressed;
        let claim = self.deps.crypto.index.claim_hash("email", to.as_str());
        let recipient = format!("{}|{}", kind.as_str(), hex(&claim));
        if self.limits.reserve(Limited::MailPerRecipient, &recipient).await.is_err() {
            return Ok(Outcome::Nobody("this address got too many such mails"));
        }
        let rendered = self.channels.templates.render(kind, &values, &reader).map_err(internal)?;
        let mail = Mail {
            id: delivery.id.0,
            at: delivery.created_at,
            to,
            to_name: name,
            subject: rendered.subject,
            text: rendered.text,
            html: rendered.html,
            language: userd_templates::tag(reader.language).to_owned(),
            unsubscribe: None,
        };
        let outcome = match &self.channels.email {
            None => return Ok(Outcome::Kept(Box::new(mail))),
            Some(relay) => relay.send(&mail).await.map_or_else(Outcome::Failed, |()| Outcome::Taken),
        };
        if matches!(outcome, Outcome::Failed(_)) {
            self.limits.give_back(Limited::MailPerRecipient, &recipient).await;
        }
        Ok(outcome)
    }

    /// To whom a letter goes and what it says; none where there is nobody.
    async fn address(&self, letter: Letter) -> Result<Option<Addressed>, Failure> {
        match letter {
            Letter::ProveAddress { to, locale, token, code, owner } => {
                let to = Email::parse(&to).map_err(internal)?;
                let reader = Reader::of(locale.as_deref(), None);
                let claim = self.deps.crypto.index.claim_hash("email", to.as_str());
                let taken_by = self.deps.store.reading().claims().find(&claim).await?.map(|claim| claim.owner);
                if taken_by.is_some() && taken_by != owner {
                    return self.tell_taken(to, taken_by, reader).await;
                }
                self.proving(to, None, (&token, &code), reader).map(Some)
            }
            Letter::ProveOwn { claim } => {
                let Some(user) = self.user_behind(&Whose::Login(claim)).await? else { return Ok(None) };
                let Some(to) = self.email_of(&user)?.filter(|_| !user.email_verified) else { return Ok(None) };
                let (address, owner) = (&to, user.id);
                let minted = self
                    .changes
                    .run(&self.changes.system_context(), "mint_proof", |mut change| async move {
                        let now = change.now;
                        let minted =
                            Proofs(&self.deps).mint(&mut change, now, address, (Proves::Own(owner), None)).await?;
                        change.commit(minted).await
                    })
                    .await?;
                let reader = Reader::of(user.locale.as_deref(), user.time_zone.as_deref());
                let name = user.display_name.clone();
                self.proving(to, name, (&minted.token, &minted.code), reader).map(Some)
            }
            Letter::ResetPassword { whose, asked } => {
                let Some(user) = self.user_behind(&whose).await? else { return Ok(None) };
                let Some(to) = self.reset_address(&user, &whose).await? else { return Ok(None) };
                let link = link_tokens::mint_reset(&self.deps, &self.changes, &user, &to).await?;
                let reader = Reader::of(user.locale.as_deref(), user.time_zone.as_deref());
                let values = asked.into_values(self.values()).with("link", Value::Link(link));
                Ok(Some(Addressed { to, name: user.display_name, kind: Kind::ResetPassword, values, reader }))
            }
            Letter::SignInCode { claim, challenge, asked } => self.sign_in_code(&claim, &challenge, asked).await,
            Letter::Invitation { to, locale, token, until } => {
                let hash = link_tokens::hash_of(&token).unwrap_or_default();
                if self.deps.store.reading().invitations().by_token(&hash).await?.is_none() {
                    return Ok(None);
                }
                let to = Email::parse(&to).map_err(internal)?;
                let link = link_tokens::url(&self.deps, &token)?;
                let values = self.values().with("link", Value::Link(link)).with("until", Value::Moment(until));
                let reader = Reader::of(locale.as_deref(), None);
                Ok(Some(Addressed { to, name: None, kind: Kind::Invitation, values, reader }))
            }
            Letter::AccountDeleted { user } => {
                let mut reading = self.deps.store.reading();
                let deletion = reading.deletions().find(user).await?;
                let (Some(deletion), Some(user)) = (deletion, reading.users().find(user).await?) else {
                    return Ok(None);
                };
                let Some(to) = self.email_of(&user)?.filter(|_| user.email_verified) else { return Ok(None) };
                let values = self
                    .values()
                    .with("at", Value::Moment(deletion.deleted_at))
                    .with("until", Value::Moment(deletion.purge_at));
                let values = if deletion.by == userd_model::DeletedBy::Owner {
                    let link = link_tokens::mint_restore(&self.deps, &self.changes, &deletion).await?;
                    values.with("link", Value::Link(link))
                } else {
                    values
                };
                let reader = Reader::of(user.locale.as_deref(), user.time_zone.as_deref());
                Ok(Some(Addressed { to, name: user.display_name, kind: Kind::AccountDeleted, values, reader }))
            }
            Letter::AddressChanged { to, user, asked } => {
                let to = Email::parse(&to).map_err(internal)?;
                let Some(user) = self.user_behind(&Whose::User(user)).await? else { return Ok(None) };
                let link = self.mint(&user, LinkAct::NotMe { session_id: None }).await?;
                let reader = Reader::of(user.locale.as_deref(), user.time_zone.as_deref());
                let values = asked.into_values(self.values()).with("link", Value::Link(link));
                Ok(Some(Addressed { to, name: user.display_name, kind: Kind::EmailChanged, values, reader }))
            }
        }
    }

    /// Whoever deleted their account signs in to have it back, so it counts here.
    async fn sign_in_code(&self, claim: &[u8], challenge: &[u8], asked: Asked) -> Result<Option<Addressed>, Failure> {
        let mut reading = self.deps.store.reading();
        let Some(found) = reading.claims().find(claim).await? else { return Ok(None) };
        let Some(user) = reading.users().find(found.owner).await? else { return Ok(None) };
        let Some(to) = self.proven_address(&user, claim).await? else { return Ok(None) };
        let code = mint_code(&self.deps, &self.changes, challenge, user.id).await?;
        let values = asked.into_values(self.values()).with("code", Value::Exact(code.to_string()));
        let reader = Reader::of(user.locale.as_deref(), user.time_zone.as_deref());
        Ok(Some(Addressed { to, name: user.display_name, kind: Kind::SignInCode, values, reader }))
    }

    /// Where a link to reset the password goes: to the proven address that was asked for, else to the first one. It is read
    /// from the account, never from what was typed.
    pub(crate) async fn reset_address(&self, user: &User, whose: &Whose) -> Result<Option<Email>, Failure> {
        // Who only claims an address has no business with an account that may do more than its owner's things.
        if !user.email_verified && user.holds_rights() {
            return Ok(None);
        }
        if let Whose::Login(claim) = whose
            && let Some(asked_for) = self.proven_address(user, claim).await?
        {
            return Ok(Some(asked_for));
        }
        self.email_of(user)
    }

    /// The address with this claim, if the user has proven it.
    async fn proven_address(&self, user: &User, claim: &[u8]) -> Result<Option<Email>, Failure> {
        let index = &self.deps.crypto.index;
        let all = addresses_of(&self.deps, &mut self.deps.store.reading(), user).await?;
        let mut proven = all.into_iter().filter(|address| address.verified);
        let asked_for = proven.find(|address| index.claim_hash("email", &address.email)[..] == *claim);
        Ok(asked_for.and_then(|address| Email::parse(&address.email).ok()))
    }

    fn proving(
        &self,
        to: Email,
        name: Option<String>,
        (token, code): (&str, &str),
        reader: Reader,
    ) -> Result<Addressed, Failure> {
        let link = link_tokens::url(&self.deps, token)?;
        let values = self.values().with("link", Value::Link(link)).with("code", Value::Exact(code.to_owned()));
        Ok(Addressed { to, name, kind: Kind::ConfirmAddress, values, reader })
    }

    /// The address has an account: its owner is told, in their own language, and whoever asked is not.
    async fn tell_taken(&self, to: Email, owner: Option<UserId>, asked: Reader) -> Result<Option<Addressed>, Failure> {
        let user = match owner {
            Some(owner) => self.user_behind(&Whose::User(owner)).await?,
            None => None,
        };
        let reader = match &user {
            Some(user) => Reader::of(user.locale.as_deref(), user.time_zone.as_deref()),
            None => asked,
        };
        let name = user.and_then(|user| user.display_name);
        Ok(Some(Addressed { to, name, kind: Kind::AddressTaken, values: self.values(), reader }))
    }

    /// The account, if it may be used.
    async fn user_behind(&self, whose: &Whose) -> Result<Option<User>, Failure> {
        let mut reading = self.deps.store.reading();
        let id = match whose {
            Whose::User(id) => Some(*id),
            Whose::Login(claim) => reading.claims().find(claim).await?.map(|claim| claim.owner),
        };
        let Some(id) = id else { return Ok(None) };
        Ok(reading.users().find(id).await?.filter(|user| user.must_be_active(self.deps.now()).is_ok()))
    }

    fn email_of(&self, user: &User) -> Result<Option<Email>, Failure> {
        let address = open_field(&self.deps, user, "email", user.email.as_ref())?;
        Ok(address.as_deref().and_then(|address| Email::parse(address).ok()))
    }

    fn values(&self) -> Values {
        Values::default().with("site", Value::Words(self.deps.settings.site()))
    }
}
