//! One account: what is known of it, what it holds, and the ways to what can be done to it.

use axum::response::Response;
use maud::{Markup, html};
use userd_model::{Act, UserId, UserStatus, agents};
use userd_services::{UserView, deletion::LegalHold, sessions::SessionView, sign_in::IdentityView};
use userd_web::{Problem, extract::Path};

use super::{
    acts::UserAct,
    grants, optional, page,
    users::{last_sign_in, status},
};
use crate::{
    dates::moment,
    layout::with_query,
    parts::{done, facts, panel},
    places,
    routes::Routes,
    texts::{count, name_of},
    visit::{Query, Visit},
};

/// Sessions that are shown.
const SESSIONS: u32 = 200;

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get("/admin/users/{id}", show)
}

async fn show(visit: Visit, query: Query, Path(id): Path<UserId>) -> Result<Response, Problem> {
    let (services, t) = (&visit.site.services, &visit.texts.admin);
    let account = services.users.show(&visit.ctx, id).await?;
    let sessions = services.sessions.list(&visit.ctx, id, None, SESSIONS).await?;
    let identities = services.sign_in.identities(&visit.ctx, id).await?;
    let held = services.grants.of_user(&visit.ctx, id).await?;
    let held_back = match visit.ctx.may(&Act::HoldUser(id)) {
        Ok(()) => services.deletions.held(&visit.ctx, id).await?,
        Err(_) => None,
    };
    let is_within_reach = services.users.is_within_reach(&visit.ctx, id).await?;
    let content = html! {
        @if let Some(told) = said(&visit, query.text("done")) { (done(told)) }
        (known(&visit, &account, held_back.as_ref()))
        (ways(&visit, &account, held_back.is_some(), is_within_reach))
        (happened(&visit, id))
        (panel(t.grants.title, &grants::held(&visit, id, &held)))
        (panel(t.users.sessions, &devices(&visit, &sessions)))
        (panel(t.users.identities, &linked(&visit, id, &identities, is_within_reach)))
    };
    Ok(page(&visit, &name_of(&account), &content))
}

/// What was done just now.
fn said(visit: &Visit, word: &str) -> Option<&'static str> {
    match word {
        "made" => Some(visit.texts.admin.users.made),
        "changed" => Some(visit.texts.account.saved),
        "given" => Some(visit.texts.admin.grants.given),
        "unlinked" => Some(visit.texts.admin.acts.unlink_done),
        "taken" => Some(visit.texts.admin.grants.taken),
        word => UserAct::parse(word).map(|act| act.words(visit).done),
    }
}

fn known(visit: &Visit, account: &UserView, held: Option<&LegalHold>) -> Markup {
    let t = &visit.texts.admin.users;
    let email = html! {
        (optional(visit, account.email.as_deref()))
        @if account.email.is_some() {
            " " span.badge { (if account.email_verified { t.email_confirmed } else { t.email_unconfirmed }) }
        }
    };
    let mut pairs = vec![(t.status, html! { span.badge { (status(visit, account.status)) } })];
    pairs.extend(account.blocked_until.map(|until| (t.blocked_until, moment(visit, until))));
    pairs.extend(account.block_reason.as_ref().map(|reason| (t.block_reason, html! { (reason) })));
    pairs.extend(held.map(|held| {
        let why = html! { (moment(visit, held.created_at)) @if let Some(reason) = &held.reason { ". " (reason) } };
        (visit.texts.admin.acts.held, why)
    }));
    pairs.extend([
        (t.email, email),
        (t.username, optional(visit, account.username.as_deref())),
        (t.phone, optional(visit, account.phone.as_deref())),
        (t.created, moment(visit, account.created_at)),
        (t.last_sign_in, last_sign_in(visit, account)),
        (t.id, html! { code { (account.id) } }),
    ]);
    facts(&pairs)
}

