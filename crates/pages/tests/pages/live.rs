//! The inbox as it fills: the badge, the stream that the page's script listens to, what ends it.

use std::time::Duration;

use axum::body::Body;
use http::Request;
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;

use crate::browser::{Browser, PASSWORD, Place};

const STREAM: &str = "/account/notifications/stream";
const SESSION: &str = "__Host-userd_session";

/// The stream as the script reads it.
struct Stream {
    body: Body,
    text: String,
    /// What the last event said.
    last: String,
}

impl Stream {
    async fn open(place: &Place, browser: &Browser<'_>, last: Option<&str>) -> Self {
        let cookie = format!("{SESSION}={}", browser.cookies[SESSION]);
        let request = Request::get(STREAM).header("cookie", cookie).header("sec-fetch-site", "same-origin");
        let request = last.into_iter().fold(request, |request, id| request.header("last-event-id", id));
        let answer = place.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        assert_eq!(answer.headers()["cache-control"], "no-store");
        Self { body: answer.into_body(), text: String::new(), last: String::new() }
    }

    /// The next event's cursor, and how much is unread; `None` when the stream is over.
    async fn next(&mut self) -> Option<(String, i64)> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
                let found = field("id: ").zip(field("data: "));
                assert!(found.is_none() || event.contains("event: inbox"), "{event}");
                self.text = rest.to_owned();
                match found {
                    Some((id, data)) => {
                        self.last.clone_from(&data);
                        let data: Value = serde_json::from_str(&data).unwrap();
                        return Some((id, data["unread"].as_i64().unwrap()));
                    }
                    None => continue,
                }
            }
            let frame = tokio::time::timeout(Duration::from_secs(20), self.body.frame()).await.unwrap()?;
            self.text.push_str(std::str::from_utf8(frame.unwrap().data_ref().unwrap()).unwrap());
        }
    }
}

/// Something happens to whoever is signed in there.
async fn happen(place: &Place, browser: &mut Browser<'_>, name: &str) {
    let answer = browser.submit_from("/account/profile", "/account/username", &[("username", name)]).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    place.services().event_log.tick().await.unwrap();
    place.services().deliveries.tick().await.unwrap();
}

#[tokio::test]
async fn the_badge_and_the_stream_say_how_much_is_unread_and_a_broken_line_misses_nothing() {
    let place = Place::new().await;
    place.member("ada").await;
    let mut browser = place.browser_of("ada").await;
    let mut stream = Stream::open(&place, &browser, None).await;
    let (_, before) = stream.next().await.unwrap();
    happen(&place, &mut browser, "countess").await;
    let (cursor, unread) = stream.next().await.unwrap();
    assert_eq!(unread, before + 1);
    let page = browser.get("/account/notifications").await.text();
    assert!(page.contains(&format!("data-inbox-badge=\"{STREAM}\">{unread}</span>")), "{page}");
    assert!(page.contains("countess"), "without a script the page has it when it is loaded");
    let after = page.split("data-inbox=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let since = browser.send("GET", &format!("{STREAM}?after=nonsense"), &[], "").await;
    assert_eq!(since.status, 400);
    drop(stream);
    happen(&place, &mut browser, "countess2").await;
    for since in [&cursor, &after] {
        let mut again = Stream::open(&place, &browser, Some(since)).await;
        assert_eq!(again.next().await.unwrap().1, before + 2);
        assert!(again.last.contains("countess2") && !again.last.contains("countess\""), "{}", again.last);
    }
    browser.submit_from("/account/notifications", "/account/notifications/read-all", &[]).await;
    let page = browser.get("/account/notifications").await.text();
    assert!(page.contains(&format!("data-inbox-badge=\"{STREAM}\" hidden>0</span>")), "{page}");
    let wrong = browser.send("GET", STREAM, &[("last-event-id", "bm9uc2Vuc2U")], "").await;
    assert_eq!(wrong.status, 400);
    place.member("grace").await;
    let mut other = place.browser_of("grace").await;
    assert_eq!(other.send("GET", STREAM, &[("last-event-id", &cursor)], "").await.status, 400, "of another inbox");
    assert_eq!(place.browser().get(STREAM).await.status, 303);
}

#[tokio::test]
async fn the_stream_ends_when_its_session_does_and_when_the_process_stops() {
    let place = Place::new().await;
    place.member("ada").await;
    let mut browser = place.browser_of("ada").await;
    let mut stream = Stream::open(&place, &browser, None).await;
    stream.next().await.unwrap();
    browser.submit_from("/account", "/sign-out", &[]).await;
    assert_eq!(stream.next().await, None, "signed out");

    let ada = place.browser_of("ada").await;
    let mut stream = Stream::open(&place, &ada, None).await;
    stream.next().await.unwrap();
    let services = place.services();
    let id =
        services.authenticate_browser(services.context(), &ada.cookies[SESSION]).await.unwrap().ctx.user().unwrap().0;
    services.sessions.end_all(&services.operator_context(), id, None).await.unwrap();
    assert_eq!(stream.next().await, None, "signed out everywhere");

    let ada = place.browser_of("ada").await;
    let mut stream = Stream::open(&place, &ada, None).await;
    stream.next().await.unwrap();
    place.draining.start();
    assert_eq!(stream.next().await, None, "the process stops");
}

/// An open page is no use of a session: whoever leaves one open is out when the session's time is over.
#[tokio::test]
async fn an_open_stream_keeps_nobody_signed_in() {
    let place = Place::new().await;
    place.member("ada").await;
    let browser = place.browser_of("ada").await;
    let secret = &browser.cookies[SESSION];
    let services = place.services();
    for _ in 0..30 {
        assert!(services.is_signed_in_browser(secret).await);
        place.app.clock.advance(Duration::from_secs(24 * 3600));
    }
    assert!(!services.is_signed_in_browser(secret).await);
    let mut late = browser;
    assert_eq!(late.get("/account").await.status, 303);
    assert_eq!(late.submit("/sign-in", &[("login", "ada"), ("password", PASSWORD)]).await.status, 303);
}
