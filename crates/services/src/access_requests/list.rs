//! Requests as they are shown: one's own, and those that one may see or decide.

use userd_model::{AccessRequest, AccessRequestId, Act, Refusal, RequestState, Timestamp, User, UserId};
use userd_storage::{Failure, UnitOfWork};
use uuid::Uuid;

use super::{AccessRequests, RequestView, Thing, approvers::Approver};
use crate::Context;

/// A page of requests, the newest first.
#[derive(Debug)]
pub struct RequestsPage {
    /// The requests.
    pub items: Vec<RequestView>,
    /// Where to go on.
    pub next: Option<(Timestamp, AccessRequestId)>,
}

/// Requests that one page looks at, at most: of those that others decide none is shown.
const LOOKED_AT: usize = 1000;

impl AccessRequests {
    /// The user's own requests.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn own(
        &self,
        ctx: &Context,
        after: Option<(Timestamp, AccessRequestId)>,
        limit: u32,
    ) -> Result<RequestsPage, Failure> {
        let (me, _) = ctx.user()?;
        ctx.may(&Act::ReadOwnRequests(me))?;
        let mut reading = self.deps.store.reading();
        let user = reading.users().find(me).await?.ok_or(Refusal::NotSignedIn)?;
        let found = reading.access_requests().of_user(me, after.unwrap_or(newest()), limit).await?;
        let next = if found.len() < limit as usize { None } else { found.last().map(place) };
        let now = self.deps.now();
        let items = found.into_iter().map(|request| self.view(request, Some(&user), now)).collect::<Result<_, _>>()?;
        Ok(RequestsPage { items, next })
    }

    /// Requests in a state: all for whoever may see them, otherwise those that the caller may decide. A page may be short,
    /// or empty, and have a place all the same.
    ///
    /// # Errors
    /// `Forbidden` for who is no user and may not see requests.
    pub async fn list(
        &self,
        ctx: &Context,
        state: RequestState,
        after: Option<(Timestamp, AccessRequestId)>,
        limit: u32,
    ) -> Result<RequestsPage, Failure> {
        let sees_all = ctx.may(&Act::ReadRequests).is_ok();
        let now = self.deps.now();
        let mut reading = self.deps.store.reading();
        let approver = if sees_all { None } else { Some(self.approver(&mut reading, ctx, now).await?) };
        let (mut items, mut place_now, mut looked_at) = (Vec::new(), after.unwrap_or(newest()), 0);
        loop {
            let found = reading.access_requests().in_state(state, place_now, limit).await?;
            let is_last = found.len() < limit as usize;
            for request in found {
                place_now = place(&request);
                looked_at += 1;
                // An open one whose time is over is stored as open until that is written down.
                if request.state_at(now) != state || !self.is_shown(&mut reading, approver.as_ref(), &request).await? {
                    continue;
                }
                let requester = reading.users().find(request.requester).await?;
                items.push(self.view(request, requester.as_ref(), now)?);
                if items.len() == limit as usize {
                    return Ok(RequestsPage { items, next: Some(place_now) });
                }
            }
            if is_last {
                return Ok(RequestsPage { items, next: None });
            }
            if looked_at >= LOOKED_AT {
                return Ok(RequestsPage { items, next: Some(place_now) });
            }
        }
    }

    /// One request: for whoever may see requests, its requester, and those who may decide it.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn show(&self, ctx: &Context, id: AccessRequestId) -> Result<RequestView, Failure> {
        let now = self.deps.now();
        let mut reading = self.deps.store.reading();
        let request = reading.access_requests().find(id).await?.ok_or(Refusal::NotFound)?;
        let is_own = ctx.may(&Act::ReadOwnRequests(request.requester)).is_ok();
        if !is_own && ctx.may(&Act::ReadRequests).is_err() {
            let approver = self.approver(&mut reading, ctx, now).await?;
            if !self.is_shown(&mut reading, Some(&approver), &request).await? {
                return Err(Refusal::NotFound.into());
            }
        }
        let requester = reading.users().find(request.requester).await?;
        self.view(request, requester.as_ref(), now)
    }

    /// Whether the caller may decide a request now: for what is shown, [`Self::decide`] looks again.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn may_decide(&self, ctx: &Context, request: &AccessRequest) -> Result<bool, Failure> {
        let now = self.deps.now();
        let mut reading = self.deps.store.reading();
        let approver = self.approver(&mut reading, ctx, now).await?;
        let is_open = request.state_at(now) == RequestState::Open;
        Ok(is_open && self.is_shown(&mut reading, Some(&approver), request).await?)
    }

    /// Every request of a user, for the export.
    pub(crate) async fn everything_of(&self, user: &User) -> Result<Vec<RequestView>, Failure> {
        const PAGE: u32 = 200;
        let (now, mut all, mut after) = (self.deps.now(), Vec::new(), newest());
        loop {
            let found = self.deps.store.reading().access_requests().of_user(user.id, after, PAGE).await?;
            let is_last = found.len() < PAGE as usize;
            after = found.last().map_or(after, place);
            for request in found {
                all.push(self.view(request, Some(user), now)?);
            }
            if is_last {
                return Ok(all);
            }
        }
    }

    async fn approver(&self, reading: &mut UnitOfWork, ctx: &Context, now: Timestamp) -> Result<Approver, Failure> {
        let (me, _): (UserId, _) = ctx.user()?;
        let user = reading.users().find(me).await?.ok_or(Refusal::NotSignedIn)?;
        Approver::read(reading, user, now).await
    }

    async fn is_shown(
        &self,
        reading: &mut UnitOfWork,
        approver: Option<&Approver>,
        request: &AccessRequest,
    ) -> Result<bool, Failure> {
        let Some(approver) = approver else { return Ok(true) };
        let thing = Thing::of(reading, request, &self.deps.settings).await?;
        Ok(thing.is_some_and(|thing| approver.may_decide(&thing, request)))
    }
}

fn place(request: &AccessRequest) -> (Timestamp, AccessRequestId) {
    (request.created_at, request.id)
}

/// The place before the newest.
fn newest() -> (Timestamp, AccessRequestId) {
    (Timestamp::from_seconds(253_402_214_400), AccessRequestId(Uuid::max()))
}
