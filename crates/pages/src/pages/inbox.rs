//! Notifications, and what reaches somebody how.

use axum::response::Response;
use maud::{Markup, html};
use userd_model::{
    NotificationId,
    preferences::{CategoryName, ChannelChoice, MessageChannel, PreferencesInput},
};
use userd_services::notifications::{NotificationView, Shown};
use userd_web::Problem;
use userd_web::extract::Path;

use super::{inbox_live, prove::ended};
use crate::{
    dates::moment,
    fields::Fields,
    layout,
    parts::{done, panel},
    routes::Routes,
    visit::{Query, Visit},
};

const HERE: &str = "/account/notifications";
/// The newest on the page.
const MOST: usize = 50;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(HERE, show)
        .post("/account/notifications/read-all", read_all)
        .post("/account/notifications/{id}/archive", archive)
        .get("/account/preferences", preferences)
        .post("/account/preferences", choose)
}

async fn show(visit: Visit) -> Result<Response, Problem> {
    let t = &visit.texts.account;
    let notifications = &visit.site.services.notifications;
    // Before the list: what comes meanwhile is told to the script, which shows nothing twice.
    let after = inbox_live::cursor(&visit, notifications.latest(&visit.ctx).await?)?;
    let page = notifications.list(&visit.ctx, Shown::Inbox, None, MOST).await?;
    let content = layout::account(
        &visit,
        t.notifications,
        &html! {
            p.small role="status" data-inbox-told=(t.inbox_news) {}
            div.row {
                a.button.quiet href="/account/preferences" { (t.preferences) }
                form method="post" action="/account/notifications/read-all" data-inbox-unread hidden[visit.unread == 0] {
                    (layout::token(&visit))
                    button.quiet { (t.read_all) }
                }
            }
            p.empty data-inbox-empty hidden[!page.items.is_empty()] { (t.no_notifications) }
            div data-inbox=(after) {
                @for notification in &page.items { (message(&visit, Some(notification))) }
            }
            template data-inbox-message { (message(&visit, None)) }
        },
    );
    Ok(visit.page(t.notifications, &content))
}

/// A notification; without one, the form that the script fills in with what comes.
fn message(visit: &Visit, notification: Option<&NotificationView>) -> Markup {
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
                    button.quiet { (t.archive) }
                }
            }
        }
    }
}

async fn read_all(visit: Visit) -> Result<Response, Problem> {
    ended(visit.site.services.notifications.read_all(&visit.ctx).await, HERE, HERE)
}

async fn archive(visit: Visit, Path(id): Path<NotificationId>) -> Result<Response, Problem> {
    ended(visit.site.services.notifications.archive(&visit.ctx, id).await, HERE, HERE)
}

async fn preferences(visit: Visit, query: Query) -> Result<Response, Problem> {
    let t = &visit.texts.account;
    let chosen = visit.site.services.preferences.read(&visit.ctx).await?;
    let quiet = chosen.quiet_hours.map(|quiet| (quiet.from(), quiet.to())).unwrap_or_default();
    let content = layout::account(
        &visit,
        t.preferences,
        &html! {
            @if query.text("told") == "saved" { (done(t.saved)) }
            form method="post" action="/account/preferences" data-guard=(t.unsaved) {
                (layout::token(&visit))
                input type="hidden" name="version" value=(chosen.version);
                (panel(t.what_reaches, &html! {
                    div.wide tabindex="0" { table {
                        thead { tr { th scope="col" { (t.category) } @for channel in MessageChannel::ALL { th scope="col" { (channel_name(&visit, channel)) } } } }
                        tbody {
                            @for (category, choice) in chosen.shown() {
                                tr {
                                    th scope="row" { (category_name(&visit, &category)) }
                                    @for channel in MessageChannel::ALL { td { (tick(&visit, &category, channel, choice)) } }
                                }
                            }
                        }
                    } }
                }))
                (panel(t.quiet_hours, &html! {
                    p.hint { (t.quiet_about) }
                    div.row {
                        span.pair {
                            label for="quiet_from" { (t.quiet_from) }
                            input.short type="time" id="quiet_from" name="quiet_from" value=(quiet.0);
                        }
                        span.pair {
                            label for="quiet_to" { (t.quiet_to) }
                            input.short type="time" id="quiet_to" name="quiet_to" value=(quiet.1);
                        }
                    }
                }))
                button { (t.save) }
            }
        },
    );
    Ok(visit.page(t.preferences, &content))
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
    let replaced = preferences.replace(&visit.ctx, &input, fields.text("version").parse().ok()).await;
    ended(replaced, "/account/preferences?told=saved", "/account/preferences")
}
