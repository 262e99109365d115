//! Roles, made and changed: the form, what would change by it, and only then the change.

use axum::response::Response;
use maud::{Markup, html};
use userd_model::{Permission, Refusal, Role};
use userd_services::{Failure, roles::PermissionView};
use userd_web::{Problem, extract::Path};

use super::{
    Told, buttons, choice, page, prove_and_send_again, prove_first, refused,
    role_draft::Draft,
    roles::{auto, read_only},
    words,
};
use crate::{
    fields::Fields,
    layout,
    pages::completion::is_stale,
    parts::{Field, alert, field},
    routes::Routes,
    visit::Visit,
};

const MAKE: &str = "/admin/roles/+make";

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        // No name of a role has a plus.
        .get("/admin/roles/+make", show_make)
        .post("/admin/roles/+make", make)
        .get("/admin/roles/{name}/change", show_change)
        .post("/admin/roles/{name}/change", change)
}

async fn show_make(visit: Visit) -> Result<Response, Problem> {
    if let Err(failure) = visit.site.services.roles.may_edit(&visit.ctx).await {
        return prove_first(failure, MAKE);
    }
    let offered = words::offered(&visit).await?;
    let draft = Draft::of(&Role::default());
    Ok(page(&visit, visit.texts.admin.roles.make, &form(&visit, None, &draft, &offered, &Told::default())))
}

async fn make(visit: Visit, fields: Fields) -> Result<Response, Problem> {
    let draft = Draft::read(&fields);
    let made = match draft.input(&visit, &userd_model::RoleRules::default()) {
        Ok(input) => visit.site.services.roles.create(&visit.ctx, &draft.name, &input, None).await,
        Err(refusal) => Err(Failure::from(refusal)),
    };
    match made {
        Ok(role) => Ok(Visit::go(&format!("/admin/roles/{}?done=made", role.name))),
        Err(failure) => {
            let offered = words::offered(&visit).await?;
            let here = (visit.texts.admin.roles.make, MAKE);
            refused(&visit, failure, here, |told| form(&visit, None, &draft, &offered, told))
        }
    }
}

/// The role, if the visitor may change it: before they fill a form in, not after.
async fn editable(visit: &Visit, name: &str) -> Result<Role, Failure> {
    let services = &visit.site.services;
    services.roles.may_edit(&visit.ctx).await?;
    let role = services.roles.show(&visit.ctx, name).await?;
    let in_all = services.role_reader.permissions(&[name.to_owned()]).await?;
    let in_all: Vec<&str> = in_all.iter().map(Permission::as_str).collect();
    let is_kept = services.roles.is_kept_by_a_rule(&visit.ctx, &role).await?;
    match read_only(visit, &role, &in_all) {
        Some(_) if role.managed => Err(Refusal::ManagedByConfiguration.into()),
        None if !is_kept => Ok(role),
        _ => Err(Refusal::Forbidden.into()),
    }
}

async fn show_change(visit: Visit, Path(name): Path<String>) -> Result<Response, Problem> {
    let role = match editable(&visit, &name).await {
        Ok(role) => role,
        Err(failure) => return prove_first(failure, &visit.here),
    };
    let offered = words::offered(&visit).await?;
    let content = form(&visit, Some(&name), &Draft::of(&role), &offered, &Told::default());
    Ok(page(&visit, &title(&visit, &name), &content))
}

async fn change(visit: Visit, Path(name): Path<String>, fields: Fields) -> Result<Response, Problem> {
    let role = match editable(&visit, &name).await {
        Ok(role) => role,
        Err(failure) => return prove_and_send_again(failure, &visit.here),
    };
    let (draft, title) = (Draft::read(&fields), title(&visit, &name));
    let edit = |draft: &Draft, offered: &[PermissionView], told: &Told| form(&visit, Some(&name), draft, offered, told);
    if fields.text("again") == "yes" {
        return Ok(page(&visit, &title, &edit(&draft, &words::offered(&visit).await?, &Told::default())));
    }
    let input = draft.input(&visit, &role.rules);
    let outcome = match input {
        Ok(_) if fields.text("confirmed") != "yes" => {
            return Ok(page(&visit, &title, &difference(&visit, &role, &draft)));
        }
        Ok(input) => {
            let version = draft.version.parse().ok();
            visit.site.services.roles.replace(&visit.ctx, &name, &input, version).await
        }
        Err(refusal) => Err(Failure::from(refusal)),
    };
    match outcome {
        Ok(role) => Ok(Visit::go(&format!("/admin/roles/{}?done=changed", role.name))),
        Err(failure) => {
            let offered = words::offered(&visit).await?;
            let version = if is_stale(&failure) { role.version.to_string() } else { draft.version.clone() };
            let draft = Draft { version, ..draft };
            refused(&visit, failure, (title.as_str(), visit.here.as_str()), |told| edit(&draft, &offered, told))
        }
    }
}

