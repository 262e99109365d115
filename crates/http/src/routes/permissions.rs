//! Permissions, and what somebody may do.

use std::sync::Arc;

use axum::{extract::State, response::IntoResponse};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use userd_model::UserId;
use userd_services::roles::{Check, CheckResult, PermissionChecks, PermissionView};
use userd_web::{
    caller::Caller,
    extract::{IdempotencyKey, Json, LargeJson, PageQuery, Path, Query},
    problem::Problem,
};
use utoipa::ToSchema;

use crate::{
    api::Api,
    documented::{Routes, routes},
};

/// The routes of this resource.
#[must_use]
pub(super) fn routes() -> Routes {
    Routes::new().with(routes!(list_permissions, register)).with(routes!(unregister)).with(routes!(check))
}

/// A permission.
#[derive(Serialize, ToSchema)]
#[schema(as = Permission)]
struct PermissionBody {
    name: String,
    description: Option<String>,
    /// Whether users may ask for it by itself.
    requestable: bool,
    /// Whether it is one of this service's own.
    built_in: bool,
    /// Whether the configuration declares it; then it is changed there.
    managed: bool,
}

impl From<PermissionView> for PermissionBody {
    fn from(view: PermissionView) -> Self {
        let PermissionView { name, description, requestable, built_in, managed } = view;
        Self { name, description, requestable, built_in, managed }
    }
}

/// A page of permissions, by name.
#[derive(Serialize, ToSchema)]
struct PermissionPage {
    items: Vec<PermissionBody>,
    next_cursor: Option<String>,
}

#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RegisterPermission, example = json!({"name": "billing.invoices.read", "description": "See invoices"}))]
struct Register {
    /// `a-z`, `0-9`, `_`, `.` and `-`, no dot first; begin with your service's name.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    #[serde(default)]
    #[schema(min_length = 1, max_length = 500)]
    description: Option<String>,
    /// Whether users may ask for it by itself.
    #[serde(default)]
    requestable: bool,
}

const PERMISSIONS: &str = "permissions";

/// Every permission that can be given, by name.
#[utoipa::path(get, path = "/v1/permissions", operation_id = "list_permissions", tag = "Roles", params(PageQuery),
    responses((status = 200, description = "A page", body = PermissionPage)))]
async fn list_permissions(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Query(page): Query<PageQuery>,
) -> Result<Json<PermissionPage>, Problem> {
    let after: Option<String> = page.after(&api.cursors, PERMISSIONS)?;
    let limit = page.limit.get();
    let items = api.services.permissions.page(&ctx, after.as_deref(), limit as u32).await?;
    let last = items.last().filter(|_| items.len() == limit);
    let next_cursor = last.and_then(|last| api.cursors.seal(PERMISSIONS, &last.name));
    Ok(Json(PermissionPage { items: items.into_iter().map(PermissionBody::from).collect(), next_cursor }))
}

/// Register a permission of a service of yours. Only then can it be given.
#[utoipa::path(post, path = "/v1/permissions", operation_id = "register_permission", tag = "Roles", request_body = Register,
    params(IdempotencyKey),
    responses((status = 201, description = "Registered", body = PermissionBody),
        (status = 409, description = "The name is taken, or one of this service's own")))]
async fn register(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    IdempotencyKey(key): IdempotencyKey,
    Json(body): Json<Register>,
) -> Result<impl IntoResponse, Problem> {
    let idempotent = key.map(|key| {
        let bytes = serde_json::to_vec(&body).unwrap_or_default();
        api.services.idempotency.request(&format!("POST /v1/permissions {}", ctx.actor.name()), &key, &bytes)
    });
    let Register { name, description, requestable } = body;
    let permissions = &api.services.permissions;
    let made = permissions.register(&ctx, &name, description.as_deref(), requestable, idempotent.as_ref()).await?;
    Ok((StatusCode::CREATED, Json(PermissionBody::from(made))))
}

/// Remove a permission that nobody holds and no role has.
#[utoipa::path(delete, path = "/v1/permissions/{name}", operation_id = "unregister_permission", tag = "Roles",
    params(("name" = String, Path, description = "The permission")),
    responses((status = 204, description = "Removed"), (status = 409, description = "It is in use, built in, or declared by the configuration")))]
async fn unregister(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    api.services.permissions.remove(&ctx, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// One question.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CheckBody {
    /// The user.
    #[schema(value_type = Uuid)]
    subject: UserId,
    #[schema(min_length = 1, max_length = 100)]
    permission: String,
}

/// One question, or many: `subject` and `permission`, or `checks`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CheckPermissions, example = json!({"subject": "0197a5c1-4b1c-7d8e-8f00-000000000001", "permission": "billing.invoices.read"}))]
struct CheckInput {
    /// The user.
    #[serde(default)]
    #[schema(value_type = Option<Uuid>)]
    subject: Option<UserId>,
    #[serde(default)]
    #[schema(min_length = 1, max_length = 100)]
    permission: Option<String>,
    #[serde(default)]
    #[schema(min_items = 1, max_items = 1000)]
    checks: Option<Vec<CheckBody>>,
}

/// The answer to one question, or `results` to many.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = PermissionAnswer)]
enum CheckAnswer {
    /// To one question.
    One(CheckResultBody),
    /// To many.
    Many(CheckResults),
}

/// The answers to many questions.
#[derive(Serialize, ToSchema)]
#[schema(as = PermissionCheckResults)]
struct CheckResults {
    /// In the order of the questions.
    results: Vec<CheckResultBody>,
}

/// Whether the user may.
#[derive(Serialize, ToSchema)]
#[schema(as = PermissionCheckResult)]
struct CheckResultBody {
    allowed: bool,
    /// `granted`, `not_granted`, `unknown_subject` or `not_active`.
    reason: &'static str,
}

impl From<CheckResult> for CheckResultBody {
    fn from(result: CheckResult) -> Self {
        Self { allowed: result.allowed, reason: result.reason }
    }
}

/// What a user may do now, whatever their tokens say. Answered from memory; a change counts at once. A body of 512 KiB is taken.
#[utoipa::path(post, path = "/v1/permissions/check", operation_id = "check_permissions", tag = "Roles", request_body = CheckInput,
    responses((status = 200, description = "The answers", body = CheckAnswer)))]
async fn check(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    LargeJson(body): LargeJson<CheckInput>,
) -> Result<Json<CheckAnswer>, Problem> {
    let (checks, is_one) = questions(body)?;
    let results = api.services.permission_checks.check(&ctx, &checks).await?;
    let mut results: Vec<_> = results.into_iter().map(CheckResultBody::from).collect();
    let answer = match results.pop() {
        Some(one) if is_one => CheckAnswer::One(one),
        last => {
            results.extend(last);
            CheckAnswer::Many(CheckResults { results })
        }
    };
    Ok(Json(answer))
}

fn questions(body: CheckInput) -> Result<(Vec<Check>, bool), userd_model::Refusal> {
    let refused = userd_model::Refusal::field;
    match body {
        CheckInput { subject: Some(subject), permission: Some(permission), checks: None } => {
            Ok((vec![Check { subject, permission }], true))
        }
        CheckInput { subject: None, permission: None, checks: Some(checks) } => {
            if !(1..=PermissionChecks::MOST).contains(&checks.len()) {
                return Err(refused("/checks", "give 1 to 1000 questions"));
            }
            let checks = checks.into_iter().map(|CheckBody { subject, permission }| Check { subject, permission });
            Ok((checks.collect(), false))
        }
        _ => Err(refused("/checks", "give `subject` and `permission`, or `checks`")),
    }
}
