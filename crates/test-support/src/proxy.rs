//! A TCP line that can be cut, and cut off.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::{AbortHandle, JoinHandle},
};

/// A proxy to one server; gone when dropped.
pub struct Proxy {
    pub port: u16,
    is_closed: Arc<AtomicBool>,
    lines: Arc<Mutex<Vec<AbortHandle>>>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// A proxy to `host:port`.
    pub async fn to(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (is_closed, lines) = (Arc::<AtomicBool>::default(), Arc::<Mutex<Vec<AbortHandle>>>::default());
        let (closed, kept) = (Arc::clone(&is_closed), Arc::clone(&lines));
        let accepting = tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                if closed.load(Ordering::SeqCst) {
                    continue;
                }
                let server = server.clone();
                let line = tokio::spawn(async move {
                    if let Ok(mut upstream) = TcpStream::connect(&server).await {
                        let _ended = copy_bidirectional(&mut client, &mut upstream).await;
                    }
                });
                kept.lock().unwrap().push(line.abort_handle());
            }
        });
        Self { port, is_closed, lines, accepting }
    }

    /// Cuts every line; new ones work.
    pub fn cut(&self) {
        self.lines.lock().unwrap().drain(..).for_each(|line| line.abort());
    }

    /// Cuts every line and lets no new one through, until [`Self::open`].
    pub fn close(&self) {
        self.is_closed.store(true, Ordering::SeqCst);
        self.cut();
    }

    pub fn open(&self) {
        self.is_closed.store(false, Ordering::SeqCst);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.cut();
    }
}
