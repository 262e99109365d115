//! HTTP: requests in, answers out.
//!
//! Handlers parse, call one service and translate; the conventions around them (problems, strict parsing, ids, limits
//! of size and time, headers, metrics) each have one file here. Deliberately absent: rules, SQL, configuration files,
//! and any decision about who may do what.

pub mod api;
mod attempt_cookie;
mod caller;
pub mod client_address;
pub mod cors;
pub mod cursor;
mod docs_page;
pub mod extract;
pub mod metrics;
pub mod middleware;
mod openapi;
pub mod policy;
pub mod problem;
pub mod request_id;
pub mod router;
pub mod routes;
mod security_headers;
pub mod server;

pub use api::{Api, BuildInfo, Draining, HttpOptions, PartState, Readiness};
pub use problem::Problem;
