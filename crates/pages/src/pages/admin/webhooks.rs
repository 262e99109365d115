//! Webhooks: made, changed, tried, switched off and on, given a new secret, removed. A secret is shown on the page that
//! answers, and never again. What is on its way to them is among the deliveries.

use axum::response::Response;
use maud::{Markup, html};
use userd_model::{Act, Refusal, WebhookId};
use userd_services::webhooks::{NewWebhook, WebhookChange, WebhookInput, WebhookTest, WebhookView};
use userd_web::{Problem, extract::Path};

use super::{
    Told, buttons, choice, filled, frame, fresh, optional, page, prove_and_send_again, refused, secret, strong,
    words::names,
};
use crate::{
    dates::moment,
    fields::Fields,
    layout,
    pages::{completion::is_stale, prove::ended},
    parts::{Field, alert, done, facts, field, note, panel},
    routes::Routes,
    texts::fill,
    visit::{Query, Visit},
};

const HERE: &str = "/admin/webhooks";

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(HERE, list)
        .get("/admin/webhooks/make", show_make)
        .post("/admin/webhooks/make", make)
        .get("/admin/webhooks/{id}", show)
        .get("/admin/webhooks/{id}/change", show_change)
        .post("/admin/webhooks/{id}/change", change)
        .post("/admin/webhooks/{id}/test", test)
        .post("/admin/webhooks/{id}/switch", switch)
        .get("/admin/webhooks/{id}/rotate", show_rotate)
        .post("/admin/webhooks/{id}/rotate", rotate)
        .get("/admin/webhooks/{id}/remove", show_remove)
        .post("/admin/webhooks/{id}/remove", remove)
}

async fn list(visit: Visit, query: Query) -> Result<Response, Problem> {
    let t = &visit.texts.admin.webhooks;
    let found = visit.site.services.webhooks.list(&visit.ctx).await?;
    let content = html! {
        @if query.text("done") == "removed" { (done(t.removed)) } @else { (note(t.about)) }
        @if visit.ctx.may(&Act::ManageWebhooks).is_ok() { p { a.button.quiet href="/admin/webhooks/make" { (t.make) } } }
        @if found.is_empty() { (note(visit.texts.admin.frame.nothing)) } @else { (table(&visit, &found)) }
    };
    Ok(page(&visit, t.title, &content))
}

fn table(visit: &Visit, webhooks: &[WebhookView]) -> Markup {
    let t = &visit.texts.admin.webhooks;
    html! {
        div.wide tabindex="0" { table {
            thead { tr { @for head in [t.url, t.state, t.events, t.description, t.made] { th scope="col" { (head) } } } }
            tbody { @for webhook in webhooks { tr {
                td { a href={ (HERE) "/" (webhook.id) } { (webhook.url) } }
                td { (state(visit, webhook)) }
                td { @for event in &webhook.events { code { (event) } " " } }
                td { (optional(visit, webhook.description.as_deref())) }
                td { (moment(visit, webhook.created_at)) }
            } } }
        } }
    }
}

fn state(visit: &Visit, webhook: &WebhookView) -> Markup {
    let t = &visit.texts.admin.webhooks;
    let told = match (webhook.enabled, webhook.disabled_reason) {
        (true, _) => t.on,
        (false, Some("by_request")) => t.off_by_request,
        (false, Some("gone")) => t.off_gone,
        (false, Some("failing")) => t.off_failing,
        (false, _) => t.off,
    };
    html! { span.badge { (told) } }
}

async fn show(visit: Visit, query: Query, Path(id): Path<WebhookId>) -> Result<Response, Problem> {
    let t = &visit.texts.admin.webhooks;
    let webhook = visit.site.services.webhooks.read(&visit.ctx, id).await?;
    let told = match query.text("done") {
        "changed" => Some(t.changed),
        "off" => Some(t.switched_off),
        "on" => Some(t.switched_on),
        _ => None,
    };
    let content = html! { @if let Some(told) = told { (done(told)) } (one(&visit, &webhook)) };
    Ok(page(&visit, t.title, &content))
}

fn one(visit: &Visit, webhook: &WebhookView) -> Markup {
    let t = &visit.texts.admin.webhooks;
    let mut pairs = vec![
        (t.url, html! { (webhook.url) }),
        (t.state, state(visit, webhook)),
        (t.events, html! { @for event in &webhook.events { code { (event) } " " } }),
        (t.description, optional(visit, webhook.description.as_deref())),
        (t.made, moment(visit, webhook.created_at)),
    ];
    pairs.extend(webhook.failing_since.map(|since| (t.failing_since, moment(visit, since))));
    pairs.extend(webhook.public_key.iter().map(|key| (t.public_key, html! { code { (key) } })));
    pairs.extend(webhook.previous_secret_until.map(|until| (t.previous_until, moment(visit, until))));
    html! {
        (facts(&pairs))
        @if visit.ctx.may(&Act::ManageWebhooks).is_ok() { (ways(visit, webhook)) }
        @if visit.ctx.may(&Act::ReadDeliveries).is_ok() { (panel(t.deliveries, &html! {
            p.row { @for (state, name) in [("dead", t.dead), ("pending", t.pending), ("delivered", t.delivered)] {
                a.button.quiet href={ "/admin/deliveries?state=" (state) "&webhook=" (webhook.id) } { (name) }
            } }
        })) }
    }
}

