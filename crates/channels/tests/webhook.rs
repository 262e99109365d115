//! Webhooks against a receiver that misbehaves, and their signatures in the eyes of another maker's library.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise"
)]

use std::time::Duration;

use serde_json::{Value, json};
use userd_channels::{
    Channel, ChannelFault,
    webhook::{
        Allowed, ContentType, MAX_URL, UrlFault, WebhookCall, WebhookFault, WebhookOptions, WebhookSecret,
        WebhookSender, WebhookUrl,
    },
};
use userd_model::{Random, Timestamp, webhook::SignatureScheme};
use userd_stand_ins::{
    Fault, Options,
    webhook_receiver::{self, Verdict, WebhookReceiver},
};
use userd_test_support::script::Script;

/// Where the receivers of these tests are.
const INSIDE: Allowed = Allowed { http: true, private_addresses: true };

struct Counted(u8);

impl Random for Counted {
    fn fill(&self, bytes: &mut [u8]) {
        for (byte, value) in bytes.iter_mut().zip(self.0..) {
            *byte = value;
        }
    }
}

fn secret(from: u8) -> WebhookSecret {
    WebhookSecret::mint(&Counted(from))
}

/// A receiver's own machine is this one: private, so that is allowed but where a test says otherwise.
fn sender() -> WebhookSender {
    let options = WebhookOptions { timeout: Duration::from_millis(700), allowed: INSIDE, ..WebhookOptions::default() };
    WebhookSender::new(options).unwrap()
}

fn call(url: &str) -> WebhookCall {
    WebhookCall {
        id: "evt_1-a".to_owned(),
        at: Timestamp::from_seconds(1_796_000_000),
        url: WebhookUrl::parse(url, INSIDE).unwrap(),
        content_type: ContentType::CloudEvent,
        body: json!({ "type": "user.registered", "data": { "name": "Анна" } }).to_string().into(),
        secrets: vec![secret(1)],
    }
}

/// What the receiver was sent last, as another maker's library wants it.
fn sent(receiver: &WebhookReceiver, secret: &WebhookSecret) -> Value {
    let ask = receiver.requests().pop().unwrap();
    let header = |name: &str| ask.header(name).unwrap_or_default().to_owned();
    let names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
    let headers: serde_json::Map<_, _> = names.iter().map(|name| ((*name).to_owned(), header(name).into())).collect();
    json!({ "secret": secret.text().unwrap().expose(), "headers": headers, "body": String::from_utf8(ask.body).unwrap() })
}

