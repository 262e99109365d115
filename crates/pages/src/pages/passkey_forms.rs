//! The form that every use of a passkey has: the script asks its question, has the browser answer, and sends the answer as a
//! field. Deliberately absent: what the answer is good for, which the page decides that the form is sent to.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use maud::{Markup, html};
use serde_json::{Value, json};
use userd_services::{Failure, factors::PasskeyBegun};
use userd_web::Problem;

use super::completion::must_prove;
use crate::{
    fields::Fields,
    layout::{self, with_query},
    visit::Visit,
};

/// What the browser is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// One that it has.
    Show,
    /// A new one.
    Make,
}

/// A form.
#[derive(Clone, Copy)]
pub(super) struct PasskeyForm<'a> {
    pub(super) kind: Kind,
    /// Where the answer goes.
    pub(super) action: &'static str,
    /// Where the question comes from.
    pub(super) question: &'static str,
    pub(super) next: &'a str,
    /// The word on its button.
    pub(super) button: &'static str,
    /// Whether the login's field lists passkeys too.
    pub(super) fills_in: bool,
}

/// The form, which a script shows where the browser can; nothing where there are no passkeys here.
pub(super) fn form(visit: &Visit, form: PasskeyForm<'_>, fields: &Markup) -> Markup {
    let Some(passkeys) = &visit.site.services.deps.passkeys else { return Markup::default() };
    let t = &visit.texts.passkeys;
    let kind = if form.kind == Kind::Make { "create" } else { "get" };
    let known = if form.kind == Kind::Make { t.known } else { t.failed };
    html! {
        form.passkey method="post" action=(form.action) hidden data-passkey=(kind) data-question=(form.question)
            data-domain=(passkeys.rp_id()) data-fill-in[form.fills_in] {
            (layout::token(visit))
            input type="hidden" name="next" value=(form.next);
            input type="hidden" name="challenge" value="";
            input type="hidden" name="credential" value="";
            (fields)
            p.wrong role="alert" hidden data-failed=(t.failed) data-known=(known) {}
            button.quiet type="button" data-ask { (form.button) }
        }
        noscript { p.small { (t.needs_script) } }
        script type="module" src=(visit.site.assets.passkeys) {}
    }
}

/// What stands there in place of the form where the browser cannot.
pub(super) fn without(visit: &Visit) -> Markup {
    html! { p.note hidden data-without-passkeys { (visit.texts.passkeys.not_here) } }
}

/// The question as the script reads it. Whoever has to prove first who they are is led there, and back to `here`.
pub(super) fn question(begun: Result<PasskeyBegun, Failure>, here: &str) -> Result<Response, Problem> {
    match begun {
        Ok(PasskeyBegun { challenge, options, expires_in }) => {
            Ok(Json(json!({ "challenge": challenge, "options": options, "expires_in": expires_in })).into_response())
        }
        Err(failure) if must_prove(&failure) => {
            Ok(Json(json!({ "go": with_query("/account/prove", "next", here) })).into_response())
        }
        Err(other) => Err(other.into()),
    }
}

/// What the browser answered; none where the form was sent without. What is no JSON is no credential either.
pub(super) fn credential(fields: &Fields) -> Option<Value> {
    let text = fields.text("credential");
    (!text.is_empty()).then(|| serde_json::from_str(text).unwrap_or(Value::Null))
}
