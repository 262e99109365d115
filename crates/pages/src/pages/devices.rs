//! Devices and accounts elsewhere: what opens the account, and how to shut it.

use axum::response::{IntoResponse, Redirect, Response};
use http::{HeaderMap, header};
use maud::{Markup, html};
use userd_model::{IdentityId, SessionId};
use userd_services::{
    sessions::SessionView,
    sign_in::{IdentityView, Start},
};
use userd_web::{Problem, extract::Path, flow_cookie};

use super::prove::{ended, prove_first};
use crate::{
    agents,
    dates::moment,
    layout,
    parts::{alert, done, panel},
    places,
    routes::Routes,
    texts::fill,
    visit::{Query, Visit},
};

const DEVICES: &str = "/account/devices";
const LINKED: &str = "/account/linked";
/// Devices on one page; whoever has more ends them all.
const MOST: u32 = 25;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(DEVICES, devices)
        .post("/account/devices/{id}/end", end)
        .post("/account/devices/end-others", end_others)
        .get(LINKED, linked)
        .get("/account/linked/with/{provider}", link)
        .post("/account/linked/{id}/remove", unlink)
}

async fn devices(visit: Visit, query: Query) -> Result<Response, Problem> {
    let t = &visit.texts.account;
    let (id, _) = visit.ctx.user()?;
    let found = visit.site.services.sessions.list(&visit.ctx, id, None, MOST).await?;
    let content = layout::account(
        &visit,
        t.devices,
        &html! {
            @if query.text("told") == "ended" { (done(t.device_ended)) }
            (panel(t.signed_in_on, &html! {
                ul.list { @for device in found.iter().rev() { (device_line(&visit, device)) } }
            }))
            @if found.len() > 1 {
                form method="post" action="/account/devices/end-others" {
                    (layout::token(&visit))
                    button.danger { (t.end_others) }
                }
            }
        },
    );
    Ok(visit.page(t.devices, &content))
}

fn device_line(visit: &Visit, device: &SessionView) -> Markup {
    let t = &visit.texts.account;
    let called = device.user_agent.as_deref().map(agents::called);
    let name = device.device_name.as_deref().or(called.as_deref()).unwrap_or(t.unknown_device);
    html! {
        li {
            span.grow {
                strong title=[device.user_agent.as_deref()] { (name) }
                @if device.current { " " span.badge { (t.this_device) } }
                br;
                span.muted {
                    @if let Some(ip) = &device.ip { (places::address(visit, ip)) " · " }
                    (t.last_seen) " " (moment(visit, device.last_seen_at))
                }
            }
            @if !device.current {
                form method="post" action=(format!("/account/devices/{}/end", device.id)) {
                    (layout::token(visit))
                    button.quiet { (t.end_device) }
                }
            }
        }
    }
}

async fn end(visit: Visit, Path(id): Path<SessionId>) -> Result<Response, Problem> {
    let (user, _) = visit.ctx.user()?;
    let ended_it = visit.site.services.sessions.end(&visit.ctx, user, id).await;
    ended(ended_it, "/account/devices?told=ended", DEVICES)
}

async fn end_others(visit: Visit) -> Result<Response, Problem> {
    let (user, session) = visit.ctx.user()?;
    let ended_them = visit.site.services.sessions.end_all(&visit.ctx, user, Some(session)).await;
    ended(ended_them, "/account/devices?told=ended", DEVICES)
}

async fn linked(visit: Visit, query: Query) -> Result<Response, Problem> {
    let t = &visit.texts.account;
    let services = &visit.site.services;
    let (id, _) = visit.ctx.user()?;
    let found = services.sign_in.identities(&visit.ctx, id).await?;
    let offered = services.sign_in.offered();
    let content = layout::account(
        &visit,
        t.linked,
        &html! {
            @match query.text("told") {
                "linked" => (done(t.linked_now)),
                "removed" => (done(t.unlinked_now)),
                "failed" => (alert(t.link_failed)),
                _ => "",
            }
            (panel(t.linked, &html! {
                @if found.is_empty() { p { (t.no_linked) } }
                ul.list { @for identity in &found { (linked_line(&visit, identity)) } }
            }))
            (panel(t.link_more, &html! {
                div.row {
                    @for provider in offered.iter().filter(|provider| provider.capabilities().browser) {
                        a.button.quiet href=(format!("/account/linked/with/{}", provider.id())) {
                            (fill(t.link_with, "provider", provider.display_name()))
                        }
                    }
                    @if offered.is_empty() { p.muted { (t.no_providers) } }
                }
            }))
        },
    );
    Ok(visit.page(t.linked, &content))
}

fn linked_line(visit: &Visit, identity: &IdentityView) -> Markup {
    let t = &visit.texts.account;
    let name = [&identity.display_name, &identity.username, &identity.email].into_iter().flatten().next();
    html! {
        li {
            span.grow {
                strong { (identity.provider) } @if let Some(name) = name { " · " (name) }
                br;
                span.muted { (t.last_used) " " (moment(visit, identity.last_used_at)) }
            }
            form method="post" action=(format!("/account/linked/{}/remove", identity.id)) {
                (layout::token(visit))
                button.danger { (t.remove) }
            }
        }
    }
}

async fn link(visit: Visit, Path(provider): Path<String>, headers: HeaderMap) -> Result<Response, Problem> {
    let start = Start { locale: Some(visit.tag().to_owned()), ..Start::default() };
    let begun = match visit.site.services.sign_in.start_link(&visit.ctx, &provider, start).await {
        Ok(begun) => begun,
        Err(failure) => return prove_first(failure, LINKED),
    };
    let mut answer = Redirect::to(&begun.url).into_response();
    let flow = flow_cookie::set(&begun.state, &begun.browser, begun.cross_site);
    for cookie in flow_cookie::crowded_out(&headers).into_iter().chain([flow]) {
        answer.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(answer)
}

async fn unlink(visit: Visit, Path(id): Path<IdentityId>) -> Result<Response, Problem> {
    let removed = visit.site.services.sign_in.unlink(&visit.ctx, id).await;
    ended(removed, "/account/linked?told=removed", LINKED)
}
