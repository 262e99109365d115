//! What the scripts of pages may do: put text in as text, ask for elements by name, and keep nothing secret in the browser.

use crate::source::{none, tree};

/// What turns text into markup or code, reads elements that happen to have a name, or keeps data beyond the page.
const FORBIDDEN: &[(&str, &str)] = &[
    ("innerHTML", "text becomes markup"),
    ("outerHTML", "text becomes markup"),
    ("insertAdjacentHTML", "text becomes markup"),
    ("createContextualFragment", "text becomes markup"),
    ("setHTMLUnsafe", "text becomes markup"),
    ("document.write", "text becomes markup"),
    ("srcdoc", "text becomes markup"),
    ("eval(", "text becomes code"),
    ("Function(", "text becomes code"),
    ("javascript:", "text becomes code"),
    ("document.forms", "an element may have taken the name"),
    ("document.all", "an element may have taken the name"),
    ("localStorage", "kept in the browser"),
    ("indexedDB", "kept in the browser"),
    ("document.cookie", "cookies are set by answers, out of the reach of scripts"),
    ("postMessage", "another window is no party here"),
    ("serviceWorker", "a page is what the server says now"),
];

/// What a window keeps until it is closed. None of it is a secret, or about a person.
const KEPT: &[(&str, &str)] = &[
    ("shownPasskey", "the public id of the passkey that was shown, in case the answer is that it is unknown"),
    ("signsIn", "that the sign-in page was open"),
];

/// A page of this server is read as a page, in which scripts do not run, and only there.
const READS_PAGES: (&str, &str) = ("DOMParser", "crates/pages/assets/page.js");

/// ASVS V3.2.2, V3.2.3, V3.7.1, V14.3.3
#[test]
fn scripts_of_pages_put_text_in_as_text_and_keep_no_secret() {
    let scripts = tree().sources(&["crates/pages/assets", "crates/http/src"], "js").unwrap();
    assert!(scripts.len() >= 3, "they are no longer read");
    let mut wrong = Vec::new();
    for script in &scripts {
        for (number, line) in script.text.lines().enumerate() {
            let place = format!("{}:{}", script.path, number + 1);
            let found = FORBIDDEN.iter().filter(|(word, _)| line.contains(word));
            wrong.extend(found.map(|(word, why)| format!("{place}: `{word}`: {why}")));
            if line.contains(READS_PAGES.0) && script.path != READS_PAGES.1 {
                wrong.push(format!("{place}: `{}`: text becomes markup", READS_PAGES.0));
            }
            let kept = line.split("sessionStorage").skip(1);
            let unknown = kept.filter(|rest| !KEPT.iter().any(|(key, _)| rest.starts_with(&format!(".{key}"))));
            wrong.extend(unknown.map(|rest| format!("{place}: `sessionStorage{rest}`: not in KEPT")));
        }
    }
    none("another way is needed", wrong);
}
