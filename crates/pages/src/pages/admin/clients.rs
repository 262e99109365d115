//! Service accounts: made, changed, given a new secret, disabled and enabled. A secret is shown on the page that answers, and never again.

use axum::response::Response;
use maud::{Markup, html};
use userd_model::{Act, ClientId, Timestamp};
use userd_services::{
    clients::{ClientChange, ClientInput, ClientView, NewClient},
    roles::PermissionView,
};
use userd_web::{Problem, extract::Path};

use super::{PAGE, Told, buttons, filled, frame, fresh, onward, page, place, refused, secret, strong, words};
use crate::{
    dates::moment,
    fields::Fields,
    layout,
    pages::completion::is_stale,
    parts::{Field, done, facts, field, note},
    routes::Routes,
    texts::fill,
    visit::{Query, Visit},
};

const HERE: &str = "/admin/clients";

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(HERE, list)
        .get("/admin/clients/make", show_make)
        .post("/admin/clients/make", make)
        .get("/admin/clients/{id}/change", show_change)
        .post("/admin/clients/{id}/change", change)
        .get("/admin/clients/{id}/rotate", show_rotate)
        .post("/admin/clients/{id}/rotate", rotate)
        .get("/admin/clients/{id}/disable", show_disable)
        .post("/admin/clients/{id}/disable", disable)
        .get("/admin/clients/{id}/enable", show_enable)
        .post("/admin/clients/{id}/enable", enable)
}

async fn list(visit: Visit, query: Query) -> Result<Response, Problem> {
    let t = &visit.texts.admin.clients;
    let after: Option<(Timestamp, ClientId)> = place(&visit, &query, "clients")?;
    let limit = u32::try_from(PAGE).unwrap_or(u32::MAX);
    let found = visit.site.services.clients.page(&visit.ctx, after, limit).await?;
    let next = found.last().filter(|_| found.len() == PAGE).map(|last| (last.created_at, last.id));
    let content = html! {
        @match query.text("done") {
            "disabled" => (done(t.disabled_done)),
            "changed" => (done(t.changed)),
            _ => (note(t.about)),
        }
        @if visit.ctx.may(&Act::CreateClient).is_ok() { p { a.button.quiet href="/admin/clients/make" { (t.make) } } }
        @if !found.is_empty() { (table(&visit, &found)) }
        (onward(&visit, "clients", found.is_empty(), next.as_ref()))
    };
    Ok(page(&visit, t.title, &content))
}

fn table(visit: &Visit, clients: &[ClientView]) -> Markup {
    let t = &visit.texts.admin.clients;
    html! {
        div.wide tabindex="0" { table {
            thead { tr { @for head in [t.name, t.state, t.permissions, t.audiences, t.secret_since] { th scope="col" { (head) } } td {} } }
            tbody { @for client in clients { tr {
                td { (client.name) br; code.small { (client.id) } }
                td { span.badge { (if client.disabled_at.is_some() { t.disabled } else { t.works }) } }
                td {
                    @for word in &client.permissions { code { (word) } " " }
                    @if let Some(prefix) = &client.permission_prefix { br; span.muted { (t.prefix) " " code { (prefix) } } }
                }
                td { @for audience in client.audiences.iter().flatten() { code { (audience) } " " } }
                td { (moment(visit, client.secret_changed_at)) }
                td { (ways(visit, client)) }
            } } }
        } }
    }
}

fn ways(visit: &Visit, client: &ClientView) -> Markup {
    let t = &visit.texts.admin.clients;
    let acts = [
        ("change", t.change, Act::ChangeClient, false),
        ("rotate", t.rotate, Act::RotateClientSecret, false),
        ("disable", t.disable, Act::DisableClient, false),
        ("enable", t.enable, Act::EnableClient, true),
    ];
    let is_disabled = client.disabled_at.is_some();
    html! {
        @for (act, name, asked, of_disabled) in acts { @if of_disabled == is_disabled && visit.ctx.may(&asked).is_ok() {
            a href={ (HERE) "/" (client.id) "/" (act) } { (name) } " "
        } }
    }
}

async fn show_make(visit: Visit) -> Result<Response, Problem> {
    visit.ctx.may(&Act::CreateClient)?;
    if let Some(turned) = strong(&visit).await? {
        return Ok(turned);
    }
    let offered = words::offered(&visit).await?;
    let content = making(&visit, &Fields::default(), &offered, &Told::default());
    Ok(page(&visit, visit.texts.admin.clients.make, &content))
}

