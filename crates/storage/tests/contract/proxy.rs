//! A TCP proxy that cuts the line at the worst moment.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::AbortHandle,
};

/// When to cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// The client's COMMIT never reaches the server.
    BeforeCommit,
    /// The server commits; its answer never reaches the client.
    AfterCommit,
}

pub(crate) struct Proxy {
    pub(crate) port: u16,
    plan: Arc<Mutex<Option<Cut>>>,
    refusing: Arc<AtomicBool>,
    holding: Arc<AtomicBool>,
    /// The lines up to this one are swallowed: nothing passes, nothing is hung up on.
    swallowed: Arc<AtomicUsize>,
    lines: Arc<Mutex<Vec<AbortHandle>>>,
}

impl Proxy {
    pub(crate) async fn to(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Self {
            port: listener.local_addr().unwrap().port(),
            plan: Arc::default(),
            refusing: Arc::default(),
            holding: Arc::default(),
            swallowed: Arc::default(),
            lines: Arc::default(),
        };
        let (plan, refusing, lines) = (Arc::clone(&proxy.plan), Arc::clone(&proxy.refusing), Arc::clone(&proxy.lines));
        let (holding, swallowed) = (Arc::clone(&proxy.holding), Arc::clone(&proxy.swallowed));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if refusing.load(Ordering::SeqCst) {
                    continue;
                }
                let server = TcpStream::connect(&server).await.unwrap();
                let mut lines = lines.lock().unwrap();
                let hole = Hole { number: lines.len() + 1, swallowed: Arc::clone(&swallowed) };
                let line = tokio::spawn(carry(client, server, Arc::clone(&plan), Arc::clone(&holding), hole));
                lines.push(line.abort_handle());
            }
        });
        proxy
    }

    /// Cuts at the next COMMIT, once.
    pub(crate) fn cut(&self, cut: Cut) {
        *self.plan.lock().unwrap() = Some(cut);
    }

    /// Nothing that the server says is passed on until the client has sent a COMMIT.
    pub(crate) fn hold_answers_until_a_commit(&self) {
        self.holding.store(true, Ordering::SeqCst);
    }

    /// Every line is cut now; new ones work.
    pub(crate) fn cut_all(&self) {
        self.lines.lock().unwrap().drain(..).for_each(|line| line.abort());
    }

    /// From now on nothing passes on the lines that there are, and nobody is told; new ones work.
    pub(crate) fn swallow_all(&self) -> usize {
        let lines = self.lines.lock().unwrap().len();
        self.swallowed.store(lines, Ordering::SeqCst);
        lines
    }

    /// Whether new lines are hung up on.
    pub(crate) fn refuse(&self, refuse: bool) {
        self.refusing.store(refuse, Ordering::SeqCst);
    }
}

/// One line's place among those that are swallowed.
struct Hole {
    number: usize,
    swallowed: Arc<AtomicUsize>,
}

impl Hole {
    fn swallows(&self) -> bool {
        self.number <= self.swallowed.load(Ordering::SeqCst)
    }
}

async fn carry(
    client: TcpStream,
    server: TcpStream,
    plan: Arc<Mutex<Option<Cut>>>,
    holding: Arc<AtomicBool>,
    hole: Hole,
) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let (mut up, mut down) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    let mut deaf = false;
    loop {
        tokio::select! {
            read = from_client.read(&mut up) => {
                let Ok(count @ 1..) = read else { return };
                if hole.swallows() { continue }
                let commits = up[..count].windows(6).any(|bytes| bytes == b"COMMIT");
                let cut = if commits { plan.lock().unwrap().take() } else { None };
                if cut == Some(Cut::BeforeCommit) { return }
                deaf = cut == Some(Cut::AfterCommit);
                if commits { holding.store(false, Ordering::SeqCst) }
                if to_server.write_all(&up[..count]).await.is_err() { return }
            }
            read = from_server.read(&mut down), if !holding.load(Ordering::SeqCst) => {
                let Ok(count @ 1..) = read else { return };
                // Any answer means that the server is done with the COMMIT.
                if deaf || to_client.write_all(&down[..count]).await.is_err() { return }
            }
        }
    }
}
