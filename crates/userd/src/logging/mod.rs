//! The log: one line per event, for people or for machines, to the terminal and to a rotated file.
//!
//! A line is formatted by whoever logs and written by a thread of its own, so that a slow disk or a stuck terminal never
//! slows a request; what does not fit into the buffer is dropped and counted. Deliberately absent: what is worth logging,
//! which every room decides, and the environment, which is passed in.

mod colour;
mod escape;
mod file;
mod json;
mod layer;
mod line;
mod pretty;
mod writer;

use std::{
    io,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tracing::{Dispatch, Level, Metadata, level_filters::LevelFilter};
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::{
    filter::FilterFn,
    layer::{Layer, SubscriberExt as _},
    registry::Registry,
    reload,
    util::SubscriberInitExt as _,
};

pub use self::colour::ColourChoice;
use self::{
    layer::{Form, LogLayer, Sink},
    writer::Gathering,
};
use crate::{
    config::{LogConfig, LogFilter, LogFormat},
    traces::{self, TraceLayer, Traces},
};

/// Where lines for the console go and what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Console {
    /// Commands whose answer goes to the standard output log to the standard error.
    pub stream: Stream,
    /// Whether a person sees it.
    pub is_terminal: bool,
    /// Whether it may be coloured; see [`ColourChoice::decide`].
    pub colour: bool,
}

/// A standard stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output: the service.
    Stdout,
    /// Standard error: commands.
    Stderr,
}

/// Keeps the writing threads alive; on drop they write what is left, for at most a second.
#[must_use = "without it the last lines are lost"]
pub struct Guard {
    /// Dropped first: its last words are lines too.
    _traces: Option<Traces>,
    _workers: Vec<WorkerGuard>,
    drops: Vec<ErrorCounter>,
    lost: Arc<AtomicU64>,
    level: LevelHandle,
}

/// Which lines are written; can be changed while the log goes on.
#[derive(Clone)]
pub struct LevelHandle {
    handle: reload::Handle<Filter, Registry>,
    is_traced: bool,
}

type Filter = FilterFn<Box<dyn Fn(&Metadata<'_>) -> bool + Send + Sync>>;

impl LevelHandle {
    /// From the next line on.
    ///
    /// # Errors
    /// The log has ended.
    pub fn set(&self, level: &LogFilter) -> Result<(), reload::Error> {
        self.handle.reload(filter(level, self.is_traced))
    }
}

/// The log cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The file of `log.file` cannot be opened.
    #[error("log.file {path}: {why}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        why: String,
    },
    /// Traces cannot be sent as `log.otlp` says.
    #[error("log.otlp: {0}")]
    Traces(String),
    /// There is a log already.
    #[error("the log was started twice")]
    Twice,
}

impl Guard {
    /// The level of this log.
    #[must_use]
    pub fn level(&self) -> LevelHandle {
        self.level.clone()
    }

    /// Lines that were dropped because a writer was too slow, and those that could not be written.
    #[must_use]
    pub fn dropped_lines(&self) -> usize {
        let lost = usize::try_from(self.lost.load(Ordering::Relaxed)).unwrap_or(usize::MAX);
        self.drops.iter().map(ErrorCounter::dropped_lines).sum::<usize>() + lost
    }
}

/// Starts the log of the process. Only a service that `serves` sends traces and removes old files.
pub fn init(config: &LogConfig, console: Console, serves: bool) -> Result<Guard, LogError> {
    let console_writer: Box<dyn io::Write + Send> = match console.stream {
        Stream::Stdout => Box::new(io::stdout()),
        Stream::Stderr => Box::new(io::stderr()),
    };
    let traces = if serves { traces::begin(&config.otlp).map_err(LogError::Traces)? } else { None };
    let (dispatch, guard) = dispatch_with(config, console, console_writer, serves, traces)?;
    dispatch.try_init().map_err(|_| LogError::Twice)?;
    Ok(guard)
}

/// The log of a service without making it the one of the process: for tests, which bring their own console.
pub fn dispatch(
    config: &LogConfig,
    console: Console,
    writer: impl io::Write + Send + 'static,
) -> Result<(Dispatch, Guard), LogError> {
    dispatch_with(config, console, writer, true, None)
}

fn dispatch_with(
    config: &LogConfig,
    console: Console,
    writer: impl io::Write + Send + 'static,
    serves: bool,
    traces: Option<(TraceLayer, Traces)>,
) -> Result<(Dispatch, Guard), LogError> {
    let console_form = match (config.format, console.is_terminal) {
        (LogFormat::Pretty, _) | (LogFormat::Auto, true) => Form::Pretty { colour: console.colour },
        (LogFormat::Json, _) | (LogFormat::Auto, false) => Form::Json,
    };
    let mut sinks = Vec::new();
    let mut workers = Vec::new();
    let mut drops = Vec::new();
    let lost = Arc::<AtomicU64>::default();
    let mut add = |name, form, writer: Box<dyn io::Write + Send>| {
        let lines = usize::try_from(config.buffer_lines).unwrap_or(usize::MAX);
        let builder = NonBlockingBuilder::default().lossy(true).buffered_lines_limit(lines).thread_name(name);
        let (writer, worker) = builder.finish(Gathering::new(name, writer, Arc::clone(&lost)));
        drops.push(writer.error_counter());
        sinks.push(Sink::new(name, form, writer));
        workers.push(worker);
    };
    add("log-console", console_form, Box::new(writer));
    if let Some(path) = config.file.as_ref() {
        let file_form = if config.format == LogFormat::Pretty { Form::Pretty { colour: false } } else { Form::Json };
        let file = file::open(path, config.rotation, serves.then_some(config.keep))
            .map_err(|why| LogError::File { path: path.to_path_buf(), why })?;
        add("log-file", file_form, Box::new(file));
    }
    let is_traced = traces.is_some();
    let (layer, traces) = traces.unzip();
    let (filter, handle) = reload::Layer::new(filter(&config.level, is_traced));
    let subscriber = Registry::default().with(filter).with(LogLayer::new(sinks)).with(layer);
    let level = LevelHandle { handle, is_traced };
    Ok((Dispatch::new(subscriber), Guard { _workers: workers, drops, lost, level, _traces: traces }))
}

/// The level counts for lines. Spans of requests stay even when only warnings are written, because a warning without its
/// request id is of little use.
fn filter(level: &LogFilter, is_traced: bool) -> Filter {
    let targets = level.targets().clone();
    let lines = Layer::<Registry>::max_level_hint(&targets).unwrap_or(LevelFilter::TRACE);
    let wanted = move |about: &Metadata<'_>| {
        // The client library of YDB writes the parameters of queries to its spans, and the server's words to its events.
        if about.target() == "ydb" || about.target().starts_with("ydb::") {
            return false;
        }
        if about.target() == traces::TARGET {
            return is_traced;
        }
        // What the server remarks ("already exists, skipping") is for whoever looks closely.
        let is_remark = *about.level() == Level::INFO && about.target().starts_with("tokio_postgres");
        let level = if is_remark { &Level::DEBUG } else { about.level() };
        (about.is_span() && *about.level() <= Level::INFO) || targets.would_enable(about.target(), level)
    };
    let wanted: Box<dyn Fn(&Metadata<'_>) -> bool + Send + Sync> = Box::new(wanted);
    let least = if is_traced { LevelFilter::DEBUG } else { LevelFilter::INFO };
    FilterFn::new(wanted).with_max_level_hint(lines.max(least))
}
