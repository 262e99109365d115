//! What stays secret on the way: nothing that opens anything is in an address, the log, or in the clear in a table.

use serde_json::json;
use userd_stand_ins::{Options, TestUser, yandex};

use crate::{
    browser::Browser,
    fixture::{APP, Fixture, ProofKey, as_person},
    providers,
    support::{Engine, TestApp},
};

/// Somebody whose data is found wherever it should not be.
fn canary() -> TestUser {
    let number = 8_123_456_789_012;
    TestUser {
        username: Some("canary-login-77".to_owned()),
        first_name: "Канарейка".to_owned(),
        phone: Some("+79005550177".to_owned()),
        ..TestUser::new("canary", number).with_email("canary.mailbox.77@yandex.ru", true)
    }
}

on_each_engine! {
    /// ASVS V3.3.1, V3.3.2, V3.3.3, V3.3.4
    async fn cookies_redirects_and_addresses_carry_no_more_than_they_must(app: TestApp) {
        let at = yandex::start(Options::default()).await.unwrap();
        let fixture = Fixture::open(&Fixture::address(&app), json!([providers::yandex(&at)])).await;
        at.welcome(canary());
        let (mut browser, key) = (Browser::new(), ProofKey::new());
        let pairs = [("return_to", APP), ("code_challenge", key.challenge.as_str())];
        let begun = browser.get(&fixture.start_url("yandex", &pairs)).await;
        assert_eq!((begun.status, begun.headers["cache-control"].to_str().unwrap()), (303, "no-store"));
        assert_eq!(begun.headers["referrer-policy"], "no-referrer");
        let line = browser.cookie_lines.last().unwrap().clone();
        let set =
            browser.cookie_lines.iter().find(|line| line.starts_with("__Host-userd_attempt_")).unwrap_or(&line).clone();
        let (pair, attributes) = set.split_once("; ").unwrap();
        assert_eq!(attributes, "Path=/; Max-Age=600; Secure; HttpOnly; SameSite=Lax");
        let secret = pair.split_once('=').unwrap().1.to_owned();
        assert_eq!(secret.len(), 43, "256 bits");
        let page = begun.location().unwrap();
        assert!(!page.as_str().contains(&secret), "the cookie's secret is not in the address");
        assert!(!page.as_str().contains(&key.challenge), "nor is the application's proof key");
        assert!(page.as_str().contains("code_challenge_method=S256"));

        let back = browser.get(&as_person(page, "canary")).await.location().unwrap();
        let answer = browser.get(back.as_str()).await;
        assert_eq!((answer.status, answer.headers["cache-control"].to_str().unwrap()), (303, "no-store"));
        assert_eq!(answer.headers["referrer-policy"], "no-referrer");
        assert!(browser.cookies_for(&fixture.base).is_empty(), "the cookie is gone with the flow");
        let landed = answer.location().unwrap();
        let names: Vec<_> = landed.query_pairs().map(|(name, _)| name.into_owned()).collect();
        assert_eq!((names, landed.fragment()), (vec!["code".to_owned()], None));
        let tokens = fixture.exchange(&browser.follow(answer).await, Some(&key)).await;
        let provider_token =
            at.requests_to("/info")[0].header("authorization").unwrap().strip_prefix("OAuth ").unwrap().to_owned();
        let person = canary();
        for visited in &browser.visited {
            let decoded = url::form_urlencoded::parse(visited.query().unwrap_or_default().as_bytes());
            let values: Vec<String> = decoded.map(|(_, value)| value.into_owned()).collect();
            for secret in [
                &tokens.access,
                &tokens.refresh,
                &provider_token,
                person.email.as_ref().unwrap(),
                &person.number.to_string(),
                &key.verifier,
            ] {
                assert!(!values.iter().any(|value| value.contains(secret.as_str())), "{secret} in {visited}");
            }
        }
    }

    /// AC-133: the log at its most talkative, the metrics and the tables hold no token, code, state, address or id of a provider.
    /// What Redis keeps is among the tables.
    /// ASVS V14.2.1, V14.2.2, V16.2.5, V14.2.4
    async fn neither_the_log_nor_the_tables_hold_secrets(app: TestApp) {
        let at = yandex::start(Options::default()).await.unwrap();
        let app = Fixture::address(&app).with("log.level", "trace");
        let fixture = Fixture::open(&app, json!([providers::yandex(&at)])).await;
        at.welcome(canary());
        let (mut browser, key) = (Browser::new(), ProofKey::new());
        let page = fixture.begin(&mut browser, "yandex", Some(&key)).await;
        let cookie = browser.cookies_for(&fixture.base).split('=').nth(1).unwrap().to_owned();
        let back = browser.get(&as_person(page, "canary")).await.location().unwrap();
        let landed = browser.go(back.as_str()).await;
        let tokens = fixture.exchange(&landed, Some(&key)).await;
        // A second one ends in an error, a third at a provider that fails.
        let mut other = Browser::new();
        let failed = answered(&fixture, &mut other, "canary").await;
        Browser::new().go(&failed).await;
        at.turn(|knobs| knobs.token_error = Some((400, "invalid_grant".to_owned())));
        let failing = fixture.sign_in_with(&mut Browser::new(), "yandex", "canary").await;
        assert!(!failing.error().is_empty());
        let fresh = fixture.sign_in_with(&mut Browser::new(), "yandex", "canary").await;

        let person = canary();
        let param = |url: &url::Url, name: &str| url.query_pairs().find(|(n, _)| n == name).unwrap().1.into_owned();
        let exchange = at.requests_to("/token")[0].form();
        let info =
            at.requests_to("/info")[0].header("authorization").unwrap().strip_prefix("OAuth ").unwrap().to_owned();
        let mut secrets = vec![
            ("our access token", tokens.access.clone()),
            ("our refresh token", tokens.refresh.clone()),
            ("our code", landed.code()),
            ("a code not used", fresh.code()),
            ("the state", param(&back, "state")),
            ("the provider's code", param(&back, "code")),
            ("the cookie", cookie),
            ("the application's verifier", key.verifier.clone()),
            ("our verifier", exchange["code_verifier"].clone()),
            ("the provider's token", info),
            ("our secret at the provider", yandex::CLIENT_SECRET.to_owned()),
            ("the address", person.email.clone().unwrap()),
            ("the login elsewhere", person.username.clone().unwrap()),
            ("the phone", person.phone.clone().unwrap()),
            ("the subject", person.number.to_string()),
        ];
        secrets.push(("the unused state", param(&url::Url::parse(&failed).unwrap(), "state")));

        let metrics = fixture.visitor().get("/metrics").await.text;
        let stored = everything_stored(&fixture.app).await;
        let ended = fixture.replica.stop().await;
        let log = [ended.stdout, ended.stderr].concat().join("\n");
        assert!(log.contains("\"TRACE\"") || log.contains("\"DEBUG\""), "the log is talkative");
        for (what, secret) in &secrets {
            let found = log.lines().find(|line| line.contains(secret.as_str()));
            assert!(found.is_none(), "{what} is in the log: {}", found.unwrap());
            assert!(!metrics.contains(secret.as_str()), "{what} is in the metrics");
            let hexadecimal: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
            for needle in [secret.as_bytes(), hexadecimal.as_bytes()] {
                assert!(!stored.windows(needle.len()).any(|window| window == needle), "{what} is stored in the clear");
            }
        }
        assert!(stored.len() > 1000);
    }
}

