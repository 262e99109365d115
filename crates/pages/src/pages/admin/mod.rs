//! Administration: what stands around its pages, and what they share. Its sections are files of their own. Deliberately
//! absent: rules; what is shown is what [`userd_services::Context::may`] says, and services refuse the rest.

mod acts;
mod audit;
mod clients;
mod deliveries;
mod grants;
mod identities;
mod invitations;
mod keys;
mod overview;
mod permissions;
mod requests;
mod role_draft;
mod role_editor;
mod roles;
mod system;
mod user;
mod user_forms;
mod users;
mod webhooks;
mod words;

use axum::response::Response;
use maud::{Markup, html};
use userd_model::{Act, InvalidField, Refusal, UserId};
use userd_services::{Failure, UserView};
use userd_web::Problem;

use super::{
    completion::{taken_field, words_of},
    paging::{onward, place},
    prove::{prove_and_send_again, prove_first},
};
use crate::{layout, parts, routes::Routes, sections, visit::Visit};

/// Items on one page of a list.
const PAGE: usize = 25;

pub(super) fn routes(routes: Routes) -> Routes {
    let routes = routes.get("/admin", front);
    let routes = grants::routes(acts::routes(user::routes(user_forms::routes(users::routes(routes)))));
    let routes = requests::routes(audit::routes(invitations::routes(routes)));
    let routes = permissions::routes(role_editor::routes(roles::routes(routes)));
    let routes = identities::routes(system::routes(overview::routes(routes)));
    deliveries::routes(webhooks::routes(clients::routes(keys::routes(routes))))
}

/// The first section that the visitor may see.
async fn front(visit: Visit) -> Result<Response, Problem> {
    sections::of(&visit).first().map(|(path, _)| Visit::go(path)).ok_or_else(Problem::not_found)
}

/// A page of administration.
fn page(visit: &Visit, title: &str, content: &Markup) -> Response {
    visit.page(title, &frame(visit, title, content))
}

fn frame(visit: &Visit, title: &str, content: &Markup) -> Markup {
    let sections = sections::of(visit).into_iter();
    let links: Vec<_> = sections.map(|(path, name)| (path, name, layout::within(visit, path))).collect();
    layout::beside(visit, &links, title, content)
}

/// What a form is told that was refused; nothing for one that was not sent yet.
#[derive(Default)]
struct Told {
    text: String,
    errors: Vec<InvalidField>,
}

impl Told {
    fn alert(&self) -> Markup {
        html! { @if !self.text.is_empty() { (parts::alert(&self.text)) } }
    }

    /// What is wrong with a field.
    fn wrong(&self, visit: &Visit, pointer: &str) -> String {
        parts::wrong_with(&self.errors, pointer, visit.language)
    }

    /// What is wrong with one of the values of a field.
    fn wrong_under(&self, visit: &Visit, pointer: &str) -> String {
        let mut pointers: Vec<&str> = self.errors.iter().map(|error| error.pointer.as_str()).collect();
        pointers.retain(|found| found.starts_with(pointer));
        pointers.dedup();
        let told: Vec<String> = pointers.into_iter().map(|found| self.wrong(visit, found)).collect();
        told.join(" ")
    }

    /// What is wrong with some of the words of a list, each named.
    fn wrong_words(&self, visit: &Visit, pointer: &str, words: &[String]) -> String {
        let word_at = |found: &str| words.get(found.strip_prefix(pointer)?.strip_prefix('/')?.parse::<usize>().ok()?);
        let told = self.errors.iter().filter(|error| error.pointer.starts_with(pointer)).map(|error| {
            let detail = self.wrong(visit, &error.pointer);
            word_at(&error.pointer).map_or_else(|| detail.clone(), |word| format!("{word}: {detail}"))
        });
        told.collect::<Vec<_>>().join(" ")
    }
}

/// Where whoever does something that cannot be taken back has to prove first who they are: the way there and back.
async fn fresh(visit: &Visit) -> Result<Option<Response>, Problem> {
    turned(visit, visit.site.services.must_have_fresh_proof(&visit.ctx).await)
}

