//! How the configuration is read, and what is said about one that is wrong.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may stop at the first surprise"
)]

mod refusals;
mod secret_values;

use std::{ffi::OsString, fs, path::PathBuf, time::Duration};

use tempfile::TempDir;
use userd::{
    config::{
        Config, DatabaseKind, EmailConfirmation, Flag, Loaded, LogFormat, MasterKeySource, ProviderKind,
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

#[test]
fn an_empty_file_is_the_defaults() {
    for yaml in ["", "# nothing\n", "http:\nproviders:\n", "{}", "---\n...\n"] {
        is_development(&Fixture::file(yaml).config());
    }
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
