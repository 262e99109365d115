//! How every way in ends in a browser: with a session, or with a step that is asked for first.

use axum::response::{IntoResponse, Redirect, Response};
use http::header;
use userd_model::{FactorMethod, PendingStep, Refusal};
use userd_services::{Completion, Failure, HeldAt, InBrowser, SignedIn, sessions::Pending};
use userd_web::{Problem, problem::table, request_layer::note_user};

use crate::{
    browser_cookies::{self, STEP, WAY},
    layout::with_query,
    parts::wrong_with,
    visit::{Visit, local},
};

/// Where a step is taken.
pub(super) const STEP_PAGE: &str = "/sign-in/step";

/// The longest address that is kept beside a step.
const LONGEST_NEXT: usize = 1024;

/// Goes on to where the visitor wanted, or to the step. `email` is the address that a mail has gone to, if one has.
pub(super) async fn complete(
    visit: &Visit,
    completion: Completion,
    next: &str,
    email: &str,
) -> Result<Response, Problem> {
    match completion.signed_in() {
        Ok(signed_in) => Ok(Visit::signed_in(&hold(visit, signed_in).await?, next)),
        Err(step) => {
            let answer = Redirect::to(&with_query(STEP_PAGE, "next", next)).into_response();
            Ok(at_step(answer, &step, next, email))
        }
    }
}

/// The answer, after which the browser is at this step.
pub(super) fn at_step(mut answer: Response, step: &Pending, next: &str, email: &str) -> Response {
    let methods: Vec<_> = step.methods.iter().map(|method| method.as_str()).collect();
    let methods = methods.join(" ");
    // A cookie that is too large is not kept at all. The step's page has the address too.
    let next = if next.len() <= LONGEST_NEXT { next } else { "" };
    let fields = [
        ("status", step.status.as_str()),
        ("challenge", &step.challenge),
        ("email", email),
        ("methods", &methods),
        ("next", next),
    ];
    let cookie = browser_cookies::carried(STEP, &fields);
    answer.headers_mut().extend(cookie.map(|value| (header::SET_COOKIE, value)));
    answer
}

/// What was begun in this browser is over: the sign-in begins again, and leads to where it was to lead.
pub(super) fn begin_again(next: &str) -> Response {
    Visit::go(&with_query("/sign-in?told=gone", "next", next))
}

/// Where whoever follows a link of a mail wanted to go when it was asked for, if that was in this browser.
pub(super) fn wanted(visit: &Visit) -> String {
    let kept = [WAY, STEP].into_iter().find_map(|cookie| visit.carried(cookie, "next")).unwrap_or_default();
    local(&kept).unwrap_or("/account").to_owned()
}

/// Gives the session to the browser. Whoever signs in again in a browser holds one session there, not two.
pub(super) async fn hold(visit: &Visit, signed_in: SignedIn) -> Result<InBrowser, Problem> {
    let sessions = &visit.site.services.sessions;
    let held = sessions.hold_in_browser(&visit.ctx, signed_in, HeldAt::Pages).await?;
    note_user(held.user.id);
    let before = visit.ctx.user().ok().map(|(_, session)| session);
    if before.is_some_and(|before| before != held.session_id) {
        sessions.sign_out(&visit.ctx).await?;
    }
    Ok(held)
}

/// The step that this browser is at.
pub(super) fn step_of(visit: &Visit) -> Option<(PendingStep, String)> {
    let status = visit.carried(STEP, "status")?;
    let step = PendingStep::ALL.iter().find(|step| step.status() == status)?;
    Some((*step, visit.carried(STEP, "challenge")?))
}

/// Whether that step can be taken in this way.
pub(super) fn is_offered(visit: &Visit, method: FactorMethod) -> bool {
    let offered = visit.carried(STEP, "methods").unwrap_or_default();
    offered.split(' ').any(|offered| offered == method.as_str())
}

/// What a form says of a refusal that people can do something about; others have a page of their own.
pub(super) fn told(visit: &Visit, refusal: &Refusal) -> Option<&'static str> {
    let t = &visit.texts.sign_in;
    match refusal {
        Refusal::WrongCredentials | Refusal::WrongCurrentPassword => Some(t.wrong),
        Refusal::InvalidCode => Some(t.wrong_code),
        Refusal::InvalidPasskey => Some(visit.texts.passkeys.refused),
        Refusal::Blocked => Some(t.blocked),
        Refusal::TooManyAttempts(_) => Some(t.too_many),
        Refusal::Busy(_) => Some(t.busy),
        Refusal::EmailTaken => Some(t.email_taken),
        Refusal::UsernameTaken => Some(t.username_taken),
        Refusal::RegistrationClosed => Some(t.registration_closed),
        Refusal::InvitationGone => Some(t.invitation_gone),
        Refusal::SetupDone => Some(t.setup_done),
        Refusal::InvalidInput(_) => Some(t.look_at_fields),
        Refusal::VersionMismatch => Some(visit.texts.common.changed_elsewhere),
        _ => None,
    }
}

/// The same of any refusal: where a form has no words of its own, those of the problem.
pub(super) fn in_words(visit: &Visit, refusal: &Refusal) -> String {
    told(visit, refusal).map_or_else(|| words_of(visit, &Problem::from(refusal.clone())), str::to_owned)
}

/// What a problem is, and what to do.
pub(super) fn words_of(visit: &Visit, problem: &Problem) -> String {
    // The table speaks of headers here, to programs.
    if problem.row().slug == table::VERSION_MISMATCH.slug {
        return visit.texts.common.changed_elsewhere.to_owned();
    }
    let (title, advice) = problem.words().in_language(visit.language);
    format!("{title}. {}", advice.replace('`', ""))
}

/// Whether it was changed in another window meanwhile.
pub(super) const fn is_stale(failure: &Failure) -> bool {
    matches!(failure, Failure::Refused(Refusal::VersionMismatch))
}

/// Whether a fresher or stronger proof is asked for.
pub(super) const fn must_prove(failure: &Failure) -> bool {
    matches!(failure, Failure::Refused(refusal) if must_prove_first(refusal))
}

pub(super) const fn must_prove_first(refusal: &Refusal) -> bool {
    matches!(refusal, Refusal::InsufficientAuthentication { .. })
}

/// The status of a refusal.
pub(super) fn status_of(refusal: &Refusal) -> http::StatusCode {
    Problem::from(refusal.clone()).status()
}

/// The field whose value is there already, where a refusal says so of a whole form.
pub(super) const fn taken_field(refusal: &Refusal) -> Option<&'static str> {
    match refusal {
        Refusal::EmailTaken => Some("/email"),
        Refusal::UsernameTaken => Some("/username"),
        // A word of our own is built in, and so taken too.
        Refusal::NameTaken | Refusal::BuiltIn => Some("/name"),
        _ => None,
    }
}

/// What a form that was refused says at one of its fields.
pub(super) fn wrong_at(visit: &Visit, refusal: Option<&Refusal>, pointer: &str) -> String {
    match refusal {
        Some(refusal) if taken_field(refusal) == Some(pointer) => in_words(visit, refusal),
        Some(refusal) => wrong_with(fields_of(refusal), pointer, visit.language),
        None => String::new(),
    }
}

/// What is wrong with fields.
pub(super) fn fields_of(refusal: &Refusal) -> &[userd_model::InvalidField] {
    match refusal {
        Refusal::InvalidInput(fields) => fields,
        _ => &[],
    }
}
