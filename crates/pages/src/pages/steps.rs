//! The steps between a proof and a session: one page, which shows whatever this browser's sign-in waits for.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};
use maud::{Markup, PreEscaped, html};
use serde_json::json;
use userd_model::{Accepted, FactorMethod, PendingStep, Refusal, agents};
use userd_services::{
    Completion, Failure,
    emails::{Code, Verified},
    factors::{Shown, TotpBegun},
    passwords::Password,
};
use userd_web::Problem;

use super::{
    completion::{STEP_PAGE, at_step, begin_again, complete, fields_of, hold, is_offered, status_of, step_of, told},
    passkey_forms::{self, Kind, PasskeyForm, credential},
};
use crate::{
    browser_cookies::{self, STEP},
    fields::Fields,
    layout::{self, with_query},
    parts::{self, Field, alert, done, field, wrong_with},
    routes::Routes,
    texts::fill,
    visit::{Query, Visit, local},
};

const QUESTION: &str = "/sign-in/step/question";
const RESEND: &str = "/sign-in/step/resend";

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get(STEP_PAGE, show).post(STEP_PAGE, submit).post(QUESTION, ask).post(RESEND, resend)
}

async fn show(visit: Visit, query: Query) -> Result<Response, Problem> {
    let next = local(query.text("next")).unwrap_or("/account");
    let Some((step, challenge)) = step_of(&visit) else { return Ok(over(next)) };
    let note = if query.text("told") == "sent" { done(visit.texts.sign_in.mail_sent_again) } else { Markup::default() };
    page(&visit, step, &challenge, next, Told { note, ..Told::default() }).await
}

/// The sign-in has to begin again.
fn over(next: &str) -> Response {
    let mut answer = begin_again(next);
    answer.headers_mut().extend(browser_cookies::removed(STEP).map(|value| (header::SET_COOKIE, value)));
    answer
}

async fn submit(visit: Visit, fields: Fields) -> Result<Response, Problem> {
    let next = local(fields.text("next")).unwrap_or("/account");
    visit.goes_on_to(next);
    let Some((step, challenge)) = step_of(&visit) else { return Ok(over(next)) };
    let taken = match step {
        PendingStep::FactorSetup => return set_up(&visit, &challenge, next, &fields).await,
        step => take(&visit, step, &challenge, &fields).await,
    };
    match taken {
        Ok(Some(completion)) => complete(&visit, completion, next, "").await,
        Ok(None) => Ok(Visit::go(&with_query("/sign-in?told=confirmed", "next", next))),
        Err(failure) => refused(&visit, (step, &challenge), next, &fields, failure).await,
    }
}

/// Another message with a code; the one before is good for nothing any more.
async fn resend(visit: Visit, fields: Fields) -> Result<Response, Problem> {
    let next = local(fields.text("next")).unwrap_or("/account");
    visit.goes_on_to(next);
    let Some((step @ PendingStep::Confirmation, challenge)) = step_of(&visit) else { return Ok(over(next)) };
    let email = visit.carried(STEP, "email").unwrap_or_default();
    match visit.site.services.emails.resend(&visit.ctx, &email, Some(&challenge)).await {
        Ok(Some(renewed)) => {
            let sent = format!("{STEP_PAGE}?told=sent");
            Ok(at_step(Visit::go(&with_query(&sent, "next", next)), &renewed, next, &email))
        }
        Ok(None) => Ok(over(next)),
        Err(failure) => refused(&visit, (step, &challenge), next, &fields, failure).await,
    }
}

/// The question for a passkey: one that the account has, or a new one where policy demands a factor.
async fn ask(visit: Visit) -> Result<Response, Problem> {
    let factors = &visit.site.services.factors;
    let begun = match step_of(&visit) {
        Some((PendingStep::SecondFactor, challenge)) => factors.begin_second_factor(&visit.ctx, &challenge).await,
        Some((PendingStep::FactorSetup, challenge)) => {
            let name = visit.ctx.origin.user_agent.as_deref().map(agents::called);
            factors.begin_demanded_passkey(&visit.ctx, &challenge, name.as_deref()).await
        }
        _ => Err(Refusal::ChallengeGone.into()),
    };
    match begun {
        Err(Failure::Refused(Refusal::ChallengeGone)) => Ok(Json(json!({ "go": STEP_PAGE })).into_response()),
        begun => passkey_forms::question(begun, STEP_PAGE),
    }
}

