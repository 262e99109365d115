//! Problems in the look of the pages: what happened, what to do next, and the number to name when asking for help.
//! Deliberately absent: anything of the request that could not be shown to whoever sent it.

use maud::html;
use userd_web::{
    problem::{Language, Problem, Words},
    request_layer::{ProblemPage, RenderedProblem},
};

use crate::{
    assets::Assets,
    layout::{self, Shell},
    parts,
    site::Site,
    texts::{self, Problems},
};

/// How a problem looks to a person; the request layer asks, also where no page was reached.
#[must_use]
pub fn of(site: &Site) -> ProblemPage {
    let (name, assets, policy) = (site.options.name.clone(), site.assets.clone(), site.content_policy.clone());
    ProblemPage::new(move |problem, language, request_id| RenderedProblem {
        content_policy: policy.clone(),
        html: render(&name, &assets, problem, language, request_id),
    })
}

fn render(name: &str, assets: &Assets, problem: &Problem, language: Language, request_id: &str) -> String {
    let texts = texts::of(language);
    let words = problem.words();
    let (title, advice) = told(&texts.problems, &words, language);
    let t = &texts.problems;
    let content = parts::single(
        title,
        &html! {
            p { (advice) }
            p { a.button href="/" { (t.back) } }
            p.small { (t.request) " " code { (request_id) } " · " code { (words.slug) } }
        },
    );
    let body = html! {
        header.top { (layout::brand(name, assets)) }
        main #main tabindex="-1" { (content) }
    };
    layout::shell(Shell { language, title, name, assets }, &body).into_string()
}

/// The table's advice is for programs; people are told otherwise where they meet it.
fn told(t: &'static Problems, words: &Words, language: Language) -> (&'static str, &'static str) {
    match words.slug {
        "not_found" => (t.not_found_title, t.not_found),
        "forbidden" => (t.forbidden_title, t.forbidden),
        "cross_site" => (t.cross_site_title, t.cross_site),
        "too_many_attempts" => (t.too_many_title, t.too_many),
        "internal" => (t.internal_title, t.internal),
        "method_not_allowed" => (t.not_found_title, t.not_found),
        _ if words.status == Some(503) => (t.unavailable_title, t.unavailable),
        _ => (words.in_language(language).0, t.otherwise),
    }
}
