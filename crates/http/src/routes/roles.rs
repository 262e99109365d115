//! Roles.

use std::sync::Arc;

use axum::{extract::State, response::IntoResponse};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use userd_model::{
    Role, RoleRules, UserId,
    role::{Approvers, AutoApprove, Notify},
};
use userd_services::roles::RoleInput;
use userd_web::{
    caller::Caller,
    extract::{IdempotencyKey, IfMatch, Json, PageQuery, Path, Query},
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
    Routes::new().with(routes!(list, create)).with(routes!(show, replace, remove))
}

/// Who decides requests for a role.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ApproversBody {
    /// Whoever holds one of these roles.
    #[serde(default)]
    #[schema(max_items = 50)]
    roles: Vec<String>,
    /// These users.
    #[serde(default)]
    #[schema(value_type = Vec<Uuid>, max_items = 50)]
    users: Vec<UserId>,
}

/// Whose requests are granted at once.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(untagged, expecting = "expected true, false, or an object with `roles`")]
enum AutoApproveBody {
    /// Everybody's, or nobody's.
    All(bool),
    /// Those of whoever holds one of these roles.
    #[serde(deserialize_with = "userd_web::extract::object")]
    Holders(AutoApproveRoles),
}

/// Roles whose holders' requests are granted at once.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AutoApproveRoles {
    #[schema(max_items = 50)]
    roles: Vec<String>,
}

impl From<Approvers> for ApproversBody {
    fn from(Approvers { roles, users }: Approvers) -> Self {
        Self { roles, users }
    }
}

impl From<ApproversBody> for Approvers {
    fn from(ApproversBody { roles, users }: ApproversBody) -> Self {
        Self { roles, users }
    }
}

/// Which of those who may decide are told of a request: `all`, those `named` one by one, or so many drawn `random`ly.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum NotifyBody {
    /// Everybody.
    All,
    /// The users whom `approvers` names; everybody where too few of them may decide.
    Named,
    /// So many, drawn for each request.
    Random(u32),
}

impl From<Notify> for NotifyBody {
    fn from(notify: Notify) -> Self {
        match notify {
            Notify::All => Self::All,
            Notify::Named => Self::Named,
            Notify::Random(count) => Self::Random(count),
        }
    }
}

impl From<NotifyBody> for Notify {
    fn from(notify: NotifyBody) -> Self {
        match notify {
            NotifyBody::All => Self::All,
            NotifyBody::Named => Self::Named,
            NotifyBody::Random(count) => Self::Random(count),
        }
    }
}

/// A role.
#[derive(Serialize, ToSchema)]
#[schema(as = Role)]
struct RoleBody {
    name: String,
    description: Option<String>,
    /// What it allows by itself.
    permissions: Vec<String>,
    /// Roles whose permissions it has too.
    includes: Vec<String>,
    /// Whether users may ask for it.
    requestable: bool,
    /// Who decides requests for it; nobody: whoever may grant it.
    approvers: ApproversBody,
    /// How many must approve.
    quorum: u32,
    /// How many must decline.
    decline_quorum: u32,
    /// What people are asked for with their request; a reason is required then.
    reason_prompt: Option<String>,
    auto_approve: AutoApproveBody,
    /// Whether a request may be decided in a chat.
    decide_in_chat: bool,
    /// Which of those who may decide are told of a request.
    notify: NotifyBody,
    /// After how long without a decision those of `escalate_to` may decide too, and are told.
    escalate_after_seconds: Option<u64>,
    escalate_to: ApproversBody,
    /// How long a request stays open.
    request_ttl_seconds: u64,
    /// How long a grant by request lasts at most; none: for good.
    max_duration_seconds: Option<u64>,
    /// Whether it is one of this service's own.
    built_in: bool,
    /// Whether the configuration declares it.
    managed: bool,
    /// For `If-Match`.
    version: i64,
}

