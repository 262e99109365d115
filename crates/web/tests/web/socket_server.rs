//! The app behind a real socket.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
};
use userd_web::{
    RequestOptions,
    server::{Draining, Served, ServerOptions, serve},
    testing::LONG,
};

use crate::app::app_draining;

pub struct Server {
    pub address: SocketAddr,
    pub draining: Draining,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<Served>,
}

impl Server {
    pub async fn start(options: ServerOptions) -> Self {
        Self::start_with(options, |_| {}).await
    }

    pub async fn start_with(options: ServerOptions, change: impl FnOnce(&mut RequestOptions)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let draining = Draining::default();
        let router = app_draining(draining.clone(), change);
        let (stop, stopped) = oneshot::channel();
        let shutdown = async { stopped.await.unwrap_or(()) };
        let task = tokio::spawn(serve(listener, router, options, draining.clone(), shutdown));
        Self { address, draining, stop: Some(stop), task }
    }

    pub async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends bytes on a connection of their own and reads until the server closes it.
    pub async fn exchange(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        // The server may close before it has read everything; what it said before counts.
        let _ = stream.write_all(bytes).await;
        read_to_end(&mut stream).await
    }

    /// Asks on a new connection.
    pub async fn is_alive(&self) {
        let answer = self.exchange(b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    }

    pub fn tell_to_stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    pub async fn stopped(self) -> Served {
        tokio::time::timeout(LONG, self.task).await.unwrap().unwrap()
    }
}

pub async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        match tokio::time::timeout(LONG, stream.read(&mut chunk)).await.expect("the server must close") {
            Ok(0) | Err(_) => return String::from_utf8_lossy(&bytes).into_owned(),
            Ok(count) => bytes.extend_from_slice(&chunk[..count]),
        }
    }
}

/// Reads one answer with a `Content-Length` and leaves the connection open.
pub async fn read_answer(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut byte = [0; 1];
    while !bytes.ends_with(b"\r\n\r\n") {
        let count = tokio::time::timeout(LONG, stream.read(&mut byte)).await.unwrap().unwrap();
        assert_eq!(count, 1, "the connection closed early: {}", String::from_utf8_lossy(&bytes));
        bytes.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    tokio::time::timeout(LONG, stream.read_exact(&mut body)).await.unwrap().unwrap();
    format!("{head}{}", String::from_utf8_lossy(&body))
}
