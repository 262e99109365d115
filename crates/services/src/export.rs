//! Everything that is held about one account, as JSON with a description inside. Complete by construction: a test fails
//! when a table says that it holds users' data and is neither a section here nor left out with a reason.

use serde_json::{Map, Value, json};
use userd_model::{Act, EventKind, Refusal, User, UserId};
use userd_storage::Failure;

use crate::{
    Context, Services, addresses::addresses_of, consent::origin_of, limits::Limited, roles::GrantView,
    user_reader::internal,
};

/// Rows read at once.
const PAGE: u32 = 200;

/// The tables that a section shows, with the section.
pub const SHOWN: &[(&str, &str)] = &[
    ("users", "account"),
    ("password_credentials", "password"),
    ("identities", "identities"),
    ("sessions", "sessions"),
    ("notifications", "notifications"),
    ("notification_preferences", "notification_preferences"),
    ("factors", "second_factors"),
    ("recovery_codes", "second_factors"),
    ("further_emails", "emails"),
    ("terms_acceptances", "terms"),
    ("deletions", "deletion"),
    ("grants", "grants"),
    ("access_requests", "access_requests"),
    ("audit_entries", "events"),
];

/// The tables that no section shows, with the reason, which the export repeats.
pub const LEFT_OUT: &[(&str, &str)] = &[
    ("claims", "keyed hashes of the addresses and names that `account` and `identities` show"),
    ("user_terms", "the names of `account`, folded, by which an account is found"),
    ("open_access_requests", "which of `access_requests` are open"),
    ("access_request_escalations", "when others are told of those of `access_requests` that wait"),
    ("request_messages", "which messages in approvers' chats show those of `access_requests`"),
    ("inboxes", "counts of `notifications`"),
    ("one_time_tokens", "hashes of codes and links that were sent or shown, each good for a short time"),
    ("deliveries", "copies of notifications on their way, which end by themselves"),
    ("mails", "the development mailbox, which ends by itself"),
    ("events", "a part of `events`, by id and without personal data, for other services"),
    ("stream_signals", "the same, on its way to other services that asked for it"),
    ("outbox", "what comes to `events` in a moment"),
    ("fact_numbers", "numbers of events"),
    ("appended_numbers", "numbers of events"),
    ("legal_holds", "an obligation of the operator's"),
    ("block_ends", "a moment that the account itself has"),
    ("messages", "what was sent to many; the copy of each user is in `notifications`"),
    ("idempotency_keys", "hashes of requests and the ids of what they made, for a day"),
    ("revocations", "ids of sessions and accounts whose tokens are refused, until these have expired"),
    ("replay_guard", "hashes of what was shown once and is not taken again"),
    ("invitations", "invitations that nobody has taken up, so they are of no account yet"),
];

impl Services {
    /// Everything that is held about an account: for its owner, and for the operator at the machine. That it was given out is
    /// written down.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`, `TooManyAttempts`.
    pub async fn export(&self, ctx: &Context, id: UserId) -> Result<Value, Failure> {
        ctx.may(&Act::ExportAccount(id))?;
        self.limits.reserve(Limited::ExportPerUser, &id.to_string()).await?;
        let user = self.deps.store.reading().users().find(id).await?.ok_or(Refusal::NotFound)?;
        self.changes
            .run(ctx, "export_account", |mut change| async move {
                change.event(EventKind::UserExported, id, json!({}));
                change.commit(()).await
            })
            .await?;
        let mut archive = Map::new();
        let mut put = |name: &str, value: Value| {
            archive.insert(name.to_owned(), value);
        };
        put("format", json!({ "name": "userd-export", "version": 1 }));
        put("exported_at", json!(ctx.now));
        put("description", description());
        put("account", json(self.user_reader.view(&user)?)?);
        put("password", self.password_of(id).await?);
        put("identities", json(self.sign_in.identities(ctx, id).await?)?);
        put("sessions", self.sessions_of(ctx, id).await?);
        put("events", json(self.audit.everything_of(id).await?)?);
        put("second_factors", self.factors_of(id).await?);
        put("notification_preferences", self.preferences_of(id).await?);
        put("notifications", self.notifications_of(&user).await?);
        put("emails", json(addresses_of(&self.deps, &mut self.deps.store.reading(), &user).await?)?);
        put("terms", self.terms_of(&user).await?);
        put("deletion", self.deletion_of(id).await?);
        put("grants", self.grants_of(ctx, id).await?);
        put("access_requests", self.requests_of(&user).await?);
        Ok(Value::Object(archive))
    }

    async fn password_of(&self, id: UserId) -> Result<Value, Failure> {
        let found = self.deps.store.reading().password_credentials().find(id).await?;
        Ok(found.map_or(Value::Null, |credential| json!({ "changed_at": credential.changed_at })))
    }

