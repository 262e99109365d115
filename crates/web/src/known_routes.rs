//! What the layer knows of each route. Deliberately absent: methods, handlers and access.

use std::{collections::HashMap, time::Duration};

use crate::metrics::RouteMeters;

/// The label of requests that match no route.
const UNMATCHED: &str = "unmatched";

/// What the layer must know of a route.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RouteTraits {
    /// The path template, e.g. `/v1/users/{id}`; also the label in metrics and in the log.
    pub path: &'static str,
    /// Hashes a password: the connection that asked has low priority afterwards (`server/low_priority.rs`).
    pub hashes: bool,
    /// Pages of configured origins may call it with cookies.
    pub cross_origin_cookies: bool,
    /// Asked every few seconds by machines, whose lines would hide the others in the log.
    pub probe: bool,
    /// Its GET changes something, as a browser's way to a provider and back must; HEAD does not come to its handler.
    pub changed_by_get: bool,
    /// Its answer may be held back this long: the deadline of a request comes so much later.
    pub waits: Duration,
}

/// All routes, by path.
pub(crate) struct KnownRoutes {
    by_path: HashMap<&'static str, KnownRoute>,
    unmatched: KnownRoute,
}

pub(crate) struct KnownRoute {
    pub(crate) traits: RouteTraits,
    pub(crate) meters: RouteMeters,
}

impl KnownRoutes {
    /// A path may come once per method; what one method has, the path has.
    pub(crate) fn new(routes: impl IntoIterator<Item = RouteTraits>) -> Self {
        let mut by_path = HashMap::new();
        for traits in routes {
            let known = by_path.entry(traits.path).or_insert_with(|| KnownRoute::new(traits));
            known.traits.hashes |= traits.hashes;
            known.traits.cross_origin_cookies |= traits.cross_origin_cookies;
            known.traits.probe |= traits.probe;
            known.traits.changed_by_get |= traits.changed_by_get;
            known.traits.waits = known.traits.waits.max(traits.waits);
        }
        Self { by_path, unmatched: KnownRoute::new(RouteTraits { path: UNMATCHED, ..RouteTraits::default() }) }
    }

    /// The route of a matched path.
    pub(crate) fn of(&self, matched: Option<&str>) -> &KnownRoute {
        matched.and_then(|path| self.by_path.get(path)).unwrap_or(&self.unmatched)
    }
}

impl KnownRoute {
    fn new(traits: RouteTraits) -> Self {
        Self { traits, meters: RouteMeters::new(traits.path) }
    }
}
