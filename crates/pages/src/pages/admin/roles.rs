//! Roles: which there are, what one allows and who has it, and removing one. Making and changing them is in `role_editor.rs`.

use axum::response::Response;
use maud::{Markup, html};
use userd_model::{Act, Role, RoleRules};
use userd_services::{UserView, user_list::UserFilter};
use userd_web::{Problem, extract::Path};

use super::{PAGE, Told, about, buttons, fresh, onward, optional, page, place, refused, role_draft::Draft};
use crate::{
    layout::{self, with_query},
    parts::{done, facts, note, panel},
    routes::Routes,
    texts::name_of,
    visit::{Query, Visit},
};

/// Accounts that a role's page names; all of them are a list of accounts.
const HOLDERS: usize = 20;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/admin/roles", list)
        .get("/admin/roles/{name}", show)
        .get("/admin/roles/{name}/remove", show_remove)
        .post("/admin/roles/{name}/remove", remove)
}

async fn list(visit: Visit, query: Query) -> Result<Response, Problem> {
    let t = &visit.texts.admin.roles;
    let after: Option<String> = place(&visit, &query, "roles")?;
    let limit = u32::try_from(PAGE).unwrap_or(u32::MAX);
    let found = visit.site.services.roles.page(&visit.ctx, after.as_deref(), limit).await?;
    let next = found.last().filter(|_| found.len() == PAGE).map(|last| &last.name);
    let content = html! {
        @if query.text("done") == "removed" { (done(t.removed)) }
        @if visit.ctx.may(&Act::ManageRoles).is_ok() { p { a.button.quiet href="/admin/roles/+make" { (t.make) } } }
        @if !found.is_empty() { (table(&visit, &found)) }
        (onward(&visit, "roles", found.is_empty(), next))
    };
    Ok(page(&visit, t.title, &content))
}

fn table(visit: &Visit, roles: &[Role]) -> Markup {
    let t = &visit.texts.admin.roles;
    html! {
        div.wide tabindex="0" { table {
            thead { tr { @for head in [t.name, t.description, t.kind, t.permissions, t.includes] { th scope="col" { (head) } } } }
            tbody { @for role in roles { tr {
                td { a href={ "/admin/roles/" (role.name) } { (role.name) } }
                td { (about(visit, role.rules.description.as_deref())) }
                td { span.badge { (kind(visit, role)) } }
                td { (role.permissions.len()) }
                td { (names(visit, &role.rules.includes)) }
            } } }
        } }
    }
}

fn kind(visit: &Visit, role: &Role) -> &'static str {
    let t = &visit.texts.admin.roles;
    match (role.managed, Role::built_in(&role.name)) {
        (true, _) => t.managed,
        (false, Some(_)) => t.built_in,
        (false, None) => t.own,
    }
}

/// Roles as links.
fn names(visit: &Visit, roles: &[String]) -> Markup {
    html! {
        @if roles.is_empty() { (optional(visit, None)) }
        @for name in roles { a href={ "/admin/roles/" (name) } { (name) } " " }
    }
}

/// Words of permissions.
fn words<T: AsRef<str>>(visit: &Visit, words: &[T]) -> Markup {
    html! {
        @if words.is_empty() { (optional(visit, None)) } @else {
            ul.words { @for word in words { li { code { (word.as_ref()) } } } }
        }
    }
}

async fn show(visit: Visit, query: Query, Path(name): Path<String>) -> Result<Response, Problem> {
    let (services, t) = (&visit.site.services, &visit.texts.admin.roles);
    let role = services.roles.show(&visit.ctx, &name).await?;
    let in_all = services.role_reader.permissions(std::slice::from_ref(&name)).await?;
    let in_all: Vec<&str> = in_all.iter().map(userd_model::Permission::as_str).collect();
    let why_not = read_only(&visit, &role, &in_all);
    let may_manage = visit.ctx.may(&Act::ManageRoles).is_ok();
    let is_kept = may_manage && services.roles.is_kept_by_a_rule(&visit.ctx, &role).await?;
    let content = html! {
        @match query.text("done") { "made" => (done(t.made)), "changed" => (done(t.changed)), _ => {} }
        (facts(&[
            (t.description, about(&visit, role.rules.description.as_deref())),
            (t.kind, html! { span.badge { (kind(&visit, &role)) } }),
            (t.includes, names(&visit, &role.rules.includes)),
            (t.allowed, words(&visit, &role.permissions)),
            (t.allowed_in_all, words(&visit, &in_all)),
        ]))
        @if let Some(why_not) = why_not { (note(&why_not.replace('`', ""))) } @else if may_manage {
            @if is_kept { (note(t.rule_about)) }
            p.row {
                @if !is_kept { a.button.quiet href={ "/admin/roles/" (name) "/change" } { (t.change) } }
                a.button.quiet href={ "/admin/roles/" (name) "/remove" } { (t.remove) }
            }
        }
        @if visit.ctx.may(&Act::ListUsers).is_ok() { (panel(t.holders, &holders(&visit, &name).await?)) }
        @if role.rules.requestable { (panel(t.asking, &asking(&visit, &role))) }
    };
    Ok(page(&visit, &name, &content))
}

