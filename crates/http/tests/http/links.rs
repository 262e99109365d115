//! Links in messages over HTTP: what scanners, mail programs and people do with them, and where their tokens must not be.

use std::{
    io,
    sync::{Arc, Mutex},
};

use axum::Router;
use tracing_subscriber::fmt::MakeWriter;
use userd_model::{
    UserId,
    preferences::{CategoryName, MessageChannel},
};
use userd_services::{Services, links::LinkAct, testing::TestOptions};
use userd_web::testing::*;

use crate::app::*;

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const PARTS: &str = "--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n";

struct Mail {
    services: Arc<Services>,
    router: Router,
    user: UserId,
    bearer: String,
}

impl Mail {
    async fn open() -> Self {
        let services = test_services(TestOptions::default()).await;
        let router = app_over(Arc::clone(&services));
        let ada = serde_json::json!({ "username": "ada-of-links", "password": "plum-Orchestra-19" }).to_string();
        let registered = post_json(&router, "/v1/auth/register", ada).await.json();
        let user = registered["user"]["id"].as_str().unwrap().parse().unwrap();
        let bearer = format!("Bearer {}", registered["tokens"]["access_token"].as_str().unwrap());
        Self { services, router, user: UserId(user), bearer }
    }

    /// The path of a new link.
    async fn link(&self, act: LinkAct) -> String {
        let ctx = self.services.context();
        let (links, user) = (&self.services.links, self.user);
        let url = self.services.changes.run(&ctx, "mint", |mut change| {
            let act = act.clone();
            async move {
                let url = links.mint(&mut change, user, act).await?;
                change.commit(url).await
            }
        });
        url.await.unwrap().path().to_owned()
    }

    async fn unsubscribe(&self) -> String {
        let category = CategoryName::parse("message").unwrap();
        self.link(LinkAct::Unsubscribe { category, channel: MessageChannel::Email }).await
    }

    async fn post(&self, path: &str, headers: &[(&str, &str)], body: &'static str) -> Answer {
        ask(&self.router, request("POST", path, headers, body)).await
    }

    async fn gets_mail(&self) -> bool {
        let read = get(&self.router, "/v1/me/notification-preferences", &[("authorization", &self.bearer)]).await;
        read.json()["categories"]["message"]["email"].as_bool().unwrap()
    }

    async fn is_signed_in(&self) -> bool {
        get(&self.router, "/v1/me", &[("authorization", &self.bearer)]).await.status == 200
    }
}

/// AC-160: what a scanner and a preview send; and the page is one that tells nobody of itself.
#[tokio::test]
async fn a_scanner_that_opens_a_link_changes_nothing() {
    let mail = Mail::open().await;
    for path in [mail.unsubscribe().await, mail.link(LinkAct::NotMe { session_id: None }).await] {
        for method in ["HEAD", "GET", "GET"] {
            let answer = ask(&mail.router, request(method, &path, &[("accept-language", "ru")], "")).await;
            assert_eq!(answer.status, 200, "{method}: {}", answer.text());
            assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
            assert_eq!((answer.header("referrer-policy"), answer.header("cache-control")), ("no-referrer", "no-store"));
            assert_eq!(answer.header("content-language"), "ru");
            let policy = answer.header("content-security-policy");
            assert!(policy.starts_with("default-src 'none'") && policy.contains("form-action 'self'"), "{policy}");
            assert!(!policy.contains("script-src"), "{policy}");
            let text = answer.text();
            assert!(!text.contains("<script") && !text.contains("udl_") && !text.contains("ada"), "{text}");
        }
        let english = get(&mail.router, &path, &[]).await.text();
        assert!(english.contains("<form method=\"post\">") && english.contains("lang=\"en\""), "{english}");
    }
    assert!(mail.gets_mail().await && mail.is_signed_in().await);
}

/// RFC 8058 section 3.2: without cookie or page, as a form or in parts; and again.
#[tokio::test]
async fn a_mail_program_unsubscribes_with_one_click() {
    for (media_type, body) in [
        ("application/x-www-form-urlencoded", "List-Unsubscribe=One-Click"),
        ("multipart/form-data; boundary=b", PARTS),
    ] {
        let mail = Mail::open().await;
        let path = mail.unsubscribe().await;
        for _ in 0..2 {
            let answer = mail.post(&path, &[("content-type", media_type)], body).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
            assert!(answer.text().contains("You are unsubscribed"), "{}", answer.text());
            assert!(!mail.gets_mail().await);
        }
        assert!(mail.is_signed_in().await);
    }
}

/// AC-162: the one-click of a mail program and other bodies ask again; the form acts, once.
#[tokio::test]
async fn this_was_not_me_wants_its_form_and_works_once() {
    let mail = Mail::open().await;
    let path = mail.link(LinkAct::NotMe { session_id: None }).await;
    for body in ["List-Unsubscribe=One-Click", "", "confirm=no", "{\"confirm\": \"yes\"}"] {
        let asked = mail.post(&path, &[FORM], body).await;
        assert!(asked.status == 200 && asked.text().contains("<form method=\"post\">"), "{body}: {}", asked.text());
    }
    assert!(mail.is_signed_in().await);
    let done = mail.post(&path, &[FORM, ("accept-language", "ru-RU,ru;q=0.9")], "confirm=yes").await;
    assert!(done.status == 200 && done.text().contains("смените"), "{}", done.text());
    assert!(!mail.is_signed_in().await);
    let again = mail.post(&path, &[FORM], "confirm=yes").await;
    assert_eq!((again.status.as_u16(), again.slug().as_str()), (410, "link_gone"));
}

/// A person sees a page that says what next, a program a problem.
#[tokio::test]
async fn a_link_that_is_over_says_what_next() {
    let mail = Mail::open().await;
    let gone = format!("/l/udl_{}", "A".repeat(43));
    let page = get(&mail.router, &gone, &[("accept", "text/html"), ("accept-language", "ru")]).await;
    assert_eq!((page.status.as_u16(), page.header("content-type")), (410, "text/html; charset=utf-8"));
    assert!(page.text().contains("Эта ссылка больше не работает"), "{}", page.text());
    assert_eq!(get(&mail.router, &gone, &[]).await.slug(), "link_gone");
    for nothing in ["/l/x", "/l/..%2fme"] {
        assert_eq!(get(&mail.router, nothing, &[]).await.slug(), "not_found", "{nothing}");
    }
    let large: &'static str = "x".repeat(65 * 1024).leak();
    assert_eq!(mail.post(&mail.unsubscribe().await, &[FORM], large).await.slug(), "payload_too_large");
    assert!(mail.gets_mail().await);
}

#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl io::Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Memory {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// AC-164: whoever reads the log, at its most talkative, reads no token of a link.
#[tokio::test]
async fn no_line_of_the_log_has_the_token_of_a_link() {
    let mail = Mail::open().await;
    let paths = [mail.unsubscribe().await, mail.link(LinkAct::NotMe { session_id: None }).await];
    let log = Memory::default();
    let subscriber =
        tracing_subscriber::fmt().json().with_max_level(tracing::Level::TRACE).with_writer(log.clone()).finish();
    let listening = tracing::subscriber::set_default(subscriber);
    for path in &paths {
        get(&mail.router, path, &[]).await;
        mail.post(path, &[FORM], "confirm=yes").await;
        mail.post(path, &[FORM], "confirm=yes").await;
    }
    drop(listening);
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("/l/{token}") && text.contains("a link of a message was followed"), "{text}");
    for path in paths {
        assert!(!text.contains(path.trim_start_matches("/l/udl_")), "a token is in the log");
    }
}
