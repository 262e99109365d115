//! A problem as a page, for a person whose browser asks for one: words, no scripts, nothing of the request but the
//! pointers of refused fields, escaped. Deliberately absent: the pages of the service itself (`http` has them).

use std::fmt::Write as _;

use http::{HeaderMap, HeaderValue, header};

use super::{Language, Problem, Reason, Row, reasons, table};

/// The style comes from this host.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
);

/// What is said to people under one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words {
    /// The stable word.
    pub slug: &'static str,
    /// The status, of a problem; a reason has none of its own.
    pub status: Option<u16>,
    /// English title.
    pub title: &'static str,
    /// Russian title.
    pub title_ru: &'static str,
    /// What to do.
    pub advice: &'static str,
    /// The same in Russian.
    pub advice_ru: &'static str,
}

impl Words {
    /// The words of a problem's kind or of a reason.
    #[must_use]
    pub fn find(slug: &str) -> Option<Self> {
        table::find(slug).map(Self::from).or_else(|| reasons::find(slug).map(Self::from))
    }

    /// Every word that is explained.
    pub fn all() -> impl Iterator<Item = Self> {
        table::ALL.iter().map(|row| Self::from(*row)).chain(reasons::ALL.iter().map(Self::from))
    }

    /// Title and advice.
    #[must_use]
    pub const fn in_language(&self, language: Language) -> (&'static str, &'static str) {
        match language {
            Language::English => (self.title, self.advice),
            Language::Russian => (self.title_ru, self.advice_ru),
        }
    }

    /// These words as a page. `style` is the path of the style sheet.
    #[must_use]
    pub fn page(&self, language: Language, style: &str) -> String {
        self.page_with(language, style, "")
    }

    fn page_with(&self, language: Language, style: &str, more: &str) -> String {
        let (title, advice) = self.in_language(language);
        let (tag, style, title) = (tag(language), escaped(style), escaped(title));
        let (advice, slug) = (with_code(&escaped(advice)), self.slug);
        format!(
            "<!doctype html>\n<html lang=\"{tag}\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
             <link rel=\"stylesheet\" href=\"{style}\">\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n<p>{advice}</p>\n\
             {more}<p><small><code>{slug}</code></small></p>\n</main>\n</body>\n</html>\n"
        )
    }
}

impl From<&Row> for Words {
    fn from(row: &Row) -> Self {
        let Row { slug, status, title, title_ru, advice, advice_ru, .. } = *row;
        Self { slug, status: Some(status), title, title_ru, advice, advice_ru }
    }
}

impl From<&Reason> for Words {
    fn from(reason: &Reason) -> Self {
        let Reason { slug, title, title_ru, advice, advice_ru } = *reason;
        Self { slug, status: None, title, title_ru, advice, advice_ru }
    }
}

/// The headers that every such page has.
#[must_use]
pub fn headers(language: Language) -> [(http::HeaderName, HeaderValue); 3] {
    [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_LANGUAGE, HeaderValue::from_static(tag(language))),
        (header::CONTENT_SECURITY_POLICY, POLICY),
    ]
}

/// Whether the caller would rather have a page than JSON: browsers name `text/html`, programs do not.
#[must_use]
pub fn is_preferred(headers: &HeaderMap) -> bool {
    let (mut page, mut json) = (0.0_f32, 0.0_f32);
    let lines = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    for range in lines.flat_map(|line| line.split(',')).take(32) {
        let mut parts = range.split(';').map(str::trim);
        let media_type = parts.next().unwrap_or_default().to_ascii_lowercase();
        let weight = parts.find_map(|part| part.strip_prefix("q=")?.parse().ok()).unwrap_or(1.0);
        match media_type.as_str() {
            "text/html" => page = page.max(weight),
            "application/json" | "application/problem+json" | "application/*" => json = json.max(weight),
            _ => {}
        }
    }
    page > json
}

/// The style sheet as seen from a path: relative, so that a proxy may put a prefix before both.
pub(crate) fn style_below(path: &str) -> String {
    const DEEPEST: usize = 32;
    let depth = path.bytes().filter(|byte| *byte == b'/').count().saturating_sub(1);
    format!("{}pages/page.css", "../".repeat(depth.min(DEEPEST)))
}

/// Where a person's choice of a language lies: it says nothing about them, so that every page may read it.
pub const LANGUAGE_COOKIE: &str = "__Host-userd_language";

/// The language that was chosen in this browser.
#[must_use]
pub fn chosen_language(headers: &HeaderMap) -> Option<Language> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == LANGUAGE_COOKIE).map(|(_, tag)| Language::of_tag(tag))
}

/// The language that the caller prefers: the one that was chosen in the browser, else the one that it asks for.
#[must_use]
pub fn language(headers: &HeaderMap) -> Language {
    if let Some(chosen) = chosen_language(headers) {
        return chosen;
    }
    let wanted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    wanted.map_or_else(Language::default, Language::of_header)
}

pub(crate) const fn tag(language: Language) -> &'static str {
    match language {
        Language::English => "en",
        Language::Russian => "ru",
    }
}

/// One occurrence: the reason's words where there is one, else the kind's; the refused fields; the request id.
pub(crate) fn of_problem(problem: &Problem, language: Language, style: &str, request_id: &str) -> String {
    let words = problem.words();
    let mut more = String::new();
    let fields: Vec<_> = problem.told_in(language).collect();
    if !fields.is_empty() {
        more.push_str("<ul>\n");
        for (pointer, detail) in fields {
            // Writing into a String cannot fail.
            let _ = writeln!(more, "<li><code>{}</code> {}</li>", escaped(pointer), escaped(&detail));
        }
        more.push_str("</ul>\n");
    }
    let id = match language {
        Language::English => "Request",
        Language::Russian => "Запрос",
    };
    let _ = writeln!(more, "<p><small>{id} <code>{}</code></small></p>", escaped(request_id));
    words.page_with(language, style, &more)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

/// What stands between backticks, as code.
fn with_code(escaped: &str) -> String {
    let parts = escaped.split('`').enumerate();
    parts.map(|(at, part)| if at % 2 == 1 { format!("<code>{part}</code>") } else { part.to_owned() }).collect()
}
