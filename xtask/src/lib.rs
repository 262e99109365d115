//! Chores of the house that are worth testing: the repository's files, and the pages generated from them.
//!
//! Deliberately absent: anything that the service needs. Nothing here is shipped.

pub mod pages;
pub mod security;
pub mod tree;
