//! Signing in by a passkey alone. Deliberately absent: passkeys after a password (`steps.rs`).

use axum::response::Response;
use maud::html;
use serde_json::Value;
use userd_model::Refusal;
use userd_services::Failure;
use userd_web::Problem;

use super::{
    completion::{complete, status_of, told},
    last_way::{self, PASSKEY},
    passkey_forms::{self, credential},
    sign_in_form::{PASSKEY_FORM, PASSKEY_QUESTION, form},
};
use crate::{
    fields::Fields,
    parts::alert,
    routes::Routes,
    visit::{Visit, local},
};

pub(super) fn routes(routes: Routes) -> Routes {
    routes.post(PASSKEY_QUESTION, ask).post(PASSKEY_FORM, submit)
}

async fn ask(visit: Visit) -> Result<Response, Problem> {
    passkey_forms::question(visit.site.services.factors.begin_passkey_sign_in(&visit.ctx).await, "/sign-in")
}

async fn submit(visit: Visit, fields: Fields) -> Result<Response, Problem> {
    let next = local(fields.text("next")).unwrap_or("/account");
    let shown = credential(&fields).unwrap_or(Value::Null);
    let factors = &visit.site.services.factors;
    let refusal = match factors.finish_passkey_sign_in(&visit.ctx, fields.text("challenge"), &shown, None).await {
        Ok(completion) => {
            return Ok(last_way::remember(complete(&visit, completion, next, "").await?, PASSKEY));
        }
        Err(Failure::Refused(refusal)) => refusal,
        Err(fault) => return Err(fault.into()),
    };
    let text = match &refusal {
        Refusal::ChallengeGone => visit.texts.sign_in.step_gone,
        Refusal::InvalidInput(_) => visit.texts.passkeys.refused,
        other => told(&visit, other).ok_or_else(|| Problem::from(other.clone()))?,
    };
    // Whoever keeps this passkey is told that it is good for nothing here.
    let note = html! {
        (alert(text))
        @if refusal == Refusal::InvalidPasskey { span data-passkey-unknown {} }
    };
    Ok(visit.page_with(status_of(&refusal), visit.texts.sign_in.title, &form(&visit, next, "", &note)))
}
