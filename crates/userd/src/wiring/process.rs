//! What the process itself is set to before it serves: how it tells a panic, and how many files it may open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Lets panics be told by their place alone: what a panic says can hold what a caller sent.
pub fn tell_panics_by_place() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "a panic: this is a fault of the program, please report it");
    }));
}

/// Raises the limit of open files to what the system allows: every connection is one. Answers the limit.
pub fn open_many_files() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
        let _ = setrlimit(Resource::Nofile, raised);
    }
    getrlimit(Resource::Nofile).current
}
