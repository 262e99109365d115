//! Notifications, and what reaches somebody how.

use axum::response::Response;
use maud::{Markup, html};
use userd_model::{
    InvalidField, NotificationId, Refusal,
    preferences::{CategoryName, ChannelChoice, MessageChannel, PreferencesInput},
};
use userd_services::{
    Failure,
    notifications::{NotificationView, Shown},
};
use userd_web::Problem;
use userd_web::extract::Path;

use super::{
    completion::{fields_of, in_words, status_of},
    inbox_live,
    paging::{onward, place},
    prove::ended,
};
use crate::{
    dates::moment,
    fields::Fields,
    layout,
    parts::{alert, done, panel, wrong_with},
    routes::Routes,
    visit::{Query, Visit},
};

const HERE: &str = "/account/notifications";
const PREFERENCES: &str = "/account/preferences";
/// Notifications on one page.
const MOST: usize = 15;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(HERE, show)
        .post("/account/notifications/read-all", read_all)
        .post("/account/notifications/{id}/archive", archive)
        .get(PREFERENCES, preferences)
        .post(PREFERENCES, choose)
}

async fn show(visit: Visit, query: Query) -> Result<Response, Problem> {
    let t = &visit.texts.account;
    let notifications = &visit.site.services.notifications;
    let (owner, _) = visit.ctx.user()?;
    let list = format!("notifications of {owner}");
    let begins = place(&visit, &query, &list)?;
    // Before the list: what comes meanwhile is told to the script, which shows nothing twice. It stands at the head of the
    // first page alone.
    let after = match begins {
        None => Some(inbox_live::cursor(&visit, notifications.latest(&visit.ctx).await?)?),
        Some(_) => None,
    };
    let page = notifications.list(&visit.ctx, Shown::Inbox, begins, MOST).await?;
    // The last one of a page was put away: what is left is before it.
    if after.is_none() && page.items.is_empty() && page.next.is_none() {
        return Ok(Visit::go(HERE));
    }
    let cursor = query.text("cursor");
    let content = layout::account(
        &visit,
        t.notifications,
        &html! {
            p.small role="status" data-inbox-told=(t.inbox_news) {}
            div.row {
                a.button.quiet href="/account/preferences" { (t.preferences) }
                form method="post" action="/account/notifications/read-all" data-inbox-unread hidden[visit.unread == 0] {
                    (layout::token(&visit))
                    (from(cursor))
                    button.quiet { (t.read_all) }
                }
            }
            p.empty data-inbox-empty hidden[!page.items.is_empty()] { (t.no_notifications) }
            div data-inbox=[after] {
                @for notification in &page.items { (message(&visit, Some(notification), cursor)) }
            }
            (onward(&visit, &list, false, page.next.as_ref()))
            template data-inbox-message { (message(&visit, None, "")) }
        },
    );
    Ok(visit.page(t.notifications, &content))
}

/// A notification; without one, the form that the script fills in with what comes.
fn message(visit: &Visit, notification: Option<&NotificationView>, cursor: &str) -> Markup {
    let t = &visit.texts.account;
    let content = notification.map(|notification| &notification.content);
    let url = content.and_then(|content| content.action_url.as_ref());
    let is_new = notification.is_none_or(|notification| notification.read_at.is_none());
    let id = notification.map(|notification| notification.id.to_string()).unwrap_or_default();
    html! {
        article.panel.message data-message=(id) {
            h2 {
                span data-title { @if let Some(content) = content { (content.title) } }
                @if is_new { " " span.badge { (t.unread) } }
            }
            p.lines data-body { @if let Some(content) = content { (content.body) } }
            div.row {
                span.muted data-at {
                    @if let Some(notification) = notification { (moment(visit, notification.created_at)) }
                }
                a href=[url] rel="noreferrer" data-url hidden[url.is_none()] { (t.open) }
                form method="post" action=(format!("/account/notifications/{id}/archive")) data-archive {
                    (layout::token(visit))
                    (from(cursor))
                    button.quiet { (t.archive) }
                }
            }
        }
    }
}

/// The page of the inbox that a form stands on.
fn from(cursor: &str) -> Markup {
    html! { @if !cursor.is_empty() { input type="hidden" name="cursor" value=(cursor); } }
}

/// Back to the page of the inbox that the form was on.
fn back(fields: &Fields) -> String {
    match fields.text("cursor") {
        "" => HERE.to_owned(),
        cursor => layout::with_query(HERE, "cursor", cursor),
    }
}

async fn read_all(visit: Visit, fields: Fields) -> Result<Response, Problem> {
    let back = back(&fields);
    ended(visit.site.services.notifications.read_all(&visit.ctx).await, &back, &back)
}

async fn archive(visit: Visit, Path(id): Path<NotificationId>, fields: Fields) -> Result<Response, Problem> {
    let back = back(&fields);
    ended(visit.site.services.notifications.archive(&visit.ctx, id).await, &back, &back)
}

async fn preferences(visit: Visit, query: Query) -> Result<Response, Problem> {
    let chosen = visit.site.services.preferences.read(&visit.ctx).await?;
    let quiet = chosen.quiet_hours.map(|quiet| (quiet.from(), quiet.to()));
    let categories = chosen.shown().into_iter().map(|(category, choice)| (category.as_str().to_owned(), choice));
    let shown = PreferencesInput { categories: categories.collect(), quiet_hours: quiet };
    let note = if query.text("told") == "saved" { done(visit.texts.account.saved) } else { Markup::default() };
    Ok(preferences_page(&visit, &note, &shown, chosen.version, None))
}

