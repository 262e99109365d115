//! Access requests: the queue, one request with its decision, and what was decided before.

use axum::response::Response;
use maud::{Markup, html};
use userd_model::{AccessRequestId, Act, RequestKind, RequestState, RequestedAction, UserId, Verdict};
use userd_services::access_requests::{DecisionInput, RequestView};
use userd_web::{Problem, extract::Path};

use super::{PAGE, Told, filled, onward, optional, page, place, refused, strong, tabs};
use crate::{
    dates::{self, moment},
    fields::Fields,
    layout::{self, with_query},
    parts::{Field, done, facts, field},
    routes::Routes,
    texts::{count, fill, name_of},
    visit::{Query, Visit},
};

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get("/admin/requests", list).get("/admin/requests/{id}", show).post("/admin/requests/{id}", decide)
}

async fn list(visit: Visit, query: Query) -> Result<Response, Problem> {
    let t = &visit.texts.admin.requests;
    let state = RequestState::parse(query.text("state")).unwrap_or(RequestState::Open);
    let name = format!("access requests {}", state.as_str());
    let after = place(&visit, &query, &name)?;
    let limit = u32::try_from(PAGE).unwrap_or(u32::MAX);
    let found = visit.site.services.access_requests.list(&visit.ctx, state, after, limit).await?;
    let mut rows = Vec::with_capacity(found.items.len());
    for view in &found.items {
        rows.push((view, who(&visit, view.request.requester).await));
    }
    let states = RequestState::ALL.map(|one| (one.as_str(), self::state(&visit, one)));
    let content = html! {
        (tabs("/admin/requests", ("state", t.state), &states, state.as_str()))
        @if !rows.is_empty() { (table(&visit, &rows)) }
        (onward(&visit, &name, rows.is_empty(), found.next.as_ref()))
    };
    Ok(page(&visit, t.title, &content))
}

/// What somebody is called, as a link for whoever may see their account.
async fn who(visit: &Visit, id: UserId) -> Markup {
    let known = match visit.ctx.may(&Act::ReadUser(id)) {
        Ok(()) => visit.site.services.user_reader.show(id).await.ok(),
        Err(_) => None,
    };
    match known {
        Some(account) if visit.ctx.may(&Act::ListUsers).is_ok() => {
            html! { a href={ "/admin/users/" (id) } { (name_of(&account)) } }
        }
        Some(account) => html! { (name_of(&account)) },
        None => html! { code { (id) } },
    }
}

fn table(visit: &Visit, rows: &[(&RequestView, Markup)]) -> Markup {
    let t = &visit.texts.admin.requests;
    html! {
        div.wide tabindex="0" { table {
            thead { tr { @for head in [t.what, t.who, t.reason, t.made, t.open_until] { th scope="col" { (head) } } } }
            tbody { @for (view, who) in rows { tr {
                td { a href={ "/admin/requests/" (view.request.id) } { (asked(visit, view)) } }
                td { (who) }
                td { (optional(visit, view.reason.as_deref())) }
                td { (moment(visit, view.request.created_at)) }
                td { (moment(visit, view.request.expires_at)) }
            } } }
        } }
    }
}

/// What is asked for, in words.
fn asked(visit: &Visit, view: &RequestView) -> String {
    let (t, request) = (&visit.texts.admin.requests, &view.request);
    let text = match (request.action, request.kind) {
        (RequestedAction::Register, _) | (_, RequestKind::Account) => t.account,
        (RequestedAction::Grant, RequestKind::Role) => t.grant_role,
        (RequestedAction::Grant, RequestKind::Permission) => t.grant_permission,
        (RequestedAction::Revoke, RequestKind::Role) => t.revoke_role,
        (RequestedAction::Revoke, RequestKind::Permission) => t.revoke_permission,
    };
    fill(text, "name", &request.name)
}

fn state(visit: &Visit, state: RequestState) -> &'static str {
    let t = &visit.texts.admin.requests;
    match state {
        RequestState::Open => t.open,
        RequestState::Approved => t.approved,
        RequestState::Declined => t.declined,
        RequestState::Withdrawn => t.withdrawn,
        RequestState::Expired => t.expired,
    }
}

/// For how long, in the largest unit that says it whole.
fn duration(visit: &Visit, seconds: u64) -> String {
    let t = &visit.texts.admin.requests;
    let (text, number) = match seconds {
        seconds if seconds % 86_400 == 0 => (t.days, seconds / 86_400),
        seconds if seconds % 3600 == 0 => (t.hours, seconds / 3600),
        seconds => (t.minutes, seconds.div_ceil(60)),
    };
    count(text, number, visit.language)
}

async fn show(visit: Visit, query: Query, Path(id): Path<AccessRequestId>) -> Result<Response, Problem> {
    let view = visit.site.services.access_requests.show(&visit.ctx, id).await?;
    let shown = shown(&visit, &view).await?;
    let title = asked(&visit, &view);
    let content = html! {
        @if query.text("done") == "yes" { (done(visit.texts.admin.requests.done)) }
        (shown.draw(&visit, &view, &Fields::default(), &Told::default()))
    };
    Ok(page(&visit, &title, &content))
}