/// The form for a passkey at this step.
fn passkey(visit: &Visit, kind: Kind, next: &str) -> Markup {
    let t = &visit.texts.passkeys;
    let button = if kind == Kind::Make { t.make } else { t.use_one };
    let form = PasskeyForm { kind, action: STEP_PAGE, question: QUESTION, next, button, fills_in: false };
    html! { (passkey_forms::form(visit, form, &Markup::default())) (passkey_forms::without(visit)) }
}

/// Takes a step; `None` where it signs nobody in.
async fn take(
    visit: &Visit,
    step: PendingStep,
    challenge: &str,
    fields: &Fields,
) -> Result<Option<Completion>, Failure> {
    let (services, ctx) = (&visit.site.services, &visit.ctx);
    let code = fields.text("code").trim().to_owned();
    match step {
        PendingStep::SecondFactor => {
            let shown = credential(fields).map_or_else(|| Shown::code(code), Shown::Passkey);
            services.factors.second_step(ctx, challenge, &shown).await.map(Some)
        }
        PendingStep::PasswordChange => {
            let new = Password::new(fields.text("new_password").to_owned());
            services.accounts.change_demanded(ctx, challenge, &new).await.map(Some)
        }
        PendingStep::Terms => services.accounts.accept_terms(ctx, challenge, &accepted(visit, fields)).await.map(Some),
        PendingStep::Restore => services.deletions.restore_own(ctx, challenge).await.map(Some),
        PendingStep::Confirmation => {
            let email = visit.carried(STEP, "email").unwrap_or_default();
            let code = Code { email: &email, code: &code, challenge: Some(challenge) };
            match services.emails.verify_code(ctx, &code, None).await? {
                Verified::Completed(completion) => Ok(Some(*completion)),
                Verified::Confirmed => Ok(None),
            }
        }
        PendingStep::Approval => services.accounts.ask_whether_approved(ctx, challenge).await.map(Some),
        PendingStep::FactorSetup => Err(Refusal::ChallengeGone.into()),
    }
}

/// The documents whose boxes are ticked.
pub(super) fn accepted(visit: &Visit, fields: &Fields) -> Vec<Accepted> {
    let documents = visit.site.services.deps.settings.documents.iter();
    let ticked = documents.filter(|document| !fields.text(&format!("accept-{}", document.id)).is_empty());
    ticked.map(|document| Accepted { id: document.id.clone(), version: document.version.clone() }).collect()
}

/// A first code of the app that was set up, or a new passkey; then the recovery codes are shown, this once.
async fn set_up(visit: &Visit, challenge: &str, next: &str, fields: &Fields) -> Result<Response, Problem> {
    let code = fields.text("code").trim();
    let factors = &visit.site.services.factors;
    let confirmed = match credential(fields) {
        Some(made) => factors.confirm_demanded_passkey(&visit.ctx, challenge, &made).await,
        None => factors.confirm_demanded(&visit.ctx, challenge, code).await,
    };
    let (completion, codes) = match confirmed {
        Ok(confirmed) => confirmed,
        Err(failure) => return refused(visit, (PendingStep::FactorSetup, challenge), next, fields, failure).await,
    };
    // Shown here or never: also where another step comes next.
    let page = |next: &str| visit.page(visit.texts.sign_in.recovery_title, &recovery_codes(visit, &codes, next));
    match completion.signed_in() {
        Ok(signed_in) => Ok(Visit::signed_in_with(&hold(visit, signed_in).await?, page(next))),
        Err(step) => Ok(at_step(page(&with_query(STEP_PAGE, "next", next)), &step, next, "")),
    }
}

