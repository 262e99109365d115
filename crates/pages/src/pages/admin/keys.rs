//! Signing keys: which there are, and a new one taking over.

use axum::response::Response;
use maud::{Markup, html};
use userd_model::{Act, KeyState};
use userd_services::signing_keys::KeyView;
use userd_web::{Problem, extract::Path};

use super::{Told, buttons, fresh, page, refused};
use crate::{
    dates::moment,
    layout,
    parts::done,
    routes::Routes,
    visit::{Query, Visit},
};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/admin/signing-keys", list)
        .get("/admin/signing-keys/rotate", show_rotate)
        .post("/admin/signing-keys/rotate", rotate)
        .get("/admin/signing-keys/{kid}/revoke", show_revoke)
        .post("/admin/signing-keys/{kid}/revoke", revoke)
}

async fn list(visit: Visit, query: Query) -> Result<Response, Problem> {
    let t = &visit.texts.admin.keys;
    let keys = visit.site.services.signing_keys.list(&visit.ctx).await?;
    let content = html! {
        @if query.text("done") == "rotated" { (done(t.rotated)) }
        @if query.text("done") == "revoked" { (done(t.revoked_done)) }
        @if visit.ctx.may(&Act::RotateSigningKeys).is_ok() {
            p { a.button.quiet href="/admin/signing-keys/rotate" { (t.rotate) } }
        }
        (table(&visit, &keys))
    };
    Ok(page(&visit, t.title, &content))
}

fn table(visit: &Visit, keys: &[KeyView]) -> Markup {
    let t = &visit.texts.admin.keys;
    let may_revoke = visit.ctx.may(&Act::RevokeSigningKey).is_ok();
    html! {
        div.wide tabindex="0" { table {
            thead { tr {
                @for head in [t.kid, t.algorithm, t.state, t.made, t.activated, t.retired] { th scope="col" { (head) } }
                td {}
            } }
            tbody { @for key in keys { tr {
                td { code { (key.kid) } }
                td { (key.algorithm) }
                td { span.badge { (state(visit, key.state)) } }
                td { (moment(visit, key.created_at)) }
                td { @if let Some(at) = key.activated_at { (moment(visit, at)) } }
                td { @if let Some(at) = key.retired_at { (moment(visit, at)) } }
                td { @if may_revoke && key.state != KeyState::Revoked {
                    a href={ "/admin/signing-keys/" (key.kid) "/revoke" } { (t.revoke) }
                } }
            } } }
        } }
    }
}

fn state(visit: &Visit, state: KeyState) -> &'static str {
    let t = &visit.texts.admin.keys;
    match state {
        KeyState::Next => t.pending,
        KeyState::Active => t.active,
        KeyState::Retired => t.retired_state,
        KeyState::Revoked => t.revoked,
    }
}

async fn show_rotate(visit: Visit) -> Result<Response, Problem> {
    visit.ctx.may(&Act::RotateSigningKeys)?;
    if let Some(turned) = fresh(&visit).await? {
        return Ok(turned);
    }
    Ok(page(&visit, visit.texts.admin.keys.rotate, &rotation(&visit, &Told::default())))
}

async fn rotate(visit: Visit) -> Result<Response, Problem> {
    if let Some(turned) = fresh(&visit).await? {
        return Ok(turned);
    }
    match visit.site.services.signing_keys.rotate(&visit.ctx).await {
        Ok(_) => Ok(Visit::go("/admin/signing-keys?done=rotated")),
        Err(failure) => {
            let here = (visit.texts.admin.keys.rotate, visit.here.as_str());
            refused(&visit, failure, here, |told| rotation(&visit, told))
        }
    }
}

fn rotation(visit: &Visit, told: &Told) -> Markup {
    let t = &visit.texts.admin.keys;
    html! {
        (told.alert())
        section.panel {
            p { (t.rotate_about) }
            form method="post" action="/admin/signing-keys/rotate" {
                (layout::token(visit))
                (buttons(visit, t.rotate, true, "/admin/signing-keys"))
            }
        }
    }
}

async fn show_revoke(visit: Visit, Path(kid): Path<String>) -> Result<Response, Problem> {
    visit.ctx.may(&Act::RevokeSigningKey)?;
    if let Some(turned) = fresh(&visit).await? {
        return Ok(turned);
    }
    Ok(page(&visit, visit.texts.admin.keys.revoke_title, &revocation(&visit, &kid, &Told::default())))
}

async fn revoke(visit: Visit, Path(kid): Path<String>) -> Result<Response, Problem> {
    if let Some(turned) = fresh(&visit).await? {
        return Ok(turned);
    }
    match visit.site.services.signing_keys.revoke(&visit.ctx, &kid).await {
        Ok(_) => Ok(Visit::go("/admin/signing-keys?done=revoked")),
        Err(failure) => {
            let here = (visit.texts.admin.keys.revoke_title, visit.here.as_str());
            refused(&visit, failure, here, |told| revocation(&visit, &kid, told))
        }
    }
}

fn revocation(visit: &Visit, kid: &str, told: &Told) -> Markup {
    let t = &visit.texts.admin.keys;
    html! {
        (told.alert())
        section.panel {
            p { code { (kid) } }
            p { (t.revoke_about) }
            form method="post" action={ "/admin/signing-keys/" (kid) "/revoke" } {
                (layout::token(visit))
                (buttons(visit, t.revoke, true, "/admin/signing-keys"))
            }
        }
    }
}
