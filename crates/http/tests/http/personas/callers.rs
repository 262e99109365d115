//! The kinds of callers, and an app in which each of them exists as soon as it is asked for.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{Router, body::Body};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::Request;
use serde_json::{Value, json};
use userd_http::{Api, router};
use userd_model::{Permission, Role, UserId, UserStatus};
use userd_services::{Services, testing::TestOptions, webhooks::WebhookInput};
use userd_web::testing::{Answer, ask, request};

use crate::app::{TestProvider, api_with, test_services};

pub const PASSWORD: &str = "velvet-Trombone-87";
/// The provider on offer.
pub const PROVIDER: &str = "acme";

/// A kind of caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Persona {
    /// Shows no credentials.
    Visitor,
    /// Has an account and no role.
    Member,
    /// Has one permission.
    Holder(&'static Permission),
    /// Has one of the other built-in roles.
    Role(&'static str),
    /// Has the role `admin`.
    Admin,
    /// A service account of every permission, with an access token.
    Service,
    /// The same with its id and secret.
    Basic,
    /// A user who was blocked since the sign-in.
    Blocked,
    /// A user who was deleted since the sign-in.
    Deleted,
    /// A user whose session has ended.
    Ended,
}

impl Persona {
    pub fn all() -> Vec<Self> {
        let mut all = vec![Self::Visitor, Self::Member];
        all.extend(Permission::WELL_KNOWN.iter().map(Self::Holder));
        all.extend(Role::built_in_names().filter(|name| *name != Role::ADMIN).map(Self::Role));
        all.extend([Self::Admin, Self::Service, Self::Basic, Self::Blocked, Self::Deleted, Self::Ended]);
        all
    }

    pub fn name(self) -> String {
        match self {
            Self::Holder(permission) => permission.as_str().to_owned(),
            Self::Role(name) => name.to_owned(),
            other => format!("{other:?}").to_lowercase(),
        }
    }

    /// Signs in as a user, and still may.
    pub fn is_signed_in_user(self) -> bool {
        matches!(self, Self::Member | Self::Holder(_) | Self::Role(_) | Self::Admin)
    }

    pub fn sends_bearer(self) -> bool {
        !matches!(self, Self::Visitor | Self::Basic)
    }

    pub fn has(self, permission: &Permission) -> bool {
        match self {
            Self::Holder(own) => own == permission,
            Self::Role(name) => {
                Role::built_in(name).is_some_and(|role| role.permissions.iter().any(|word| word == permission.as_str()))
            }
            Self::Admin | Self::Service | Self::Basic => true,
            Self::Visitor | Self::Member | Self::Blocked | Self::Deleted | Self::Ended => false,
        }
    }
}

/// What a caller has in hand.
#[derive(Clone, Default)]
pub struct Hand {
    /// The `Authorization` header.
    pub authorization: Option<String>,
    pub login: String,
    pub session: String,
    pub refresh_token: String,
}

/// An app and those who call it.
pub struct App {
    pub services: Arc<Services>,
    router: Router,
    root: String,
    callers: HashMap<Persona, Hand>,
    names: AtomicUsize,
}

impl App {
    pub async fn start() -> Self {
        let providers = vec![TestProvider::named(PROVIDER, false)];
        let services = test_services(TestOptions { providers, ..TestOptions::default() }).await;
        let api = Api { services: Arc::clone(&services), ..api_with(|_| {}) };
        let router = router::build(Arc::new(api)).unwrap();
        let mut app =
            Self { services, router, root: String::new(), callers: HashMap::new(), names: AtomicUsize::default() };
        app.root = app.user("root", &[Role::ADMIN]).await.authorization.unwrap();
        app
    }

    pub async fn ask(&self, request: Request<Body>) -> Answer {
        ask(&self.router, request).await
    }

    /// A webhook whose receiver is away.
    pub async fn webhook(&self) -> String {
        let input =
            WebhookInput { url: "http://127.0.0.1:1/".to_owned(), events: vec!["*".to_owned()], ..Default::default() };
        let made = self.services.webhooks.create(&self.services.operator_context(), input, None).await.unwrap();
        made.webhook.id.to_string()
    }

    /// A name that nobody has.
    pub fn new_name(&self) -> String {
        format!("target-{}", self.names.fetch_add(1, Ordering::Relaxed))
    }

    /// What this caller has; made when first asked for.
    pub async fn hand(&mut self, persona: Persona) -> Hand {
        if let Some(known) = self.callers.get(&persona) {
            return known.clone();
        }
        let hand = self.make(persona).await;
        self.callers.insert(persona, hand.clone());
        hand
    }

    async fn make(&self, persona: Persona) -> Hand {
        match persona {
            Persona::Visitor => Hand { login: "nobody".to_owned(), ..Hand::default() },
            Persona::Member => self.user("plain", &[]).await,
            Persona::Holder(permission) => {
                let name = permission.as_str().replace(['.', '_'], "-");
                self.role(&name, &[permission.as_str()]).await;
                self.user(&name, &[&name]).await
            }
            Persona::Role(name) => self.user(&name.replace('_', "-"), &[name]).await,
            Persona::Admin => self.user("boss", &[Role::ADMIN]).await,
            Persona::Basic => Hand { authorization: Some(self.service().await), ..Hand::default() },
            Persona::Service => {
                let form = "grant_type=client_credentials";
                let answer = self.post("/oauth2/token", &self.service().await, form.into()).await;
                Hand { authorization: Some(bearer(&answer.json()["access_token"])), ..Hand::default() }
            }
            Persona::Blocked => {
                let hand = self.user("shut-out", &[]).await;
                self.block("shut-out").await;
                hand
            }
            Persona::Deleted => {
                let hand = self.user("gone", &[]).await;
                self.block("gone").await;
                self.change_user("gone", |user| user.status = UserStatus::Deleted).await;
                hand
            }
            Persona::Ended => {
                let hand = self.user("left", &[]).await;
                self.post("/v1/auth/logout", hand.authorization.as_ref().unwrap(), Value::Null).await;
                hand
            }
        }
    }

    /// A registered user with these roles, signed in.
    pub async fn user(&self, name: &str, roles: &[&str]) -> Hand {
        // Short enough for a username, and reserved by nobody.
        let username = format!("{name}-persona");
        self.post("/v1/auth/register", "", json!({"username": username, "password": PASSWORD})).await;
        if !roles.is_empty() {
            let roles = roles.iter().map(|role| (*role).to_owned()).collect::<Vec<_>>();
            self.change_user(name, |user| user.roles.clone_from(&roles)).await;
        }
        let answer = self.post("/v1/auth/login", "", json!({"login": username, "password": PASSWORD})).await.json();
        Hand {
            authorization: Some(bearer(&answer["access_token"])),
            login: username,
            session: answer["session_id"].as_str().unwrap().to_owned(),
            refresh_token: answer["refresh_token"].as_str().unwrap().to_owned(),
        }
    }

    /// The id of a registered user.
    pub async fn id_of(&self, name: &str) -> String {
        let path = format!("/v1/users?query={name}-persona");
        let answer = self.ask(request("GET", &path, &[("authorization", &self.root)], "")).await.json();
        answer["items"][0]["id"].as_str().unwrap().to_owned()
    }

    /// The id of a new service account, and its `Authorization` header.
    pub async fn client(&self, permissions: &[Permission]) -> (String, String) {
        let permissions: Vec<&str> = permissions.iter().map(|permission| permission.as_str()).collect();
        let body = json!({"name": "robot", "permissions": permissions});
        let made = self.post("/v1/clients", &self.root, body).await.json();
        let (id, secret) = (made["id"].as_str().unwrap(), made["client_secret"].as_str().unwrap());
        (id.to_owned(), format!("Basic {}", STANDARD.encode(format!("{id}:{secret}"))))
    }

    pub async fn disabled_client(&self) -> String {
        let (id, _) = self.client(&[]).await;
        let path = format!("/v1/clients/{id}");
        let disabled = self.ask(request("DELETE", &path, &[("authorization", &self.root)], "")).await;
        assert_eq!(disabled.status, 204);
        id
    }

    async fn service(&self) -> String {
        self.client(Permission::WELL_KNOWN).await.1
    }

    async fn block(&self, name: &str) {
        let path = format!("/v1/users/{}/block", self.id_of(name).await);
        self.post(&path, &self.root, Value::Null).await;
    }

    /// A role that allows this.
    pub async fn role(&self, name: &str, permissions: &[&str]) {
        let permissions = permissions.iter().map(|word| (*word).to_owned()).collect();
        let (role, now) = (&Role { name: name.to_owned(), permissions, ..Role::default() }, self.services.now());
        let upsert = self.services.deps.store.transact("give_role", |mut uow| async move {
            uow.roles().upsert(role, now).await?;
            uow.commit(()).await
        });
        upsert.await.unwrap();
    }

    async fn change_user(&self, name: &str, change: impl Fn(&mut userd_model::User) + Sync) {
        let page = self.services.deps.store.reading().users().page(None, 200).await.unwrap();
        let mut found = None;
        for user in page {
            let view = self.services.user_reader.show(user.id).await.unwrap();
            if view.username.as_deref() == Some(&format!("{name}-persona")) {
                found = Some(user.id);
            }
        }
        let (id, change): (UserId, _) = (found.unwrap(), &change);
        let changed = self.services.deps.store.transact("change_user", |mut uow| async move {
            let mut user = uow.users().find(id).await?.unwrap();
            change(&mut user);
            uow.users().update(&user).await?;
            uow.commit(()).await
        });
        changed.await.unwrap();
    }

    /// Posts JSON, or a form where it is a text; it must succeed.
    async fn post(&self, path: &str, authorization: &str, body: Value) -> Answer {
        let (media_type, body) = match body {
            Value::String(form) => ("application/x-www-form-urlencoded", form),
            Value::Null => ("application/json", String::new()),
            json => ("application/json", json.to_string()),
        };
        let mut headers = Vec::new();
        if !body.is_empty() {
            headers.push(("content-type", media_type));
        }
        if !authorization.is_empty() {
            headers.push(("authorization", authorization));
        }
        let answer = self.ask(request("POST", path, &headers, body)).await;
        assert!(answer.status.is_success(), "{path}: {}", answer.text());
        answer
    }
}

fn bearer(token: &Value) -> String {
    format!("Bearer {}", token.as_str().unwrap())
}
