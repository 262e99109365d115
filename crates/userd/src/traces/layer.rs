//! Makes spans of the program into spans of a trace: those of requests, and within them those that are said for traces
//! alone. Which request is recorded is decided when it begins, by chance; a proxy that is trusted may have decided already.

use std::{
    borrow::Cow,
    fmt,
    sync::Arc,
    time::{Instant, SystemTime},
};

use opentelemetry::{
    InstrumentationScope, KeyValue, SpanId, TraceFlags, TraceId, Value,
    trace::{SpanContext, SpanKind, Status, TraceState},
};
use opentelemetry_sdk::trace::{
    BatchSpanProcessor, IdGenerator, RandomIdGenerator, SpanData, SpanEvents, SpanLinks, SpanProcessor,
};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};
use tracing_subscriber::{
    layer::{Context, Layer},
    registry::LookupSpan,
};

use super::TARGET;

/// The layer; see [`super::begin`].
pub struct TraceLayer {
    queue: Arc<BatchSpanProcessor>,
    ids: RandomIdGenerator,
    one_in: u32,
    scope: InstrumentationScope,
}

/// What is known of a span that is recorded.
struct Recorded {
    trace: TraceId,
    id: SpanId,
    parent: SpanId,
    is_request: bool,
    name: Cow<'static, str>,
    started: SystemTime,
    begun: Instant,
    fields: Fields,
}

/// What is told of a span, and what says where a request comes from.
#[derive(Default)]
struct Fields {
    attributes: Vec<KeyValue>,
    method: Option<String>,
    route: Option<String>,
    status: u64,
    trace: Option<TraceId>,
    parent: Option<SpanId>,
    /// What a trusted proxy decided.
    sampled: Option<bool>,
}

/// Which fields are told, and as what. A secret that is written into a span by mistake has no place here.
const TOLD: [(&str, &str); 9] = [
    ("request_id", "userd.request_id"),
    ("problem", "userd.problem"),
    ("reason", "userd.reason"),
    ("provider", "userd.provider"),
    ("outcome", "userd.outcome"),
    ("name", "userd.unit_of_work"),
    ("host", "server.address"),
    ("route", "http.route"),
    ("status", "http.response.status_code"),
];
/// Whoever calls may write any word there.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

impl Fields {
    fn put(&mut self, field: &Field, value: Value) {
        if let Some((_, told)) = TOLD.iter().find(|(name, _)| *name == field.name()) {
            self.attributes.push(KeyValue::new(*told, value));
        }
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "method" => {
                let method = if METHODS.contains(&value) { value } else { "_OTHER" };
                self.method = Some(method.to_owned());
                self.attributes.push(KeyValue::new("http.request.method", method.to_owned()));
            }
            "trace_id" => self.trace = TraceId::from_hex(value).ok(),
            "trace.parent" => self.parent = SpanId::from_hex(value).ok(),
            name => {
                if name == "route" {
                    self.route = Some(value.to_owned());
                }
                self.put(field, value.to_owned().into());
            }
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "status" {
            self.status = value;
        }
        self.put(field, i64::try_from(value).unwrap_or(i64::MAX).into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        if field.name() == "trace.sampled" {
            self.sampled = Some(value);
        }
    }

    /// What is displayed comes here too: a request's id.
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}").into());
    }
}

impl TraceLayer {
    pub(super) fn new(queue: Arc<BatchSpanProcessor>, one_in: u32) -> Self {
        let scope = InstrumentationScope::builder("userd").with_version(env!("CARGO_PKG_VERSION")).build();
        Self { queue, ids: RandomIdGenerator::default(), one_in, scope }
    }

    /// A request: the trace of whoever calls goes on, whoever they are. Whether it is recorded is decided here, or nobody
    /// could keep a stranger from having all of theirs recorded; a trusted proxy's word counts.
    fn request(&self, fields: Fields) -> Option<Recorded> {
        let own = self.ids.new_trace_id();
        let chance = own.to_bytes().iter().rev().take(4).fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
        let is_sampled = fields.sampled.unwrap_or(chance % self.one_in == 0);
        is_sampled.then(|| {
            let (trace, parent) = fields.trace.zip(fields.parent).unwrap_or((own, SpanId::INVALID));
            self.recorded(trace, parent, Cow::Borrowed("request"), fields)
        })
    }

    fn recorded(&self, trace: TraceId, parent: SpanId, name: Cow<'static, str>, fields: Fields) -> Recorded {
        Recorded {
            trace,
            id: self.ids.new_span_id(),
            parent,
            is_request: name == "request",
            name,
            started: jiff::Timestamp::now().into(),
            begun: Instant::now(),
            fields,
        }
    }

    fn finished(&self, span: Recorded) -> SpanData {
        let Recorded { trace, id, parent, is_request, name, started, begun, fields } = span;
        let is_call = name == "call";
        let name = match (fields.method, fields.route) {
            (Some(method), Some(route)) => Cow::Owned(format!("{method} {route}")),
            _ => name,
        };
        SpanData {
            span_context: SpanContext::new(trace, id, TraceFlags::SAMPLED, false, TraceState::NONE),
            parent_span_id: parent,
            parent_span_is_remote: is_request && parent != SpanId::INVALID,
            span_kind: match (is_request, is_call) {
                (true, _) => SpanKind::Server,
                (_, true) => SpanKind::Client,
                _ => SpanKind::Internal,
            },
            name,
            start_time: started,
            end_time: started + begun.elapsed(),
            attributes: fields.attributes,
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: if fields.status >= 500 { Status::error("") } else { Status::Unset },
            instrumentation_scope: self.scope.clone(),
        }
    }
}

fn is_request(about: &Metadata<'_>) -> bool {
    about.name() == "request" && about.target().starts_with("userd_web")
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for TraceLayer {
    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, context: Context<'_, S>) {
        let about = attributes.metadata();
        let (is_request, Some(span)) = (is_request(about), context.span(id)) else { return };
        if !is_request && about.target() != TARGET {
            return;
        }
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let recorded = if is_request {
            self.request(fields)
        } else {
            let around = span
                .scope()
                .skip(1)
                .find_map(|around| around.extensions().get::<Recorded>().map(|around| (around.trace, around.id)));
            around.map(|(trace, parent)| self.recorded(trace, parent, Cow::Borrowed(about.name()), fields))
        };
        if let Some(recorded) = recorded {
            span.extensions_mut().insert(recorded);
        }
    }

    fn on_record(&self, id: &span::Id, values: &span::Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(recorded) = span.extensions_mut().get_mut::<Recorded>()
        {
            values.record(&mut recorded.fields);
        }
    }

    /// What a request was answered.
    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        if event.metadata().target() == TARGET
            && let Some(span) = context.event_span(event)
            && let Some(recorded) = span.extensions_mut().get_mut::<Recorded>()
        {
            event.record(&mut recorded.fields);
        }
    }

    fn on_close(&self, id: span::Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else { return };
        let Some(recorded) = span.extensions_mut().remove::<Recorded>() else { return };
        // Probes say no route.
        if !recorded.is_request || recorded.fields.route.is_some() {
            self.queue.on_end(self.finished(recorded));
        }
    }
}