fn title(visit: &Visit, name: &str) -> String {
    format!("{}: {name}", visit.texts.admin.roles.change)
}

/// What would change, and the way to let it.
fn difference(visit: &Visit, role: &Role, new: &Draft) -> Markup {
    let t = &visit.texts.admin.roles;
    let old = Draft::of(role);
    let lists = [(t.permissions, &old.permissions, &new.permissions), (t.includes, &old.includes, &new.includes)];
    let lists: Vec<_> = lists.into_iter().filter(|(_, old, new)| old != new).collect();
    let rows: Vec<_> = told(visit, &old).into_iter().zip(told(visit, new)).filter(|(old, new)| old != new).collect();
    let nothing = lists.is_empty() && rows.is_empty();
    html! {
        section.panel {
            @if nothing { (alert(t.difference_none)) } @else {
                h2 { (t.difference) }
                p { (t.difference_at_once) }
                @for (label, old, new) in lists {
                    h3 { (label) }
                    (changed(t.added, "added", new, old))
                    (changed(t.taken, "taken", old, new))
                }
                @if !rows.is_empty() { (table(visit, &rows)) }
            }
            form method="post" action={ "/admin/roles/" (role.name) "/change" } {
                (layout::token(visit))
                @for (name, value) in new.carried() { input type="hidden" name=(name) value=(value); }
                div.row {
                    @if !nothing { button name="confirmed" value="yes" { (t.save) } }
                    button.quiet name="again" value="yes" { (t.again) }
                    a.button.quiet href={ "/admin/roles/" (role.name) } { (visit.texts.admin.frame.cancel) }
                }
            }
        }
    }
}

/// What is in one list and not in the other.
fn changed(label: &str, class: &str, these: &[String], those: &[String]) -> Markup {
    let found: Vec<&String> = these.iter().filter(|one| !those.contains(one)).collect();
    html! {
        @if !found.is_empty() {
            p class=(class) { (label) ": " @for one in found { code { (one) } " " } }
        }
    }
}

