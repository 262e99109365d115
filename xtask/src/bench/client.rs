//! A raw HTTP/1.1 keep-alive client that costs little next to the server it measures. Deliberately absent: TLS,
//! chunked bodies, redirects; the service's own answers need none of them.

use std::{io, net::SocketAddr};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// One connection, one request at a time.
pub(super) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// What came back.
pub(super) struct Answer<'a> {
    pub(super) status: u16,
    /// Seconds of `Retry-After`, where given.
    pub(super) retry_after: Option<u64>,
    /// Status line and headers, as they came.
    pub(super) head: &'a [u8],
    pub(super) body: &'a [u8],
}

struct Head {
    status: u16,
    retry_after: Option<u64>,
    length: usize,
    body_length: usize,
}

impl Connection {
    pub(super) async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(2048) })
    }

    /// Sends one request and reads the whole answer.
    pub(super) async fn send(&mut self, request: &[u8]) -> io::Result<Answer<'_>> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let head = loop {
            self.read_some().await?;
            if let Some(head) = parse(&self.buffer)? {
                break head;
            }
        };
        let end = head.length + head.body_length;
        while self.buffer.len() < end {
            self.read_some().await?;
        }
        let body = self.buffer.get(head.length..end).unwrap_or_default();
        let raw = self.buffer.get(..head.length).unwrap_or_default();
        Ok(Answer { status: head.status, retry_after: head.retry_after, head: raw, body })
    }

    async fn read_some(&mut self) -> io::Result<()> {
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

fn parse(buffer: &[u8]) -> io::Result<Option<Head>> {
    let mut headers = [httparse::EMPTY_HEADER; 48];
    let mut response = httparse::Response::new(&mut headers);
    let parsed = response.parse(buffer).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    let httparse::Status::Complete(length) = parsed else { return Ok(None) };
    let number = |name: &str| {
        let found = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(found.value).ok()?.parse::<u64>().ok()
    };
    Ok(Some(Head {
        status: response.code.unwrap_or_default(),
        retry_after: number("retry-after"),
        length,
        body_length: usize::try_from(number("content-length").unwrap_or_default()).unwrap_or_default(),
    }))
}

/// A GET, with a bearer token where one is given.
pub(super) fn get(path: &str, bearer: Option<&str>) -> Vec<u8> {
    let authorization = bearer.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
    format!("GET {path} HTTP/1.1\r\nhost: userd.bench\r\nuser-agent: bench\r\n{authorization}\r\n").into_bytes()
}

/// A GET as a browser sends it that has this cookie.
pub(super) fn get_with_cookie(path: &str, cookie: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: userd.bench\r\nuser-agent: bench\r\ncookie: {cookie}\r\n\r\n").into_bytes()
}

/// A POST of JSON.
pub(super) fn post_json(path: &str, body: &serde_json::Value) -> Vec<u8> {
    post(path, "application/json", "", &body.to_string())
}

/// A POST of anything; `more` are whole header lines.
pub(super) fn post(path: &str, media_type: &str, more: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: userd.bench\r\nuser-agent: bench\r\ncontent-type: {media_type}\r\n\
         content-length: {length}\r\n{more}\r\n{body}"
    )
    .into_bytes()
}
