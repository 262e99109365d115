//! The forms of one message: plain text, HTML within the layout, and Telegram's HTML. Each escapes for itself.

use minijinja::{Environment, Value as Filled};
use url::Url;
use userd_model::texts::Language;

use crate::{
    Block, Kind, Reader, Source, TemplateFault, Value, Values,
    filters::moment,
    tag,
    value::{one_line, shown},
};

/// Telegram's limit for a message, in UTF-16 units; marks do not count.
const MAX_TELEGRAM: usize = 4096;
/// The longest subject, in characters: more is shown nowhere.
const MAX_SUBJECT: usize = 200;

/// A message in every form.
#[derive(Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The subject of a mail, the title in the inbox: one line of at most 200 characters.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// A whole HTML document, readable without pictures and in the dark.
    pub html: String,
    /// HTML as Telegram reads it, no longer than it takes: paragraphs are cut, what leads somewhere is not.
    pub telegram: String,
}

impl Rendered {
    /// The same with a line under the mail that leads to where mails of its kind are stopped, for whoever reads `language`:
    /// not every program shows the header.
    #[must_use]
    pub fn with_unsubscribe(self, url: &Url, language: Language) -> Self {
        let label = match language {
            Language::English => "Stop mails of this kind",
            Language::Russian => "Больше не получать таких писем",
        };
        let line = format!("<p class=\"note\"><a href=\"{}\">{label}</a></p>\n", escaped(url.as_str()));
        // Whatever the layout is, it is a document.
        let (before, after) = self.html.split_at(self.html.rfind("</body>").unwrap_or(self.html.len()));
        Self { text: format!("{}\n-- \n{label}:\n{url}\n", self.text), html: format!("{before}{line}{after}"), ..self }
    }
}

/// Links in messages are secrets.
impl std::fmt::Debug for Rendered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rendered").finish_non_exhaustive()
    }
}

/// What a message is rendered with.
pub(crate) struct Form<'a> {
    pub(crate) environment: &'a Environment<'static>,
    pub(crate) layout: &'a str,
    pub(crate) kind: Kind,
    pub(crate) values: &'a Values,
    pub(crate) reader: &'a Reader,
}

impl Form<'_> {
    pub(crate) fn render(&self, source: &Source) -> Result<Rendered, TemplateFault> {
        let filled = self.filled();
        let subject = self.fill(&source.subject, &filled)?.chars().map(one_line).collect::<String>();
        let subject = cut(subject.trim(), MAX_SUBJECT, |_| 1);
        let mut blocks = Vec::new();
        for block in &source.blocks {
            blocks.extend(self.block(block, &filled)?);
        }
        let body: String = blocks.iter().map(html).collect();
        Ok(Rendered {
            text: blocks.iter().map(text).filter(|block| !block.is_empty()).collect::<Vec<_>>().join("\n\n") + "\n",
            html: self.in_layout(&subject, body)?,
            telegram: telegram_within(&subject, &blocks),
            subject,
        })
    }

    /// The values as texts, for this reader.
    fn filled(&self) -> Filled {
        let reader = self.reader;
        let shown = |value: &Value| match value {
            Value::Words(words) => Filled::from(shown(words)),
            Value::Text(text) => {
                Filled::from(text.trim_end().lines().map(crate::value::shown).collect::<Vec<_>>().join("\n"))
            }
            Value::Link(url) => Filled::from(url.as_str()),
            Value::Moment(at) => Filled::from(moment(*at, reader.language, &reader.time_zone)),
            Value::Exact(text) => Filled::from(text.as_str()),
            Value::Count(count) => Filled::from(*count),
        };
        // What may be missing is empty, and a fact without value is left out.
        let missing = self.kind.optional().iter().map(|name| (*name, Filled::from("")));
        let given = self.values.0.iter().map(|(name, value)| (*name, shown(value)));
        let language = [("language", Filled::from(tag(reader.language)))];
        Filled::from_pairs(missing.chain(given).chain(language))
    }

    fn fill(&self, template: &str, filled: &Filled) -> Result<String, TemplateFault> {
        self.environment.render_str(template, filled.clone()).map_err(|error| self.fault(template, &error))
    }

    fn fault(&self, template: &str, error: &minijinja::Error) -> TemplateFault {
        let about = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
        TemplateFault::new(self.kind.file(self.reader.language), format!("{about}, in {template:?}"))
    }

    /// The block with its values; none where there is nothing to show or to lead to.
    fn block(&self, block: &Block, filled: &Filled) -> Result<Option<Block>, TemplateFault> {
        let fill = |template: &String| self.fill(template, filled);
        Ok(Some(match block {
            Block::Text(text) => Block::Text(fill(text)?),
            Block::Note(text) => Block::Note(fill(text)?),
            Block::Code(text) => Block::Code(fill(text)?),
            Block::Button { label, url } => {
                let url = fill(url)?;
                if url.is_empty() {
                    return Ok(None);
                }
                let is_link = url.starts_with("https://") || url.starts_with("http://");
                if !is_link {
                    let why = format!("a button leads to {url:?}, which is no http address");
                    return Err(TemplateFault::new(self.kind.file(self.reader.language), why));
                }
                Block::Button { label: fill(label)?, url }
            }
            Block::Facts(facts) => {
                let mut kept = Vec::new();
                for (name, value) in facts {
                    let value = fill(value)?;
                    if !value.trim().is_empty() {
                        kept.push((fill(name)?, value));
                    }
                }
                if kept.is_empty() {
                    return Ok(None);
                }
                Block::Facts(kept)
            }
        }))
    }

    fn in_layout(&self, subject: &str, body: String) -> Result<String, TemplateFault> {
        let context = minijinja::context! {
            language => tag(self.reader.language),
            subject => subject,
            body => Filled::from_safe_string(body),
        };
        let wrong = |error: minijinja::Error| TemplateFault::new("layout.html", error.to_string());
        self.environment.render_named_str("layout.html", self.layout, context).map_err(wrong)
    }
}

