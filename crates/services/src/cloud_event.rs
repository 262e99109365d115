//! An event as other services read it: the same in the feed and in webhooks (CloudEvents 1.0).

use serde::Serialize;
use userd_model::{Event, Timestamp};

/// One event, as CloudEvents 1.0 writes it in JSON.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[expect(missing_docs, reason = "named as CloudEvents name them")]
pub struct CloudEvent {
    pub specversion: &'static str,
    pub id: uuid::Uuid,
    pub source: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub subject: String,
    pub sequence: String,
    pub time: Timestamp,
    pub datacontenttype: &'static str,
    pub data: serde_json::Value,
}

impl CloudEvent {
    /// An event of the log, of the issuer with this name.
    #[must_use]
    pub fn of(event: Event, issuer: &str) -> Self {
        Self {
            specversion: "1.0",
            id: event.id.0,
            source: issuer.to_owned(),
            kind: event.kind,
            subject: event.subject.id,
            // As the extension "sequence" writes it: texts that sort as the numbers do.
            sequence: format!("{:020}", event.number),
            time: event.at,
            datacontenttype: "application/json",
            data: event.data,
        }
    }
}
