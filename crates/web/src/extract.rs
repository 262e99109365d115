//! Extractors: everything a handler takes from a request, parsed strictly and refused with a [`Problem`].
//! Deliberately absent: rules (the model has them) and authentication (who a token belongs to is a service's answer).
//!
//! [`Problem`]: crate::problem::Problem

mod conditional;
mod credentials;
mod json;
mod members;
mod page;
mod pairs;
mod path;
mod raw;
mod strict_json;

pub use conditional::{IdempotencyKey, IfMatch, Precondition};
pub use credentials::{BasicAuth, Bearer};
pub use json::{Json, LargeJson, MAX_BODY, wanted};
pub use members::object;
pub use page::{CursorText, Limit, PageQuery};
pub use pairs::{Form, Query};
pub use path::Path;
pub use raw::{RawBody, RawForm, RawJson};
