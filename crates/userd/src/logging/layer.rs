//! Gathers what one line says: the event's own fields, then those of the spans around it, the nearest first; a name said
//! by both counts once, the nearer one. The forms turn it into text.

use std::{
    cell::RefCell,
    fmt,
    io::Write as _,
    sync::atomic::{AtomicUsize, Ordering},
};

use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    span,
};
use tracing_appender::non_blocking::{ErrorCounter, NonBlocking};
use tracing_subscriber::{
    layer::{Context, Layer},
    registry::LookupSpan,
};

use super::{
    json,
    line::{FieldValue, Line},
    pretty,
};
use crate::traces::TARGET;

/// How lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Pretty { colour: bool },
    Json,
}

/// One place that gets every line.
pub(super) struct Sink {
    name: &'static str,
    form: Form,
    writer: NonBlocking,
    drops: ErrorCounter,
    drops_told: AtomicUsize,
}

impl Sink {
    pub(super) fn new(name: &'static str, form: Form, writer: NonBlocking) -> Self {
        let drops = writer.error_counter();
        Self { name, form, writer, drops, drops_told: AtomicUsize::new(0) }
    }

    fn write(&self, text: &str) {
        // Lossy: never waits, never fails.
        let _ = self.writer.clone().write_all(text.as_bytes());
        let drops = self.drops.dropped_lines();
        let told = self.drops_told.fetch_max(drops, Ordering::Relaxed);
        if drops > told {
            metrics::counter!("userd_log_lines_dropped_total", "sink" => self.name).increment((drops - told) as u64);
        }
    }
}

#[derive(Default)]
struct Fields {
    message: String,
    /// The real target of a record that came through the `log` crate.
    target: Option<String>,
    named: Vec<(&'static str, FieldValue)>,
}

impl Fields {
    fn put(&mut self, field: &Field, value: FieldValue) {
        match field.name() {
            "message" => self.message = value.text().to_owned(),
            "log.target" => self.target = Some(value.text().to_owned()),
            "log.module_path" | "log.file" | "log.line" | "trace.parent" | "trace.sampled" => {}
            name => match self.named.iter_mut().find(|(known, _)| *known == name) {
                Some((_, old)) => *old = value,
                None => self.named.push((name, value)),
            },
        }
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, FieldValue::Text(value.to_owned()));
    }
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, FieldValue::Text(format!("{value:?}")));
    }
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, FieldValue::Bare(value.to_string()));
    }
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, FieldValue::Bare(value.to_string()));
    }
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, FieldValue::Bare(value.to_string()));
    }
    fn record_f64(&mut self, field: &Field, value: f64) {
        let text = value.to_string();
        self.put(field, if value.is_finite() { FieldValue::Bare(text) } else { FieldValue::Text(text) });
    }
    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let mut text = value.to_string();
        let mut source = value.source();
        while let Some(error) = source {
            text.push_str(": ");
            text.push_str(&error.to_string());
            source = error.source();
        }
        self.put(field, FieldValue::Text(text));
    }
}

/// Turns events into lines.
pub(super) struct LogLayer {
    sinks: Vec<Sink>,
}

impl LogLayer {
    pub(super) fn new(sinks: Vec<Sink>) -> Self {
        Self { sinks }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for LogLayer {
    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id).filter(|_| attributes.metadata().target() != TARGET) {
            let mut fields = Fields::default();
            attributes.record(&mut fields);
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &span::Id, values: &span::Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        if event.metadata().target() == TARGET {
            return;
        }
        let mut own = Fields::default();
        event.record(&mut own);
        let mut all: Vec<(&'static str, FieldValue)> = own.named;
        for span in context.event_scope(event).into_iter().flatten() {
            let extensions = span.extensions();
            for (name, value) in extensions.get::<Fields>().into_iter().flat_map(|fields| &fields.named) {
                if !all.iter().any(|(known, _)| known == name) {
                    let value = match value {
                        FieldValue::Bare(text) => FieldValue::Bare(text.clone()),
                        FieldValue::Text(text) => FieldValue::Text(text.clone()),
                    };
                    all.push((name, value));
                }
            }
        }
        let fields: Vec<_> = all.iter().map(|(name, value)| (*name, value)).collect();
        self.write(&Line {
            time: jiff::Timestamp::now(),
            level: *event.metadata().level(),
            target: own.target.as_deref().unwrap_or(event.metadata().target()),
            message: &own.message,
            fields: &fields,
        });
    }
}

thread_local! {
    static BUFFER: RefCell<String> = const { RefCell::new(String::new()) };
}

impl LogLayer {
    fn write(&self, line: &Line<'_>) {
        BUFFER.with(|buffer| {
            // Somebody who logs while a line is being formatted gets a buffer of its own.
            let mut fresh = String::new();
            let mut kept = buffer.try_borrow_mut().ok();
            let text = kept.as_deref_mut().unwrap_or(&mut fresh);
            for sink in &self.sinks {
                text.clear();
                match sink.form {
                    Form::Pretty { colour } => pretty::format(text, line, colour),
                    Form::Json => json::format(text, line),
                }
                text.push('\n');
                sink.write(text);
            }
        });
    }
}
