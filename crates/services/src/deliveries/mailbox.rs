//! The development mailbox: without a relay, mails lie here for whoever operates the service.

use serde::{Deserialize, Serialize};
use userd_channels::email::Email;
use userd_crypto::place;
use userd_model::{Act, Delivery, DeliveryId, Sealed, Timestamp, UserId};
use userd_storage::{Failure, repositories::mails::StoredMail};

use super::Deliveries;
use crate::{Context, change::Change, user_reader::internal};

/// A mail as the operator sees it.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the members of the contract's `userd mail list`")]
pub struct MailView {
    pub id: DeliveryId,
    pub to: String,
    pub subject: String,
    pub text: String,
    pub html: String,
    pub created_at: Timestamp,
}

/// Links in mails are secrets.
impl std::fmt::Debug for MailView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MailView").field("id", &self.id).finish_non_exhaustive()
    }
}

#[derive(Serialize, Deserialize)]
struct Content {
    to: String,
    subject: String,
    text: String,
    html: String,
}

impl Deliveries {
    /// The newest mails of the development mailbox, newest first.
    ///
    /// # Errors
    /// `Forbidden` for everybody but the operator; storage faults.
    pub async fn mails(&self, ctx: &Context, limit: u32) -> Result<Vec<MailView>, Failure> {
        ctx.may(&Act::ReadMails)?;
        let now = ctx.now;
        let mails = self.deps.store.reading().mails().newest(limit).await?;
        mails.into_iter().filter(|mail| mail.expires_at > now).map(|mail| self.mail(&mail)).collect()
    }

    /// One mail of the development mailbox.
    ///
    /// # Errors
    /// `Forbidden`; storage faults.
    pub async fn find_mail(&self, ctx: &Context, id: DeliveryId) -> Result<Option<MailView>, Failure> {
        ctx.may(&Act::ReadMails)?;
        let found = self.deps.store.reading().mails().find(id).await?;
        found.filter(|mail| mail.expires_at > ctx.now).map(|mail| self.mail(&mail)).transpose()
    }

    pub(super) async fn keep(
        &self,
        change: &mut Change<'_>,
        delivery: &Delivery,
        email: &Email,
    ) -> Result<(), Failure> {
        // Of a mail to an address nobody is known; the nil id is nobody's.
        let user_id = delivery.user_id.unwrap_or(UserId(uuid::Uuid::nil()));
        let Email { to, subject, text, html, .. } = email.clone();
        let plain =
            serde_json::to_vec(&Content { to: to.as_str().to_owned(), subject, text, html }).map_err(internal)?;
        let content =
            self.deps.vault.seal(self.deps.random.as_ref(), &context(delivery.id), &plain).map_err(internal)?.0;
        let (created_at, expires_at) = (change.now, change.now.plus(self.deps.settings.retention.mails));
        let most = self.deps.settings.retention.mails_count;
        let newest = change.mails().newest_ids(u32::try_from(most).unwrap_or(u32::MAX).saturating_add(100)).await?;
        let too_many: Vec<_> = newest.into_iter().skip(most.max(1) - 1).collect();
        change.mails().remove_many(&too_many).await?;
        change.mails().insert(&StoredMail { id: delivery.id, user_id, content, created_at, expires_at }).await?;
        Ok(())
    }

    fn mail(&self, mail: &StoredMail) -> Result<MailView, Failure> {
        let plain = self.deps.vault.open(&context(mail.id), &Sealed(mail.content.clone())).map_err(internal)?;
        let Content { to, subject, text, html } = serde_json::from_slice(&plain).map_err(internal)?;
        Ok(MailView { id: mail.id, to, subject, text, html, created_at: mail.created_at })
    }
}

fn context(id: DeliveryId) -> String {
    place("mails", "content", id)
}
