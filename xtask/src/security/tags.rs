//! Finds the rows that tests name. A tag is a comment line directly above a test that starts with the row's id:
//! `/// AC-074: HS256 signed with our public key.`, `/// ASVS V9.1.2` or `/// F22: a compromised key`; several ids may stand
//! before the colon.

use crate::tree::Source;

/// A test that shows a row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tagged {
    /// Its file, from the root.
    pub path: String,
    /// Its function.
    pub name: String,
}

/// Every id that a test of this file names.
///
/// # Errors
/// A tag with no test under it, which would show nothing.
pub(super) fn read(source: &Source) -> Result<Vec<(String, Tagged)>, String> {
    let mut found = Vec::new();
    let mut waiting: Vec<String> = Vec::new();
    for (number, line) in source.text.lines().enumerate() {
        let line = line.trim();
        if let Some(comment) = comment(line) {
            waiting.extend(ids(comment));
        } else if waiting.is_empty() || line.starts_with("#[") || line.starts_with('@') {
            // Between a tag and its test: nothing, or attributes.
        } else if let Some(name) = function(line) {
            let test = Tagged { path: source.path.clone(), name: name.to_owned() };
            found.extend(waiting.drain(..).map(|id| (id, test.clone())));
        } else if line.is_empty() || !is_end_of_attribute(line) {
            return Err(format!("{}:{}: {} stands above no test", source.path, number + 1, waiting.join(", ")));
        }
    }
    Ok(found)
}

/// The text of a comment line.
fn comment(line: &str) -> Option<&str> {
    let text = line.strip_prefix("///").or_else(|| line.strip_prefix("//")).or_else(|| line.strip_prefix("# "))?;
    (!text.starts_with('!')).then(|| text.trim())
}

/// The ids that a comment starts with: `AC-001, AC-002: …`, `ASVS V1.2.3, V1.2.4`, `F05, F06: …`.
fn ids(comment: &str) -> Vec<String> {
    let (is_id, rest): (fn(&str) -> bool, _) = match comment.strip_prefix("ASVS ") {
        Some(rest) => (is_requirement, rest),
        None => (|word| is_abuse_case(word) || is_fault(word), comment),
    };
    let head = rest.split([':', ';']).next().unwrap_or_default();
    let words = head.split([',', ' ']).map(|word| word.trim_end_matches('.')).filter(|word| !word.is_empty());
    words.take_while(|word| is_id(word)).map(str::to_owned).collect()
}

fn is_abuse_case(word: &str) -> bool {
    is_number(word, "AC-", 3)
}

fn is_fault(word: &str) -> bool {
    is_number(word, "F", 2)
}

fn is_number(word: &str, prefix: &str, digits: usize) -> bool {
    word.strip_prefix(prefix).is_some_and(|number| number.len() == digits && number.bytes().all(|b| b.is_ascii_digit()))
}

fn is_requirement(word: &str) -> bool {
    word.strip_prefix('V').is_some_and(|numbers| {
        let numbers: Vec<_> = numbers.split('.').collect();
        numbers.len() == 3 && numbers.iter().all(|number| number.parse::<u8>().is_ok())
    })
}

/// The name of the function that this line begins: Rust `fn`, Python `def`, or Node's `test('…')`.
fn function(line: &str) -> Option<&str> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    for word in ["fn ", "def "] {
        if let Some((before, rest)) = line.split_once(word)
            && before.split_whitespace().all(|word| matches!(word, "pub" | "pub(crate)" | "pub(super)" | "async"))
        {
            return rest.split(|c| !is_name(c)).next();
        }
    }
    let (quote, rest) = line.strip_prefix("test(").and_then(|rest| Some((rest.chars().next()?, rest.get(1..)?)))?;
    rest.split(quote).next()
}

/// An attribute may go over several lines.
fn is_end_of_attribute(line: &str) -> bool {
    line.ends_with(")]") || line.ends_with(',') || line.ends_with('(')
}
