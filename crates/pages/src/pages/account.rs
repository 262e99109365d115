//! The account at a glance.

use axum::response::Response;
use maud::{Markup, html};
use userd_services::UserView;
use userd_web::Problem;

use crate::{
    dates::moment,
    layout, parts,
    routes::Routes,
    texts::{fill, name_of},
    visit::Visit,
};

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get("/account", overview)
}

async fn overview(visit: Visit) -> Result<Response, Problem> {
    let account = visit.must_have_account()?;
    let title = fill(visit.texts.account.hello, "name", &name_of(account));
    let content = layout::account(&visit, &title, &at_a_glance(&visit, account));
    Ok(visit.page(visit.texts.account.overview, &content))
}

fn at_a_glance(visit: &Visit, account: &UserView) -> Markup {
    let t = &visit.texts.account;
    let text =
        |value: &Option<String>| html! { @match value { Some(value) => (value), None => span.muted { (t.none) } } };
    let email = html! {
        (text(&account.email))
        @if account.email.is_some() {
            " " span.badge { (if account.email_verified { t.email_confirmed } else { t.email_unconfirmed }) }
        }
    };
    let roles = html! {
        @for role in &account.roles { span.badge { (role) } " " }
        @if account.roles.is_empty() { span.muted { (t.none) } }
    };
    parts::facts(&[
        (t.email, email),
        (t.username, text(&account.username)),
        (t.phone, text(&account.phone)),
        (t.roles, roles),
        (t.member_since, moment(visit, account.created_at)),
        (t.last_sign_in, html! { @if let Some(at) = account.last_sign_in_at { (moment(visit, at)) } }),
    ])
}
