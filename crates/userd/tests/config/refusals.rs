//! What is said about a configuration that is wrong: where, which key, and what would be right.

use userd::{config::Sources, wiring::checks};

use crate::Fixture;

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
fn a_file_that_is_named_must_be_readable() {
    let refusal = Fixture::file("database: { ca_file: /nowhere/ca.pem }\ntelegram: { bot_token_file: / }").refusal();
    assert!(refusal.contains("config.yaml:1:22: database.ca_file: cannot be read: no such file"), "{refusal}");
    assert!(
        refusal.contains("config.yaml:2:29: telegram.bot_token_file: cannot be read: it is a directory"),
        "{refusal}"
    );
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
        ("http: { tls: { certificate_file: Cargo.toml } }", "http.tls.key_file: needed beside the certificate"),
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
