//! Stopping in peace.

use std::{sync::atomic::Ordering, time::Duration};

use tokio::{io::AsyncWriteExt, net::TcpStream, time::Instant};
use userd_web::{server::ServerOptions, testing::LONG};

use crate::{gate::Gate, socket_server::*};

async fn ask_gate(server: &Server, name: &str) -> TcpStream {
    let mut stream = server.connect().await;
    stream.write_all(format!("GET /v1/gates/{name} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).await.unwrap();
    Gate::named(name).wait_entered().await;
    stream
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_in_flight_finish_and_new_ones_are_refused() {
    let mut server = Server::start(ServerOptions::default()).await;
    let mut idle = server.connect().await;
    idle.write_all(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    assert!(read_answer(&mut idle).await.starts_with("http/1.1 200"));
    let mut busy = ask_gate(&server, "drain").await;

    server.tell_to_stop();
    assert_eq!(read_to_end(&mut idle).await, "", "idle connections are closed");
    let began = Instant::now();
    while TcpStream::connect(server.address).await.is_ok() {
        assert!(began.elapsed() < LONG, "accepting ends");
        tokio::task::yield_now().await;
    }
    assert!(server.draining.has_started());
    Gate::named("drain").open.add_permits(1);
    let answer = read_to_end(&mut busy).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("through"), "{answer}");
    assert!(answer.to_lowercase().contains("connection: close"), "{answer}");
    assert_eq!(server.stopped().await.aborted, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_finish_in_time_is_cut_off() {
    let options = ServerOptions { drain_deadline: Duration::from_millis(100), ..ServerOptions::default() };
    let mut server = Server::start(options).await;
    let mut stuck = ask_gate(&server, "stuck").await;
    let mut half = server.connect().await;
    half.write_all(b"GET /livez HTT").await.unwrap();
    server.tell_to_stop();
    assert_eq!(read_to_end(&mut stuck).await, "");
    assert!(server.stopped().await.aborted >= 1);
    assert_eq!(Gate::named("stuck").running.load(Ordering::SeqCst), 0, "its handler has ended");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readiness_turns_before_accepting_ends() {
    let options = ServerOptions { drain_delay: Duration::from_secs(2), ..ServerOptions::default() };
    let mut server = Server::start(options).await;
    server.tell_to_stop();
    let began = Instant::now();
    while !server.draining.has_started() {
        assert!(began.elapsed() < LONG);
        tokio::task::yield_now().await;
    }
    let answer = server.exchange(b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("draining"), "{answer}");
    let answer = server.exchange(b"GET /v1/who HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("connection: close"), "and the caller is sent elsewhere: {answer}");
    server.stopped().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http2_peers_are_told_to_go_and_finish() {
    let mut server = Server::start(ServerOptions::default()).await;
    let (mut sender, connection) = h2::client::handshake(server.connect().await).await.unwrap();
    let driver = tokio::spawn(connection);
    let request =
        |name: &str| http::Request::get(format!("http://{}/v1/gates/{name}", server.address)).body(()).unwrap();
    let (first, _) = sender.send_request(request("h2drain"), true).unwrap();
    Gate::named("h2drain").wait_entered().await;
    server.tell_to_stop();
    while !server.draining.has_started() {
        tokio::task::yield_now().await;
    }
    Gate::named("h2drain").open.add_permits(1);
    let answer = tokio::time::timeout(LONG, first).await.unwrap().unwrap();
    assert_eq!(answer.status(), 200);
    drop((answer, sender));
    assert!(tokio::time::timeout(LONG, driver).await.unwrap().unwrap().is_ok(), "GOAWAY without an error");
    assert_eq!(server.stopped().await.aborted, 0);
}
