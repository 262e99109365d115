//! The devices on which somebody is signed in, and how to sign out there.

use axum::response::Response;
use maud::{Markup, html};
use userd_model::{SessionId, agents};
use userd_services::sessions::SessionView;
use userd_web::{Problem, extract::Path};

use super::{
    paging::{onward, place},
    prove::ended,
};
use crate::{
    dates::moment,
    layout,
    parts::{done, panel},
    places,
    routes::Routes,
    visit::{Query, Visit},
};

const DEVICES: &str = "/account/devices";
/// Devices on one page.
const MOST: usize = 25;
/// Sessions that are looked at: as many as are ended at once.
const ALL: u32 = 1000;

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get(DEVICES, devices).post("/account/devices/{id}/end", end).post("/account/devices/end-others", end_others)
}

async fn devices(visit: Visit, query: Query) -> Result<Response, Problem> {
    let t = &visit.texts.account;
    let (id, _) = visit.ctx.user()?;
    let list = format!("devices of {id}");
    let begins: usize = place(&visit, &query, &list)?.unwrap_or(0);
    let mut found = visit.site.services.sessions.list(&visit.ctx, id, None, ALL).await?;
    // Where somebody has signed in lately is what they look for; they come oldest first.
    found.reverse();
    found.sort_by_key(|device| !device.current);
    let next = Some(begins.saturating_add(MOST)).filter(|next| *next < found.len());
    let content = layout::account(
        &visit,
        t.devices,
        &html! {
            @if query.text("told") == "ended" { (done(t.device_ended)) }
            (panel(t.signed_in_on, &html! {
                ul.list { @for device in found.iter().skip(begins).take(MOST) { (device_line(&visit, device)) } }
            }))
            (onward(&visit, &list, false, next.as_ref()))
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
                    button.quiet aria-label={ (t.end_device) ": " (name) } { (t.end_device) }
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
