//! How the configuration is read, and what is said about one that is wrong.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may stop at the first surprise"
)]

use std::{ffi::OsString, fs, path::PathBuf, time::Duration};

use tempfile::TempDir;
use userd::{
    config::{
        Config, DatabaseKind, DatabaseUrl, EmailConfirmation, Flag, Loaded, LogFormat, MasterKeySource, ProviderKind,
        RegistrationMode, SigningAlgorithm, Sources,
    },
    wiring::checks,
};

/// A directory with files, variables and flags; loads them.
struct Fixture {
    dir: TempDir,
    sources: Sources,
}

impl Fixture {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), sources: Sources::default() }
    }

    fn file(yaml: &str) -> Self {
        let mut fixture = Self::new();
        fixture.sources.file = Some(fixture.with_file("config.yaml", yaml));
        fixture
    }

    fn with_file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::write(&path, content).unwrap();
        path
    }

    fn variable(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.sources.variables.push((name.into(), value.into()));
        self
    }

    fn set(mut self, key: &str, value: &str) -> Self {
        self.sources.flags.push(Flag { name: "--set".to_owned(), key: key.to_owned(), value: value.to_owned() });
        self
    }

    fn load(self) -> Result<Loaded, String> {
        let place = format!("{}/", self.dir.path().display());
        checks::load(self.sources).map_err(|errors| errors.to_string().replace(&place, ""))
    }

    fn config(self) -> Config {
        self.load().unwrap().config
    }

    fn refusal(self) -> String {
        self.load().map(|loaded| format!("accepted: {}", loaded.config.show().unwrap())).unwrap_or_else(|errors| errors)
    }
}

fn is_development(config: &Config) {
    assert_eq!(config.show().unwrap(), Config::development().show().unwrap());
}

#[test]
fn without_a_file_the_development_defaults_count() {
    let loaded = Fixture::new().load().unwrap();
    is_development(&loaded.config);
    assert_eq!(loaded.file, None);
    let config = loaded.config;
    assert!(config.http.listen.ip().is_loopback());
    assert_eq!(config.database.url.kind(), DatabaseKind::Sqlite("data/userd.db"));
    assert!(
        matches!(config.crypto.master_key_source(), MasterKeySource::File(path) if path.ends_with("data/master.key"))
    );
    assert_eq!(config.issuer(), "http://127.0.0.1:8080");
    assert_eq!(*config.tokens.access_ttl, Duration::from_secs(600));
    assert_eq!(loaded.warnings, Vec::<String>::new());
}

#[test]
fn the_keys_of_the_contract_are_read() {
    let fixture = Fixture::new();
    for name in ["master.key", "yandex", "telegram", "corp", "bot"] {
        fixture.with_file(name, format!("secret of {name}\n"));
    }
    let dir = fixture.dir.path().display();
    let yaml = format!(
        r#"
http:        {{ listen: "127.0.0.1:8080", public_url: "http://127.0.0.1:8080", trusted_proxies: [], cors_origins: [] }}
database:    {{ url: "sqlite://data/userd.db" }}
cache:       {{ url: "memory://" }}
crypto:      {{ master_key_file: "data/master.key" }}
tokens:      {{ issuer: "", audience: "userd", access_ttl: 10m, refresh_ttl: 30d, algorithm: EdDSA }}
passwords:   {{ min_length: 12, argon2: {{ memory_kib: 19456, iterations: 2, parallelism: 1 }} }}
rate_limits: {{ enabled: true }}
registration: {{ mode: open, email_confirmation: deferred }}
accounts:    {{ restore_window: 30d }}
mail:        {{ url: "", from: "" }}
telegram:    {{ bot_token_file: "", bot_username: "", api_base_url: "https://api.telegram.org", proxy: "" }}
providers:
  - {{ id: yandex, kind: yandex, client_id: "a", client_secret_file: "{dir}/yandex" }}
  - {{ id: telegram, kind: telegram, client_id: "12345", client_secret_file: "{dir}/telegram" }}
  - {{ id: corp, kind: oidc, issuer: "https://corp.example", client_id: "c", client_secret_file: "{dir}/corp", scopes: [openid, email, profile] }}
log:         {{ format: auto, level: info, file: "", rotation: daily, keep: 14 }}
"#
    );
    let file = fixture.with_file("config.yaml", yaml);
    let config = checks::load(Sources { file: Some(file), ..Sources::default() }).unwrap().config;
    assert_eq!(config.registration.mode, RegistrationMode::Open);
    assert_eq!(config.registration.email_confirmation, EmailConfirmation::Deferred);
    assert_eq!(config.tokens.algorithm, SigningAlgorithm::EdDSA);
    assert_eq!(config.log.format, LogFormat::Auto);
    let [yandex, _, corp] = config.providers.as_slice() else { panic!("three providers") };
    assert_eq!((yandex.kind, yandex.id.as_str()), (ProviderKind::Yandex, "yandex"));
    assert_eq!(yandex.client_secret.as_ref().unwrap().expose(), "secret of yandex");
    assert_eq!(corp.issuer.as_deref().unwrap(), "https://corp.example");
    assert_eq!(corp.scopes.clone().unwrap(), ["openid", "email", "profile"]);
    is_development(&Config { providers: Vec::new(), ..config });
}

