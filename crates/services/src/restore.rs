//! After a backup was restored: what was issued until now ends, because nobody knows what happened since. Tokens by an
//! entry for verifiers and by new signing keys, sessions and codes one account after the other. Deliberately absent: files
//! and databases (the command line puts them in place).

use serde::Serialize;
use userd_model::{Act, Revoked, Timestamp};
use userd_storage::Failure;

use crate::{Context, Services};

/// Accounts per unit of work.
const PAGE: u32 = 50;
const REASON: &str = "backup_restored";

/// What ended.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct Ended {
    /// Tokens issued before this are dead.
    pub issued_before: Timestamp,
    /// Signing keys that are revoked now.
    pub revoked_keys: Vec<String>,
    /// The key that signs from now on.
    pub signing_key: Option<String>,
    /// Sessions that ended.
    pub sessions: u64,
}

impl Services {
    /// Ends everything that was issued before now: access tokens, the keys that signed them and, unless they are kept,
    /// sessions with the codes and links of their users. It can be repeated. `replaced` are the names of the audit log in
    /// the database whose place this one takes ([`crate::audit::names`]).
    ///
    /// # Errors
    /// `Forbidden`; storage faults: what is done by then stays done.
    pub async fn end_the_past(
        &self,
        ctx: &Context,
        keep_sessions: bool,
        replaced: &[String],
        progress: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<Ended, Failure> {
        ctx.may(&Act::EndThePast)?;
        let issued_before = Timestamp::from_seconds(self.deps.now().seconds());
        let revoked_keys = self.signing_keys.replace_all(ctx).await?;
        self.changes
            .run(ctx, "end_all_tokens", |mut change| async move {
                change.revoke(Revoked::All { issued_before });
                change.commit(()).await
            })
            .await?;
        self.audit.open_anew(ctx, replaced).await?;
        let sessions = if keep_sessions { 0 } else { self.end_all_sessions(ctx, progress).await? };
        tracing::warn!(%issued_before, sessions, "everything issued before now is dead");
        Ok(Ended { issued_before, revoked_keys, signing_key: self.deps.crypto.tokens.active_kid(), sessions })
    }

    async fn end_all_sessions(&self, ctx: &Context, progress: &(dyn Fn(u64) + Send + Sync)) -> Result<u64, Failure> {
        let (mut ended, mut after) = (0, None);
        loop {
            let page = self.deps.store.reading().users().page(after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(ended) };
            after = Some((last.created_at, last.id));
            let page = &page;
            ended += self
                .changes
                .run(ctx, "end_sessions_of_many", |mut change| async move {
                    let (mut count, now) = (0, change.now);
                    for user in page {
                        change.one_time_tokens().remove_of_owner(user.id).await?;
                        loop {
                            let alive = change.sessions().alive_of_user(user.id, now).await?;
                            if alive.is_empty() {
                                break;
                            }
                            count += alive.len() as u64;
                            change.end_sessions(alive, REASON).await?;
                        }
                    }
                    change.commit(count).await
                })
                .await?;
            progress(ended);
        }
    }
}
