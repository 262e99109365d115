//! Requests for a change of rights: those of the user, and those to decide.

use std::sync::Arc;

use axum::{extract::State, response::IntoResponse};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use userd_model::{AccessRequestId, GrantKind, RequestState, RequestedAction, Timestamp, Verdict};
use userd_services::access_requests::{AccessInput, DecisionInput, RequestView, Requestable, RequestsPage};
use userd_web::{
    caller::SignedInUser,
    extract::{CursorText, IdempotencyKey, Json, Limit, PageQuery, Path, Query},
    problem::Problem,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{
    api::Api,
    documented::{Routes, routes},
};

/// The routes of this resource.
#[must_use]
pub(super) fn routes() -> Routes {
    Routes::new()
        .with(routes!(own, ask))
        .with(routes!(catalogue))
        .with(routes!(withdraw))
        .with(routes!(list))
        .with(routes!(show))
        .with(routes!(approve))
        .with(routes!(decline))
}

/// What one approver decided.
#[derive(Serialize, ToSchema)]
#[schema(as = AccessDecision)]
struct DecisionBody {
    /// The approver; none: by rule.
    by: Option<Uuid>,
    /// `approve` or `decline`.
    decision: &'static str,
    comment: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// The end that the approver set.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

/// A request for a change of rights.
#[derive(Serialize, ToSchema)]
#[schema(as = AccessRequest)]
struct RequestBody {
    id: Uuid,
    /// Whose.
    requester: Uuid,
    /// `role` or `permission`; `account` where registration asks for approval.
    kind: &'static str,
    name: String,
    /// `grant` or `revoke`; `register` for an account.
    action: &'static str,
    reason: Option<String>,
    /// From when on; none: from the approval on.
    #[schema(value_type = Option<String>, format = DateTime)]
    starts_at: Option<Timestamp>,
    /// For how long; none: as long as the role allows.
    duration_seconds: Option<u64>,
    /// `open`, `approved`, `declined`, `withdrawn` or `expired`.
    state: &'static str,
    decisions: Vec<DecisionBody>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Until when it can be decided.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    version: i64,
}

impl From<RequestView> for RequestBody {
    fn from(view: RequestView) -> Self {
        let RequestView { request, state, reason, decisions } = view;
        let decisions = decisions.into_iter().map(|(decision, comment)| DecisionBody {
            by: decision.by.map(|by| by.0),
            decision: decision.verdict.as_str(),
            comment,
            at: decision.at,
            expires_at: decision.expires_at,
        });
        Self {
            id: request.id.0,
            requester: request.requester.0,
            kind: request.kind.as_str(),
            name: request.name,
            action: request.action.as_str(),
            reason,
            starts_at: request.starts_at,
            duration_seconds: request.duration_seconds,
            state: state.as_str(),
            decisions: decisions.collect(),
            created_at: request.created_at,
            expires_at: request.expires_at,
            version: request.version,
        }
    }
}

/// A page of requests, the newest first.
#[derive(Serialize, ToSchema)]
struct AccessRequestPage {
    items: Vec<RequestBody>,
    next_cursor: Option<String>,
}

/// What is asked for.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RequestAccess, example = json!({"kind": "role", "name": "editor", "action": "grant", "reason": "I write the news now", "duration_seconds": 2_592_000}))]
struct Ask {
    #[schema(value_type = String, max_length = 16)]
    kind: GrantKind,
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    #[schema(value_type = String, max_length = 16)]
    action: RequestedAction,
    /// For those who decide; some roles require one.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 500)]
    reason: Option<String>,
    /// From when on; none: from the approval on.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    starts_at: Option<Timestamp>,
    /// For how long; none: as long as the role allows.
    #[serde(default)]
    #[schema(minimum = 60, maximum = 315_360_000)]
    duration_seconds: Option<u64>,
}

/// A page of what can be asked for: roles by name, then permissions.
#[derive(Serialize, ToSchema)]
struct Catalogue {
    items: Vec<CatalogueItem>,
    next_cursor: Option<String>,
}

/// Something that can be asked for.
#[derive(Serialize, ToSchema)]
struct CatalogueItem {
    /// `role` or `permission`.
    kind: &'static str,
    name: String,
    description: Option<String>,
    /// What people are asked for with their request; a reason is required then.
    reason_prompt: Option<String>,
    /// How many must approve.
    quorum: u32,
    /// How long a grant lasts at most; none: for good.
    max_duration_seconds: Option<u64>,
    /// How long a request stays open.
    request_ttl_seconds: u64,
}

impl From<Requestable> for CatalogueItem {
    fn from(Requestable { kind, name, rules }: Requestable) -> Self {
        Self {
            kind: kind.as_str(),
            name,
            description: rules.description,
            reason_prompt: rules.reason_prompt,
            quorum: rules.quorum,
            max_duration_seconds: rules.max_duration_seconds,
            request_ttl_seconds: rules.request_ttl_seconds,
        }
    }
}

const OWN: &str = "own access requests";

/// My requests, the newest first.
#[utoipa::path(get, path = "/v1/me/access-requests", operation_id = "list_own_access_requests", tag = "Access requests", params(PageQuery),
    responses((status = 200, description = "A page", body = AccessRequestPage)))]