fn ways(visit: &Visit, webhook: &WebhookView) -> Markup {
    let t = &visit.texts.admin.webhooks;
    let switch = if webhook.enabled { ("off", t.switch_off) } else { ("on", t.switch_on) };
    let at = |act: &str| format!("{HERE}/{}/{act}", webhook.id);
    html! {
        div.row {
            form method="post" action=(at("test")) { (layout::token(visit)) button.quiet { (t.test) } }
            form method="post" action=(at("switch")) {
                (layout::token(visit))
                button.quiet name="to" value=(switch.0) { (switch.1) }
            }
            a.button.quiet href=(at("change")) { (t.change) }
            a.button.quiet href=(at("rotate")) { (t.rotate) }
            a.button.quiet href=(at("remove")) { (t.remove) }
        }
    }
}

async fn show_make(visit: Visit) -> Result<Response, Problem> {
    visit.ctx.may(&Act::ManageWebhooks)?;
    if let Some(turned) = strong(&visit).await? {
        return Ok(turned);
    }
    let content = form(&visit, "make", &Fields::default(), &Told::default());
    Ok(page(&visit, visit.texts.admin.webhooks.make, &content))
}

async fn make(visit: Visit, fields: Fields) -> Result<Response, Problem> {
    let t = &visit.texts.admin.webhooks;
    let input = WebhookInput {
        url: fields.text("url").trim().to_owned(),
        events: names(fields.text("events")),
        description: filled(fields.text("description")),
        signature: filled(fields.text("signature")),
    };
    match visit.site.services.webhooks.create(&visit.ctx, input, None).await {
        Ok(made) => Ok(shown_once(&visit, (t.make, t.made_done), &made)),
        Err(failure) => refused(&visit, failure, (t.make, &visit.here), |told| form(&visit, "make", &fields, told)),
    }
}

async fn show_change(visit: Visit, Path(id): Path<WebhookId>) -> Result<Response, Problem> {
    visit.ctx.may(&Act::ManageWebhooks)?;
    if let Some(turned) = strong(&visit).await? {
        return Ok(turned);
    }
    let webhook = visit.site.services.webhooks.read(&visit.ctx, id).await?;
    let fields = Fields::of(&[
        ("url", &webhook.url),
        ("events", &webhook.events.join(" ")),
        ("description", webhook.description.as_deref().unwrap_or_default()),
        ("version", &webhook.version.to_string()),
    ]);
    let content = form(&visit, &format!("{id}/change"), &fields, &Told::default());
    Ok(page(&visit, visit.texts.admin.webhooks.change_title, &content))
}

async fn change(visit: Visit, Path(id): Path<WebhookId>, fields: Fields) -> Result<Response, Problem> {
    let wanted = WebhookChange {
        url: Some(fields.text("url").trim().to_owned()),
        events: Some(names(fields.text("events"))),
        description: Some(filled(fields.text("description"))),
        enabled: None,
    };
    let version = fields.text("version").parse().ok();
    match visit.site.services.webhooks.change(&visit.ctx, id, wanted, version).await {
        Ok(_) => Ok(Visit::go(&format!("{HERE}/{id}?done=changed"))),
        Err(failure) => {
            let here = (visit.texts.admin.webhooks.change_title, visit.here.as_str());
            let fields = if is_stale(&failure) {
                fields.over(visit.site.services.webhooks.read(&visit.ctx, id).await?.version)
            } else {
                fields
            };
            refused(&visit, failure, here, |told| form(&visit, &format!("{id}/change"), &fields, told))
        }
    }
}

fn form(visit: &Visit, act: &str, fields: &Fields, told: &Told) -> Markup {
    let t = &visit.texts.admin.webhooks;
    let events = names(fields.text("events"));
    let (button, back) = match act.split_once('/') {
        None => (t.make, HERE.to_owned()),
        Some((id, _)) => (t.change, format!("{HERE}/{id}")),
    };
    html! {
        (told.alert())
        form.panel method="post" action={ (HERE) "/" (act) } data-guard {
            (layout::token(visit))
            input type="hidden" name="version" value=(fields.text("version"));
            (field(Field {
                name: "url", label: t.url, hint: t.url_hint, kind: "url", value: fields.text("url"), is_required: true,
                wrong: &told.wrong(visit, "/url"), autocomplete: "off", ..Field::default()
            }))
            (field(Field {
                name: "events", label: t.events, hint: t.events_hint, value: fields.text("events"), is_required: true,
                wrong: &told.wrong_words(visit, "/events", &events), autocomplete: "off", ..Field::default()
            }))
            (field(Field {
                name: "description", label: t.description, value: fields.text("description"),
                wrong: &told.wrong(visit, "/description"), autocomplete: "off", ..Field::default()
            }))
            @if act == "make" { (signature(visit, fields.text("signature"))) }
            (buttons(visit, button, false, &back))
        }
    }
}

