//! Words of a YQL text.

use crate::failure::{Failure, Outcome};

/// A word and where it begins.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) at: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// A name or a keyword.
    Word(String),
    /// A name in backquotes.
    Quoted(String),
    /// `$name`, without the dollar.
    Parameter(String),
    /// A text literal and its suffix: none (bytes), `u` (text), `j` (JSON) and so on.
    Text(String, String),
    /// Digits and a suffix.
    Number(String, String),
    /// One of the signs.
    Sign(&'static str),
    End,
}

/// Longer signs first.
const SIGNS: &[&str] = &[
    "<=", ">=", "==", "!=", "<>", "||", "??", "->", "::", "(", ")", ",", ";", ".", "=", "<", ">", "+", "-", "*", "/",
    "%", "?", "{", "}", "[", "]", ":", "|",
];

pub(super) fn tokens(text: &str) -> Outcome<Vec<Token>> {
    let mut found = Vec::new();
    let mut rest = text;
    loop {
        rest = skip_blank(rest)?;
        let at = text.len() - rest.len();
        if rest.is_empty() {
            found.push(Token { kind: Kind::End, at });
            return Ok(found);
        }
        let (kind, after) = next(rest).ok_or_else(|| {
            let (before, line) = (text.get(..at).unwrap_or_default(), rest.lines().next().unwrap_or_default());
            Failure::generic(format!("{}: cannot read `{line}`", position(before)))
        })?;
        found.push(Token { kind, at });
        rest = after;
    }
}

/// Line and column of the end of a text, from one.
pub(super) fn position(before: &str) -> String {
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
    format!("{line}:{column}")
}

fn skip_blank(mut rest: &str) -> Outcome<&str> {
    loop {
        rest = rest.trim_start();
        if let Some(comment) = rest.strip_prefix("--") {
            rest = comment.find('\n').and_then(|end| comment.get(end..)).unwrap_or_default();
        } else if let Some(comment) = rest.strip_prefix("/*") {
            let end = comment.find("*/").ok_or_else(|| Failure::generic("a comment without an end"))?;
            rest = comment.get(end + 2..).unwrap_or_default();
        } else {
            return Ok(rest);
        }
    }
}

fn next(rest: &str) -> Option<(Kind, &str)> {
    let first = rest.chars().next()?;
    match first {
        '`' => {
            let inner = rest.strip_prefix('`')?;
            let (name, after) = inner.split_once('`')?;
            Some((Kind::Quoted(name.to_owned()), after))
        }
        '"' | '\'' => text_literal(rest, first),
        '$' => {
            let (name, after) = word(rest.strip_prefix('$')?);
            let is_name = name.starts_with(|c: char| !c.is_ascii_digit());
            is_name.then(|| (Kind::Parameter(name.to_owned()), after))
        }
        c if c.is_ascii_digit() => {
            let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
            let (digits, after) = rest.split_at(end);
            let (suffix, after) = word(after);
            Some((Kind::Number(digits.to_owned(), suffix.to_owned()), after))
        }
        c if is_word(c) => {
            let (name, after) = word(rest);
            Some((Kind::Word(name.to_owned()), after))
        }
        _ => {
            let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign))?;
            Some((Kind::Sign(sign), rest.strip_prefix(sign)?))
        }
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn word(rest: &str) -> (&str, &str) {
    rest.split_at(rest.find(|c: char| !is_word(c)).unwrap_or(rest.len()))
}

fn text_literal(rest: &str, quote: char) -> Option<(Kind, &str)> {
    let mut text = String::new();
    let mut characters = rest.char_indices().skip(1);
    loop {
        let (at, c) = characters.next()?;
        match c {
            '\\' => text.push(match characters.next()?.1 {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                '0' => '\0',
                other => other,
            }),
            c if c == quote => {
                let (suffix, after) = word(rest.get(at + 1..)?);
                return Some((Kind::Text(text, suffix.to_owned()), after));
            }
            c => text.push(c),
        }
    }
}
