//! What is done to an account: each on a page of its own that says what will happen.

use axum::response::Response;
use maud::{Markup, html};
use userd_model::{Act, UserId, UserStatus};
use userd_services::{Failure, UserView, users::Block};
use userd_web::{Problem, extract::Path};

use super::{Told, buttons, filled, fresh, opened, page, refused, strong};
use crate::{
    dates,
    fields::Fields,
    layout,
    parts::{Field, field},
    routes::Routes,
    texts::{fill, name_of},
    visit::Visit,
};

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get("/admin/users/{id}/acts/{act}", show).post("/admin/users/{id}/acts/{act}", submit)
}

/// Something that is done to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UserAct {
    Block,
    Unblock,
    SignOut,
    RequirePassword,
    SendReset,
    ResetFactors,
    Delete,
    Restore,
    Purge,
    Hold,
    LiftHold,
}

/// What is said of it.
pub(super) struct Words {
    pub(super) name: &'static str,
    about: &'static str,
    pub(super) done: &'static str,
}

impl UserAct {
    pub(super) const ALL: [Self; 11] = [
        Self::Block,
        Self::Unblock,
        Self::SignOut,
        Self::RequirePassword,
        Self::SendReset,
        Self::ResetFactors,
        Self::Delete,
        Self::Restore,
        Self::Purge,
        Self::Hold,
        Self::LiftHold,
    ];

    /// As addresses name it.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::Unblock => "unblock",
            Self::SignOut => "sign-out",
            Self::RequirePassword => "require-password-change",
            Self::SendReset => "send-password-reset",
            Self::ResetFactors => "reset-factors",
            Self::Delete => "delete",
            Self::Restore => "restore",
            Self::Purge => "purge",
            Self::Hold => "hold",
            Self::LiftHold => "lift-hold",
        }
    }

    pub(super) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|act| act.word() == word)
    }

    /// What allows it.
    pub(super) const fn act(self, of: UserId) -> Act {
        match self {
            Self::Block => Act::BlockUser(of),
            Self::Unblock => Act::UnblockUser(of),
            Self::SignOut => Act::SignOutUser(of),
            Self::RequirePassword => Act::RequirePasswordChange(of),
            Self::SendReset => Act::SendPasswordReset(of),
            Self::ResetFactors => Act::ResetFactors(of),
            Self::Delete => Act::DeleteUser(of),
            Self::Restore => Act::RestoreUser(of),
            Self::Purge => Act::PurgeUser(of),
            Self::Hold | Self::LiftHold => Act::HoldUser(of),
        }
    }

    /// Whether an account of this status leaves it to be done: for what is shown, services look themselves.
    pub(super) fn fits(self, status: UserStatus) -> bool {
        match self {
            // One that its owner deleted, too: they would come back else.
            Self::Block => status != UserStatus::Blocked,
            Self::Unblock => status == UserStatus::Blocked,
            Self::Restore | Self::Purge => status == UserStatus::Deleted,
            Self::Hold | Self::LiftHold => true,
            _ => status != UserStatus::Deleted,
        }
    }

    /// Whether it is done to whoever may manage roles, too, by those who may not (decision 0063).
    pub(super) const fn is_for_everybody(self) -> bool {
        matches!(self, Self::SendReset | Self::Hold | Self::LiftHold)
    }

    const fn is_destructive(self) -> bool {
        matches!(self, Self::Block | Self::ResetFactors | Self::Delete | Self::Purge)
    }

    /// Whether it cannot be taken back, or opens what could not: its doer proves again who they are.
    const fn needs_proof(self) -> bool {
        matches!(self, Self::ResetFactors | Self::Delete | Self::Purge | Self::LiftHold)
    }

    /// Whether its form has something to fill in.
    const fn asks_reason(self) -> bool {
        matches!(self, Self::Block | Self::Hold)
    }

    pub(super) fn words(self, visit: &Visit) -> Words {
        let t = &visit.texts.admin.acts;
        let (name, about, done) = match self {
            Self::Block => (t.block, t.block_about, t.block_done),
            Self::Unblock => (t.unblock, t.unblock_about, t.unblock_done),
            Self::SignOut => (t.sign_out, t.sign_out_about, t.sign_out_done),
            Self::RequirePassword => (t.require_password, t.require_password_about, t.require_password_done),
            Self::SendReset => (t.send_reset, t.send_reset_about, t.send_reset_done),
            Self::ResetFactors => (t.reset_factors, t.reset_factors_about, t.reset_factors_done),
            Self::Delete => (t.delete, t.delete_about, t.delete_done),
            Self::Restore => (t.restore, t.restore_about, t.restore_done),
            Self::Purge => (t.purge, t.purge_about, t.purge_done),
            Self::Hold => (t.hold, t.hold_about, t.hold_done),
            Self::LiftHold => (t.lift_hold, t.lift_hold_about, t.lift_hold_done),
        };
        Words { name, about, done }
    }

    async fn carry_out(self, visit: &Visit, id: UserId, fields: &Fields) -> Result<(), Failure> {
        let (services, ctx) = (&visit.site.services, &visit.ctx);
        match self {
            Self::Block => {
                let until = dates::read(visit, fields.text("until"))?;
                let block = Block { reason: filled(fields.text("reason")), until };
                services.users.block_with(ctx, id, &block).await.map(drop)
            }
            Self::Unblock => services.users.unblock(ctx, id).await.map(drop),
            Self::SignOut => services.users.sign_out(ctx, id).await.map(drop),
            Self::RequirePassword => services.users.require_password_change(ctx, id).await,
            Self::SendReset => services.recovery.send_link(ctx, id).await,
            Self::ResetFactors => services.factors.reset(ctx, id).await,
            Self::Delete => services.deletions.delete(ctx, id).await.map(drop),
            Self::Restore => services.deletions.restore(ctx, id).await.map(drop),
            Self::Purge => services.deletions.purge(ctx, id).await,
            Self::Hold => services.deletions.hold(ctx, id, filled(fields.text("reason")).as_deref()).await,
            Self::LiftHold => services.deletions.lift_hold(ctx, id).await,
        }
    }
}

