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
    claims::holder,
    email_code_rows::mint_code,
    link_tokens,
    links::{Happened, Told},
    mailbox_limits::{Asking, Reserved},
    mailbox_proofs::{self, Proofs, Proves, Wanted},
    user_reader::{internal, open_field},
};

/// A mail to an address.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "letter", rename_all = "snake_case")]
pub(crate) enum Letter {
    /// Link and code that prove the address. Whoever has it already is told so instead.
    ProveAddress {
        to: String,
        locale: Option<String>,
        token: String,
        code: String,
        owner: Option<UserId>,
        /// The address had too many when it was asked for: it was made all the same, so that asking takes as long.
        #[serde(default)]
        held_back: bool,
    },
    /// The same for the claimed address of an account that has not proven it, if there is such an account.
    ProveOwn {
        claim: Vec<u8>,
        #[serde(default)]
        asking: Asking,
    },
    /// A link that sets a new password.
    ResetPassword { whose: Whose, asked: Asked },
    /// A code that signs in whoever has proven this address, if anybody.
    SignInCode { claim: Vec<u8>, challenge: Vec<u8>, asked: Asked },
    /// An invitation to register, while it is good.
    Invitation { to: String, locale: Option<String>, token: String, until: Timestamp },
    /// The account is deleted, and how to have it back.
    AccountDeleted { user: UserId },
    /// To the address that an account had.
    AddressChanged {
        to: String,
        user: UserId,
        asked: Asked,
        /// Whether the account may be had back from there.
        #[serde(default)]
        settled: bool,
    },
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
    #[serde(default)]
    asking: Asking,
}

/// Nobody has the address, or may be written to there.
const NOBODY: &str = "there is nobody to write to";
/// The limits of an address.
const TOO_MANY: &str = "this address got too many such mails";

/// A letter, or why there is none.
type Found = Result<Addressed, &'static str>;

/// A letter that has somebody to go to.
struct Addressed {
    to: Email,
    name: Option<String>,
    kind: Kind,
    values: Values,
    reader: Reader,
    /// Its place among the mails that the address gets.
    reserved: Reserved,
}

impl Asked {
    pub(crate) fn from(ctx: &Context, at: Timestamp) -> Self {
        let (address, device) = (ctx.origin.ip.clone(), ctx.origin.user_agent.clone());
        Self { at, address, device, asking: Asking::default() }
    }

