//! The audit log: entries by filters, and whether the log is as it was.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use futures_util::stream;
use http::header;
use maud::{Markup, html};
use url::form_urlencoded;
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

/// Entries that an export reads at once.
const EXPORTED: usize = 500;

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get("/admin/audit", list).get("/admin/audit/export", export).post("/admin/audit/verify", verify)
}

async fn list(visit: Visit, query: Query) -> Result<Response, Problem> {
    let t = &visit.texts.admin.audit;
    let filter = filter(&query);
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
            h2 { (t.export) }
            p { (t.export_about) }
            p { a.button.quiet href=(export_at(&query)) download="audit.jsonl" { (t.export) } }
        }
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

fn filter(query: &Query) -> AuditFilter {
    AuditFilter {
        actor: filled(query.text("actor")),
        subject: filled(query.text("subject")),
        act: filled(query.text("act")),
        oldest_first: query.text("order") == "oldest",
    }
}

fn export_at(query: &Query) -> String {
    let mut kept = form_urlencoded::Serializer::new(String::new());
    kept.extend_pairs(["actor", "subject", "act"].map(|name| (name, query.text(name))));
    format!("/admin/audit/export?{}", kept.finish())
}

/// Every entry that fits, the oldest first, a line of JSON each; read page by page while it is sent.
async fn export(visit: Visit, query: Query) -> Result<Response, Problem> {
    let filter = AuditFilter { oldest_first: true, ..filter(&query) };
    // What is refused is refused before anything is sent.
    visit.site.services.audit.list(&visit.ctx, &filter, None, 1).await?;
    let lines = stream::try_unfold((visit, filter, None), |(visit, filter, after)| async move {
        let found = visit.site.services.audit.list(&visit.ctx, &filter, after, EXPORTED).await;
        let found = found.map_err(|fault| std::io::Error::other(fault.to_string()))?;
        if found.next.is_none() || found.next == after || found.next == Some(-1) {
            return Ok(None);
        }
        let mut text = String::new();
        for entry in &found.items {
            text.push_str(&serde_json::to_string(entry)?);
            text.push('\n');
        }
        Ok::<_, std::io::Error>(Some((text, (visit, filter, found.next))))
    });
    let headers = [
        (header::CONTENT_TYPE, "application/jsonl; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"audit.jsonl\""),
    ];
    Ok((headers, Body::from_stream(lines)).into_response())
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
