//! YAML text into a tree. Only the plain part of YAML is taken: no anchors, aliases, tags, directives or second
//! documents, no key twice; each of them has been an attack or a mistake in somebody's configuration. Depth is
//! bounded by the scanner, so the recursion below is too.

use serde_saphyr::granit_parser::{Event, Marker, Options, Parser, ScalarStyle, ScanError, Span};
use zeroize::Zeroizing;

use super::{
    report::{Findings, Origin},
    tree::{Entry, Node, Value, join},
};

/// Deeper than any key of ours.
const DEEPEST: usize = 12;
/// More scalars, lists and sections than any configuration of ours.
const MOST_NODES: usize = 20_000;

/// Reads `text`; `locate` turns a line and a column (both from 1) into an origin. `None` when it is no usable YAML, the
/// reason being among the findings.
pub(crate) fn compose(
    text: &str,
    key: &str,
    locate: &dyn Fn(usize, usize) -> Origin,
    findings: &mut Findings,
) -> Option<Node> {
    let mut options = Options::default();
    options.disallow_directives = true;
    options.emit_unresolved_aliases = true;
    options.set_emit_comments(false);
    options.flow_nesting_limit = DEEPEST;
    options.block_nesting_limit = DEEPEST;
    let mut composer =
        Composer { parser: Parser::new_from_str_with_options(text, options), locate, findings, nodes: 0 };
    match composer.document(key) {
        Ok(node) => Some(node),
        Err(Stop::Scan(error)) => {
            let origin = at(locate, error.marker());
            findings.add(&origin, key, format!("not valid YAML: {}", error.kind()));
            None
        }
        Err(Stop::Refused(origin, key, message)) => {
            findings.add(&origin, &key, message);
            None
        }
    }
}

enum Stop {
    Scan(ScanError),
    Refused(Origin, String, &'static str),
}

struct Composer<'a, 'f> {
    parser: Parser<'a, serde_saphyr::granit_parser::StrInput<'a>>,
    locate: &'f dyn Fn(usize, usize) -> Origin,
    findings: &'f mut Findings,
    nodes: usize,
}

impl<'a> Composer<'a, '_> {
    fn document(&mut self, key: &str) -> Result<Node, Stop> {
        let root = loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamStart | Event::DocumentStart(..) => {}
                // Nothing but comments: every key keeps its default.
                Event::StreamEnd => return Ok(Node::map((self.locate)(1, 1))),
                event => break self.node(event, span, key)?,
            }
        };
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::DocumentEnd => {}
                Event::StreamEnd => return Ok(root),
                _ => {
                    return Err(self.refuse(
                        span,
                        key,
                        "a second YAML document begins here; one file holds one document",
                    ));
                }
            }
        }
    }

    fn node(&mut self, event: Event<'a>, span: Span, key: &str) -> Result<Node, Stop> {
        self.nodes += 1;
        if self.nodes > MOST_NODES {
            return Err(self.refuse(span, key, "too many values for a configuration"));
        }
        if event.is_alias() || matches!(event, Event::UnresolvedAlias(_)) || event.anchor_id().is_some_and(|id| id != 0)
        {
            return Err(self.refuse(span, key, "anchors and aliases (&name, *name) are not read here; write the value out, in quotes if it begins with & or *",
            ));
        }
        if event.tag().is_some() {
            return Err(self.refuse(
                span,
                key,
                "tags (!name) are not read here; put the value in quotes if it begins with !",
            ));
        }
        let origin = at(self.locate, &span.start);
        let value = match event {
            Event::Scalar(text, style, ..) => {
                Value::Scalar { text: Zeroizing::new(text.into_owned()), plain: style == ScalarStyle::Plain }
            }
            Event::SequenceStart(..) => self.list(key)?,
            Event::MappingStart(..) => self.map(key)?,
            _ => return Err(self.refuse(span, key, "a value was expected here")),
        };
        Ok(Node { origin, value })
    }

    fn list(&mut self, key: &str) -> Result<Value, Stop> {
        let mut items = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::SequenceEnd {
                return Ok(Value::List(items));
            }
            let step = items.len().to_string();
            items.push(self.node(event, span, &join(key, &step))?);
        }
    }

    fn map(&mut self, path: &str) -> Result<Value, Stop> {
        let mut entries: Vec<Entry> = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::MappingEnd {
                return Ok(Value::Map(entries));
            }
            let Node { origin, value: Value::Scalar { text, .. } } = self.node(event, span, path)? else {
                return Err(self.refuse(span, path, "a key must be a plain word"));
            };
            let (event, span) = self.next()?;
            let full = join(path, printable(&text));
            let node = self.node(event, span, &full)?;
            if let Some(first) = entries.iter().find(|entry| entry.key == *text) {
                let before = match &first.at {
                    Origin::File { line, .. } => {
                        format!("given twice; the first time in line {line}")
                    }
                    _ => "given twice".to_owned(),
                };
                self.findings.add(&origin, &full, before);
                continue;
            }
            entries.push(Entry { key: text.to_string(), at: origin, node });
        }
    }

    fn next(&mut self) -> Result<(Event<'a>, Span), Stop> {
        match self.parser.next_event() {
            Some(Ok(next)) => Ok(next),
            Some(Err(error)) => Err(Stop::Scan(error)),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn refuse(&self, span: Span, key: &str, message: &'static str) -> Stop {
        Stop::Refused(at(self.locate, &span.start), key.to_owned(), message)
    }
}

fn at(locate: &dyn Fn(usize, usize) -> Origin, mark: &Marker) -> Origin {
    locate(mark.line().max(1), mark.col() + 1)
}

/// A key as it may appear in a message: what does not look like a key may be a secret that slipped into its place.
pub(crate) fn printable(key: &str) -> &str {
    let like_a_key =
        key.len() <= 48 && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if like_a_key { key } else { "(unknown key)" }
}
