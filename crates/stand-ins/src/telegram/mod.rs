//! Telegram's sign-in host: "Log in with Telegram" (OpenID Connect without user-info) and the legacy widget's page.
//! Payloads of the widget and of Mini Apps are made in `widget` and `mini_app`; the bot is [`crate::bot_api`].
//!
//! Pinned assumptions: whether the code flow echoes the nonce is a knob; codes live ten minutes; `sub` is the same
//! for all bots.

mod keys;
pub mod mini_app;
mod tokens;
pub mod widget;

use std::sync::Arc;

use axum::{http::Method, response::Response};
use serde_json::json;
use userd_jose::Algorithm;

use self::keys::Keys;
pub(crate) use self::keys::rsa_2048;
use crate::{
    ask::Ask,
    bot_api::{BotApi, Chats},
    consent::{Consent, ask_person},
    grants::{Books, Grant},
    page, reply,
    server::{Behaviour, Options, Shared, StandIn, serve},
    test_users::TestUser,
};

pub use crate::bot_api::{BOT_ID, BOT_TOKEN, BOT_USERNAME};

/// The client secret of "Web Login"; not the bot's token.
pub const CLIENT_SECRET: &str = "web-login-secret-0123456789";

/// The nonce in ID tokens of the code flow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NonceEcho {
    /// As it was sent.
    #[default]
    Present,
    /// Left out, as a probe of the real one saw.
    Absent,
    /// Another one.
    Wrong,
}

/// How the widget's page answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WidgetAnswer {
    /// `#tgAuthResult=`, which no server sees.
    #[default]
    Fragment,
    /// Fields in the query, as `data-auth-url` gets them.
    Query,
}

/// What can be made to differ.
#[derive(Clone, Copy, Debug)]
pub struct Knobs {
    /// The bot's "Advanced" choice of the ID token's algorithm. Telegram's default is RS256.
    pub algorithm: Algorithm,
    /// The nonce of the code flow.
    pub nonce: NonceEcho,
    /// How the widget's page answers.
    pub widget: WidgetAnswer,
    /// Leaves the numeric `id` out even with scope `profile`.
    pub no_numeric_id: bool,
    /// ID tokens are for another bot.
    pub other_audience: bool,
}

impl Default for Knobs {
    fn default() -> Self {
        Self {
            algorithm: Algorithm::RS256,
            nonce: NonceEcho::default(),
            widget: WidgetAnswer::default(),
            no_numeric_id: false,
            other_audience: false,
        }
    }
}

/// A running Telegram.
pub struct Telegram {
    stand_in: StandIn<Knobs>,
    behind: Arc<Behind>,
}

impl std::ops::Deref for Telegram {
    type Target = StandIn<Knobs>;

    fn deref(&self) -> &Self::Target {
        &self.stand_in
    }
}

/// Starts it: `/.well-known/*`, `/auth`, `/token`, `/crossapp`, and `/mini-app` with payloads to copy.
pub async fn start(options: Options) -> std::io::Result<Telegram> {
    started(options, None).await
}

/// The same beside a bot: who grants `telegram:bot_access` or `request_access=write` can be written to by it.
pub async fn start_beside(bot: &BotApi, options: Options) -> std::io::Result<Telegram> {
    started(options, Some(bot.chats())).await
}

async fn started(options: Options, chats: Option<Arc<Chats>>) -> std::io::Result<Telegram> {
    let keys = Keys::generate().map_err(|e| std::io::Error::other(e.to_string()))?;
    let behind = Arc::new(Behind { books: Books::default(), keys, chats });
    let stand_in = serve(options, Knobs::default(), Arc::clone(&behind)).await?;
    Ok(Telegram { stand_in, behind })
}

impl Telegram {
    /// An ID token as Telegram's scripts and SDKs hand it to an app.
    #[must_use]
    pub fn id_token(&self, person: &str, nonce: Option<&str>) -> Option<String> {
        let shared = self.stand_in.shared();
        let grant = Grant {
            person: self.person(person)?,
            redirect_uri: None,
            challenge: None,
            scope: "openid profile phone".to_owned(),
            nonce: nonce.map(str::to_owned),
            device_id: None,
            issued: shared.now(),
        };
        self.behind.id_token(shared, &grant)
    }

    /// The widget's signed fields for a person, as of now.
    #[must_use]
    pub fn widget_fields(&self, person: &str) -> Option<std::collections::BTreeMap<String, String>> {
        Some(widget::fields(&self.person(person)?, BOT_TOKEN, self.stand_in.shared().now()))
    }

    /// A Mini App's `initData` for a person, as of now.
    #[must_use]
    pub fn init_data(&self, person: &str) -> Option<String> {
        Some(mini_app::InitData::new(self.stand_in.shared().now()).sign(&self.person(person)?, BOT_TOKEN))
    }
}

struct Behind {
    books: Books,
    keys: Keys,
    chats: Option<Arc<Chats>>,
}

