//! Connections of HTTP/2 that are held for nothing, frame by frame: in the clear with prior knowledge, and over TLS.

use std::{sync::Arc, time::Duration};

use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::{Instant, timeout},
};
use tokio_rustls::TlsConnector;
use userd_web::{server::ServerOptions, testing::LONG};

use crate::{
    gate::Gate,
    http2::{field, frame},
    socket_server::Server,
    tls::server_with,
};

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const PRIORITY: u8 = 2;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const ACK: u8 = 1;
const END_HEADERS: u8 = 4;

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// A client that speaks in frames.
struct Line(Box<dyn Stream>);

/// Kind, flags and stream of a frame.
type Seen = (u8, u8, u32);

impl Line {
    /// With its preface and SETTINGS said.
    async fn open(server: &Server, roots: Option<&RootCertStore>, settings: &[u8]) -> Self {
        let tcp = server.connect().await;
        let mut stream: Box<dyn Stream> = match roots {
            None => Box::new(tcp),
            Some(roots) => {
                let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
                    .with_safe_default_protocol_versions()
                    .unwrap()
                    .with_root_certificates(roots.clone())
                    .with_no_client_auth();
                config.alpn_protocols = vec![b"h2".to_vec()];
                let connected =
                    TlsConnector::from(Arc::new(config)).connect("localhost".try_into().unwrap(), tcp).await.unwrap();
                assert_eq!(connected.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
                Box::new(connected)
            }
        };
        let hello = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &frame(SETTINGS, 0, 0, settings)[..]].concat();
        stream.write_all(&hello).await.unwrap();
        Self(stream)
    }

    /// The next frame, or `None` when the server has hung up.
    async fn next(&mut self) -> Option<Seen> {
        let mut head = [0; 9];
        timeout(LONG, self.0.read_exact(&mut head)).await.expect("a frame or the end").ok()?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        timeout(LONG, self.0.read_exact(&mut vec![0; length])).await.expect("the payload or the end").ok()?;
        Some((head[3], head[4], u32::from_be_bytes([head[5], head[6], head[7], head[8]])))
    }

    async fn until(&mut self, kind: u8, stream: u32) {
        while let Some((seen, _, on)) = self.next().await {
            if (seen, on) == (kind, stream) {
                return;
            }
        }
        panic!("hung up before a frame {kind} on stream {stream}");
    }

    async fn say(&mut self, bytes: &[u8]) -> bool {
        self.0.write_all(bytes).await.is_ok() && self.0.flush().await.is_ok()
    }

    async fn ask(&mut self, path: &str, stream: u32) {
        assert!(self.say(&frame(HEADERS, END_HEADERS | END_STREAM, stream, &block("GET", path))).await);
    }

    /// Chatters about the connection itself until the server hangs up or the time is over, one frame after another.
    async fn chatter(&mut self, most: Duration) -> Chatted {
        let began = Instant::now();
        let mut goaway = false;
        while began.elapsed() < most {
            let idle_talk = [
                frame(PRIORITY, 0, 1, &[0, 0, 0, 0, 7]),
                frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1]),
                frame(SETTINGS, 0, 0, b""),
                frame(PING, 0, 0, &[0; 8]),
            ];
            if !self.say(&idle_talk.concat()).await {
                return Chatted { ended: true, goaway, after: began.elapsed() };
            }
            loop {
                match self.next().await {
                    None => return Chatted { ended: true, goaway, after: began.elapsed() },
                    Some((GOAWAY, ..)) => goaway = true,
                    Some((PING, ACK, _)) => break,
                    Some(_) => {}
                }
            }
        }
        Chatted { ended: false, goaway, after: began.elapsed() }
    }
}

struct Chatted {
    ended: bool,
    goaway: bool,
    after: Duration,
}

fn block(method: &str, path: &str) -> Vec<u8> {
    let pseudo = [(":method", method), (":scheme", "http"), (":path", path), (":authority", "x")];
    pseudo.iter().flat_map(|(name, value)| field(name.as_bytes(), value.as_bytes())).collect()
}

const IDLE: Duration = Duration::from_millis(600);

fn options() -> ServerOptions {
    ServerOptions { header_timeout: Duration::from_millis(400), idle_timeout: IDLE, ..ServerOptions::default() }
}

/// The same server in the clear and with TLS.
async fn servers(options: ServerOptions) -> [(Server, Option<RootCertStore>); 2] {
    let (with_tls, roots) = server_with(options.clone()).await;
    [(Server::start(options).await, None), (with_tls, Some(roots))]
}

/// Whatever is said about the connection itself, and however its PING is answered (fault 9).
/// F25: idle.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_only_answers_ping_is_idle() {
    for (server, roots) in servers(options()).await {
        let mut line = Line::open(&server, roots.as_ref(), b"").await;
        for stream in [1, 3] {
            line.ask("/livez", stream).await;
            line.until(DATA, stream).await;
        }
        let chatted = line.chatter(LONG).await;
        assert!(chatted.ended, "it is still served");
        assert!(chatted.goaway, "a lawful client learns that its next request was not read");
        assert!(chatted.after + Duration::from_millis(20) >= IDLE, "{:?}: idle is allowed that long", chatted.after);

        let mut mute = Line::open(&server, roots.as_ref(), b"").await;
        assert!(mute.chatter(LONG).await.ended, "one that never asks");
    }
}