impl From<Role> for RoleBody {
    fn from(role: Role) -> Self {
        let Role { name, permissions, rules, managed, version } = role;
        Self {
            built_in: Role::built_in(&name).is_some(),
            name,
            description: rules.description,
            permissions,
            includes: rules.includes,
            requestable: rules.requestable,
            approvers: rules.approvers.into(),
            quorum: rules.quorum,
            decline_quorum: rules.decline_quorum,
            reason_prompt: rules.reason_prompt,
            auto_approve: match rules.auto_approve {
                AutoApprove::All(all) => AutoApproveBody::All(all),
                AutoApprove::Holders { roles } => AutoApproveBody::Holders(AutoApproveRoles { roles }),
            },
            decide_in_chat: rules.decide_in_chat,
            notify: rules.notify.into(),
            escalate_after_seconds: rules.escalate_after_seconds,
            escalate_to: rules.escalate_to.into(),
            request_ttl_seconds: rules.request_ttl_seconds,
            max_duration_seconds: rules.max_duration_seconds,
            managed,
            version,
        }
    }
}

/// A page of roles, by name.
#[derive(Serialize, ToSchema)]
struct RolePage {
    items: Vec<RoleBody>,
    next_cursor: Option<String>,
}

/// What a role shall be: what is absent is as in a new role. A role as it was read may be sent back.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RoleInput, example = json!({"name": "editor", "permissions": ["cms.articles.write"], "requestable": true}))]
struct RoleInputBody {
    /// `a-z`, `0-9`, `_`, `.` and `-`, no dot first. With `PUT` it may be left out.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 100)]
    name: Option<String>,
    #[serde(default)]
    #[schema(min_length = 1, max_length = 500)]
    description: Option<String>,
    /// Registered permissions. You can give what you may do yourself.
    #[serde(default)]
    #[schema(max_items = 500)]
    permissions: Vec<String>,
    /// Roles whose permissions it has too; not in a circle.
    #[serde(default)]
    #[schema(max_items = 50)]
    includes: Vec<String>,
    #[serde(default)]
    requestable: bool,
    #[serde(default)]
    approvers: Option<ApproversBody>,
    #[serde(default)]
    #[schema(minimum = 1, maximum = 20, default = 1)]
    quorum: Option<u32>,
    #[serde(default)]
    #[schema(minimum = 1, maximum = 20, default = 1)]
    decline_quorum: Option<u32>,
    #[serde(default)]
    #[schema(min_length = 1, max_length = 500)]
    reason_prompt: Option<String>,
    /// Needs `roles.grant` besides `roles.manage`, as does changing a role that has it. Never serves those who hold one of the two.
    #[serde(default)]
    auto_approve: Option<AutoApproveBody>,
    #[serde(default)]
    decide_in_chat: bool,
    /// Which of those who may decide are told of a request.
    #[serde(default)]
    notify: Option<NotifyBody>,
    /// After how long without a decision those of `escalate_to` may decide too, and are told. Less than the request stays open.
    #[serde(default)]
    #[schema(minimum = 60, maximum = 7_776_000)]
    escalate_after_seconds: Option<u64>,
    #[serde(default)]
    escalate_to: Option<ApproversBody>,
    #[serde(default)]
    #[schema(minimum = 60, maximum = 7_776_000, default = 604_800)]
    request_ttl_seconds: Option<u64>,
    #[serde(default)]
    #[schema(minimum = 60, maximum = 315_360_000)]
    max_duration_seconds: Option<u64>,
    /// Ignored: it stays what it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    built_in: Option<bool>,
    /// Ignored: it stays what it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    managed: Option<bool>,
    /// With `PUT` the version that is replaced, as `If-Match` names it too; else ignored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<i64>,
}

impl RoleInputBody {
    fn into_input(self) -> (Option<String>, RoleInput) {
        let fresh = RoleRules::default();
        let rules = RoleRules {
            description: self.description,
            includes: self.includes,
            requestable: self.requestable,
            approvers: self.approvers.map(Approvers::from).unwrap_or_default(),
            quorum: self.quorum.unwrap_or(fresh.quorum),
            decline_quorum: self.decline_quorum.unwrap_or(fresh.decline_quorum),
            reason_prompt: self.reason_prompt,
            auto_approve: match self.auto_approve {
                None => fresh.auto_approve,
                Some(AutoApproveBody::All(all)) => AutoApprove::All(all),
                Some(AutoApproveBody::Holders(AutoApproveRoles { roles })) => AutoApprove::Holders { roles },
            },
            decide_in_chat: self.decide_in_chat,
            notify: self.notify.map(Notify::from).unwrap_or_default(),
            escalate_after_seconds: self.escalate_after_seconds,
            escalate_to: self.escalate_to.map(Approvers::from).unwrap_or_default(),
            request_ttl_seconds: self.request_ttl_seconds.unwrap_or(fresh.request_ttl_seconds),
            max_duration_seconds: self.max_duration_seconds,
        };
        (self.name, RoleInput { permissions: self.permissions, rules })
    }
}

