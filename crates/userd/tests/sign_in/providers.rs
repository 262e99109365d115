//! The stand-ins as entries of `providers:`. Deliberately absent: how they behave.

use serde_json::{Value, json};
use userd_stand_ins::{
    apple, apple::Apple, github, github::Github, oidc, oidc::Oidc, telegram, telegram::Telegram, vk, vk::Vk, yandex,
    yandex::Yandex,
};

/// What the bot's webhook must bring along.
pub const WEBHOOK_SECRET: &str = "a-webhook-secret_of-the-tests";

pub fn yandex(at: &Yandex) -> Value {
    let at = &at.base_url;
    json!({
        "id": "yandex", "kind": "yandex", "client_id": yandex::CLIENT_ID, "client_secret": yandex::CLIENT_SECRET,
        "endpoints": endpoints(at, ["/authorize", "/token", "/info"]),
        "allow_private_addresses": true,
    })
}

/// An OpenID provider under a name of its own; whether its addresses count is the operator's word.
pub fn oidc(id: &str, at: &Oidc, trust_email: bool) -> Value {
    json!({
        "id": id, "kind": "oidc", "client_id": oidc::CLIENT_ID, "client_secret": oidc::CLIENT_SECRET,
        "issuer": at.base_url, "trust_email": trust_email, "allow_private_addresses": true, "timeout": "2s",
    })
}

pub fn telegram(at: &Telegram) -> Value {
    json!({
        "id": "telegram", "kind": "telegram", "client_id": telegram::BOT_ID, "client_secret": telegram::CLIENT_SECRET,
        "issuer": at.base_url, "scopes": ["openid", "profile", "phone", "telegram:bot_access"],
        "allow_private_addresses": true,
    })
}

pub fn vk(at: &Vk) -> Value {
    let at = &at.base_url;
    json!({
        "id": "vk", "kind": "vk", "client_id": vk::CLIENT_ID, "allow_private_addresses": true,
        "endpoints": endpoints(at, ["/authorize", "/oauth2/auth", "/oauth2/user_info"]),
    })
}

pub fn github(at: &Github) -> Value {
    let at = &at.base_url;
    json!({
        "id": "github", "kind": "github", "client_id": github::CLIENT_ID, "client_secret": github::CLIENT_SECRET,
        "endpoints": endpoints(at, ["/login/oauth/authorize", "/login/oauth/access_token", "/user"]),
        "allow_private_addresses": true,
    })
}

pub fn apple(at: &Apple) -> Value {
    json!({
        "id": "apple", "kind": "apple", "client_id": apple::CLIENT_ID, "issuer": at.base_url, "key_id": apple::KEY_ID,
        "apple": { "team_id": apple::TEAM_ID }, "private_key": at.private_key_pem(), "allow_private_addresses": true,
    })
}

/// The bot's section of the configuration.
pub fn bot(api_base_url: &str) -> Value {
    json!({
        "bot_token": telegram::BOT_TOKEN, "bot_username": telegram::BOT_USERNAME, "webhook_secret": WEBHOOK_SECRET,
        "api_base_url": api_base_url,
    })
}

fn endpoints(at: &str, [authorize, token, userinfo]: [&str; 3]) -> Value {
    let whole = |path: &str| format!("{at}{path}");
    json!({ "authorize": whole(authorize), "token": whole(token), "userinfo": whole(userinfo) })
}
