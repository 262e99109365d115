//! Rows of files as objects, one at a time: CSV with a head, JSON Lines, a JSON array, or an array by its name in a JSON
//! object. What stands beside that array is passed over without being kept.

use std::{
    fmt,
    io::{BufRead, Read},
};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// A row.
pub(super) type Object = Map<String, Value>;

/// The longest row of a text of lines.
const LONGEST_LINE: u64 = 1 << 20;

/// How rows stand in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Csv,
    JsonLines,
    /// An array, or an object with an array of this name in it.
    Json(&'static str),
}

/// Takes a row, or why it is none; false: no more are wanted.
type Each<'a> = &'a mut dyn FnMut(Result<Object, String>) -> bool;

/// Reads every row.
///
/// # Errors
/// What is wrong with the file as a whole.
pub(super) fn read(format: Format, input: impl BufRead, each: Each<'_>) -> Result<(), String> {
    match format {
        Format::Csv => csv_rows(input, each),
        Format::JsonLines => lines(input, each),
        Format::Json(name) => array(name, input, each),
    }
}

fn csv_rows(input: impl Read, each: Each<'_>) -> Result<(), String> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(input);
    let head = reader.headers().map_err(|error| format!("the head of the CSV file: {error}"))?.clone();
    if let Some(twice) =
        head.iter().enumerate().find_map(|(at, name)| head.iter().take(at).find(|other| *other == name))
    {
        return Err(format!("the head of the CSV file: the column `{twice}` stands twice"));
    }
    for record in reader.records() {
        // An empty field is one that is not there.
        let object = record.map_err(|error| error.to_string()).map(|record| {
            let fields = head.iter().zip(record.iter()).filter(|(_, value)| !value.is_empty());
            fields.map(|(name, value)| (name.to_owned(), Value::from(value))).collect()
        });
        if !each(object) {
            return Ok(());
        }
    }
    Ok(())
}

fn lines(mut input: impl BufRead, each: Each<'_>) -> Result<(), String> {
    let mut line = Vec::new();
    loop {
        line.clear();
        let count = (&mut input).take(LONGEST_LINE).read_until(b'\n', &mut line).map_err(|error| error.to_string())?;
        if count == 0 {
            return Ok(());
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let object = serde_json::from_slice(&line).map_err(|error| format!("not a JSON object: {error}"));
        if !each(object) {
            return Ok(());
        }
    }
}

fn array(name: &'static str, input: impl Read, each: Each<'_>) -> Result<(), String> {
    let mut reader = serde_json::Deserializer::from_reader(input);
    Array { each, name, is_inner: false }.deserialize(&mut reader).map_err(|error| error.to_string())
}

/// Hands each element over as soon as it is read.
struct Array<'a, 'b> {
    each: &'a mut (dyn FnMut(Result<Object, String>) -> bool + 'b),
    name: &'static str,
    is_inner: bool,
}

impl<'de> DeserializeSeed<'de> for Array<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Array<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an array of objects, or an object with the array `{}`", self.name)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        while let Some(element) = elements.next_element::<Value>()? {
            let object = match element {
                Value::Object(object) => Ok(object),
                _ => Err("not a JSON object".to_owned()),
            };
            if !(self.each)(object) {
                break;
            }
        }
        // Whoever stops early leaves the rest unread, which is then no error of the file.
        while elements.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut found = false;
        let name = self.name;
        while let Some(member) = members.next_key::<String>()? {
            if member == name && !self.is_inner && !found {
                found = true;
                members.next_value_seed(Array { each: &mut *self.each, name, is_inner: true })?;
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        if found { Ok(()) } else { Err(serde::de::Error::custom(format!("there is no array `{name}` in it"))) }
    }
}

#[cfg(test)]
mod tests;
