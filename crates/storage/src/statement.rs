//! A statement is a constant: a name, one SQL text in the portable subset, and the kinds of what goes in and out.
//!
//! Placeholders are `$1, $2 …` on every engine. The statements of repositories are shapes over declared tables
//! (`tables/shape.rs`), which write the text.

use std::sync::OnceLock;

use crate::{Kind, tables::Declared};

/// One SQL statement. All of them are enumerable through [`crate::repositories::statements`].
#[derive(Debug)]
pub struct Statement {
    /// Unique, `table.verb_object`, e.g. `users.by_id`: the metric label and the name in errors.
    pub name: &'static str,
    /// The text, the same for every engine that speaks SQL.
    pub sql: &'static str,
    /// The kind of each parameter, in order.
    pub parameters: &'static [Kind],
    /// The kind of each result column, in order; empty for a write.
    pub columns: &'static [Kind],
    /// What the text says, for engines with words of their own; tests have statements without it.
    pub declared: Option<Declared>,
    /// Filled on first use; the macro starts it empty.
    #[doc(hidden)]
    pub numbered: OnceLock<String>,
}

impl Statement {
    /// Whether this only reads. Writes outside a unit of work are refused by the store.
    #[must_use]
    pub fn is_read(&self) -> bool {
        self.sql.trim_start().starts_with("SELECT")
    }

    /// The table this is about: the name before the dot.
    #[must_use]
    pub fn table(&self) -> &'static str {
        self.name.split_once('.').map_or(self.name, |(table, _)| table)
    }

    /// The text with `?1` for `$1`. SQLite takes `$1` for a *named* parameter and numbers those by first appearance,
    /// so `SET a = $2 WHERE id = $1` would bind the wrong way round. Made once per statement.
    pub(crate) fn numbered_text(&self) -> &str {
        self.numbered.get_or_init(|| {
            let mut text = String::with_capacity(self.sql.len());
            let mut rest = self.sql.chars().peekable();
            while let Some(c) = rest.next() {
                let placeholder = c == '$' && rest.peek().is_some_and(char::is_ascii_digit);
                text.push(if placeholder { '?' } else { c });
            }
            text
        })
    }
}

/// Declares statements by their text: for tests of engines, which have tables of their own.
///
/// ```ignore
/// statements! {
///     BY_ID = "users.by_id": "SELECT id, status FROM users WHERE id = $1" (Uuid) -> (Uuid, Text);
///     REMOVE = "users.remove": "DELETE FROM users WHERE id = $1" (Uuid) -> ();
/// }
/// ```
#[macro_export]
macro_rules! statements {
    ($($name:ident = $label:literal : $sql:literal ($($parameter:ident),* $(,)?) -> ($($column:ident),* $(,)?);)+) => {
        $(
            static $name: $crate::Statement = $crate::Statement {
                name: $label,
                sql: $sql,
                parameters: &[$($crate::Kind::$parameter),*],
                columns: &[$($crate::Kind::$column),*],
                declared: None,
                numbered: ::std::sync::OnceLock::new(),
            };
        )+
        /// Every one of these statements.
        pub(crate) static ALL: &[&$crate::Statement] = &[$(&$name),+];
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(name: &'static str, sql: &'static str) -> Statement {
        Statement { name, sql, parameters: &[], columns: &[], declared: None, numbered: OnceLock::new() }
    }

    #[test]
    fn placeholders_are_numbered_and_nothing_else_is_touched() {
        for (sql, numbered) in [
            ("SELECT a FROM t WHERE b = $2 AND c = $10", "SELECT a FROM t WHERE b = ?2 AND c = ?10"),
            ("SELECT '$' || $1", "SELECT '$' || ?1"),
            ("SELECT $a, $", "SELECT $a, $"),
        ] {
            assert_eq!(made("t.any", sql).numbered_text(), numbered);
        }
    }

    #[test]
    fn a_statement_says_whether_it_reads_and_of_which_table() {
        for (sql, is_read) in
            [(" \n SELECT 1", true), ("INSERT INTO t (a) SELECT 1", false), ("UPDATE t SET a = 1", false), ("", false)]
        {
            assert_eq!(made("t.any", sql).is_read(), is_read, "{sql}");
        }
        assert_eq!((made("users.by_id", "").table(), made("users", "").table()), ("users", "users"));
    }
}