    /// The same, asked for by them.
    pub(crate) fn by(self, asking: Asking) -> Self {
        Self { asking, ..self }
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
        let Addressed { to, name, kind, values, reader, reserved } = match self.address(letter).await? {
            Ok(addressed) => addressed,
            Err(why) => return Ok(Outcome::Nobody(why)),
        };
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
            self.limits.give_all_back(reserved).await;
        }
        Ok(outcome)
    }

    /// To whom a letter goes and what it says. Whether the address may get one more is asked before anything is made that
    /// the letter would carry.
    async fn address(&self, letter: Letter) -> Result<Found, Failure> {
        match letter {
            Letter::ProveAddress { held_back: true, .. } => Ok(Err(TOO_MANY)),
            Letter::ProveAddress { to, locale, token, code, owner, .. } => {
                let to = Email::parse(&to).map_err(internal)?;
                let reader = Reader::of(locale.as_deref(), None);
                let taken_by = holder(&mut self.deps.store.reading(), &self.claim_of(&to)).await?;
                // Its place was taken when it was asked for.
                let reserved = Reserved::default();
                if taken_by.is_some() && taken_by != owner {
                    return self.tell_taken((to, reserved), taken_by, reader).await.map(Ok);
                }
                self.proving((to, reserved), None, (&token, &code), reader).map(Ok)
            }
            Letter::ProveOwn { claim, asking } => self.prove_own(claim, &asking).await,
            Letter::ResetPassword { whose, asked } => self.reset_password(&whose, asked).await,
            Letter::SignInCode { claim, challenge, asked } => self.sign_in_code(&claim, &challenge, asked).await,
            Letter::Invitation { to, locale, token, until } => {
                let hash = link_tokens::hash_of(&token).unwrap_or_default();
                if self.deps.store.reading().invitations().by_token(&hash).await?.is_none() {
                    return Ok(Err(NOBODY));
                }
                let (to, kind) = (Email::parse(&to).map_err(internal)?, Kind::Invitation);
                let Some(reserved) = self.place_for(kind, &to, None, None).await else { return Ok(Err(TOO_MANY)) };
                let link = link_tokens::url(&self.deps, &token)?;
                let values = self.values().with("link", Value::Link(link)).with("until", Value::Moment(until));
                let reader = Reader::of(locale.as_deref(), None);
                Ok(Ok(Addressed { to, name: None, kind, values, reader, reserved }))
            }
            Letter::AccountDeleted { user } => self.account_deleted(user).await,
            Letter::AddressChanged { to, user, asked, settled } => {
                let (to, kind) = (Email::parse(&to).map_err(internal)?, Kind::EmailChanged);
                let Some(user) = self.user_behind(&Whose::User(user)).await? else { return Ok(Err(NOBODY)) };
                let Some(reserved) = self.place_for(kind, &to, None, None).await else { return Ok(Err(TOO_MANY)) };
                let before = Some(to.as_str().to_owned());
                let told = Told { at: asked.at, to: before, what: Happened::FirstAddress };
                let link = self.mint_not_me(&user, None, settled.then_some(told)).await?;
                let reader = Reader::of(user.locale.as_deref(), user.time_zone.as_deref());
                let values = asked.into_values(self.values()).with("link", Value::Link(link));
                Ok(Ok(Addressed { to, name: user.display_name, kind, values, reader, reserved }))
            }
        }
    }

    async fn prove_own(&self, claim: Vec<u8>, asking: &Asking) -> Result<Found, Failure> {
        let Some(user) = self.user_behind(&Whose::Login(claim)).await? else { return Ok(Err(NOBODY)) };
        let Some(to) = self.email_of(&user)?.filter(|_| !user.email_verified) else { return Ok(Err(NOBODY)) };
        let (address, owner) = (&to, user.id);
        let reserved = self.place_for(Kind::ConfirmAddress, address, Some(asking), Some(owner)).await;
        let Some(reserved) = reserved else { return Ok(Err(TOO_MANY)) };
        let minted = self
            .changes
            .run(&self.changes.system_context(), "mint_proof", |mut change| async move {
                let (now, proves) = (change.now, Proves::Own(owner));
                let wanted = Wanted { proves, session: None, goes_out: true };
                let minted = Proofs(&self.deps).mint(&mut change, now, address, wanted).await?;
                change.commit(minted).await
            })
            .await?;
        let reader = Reader::of(user.locale.as_deref(), user.time_zone.as_deref());
        self.proving((to, reserved), user.display_name, (&minted.token, &minted.code), reader).map(Ok)
    }

    async fn reset_password(&self, whose: &Whose, asked: Asked) -> Result<Found, Failure> {
        let Some(user) = self.user_behind(whose).await? else { return Ok(Err(NOBODY)) };
        let Some(to) = self.reset_address(&user, whose).await? else { return Ok(Err(NOBODY)) };
        let kind = Kind::ResetPassword;
        let reserved = self.place_for(kind, &to, Some(&asked.asking), Some(user.id)).await;
        let Some(reserved) = reserved else { return Ok(Err(TOO_MANY)) };
        let link = link_tokens::mint_reset(&self.deps, &self.changes, &user, &to).await?;
        let reader = Reader::of(user.locale.as_deref(), user.time_zone.as_deref());
        let values = asked.into_values(self.values()).with("link", Value::Link(link));
        Ok(Ok(Addressed { to, name: user.display_name, kind, values, reader, reserved }))
    }

    /// Whoever deleted their account signs in to have it back, so it counts here.
    async fn sign_in_code(&self, claim: &[u8], challenge: &[u8], asked: Asked) -> Result<Found, Failure> {
        let mut reading = self.deps.store.reading();
        let Some(found) = reading.claims().find(claim).await? else { return Ok(Err(NOBODY)) };
        let Some(user) = reading.users().find(found.owner).await? else { return Ok(Err(NOBODY)) };
        let Some(to) = self.proven_address(&user, claim).await? else { return Ok(Err(NOBODY)) };
        let kind = Kind::SignInCode;
        let reserved = self.place_for(kind, &to, Some(&asked.asking), Some(user.id)).await;
        let Some(reserved) = reserved else { return Ok(Err(TOO_MANY)) };
        let minted = mint_code(&self.deps, &self.changes, challenge, (claim, user.id)).await?;
        let Some(code) = minted else { return Ok(Err(NOBODY)) };
        let values = asked.into_values(self.values()).with("code", Value::Exact(code.to_string()));
        let reader = Reader::of(user.locale.as_deref(), user.time_zone.as_deref());
        Ok(Ok(Addressed { to, name: user.display_name, kind, values, reader, reserved }))
    }

    async fn account_deleted(&self, user: UserId) -> Result<Found, Failure> {
        let mut reading = self.deps.store.reading();
        let deletion = reading.deletions().find(user).await?;
        let (Some(deletion), Some(user)) = (deletion, reading.users().find(user).await?) else {
            return Ok(Err(NOBODY));
        };
        let Some(to) = self.email_of(&user)?.filter(|_| user.email_verified) else { return Ok(Err(NOBODY)) };
        let kind = Kind::AccountDeleted;
        let Some(reserved) = self.place_for(kind, &to, None, None).await else { return Ok(Err(TOO_MANY)) };
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
        Ok(Ok(Addressed { to, name: user.display_name, kind, values, reader, reserved }))
    }

    /// A place among the mails of this kind that an address gets, if there is one.
    async fn place_for(
        &self,
        kind: Kind,
        to: &Email,
        asking: Option<&Asking>,
        owner: Option<UserId>,
    ) -> Option<Reserved> {
        self.limits.reserve_mail((kind, &self.claim_of(to)), asking, owner).await
    }

    fn claim_of(&self, address: &Email) -> Vec<u8> {
        self.deps.crypto.index.claim_hash("email", address.as_str()).to_vec()
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
        (to, reserved): (Email, Reserved),
        name: Option<String>,
        (token, code): (&str, &str),
        reader: Reader,
    ) -> Result<Addressed, Failure> {
        let link = link_tokens::url(&self.deps, token)?;
        let values = self.values().with("link", Value::Link(link)).with("code", Value::Exact(code.to_owned()));
        Ok(Addressed { to, name, kind: Kind::ConfirmAddress, values, reader, reserved })
    }

    /// The address has an account: its owner is told, in their own language, and whoever asked is not.
    async fn tell_taken(
        &self,
        (to, reserved): (Email, Reserved),
        owner: Option<UserId>,
        asked: Reader,
    ) -> Result<Addressed, Failure> {
        let user = match owner {
            Some(owner) => self.user_behind(&Whose::User(owner)).await?,
            None => None,
        };
        let reader = match &user {
            Some(user) => Reader::of(user.locale.as_deref(), user.time_zone.as_deref()),
            None => asked,
        };
        let name = user.and_then(|user| user.display_name);
        Ok(Addressed { to, name, kind: Kind::AddressTaken, values: self.values(), reader, reserved })
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A link or code that is good no more is of no use to anybody.
    #[test]
    fn a_letter_is_tried_for_as_long_as_what_it_carries_is_good() {
        let at = Timestamp::from_seconds(1_800_000_000);
        let asked = || Asked { at, address: None, device: None, asking: Asking::default() };
        let (to, user) = (|| "ada@example.org".to_owned(), UserId::from_random([1; 16]));
        let (token, code) = (|| "token".to_owned(), "code".to_owned());
        let prove =
            Letter::ProveAddress { to: to(), locale: None, token: token(), code, owner: None, held_back: false };
        let own = Letter::ProveOwn { claim: Vec::new(), asking: Asking::default() };
        let reset = Letter::ResetPassword { whose: Whose::User(user), asked: asked() };
        let sign_in = Letter::SignInCode { claim: Vec::new(), challenge: Vec::new(), asked: asked() };
        let invitation = Letter::Invitation { to: to(), locale: None, token: token(), until: at };
        let changed = Letter::AddressChanged { to: to(), user, asked: asked(), settled: true };
        for (letter, minutes) in [
            (prove, 24 * 60),
            (own, 24 * 60),
            (reset, 60),
            (sign_in, 10),
            (invitation, 24 * 60),
            (Letter::AccountDeleted { user }, 24 * 60),
            (changed, 24 * 60),
        ] {
            assert_eq!(letter.life().as_secs(), minutes * 60);
        }
    }
}
