//! Deciding, withdrawing and ending requests. Whether somebody may decide, and those may still who decided before them, is looked
//! up in the unit of work that decides: of a decision and the loss of the right to it, one comes first.

use userd_model::{
    AccessRequest, AccessRequestId, Decision, EventKind, GrantSource, Refusal, RequestKind, RequestState,
    RequestedAction, Timestamp, User, UserId, UserStatus, Verdict, text,
};
use userd_storage::Failure;

use super::{
    AccessRequests, COMMENT, RequestView, Thing,
    account::settle,
    approvers::{Approver, leave_out_who_may_not},
    ask::quorum,
    close, data,
};
use crate::{
    Context,
    change::Change,
    faults::Faults,
    recent_proof,
    roles::{REASON, give, take},
    user_reader::{open_field, seal_field},
};

/// What an approver says.
#[derive(Clone, Debug, Default)]
pub struct DecisionInput {
    /// For the requester and other approvers.
    pub comment: Option<String>,
    /// With an approval: the grant ends at this time at the latest, after it began.
    pub expires_at: Option<Timestamp>,
}

/// The same, checked.
pub(super) struct Said {
    pub(super) verdict: Verdict,
    pub(super) comment: Option<String>,
    pub(super) expires_at: Option<Timestamp>,
}

/// Requests whose end is written down in one round.
const BATCH: u32 = 200;

impl AccessRequests {
    /// Approves or declines. When enough did, the request is closed, and what was asked for is done.
    ///
    /// # Errors
    /// `NotFound` for who may not see it, `Forbidden` for who may not decide it, `OwnRequest`, `RequestClosed`,
    /// `InvalidInput`, `LastAdministrator`.
    pub async fn decide(
        &self,
        ctx: &Context,
        id: AccessRequestId,
        verdict: Verdict,
        input: &DecisionInput,
    ) -> Result<RequestView, Failure> {
        let (me, _) = ctx.user()?;
        recent_proof::must_be_strong(ctx, &mut self.deps.store.reading()).await?;
        let comment = input.comment.as_deref().map(text::reason).transpose();
        let comment = comment.map_err(|detail| Refusal::field("/comment", detail))?;
        if input.expires_at.is_some_and(|end| end <= ctx.now) {
            return Err(Refusal::field("/expires_at", "must lie ahead").into());
        }
        let said = &Said { verdict, comment, expires_at: input.expires_at };
        let view = self
            .changes
            .run(ctx, "decide_access_request", |mut change| async move {
                let request = change.access_requests().find(id).await?.ok_or(Refusal::NotFound)?;
                let people = people(&mut change, me, &request).await?;
                let view = self.vote(ctx, &mut change, people, request, said).await?;
                self.deliveries.replace_cards(&mut change, &view.request, None).await?;
                change.commit(view).await
            })
            .await?;
        self.deliveries.wake();
        let (state, by) = (view.state.as_str(), ctx.actor.name());
        tracing::info!(request_id = %id, %by, verdict = verdict.as_str(), state, "access request decided");
        Ok(view)
    }

    /// Takes what an approver says into account, and does what follows from it.
    pub(super) async fn vote(
        &self,
        ctx: &Context,
        change: &mut Change<'_>,
        (approver, requester): (User, Option<User>),
        mut request: AccessRequest,
        said: &Said,
    ) -> Result<RequestView, Failure> {
        let (me, now) = (approver.id, change.now);
        if request.requester == me {
            return Err(Refusal::OwnRequest.into());
        }
        let thing = Thing::of(change, &request, &self.deps.settings).await?.ok_or(Refusal::NotFound)?;
        let approver = Approver::read(change, approver, now).await?;
        if !approver.may_decide(&thing, &request) {
            return Err(self.refusal(ctx).into());
        }
        request.must_be_open(now)?;
        if said.verdict == Verdict::Approve
            && let (Some(end), Some(start)) = (said.expires_at, request.starts_at)
            && end <= start
        {
            return Err(Refusal::field("/expires_at", "must be later than the start that was asked for").into());
        }
        let mut requester = requester.ok_or(Refusal::NotFound)?;
        if requester.status == UserStatus::Deleted {
            return Err(Refusal::NotFound.into());
        }
        let comment = match (&said.comment, requester.data_key.as_ref()) {
            (Some(words), Some(key)) => Some(seal_field(&self.deps, requester.id, key, COMMENT, words.as_bytes())?),
            _ => None,
        };
        // Who said something before may have lost the right to it since.
        leave_out_who_may_not(change, &thing, &mut request, Some(me), now).await?;
        let decision = Decision { by: Some(me), verdict: said.verdict, comment, at: now, expires_at: said.expires_at };
        let state = request.decide(decision, quorum(&thing), now)?;
        let voted = data(&request, &[("verdict", said.verdict.as_str())]);
        change.event(EventKind::AccessRequestVoted, request.requester, voted);
        match state {
            RequestState::Open => change.access_requests().write(&request).await?,
            RequestState::Approved => {
                self.carry_out(change, &request, &thing, &mut requester, &me.to_string()).await?;
                close(change, &request, said.comment.as_deref()).await?;
            }
            _ => {
                if request.kind == RequestKind::Account {
                    settle(change, &request, &mut requester).await?;
                }
                close(change, &request, said.comment.as_deref()).await?;
            }
        }
        self.view(request, Some(&requester), now)
    }