/// The same of whoever is about to fill a form in, where the second factor that they hold is all that is asked for (decision
/// 0062): what they write would not be carried along.
async fn strong(visit: &Visit) -> Result<Option<Response>, Problem> {
    turned(visit, visit.site.services.must_have_strong_proof(&visit.ctx).await)
}

fn turned(visit: &Visit, proven: Result<(), Failure>) -> Result<Option<Response>, Problem> {
    match proven {
        Ok(()) => Ok(None),
        Err(failure) => prove_first(failure, &visit.here).map(Some),
    }
}

/// How a form that was refused goes on: to a fresh proof and back to `here`, or to the same form with what is wrong, also where
/// what was filled in asks for more than the visitor may do, or to the page of problems where there is nothing to be mended.
fn refused(
    visit: &Visit,
    failure: Failure,
    (title, here): (&str, &str),
    again: impl FnOnce(&Told) -> Markup,
) -> Result<Response, Problem> {
    let refusal = match failure {
        Failure::Refused(refusal) => refusal,
        fault => return Err(fault.into()),
    };
    match refusal {
        Refusal::InsufficientAuthentication { .. } | Refusal::NotFound | Refusal::NotSignedIn => {
            return prove_and_send_again(refusal.into(), here);
        }
        _ => {}
    }
    let problem = Problem::from(refusal.clone());
    let (text, errors) = match refusal {
        Refusal::InvalidInput(errors) if !errors.is_empty() => (visit.texts.admin.frame.invalid.to_owned(), errors),
        Refusal::Forbidden => (visit.texts.admin.frame.beyond.to_owned(), Vec::new()),
        other => {
            let (title, _) = problem.words().in_language(visit.language);
            let taken = taken_field(&other).map(|pointer| InvalidField::new(pointer, title));
            (words_of(visit, &problem), taken.into_iter().collect())
        }
    };
    let content = frame(visit, title, &again(&Told { text, errors }));
    Ok(visit.page_with(problem.status(), title, &content))
}

/// Links between parts of a list, of which one is shown.
fn tabs(path: &str, (name, label): (&str, &str), options: &[(&str, &str)], chosen: &str) -> Markup {
    html! {
        nav.row.tabs aria-label=(label) {
            @for (value, shown) in options {
                a href=(layout::with_query(path, name, value)) aria-current=[(*value == chosen).then_some("true")] { (shown) }
            }
        }
    }
}

/// A choice of one of several.
fn choice(name: &str, label: &str, options: &[(&str, &str)], chosen: &str) -> Markup {
    html! {
        div.field {
            label for=(name) { (label) }
            select id=(name) name=(name) {
                @for (value, shown) in options { option value=(value) selected[*value == chosen] { (shown) } }
            }
        }
    }
}

/// The end of a form that does something: its button, and the way back.
fn buttons(visit: &Visit, name: &str, is_destructive: bool, back: &str) -> Markup {
    html! {
        div.row {
            @if is_destructive { button.danger { (name) } } @else { button { (name) } }
            a.button.quiet href=(back) { (visit.texts.admin.frame.cancel) }
        }
    }
}

/// A secret on the only page that ever shows it.
fn secret(visit: &Visit, about: &str, secret: &str) -> Markup {
    let t = &visit.texts.sign_in;
    html! {
        section.panel {
            p { (about) }
            p #secret { code { (secret) } }
            button.quiet type="button" data-copy="secret" data-done=(t.copied) hidden { (t.copy) }
        }
    }
}

/// A text that may be missing.
fn optional(visit: &Visit, text: Option<&str>) -> Markup {
    html! { @match text { Some(text) => (text), None => span.muted { (visit.texts.admin.frame.none) } } }
}

/// What a role or permission is for: ours in the reader's language, others' as they say it.
fn about(visit: &Visit, description: Option<&str>) -> Markup {
    optional(visit, description.map(|text| userd_model::built_in_texts::about(text, visit.language)))
}

/// The text of a field; none where nothing was filled in.
fn filled(text: &str) -> Option<String> {
    Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// The account in whose detail something is done, for whoever may do it.
async fn opened(visit: &Visit, id: UserId, act: &Act) -> Result<UserView, Problem> {
    visit.ctx.may(act)?;
    Ok(visit.site.services.users.show(&visit.ctx, id).await?)
}