/// Recovery codes, shown once, to be printed or written down.
pub(super) fn recovery_codes(visit: &Visit, codes: &[String], next: &str) -> Markup {
    let t = &visit.texts.sign_in;
    parts::single(
        t.recovery_title,
        &html! {
            p { (t.recovery_about) }
            ul.codes #codes { @for code in codes { li { code { (code) } } } }
            div.row.no-print {
                button.quiet type="button" data-print hidden { (t.print) }
                button.quiet type="button" data-copy="codes" data-done=(t.copied) hidden { (t.copy) }
            }
            p.after.no-print { a.button href=(next) { (t.recovery_kept) } }
        },
    )
}

async fn refused(
    visit: &Visit,
    (step, challenge): (PendingStep, &str),
    next: &str,
    fields: &Fields,
    failure: Failure,
) -> Result<Response, Problem> {
    match failure {
        Failure::Refused(Refusal::ChallengeGone) => Ok(over(next)),
        // No key waits any more: too old, or another sign-in to the account has begun one of its own.
        Failure::Refused(refusal)
            if told(visit, &refusal).is_some() || step == PendingStep::FactorSetup && refusal == Refusal::NotFound =>
        {
            let told = Told { refusal: Some(&refusal), sent: Some(fields), ..Told::default() };
            page(visit, step, challenge, next, told).await
        }
        other => Err(other.into()),
    }
}

/// What is said at the head of the step.
#[derive(Default)]
struct Told<'a> {
    note: Markup,
    refusal: Option<&'a Refusal>,
    /// What was sent, where it was refused.
    sent: Option<&'a Fields>,
}

async fn page(
    visit: &Visit,
    step: PendingStep,
    challenge: &str,
    next: &str,
    Told { note, refusal, sent }: Told<'_>,
) -> Result<Response, Problem> {
    let t = &visit.texts.sign_in;
    let mut alerted = refusal.and_then(|refusal| told(visit, refusal));
    let mut status = refusal.map_or(StatusCode::OK, status_of);
    let (title, content) = match step {
        PendingStep::SecondFactor => (t.second_title, second_code(visit)),
        PendingStep::FactorSetup => {
            let (begun, is_other) = match demanded(visit, challenge, refusal.is_some()).await {
                Ok(begun) => begun,
                Err(Failure::Refused(Refusal::ChallengeGone)) => return Ok(over(next)),
                Err(other) => return Err(other.into()),
            };
            if is_other {
                (alerted, status) = (Some(t.other_secret), StatusCode::UNPROCESSABLE_ENTITY);
            }
            let content = html! { p { (t.setup_factor_about) } (secret(visit, &begun)) (code_field(t.first_code)) };
            (t.setup_factor_title, content)
        }
        PendingStep::PasswordChange => (t.new_password_title, new_password(visit, refusal)),
        PendingStep::Terms => (t.terms_title, html! { p { (t.terms_about) } (documents(visit, sent)) }),
        PendingStep::Confirmation => {
            let email = visit.carried(STEP, "email").unwrap_or_default();
            let about = html! { p { (fill(t.confirm_about, "email", &email)) } };
            (t.confirm_title, html! { (about) (code_field(t.mail_code)) })
        }
        PendingStep::Restore => (t.restore_title, html! { p { (t.restore_about) } }),
        PendingStep::Approval => (t.approval_title, parts::note(t.approval_about)),
    };
    let kind = if step == PendingStep::FactorSetup { Kind::Make } else { Kind::Show };
    let has_other = step != PendingStep::SecondFactor
        || [FactorMethod::Totp, FactorMethod::RecoveryCode].iter().any(|method| is_offered(visit, *method));
    let has_passkey = matches!(step, PendingStep::SecondFactor | PendingStep::FactorSetup)
        && is_offered(visit, FactorMethod::Passkey);
    let submit = if step == PendingStep::Restore { t.restore_submit } else { t.go_on };
    let content = parts::single(
        title,
        &html! {
            (note)
            @if let Some(text) = alerted { (alert(text)) }
            @if has_passkey && kind == Kind::Show { (passkey(visit, kind, next)) }
            @if has_other {
                form method="post" action=(STEP_PAGE) {
                    (layout::token(visit))
                    input type="hidden" name="next" value=(next);
                    (content)
                    button { (submit) }
                }
            }
            @if has_passkey && kind == Kind::Make {
                p.after { (visit.texts.passkeys.make_instead) }
                (passkey(visit, kind, next))
            }
            @if step == PendingStep::Confirmation {
                form.after method="post" action=(RESEND) {
                    (layout::token(visit))
                    input type="hidden" name="next" value=(next);
                    button.quiet { (visit.texts.account.email_resend) }
                }
            }
            p.after { a href=(with_query("/sign-in", "next", next)) { (t.start_again) } }
        },
    );
    Ok(visit.page_with(status, title, &content).into_response())
}

