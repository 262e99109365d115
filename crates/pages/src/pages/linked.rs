//! Accounts elsewhere that open this one: linked, unlinked, and moved here from another account of the same person.

use axum::response::Response;
use http::HeaderMap;
use maud::{Markup, html};
use userd_model::IdentityId;
use userd_services::{
    Failure,
    sign_in::{Emptied, IdentityView, Start, StartedFlow},
};
use userd_web::{Problem, extract::Path, problem::Words};

use super::{
    completion::must_prove,
    prove::{ended, prove_and_send_again, prove_first},
    provider_way::{on_the_way, without_way},
};
use crate::{
    browser_cookies::WAY,
    dates::moment,
    fields::Fields,
    layout::{self, with_query},
    parts::{alert, done, panel, plain},
    routes::Routes,
    texts::fill,
    visit::{Query, Visit},
};

const HERE: &str = "/account/linked";
const MOVE: &str = "/account/linked/move";

/// What ended with an error: a link, or a move.
const LINK_FAILED: &str = "failed";
const MOVE_FAILED: &str = "unmoved";
const UNLINK_FAILED: &str = "still-linked";

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(HERE, show)
        .post("/account/linked/with/{provider}", begin_link)
        .post(MOVE, begin_move)
        .post("/account/linked/{id}/remove", unlink)
}

async fn show(visit: Visit, query: Query) -> Result<Response, Problem> {
    let t = &visit.texts.account;
    let services = &visit.site.services;
    let (id, _) = visit.ctx.user()?;
    let found = services.sign_in.identities(&visit.ctx, id).await?;
    let offered = services.sign_in.offered();
    let content = layout::account(
        &visit,
        t.linked,
        &html! {
            (told(&visit, &query))
            (panel(t.linked, &html! {
                @if found.is_empty() { p { (t.no_linked) } }
                ul.list { @for identity in &found { (line(&visit, identity)) } }
            }))
            (panel(t.link_more, &html! {
                div.row {
                    @for provider in offered.iter().filter(|provider| provider.capabilities().browser) {
                        form method="post" action=(format!("/account/linked/with/{}", provider.id())) {
                            (layout::token(&visit))
                            button.quiet { (fill(t.link_with, "provider", provider.display_name())) }
                        }
                    }
                    @if offered.is_empty() { p.muted { (t.no_providers) } }
                }
            }))
        },
    );
    Ok(visit.page(t.linked, &content))
}

fn line(visit: &Visit, identity: &IdentityView) -> Markup {
    let t = &visit.texts.account;
    let name = [&identity.display_name, &identity.username, &identity.email].into_iter().flatten().next();
    let provider = visit.site.services.sign_in.name_of(&identity.provider);
    html! {
        li {
            span.grow {
                strong { (provider) }
                @if let Some(name) = name { " · " (name) }
                br;
                span.muted { (t.last_used) " " (moment(visit, identity.last_used_at)) }
            }
            form method="post" action=(format!("/account/linked/{}/remove", identity.id)) {
                (layout::token(visit))
                button.danger aria-label={ (t.remove) ": " (provider) } { (t.remove) }
            }
        }
    }
}

/// What came of what was begun here, and what can be done about it.
fn told(visit: &Visit, query: &Query) -> Markup {
    let t = &visit.texts.account;
    let (why, provider) = (query.text("why"), query.text("provider"));
    match query.text("told") {
        "linked" => done(t.linked_now),
        "removed" => done(t.unlinked_now),
        "moved" => done(t.moved_now),
        UNLINK_FAILED => alert(&in_words(visit, why, t.not_unlinked, t.not_unlinked)),
        LINK_FAILED if why == "identity_taken" => html! { (alert(t.link_taken)) (moving(visit, provider)) },
        LINK_FAILED if why == "access_denied" => alert(t.link_cancelled),
        LINK_FAILED => alert(&in_words(visit, why, t.not_linked, t.link_failed)),
        MOVE_FAILED if why == "last_way_in" => html! { (alert(t.move_last_way)) (moving(visit, provider)) },
        MOVE_FAILED if why == "identity_taken" => alert(t.move_has_factor),
        // What is advised of a code is for whoever sends one by hand.
        MOVE_FAILED if why == "invalid_code" => alert(t.move_failed),
        MOVE_FAILED => alert(&in_words(visit, why, t.not_moved, t.move_failed)),
        _ => Markup::default(),
    }
}

/// What is known of an error under its word; of any other word, what can be said without.
fn in_words(visit: &Visit, slug: &str, what: &str, otherwise: &str) -> String {
    let Some(words) = Words::find(slug) else { return otherwise.to_owned() };
    let (title, advice) = words.in_language(visit.language);
    format!("{what} {}. {}", title.trim_end_matches('.'), advice.replace('`', ""))
}

/// The form that begins to move what could not be linked.
fn moving(visit: &Visit, provider: &str) -> Markup {
    let t = &visit.texts.account;
    let offered = visit.site.services.sign_in.offered();
    let found = offered.iter().find(|one| one.id() == provider && one.capabilities().browser);
    html! {
        @if let Some(provider) = found {
            (panel(t.move_title, &html! {
                p { (fill(t.move_about, "provider", provider.display_name())) }
                form method="post" action=(MOVE) {
                    (layout::token(visit))
                    input type="hidden" name="provider" value=(provider.id());
                    div.field {
                        label.check for="delete_emptied" {
                            input type="checkbox" id="delete_emptied" name="delete_emptied" value="yes";
                            span { (t.move_delete_emptied) }
                        }
                    }
                    button { (t.move_begin) }
                }
            }))
        }
    }
}