/// (fault 9)
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_under_way_is_not_idle_and_the_next_one_begins_the_time_anew() {
    let server = Server::start(options()).await;
    let mut line = Line::open(&server, None, b"").await;
    line.ask("/v1/gates/not-idle", 1).await;
    let gate = Gate::named("not-idle");
    gate.wait_entered().await;
    let chatted = line.chatter(IDLE * 3).await;
    assert!(!chatted.ended && !chatted.goaway);
    gate.open.add_permits(1);
    line.until(DATA, 1).await;
    for turn in 1..=4 {
        let chatted = line.chatter(IDLE / 2).await;
        assert!(!chatted.ended && !chatted.goaway, "it is used");
        line.ask("/livez", 1 + 2 * turn).await;
        line.until(DATA, 1 + 2 * turn).await;
    }
}

/// An answer that waits for a window which never opens: one whose length is known, and one made piece by piece (fault 9).
/// F25: a reader who reads nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_for_which_no_window_opens_is_given_up() {
    for path in ["/big", "/parts"] {
        for (server, roots) in servers(options()).await {
            // SETTINGS_INITIAL_WINDOW_SIZE 10
            let mut line = Line::open(&server, roots.as_ref(), &[0, 4, 0, 0, 0, 10]).await;
            line.ask(path, 1).await;
            line.until(DATA, 1).await;
            assert!(line.chatter(LONG).await.ended, "{path} is still held");
        }
    }
}

/// And one that is read is not, however long it takes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_read_slowly_goes_on() {
    let server = Server::start(options()).await;
    let mut line = Line::open(&server, None, b"").await;
    line.ask("/parts", 1).await;
    let began = Instant::now();
    while began.elapsed() < IDLE * 3 {
        line.until(DATA, 1).await;
        let more = [frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 4]), frame(WINDOW_UPDATE, 0, 1, &[0, 0, 0, 4])].concat();
        assert!(line.say(&more).await);
    }
}

/// First on the connection, after a request, and beside one; nothing more, a trickle of bytes, or empty frames (fault 9).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unfinished_header_block_is_cut_off_at_the_header_timeout() {
    let options = ServerOptions { idle_timeout: LONG * 10, ..options() };
    let limit = options.header_timeout;
    let whole = block("GET", "/livez");
    let whole_frame = frame(HEADERS, END_HEADERS | END_STREAM, 5, &whole);
    let beginnings = [
        ("no END_HEADERS", frame(HEADERS, END_STREAM, 5, &whole)),
        ("an empty frame", frame(HEADERS, END_STREAM, 5, b"")),
        ("half a frame", whole_frame[..whole_frame.len() - 3].to_vec()),
        ("trailers", {
            let open = frame(HEADERS, END_HEADERS, 5, &block("POST", "/v1/things"));
            [open, frame(DATA, 0, 5, b"{}"), frame(HEADERS, END_STREAM, 5, b"")].concat()
        }),
    ];
    for (server, roots) in servers(options).await {
        for (what, bytes) in &beginnings {
            for before in ["nothing", "a request", "a request under way"] {
                let mut line = Line::open(&server, roots.as_ref(), b"").await;
                match before {
                    "nothing" => {}
                    "a request" => {
                        line.ask("/livez", 1).await;
                        line.until(DATA, 1).await;
                    }
                    _ => {
                        line.ask("/v1/gates/beside-a-block", 1).await;
                        Gate::named("beside-a-block").wait_entered().await;
                    }
                }
                let began = Instant::now();
                assert!(line.say(bytes).await);
                while line.next().await.is_some() {}
                let took = began.elapsed();
                assert!(took < limit * 10, "{what} after {before}: {took:?}");
            }
        }
        let mut line = Line::open(&server, roots.as_ref(), b"").await;
        line.ask("/livez", 1).await;
        line.until(DATA, 1).await;
        let began = Instant::now();
        assert!(line.say(&frame(HEADERS, END_STREAM, 3, &whole)).await);
        let mut frames = 0;
        // hyper counts frames of a block too; the clock must not wait for that.
        while line.say(&frame(CONTINUATION, 0, 3, b"")).await && frames < 1_000 {
            frames += 1;
            tokio::time::sleep(limit / 10).await;
        }
        assert!(began.elapsed() < limit * 10, "{frames} frames were taken in {:?}", began.elapsed());
    }
}

/// A request whose body never comes ends as over HTTP/1, and its connection with it (fault 9).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_whose_body_never_comes_ends_at_its_deadline() {
    let server = Server::start_with(options(), |request| request.request_deadline = Duration::from_millis(300)).await;
    let mut line = Line::open(&server, None, b"").await;
    let json = field(b"content-type", b"application/json");
    let open = frame(HEADERS, END_HEADERS, 1, &[block("POST", "/v1/things"), json].concat());
    assert!(line.say(&open).await);
    line.until(HEADERS, 1).await;
    assert!(line.chatter(LONG).await.ended);

    // What comes after an answer that did not wait for it is refused, not counted as use.
    let mut line = Line::open(&server, None, b"").await;
    assert!(line.say(&frame(HEADERS, END_HEADERS, 1, &block("POST", "/livez"))).await);
    line.until(RESET, 1).await;
    assert!(line.chatter(LONG).await.ended);
}
