//! The mailbox and the receiver of webhooks, reached by our own channels and read by a person.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise"
)]

use std::time::Duration;

use userd_channels::{
    Secret,
    email::{Email, EmailFault, Relay, RelayOptions},
    webhook::{Allowed, ContentType, WebhookCall, WebhookOptions, WebhookSecret, WebhookSender, WebhookUrl},
};
use userd_model::Timestamp;
use userd_stand_ins::{
    Options,
    mailbox::{self, Mailbox},
    webhook_receiver,
};

/// The receivers of the tests are on this machine.
const ANYWHERE: Allowed = Allowed { http: true, private_addresses: true };

fn relay(mailbox: &Mailbox) -> Relay {
    Relay::new(&RelayOptions {
        url: Secret::new(mailbox.smtp_url.clone()),
        from: "Служба <no-reply@users.example>".to_owned(),
        ca_file: None,
        connections: 2,
        timeout: Duration::from_secs(5),
    })
    .unwrap()
}

fn email(subject: &str) -> Email {
    Email {
        id: uuid::Uuid::from_u128(7),
        at: Timestamp::from_seconds(1_767_225_600),
        to: userd_model::Email::parse("anna@example.org").unwrap(),
        to_name: Some("Анна <Петрова>".to_owned()),
        subject: subject.to_owned(),
        text: format!("Здравствуйте!\n.\n..\nЭто были не вы:\nhttps://users.example/l/abc\n{}\n", "слово ".repeat(200)),
        html: "<!doctype html><html><head></head><body><b>Анна</b><script>alert(1)</script></body></html>".to_owned(),
        language: "ru".to_owned(),
        unsubscribe: None,
    }
}

async fn page(url: &str) -> (reqwest::header::HeaderMap, String) {
    let answer = reqwest::get(url).await.unwrap();
    (answer.headers().clone(), answer.text().await.unwrap())
}

#[tokio::test]
async fn a_mail_is_shown_as_it_was_written() {
    let mailbox = mailbox::start(Options::default(), 0).await.unwrap();
    let relay = relay(&mailbox);
    let subject = "Вход с нового устройства: подтвердите, что это были именно вы, <b>Анна</b>";
    relay.send(&email(subject)).await.unwrap();
    relay.send(&email("two")).await.unwrap();
    let mails = mailbox.mails();
    assert_eq!((mails.len(), mails[0].subject(), mails[1].subject()), (2, subject, "two"));
    let mail = &mails[0];
    assert_eq!(mail.to, ["anna@example.org"]);
    assert_eq!(mail.header("from"), "Служба <no-reply@users.example>");
    assert!(mail.header("to").contains("Анна <Петрова>"), "{}", mail.header("to"));
    assert_eq!((mail.text.trim_end(), mail.html.trim_end()), (email("").text.trim_end(), email("").html.trim_end()));
    assert_eq!(mail.links(), ["https://users.example/l/abc"]);

    let (_, list) = page(&mailbox.base_url).await;
    assert!(list.contains("/mail/0") && list.contains("anna@example.org") && list.contains(&mailbox.smtp_url));
    assert!(list.contains("&lt;b&gt;Анна") && !list.contains("<b>Анна"), "{list}");
    let (_, shown) = page(&format!("{}/mail/0", mailbox.base_url)).await;
    assert!(shown.contains("href=\"https://users.example/l/abc\"") && !shown.contains("<script"), "{shown}");
    let (headers, html) = page(&format!("{}/mail/0/html", mailbox.base_url)).await;
    assert!(html.contains("<b>Анна</b>"));
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("sandbox"), "{policy}");
    assert!(page(&format!("{}/mail/0/source", mailbox.base_url)).await.1.contains("Message-ID: "));
    assert_eq!(reqwest::get(format!("{}/mail/9", mailbox.base_url)).await.unwrap().status(), 404);
}

#[tokio::test]
async fn a_mailbox_can_refuse() {
    let mailbox = mailbox::start(Options::default(), 0).await.unwrap();
    let relay = relay(&mailbox);
    let refuse = async |text: &str| {
        let form = reqwest::Client::new().post(&mailbox.base_url).form(&[("refuse", text)]);
        assert!(form.send().await.unwrap().status().is_success());
    };
    refuse("550 5.1.1 nobody here").await;
    assert!(
        matches!(relay.send(&email("x")).await, Err(EmailFault::Undeliverable(why)) if why.contains("nobody here"))
    );
    refuse("451 4.7.1 later").await;
    assert!(matches!(relay.send(&email("x")).await, Err(EmailFault::Deferred(_))));
    refuse("").await;
    relay.send(&email("x")).await.unwrap();
    assert_eq!((mailbox.mails().len(), mailbox.count()), (1, 1));
}

#[tokio::test]
async fn a_webhook_is_shown_with_what_its_signature_is_worth() {
    let receiver = webhook_receiver::start(Options::default()).await.unwrap();
    let options = WebhookOptions { allowed: ANYWHERE, ..WebhookOptions::default() };
    let sender = WebhookSender::new(options).unwrap();
    let secret = "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=";
    let call = WebhookCall {
        id: "evt_1".to_owned(),
        // Long ago: the receiver has the machine's clock.
        at: Timestamp::from_seconds(1_767_225_600),
        url: WebhookUrl::parse(&receiver.url(), ANYWHERE).unwrap(),
        content_type: ContentType::CloudEvent,
        body: r#"{"name":"<b>Анна</b>"}"#.into(),
        secrets: vec![WebhookSecret::parse(secret).unwrap()],
    };
    sender.send(&call).await.unwrap();
    let form = [("secret", secret), ("status", "503")];
    assert!(reqwest::Client::new().post(&receiver.base_url).form(&form).send().await.unwrap().status().is_success());
    assert!(sender.send(&call).await.is_err());
    let (_, shown) = page(&receiver.base_url).await;
    assert!(
        shown.contains("signature not checked") && shown.contains("time WRONG") && shown.contains("→ 503"),
        "{shown}"
    );
    assert!(shown.contains("evt_1") && shown.contains("&lt;b&gt;Анна") && !shown.contains("<b>Анна"), "{shown}");
}
