//! Asking for a change of one's rights.

use userd_model::{
    AccessRequest, AccessRequestId, Act, Decision, EventKind, GrantKind, InvalidField, MessageId, Permission, Quorum,
    Refusal, RequestState, RequestedAction, Role, RoleRules, Timestamp, User, UserId, Verdict, text,
};
use userd_storage::Failure;

use super::{
    AccessRequests, RequestView, Requestable, Thing,
    approvers::{Approver, eligible, told},
    changes_something, close, data,
    tell::tell_approvers,
};
use crate::{
    Context, IdempotentRequest, change::Change, idempotency::Made, limits::Limited, role_reader::every_role,
    roles::REASON, user_reader::seal_field,
};

/// What is asked for.
#[derive(Clone, Debug)]
pub struct AccessInput {
    /// A role or a permission.
    pub kind: GrantKind,
    /// Which.
    pub name: String,
    /// To be given it, or to be rid of it.
    pub action: RequestedAction,
    /// Why.
    pub reason: Option<String>,
    /// From when on; none: from the approval on.
    pub starts_at: Option<Timestamp>,
    /// For how long; none: as long as the role allows.
    pub duration_seconds: Option<u64>,
}

impl AccessRequests {
    /// Asks for a role or permission, or to be rid of one. Whom policy trusts is granted it at once, but for those who could make
    /// that policy, and those whose address nobody has proven.
    ///
    /// # Errors
    /// `InvalidInput`; `NotRequestable`, `NothingToChange`, `RequestOpen`, `NoApprover`, `TooManyAttempts`. For a repeat:
    /// `IdempotencyMismatch`, `ReplayRefused`.
    pub async fn ask(
        &self,
        ctx: &Context,
        input: AccessInput,
        idempotent: Option<&IdempotentRequest>,
    ) -> Result<RequestView, Failure> {
        let (me, _) = ctx.user()?;
        ctx.may(&Act::RequestAccess(me))?;
        let input = &self.checked(input)?;
        if !self.idempotency.earlier(idempotent).await?.is_some_and(|earlier| earlier.same_body) {
            self.limits.reserve(Limited::AccessRequestPerUser, &me.to_string()).await?;
        }
        // It is bound into what the message says.
        let message = MessageId::mint(self.deps.random.as_ref());
        let view = self
            .changes
            .run(ctx, "request_access", |mut change| async move {
                let mut user = change.users_of_facts(&[me]).await?.pop().ok_or(Refusal::NotSignedIn)?;
                user.must_be_active(change.now)?;
                if let Some(made) = self.idempotency.find(&mut change, idempotent).await? {
                    let Made::AccessRequest(id) = made else { return Err(Refusal::IdempotencyMismatch.into()) };
                    let before = change.access_requests().find(id).await?.ok_or(Refusal::NotFound)?;
                    let view = self.view(before, Some(&user), change.now)?;
                    return change.commit(view).await;
                }
                let thing = self.requestable(&mut change, &user, input).await?;
                self.must_be_only_one(&mut change, me, input).await?;
                let mut request = self.new_request(&mut change, &user, &thing, input)?;
                change.event(EventKind::AccessRequestOpened, me, data(&request, &[]));
                let held: Vec<String> = user.roles_at(change.now).cloned().collect();
                let is_covered = input.action == RequestedAction::Grant && thing.rules.auto_approve.covers(&held);
                // Whoever holds rights keeps an address that they only claim (decision 0008), so others look at them first (0068).
                if is_covered && !user.only_claims_its_address() && !makes_rules(&mut change, &user).await? {
                    let (now, quorum) = (change.now, quorum(&thing));
                    let rule =
                        Decision { by: None, verdict: Verdict::Approve, comment: None, at: now, expires_at: None };
                    request.decide(rule, quorum, now)?;
                    self.carry_out(&mut change, &request, &thing, &mut user, "rule").await?;
                    close(&mut change, &request, None).await?;
                } else {
                    self.open(&mut change, message, (&request, &user), &thing).await?;
                }
                let now = change.now;
                self.idempotency.save(&mut change, idempotent, Made::AccessRequest(request.id), Some(me)).await?;
                let view = self.view(request, Some(&user), now)?;
                change.commit(view).await
            })
            .await?;
        self.deliveries.wake();
        tracing::info!(user_id = %me, request_id = %view.request.id, name = view.request.name, "access requested");
        Ok(view)
    }

    /// Opens a request that others decide, and tells them.
    async fn open(
        &self,
        change: &mut Change<'_>,
        message: MessageId,
        (request, user): (&AccessRequest, &User),
        thing: &Thing,
    ) -> Result<(), Failure> {
        let now = change.now;
        let approvers = eligible(change, &self.deps, thing, request, now).await?;
        if approvers.len() < thing.rules.quorum as usize {
            return Err(Refusal::NoApprover.into());
        }
        change.open_access_requests().insert(request).await?;
        change.access_requests().write(request).await?;
        if let Some(late) = request.escalates_at(thing.rules.escalate_after_seconds) {
            change.access_request_escalations().write(request, late).await?;
        }
        let told = told(thing, &approvers);
        tell_approvers(&self.deliveries, change, message, (request, user), (told, thing)).await
    }

