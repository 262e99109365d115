//! Invitations: made, listed, withdrawn. The link of one that goes to nobody by mail is shown once.

use axum::response::Response;
use maud::{Markup, html};
use userd_model::{Act, InvitationId, Refusal, Timestamp};
use userd_services::invitations::{InvitationView, NewInvitation};
use userd_web::{Problem, extract::Path};

use super::{PAGE, Told, buttons, filled, frame, onward, optional, page, place, refused, secret, strong, words::names};
use crate::{
    dates::{self, moment},
    fields::Fields,
    layout,
    parts::{Field, done, field},
    routes::Routes,
    texts::fill,
    visit::{Query, Visit},
};

const LIST: &str = "invitations";

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/admin/invitations", list)
        .get("/admin/invitations/make", show_make)
        .post("/admin/invitations/make", make)
        .get("/admin/invitations/{id}/withdraw", show_withdraw)
        .post("/admin/invitations/{id}/withdraw", withdraw)
}

async fn list(visit: Visit, query: Query) -> Result<Response, Problem> {
    let t = &visit.texts.admin.invitations;
    let after: Option<(Timestamp, InvitationId)> = place(&visit, &query, LIST)?;
    let limit = u32::try_from(PAGE).unwrap_or(u32::MAX);
    let found = visit.site.services.invitations.page(&visit.ctx, after, limit).await?;
    let next = found.last().filter(|_| found.len() == PAGE).map(|last| (last.created_at, last.id));
    let content = html! {
        @if query.text("done") == "withdrawn" { (done(t.withdrawn)) }
        @if query.text("done") == "mailed" { (done(t.mailed)) }
        @if visit.ctx.may(&Act::CreateInvitation).is_ok() {
            p { a.button href="/admin/invitations/make" { (t.make) } }
        }
        @if !found.is_empty() { (table(&visit, &found)) }
        (onward(&visit, LIST, found.is_empty(), next.as_ref()))
    };
    Ok(page(&visit, t.title, &content))
}

fn table(visit: &Visit, invitations: &[InvitationView]) -> Markup {
    let t = &visit.texts.admin.invitations;
    let may_withdraw = visit.ctx.may(&Act::RevokeInvitation).is_ok();
    html! {
        div.wide tabindex="0" { table {
            thead { tr {
                @for head in [t.email, t.roles, t.uses, t.made_at, t.ends] { th scope="col" { (head) } }
                td {}
            } }
            tbody { @for invitation in invitations { tr {
                td { (optional(visit, invitation.email.as_deref())) }
                td { @for role in &invitation.roles { span.badge { (role) } " " } }
                td { (invitation.uses) }
                td { (moment(visit, invitation.created_at)) }
                td { (moment(visit, invitation.expires_at)) }
                td { @if may_withdraw {
                    a href={ "/admin/invitations/" (invitation.id) "/withdraw" } { (t.withdraw) }
                } }
            } } }
        } }
    }
}

async fn show_make(visit: Visit) -> Result<Response, Problem> {
    visit.ctx.may(&Act::CreateInvitation)?;
    if let Some(turned) = strong(&visit).await? {
        return Ok(turned);
    }
    Ok(page(&visit, visit.texts.admin.invitations.make, &form(&visit, &Fields::default(), &Told::default())))
}

async fn make(visit: Visit, fields: Fields) -> Result<Response, Problem> {
    let t = &visit.texts.admin.invitations;
    visit.ctx.may(&Act::CreateInvitation)?;
    let made = match input(&visit, &fields) {
        Ok(input) => visit.site.services.invitations.create(&visit.ctx, &input, None).await,
        Err(refusal) => Err(refusal.into()),
    };
    match made {
        // The page that answers is the only one that ever shows it.
        Ok(made) => Ok(match made.token {
            Some(token) => visit.page(t.made, &frame(&visit, t.made, &link(&visit, &token))),
            None => Visit::go("/admin/invitations?done=mailed"),
        }),
        Err(failure) => refused(&visit, failure, (t.make, &visit.here), |told| form(&visit, &fields, told)),
    }
}

fn input(visit: &Visit, fields: &Fields) -> Result<NewInvitation, Refusal> {
    let uses = filled(fields.text("uses")).map(|uses| uses.parse::<i64>()).transpose();
    Ok(NewInvitation {
        email: filled(fields.text("email")),
        roles: names(fields.text("roles")),
        uses: uses.map_err(|_| Refusal::field("/uses", visit.texts.admin.roles.number_wrong))?,
        expires_at: dates::read(visit, fields.text("expires_at"))?,
        locale: None,
    })
}

fn link(visit: &Visit, token: &str) -> Markup {
    let t = &visit.texts.admin.invitations;
    let origin = visit.site.options.requests.public_url.origin().ascii_serialization();
    let link = layout::with_query(&format!("{origin}/register"), "invitation", token);
    html! {
        (secret(visit, t.made_about, &link))
        p { a.button.quiet href="/admin/invitations" { (t.back) } }
    }
}

fn form(visit: &Visit, fields: &Fields, told: &Told) -> Markup {
    let t = &visit.texts.admin.invitations;
    let zone = fill(visit.texts.admin.frame.zone, "zone", &dates::zone_name(visit));
    html! {
        (told.alert())
        section.panel {
            p { (t.about) }
            form method="post" action="/admin/invitations/make" data-guard {
                (layout::token(visit))
                (field(Field {
                    name: "email", label: t.email, hint: t.email_hint, kind: "email", value: fields.text("email"),
                    wrong: &told.wrong(visit, "/email"), autocomplete: "off", ..Field::default()
                }))
                (field(Field {
                    name: "roles", label: t.roles, hint: t.roles_hint, value: fields.text("roles"),
                    wrong: &told.wrong_under(visit, "/roles"), autocomplete: "off", ..Field::default()
                }))
                (field(Field {
                    name: "uses", label: t.uses, hint: t.uses_hint, kind: "number", value: fields.text("uses"),
                    wrong: &told.wrong(visit, "/uses"), ..Field::default()
                }))
                (field(Field {
                    name: "expires_at", label: t.ends, hint: &format!("{} {zone}", t.ends_hint), kind: "datetime-local",
                    value: fields.text("expires_at"), wrong: &told.wrong(visit, "/expires_at"), ..Field::default()
                }))
                (buttons(visit, t.make, false, "/admin/invitations"))
            }
        }
    }
}

async fn show_withdraw(visit: Visit, Path(id): Path<InvitationId>) -> Result<Response, Problem> {
    visit.ctx.may(&Act::RevokeInvitation)?;
    Ok(page(&visit, visit.texts.admin.invitations.withdraw, &withdrawal(&visit, id, &Told::default())))
}

async fn withdraw(visit: Visit, Path(id): Path<InvitationId>) -> Result<Response, Problem> {
    match visit.site.services.invitations.revoke(&visit.ctx, id).await {
        Ok(()) => Ok(Visit::go("/admin/invitations?done=withdrawn")),
        Err(failure) => {
            let here = (visit.texts.admin.invitations.withdraw, visit.here.as_str());
            refused(&visit, failure, here, |told| withdrawal(&visit, id, told))
        }
    }
}

fn withdrawal(visit: &Visit, id: InvitationId, told: &Told) -> Markup {
    let t = &visit.texts.admin.invitations;
    html! {
        (told.alert())
        section.panel {
            p { (t.withdraw_about) }
            form method="post" action={ "/admin/invitations/" (id) "/withdraw" } {
                (layout::token(visit))
                (buttons(visit, t.withdraw, true, "/admin/invitations"))
            }
        }
    }
}