impl Behaviour<Knobs> for Behind {
    async fn answer(&self, shared: &Arc<Shared<Knobs>>, ask: &Ask) -> Response {
        match (&ask.method, ask.path.as_str()) {
            (&Method::GET, "/.well-known/openid-configuration") => keys::discovery(shared),
            (&Method::GET, "/.well-known/jwks.json") => reply::json(200, &self.keys.published()),
            // `bot_id` or `origin` mean the widget, whatever else is there.
            (&Method::GET, "/auth") if ask.query_param("bot_id").is_some() || ask.query_param("origin").is_some() => {
                self.widget_page(shared, ask)
            }
            (&Method::GET, "/auth") => self.authorize(shared, ask),
            (&Method::POST, "/token") => self.token(shared, ask),
            (&Method::GET, "/crossapp") => cross_app(shared, ask),
            (&Method::GET, "/mini-app") => mini_app_page(shared, ask),
            _ => reply::not_found(),
        }
    }
}

impl Behind {
    fn authorize(&self, shared: &Shared<Knobs>, ask: &Ask) -> Response {
        let told = |what: &str| page::problem("Telegram", what);
        if ask.query_param("client_id").as_deref() != Some(BOT_ID) {
            return told("client_id invalid");
        }
        let Some(redirect_uri) = ask.query_param("redirect_uri") else { return told("redirect_uri required") };
        if ask.query_param("response_type").as_deref() != Some("code") {
            return told("response_type invalid");
        }
        let state = ask.query_param("state");
        let back = |name: &str, value: &str| {
            let state = state.as_deref().map(|state| ("state", state));
            reply::redirect_with(&redirect_uri, &[(name, value)].into_iter().chain(state).collect::<Vec<_>>())
        };
        match ask_person(shared, ask, "Telegram", "") {
            Consent::Asking(page) => page,
            Consent::Denied => back("error", "access_denied"),
            // An address that is not registered gets the legacy answer.
            Consent::Given(person) if !shared.registered(&redirect_uri) => {
                widget::answer_in_fragment(&redirect_uri, &person, BOT_TOKEN, shared.now())
            }
            Consent::Given(person) => {
                let grant = Grant::of(ask, *person, shared.now());
                if grant.has_scope("telegram:bot_access") {
                    self.let_bot_write(&grant.person);
                }
                back("code", &self.books.new_code(grant))
            }
        }
    }

    fn widget_page(&self, shared: &Shared<Knobs>, ask: &Ask) -> Response {
        if ask.query_param("bot_id").as_deref() != Some(BOT_ID) {
            return page::problem("Telegram", "Bot id invalid");
        }
        let Some(return_to) = ask.query_param("return_to").or_else(|| ask.query_param("origin")) else {
            return page::problem("Telegram", "origin required");
        };
        match ask_person(shared, ask, "Telegram", "") {
            Consent::Asking(page) => page,
            Consent::Denied => reply::redirect(&format!("{return_to}#tgAuthResult=false")),
            Consent::Given(person) => {
                if ask.query_param("request_access").as_deref() == Some("write") {
                    self.let_bot_write(&person);
                }
                let now = shared.now();
                match shared.knobs().widget {
                    WidgetAnswer::Fragment => widget::answer_in_fragment(&return_to, &person, BOT_TOKEN, now),
                    WidgetAnswer::Query => widget::answer_in_query(&return_to, &person, BOT_TOKEN, now),
                }
            }
        }
    }

    fn let_bot_write(&self, person: &TestUser) {
        if let Some(chats) = &self.chats {
            chats.open(person);
        }
    }
}

/// What the native SDK asks: a link into the app. Opening it leads to `/auth` here, where the person agrees.
fn cross_app(shared: &Shared<Knobs>, ask: &Ask) -> Response {
    if ask.query_param("client_id").as_deref() != Some(BOT_ID) {
        return reply::oauth_error(400, "invalid_client", "");
    }
    // The real link is `tg://`; what it opens in the app is this page.
    let in_app = shared.at(&format!("/auth?{}", ask.query));
    reply::json(
        200,
        &json!({ "url": format!("tg://resolve?domain=oauth&startapp={}", urlencode(&in_app)), "page": in_app }),
    )
}

fn urlencode(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// `initData` to copy, as an app opened from the bot would hold it.
fn mini_app_page(shared: &Shared<Knobs>, ask: &Ask) -> Response {
    match ask_person(shared, ask, "Mini App", "") {
        Consent::Asking(page) => page,
        Consent::Denied => page::problem("Mini App", "closed"),
        Consent::Given(person) => {
            let data = mini_app::InitData::new(shared.now()).sign(&person, BOT_TOKEN);
            let curl = format!(
                "curl -H 'content-type: application/json' -d '{}' http://127.0.0.1:8080/v1/auth/telegram/mini-app",
                json!({ "init_data": data })
            );
            page::page("Mini App", &format!("<pre>{}</pre><pre>{}</pre>", page::escape(&data), page::escape(&curl)))
        }
    }
}
