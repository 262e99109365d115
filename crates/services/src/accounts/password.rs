//! A new password: proven by the current one, or by a fresh sign-in where there is none yet; every other session ends,
//! and every code on its way to the user dies.

use userd_model::{Act, EventKind, Refusal, SessionId, UserId, password::AboutUser};
use userd_storage::{Failure, repositories::password_credentials::PasswordCredential};

use super::Accounts;
use crate::{Context, Dependencies, UserView, passwords::Password, recent_proof};

impl Accounts {
    /// Changes the password of the signed-in user. Whoever holds a second factor has shown it a moment ago.
    ///
    /// # Errors
    /// `InsufficientAuthentication`, `WrongCurrentPassword`, `InvalidInput`, `TooManyAttempts`, `Busy`.
    pub async fn change_password(&self, ctx: &Context, current: &Password, new: &Password) -> Result<(), Failure> {
        self.replace_password(ctx, Some(current), new, None).await
    }

    /// Sets the first password of the signed-in user, who came by a provider so far: a fresh sign-in stands for the
    /// current password.
    ///
    /// # Errors
    /// `InvalidInput` also where there is a password already, `InsufficientAuthentication`, `Busy`.
    pub async fn set_first_password(&self, ctx: &Context, new: &Password) -> Result<(), Failure> {
        self.replace_password(ctx, None, new, None).await
    }

    /// One or the other, by whether a current password is shown; of an account that still has the expected version.
    ///
    /// # Errors
    /// `VersionMismatch`, and those of either.
    pub async fn replace_password(
        &self,
        ctx: &Context,
        current: Option<&Password>,
        new: &Password,
        expected: Option<i64>,
    ) -> Result<(), Failure> {
        let (user, session) = ctx.user()?;
        ctx.may(&Act::ChangePassword(user))?;
        let ground = match current {
            Some(current) => self.proven_by_current(ctx, current, new).await?,
            None => self.proven_by_sign_in(ctx, new).await?,
        };
        let hash = self.proof.hash(new, &ctx.origin).await?;
        self.store_password(ctx, user, hash, &ground, Some(session), expected).await
    }

    async fn proven_by_current(&self, ctx: &Context, current: &Password, new: &Password) -> Result<Ground, Failure> {
        let (user, session) = ctx.user()?;
        recent_proof::must_show_factor(ctx, &self.deps.settings, &mut self.deps.store.reading(), user).await?;
        let proven = self.proof.again(user, session, current, &ctx.origin).await?;
        check_new_password(&self.deps, &self.user_reader.view(&proven.user)?, new, "/new_password")?;
        self.proof.must_differ_if_demanded(user, new, &ctx.origin).await?;
        Ok(Ground::Current(proven.hash))
    }

    async fn proven_by_sign_in(&self, ctx: &Context, new: &Password) -> Result<Ground, Failure> {
        let (user, _) = ctx.user()?;
        if self.deps.store.reading().password_credentials().find(user).await?.is_some() {
            return Err(current_password_wanted().into());
        }
        recent_proof::must_be_given(ctx, &self.deps.settings, &mut self.deps.store.reading()).await?;
        check_new_password(&self.deps, &self.user_reader.show_own(user).await?, new, "/new_password")?;
        Ok(Ground::First)
    }

    /// Sets a password without knowing the old one: the operator's way in.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`, `InvalidInput`, `Busy`.
    pub async fn set_password(&self, ctx: &Context, user: UserId, new: &Password) -> Result<(), Failure> {
        ctx.may(&Act::SetPassword(user))?;
        let view = self.user_reader.show(user).await?;
        check_new_password(&self.deps, &view, new, "/password")?;
        let hash = self.proof.hash(new, &ctx.origin).await?;
        self.store_password(ctx, user, hash, &Ground::Operator, None, None).await
    }

    /// Stores the hash, ends every session but `keep`, and voids every one-time token on its way to the user. A change
    /// in between makes the ground on which this was asked worth nothing.
    async fn store_password(
        &self,
        ctx: &Context,
        user: UserId,
        hash: String,
        ground: &Ground,
        keep: Option<SessionId>,
        expected: Option<i64>,
    ) -> Result<(), Failure> {
        let hash = &hash;
        self.changes
            .run(ctx, "change_password", |mut change| async move {
                let owner = change.users().find(user).await?.ok_or(Refusal::NotFound)?;
                let stored = change.password_credentials().find(user).await?;
                ground.must_hold(stored.as_ref())?;
                if keep.is_some() {
                    owner.must_be_active(change.now)?;
                }
                if !matches!(ground, Ground::Operator) {
                    let by_password = matches!(ground, Ground::Current(_));
                    recent_proof::must_still_be_given(ctx, &self.deps.settings, &mut change, by_password).await?;
                }
                owner.must_have_version(expected)?;
                let now = change.now;
                let credential =
                    PasswordCredential { user_id: user, hash: hash.clone(), changed_at: now, must_change: false };
                change.password_credentials().upsert(&credential).await?;
                change.one_time_tokens().remove_of_owner(user).await?;
                let mut others = change.sessions().alive_of_user(user, now).await?;
                others.retain(|session| Some(session.id) != keep);
                change.end_sessions(others, "password_changed").await?;
                change.event(EventKind::PasswordChanged, user, serde_json::json!({}));
                change.commit(()).await
            })
            .await?;
        tracing::info!(user_id = %user, "password changed");
        Ok(())
    }
}

/// Whether the user may have this password.
pub(crate) fn check_new_password(
    deps: &Dependencies,
    user: &UserView,
    new: &Password,
    pointer: &str,
) -> Result<(), Refusal> {
    let about = AboutUser {
        email: user.email.as_deref(),
        username: user.username.as_deref(),
        display_name: user.display_name.as_deref(),
    };
    let rules = &deps.settings.password_rules;
    rules.check(new.expose(), &about).map_err(|detail| Refusal::field(pointer, detail))
}

/// What a new password rests on.
enum Ground {
    /// The hash that the current password matched.
    Current(String),
    /// There was none.
    First,
    /// The operator's word.
    Operator,
}

impl Ground {
    fn must_hold(&self, stored: Option<&PasswordCredential>) -> Result<(), Refusal> {
        match self {
            Self::Current(proven) if stored.is_none_or(|stored| stored.hash != *proven) => {
                Err(Refusal::WrongCurrentPassword)
            }
            Self::First if stored.is_some() => Err(current_password_wanted()),
            Self::Current(_) | Self::First | Self::Operator => Ok(()),
        }
    }
}

fn current_password_wanted() -> Refusal {
    Refusal::field("/current_password", "is required: this account has a password")
}