async fn show(visit: Visit, Path((id, word)): Path<(UserId, String)>) -> Result<Response, Problem> {
    let act = UserAct::parse(&word).ok_or_else(Problem::not_found)?;
    let account = opened(&visit, id, &act.act(id)).await?;
    if act.needs_proof()
        && let Some(turned) = fresh(&visit).await?
    {
        return Ok(turned);
    }
    if act.asks_reason()
        && let Some(turned) = strong(&visit).await?
    {
        return Ok(turned);
    }
    let title = act.words(&visit).name;
    Ok(page(&visit, title, &form(&visit, act, &account, &Fields::default(), &Told::default())))
}

async fn submit(visit: Visit, Path((id, word)): Path<(UserId, String)>, fields: Fields) -> Result<Response, Problem> {
    let act = UserAct::parse(&word).ok_or_else(Problem::not_found)?;
    let account = opened(&visit, id, &act.act(id)).await?;
    if act.needs_proof()
        && let Some(turned) = fresh(&visit).await?
    {
        return Ok(turned);
    }
    match act.carry_out(&visit, id, &fields).await {
        // Of an erased account nothing is left to be shown.
        Ok(()) if act == UserAct::Purge => Ok(Visit::go("/admin/users?done=purge")),
        Ok(()) => Ok(Visit::go(&format!("/admin/users/{id}?done={}", act.word()))),
        Err(failure) => {
            let here = (act.words(&visit).name, visit.here.as_str());
            refused(&visit, failure, here, |told| form(&visit, act, &account, &fields, told))
        }
    }
}

fn form(visit: &Visit, act: UserAct, account: &UserView, fields: &Fields, told: &Told) -> Markup {
    let (t, words) = (&visit.texts.admin.acts, act.words(visit));
    let zone = fill(visit.texts.admin.frame.zone, "zone", &dates::zone_name(visit));
    html! {
        (told.alert())
        section.panel {
            p { strong { (name_of(account)) } @if let Some(email) = &account.email { " · " (email) } }
            p { (words.about) }
            form method="post" action={ "/admin/users/" (account.id) "/acts/" (act.word()) } data-guard {
                (layout::token(visit))
                @if act.asks_reason() {
                    (field(Field {
                        name: "reason", label: t.reason, hint: if act == UserAct::Block { t.reason_hint } else { "" },
                        value: fields.text("reason"), wrong: &told.wrong(visit, "/reason"), autocomplete: "off",
                        ..Field::default()
                    }))
                }
                @if act == UserAct::Block {
                    (field(Field {
                        name: "until", label: t.until, hint: &format!("{} {zone}", t.until_hint), kind: "datetime-local",
                        value: fields.text("until"), wrong: &told.wrong(visit, "/until"), ..Field::default()
                    }))
                }
                (buttons(visit, words.name, act.is_destructive(), &format!("/admin/users/{}", account.id)))
            }
        }
    }
}