async fn make(visit: Visit, fields: Fields) -> Result<Response, Problem> {
    let t = &visit.texts.admin.clients;
    let (audiences, prefix) = (audiences(&fields), filled(fields.text("permission_prefix")));
    let chosen = words::chosen(&fields);
    let input = ClientInput {
        name: fields.text("name").trim(),
        permissions: &chosen,
        audiences: audiences.as_deref(),
        permission_prefix: prefix.as_deref(),
    };
    match visit.site.services.clients.create_for(&visit.ctx, input, None).await {
        Ok(made) => Ok(shown_once(&visit, (t.make, t.made_done), &made)),
        Err(failure) => {
            let offered = words::offered(&visit).await?;
            refused(&visit, failure, (t.make, &visit.here), |told| making(&visit, &fields, &offered, told))
        }
    }
}

/// None where nothing was filled in: the first that is configured.
fn audiences(fields: &Fields) -> Option<Vec<String>> {
    Some(words::names(fields.text("audiences"))).filter(|audiences| !audiences.is_empty())
}

fn making(visit: &Visit, fields: &Fields, offered: &[PermissionView], told: &Told) -> Markup {
    let t = &visit.texts.admin.clients;
    let chosen = words::chosen(fields);
    let more = html! {
        (words::choice(visit, offered, &chosen, &told.wrong_words(visit, "/permissions", &chosen)))
        (field(Field {
            name: "permission_prefix", label: t.prefix, hint: t.prefix_hint, value: fields.text("permission_prefix"),
            wrong: &told.wrong(visit, "/permission_prefix"), autocomplete: "off", ..Field::default()
        }))
    };
    form(visit, ("/admin/clients/make", t.make), fields, &more, told)
}

fn form(visit: &Visit, (action, button): (&str, &str), fields: &Fields, more: &Markup, told: &Told) -> Markup {
    let t = &visit.texts.admin.clients;
    let known = visit.site.services.deps.settings.audiences.join(", ");
    html! {
        (told.alert())
        form.panel method="post" action=(action) data-guard {
            (layout::token(visit))
            (field(Field {
                name: "name", label: t.name, hint: t.name_hint, value: fields.text("name"), is_required: true,
                wrong: &told.wrong(visit, "/name"), autocomplete: "off", ..Field::default()
            }))
            (more)
            (field(Field {
                name: "audiences", label: t.audiences, hint: &fill(t.audiences_hint, "known", &known),
                value: fields.text("audiences"), autocomplete: "off",
                wrong: &told.wrong_words(visit, "/audiences", &words::names(fields.text("audiences"))), ..Field::default()
            }))
            (buttons(visit, button, false, HERE))
        }
    }
}

async fn show_change(visit: Visit, Path(id): Path<ClientId>) -> Result<Response, Problem> {
    visit.ctx.may(&Act::ChangeClient)?;
    if let Some(turned) = strong(&visit).await? {
        return Ok(turned);
    }
    let client = visit.site.services.clients.read(&visit.ctx, id).await?;
    let audiences = client.audiences.unwrap_or_default().join(" ");
    let version = client.version.to_string();
    let fields = Fields::of(&[("name", &client.name), ("audiences", &audiences), ("version", &version)]);
    Ok(page(&visit, visit.texts.admin.clients.change, &changing(&visit, id, &fields, &Told::default())))
}

async fn change(visit: Visit, Path(id): Path<ClientId>, fields: Fields) -> Result<Response, Problem> {
    let wanted =
        ClientChange { name: Some(fields.text("name").trim().to_owned()), audiences: Some(audiences(&fields)) };
    let version = fields.text("version").parse().ok();
    match visit.site.services.clients.change(&visit.ctx, id, wanted, version).await {
        Ok(_) => Ok(Visit::go("/admin/clients?done=changed")),
        Err(failure) => {
            let here = (visit.texts.admin.clients.change, visit.here.as_str());
            let fields = if is_stale(&failure) {
                fields.over(visit.site.services.clients.read(&visit.ctx, id).await?.version)
            } else {
                fields
            };
            refused(&visit, failure, here, |told| changing(&visit, id, &fields, told))
        }
    }
}

fn changing(visit: &Visit, id: ClientId, fields: &Fields, told: &Told) -> Markup {
    let more = html! { input type="hidden" name="version" value=(fields.text("version")); };
    form(visit, (&format!("{HERE}/{id}/change"), visit.texts.admin.clients.change), fields, &more, told)
}