    /// Takes a request of one's own back.
    ///
    /// # Errors
    /// `NotFound` for what is not one's own; `RequestClosed`.
    pub async fn withdraw(&self, ctx: &Context, id: AccessRequestId) -> Result<RequestView, Failure> {
        let (me, _) = ctx.user()?;
        ctx.may(&userd_model::Act::RequestAccess(me))?;
        let withdrawn = self
            .changes
            .run(ctx, "withdraw_access_request", |mut change| async move {
                let now = change.now;
                let user = change.active_user(me).await?;
                let request = change.access_requests().find(id).await?.filter(|request| request.requester == me);
                let mut request = request.ok_or(Refusal::NotFound)?;
                request.withdraw(now)?;
                close(&mut change, &request, None).await?;
                self.deliveries.replace_cards(&mut change, &request, None).await?;
                let view = self.view(request, Some(&user), now)?;
                change.commit(view).await
            })
            .await?;
        self.deliveries.wake();
        Ok(withdrawn)
    }

    /// Writes down that requests have expired. How many.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn expire_due(&self) -> Result<usize, Failure> {
        let ctx = &self.changes.system_context();
        let (mut ended, mut faults) = (0, Faults::default());
        loop {
            let due = self.deps.store.reading().access_requests().over(self.deps.now(), BATCH).await?;
            for request in &due {
                faults.of(self.expire(ctx, request.id).await, "closing requests", &request.id);
            }
            ended += due.len();
            if due.len() < BATCH as usize || faults.any() {
                return faults.end(ended);
            }
        }
    }

    async fn expire(&self, ctx: &Context, id: AccessRequestId) -> Result<(), Failure> {
        self.changes
            .run(ctx, "expire_access_request", |mut change| async move {
                let now = change.now;
                if let Some(mut request) = change.access_requests().find(id).await?
                    && request.expire(now)
                {
                    if request.kind == RequestKind::Account
                        && let Some(mut user) = change.users().find(request.requester).await?
                    {
                        settle(&mut change, &request, &mut user).await?;
                    }
                    close(&mut change, &request, None).await?;
                    self.deliveries.replace_cards(&mut change, &request, None).await?;
                }
                change.commit(()).await
            })
            .await
    }

    /// Does what was asked for.
    pub(super) async fn carry_out(
        &self,
        change: &mut Change<'_>,
        request: &AccessRequest,
        thing: &Thing,
        user: &mut User,
        by: &str,
    ) -> Result<(), Failure> {
        let Some(kind) = request.kind.of_grant() else { return settle(change, request, user).await };
        match request.action {
            RequestedAction::Grant => {
                let period = request.period(thing.rules.max_duration_seconds, change.now);
                let words = open_field(&self.deps, user, REASON, request.reason.as_ref())?;
                let source = (GrantSource::Request, by.to_owned(), request.reason.clone());
                give(change, user, (kind, &request.name), period, source, words.as_deref()).await?;
            }
            // What is gone already needs no taking.
            RequestedAction::Revoke => drop(take(change, user, kind, &request.name, "requested").await?),
            RequestedAction::Register => {}
        }
        Ok(())
    }

    /// Who may see requests learns that this one is not theirs to decide; to others it is not there.
    fn refusal(&self, ctx: &Context) -> Refusal {
        if ctx.may(&userd_model::Act::ReadRequests).is_ok() { Refusal::Forbidden } else { Refusal::NotFound }
    }
}

/// Whoever decides, who must be active, and whose request it is: asked for together.
pub(super) async fn people(
    change: &mut Change<'_>,
    approver: UserId,
    request: &AccessRequest,
) -> Result<(User, Option<User>), Failure> {
    let mut found = change.users_of_facts(&[approver, request.requester]).await?.into_iter();
    let approver = found.next().filter(|user| user.id == approver).ok_or(Refusal::NotSignedIn)?;
    approver.must_be_active(change.now)?;
    Ok((approver, found.next()))
}