async fn decide(visit: Visit, Path(id): Path<AccessRequestId>, fields: Fields) -> Result<Response, Problem> {
    let requests = &visit.site.services.access_requests;
    let verdict = match fields.text("verdict") {
        "approve" => Verdict::Approve,
        "decline" => Verdict::Decline,
        _ => return Err(Problem::not_found()),
    };
    let expires_at = match verdict {
        Verdict::Approve => dates::read(&visit, fields.text("expires_at"))?,
        Verdict::Decline => None,
    };
    let input = DecisionInput { comment: filled(fields.text("comment")), expires_at };
    match requests.decide(&visit.ctx, id, verdict, &input).await {
        Ok(_) => Ok(Visit::go(&format!("/admin/requests/{id}?done=yes"))),
        Err(failure) => {
            let view = requests.show(&visit.ctx, id).await?;
            let shown = shown(&visit, &view).await?;
            let title = asked(&visit, &view);
            refused(&visit, failure, (&title, &visit.here), |told| shown.draw(&visit, &view, &fields, told))
        }
    }
}

/// A request with what had to be asked about it.
struct Shown {
    who: Markup,
    deciders: Vec<Markup>,
    may_decide: bool,
    /// Whether a second factor has to be shown first: reading is free.
    must_prove: bool,
}

async fn shown(visit: &Visit, view: &RequestView) -> Result<Shown, Problem> {
    let may_decide = visit.site.services.access_requests.may_decide(&visit.ctx, &view.request).await?;
    let must_prove = strong(visit).await?.is_some();
    let mut deciders = Vec::with_capacity(view.decisions.len());
    for (decision, _) in &view.decisions {
        deciders.push(match decision.by {
            Some(by) => who(visit, by).await,
            None => html! { (visit.texts.admin.requests.by_rule) },
        });
    }
    Ok(Shown { who: who(visit, view.request.requester).await, deciders, may_decide, must_prove })
}

impl Shown {
    fn draw(&self, visit: &Visit, view: &RequestView, fields: &Fields, told: &Told) -> Markup {
        let (t, request) = (&visit.texts.admin.requests, &view.request);
        let lasts = request.duration_seconds.map(|seconds| duration(visit, seconds));
        let mut pairs = vec![
            (t.state, html! { span.badge { (state(visit, view.state)) } }),
            (t.who, self.who.clone()),
            (t.reason, optional(visit, view.reason.as_deref())),
            (t.lasts, optional(visit, lasts.as_deref())),
        ];
        pairs.extend(request.starts_at.map(|at| (t.starts, moment(visit, at))));
        pairs.extend([(t.made, moment(visit, request.created_at)), (t.open_until, moment(visit, request.expires_at))]);
        html! {
            (told.alert())
            (facts(&pairs))
            @if !view.decisions.is_empty() { (self.decisions(visit, view)) }
            @if self.may_decide && self.must_prove {
                @let here = format!("/admin/requests/{}", request.id);
                p.row { a.button href=(with_query("/account/prove", "next", &here)) { (t.decide) } }
            } @else if self.may_decide { (form(visit, view, fields, told)) }
        }
    }

    fn decisions(&self, visit: &Visit, view: &RequestView) -> Markup {
        let t = &visit.texts.admin.requests;
        html! {
            section.panel {
                h2 { (t.decisions) }
                div.wide tabindex="0" { table {
                    thead { tr { @for head in [t.decision, t.by, t.comment, t.at, t.ends] { th scope="col" { (head) } } } }
                    tbody { @for ((decision, comment), by) in view.decisions.iter().zip(&self.deciders) { tr {
                        td { (match decision.verdict { Verdict::Approve => t.approved, Verdict::Decline => t.declined }) }
                        td { (by) }
                        td { (optional(visit, comment.as_deref())) }
                        td { (moment(visit, decision.at)) }
                        td { @if let Some(end) = decision.expires_at { (moment(visit, end)) } }
                    } } }
                } }
            }
        }
    }
}

fn form(visit: &Visit, view: &RequestView, fields: &Fields, told: &Told) -> Markup {
    let t = &visit.texts.admin.requests;
    let zone = fill(visit.texts.admin.frame.zone, "zone", &dates::zone_name(visit));
    let about = match view.request.action {
        RequestedAction::Grant => t.about_grant,
        RequestedAction::Revoke => t.about_revoke,
        RequestedAction::Register => t.about_account,
    };
    html! {
        section.panel {
            h2 { (t.decide) }
            p { (about) }
            form method="post" action={ "/admin/requests/" (view.request.id) } data-guard {
                (layout::token(visit))
                (field(Field {
                    name: "comment", label: t.comment, hint: t.comment_hint, value: fields.text("comment"),
                    wrong: &told.wrong(visit, "/comment"), autocomplete: "off", ..Field::default()
                }))
                @if view.request.action == RequestedAction::Grant {
                    (field(Field {
                        name: "expires_at", label: t.ends, hint: &format!("{} {zone}", t.ends_hint),
                        kind: "datetime-local", value: fields.text("expires_at"),
                        wrong: &told.wrong(visit, "/expires_at"), ..Field::default()
                    }))
                }
                div.row {
                    button name="verdict" value="approve" { (t.approve) }
                    button.danger name="verdict" value="decline" { (t.decline) }
                }
            }
        }
    }
}
