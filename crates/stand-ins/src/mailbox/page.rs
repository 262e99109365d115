//! The mailbox's pages: the list, and each mail as text, as HTML that can do nothing, and as it came.

use std::sync::Arc;

use axum::{
    http::{Method, StatusCode},
    response::{Html, IntoResponse as _, Response},
};

use super::{Knobs, Mail, Mails};
use crate::{
    ask::Ask,
    page::{escape, page},
    reply,
    server::{Behaviour, Shared, locked},
};

pub(super) struct Pages {
    pub(super) mails: Mails,
    pub(super) smtp_url: String,
}

impl Behaviour<Knobs> for Pages {
    async fn answer(&self, shared: &Arc<Shared<Knobs>>, ask: &Ask) -> Response {
        if ask.path == "/" && ask.method == Method::POST {
            let refuse = ask.form().get("refuse").map(|text| text.trim().to_owned()).unwrap_or_default();
            // A line break would be a second answer.
            let refuse = refuse.replace(char::is_control, " ");
            locked(&shared.knobs).refuse = (!refuse.is_empty()).then_some(refuse);
            return (StatusCode::SEE_OTHER, [("location", "/")]).into_response();
        }
        let mut parts = ask.path.split('/').skip(1);
        let (first, number, form) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
        let mail = number.and_then(|number| locked(&self.mails).mails.get(number.parse::<usize>().ok()?).cloned());
        match (first, number, mail, form) {
            ("", None, ..) => self.list(&shared.knobs()),
            ("mail", Some(number), Some(mail), None) => show(number, &mail),
            ("mail", Some(_), Some(mail), Some("html")) => alone(mail.html),
            ("mail", Some(_), Some(mail), Some("source")) => reply::text(200, mail.source),
            _ => reply::not_found(),
        }
    }
}

impl Pages {
    fn list(&self, knobs: &Knobs) -> Response {
        let mails = &locked(&self.mails).mails;
        let line = |(number, mail): (usize, &Mail)| {
            let to = escape(&mail.to.join(", "));
            format!("<li><a href=\"/mail/{number}\">{}</a><br><small>{to}</small></li>", escape(mail.subject()))
        };
        let lines: String = mails.iter().enumerate().rev().map(line).collect();
        let list = if lines.is_empty() {
            "<p>Nothing came yet. / Пока ничего не пришло.</p>".to_owned()
        } else {
            format!("<ul>{lines}</ul>")
        };
        let body = format!(
            "<p>Mail to anybody at <code>{}</code>. · <a href=\"/\">refresh / обновить</a></p>{list}\
             <form method=\"post\"><p><input name=\"refuse\" size=\"40\" placeholder=\"550 5.1.1 nobody here\" value=\"{}\"> \
             <button>Refuse mail / Отклонять почту</button></p></form>",
            self.smtp_url,
            escape(knobs.refuse.as_deref().unwrap_or_default())
        );
        page("Mail", &body)
    }
}

fn show(number: &str, mail: &Mail) -> Response {
    let link = |link: &&str| format!("<li><a href=\"{0}\">{0}</a></li>", escape(link));
    let links: String = mail.links().iter().map(link).collect();
    let headers: String =
        mail.headers.iter().map(|(name, value)| format!("{}: {}\n", escape(name), escape(value))).collect();
    let html = if mail.html.is_empty() {
        String::new()
    } else {
        format!(
            "<iframe src=\"/mail/{number}/html\" width=\"100%\" height=\"560\" sandbox=\"allow-popups \
             allow-popups-to-escape-sandbox\"></iframe>"
        )
    };
    let body = format!(
        "<p>{} · <a href=\"/\">all / все</a> · <a href=\"/mail/{number}/source\">source / исходный текст</a></p>\
         <ul>{links}</ul>{html}<pre>{}</pre><details><summary>headers / заголовки</summary><pre>{headers}</pre></details>",
        escape(&mail.to.join(", ")),
        escape(&mail.text)
    );
    page(mail.subject(), &body)
}

/// The HTML as a mail program shows it: no scripts, nothing from elsewhere, links in a window of their own.
fn alone(html: String) -> Response {
    let policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; \
                  sandbox allow-popups allow-popups-to-escape-sandbox";
    ([("content-security-policy", policy)], Html(html.replacen("<head>", "<head><base target=\"_blank\">", 1)))
        .into_response()
}
