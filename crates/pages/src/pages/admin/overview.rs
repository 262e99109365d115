//! How it goes, at a glance: how often what happened, how far behind the queues are, whether the parts work.

use std::time::Duration;

use axum::response::Response;
use maud::{Markup, html};
use userd_model::Act;
use userd_services::overview::{Frequencies, Frequency};
use userd_web::Problem;

use super::page;
use crate::{
    parts::{done, facts, note, panel},
    routes::Routes,
    texts::{count, fill},
    visit::{Query, Visit},
};

/// The height of a chart, and the width of one of its bars with the gap behind it, in its own units.
const HEIGHT: u64 = 40;
const BAR: usize = 8;

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get("/admin/overview", show)
}

async fn show(visit: Visit, query: Query) -> Result<Response, Problem> {
    let t = &visit.texts.admin.overview;
    let found = visit.site.services.overview.frequencies(&visit.ctx).await?;
    let content = html! {
        @if query.text("done") == "setup" { (what_next(&visit)) }
        (charts(&visit, &found))
        (panel(t.parts, &parts(&visit).await?))
    };
    Ok(page(&visit, t.title, &content))
}

/// For whoever has just become the first administrator.
fn what_next(visit: &Visit) -> Markup {
    let t = &visit.texts.admin.overview;
    let steps = [
        ("/account/security", t.next_factor),
        ("/admin/invitations/make", t.next_invitation),
        ("/admin/clients/make", t.next_service),
    ];
    html! {
        (done(t.setup_done))
        ul { @for (place, step) in steps { li { a href=(place) { (step) } } } }
    }
}

fn charts(visit: &Visit, found: &Frequencies) -> Markup {
    let t = &visit.texts.admin.overview;
    let rows = [
        (t.sign_ins, &found.sign_ins),
        (t.registrations, &found.registrations),
        (t.replays, &found.replays),
        (t.blocks, &found.blocks),
        (t.deletions, &found.deletions),
    ];
    html! {
        div.charts { @for (name, frequency) in rows { (one(visit, name, frequency)) } }
        (note(t.counted))
    }
}

fn one(visit: &Visit, name: &str, Frequency { hours, days }: &Frequency) -> Markup {
    let t = &visit.texts.admin.overview;
    html! {
        section.panel {
            h2 { (name) }
            (chart(visit, (name, t.day, t.most_hour), hours))
            (chart(visit, (name, t.month, t.most_day), days))
        }
    }
}

/// Bars, the youngest on the right; what they show is said in words for whoever does not see them.
fn chart(visit: &Visit, (name, span, most): (&str, &str, &str), numbers: &[u64]) -> Markup {
    let t = &visit.texts.admin.overview;
    let (total, highest) = (numbers.iter().sum::<u64>(), numbers.iter().copied().max().unwrap_or(0));
    let told = format!("{}: {total}, {}", t.total, fill(most, "n", &highest.to_string()));
    html! {
        figure.chart {
            figcaption { span { (span) } " " strong { (total) } }
            svg role="img" aria-label={ (name) ". " (span) ". " (told) } viewBox={ "0 0 " (numbers.len() * BAR) " " (HEIGHT) }
                preserveAspectRatio="none" {
                path.floor d={ "M0 " (HEIGHT - 1) "h" (numbers.len() * BAR) "v1H0z" } {}
                path d=(bars(numbers, highest)) {}
            }
        }
    }
}

/// A path of one rectangle for each number that is not 0.
fn bars(numbers: &[u64], highest: u64) -> String {
    let mut path = String::new();
    for (place, number) in numbers.iter().enumerate().filter(|(_, number)| **number > 0) {
        // What happened once is seen, however often something else did.
        let height = (number.saturating_mul(HEIGHT) / highest.max(1)).max(2);
        path.push_str(&format!("M{} {HEIGHT}v-{height}h{}v{height}z", place * BAR, BAR - 2));
    }
    path
}

async fn parts(visit: &Visit) -> Result<Markup, Problem> {
    let (services, t) = (&visit.site.services, &visit.texts.admin.overview);
    let database = services.overview.database(&visit.ctx, &services.health).await?;
    let works = |is: bool| html! { span.badge { (if is { t.works } else { t.fails }) } };
    let mut pairs = vec![
        (t.version, html! { (env!("CARGO_PKG_VERSION")) }),
        (t.reads, works(database.reads)),
        (t.writes, works(database.writes)),
    ];
    if visit.ctx.may(&Act::ReadDeliveries).is_ok() {
        let queues = services.overview.queues(&visit.ctx).await?;
        pairs.push((t.facts, waits(visit, queues.facts)));
        pairs.push((t.deliveries, waits(visit, queues.deliveries)));
        pairs.push((
            t.dead,
            html! {
                @if queues.has_dead { a href="/admin/deliveries?state=dead" { (t.dead_some) } } @else { (t.dead_none) }
            },
        ));
    }
    Ok(facts(&pairs))
}

fn waits(visit: &Visit, age: Option<Duration>) -> Markup {
    let t = &visit.texts.admin.overview;
    let Some(age) = age else { return html! { span.muted { (t.nothing_waits) } } };
    let (text, number) = match age.as_secs() {
        seconds @ 0..60 => (t.seconds, seconds),
        seconds @ 60..3600 => (t.minutes, seconds / 60),
        seconds @ 3600..86_400 => (t.hours, seconds / 3600),
        seconds => (t.days, seconds / 86_400),
    };
    html! { (count(text, number, visit.language)) }
}

#[cfg(test)]
mod tests {
    use super::bars;

    #[test]
    fn the_highest_bar_fills_the_chart_and_the_lowest_is_seen() {
        assert_eq!(bars(&[0, 0], 0), "");
        assert_eq!(bars(&[0, 1, 1000], 1000), "M8 40v-2h6v2zM16 40v-40h6v40z");
        assert!(bars(&[u64::MAX, 1], u64::MAX).starts_with("M0 40v-"));
    }
}
