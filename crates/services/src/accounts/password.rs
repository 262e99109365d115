//! A new password: proven by the current one; every other session ends, and every code on its way to the user dies.

use userd_model::{Event, EventId, EventKind, Refusal, SessionId, UserId, password::AboutUser};
use userd_storage::{Failure, repositories::password_credentials::PasswordCredential};

use super::Accounts;
use crate::{Origin, Parts, UserView, passwords::Password, sessions::end_within};

impl Accounts {
    /// Changes the password of a signed-in user.
    ///
    /// # Errors
    /// `WrongCurrentPassword`, `InvalidInput`, `TooManyAttempts`, `Busy`.
    pub async fn change_password(
        &self,
        user: UserId,
        session: SessionId,
        current: &Password,
        new: &Password,
        origin: &Origin,
    ) -> Result<(), Failure> {
        let proven = self.proof.again(user, session, current, origin).await?;
        self.check_new_password(&self.people.view(&proven.user)?, new, "/new_password")?;
        let hash = self.proof.hash(new).await?;
        self.store_password(user, hash, Some(&proven.hash), Some(session)).await
    }

    /// Sets a password without knowing the old one: the operator's way in.
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput`, `Busy`.
    pub async fn set_password(&self, user: UserId, new: &Password) -> Result<(), Failure> {
        let view = self.people.show(user).await?;
        self.check_new_password(&view, new, "/password")?;
        let hash = self.proof.hash(new).await?;
        self.store_password(user, hash, None, None).await
    }

    fn check_new_password(&self, user: &UserView, new: &Password, pointer: &str) -> Result<(), Refusal> {
        let about = AboutUser {
            email: user.email.as_deref(),
            username: user.username.as_deref(),
            display_name: user.display_name.as_deref(),
        };
        let rules = &self.parts.settings.password_rules;
        rules.check(new.expose(), &about).map_err(|detail| Refusal::field(pointer, detail))
    }

    async fn store_password(
        &self,
        user: UserId,
        hash: String,
        proven: Option<&str>,
        keep: Option<SessionId>,
    ) -> Result<(), Failure> {
        let parts: &Parts = &self.parts;
        let (now, seed) = (parts.now(), parts.random.secret());
        let credential = &PasswordCredential { user_id: user, hash, changed_at: now, must_change: false };
        let event = &Event {
            id: EventId::mint(parts.random.as_ref()),
            kind: EventKind::PasswordChanged,
            user_id: user,
            at: now,
            data: serde_json::json!({}),
        };
        let entries = parts
            .store
            .transact("change_password", |mut uow| async move {
                let owner = uow.users().find(user).await?.ok_or(Refusal::NotFound)?;
                let stored = uow.password_credentials().find(user).await?;
                if proven.is_some_and(|proven| stored.is_none_or(|stored| stored.hash != proven)) {
                    return Err(Refusal::WrongCurrentPassword.into());
                }
                if keep.is_some() {
                    owner.must_be_active()?;
                }
                uow.password_credentials().upsert(credential).await?;
                uow.one_time_tokens().remove_of_owner(user).await?;
                let alive = uow.sessions().alive_of_user(user, now).await?;
                let others = alive.into_iter().filter(|session| Some(session.id) != keep).collect();
                let entries = end_within(parts, &mut uow, others, "password_changed", seed, now).await?;
                uow.outbox().push(event).await?;
                uow.commit(entries).await
            })
            .await?;
        self.sessions.revocations.announce(&entries).await;
        tracing::info!(user_id = %user, "password changed");
        Ok(())
    }
}