async fn own(
    State(api): State<Arc<Api>>,
    user: SignedInUser,
    Query(page): Query<PageQuery>,
) -> Result<Json<AccessRequestPage>, Problem> {
    let after: Option<(Timestamp, AccessRequestId)> = page.after(&api.cursors, OWN)?;
    let found = api.services.access_requests.own(&user.ctx, after, page.limit.get() as u32).await?;
    Ok(Json(shown(&api, OWN, found)))
}

/// Ask for a role or permission, or to be rid of one. Those who may decide are told; you hear what they decide.
#[utoipa::path(post, path = "/v1/me/access-requests", operation_id = "request_access", tag = "Access requests", request_body = Ask,
    params(IdempotencyKey),
    responses((status = 201, description = "Asked; `state` says whether it was granted at once", body = RequestBody),
        (status = 409, description = "It is so already, there is an open request for it, or nobody could decide it")))]
async fn ask(
    State(api): State<Arc<Api>>,
    user: SignedInUser,
    IdempotencyKey(key): IdempotencyKey,
    Json(body): Json<Ask>,
) -> Result<impl IntoResponse, Problem> {
    let idempotent = key.map(|key| {
        let (bytes, who) = (serde_json::to_vec(&body).unwrap_or_default(), user.ctx.actor.name());
        api.services.idempotency.request(&format!("POST /v1/me/access-requests {who}"), &key, &bytes)
    });
    let Ask { kind, name, action, reason, starts_at, duration_seconds } = body;
    let input = AccessInput { kind, name, action, reason, starts_at, duration_seconds };
    let made = api.services.access_requests.ask(&user.ctx, input, idempotent.as_ref()).await?;
    Ok((StatusCode::CREATED, Json(RequestBody::from(made))))
}

/// What can be asked for: roles by name, then permissions.
#[utoipa::path(get, path = "/v1/me/access-requests/catalogue", operation_id = "list_requestable", tag = "Access requests", params(PageQuery),
    responses((status = 200, description = "A page", body = Catalogue)))]
async fn catalogue(
    State(api): State<Arc<Api>>,
    user: SignedInUser,
    Query(page): Query<PageQuery>,
) -> Result<Json<Catalogue>, Problem> {
    let all = api.services.access_requests.catalogue(&user.ctx).await?;
    let (items, next_cursor) = page.of(&api.cursors, "requestable", all, |one| (one.kind, one.name.clone()))?;
    Ok(Json(Catalogue { items: items.into_iter().map(CatalogueItem::from).collect(), next_cursor }))
}

/// Take a request of mine back.
#[utoipa::path(post, path = "/v1/me/access-requests/{id}/withdraw", operation_id = "withdraw_access_request", tag = "Access requests",
    params(("id" = Uuid, Path, description = "The request")),
    responses((status = 200, description = "Withdrawn", body = RequestBody), (status = 409, description = "It is not open any more")))]
async fn withdraw(
    State(api): State<Arc<Api>>,
    user: SignedInUser,
    Path(id): Path<AccessRequestId>,
) -> Result<Json<RequestBody>, Problem> {
    Ok(Json(api.services.access_requests.withdraw(&user.ctx, id).await?.into()))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// `open`, `approved`, `declined`, `withdrawn` or `expired`.
    #[serde(default)]
    #[param(value_type = Option<String>, default = "open")]
    status: Option<RequestState>,
    /// Items per page, 1 to 200.
    #[serde(default)]
    #[param(value_type = Option<u16>, minimum = 1, maximum = 200, default = 50)]
    limit: Limit,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    cursor: Option<CursorText>,
}