    /// What the user may ask for.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn catalogue(&self, ctx: &Context) -> Result<Vec<Requestable>, Failure> {
        let (me, _) = ctx.user()?;
        ctx.may(&Act::RequestAccess(me))?;
        let mut reading = self.deps.store.reading();
        let roles = every_role(&mut reading).await?.into_iter().filter(|role| role.rules.requestable);
        let mut all: Vec<Requestable> =
            roles.map(|Role { name, rules, .. }| Requestable { kind: GrantKind::Role, name, rules }).collect();
        let mut after = String::new();
        loop {
            let page = reading.permissions().page(&after, PAGE).await?;
            let is_last = page.len() < PAGE as usize;
            after = page.last().map(|last| last.name.clone()).unwrap_or_default();
            all.extend(page.into_iter().filter(|one| one.requestable).map(|one| Requestable {
                kind: GrantKind::Permission,
                name: one.name,
                rules: RoleRules { description: one.description, requestable: true, ..RoleRules::default() },
            }));
            if is_last {
                return Ok(all);
            }
        }
    }

    fn checked(&self, input: AccessInput) -> Result<AccessInput, Refusal> {
        let mut wrong = Vec::new();
        let reason = input.reason.as_deref().map(text::reason).transpose().unwrap_or_else(|detail| {
            wrong.push(InvalidField::new("/reason", detail));
            None
        });
        if input.duration_seconds.is_some_and(|seconds| !(60..=RoleRules::MAX_DURATION).contains(&seconds)) {
            wrong.push(InvalidField::new("/duration_seconds", "must be between 60 seconds and 10 years"));
        }
        let latest = self.deps.now().plus(std::time::Duration::from_secs(RoleRules::MAX_DURATION));
        if input.starts_at.is_some_and(|start| start > latest) {
            wrong.push(InvalidField::new("/starts_at", "must lie within 10 years"));
        }
        if input.action == RequestedAction::Revoke {
            for (pointer, given) in
                [("/duration_seconds", input.duration_seconds.is_some()), ("/starts_at", input.starts_at.is_some())]
            {
                if given {
                    wrong.push(InvalidField::new(pointer, "is for grants only"));
                }
            }
        }
        if wrong.is_empty() { Ok(AccessInput { reason, ..input }) } else { Err(Refusal::InvalidInput(wrong)) }
    }

    async fn requestable(&self, change: &mut Change<'_>, user: &User, input: &AccessInput) -> Result<Thing, Failure> {
        let thing = Thing::find(change, input.kind, &input.name).await?;
        // What cannot be asked for does not tell whether it is there.
        let thing = match thing {
            Some(thing) if thing.rules.requestable || input.action == RequestedAction::Revoke => thing,
            _ => return Err(Refusal::NotRequestable.into()),
        };
        if !changes_something(user, input.kind, &input.name, input.action) {
            return Err(Refusal::NothingToChange.into());
        }
        if thing.rules.reason_prompt.is_some() && input.reason.is_none() {
            return Err(Refusal::field("/reason", "must be given with this request").into());
        }
        Ok(thing)
    }

    /// Refuses a second open request for one thing. One whose time is over makes room.
    async fn must_be_only_one(&self, change: &mut Change<'_>, me: UserId, input: &AccessInput) -> Result<(), Failure> {
        let Some(open) = change.open_access_requests().find(me, input.kind, &input.name).await? else {
            return Ok(());
        };
        let now = change.now;
        let Some(mut request) = change.access_requests().find(open).await? else { return Ok(()) };
        if !request.expire(now) {
            return Err(Refusal::RequestOpen.into());
        }
        close(change, &request, None).await?;
        self.deliveries.replace_cards(change, &request, None).await
    }

    fn new_request(
        &self,
        change: &mut Change<'_>,
        user: &User,
        thing: &Thing,
        input: &AccessInput,
    ) -> Result<AccessRequest, Failure> {
        let id: AccessRequestId = change.id();
        let reason = match (input.reason.as_deref(), user.data_key.as_ref()) {
            (Some(reason), Some(key)) => Some(seal_field(&self.deps, user.id, key, REASON, reason.as_bytes())?),
            _ => None,
        };
        let ttl = std::time::Duration::from_secs(thing.rules.request_ttl_seconds);
        Ok(AccessRequest {
            id,
            requester: user.id,
            kind: input.kind.into(),
            name: input.name.clone(),
            action: input.action,
            reason,
            starts_at: input.starts_at,
            duration_seconds: input.duration_seconds,
            state: RequestState::Open,
            decisions: Vec::new(),
            created_at: change.now,
            expires_at: change.now.plus(ttl),
            version: 1,
        })
    }
}

/// Whether somebody may make the rules by which rights are granted: such a rule would else be a way to keep a right that was
/// given for a while. Their requests are for others to decide (decision 0064).
async fn makes_rules(change: &mut Change<'_>, user: &User) -> Result<bool, Failure> {
    let now = change.now;
    let approver = Approver::read(change, user.clone(), now).await?;
    Ok([Permission::ROLES_MANAGE, Permission::ROLES_GRANT].iter().any(|right| approver.holds(right)))
}

/// Permissions read at once.
const PAGE: u32 = 500;

pub(super) const fn quorum(thing: &Thing) -> Quorum {
    Quorum { approve: thing.rules.quorum, decline: thing.rules.decline_quorum }
}