/// By a secret that both know, or by a key of which the receiver has the public half.
fn signature(visit: &Visit, chosen: &str) -> Markup {
    let t = &visit.texts.admin.webhooks;
    choice("signature", t.signature, &[("v1", t.signed_by_secret), ("v1a", t.signed_by_key)], chosen)
}

/// The page that answers is the only one that ever shows the secret.
fn shown_once(visit: &Visit, (title, told): (&str, &str), made: &NewWebhook) -> Response {
    let t = &visit.texts.admin.webhooks;
    let content = html! {
        (done(told))
        p { (made.webhook.url) }
        @if let Some(text) = &made.secret { (secret(visit, t.secret_about, text)) }
        @if let Some(key) = &made.webhook.public_key { p { (t.public_key) " " code { (key) } } }
        p { a.button.quiet href={ (HERE) "/" (made.webhook.id) } { (t.back) } }
    };
    visit.page(title, &frame(visit, title, &content))
}

async fn test(visit: Visit, Path(id): Path<WebhookId>) -> Result<Response, Problem> {
    let t = &visit.texts.admin.webhooks;
    let webhook = visit.site.services.webhooks.read(&visit.ctx, id).await?;
    let WebhookTest { delivered, outcome, detail } = match visit.site.services.webhooks.test(&visit.ctx, id).await {
        Ok(tried) => tried,
        Err(failure) => return prove_and_send_again(failure, &format!("{HERE}/{id}")),
    };
    let content = html! {
        @if delivered { (done(t.test_taken)) } @else {
            (alert(&fill(t.test_failed, "why", detail.as_deref().unwrap_or(outcome))))
        }
        (one(&visit, &webhook))
    };
    Ok(page(&visit, t.title, &content))
}

async fn switch(visit: Visit, Path(id): Path<WebhookId>, fields: Fields) -> Result<Response, Problem> {
    let to = match fields.text("to") {
        "on" => true,
        "off" => false,
        _ => return Err(Problem::not_found()),
    };
    let wanted = WebhookChange { enabled: Some(to), ..WebhookChange::default() };
    let switched = visit.site.services.webhooks.change(&visit.ctx, id, wanted, None).await;
    let here = format!("{HERE}/{id}");
    ended(switched, &format!("{here}?done={}", if to { "on" } else { "off" }), &here)
}

async fn show_rotate(visit: Visit, Path(id): Path<WebhookId>) -> Result<Response, Problem> {
    if let Some(turned) = fresh(&visit).await? {
        return Ok(turned);
    }
    let t = &visit.texts.admin.webhooks;
    let webhook = visit.site.services.webhooks.read(&visit.ctx, id).await?;
    let kind = signature(&visit, webhook.signature);
    let content = confirmation(&visit, &webhook, ("rotate", t.rotate, t.rotate_about), &kind)?;
    Ok(page(&visit, t.rotate, &content))
}

async fn rotate(visit: Visit, Path(id): Path<WebhookId>, fields: Fields) -> Result<Response, Problem> {
    if let Some(turned) = fresh(&visit).await? {
        return Ok(turned);
    }
    let t = &visit.texts.admin.webhooks;
    let made = visit
        .site
        .services
        .webhooks
        .rotate_secret(&visit.ctx, id, filled(fields.text("signature")).as_deref(), None)
        .await?;
    Ok(shown_once(&visit, (t.rotate, t.rotated), &made))
}

async fn show_remove(visit: Visit, Path(id): Path<WebhookId>) -> Result<Response, Problem> {
    if let Some(turned) = fresh(&visit).await? {
        return Ok(turned);
    }
    let t = &visit.texts.admin.webhooks;
    let webhook = visit.site.services.webhooks.read(&visit.ctx, id).await?;
    let content = confirmation(&visit, &webhook, ("remove", t.remove, t.remove_about), &Markup::default())?;
    Ok(page(&visit, t.remove_title, &content))
}

async fn remove(visit: Visit, Path(id): Path<WebhookId>) -> Result<Response, Problem> {
    if let Some(turned) = fresh(&visit).await? {
        return Ok(turned);
    }
    visit.site.services.webhooks.remove(&visit.ctx, id).await?;
    Ok(Visit::go("/admin/webhooks?done=removed"))
}

fn confirmation(
    visit: &Visit,
    webhook: &WebhookView,
    (act, name, about): (&str, &str, &str),
    more: &Markup,
) -> Result<Markup, Refusal> {
    visit.ctx.may(&Act::ManageWebhooks)?;
    Ok(html! {
        section.panel {
            p { strong { (webhook.url) } }
            p { (about) }
            form method="post" action={ (HERE) "/" (webhook.id) "/" (act) } {
                (layout::token(visit))
                (more)
                (buttons(visit, name, true, &format!("{HERE}/{}", webhook.id)))
            }
        }
    })
}
