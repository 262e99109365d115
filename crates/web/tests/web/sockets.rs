//! Connections: slow, huge, smuggling, too many.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::Instant,
};
use userd_web::{
    server::{ServerOptions, tls},
    testing::LONG,
};

use crate::socket_server::*;

fn hasty() -> ServerOptions {
    ServerOptions { header_timeout: Duration::from_millis(300), ..ServerOptions::default() }
}

/// Connections that never finish a head: nothing at all, half a preface, a line, headers byte by byte.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_heads_are_cut_off() {
    let server = Server::start(hasty()).await;
    let heads: [&[u8]; 5] =
        [b"", b"PRI * HTTP/2.0\r\n", b"G", b"GET /livez HTTP/1.1\r\n", b"GET /livez HTTP/1.1\r\nHost: x\r\nX-A: "];
    let began = Instant::now();
    for head in heads {
        let mut stream = server.connect().await;
        stream.write_all(head).await.unwrap();
        let answer = read_to_end(&mut stream).await;
        assert!(!answer.contains("200 OK"), "{answer}");
    }
    let mut stream = server.connect().await;
    stream.write_all(b"GET /livez HTTP/1.1\r\nX-A: ").await.unwrap();
    let mut trickled = 0;
    while stream.write_all(b"a").await.is_ok() && trickled < 1_000 {
        trickled += 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(trickled < 500, "a trickle does not keep the connection");
    assert!(began.elapsed() < LONG);
    server.is_alive().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_connection_outlives_the_head_timeout_and_a_second_slow_head_does_not() {
    let server = Server::start(hasty()).await;
    let mut stream = server.connect().await;
    let whole = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n";
    for _ in 0..2 {
        stream.write_all(whole).await.unwrap();
        assert!(read_answer(&mut stream).await.starts_with("http/1.1 200"));
        tokio::time::sleep(Duration::from_millis(600)).await;
    }
    stream.write_all(whole).await.unwrap();
    assert!(read_answer(&mut stream).await.starts_with("http/1.1 200"), "idle is allowed");
    stream.write_all(b"GET /livez").await.unwrap();
    assert!(!read_to_end(&mut stream).await.contains("200"), "half a head is not");
}

/// F26: headers and addresses without end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn floods_of_headers_and_long_urls_are_refused() {
    let server = Server::start(ServerOptions::default()).await;
    let many: String = (0..200).map(|n| format!("x-{n}: 1\r\n")).collect();
    let endless = "x-a: b\r\n".repeat(200_000);
    for (flood, statuses) in [
        (format!("GET /livez HTTP/1.1\r\nHost: x\r\n{many}\r\n"), &["431"][..]),
        (format!("GET /livez HTTP/1.1\r\nHost: x\r\nx-a: {}\r\n\r\n", "b".repeat(100_000)), &["431"]),
        (format!("GET /livez HTTP/1.1\r\nHost: x\r\n{endless}"), &["431"]),
        (format!("GET /livez?{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(1_000_000)), &["431", "414"]),
        (format!("GET /livez?{} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "a".repeat(9_000)), &["414"]),
    ] {
        let answer = server.exchange(flood.as_bytes()).await;
        // A reset may swallow the answer; it never is a success.
        let refused = statuses.iter().any(|status| answer.starts_with(&format!("HTTP/1.1 {status}")));
        assert!(refused || answer.is_empty(), "{answer:.200}");
    }
    server.is_alive().await;
}

/// A caller who asks for much and reads nothing does not hold the answers for ever.
/// F25: a reader who reads nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_that_nobody_reads_are_given_up() {
    let options = ServerOptions {
        write_timeout: Duration::from_millis(200),
        max_connections_per_address: Some(1),
        ..ServerOptions::default()
    };
    let server = Server::start(options).await;
    let mut stream = server.connect().await;
    let ask = b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n";
    stream.write_all(&ask.repeat(100)).await.unwrap();
    let began = Instant::now();
    // The only place is free again when the server has given up.
    while !server
        .exchange(b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .await
        .starts_with("HTTP/1.1 200")
    {
        assert!(began.elapsed() < LONG, "the connection is still held");
        tokio::task::yield_now().await;
    }
    let read = read_to_end(&mut stream).await;
    assert!(read.matches("HTTP/1.1 200").count() < 100, "it was given up, not served");
}

/// ASVS V4.2.1
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_second_request_hides_in_an_ambiguous_first() {
    let server = Server::start(hasty()).await;
    let smuggled = "GET /v1/who HTTP/1.1\r\nHost: x\r\n\r\n";
    let head = "POST /v1/things HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
    for framing in [
        format!("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{smuggled}"),
        format!("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n{smuggled}"),
        format!("Content-Length: 0\r\nContent-Length: 36\r\n\r\n{smuggled}"),
        format!("Content-Length: 0, 36\r\n\r\n{smuggled}"),
        format!("Content-Length: +0\r\n\r\n{smuggled}"),
        format!("Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n{smuggled}"),
        format!("Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n{smuggled}"),
        format!("Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n{smuggled}"),
        format!("Transfer-Encoding:\u{b}chunked\r\n\r\n0\r\n\r\n{smuggled}"),
        format!("Transfer-Encoding: chunked\r\n\r\n0;\u{0}\r\n\r\n{smuggled}"),
        format!("Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n\r\n{smuggled}"),
    ] {
        let answer = server.exchange(format!("{head}{framing}").as_bytes()).await;
        assert!(answer.matches("HTTP/1.1 ").count() <= 1, "{framing:?}: {answer}");
        assert!(!answer.contains("HTTP/1.1 2"), "{framing:?}: {answer}");
    }
    for hosts in ["", "Host: a\r\nHost: b\r\n"] {
        let answer = server.exchange(format!("GET /livez HTTP/1.1\r\n{hosts}\r\n").as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("exactly one Host"), "{hosts:?}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_address_cannot_take_every_connection() {
    let options = ServerOptions { max_connections_per_address: Some(3), ..ServerOptions::default() };
    let mut server = Server::start(options).await;
    let mut kept: Vec<TcpStream> = Vec::new();
    for _ in 0..3 {
        let mut stream = server.connect().await;
        stream.write_all(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        assert!(read_answer(&mut stream).await.starts_with("http/1.1 200"));
        kept.push(stream);
    }
    assert_eq!(server.exchange(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n").await, "");
    drop(kept);
    let began = Instant::now();
    while !server
        .exchange(b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .await
        .starts_with("HTTP/1.1 200")
    {
        assert!(began.elapsed() < LONG, "a closed connection frees its place");
        tokio::task::yield_now().await;
    }
    server.tell_to_stop();
    assert!(server.stopped().await.refused >= 1);
}

/// ASVS V4.2.2
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_announced_length_is_the_length() {
    let server = Server::start(ServerOptions::default()).await;
    for path in ["/livez", "/metrics", "/big", "/nowhere", "/v1/things", "/v1/bearer", "/v1/panic"] {
        let text = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let answer = server.exchange(text.as_bytes()).await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        assert_eq!(length.parse::<usize>().unwrap(), body.len(), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_serves_and_a_silent_handshake_is_cut_off() {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (chain, key) = (folder.path().join("chain.pem"), folder.path().join("key.pem"));
    std::fs::write(&chain, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    assert!(tls::from_files(&key, &chain).is_err(), "the wrong way round");
    assert!(tls::from_files(&folder.path().join("none"), &key).unwrap_err().to_string().contains("none"));
    let options = ServerOptions {
        tls: Some(tls::from_files(&chain, &key).unwrap()),
        tls_handshake_timeout: Duration::from_millis(200),
        ..ServerOptions::default()
    };
    let server = Server::start(options).await;
    assert_eq!(read_to_end(&mut server.connect().await).await, "", "a silent peer is closed");

    let mut roots = rustls::RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let client = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = tokio_rustls::TlsConnector::from(std::sync::Arc::new(client));
    let mut stream = connector.connect("localhost".try_into().unwrap(), server.connect().await).await.unwrap();
    stream.write_all(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
}