type Row = (&'static str, String);

fn table(visit: &Visit, rows: &[(Row, Row)]) -> Markup {
    let t = &visit.texts.admin.roles;
    html! {
        div.wide tabindex="0" { table {
            thead { tr { td {} th scope="col" { (t.before) } th scope="col" { (t.after) } } }
            tbody { @for ((label, old), (_, new)) in rows { tr {
                th scope="row" { (label) }
                td { (super::optional(visit, Some(old.as_str()).filter(|text| !text.is_empty()))) }
                td { (super::optional(visit, Some(new.as_str()).filter(|text| !text.is_empty()))) }
            } } }
        } }
    }
}

/// What a role is besides its lists, in words.
fn told(visit: &Visit, draft: &Draft) -> Vec<Row> {
    let t = &visit.texts.admin.roles;
    let yes = |is: bool| if is { t.yes } else { t.no }.to_owned();
    let names = if draft.auto_approve == "roles" { format!(" {}", draft.auto_roles) } else { String::new() };
    vec![
        (t.description, draft.description.clone()),
        (t.requestable, yes(draft.requestable)),
        (t.approver_roles, draft.approver_roles.clone()),
        (t.approver_users, draft.approver_users.clone()),
        (t.quorum, draft.quorum.clone()),
        (t.decline_quorum, draft.decline_quorum.clone()),
        (t.reason_prompt, draft.reason_prompt.clone()),
        (t.auto_approve, format!("{}{names}", auto(visit, draft))),
        (t.decide_in_chat, yes(draft.decide_in_chat)),
        (t.request_ttl, draft.request_ttl.clone()),
        (t.max_duration, draft.max_duration.clone()),
    ]
}

/// The form; without a name it makes a role.
fn form(visit: &Visit, name: Option<&str>, draft: &Draft, offered: &[PermissionView], told: &Told) -> Markup {
    let t = &visit.texts.admin.roles;
    let action = name.map_or_else(|| MAKE.to_owned(), |name| format!("/admin/roles/{name}/change"));
    let back = name.map_or_else(|| "/admin/roles".to_owned(), |name| format!("/admin/roles/{name}"));
    let wrong_words = told.wrong_words(visit, "/permissions", &draft.permissions);
    html! {
        (told.alert())
        form.panel method="post" action=(action) data-guard {
            (layout::token(visit))
            @if name.is_none() {
                (field(Field {
                    name: "name", label: t.name, hint: t.name_hint, value: &draft.name, is_required: true,
                    wrong: &told.wrong(visit, "/name"), autocomplete: "off", ..Field::default()
                }))
            } @else { input type="hidden" name="version" value=(draft.version); }
            (field(Field {
                name: "description", label: t.description, value: &draft.description,
                wrong: &told.wrong(visit, "/description"), autocomplete: "off", ..Field::default()
            }))
            (words::choice(visit, offered, &draft.permissions, &wrong_words))
            (field(Field {
                name: "includes", label: t.includes, hint: t.includes_hint, value: &draft.includes.join(" "),
                wrong: &told.wrong_words(visit, "/includes", &draft.includes), autocomplete: "off", ..Field::default()
            }))
            (asking(visit, draft, told))
            (buttons(visit, if name.is_some() { t.look } else { t.make }, false, &back))
        }
    }
}

fn asking(visit: &Visit, draft: &Draft, told: &Told) -> Markup {
    let t = &visit.texts.admin.roles;
    let ways = [("no", t.auto_no), ("all", t.auto_all), ("roles", t.auto_roles)];
    let text = |name: &'static str, label: &'static str, hint: &'static str, value: &str, pointer: &str| {
        let wrong = told.wrong_under(visit, pointer);
        field(Field { name, label, hint, value, wrong: &wrong, autocomplete: "off", ..Field::default() })
    };
    let is_open = draft.requestable || !told.errors.is_empty();
    html! {
        (tick("requestable", t.requestable, draft.requestable))
        details open[is_open] {
            summary { (t.asking) }
            (text("approver_roles", t.approver_roles, t.approver_roles_hint, &draft.approver_roles, "/approvers/roles"))
            (text("approver_users", t.approver_users, t.approver_users_hint, &draft.approver_users, "/approvers/users"))
            (text("quorum", t.quorum, "", &draft.quorum, "/quorum"))
            (text("decline_quorum", t.decline_quorum, "", &draft.decline_quorum, "/decline_quorum"))
            (text("reason_prompt", t.reason_prompt, t.reason_prompt_hint, &draft.reason_prompt, "/reason_prompt"))
            // Such a rule gives rights, so it is made by who may (decision 0064).
            @if visit.holds(&Permission::ROLES_GRANT) {
                (choice("auto_approve", t.auto_approve, &ways, &draft.auto_approve))
                (text("auto_roles", t.auto_names, "", &draft.auto_roles, "/auto_approve"))
            } @else { p.hint { (t.auto_not_yours) } }
            (tick("decide_in_chat", t.decide_in_chat, draft.decide_in_chat))
            (text("request_ttl", t.request_ttl, t.span_hint, &draft.request_ttl, "/request_ttl_seconds"))
            (text("max_duration", t.max_duration, t.max_duration_hint, &draft.max_duration, "/max_duration_seconds"))
        }
    }
}

/// One box with its label.
pub(super) fn tick(name: &str, label: &str, is_set: bool) -> Markup {
    html! {
        div.field { label.check for=(name) {
            input id=(name) name=(name) type="checkbox" value="yes" checked[is_set];
            span { (label) }
        } }
    }
}
