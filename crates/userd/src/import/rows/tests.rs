//! Rows are handed over while the file is still being read: that memory is flat follows.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop at the first surprise")]

use std::{cell::Cell, io::BufReader, rc::Rc};

use super::*;

const ROWS: usize = 20_000;

/// The row of a number.
type MakeRow = fn(usize) -> String;

/// A file that is made while it is read.
struct Growing {
    head: &'static str,
    row: MakeRow,
    end: &'static str,
    next: usize,
    made: Vec<u8>,
    given: Rc<Cell<usize>>,
}

impl Read for Growing {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        if self.made.is_empty() {
            let made = match self.next {
                0 => self.head.to_owned(),
                number if number <= ROWS => (self.row)(number),
                number if number == ROWS + 1 => self.end.to_owned(),
                _ => String::new(),
            };
            self.next += 1;
            self.made = made.into_bytes();
        }
        let count = self.made.len().min(into.len());
        into[..count].copy_from_slice(&self.made[..count]);
        self.made.drain(..count);
        self.given.set(self.given.get() + count);
        Ok(count)
    }
}

#[test]
fn no_format_is_read_further_than_a_buffer_ahead_of_the_row_that_is_handed_over() {
    let csv = |number: usize| format!("{number},a{number}@example.org\n");
    let line = |number: usize| format!("{{\"id\": {number}, \"email\": \"a{number}@example.org\"}}\n");
    let element = |number: usize| {
        let comma = if number == 1 { "" } else { "," };
        format!("{comma}\n{{\"id\": {number}, \"email\": \"a{number}@example.org\"}}")
    };
    let formats: [(Format, &str, MakeRow, &str); 4] = [
        (Format::Csv, "id,email\n", csv, ""),
        (Format::JsonLines, "\n", line, ""),
        (Format::Json("users"), "[", element, "]"),
        (Format::Json("users"), "{\"realm\": {\"users\": []}, \"users\": [", element, "], \"more\": [1]}"),
    ];
    for (format, head, row, end) in formats {
        let given = Rc::new(Cell::new(0));
        let growing = Growing { head, row, end, next: 0, made: Vec::new(), given: Rc::clone(&given) };
        let (mut came, mut seen, mut ahead) = (0, head.len(), 0);
        let done = read(format, BufReader::new(growing), &mut |object| {
            came += 1;
            assert_eq!(plain_email(&object.unwrap()), format!("a{came}@example.org"));
            seen += row(came).len();
            ahead = ahead.max(given.get().saturating_sub(seen));
            true
        });
        assert_eq!((done, came), (Ok(()), ROWS), "{format:?}");
        assert!(ahead <= 2 * 8192, "{format:?}: {ahead} bytes ahead");
    }
}

fn plain_email(object: &Object) -> String {
    object["email"].as_str().unwrap().to_owned()
}
