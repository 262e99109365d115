//! The house keeps its own rules: arrows between rooms, size and heads of files, licences, lists in the documentation.
//! Each test reads the repository as text and names every offender. Deliberately absent: rules that a lint can check.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod arrows;
mod changes;
mod circles;
mod components;
mod cryptography;
mod dependencies;
mod documentation;
mod files;
mod inner_arrows;
mod named;
mod outside;
mod rules;
mod scripts;
mod security_tables;
mod source;
mod told;
mod words;
