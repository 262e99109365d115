//! The two parameters of every list.

use serde::{Deserialize, Deserializer, Serialize, de};
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
    /// The page of a list that is short enough to be read as a whole, and its `next_cursor`. It is in the order of `key`,
    /// which no two items share: what comes or goes meanwhile neither repeats nor hides another item.
    ///
    /// # Errors
    /// `invalid_cursor`.
    pub fn of<T, K>(
        &self,
        cursors: &Cursors,
        list: &str,
        mut items: Vec<T>,
        key: impl Fn(&T) -> K,
    ) -> Result<(Vec<T>, Option<String>), Problem>
    where
        K: Ord + Serialize + de::DeserializeOwned,
    {
        items.sort_by_key(&key);
        if let Some(after) = self.after::<K>(cursors, list)? {
            items.retain(|item| key(item) > after);
        }
        let further = items.split_off(items.len().min(self.limit.get()));
        let last = items.last().filter(|_| !further.is_empty());
        let next_cursor = last.and_then(|last| cursors.seal(list, &key(last)));
        Ok((items, next_cursor))
    }

    /// The position to continue after; see [`CursorText::open`].
    ///
    /// # Errors
    /// `invalid_cursor`.
    pub fn after<T: de::DeserializeOwned>(&self, cursors: &Cursors, list: &str) -> Result<Option<T>, Problem> {
        self.cursor.as_ref().map(|cursor| cursor.open(cursors, list)).transpose()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    fn page(limit: u16, cursor: Option<String>) -> PageQuery {
        PageQuery { limit: Limit(limit), cursor: cursor.map(CursorText) }
    }

    /// Each item is shown once, whatever comes and goes between two pages, the last one shown among it.
    #[test]
    fn a_short_list_is_paged_past_what_comes_and_goes() {
        let cursors = Cursors::new(&[7; 32]);
        let of = |page: &PageQuery, items: Vec<i64>| page.of(&cursors, "things", items, |item| *item);
        let (first, next) = of(&page(2, None), vec![50, 10, 40, 20]).unwrap();
        assert_eq!(first, [10, 20]);
        let (second, next) = of(&page(2, next), vec![5, 10, 30, 40, 50]).unwrap();
        assert_eq!(second, [30, 40]);
        let (third, end) = of(&page(2, next.clone()), vec![10, 50]).unwrap();
        assert_eq!((third.as_slice(), end), (&[50][..], None));
        assert_eq!(of(&page(2, next.clone()), vec![10]).unwrap(), (vec![], None));
        assert_eq!(of(&page(4, None), vec![1, 2, 3, 4]).unwrap().1, None, "a page that is just full is the last");
        assert!(page(2, next).of(&cursors, "others", vec![1_i64], |item| *item).is_err());
        assert!(of(&page(2, Some("x".to_owned())), vec![1]).is_err());
    }
}
