//! What reaches a user how. A user who never chose has no row.

use userd_model::{Timestamp, UserId, preferences::Preferences, quiet_hours::QuietHours};

use crate::{
    Row, StoreError, UnitOfWork, Value,
    tables::{Shape, position, statements_of},
};

/// What reaches users how.
pub struct NotificationPreferences<'a>(pub(super) &'a mut UnitOfWork);

statements_of! { NOTIFICATION_PREFERENCES:
    BY_USER = "notification_preferences.by_user": Shape::Find;
    INSERT = "notification_preferences.insert": Shape::Insert;
    UPDATE = "notification_preferences.update":
        Shape::Update(&["categories", "quiet_from", "quiet_to", "version", "updated_at"]);
}

impl NotificationPreferences<'_> {
    /// What the user chose; the defaults, with version 0, where that is nothing.
    pub async fn of_user(&mut self, user: UserId) -> Result<Preferences, StoreError> {
        Ok(self.0.one(&BY_USER, &[user.into()], preferences).await?.unwrap_or_default())
    }

    /// Writes what the user chose, over the version that was read in this unit of work.
    ///
    /// # Errors
    /// `Conflict` when another one was choosing for the first time at the same moment.
    pub async fn write(&mut self, user: UserId, chosen: &Preferences, now: Timestamp) -> Result<(), StoreError> {
        let categories = serde_json::to_value(&chosen.categories)
            .map_err(|error| StoreError::corrupt(format!("categories: {error}")))?;
        let quiet = chosen.quiet_hours.as_ref();
        let values = [
            Value::Json(categories),
            quiet.map(QuietHours::from).into(),
            quiet.map(QuietHours::to).into(),
            chosen.version.into(),
            now.into(),
        ];
        if chosen.version > 1 {
            let values: Vec<Value> = values.into_iter().chain([user.into()]).collect();
            return self.0.write(&UPDATE, &values).await;
        }
        let values: Vec<Value> = std::iter::once(user.into()).chain(values).collect();
        match self.0.write_now(&INSERT, &values).await {
            // It was not there a moment ago: a lost race.
            Err(StoreError::Duplicate(_)) => Err(StoreError::Conflict),
            other => other,
        }
    }
}

fn preferences(row: &mut Row) -> Result<Preferences, StoreError> {
    let quiet = (
        row.text_or_null(position!(NOTIFICATION_PREFERENCES.quiet_from))?,
        row.text_or_null(position!(NOTIFICATION_PREFERENCES.quiet_to))?,
    );
    let quiet_hours = match quiet {
        (Some(from), Some(to)) => Some(QuietHours::parse(&from, &to).map_err(|_| StoreError::corrupt("quiet hours"))?),
        _ => None,
    };
    let categories = row.json(position!(NOTIFICATION_PREFERENCES.categories))?;
    Ok(Preferences {
        categories: serde_json::from_value(categories)
            .map_err(|error| StoreError::corrupt(format!("categories: {error}")))?,
        quiet_hours,
        version: row.i64(position!(NOTIFICATION_PREFERENCES.version))?,
    })
}
