//! The edge of the network, lightly: callers who dawdle, callers who shout, and TLS by the program itself.

use std::time::{Duration, Instant};

use reqwest::Certificate;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{Caller, Engine, Replica, TestApp};

async fn line(replica: &Replica) -> TcpStream {
    TcpStream::connect(replica.url.trim_start_matches("http://")).await.unwrap()
}

/// All that the server says until it hangs up.
async fn rest(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut text)).await;
    // A reset after the answer is a way to hang up.
    let _end = read.expect("the server hangs up");
    String::from_utf8_lossy(&text).into_owned()
}

/// F25.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_who_dawdle_are_hung_up_on_and_hold_nobody_up() {
    let app = TestApp::build(Engine::Sqlite).await.unwrap().with("http.header_timeout", "1s");
    let replica = app.open().await;
    let before = replica.resident();
    let mut dawdlers = Vec::new();
    for _ in 0..200 {
        let mut stream = line(&replica).await;
        stream.write_all(b"GET /v1/me HTTP/1.1\r\nhost: x\r\nx-slow: ").await.unwrap();
        dawdlers.push(stream);
    }
    let start = Instant::now();
    replica.visitor().get("/livez").await.expect(200);
    println!(
        "beside 200 dawdlers: {:?}, {} KiB more",
        start.elapsed(),
        replica.resident().saturating_sub(before) >> 10
    );
    assert!(start.elapsed() < Duration::from_secs(1));
    for mut stream in dawdlers {
        let said = rest(&mut stream).await;
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 408"), "{said}");
    }
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

/// F26.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_who_shout_are_refused() {
    let replica = TestApp::build(Engine::Sqlite).await.unwrap().open().await;
    let shouts = [
        (
            "a header of a megabyte",
            format!("GET /livez HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "a".repeat(1 << 20)),
            "431",
        ),
        ("a thousand headers", format!("GET /livez HTTP/1.1\r\nhost: x\r\n{}\r\n", "a: b\r\n".repeat(1000)), "431"),
        (
            "a long path",
            format!("GET /{} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", "a".repeat(16 << 10)),
            "414",
        ),
        (
            "a large body",
            "POST /v1/auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99999999\r\n\
             connection: close\r\n\r\n{"
                .to_owned(),
            "413",
        ),
        ("no HTTP", "hello\r\n\r\n".to_owned(), "400"),
    ];
    for (what, shout, status) in shouts {
        let mut stream = line(&replica).await;
        // The server may hang up before it has all.
        let _sent = stream.write_all(shout.as_bytes()).await;
        let said = rest(&mut stream).await;
        assert!(said.starts_with(&format!("HTTP/1.1 {status}")), "{what}: {:?}", said.lines().next());
    }
    replica.visitor().get("/livez").await.expect(200);
    assert_eq!(replica.lines_of("ERROR"), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_by_the_program_itself_works_over_http_1_and_2() {
    let app = TestApp::build(Engine::Sqlite).await.unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    let (certificate, key) = (app.path("tls.pem"), app.path("tls.key"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let port = crate::support::servers::free_port();
    let app = app
        .with("http.listen", &format!("127.0.0.1:{port}"))
        .with("http.public_url", &format!("https://127.0.0.1:{port}"))
        .with("http.tls.certificate_file", certificate.to_str().unwrap())
        .with("http.tls.key_file", key.to_str().unwrap());
    let replica = Replica::start_trusting(app.command(), &made.cert.pem()).await;
    assert!(replica.url.starts_with("https://"), "{}", replica.url);

    let trusted = Certificate::from_pem(made.cert.pem().as_bytes()).unwrap();
    let client = || reqwest::Client::builder().tls_certs_only([trusted.clone()]).no_proxy();
    let answer = Caller::new(&replica.url).over(client().build().unwrap()).get("/livez").await;
    answer.expect(200);
    assert!(answer.header("strict-transport-security").starts_with("max-age="));
    let old = Caller::new(&replica.url).over(client().http1_only().build().unwrap());
    old.get("/livez").await.expect(200);
    // Who does not trust the certificate, and who speaks plain HTTP, gets nothing.
    assert!(Caller::new(&replica.url).try_get("/livez").await.is_err());
    assert!(Caller::new(&format!("http://127.0.0.1:{port}")).try_get("/livez").await.is_err());
    assert_eq!(replica.stop().await.status.code(), Some(0));
}
