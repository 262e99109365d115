//! The e-mail addresses of the signed-in user.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use userd_model::{FurtherEmailId, Timestamp};
use userd_services::addresses::EmailView;
use userd_web::{
    caller::SignedInUser,
    extract::{Json, PageQuery, Path, Query},
    problem::Problem,
};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{bodies::pending, emails::ConfirmationBody};
use crate::{
    api::Api,
    documented::{Routes, routes},
};

/// The routes of this resource.
#[must_use]
pub(super) fn routes() -> Routes {
    Routes::new().with(routes!(list_emails, add_email)).with(routes!(remove_email)).with(routes!(make_email_primary))
}

/// An address.
#[derive(Serialize, ToSchema)]
#[schema(as = EmailAddress)]
struct AddressBody {
    id: Uuid,
    email: String,
    /// Whether it is the one that the account shows, and that links to reset the password go to.
    primary: bool,
    verified: bool,
    /// When it was added; null for the first one.
    #[schema(value_type = Option<String>, format = DateTime)]
    created_at: Option<Timestamp>,
}

/// A page of addresses.
#[derive(Serialize, ToSchema)]
struct AddressList {
    items: Vec<AddressBody>,
    next_cursor: Option<String>,
}

/// My e-mail addresses, the primary one first. Every proven one signs in and gets security notices.
#[utoipa::path(get, path = "/v1/me/emails", tag = "Me", params(PageQuery),
    responses((status = 200, description = "A page", body = AddressList)))]
async fn list_emails(
    State(api): State<Arc<Api>>,
    user: SignedInUser,
    Query(page): Query<PageQuery>,
) -> Result<Json<AddressList>, Problem> {
    let all = api.services.emails.list(&user.ctx).await?;
    let place = |one: &EmailView| (!one.primary, one.created_at.map(Timestamp::micros), one.id.0);
    let (items, next_cursor) = page.of(&api.cursors, &format!("emails {}", user.id), all, place)?;
    Ok(Json(AddressList { items: items.into_iter().map(address).collect(), next_cursor }))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AddEmail, example = json!({"email": "anna@example.net"}))]
struct Add {
    #[schema(max_length = 254, format = Email)]
    email: String,
}

/// Add a further address: it is mine once it is proven. The sign-in must be a few minutes old at most.
#[utoipa::path(post, path = "/v1/me/emails", tag = "Me", request_body = Add,
    responses((status = 202, description = "A mail is on its way to the address", body = ConfirmationBody)))]
async fn add_email(
    State(api): State<Arc<Api>>,
    user: SignedInUser,
    Json(body): Json<Add>,
) -> Result<Response, Problem> {
    Ok(pending(api.services.emails.add(&user.ctx, &body.email).await?))
}

/// Remove a further address.
#[utoipa::path(delete, path = "/v1/me/emails/{id}", tag = "Me", params(("id" = Uuid, Path, description = "The address")),
    responses((status = 204, description = "Removed"), (status = 409, description = "It is the primary one")))]
async fn remove_email(
    State(api): State<Arc<Api>>,
    user: SignedInUser,
    Path(id): Path<FurtherEmailId>,
) -> Result<StatusCode, Problem> {
    api.services.emails.remove(&user.ctx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Make an address the primary one. The one so far stays as a further one.
#[utoipa::path(post, path = "/v1/me/emails/{id}/primary", tag = "Me", params(("id" = Uuid, Path, description = "The address")),
    responses((status = 204, description = "It is")))]
async fn make_email_primary(
    State(api): State<Arc<Api>>,
    user: SignedInUser,
    Path(id): Path<FurtherEmailId>,
) -> Result<StatusCode, Problem> {
    api.services.emails.make_primary(&user.ctx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn address(view: EmailView) -> AddressBody {
    let EmailView { id, email, primary, verified, created_at } = view;
    AddressBody { id: id.0, email, primary, verified, created_at }
}
