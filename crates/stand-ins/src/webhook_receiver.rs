//! A receiver of webhooks: another service, as far as it takes events. It remembers what came, checks the signature when
//! it is told the secret, answers as it is told, and shows all of it on a page.
//!
//! Deliberately absent: doing anything with an event.

use std::sync::{Arc, Mutex};

use aws_lc_rs::{
    hmac,
    signature::{ED25519, UnparsedPublicKey},
};
use axum::{
    http::{HeaderName, HeaderValue, Method, StatusCode},
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use userd_model::Timestamp;

use crate::{
    ask::Ask,
    page::{escape, page},
    reply,
    server::{Behaviour, Options, Shared, StandIn, locked, serve},
};

/// How it answers. Each counts until it is turned back.
#[derive(Clone, Debug)]
pub struct Knobs {
    /// `whsec_…` or `whpk_…`, one or two with a space between. Empty: signatures are not looked at.
    pub secret: String,
    /// The status of every answer.
    pub status: u16,
    /// More headers of every answer, such as `retry-after`.
    pub headers: Vec<(&'static str, String)>,
}

/// An event that came.
#[derive(Clone, Debug)]
pub struct Received {
    /// When.
    pub at: Timestamp,
    /// Where: the path of the webhook.
    pub path: String,
    /// `webhook-id`
    pub id: String,
    /// What the signature is worth.
    pub verdict: Verdict,
    /// The body.
    pub body: String,
    /// What was answered.
    pub answered: u16,
}

/// What a signature is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Signed with the secret, and now.
    Genuine,
    /// Signed with another secret, or something else was signed.
    Forged,
    /// Signed with the secret, more than five minutes ago or ahead.
    Stale,
    /// Nobody told the secret.
    NotChecked,
}

/// A running receiver.
pub struct WebhookReceiver {
    stand_in: StandIn<Knobs>,
    received: Arc<Mutex<Vec<Received>>>,
}

impl std::ops::Deref for WebhookReceiver {
    type Target = StandIn<Knobs>;

    fn deref(&self) -> &Self::Target {
        &self.stand_in
    }
}

impl WebhookReceiver {
    /// Where a webhook may lead; every other path but `/` takes events as well.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}/hooks", self.base_url)
    }

    /// How much came.
    #[must_use]
    pub fn count(&self) -> usize {
        locked(&self.received).len()
    }

    /// What came, in order.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        locked(&self.received).clone()
    }
}

/// Starts it: a page at `/`, and events anywhere else.
pub async fn start(options: Options) -> std::io::Result<WebhookReceiver> {
    let received = Arc::new(Mutex::new(Vec::new()));
    let knobs = Knobs { secret: String::new(), status: 204, headers: Vec::new() };
    let stand_in = serve(options, knobs, Arc::new(Receiver { received: Arc::clone(&received) })).await?;
    Ok(WebhookReceiver { stand_in, received })
}

struct Receiver {
    received: Arc<Mutex<Vec<Received>>>,
}

impl Behaviour<Knobs> for Receiver {
    async fn answer(&self, shared: &Arc<Shared<Knobs>>, ask: &Ask) -> Response {
        match (&ask.method, ask.path.as_str()) {
            (&Method::GET, "/") => show(&shared.knobs(), &shared.base_url, &locked(&self.received)),
            (&Method::POST, "/") => {
                settle(&mut locked(&shared.knobs), ask);
                (StatusCode::SEE_OTHER, [("location", "/")]).into_response()
            }
            (&Method::POST, _) => {
                let (knobs, now) = (shared.knobs(), shared.now());
                locked(&self.received).push(received(ask, &knobs, now));
                answer(&knobs)
            }
            _ => reply::not_found(),
        }
    }
}

fn settle(knobs: &mut Knobs, ask: &Ask) {
    let form = ask.form();
    if let Some(secret) = form.get("secret") {
        secret.trim().clone_into(&mut knobs.secret);
    }
    if let Some(status) = form.get("status").and_then(|status| status.parse().ok()) {
        knobs.status = status;
    }
}