/// ASVS V4.1.5
#[tokio::test]
async fn another_makers_library_accepts_what_we_sign_and_nothing_else() {
    let Some(mut script) = Script::start("verify_webhook.py", &[]) else { return };
    let receiver = webhook_receiver::start(Options::default()).await.unwrap();
    let (old, new, other) = (secret(1), secret(2), secret(3));
    let (key, other_key) = (WebhookSecret::mint_key().unwrap(), WebhookSecret::mint_key().unwrap());
    let now = Timestamp::from_seconds(script.ask("now").await.as_i64().unwrap());
    let whole = WebhookCall { at: now, secrets: vec![old.clone(), new.clone(), key.clone()], ..call(&receiver.url()) };
    sender().send(&whole).await.unwrap();
    for (secret, expected) in [(&old, true), (&new, true), (&other, false)] {
        assert_eq!(script.ask(&format!("verify {}", sent(&receiver, secret))).await, expected);
    }
    for (pointer, value) in
        [("/headers/webhook-id", json!("evt_2")), ("/body", json!("{}")), ("/headers/webhook-timestamp", json!("1"))]
    {
        let mut changed = sent(&receiver, &new);
        *changed.pointer_mut(pointer).unwrap() = value;
        assert_eq!(script.ask(&format!("verify {changed}")).await, false, "{pointer}");
    }
    let mut asymmetric = sent(&receiver, &new);
    asymmetric["public_key"] = key.public_key().unwrap().into();
    assert_eq!(script.ask(&format!("verify {asymmetric}")).await, true);
    asymmetric["public_key"] = other_key.public_key().unwrap().into();
    assert_eq!(script.ask(&format!("verify {asymmetric}")).await, false);

    let ask = receiver.requests().pop().unwrap();
    assert_eq!(ask.header("content-type"), Some("application/cloudevents+json"));
    assert!(ask.header("user-agent").unwrap().starts_with("userd/"));
    assert_eq!(ask.body, whole.body);
    sender().send(&WebhookCall { content_type: ContentType::Json, ..whole }).await.unwrap();
    assert_eq!(receiver.requests().pop().unwrap().header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn the_stand_in_tells_what_a_signature_is_worth() {
    let receiver = webhook_receiver::start(Options::default()).await.unwrap();
    let send = async |secret: &str, from: u8, at: i64| {
        receiver.turn(|knobs| secret.clone_into(&mut knobs.secret));
        let at = Timestamp::from_seconds(at);
        sender().send(&WebhookCall { at, secrets: vec![self::secret(from)], ..call(&receiver.url()) }).await.unwrap();
        receiver.received().pop().unwrap().verdict
    };
    let known = secret(1).text().unwrap();
    assert_eq!(send("", 1, 0).await, Verdict::NotChecked);
    assert_eq!(send(known.expose(), 2, 0).await, Verdict::Forged);
    assert_eq!(send(known.expose(), 1, 0).await, Verdict::Stale);
}

#[tokio::test]
async fn what_a_receiver_answers_is_told_apart() {
    let receiver = webhook_receiver::start(Options::default()).await.unwrap();
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    for (status, header, expected) in [
        (200, None, None),
        (204, None, None),
        (202, Some(("webhook-delivery", "abort-message")), None),
        (200, Some(("webhook-delivery", "disable")), Some("Gone")),
        (410, None, Some("Gone")),
        (429, Some(("retry-after", "120")), Some("Throttled 120")),
        (429, Some(("retry-after", "Mon, 30 Nov 2026 00:54:20 GMT")), Some("Throttled 60")),
        (429, Some(("retry-after", "soon")), Some("Throttled")),
        (502, None, Some("Throttled")),
        (504, Some(("retry-after", "9999999999")), Some("Throttled 86400")),
        (503, Some(("retry-after", "30")), Some("Unavailable 30")),
        (500, None, Some("Unavailable")),
        (400, None, Some("Refused")),
        (401, None, Some("Refused")),
        (404, None, Some("Refused")),
        (404, Some(("webhook-delivery", "abort-message")), Some("Aborted")),
        (500, Some(("webhook-delivery", "abort-message")), Some("Aborted")),
        (302, None, Some("Refused")),
        (304, None, Some("Refused")),
    ] {
        receiver.turn(|knobs| {
            knobs.status = status;
            knobs.headers = header.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        });
        let fault = sender().send(&call(&receiver.url())).await.err();
        let found = fault.as_ref().map(|fault| match fault {
            WebhookFault::Gone(_) => ("Gone", None),
            WebhookFault::Throttled { retry_after, .. } => ("Throttled", *retry_after),
            WebhookFault::Unavailable { retry_after, .. } => ("Unavailable", *retry_after),
            WebhookFault::Refused(_) => ("Refused", None),
            WebhookFault::Aborted(_) => ("Aborted", None),
            WebhookFault::Wait(wait) => ("Wait", Some(*wait)),
            WebhookFault::Unsendable(_) => ("Unsendable", None),
        });
        let expected = expected.map(|text| match text.split_once(' ') {
            Some((name, wait)) => (name, seconds(wait.parse().unwrap())),
            None => (text, None),
        });
        assert_eq!(found, expected, "{status} {header:?}: {fault:?}");
        assert!(fault.is_none_or(|fault| fault.to_string().contains(&status.to_string())), "the log names the status");
    }
}

/// A receiver that is dead, slow or says too much costs a bounded time, and an answer that has begun counts.
#[tokio::test]
async fn a_receiver_that_is_ill_is_unavailable() {
    let receiver = webhook_receiver::start(Options::default()).await.unwrap();
    let dead = sender().send(&call("http://127.0.0.1:1/hooks?token=s3cret")).await.unwrap_err();
    assert!(matches!(&dead, WebhookFault::Unavailable { reason, .. } if !reason.contains("s3cret")), "{dead:?}");
    receiver.fail("*", Fault::Hang);
    let slow = sender().send(&call(&receiver.url())).await.unwrap_err();
    assert!(matches!(slow, WebhookFault::Unavailable { .. }), "{slow:?}");
    for (taken, fault) in [("a slow body", Fault::SlowLoris), ("a long body", Fault::HugeChunked), ("", Fault::Huge)] {
        receiver.fail("*", fault);
        assert_eq!(sender().send(&call(&receiver.url())).await, Ok(()), "{taken}");
    }
}

/// AC-148: nobody follows a redirect, and the event is not sent to where it leads.
#[tokio::test]
async fn a_redirect_is_a_refusal() {
    let (receiver, other) =
        tokio::join!(webhook_receiver::start(Options::default()), webhook_receiver::start(Options::default()));
    let (receiver, other) = (receiver.unwrap(), other.unwrap());
    for target in [other.url(), "http://169.254.169.254/latest".to_owned()] {
        receiver.fail("*", Fault::Redirect(target));
        let fault = sender().send(&call(&receiver.url())).await.unwrap_err();
        assert!(matches!(fault, WebhookFault::Refused(_)), "{fault:?}");
    }
    assert!(other.requests().is_empty());
}

/// AC-120, AC-148: an address inside is refused when it is written, in every spelling, and once more when it is called.
#[tokio::test]
async fn an_address_inside_is_neither_taken_nor_called() {
    let receiver = webhook_receiver::start(Options::default()).await.unwrap();
    let port = receiver.base_url.rsplit(':').next().unwrap().to_owned();
    let guarded = WebhookSender::new(WebhookOptions::default()).unwrap();
    for host in [
        "127.0.0.1",
        "127.1",
        "0x7f000001",
        "2130706433",
        "017700000001",
        "0.0.0.0",
        "10.0.0.1",
        "100.64.0.1",
        "169.254.169.254",
        "192.168.0.1",
        "[::1]",
        "[::]",
        "[::ffff:10.0.0.1]",
        "[::ffff:7f00:1]",
        "[fd00::1]",
        "[fe80::1]",
        "[64:ff9b::a00:1]",
        "localhost",
        "LOCALHOST.",
        "hooks.localhost",
    ] {
        let url = format!("https://{host}:{port}/hooks");
        assert_eq!(WebhookUrl::parse(&url, Allowed::default()), Err(UrlFault::PrivateAddress), "{url}");
        // Taken when it was allowed, or put into the table by hand.
        let fault = guarded.send(&call(&url)).await.unwrap_err();
        assert!(matches!(fault, WebhookFault::Refused(_)), "{url}: {fault:?}");
    }
    let fault = guarded.send(&call(&receiver.url())).await.unwrap_err();
    assert!(matches!(fault, WebhookFault::Refused(_)), "plain http: {fault:?}");
    for allowed in
        [Allowed { http: true, ..Allowed::default() }, Allowed { private_addresses: true, ..Allowed::default() }]
    {
        let half = WebhookSender::new(WebhookOptions { allowed, ..WebhookOptions::default() }).unwrap();
        assert!(half.url(&receiver.url()).is_err());
        let fault = half.send(&call(&receiver.url())).await.unwrap_err();
        assert!(matches!(fault, WebhookFault::Refused(_)), "{allowed:?}: {fault:?}");
    }
    assert!(receiver.requests().is_empty());
}

/// One that hangs is asked three times, and then left alone; one that answers is called all the while.
#[tokio::test]
async fn a_dead_receiver_delays_nobody() {
    let (dead, alive) =
        tokio::join!(webhook_receiver::start(Options::default()), webhook_receiver::start(Options::default()));
    let (dead, alive) = (dead.unwrap(), alive.unwrap());
    dead.fail("*", Fault::Hang);
    let sender = sender();
    for _ in 0..3 {
        let sent = sender.send(&call(&dead.url())).await;
        assert!(matches!(sent, Err(WebhookFault::Unavailable { .. })), "{sent:?}");
    }
    for _ in 0..100 {
        let sent = sender.send(&call(&dead.url())).await;
        // From the end of the last call on.
        assert!(matches!(sent, Err(WebhookFault::Wait(wait)) if (10..30).contains(&wait.as_secs())), "{sent:?}");
        assert_eq!(sender.send(&call(&alive.url())).await, Ok(()));
    }
    assert_eq!((dead.requests().len(), alive.received().len()), (3, 100));
    dead.recover();
    let later = WebhookCall { at: call("http://127.0.0.1/").at.plus(Duration::from_secs(30)), ..call(&dead.url()) };
    assert_eq!(sender.send(&later).await, Ok(()));
}

#[test]
fn a_url_is_taken_as_it_is_called_or_not_at_all() {
    let long = format!("https://shop.example/{}", "a".repeat(MAX_URL));
    for (text, expected) in [
        ("", UrlFault::NoUrl),
        ("shop.example/hooks", UrlFault::NoUrl),
        ("https://", UrlFault::NoUrl),
        ("https://shop.example/a b", UrlFault::NoUrl),
        ("https://shop.example/\r\nhost: evil", UrlFault::NoUrl),
        ("https://shop.example\t.evil.example/", UrlFault::NoUrl),
        ("http://shop.example/", UrlFault::Scheme),
        ("ftp://shop.example/", UrlFault::Scheme),
        ("file:///etc/passwd", UrlFault::Scheme),
        ("gopher://shop.example/", UrlFault::Scheme),
        ("https://user@shop.example/", UrlFault::Credentials),
        ("https://:word@shop.example/", UrlFault::Credentials),
        ("https://shop.example@evil.example/", UrlFault::Credentials),
        ("https://shop.example/#top", UrlFault::Fragment),
        (&long, UrlFault::TooLong),
    ] {
        assert_eq!(
            WebhookUrl::parse(text, Allowed::default()).map(|url| url.as_str().to_owned()),
            Err(expected),
            "{text}"
        );
        // A page says it in the language of whoever typed it.
        assert!(userd_model::details::russian(&expected.to_string()).is_some(), "{expected}");
    }
    let of_events = userd_model::webhook::EventPattern::parse("no.such").unwrap_err();
    for detail in [UrlFault::PrivateAddress.to_string(), of_events] {
        assert!(userd_model::details::russian(&detail).is_some(), "{detail}");
    }
    let taken = |text: &str, allowed| WebhookUrl::parse(text, allowed).unwrap().as_str().to_owned();
    assert_eq!(
        taken("https://магазин.рф/крючки?a=1", Allowed::default()),
        "https://xn--80aairftm.xn--p1ai/%D0%BA%D1%80%D1%8E%D1%87%D0%BA%D0%B8?a=1"
    );
    assert_eq!(taken("http://10.0.0.1:8080/hooks", INSIDE), "http://10.0.0.1:8080/hooks");
}

#[test]
fn a_secret_is_read_as_it_was_written_and_never_shown() {
    let secret = WebhookSecret::mint(&Counted(1));
    let text = secret.text().unwrap();
    assert_eq!(text.expose(), "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=");
    assert_eq!(WebhookSecret::parse(text.expose()).unwrap().text().unwrap().expose(), text.expose());
    assert!(!format!("{secret:?} {text:?}").contains("AQID"));
    let of = |bytes: usize| format!("whsec_{}", "AAAA".repeat(bytes / 3));
    for (text, fine) in [
        (of(24), true),
        (of(63), true),
        (of(21), false),
        (of(66), false),
        ("whsec_".to_owned(), false),
        ("AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=".to_owned(), false),
        ("whsec_!QIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=".to_owned(), false),
    ] {
        assert_eq!(WebhookSecret::parse(&text).is_some(), fine, "{text}");
    }
    assert_eq!((secret.scheme(), secret.public_key()), (SignatureScheme::V1, None));
}

#[test]
fn a_key_is_read_as_it_was_written_and_only_its_public_half_is_told() {
    let key = WebhookSecret::mint_key().unwrap();
    let (stored, public) = (key.text().unwrap(), key.public_key().unwrap());
    assert_eq!(key.scheme(), SignatureScheme::V1a);
    assert!(stored.expose().starts_with("whsk_") && public.starts_with("whpk_"));
    assert!(!format!("{key:?} {stored:?}").contains("whsk_"));
    assert_eq!(WebhookSecret::parse(stored.expose()).unwrap().public_key(), Some(public.clone()));
    for text in [public.as_str(), "whsk_", "whsk_AAAA", &format!("{}A", stored.expose())] {
        assert!(WebhookSecret::parse(text).is_none(), "{text}");
    }
}

#[tokio::test]
async fn a_call_that_cannot_be_signed_is_not_made() {
    let receiver = webhook_receiver::start(Options::default()).await.unwrap();
    let whole = call(&receiver.url());
    for call in [
        WebhookCall { secrets: Vec::new(), ..whole.clone() },
        WebhookCall { id: "evt.1".to_owned(), ..whole.clone() },
        WebhookCall { id: "evt\r\nx: y".to_owned(), ..whole.clone() },
        WebhookCall { id: String::new(), ..whole.clone() },
    ] {
        let fault = sender().send(&call).await.unwrap_err();
        assert!(matches!(fault, WebhookFault::Unsendable(_)), "{fault:?}");
        assert!(!format!("{call:?}").contains("hooks"), "only the origin is shown");
    }
    assert!(receiver.requests().is_empty());
}

/// A queue asks every channel the same question.
#[tokio::test]
async fn a_fault_says_what_it_means_for_the_message() {
    async fn through<C: Channel<Receipt = ()>>(channel: &C, message: &C::Message) -> Result<(), ChannelFault> {
        channel.send(message).await
    }
    let receiver = webhook_receiver::start(Options::default()).await.unwrap();
    for (status, header, expected) in [
        (204, None, "Ok"),
        (410, None, "Err(Gone("),
        (429, Some(("retry-after", "5")), "Err(Later { after: Some(5s)"),
        (500, None, "Err(Later { after: None"),
        (404, None, "Err(Later { after: None"),
        (404, Some(("webhook-delivery", "abort-message")), "Err(Undeliverable("),
    ] {
        receiver.turn(|knobs| {
            knobs.status = status;
            knobs.headers = header.iter().map(|(name, value): &(_, &str)| (*name, (*value).to_owned())).collect();
        });
        let sent = through(&sender(), &call(&receiver.url())).await;
        assert!(format!("{sent:?}").starts_with(expected), "{status}: {sent:?}");
    }
    let unsigned = WebhookCall { secrets: Vec::new(), ..call(&receiver.url()) };
    assert!(matches!(through(&sender(), &unsigned).await, Err(ChannelFault::OurFault(_))));
}
