//! Roles and permissions of an account: shown, given, taken.

use axum::response::Response;
use maud::{Markup, html};
use userd_model::{Act, GrantKind, GrantSource, Refusal, UserId, UserStatus};
use userd_services::{
    Failure, UserView,
    roles::{GrantInput, GrantView},
};
use userd_web::{Problem, extract::Path};

use super::{Told, buttons, choice, filled, opened, optional, page, refused, strong};
use crate::{
    dates::{self, moment},
    fields::Fields,
    layout,
    parts::{Field, field},
    routes::Routes,
    texts::{fill, name_of},
    visit::Visit,
};

/// Roles, and permissions, that are offered by name.
const OFFERED: u32 = 200;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/admin/users/{id}/grants/give", show_give)
        .post("/admin/users/{id}/grants/give", give)
        .get("/admin/users/{id}/grants/{kind}/{name}/take", show_take)
        .post("/admin/users/{id}/grants/{kind}/{name}/take", take)
}

/// What an account holds, and the ways to give and take.
pub(super) fn held(visit: &Visit, id: UserId, held: &[GrantView]) -> Markup {
    let t = &visit.texts.admin.grants;
    html! {
        @if held.is_empty() { p.muted { (visit.texts.admin.frame.none) } } @else {
            div.wide tabindex="0" { table {
                thead { tr {
                    @for head in [t.what, t.source, t.by, t.reason, t.since, t.ends] { th scope="col" { (head) } }
                    td {}
                } }
                tbody { @for grant in held { (row(visit, id, grant)) } }
            } }
        }
        @if visit.ctx.may(&Act::GrantTo(id)).is_ok() {
            p { a.button.quiet href={ "/admin/users/" (id) "/grants/give" } { (t.give) } }
        }
    }
}

fn row(visit: &Visit, id: UserId, GrantView { grant, reason }: &GrantView) -> Markup {
    let t = &visit.texts.admin.grants;
    let source = match grant.source {
        GrantSource::Direct => t.direct,
        GrantSource::Request => t.request,
        GrantSource::Config => t.config,
    };
    // What the configuration gives it gives again at the next start.
    let can_be_taken = grant.source != GrantSource::Config && visit.ctx.may(&Act::RevokeFrom(id)).is_ok();
    html! {
        tr {
            td { (grant.name) " " span.badge { (kind_of(visit, grant.kind)) } }
            td { (source) }
            td { (grant.granted_by) }
            td { (optional(visit, reason.as_deref())) }
            td { (moment(visit, grant.period.starts_at.unwrap_or(grant.created_at))) }
            td { @match grant.period.expires_at { Some(end) => (moment(visit, end)), None => span.muted { (t.for_good) } } }
            td {
                @if can_be_taken {
                    a href={ "/admin/users/" (id) "/grants/" (grant.kind.as_str()) "/" (grant.name) "/take" } { (t.take) }
                }
            }
        }
    }
}

fn kind_of(visit: &Visit, kind: GrantKind) -> &'static str {
    let t = &visit.texts.admin.grants;
    match kind {
        GrantKind::Role => t.role,
        GrantKind::Permission => t.permission,
    }
}

/// What can be given, by name: where the visitor may not see that, they know it.
async fn offered(visit: &Visit) -> Result<Vec<String>, Failure> {
    if visit.ctx.may(&Act::ReadRoles).is_err() {
        return Ok(Vec::new());
    }
    let services = &visit.site.services;
    let roles = services.roles.page(&visit.ctx, None, OFFERED).await?.into_iter().map(|role| role.name);
    let permissions = services.permissions.page(&visit.ctx, None, OFFERED).await?.into_iter().map(|word| word.name);
    Ok(roles.chain(permissions).collect())
}

async fn show_give(visit: Visit, Path(id): Path<UserId>) -> Result<Response, Problem> {
    let account = opened(&visit, id, &Act::GrantTo(id)).await?;
    if let Some(turned) = strong(&visit).await? {
        return Ok(turned);
    }
    let names = offered(&visit).await?;
    let content = give_form(&visit, &account, &names, &Fields::default(), &Told::default());
    Ok(page(&visit, visit.texts.admin.grants.give, &content))
}

async fn give(visit: Visit, Path(id): Path<UserId>, fields: Fields) -> Result<Response, Problem> {
    let account = opened(&visit, id, &Act::GrantTo(id)).await?;
    match carry_out(&visit, &account, &fields).await {
        Ok(_) => Ok(Visit::go(&format!("/admin/users/{id}?done=given"))),
        Err(failure) => {
            let names = offered(&visit).await?;
            let here = (visit.texts.admin.grants.give, visit.here.as_str());
            refused(&visit, failure, here, |told| give_form(&visit, &account, &names, &fields, told))
        }
    }
}

