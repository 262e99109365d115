//! Links in messages: a page with a form, and what it does. The only secrets that ever stand in a URL; no script, no
//! referrer, and no log line has them, because lines name the route.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, header};
use url::form_urlencoded;
use userd_model::Refusal;
use userd_services::{
    Context, Failure,
    links::{Confirmation, Followed, LinkAct},
    not_me::ThrownOut,
    passwords::Password,
};
use userd_web::{
    caller::Visitor,
    extract::{Path, RawBody},
    problem::{Language, Problem, page},
};

use crate::{
    api::Api,
    documented::{Routes, routes},
    link_page,
};

/// The routes of this resource.
#[must_use]
pub(super) fn routes() -> Routes {
    Routes::new().with(routes!(look, follow))
}

/// The page behind a link in a message. Opening it changes nothing.
#[utoipa::path(get, path = "/l/{token}", tag = "Pages", params(("token" = String, Path, description = "From the message")),
    responses((status = 200, description = "A form that asks for a confirmation", body = String, content_type = "text/html"),
        (status = 410, description = "The link was used or has expired: a page where there are pages", body = String, content_type = "text/html")))]
async fn look(
    State(api): State<Arc<Api>>,
    Visitor(ctx): Visitor,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let act = api.services.links.look(&ctx, &token).await?;
    Ok(answer(&headers, |language| link_page::question(&act, language)))
}

/// Confirm a link in a message: by its form (`confirm=yes`), or with `List-Unsubscribe=One-Click` (RFC 8058) to unsubscribe.
/// Without `confirm=yes` any other link does nothing: the form is shown again.
#[utoipa::path(post, path = "/l/{token}", tag = "Pages", params(("token" = String, Path, description = "From the message")),
    responses((status = 200, description = "What was done, or the form", body = String, content_type = "text/html"),
        (status = 410, description = "The link was used or has expired: a page where there are pages", body = String, content_type = "text/html"),
        (status = 503, description = "Busy")))]
async fn follow(
    State(api): State<Arc<Api>>,
    Visitor(ctx): Visitor,
    Path(token): Path<String>,
    headers: HeaderMap,
    RawBody(body): RawBody,
) -> Result<Response, Problem> {
    let field = |wanted: &str| form_urlencoded::parse(&body).find(|(name, _)| name == wanted).map(|(_, value)| value);
    let is_form = field("confirm").is_some_and(|value| value == "yes");
    // Mail programs send the pair as a form or in parts; it is all that they say, so nothing more is asked.
    let how = if is_form { Confirmation::Form } else { Confirmation::OneClick };
    let followed = api.services.links.follow(&ctx, &token, how).await?;
    if let Followed::Elsewhere(act) = &followed {
        if matches!(act, LinkAct::NotMe { .. }) {
            let thrown_out = api.services.not_me.confirm(&ctx, &token).await?;
            return Ok(answer(&headers, |language| match thrown_out {
                ThrownOut::SignedOut => link_page::done(act, language),
                ThrownOut::PasswordGone => link_page::password_gone(false, language),
                ThrownOut::ResetMailed => link_page::password_gone(true, language),
            }));
        }
        let password = field("new_password").map(|text| Password::new(text.into_owned()));
        let wrong = match carry_out(&api, &ctx, &token, act, password).await {
            Ok(()) => None,
            // The person who fills the form in can mend it there.
            Err(Failure::Refused(Refusal::InvalidInput(fields))) => Some(fields),
            Err(Failure::Refused(Refusal::InsufficientAuthentication { .. })) => {
                return Ok(answer(&headers, link_page::sign_in_first));
            }
            Err(Failure::Refused(Refusal::InvalidCode | Refusal::InvitationGone)) => {
                return Err(Refusal::LinkGone.into());
            }
            Err(other) => return Err(other.into()),
        };
        return Ok(answer(&headers, |language| match &wrong {
            None => link_page::done(act, language),
            Some(fields) => link_page::again(act, fields, language),
        }));
    }
    Ok(answer(&headers, |language| match &followed {
        Followed::Done(act) => link_page::done(act, language),
        Followed::Ask(act) | Followed::Elsewhere(act) => link_page::question(act, language),
    }))
}

/// What another service carries out.
async fn carry_out(
    api: &Api,
    ctx: &Context,
    token: &str,
    act: &LinkAct,
    password: Option<Password>,
) -> Result<(), Failure> {
    match (act, password) {
        (LinkAct::ConfirmEmail, _) => api.services.emails.verify_link(ctx, token, None).await,
        (LinkAct::ResetPassword, Some(password)) => api.services.recovery.reset(ctx, token, &password).await,
        (LinkAct::Restore, _) => api.services.deletions.restore_by_link(ctx, token).await,
        (LinkAct::AcceptInvitation, Some(password)) => {
            api.services.accounts.accept_invitation(ctx, token, password).await
        }
        (LinkAct::ResetPassword | LinkAct::AcceptInvitation, None) => {
            Err(Refusal::field("/new_password", "is required").into())
        }
        _ => Err(Refusal::LinkGone.into()),
    }
}

fn answer(headers: &HeaderMap, text: impl FnOnce(Language) -> String) -> Response {
    const POLICY: HeaderValue = HeaderValue::from_static(
        "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    );
    let language = page::language(headers);
    let mut response = (page::headers(language), text(language)).into_response();
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, POLICY);
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept-language"));
    response
}
