//! The revocation feed: what services that verify tokens themselves must refuse.
//! Deliberately absent: which entries come, and again; `crates/services/src/revocations/feed.rs` decides.

use std::sync::Arc;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use userd_model::{Revocation, Revoked, Timestamp};
use userd_services::revocations::FeedPlace;
use userd_web::{
    caller::Caller,
    extract::{CursorText, Json, Limit, Query},
    problem::Problem,
};
use utoipa::{
    IntoParams, ToSchema,
    openapi::{ObjectBuilder, Schema, Type},
};

use super::waiting::Wait;
use crate::{
    api::Api,
    documented::{Routes, routes},
};

/// The routes of this resource.
#[must_use]
pub(super) fn routes() -> Routes {
    Routes::new().with(routes!(revocations))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct FeedQuery {
    /// `next_cursor` of the page before; absent: from the oldest entry.
    #[param(value_type = Option<String>)]
    after: Option<CursorText>,
    /// Entries per page, 1 to 200.
    #[serde(default)]
    #[param(value_type = Option<u16>, minimum = 1, maximum = 200, default = 50)]
    limit: Limit,
    /// Seconds, 0 to 25: how long the answer is held back while there is nothing.
    #[serde(default)]
    #[param(value_type = Option<u8>, minimum = 0, maximum = 25, default = 0)]
    wait: Wait,
}

/// The bodies of entries: each kind with its own members beside those that all have.
macro_rules! entries {
    ($($about:literal $kind:ident = $word:literal in $schema:literal { $($(#[$note:meta])* $member:ident: $type:ty,)+ })+) => {
        /// One entry of the feed. Ignore kinds that you do not know.
        #[derive(Serialize, ToSchema)]
        #[serde(untagged)]
        #[expect(clippy::enum_variant_names, reason = "the variants are the names of the schemas")]
        #[schema(as = Revocation, discriminator(property_name = "kind", mapping($(($word = $schema)),+)))]
        enum EntryBody {
            $($kind($kind)),+
        }

        $(
            #[doc = $about]
            #[derive(Serialize, ToSchema)]
            struct $kind {
                /// To recognise an entry that comes again.
                id: uuid::Uuid,
                #[schema(schema_with = $kind::word)]
                kind: &'static str,
                $($(#[$note])* $member: $type,)+
                #[schema(value_type = String, format = DateTime)]
                recorded_at: Timestamp,
                /// The entry can be forgotten then: every token that it touches is dead.
                #[schema(value_type = String, format = DateTime)]
                expires_at: Timestamp,
            }

            impl $kind {
                fn word() -> Schema {
                    ObjectBuilder::new().schema_type(Type::String).enum_values(Some([$word])).into()
                }

                fn of(entry: &Revocation, $($member: $type),+) -> EntryBody {
                    let (id, recorded_at, expires_at) = (entry.id.0, entry.recorded_at, entry.expires_at);
                    EntryBody::$kind(Self { id, kind: $word, $($member,)+ recorded_at, expires_at })
                }
            }
        )+
    };
}

entries! {
    "Every token of a session is dead."
    SessionRevocation = "session" in "#/components/schemas/SessionRevocation" {
        /// `sid` of the tokens.
        session_id: uuid::Uuid,
        /// Whose it was.
        user_id: uuid::Uuid,
    }
    "The tokens of a user whose `ver` is below `min_epoch` are dead."
    UserRevocation = "user" in "#/components/schemas/UserRevocation" {
        /// `sub` of the tokens.
        user_id: uuid::Uuid,
        /// The lowest `ver` still accepted.
        min_epoch: i64,
        /// The user's version after the change.
        version: i64,
    }
    "One token is dead."
    TokenRevocation = "token" in "#/components/schemas/TokenRevocation" {
        /// `jti` of the token.
        token_id: uuid::Uuid,
    }
    "The tokens of a service account whose `ver` is below `before` are dead; those got with its new secret are not."
    ClientRevocation = "client" in "#/components/schemas/ClientRevocation" {
        /// `client_id` of the tokens.
        client_id: uuid::Uuid,
        /// The lowest `ver` still accepted.
        before: i64,
    }
    "Tokens with this role whose version of it is below `min_version` are dead: the role allows less than it did."
    RoleRevocation = "role" in "#/components/schemas/RoleRevocation" {
        /// One of `roles` of the tokens.
        role: String,
        /// The lowest of `role_versions`, at the place of the role, still accepted; tokens without versions are dead.
        min_version: i64,
    }
    "Every token that a key signed is dead."
    KeyRevocation = "key" in "#/components/schemas/KeyRevocation" {
        /// `kid` in the header of the tokens.
        kid: String,
    }
    "Every token that was issued before a moment is dead: a backup was restored."
    AllRevocation = "all" in "#/components/schemas/AllRevocation" {
        /// The earliest `iat` still accepted, in whole seconds.
        #[schema(value_type = String, format = DateTime)]
        issued_before: Timestamp,
    }
}

/// The body of an entry; none of what is not for verifiers, which the feed leaves out.
fn body(entry: &Revocation) -> Option<EntryBody> {
    Some(match &entry.what {
        Revoked::Session { session_id, user_id } => SessionRevocation::of(entry, session_id.0, user_id.0),
        Revoked::User { user_id, min_epoch, version } => UserRevocation::of(entry, user_id.0, *min_epoch, *version),
        Revoked::Token { token_id } => TokenRevocation::of(entry, token_id.0),
        Revoked::Client { client_id, before } => ClientRevocation::of(entry, client_id.0, *before),
        Revoked::Key { kid } => KeyRevocation::of(entry, kid.clone()),
        Revoked::All { issued_before } => AllRevocation::of(entry, *issued_before),
        Revoked::Role { role, min_version, .. } => RoleRevocation::of(entry, role.clone(), *min_version),
        Revoked::Changed { .. } => return None,
    })
}

#[derive(Serialize, ToSchema)]
struct RevocationPage {
    items: Vec<EntryBody>,
    /// Where to go on: keep it. It is the same as before when there is nothing new, and null only while there has never
    /// been an entry.
    next_cursor: Option<String>,
    /// Whether more is there already: ask again at once. It can be true although there are no items.
    has_more: bool,
}

const FEED: &str = "revocations";

/// What offline verifiers must refuse, oldest first. Ask with the last cursor: at once while `has_more`, then every
/// second, or with `wait`. An entry can come twice: applying it again changes nothing.
#[utoipa::path(get, path = "/v1/revocations", tag = "OAuth 2.0", params(FeedQuery),
    responses(
        (status = 200, description = "A page of the feed", body = RevocationPage),
        (status = 410, description = "`cursor_expired`: start again without a cursor")))]
async fn revocations(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Query(query): Query<FeedQuery>,
) -> Result<Json<RevocationPage>, Problem> {
    let after: Option<FeedPlace> = query.after.as_ref().map(|cursor| cursor.open(&api.cursors, FEED)).transpose()?;
    let limit = u32::try_from(query.limit.get()).unwrap_or(u32::MAX);
    let feed = &api.services.revocations;
    let page = match query.wait.end(&api) {
        None => feed.feed(&ctx, after, limit).await?,
        Some(end) => feed.feed_or_wait(&ctx, after, limit, end).await?,
    };
    let next_cursor = page.next.and_then(|place| api.cursors.seal(FEED, &place));
    let items = page.entries.iter().filter_map(body).collect();
    Ok(Json(RevocationPage { items, next_cursor, has_more: page.has_more }))
}
