//! Giving and taking roles and permissions. What is taken is gone from tokens in use at once; what is given is in the next
//! one. A grant ends by itself at its time, whoever notices; the sweeper only writes it down.

use std::{sync::Arc, time::Duration};

use serde_json::{Map, Value as Json, json};
use userd_model::{
    Act, EventKind, Grant, GrantKind, GrantSource, InvalidField, MessageId, Period, Permission, Refusal, Timestamp,
    User, UserId, UserStatus, text,
};
use userd_storage::Failure;
use userd_templates::{Kind, Value, Values};

use super::edit::is_registered;
use crate::{
    Context, Dependencies,
    change::{Change, Changes},
    deliveries::{Deliveries, MoreOfMessage},
    faults::Faults,
    recent_proof,
    role_reader::{read, read_permissions},
    user_reader::{open_field, seal_field},
    users::must_leave_an_administrator,
};

/// Gives and takes roles and permissions.
#[derive(Clone)]
pub struct Grants {
    pub(crate) deps: Dependencies,
    pub(crate) changes: Changes,
    pub(crate) deliveries: Arc<Deliveries>,
}

/// How something is given.
#[derive(Clone, Debug, Default)]
pub struct GrantInput {
    /// Why: shown to administrators and to whom it concerns.
    pub reason: Option<String>,
    /// From when on; none: from now on.
    pub starts_at: Option<Timestamp>,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
}

/// A grant as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantView {
    /// The grant.
    pub grant: Grant,
    /// Why.
    pub reason: Option<String>,
}

/// Under what name reasons of grants are sealed, and of requests: an approved request's reason becomes its grant's.
pub(crate) const REASON: &str = "grant_reason";
/// Whoever holds something for a while is told this long before it ends; not where it was given for less than twice that.
const REMINDER: Duration = Duration::from_secs(3 * 24 * 3600);
/// Grants whose end is written down in one round.
const BATCH: u32 = 200;

impl Grants {
    /// What a user holds, as far as it has not ended.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`.
    pub async fn of_user(&self, ctx: &Context, id: UserId) -> Result<Vec<GrantView>, Failure> {
        ctx.may(&Act::ReadGrants(id))?;
        let mut reading = self.deps.store.reading();
        let user = reading.users().find(id).await?.ok_or(Refusal::NotFound)?;
        let found = reading.grants().of_user(id).await?;
        let now = self.deps.now();
        let lasts = |grant: &Grant| grant.period.expires_at.is_none_or(|end| now < end);
        found.into_iter().filter(lasts).map(|grant| self.view(&user, grant)).collect()
    }

    /// Gives a role or permission, or gives it anew with another time. At most what the giver may do.
    ///
    /// # Errors
    /// `Forbidden`, also to oneself; `NotFound` for a user or thing that is not there; `InvalidInput`;
    /// `LastAdministrator` for an end to the last one's role.
    pub async fn grant(
        &self,
        ctx: &Context,
        id: UserId,
        kind: GrantKind,
        name: &str,
        input: &GrantInput,
    ) -> Result<GrantView, Failure> {
        ctx.may(&Act::GrantTo(id))?;
        ctx.actor.must_reach(name)?;
        recent_proof::must_be_strong(ctx, &mut self.deps.store.reading()).await?;
        let reason = self.checked(input)?.as_deref().map(str::to_owned);
        let (reason, period) = (reason.as_deref(), Period { starts_at: input.starts_at, expires_at: input.expires_at });
        let (user, grant) = self
            .changes
            .run(ctx, "grant", |mut change| async move {
                let mut user = change.users().find(id).await?.ok_or(Refusal::NotFound)?;
                if user.status == UserStatus::Deleted {
                    return Err(Refusal::NotFound.into());
                }
                let allowed = allows(&mut change, kind, name).await?.ok_or(Refusal::NotFound)?;
                if !allowed.iter().all(|permission| ctx.actor.may_give(permission)) {
                    return Err(Refusal::Forbidden.into());
                }
                let sealed = self.seal_reason(&user, reason)?;
                let source = (GrantSource::Direct, ctx.actor.name(), sealed);
                let grant = give(&mut change, &mut user, (kind, name), period, source, reason).await?;
                change.commit((user, grant)).await
            })
            .await?;
        tracing::info!(user_id = %id, by = %ctx.actor.name(), kind = kind.as_str(), name, "granted");
        self.view(&user, grant)
    }

