//! What pages are made of: a panel, fields with their labels and what is wrong with them, notes, buttons. Deliberately
//! absent: words, which pages pass in.

use maud::{Markup, html};
use userd_model::{InvalidField, details};
use userd_web::problem::Language;

/// One panel in the middle, as sign-in has it.
pub(crate) fn single(title: &str, content: &Markup) -> Markup {
    html! {
        div.single {
            h1 { (title) }
            (content)
        }
    }
}

/// A part of a page under a heading of its own.
pub(crate) fn panel(title: &str, content: &Markup) -> Markup {
    html! { section.panel { h2 { (title) } (content) } }
}

/// The one part of a page, whose heading is the page's.
pub(crate) fn plain(content: &Markup) -> Markup {
    html! { section.panel { (content) } }
}

/// Something to know.
pub(crate) fn note(text: &str) -> Markup {
    html! { p.note { (text) } }
}

/// Something that went wrong; screen readers say it at once, and the script moves the focus there.
pub(crate) fn alert(text: &str) -> Markup {
    html! { div.alert role="alert" tabindex="-1" data-focus { p { (text) } } }
}

/// Something that was done.
pub(crate) fn done(text: &str) -> Markup {
    html! { div.done role="status" { p { (text) } } }
}

/// Pairs of what something is called and what it is.
pub(crate) fn facts(pairs: &[(&str, Markup)]) -> Markup {
    html! { dl.facts { @for (name, value) in pairs { div { dt { (name) } dd { (value) } } } } }
}

/// A field of a form.
#[derive(Clone, Copy, Default)]
pub(crate) struct Field<'a> {
    pub(crate) name: &'a str,
    pub(crate) label: &'a str,
    /// `text` where it is empty.
    pub(crate) kind: &'a str,
    pub(crate) value: &'a str,
    /// What browsers and password managers fill in.
    pub(crate) autocomplete: &'a str,
    /// What helps to fill it in.
    pub(crate) hint: &'a str,
    pub(crate) is_required: bool,
    /// Whether the page begins there.
    pub(crate) has_focus: bool,
    /// What is wrong with it.
    pub(crate) wrong: &'a str,
}

/// The latest moment that a field for one takes: browsers take years of six digits without it, and nothing here reads them.
const LATEST: &str = "9999-12-31T23:59";

/// The field with its label, and what is wrong, tied to it for screen readers.
pub(crate) fn field(field: Field<'_>) -> Markup {
    let Field { name, label, kind, value, autocomplete, hint, is_required, has_focus, wrong } = field;
    let kind = if kind.is_empty() { "text" } else { kind };
    let (hint_id, wrong_id) = (format!("{name}-hint"), format!("{name}-wrong"));
    let mut described = Vec::new();
    if !hint.is_empty() {
        described.push(hint_id.as_str());
    }
    if !wrong.is_empty() {
        described.push(wrong_id.as_str());
    }
    let described = (!described.is_empty()).then(|| described.join(" "));
    html! {
        div.field {
            label for=(name) { (label) }
            @if !hint.is_empty() { p.hint id=(hint_id) { (hint) } }
            input id=(name) name=(name) type=(kind) value=[(kind != "password").then_some(value)]
                max=[(kind == "datetime-local").then_some(LATEST)]
                autocomplete=[Some(autocomplete).filter(|value| !value.is_empty())]
                required[is_required] autofocus[has_focus] aria-describedby=[described]
                aria-invalid=[(!wrong.is_empty()).then_some("true")] spellcheck="false" autocapitalize="none";
            @if !wrong.is_empty() { p.wrong id=(wrong_id) { (wrong) } }
        }
    }
}

/// What is wrong with one field, as a sentence; empty for nothing.
pub(crate) fn wrong_with(errors: &[InvalidField], pointer: &str, language: Language) -> String {
    let found = errors.iter().filter(|error| error.pointer == pointer);
    let told: Vec<String> = found.map(|error| sentence(&details::in_language(&error.detail, language))).collect();
    told.join(" ")
}

/// A detail as a sentence: a capital letter and a full stop.
fn sentence(detail: &str) -> String {
    let mut letters = detail.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().collect::<String>()).unwrap_or_default();
    let rest = letters.as_str();
    let stop = if detail.ends_with('.') { "" } else { "." };
    format!("{first}{rest}{stop}")
}
