//! Words to the person at the terminal: answers on stdout, notices and questions on stderr, colours only where they
//! can be seen. Log lines are not here.

use std::{
    io::{self, BufRead, IsTerminal, Write},
    sync::OnceLock,
};

use serde::Serialize;

/// How a command answers.
#[derive(Clone, Copy, Debug)]
pub struct Terminal {
    /// JSON for scripts instead of words for people.
    pub json: bool,
}

impl Terminal {
    /// Answers with `value` as JSON, or with `words`.
    pub fn answer(self, value: &impl Serialize, words: impl FnOnce() -> String) {
        if self.json {
            out(&serde_json::to_string_pretty(value).unwrap_or_else(|_| "null".to_owned()));
        } else {
            out(&words());
        }
    }

    /// The same where the answer holds a secret that is shown this once; `again` makes another.
    ///
    /// # Errors
    /// Nobody saw it, whoever closed the pipe included: what is lost, and `again`.
    pub fn answer_secret(
        self,
        value: &impl Serialize,
        words: impl FnOnce() -> String,
        again: &str,
    ) -> Result<(), String> {
        self.answer(value, words);
        match unwritten() {
            None => Ok(()),
            Some(fault) => Err(format!("the secret was made and could not be shown ({fault}), it is lost: {again}")),
        }
    }
}

/// The first write to stdout that failed: of the process, as stdout is. Whoever answers need not look; the end does.
static UNWRITTEN: OnceLock<io::Error> = OnceLock::new();

/// A line on stdout, which is there or told as [`unwritten`].
pub fn out(text: &str) {
    let mut stdout = io::stdout().lock();
    if let Err(fault) = writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
        let _first = UNWRITTEN.set(fault);
    }
}

/// Why not all that was answered is on stdout: nobody reads on, or there is no room.
#[must_use]
pub fn unwritten() -> Option<&'static io::Error> {
    UNWRITTEN.get()
}

/// A line on stderr, for people; never in the log, so that it may hold a secret meant for whoever sits here.
pub fn notice(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Asks for a password: from stdin as one line when `from_stdin`, else from the terminal without echo, twice.
///
/// # Errors
/// No terminal, no input, or two different passwords; the message says what to do.
pub fn ask_password(from_stdin: bool) -> Result<String, String> {
    if from_stdin {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).map_err(|error| error.to_string())?;
        let password = line.trim_end_matches(['\r', '\n']);
        return if password.is_empty() { Err("no password came on stdin".to_owned()) } else { Ok(password.to_owned()) };
    }
    if !std::io::stdin().is_terminal() {
        return Err("there is no terminal to ask on: give the password with --password-stdin".to_owned());
    }
    let ask = |prompt: &str| rpassword::prompt_password(prompt).map_err(|error| error.to_string());
    let first = ask("Password: ")?;
    let second = ask("Again: ")?;
    if first == second { Ok(first) } else { Err("the two passwords differ".to_owned()) }
}

/// Lines of columns, each as wide as its widest cell.
#[must_use]
pub fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain(head.get(column).map(|cell| cell.chars().count())).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded: Vec<String> = cells.zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        padded.join("  ").trim_end().to_owned()
    };
    let mut lines = vec![line(&mut head.iter().copied())];
    lines.extend(rows.iter().map(|row| line(&mut row.iter().map(String::as_str))));
    lines.join("\n")
}
