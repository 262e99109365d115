//! Settings of the process, made before it serves: how a panic is logged, and how many files may be open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Logs only where a panic happened: its message can contain what a caller sent.
pub fn log_panics_without_message() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "a panic: this is a fault of the program, please report it");
    }));
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
