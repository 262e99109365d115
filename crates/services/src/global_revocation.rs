//! Global token revocation (draft-parecki-oauth-global-token-revocation): another party that manages the same people, such
//! as a directory or a receiver of alarms, ends whatever this service has issued to one of them.

use userd_model::{Act, Refusal, UserId, UserStatus};
use userd_storage::Failure;

use crate::{
    Context, Dependencies,
    change::Changes,
    limits::{Limited, Limits},
    sessions::login_key,
    users::sign_out_everywhere,
};

/// Why the sessions end, as events tell it.
const REASON: &str = "global_token_revocation";

/// Ends what was issued to somebody.
pub struct GlobalRevocation {
    pub(crate) deps: Dependencies,
    pub(crate) changes: Changes,
    pub(crate) limits: Limits,
}

/// Whom another party means (RFC 9493).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamedSubject<'a> {
    /// The id that tokens carry.
    Id(&'a str),
    /// The same, of this issuer.
    IssuerAndId(&'a str, &'a str),
    /// An e-mail address of the account.
    Email(&'a str),
}

impl GlobalRevocation {
    /// Ends every session of an account and makes every access token of before void.
    ///
    /// # Errors
    /// `Forbidden`, `TooManyAttempts`; `NotFound` for whoever is not known here, or is of another issuer.
    pub async fn revoke(&self, ctx: &Context, subject: NamedSubject<'_>) -> Result<(), Failure> {
        // Before it is known whom: whoever may not, learns nothing about who is there.
        ctx.may(&Act::RevokeTokens(UserId(uuid::Uuid::nil())))?;
        self.limits.reserve(Limited::TokenRevocation, &ctx.actor.name()).await?;
        let id = self.find(subject).await?.ok_or(Refusal::NotFound)?;
        ctx.may(&Act::RevokeTokens(id))?;
        self.changes
            .run(ctx, "global_token_revocation", |mut change| async move {
                let found = change.users().find(id).await?.filter(|user| user.status != UserStatus::Deleted);
                let mut user = found.ok_or(Refusal::NotFound)?;
                sign_out_everywhere(&mut change, &mut user, REASON).await?;
                change.commit(()).await
            })
            .await?;
        tracing::info!(user_id = %id, by = %ctx.actor.name(), "another party has ended everything of an account");
        Ok(())
    }

    async fn find(&self, subject: NamedSubject<'_>) -> Result<Option<UserId>, Failure> {
        match subject {
            NamedSubject::Id(id) => Ok(id.parse().ok()),
            NamedSubject::IssuerAndId(issuer, id) if issuer == self.deps.settings.issuer => Ok(id.parse().ok()),
            NamedSubject::IssuerAndId(..) => Ok(None),
            NamedSubject::Email(email) => {
                let Some(key) = login_key(&self.deps, email).claim.filter(|_| email.contains('@')) else {
                    return Ok(None);
                };
                Ok(self.deps.store.reading().claims().find(&key).await?.map(|claim| claim.owner))
            }
        }
    }
}