#[test]
fn a_flag_wins_over_a_variable_and_a_variable_over_the_file() {
    let file = "http: { listen: '127.0.0.1:1', request_timeout: 1s, max_connections: 1 }\n";
    let config = Fixture::file(file)
        .variable("USERD__HTTP__LISTEN", "127.0.0.1:2")
        .variable("USERD__HTTP__REQUEST_TIMEOUT", "2s")
        .set("http.listen", "127.0.0.1:3")
        .config();
    assert_eq!(config.http.listen.port(), 3);
    assert_eq!(*config.http.request_timeout, Duration::from_secs(2));
    assert_eq!(config.http.max_connections, 1);
}

#[test]
fn the_file_is_the_named_one_else_the_variables_else_the_default_one() {
    let fixture = Fixture::new();
    let named = fixture.with_file("named.yaml", "tokens: { audience: named }");
    let variable = fixture.with_file("variable.yaml", "tokens: { audience: variable }");
    let default = fixture.with_file("config.yaml", "tokens: { audience: default }");
    let audience = |file: Option<&PathBuf>, variables: &[&PathBuf], default: &PathBuf| {
        let sources = Sources {
            file: file.cloned(),
            default_file: Some(default.clone()),
            variables: variables.iter().map(|path| ("USERD_CONFIG".into(), path.as_os_str().to_owned())).collect(),
            flags: Vec::new(),
        };
        checks::load(sources).unwrap().config.tokens.audience.0.join(" ")
    };
    assert_eq!(audience(Some(&named), &[&variable], &default), "named");
    assert_eq!(audience(None, &[&variable], &default), "variable");
    assert_eq!(audience(None, &[], &default), "default");
    assert_eq!(audience(None, &[], &fixture.dir.path().join("absent.yaml")), "userd");
}

#[test]
fn a_named_file_that_is_absent_is_an_error() {
    let sources = Sources { file: Some("/nowhere/config.yaml".into()), ..Sources::default() };
    let errors = checks::load(sources).unwrap_err().to_string();
    assert_eq!(errors, "/nowhere/config.yaml:1:1: cannot be read: no such file");
}

#[test]
fn everything_that_is_wrong_is_said_at_once_with_its_place_key_and_remedy() {
    let yaml = "\
http:
  listen: localhost
  max_connections: 0
tokens:
  acces_ttl: 5m
  refresh_ttl: 5 minutes
  algorithm: HS256
passwords:
  min_length: \"12\"
  argon2: [19456, 2, 1]
registration: { mode: open, mode: closed }
providers:
  - { id: corp, kind: saml }
  - { kind: yandex }
";
    let wanted = [
        "config.yaml:11:29: registration.mode: given twice; the first time in line 11",
        "config.yaml:2:11: http.listen: expected an IP address and a port, such as 127.0.0.1:8080 or [::]:8080",
        "config.yaml:3:20: http.max_connections: expected a whole number from 1 to 1000000",
        "config.yaml:5:3: tokens.acces_ttl: no such key; did you mean access_ttl?",
        "config.yaml:6:16: tokens.refresh_ttl: expected a length of time such as 500ms, 30s, 10m, 1h30m or 30d; no such unit",
        "config.yaml:7:14: tokens.algorithm: expected one of EdDSA, ES256, RS256",
        "config.yaml:9:15: passwords.min_length: expected a whole number from 8 to 128",
        "config.yaml:10:11: passwords.argon2: expected a section of keys, found a list",
        "config.yaml:13:23: providers.0.kind: expected one of yandex, telegram, oidc, oauth2, google, github, apple, vk, mailru, ok, sber, tid",
        "config.yaml:14:5: providers.1.id: missing",
    ];
    let refusal = Fixture::file(yaml).refusal();
    assert_eq!(refusal.lines().collect::<Vec<_>>(), wanted);
}

