//! Telling those who may decide: in their inboxes, and from there as they chose; with buttons where a chat may decide.

use userd_model::{AccessRequest, MessageId, RequestKind, RequestedAction, Standing, User, UserId};
use userd_storage::Failure;
use userd_templates::{Kind, Value, Values};

use super::{Thing, approvers::name_of, buttons};
use crate::{
    change::Change,
    deliveries::{Deliveries, MoreOfMessage},
};

/// Writes to those who may decide a request.
pub(super) async fn tell_approvers(
    deliveries: &Deliveries,
    change: &mut Change<'_>,
    message: MessageId,
    (request, requester): (&AccessRequest, &User),
    (approvers, thing): (&[UserId], &Thing),
) -> Result<(), Failure> {
    let in_chat = thing.is_decided_in_chat(&deliveries.deps.settings);
    let after = thing.rules.escalate_after_seconds;
    let below = if in_chat { buttons::buttons_of(request) } else { Vec::new() };
    let values = Values::default()
        .with("site", Value::Words(deliveries.deps.settings.site()))
        .with("at", Value::Moment(change.now))
        .with("who", Value::Words(name_of(requester)))
        .with("what", Value::Words(request.name.clone()))
        .with("account", Value::Count((request.kind == RequestKind::Account).into()))
        .with("granted", Value::Count((request.action == RequestedAction::Grant).into()))
        .with("escalated", Value::Count(request.is_up_to(Standing::Escalation, after, change.now).into()));
    let more = MoreOfMessage { data: buttons::data_of(request), buttons: below };
    deliveries.write_to_users(change, message, (Kind::AccessRequested, &values), more, approvers).await
}
