//! Lists that go over several pages: where one begins, and the way on. The place is sealed, and good for its own list alone.

use maud::{Markup, html};
use serde::{Serialize, de::DeserializeOwned};
use url::form_urlencoded::{Serializer, parse};
use userd_web::{Problem, problem::table};

use crate::{
    parts,
    visit::{Query, Visit},
};

/// Where in a list the page begins.
pub(super) fn place<T: DeserializeOwned>(visit: &Visit, query: &Query, list: &str) -> Result<Option<T>, Problem> {
    match query.text("cursor") {
        "" => Ok(None),
        text => visit.site.cursors.open(list, text).map(Some).ok_or_else(|| Problem::of(&table::INVALID_CURSOR)),
    }
}

/// What stands below a list: that nothing fits, and the way on.
pub(super) fn onward<T: Serialize>(visit: &Visit, list: &str, is_empty: bool, next: Option<&T>) -> Markup {
    let t = &visit.texts.admin.frame;
    let (path, query) = visit.here.split_once('?').unwrap_or((&visit.here, ""));
    let kept = || parse(query.as_bytes()).filter(|(name, _)| !matches!(&**name, "cursor" | "done" | "told"));
    let address = |cursor: Option<&str>| {
        let mut made = Serializer::new(String::new());
        made.extend_pairs(kept()).extend_pairs(cursor.map(|cursor| ("cursor", cursor)));
        format!("{path}?{}", made.finish())
    };
    let next = next.and_then(|place| visit.site.cursors.seal(list, place));
    html! {
        @if is_empty { (parts::note(if next.is_some() { t.goes_on } else { t.nothing })) }
        p.row {
            @if query.contains("cursor=") { a.button.quiet href=(address(None)) { (t.first_page) } }
            @if let Some(next) = next { a.button.quiet href=(address(Some(&next))) rel="next" { (t.next_page) } }
        }
    }
}
