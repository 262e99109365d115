//! Links in messages, in the look of the pages: a question with a form, and what was done. Opening one changes nothing,
//! because mail scanners open them too. The token is itself the proof, so the form is anybody's (`policy.rs`), and mail
//! programs may post to it (RFC 8058).

use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use maud::{Markup, html};
use userd_model::Refusal;
use userd_services::{
    Failure,
    links::{Confirmation, Followed, LinkAct},
    not_me::ThrownOut,
    passwords::Password,
};
use userd_web::{Problem, extract::Path, request_layer::note_problem};

use super::{
    completion::{fields_of, wanted},
    sign_in_form::ways_to_an_account,
    steps::password_hint,
};
use crate::{
    fields::Fields,
    layout::with_query,
    parts::{self, Field, alert, done, field, wrong_with},
    routes::Routes,
    texts::SignIn,
    visit::Visit,
};

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get("/l/{token}", look).post("/l/{token}", follow)
}

async fn look(visit: Visit, Path(token): Path<String>) -> Result<Response, Problem> {
    match visit.site.services.links.look(&visit.ctx, &token).await {
        Ok(act) => Ok(question(&visit, &token, &act, None)),
        Err(failure) => gone_or(&visit, failure),
    }
}

async fn follow(visit: Visit, Path(token): Path<String>, fields: Fields) -> Result<Response, Problem> {
    let how = if fields.text("confirm") == "yes" { Confirmation::Form } else { Confirmation::OneClick };
    match visit.site.services.links.follow(&visit.ctx, &token, how).await {
        Err(failure) => gone_or(&visit, failure),
        Ok(Followed::Done(act)) => Ok(end(&visit, &act)),
        Ok(Followed::Ask(act)) => Ok(question(&visit, &token, &act, None)),
        Ok(Followed::Elsewhere(act @ LinkAct::NotMe { .. })) => {
            match visit.site.services.not_me.confirm(&visit.ctx, &token).await {
                Ok(ThrownOut::SignedOut) => Ok(end(&visit, &act)),
                Ok(ThrownOut::PasswordGone) => Ok(ended(&visit, &act, visit.texts.sign_in.not_me_password_gone)),
                Ok(ThrownOut::ResetMailed) => Ok(ended(&visit, &act, visit.texts.sign_in.not_me_mailed)),
                Err(failure) => gone_or(&visit, failure),
            }
        }
        Ok(Followed::Elsewhere(act)) => match carry_out(&visit, &token, &act, &fields).await {
            Ok(()) => Ok(end(&visit, &act)),
            Err(Failure::Refused(refusal @ Refusal::InvalidInput(_))) => {
                Ok(question(&visit, &token, &act, Some(&refusal)))
            }
            Err(Failure::Refused(Refusal::InsufficientAuthentication { .. })) => Ok(sign_in_first(&visit)),
            Err(Failure::Refused(Refusal::InvalidCode | Refusal::InvitationGone)) => Ok(gone(&visit)),
            Err(failure) => gone_or(&visit, failure),
        },
    }
}

async fn carry_out(visit: &Visit, token: &str, act: &LinkAct, fields: &Fields) -> Result<(), Failure> {
    let (services, ctx) = (&visit.site.services, &visit.ctx);
    let password = Password::new(fields.text("new_password").to_owned());
    match act {
        LinkAct::ConfirmEmail => services.emails.verify_link(ctx, token, None).await,
        LinkAct::ResetPassword => services.recovery.reset(ctx, token, &password).await,
        LinkAct::Restore => services.deletions.restore_by_link(ctx, token).await,
        LinkAct::AcceptInvitation => services.accounts.accept_invitation(ctx, token, password).await,
        LinkAct::Unsubscribe { .. } | LinkAct::NotMe { .. } => Err(Refusal::LinkGone.into()),
    }
}

/// Title, what it is about, and the word on its button.
const fn words(t: &SignIn, act: &LinkAct) -> [&'static str; 3] {
    match act {
        LinkAct::Unsubscribe { .. } => [t.unsubscribe_title, t.unsubscribe_about, t.unsubscribe_submit],
        LinkAct::NotMe { .. } => [t.not_me_title, t.not_me_about, t.not_me_submit],
        LinkAct::ConfirmEmail => [t.confirm_title, t.confirm_link_about, t.confirm_submit],
        LinkAct::Restore => [t.restore_title, t.restore_about, t.restore_submit],
        LinkAct::ResetPassword => [t.new_password_title, t.reset_about, t.reset_submit],
        LinkAct::AcceptInvitation => [t.invitation_title, t.invitation_about, t.invitation_submit],
    }
}

