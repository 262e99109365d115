//! Everybody's mailbox: a relay that takes every mail and shows it on a page, so that what people would be sent can be
//! read without a network.
//!
//! Deliberately absent: delivering anything, TLS, sign-in; it is on the loopback.

mod mime;
mod page;
mod smtp;

use std::sync::{Arc, Mutex};

use tokio::{net::TcpListener, task::JoinHandle};
use userd_model::{Clock, Timestamp};

use crate::server::{Options, StandIn, locked, serve};

/// How it answers. Each counts until it is turned back.
#[derive(Clone, Debug, Default)]
pub struct Knobs {
    /// What every mail is answered instead of being taken, such as `550 5.1.1 nobody here` or `451 4.7.1 later`.
    pub refuse: Option<String>,
}

/// A mail that was taken.
#[derive(Clone, Debug)]
pub struct Mail {
    /// When.
    pub at: Timestamp,
    /// The addresses of the envelope.
    pub to: Vec<String>,
    /// Every header with its words decoded, in order.
    pub headers: Vec<(String, String)>,
    /// The plain text.
    pub text: String,
    /// The HTML; empty when there is none.
    pub html: String,
    /// All of it, as it came.
    pub source: String,
}

impl Mail {
    /// A header by name, whatever its case; empty when it is not there.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map_or("", |(_, value)| value)
    }

    /// The subject.
    #[must_use]
    pub fn subject(&self) -> &str {
        self.header("subject")
    }

    /// The links of the plain text, in order.
    #[must_use]
    pub fn links(&self) -> Vec<&str> {
        let is_link = |word: &&str| word.starts_with("https://") || word.starts_with("http://");
        self.text.split_whitespace().filter(is_link).collect()
    }
}

/// A running mailbox.
pub struct Mailbox {
    /// `smtp://127.0.0.1:<port>`: the service's `mail.url`.
    pub smtp_url: String,
    stand_in: StandIn<Knobs>,
    mails: Mails,
    serving: JoinHandle<()>,
}

type Mails = Arc<Mutex<Kept>>;

/// What came: the last of it whole, and how much it was.
#[derive(Default)]
struct Kept {
    mails: Vec<Mail>,
    taken: usize,
}

impl std::ops::Deref for Mailbox {
    type Target = StandIn<Knobs>;

    fn deref(&self) -> &Self::Target {
        &self.stand_in
    }
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Mailbox {
    /// The last of what came, in order.
    #[must_use]
    pub fn mails(&self) -> Vec<Mail> {
        locked(&self.mails).mails.clone()
    }

    /// How many mails came, those included that are kept no longer.
    #[must_use]
    pub fn count(&self) -> usize {
        locked(&self.mails).taken
    }
}

/// Starts it: the page at the port of the options, the relay at `smtp_port` (0 takes a free one).
pub async fn start(options: Options, smtp_port: u16) -> std::io::Result<Mailbox> {
    let clock: Arc<dyn Clock> = Arc::clone(&options.clock);
    let mails = Mails::default();
    let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, smtp_port)).await?;
    let smtp_url = format!("smtp://{}", listener.local_addr()?);
    let pages = page::Pages { mails: Arc::clone(&mails), smtp_url: smtp_url.clone() };
    let stand_in = serve(options, Knobs::default(), Arc::new(pages)).await?;
    let relay = smtp::Relay { shared: Arc::clone(stand_in.shared()), clock, mails: Arc::clone(&mails) };
    let serving = tokio::spawn(smtp::serve(listener, relay));
    Ok(Mailbox { smtp_url, stand_in, mails, serving })
}
