//! Who acts in the cases: visitors, members, administrators, services.

use userd_model::{Actor, ClientId, GrantKind, Permission, Refusal, SessionId, UserId};
use userd_services::{
    Authenticated, Completion, Context, Failure, RequestOrigin, Services, SignedIn, TokenPair, accounts::Registration,
    clients::ClientToken, passwords::Password, roles::GrantInput, sessions::Login,
};

use crate::fixture::TestApp;

/// A password that the rules take.
pub(crate) const PASSWORD: &str = "correct horse battery staple";
pub(crate) const OTHER_PASSWORD: &str = "seven purple ships at noon";

/// Somebody with an account, signed in.
#[derive(Clone)]
pub(crate) struct Member {
    pub(crate) id: UserId,
    pub(crate) email: String,
    pub(crate) tokens: TokenPair,
}

/// Another service, with a token.
pub(crate) struct Service {
    pub(crate) id: ClientId,
    pub(crate) secret: String,
    pub(crate) token: String,
    pub(crate) actor: Actor,
}

pub(crate) fn password(text: &str) -> Password {
    Password::new(text.to_owned())
}

pub(crate) fn registration(email: Option<&str>, username: Option<&str>) -> Registration {
    Registration {
        email: email.map(str::to_owned),
        username: username.map(str::to_owned),
        ..Registration::with(password(PASSWORD))
    }
}

/// At home.
pub(crate) fn home() -> RequestOrigin {
    RequestOrigin {
        ip: Some("192.0.2.1".to_owned()),
        network: "192.0.2.1".to_owned(),
        user_agent: Some("Browser/1".to_owned()),
    }
}

/// Somewhere else, `n` different places.
pub(crate) fn elsewhere(n: usize) -> RequestOrigin {
    let ip = format!("198.51.{}.{}", 100 + n / 250, n % 250);
    RequestOrigin { ip: Some(ip.clone()), network: ip, user_agent: Some("curl/8".to_owned()) }
}

pub(crate) fn login_with(login: &str, text: &str) -> Login {
    Login { login: login.to_owned(), password: password(text), device_name: None, device_token: None }
}

impl TestApp {
    /// Registers `name@example.org`, known as `name`.
    pub(crate) async fn member(&self, name: &str) -> Member {
        let email = format!("{name}@example.org");
        let signed_in = self
            .accounts
            .register(&at(self, home()), registration(Some(&email), Some(name)), None)
            .await
            .map(started)
            .unwrap();
        Member { id: signed_in.user.id, email, tokens: signed_in.tokens }
    }

    /// An administrator, made by the operator.
    pub(crate) async fn admin(&self) -> Member {
        let email = "root@example.org";
        let made =
            self.setup.create_administrator(&self.operator_context(), registration(Some(email), None)).await.unwrap();
        let signed_in = self.login(email, PASSWORD).await.unwrap();
        Member { id: made.id, email: email.to_owned(), tokens: signed_in.tokens }
    }

    /// Gives somebody a permission, and no role.
    pub(crate) async fn grant_alone(&self, user: UserId, permission: Permission) {
        let (operator, kind) = (self.operator_context(), GrantKind::Permission);
        self.grants.grant(&operator, user, kind, permission.as_str(), &GrantInput::default()).await.unwrap();
    }

    /// A service that holds these permissions.
    pub(crate) async fn service(&self, permissions: &[Permission]) -> Service {
        let words: Vec<String> = permissions.iter().map(|permission| permission.as_str().to_owned()).collect();
        let made = self.clients.create(&self.operator_context(), "another service", &words, None).await.unwrap();
        let token = self.client_token(made.client.id, &made.client_secret).await.unwrap().access_token;
        let actor = self.who(&token).await.unwrap().actor;
        Service { id: made.client.id, secret: made.client_secret, token, actor }
    }

    pub(crate) async fn client_token(&self, id: ClientId, secret: &str) -> Result<ClientToken, Failure> {
        let client = self.clients.authenticate(&id.to_string(), secret, &home()).await?;
        self.clients.token(&client, None)
    }

    pub(crate) async fn login(&self, login: &str, text: &str) -> Result<SignedIn, Failure> {
        self.sessions.login(&at(self, home()), login_with(login, text)).await.map(started)
    }

    pub(crate) async fn refresh(&self, token: &str) -> Result<SignedIn, Failure> {
        self.sessions.refresh(&at(self, home()), token).await
    }

    /// Who a token speaks for.
    pub(crate) async fn who(&self, token: &str) -> Result<Authenticated, Refusal> {
        self.authenticate(token).await
    }

    /// Whether both tokens of a pair are dead.
    pub(crate) async fn is_out(&self, tokens: &TokenPair) -> bool {
        let access = self.who(&tokens.access_token).await.is_err();
        let refresh = self.refresh(&tokens.refresh_token).await.is_err();
        assert_eq!(access, refresh, "one token of the pair is alive and the other is not");
        access
    }

    pub(crate) async fn actor(&self, member: &Member) -> Actor {
        self.who(&member.tokens.access_token).await.unwrap().actor
    }

    /// The living sessions, oldest first.
    pub(crate) async fn devices_of(&self, user: UserId) -> Vec<SessionId> {
        self.sessions.list(&of_id(self, user), user, None, 1000).await.unwrap().iter().map(|device| device.id).collect()
    }
}

/// A request of nobody that is known, from `origin`.
pub(crate) fn at(services: &Services, origin: RequestOrigin) -> Context {
    services.context().from_origin(origin)
}

/// A request of a member, at home.
pub(crate) fn of(services: &Services, member: &Member) -> Context {
    of_session(services, member.id, member.tokens.session_id, home())
}

/// A request of a user in whatever session, at home.
pub(crate) fn of_id(services: &Services, id: UserId) -> Context {
    of_session(services, id, SessionId(uuid::Uuid::nil()), home())
}

/// A request of a user in a session.
pub(crate) fn of_session(services: &Services, id: UserId, session_id: SessionId, origin: RequestOrigin) -> Context {
    at(services, origin).acting_as(Actor::User { id, session_id, permissions: Vec::new() })
}

/// A request of whoever it is, at home.
pub(crate) fn acting(services: &Services, actor: &Actor) -> Context {
    at(services, home()).acting_as(actor.clone())
}

/// A request with a token, at home.
pub(crate) fn authenticated(services: &Services, token: &Authenticated) -> Context {
    at(services, home()).authenticated(token.clone())
}

/// The session that a way in began.
#[track_caller]
pub(crate) fn started(completion: Completion) -> SignedIn {
    completion.signed_in().unwrap()
}
