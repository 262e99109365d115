//! An address as people read it: with the place where it is, where that is known.

use crate::visit::Visit;

/// The place and the address, or the address alone.
pub(crate) fn address(visit: &Visit, ip: &str) -> String {
    match visit.site.services.deps.place_of(ip, visit.language) {
        Some(place) => format!("{place} · {ip}"),
        None => ip.to_owned(),
    }
}
