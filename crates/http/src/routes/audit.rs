//! The audit log, for auditors: entries, proofs that leave the service, and verification.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use http::{HeaderValue, header};
use serde::{Deserialize, Serialize};
use userd_model::{EventId, Timestamp, UserId};
use userd_services::audit::{AuditFilter, AuditPage, AuditParty, AuditView, Scope};
use userd_web::{
    caller::Caller,
    extract::{CursorText, Json, Limit, Path, Query},
    problem::Problem,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{
    api::Api,
    documented::{Routes, routes},
};

/// Entries that one verification compares, unless less is asked for.
const NEWEST: u64 = 100_000;

/// The routes of this resource.
#[must_use]
pub(super) fn routes() -> Routes {
    Routes::new().with(routes!(list)).with(routes!(verify)).with(routes!(proof)).with(routes!(of_user))
}

/// Who acted, or to what it was done.
#[derive(Serialize, ToSchema)]
struct AuditPartyBody {
    /// `user`, `service`, `operator`, `system`, `anonymous`; of a subject `user`, `client`, `role` …
    kind: String,
    id: Option<String>,
}

/// From where.
#[derive(Serialize, ToSchema)]
struct AuditOriginBody {
    ip: Option<String>,
    user_agent: Option<String>,
}

/// An entry of the audit log. What is personal is `null` once the account is erased.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditEvent)]
struct AuditEventBody {
    id: Uuid,
    /// Its place in the log, from 0 on, without gaps.
    #[schema(minimum = 0)]
    position: i64,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    actor: AuditPartyBody,
    /// What happened: `docs/events.md` has the kinds.
    #[schema(example = "user.blocked")]
    act: String,
    subject: AuditPartyBody,
    /// What was, where it is kept.
    before: Option<serde_json::Value>,
    /// What is.
    after: Option<serde_json::Value>,
    /// Ids and words about it.
    #[schema(value_type = Object)]
    data: serde_json::Value,
    origin: Option<AuditOriginBody>,
    request_id: Option<String>,
    /// Its hash in the tree (RFC 6962), in base64.
    hash: String,
}

#[derive(Serialize, ToSchema)]
struct AuditList {
    items: Vec<AuditEventBody>,
    /// Where to go on, in `after`. Absent at the end; with `order=oldest` always there, so that whoever follows the log
    /// asks again with it. A page may hold less than was asked for, or nothing, and not be the last.
    next: Option<String>,
    /// The same while there may be more now, as every list has it: hand it back in `after`. `null` at the end.
    next_cursor: Option<String>,
}

/// In which order.
#[derive(Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Order {
    #[default]
    Newest,
    Oldest,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AuditQuery {
    /// The id of who acted, or `operator`, `system`, `anonymous`.
    #[param(max_length = 100)]
    actor: Option<String>,
    /// The id of whatever it was done to.
    #[param(max_length = 200)]
    subject: Option<String>,
    /// The kind, such as `user.blocked`.
    #[param(max_length = 100)]
    act: Option<String>,
    /// `newest` or `oldest` first.
    #[serde(default)]
    #[param(value_type = Option<String>, pattern = "^(newest|oldest)$", default = "newest")]
    order: Order,
    /// Entries per page, 1 to 200.
    #[serde(default)]
    #[param(value_type = Option<u16>, minimum = 1, maximum = 200, default = 50)]
    limit: Limit,
    /// `next`, or `next_cursor`, of the page before; `cursor` is the same.
    #[serde(alias = "cursor")]
    #[param(value_type = Option<String>)]
    after: Option<CursorText>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct UserAuditQuery {
    /// Entries per page, 1 to 200.
    #[serde(default)]
    #[param(value_type = Option<u16>, minimum = 1, maximum = 200, default = 50)]
    limit: Limit,
    /// `next`, or `next_cursor`, of the page before; `cursor` is the same.
    #[serde(alias = "cursor")]
    #[param(value_type = Option<String>)]
    after: Option<CursorText>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct VerifyQuery {
    /// How many of the newest entries are compared with their hashes; the tree over all others is compared with the
    /// checkpoints in any case. `userd audit verify` compares all.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100_000, default = 100_000)]
    newest: Option<u32>,
    /// The size of a checkpoint that you kept: the answer proves that the log still begins with it.
    #[param(value_type = Option<u64>, minimum = 1)]
    since: Option<u64>,
}

/// The first thing that is not as it was.
#[derive(Serialize, ToSchema)]
struct AuditFault {
    /// The first entry that it concerns.
    position: u64,
    what: String,
}

/// The log went on under another name, after a backup was restored.
#[derive(Serialize, ToSchema)]
struct AuditOpening {
    position: i64,
    origin: String,
    previous: String,
    /// How many entries the backup had.
    size: u64,
}

/// That the log begins as it was.
#[derive(Serialize, ToSchema)]
struct AuditConsistency {
    from: u64,
    /// The checkpoint to which it leads.
    checkpoint: String,
    /// The hashes (RFC 6962 section 2.1.2), in base64.
    hashes: Vec<String>,
}

/// What verification found.
#[derive(Serialize, ToSchema)]
struct AuditVerification {
    intact: bool,
    fault: Option<AuditFault>,
    /// The name of the log.
    origin: Option<String>,
    size: u64,
    /// Entries that were compared with their hashes.
    entries: u64,
    /// Checkpoints that were compared with the tree.
    checkpoints: u64,
    openings: Vec<AuditOpening>,
    /// The last signed checkpoint (C2SP `tlog-checkpoint`): keep it.
    checkpoint: Option<String>,
    /// The key of the log, as verifiers of signed notes take it.
    verifier: Option<String>,
    /// Where `since` was given.
    consistency: Option<AuditConsistency>,
}

/// The audit log: what happened that matters to security, by whom, to whom. Filters may be combined.
#[utoipa::path(get, path = "/v1/audit-events", tag = "Audit", params(AuditQuery),
    responses((status = 200, description = "A page of entries", body = AuditList)))]
async fn list(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Query(query): Query<AuditQuery>,
) -> Result<Json<AuditList>, Problem> {
    let AuditQuery { actor, subject, act, order, limit, after } = query;
    let oldest_first = matches!(order, Order::Oldest);
    let name = format!("audit?actor={actor:?}&subject={subject:?}&act={act:?}&oldest={oldest_first}");
    let after = after.as_ref().map(|cursor| cursor.open(&api.cursors, &name)).transpose()?;
    let filter = AuditFilter { actor, subject, act, oldest_first };
    let page = api.services.audit.list(&ctx, &filter, after, limit.get()).await?;
    Ok(Json(answer(&api, &name, page)))
}

/// What was done to one account, newest first.
#[utoipa::path(get, path = "/v1/users/{id}/audit-events", tag = "Audit",
    params(("id" = Uuid, Path, description = "The account; one that was erased too"), UserAuditQuery),
    responses((status = 200, description = "A page of entries", body = AuditList)))]
