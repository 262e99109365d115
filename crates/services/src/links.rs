//! Links in messages: `/l/{token}`. Opening one changes nothing, because mail scanners open them too; confirming it does
//! the one thing that it is for.
//!
//! The row of such a link has no owner: a change of the password removes the one-time tokens of a user, and whoever got
//! into an account could by it take away the link that throws them out. Whose it is stands in the sealed payload. Links
//! that open something have one (`mailbox_proofs.rs`, `link_tokens.rs`). No link signs in.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use url::Url;
use userd_crypto::OpaqueSecret;
use userd_model::{
    FactorId, IdentityId, Refusal, Sealed, SessionId, Timestamp, User, UserId, UserStatus,
    preferences::{CategoryName, MessageChannel},
};
use userd_storage::{Failure, UnitOfWork, repositories::one_time_tokens::OneTimeToken};

use crate::{
    Context, Dependencies,
    change::{Change, Changes},
    limits::{Limited, Limits},
    link_tokens::{self, PREFIX, hash_of, url},
    mailbox_proofs,
    preferences::NotificationPreferences,
    sealing::row_context,
    user_reader::internal,
};

const CONTEXT: &str = "one_time_tokens|link";
/// How long "this was not me" can be said.
pub(crate) const NOT_ME_LIFE: Duration = Duration::from_secs(7 * DAY.as_secs());
const DAY: Duration = Duration::from_secs(24 * 3600);

/// What a link does when it is confirmed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "purpose", rename_all = "snake_case")]
pub enum LinkAct {
    /// Switches a channel of a category off. Doing it twice does no harm, so the link stays.
    Unsubscribe {
        /// Of which messages.
        category: CategoryName,
        /// Which way.
        channel: MessageChannel,
    },
    /// "This was not me": ends every session, and takes back what the message told of. Once; carried out by `not_me`.
    NotMe {
        /// The session that the message told of.
        session_id: Option<SessionId>,
    },
    /// Proves an e-mail address. Once; carried out by `emails`.
    ConfirmEmail,
    /// Gives a deleted account back. Once; carried out by `deletion`.
    Restore,
    /// Sets a new password, which its form asks for. Once; carried out by `recovery`.
    ResetPassword,
    /// Makes the account of whoever was invited, with a password which its form asks for. Once; carried out by `accounts`.
    AcceptInvitation,
}

/// How a link is confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirmation {
    /// By the form of its page.
    Form,
    /// By the button of a mail program (RFC 8058), or by nothing at all: enough to unsubscribe, and for nothing else.
    OneClick,
}

/// What a confirmation did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Followed {
    /// What the link is for is done.
    Done(LinkAct),
    /// Nothing was done: the page is to be shown, and its form confirmed.
    Ask(LinkAct),
    /// Nothing was done yet: another service carries it out.
    Elsewhere(LinkAct),
}

/// Whose it is and what it does, sealed at rest.
#[derive(Serialize, Deserialize)]
struct Payload {
    user: UserId,
    act: LinkAct,
    /// What "this was not me" takes back; none where it only signs out, and in links of a release that did not write it down.
    #[serde(default)]
    told: Option<Told>,
}

/// What a message told of, to a mailbox or a chat that was the account's long before.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Told {
    /// When it happened.
    pub(crate) at: Timestamp,
    /// The first address of the account until then; none for a chat.
    pub(crate) to: Option<String>,
    pub(crate) what: Happened,
}

/// What can be taken back.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Happened {
    /// An account elsewhere was linked.
    Linked(IdentityId),
    /// A further address was proven.
    AddressAdded(String),
    /// Another address is the first one.
    FirstAddress,
    /// A factor was set up.
    Factor(FactorId),
    /// Recovery codes were made, at that time.
    RecoveryCodes,
    /// Nothing that stays.
    Passed,
}

/// Makes links and follows them.
#[derive(Clone)]
pub struct Links {
    deps: Dependencies,
    changes: Changes,
    limits: Limits,
}

