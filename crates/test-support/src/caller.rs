//! People and services who call: a visitor, or whoever holds a token.

use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, header::HeaderMap};
use serde_json::{Value, json};

/// Somebody who calls one address.
#[derive(Clone)]
pub struct Caller {
    pub http: Client,
    pub base: String,
    bearer: Option<String>,
}

/// A TokenPair.
#[derive(Clone, Debug)]
pub struct Tokens {
    pub access: String,
    pub refresh: String,
    pub session: String,
    pub user: Value,
}

/// An answer, read to its end.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Caller {
    /// A visitor with connections of their own.
    pub fn new(base: &str) -> Self {
        let http = Client::builder()
            .timeout(Duration::from_secs(30))
            .redirect(reqwest::redirect::Policy::none())
            // Reading the system's authorities takes longer than most requests, and nobody here has a certificate.
            .tls_certs_only([])
            .no_proxy()
            .build()
            .unwrap();
        Self { http, base: base.to_owned(), bearer: None }
    }

    /// The same, signed in.
    pub fn with(&self, tokens: &Tokens) -> Self {
        self.bearing(&tokens.access)
    }

    /// The same, with this token.
    pub fn bearing(&self, access_token: &str) -> Self {
        Self { bearer: Some(access_token.to_owned()), ..self.clone() }
    }

    /// The same caller at another address.
    pub fn at(&self, base: &str) -> Self {
        Self { base: base.to_owned(), ..self.clone() }
    }

    /// The token that it shows.
    pub fn token(&self) -> &str {
        self.bearer.as_deref().unwrap()
    }

    /// The same caller over connections of another kind.
    pub fn over(&self, http: Client) -> Self {
        Self { http, ..self.clone() }
    }

    /// A request to be completed and sent.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.bearer {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub async fn try_get(&self, path: &str) -> reqwest::Result<Answer> {
        send(self.request(Method::GET, path)).await
    }

    pub async fn try_post(&self, path: &str, body: &Value) -> reqwest::Result<Answer> {
        send(self.request(Method::POST, path).json(body)).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.try_get(path).await.unwrap()
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.try_post(path, &body).await.unwrap()
    }

    /// A POST without a body.
    pub async fn poke(&self, path: &str) -> Answer {
        send(self.request(Method::POST, path)).await.unwrap()
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        send(self.request(Method::PUT, path).json(&body)).await.unwrap()
    }

    /// A form, as OAuth has it, with Basic authentication where credentials are given.
    pub async fn form(&self, path: &str, fields: &[(&str, &str)], basic: Option<(&str, &str)>) -> Answer {
        let request = self.http.post(format!("{}{path}", self.base)).form(fields);
        let request = match basic {
            Some((id, secret)) => request.basic_auth(id, Some(secret)),
            None => request,
        };
        send(request).await.unwrap()
    }

    /// Registers by e-mail.
    pub async fn register(&self, email: &str, password: &str) -> Tokens {
        let answer = self.post("/v1/auth/register", json!({ "email": email, "password": password })).await;
        Tokens::of(&answer.expect(201)["tokens"])
    }

    pub async fn login(&self, login: &str, password: &str) -> Tokens {
        Tokens::of(&self.post("/v1/auth/login", json!({ "login": login, "password": password })).await.expect(200))
    }

    pub async fn refresh(&self, refresh_token: &str) -> Answer {
        self.post("/v1/auth/refresh", json!({ "refresh_token": refresh_token })).await
    }

    /// Whether the token is taken now.
    pub async fn is_let_in(&self) -> bool {
        match self.get("/v1/me").await.status {
            200 => true,
            401 | 403 => false,
            other => panic!("GET /v1/me answers {other}"),
        }
    }

    /// The sum of all series of one metric.
    pub async fn metric(&self, name: &str) -> f64 {
        let text = self.get("/metrics").await.text;
        let series =
            text.lines().filter(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' '])));
        series.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
    }
}

/// Sends and reads to the end.
pub async fn send(request: RequestBuilder) -> reqwest::Result<Answer> {
    let response = request.send().await?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Ok(Answer { status, headers, text: response.text().await? })
}

impl Tokens {
    pub fn of(pair: &Value) -> Self {
        let text = |name: &str| pair[name].as_str().unwrap_or_else(|| panic!("no {name} in {pair}")).to_owned();
        Self {
            access: text("access_token"),
            refresh: text("refresh_token"),
            session: text("session_id"),
            user: pair["user"].clone(),
        }
    }

    pub fn user_id(&self) -> &str {
        self.user["id"].as_str().unwrap()
    }
}

impl Answer {
    /// The body; `null` where there is none.
    pub fn json(&self) -> Value {
        if self.text.is_empty() { Value::Null } else { serde_json::from_str(&self.text).unwrap() }
    }

    /// The body of an answer that must have this status.
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.json()
    }

    /// The body of a refusal that must have this status and kind.
    pub fn refused(&self, status: u16, slug: &str) -> Value {
        let body = self.expect(status);
        assert_eq!(body["type"], format!("/problems/{slug}"), "{body}");
        body
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}
