//! Whether the order of keys is the order that is wanted. The emulator sorts nothing.

use super::{
    access::Access,
    bound::{Bound, Kind},
};
use crate::failure::{Failure, Outcome};

/// How to go through the stretches.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) descending: bool,
    /// Single rows of many keys: these few are sorted in memory.
    pub(crate) in_memory: bool,
}

/// Checks ORDER BY of the first source against the columns of the key that is read.
pub(crate) fn order(wanted: &[(Bound, bool)], key: &[usize], access: &Access, what: &str) -> Outcome<Order> {
    let descending = wanted.first().is_some_and(|(_, descending)| *descending);
    let points = access.fixed >= key.len();
    if wanted.is_empty() || (points && access.ranges.len() > 1) {
        return Ok(Order { descending: false, in_memory: !wanted.is_empty() });
    }
    if !access.bounded && wanted.is_empty() {
        return Err(Failure::full_scan(format!("full scan of {what}")));
    }
    if wanted.iter().any(|(_, other)| *other != descending) {
        return Err(Failure::full_scan(format!("{what}: no index has both directions; the result would be sorted")));
    }
    let mut following = key.iter().filter(|column| !access.pinned.contains(column));
    for (bound, _) in wanted {
        let Kind::Column(0, column) = bound.kind else {
            return Err(Failure::full_scan(format!("{what}: ordered by what is no column of it")));
        };
        if access.pinned.contains(&column) {
            continue;
        }
        match following.next() {
            // The whole key is given by what came before: nothing is left to order.
            None => break,
            Some(next) if *next == column => {}
            Some(_) => {
                return Err(Failure::full_scan(format!(
                    "{what}: its order is another one; the result would be sorted"
                )));
            }
        }
    }
    if access.ranges.len() > 1 {
        return Err(Failure::full_scan(format!("{what}: several stretches, whose union has no order")));
    }
    Ok(Order { descending, in_memory: false })
}