/// Requests in a state, the newest first: those that I may decide; all with `access_requests.read`. A page may be short, or
/// empty, and have a cursor all the same.
#[utoipa::path(get, path = "/v1/access-requests", operation_id = "list_access_requests", tag = "Access requests", params(ListQuery),
    responses((status = 200, description = "A page", body = AccessRequestPage)))]
async fn list(
    State(api): State<Arc<Api>>,
    user: SignedInUser,
    Query(query): Query<ListQuery>,
) -> Result<Json<AccessRequestPage>, Problem> {
    let state = query.status.unwrap_or(RequestState::Open);
    let name = format!("access requests {}", state.as_str());
    let after = query.cursor.map(|cursor| cursor.open(&api.cursors, &name)).transpose()?;
    let found = api.services.access_requests.list(&user.ctx, state, after, query.limit.get() as u32).await?;
    Ok(Json(shown(&api, &name, found)))
}

/// One request: mine, one that I may decide, or any with `access_requests.read`.
#[utoipa::path(get, path = "/v1/access-requests/{id}", operation_id = "show_access_request", tag = "Access requests",
    params(("id" = Uuid, Path, description = "The request")),
    responses((status = 200, description = "The request", body = RequestBody)))]
async fn show(
    State(api): State<Arc<Api>>,
    user: SignedInUser,
    Path(id): Path<AccessRequestId>,
) -> Result<Json<RequestBody>, Problem> {
    Ok(Json(api.services.access_requests.show(&user.ctx, id).await?.into()))
}

/// What an approver says.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ApproveInput, example = json!({"comment": "for this month", "expires_at": "2027-01-31T00:00:00Z"}))]
struct Approve {
    /// For the requester and other approvers.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 500)]
    comment: Option<String>,
    /// The grant ends at this time at the latest.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

/// What an approver says against it.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DeclineInput, example = json!({"comment": "ask your manager first"}))]
struct Decline {
    /// For the requester and other approvers.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 500)]
    comment: Option<String>,
    /// Ignored: nothing is granted that could end. So one form may serve both answers.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    #[expect(dead_code, reason = "the contract has one body for both decisions")]
    expires_at: Option<Timestamp>,
}

/// Approve a request. When enough have, it is done.
#[utoipa::path(post, path = "/v1/access-requests/{id}/approve", operation_id = "approve_access_request", tag = "Access requests",
    request_body(content = Option<Approve>), params(("id" = Uuid, Path, description = "The request")),
    responses((status = 200, description = "Counted; `state` says whether it is done", body = RequestBody),
        (status = 409, description = "It is not open any more")))]
async fn approve(
    State(api): State<Arc<Api>>,
    user: SignedInUser,
    Path(id): Path<AccessRequestId>,
    body: Option<Json<Approve>>,
) -> Result<Json<RequestBody>, Problem> {
    let Approve { comment, expires_at } = body.map(|Json(body)| body).unwrap_or_default();
    let input = DecisionInput { comment, expires_at };
    Ok(Json(api.services.access_requests.decide(&user.ctx, id, Verdict::Approve, &input).await?.into()))
}

/// Decline a request.
#[utoipa::path(post, path = "/v1/access-requests/{id}/decline", operation_id = "decline_access_request", tag = "Access requests",
    request_body(content = Option<Decline>), params(("id" = Uuid, Path, description = "The request")),
    responses((status = 200, description = "Counted; `state` says whether it is closed", body = RequestBody),
        (status = 409, description = "It is not open any more")))]
async fn decline(
    State(api): State<Arc<Api>>,
    user: SignedInUser,
    Path(id): Path<AccessRequestId>,
    body: Option<Json<Decline>>,
) -> Result<Json<RequestBody>, Problem> {
    let Decline { comment, .. } = body.map(|Json(body)| body).unwrap_or_default();
    let input = DecisionInput { comment, expires_at: None };
    Ok(Json(api.services.access_requests.decide(&user.ctx, id, Verdict::Decline, &input).await?.into()))
}

fn shown(api: &Api, list: &str, page: RequestsPage) -> AccessRequestPage {
    let next_cursor = page.next.and_then(|place| api.cursors.seal(list, &place));
    AccessRequestPage { items: page.items.into_iter().map(RequestBody::from).collect(), next_cursor }
}
