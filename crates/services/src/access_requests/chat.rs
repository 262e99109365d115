//! Decisions by a button in the messenger. A button carries the request and the version that its message showed: whoever
//! presses it decides about what they saw, or is shown what it is now. It proves nothing by itself; who pressed it is the
//! user to whom the messenger's account is linked, and whether they may decide is looked up as everywhere.

use url::Url;
use userd_model::{
    AccessRequestId, Actor, Level, Refusal, RequestKind, RequestState, SessionId, User, UserId, Verdict,
    message::Button,
};
use userd_storage::{Failure, UnitOfWork};

use super::{
    AccessRequests, RequestView, Thing,
    approvers::{Approver, leave_out_who_may_not, name_of},
    ask::quorum,
    buttons::{Pressed, buttons_of},
    decide::{Said, people},
};
use crate::Context;

/// What whoever pressed a button is shown.
pub(crate) struct InChat {
    /// The request, as it is now.
    pub(crate) view: RequestView,
    /// How many more must approve before it is.
    pub(crate) missing: u32,
    /// The requester.
    pub(crate) requester: Option<User>,
    /// What can be pressed from now on; nothing once it has ended, nor where it is decided elsewhere.
    pub(crate) buttons: Vec<Button>,
    /// Where it is decided instead by whoever has to show a second factor for that.
    pub(crate) elsewhere: Option<Url>,
}

impl AccessRequests {
    /// Decides for the user to whom the messenger's account is linked. A second factor cannot be shown in a chat: whoever
    /// holds one, or has to, decides where they can show it.
    ///
    /// # Errors
    /// `VersionMismatch` where the request is not what the button's message showed; `InsufficientAuthentication`;
    /// `Forbidden` where this is not decided in chats; and those of [`Self::decide`].
    pub(crate) async fn decide_in_chat(&self, ctx: &Context, me: UserId, pressed: Pressed) -> Result<(), Failure> {
        let actor = Actor::User { id: me, session_id: SessionId(uuid::Uuid::nil()), permissions: Vec::new() };
        let ctx = &self.deps.context().from_origin(ctx.origin.clone()).acting_as(actor);
        let said = &Said { verdict: pressed.verdict, comment: None, expires_at: None };
        let view = self
            .changes
            .run(ctx, "decide_access_request", |mut change| async move {
                let request = change.access_requests().find(pressed.request).await?.ok_or(Refusal::NotFound)?;
                let (approver, requester) = people(&mut change, me, &request).await?;
                let thing = Thing::of(&mut change, &request, &self.deps.settings).await?.ok_or(Refusal::NotFound)?;
                if !thing.is_decided_in_chat(&self.deps.settings) {
                    return Err(Refusal::Forbidden.into());
                }
                if self.asks_for_a_factor(&mut change, &approver).await? {
                    return Err(Refusal::InsufficientAuthentication { level: Level::Two, max_age: None }.into());
                }
                if request.state_at(change.now) == RequestState::Open && request.version != pressed.version {
                    return Err(Refusal::VersionMismatch.into());
                }
                let view = self.vote(ctx, &mut change, (approver, requester), request, said).await?;
                // Whoever pressed is answered at once.
                self.deliveries.replace_cards(&mut change, &view.request, Some(me)).await?;
                change.commit(view).await
            })
            .await?;
        self.deliveries.wake();
        let (state, by) = (view.state.as_str(), ctx.actor.name());
        tracing::info!(request_id = %pressed.request, %by, verdict = pressed.verdict.as_str(), state, "decided in a chat");
        Ok(())
    }

    /// What somebody who decided is called.
    ///
    /// # Errors
    /// Storage faults.
    pub(crate) async fn name_of(&self, user: UserId) -> Result<String, Failure> {
        let found = self.deps.store.reading().users().find(user).await?;
        Ok(found.as_ref().map_or_else(|| user.to_string(), name_of))
    }

    /// The request as somebody sees it who may decide it, for the message in the chat.
    ///
    /// # Errors
    /// `NotFound` for whoever may not.
    pub(crate) async fn in_chat(&self, me: UserId, id: AccessRequestId) -> Result<InChat, Failure> {
        let now = self.deps.now();
        let mut reading = self.deps.store.reading();
        let mut request = reading.access_requests().find(id).await?.ok_or(Refusal::NotFound)?;
        let user = reading.users().find(me).await?.ok_or(Refusal::NotFound)?;
        let thing = Thing::of(&mut reading, &request, &self.deps.settings).await?.ok_or(Refusal::NotFound)?;
        let is_elsewhere = self.asks_for_a_factor(&mut reading, &user).await?;
        let approver = Approver::read(&mut reading, user, now).await?;
        if !approver.may_decide(&thing, &request) {
            return Err(Refusal::NotFound.into());
        }
        let requester = reading.users().find(request.requester).await?;
        let is_open = request.state_at(now) == RequestState::Open;
        if is_open {
            leave_out_who_may_not(&mut reading, &thing, &mut request, None, now).await?;
        }
        let view = self.view(request, requester.as_ref(), now)?;
        let approved = view.decisions.iter().filter(|(decision, _)| decision.verdict == Verdict::Approve).count();
        let missing = quorum(&thing).approve.saturating_sub(u32::try_from(approved).unwrap_or(u32::MAX));
        let is_decided_here = is_open && thing.is_decided_in_chat(&self.deps.settings);
        let buttons = if is_decided_here && !is_elsewhere { buttons_of(&view.request) } else { Vec::new() };
        let elsewhere = if is_decided_here && is_elsewhere { self.page_of(id) } else { None };
        Ok(InChat { view, missing, requester, buttons, elsewhere })
    }

    /// Whether somebody has to show a second factor to decide, which a chat cannot take.
    async fn asks_for_a_factor(&self, uow: &mut UnitOfWork, user: &User) -> Result<bool, Failure> {
        Ok(self.deps.settings.mfa.asks(uow, user).await? || !uow.factors().of_user(user.id).await?.is_empty())
    }

    /// The page of a request, where there is one and the messenger takes its address: a message with one of this machine it
    /// refuses as a whole.
    fn page_of(&self, id: AccessRequestId) -> Option<Url> {
        let settings = &self.deps.settings;
        if !settings.has_pages {
            return None;
        }
        let base = settings.sign_in.public_url.trim_end_matches('/');
        let page = Url::parse(&format!("{base}/admin/requests/{id}")).ok();
        page.filter(|page| page.scheme() == "https")
    }
}

impl InChat {
    /// What it is about, for people; none: an account.
    pub(crate) fn what(&self) -> Option<&str> {
        (self.view.request.kind != RequestKind::Account).then_some(self.view.request.name.as_str())
    }

    /// Who asks.
    pub(crate) fn who(&self) -> String {
        self.requester.as_ref().map_or_else(|| self.view.request.requester.to_string(), name_of)
    }
}
