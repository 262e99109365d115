//! A server on a free port that answers what a closure says, and remembers what it was asked.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::Request,
    http::HeaderMap,
    response::Response,
};
use serde_json::Value;

/// One request.
#[derive(Clone, Debug)]
pub struct Ask {
    pub method: String,
    pub path: String,
    pub query: BTreeMap<String, String>,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Ask {
    pub fn form(&self) -> BTreeMap<String, String> {
        url::form_urlencoded::parse(&self.body).into_owned().collect()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// One answer, or none.
#[derive(Clone, Debug)]
pub enum Reply {
    Json(u16, Value),
    Text(u16, String),
    Redirect(String),
    /// More than a MiB, length declared.
    Huge,
    /// More than a MiB, in chunks.
    HugeChunked,
    /// Headers, then nothing more.
    Stalled,
    /// Never answers.
    Hang,
}

pub struct Upstream {
    pub base: String,
    pub asked: Arc<Mutex<Vec<Ask>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Upstream {
    pub async fn start(answer: impl Fn(&Ask) -> Reply + Send + Sync + 'static) -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (answer, log) = (Arc::new(answer), Arc::clone(&asked));
        let app = Router::new().fallback(move |request: Request| {
            let (answer, log) = (Arc::clone(&answer), Arc::clone(&log));
            async move {
                let ask = read(request).await;
                log.lock().unwrap().push(ask.clone());
                respond(answer(&ask)).await
            }
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { base, asked, task }
    }

    pub fn asks(&self, path: &str) -> Vec<Ask> {
        self.asked.lock().unwrap().iter().filter(|ask| ask.path == path).cloned().collect()
    }
}

async fn read(request: Request) -> Ask {
    let (parts, body) = request.into_parts();
    let query = parts.uri.query().unwrap_or_default();
    Ask {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        headers: parts.headers,
        body: to_bytes(body, 1 << 20).await.unwrap().to_vec(),
    }
}

async fn respond(reply: Reply) -> Response {
    let json = |status: u16| Response::builder().status(status).header("content-type", "application/json");
    match reply {
        Reply::Json(status, value) => json(status).body(Body::from(value.to_string())).unwrap(),
        Reply::Text(status, text) => json(status).body(Body::from(text)).unwrap(),
        Reply::Redirect(to) => Response::builder().status(302).header("location", to).body(Body::empty()).unwrap(),
        Reply::Huge => json(200).body(Body::from(vec![b' '; (1 << 20) + 1])).unwrap(),
        Reply::HugeChunked => {
            let chunks = (0..40).map(|_| Ok::<_, std::io::Error>(vec![b' '; 64 * 1024]));
            json(200).body(Body::from_stream(futures_util::stream::iter(chunks))).unwrap()
        }
        Reply::Stalled => {
            let nothing = futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>();
            json(200).body(Body::from_stream(nothing)).unwrap()
        }
        Reply::Hang => std::future::pending().await,
    }
}
