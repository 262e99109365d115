//! The words of permissions: which there are, registering one, removing one.

use axum::response::Response;
use maud::{Markup, html};
use userd_model::Act;
use userd_services::roles::PermissionView;
use userd_web::{Problem, extract::Path};

use super::{PAGE, Told, about, buttons, filled, onward, page, place, refused, role_editor::tick, strong};
use crate::{
    fields::Fields,
    layout,
    parts::{Field, done, field, note},
    routes::Routes,
    texts::fill,
    visit::{Query, Visit},
};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/admin/permissions", list)
        .get("/admin/permissions/register", show_register)
        .post("/admin/permissions/register", register)
        .get("/admin/permissions/{name}/remove", show_remove)
        .post("/admin/permissions/{name}/remove", remove)
}

async fn list(visit: Visit, query: Query) -> Result<Response, Problem> {
    let t = &visit.texts.admin.words;
    let after: Option<String> = place(&visit, &query, "permissions")?;
    let limit = u32::try_from(PAGE).unwrap_or(u32::MAX);
    let found = visit.site.services.permissions.page(&visit.ctx, after.as_deref(), limit).await?;
    let next = found.last().filter(|_| found.len() == PAGE).map(|last| &last.name);
    let content = html! {
        @match query.text("done") {
            "registered" => (done(t.register_done)),
            "removed" => (done(t.removed)),
            _ => (note(t.about)),
        }
        @if visit.ctx.may(&Act::ManagePermissions).is_ok() {
            p { a.button.quiet href="/admin/permissions/register" { (t.register) } }
        }
        @if !found.is_empty() { (table(&visit, &found)) }
        (onward(&visit, "permissions", found.is_empty(), next))
    };
    Ok(page(&visit, t.title, &content))
}

fn table(visit: &Visit, words: &[PermissionView]) -> Markup {
    let t = &visit.texts.admin.words;
    let may_remove = visit.ctx.may(&Act::ManagePermissions).is_ok();
    html! {
        div.wide tabindex="0" { table {
            thead { tr { @for head in [t.name, t.description, visit.texts.admin.roles.kind] { th scope="col" { (head) } } td {} } }
            tbody { @for word in words { tr {
                td { code { (word.name) } }
                td { (about(visit, word.description.as_deref())) }
                td { span.badge { (kind(visit, word)) } }
                td { @if may_remove && !word.built_in && !word.managed {
                    a href={ "/admin/permissions/" (word.name) "/remove" } { (t.remove) }
                } }
            } } }
        } }
    }
}

fn kind(visit: &Visit, word: &PermissionView) -> &'static str {
    match word {
        PermissionView { built_in: true, .. } => visit.texts.admin.words.own,
        PermissionView { managed: true, .. } => visit.texts.admin.roles.managed,
        _ => visit.texts.admin.words.registered,
    }
}

async fn show_register(visit: Visit) -> Result<Response, Problem> {
    visit.ctx.may(&Act::ManagePermissions)?;
    if let Some(turned) = strong(&visit).await? {
        return Ok(turned);
    }
    Ok(page(&visit, visit.texts.admin.words.register, &form(&visit, &Fields::default(), &Told::default())))
}

async fn register(visit: Visit, fields: Fields) -> Result<Response, Problem> {
    let (name, about) = (fields.text("name").trim(), filled(fields.text("description")));
    let requestable = fields.text("requestable") == "yes";
    let permissions = &visit.site.services.permissions;
    match permissions.register(&visit.ctx, name, about.as_deref(), requestable, None).await {
        Ok(_) => Ok(Visit::go("/admin/permissions?done=registered")),
        Err(failure) => {
            let here = (visit.texts.admin.words.register, visit.here.as_str());
            refused(&visit, failure, here, |told| form(&visit, &fields, told))
        }
    }
}

fn form(visit: &Visit, fields: &Fields, told: &Told) -> Markup {
    let t = &visit.texts.admin.words;
    html! {
        (told.alert())
        form.panel method="post" action="/admin/permissions/register" data-guard {
            (layout::token(visit))
            (field(Field {
                name: "name", label: t.name, hint: t.name_hint, value: fields.text("name"), is_required: true,
                wrong: &told.wrong(visit, "/name"), autocomplete: "off", ..Field::default()
            }))
            (field(Field {
                name: "description", label: t.description, value: fields.text("description"),
                wrong: &told.wrong(visit, "/description"), autocomplete: "off", ..Field::default()
            }))
            (tick("requestable", t.requestable, fields.text("requestable") == "yes"))
            (buttons(visit, t.register, false, "/admin/permissions"))
        }
    }
}

async fn show_remove(visit: Visit, Path(name): Path<String>) -> Result<Response, Problem> {
    visit.ctx.may(&Act::ManagePermissions)?;
    let title = fill(visit.texts.admin.words.remove_title, "name", &name);
    Ok(page(&visit, &title, &removal(&visit, &name, &Told::default())))
}

async fn remove(visit: Visit, Path(name): Path<String>) -> Result<Response, Problem> {
    match visit.site.services.permissions.remove(&visit.ctx, &name).await {
        Ok(()) => Ok(Visit::go("/admin/permissions?done=removed")),
        Err(failure) => {
            let title = fill(visit.texts.admin.words.remove_title, "name", &name);
            refused(&visit, failure, (title.as_str(), visit.here.as_str()), |told| removal(&visit, &name, told))
        }
    }
}

fn removal(visit: &Visit, name: &str, told: &Told) -> Markup {
    let t = &visit.texts.admin.words;
    html! {
        (told.alert())
        section.panel {
            p { (t.remove_about) }
            form method="post" action={ "/admin/permissions/" (name) "/remove" } {
                (layout::token(visit))
                (buttons(visit, t.remove, true, "/admin/permissions"))
            }
        }
    }
}
