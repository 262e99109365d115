//! The words of docs/vocabulary.md: those in use are names in the code, those not in use are none.

use std::collections::{BTreeMap, BTreeSet};

use xtask::tree::Source;

use crate::source::{identifiers, none, tree, without_texts};

/// Where a word that is not used may stand all the same: the word, the file, and why. One that covers nothing fails.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    ("struct Setup", "crates/http/src/routes/auth.rs", "the body of the making of the first administrator"),
    ("struct Setup", "crates/services/src/setup.rs", "the making of the first administrator"),
    ("lanes", "crates/crypto/src/passwords/phc.rs", "the degree of parallelism of argon2 (RFC 9106)"),
    ("far", "crates/web/src/extract/credentials.rs", "`so_far`"),
    ("near", "crates/services/tests/services/register.rs", "passwords that differ little"),
];

#[test]
fn words_out_of_use_are_in_no_code() {
    let words = not_used();
    let mut wrong = Vec::new();
    let mut idle: BTreeSet<_> = EXCEPTIONS.iter().map(|(word, file, _)| (*word, *file)).collect();
    for source in all_code() {
        for (word, names) in found(&source, &words) {
            idle.retain(|(excused, file)| word != *excused || source.path != *file);
            if !EXCEPTIONS.iter().any(|(excused, file, _)| word == *excused && source.path == *file) {
                wrong.push(format!("{}: `{word}` in {names:?}", source.path));
            }
        }
    }
    none("docs/vocabulary.md has another word for it", wrong);
    let idle = idle.into_iter().map(|(word, place)| format!("`{word}` is not in {place}"));
    none("an exception that is no longer needed: take it out of EXCEPTIONS", idle.collect());
}

#[test]
fn words_in_use_are_names_in_the_code_of_their_crate() {
    let mut names: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let (mut wrong, mut checked) = (Vec::new(), 0);
    for row in rows("## Words in use") {
        let [word, _, place] = &row[..] else { panic!("three columns: {row:?}") };
        for word in quoted(word) {
            let place = quoted(place).first().map_or("crates".to_owned(), |place| (*place).to_owned());
            let known = names.entry(place.clone()).or_insert_with_key(|place| {
                let inside = |source: &Source| source.path.starts_with(&format!("{place}/"));
                all_code().iter().filter(|source| inside(source)).flat_map(|source| identifiers(&source.text)).collect()
            });
            checked += 1;
            if !known.contains(word) {
                wrong.push(format!("`{word}` in {place}"));
            }
        }
    }
    assert!(checked > 20, "the table is no longer read");
    none("docs/vocabulary.md names what is not there", wrong);
}

/// Sources and tests of every crate.
fn all_code() -> Vec<Source> {
    tree().sources(&["crates"], "rs").unwrap()
}

/// The words out of use that a file uses, with the names it uses them in.
fn found<'a>(source: &Source, words: &'a [String]) -> BTreeMap<&'a str, Vec<String>> {
    let names = identifiers(&source.text);
    let file = source.path.rsplit('/').next().unwrap_or_default();
    let code = without_texts(&source.text).split_whitespace().collect::<Vec<_>>().join(" ");
    let stem = file.trim_end_matches(".rs").to_owned();
    let mut found = BTreeMap::new();
    for word in words {
        let hits: Vec<_> = if word.ends_with(".rs") {
            (file == word).then(|| file.to_owned()).into_iter().collect()
        } else if !word.chars().all(|c| c.is_alphanumeric() || c == '_') {
            let ends = |at: usize| !code[at + word.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_');
            let written = code.match_indices(word.as_str()).any(|(at, _)| word.ends_with(')') || ends(at));
            written.then(|| word.clone()).into_iter().collect()
        } else if word.starts_with(char::is_uppercase) {
            names.get(word).cloned().into_iter().collect()
        } else {
            names.iter().chain([&stem]).filter(|name| has_part(name, word)).cloned().collect()
        };
        if !hits.is_empty() {
            found.insert(word.as_str(), hits);
        }
    }
    found
}

/// Whether `word` (`door`, `single_use`) is a part of a name (`BotDoor`, `bot_door`). Names of many words are sentences.
fn has_part(name: &str, word: &str) -> bool {
    const SENTENCE: usize = 5;
    let mut parts = vec![String::new()];
    let mut after_small = false;
    for c in name.chars() {
        if c == '_' || (c.is_uppercase() && after_small) {
            parts.push(String::new());
        }
        if c != '_' {
            parts.last_mut().unwrap().extend(c.to_lowercase());
        }
        after_small = c.is_lowercase() || c.is_numeric();
    }
    parts.retain(|part| !part.is_empty());
    let word: Vec<_> = word.split('_').collect();
    parts.len() < SENTENCE && parts.windows(word.len()).any(|window| window == word)
}

fn not_used() -> Vec<String> {
    let words: Vec<_> = rows("## Words not in use")
        .iter()
        .flat_map(|row| quoted(&row[0]).into_iter().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    assert!(words.len() > 20, "the table is no longer read: {words:?}");
    words
}

/// The rows of the table under a heading, without its head.
fn rows(heading: &str) -> Vec<Vec<String>> {
    let page = tree().read("docs/vocabulary.md").unwrap();
    let section = page.split(heading).nth(1).unwrap().split("\n## ").next().unwrap();
    let table = section.lines().filter(|line| line.starts_with('|')).skip(2);
    table.map(|line| line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect()).collect()
}

/// What stands in back-quotes.
fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

#[test]
fn a_word_is_seen_inside_names_and_not_inside_other_words_or_sentences() {
    for name in ["BotDoor", "bot_door", "DOOR", "door", "Door2"] {
        assert!(has_part(name, "door") != (name == "Door2"), "{name}");
    }
    for name in ["doorway", "Indoor", "every_door_leads_to_one_user"] {
        assert!(!has_part(name, "door"), "{name}");
    }
    assert!(has_part("SingleUse", "single_use") && has_part("is_single_use", "single_use"));
    let words = ["Parts", "once.rs", "struct Setup", ".secrets()"].map(str::to_owned);
    let file = |path: &str, text: &str| Source { path: path.to_owned(), text: text.to_owned() };
    let hits = found(&file("a/once.rs", "struct\n Setup; fn f(p: PartsOf) { it.secrets() } // Parts"), &words);
    assert_eq!(hits.keys().copied().collect::<Vec<_>>(), [".secrets()", "once.rs", "struct Setup"]);
    assert!(found(&file("a/b.rs", "struct SetupView; \"Parts\""), &words).is_empty());
}