/// The app's secret: after a wrong code the same once more, which the app may have already; where none waits another one, and
/// that it is another.
async fn demanded(visit: &Visit, challenge: &str, again: bool) -> Result<(TotpBegun, bool), Failure> {
    let factors = &visit.site.services.factors;
    if again {
        match factors.waiting_demanded(&visit.ctx, challenge).await {
            Err(Failure::Refused(Refusal::NotFound)) => {}
            found => return found.map(|begun| (begun, false)),
        }
    }
    factors.begin_demanded(&visit.ctx, challenge, None).await.map(|begun| (begun, again))
}

/// The code that this account can show: of its app, or one on paper.
fn second_code(visit: &Visit) -> Markup {
    let (t, passkeys) = (&visit.texts.sign_in, &visit.texts.passkeys);
    match [FactorMethod::Passkey, FactorMethod::Totp].map(|method| is_offered(visit, method)) {
        [false, _] => html! { p { (t.second_about) } (code_field(t.second_code)) },
        [true, true] => html! { h2 { (passkeys.or_code) } (code_field(t.second_code)) },
        [true, false] => html! { h2 { (passkeys.or_code) } (code_field(passkeys.recovery_code)) },
    }
}

fn code_field(label: &str) -> Markup {
    field(Field {
        name: "code",
        label,
        autocomplete: "one-time-code",
        is_required: true,
        has_focus: true,
        ..Field::default()
    })
}

fn new_password(visit: &Visit, refusal: Option<&Refusal>) -> Markup {
    let t = &visit.texts.sign_in;
    let errors = refusal.map(fields_of).unwrap_or_default();
    html! {
        p { (t.new_password_about) }
        (field(Field {
            name: "new_password", label: t.new_password, kind: "password", autocomplete: "new-password",
            hint: &password_hint(visit), wrong: &wrong_with(errors, "/new_password", visit.language),
            is_required: true, has_focus: true, ..Field::default()
        }))
    }
}

/// What a password must be.
pub(super) fn password_hint(visit: &Visit) -> String {
    let length = visit.site.services.deps.settings.password_rules.min_length;
    fill(visit.texts.sign_in.password_hint, "n", &length.to_string())
}

/// The secret of an app to be set up: as a picture, and for typing.
pub(super) fn secret(visit: &Visit, begun: &TotpBegun) -> Markup {
    let t = &visit.texts.sign_in;
    html! {
        div.qr role="img" aria-label=(t.qr) { (PreEscaped(begun.qr_svg.as_str())) }
        p.hint { (t.secret) " " code { (begun.secret.as_str()) } }
    }
}

/// A box for each document, ticked as it was sent; what was sent without one that is required is told there.
pub(super) fn documents(visit: &Visit, sent: Option<&Fields>) -> Markup {
    let t = &visit.texts.sign_in;
    html! {
        @for document in &visit.site.services.deps.settings.documents {
            @let name = format!("accept-{}", document.id);
            @let is_ticked = sent.is_some_and(|sent| !sent.text(&name).is_empty());
            @let wrong_id = (sent.is_some() && document.required && !is_ticked).then(|| format!("{name}-wrong"));
            div.field {
                label.check for=(name) {
                    input type="checkbox" id=(name) name=(name) value="yes" required[document.required] checked[is_ticked]
                        aria-describedby=[wrong_id.as_deref()] aria-invalid=[wrong_id.as_ref().map(|_| "true")];
                    span { (t.accept) " " a href=(document.url) rel="noreferrer" { (document.id) " " (document.version) } }
                }
                @if let Some(id) = &wrong_id { p.wrong id=(id) { (t.accept_wanted) } }
            }
        }
    }
}