/// The ways to what the visitor may do here and what the account's status leaves to be done.
fn ways(visit: &Visit, account: &UserView, is_held: bool, is_within_reach: bool) -> Markup {
    let left_out = if is_held { UserAct::Hold } else { UserAct::LiftHold };
    let allowed =
        |act: UserAct| visit.ctx.may(&act.act(account.id)).is_ok() && (is_within_reach || act.is_for_everybody());
    let fitting = |act: &UserAct| *act != left_out && act.fits(account.status) && allowed(*act);
    let acts: Vec<UserAct> = UserAct::ALL.into_iter().filter(fitting).collect();
    let may_change = account.status != UserStatus::Deleted && visit.ctx.may(&Act::ChangeProfile(account.id)).is_ok();
    html! {
        @if may_change || !acts.is_empty() {
            section.panel {
                h2 { (visit.texts.admin.users.acts) }
                div.row {
                    @if may_change {
                        a.button.quiet href={ "/admin/users/" (account.id) "/change" } { (visit.texts.admin.users.change) }
                    }
                    @for act in acts {
                        a.button.quiet href={ "/admin/users/" (account.id) "/acts/" (act.word()) } { (act.words(visit).name) }
                    }
                }
            }
        }
    }
}

/// The ways to what happened to the account, and to what it was written.
fn happened(visit: &Visit, id: UserId) -> Markup {
    let t = &visit.texts.admin;
    let ways = [
        ("/admin/audit", "subject", t.audit.title, Act::ReadAudit),
        ("/admin/deliveries", "user", t.deliveries.title, Act::ReadDeliveries),
    ];
    html! {
        p.row { @for (path, name, title, act) in ways { @if visit.ctx.may(&act).is_ok() {
            a href=(with_query(path, name, &id.to_string())) { (title) }
        } } }
    }
}

fn devices(visit: &Visit, sessions: &[SessionView]) -> Markup {
    let t = &visit.texts.admin.users;
    let number = u64::try_from(sessions.len()).unwrap_or(u64::MAX);
    html! {
        p { (count(t.sessions_count, number, visit.language)) }
        @if !sessions.is_empty() {
            div.wide tabindex="0" { table {
                thead { tr { @for head in [t.device, t.address, t.last_seen] { th scope="col" { (head) } } } }
                tbody { @for session in sessions { tr {
                    td title=[session.user_agent.as_deref()] { (device(visit, session)) }
                    td { (optional(visit, session.ip.as_deref().map(|ip| places::address(visit, ip)).as_deref())) }
                    td { (moment(visit, session.last_seen_at)) }
                } } }
            } }
        }
    }
}

fn device(visit: &Visit, session: &SessionView) -> String {
    let called = || session.user_agent.as_deref().map(agents::called);
    session.device_name.clone().or_else(called).unwrap_or_else(|| visit.texts.admin.users.unknown_device.to_owned())
}

fn linked(visit: &Visit, id: UserId, identities: &[IdentityView], is_within_reach: bool) -> Markup {
    let t = &visit.texts.admin.users;
    let may_unlink = is_within_reach && visit.ctx.may(&Act::RemoveIdentity(id)).is_ok();
    html! {
        @if identities.is_empty() { p.muted { (visit.texts.admin.frame.none) } } @else {
            div.wide tabindex="0" { table {
                thead { tr { @for head in [t.provider, t.name, t.linked] { th scope="col" { (head) } } td {} } }
                tbody { @for identity in identities { tr {
                    td { (visit.site.services.sign_in.name_of(&identity.provider)) }
                    td { (optional(visit, [&identity.display_name, &identity.username, &identity.email]
                        .into_iter().flatten().next().map(String::as_str))) }
                    td { (moment(visit, identity.created_at)) }
                    td { @if may_unlink {
                        a href={ "/admin/users/" (id) "/identities/" (identity.id) "/unlink" } {
                            (visit.texts.admin.acts.unlink)
                        }
                    } }
                } } }
            } }
        }
    }
}