/// The page that answers is the only one that ever shows the secret.
fn shown_once(visit: &Visit, (title, told): (&str, &str), made: &NewClient) -> Response {
    let t = &visit.texts.admin.clients;
    let content = html! {
        (done(told))
        (facts(&[(t.name, html! { (made.client.name) }), (t.id, html! { code { (made.client.id) } })]))
        (secret(visit, t.secret_about, &made.client_secret))
        p { a.button.quiet href=(HERE) { (t.back) } }
    };
    visit.page(title, &frame(visit, title, &content))
}

async fn show_rotate(visit: Visit, Path(id): Path<ClientId>) -> Result<Response, Problem> {
    visit.ctx.may(&Act::RotateClientSecret)?;
    if let Some(turned) = fresh(&visit).await? {
        return Ok(turned);
    }
    Ok(page(&visit, visit.texts.admin.clients.rotate, &rotation(&visit, id, &Told::default())))
}

async fn rotate(visit: Visit, Path(id): Path<ClientId>) -> Result<Response, Problem> {
    if let Some(turned) = fresh(&visit).await? {
        return Ok(turned);
    }
    let t = &visit.texts.admin.clients;
    match visit.site.services.clients.rotate_secret(&visit.ctx, id, None).await {
        Ok(made) => Ok(shown_once(&visit, (t.rotate, t.rotated), &made)),
        Err(failure) => refused(&visit, failure, (t.rotate, &visit.here), |told| rotation(&visit, id, told)),
    }
}

fn rotation(visit: &Visit, id: ClientId, told: &Told) -> Markup {
    let t = &visit.texts.admin.clients;
    confirmation(visit, (id, "rotate"), (t.rotate, t.rotate_about), told)
}

async fn show_disable(visit: Visit, Path(id): Path<ClientId>) -> Result<Response, Problem> {
    visit.ctx.may(&Act::DisableClient)?;
    if let Some(turned) = fresh(&visit).await? {
        return Ok(turned);
    }
    Ok(page(&visit, visit.texts.admin.clients.disable, &disabling(&visit, id, &Told::default())))
}

async fn disable(visit: Visit, Path(id): Path<ClientId>) -> Result<Response, Problem> {
    if let Some(turned) = fresh(&visit).await? {
        return Ok(turned);
    }
    let t = &visit.texts.admin.clients;
    match visit.site.services.clients.disable(&visit.ctx, id).await {
        Ok(()) => Ok(Visit::go("/admin/clients?done=disabled")),
        Err(failure) => refused(&visit, failure, (t.disable, &visit.here), |told| disabling(&visit, id, told)),
    }
}

fn disabling(visit: &Visit, id: ClientId, told: &Told) -> Markup {
    let t = &visit.texts.admin.clients;
    confirmation(visit, (id, "disable"), (t.disable, t.disable_about), told)
}

async fn show_enable(visit: Visit, Path(id): Path<ClientId>) -> Result<Response, Problem> {
    visit.ctx.may(&Act::EnableClient)?;
    if let Some(turned) = fresh(&visit).await? {
        return Ok(turned);
    }
    Ok(page(&visit, visit.texts.admin.clients.enable, &enabling(&visit, id, &Told::default())))
}

async fn enable(visit: Visit, Path(id): Path<ClientId>) -> Result<Response, Problem> {
    if let Some(turned) = fresh(&visit).await? {
        return Ok(turned);
    }
    let t = &visit.texts.admin.clients;
    match visit.site.services.clients.enable(&visit.ctx, id, None).await {
        Ok(made) => Ok(shown_once(&visit, (t.enable, t.enabled_done), &made)),
        Err(failure) => refused(&visit, failure, (t.enable, &visit.here), |told| enabling(&visit, id, told)),
    }
}

fn enabling(visit: &Visit, id: ClientId, told: &Told) -> Markup {
    let t = &visit.texts.admin.clients;
    confirmation(visit, (id, "enable"), (t.enable, t.enable_about), told)
}

fn confirmation(visit: &Visit, (id, act): (ClientId, &str), (name, about): (&str, &str), told: &Told) -> Markup {
    html! {
        (told.alert())
        section.panel {
            p { code { (id) } }
            p { (about) }
            form method="post" action={ (HERE) "/" (id) "/" (act) } {
                (layout::token(visit))
                (buttons(visit, name, true, HERE))
            }
        }
    }
}