    /// Takes a role or permission away: tokens in use lose it at once.
    ///
    /// # Errors
    /// `Forbidden`; `NotFound` for what is not held; `LastAdministrator`.
    pub async fn revoke(&self, ctx: &Context, id: UserId, kind: GrantKind, name: &str) -> Result<(), Failure> {
        ctx.may(&Act::RevokeFrom(id))?;
        ctx.actor.must_reach(name)?;
        recent_proof::must_be_strong(ctx, &mut self.deps.store.reading()).await?;
        self.changes
            .run(ctx, "revoke_grant", |mut change| async move {
                let mut user = change.users().find(id).await?.ok_or(Refusal::NotFound)?;
                let allowed = allows(&mut change, kind, name).await?.unwrap_or_default();
                if !allowed.iter().all(|permission| ctx.actor.may_give(permission)) {
                    return Err(Refusal::Forbidden.into());
                }
                if !take(&mut change, &mut user, kind, name, "revoked").await? {
                    return Err(Refusal::NotFound.into());
                }
                change.commit(()).await
            })
            .await?;
        tracing::info!(user_id = %id, by = %ctx.actor.name(), kind = kind.as_str(), name, "grant revoked");
        Ok(())
    }

    /// Writes down that grants have ended. How many.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn end_due(&self) -> Result<usize, Failure> {
        let ctx = Arc::new(self.changes.system_context());
        let (mut ended, mut faults) = (0, Faults::default());
        loop {
            let due = self.deps.store.reading().grants().ended(self.deps.now(), BATCH).await?;
            let mut users: Vec<UserId> = due.iter().map(|grant| grant.user_id).collect();
            users.sort_unstable();
            users.dedup();
            for user in users {
                faults.of(self.end_of(&ctx, user).await, "ending grants", &user);
            }
            ended += due.len();
            if due.len() < BATCH as usize || faults.any() {
                return faults.end(ended);
            }
        }
    }

    /// Tells whoever holds something that ends soon, once. How many grants end soon.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn remind(&self) -> Result<usize, Failure> {
        let ctx = &self.changes.system_context();
        let (now, mut ending, mut faults) = (self.deps.now(), 0, Faults::default());
        let mut from = now;
        loop {
            let page = self.deps.store.reading().grants().ending_from(from, BATCH).await?;
            let soon = |grant: &&Grant| grant.period.expires_at.is_some_and(|end| end <= now.plus(REMINDER));
            for grant in page.iter().take_while(soon) {
                faults.of(self.remind_of(ctx, grant).await, "reminding of ends of grants", &grant.user_id);
                ending += 1;
            }
            match page.last().filter(|last| soon(last) && page.len() == BATCH as usize) {
                Some(last) => from = last.period.expires_at.unwrap_or(now),
                None => return faults.end(ending),
            }
            // More than a page that end at one moment are not all told: the next round begins behind them.
            from = from.plus(Duration::from_micros(1));
        }
    }

    async fn remind_of(&self, ctx: &Context, grant: &Grant) -> Result<(), Failure> {
        let Some(end) = grant.period.expires_at else { return Ok(()) };
        let begins = grant.period.starts_at.unwrap_or(grant.created_at);
        if end.since(begins) < REMINDER * 2 {
            return Ok(());
        }
        let (id, end_bytes) = (grant.id.0.as_bytes(), end.micros().to_be_bytes());
        let once = &self.deps.crypto.index.keyed_hash("reminder of a grant", &[id, &end_bytes]);
        let message = MessageId::mint(self.deps.random.as_ref());
        let values = &Values::default()
            .with("site", Value::Words(self.deps.settings.site()))
            .with("what", Value::Words(grant.name.clone()))
            .with("until", Value::Moment(end));
        self.changes
            .run(ctx, "remind_of_grant", |mut change| async move {
                if change.replay_guard().consume_once(once, "grant_reminder", end).await? {
                    let holder = [grant.user_id];
                    self.deliveries
                        .write_to_users(
                            &mut change,
                            message,
                            (Kind::AccessEnding, values),
                            MoreOfMessage::default(),
                            &holder,
                        )
                        .await?;
                }
                change.commit(()).await
            })
            .await
    }

    async fn end_of(&self, ctx: &Context, id: UserId) -> Result<(), Failure> {
        self.changes
            .run(ctx, "end_grants", |mut change| async move {
                let now = change.now;
                let grants = change.grants().of_user(id).await?;
                let is_over = |grant: &&Grant| grant.period.expires_at.is_some_and(|end| end <= now);
                let over: Vec<_> =
                    grants.iter().filter(is_over).map(|grant| (grant.kind, grant.name.clone())).collect();
                change.grants().remove_many(id, &over).await?;
                if let Some(mut user) = change.users().find(id).await? {
                    for (kind, name) in user.drop_ended(now) {
                        tell_of_loss(&mut change, id, kind, &name, "expired");
                    }
                    change.users().update(&user).await?;
                    change.forget(&user);
                }
                change.commit(()).await
            })
            .await
    }

    fn checked(&self, input: &GrantInput) -> Result<Option<String>, Refusal> {
        let mut wrong = Vec::new();
        let reason = input.reason.as_deref().map(text::reason).transpose();
        let reason = reason.unwrap_or_else(|detail| {
            wrong.push(InvalidField::new("/reason", detail));
            None
        });
        let now = self.deps.now();
        if input.expires_at.is_some_and(|end| end <= now || input.starts_at.is_some_and(|start| end <= start)) {
            wrong.push(InvalidField::new("/expires_at", "must lie ahead"));
        }
        if wrong.is_empty() { Ok(reason) } else { Err(Refusal::InvalidInput(wrong)) }
    }

    fn seal_reason(&self, user: &User, reason: Option<&str>) -> Result<Option<userd_model::Sealed>, Failure> {
        let (Some(reason), Some(key)) = (reason, user.data_key.as_ref()) else { return Ok(None) };
        seal_field(&self.deps, user.id, key, REASON, reason.as_bytes()).map(Some)
    }

    fn view(&self, user: &User, grant: Grant) -> Result<GrantView, Failure> {
        let reason = open_field(&self.deps, user, REASON, grant.reason.as_ref())?;
        Ok(GrantView { grant, reason })
    }
}

