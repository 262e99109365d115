//! What the scripts of pages may do: put text in as text, ask for elements by name, and keep nothing in the browser.

use crate::source::{none, tree};

/// What turns text into markup or code, reads elements that happen to have a name, or keeps data beyond the page.
const FORBIDDEN: &[(&str, &str)] = &[
    ("innerHTML", "text becomes markup"),
    ("outerHTML", "text becomes markup"),
    ("insertAdjacentHTML", "text becomes markup"),
    ("createContextualFragment", "text becomes markup"),
    ("DOMParser", "text becomes markup"),
    ("setHTMLUnsafe", "text becomes markup"),
    ("document.write", "text becomes markup"),
    ("srcdoc", "text becomes markup"),
    ("eval(", "text becomes code"),
    ("Function(", "text becomes code"),
    ("javascript:", "text becomes code"),
    ("document.forms", "an element may have taken the name"),
    ("document.all", "an element may have taken the name"),
    ("localStorage", "kept in the browser"),
    ("sessionStorage", "kept in the browser"),
    ("indexedDB", "kept in the browser"),
    ("document.cookie", "cookies are set by answers, out of the reach of scripts"),
    ("postMessage", "another window is no party here"),
    ("serviceWorker", "a page is what the server says now"),
    ("import(", "code is loaded by pages, not by scripts"),
];

/// ASVS V3.2.2, V3.2.3, V3.7.1, V14.3.3
#[test]
fn scripts_of_pages_put_text_in_as_text_and_keep_nothing() {
    let scripts = tree().sources(&["crates/pages/assets", "crates/http/src"], "js").unwrap();
    assert!(scripts.len() >= 3, "they are no longer read");
    let wrong = scripts.iter().flat_map(|script| {
        let lines = script.text.lines().enumerate();
        lines.flat_map(move |(number, line)| {
            let found = FORBIDDEN.iter().filter(|(word, _)| line.contains(word));
            found.map(move |(word, why)| format!("{}:{}: `{word}`: {why}", script.path, number + 1))
        })
    });
    none("another way is needed", wrong.collect());
}
