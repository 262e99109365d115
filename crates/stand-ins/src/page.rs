//! The stand-ins' pages: plain forms in two languages, no scripts but one, nothing from elsewhere.

use axum::response::{Html, IntoResponse, Response};

use crate::test_users::TestUser;

/// A page with a heading and a body of markup.
pub(crate) fn page(title: &str, body: &str) -> Response {
    let title = escape(title);
    let style = "body{font:16px/1.5 sans-serif;max-width:40em;margin:2em auto;padding:0 1em}button{font:inherit;\
                 padding:.3em 1em;margin:.2em}.bot{color:#036}pre{white-space:pre-wrap;word-break:break-all}";
    Html(format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"referrer\" \
         content=\"no-referrer\"><title>{title}</title><style>{style}</style></head><body><h1>{title}</h1>\
         <p><small>Stand-in, not the real provider. Стенд, не настоящий провайдер.</small></p>{body}</body></html>"
    ))
    .into_response()
}

/// A page that says what is wrong; providers show it instead of redirecting to an address they do not know.
pub(crate) fn problem(title: &str, what: &str) -> Response {
    let mut answer = page(title, &format!("<p>Error / Ошибка: <code>{}</code></p>", escape(what)));
    *answer.status_mut() = axum::http::StatusCode::BAD_REQUEST;
    answer
}

/// A button per person and one to decline. A click leads to the same path with `person` and `auto=1` in its query.
pub(crate) fn person_picker(asked: &[(String, String)], users: &[TestUser]) -> String {
    let mut form = String::from("<p>Who are you? / Кто вы?</p><form method=\"get\">");
    for (name, value) in asked.iter().filter(|(name, _)| name != "person" && name != "auto") {
        form.push_str(&hidden(name, value));
    }
    form.push_str(&hidden("auto", "1"));
    for person in users {
        let known_by = [person.email.as_deref(), person.phone.as_deref()].into_iter().flatten().collect::<Vec<_>>();
        let known_by = if known_by.is_empty() { "—".to_owned() } else { known_by.join(", ") };
        form.push_str(&format!(
            "<p><button name=\"person\" value=\"{}\">{}</button> {}</p>",
            escape(&person.key),
            escape(&person.name()),
            escape(&known_by)
        ));
    }
    form.push_str("<p><button name=\"person\" value=\"deny\">Deny / Отказаться</button></p></form>");
    form
}

/// A page that posts fields elsewhere by itself (`response_mode=form_post`), with a button where scripts are off.
pub(crate) fn form_post(action: &str, fields: &[(&str, &str)]) -> Response {
    let inputs: String = fields.iter().map(|(name, value)| hidden(name, value)).collect();
    page(
        "Continue / Продолжить",
        &format!(
            "<form id=\"f\" method=\"post\" action=\"{}\">{inputs}<button>Continue / Продолжить</button></form>\
             <script>document.getElementById('f').submit()</script>",
            escape(action)
        ),
    )
}

pub(crate) fn hidden(name: &str, value: &str) -> String {
    format!("<input type=\"hidden\" name=\"{}\" value=\"{}\">", escape(name), escape(value))
}

/// Text for markup and quoted attributes.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}
