//! What somebody holds, what they can ask for, and what became of it.

use axum::response::Response;
use http::StatusCode;
use maud::{Markup, html};
use userd_model::{AccessRequestId, Grant, GrantKind, Refusal, RequestState, RequestedAction, built_in_texts::about};
use userd_services::{
    Failure,
    access_requests::{AccessInput, RequestView, Requestable},
    roles::GrantView,
};
use userd_web::{Problem, extract::Path};

use super::{
    completion::{fields_of, in_words, must_prove_first, status_of},
    prove::ended,
};
use crate::{
    dates::{self, moment},
    fields::Fields,
    layout,
    parts::{Field, alert, done, field, panel, wrong_with},
    routes::Routes,
    texts::{count, fill},
    visit::{Query, Visit},
};

const HERE: &str = "/account/access";
const REMOVAL: &str = "/account/access/removal";
const ASKED: &str = "/account/access?told=asked";
/// The newest requests on the page.
const MOST: u32 = 25;
const DAY: u64 = 24 * 3600;

pub(super) fn routes(routes: Routes) -> Routes {
    let routes = routes.get(HERE, show).post(HERE, ask).post(REMOVAL, ask_for_removal);
    routes.post("/account/access/{id}/withdraw", withdraw)
}

async fn show(visit: Visit, query: Query) -> Result<Response, Problem> {
    let note = if query.text("told") == "asked" { done(visit.texts.account.asked) } else { Markup::default() };
    page(&visit, &note, None).await
}

/// A form that was refused: what it asked, what was sent in it, and why.
#[derive(Clone, Copy)]
struct Refused<'a> {
    action: RequestedAction,
    fields: &'a Fields,
    why: &'a Refusal,
}

async fn page(visit: &Visit, note: &Markup, refused: Option<Refused<'_>>) -> Result<Response, Problem> {
    let t = &visit.texts.account;
    let refusal = refused.map(|refused| refused.why);
    let of = |action: RequestedAction| refused.filter(|refused| refused.action == action);
    let services = &visit.site.services;
    let (id, _) = visit.ctx.user()?;
    let grants = services.grants.of_user(&visit.ctx, id).await?;
    let catalogue = services.access_requests.catalogue(&visit.ctx).await?;
    let requests = services.access_requests.own(&visit.ctx, None, MOST).await?;
    let content = layout::account(
        visit,
        t.access,
        &html! {
            (note)
            @if let Some(refusal) = refusal { (alert(&why_not(visit, refusal))) }
            (panel(t.held, &held(visit, &grants, &catalogue)))
            (panel(t.ask_for_access, &asking(visit, &catalogue, of(RequestedAction::Grant))))
            @if !grants.is_empty() { (panel(t.ask_for_removal, &removing(visit, &grants, of(RequestedAction::Revoke)))) }
            (panel(t.my_requests, &html! {
                @if requests.items.is_empty() { p.muted { (t.no_requests) } }
                ul.list { @for request in &requests.items { (request_line(visit, request)) } }
            }))
        },
    );
    Ok(visit.page_with(refusal.map_or(StatusCode::OK, status_of), t.access, &content))
}

fn why_not(visit: &Visit, refusal: &Refusal) -> String {
    match refusal {
        Refusal::NothingToChange => visit.texts.account.held_already.to_owned(),
        Refusal::RequestOpen => visit.texts.account.asked_already.to_owned(),
        other => in_words(visit, other),
    }
}

