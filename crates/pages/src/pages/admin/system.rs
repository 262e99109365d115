//! What is looked at but not changed here: the configuration, what the doctor finds, what messages say.

use axum::response::Response;
use http::{HeaderValue, header};
use maud::{Markup, PreEscaped, html};
use userd_model::Act;
use userd_services::template_previews::{TemplatePreview, TemplateView};
use userd_web::{Problem, extract::Path};

use super::{choice, page};
use crate::{
    inspection::{Finding, State},
    layout::with_query,
    parts::{facts, note, panel},
    routes::Routes,
    visit::{Query, Visit},
};

const LANGUAGES: [(&str, &str); 2] = [("en", "English"), ("ru", "Русский")];

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/admin/configuration", configuration)
        .get("/admin/doctor", doctor)
        .get("/admin/templates", templates)
        .get("/admin/templates/{name}/html", html_of)
}

async fn configuration(visit: Visit) -> Result<Response, Problem> {
    visit.ctx.may(&Act::ReadSystem)?;
    let t = &visit.texts.admin.system;
    let shown = visit.site.options.inspection.as_ref().map(|inspection| inspection.configuration());
    let content = html! {
        (note(&t.configuration_about.replace('`', "")))
        @match shown {
            Some(shown) => section.panel { pre.file tabindex="0" lang="en" { code { (shown) } } },
            None => (note(t.absent)),
        }
    };
    Ok(page(&visit, t.configuration, &content))
}

async fn doctor(visit: Visit) -> Result<Response, Problem> {
    visit.ctx.may(&Act::ReadSystem)?;
    let t = &visit.texts.admin.system;
    let found = match &visit.site.options.inspection {
        Some(inspection) => inspection.findings().await,
        None => Vec::new(),
    };
    let content = html! {
        (note(&t.doctor_about.replace('`', "")))
        @if found.is_empty() { (note(t.absent)) } @else { (findings(&visit, &found)) }
    };
    Ok(page(&visit, t.doctor, &content))
}

fn findings(visit: &Visit, found: &[Finding]) -> Markup {
    let t = &visit.texts.admin.system;
    let state = |state: State| match state {
        State::Well => html! { span.badge { (t.well) } },
        State::Warning => html! { strong { (t.warning) } },
        State::Wrong => html! { strong.wrong { (t.wrong) } },
    };
    html! {
        div.wide tabindex="0" { table {
            thead { tr { @for head in [t.state, t.part, t.says] { th scope="col" { (head) } } } }
            tbody lang="en" { @for finding in found { tr {
                td lang=(visit.tag()) { (state(finding.state)) }
                td { code { (finding.part) } }
                td { (finding.says) }
            } } }
        } }
    }
}

async fn templates(visit: Visit, query: Query) -> Result<Response, Problem> {
    let (services, t) = (&visit.site.services, &visit.texts.admin.system);
    let known = services.template_previews.list(&visit.ctx)?;
    let name =
        known.iter().find(|known| known.name == query.text("name")).or(known.first()).map_or("", |known| known.name);
    let locale = if query.text("language").is_empty() { visit.tag() } else { query.text("language") };
    let shown = services.template_previews.preview(&visit.ctx, name, locale)?;
    let content = html! {
        (note(t.templates_about))
        (chosen(&visit, &known, (name, locale)))
        (preview(&visit, &known, (name, locale), &shown))
    };
    let mut answer = page(&visit, t.templates, &content);
    // The page may show the one document that nothing else may frame.
    let policy = format!("{}; frame-src 'self'", visit.site.content_policy.to_str().unwrap_or_default());
    let policy = HeaderValue::from_str(&policy).map_err(|_| Problem::internal())?;
    answer.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    Ok(answer)
}

fn chosen(visit: &Visit, known: &[TemplateView], (name, locale): (&str, &str)) -> Markup {
    let t = &visit.texts.admin.system;
    let names: Vec<_> = known.iter().map(|known| (known.name, known.name)).collect();
    html! {
        form.panel.filters method="get" action="/admin/templates" {
            (choice("name", t.template, &names, name))
            (choice("language", t.language, &LANGUAGES, locale))
            button { (visit.texts.admin.frame.filter) }
        }
    }
}

fn preview(
    visit: &Visit,
    known: &[TemplateView],
    (name, locale): (&str, &str),
    TemplatePreview { subject, text, telegram, .. }: &TemplatePreview,
) -> Markup {
    let t = &visit.texts.admin.system;
    let category = known.iter().find(|known| known.name == name).map_or("", |known| known.category);
    let document = with_query(&format!("/admin/templates/{name}/html"), "language", locale);
    html! {
        (facts(&[(t.subject, html! { (subject) }), (t.category, html! { code { (category) } })]))
        (panel(t.as_html, &html! { iframe.mail src=(document) sandbox title=(t.as_html) tabindex="0" {} }))
        (panel(t.as_text, &html! { pre.file tabindex="0" { (text) } }))
        (panel(t.as_chat, &html! { pre.file tabindex="0" { (telegram) } }))
    }
}

/// The HTML of a mail by itself: it runs nothing, loads nothing, and only our own page may frame it.
async fn html_of(visit: Visit, query: Query, Path(name): Path<String>) -> Result<Response, Problem> {
    const POLICY: HeaderValue = HeaderValue::from_static(
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'self'; sandbox",
    );
    let shown = visit.site.services.template_previews.preview(&visit.ctx, &name, query.text("language"))?;
    // A whole document of the templates' own making, in which values are escaped already.
    let document = PreEscaped(shown.html);
    let headers = [(header::CONTENT_SECURITY_POLICY, POLICY), (header::CONTENT_TYPE, HTML)];
    Ok(axum::response::IntoResponse::into_response((headers, document.into_string())))
}

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
