//! SIGHUP: what can be changed while the service runs is changed, and the rest is said to need a restart.

use std::{fs, time::Duration};

use reqwest::Method;
use rustix::process::Signal;
use serde_json::json;
use tokio::process::Command;

use crate::support::{Caller, Engine, PASSWORD, Replica, TestApp, caller::send, script, unique_email, until};

const SOON: Duration = Duration::from_secs(10);

/// An app with a configuration file; what a test is to change is in the file alone.
fn command(app: &TestApp, file: &str) -> Command {
    fs::write(app.path("config.yaml"), file).unwrap();
    let mut command = app.command();
    command.args(["--config", "config.yaml", "serve"]).env_remove("USERD__RATE_LIMITS__ENABLED");
    command
}

async fn reload(app: &TestApp, replica: &Replica, file: &str, answer: &str) {
    let said = || replica.stdout().iter().filter(|line| line.contains(answer)).count();
    let before = said();
    fs::write(app.path("config.yaml"), file).unwrap();
    replica.signal(Signal::HUP);
    until(answer, SOON, async || said() > before).await;
}

async fn offered(visitor: &Caller) -> Vec<String> {
    let list = visitor.get("/v1/auth/providers").await.expect(200);
    list["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

/// (fault 25)
/// F20: a reload of a wrong file changes nothing.
#[tokio::test]
async fn a_hangup_changes_level_limits_and_providers_and_names_what_needs_a_restart() {
    const YANDEX: &str = "providers: [{ id: yandex, kind: yandex, client_id: a, client_secret: b }]\n";
    let app = TestApp::build(Engine::Sqlite).await.unwrap();
    let replica = Replica::start(command(&app, &format!("{YANDEX}log: {{ level: \"warn,userd=info\" }}\n"))).await;
    let visitor = replica.visitor();
    let email = unique_email();
    visitor.register(&email, PASSWORD).await;
    assert_eq!(offered(&visitor).await, ["yandex"]);
    let access_lines = || replica.stdout().iter().filter(|line| line.contains("/v1/auth/providers")).count();
    assert_eq!(access_lines(), 0);

    // Nothing new changes nothing.
    let file = format!("{YANDEX}log: {{ level: \"warn,userd=info\" }}\n");
    reload(&app, &replica, &file, "\"changed\":\"\"").await;

    let google = YANDEX.replace("}]", "}, { id: google, kind: google, client_id: c, client_secret: d }]");
    let file = format!(
        "{google}log: {{ level: info }}\nrate_limits: {{ password_per_account: 2 then one per 1h }}\ntokens: {{ access_ttl: 3m }}\n\
         passwords: {{ pepper: AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8= }}\n"
    );
    reload(&app, &replica, &file, "configuration reloaded").await;
    assert_eq!(offered(&visitor).await, ["yandex", "google"]);
    until("written", SOON, async || access_lines() > 0).await;
    let line = replica.stdout().into_iter().rfind(|line| line.contains("configuration reloaded")).unwrap();
    for key in ["log.level", "rate_limits.password_per_account", "providers"] {
        assert!(line.contains(key), "{key}: {line}");
    }
    for key in ["tokens.access_ttl", "passwords.pepper"] {
        let words = format!("needs a restart: {key}");
        until(&words, SOON, async || replica.lines_of("WARN").iter().any(|line| line.contains(&words))).await;
    }
    let wrong = json!({ "login": email, "password": "wrong wrong wrong" });
    for status in [401, 401, 429] {
        visitor.post("/v1/auth/login", wrong.clone()).await.expect(status);
    }
    // What is not in force yet is named at the next time too; tokens live as long as before, the pepper is not used.
    reload(&app, &replica, &file, "needs a restart: tokens.access_ttl").await;
    assert_eq!(
        visitor.post("/v1/auth/register", json!({ "email": unique_email(), "password": PASSWORD })).await.expect(201)["tokens"]
            ["expires_in"],
        600
    );

    // A file that is wrong changes nothing.
    reload(&app, &replica, "providers: []\nlog: { levl: debug }\n", "nothing was changed").await;
    assert_eq!(offered(&visitor).await, ["yandex", "google"]);
    let error = replica.lines_of("ERROR").pop().unwrap();
    assert!(error.contains("config.yaml:2") && error.contains("levl"), "{error}");
    assert!(replica.stop().await.status.success());
}

/// (fault 25) A renewed certificate.
#[tokio::test]
async fn a_hangup_serves_the_certificate_that_is_in_the_files_now() {
    let app = TestApp::build(Engine::Sqlite).await.unwrap();
    let issue = || rcgen::generate_simple_self_signed(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    let (certificate, key) = (app.path("tls.pem"), app.path("tls.key"));
    let write = |issued: &rcgen::CertifiedKey<rcgen::KeyPair>| {
        fs::write(&certificate, issued.cert.pem()).unwrap();
        fs::write(&key, issued.signing_key.serialize_pem()).unwrap();
    };
    let (first, second) = (issue(), issue());
    write(&first);
    let tls = format!("http: {{ tls: {{ certificate_file: {certificate:?}, key_file: {key:?} }} }}\n");
    let port = crate::support::servers::free_port();
    let app = app
        .with("http.listen", &format!("127.0.0.1:{port}"))
        .with("http.public_url", &format!("https://127.0.0.1:{port}"));
    let replica = Replica::start_trusting(command(&app, &tls), &first.cert.pem()).await;
    let trusting = |issued: &rcgen::CertifiedKey<rcgen::KeyPair>| {
        let root = reqwest::Certificate::from_pem(issued.cert.pem().as_bytes()).unwrap();
        let client = reqwest::Client::builder().tls_certs_only([root]).no_proxy().build().unwrap();
        Caller::new(&replica.url).over(client)
    };
    let old = trusting(&first);
    old.get("/livez").await.expect(200);
    assert!(trusting(&second).try_get("/livez").await.is_err());

    // Half of a renewal is no certificate; the old one goes on.
    fs::write(&certificate, second.cert.pem()).unwrap();
    reload(&app, &replica, &tls, "nothing was changed").await;
    trusting(&first).get("/livez").await.expect(200);

    write(&second);
    reload(&app, &replica, &tls, "configuration reloaded").await;
    trusting(&second).get("/livez").await.expect(200);
    assert!(trusting(&first).try_get("/livez").await.is_err());
    old.get("/livez").await.expect(200);
    // To cease to speak TLS takes a restart.
    reload(&app, &replica, "http: {}\n", "needs a restart: http.tls.certificate_file").await;
    trusting(&second).get("/livez").await.expect(200);
    assert!(replica.stop().await.status.success());
}

/// Places are those of the file as it is, in the reader's language; what is no such file keeps the service from starting, and
/// changes nothing of one that runs.
#[tokio::test]
async fn a_hangup_reads_the_file_of_places_again() {
    let app = TestApp::build(Engine::Sqlite).await.unwrap();
    let file = app.path("places.mmdb");
    let path = file.to_str().unwrap();
    let places = format!("sessions: {{ places_file: {path:?} }}\n");
    fs::write(&file, "no places").unwrap();
    fs::write(app.path("config.yaml"), &places).unwrap();
    let refused = app.run(&["--config", "config.yaml", "config", "check"]).await;
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        refused.status.code() == Some(2) && said.contains("sessions.places_file") && said.contains(".mmdb"),
        "{said}"
    );
    let Some(_) = script::run("make_places.py", &[path, "Berlin", "Берлин"]).await else { return };
    let replica = Replica::start(command(&app, &places)).await;
    let visitor = replica.visitor();
    let email = unique_email();
    let member = visitor.with(&visitor.register(&email, PASSWORD).await);
    let told = async |place: &str, device: &str| {
        let body = json!({ "login": email, "password": PASSWORD });
        let login = visitor.request(Method::POST, "/v1/auth/login").json(&body).header("user-agent", device);
        send(login).await.unwrap().expect(200);
        let inbox = || async { member.get("/v1/me/notifications").await.expect(200).to_string() };
        until(place, SOON, async || inbox().await.contains(&format!("127.0.0.1 ({place})"))).await;
    };
    told("Berlin, Germany", "First/1").await;

    fs::write(&file, "no places").unwrap();
    reload(&app, &replica, &places, "nothing was changed").await;
    told("Berlin, Germany", "Second/1").await;
    script::run("make_places.py", &[path, "Munich", "Мюнхен"]).await.unwrap();
    reload(&app, &replica, &places, "configuration reloaded").await;
    let russian = json!({ "locale": "ru" });
    send(member.request(Method::PATCH, "/v1/me").json(&russian)).await.unwrap().expect(200);
    told("Мюнхен, Германия", "Third/1").await;
}

/// A secret in a pipe that nobody writes to: the reload waits a while for it and gives up, and nobody else waits.
#[tokio::test]
async fn a_file_that_does_not_answer_holds_the_reload_alone() {
    let app = TestApp::build(Engine::Sqlite).await.unwrap();
    fs::write(app.path("token"), "1234:abc").unwrap();
    let replica = Replica::start(command(&app, "telegram: { bot_token_file: token }\n")).await;
    fs::remove_file(app.path("token")).unwrap();
    assert!(Command::new("mkfifo").arg(app.path("token")).status().await.unwrap().success());
    let visitor = replica.visitor();
    replica.signal(Signal::HUP);
    let told = || replica.lines_of("ERROR").iter().any(|line| line.contains("nothing was changed"));
    let mut asked = 0;
    until("the pipe is told", Duration::from_secs(20), async || {
        // Each is answered while the reload still waits.
        let answer = tokio::time::timeout(Duration::from_secs(2), visitor.get("/livez")).await.expect("soon");
        answer.expect(200);
        asked += 1;
        told()
    })
    .await;
    assert!(asked > 1, "nobody asked while it waited");
    let error = replica.lines_of("ERROR").pop().unwrap();
    assert!(error.contains("telegram.bot_token_file") && error.contains("it is a pipe"), "{error}");

    // Nor does it hold the stop.
    replica.signal(Signal::HUP);
    let ended = replica.stop().await;
    assert!(ended.status.success() && ended.took < SOON, "{:?} {:?}", ended.status, ended.took);
}

/// A secret is shown to nobody; that it is another one is told.
#[tokio::test]
async fn a_new_secret_in_the_same_file_is_told_as_changed() {
    let app = TestApp::build(Engine::Sqlite).await.unwrap();
    fs::write(app.path("secret"), "hunter1").unwrap();
    let file = "providers: [{ id: yandex, kind: yandex, client_id: a, client_secret_file: secret }]\n";
    let replica = Replica::start(command(&app, file)).await;
    reload(&app, &replica, file, "\"changed\":\"\"").await;
    fs::write(app.path("secret"), "hunter2").unwrap();
    reload(&app, &replica, file, "\"changed\":\"providers\"").await;
    assert!(!replica.log().contains("hunter"), "{}", replica.log());
}