/// Whose account is linked, the provider says: the browser may be signed in there as somebody else, who would come in here
/// from then on. So it begins by a form that this browser was given, never by a link that anybody could lead here with. The
/// page leads on by a link of its own, because the answer to a form leads to no other host.
async fn begin_link(visit: Visit, Path(provider): Path<String>, headers: HeaderMap) -> Result<Response, Problem> {
    let (services, t) = (&visit.site.services, &visit.texts.account);
    let start = Start { locale: Some(visit.tag().to_owned()), ..Start::default() };
    let begun = match services.sign_in.start_link(&visit.ctx, &provider, start).await {
        Ok(begun) => begun,
        Err(failure) => return prove_and_send_again(failure, HERE),
    };
    let page = leading_on(&visit, t.link_more, (t.link_next, t.link_with), &provider, &begun);
    let way = [("next", HERE), ("provider", provider.as_str())];
    Ok(on_the_way(page, &begun, &headers, &way))
}

/// The page with the link to the provider.
fn leading_on(
    visit: &Visit,
    title: &str,
    (about, go_on): (&str, &str),
    provider: &str,
    begun: &StartedFlow,
) -> Response {
    let name = visit.site.services.sign_in.name_of(provider);
    let content = plain(&html! {
        p { (fill(about, "provider", &name)) }
        div.row {
            a.button href=(begun.url) { (fill(go_on, "provider", &name)) }
            a.button.quiet href=(HERE) { (visit.texts.admin.frame.cancel) }
        }
    });
    visit.page(title, &layout::account(visit, title, &content))
}

/// The other account is proven by a sign-in to it, with what moves. That begins by a form too: what comes of it is not undone
/// by the same way.
async fn begin_move(visit: Visit, fields: Fields, headers: HeaderMap) -> Result<Response, Problem> {
    let (services, t) = (&visit.site.services, &visit.texts.account);
    let provider = fields.text("provider");
    let (verifier, challenge) = services.mint_proof_key();
    let start = Start { code_challenge: Some(challenge), locale: Some(visit.tag().to_owned()), ..Start::default() };
    let begun = match services.sign_in.start_move(&visit.ctx, provider, start).await {
        Ok(begun) => begun,
        Err(failure) => return prove_and_send_again(failure, &ended_with(LINK_FAILED, "identity_taken", provider)),
    };
    let deletes = if fields.text("delete_emptied").is_empty() { "no" } else { "yes" };
    let about = if deletes == "yes" { t.move_next_deletes } else { t.move_next };
    let page = leading_on(&visit, t.move_title, (about, visit.texts.sign_in.with), provider, &begun);
    let way = [("verifier", verifier.as_str()), ("next", HERE), ("provider", provider), ("move_deletes", deletes)];
    Ok(on_the_way(page, &begun, &headers, &way))
}

/// What becomes of the other account, where this browser is on its way to move something from it.
pub(super) fn being_moved(visit: &Visit) -> Option<Emptied> {
    let deletes = visit.carried(WAY, "move_deletes")?;
    Some(if deletes == "yes" { Emptied::Deleted } else { Emptied::Kept })
}

/// Back from the sign-in to the other account: its code moves what it was made for, and signs nobody in.
pub(super) async fn finish_move(
    visit: &Visit,
    code: &str,
    verifier: &str,
    emptied: Emptied,
) -> Result<Response, Problem> {
    let provider = visit.carried(WAY, "provider").unwrap_or_default();
    match visit.site.services.sign_in.move_here(&visit.ctx, code, Some(verifier), emptied).await {
        Ok(_) => Ok(without_way(Visit::go("/account/linked?told=moved"))),
        Err(failure) if must_prove(&failure) => {
            prove_first(failure, &ended_with(LINK_FAILED, "identity_taken", &provider))
        }
        Err(Failure::Refused(refusal)) => {
            let why = Problem::from(refusal).words().slug;
            Ok(without_way(Visit::go(&ended_with(MOVE_FAILED, why, &provider))))
        }
        Err(fault) => Err(fault.into()),
    }
}

/// Back from a provider that linked something.
pub(super) fn came_back() -> Response {
    without_way(Visit::go("/account/linked?told=linked"))
}

/// Back from a provider that linked nothing: the page of accounts elsewhere says why.
pub(super) fn came_back_in_vain(visit: &Visit, error: &str) -> Response {
    let provider = visit.carried(WAY, "provider").unwrap_or_default();
    let told = if being_moved(visit).is_some() { MOVE_FAILED } else { LINK_FAILED };
    without_way(Visit::go(&ended_with(told, error, &provider)))
}

fn ended_with(told: &str, why: &str, provider: &str) -> String {
    with_query(&with_query(&with_query(HERE, "told", told), "why", why), "provider", provider)
}

async fn unlink(visit: Visit, Path(id): Path<IdentityId>) -> Result<Response, Problem> {
    match visit.site.services.sign_in.unlink(&visit.ctx, id).await {
        Err(Failure::Refused(refusal)) if !must_prove(&Failure::Refused(refusal.clone())) => {
            let why = Problem::from(refusal).words().slug;
            Ok(Visit::go(&ended_with(UNLINK_FAILED, why, "")))
        }
        ended_otherwise => ended(ended_otherwise, "/account/linked?told=removed", HERE),
    }
}
