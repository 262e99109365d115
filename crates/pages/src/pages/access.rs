//! What somebody holds, what they can ask for, and what became of it.

use axum::response::Response;
use maud::{Markup, html};
use userd_model::{AccessRequestId, Grant, GrantKind, RequestState, RequestedAction, built_in_texts::about};
use userd_services::{
    access_requests::{AccessInput, RequestView, Requestable},
    roles::GrantView,
};
use userd_web::{Problem, extract::Path};

use super::prove::ended;
use crate::{
    dates::moment,
    fields::Fields,
    layout,
    parts::{Field, done, field, panel},
    routes::Routes,
    visit::{Query, Visit},
};

const HERE: &str = "/account/access";
/// The newest requests on the page.
const MOST: u32 = 50;
const DAY: u64 = 24 * 3600;

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get(HERE, show).post(HERE, ask).post("/account/access/{id}/withdraw", withdraw)
}

async fn show(visit: Visit, query: Query) -> Result<Response, Problem> {
    let t = &visit.texts.account;
    let services = &visit.site.services;
    let (id, _) = visit.ctx.user()?;
    let grants = services.grants.of_user(&visit.ctx, id).await?;
    let catalogue = services.access_requests.catalogue(&visit.ctx).await?;
    let requests = services.access_requests.own(&visit.ctx, None, MOST).await?;
    let content = layout::account(
        &visit,
        t.access,
        &html! {
            @if query.text("told") == "asked" { (done(t.asked)) }
            (panel(t.held, &held(&visit, &grants, &catalogue)))
            (panel(t.ask_for_access, &asking(&visit, &catalogue)))
            (panel(t.my_requests, &html! {
                @if requests.items.is_empty() { p.muted { (t.no_requests) } }
                ul.list { @for request in &requests.items { (request_line(&visit, request)) } }
            }))
        },
    );
    Ok(visit.page(t.access, &content))
}

fn held(visit: &Visit, grants: &[GrantView], catalogue: &[Requestable]) -> Markup {
    let t = &visit.texts.account;
    let may_ask = |grant: &Grant| catalogue.iter().any(|thing| thing.kind == grant.kind && thing.name == grant.name);
    html! {
        @if grants.is_empty() { p.muted { (t.nothing_held) } }
        ul.list {
            @for GrantView { grant, reason } in grants {
                li {
                    span.grow {
                        strong { (grant.name) }
                        @if let Some(reason) = reason { br; span.muted { (reason) } }
                    }
                    span.muted {
                        @match grant.period.expires_at {
                            Some(end) => { (t.until) " " (moment(visit, end)) }
                            None => { (t.without_end) }
                        }
                    }
                    @if let Some(days) = days_of(grant).filter(|_| may_ask(grant)) {
                        (renewal(visit, grant, reason.as_deref(), days))
                    }
                }
            }
        }
    }
}

/// How many days it was given for, where it ends.
fn days_of(grant: &Grant) -> Option<u64> {
    let begins = grant.period.starts_at.unwrap_or(grant.created_at);
    grant.period.expires_at.map(|end| end.since(begins).as_secs().div_ceil(DAY).max(1))
}

/// One step: the same is asked for once more, for as long as before.
fn renewal(visit: &Visit, grant: &Grant, reason: Option<&str>, days: u64) -> Markup {
    html! {
        form method="post" action=(HERE) {
            (layout::token(visit))
            input type="hidden" name="what" value=(format!("{}/{}", grant.kind.as_str(), grant.name));
            input type="hidden" name="days" value=(days);
            input type="hidden" name="reason" value=(reason.unwrap_or(visit.texts.account.still_needed));
            button.quiet { (visit.texts.account.renew) }
        }
    }
}

fn asking(visit: &Visit, catalogue: &[Requestable]) -> Markup {
    let t = &visit.texts.account;
    html! {
        @if catalogue.is_empty() {
            p.muted { (t.nothing_to_ask) }
        } @else {
            form method="post" action=(HERE) data-guard=(t.unsaved) {
                (layout::token(visit))
                div.field {
                    label for="what" { (t.what) }
                    select id="what" name="what" required {
                        @for thing in catalogue {
                            option value=(format!("{}/{}", thing.kind.as_str(), thing.name)) {
                                (thing.name)
                                @if let Some(text) = &thing.rules.description { " — " (about(text, visit.language)) }
                            }
                        }
                    }
                }
                div.field {
                    label for="reason" { (t.reason) }
                    p.hint #reason-hint { (t.reason_hint) }
                    textarea id="reason" name="reason" maxlength="500" aria-describedby="reason-hint" {}
                }
                (field(Field {
                    name: "days", label: t.for_days, kind: "number", hint: t.for_days_hint, ..Field::default()
                }))
                button { (t.ask) }
            }
        }
    }
}

fn request_line(visit: &Visit, view: &RequestView) -> Markup {
    let t = &visit.texts.account;
    let state = match view.state {
        RequestState::Open => t.state_open,
        RequestState::Approved => t.state_approved,
        RequestState::Declined => t.state_declined,
        RequestState::Withdrawn => t.state_withdrawn,
        RequestState::Expired => t.state_expired,
    };
    html! {
        li {
            span.grow {
                strong { (view.request.name) } " " span.badge { (state) }
                br;
                span.muted { (moment(visit, view.request.created_at)) }
                @if let Some(reason) = &view.reason { br; span.muted { (reason) } }
                @for (_, comment) in &view.decisions {
                    @if let Some(comment) = comment { br; span { "“" (comment) "”" } }
                }
            }
            @if view.state == RequestState::Open {
                form method="post" action=(format!("/account/access/{}/withdraw", view.request.id)) {
                    (layout::token(visit))
                    button.quiet { (t.withdraw) }
                }
            }
        }
    }
}

async fn ask(visit: Visit, fields: Fields) -> Result<Response, Problem> {
    let (kind, name) = fields.text("what").split_once('/').ok_or_else(Problem::not_found)?;
    let days: Option<u64> = fields.text("days").trim().parse().ok();
    let input = AccessInput {
        kind: GrantKind::parse(kind).ok_or_else(Problem::not_found)?,
        name: name.to_owned(),
        action: RequestedAction::Grant,
        reason: Some(fields.text("reason").to_owned()).filter(|text| !text.trim().is_empty()),
        starts_at: None,
        duration_seconds: days.map(|days| days.saturating_mul(DAY)),
    };
    ended(visit.site.services.access_requests.ask(&visit.ctx, input, None).await, "/account/access?told=asked", HERE)
}

async fn withdraw(visit: Visit, Path(id): Path<AccessRequestId>) -> Result<Response, Problem> {
    ended(visit.site.services.access_requests.withdraw(&visit.ctx, id).await, HERE, HERE)
}
