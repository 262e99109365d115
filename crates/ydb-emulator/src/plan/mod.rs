//! From trees to what can be run: types checked, names resolved, and a stretch of keys for every table that is read.

mod access;
mod bind;
mod bound;
mod evaluate;
mod functions;
mod order;

use std::collections::BTreeMap;

pub(crate) use access::access;
pub(crate) use bind::{Scope, SourceShape, assign, bind, conjuncts, limit};
pub(crate) use bound::{Bound, Kind};
pub(crate) use evaluate::{evaluate, is_true};
pub(crate) use functions::aggregate;
pub(crate) use order::order;

use crate::value::{Type, Value};

/// Values by name: parameters, and what the text names itself.
pub(crate) type Parameters = BTreeMap<String, (Type, Value)>;
