//! The engine for YDB. `yql` says declared statements and schema steps in its language and needs nothing else; with
//! the feature `sdk` there is the engine, on the official client library.
//!
//! Deliberately absent: users, and a loop that runs a unit of work again: the store has it. What the client library
//! would do by itself (run again, wait for ever, write parameters to the log) it is kept from.

#![cfg_attr(feature = "sdk", recursion_limit = "256")]

pub mod address;
#[cfg(feature = "sdk")]
pub mod engine;
pub mod yql;

#[cfg(feature = "sdk")]
pub use engine::{YdbEngine, YdbOptions};