/// Why nobody changes this role here, or not the visitor.
pub(super) fn read_only<T: AsRef<str>>(visit: &Visit, role: &Role, in_all: &[T]) -> Option<&'static str> {
    let t = &visit.texts.admin.roles;
    let may_give =
        |word: &T| userd_model::Permission::parse(word.as_ref()).is_some_and(|word| visit.ctx.actor.may_give(&word));
    match role {
        role if role.is_admin() => Some(t.admin_about),
        role if role.managed => Some(t.managed_about),
        _ if visit.ctx.may(&Act::ManageRoles).is_ok() && !in_all.iter().all(may_give) => Some(t.foreign_about),
        _ => None,
    }
}

async fn holders(visit: &Visit, name: &str) -> Result<Markup, Problem> {
    let t = &visit.texts.admin.roles;
    let filter = UserFilter { role: Some(name.to_owned()), ..UserFilter::default() };
    let found = visit.site.services.users.list(&visit.ctx, &filter, None, HOLDERS).await?;
    let one = |account: &UserView| html! { li { a href={ "/admin/users/" (account.id) } { (name_of(account)) } } };
    Ok(html! {
        @if found.items.is_empty() { p.muted { (t.holders_nobody) } } @else {
            ul.list { @for account in &found.items { (one(account)) } }
        }
        @if found.next.is_some() { p { a href=(with_query("/admin/users", "role", name)) { (t.holders_all) } } }
    })
}

fn asking(visit: &Visit, role: &Role) -> Markup {
    let t = &visit.texts.admin.roles;
    let (draft, RoleRules { approvers, quorum, decline_quorum, .. }) = (Draft::of(role), &role.rules);
    let text = |text: &str| optional(visit, Some(text).filter(|text| !text.is_empty()));
    facts(&[
        (t.approver_roles, names(visit, &approvers.roles)),
        (t.approver_users, text(&draft.approver_users)),
        (t.quorum, html! { (quorum) }),
        (t.decline_quorum, html! { (decline_quorum) }),
        (t.reason_prompt, text(&draft.reason_prompt)),
        (t.auto_approve, html! { (auto(visit, &draft)) " " (draft.auto_roles) }),
        (t.request_ttl, html! { (draft.request_ttl) }),
        (t.max_duration, text(&draft.max_duration)),
    ])
}

/// To whom it is given at once.
pub(super) fn auto(visit: &Visit, draft: &Draft) -> &'static str {
    let t = &visit.texts.admin.roles;
    match draft.auto_approve.as_str() {
        "all" => t.auto_all,
        "roles" => t.auto_roles,
        _ => t.auto_no,
    }
}

async fn show_remove(visit: Visit, Path(name): Path<String>) -> Result<Response, Problem> {
    visit.ctx.may(&Act::ManageRoles)?;
    if let Some(turned) = fresh(&visit).await? {
        return Ok(turned);
    }
    let role = visit.site.services.roles.show(&visit.ctx, &name).await?;
    Ok(page(&visit, visit.texts.admin.roles.remove, &removal(&visit, &role.name, &Told::default())))
}

async fn remove(visit: Visit, Path(name): Path<String>) -> Result<Response, Problem> {
    if let Some(turned) = fresh(&visit).await? {
        return Ok(turned);
    }
    let removed = visit.site.services.roles.remove(&visit.ctx, &name, None).await;
    match removed {
        Ok(()) => Ok(Visit::go("/admin/roles?done=removed")),
        Err(failure) => {
            let here = (visit.texts.admin.roles.remove, visit.here.as_str());
            refused(&visit, failure, here, |told| removal(&visit, &name, told))
        }
    }
}

fn removal(visit: &Visit, name: &str, told: &Told) -> Markup {
    let t = &visit.texts.admin.roles;
    html! {
        (told.alert())
        section.panel {
            p { strong { (name) } }
            p { (t.remove_about) }
            form method="post" action={ "/admin/roles/" (name) "/remove" } {
                (layout::token(visit))
                (buttons(visit, t.remove, true, &format!("/admin/roles/{name}")))
            }
        }
    }
}