#[test]
fn a_variable_or_a_flag_that_is_wrong_is_named() {
    let refusal = Fixture::new()
        .variable("USERD__TOKENS__ACCESS_TTL", "2d")
        .variable("USERD__HTTP__LISTN", "127.0.0.1:1")
        .variable("USERD__LOG", "{}")
        .variable("USERD__PROVIDERS__3__ID", "x")
        .set("passwords.min_length", "7")
        .refusal();
    let lines: Vec<_> = refusal.lines().collect();
    assert!(lines.contains(&"environment variable USERD__TOKENS__ACCESS_TTL: tokens.access_ttl: expected a length of time from 30s to 1d"), "{refusal}");
    assert!(
        lines.contains(&"environment variable USERD__HTTP__LISTN: http.listn: no such key; did you mean listen?"),
        "{refusal}"
    );
    assert!(
        lines.contains(
            &"environment variable USERD__LOG: log: a section cannot be given as one value; set its keys one by one"
        ),
        "{refusal}"
    );
    assert!(lines.contains(&"environment variable USERD__PROVIDERS__3__ID: providers.3: items of a list are numbered from 0, without a gap"), "{refusal}");
    assert!(lines.contains(&"flag --set: passwords.min_length: expected a whole number from 8 to 128"), "{refusal}");
    assert_eq!(lines.len(), 5, "{refusal}");
}

#[test]
fn variables_that_are_not_ours_are_left_alone() {
    // Kubernetes sets such names for every service in the namespace.
    let fixture = Fixture::new().variable("USERD_PORT", "tcp://10.0.0.1:80").variable("USERD_SERVICE_HOST", "10.0.0.1");
    is_development(&fixture.config());
}

#[test]
fn lists_come_from_a_variable_as_words_or_as_yaml_or_item_by_item() {
    let config = Fixture::new()
        .variable("USERD__HTTP__TRUSTED_PROXIES", "10.0.0.0/8, 192.0.2.1")
        .variable("USERD__HTTP__CORS_ORIGINS", "[\"https://a.example\", 'https://b.example']")
        .variable("USERD__PROVIDERS", "[{id: ya, kind: yandex, client_id: first}]")
        .variable("USERD__PROVIDERS__0__CLIENT_ID", "changed")
        .variable("USERD__PROVIDERS__1__ID", "tg")
        .variable("USERD__PROVIDERS__1__KIND", "telegram")
        .variable("USERD__PROVIDERS__1__CLIENT_ID", "42")
        .config();
    assert_eq!(config.http.trusted_proxies.len(), 2);
    assert_eq!(config.http.cors_origins[1].as_text(), "https://b.example");
    let providers: Vec<_> =
        config.providers.iter().map(|provider| (provider.id.as_str(), provider.client_id.as_str())).collect();
    assert_eq!(providers, [("ya", "changed"), ("tg", "42")]);
}

/// `tokens.audience` takes a text or a list. (fault 1)
#[test]
fn one_audience_is_a_text_and_several_are_a_list() {
    let audiences = |fixture: Fixture| fixture.config().tokens.audience.0;
    assert_eq!(audiences(Fixture::file("tokens: { audience: orders }\n")), ["orders"]);
    assert_eq!(audiences(Fixture::file("tokens: { audience: [orders] }\n")), ["orders"]);
    let two = ["userd", "https://orders.example"];
    assert_eq!(audiences(Fixture::file("tokens: { audience: [userd, 'https://orders.example'] }\n")), two);
    let variable = |text| audiences(Fixture::new().variable("USERD__TOKENS__AUDIENCE", text));
    assert_eq!(variable("orders"), ["orders"]);
    assert_eq!(variable("[userd, 'https://orders.example']"), two);
    let by_item =
        Fixture::new().variable("USERD__TOKENS__AUDIENCE__0", two[0]).variable("USERD__TOKENS__AUDIENCE__1", two[1]);
    assert_eq!(audiences(by_item), two);
    for wrong in ["[]", "''", "['']", "{ a: b }", "[[userd]]"] {
        let refusal = Fixture::file(&format!("tokens: {{ audience: {wrong} }}\n")).refusal();
        assert!(refusal.contains("tokens.audience"), "{wrong}: {refusal}");
    }
}