fn preferences_page(
    visit: &Visit,
    note: &Markup,
    shown: &PreferencesInput,
    version: i64,
    refusal: Option<&Refusal>,
) -> Response {
    let t = &visit.texts.account;
    let content = layout::account(
        visit,
        t.preferences,
        &html! {
            (note)
            @if let Some(refusal) = refusal { (alert(&in_words(visit, refusal))) }
            form method="post" action=(PREFERENCES) data-guard=(t.unsaved) {
                (layout::token(visit))
                input type="hidden" name="version" value=(version);
                (panel(t.what_reaches, &choices(visit, shown)))
                (panel(t.quiet_hours, &quiet_hours(visit, shown, refusal.map(fields_of).unwrap_or_default())))
                button { (t.save) }
            }
        },
    );
    visit.page_with(refusal.map_or(http::StatusCode::OK, status_of), t.preferences, &content)
}

fn choices(visit: &Visit, shown: &PreferencesInput) -> Markup {
    let categories =
        || shown.categories.iter().filter_map(|(name, choice)| Some((CategoryName::parse(name).ok()?, *choice)));
    html! {
        div.wide tabindex="0" { table {
            thead { tr {
                th scope="col" { (visit.texts.account.category) }
                @for channel in MessageChannel::ALL { th scope="col" { (channel_name(visit, channel)) } }
            } }
            tbody {
                @for (category, choice) in categories() {
                    tr {
                        th scope="row" { (category_name(visit, &category)) }
                        @for channel in MessageChannel::ALL { td { (tick(visit, &category, channel, choice)) } }
                    }
                }
            }
        } }
    }
}

fn quiet_hours(visit: &Visit, shown: &PreferencesInput, errors: &[InvalidField]) -> Markup {
    let t = &visit.texts.account;
    let (from, to) = shown.quiet_hours.as_ref().map_or(("", ""), |(from, to)| (from.as_str(), to.as_str()));
    let wrong = ["/quiet_hours/from", "/quiet_hours/to"].map(|pointer| wrong_with(errors, pointer, visit.language));
    let input = |name: &str, label: &str, value: &str, wrong: &str| {
        let wrong_id = (!wrong.is_empty()).then(|| format!("{name}-wrong"));
        html! {
            span.pair {
                label for=(name) { (label) }
                input.short type="time" id=(name) name=(name) value=(value) aria-describedby=[wrong_id.as_deref()]
                    aria-invalid=[wrong_id.as_ref().map(|_| "true")];
            }
            @if let Some(id) = &wrong_id { p.wrong id=(id) { (wrong) } }
        }
    };
    let [wrong_from, wrong_to] = &wrong;
    html! {
        p.hint { (t.quiet_about) }
        div.row {
            (input("quiet_from", t.quiet_from, from, wrong_from))
            (input("quiet_to", t.quiet_to, to, wrong_to))
        }
    }
}

fn tick(visit: &Visit, category: &CategoryName, channel: MessageChannel, choice: ChannelChoice) -> Markup {
    let may = category.may_be_muted(channel);
    let label = format!("{}: {}", category_name(visit, category), channel_name(visit, channel));
    html! {
        input type="checkbox" name=(format!("{}/{}", category.as_str(), channel.as_str())) value="yes"
            aria-label=(label) checked[!may || choice.has(channel)] disabled[!may];
    }
}

fn channel_name(visit: &Visit, channel: MessageChannel) -> &'static str {
    let t = &visit.texts.account;
    match channel {
        MessageChannel::Inbox => t.channel_inbox,
        MessageChannel::Email => t.channel_email,
        MessageChannel::Telegram => t.channel_telegram,
    }
}

fn category_name<'a>(visit: &Visit, category: &'a CategoryName) -> &'a str {
    let t = &visit.texts.account;
    match category.as_str() {
        "security" => t.category_security,
        "account" => t.category_account,
        "administration" => t.category_administration,
        "message" => t.category_message,
        other => other,
    }
}

async fn choose(visit: Visit, fields: Fields) -> Result<Response, Problem> {
    let preferences = &visit.site.services.preferences;
    let before = preferences.read(&visit.ctx).await?;
    let is_on = |category: &CategoryName, channel: MessageChannel| {
        !category.may_be_muted(channel)
            || !fields.text(&format!("{}/{}", category.as_str(), channel.as_str())).is_empty()
    };
    let chosen = before.shown().into_keys().map(|category| {
        let choice = ChannelChoice {
            inbox: is_on(&category, MessageChannel::Inbox),
            email: is_on(&category, MessageChannel::Email),
            telegram: is_on(&category, MessageChannel::Telegram),
        };
        (category.as_str().to_owned(), choice)
    });
    let (from, to) = (fields.text("quiet_from"), fields.text("quiet_to"));
    let quiet_hours = (!from.is_empty() || !to.is_empty()).then(|| (from.to_owned(), to.to_owned()));
    let input = PreferencesInput { categories: chosen.collect(), quiet_hours };
    let expected: Option<i64> = fields.text("version").parse().ok();
    match preferences.replace(&visit.ctx, &input, expected).await {
        Err(Failure::Refused(refusal @ (Refusal::InvalidInput(_) | Refusal::VersionMismatch))) => {
            // Whoever is told of a change in another window sends the next try over it; everybody else over what they saw.
            let seen = expected.filter(|_| refusal != Refusal::VersionMismatch);
            let version = seen.unwrap_or(before.version);
            Ok(preferences_page(&visit, &Markup::default(), &input, version, Some(&refusal)))
        }
        outcome => ended(outcome, "/account/preferences?told=saved", PREFERENCES),
    }
}
