//! An account is made for somebody, or its profile changed. Deliberately absent: passwords. Nobody but its owner ever knows one.

use axum::response::Response;
use maud::{Markup, html};
use userd_model::{Act, UserId};
use userd_services::{
    UserView,
    accounts::{NewUser, ProfileInput},
};
use userd_web::{Problem, extract::Path};

use super::{Told, buttons, choice, filled, opened, page, refused, strong, words};
use crate::{
    fields::Fields,
    layout,
    pages::completion::is_stale,
    parts::{Field, field, note},
    routes::Routes,
    texts::name_of,
    visit::Visit,
};

const MAKE: &str = "/admin/users/+make";
const LANGUAGES: [(&str, &str); 3] = [("", "—"), ("en", "English"), ("ru", "Русский")];

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(MAKE, show_make)
        .post(MAKE, make)
        .get("/admin/users/{id}/change", show_change)
        .post("/admin/users/{id}/change", change)
}

async fn show_make(visit: Visit) -> Result<Response, Problem> {
    visit.ctx.may(&Act::CreateUser)?;
    if let Some(turned) = strong(&visit).await? {
        return Ok(turned);
    }
    Ok(page(&visit, visit.texts.admin.users.make, &form(&visit, &Fields::default(), &Told::default())))
}

async fn make(visit: Visit, fields: Fields) -> Result<Response, Problem> {
    let input = NewUser {
        email: filled(fields.text("email")),
        username: filled(fields.text("username")),
        display_name: filled(fields.text("display_name")),
        locale: filled(fields.text("locale")),
        roles: words::names(fields.text("roles")),
    };
    match visit.site.services.accounts.create(&visit.ctx, &input, None).await {
        Ok(made) => Ok(Visit::go(&format!("/admin/users/{}?done=made", made.id))),
        Err(failure) => {
            let here = (visit.texts.admin.users.make, visit.here.as_str());
            refused(&visit, failure, here, |told| form(&visit, &fields, told))
        }
    }
}

fn form(visit: &Visit, fields: &Fields, told: &Told) -> Markup {
    let t = &visit.texts.admin;
    let text = |name: &'static str, label: &'static str, kind: &'static str| {
        let wrong = told.wrong(visit, &format!("/{name}"));
        field(Field {
            name,
            label,
            kind,
            value: fields.text(name),
            wrong: &wrong,
            autocomplete: "off",
            ..Field::default()
        })
    };
    html! {
        (told.alert())
        section.panel {
            (note(t.users.make_about))
            form method="post" action=(MAKE) data-guard {
                (layout::token(visit))
                (text("email", t.users.email, "email"))
                (text("username", t.users.username, ""))
                (text("display_name", t.users.name, ""))
                (choice("locale", visit.texts.common.language, &LANGUAGES, fields.text("locale")))
                (field(Field {
                    name: "roles", label: t.invitations.roles, hint: t.invitations.roles_hint, value: fields.text("roles"),
                    wrong: &told.wrong_under(visit, "/roles"), autocomplete: "off", ..Field::default()
                }))
                (buttons(visit, t.users.make, false, "/admin/users"))
            }
        }
    }
}

async fn show_change(visit: Visit, Path(id): Path<UserId>) -> Result<Response, Problem> {
    let account = opened(&visit, id, &Act::ChangeProfile(id)).await?;
    Ok(page(&visit, &name_of(&account), &profile(&visit, &account, None, &Told::default())))
}

async fn change(visit: Visit, Path(id): Path<UserId>, fields: Fields) -> Result<Response, Problem> {
    let account = opened(&visit, id, &Act::ChangeProfile(id)).await?;
    let input = ProfileInput {
        display_name: Some(filled(fields.text("display_name"))),
        locale: Some(filled(fields.text("locale"))),
        time_zone: Some(filled(fields.text("time_zone"))),
        ..ProfileInput::default()
    };
    let version = fields.text("version").parse().ok();
    match visit.site.services.accounts.change_profile_of(&visit.ctx, id, input, version).await {
        Ok(_) => Ok(Visit::go(&format!("/admin/users/{id}?done=changed"))),
        Err(failure) => {
            let name = name_of(&account);
            let fields = if is_stale(&failure) { fields.over(account.version) } else { fields };
            refused(&visit, failure, (&name, &visit.here), |told| profile(&visit, &account, Some(&fields), told))
        }
    }
}

fn profile(visit: &Visit, account: &UserView, fields: Option<&Fields>, told: &Told) -> Markup {
    let (t, own) = (&visit.texts.admin.users, &visit.texts.account);
    let value = |name: &str, is: &Option<String>| match fields {
        Some(fields) => fields.text(name).to_owned(),
        None => is.clone().unwrap_or_default(),
    };
    let version = fields.map_or_else(|| account.version.to_string(), |fields| fields.text("version").to_owned());
    let (name, zone) = (value("display_name", &account.display_name), value("time_zone", &account.time_zone));
    let here = format!("/admin/users/{}", account.id);
    html! {
        (told.alert())
        section.panel {
            form method="post" action={ (here) "/change" } data-guard {
                (layout::token(visit))
                input type="hidden" name="version" value=(version);
                (field(Field {
                    name: "display_name", label: t.name, value: &name, wrong: &told.wrong(visit, "/display_name"),
                    autocomplete: "off", ..Field::default()
                }))
                (choice("locale", visit.texts.common.language, &LANGUAGES, &value("locale", &account.locale)))
                (field(Field {
                    name: "time_zone", label: own.time_zone, hint: own.time_zone_hint, value: &zone,
                    wrong: &told.wrong(visit, "/time_zone"), autocomplete: "off", ..Field::default()
                }))
                (buttons(visit, own.save, false, &here))
            }
        }
    }
}