/// What a role or permission allows; none where there is no such thing.
async fn allows(change: &mut Change<'_>, kind: GrantKind, name: &str) -> Result<Option<Vec<Permission>>, Failure> {
    match kind {
        GrantKind::Role if read(change, name).await?.is_none() => Ok(None),
        GrantKind::Role => Ok(Some(read_permissions(change, &[name.to_owned()]).await?)),
        GrantKind::Permission if is_registered(change, name).await? => Ok(Permission::parse(name).map(|one| vec![one])),
        GrantKind::Permission => Ok(None),
    }
}

/// Gives a user something, whoever decided it: the account, the grant, and what is told of it, also the reason in `words`.
pub(crate) async fn give(
    change: &mut Change<'_>,
    user: &mut User,
    (kind, name): (GrantKind, &str),
    period: Period,
    (source, granted_by, reason): (GrantSource, String, Option<userd_model::Sealed>),
    words: Option<&str>,
) -> Result<Grant, Failure> {
    let (now, epoch) = (change.now, user.security_epoch);
    let is_new = user.period_of(kind, name) != Some(period);
    user.grant(kind, name, period, now);
    must_leave_an_administrator(change, user).await?;
    let before = change.grants().find(user.id, kind, name).await?;
    let id = change.id();
    let grant = Grant {
        id: before.as_ref().map_or(id, |before| before.id),
        user_id: user.id,
        kind,
        name: name.to_owned(),
        source,
        reason,
        granted_by,
        created_at: now,
        period,
    };
    change.grants().upsert_many(std::slice::from_ref(&grant)).await?;
    change.users().update(user).await?;
    if is_new {
        tell_of_gain(change, &grant, before.as_ref(), words);
    }
    tell_verifiers(change, user, epoch);
    Ok(grant)
}

fn tell_of_gain(change: &mut Change<'_>, grant: &Grant, before: Option<&Grant>, words: Option<&str>) {
    let (event, member) = match grant.kind {
        GrantKind::Role => (EventKind::RoleGranted, "role"),
        GrantKind::Permission => (EventKind::PermissionGranted, "permission"),
    };
    let mut data = how(grant);
    data.insert(member.to_owned(), json!(grant.name));
    if let Some(before) = before {
        data.insert("before".to_owned(), json!(how(before)));
    }
    let fact = change.event(event, grant.user_id, data.into());
    if let Some(words) = words {
        fact.personal(json!({ "reason": words }));
    }
}

/// Where a grant comes from, and from when to when it counts.
fn how(grant: &Grant) -> Map<String, Json> {
    let times = [("starts_at", grant.period.starts_at), ("expires_at", grant.period.expires_at)];
    let times = times.into_iter().filter_map(|(name, at)| at.map(|at| (name, at.to_string())));
    let source = ("source", grant.source.as_str().to_owned());
    std::iter::once(source).chain(times).map(|(name, word)| (name.to_owned(), word.into())).collect()
}

/// Takes something from a user, whoever decided it. Whether there was something to take.
pub(crate) async fn take(
    change: &mut Change<'_>,
    user: &mut User,
    kind: GrantKind,
    name: &str,
    reason: &str,
) -> Result<bool, Failure> {
    let (now, epoch) = (change.now, user.security_epoch);
    if !user.revoke_grant(kind, name, now) {
        return Ok(false);
    }
    must_leave_an_administrator(change, user).await?;
    change.grants().remove_many(user.id, &[(kind, name.to_owned())]).await?;
    change.users().update(user).await?;
    tell_of_loss(change, user.id, kind, name, reason);
    tell_verifiers(change, user, epoch);
    Ok(true)
}

fn tell_of_loss(change: &mut Change<'_>, user: UserId, kind: GrantKind, name: &str, reason: &str) {
    let (event, member) = match kind {
        GrantKind::Role => (EventKind::RoleRevoked, "role"),
        GrantKind::Permission => (EventKind::PermissionRevoked, "permission"),
    };
    change.event(event, user, json!({ member: name, "reason": reason }));
}

/// Where something was taken, tokens of before are dead; otherwise only what is remembered is out of date.
fn tell_verifiers(change: &mut Change<'_>, user: &User, epoch: i64) {
    if user.security_epoch > epoch { change.revoke_before_epoch(user) } else { change.forget(user) }
}
