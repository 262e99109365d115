//! Invitations to register.

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use userd_model::{InvitationId, Timestamp};
use userd_services::invitations::{InvitationView, NewInvitation};
use userd_web::{
    caller::Caller,
    extract::{IdempotencyKey, Json, PageQuery, Path, Query},
    problem::Problem,
};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    api::Api,
    documented::{Routes, routes},
};

/// The routes of this resource.
#[must_use]
pub(super) fn routes() -> Routes {
    Routes::new().with(routes!(list_invitations, create_invitation)).with(routes!(revoke_invitation))
}

/// An invitation to register.
#[derive(Serialize, ToSchema)]
#[schema(as = Invitation)]
struct InvitationBody {
    id: Uuid,
    /// Whom it was sent to.
    email: Option<String>,
    /// What the new account holds.
    roles: Vec<String>,
    /// How many accounts may still come of it.
    uses: i64,
    created_by: Option<Uuid>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// An invitation, with its token where it was sent to nobody.
#[derive(Serialize, ToSchema)]
#[schema(as = NewInvitation)]
struct MadeBody {
    #[serde(flatten)]
    invitation: InvitationBody,
    /// For `invitation` at registration; shown only once. An invitation to an address goes there by mail alone: null.
    token: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct InvitationPage {
    items: Vec<InvitationBody>,
    next_cursor: Option<String>,
}

#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateInvitation, example = json!({"email": "anna@example.org"}))]
struct Create {
    /// It is sent there, and whoever takes it has proven the address. Without: the answer has the token.
    #[serde(default)]
    #[schema(max_length = 254, format = Email)]
    email: Option<String>,
    /// What the new account holds. They may allow what you may do yourself.
    #[serde(default)]
    #[schema(max_items = 64)]
    roles: Vec<String>,
    /// Within a year; after 7 days where nothing is said.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// How many accounts may come of it: 1 where nothing is said, and always with an address.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 10000)]
    uses: Option<i64>,
    /// The language of the mail, BCP 47.
    #[serde(default)]
    #[schema(max_length = 35)]
    locale: Option<String>,
}

const LIST: &str = "invitations";

/// Invitations that are still good, oldest first.
#[utoipa::path(get, path = "/v1/invitations", tag = "Users", params(PageQuery),
    responses((status = 200, description = "A page", body = InvitationPage)))]
async fn list_invitations(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Query(page): Query<PageQuery>,
) -> Result<Json<InvitationPage>, Problem> {
    let after: Option<(i64, InvitationId)> = page.after(&api.cursors, LIST)?;
    let after = after.map(|(at, id)| (Timestamp::from_micros(at), id));
    let limit = page.limit.get();
    let items = api.services.invitations.page(&ctx, after, limit as u32).await?;
    let last = items.last().filter(|_| items.len() == limit);
    let next_cursor = last.and_then(|last| api.cursors.seal(LIST, &(last.created_at.micros(), last.id)));
    Ok(Json(InvitationPage { items: items.into_iter().map(body_of).collect(), next_cursor }))
}

/// Invite somebody to register.
#[utoipa::path(post, path = "/v1/invitations", tag = "Users", request_body = Create, params(IdempotencyKey),
    responses((status = 201, description = "Made; a token is shown only once, to repeats with the same key for 10 minutes", body = MadeBody),
        (status = 409, description = "A repeat after that, or after the caller's password changed")))]
async fn create_invitation(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    IdempotencyKey(key): IdempotencyKey,
    Json(body): Json<Create>,
) -> Result<(StatusCode, Json<MadeBody>), Problem> {
    let idempotent = key.map(|key| {
        let bytes = serde_json::to_vec(&body).unwrap_or_default();
        api.services.idempotency.request(&format!("POST /v1/invitations {}", ctx.actor.name()), &key, &bytes)
    });
    let Create { email, roles, expires_at, uses, locale } = body;
    let input = NewInvitation { email, roles, uses, expires_at, locale };
    let made = api.services.invitations.create(&ctx, &input, idempotent.as_ref()).await?;
    Ok((StatusCode::CREATED, Json(MadeBody { invitation: body_of(made.invitation), token: made.token })))
}

/// Withdraw an invitation: no account comes of it any more.
#[utoipa::path(delete, path = "/v1/invitations/{id}", tag = "Users", params(("id" = Uuid, Path, description = "The invitation")),
    responses((status = 204, description = "Withdrawn")))]
async fn revoke_invitation(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Path(id): Path<InvitationId>,
) -> Result<StatusCode, Problem> {
    api.services.invitations.revoke(&ctx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn body_of(view: InvitationView) -> InvitationBody {
    InvitationBody {
        id: view.id.0,
        email: view.email,
        roles: view.roles,
        uses: view.uses,
        created_by: view.created_by.map(|by| by.0),
        created_at: view.created_at,
        expires_at: view.expires_at,
    }
}