const ROLES: &str = "roles";

/// Every role, by name: the built-in ones among them.
#[utoipa::path(get, path = "/v1/roles", operation_id = "list_roles", tag = "Roles", params(PageQuery),
    responses((status = 200, description = "A page", body = RolePage)))]
async fn list(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Query(page): Query<PageQuery>,
) -> Result<Json<RolePage>, Problem> {
    let after: Option<String> = page.after(&api.cursors, ROLES)?;
    let limit = page.limit.get();
    let items = api.services.roles.page(&ctx, after.as_deref(), limit as u32).await?;
    let last = items.last().filter(|_| items.len() == limit);
    let next_cursor = last.and_then(|last| api.cursors.seal(ROLES, &last.name));
    Ok(Json(RolePage { items: items.into_iter().map(RoleBody::from).collect(), next_cursor }))
}

/// Make a role.
#[utoipa::path(post, path = "/v1/roles", operation_id = "create_role", tag = "Roles", request_body = RoleInputBody,
    params(IdempotencyKey),
    responses((status = 201, description = "Made", body = RoleBody), (status = 409, description = "The name is taken")))]
async fn create(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    IdempotencyKey(key): IdempotencyKey,
    Json(body): Json<RoleInputBody>,
) -> Result<impl IntoResponse, Problem> {
    let idempotent = key.map(|key| {
        let bytes = serde_json::to_vec(&body).unwrap_or_default();
        api.services.idempotency.request(&format!("POST /v1/roles {}", ctx.actor.name()), &key, &bytes)
    });
    let (name, input) = body.into_input();
    let made = api.services.roles.create(&ctx, &name.unwrap_or_default(), &input, idempotent.as_ref()).await?;
    Ok((StatusCode::CREATED, version_tag(made.version), Json(RoleBody::from(made))))
}

/// One role.
#[utoipa::path(get, path = "/v1/roles/{name}", operation_id = "show_role", tag = "Roles", params(("name" = String, Path, description = "The role")),
    responses((status = 200, description = "The role", body = RoleBody)))]
async fn show(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Path(name): Path<String>,
) -> Result<impl IntoResponse, Problem> {
    let role = api.services.roles.show(&ctx, &name).await?;
    Ok((version_tag(role.version), Json(RoleBody::from(role))))
}

/// Make a role what it shall be. What it allows no longer is gone from tokens in use at once.
#[utoipa::path(put, path = "/v1/roles/{name}", operation_id = "replace_role", tag = "Roles", request_body = RoleInputBody,
    params(IfMatch, ("name" = String, Path, description = "The role")),
    responses((status = 200, description = "The changed role", body = RoleBody),
        (status = 409, description = "It is `admin`, or the configuration declares it")))]
async fn replace(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Path(name): Path<String>,
    guard: IfMatch,
    Json(body): Json<RoleInputBody>,
) -> Result<impl IntoResponse, Problem> {
    let expected = guard.version().or(body.version);
    let (given, input) = body.into_input();
    if given.is_some_and(|given| given != name) {
        return Err(userd_model::Refusal::field("/name", "a role keeps its name").into());
    }
    let role = api.services.roles.replace(&ctx, &name, &input, expected).await?;
    Ok((version_tag(role.version), Json(RoleBody::from(role))))
}

/// Remove a role that nobody holds and no other one names. A built-in one that was changed is as it was before.
#[utoipa::path(delete, path = "/v1/roles/{name}", operation_id = "remove_role", tag = "Roles",
    params(IfMatch, ("name" = String, Path, description = "The role")),
    responses((status = 204, description = "Removed"), (status = 409, description = "It is in use, or built in")))]
async fn remove(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Path(name): Path<String>,
    guard: IfMatch,
) -> Result<StatusCode, Problem> {
    api.services.roles.remove(&ctx, &name, guard.version()).await?;
    Ok(StatusCode::NO_CONTENT)
}
