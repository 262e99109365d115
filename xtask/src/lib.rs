//! Chores of this repository that are worth testing: the repository's files, and the pages generated from them,
//! and the load harness.
//!
//! Deliberately absent: anything that the service needs. Nothing here is shipped.

pub mod bench;
pub mod mutants;
pub mod pages;
pub mod security;
pub mod stand_ins;
pub mod statements;
pub mod tree;
pub mod ydb;