#[test]
fn text_is_taken_letter_by_letter() {
    let config = Fixture::file("mail: { from: a@b.example }\ntokens: { audience: 0123 }\nsign_in:\nproviders:\n")
        .variable("USERD__TELEGRAM__BOT_TOKEN", "0x10: {true} # no ")
        .config();
    assert_eq!(config.tokens.audience.0, ["0123"]);
    assert_eq!(config.telegram.bot_token.as_ref().unwrap().expose(), "0x10: {true} # no ");
}

#[test]
fn a_secret_file_takes_the_secrets_place_and_loses_its_last_line_break() {
    let fixture = Fixture::new();
    let url = fixture.with_file("url", "postgres://u:p@db.example/userd\r\n");
    let secret = fixture.with_file("secret", " spaces stay \n");
    let config = fixture
        .variable("USERD__DATABASE__URL_FILE", url.as_os_str())
        .variable("USERD__TELEGRAM__WEBHOOK_SECRET_FILE", secret.as_os_str())
        .config();
    assert_eq!(config.database.url.expose(), "postgres://u:p@db.example/userd");
    assert_eq!(config.telegram.webhook_secret.as_ref().unwrap().expose(), " spaces stay ");
}

#[test]
fn a_secret_given_twice_in_one_source_is_refused_and_a_later_source_wins() {
    let both = "telegram: { bot_token: a, bot_token_file: /dev/null }";
    let refusal = Fixture::file(both).refusal();
    assert!(
        refusal.contains("config.yaml:1:27: telegram.bot_token_file: bot_token says the same; keep one of them"),
        "{refusal}"
    );
    let config = Fixture::file("telegram: { bot_token_file: /nowhere }")
        .variable("USERD__TELEGRAM__BOT_TOKEN", "later")
        .config();
    assert_eq!(config.telegram.bot_token.as_ref().unwrap().expose(), "later");
    let three = "crypto: { master_key_file: a, master_key_command: [b] }";
    let refusal = Fixture::file(three).refusal();
    assert!(refusal.contains("crypto.master_key_command: master_key_file says the same"), "{refusal}");
}

/// ASVS V13.3.1
#[test]
fn the_master_key_comes_from_one_of_three_places() {
    let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let given = Fixture::file("crypto: { master_key_file: a }").variable("USERD__CRYPTO__MASTER_KEY", key).config();
    assert!(matches!(given.crypto.master_key_source(), MasterKeySource::Given(secret) if secret.expose() == key));
    let command = Fixture::file("crypto: { master_key_command: [vault, read] }").config();
    assert!(matches!(command.crypto.master_key_source(), MasterKeySource::Command([program, _]) if program == "vault"));
    // The file is not read here: the first start makes it.
    let file = Fixture::file("crypto: { master_key_file: not/there }").config();
    assert!(matches!(file.crypto.master_key_source(), MasterKeySource::File(path) if path.ends_with("not/there")));
    let short = Fixture::new().variable("USERD__CRYPTO__MASTER_KEY", "c2hvcnQ=").refusal();
    assert!(short.contains("crypto.master_key: expected 32 bytes in base64"), "{short}");
}

#[test]
fn a_file_that_is_named_must_be_readable() {
    let refusal = Fixture::file("database: { ca_file: /nowhere/ca.pem }\ntelegram: { bot_token_file: / }").refusal();
    assert!(refusal.contains("config.yaml:1:22: database.ca_file: cannot be read: no such file"), "{refusal}");
    assert!(
        refusal.contains("config.yaml:2:29: telegram.bot_token_file: cannot be read: it is a directory"),
        "{refusal}"
    );
}

#[test]
fn a_secret_is_not_taken_from_the_command_line() {
    let refusal = Fixture::new().set("telegram.bot_token", "hunter2-canary").refusal();
    assert!(
        refusal.starts_with("flag --set: telegram.bot_token: a secret is not given on the command line"),
        "{refusal}"
    );
    assert!(!refusal.contains("hunter2"));
}

