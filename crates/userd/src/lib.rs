//! The binary as a library: configuration, logs, wiring and the command line, so that tests start what users start.

pub mod cli;
pub mod commands;
pub mod config;
pub mod import;
pub mod logging;
pub mod reload;
pub mod run;
pub mod serve;
pub mod signals;
pub mod terminal;
pub mod traces;
pub mod viewer;
pub mod wiring;
