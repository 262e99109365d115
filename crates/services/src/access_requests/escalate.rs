//! Requests that nobody decides for long: others are told, whom the role names for that. That they may decide follows from
//! the time (`userd_model::Standing`); here it is told and written down, once.

use userd_model::{AccessRequestId, EventKind, MessageId, RequestState, Standing, UserStatus};
use userd_storage::Failure;

use super::{AccessRequests, Thing, approvers::asked_late, data, tell::tell_approvers};
use crate::{Context, change::Change, faults::Faults};

/// Requests looked at in one round.
const BATCH: u32 = 200;

impl AccessRequests {
    /// Tells of requests that have waited for too long. How many were looked at.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn escalate_due(&self) -> Result<usize, Failure> {
        let ctx = &self.changes.system_context();
        let (mut looked_at, mut faults) = (0, Faults::default());
        loop {
            let due = self.deps.store.reading().access_request_escalations().due(self.deps.now(), BATCH).await?;
            for request in &due {
                faults.of(self.escalate(ctx, *request).await, "telling of requests that wait", request);
            }
            looked_at += due.len();
            if due.len() < BATCH as usize || faults.any() {
                return faults.end(looked_at);
            }
        }
    }

    async fn escalate(&self, ctx: &Context, id: AccessRequestId) -> Result<(), Failure> {
        // It is bound into what the message says.
        let message = MessageId::mint(self.deps.random.as_ref());
        self.changes
            .run(ctx, "escalate_access_request", |mut change| async move {
                change.access_request_escalations().remove(id).await?;
                self.tell_late(&mut change, message, id).await?;
                change.commit(()).await
            })
            .await?;
        self.deliveries.wake();
        Ok(())
    }

    /// The role counts as it is now: where it says another time by now, it is looked at again then.
    async fn tell_late(&self, change: &mut Change<'_>, message: MessageId, id: AccessRequestId) -> Result<(), Failure> {
        let now = change.now;
        let Some(request) = change.access_requests().find(id).await? else { return Ok(()) };
        let Some(thing) = Thing::of(change, &request, &self.deps.settings).await? else { return Ok(()) };
        let after = thing.rules.escalate_after_seconds;
        let (true, Some(late)) = (request.state_at(now) == RequestState::Open, request.escalates_at(after)) else {
            return Ok(());
        };
        if !request.is_up_to(Standing::Escalation, after, now) {
            return Ok(change.access_request_escalations().write(&request, late).await?);
        }
        let requester = change.users().find(request.requester).await?;
        let Some(requester) = requester.filter(|user| user.status != UserStatus::Deleted) else { return Ok(()) };
        let others = asked_late(change, &thing, &request, now).await?;
        change.event(EventKind::AccessRequestEscalated, request.requester, data(&request, &[]));
        tell_approvers(&self.deliveries, change, message, (&request, &requester), (&others, &thing)).await
    }
}