async fn of_user(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Path(id): Path<UserId>,
    Query(query): Query<UserAuditQuery>,
) -> Result<Json<AuditList>, Problem> {
    let name = format!("audit of {id}");
    let after = query.after.as_ref().map(|cursor| cursor.open(&api.cursors, &name)).transpose()?;
    let page = api.services.audit.of_user(&ctx, id, after, query.limit.get()).await?;
    Ok(Json(answer(&api, &name, page)))
}

/// The proof that an entry is in the log, as a file that is checked offline with the key of the log (C2SP `tlog-proof`).
/// Its `extra` is what is hashed: the entry with its personal parts sealed.
#[utoipa::path(get, path = "/v1/audit-events/{id}/proof", tag = "Audit",
    params(("id" = Uuid, Path, description = "The entry")),
    responses((status = 200, description = "The proof", body = String, content_type = "text/plain"),
        (status = 404, description = "There is none")))]
async fn proof(State(api): State<Arc<Api>>, Caller(ctx): Caller, Path(id): Path<EventId>) -> Result<Response, Problem> {
    const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
    let proven = api.services.audit.prove(&ctx, id).await?;
    let file = format!("attachment; filename=\"{id}.tlog-proof\"");
    let file = HeaderValue::try_from(file).map_err(|_| Problem::internal())?;
    let no_store = HeaderValue::from_static("no-store");
    let headers =
        [(header::CONTENT_TYPE, TEXT), (header::CONTENT_DISPOSITION, file), (header::CACHE_CONTROL, no_store)];
    Ok((headers, proven.proof).into_response())
}

/// Verify the log: entries against the tree, the tree against the checkpoints. Names the first entry that is not as it was.
#[utoipa::path(get, path = "/v1/audit-events/verify", tag = "Audit", params(VerifyQuery),
    responses((status = 200, description = "What was found; `intact` says whether all is well", body = AuditVerification),
        (status = 404, description = "No checkpoint of this size was signed"), (status = 422, description = "`since` is beyond any log")))]
async fn verify(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Query(query): Query<VerifyQuery>,
) -> Result<Json<AuditVerification>, Problem> {
    let newest = u64::from(query.newest.unwrap_or(u32::MAX)).clamp(1, NEWEST);
    let audit = &api.services.audit;
    let scope = Scope { newest: Some(newest), kept: Vec::new() };
    let found = audit.verify(&ctx, &scope, &|_, _| {}).await?;
    let consistency = match query.since {
        Some(size) if found.intact => Some(audit.prove_consistency(&ctx, size).await?),
        _ => None,
    };
    let opening = |opening: userd_services::audit::Opening| AuditOpening {
        position: opening.position,
        origin: opening.origin,
        previous: opening.previous,
        size: opening.size,
    };
    Ok(Json(AuditVerification {
        intact: found.intact,
        fault: found.fault.map(|fault| AuditFault { position: fault.position, what: fault.what }),
        origin: found.origin,
        size: found.size,
        entries: found.entries,
        checkpoints: found.checkpoints,
        openings: found.openings.into_iter().map(opening).collect(),
        checkpoint: found.checkpoint,
        verifier: found.verifier,
        consistency: consistency.map(|proof| AuditConsistency {
            from: proof.from,
            checkpoint: proof.checkpoint,
            hashes: proof.hashes,
        }),
    }))
}

fn answer(api: &Api, name: &str, page: AuditPage) -> AuditList {
    let next = page.next.and_then(|position| api.cursors.seal(name, &position));
    let next_cursor = next.clone().filter(|_| page.has_more);
    AuditList { items: page.items.into_iter().map(Into::into).collect(), next, next_cursor }
}

impl From<AuditParty> for AuditPartyBody {
    fn from(AuditParty { kind, id }: AuditParty) -> Self {
        Self { kind, id }
    }
}

impl From<AuditView> for AuditEventBody {
    fn from(view: AuditView) -> Self {
        Self {
            id: view.id,
            position: view.position,
            at: view.at,
            actor: view.actor.into(),
            act: view.act,
            subject: view.subject.into(),
            before: view.before,
            after: view.after,
            data: view.data,
            origin: view.origin.map(|origin| AuditOriginBody { ip: origin.ip, user_agent: origin.user_agent }),
            request_id: view.request_id,
            hash: view.hash,
        }
    }
}