#[test]
fn what_one_key_means_for_another_is_checked() {
    for (yaml, wanted) in [
        ("tokens: { access_ttl: 1d, refresh_ttl: 1h }", "tokens.refresh_ttl: must be longer than tokens.access_ttl"),
        ("tokens: { publish_before: 2d, rotation_period: 1d }", "tokens.publish_before: must be shorter"),
        ("http: { public_url: 'http://id.example.org' }", "http.public_url: it is the issuer of tokens too"),
        (
            "http: { listen: '127.0.0.1:81', admin_listen: '127.0.0.1:81' }",
            "http.admin_listen: must be another address",
        ),
        ("http: { listen: '0.0.0.0:81', admin_listen: '127.0.0.1:81' }", "http.admin_listen: must be another address"),
        ("http: { listen: '127.0.0.1:81', admin_listen: '[::]:81' }", "http.admin_listen: must be another address"),
        ("tokens: { issuer: 'https://id.example.org/?a=b' }", "tokens.issuer: an issuer has no query"),
        ("http: { tls: { certificate_file: /dev/null } }", "http.tls.key_file: needed beside the certificate"),
        ("mail: { url: 'smtp://localhost' }", "mail.from: needed when mail.url is given"),
        ("crypto: { master_key: AAAA }", "crypto.master_key: expected 32 bytes in base64"),
        ("crypto: { master_key_command: ['', x] }", "crypto.master_key_command: the first item is the program"),
        (
            "providers: [{ id: a, kind: vk, client_id: b }, { id: a, kind: ok, client_id: b, application_key: c }]",
            "providers.1.id: another provider has this id",
        ),
        (
            "providers: [{ id: password, kind: vk, client_id: b }]",
            "providers.0.id: this word stands in a path of its own",
        ),
        ("providers: [{ id: Corp, kind: vk, client_id: b }]", "1:19: providers.0.id: must be 1 to 32 of a-z"),
        ("providers: [{ id: a, kind: vk }]", "1:13: providers.0.client_id: is required for this kind"),
        ("providers: [{ id: a, kind: oidc, client_id: b }]", "1:13: providers.0.issuer: is required for this kind"),
        ("providers: [{ id: a, kind: oidc, client_id: b, issuer: 'http://corp.example' }]", "must be https"),
        ("providers: [{ id: a, kind: oauth2, client_id: b }]", "providers.0.endpoints."),
        ("providers: [{ id: a, kind: apple, client_id: b }]", "providers.0."),
        ("providers: [{ id: a, kind: ok, client_id: b }]", "providers.0.application_key: is required"),
        ("providers: [{ id: a, kind: vk, client_id: b, token_auth: post }]", "providers.0.client_secret: is required"),
        (
            "providers: [{ id: a, kind: vk, client_id: b, timeout: soon }]",
            "1:55: providers.0.timeout: a duration is a number",
        ),
    ] {
        let refusal = Fixture::file(yaml).refusal();
        assert!(refusal.contains(wanted), "{yaml}\n{refusal}");
        assert!(refusal.lines().all(|line| line.starts_with("config.yaml:1:")), "{refusal}");
    }
}

/// Two addresses that can be listened on at once (fault 28).
#[test]
fn metrics_have_an_address_of_their_own() {
    for (listen, admin) in
        [("127.0.0.1:81", "127.0.0.1:82"), ("127.0.0.1:81", "127.0.0.2:81"), ("127.0.0.1:0", "127.0.0.1:0")]
    {
        let yaml = format!("http: {{ listen: '{listen}', admin_listen: '{admin}' }}");
        assert!(Fixture::file(&yaml).load().is_ok(), "{yaml}");
    }
}

#[test]
fn what_is_lawful_but_hardly_meant_is_a_warning() {
    let yaml = "passwords: { argon2: { memory_kib: 8192, iterations: 1 } }\nrate_limits: { enabled: false }\n\
                accounts: { restore_window: 1d }\nmail: { from: a@b.example }\nhttp: { listen: '0.0.0.0:80' }\n";
    let warnings = Fixture::file(yaml).load().unwrap().warnings;
    assert_eq!(warnings.len(), 4, "{warnings:?}");
}

/// (fault 24)
#[test]
fn a_path_that_others_would_understand_is_told_what_is_wrong_with_it() {
    for (path, wanted) in [
        ("data/userd.db?mode=rwc", "such as ?mode=rwc, is not understood"),
        ("userd.db?cache=shared", "is not understood"),
        ("~/userd.db", "`~` is not expanded"),
        ("/~/userd.db", "`~` is not expanded"),
        ("my data/userd.db", "the path has a space in it"),
        ("/var/lib/my%20data/userd.db", "%20 is not read as a space"),
    ] {
        let refusal = Fixture::file(&format!("database: {{ url: \"sqlite://{path}\" }}")).refusal();
        assert!(refusal.contains("database.url: expected sqlite://path") && refusal.contains(wanted), "{refusal}");
        assert!(!refusal.contains("userd.db"), "{refusal}");
    }
}