async fn carry_out(visit: &Visit, account: &UserView, fields: &Fields) -> Result<GrantView, Failure> {
    let kind = GrantKind::parse(fields.text("kind")).unwrap_or(GrantKind::Role);
    let reason = filled(fields.text("reason"));
    let input = GrantInput { reason, starts_at: None, expires_at: dates::read(visit, fields.text("expires_at"))? };
    let name = fields.text("name").trim();
    let given = visit.site.services.grants.grant(&visit.ctx, account.id, kind, name, &input).await;
    given.map_err(|failure| match failure {
        // The account is there, so what is not found is what was to be given.
        Failure::Refused(Refusal::NotFound) if account.status != UserStatus::Deleted => {
            let detail = if kind == GrantKind::Role { "no such role" } else { "no such permission" };
            Refusal::field("/name", detail).into()
        }
        other => other,
    })
}

fn give_form(visit: &Visit, account: &UserView, names: &[String], fields: &Fields, told: &Told) -> Markup {
    let t = &visit.texts.admin.grants;
    let zone = fill(visit.texts.admin.frame.zone, "zone", &dates::zone_name(visit));
    let kinds = [("role", t.role), ("permission", t.permission)];
    let wrong_name = told.wrong(visit, "/name");
    let wrong_id = (!wrong_name.is_empty()).then_some("name-wrong");
    html! {
        (told.alert())
        section.panel {
            p { (fill(t.give_about, "who", &name_of(account))) }
            form method="post" action={ "/admin/users/" (account.id) "/grants/give" } data-guard {
                (layout::token(visit))
                (choice("kind", t.kind, &kinds, fields.text("kind")))
                div.field {
                    label for="name" { (t.name) }
                    input id="name" name="name" value=(fields.text("name")) list="names" required autocomplete="off"
                        spellcheck="false" autocapitalize="none" aria-describedby=[wrong_id]
                        aria-invalid=[wrong_id.map(|_| "true")];
                    datalist #names { @for name in names { option value=(name) {} } }
                    @if let Some(id) = wrong_id { p.wrong id=(id) { (wrong_name) } }
                }
                (field(Field {
                    name: "reason", label: t.reason, hint: t.reason_hint, value: fields.text("reason"),
                    wrong: &told.wrong(visit, "/reason"), autocomplete: "off", ..Field::default()
                }))
                (field(Field {
                    name: "expires_at", label: t.ends, hint: &format!("{} {zone}", t.ends_hint), kind: "datetime-local",
                    value: fields.text("expires_at"), wrong: &told.wrong(visit, "/expires_at"), ..Field::default()
                }))
                (buttons(visit, t.give, false, &format!("/admin/users/{}", account.id)))
            }
        }
    }
}

type Held = (UserId, String, String);

async fn show_take(visit: Visit, Path((id, kind, name)): Path<Held>) -> Result<Response, Problem> {
    let account = opened(&visit, id, &Act::RevokeFrom(id)).await?;
    let title = fill(visit.texts.admin.grants.take_title, "name", &name);
    Ok(page(&visit, &title, &take_form(&visit, &account, (&kind, &name), &Told::default())))
}

async fn take(visit: Visit, Path((id, word, name)): Path<Held>) -> Result<Response, Problem> {
    let account = opened(&visit, id, &Act::RevokeFrom(id)).await?;
    let kind = GrantKind::parse(&word).ok_or_else(Problem::not_found)?;
    match visit.site.services.grants.revoke(&visit.ctx, id, kind, &name).await {
        Ok(()) => Ok(Visit::go(&format!("/admin/users/{id}?done=taken"))),
        Err(failure) => {
            let title = fill(visit.texts.admin.grants.take_title, "name", &name);
            let here = (title.as_str(), visit.here.as_str());
            refused(&visit, failure, here, |told| take_form(&visit, &account, (&word, &name), told))
        }
    }
}

fn take_form(visit: &Visit, account: &UserView, (kind, name): (&str, &str), told: &Told) -> Markup {
    let t = &visit.texts.admin.grants;
    html! {
        (told.alert())
        section.panel {
            p { (fill(t.take_about, "who", &name_of(account))) }
            form method="post" action={ "/admin/users/" (account.id) "/grants/" (kind) "/" (name) "/take" } {
                (layout::token(visit))
                (buttons(visit, t.take, true, &format!("/admin/users/{}", account.id)))
            }
        }
    }
}
