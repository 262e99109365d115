//! Messages on their way: what waits, what is dead and why, and trying again.

use axum::response::Response;
use maud::{Markup, html};
use userd_model::{Act, DeliveryChannel, DeliveryId, DeliveryState, UserId, WebhookId};
use userd_services::deliveries::DeliveryView;
use userd_web::{Problem, extract::Path};

use super::{PAGE, onward, optional, page, place, tabs};
use crate::{
    dates::moment,
    layout,
    parts::done,
    routes::Routes,
    texts::fill,
    visit::{Query, Visit},
};

const HERE: &str = "/admin/deliveries";
/// Pages of the list that are looked through for those of one webhook or one person.
const LOOKED_THROUGH: usize = 8;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/admin/deliveries", list)
        .post("/admin/deliveries/{id}/retry", retry)
        .post("/admin/deliveries/{id}/give-up", give_up)
}

async fn list(visit: Visit, query: Query) -> Result<Response, Problem> {
    let t = &visit.texts.admin.deliveries;
    let webhook: Option<WebhookId> = query.text("webhook").parse().ok();
    let user: Option<UserId> = query.text("user").parse().ok();
    // Of everybody's, those that want somebody's hand; of one person's, what has reached them.
    let usual = if user.is_some() { DeliveryState::Delivered } else { DeliveryState::Dead };
    let state = DeliveryState::parse(query.text("state")).unwrap_or(usual);
    let name = format!("deliveries {} {webhook:?} {user:?}", state.as_str());
    let after = place(&visit, &query, &name)?;
    let many = if webhook.is_some() || user.is_some() { PAGE * LOOKED_THROUGH } else { PAGE };
    let mut found = visit.site.services.deliveries.list(&visit.ctx, state, after, many).await?;
    found.items.retain(|delivery| webhook.is_none() || delivery.webhook_id == webhook);
    found.items.retain(|delivery| user.is_none() || delivery.user_id == user);
    let states: Vec<_> = DeliveryState::ALL.iter().map(|one| (one.as_str(), told(&visit, *one))).collect();
    let of = [("webhook", webhook.map(|id| id.to_string())), ("user", user.map(|id| id.to_string()))];
    let here = of.iter().fold(HERE.to_owned(), |here, (name, id)| match id {
        Some(id) => layout::with_query(&here, name, id),
        None => here,
    });
    let content = html! {
        @if query.text("done") == "retry" { (done(t.retried)) }
        @if query.text("done") == "give-up" { (done(t.given_up_done)) }
        (tabs(&here, ("state", visit.texts.admin.requests.state), &states, state.as_str()))
        @if let Some(webhook) = webhook { p { (fill(t.of_webhook, "id", &webhook.to_string())) } }
        @if let Some(user) = user { p { (fill(t.of_person, "id", &user.to_string())) } }
        @if !found.items.is_empty() { (table(&visit, state, &found.items)) }
        (onward(&visit, &name, found.items.is_empty(), found.next.as_ref()))
    };
    Ok(page(&visit, t.title, &content))
}

fn table(visit: &Visit, state: DeliveryState, deliveries: &[DeliveryView]) -> Markup {
    let t = &visit.texts.admin.deliveries;
    let may_manage = visit.ctx.may(&Act::ManageDeliveries).is_ok();
    html! {
        div.wide tabindex="0" { table {
            thead { tr {
                @for head in [t.channel, t.to, t.attempts, t.fault, t.made, t.due] { th scope="col" { (head) } }
                td {}
            } }
            tbody { @for delivery in deliveries { tr {
                td { (channel(visit, delivery.channel)) }
                td { (receiver(visit, delivery)) }
                td { (delivery.attempts) }
                // As the other side's program or ours has said it.
                td { @match &delivery.last_error { Some(error) => span lang="en" { (error) }, None => (optional(visit, None)) } }
                td { (moment(visit, delivery.created_at)) }
                td { @if let Some(due) = delivery.due_at { (moment(visit, due)) } }
                td { @if may_manage {
                    @if state != DeliveryState::Delivered { (button(visit, delivery, "retry", t.retry)) }
                    @if state == DeliveryState::Pending { (button(visit, delivery, "give-up", t.give_up)) }
                } }
            } } }
        } }
    }
}

fn receiver(visit: &Visit, delivery: &DeliveryView) -> Markup {
    match (delivery.user_id, delivery.webhook_id) {
        (Some(id), _) if visit.ctx.may(&Act::ListUsers).is_ok() => html! { a href={ "/admin/users/" (id) } { (id) } },
        (Some(id), _) => html! { (id) },
        (None, Some(id)) if visit.ctx.may(&Act::ListWebhooks).is_ok() => {
            html! { a href={ "/admin/webhooks/" (id) } { (id) } }
        }
        (None, Some(id)) => html! { (id) },
        (None, None) => optional(visit, None),
    }
}

fn button(visit: &Visit, delivery: &DeliveryView, act: &str, name: &str) -> Markup {
    html! {
        form method="post" action={ "/admin/deliveries/" (delivery.id) "/" (act) } {
            (layout::token(visit))
            button.quiet { (name) }
        }
    }
}

fn told(visit: &Visit, state: DeliveryState) -> &'static str {
    let t = &visit.texts.admin.deliveries;
    match state {
        DeliveryState::Pending => t.pending,
        DeliveryState::Delivered => t.delivered,
        DeliveryState::Dead => t.dead,
        DeliveryState::Expired => t.expired,
        DeliveryState::Dropped => t.dropped,
    }
}

fn channel(visit: &Visit, channel: DeliveryChannel) -> &'static str {
    let t = &visit.texts.admin.deliveries;
    match channel {
        DeliveryChannel::Inbox => t.inbox,
        DeliveryChannel::Email => t.email,
        DeliveryChannel::Telegram => t.telegram,
        DeliveryChannel::Webhook => t.webhook,
    }
}

async fn retry(visit: Visit, Path(id): Path<DeliveryId>) -> Result<Response, Problem> {
    visit.site.services.deliveries.retry(&visit.ctx, id).await?;
    Ok(Visit::go("/admin/deliveries?state=pending&done=retry"))
}

async fn give_up(visit: Visit, Path(id): Path<DeliveryId>) -> Result<Response, Problem> {
    visit.site.services.deliveries.give_up(&visit.ctx, id).await?;
    Ok(Visit::go("/admin/deliveries?state=dropped&done=give-up"))
}
