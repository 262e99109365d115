//! HTTP/2 and what attackers do with its frames.

use std::sync::atomic::Ordering;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::Instant,
};
use userd_web::{server::ServerOptions, testing::LONG};

use crate::{gate::Gate, socket_server::*};

/// AC-132: rapid reset: streams opened and cancelled as fast as the socket takes them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rapid_resets_leave_nothing_running() {
    let server = Server::start(ServerOptions::default()).await;
    let (mut sender, connection) = h2::client::handshake(server.connect().await).await.unwrap();
    let driver = tokio::spawn(connection);
    let mut opened = 0;
    for _ in 0..5_000 {
        let Ok(ready) = sender.clone().ready().await else { break };
        sender = ready;
        let request = http::Request::get(format!("http://{}/v1/gates/reset", server.address)).body(()).unwrap();
        let Ok((_, mut stream)) = sender.send_request(request, true) else { break };
        stream.send_reset(h2::Reason::CANCEL);
        opened += 1;
    }
    drop(sender);
    driver.abort();
    assert!(opened > 0);
    let gate = Gate::named("reset");
    let began = Instant::now();
    while gate.running.load(Ordering::SeqCst) > 0 {
        assert!(began.elapsed() < LONG, "cancelled streams end their handlers");
        tokio::task::yield_now().await;
    }
    assert!(gate.most.load(Ordering::SeqCst) <= 200, "never more than the stream limit");
    server.is_alive().await;
}

pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut bytes = vec![length[1], length[2], length[3], kind, flags];
    bytes.extend_from_slice(&stream.to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

/// Sends a flood after a proper preface; answers how many of its bytes were taken before the server closed.
async fn flood(server: &Server, first: &[u8], again: &[u8], most: usize) -> usize {
    let mut stream = server.connect().await;
    let mut hello = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    hello.extend(frame(4, 0, 0, b""));
    hello.extend_from_slice(first);
    stream.write_all(&hello).await.unwrap();
    let (mut reader, mut writer) = stream.split();
    let drain = async {
        let mut sink = [0; 4096];
        while matches!(reader.read(&mut sink).await, Ok(count) if count > 0) {}
    };
    let mut sent = 0;
    let pour = async {
        while sent < most && writer.write_all(again).await.is_ok() {
            sent += again.len();
        }
    };
    tokio::time::timeout(LONG, async {
        tokio::select! { () = drain => {}, () = pour => {} }
    })
    .await
    .unwrap();
    sent
}

/// AC-132: CONTINUATION frames without end close the connection.
/// F26: a header block without end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn endless_continuation_frames_close_the_connection() {
    let server = Server::start(ServerOptions::default()).await;
    // A literal header field without indexing, name and value of 100 bytes, repeated.
    let mut field = vec![0x00, 100];
    field.extend([b'a'; 100]);
    field.push(100);
    field.extend([b'b'; 100]);
    let block = field.repeat(50);
    let most = 64 << 20;
    let sent = flood(&server, &frame(1, 0, 1, &block), &frame(9, 0, 1, &block), most).await;
    assert!(sent < most, "{sent} bytes were taken");
    server.is_alive().await;
}

/// A header field in the plainest HPACK form: literal, not indexed, not compressed (RFC 7541 section 6.2.2).
pub fn field(name: &[u8], value: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x00, u8::try_from(name.len()).unwrap()];
    bytes.extend_from_slice(name);
    bytes.push(u8::try_from(value.len()).unwrap());
    bytes.extend_from_slice(value);
    bytes
}

/// The kind of the first frame on stream 1, or of a GOAWAY; `None` when the server just closes.
async fn first_reaction(server: &Server, extra: &[u8]) -> Option<u8> {
    let pseudo = [(":method", "GET"), (":scheme", "http"), (":path", "/livez"), (":authority", "x")];
    let mut block: Vec<u8> = pseudo.iter().flat_map(|(name, value)| field(name.as_bytes(), value.as_bytes())).collect();
    block.extend_from_slice(extra);
    let mut stream = server.connect().await;
    let mut hello = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    hello.extend(frame(4, 0, 0, b""));
    hello.extend(frame(1, 0x5, 1, &block));
    stream.write_all(&hello).await.unwrap();
    loop {
        let mut head = [0; 9];
        tokio::time::timeout(LONG, stream.read_exact(&mut head)).await.unwrap().ok()?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        stream.read_exact(&mut vec![0; length]).await.ok()?;
        if head[3] == 7 || head[8] == 1 {
            return Some(head[3]);
        }
    }
}

/// ASVS V4.2.3, V4.2.4
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http2_messages_with_headers_of_http1_or_line_breaks_are_refused() {
    const HEADERS: u8 = 1;
    let server = Server::start(ServerOptions::default()).await;
    assert_eq!(first_reaction(&server, &field(b"x-a", b"b")).await, Some(HEADERS));
    let bad: [(&[u8], &[u8]); 9] = [
        (b"transfer-encoding", b"chunked"),
        (b"connection", b"close"),
        (b"keep-alive", b"5"),
        (b"te", b"gzip"),
        (b"x-a", b"b\r\nc: d"),
        (b"x-a", b"b\0"),
        (b"x-a\r\n", b"b"),
        (b"X-Upper", b"b"),
        (b":path", b"/v1/who"),
    ];
    for (name, value) in bad {
        let reaction = first_reaction(&server, &field(name, value)).await;
        assert_ne!(reaction, Some(HEADERS), "{name:?}: {value:?} was answered");
    }
    server.is_alive().await;
}

/// AC-132: SETTINGS and PING floods do not pile up answers for a peer who never reads them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn control_frames_without_end_are_survived() {
    let server = Server::start(ServerOptions::default()).await;
    flood(&server, b"", &frame(6, 0, 0, &[0; 8]).repeat(100), 4 << 20).await;
    flood(&server, b"", &frame(4, 0, 0, b"").repeat(100), 4 << 20).await;
    server.is_alive().await;
}
