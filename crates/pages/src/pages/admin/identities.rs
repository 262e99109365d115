//! An account elsewhere of somebody else, unlinked.

use axum::response::Response;
use maud::{Markup, html};
use userd_model::{Act, IdentityId, UserId};
use userd_services::{UserView, sign_in::IdentityView};
use userd_web::{Problem, extract::Path};

use super::{Told, buttons, fresh, opened, page, refused};
use crate::{
    layout,
    routes::Routes,
    texts::{fill, name_of},
    visit::Visit,
};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/admin/users/{id}/identities/{identity}/unlink", show)
        .post("/admin/users/{id}/identities/{identity}/unlink", unlink)
}

async fn found(visit: &Visit, id: UserId, identity: IdentityId) -> Result<(UserView, IdentityView), Problem> {
    let account = opened(visit, id, &Act::RemoveIdentity(id)).await?;
    let all = visit.site.services.sign_in.identities(&visit.ctx, id).await?;
    let one = all.into_iter().find(|one| one.id == identity).ok_or_else(Problem::not_found)?;
    Ok((account, one))
}

async fn show(visit: Visit, Path((id, identity)): Path<(UserId, IdentityId)>) -> Result<Response, Problem> {
    let (account, one) = found(&visit, id, identity).await?;
    if let Some(turned) = fresh(&visit).await? {
        return Ok(turned);
    }
    let title = title(&visit, &one);
    Ok(page(&visit, &title, &form(&visit, &account, &one, &Told::default())))
}

async fn unlink(visit: Visit, Path((id, identity)): Path<(UserId, IdentityId)>) -> Result<Response, Problem> {
    let (account, one) = found(&visit, id, identity).await?;
    if let Some(turned) = fresh(&visit).await? {
        return Ok(turned);
    }
    match visit.site.services.sign_in.unlink_of(&visit.ctx, id, identity).await {
        Ok(()) => Ok(Visit::go(&format!("/admin/users/{id}?done=unlinked"))),
        Err(failure) => {
            let title = title(&visit, &one);
            let here = (title.as_str(), visit.here.as_str());
            refused(&visit, failure, here, |told| form(&visit, &account, &one, told))
        }
    }
}

fn title(visit: &Visit, one: &IdentityView) -> String {
    fill(visit.texts.admin.acts.unlink_title, "provider", &visit.site.services.sign_in.name_of(&one.provider))
}

fn form(visit: &Visit, account: &UserView, one: &IdentityView, told: &Told) -> Markup {
    let t = &visit.texts.admin.acts;
    let called = [&one.display_name, &one.username, &one.email].into_iter().flatten().next();
    html! {
        (told.alert())
        section.panel {
            p { strong { (visit.site.services.sign_in.name_of(&one.provider)) } @if let Some(called) = called { " · " (called) } }
            p { (fill(t.unlink_about, "who", &name_of(account))) }
            form method="post" action={ "/admin/users/" (account.id) "/identities/" (one.id) "/unlink" } {
                (layout::token(visit))
                (buttons(visit, t.unlink, true, &format!("/admin/users/{}", account.id)))
            }
        }
    }
}