impl LinkAct {
    /// Of links whose rows say what they do.
    const PURPOSES: [&'static str; 2] = ["link_unsubscribe", "link_not_me"];
    /// Of links that open something: their rows have an owner, but for resets of unproven addresses, and are another service's.
    const ELSEWHERE: [Self; 3] = [Self::ConfirmEmail, Self::ResetPassword, Self::Restore];

    const fn purpose(&self) -> &'static str {
        let [unsubscribe, not_me] = Self::PURPOSES;
        match self {
            Self::Unsubscribe { .. } => unsubscribe,
            Self::NotMe { .. } => not_me,
            Self::ConfirmEmail => mailbox_proofs::PURPOSE,
            Self::ResetPassword => link_tokens::PASSWORD_RESET,
            Self::Restore => link_tokens::RESTORE,
            Self::AcceptInvitation => "invitation",
        }
    }

    const fn life(&self) -> Duration {
        match self {
            Self::Unsubscribe { .. } => Duration::from_secs(30 * DAY.as_secs()),
            Self::NotMe { .. } => NOT_ME_LIFE,
            Self::ConfirmEmail => mailbox_proofs::LIFE,
            // These say themselves how long they are good.
            Self::ResetPassword | Self::Restore | Self::AcceptInvitation => link_tokens::PASSWORD_RESET_LIFE,
        }
    }
}

impl Links {
    pub(crate) const fn new(deps: Dependencies, changes: Changes, limits: Limits) -> Self {
        Self { deps, changes, limits }
    }

    /// Makes a link within the change that makes its message. It is told to nobody else: only its hash is stored.
    ///
    /// # Errors
    /// `Forbidden` for unsubscribing from what cannot be muted.
    pub async fn mint(&self, change: &mut Change<'_>, owner: UserId, act: LinkAct) -> Result<Url, Failure> {
        if let LinkAct::Unsubscribe { category, channel } = &act
            && !category.may_be_muted(*channel)
        {
            return Err(Refusal::Forbidden.into());
        }
        self.mint_payload(change, Payload { user: owner, act, told: None }).await
    }

    /// A link that says "this was not me"; what it takes back beside the sessions is `told`.
    pub(crate) async fn mint_not_me(
        &self,
        change: &mut Change<'_>,
        owner: UserId,
        session_id: Option<SessionId>,
        told: Option<Told>,
    ) -> Result<Url, Failure> {
        self.mint_payload(change, Payload { user: owner, act: LinkAct::NotMe { session_id }, told }).await
    }

    async fn mint_payload(&self, change: &mut Change<'_>, payload: Payload) -> Result<Url, Failure> {
        let (text, hash) = OpaqueSecret::mint(PREFIX, self.deps.random.as_ref());
        let (purpose, life) = (payload.act.purpose().to_owned(), payload.act.life());
        let payload = userd_crypto::Zeroizing::new(serde_json::to_vec(&payload).map_err(internal)?);
        let context = row_context(CONTEXT, &[&hash]);
        let token = OneTimeToken {
            hash: hash.to_vec(),
            purpose,
            owner: None,
            payload: self.deps.vault.seal(self.deps.random.as_ref(), &context, &payload).map_err(internal)?.0,
            created_at: change.now,
            expires_at: change.now.plus(life),
        };
        change.one_time_tokens().insert(&token).await?;
        url(&self.deps, &text)
    }

    /// What a link would do. Changes nothing.
    ///
    /// # Errors
    /// `NotFound` for what is no link, `LinkGone` for one that is unknown, used or expired, `TooManyAttempts`.
    pub async fn look(&self, ctx: &Context, token: &str) -> Result<LinkAct, Failure> {
        Ok(self.found(ctx, token).await?.1)
    }

