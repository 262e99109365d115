//! The people of a run: registered over HTTP as anybody would, with what they need to call again. Also a service client.

use std::{net::SocketAddr, process::Command};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{
    Fault,
    client::{Answer, Connection, get, post, post_json},
    load::Caller,
    runtime,
    server::{Server, Setting},
};

/// Everybody's. Long, not common, nobody's own data.
pub(super) const PASSWORD: &str = "quartz-Lantern-42-mango";

/// Registrations at the same time while people are made.
const AT_ONCE: usize = 8;

/// One person.
#[derive(Clone)]
pub(super) struct Person {
    pub(super) email: String,
    pub(super) access_token: String,
    pub(super) refresh_token: String,
}

/// Registers `count` people whose names begin with `prefix`.
pub(super) fn register(address: SocketAddr, prefix: &str, count: usize) -> Result<Vec<Person>, Fault> {
    runtime()?.block_on(async {
        let mut tasks = Vec::new();
        for share in 0..AT_ONCE {
            let emails: Vec<_> =
                (share..count).step_by(AT_ONCE).map(|number| format!("{prefix}{number}@bench.example")).collect();
            tasks.push(tokio::spawn(async move {
                let mut connection = Connection::open(address).await?;
                let mut people = Vec::with_capacity(emails.len());
                for email in emails {
                    let answer = connection.send(&registration(&email)).await?;
                    people.push(person(email, &answer)?);
                }
                Ok::<_, Fault>(people)
            }));
        }
        let mut people = Vec::with_capacity(count);
        for task in tasks {
            people.extend(task.await??);
        }
        Ok(people)
    })
}

fn registration(email: &str) -> Vec<u8> {
    post_json("/v1/auth/register", &json!({ "email": email, "password": PASSWORD }))
}

fn person(email: String, answer: &Answer<'_>) -> Result<Person, Fault> {
    let body = String::from_utf8_lossy(answer.body);
    let token = |name| member(answer.body, name).map(str::to_owned);
    match (answer.status, token("access_token"), token("refresh_token")) {
        (201, Some(access_token), Some(refresh_token)) => Ok(Person { email, access_token, refresh_token }),
        (status, ..) => Err(format!("registering {email}: {status} {body}").into()),
    }
}

/// A text member of a JSON body, found without parsing the rest. The values asked for hold nothing escaped.
pub(super) fn member<'a>(body: &'a [u8], name: &str) -> Option<&'a str> {
    let body = std::str::from_utf8(body).ok()?;
    body.split_once(&format!("\"{name}\":\""))?.1.split('"').next()
}

/// Signs people in anew; their refresh tokens.
pub(super) fn sign_in<'a>(address: SocketAddr, people: impl Iterator<Item = &'a Person>) -> Result<Vec<String>, Fault> {
    runtime()?.block_on(async {
        let mut connection = Connection::open(address).await?;
        let mut tokens = Vec::new();
        for person in people {
            let answer = connection.send(&person.login()).await?;
            let token = member(answer.body, "refresh_token").filter(|_| answer.status == 200);
            tokens.push(token.ok_or_else(|| format!("signing in {}: {}", person.email, answer.status))?.to_owned());
        }
        Ok(tokens)
    })
}

impl Person {
    pub(super) fn me(&self) -> Vec<u8> {
        get("/v1/me", Some(&self.access_token))
    }

    pub(super) fn login(&self) -> Vec<u8> {
        post_json("/v1/auth/login", &json!({ "login": self.email, "password": PASSWORD }))
    }
}

/// Registers one new person after another.
pub(super) struct Registrar {
    pub(super) prefix: String,
    pub(super) registered: u64,
}

impl Caller for Registrar {
    fn write(&mut self, request: &mut Vec<u8>) {
        *request = registration(&format!("{}{}@bench.example", self.prefix, self.registered));
        self.registered += 1;
    }

    fn read(&mut self, answer: &Answer<'_>) -> bool {
        answer.status == 201
    }
}

/// Refreshes one session again and again.
pub(super) struct Refresher(pub(super) String);

impl Caller for Refresher {
    fn write(&mut self, request: &mut Vec<u8>) {
        *request = post("/v1/auth/refresh", "application/json", "", &format!("{{\"refresh_token\":\"{}\"}}", self.0));
    }

    fn read(&mut self, answer: &Answer<'_>) -> bool {
        let Some(token) = member(answer.body, "refresh_token").filter(|_| answer.status == 200) else { return false };
        token.clone_into(&mut self.0);
        true
    }
}

/// A service's question about a token, with the service's own credentials. Makes the client on the command line,
/// beside the running server.
pub(super) fn introspection(setting: &Setting, server: &Server, person: &Person) -> Result<Vec<u8>, Fault> {
    let authorization = format!("authorization: Basic {}\r\n", service(setting, server, "tokens.introspect")?);
    let body = format!("token={}", person.access_token);
    Ok(post("/oauth2/introspect", "application/x-www-form-urlencoded", &authorization, &body))
}

/// The token of a service that may ask what people may do.
pub(super) fn service_token(setting: &Setting, server: &Server) -> Result<String, Fault> {
    let authorization = format!("authorization: Basic {}\r\n", service(setting, server, "permissions.check")?);
    let request =
        post("/oauth2/token", "application/x-www-form-urlencoded", &authorization, "grant_type=client_credentials");
    runtime()?.block_on(async {
        let mut connection = Connection::open(server.address).await?;
        let answer = connection.send(&request).await?;
        let token = member(answer.body, "access_token").ok_or_else(|| format!("no token: {}", answer.status))?;
        Ok(token.to_owned())
    })
}

/// A service with a permission: its credentials.
fn service(setting: &Setting, server: &Server, permission: &str) -> Result<String, Fault> {
    let made = Command::new(&setting.binary)
        .arg("--config")
        .arg(&server.config)
        .args(["--json", "clients", "create", "bench", "--permission", permission])
        .current_dir(&setting.folder)
        .env_clear()
        .output()?;
    if !made.status.success() {
        return Err(format!("userd clients create: {}", String::from_utf8_lossy(&made.stderr)).into());
    }
    let made: Value = serde_json::from_slice(&made.stdout)?;
    let text = |pointer: &str| made.pointer(pointer).and_then(Value::as_str).ok_or("a client without credentials");
    Ok(STANDARD.encode(format!("{}:{}", text("/client/id")?, text("/client_secret")?)))
}
