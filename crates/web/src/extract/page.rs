//! The two parameters of every list.

use serde::{Deserialize, Deserializer, de};
use utoipa::IntoParams;

use crate::{
    cursor::Cursors,
    problem::{Problem, table},
};

/// How many items a page has: 1 to 200, 50 when not said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit(u16);

impl Limit {
    /// As a count for repositories.
    #[must_use]
    pub fn get(self) -> usize {
        usize::from(self.0)
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self(50)
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u16::deserialize(deserializer)? {
            limit @ 1..=200 => Ok(Self(limit)),
            _ => Err(de::Error::custom("expected a number from 1 to 200")),
        }
    }
}

/// A cursor as the client sent it: not yet trusted.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub struct CursorText(String);

impl CursorText {
    /// Whether it is this word instead of a cursor.
    #[must_use]
    pub fn is(&self, word: &str) -> bool {
        self.0 == word
    }

    /// Opens the cursor, which must have been made for the same `list` (its name and its filters).
    ///
    /// # Errors
    /// `invalid_cursor` for anything that this service did not make for this list.
    pub fn open<T: de::DeserializeOwned>(&self, cursors: &Cursors, list: &str) -> Result<T, Problem> {
        cursors.open(list, &self.0).ok_or_else(|| Problem::of(&table::INVALID_CURSOR))
    }
}

/// `?limit=` and `?cursor=`, for lists without filters. A list with filters has both fields in its own struct
/// (`deny_unknown_fields` and `flatten` do not go together).
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Items per page, 1 to 200.
    #[serde(default)]
    #[param(value_type = Option<u16>, minimum = 1, maximum = 200, default = 50)]
    pub limit: Limit,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    pub cursor: Option<CursorText>,
}

impl PageQuery {
    /// The position to continue after; see [`CursorText::open`].
    ///
    /// # Errors
    /// `invalid_cursor`.
    pub fn after<T: de::DeserializeOwned>(&self, cursors: &Cursors, list: &str) -> Result<Option<T>, Problem> {
        self.cursor.as_ref().map(|cursor| cursor.open(cursors, list)).transpose()
    }
}
