//! The inbox as it fills, for the script of its page: what came, as text that goes into the page's own template, and how
//! much is unread (decision 0045).

use axum::response::{IntoResponse, Response, sse::Event};
use http::HeaderMap;
use serde_json::{Value, json};
use userd_model::{Refusal, Timestamp};
use userd_services::{Context, Services, notifications::NotificationView};
use userd_web::{
    Problem,
    inbox_stream::{InboxReader, InboxStream},
    problem::table,
};

use crate::{
    addresses::INBOX_STREAM,
    browser_cookies::{self, SESSION},
    dates::moment_text,
    routes::Routes,
    visit::{Query, Visit},
};

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get(INBOX_STREAM, watch)
}

/// The place of a time in the visitor's inbox.
pub(super) fn cursor(visit: &Visit, at: Timestamp) -> Result<String, Problem> {
    visit.site.cursors.seal(&place(visit)?, &at).ok_or_else(Problem::internal)
}

/// Cursors of one inbox are of no use for another.
fn place(visit: &Visit) -> Result<String, Problem> {
    let (user, _) = visit.ctx.user()?;
    Ok(format!("inbox?of={user}"))
}

/// What came since the last event, or since the page was made (`after`), and then what comes. Where neither is said, it
/// begins with how much is unread.
async fn watch(visit: Visit, query: Query, headers: HeaderMap) -> Result<Response, Problem> {
    let text = match headers.get("last-event-id") {
        Some(id) => id.to_str().unwrap_or_default(),
        None => query.text("after"),
    };
    let since = match text {
        "" if !headers.contains_key("last-event-id") => None,
        text => {
            let opened = visit.site.cursors.open(&place(&visit)?, text);
            Some(opened.ok_or_else(|| Problem::of(&table::INVALID_CURSOR))?)
        }
    };
    let secret = browser_cookies::read(&headers, SESSION).ok_or(Refusal::NotSignedIn)?.to_owned();
    let draining = visit.site.options.draining.clone();
    let mut stream = InboxStream::open(Reader { visit, secret }, draining, since).await?;
    if since.is_none() {
        stream.tell_now().await;
    }
    Ok(stream.answer().into_response())
}

/// Whoever holds a session by the page's cookie. No Debug: the secret is one.
struct Reader {
    visit: Visit,
    secret: String,
}

impl InboxReader for Reader {
    fn services(&self) -> &Services {
        &self.visit.site.services
    }

    fn context(&self) -> &Context {
        &self.visit.ctx
    }

    async fn may_still(&self) -> bool {
        self.visit.site.services.is_signed_in_browser(&self.secret).await
    }

    async fn events(&self, newer: Vec<NotificationView>, last: Timestamp) -> Option<Vec<Event>> {
        let counts = self.visit.site.services.notifications.counts(&self.visit.ctx).await.ok()?;
        let items: Vec<_> = newer.iter().map(|notification| told(&self.visit, notification)).collect();
        let data = json!({ "unread": counts.unread, "items": items }).to_string();
        Some(vec![Event::default().event("inbox").id(cursor(&self.visit, last).ok()?).data(data)])
    }
}

/// A notification as the script puts it in: all of it as text.
fn told(visit: &Visit, notification: &NotificationView) -> Value {
    let content = &notification.content;
    json!({
        "id": notification.id,
        "title": content.title,
        "body": content.body,
        "at": moment_text(visit, notification.created_at),
        "url": content.action_url,
        "archive": format!("/account/notifications/{}/archive", notification.id),
    })
}