fn question(visit: &Visit, token: &str, act: &LinkAct, refusal: Option<&Refusal>) -> Response {
    let t = &visit.texts.sign_in;
    let [title, about, submit] = words(t, act);
    let errors = refusal.map(fields_of).unwrap_or_default();
    let asks_password = matches!(act, LinkAct::ResetPassword | LinkAct::AcceptInvitation);
    let content = parts::single(
        title,
        &html! {
            @if refusal.is_some() { (alert(t.look_at_fields)) }
            p { (about) }
            form method="post" {
                input type="hidden" name="confirm" value="yes";
                @if asks_password {
                    (field(Field {
                        name: "new_password", label: t.new_password, kind: "password", autocomplete: "new-password",
                        hint: &password_hint(visit), wrong: &wrong_with(errors, "/new_password", visit.language),
                        is_required: true, has_focus: true, ..Field::default()
                    }))
                }
                button { (submit) }
            }
            // The link's token is the invitation, for whoever would rather come by another account of theirs.
            @if *act == LinkAct::AcceptInvitation { (ways_to_an_account(visit, &wanted(visit), token)) }
        },
    );
    let status = if refusal.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    answer(visit, status, title, &content)
}

/// A link that is opened twice is the usual reason: the ways on stand there, for whoever has done what it is for and for
/// whoever has not.
fn gone(visit: &Visit) -> Response {
    let (t, problem) = (&visit.texts.sign_in, Problem::from(Refusal::LinkGone));
    note_problem(&problem);
    let (title, advice) = problem.words().in_language(visit.language);
    let content = html! {
        (parts::note(advice))
        @if visit.account.is_some() {
            p { a.button href="/account" { (visit.texts.common.my_account) } }
        } @else {
            (to_sign_in(visit))
            p.after { a href=(with_query("/forgot", "next", &wanted(visit))) { (t.forgot) } }
        }
    };
    answer(visit, problem.status(), title, &parts::single(title, &content))
}

fn gone_or(visit: &Visit, failure: Failure) -> Result<Response, Problem> {
    match failure {
        Failure::Refused(Refusal::LinkGone) => Ok(gone(visit)),
        other => Err(other.into()),
    }
}

/// The account holds a second factor, which a link does not show: a sign-in asks for it, and offers the account.
fn sign_in_first(visit: &Visit) -> Response {
    let t = &visit.texts.sign_in;
    let content = parts::single(t.restore_title, &html! { (parts::note(t.restore_needs_factor)) (to_sign_in(visit)) });
    answer(visit, StatusCode::OK, t.restore_title, &content)
}

/// What was done, and what next.
fn end(visit: &Visit, act: &LinkAct) -> Response {
    let t = &visit.texts.sign_in;
    let told = match act {
        LinkAct::Unsubscribe { .. } => t.unsubscribe_done,
        LinkAct::NotMe { .. } => t.not_me_done,
        LinkAct::ConfirmEmail => t.confirmed,
        LinkAct::Restore => t.restored,
        LinkAct::ResetPassword => t.reset_done,
        LinkAct::AcceptInvitation => t.invited,
    };
    ended(visit, act, told)
}

fn ended(visit: &Visit, act: &LinkAct, told: &str) -> Response {
    let t = &visit.texts.sign_in;
    let [title, ..] = words(t, act);
    // What ends sessions leads to the sign-in; with the others whoever is signed in here still is.
    let stays = matches!(act, LinkAct::Unsubscribe { .. } | LinkAct::ConfirmEmail) && visit.account.is_some();
    let content = html! {
        (done(told))
        @if stays { p { a.button href=(wanted(visit)) { (t.go_on) } } } @else { (to_sign_in(visit)) }
    };
    answer(visit, StatusCode::OK, title, &parts::single(title, &content))
}

/// On to where the visitor was going when the mail was asked for.
fn to_sign_in(visit: &Visit) -> Markup {
    let to = with_query("/sign-in", "next", &wanted(visit));
    html! { p { a.button href=(to) { (visit.texts.sign_in.submit) } } }
}

/// The address holds a secret, which goes along to nobody.
fn answer(visit: &Visit, status: StatusCode, title: &str, content: &Markup) -> Response {
    let mut page = visit.page_with(status, title, content);
    page.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    page
}
