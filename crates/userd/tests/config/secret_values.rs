//! Secrets: where they come from, and that nobody is shown one.

use userd::config::{DatabaseUrl, MasterKeySource};

use crate::Fixture;

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
fn a_secret_is_not_taken_from_the_command_line() {
    let refusal = Fixture::new().set("telegram.bot_token", "hunter2-canary").refusal();
    assert!(
        refusal.starts_with("flag --set: telegram.bot_token: a secret is not given on the command line"),
        "{refusal}"
    );
    assert!(!refusal.contains("hunter2"));
    for (key, url) in [
        ("database.url", "postgres://userd:hunter2@db.example/userd"),
        ("database.url", "postgres://userd:hunter2@a.example:5432,b.example:5432/userd?sslmode=disable"),
        ("database.url", "postgres://db.example/userd?user=userd&password=hunter2"),
        ("database.url", "postgres://userd@db.example/userd?sslpass%77ord=hunter2"),
        ("cache.url", "redis://:hunter2@cache.example/0"),
        ("telegram.proxy", "socks5://me:hunter2@proxy.example:1080"),
    ] {
        let refusal = Fixture::new().set(key, url).refusal();
        let expected = format!("flag --set: {key}: a URL with a password is not given on the command line");
        assert!(refusal.starts_with(&expected) && !refusal.contains("hunter2"), "{refusal}");
        // What is advised is there.
        let elsewhere = match key {
            "telegram.proxy" => "use the environment or the configuration file",
            _ => "use its _file key or the environment",
        };
        assert!(refusal.ends_with(elsewhere), "{refusal}");
    }
    for url in ["postgres://userd@db.example/userd", "postgres://userd@db.example/userd?sslmode=disable&password="] {
        Fixture::new().set("database.url", url).config();
    }
}

#[test]
fn a_variable_with_one_underscore_too_few_is_told_what_was_meant() {
    for (name, key) in [("USERD__HTTP_LISTEN", "http_listen"), ("USERD__TOKENS_ACCESS__TTL", "tokens_access.ttl")] {
        let refusal = Fixture::new().variable(name, "x").refusal();
        let right = if name.contains("HTTP") { "USERD__HTTP__LISTEN" } else { "USERD__TOKENS__ACCESS_TTL" };
        assert_eq!(refusal, format!("environment variable {name}: {key}: no such key; did you mean {right}?"));
    }
}

#[test]
fn a_colour_that_is_none_is_told_what_one_is() {
    let refusal = Fixture::new().set("pages.colour", "red").refusal();
    assert_eq!(refusal, "flag --set: pages.colour: expected a colour such as #2f5da8");
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
