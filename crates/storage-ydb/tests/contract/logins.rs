//! How the engine shows who it is: each way in, over TLS too, and what of it reaches a log.

use std::{
    fs,
    path::Path,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    task::JoinHandle,
};
use userd_storage::Engine;
use userd_storage_ydb::{YdbEngine, YdbOptions};
use ydb_emulator::{Emulator, Options, Tls};

use crate::{fixture::emulator, logs::written_by};

/// An engine whose logins last for a moment.
fn engine(emulator: &Emulator, how: &str, ca_file: Option<&Path>) -> YdbEngine {
    let address = emulator.connection_string();
    let url = if how.starts_with('?') { format!("{address}{how}") } else { address.replacen("://", how, 1) };
    let login_life = Duration::from_millis(20);
    let options = YdbOptions { ca_file: ca_file.map(Path::to_owned), login_life, ..YdbOptions::at(&url) };
    YdbEngine::new(options).unwrap()
}

async fn protected(token: &str) -> Emulator {
    emulator(Options { token: Some(token.to_owned()), ..Options::default() }).await
}

/// Until the engine gets in, or does not any more.
async fn until_let_in(engine: &YdbEngine, wanted: bool) {
    let start = Instant::now();
    while engine.health().await.is_ok() != wanted {
        assert!(start.elapsed() < Duration::from_secs(20), "never let in: {wanted}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Hands out a token over HTTP to whoever asks, as a cloud does; remembers what it was asked.
struct Cloud {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Cloud {
    async fn start(answer: Value) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/token", listener.local_addr().unwrap());
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let heard = Arc::clone(&asked);
        let task = tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = Vec::new();
                while !is_whole(&request) {
                    let mut part = [0; 4096];
                    let read = stream.read(&mut part).await.unwrap();
                    assert!(read > 0, "the request broke off");
                    request.extend(&part[..read]);
                }
                heard.lock().unwrap().push(String::from_utf8(request).unwrap());
                let body = answer.to_string();
                let head = format!("content-type: application/json\r\ncontent-length: {}", body.len());
                let answer = format!("HTTP/1.1 200 OK\r\n{head}\r\nconnection: close\r\n\r\n{body}");
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        Self { url, asked, task }
    }

    fn first(&self) -> String {
        self.asked.lock().unwrap()[0].clone()
    }
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    body.len() >= length.map_or(0, |length| length.parse().unwrap())
}

/// A token in a file is read again; while there is none the one of before stays in use.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_file_is_read_again_when_it_changes_and_may_be_away_for_a_while() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("token");
    fs::write(&file, "first\n").unwrap();
    let emulator = protected("first").await;
    assert!(engine(&emulator, "?use_discovery=true", None).health().await.is_err(), "nobody gets in without");
    let engine = engine(&emulator, &format!("?token_file={}", file.display()), None);
    engine.health().await.unwrap();
    fs::write(&file, "second\n").unwrap();
    emulator.accept_only("second");
    until_let_in(&engine, true).await;
    fs::remove_file(&file).unwrap();
    for _ in 0..10 {
        engine.health().await.unwrap();
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // The test can fail.
    emulator.accept_only("third");
    until_let_in(&engine, false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machine_of_a_cloud_shows_the_token_that_its_metadata_say() {
    let cloud =
        Cloud::start(json!({ "access_token": "of-the-machine", "expires_in": 3600, "token_type": "Bearer" })).await;
    for name in ["yandex-cloud", "google"] {
        let emulator = protected("Bearer of-the-machine").await;
        let engine = engine(&emulator, &format!("?token_metadata={name}&token_url={}", cloud.url), None);
        engine.health().await.unwrap();
        engine.close().await;
    }
    let asked = cloud.first().to_lowercase();
    assert!(asked.starts_with("get /token ") && asked.contains("metadata-flavor: google"), "{asked}");
    // Metadata that do not answer any more are no end of what goes on.
    let emulator = protected("Bearer of-the-machine").await;
    let engine = engine(&emulator, &format!("?token_metadata=google&token_url={}", cloud.url), None);
    engine.health().await.unwrap();
    cloud.task.abort();
    for _ in 0..10 {
        engine.health().await.unwrap();
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_account_signs_with_its_key_and_shows_what_it_gets_for_that() {
    use aws_lc_rs::{
        encoding::{AsDer, Pkcs8V1Der},
        rsa::{KeyPair, KeySize},
    };
    let made = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let der: Pkcs8V1Der<'_> = made.as_der().unwrap();
    let text = general_purpose::STANDARD.encode(der.as_ref());
    let private_key = format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n");
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("key.json");
    let key = json!({
        "id": "key-7", "service_account_id": "account-3", "public_key": "unused", "private_key": private_key,
    });
    fs::write(&file, key.to_string()).unwrap();
    let cloud = Cloud::start(json!({ "iamToken": "of-the-account", "expiresAt": "2100-01-01T00:00:00Z" })).await;
    let emulator = protected("Bearer of-the-account").await;
    let how = format!("?sa_key_file={}&token_url={}", file.display(), cloud.url);
    engine(&emulator, &how, None).health().await.unwrap();

    let asked = cloud.first();
    let body: Value = serde_json::from_str(asked.split_once("\r\n\r\n").unwrap().1).unwrap();
    let part = |at: usize| {
        let part = body["jwt"].as_str().unwrap().split('.').nth(at).unwrap();
        serde_json::from_slice::<Value>(&general_purpose::URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    };
    assert_eq!((&part(0)["kid"], &part(0)["alg"]), (&json!("key-7"), &json!("PS256")));
    assert_eq!((&part(1)["iss"], &part(1)["aud"]), (&json!("account-3"), &json!(cloud.url)));
    assert!(!asked.contains(text.get(..40).unwrap()), "the key itself was sent");
}

/// A certificate authority of the installation's own, with a password and without.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_tls_the_authority_in_the_file_is_believed_and_no_other() {
    let folder = TempDir::new().unwrap();
    let certificate = |name: &str| {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let file = folder.path().join(name);
        fs::write(&file, made.cert.pem()).unwrap();
        (file, Tls { certificate: made.cert.pem(), key: made.signing_key.serialize_pem() })
    };
    let (trusted, tls) = certificate("ours.pem");
    let (strange, _) = certificate("theirs.pem");
    let open = emulator(Options { tls: Some(tls.clone()), ..Options::default() }).await;
    engine(&open, "?use_discovery=true", Some(&trusted)).health().await.unwrap();
    assert!(engine(&open, "?use_discovery=true", Some(&strange)).health().await.is_err());
    assert!(engine(&open, "?use_discovery=true", None).health().await.is_err());
    let credentials = Some(("ann".to_owned(), "right".to_owned()));
    let shut = emulator(Options { tls: Some(tls), credentials, ..Options::default() }).await;
    engine(&shut, "://ann:right@", Some(&trusted)).health().await.unwrap();
    assert!(engine(&shut, "://ann:wrong@", Some(&trusted)).health().await.is_err());
}

/// Secrets of every way in, those that are refused too.
#[tokio::test]
async fn no_secret_of_a_login_reaches_a_log_or_an_error() {
    const CANARY: &str = "canary-of-a-login";
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("token");
    fs::write(&file, CANARY).unwrap();
    let (written, ()) = written_by(async {
        let credentials = Some(("ann".to_owned(), CANARY.to_owned()));
        let ours = emulator(Options { credentials, ..Options::default() }).await;
        engine(&ours, &format!("://ann:{CANARY}@"), None).health().await.unwrap();
        let theirs =
            emulator(Options { credentials: Some(("ann".into(), "other".into())), ..Options::default() }).await;
        for how in [format!("://ann:{CANARY}@"), format!("?token_file={}", file.display())] {
            let engine = engine(&theirs, &how, None);
            let refused = engine.health().await.unwrap_err();
            assert!(!format!("{refused} {refused:?}").contains(CANARY), "{refused:?}");
        }
        let tokens = protected(CANARY).await;
        engine(&tokens, &format!("?token_file={}", file.display()), None).health().await.unwrap();
    })
    .await;
    assert!(!written.contains(CANARY), "{written}");
}
