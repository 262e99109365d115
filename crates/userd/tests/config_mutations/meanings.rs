//! Mutants of meaning: texts that are no such thing, files, twins, bombs, contradictions, and the unspoiled one.

use std::{fs, path::Path};

use serde_json::json;

use crate::{
    CANARY,
    documents::{PEPPER, pointer_of, yaml},
    mutants::{Bench, Fate, Mutant, Steps},
    rng::Rng,
};

impl Bench {
    pub(crate) fn bad_text(&self, rng: &mut Rng) -> Mutant {
        let wrong: &[(&str, &[&str])] = &[
            (
                "http.listen",
                &["8080", "localhost:8080", ":8080", "127.0.0.1", "127.0.0.1:65536", "300.0.0.1:1", "127.0.0.1:8080 "],
            ),
            (
                "http.public_url",
                &[
                    "id.example.org",
                    "ftp://id.example.org",
                    "https://id.example.org/path",
                    "https://id.example.org?x=1",
                    "https://u:c4n4ry@id.example.org",
                    "https:id.example.org",
                    "https://",
                    "https://id.example.org/#",
                    " https://id.example.org",
                ],
            ),
            (
                "http.trusted_proxies.0",
                &[
                    "::ffff:10.0.0.0/104",
                    "::ffff:10.0.0.1",
                    "10.0.0.0/33",
                    "10.0.0.1/8",
                    "example.org",
                    "",
                    "10.0.0.0/8,11.0.0.0/8",
                    "*",
                ],
            ),
            (
                "http.cors_origins.0",
                &["*", "null", "https://*.example.org", "https://app.example.org/x", "app.example.org"],
            ),
            (
                "database.url",
                &[
                    "",
                    "mysql://db.example/c4n4ry",
                    "postgres:/db",
                    "postgres://",
                    "sqlite://",
                    "sqlite:///",
                    "sqlite:memory:",
                    "grpc:///local",
                    "file:db",
                    "postgres://u:c4n4ry@db.example",
                    "postgres://u:c4n4ry@db.example/userd?sslmode=verify",
                    "grpcs://db.example:2136/userd?token=c4n4ry",
                ],
            ),
            (
                "cache.url",
                &[
                    "",
                    "redis://",
                    "memory://x",
                    "memcached://host",
                    "redis//host",
                    "redis+cluster://",
                    "redis://host/x",
                ],
            ),
            (
                "tokens.issuer",
                &[
                    "http://id.example.org",
                    "https://id.example.org/#a",
                    "https://u:c4n4ry@id.example.org",
                    "id",
                    "https://id.example.org/?a=b",
                ],
            ),
            ("tokens.algorithm", &["eddsa", "none", "HS256", "", "ES512", "EdDSA,ES256"]),
            ("registration.mode", &["Open", "true", "", "anyone", "approved"]),
            ("registration.approvers.0", &["", "a b", "Ä"]),
            ("registration.email_confirmation", &["Required", "later", ""]),
            ("registration.allowed_domains.0", &["example", "@example.org", "*.example.org", "-a.example", "a..b"]),
            ("registration.blocked_domains.0", &["example", "@example.org", "*.example.org", "-a.example", "a..b"]),
            ("passwords.pepper", &["c4n4ry", "c4n4ryAAAA==", " "]),
            (
                "rate_limits.password_per_account",
                &[
                    "20",
                    "20/15m",
                    "0 then one per 15m",
                    "20 then one per 2d",
                    "20 then one per 0s",
                    "x then one per 1m",
                    "1000001 then one per 1m",
                ],
            ),
            ("mail.url", &["mail.example", "http://mail.example", "smtp://", "smtp:/mail.example"]),
            (
                "mail.from",
                &[
                    "nobody",
                    "a@",
                    "@b",
                    "a b@c.example",
                    "a@b.example\nBcc: c@d.example",
                    "<a@b.example>",
                    "a@b@c.example",
                ],
            ),
            ("telegram.api_base_url", &["http://api.telegram.org", "api.telegram.org", ""]),
            ("telegram.bot_username", &["@example_bot", "a b", "x"]),
            ("telegram.proxy", &["proxy.example:1080", "socks4://proxy.example", "ftp://proxy.example"]),
            ("telegram.bot_token", &[" ", "\t"]),
            (
                "providers.0.id",
                &["", "Ya", "a.b", "a/b", "..", "ё", "corp", "email", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"],
            ),
            ("providers.0.kind", &["Yandex", "saml", "", "facebook"]),
            ("providers.0.client_id", &[""]),
            ("providers.1.issuer", &["", "http://corp.example", "corp.example", "https://corp.example/#x"]),
            ("providers.1.allowed_domains.0", &["example", "@example.org", "*.example.org", "-a.example", "a..b"]),
            ("providers.1.endpoints.token", &["http://corp.example/token", "/token", "javascript:alert(1)"]),
            (
                "sign_in.return_to.0",
                &[
                    "",
                    "http://app.example.org",
                    "javascript:alert(1)",
                    "app:/x",
                    "https://app.example.org/x?y=1",
                    "//app.example.org",
                    "https://u@app.example.org/",
                ],
            ),
            ("log.level", &["", "loud", "INFO2", "userd=", "=info", "info,,debug", "a b=info"]),
            ("log.format", &["text", "JSON", ""]),
            ("cache.key_prefix", &[""]),
            ("tokens.audience", &["", "a\u{0}b", "a\nb"]),
        ];
        let (key, values) = self.one_of_ours(rng, wrong, |(key, _)| key);
        let path: Steps = key.split('.').map(str::to_owned).collect();
        let value = json!(rng.one(values));
        let end = if path[0] == "providers" {
            1
        } else {
            path.iter().rposition(|step| step.parse::<usize>().is_err()).unwrap() + 1
        };
        let named = path[..end].join(".");
        Mutant { what: "text that is no such thing", text: self.with(&path, value), fate: Fate::RefusedAt(named) }
    }

    pub(crate) fn unreadable_file(&self, rng: &mut Rng) -> Mutant {
        let empty = self.dir.join("empty");
        fs::write(&empty, "\n").unwrap();
        let binary = self.dir.join("binary");
        fs::write(&binary, [0xff, 0xfe, 0x80]).unwrap();
        let absent = self.dir.join("absent");
        let inputs = ["database.ca_file", "http.tls.certificate_file", "providers.1.ca_file", "cache.ca_file"];
        let secrets = [
            ("telegram.bot_token_file", "/telegram/bot_token"),
            ("providers.0.client_secret_file", "/providers/0/client_secret"),
        ];
        let as_text = |path: &Path| json!(path.to_str().unwrap());
        if rng.below(2) == 0 {
            let path: Steps = self.one_of_ours(rng, &inputs, |key| key).split('.').map(str::to_owned).collect();
            let mut root = self.healthy.clone();
            root["http"]["tls"] = json!({});
            let (key, parent) = path.split_last().unwrap();
            root.pointer_mut(&pointer_of(parent)).unwrap()[key] = as_text(rng.one(&[&absent, &self.dir]));
            return Mutant { what: "unreadable file", text: yaml(&root, 0), fate: Fate::RefusedAt(path.join(".")) };
        }
        let (key, plain) = self.one_of_ours(rng, &secrets, |(key, _)| key);
        let mut root = self.healthy.clone();
        let (parent, name) = plain.rsplit_once('/').unwrap();
        let parent = root.pointer_mut(parent).unwrap().as_object_mut().unwrap();
        parent.remove(name);
        parent.insert(format!("{name}_file"), as_text(rng.one(&[&empty, &binary, &absent, &self.dir])));
        Mutant { what: "unreadable secret", text: yaml(&root, 0), fate: Fate::RefusedAt((*key).to_owned()) }
    }

    pub(crate) fn twin(&self, rng: &mut Rng) -> Mutant {
        let keys = [
            "telegram.bot_token_file",
            "providers.0.client_secret_file",
            "database.url_file",
            "mail.url_file",
            "passwords.pepper_file",
            "cache.url_file",
        ];
        let path = self.one_of_ours(rng, &keys, |key| key);
        let path: Steps = path.split('.').map(str::to_owned).collect();
        let file = self.dir.join("twin");
        fs::write(&file, "c4n4ry-twin").unwrap();
        let text = self.with(&path, json!(file.to_str().unwrap()));
        Mutant { what: "both twins", text, fate: Fate::RefusedAt(path.join(".")) }
    }

    pub(crate) fn anchors(&self, rng: &mut Rng) -> Mutant {
        let text = match rng.below(4) {
            0 => {
                let mut bomb = String::from("a: &a [x, x, x, x, x, x, x, x, x]\n");
                for pair in b"abcdefghij".windows(2) {
                    let (from, to) = (char::from(pair[0]), char::from(pair[1]));
                    bomb.push_str(&format!("{to}: &{to} [{}]\n", vec![format!("*{from}"); 9].join(", ")));
                }
                bomb
            }
            1 => format!("{}extra: &loop [*loop]\n", yaml(&self.healthy, 0)),
            2 => yaml(&self.healthy, 0).replace("audience: \"userd\"", "audience: &c4n4ry userd"),
            _ => yaml(&self.healthy, 0).replace(
                &format!("{PEPPER:?}"),
                rng.one(&["*c4n4ry", "!c4n4ry x", "&c4n4ry x", "@c4n4ry", "`c4n4ry", "%c4n4ry\n%"]),
            ),
        };
        Mutant { what: "anchors and tags", text, fate: Fate::Refused }
    }

    pub(crate) fn deep_or_huge(&self, rng: &mut Rng) -> Mutant {
        let text = match rng.below(4) {
            0 => "[".repeat(20 + rng.below(50_000)),
            1 => format!("{}: 1", "{a".repeat(30 + rng.below(1_000))),
            2 => (0..30 + rng.below(100)).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect(),
            _ => format!("log: {{}}\n{}", "- - - - -\n".repeat(100 + rng.below(1_000))),
        };
        Mutant { what: "deep", text, fate: Fate::Refused }
    }

    pub(crate) fn contradiction(&self, rng: &mut Rng) -> Mutant {
        let wrong = [
            ("tokens.access_ttl", json!("1d")),
            ("mail.from", json!("")),
            ("tokens.rotation_period", json!("1h")),
            ("providers.0.token_auth", json!("private_key_jwt")),
            ("providers.0.kind", json!("ok")),
            ("providers.0.kind", json!("apple")),
            ("providers.0.kind", json!("oauth2")),
            ("providers.0.kind", json!("oidc")),
            ("crypto.master_key", json!("c4n4ry")),
            ("crypto.master_key_file", json!("data/master.key")),
        ];
        let (key, value) = self.one_of_ours(rng, &wrong, |(key, _)| key);
        let path: Steps = key.split('.').map(str::to_owned).collect();
        let mut root = self.healthy.clone();
        root["tokens"]["refresh_ttl"] = json!("2h");
        let (key, parent) = path.split_last().unwrap();
        root.pointer_mut(&pointer_of(parent)).unwrap()[key] = value.clone();
        Mutant { what: "contradiction", text: yaml(&root, 0), fate: Fate::RefusedAt(path[0].clone()) }
    }

    pub(crate) fn untouched(&self, rng: &mut Rng) -> Mutant {
        let shown: Vec<_> = self.leaves.iter().filter(|(_, value)| !value.to_string().contains(CANARY)).collect();
        let (path, value) = rng.one(&shown);
        Mutant { what: "untouched", text: yaml(&self.healthy, 0), fate: Fate::Has(path.join("."), value.clone()) }
    }
}
