//! The audit log: entries by filters, and whether the log is as it was.

use axum::response::Response;
use maud::{Markup, html};
use userd_model::Act;
use userd_services::audit::{AuditFilter, AuditParty, AuditView, Scope, Verified};
use userd_web::Problem;

use super::{PAGE, choice, filled, frame, onward, page, place};
use crate::{
    dates::moment,
    layout,
    parts::{Field, alert, done, facts, field},
    routes::Routes,
    texts::fill,
    visit::{Query, Visit},
};

/// Entries that one verification in the browser compares; the command line compares all.
const NEWEST: u64 = 100_000;

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get("/admin/audit", list).post("/admin/audit/verify", verify)
}

async fn list(visit: Visit, query: Query) -> Result<Response, Problem> {
    let t = &visit.texts.admin.audit;
    let filter = AuditFilter {
        actor: filled(query.text("actor")),
        subject: filled(query.text("subject")),
        act: filled(query.text("act")),
        oldest_first: query.text("order") == "oldest",
    };
    let name = format!("audit {filter:?}");
    let after = place(&visit, &query, &name)?;
    let found = visit.site.services.audit.list(&visit.ctx, &filter, after, PAGE).await?;
    // With the oldest first there is always a place to go on from; here an empty page is the end.
    let next = found.next.filter(|_| !(filter.oldest_first && found.items.is_empty()));
    let content = html! {
        (filters(&visit, &query))
        @if !found.items.is_empty() { (table(&visit, &found.items)) }
        (onward(&visit, &name, found.items.is_empty(), next.as_ref()))
        section.panel {
            h2 { (t.verify) }
            p { (t.verify_about) }
            form method="post" action="/admin/audit/verify" {
                (layout::token(&visit))
                button { (t.verify) }
            }
        }
    };
    Ok(page(&visit, t.title, &content))
}

fn filters(visit: &Visit, query: &Query) -> Markup {
    let t = &visit.texts.admin.audit;
    let orders = [("newest", t.newest), ("oldest", t.oldest)];
    let text = |name: &'static str, label: &'static str| {
        field(Field { name, label, value: query.text(name), autocomplete: "off", ..Field::default() })
    };
    html! {
        form.panel.filters method="get" action="/admin/audit" role="search" {
            (text("act", t.act))
            (text("actor", t.actor))
            (text("subject", t.subject))
            (choice("order", t.order, &orders, query.text("order")))
            button { (visit.texts.admin.frame.filter) }
        }
    }
}

fn table(visit: &Visit, entries: &[AuditView]) -> Markup {
    let t = &visit.texts.admin.audit;
    html! {
        div.wide tabindex="0" { table {
            thead { tr {
                @for head in [t.at, t.act, t.actor, t.subject, t.more] { th scope="col" { (head) } }
            } }
            tbody { @for entry in entries { tr {
                td { (moment(visit, entry.at)) }
                td { code { (entry.act) } }
                td { (party(visit, &entry.actor)) }
                td { (party(visit, &entry.subject)) }
                td { (more(visit, entry)) }
            } } }
        } }
    }
}

/// Who acted or was acted upon; accounts as links for whoever may see them.
fn party(visit: &Visit, party: &AuditParty) -> Markup {
    let Some(id) = &party.id else { return html! { (party.kind) } };
    if party.kind == "user" && visit.ctx.may(&Act::ListUsers).is_ok() {
        return html! { a href={ "/admin/users/" (id) } { (id) } };
    }
    html! { span.muted { (party.kind) } " " (id) }
}

fn more(visit: &Visit, entry: &AuditView) -> Markup {
    let t = &visit.texts.admin.audit;
    let mut pairs = vec![(t.position, html! { (entry.position) })];
    if entry.data.as_object().is_some_and(|members| !members.is_empty()) {
        pairs.push((t.data, html! { code { (entry.data) } }));
    }
    pairs.extend(entry.before.as_ref().map(|value| (t.before, html! { code { (value) } })));
    pairs.extend(entry.after.as_ref().map(|value| (t.after, html! { code { (value) } })));
    if let Some(origin) = &entry.origin {
        pairs.extend(origin.ip.as_ref().map(|ip| (t.address, html! { (ip) })));
        pairs.extend(origin.user_agent.as_ref().map(|agent| (t.browser, html! { (agent) })));
    }
    pairs.extend(entry.request_id.as_ref().map(|id| (t.request, html! { code { (id) } })));
    html! { details { summary { (t.show) } (facts(&pairs)) } }
}

async fn verify(visit: Visit) -> Result<Response, Problem> {
    let scope = Scope { newest: Some(NEWEST), kept: Vec::new() };
    let found = visit.site.services.audit.verify(&visit.ctx, &scope, &|_, _| {}).await?;
    let title = visit.texts.admin.audit.verify;
    let content = frame(&visit, title, &verdict(&visit, &found));
    Ok(visit.page(title, &content))
}

fn verdict(visit: &Visit, found: &Verified) -> Markup {
    let t = &visit.texts.admin.audit;
    html! {
        @match &found.fault {
            Some(fault) => (alert(&fill(&fill(t.damaged, "position", &fault.position.to_string()), "what", &fault.what))),
            None => (done(t.intact)),
        }
        (facts(&[
            (t.size, html! { (found.size) }),
            (t.compared, html! { (found.entries) }),
            (t.checkpoints, html! { (found.checkpoints) }),
        ]))
        p { a.button.quiet href="/admin/audit" { (t.back) } }
    }
}
