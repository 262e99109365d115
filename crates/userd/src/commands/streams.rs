//! `userd streams …`: what receivers set up themselves, for the operator to see, pause and remove.

use userd_model::StreamId;
use userd_services::{Failure, Services, streams::StreamView};

use super::{said, said_of};
use crate::{
    cli::StreamsCommand,
    terminal::{Terminal, table},
    wiring::WiringError,
};

/// Every command about streams.
pub async fn streams(services: &Services, terminal: Terminal, command: StreamsCommand) -> Result<(), WiringError> {
    let ctx = services.operator_context();
    match command {
        StreamsCommand::List => {
            let streams = services.streams.list(&ctx).await.map_err(|failure| said(&failure))?;
            terminal.answer(&streams, || {
                let rows: Vec<_> = streams.iter().map(row).collect();
                table(&["STREAM ID", "CLIENT ID", "STATUS", "EVENTS", "TO"], &rows)
            });
        }
        StreamsCommand::Show { id } => {
            let stream = services.streams.read(&ctx, id).await.map_err(|failure| said_of_one(&failure, id))?;
            terminal.answer(&stream, || shown(&stream));
        }
        StreamsCommand::Pause { id, reason } => {
            let status = services
                .streams
                .set_status(&ctx, id, "paused", reason.as_deref())
                .await
                .map_err(|failure| said_of_one(&failure, id))?;
            terminal.answer(&status, || format!("{id} is paused: what happens is held."));
        }
        StreamsCommand::Resume { id } => {
            let status = services
                .streams
                .set_status(&ctx, id, "enabled", None)
                .await
                .map_err(|failure| said_of_one(&failure, id))?;
            terminal.answer(&status, || format!("{id} goes on."));
        }
        StreamsCommand::Delete { id } => {
            services.streams.remove(&ctx, id).await.map_err(|failure| said_of_one(&failure, id))?;
            terminal.answer(&serde_json::json!({ "id": id, "removed": true }), || format!("{id} is removed."));
        }
    }
    Ok(())
}

fn said_of_one(failure: &Failure, id: StreamId) -> WiringError {
    said_of(failure, &format!("stream {id}"), "streams list")
}

fn row(stream: &StreamView) -> Vec<String> {
    let to = stream.endpoint_url.clone().unwrap_or_else(|| "polled".to_owned());
    let events = stream.events_delivered.len().to_string();
    vec![stream.stream_id.to_string(), stream.client_id.to_string(), state(stream), events, to]
}

fn state(stream: &StreamView) -> String {
    match (stream.failing_since, &stream.reason) {
        (Some(since), _) => format!("failing since {since}"),
        (None, Some(reason)) => format!("{} ({reason})", stream.status),
        (None, None) => stream.status.to_owned(),
    }
}

fn shown(stream: &StreamView) -> String {
    let to = stream.endpoint_url.as_deref().unwrap_or("polled");
    let events: String = stream.events_delivered.iter().map(|uri| format!("\n            {uri}")).collect();
    format!(
        "stream id   {}\nclient id   {}\nstatus      {}\nto          {to}\nevents      {}{events}",
        stream.stream_id,
        stream.client_id,
        state(stream),
        stream.events_delivered.len()
    )
}
