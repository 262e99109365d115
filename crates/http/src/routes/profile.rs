//! The profile of an account as its owner and administrators change it.

use axum::response::IntoResponse;
use serde::Deserialize;
use userd_services::{UserView, accounts::ProfileInput};
use userd_web::extract::Json;
use utoipa::ToSchema;

use super::{
    bodies::UserBody,
    versioned::{present, version_tag},
};

/// A profile change: an absent field stays, `null` clears it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"display_name": "Анна", "time_zone": "Europe/Moscow", "attributes": {"theme": "dark"}}))]
pub(super) struct Profile {
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 100)]
    display_name: Option<Option<String>>,
    /// BCP 47.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, max_length = 35)]
    locale: Option<Option<String>>,
    /// IANA name.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, max_length = 64)]
    time_zone: Option<Option<String>>,
    /// Replaces all attributes: at most 64 of them, 16 KiB together.
    #[serde(default)]
    attributes: Option<serde_json::Map<String, serde_json::Value>>,
    /// `null` removes the number that a provider told; there is no other way to set one.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, max_length = 16)]
    phone: Option<Option<String>>,
}

impl From<Profile> for ProfileInput {
    fn from(profile: Profile) -> Self {
        let Profile { display_name, locale, time_zone, attributes, phone } = profile;
        Self { display_name, locale, time_zone, attributes, phone }
    }
}

/// The account with its version as entity tag, for `If-Match`.
pub(super) fn tagged(user: UserView) -> impl IntoResponse {
    (version_tag(user.version), Json(UserBody::from(user)))
}