async fn answered(fixture: &Fixture, browser: &mut Browser, person: &str) -> String {
    let page = fixture.begin(browser, "yandex", None).await;
    browser.get(&as_person(page, person)).await.location().unwrap().into()
}

/// The bytes of everything that is kept: files, or tables and keys as text (binary columns in hexadecimal).
async fn everything_stored(app: &TestApp) -> Vec<u8> {
    match app.engine() {
        Engine::Sqlite => {
            let files = std::fs::read_dir(app.path(".")).unwrap().map(|entry| entry.unwrap().path());
            let database = files.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("userd.db"));
            database.flat_map(|path| std::fs::read(path).unwrap()).collect()
        }
        Engine::Postgres => [tables(app.get("database.url")).await, keys(app).await].concat(),
        Engine::Ydb => panic!("nobody asks for it"),
    }
}

async fn tables(url: &str) -> Vec<u8> {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    let names = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'";
    let mut all = Vec::new();
    for row in client.query(names, &[]).await.unwrap() {
        let table: String = row.get(0);
        for row in client.query(&format!("SELECT t::text FROM \"{table}\" t"), &[]).await.unwrap() {
            all.extend(row.get::<_, String>(0).into_bytes());
        }
    }
    drop(client);
    connection.await.unwrap().unwrap();
    all
}

async fn keys(app: &TestApp) -> Vec<u8> {
    let client = redis::Client::open(app.get("cache.url")).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let pattern = format!("{}*", app.get("cache.key_prefix"));
    let names: Vec<Vec<u8>> = redis::cmd("KEYS").arg(pattern).query_async(&mut connection).await.unwrap();
    let mut all = Vec::new();
    for name in names {
        let kind: String = redis::cmd("TYPE").arg(&name).query_async(&mut connection).await.unwrap();
        all.extend(&name);
        let value: redis::Value = match kind.as_str() {
            "stream" => redis::cmd("XRANGE").arg(&name).arg("-").arg("+").query_async(&mut connection).await.unwrap(),
            "hash" => redis::cmd("HGETALL").arg(&name).query_async(&mut connection).await.unwrap(),
            _ => redis::cmd("GET").arg(&name).query_async(&mut connection).await.unwrap(),
        };
        collect(&value, &mut all);
    }
    all
}

fn collect(value: &redis::Value, into: &mut Vec<u8>) {
    match value {
        redis::Value::BulkString(bytes) => into.extend(bytes),
        redis::Value::Array(values) => values.iter().for_each(|value| collect(value, into)),
        redis::Value::SimpleString(text) => into.extend(text.as_bytes()),
        _ => {}
    }
}
