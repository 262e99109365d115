//! What reaches a user how: read and chosen by the user, asked by whoever sends.

use userd_model::{
    Act, UserId,
    preferences::{CategoryName, MessageChannel, Preferences, PreferencesInput},
};
use userd_storage::{Failure, UnitOfWork};

use crate::{
    Context, Dependencies,
    change::{Change, Changes},
};

/// Notification preferences.
#[derive(Clone)]
pub struct NotificationPreferences {
    deps: Dependencies,
    changes: Changes,
}

impl NotificationPreferences {
    pub(crate) const fn new(deps: Dependencies, changes: Changes) -> Self {
        Self { deps, changes }
    }

    /// The preferences of the user who asks.
    ///
    /// # Errors
    /// `Forbidden` for a service.
    pub async fn read(&self, ctx: &Context) -> Result<Preferences, Failure> {
        let (id, _) = ctx.user()?;
        ctx.may(&Act::ReadPreferences(id))?;
        Self::of(&mut self.deps.store.reading(), id).await
    }

    /// Chooses anew, everything at once.
    ///
    /// # Errors
    /// `VersionMismatch`, `InvalidInput`.
    pub async fn replace(
        &self,
        ctx: &Context,
        input: &PreferencesInput,
        expected: Option<i64>,
    ) -> Result<Preferences, Failure> {
        let (id, _) = ctx.user()?;
        ctx.may(&Act::ChangePreferences(id))?;
        self.changes
            .run(ctx, "replace_preferences", |mut change| async move {
                change.active_user(id).await?;
                let mut preferences = Self::of(&mut change, id).await?;
                preferences.replace(input, expected)?;
                let now = change.now;
                change.notification_preferences().write(id, &preferences, now).await?;
                change.commit(preferences).await
            })
            .await
    }

    /// What a user chose, for whoever sends them something.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn of(unit: &mut UnitOfWork, user: UserId) -> Result<Preferences, Failure> {
        Ok(unit.notification_preferences().of_user(user).await?)
    }

    /// Switches one channel of a category off within a change; answers whether it was on.
    ///
    /// # Errors
    /// `Forbidden` for what cannot be muted.
    pub async fn mute(
        change: &mut Change<'_>,
        user: UserId,
        category: &CategoryName,
        channel: MessageChannel,
    ) -> Result<bool, Failure> {
        let mut preferences = Self::of(change, user).await?;
        let muted = preferences.mute(category, channel)?;
        if muted {
            let now = change.now;
            change.notification_preferences().write(user, &preferences, now).await?;
        }
        Ok(muted)
    }
}
