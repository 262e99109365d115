//! The unspoiled configuration, and how a document is written down.

use serde_json::{Value, json};

/// 32 bytes in base64, which is all that a pepper may be.
pub(crate) const PEPPER: &str = "c4n4rypepperAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// The unspoiled configuration: every kind of value at least once, every secret a canary.
pub(crate) fn healthy() -> Value {
    json!({
        "http": { "listen": "127.0.0.1:8080", "public_url": "https://id.example.org", "trusted_proxies": ["10.0.0.0/8"],
                  "cors_origins": ["https://app.example.org"], "drain_delay": "5s", "request_timeout": "30s",
                  "max_connections": 20000 },
        "database": { "url": "postgres://userd:c4n4ry-db@db.example/userd?sslmode=disable", "pool_size": 16, "acquire_timeout": "2s",
                      "idle_timeout": "10m", "statement_cache": true },
        "cache": { "url": "rediss://:c4n4ry-redis@cache.example:6379/0", "timeout": "50ms", "key_prefix": "u:",
                   "memory_mib": 64, "limit_cells": 100000 },
        "crypto": { "master_key_command": ["vault", "c4n4ry-argument"] },
        "tokens": { "issuer": "https://id.example.org", "audience": "userd", "access_ttl": "10m", "refresh_ttl": "30d",
                    "algorithm": "ES256", "rotation_period": "30d", "publish_before": "1h", "verified_cache_entries": 1000 },
        "passwords": { "min_length": 12, "argon2": { "memory_kib": 19456, "iterations": 2, "parallelism": 1 },
                       "workers": 2, "queue": 64, "queue_timeout": "10s", "pepper": PEPPER, "context_words": ["acme"] },
        "sessions": { "max_per_user": 100, "max_lifetime": "365d" },
        "rate_limits": { "enabled": true, "password_per_account": "20 then one per 15m" },
        "registration": {
          "mode": "closed", "email_confirmation": "deferred",
          "approvers": ["approver"], "allowed_domains": ["example.org"], "blocked_domains": ["spam.example"]
        },
        "accounts": { "restore_window": "30d" },
        "sign_in": { "return_to": ["https://app.example.org/in", "org.example.app:/in"] },
        "mail": { "url": "smtps://u:c4n4ry-mail@mail.example:465", "from": "Id <no-reply@example.org>" },
        "telegram": { "bot_token": "1:c4n4ry-bot", "bot_username": "example_bot", "decide_in_chat": true, "api_base_url": "https://api.telegram.org",
                      "proxy": "socks5h://u:c4n4ry-proxy@proxy.example:1080", "webhook_secret": "c4n4ry-hook" },
        "providers": [
            { "id": "ya", "kind": "yandex", "client_id": "a", "client_secret": "c4n4ry-ya", "trust_email": true },
            { "id": "corp", "kind": "oidc", "client_id": "b", "client_secret": "c4n4ry-corp", "issuer": "https://corp.example",
              "scopes": ["openid", "email"], "allowed_domains": ["example.org"], "require_nonce": false,
              "endpoints": { "token": "https://corp.example/token" }, "token_auth": "post" }
        ],
        "log": { "format": "json", "level": "info,userd_storage=debug", "rotation": "hourly", "keep": 7, "buffer_lines": 4096,
                 "otlp": { "one_in": 100 } }
    })
}

pub(crate) fn pointer_of(path: &[String]) -> String {
    path.iter().map(|step| format!("/{step}")).collect()
}

/// Block YAML with quoted text, one key per line.
pub(crate) fn yaml(value: &Value, depth: usize) -> String {
    let pad = "  ".repeat(depth);
    let child = |key: String, value: &Value| match value {
        Value::Object(map) if !map.is_empty() => format!("{pad}{key}\n{}", yaml(value, depth + 1)),
        Value::Array(items) if !items.is_empty() => format!("{pad}{key}\n{}", yaml(value, depth + 1)),
        scalar => format!("{pad}{key} {scalar}\n"),
    };
    match value {
        Value::Object(map) => map.iter().map(|(key, value)| child(format!("{}:", key_text(key)), value)).collect(),
        Value::Array(items) => items.iter().map(|value| child("-".to_owned(), value)).collect(),
        scalar => format!("{pad}{scalar}\n"),
    }
}

fn key_text(key: &str) -> String {
    if key.ends_with(' ') { format!("{key:?}") } else { key.to_owned() }
}
