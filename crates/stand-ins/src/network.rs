//! All stand-ins next to each other, and the service's configuration that knows them: for clicking through sign-in, and
//! reading what people are sent, without a network.

use crate::{
    Options,
    apple::{self, Apple},
    bot_api::{self, BotApi},
    github::{self, Github},
    mailbox::{self, Mailbox},
    oidc::{self, Oidc},
    telegram::{self, Telegram},
    vk::{self, Vk},
    webhook_receiver::{self, WebhookReceiver},
    yandex::{self, Yandex},
};

/// Where the service listens in the configuration that [`FakeNetwork::config`] writes.
pub const SERVICE: &str = "http://127.0.0.1:8080";
/// What the bot's webhook must bring along.
pub const WEBHOOK_SECRET: &str = "stand-in-webhook-secret";

/// Every stand-in, running.
#[expect(missing_docs, reason = "the names are the brands")]
pub struct FakeNetwork {
    pub yandex: Yandex,
    pub telegram: Telegram,
    pub bot_api: BotApi,
    pub vk: Vk,
    pub apple: Apple,
    pub github: Github,
    pub friendly: Oidc,
    pub hostile: Oidc,
    pub mailbox: Mailbox,
    pub webhooks: WebhookReceiver,
}

impl FakeNetwork {
    /// Starts all, on eleven ports from `port_base` on; 0 takes free ones.
    pub async fn start(port_base: u16) -> std::io::Result<Self> {
        let port = |place: u16| if port_base == 0 { 0 } else { port_base.saturating_add(place) };
        let at = |place: u16| Options::at(port(place));
        let bot_api = bot_api::start(at(2)).await?;
        Ok(Self {
            yandex: yandex::start(at(0)).await?,
            telegram: telegram::start_beside(&bot_api, at(1)).await?,
            bot_api,
            vk: vk::start(at(3)).await?,
            apple: apple::start(at(4)).await?,
            github: github::start(at(5)).await?,
            friendly: oidc::start(at(6)).await?,
            hostile: oidc::start_hostile(at(7)).await?,
            mailbox: mailbox::start(at(8), port(10)).await?,
            webhooks: webhook_receiver::start(at(9)).await?,
        })
    }

    /// Name and address of each.
    #[must_use]
    pub fn addresses(&self) -> [(&'static str, &str); 10] {
        [
            ("Yandex ID", &self.yandex.base_url),
            ("Telegram", &self.telegram.base_url),
            ("Telegram Bot API", &self.bot_api.base_url),
            ("VK ID", &self.vk.base_url),
            ("Apple", &self.apple.base_url),
            ("GitHub", &self.github.base_url),
            ("Friendly OpenID", &self.friendly.base_url),
            ("Hostile OpenID", &self.hostile.base_url),
            ("Mail", &self.mailbox.base_url),
            ("Webhooks", &self.webhooks.base_url),
        ]
    }

    /// A configuration of the service, YAML. Apple's private key is in it, new at every start.
    #[must_use]
    pub fn config(&self) -> String {
        format!(
            "# Written by `cargo xtask stand-ins`: the service beside stand-ins of its providers. Nothing here is secret.\n\
             http:\n  listen: \"127.0.0.1:8080\"\n  public_url: \"{SERVICE}\"\n\
             database:\n  url: \"sqlite://data/stand-ins.db\"\n\
             sign_in:\n  return_to:\n    - \"{SERVICE}/signed-in\"\n    - \"http://127.0.0.1:3000/signed-in\"\n\
             mail:\n  url: \"{}\"\n  from: \"userd <no-reply@users.example>\"\n\
             telegram:\n  bot_token: \"{}\"\n  bot_username: \"{}\"\n  webhook_secret: \"{WEBHOOK_SECRET}\"\n  api_base_url: \"{}\"\n\
             providers:\n{}",
            self.mailbox.smtp_url,
            telegram::BOT_TOKEN,
            telegram::BOT_USERNAME,
            self.bot_api.base_url,
            self.providers()
        )
    }

    fn providers(&self) -> String {
        [self.yandex_entry(), self.telegram_entry(), self.vk_entry(), self.github_entry(), self.apple_entry()]
            .into_iter()
            .chain([("friendly", "Friendly OpenID", &self.friendly), ("hostile", "Hostile OpenID", &self.hostile)].map(
                |(id, name, oidc)| {
                    let secret = oidc::CLIENT_SECRET;
                    entry(id, "oidc", name, oidc::CLIENT_ID, Some(secret))
                        + &format!("    issuer: \"{}\"\n", oidc.base_url)
                },
            ))
            .collect()
    }

    fn yandex_entry(&self) -> String {
        let at = &self.yandex.base_url;
        entry("yandex", "yandex", "Yandex ID", yandex::CLIENT_ID, Some(yandex::CLIENT_SECRET))
            + &endpoints(&[
                ("authorize", format!("{at}/authorize")),
                ("token", format!("{at}/token")),
                ("userinfo", format!("{at}/info")),
            ])
    }

    fn telegram_entry(&self) -> String {
        entry("telegram", "telegram", "Telegram", telegram::BOT_ID, Some(telegram::CLIENT_SECRET))
            + &format!("    issuer: \"{}\"\n", self.telegram.base_url)
            + "    scopes: [\"openid\", \"profile\", \"phone\", \"telegram:bot_access\"]\n"
    }

    fn vk_entry(&self) -> String {
        let at = &self.vk.base_url;
        entry("vk", "vk", "VK ID", vk::CLIENT_ID, None)
            + &endpoints(&[
                ("authorize", format!("{at}/authorize")),
                ("token", format!("{at}/oauth2/auth")),
                ("userinfo", format!("{at}/oauth2/user_info")),
            ])
    }

    fn github_entry(&self) -> String {
        let at = &self.github.base_url;
        entry("github", "github", "GitHub", github::CLIENT_ID, Some(github::CLIENT_SECRET))
            + &endpoints(&[
                ("authorize", format!("{at}/login/oauth/authorize")),
                ("token", format!("{at}/login/oauth/access_token")),
                ("userinfo", format!("{at}/user")),
            ])
    }

    fn apple_entry(&self) -> String {
        let key: String = self.apple.private_key_pem().lines().map(|line| format!("      {line}\n")).collect();
        entry("apple", "apple", "Apple", apple::CLIENT_ID, None)
            + &format!(
                "    issuer: \"{}\"\n    key_id: \"{}\"\n    apple:\n      team_id: \"{}\"\n    private_key: |\n{key}",
                self.apple.base_url,
                apple::KEY_ID,
                apple::TEAM_ID
            )
    }
}

fn entry(id: &str, kind: &str, name: &str, client_id: &str, secret: Option<&str>) -> String {
    let secret = secret.map(|secret| format!("    client_secret: \"{secret}\"\n")).unwrap_or_default();
    format!(
        "  - id: {id}\n    kind: {kind}\n    display_name: \"{name}\"\n    client_id: \"{client_id}\"\n{secret}    \
         allow_private_addresses: true\n"
    )
}

fn endpoints(pairs: &[(&str, String)]) -> String {
    let lines: String = pairs.iter().map(|(name, url)| format!("      {name}: \"{url}\"\n")).collect();
    format!("    endpoints:\n{lines}")
}