fn held(visit: &Visit, grants: &[GrantView], catalogue: &[Requestable]) -> Markup {
    let t = &visit.texts.account;
    let now = visit.site.services.now();
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
                        @if let Some(start) = grant.period.starts_at.filter(|start| *start > now) {
                            (t.begins) " " (moment(visit, start)) " "
                        }
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

fn asking(visit: &Visit, catalogue: &[Requestable], refused: Option<Refused<'_>>) -> Markup {
    let t = &visit.texts.account;
    let nothing = Fields::default();
    let form = refused.map_or(&nothing, |refused| refused.fields);
    let errors = refused.map(|refused| fields_of(refused.why)).unwrap_or_default();
    let wrong = |pointer| wrong_with(errors, pointer, visit.language);
    let zone = fill(visit.texts.admin.frame.zone, "zone", &dates::zone_name(visit));
    html! {
        @if catalogue.is_empty() {
            p.muted { (t.nothing_to_ask) }
        } @else {
            form method="post" action=(HERE) data-guard=(t.unsaved) {
                (layout::token(visit))
                div.field {
                    label for="what" { (t.what) }
                    select id="what" name="what" required {
                        @for thing in catalogue { (choice(visit, thing, form.text("what"))) }
                    }
                }
                (reason(visit, catalogue, form.text("reason"), &wrong("/reason")))
                (field(Field {
                    name: "starts_at", label: t.starts_at, kind: "datetime-local", value: form.text("starts_at"),
                    hint: &format!("{} {zone}", t.starts_at_hint), wrong: &wrong("/starts_at"), ..Field::default()
                }))
                (field(Field {
                    name: "days", label: t.for_days, kind: "number", hint: t.for_days_hint, value: form.text("days"),
                    wrong: &wrong("/duration_seconds"), ..Field::default()
                }))
                button { (t.ask) }
            }
        }
    }
}

fn choice(visit: &Visit, thing: &Requestable, chosen: &str) -> Markup {
    let value = format!("{}/{}", thing.kind.as_str(), thing.name);
    let longest = thing.rules.max_duration_seconds.map(|seconds| seconds.div_ceil(DAY));
    html! {
        option value=(value) selected[value == chosen] {
            (thing.name)
            @if let Some(text) = &thing.rules.description { " — " (about(text, visit.language)) }
            @if let Some(days) = longest { " (" (count(visit.texts.account.at_most, days, visit.language)) ")" }
        }
    }
}

/// What for, with what those ask to be told who decide on some of it.
fn reason(visit: &Visit, catalogue: &[Requestable], typed: &str, wrong: &str) -> Markup {
    let t = &visit.texts.account;
    let prompts = || catalogue.iter().filter_map(|thing| Some((&thing.name, thing.rules.reason_prompt.as_deref()?)));
    let described = if wrong.is_empty() { "reason-hint" } else { "reason-hint reason-wrong" };
    html! {
        div.field {
            label for="reason" { (t.reason) }
            div.hint #reason-hint {
                (t.reason_hint)
                @for (name, prompt) in prompts() { br; strong { (name) } ": " (prompt) }
            }
            textarea id="reason" name="reason" maxlength="500" aria-describedby=(described)
                aria-invalid=[(!wrong.is_empty()).then_some("true")] { (typed) }
            @if !wrong.is_empty() { p.wrong #reason-wrong { (wrong) } }
        }
    }
}

fn removing(visit: &Visit, grants: &[GrantView], refused: Option<Refused<'_>>) -> Markup {
    let t = &visit.texts.account;
    let typed = |name| refused.map_or("", |refused| refused.fields.text(name));
    let errors = refused.map(|refused| fields_of(refused.why)).unwrap_or_default();
    let wrong = wrong_with(errors, "/reason", visit.language);
    let described = if wrong.is_empty() { "removal-reason-hint" } else { "removal-reason-hint removal-reason-wrong" };
    html! {
        form method="post" action=(REMOVAL) data-guard=(t.unsaved) {
            (layout::token(visit))
            div.field {
                label for="held" { (t.what_to_remove) }
                select id="held" name="what" required {
                    @for GrantView { grant, .. } in grants {
                        @let value = format!("{}/{}", grant.kind.as_str(), grant.name);
                        option value=(value) selected[value == typed("what")] { (grant.name) }
                    }
                }
            }
            div.field {
                label for="removal-reason" { (t.reason) }
                p.hint #removal-reason-hint { (t.reason_hint) }
                textarea id="removal-reason" name="reason" maxlength="500" aria-describedby=(described)
                    aria-invalid=[(!wrong.is_empty()).then_some("true")] { (typed("reason")) }
                @if !wrong.is_empty() { p.wrong #removal-reason-wrong { (wrong) } }
            }
            button { (t.ask) }
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
                @if view.request.action == RequestedAction::Revoke { " " span.badge { (t.removal) } }
                br;
                span.muted { (moment(visit, view.request.created_at)) }
                @if let Some(start) = view.request.starts_at {
                    br; span.muted { (t.begins) " " (moment(visit, start)) }
                }
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
    let input = input(&fields, RequestedAction::Grant)?;
    match carry_out(&visit, input, &fields).await {
        Err(Failure::Refused(refusal)) if !must_prove_first(&refusal) => {
            let refused = Refused { action: RequestedAction::Grant, fields: &fields, why: &refusal };
            page(&visit, &Markup::default(), Some(refused)).await
        }
        outcome => ended(outcome, ASKED, HERE),
    }
}

async fn carry_out(visit: &Visit, input: AccessInput, fields: &Fields) -> Result<RequestView, Failure> {
    let days = Some(fields.text("days").trim()).filter(|text| !text.is_empty()).map(str::parse::<u64>);
    let days = days.transpose().map_err(|_| Refusal::field("/duration_seconds", "must be a number of days"))?;
    let starts_at = dates::read(visit, fields.text("starts_at"))?;
    let input = AccessInput { starts_at, duration_seconds: days.map(|days| days.saturating_mul(DAY)), ..input };
    visit.site.services.access_requests.ask(&visit.ctx, input, None).await
}

async fn ask_for_removal(visit: Visit, fields: Fields) -> Result<Response, Problem> {
    let input = input(&fields, RequestedAction::Revoke)?;
    match visit.site.services.access_requests.ask(&visit.ctx, input, None).await {
        Err(Failure::Refused(refusal)) if !must_prove_first(&refusal) => {
            let refused = Refused { action: RequestedAction::Revoke, fields: &fields, why: &refusal };
            page(&visit, &Markup::default(), Some(refused)).await
        }
        outcome => ended(outcome, ASKED, HERE),
    }
}

/// What both forms have.
fn input(fields: &Fields, action: RequestedAction) -> Result<AccessInput, Problem> {
    let (kind, name) = fields.text("what").split_once('/').ok_or_else(Problem::not_found)?;
    Ok(AccessInput {
        kind: GrantKind::parse(kind).ok_or_else(Problem::not_found)?,
        name: name.to_owned(),
        action,
        reason: Some(fields.text("reason").to_owned()).filter(|text| !text.trim().is_empty()),
        starts_at: None,
        duration_seconds: None,
    })
}

async fn withdraw(visit: Visit, Path(id): Path<AccessRequestId>) -> Result<Response, Problem> {
    ended(visit.site.services.access_requests.withdraw(&visit.ctx, id).await, HERE, HERE)
}