fn text(block: &Block) -> String {
    match block {
        Block::Text(text) | Block::Note(text) | Block::Code(text) => text.clone(),
        Block::Button { label, url } => format!("{label}:\n{url}"),
        Block::Facts(facts) => {
            facts.iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join("\n")
        }
    }
}

/// The whole message; paragraphs give way to what must be there.
fn telegram_within(subject: &str, blocks: &[Block]) -> String {
    let units = |text: &str| text.encode_utf16().count();
    let fixed = |block: &Block| match block {
        Block::Text(_) => 2,
        Block::Note(text) | Block::Code(text) => 2 + units(text),
        Block::Button { label, .. } => 2 + units(label),
        Block::Facts(facts) => 2 + facts.iter().map(|(name, value)| units(name) + units(value) + 3).sum::<usize>(),
    };
    let mut left = MAX_TELEGRAM.saturating_sub(units(subject) + blocks.iter().map(fixed).sum::<usize>());
    let mut parts = vec![format!("<b>{}</b>", escaped(subject))];
    for block in blocks {
        let part = if let Block::Text(text) = block {
            let text = cut(text, left, char::len_utf16);
            left -= units(&text).min(left);
            telegram(&Block::Text(text))
        } else {
            telegram(block)
        };
        parts.extend((!part.is_empty()).then_some(part));
    }
    parts.join("\n\n")
}

/// The beginning of a text that fits, with an ellipsis where something is missing.
fn cut(text: &str, most: usize, size: fn(char) -> usize) -> String {
    if text.chars().map(size).sum::<usize>() <= most {
        return text.to_owned();
    }
    let mut left = most.saturating_sub(1);
    let fits = |c: &char| {
        let fits = size(*c) <= left;
        left = left.saturating_sub(size(*c));
        fits
    };
    let beginning: String = text.chars().take_while(fits).collect();
    if most == 0 { String::new() } else { format!("{}…", beginning.trim_end()) }
}

fn telegram(block: &Block) -> String {
    match block {
        Block::Text(text) => escaped(text),
        Block::Note(text) => format!("<i>{}</i>", escaped(text)),
        Block::Code(text) => format!("<code>{}</code>", escaped(text)),
        Block::Button { label, url } => format!("<a href=\"{}\">{}</a>", escaped(url), escaped(label)),
        Block::Facts(facts) => {
            let fact = |(name, value): &(String, String)| format!("{}: <b>{}</b>", escaped(name), escaped(value));
            facts.iter().map(fact).collect::<Vec<_>>().join("\n")
        }
    }
}

fn html(block: &Block) -> String {
    match block {
        Block::Text(text) => format!("<p>{}</p>\n", lines(text)),
        Block::Note(text) => format!("<p class=\"note\">{}</p>\n", lines(text)),
        Block::Code(text) => format!("<p class=\"code\">{}</p>\n", escaped(text)),
        Block::Button { label, url } => {
            format!("<p><a class=\"button\" href=\"{}\">{}</a></p>\n", escaped(url), escaped(label))
        }
        Block::Facts(facts) => {
            let row = |(name, value): &(String, String)| {
                format!("<tr><th scope=\"row\">{}</th><td>{}</td></tr>\n", escaped(name), escaped(value))
            };
            format!("<table class=\"facts\">\n{}</table>\n", facts.iter().map(row).collect::<String>())
        }
    }
}

fn lines(text: &str) -> String {
    escaped(text.trim_end()).replace('\n', "<br>\n")
}

/// For element content and quoted attributes, of HTML and of Telegram's HTML alike.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
