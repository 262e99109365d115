//! `userd health`: asks the service of this configuration whether it is ready, as a container's HEALTHCHECK does: there
//! is no shell and no curl in the image.

use std::{
    io::{self, Read as _, Write as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    time::Duration,
};

use crate::{config::Config, terminal::Terminal, wiring::WiringError};

/// Somewhat longer than the service gives its parts.
const PATIENCE: Duration = Duration::from_secs(4);
const LONGEST_ANSWER: u64 = 64 * 1024;

/// Whether it is ready. Says what it answered.
///
/// # Errors
/// Nobody could be asked on this configuration.
pub fn health(config: &Config, terminal: Terminal) -> Result<bool, WiringError> {
    let address = address(config)?;
    let answer = ask(address);
    let (ready, says) = match &answer {
        Ok(answer) => (answer.starts_with("HTTP/1.1 200 "), body(answer)),
        Err(error) => (false, error.to_string()),
    };
    let json = serde_json::json!({ "address": address.to_string(), "ready": ready, "says": says });
    terminal.answer(&json, || format!("{address} is {}: {says}", if ready { "ready" } else { "not ready" }));
    Ok(ready)
}

/// Where `/readyz` is, on this machine.
fn address(config: &Config) -> Result<SocketAddr, WiringError> {
    let http = &config.http;
    let (key, listen) = match http.admin_listen.as_ref() {
        Some(listen) => ("http.admin_listen", listen.0),
        None if http.tls.certificate_file.is_some() => {
            let says = "userd health asks in the clear: configure http.admin_listen beside http.tls";
            return Err(WiringError::Config(says.to_owned()));
        }
        None => ("http.listen", http.listen.0),
    };
    if listen.port() == 0 {
        return Err(WiringError::Config(format!("{key}: with port 0 only the service knows which port it has")));
    }
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    Ok(SocketAddr::new(ip, listen.port()))
}

fn ask(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write!(stream, "GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.take(LONGEST_ANSWER).read_to_string(&mut answer)?;
    Ok(answer)
}

fn body(answer: &str) -> String {
    answer.split_once("\r\n\r\n").map_or(answer, |(_, body)| body).trim().to_owned()
}
