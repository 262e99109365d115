//! Settings of the process, made before it serves: how a panic is logged, how many files may be open, and who may
//! read those that are made.

use rustix::{
    fs::Mode,
    process::{Resource, Rlimit, getrlimit, setrlimit, umask},
};

/// Logs only where a panic happened: its message can contain what a caller sent.
pub fn log_panics_without_message() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "a panic: this is a fault of the program, please report it");
    }));
}

/// Files that are made from now on are not for everybody: log, database, backups. What was stricter stays.
pub fn keep_files_from_others() {
    let others = Mode::WGRP | Mode::RWXO;
    let before = umask(others);
    umask(before | others);
}

/// Raises the limit of open files, of which every connection is one, to what the system allows. Answers the limit.
pub fn raise_file_limit() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
        let _ = setrlimit(Resource::Nofile, raised);
    }
    getrlimit(Resource::Nofile).current
}