#[test]
fn yaml_beyond_plain_values_is_refused() {
    for (yaml, wanted) in [
        ("a: &x 1\nb: *x", "config.yaml:1:7: a: anchors and aliases"),
        ("tokens: { audience: *nobody }", "tokens.audience: anchors and aliases"),
        ("tokens: { audience: !!str x }", "tokens.audience: tags (!name)"),
        ("tokens: { audience: x }\n---\nhttp: {}", "a second YAML document"),
        ("%YAML 1.1\n---\nhttp: {}", "not valid YAML"),
        ("? [a, b]\n: c", "a key must be a plain word"),
        ("http: [", "not valid YAML"),
        ("http:\n\tlisten: x", "not valid YAML"),
        ("just text", "expected a section of keys, found text"),
        ("<<: { http: {} }", "(unknown key): no such key"),
        ("tokens: { audience: null }", "tokens.audience: expected text, found nothing"),
        ("rate_limits: { enabled: yes }", "rate_limits.enabled: expected true or false"),
        ("http: { max_connections: 1_000 }", "http.max_connections: expected a whole number"),
        ("http: { max_connections: 0x10 }", "http.max_connections: expected a whole number"),
        ("http: { max_connections: 010 }", "http.max_connections: expected a whole number"),
        ("tokens: { audience: \"a\\nb\" }", "tokens.audience: no line breaks"),
    ] {
        let refusal = Fixture::file(yaml).refusal();
        assert!(refusal.contains(wanted), "{yaml}\n{refusal}");
    }
}

#[test]
fn an_empty_file_is_the_defaults() {
    for yaml in ["", "# nothing\n", "http:\nproviders:\n", "{}", "---\n...\n"] {
        is_development(&Fixture::file(yaml).config());
    }
}

/// F19: files that are no configuration.
#[test]
fn a_file_that_is_huge_deep_or_no_text_is_refused() {
    let refusal = Fixture::file(&"# comment\n".repeat(200_000)).refusal();
    assert_eq!(refusal, "config.yaml:1:1: larger than 1024 KiB");
    let refusal = Fixture::file(&format!("http: {}", "[".repeat(100_000))).refusal();
    assert!(refusal.contains("not valid YAML"), "{refusal}");
    let mut fixture = Fixture::new();
    fixture.sources.file = Some(fixture.with_file("config.yaml", [0xff, 0xfe, 0x00]));
    assert_eq!(fixture.refusal(), "config.yaml:1:1: not UTF-8");
}

/// What is shown or logged about a configuration never holds a secret.
#[test]
fn secrets_are_masked_wherever_a_configuration_is_shown() {
    let yaml = "\
database: { url: 'postgres://user:canary1@db.example/userd?application_name=x&sslmode=disable' }
cache: { url: 'redis://:canary3@cache.example/0' }
mail: { url: 'smtp://user:canary4@mail.example', from: a@b.example }
telegram: { bot_token: canary5, webhook_secret: canary6, proxy: 'socks5://me:canary7@proxy.example:1080' }
passwords: { pepper: canary8AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= }
providers: [{ id: a, kind: vk, client_id: b, client_secret: canary9 }]
";
    let loaded = Fixture::file(yaml).load().unwrap();
    let shown = loaded.config.show().unwrap();
    for text in [&shown, &format!("{loaded:?}"), &serde_json::to_string(&loaded.config).unwrap()] {
        assert!(!text.contains("canary"), "{text}");
    }
    assert!(shown.contains("postgres://user:********@db.example/userd?application_name=x"), "{shown}");
    assert!(shown.contains("redis://:********@cache.example/0"), "{shown}");
    assert!(shown.contains("socks5://me:********@proxy.example:1080"), "{shown}");
    // A password that nobody escaped, and one in the query.
    let odd: DatabaseUrl = "postgres://user:can@ary/1@db.example/userd?sslpassword=canary2&x=y".parse().unwrap();
    assert_eq!(odd.shown(), "postgres://user:********@db.example/userd?sslpassword=********&x=y");
}

#[test]
fn a_place_to_return_to_is_kept_as_written() {
    let config = Fixture::file("sign_in: { return_to: ['https://app.example.org', 'com.example.app:/in'] }").config();
    let kept: Vec<_> = config.sign_in.return_to.iter().map(userd::config::ReturnUrl::as_str).collect();
    assert_eq!(kept, ["https://app.example.org", "com.example.app:/in"]);
    assert!(config.show().unwrap().contains("https://app.example.org\n"));
}

#[test]
fn what_is_shown_can_be_read_again() {
    let shown = Config::development().show().unwrap();
    is_development(&Fixture::file(&shown).config());
}