    /// Does what the link is for.
    ///
    /// # Errors
    /// Those of [`Self::look`].
    pub async fn follow(&self, ctx: &Context, token: &str, how: Confirmation) -> Result<Followed, Failure> {
        let (hash, act) = &self.found(ctx, token).await?;
        if !matches!(act, LinkAct::Unsubscribe { .. }) {
            let is_confirmed = how == Confirmation::Form;
            return Ok(if is_confirmed { Followed::Elsewhere(act.clone()) } else { Followed::Ask(act.clone()) });
        }
        let done = self
            .changes
            .run(ctx, "follow_link", |mut change| async move {
                let now = change.now;
                let Payload { user, act, .. } = self.stored(&mut change, hash, now).await?.ok_or(Refusal::LinkGone)?;
                let LinkAct::Unsubscribe { category, channel } = &act else { return Err(Refusal::LinkGone.into()) };
                must_exist(&mut change, user).await?;
                NotificationPreferences::mute(&mut change, user, category, *channel).await?;
                change.commit((user, act)).await
            })
            .await?;
        let (user, act) = done;
        tracing::info!(user_id = %user, purpose = act.purpose(), "a link of a message was followed");
        Ok(Followed::Done(act))
    }

    /// Uses a link up that says "this was not me": whose it is, and what it takes back.
    ///
    /// # Errors
    /// `LinkGone`, also for a link that is for something else.
    pub(crate) async fn take_not_me(
        &self,
        change: &mut Change<'_>,
        hash: &[u8; 32],
    ) -> Result<(UserId, Option<Told>), Failure> {
        let now = change.now;
        let Payload { user, act, told } = self.stored(change, hash, now).await?.ok_or(Refusal::LinkGone)?;
        let LinkAct::NotMe { .. } = act else { return Err(Refusal::LinkGone.into()) };
        change.one_time_tokens().take(hash, act.purpose(), now).await?.ok_or(Refusal::LinkGone)?;
        Ok((user, told))
    }

    /// Only what is no good link counts against a network: the mail programs of many people share one.
    pub(crate) async fn found(&self, ctx: &Context, token: &str) -> Result<([u8; 32], LinkAct), Failure> {
        let found = self.behind(ctx, token).await;
        self.limits.count_failure(Limited::LinkPerNetwork, &ctx.origin, found).await
    }

    async fn behind(&self, ctx: &Context, token: &str) -> Result<([u8; 32], LinkAct), Failure> {
        let hash = hash_of(token).ok_or(Refusal::NotFound)?;
        let mut reading = self.deps.store.reading();
        let mut found = self.stored(&mut reading, &hash, ctx.now).await?.map(|payload| payload.act);
        for act in LinkAct::ELSEWHERE {
            if found.is_none() && reading.one_time_tokens().find(&hash, act.purpose(), ctx.now).await?.is_some() {
                found = Some(act);
            }
        }
        if found.is_none() {
            // One without an address goes to nobody by mail.
            let invitation = reading.invitations().by_token(&hash).await?;
            let is_good = invitation.is_some_and(|found| found.email.is_some() && found.is_good(ctx.now));
            found = is_good.then_some(LinkAct::AcceptInvitation);
        }
        Ok((hash, found.ok_or(Refusal::LinkGone)?))
    }

    /// A token of the same form that is for something else is no link.
    async fn stored(&self, unit: &mut UnitOfWork, hash: &[u8; 32], now: Timestamp) -> Result<Option<Payload>, Failure> {
        for purpose in LinkAct::PURPOSES {
            if let Some(token) = unit.one_time_tokens().find(hash, purpose, now).await? {
                let context = row_context(CONTEXT, &[hash]);
                let bytes = self.deps.vault.open(&context, &Sealed(token.payload)).map_err(internal)?;
                let payload: Payload = serde_json::from_slice(&bytes).map_err(internal)?;
                return Ok((payload.act.purpose() == purpose).then_some(payload));
            }
        }
        Ok(None)
    }
}

/// Whether what the account has since `created_at` was its owner's before `at`: since the account began, or for as long as
/// such a link lives. Whoever brings an address along gets no link that takes anything back, until the links that tell of it
/// are over.
pub(crate) fn is_settled(user: &User, created_at: Timestamp, at: Timestamp) -> bool {
    created_at <= user.created_at || created_at.plus(NOT_ME_LIFE) <= at
}

/// Whoever a link was sent to, while they are there.
pub(crate) async fn must_exist(change: &mut Change<'_>, user: UserId) -> Result<User, Failure> {
    let user = change.users().find(user).await?.filter(|user| user.status != UserStatus::Deleted);
    Ok(user.ok_or(Refusal::LinkGone)?)
}