fn received(ask: &Ask, knobs: &Knobs, now: Timestamp) -> Received {
    Received {
        at: now,
        path: ask.path.clone(),
        id: ask.header("webhook-id").unwrap_or_default().to_owned(),
        verdict: verdict(ask, &knobs.secret, now),
        body: String::from_utf8_lossy(&ask.body).into_owned(),
        answered: knobs.status,
    }
}

/// As <https://www.standardwebhooks.com> tells receivers to check.
fn verdict(ask: &Ask, secrets: &str, now: Timestamp) -> Verdict {
    if secrets.is_empty() {
        return Verdict::NotChecked;
    }
    let header = |name| ask.header(name).unwrap_or_default();
    let (id, sent, signatures) = (header("webhook-id"), header("webhook-timestamp"), header("webhook-signature"));
    let signed = [id.as_bytes(), b".", sent.as_bytes(), b".", &ask.body].concat();
    let shown = |version: &str| -> Vec<Vec<u8>> {
        let texts = signatures.split(' ').filter_map(|text| text.strip_prefix(version)?.strip_prefix(','));
        texts.filter_map(|text| STANDARD.decode(text).ok()).collect()
    };
    let of = |secret: &str| {
        if let Some(public) = secret.strip_prefix("whpk_") {
            let key = UnparsedPublicKey::new(&ED25519, STANDARD.decode(public).unwrap_or_default());
            return shown("v1a").iter().any(|signature| key.verify(&signed, signature).is_ok());
        }
        let key = STANDARD.decode(secret.trim_start_matches("whsec_")).unwrap_or_default();
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        shown("v1").iter().any(|tag| hmac::verify(&key, &signed, tag).is_ok())
    };
    if !secrets.split_whitespace().any(of) {
        return Verdict::Forged;
    }
    let apart =
        sent.parse::<i64>().map_or(i64::MAX, |sent| sent.abs_diff(now.seconds()).try_into().unwrap_or(i64::MAX));
    if apart > 300 { Verdict::Stale } else { Verdict::Genuine }
}

fn answer(knobs: &Knobs) -> Response {
    let mut answer = StatusCode::from_u16(knobs.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR).into_response();
    for (name, value) in &knobs.headers {
        if let Ok(value) = HeaderValue::from_str(value) {
            answer.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    answer
}

fn show(knobs: &Knobs, base_url: &str, received: &[Received]) -> Response {
    let events: String = received.iter().rev().map(event).collect();
    let none = "<p>Nothing came yet. / Пока ничего не пришло.</p>";
    let body = format!(
        "<p>Webhooks may lead to <code>{base_url}/hooks</code>. · <a href=\"/\">refresh / обновить</a></p>\
         <form method=\"post\"><p><input name=\"secret\" size=\"60\" placeholder=\"whsec_… / whpk_…\" value=\"{}\"> \
         answer / отвечать <input name=\"status\" size=\"4\" value=\"{}\"> <button>Save / Сохранить</button></p></form>{}",
        escape(&knobs.secret),
        knobs.status,
        if events.is_empty() { none } else { &events }
    );
    page("Webhooks", &body)
}

fn event(event: &Received) -> String {
    let verdict = match event.verdict {
        Verdict::Genuine => "signature right / подпись верна",
        Verdict::Forged => "signature WRONG / подпись НЕВЕРНА",
        Verdict::Stale => "signature right, time WRONG / подпись верна, время НЕВЕРНО",
        Verdict::NotChecked => "signature not checked / подпись не проверена",
    };
    let body = serde_json::from_str::<serde_json::Value>(&event.body)
        .and_then(|value| serde_json::to_string_pretty(&value))
        .unwrap_or_else(|_| event.body.clone());
    format!(
        "<h2>{} <small>{}</small></h2><p>{verdict} · → {}</p><pre>{}</pre>",
        escape(&event.id),
        escape(&event.path),
        event.answered,
        escape(&body)
    )
}
