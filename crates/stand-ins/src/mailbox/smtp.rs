//! As much of SMTP (RFC 5321) as a client needs to get rid of a mail.

use std::{io, sync::Arc};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use userd_model::Clock;

use super::{Knobs, Mail, Mails, mime};
use crate::server::{Shared, locked};

/// The longest mail.
const MAX_MAIL: usize = 10 << 20;
/// How many mails are kept; the oldest go.
const MAX_MAILS: usize = 1_000;

/// What a connection needs to know.
#[derive(Clone)]
pub(super) struct Relay {
    pub(super) shared: Arc<Shared<Knobs>>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) mails: Mails,
}

/// Serves until it is aborted; connections end with it.
pub(super) async fn serve(listener: TcpListener, relay: Relay) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let relay = relay.clone();
        connections.spawn(async move {
            // Whoever hangs up has ended the conversation.
            let _ = converse(stream, &relay).await;
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn converse(stream: TcpStream, relay: &Relay) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut to = Vec::new();
    say(&mut stream, "220 localhost the mailbox of a stand-in").await?;
    while let Some(line) = line(&mut stream).await? {
        let command = line.trim_end();
        let verb = command.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        let answer = match verb.as_str() {
            "EHLO" => "250-localhost\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 SIZE 10485760",
            "HELO" | "NOOP" => "250 OK",
            "MAIL" | "RSET" => {
                to.clear();
                "250 OK"
            }
            "RCPT" => {
                let address = command.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
                to.extend(address.map(|(address, _)| address.to_owned()));
                "250 OK"
            }
            "DATA" if to.is_empty() => "503 5.5.1 to whom?",
            "DATA" => {
                say(&mut stream, "354 go on, and end with a full stop").await?;
                let source = data(&mut stream).await?;
                let answer = take(relay, std::mem::take(&mut to), &source);
                say(&mut stream, &answer).await?;
                continue;
            }
            "QUIT" => return say(&mut stream, "221 2.0.0 bye").await,
            _ => "502 5.5.2 not here",
        };
        say(&mut stream, answer).await?;
    }
    Ok(())
}

fn take(relay: &Relay, to: Vec<String>, source: &[u8]) -> String {
    if let Some(refusal) = relay.shared.knobs().refuse {
        return refusal;
    }
    let read = mime::read(source);
    let source = String::from_utf8_lossy(source).into_owned();
    let mail = Mail { at: relay.clock.now(), to, headers: read.headers, text: read.text, html: read.html, source };
    let mut kept = locked(&relay.mails);
    if kept.mails.len() >= MAX_MAILS {
        kept.mails.remove(0);
    }
    kept.mails.push(mail);
    kept.taken += 1;
    "250 2.0.0 taken".to_owned()
}

async fn say(stream: &mut BufReader<TcpStream>, text: &str) -> io::Result<()> {
    stream.write_all(format!("{text}\r\n").as_bytes()).await
}

async fn line(stream: &mut BufReader<TcpStream>) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    let read = stream.take(4096).read_until(b'\n', &mut line).await?;
    Ok((read > 0).then(|| String::from_utf8_lossy(&line).into_owned()))
}

/// Everything up to the full stop that stands alone; a full stop that begins a line was doubled.
async fn data(stream: &mut BufReader<TcpStream>) -> io::Result<Vec<u8>> {
    let mut whole = Vec::new();
    loop {
        let mut line = Vec::new();
        if stream.take(MAX_MAIL as u64).read_until(b'\n', &mut line).await? == 0 || whole.len() > MAX_MAIL {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match line.strip_prefix(b".") {
            Some(b"\r\n" | b"\n") => return Ok(whole),
            Some(rest) => whole.extend_from_slice(rest),
            None => whole.extend_from_slice(&line),
        }
    }
}
