//! What open streams of notifications hold: memory of the server for each, and its processor time while nothing happens.

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{
    Fault, Pace,
    client::get,
    load::count,
    people::Person,
    report::{Report, Table, short},
    runtime,
    server::Server,
    starting::kib_as_mib,
};

/// Streams of each person.
const EACH: usize = 8;

pub(super) fn measure(server: &Server, people: &[Person], pace: &Pace, report: &mut Report) -> Result<(), Fault> {
    super::say("open streams of notifications");
    let before = server.memory()?.now;
    runtime()?.block_on(async {
        let mut streams = Vec::with_capacity(people.len() * EACH);
        for person in people {
            for _ in 0..EACH {
                streams.push(open(server, person).await?);
            }
        }
        let (held, used) = (server.memory()?.now, server.cpu()?);
        let quiet = pace.round * 4;
        tokio::time::sleep(quiet).await;
        let used = server.cpu()?.saturating_sub(used).as_secs_f64() / quiet.as_secs_f64() * 100.0;
        let kib = kib_as_mib(held.saturating_sub(before)) * 1024.0 / count(streams.len());
        let mut table = Table::new(
            "Open streams of notifications",
            format!(
                "{EACH} streams of each of {} people, on which nothing is sent but a comment every 15 s.",
                people.len()
            ),
            &["", "measured"],
        );
        table.row(["streams".to_owned(), streams.len().to_string()]);
        table.row(["resident memory for each".to_owned(), format!("{} KiB", short(kib))]);
        table.row(["processor time of the server meanwhile".to_owned(), format!("{} % of a core", short(used))]);
        report.tables.push(table);
        Ok(())
    })
}

async fn open(server: &Server, person: &Person) -> Result<TcpStream, Fault> {
    let mut stream = TcpStream::connect(server.address).await?;
    stream.write_all(&get("/v1/me/notifications/stream", Some(&person.access_token))).await?;
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        if stream.read_buf(&mut head).await? == 0 {
            break;
        }
    }
    if head.starts_with(b"HTTP/1.1 200") {
        return Ok(stream);
    }
    Err(format!("a stream is refused: {}", String::from_utf8_lossy(&head).lines().next().unwrap_or_default()).into())
}
