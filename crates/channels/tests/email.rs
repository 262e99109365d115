//! Messages through a real SMTP server of another maker, which reads them with Python's `email` and answers as told.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise"
)]

use std::{path::PathBuf, time::Duration};

use serde_json::{Value, json};
use tempfile::TempDir;
use userd_channels::{
    Secret,
    email::{Email, EmailFault, Relay, RelayOptions},
};
use userd_model::Timestamp;
use userd_test_support::script::Script;

/// A server, and what a relay must know to reach it.
struct Server {
    script: Script,
    folder: TempDir,
    scheme: &'static str,
    port: u64,
}

impl Server {
    async fn start(mode: &'static str) -> Option<Self> {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (chain, key) = (folder.path().join("chain.pem"), folder.path().join("key.pem"));
        std::fs::write(&chain, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        let files = [chain.to_str().unwrap(), key.to_str().unwrap()];
        let arguments = if mode == "plain" { vec![mode] } else { vec![mode, files[0], files[1]] };
        let mut script = Script::start("smtp_server.py", &arguments)?;
        let port = script.ask("port").await.as_u64().unwrap();
        Some(Self { script, folder, scheme: if mode == "smtps" { "smtps" } else { "smtp" }, port })
    }

    fn options(&self) -> RelayOptions {
        RelayOptions {
            url: Secret::new(format!("{}://localhost:{}", self.scheme, self.port)),
            from: "Служба <no-reply@users.example>".to_owned(),
            ca_file: (self.scheme == "smtps" || self.folder.path().join("chain.pem").exists())
                .then(|| self.folder.path().join("chain.pem")),
            connections: 2,
            timeout: Duration::from_secs(5),
        }
    }

    fn relay(&self) -> Relay {
        Relay::new(&self.options()).unwrap()
    }

    async fn behave(&mut self, behaviour: Value) {
        self.script.ask(&format!("behave {behaviour}")).await;
    }

    async fn mails(&mut self) -> Vec<Value> {
        self.script.ask("mails").await.as_array().unwrap().clone()
    }
}

fn email() -> Email {
    Email {
        id: uuid::Uuid::from_u128(7),
        at: Timestamp::from_seconds(1_767_225_600),
        to: userd_model::Email::parse("anna@пример.рф").unwrap(),
        to_name: Some("Анна Петрова".to_owned()),
        subject: "Вход с нового устройства: подтвердите, что это были вы".to_owned(),
        text: "Здравствуйте, Анна!\n\nЭто были вы?\n".to_owned(),
        html: format!("<p>Здравствуйте, <b>Анна</b>!</p><p>{}</p>", "слово ".repeat(400)),
        language: "ru".to_owned(),
        unsubscribe: Some("https://users.example/l/0123456789".parse().unwrap()),
    }
}

/// ASVS V1.3.11
#[tokio::test]
async fn a_message_reads_as_it_was_written_and_says_that_a_machine_wrote_it() {
    let Some(mut server) = Server::start("plain").await else { return };
    server.relay().send(&email()).await.unwrap();
    let mails = server.mails().await;
    let [mail] = &mails[..] else { panic!("{mails:?}") };
    assert_eq!(mail["defects"], json!([]));
    assert_eq!(mail["headers"]["subject"], email().subject);
    assert_eq!(mail["names"], json!(["Анна Петрова"]));
    assert_eq!(mail["to"], json!(["anna@xn--e1afmkfd.xn--p1ai"]));
    assert_eq!(mail["from"], "no-reply@users.example");
    assert_eq!(mail["headers"]["from"], "Служба <no-reply@users.example>");
    assert_eq!(mail["headers"]["message-id"], "<00000000-0000-0000-0000-000000000007@users.example>");
    assert_eq!(mail["headers"]["date"], "Thu, 01 Jan 2026 00:00:00 +0000");
    assert_eq!(mail["headers"]["auto-submitted"], "auto-generated");
    assert_eq!(mail["headers"]["content-language"], "ru");
    assert_eq!(mail["headers"]["list-unsubscribe"], "<https://users.example/l/0123456789>");
    assert_eq!(mail["headers"]["list-unsubscribe-post"], "List-Unsubscribe=One-Click");
    assert_eq!(mail["parts"]["text/plain"].as_str().unwrap().replace("\r\n", "\n"), email().text);
    assert_eq!(mail["parts"]["text/html"].as_str().unwrap().trim_end(), email().html.trim_end());
}

#[tokio::test]
async fn a_relay_without_8bitmime_and_smtputf8_takes_it_too() {
    let Some(mut server) = Server::start("plain").await else { return };
    server.behave(json!({ "bare": true })).await;
    server.relay().send(&email()).await.unwrap();
    let mail = server.mails().await.remove(0);
    assert_eq!((&mail["ascii"], &mail["defects"]), (&json!(true), &json!([])));
    assert!(mail["longest_line"].as_u64().unwrap() <= 998, "RFC 5322 section 2.1.1: {}", mail["longest_line"]);
    assert_eq!(mail["headers"]["subject"], email().subject);
}

/// AC-147: a name or subject with line breaks begins no header of its own, and no line is too long.
/// ASVS V1.3.11
#[tokio::test]
async fn what_people_chose_adds_no_header_and_no_recipient() {
    let Some(mut server) = Server::start("plain").await else { return };
    let relay = server.relay();
    for hostile in [
        "Anna\r\nBcc: evil@example.org",
        "Anna\nBcc: evil@example.org\n\nbody",
        "Anna\u{0}\rBcc: evil@example.org",
        "Anna <evil@example.org>",
        "\"Anna\" <evil@example.org>, Bob",
        "Анна\r\n Bcc: evil@example.org",
        "=?utf-8?q?Anna=0D=0ABcc=3A_evil=40example.org?=",
        "Anna\u{2028}Bcc: evil@example.org",
        "Anna\u{b}\u{c}\u{85}Bcc: evil@example.org",
        &"a".repeat(3_000),
        &"слово ".repeat(500),
        &"a\\\"<>,;".repeat(300),
    ] {
        let text = format!("{hostile}\r\n.\r\n{hostile}\n.\nQUIT\r\n");
        let email = Email { to_name: Some(hostile.to_owned()), subject: hostile.to_owned(), text, ..email() };
        relay.send(&email).await.unwrap();
    }
    let mails = server.mails().await;
    assert_eq!(mails.len(), 12);
    for mail in mails {
        assert!(mail["longest_line"].as_u64().unwrap() <= 998, "RFC 5322 section 2.1.1: {}", mail["longest_line"]);
        assert!(mail["parts"]["text/plain"].as_str().unwrap().trim_end().ends_with("QUIT"), "{mail}");
        assert_eq!(mail["to"], json!(["anna@xn--e1afmkfd.xn--p1ai"]));
        assert!(mail["headers"].get("bcc").is_none(), "{mail}");
        assert_eq!(mail["names"].as_array().unwrap().len(), 1, "{mail}");
        assert_eq!(mail["defects"], json!([]), "{mail}");
    }
}

/// The answers of a relay, each with what follows from it.
#[tokio::test]
async fn answers_say_whether_to_try_again() {
    let Some(mut server) = Server::start("plain").await else { return };
    let relay = server.relay();
    for behaviour in [json!({ "rcpt": "550 5.1.1 no such user" }), json!({ "data": "554 5.7.1 we do not like it" })] {
        server.behave(behaviour.clone()).await;
        let fault = relay.send(&email()).await.unwrap_err();
        assert!(matches!(fault, EmailFault::Undeliverable(_)), "{behaviour}: {fault:?}");
    }
    // One mailbox is busy, and the relay takes what is for others.
    for behaviour in [json!({ "rcpt": "450 4.2.1 greylisted" }), json!({ "data": "451 4.3.0 later" })] {
        server.behave(behaviour.clone()).await;
        let fault = relay.send(&email()).await.unwrap_err();
        assert!(matches!(fault, EmailFault::Deferred(_)), "{behaviour}: {fault:?}");
    }
    for behaviour in [json!({ "data": "421 4.3.2 going down" }), json!({ "drop": true })] {
        server.behave(behaviour.clone()).await;
        let fault = relay.send(&email()).await.unwrap_err();
        assert!(matches!(fault, EmailFault::Unavailable(_)), "{behaviour}: {fault:?}");
    }
    // A line that broke is not used again.
    server.behave(json!({})).await;
    relay.send(&email()).await.unwrap();
    relay.check().await.unwrap();
    let ids: Vec<_> = server.mails().await.iter().map(|mail| mail["headers"]["message-id"].clone()).collect();
    assert_eq!(ids.len(), 2, "taken, although the answer was lost, and taken again");
    assert_eq!(ids[0], ids[1], "and known as the same");
}

/// A relay that hangs, or is not there.
#[tokio::test]
async fn a_relay_that_does_not_answer_is_given_up() {
    let Some(mut server) = Server::start("plain").await else { return };
    server.behave(json!({ "hang": true })).await;
    let options = RelayOptions { timeout: Duration::from_millis(300), ..server.options() };
    let fault = Relay::new(&options).unwrap().send(&email()).await.unwrap_err();
    assert!(matches!(fault, EmailFault::Unavailable(_)), "{fault:?}");
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let options = RelayOptions { url: Secret::new(format!("smtp://localhost:{nobody}")), ..options };
    let fault = Relay::new(&options).unwrap().send(&email()).await.unwrap_err();
    assert!(matches!(fault, EmailFault::Unavailable(_)), "{fault:?}");
}

/// ASVS V12.3.1
#[tokio::test]
async fn mail_goes_over_tls_to_the_right_relay_or_not_at_all() {
    for mode in ["starttls", "smtps"] {
        let Some(mut server) = Server::start(mode).await else { return };
        let with = |url: String, ca_file: Option<PathBuf>| {
            Relay::new(&RelayOptions { url: Secret::new(url), ca_file, ..server.options() }).unwrap()
        };
        let (scheme, port, ca) = (server.scheme, server.port, server.options().ca_file);
        let login = "relay:p%40ss%3Aw%2Frd@";
        with(format!("{scheme}://{login}localhost:{port}"), ca.clone()).send(&email()).await.unwrap();
        let wrong = with(format!("{scheme}://relay:wrong@localhost:{port}"), ca.clone()).send(&email()).await;
        assert!(matches!(wrong, Err(EmailFault::NotAccepted(_))), "{mode}: {wrong:?}");
        assert!(!format!("{wrong:?}").contains("wrong@"));
        let unknown = with(format!("{scheme}://{login}localhost:{port}"), None).send(&email()).await;
        assert!(unknown.is_err(), "{mode}: a certificate that nobody vouches for");
        let other = with(format!("{scheme}://{login}127.0.0.1:{port}"), ca).send(&email()).await;
        assert!(other.is_err(), "{mode}: a certificate for another name");
        let mails = server.mails().await;
        assert_eq!(mails.len(), 1);
        assert_eq!(mails[0]["tls"], true);
    }
}

/// A relay elsewhere that says nothing of STARTTLS is told nothing; here it may be a development mailbox.
/// ASVS V12.2.1
#[tokio::test]
async fn starttls_may_be_missing_on_the_loopback_only() {
    let Some(mut server) = Server::start("plain").await else { return };
    server.relay().send(&email()).await.unwrap();
    assert_eq!(server.mails().await.len(), 1);
    // A name that is the loopback's without being called so.
    let options =
        RelayOptions { url: Secret::new(format!("smtp://localhost.localdomain.:{}", server.port)), ..server.options() };
    let refused = Relay::new(&options).unwrap().send(&email()).await;
    assert!(refused.is_err());
    assert_eq!(server.mails().await.len(), 1);
}

#[tokio::test]
async fn connections_are_kept_and_bounded() {
    let Some(mut server) = Server::start("plain").await else { return };
    let relay = std::sync::Arc::new(server.relay());
    let mut senders = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let relay = std::sync::Arc::clone(&relay);
        senders.spawn(async move { relay.send(&email()).await });
    }
    while let Some(sent) = senders.join_next().await {
        sent.unwrap().unwrap();
    }
    for _ in 0..20 {
        relay.send(&email()).await.unwrap();
    }
    assert_eq!(server.mails().await.len(), 40);
    assert!(server.script.ask("connections").await.as_u64().unwrap() <= 20, "they are used again");
    assert!(
        server.script.ask("most").await.as_u64().unwrap() <= 2,
        "and no more of them are open at once than is said"
    );
}

#[test]
fn a_wrong_url_is_named_without_its_secret() {
    let options = |url: &str, from: &str| RelayOptions {
        url: Secret::new(url),
        from: from.to_owned(),
        ca_file: None,
        connections: 1,
        timeout: Duration::from_secs(1),
    };
    for (url, from, key) in [
        ("http://relay.example", "a@example.org", "mail.url"),
        ("smtp://", "a@example.org", "mail.url"),
        ("smtps://s3cret", "no address", "mail.from"),
    ] {
        let error = Relay::new(&options(url, from)).map(drop).unwrap_err();
        assert_eq!(error.field, key);
        assert!(!error.to_string().contains("s3cret"));
    }
    assert!(!format!("{:?}", options("smtp://u:s3cret@h", "a@example.org")).contains("s3cret"));
    assert!(!format!("{:?}", email()).contains("anna"));
}
