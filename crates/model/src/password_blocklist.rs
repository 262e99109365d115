//! The passwords that are guessed first. Rules about a user's own words are not here (`password`).
//!
//! The list is part of the binary: sorted, lower case, one entry per line, searched in place.

use std::sync::OnceLock;

/// Where the list comes from and under which licence is said in its first lines, which start with `#`.
const LIST: &str = include_str!("common_passwords.txt");

/// Whether the list has the password whose lower-cased characters `folded` gives. Reads the characters a few times
/// and keeps none.
pub(crate) fn contains(folded: impl Iterator<Item = char> + Clone) -> bool {
    entries().binary_search_by(|entry| entry.chars().cmp(folded.clone())).is_ok()
}

/// The entries, in order of their code points.
pub fn entries() -> &'static [&'static str] {
    static ENTRIES: OnceLock<Vec<&'static str>> = OnceLock::new();
    ENTRIES.get_or_init(|| LIST.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect())
}
