//! The API: which routes there are, who may call them, and what is documented about them.
//!
//! Handlers parse, call one service and translate. Deliberately absent: what holds for every request (`web`: problems,
//! strict parsing, ids, limits of size and time, headers, metrics, the server), rules, SQL, configuration files, and
//! any decision about who may do what.

pub mod api;
mod docs_page;
pub mod documentation;
pub mod documented;
mod link_page;
mod openapi;
pub mod policy;
pub mod router;
pub mod routes;

pub use api::{Api, BuildInfo, PartState, Readiness};