    /// Those that have ended too: their rows stay for a while, and say where their user was.
    async fn sessions_of(&self, ctx: &Context, id: UserId) -> Result<Value, Failure> {
        let current = ctx.user().ok().map(|(_, session)| session);
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let page = self.deps.store.reading().sessions().page_of_user(id, after, PAGE).await?;
            let is_last = page.len() < PAGE as usize;
            after = page.last().map(|last| (last.created_at, last.id));
            all.extend(page.iter().map(|session| {
                json!({ "id": session.id, "device_name": session.device_name, "user_agent": session.user_agent,
                    "ip": session.ip, "amr": session.amr, "created_at": session.created_at,
                    "last_seen_at": session.last_seen_at, "expires_at": session.expires_at,
                    "ended_at": session.ended_at, "current": current == Some(session.id) })
            }));
            if is_last {
                return Ok(Value::from(all));
            }
        }
    }

    async fn factors_of(&self, id: UserId) -> Result<Value, Failure> {
        let mut reading = self.deps.store.reading();
        let factors = reading.factors().of_user(id).await?;
        let items: Vec<Value> = factors
            .iter()
            .map(|factor| {
                json!({ "id": factor.id, "kind": factor.kind, "name": factor.name, "created_at": factor.created_at,
                    "last_used_at": factor.last_used_at })
            })
            .collect();
        let left = reading.recovery_codes().of_user(id).await?.len();
        Ok(json!({ "items": items, "recovery_codes_left": left }))
    }

    async fn preferences_of(&self, id: UserId) -> Result<Value, Failure> {
        let chosen = self.deps.store.reading().notification_preferences().of_user(id).await?;
        let quiet = chosen.quiet_hours.as_ref().map(|quiet| json!({ "from": quiet.from(), "to": quiet.to() }));
        Ok(json!({ "categories": json(&chosen.categories)?, "quiet_hours": quiet }))
    }

    async fn notifications_of(&self, user: &User) -> Result<Value, Failure> {
        let all = self.notifications.everything_of(user).await?;
        let items = all.into_iter().map(|shown| {
            let content = shown.content;
            json!({ "id": shown.id, "category": shown.category, "title": content.title, "body": content.body,
                "data": content.data, "action_url": content.action_url, "created_at": shown.created_at,
                "seen_at": shown.seen_at, "read_at": shown.read_at, "archived_at": shown.archived_at })
        });
        Ok(items.collect())
    }

    async fn grants_of(&self, ctx: &Context, id: UserId) -> Result<Value, Failure> {
        let all = self.grants.of_user(ctx, id).await?;
        let items = all.into_iter().map(|GrantView { grant, reason }| {
            json!({ "id": grant.id, "kind": grant.kind, "name": grant.name, "source": grant.source, "reason": reason,
                "granted_by": grant.granted_by, "created_at": grant.created_at, "starts_at": grant.period.starts_at,
                "expires_at": grant.period.expires_at })
        });
        Ok(items.collect())
    }

    async fn requests_of(&self, user: &User) -> Result<Value, Failure> {
        let all = self.access_requests.everything_of(user).await?;
        let items = all.into_iter().map(|view| {
            let decisions: Vec<Value> = view
                .decisions
                .iter()
                .map(|(one, comment)| json!({ "decision": one.verdict, "comment": comment, "at": one.at }))
                .collect();
            let request = view.request;
            json!({ "id": request.id, "kind": request.kind, "name": request.name, "action": request.action,
                "reason": view.reason, "state": view.state, "decisions": decisions, "created_at": request.created_at,
                "starts_at": request.starts_at, "duration_seconds": request.duration_seconds })
        });
        Ok(items.collect())
    }

    async fn terms_of(&self, user: &User) -> Result<Value, Failure> {
        let rows = self.deps.store.reading().terms_acceptances().of_user(user.id).await?;
        let items = rows.iter().map(|row| {
            let origin = origin_of(&self.deps, user, row)?;
            Ok(json!({ "document": row.document, "version": row.version, "accepted_at": row.accepted_at,
                "origin": json(origin)? }))
        });
        items.collect::<Result<Vec<Value>, Failure>>().map(Value::from)
    }

    async fn deletion_of(&self, id: UserId) -> Result<Value, Failure> {
        let found = self.deps.store.reading().deletions().find(id).await?;
        Ok(found.map_or(Value::Null, |deletion| {
            json!({ "by": deletion.by.as_str(), "deleted_at": deletion.deleted_at, "purge_at": deletion.purge_at })
        }))
    }
}

fn description() -> Value {
    let reasons: Map<String, Value> = LEFT_OUT.iter().map(|(table, why)| ((*table).to_owned(), json!(why))).collect();
    json!({
        "account": "the profile, as GET /v1/me shows it",
        "password": "when it was set; it is kept as a hash that nobody can turn back",
        "identities": "accounts elsewhere by which the account can be signed in to, with what they told",
        "sessions": "devices that are signed in, and those of which a row is left since they were",
        "events": "what was done to the account and what its owner did, with what it was before and from where, as long as the audit log is kept",
        "second_factors": "without their secrets",
        "notification_preferences": "what reaches the user how, where that was chosen",
        "notifications": "the inbox, put away ones too",
        "grants": "roles and permissions that the account holds, why, and until when",
        "access_requests": "what its owner asked for, and what was decided",
        "emails": "every address of the account, the first one first",
        "terms": "documents that were accepted, in which version, when and from where",
        "deletion": "set while the account is deleted and can be restored",
        "not_included": reasons,
    })
}

fn json(value: impl serde::Serialize) -> Result<Value, Failure> {
    serde_json::to_value(value).map_err(internal)
}
