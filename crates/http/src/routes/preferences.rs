//! What reaches the signed-in user how.

use std::{collections::BTreeMap, sync::Arc};

use axum::{extract::State, response::IntoResponse};
use serde::{Deserialize, Serialize};
use userd_model::preferences::{ChannelChoice, Preferences, PreferencesInput};
use userd_web::{
    caller::SignedInUser,
    extract::{IfMatch, Json},
    problem::Problem,
};
use utoipa::ToSchema;

use super::versioned::version_tag;
use crate::{
    api::Api,
    documented::{Routes, routes},
};

/// The routes of this resource.
#[must_use]
pub(super) fn routes() -> Routes {
    Routes::new().with(routes!(read_preferences, replace_preferences))
}

/// Which channels are on.
#[derive(Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ChannelChoice)]
struct Channels {
    inbox: bool,
    email: bool,
    telegram: bool,
}

/// A time without ringing, in the account's time zone; over midnight where `from` is later than `to`.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct QuietHours {
    #[schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    from: String,
    #[schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    to: String,
}

/// What reaches me how. A category that is not named is on everywhere.
#[derive(Serialize, ToSchema)]
#[schema(as = NotificationPreferences)]
struct PreferencesBody {
    /// By category: `security`, `account`, `administration`, `message`, and those of other services.
    categories: BTreeMap<String, Channels>,
    quiet_hours: Option<QuietHours>,
    /// For `If-Match`; 0 as long as nothing was chosen.
    version: i64,
}

/// Everything at once: a category that is left out is on everywhere.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewNotificationPreferences, example = json!({
    "categories": {"message": {"inbox": true, "email": false, "telegram": true}},
    "quiet_hours": {"from": "22:00", "to": "08:00"},
    "version": 1
}))]
struct NewPreferences {
    /// At most 50, ours included; named by 1 to 50 of `a-z`, `0-9`, `_`, `.` and `-`. `security` stays on for inbox and
    /// e-mail.
    categories: BTreeMap<String, Channels>,
    #[serde(default)]
    quiet_hours: Option<QuietHours>,
    /// The version that is replaced, as `If-Match` names it too; so what was read can be sent back.
    #[serde(default)]
    version: Option<i64>,
}

/// My notification preferences.
#[utoipa::path(get, path = "/v1/me/notification-preferences", tag = "Me",
    responses((status = 200, description = "The preferences", body = PreferencesBody)))]
async fn read_preferences(State(api): State<Arc<Api>>, user: SignedInUser) -> Result<impl IntoResponse, Problem> {
    Ok(tagged(api.services.preferences.read(&user.ctx).await?))
}

/// Replace my notification preferences.
#[utoipa::path(put, path = "/v1/me/notification-preferences", tag = "Me", request_body = NewPreferences, params(IfMatch),
    responses((status = 200, description = "The changed preferences", body = PreferencesBody)))]
async fn replace_preferences(
    State(api): State<Arc<Api>>,
    user: SignedInUser,
    guard: IfMatch,
    Json(body): Json<NewPreferences>,
) -> Result<impl IntoResponse, Problem> {
    let expected = guard.version().or(body.version);
    let categories = body.categories.into_iter().map(|(name, on)| (name, ChannelChoice::from(on))).collect();
    let quiet_hours = body.quiet_hours.map(|hours| (hours.from, hours.to));
    let input = PreferencesInput { categories, quiet_hours };
    Ok(tagged(api.services.preferences.replace(&user.ctx, &input, expected).await?))
}

impl From<Channels> for ChannelChoice {
    fn from(on: Channels) -> Self {
        Self { inbox: on.inbox, email: on.email, telegram: on.telegram }
    }
}

/// The preferences with their version as entity tag, for `If-Match`.
fn tagged(preferences: Preferences) -> impl IntoResponse {
    let version = preferences.version;
    let shown = |on: ChannelChoice| Channels { inbox: on.inbox, email: on.email, telegram: on.telegram };
    let body = PreferencesBody {
        categories: preferences.shown().into_iter().map(|(name, on)| (name.into(), shown(on))).collect(),
        quiet_hours: preferences.quiet_hours.map(|hours| QuietHours { from: hours.from(), to: hours.to() }),
        version,
    };
    (version_tag(version), Json(body))
}
