//! The list of accounts: search, filters, pages.

use axum::response::Response;
use maud::{Markup, html};
use userd_model::{Act, Refusal, UserId, UserStatus};
use userd_services::{
    Failure, UserView,
    user_list::{UserFilter, UserPage},
};
use userd_web::Problem;

use super::{PAGE, choice, filled, onward, optional, page, place};
use crate::{
    dates::{self, moment},
    parts::{Field, done, field},
    routes::Routes,
    texts::name_of,
    visit::{Query, Visit},
};

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get("/admin/users", list)
}

async fn list(visit: Visit, query: Query) -> Result<Response, Problem> {
    let filter = UserFilter {
        query: filled(query.text("query")),
        status: UserStatus::parse(query.text("status")),
        role: filled(query.text("role")),
        provider: filled(query.text("provider")),
        created_after: dates::read(&visit, query.text("created_after"))?,
    };
    let name = format!("users {filter:?}");
    let found = match query.text("query").trim().parse::<UserId>() {
        Ok(id) => one(&visit, id).await?,
        Err(_) => {
            let after = place(&visit, &query, &name)?;
            visit.site.services.users.list(&visit.ctx, &filter, after, PAGE).await?
        }
    };
    let title = visit.texts.admin.frame.users;
    let content = html! {
        @if query.text("done") == "purge" { (done(visit.texts.admin.acts.purge_done)) }
        @if visit.ctx.may(&Act::CreateUser).is_ok() { p { a.button.quiet href="/admin/users/+make" { (visit.texts.admin.users.make) } } }
        (filters(&visit, &query))
        div #found aria-live="polite" {
            @if !found.items.is_empty() { (table(&visit, &found.items)) }
            (onward(&visit, &name, found.items.is_empty(), found.next.as_ref()))
        }
    };
    Ok(page(&visit, title, &content))
}

/// The account with this id as a list.
async fn one(visit: &Visit, id: UserId) -> Result<UserPage, Failure> {
    match visit.site.services.users.show(&visit.ctx, id).await {
        Ok(account) => Ok(UserPage { items: vec![account], next: None }),
        Err(Failure::Refused(Refusal::NotFound)) => Ok(UserPage { items: Vec::new(), next: None }),
        Err(other) => Err(other),
    }
}

fn filters(visit: &Visit, query: &Query) -> Markup {
    let (t, frame) = (&visit.texts.admin.users, &visit.texts.admin.frame);
    let statuses = [("", frame.any), ("active", t.active), ("blocked", t.blocked), ("deleted", t.deleted)];
    let providers = visit.site.services.sign_in.offered();
    let mut ways = vec![("", frame.any)];
    ways.extend(providers.iter().map(|provider| (provider.id(), provider.display_name())));
    html! {
        form.panel.filters method="get" action="/admin/users" role="search" data-live="found" {
            (field(Field {
                name: "query", label: t.query, hint: t.query_hint, kind: "search", value: query.text("query"),
                autocomplete: "off", ..Field::default()
            }))
            (choice("status", t.status, &statuses, query.text("status")))
            (field(Field {
                name: "role", label: t.role, value: query.text("role"), autocomplete: "off", ..Field::default()
            }))
            @if !providers.is_empty() { (choice("provider", t.provider, &ways, query.text("provider"))) }
            (field(Field {
                name: "created_after", label: t.created_after, kind: "date", value: query.text("created_after"),
                ..Field::default()
            }))
            button { (frame.filter) }
        }
    }
}

fn table(visit: &Visit, accounts: &[UserView]) -> Markup {
    let t = &visit.texts.admin.users;
    html! {
        div.wide tabindex="0" {
            table {
                thead { tr { @for head in [t.name, t.email, t.status, t.role, t.created, t.last_sign_in] {
                    th scope="col" { (head) }
                } } }
                tbody {
                    @for account in accounts {
                        tr {
                            td { a href={ "/admin/users/" (account.id) } { (name_of(account)) } }
                            td { (optional(visit, account.email.as_deref())) }
                            td { span.badge { (status(visit, account.status)) } }
                            td { @for role in &account.roles { span.badge { (role) } " " } }
                            td { (moment(visit, account.created_at)) }
                            td { (last_sign_in(visit, account)) }
                        }
                    }
                }
            }
        }
    }
}

/// The status in words.
pub(super) fn status(visit: &Visit, status: UserStatus) -> &'static str {
    let t = &visit.texts.admin.users;
    match status {
        UserStatus::Active => t.active,
        UserStatus::Blocked => t.blocked,
        UserStatus::Deleted => t.deleted,
    }
}

pub(super) fn last_sign_in(visit: &Visit, account: &UserView) -> Markup {
    match account.last_sign_in_at {
        Some(at) => moment(visit, at),
        None => html! { span.muted { (visit.texts.admin.users.never) } },
    }
}
