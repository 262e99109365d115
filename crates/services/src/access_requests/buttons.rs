//! Buttons under messages about requests: what they carry, and reading it again. A button names the request and the version
//! that its message showed, and proves nothing.

use userd_model::{
    AccessRequest, AccessRequestId, Verdict,
    message::{Button, EachLanguage},
};

/// What a button begins with.
const PREFIX: &str = "request";

/// A button that was pressed: about what, in which version, and what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pressed {
    pub(crate) request: AccessRequestId,
    pub(super) version: i64,
    pub(crate) verdict: Verdict,
}

/// What a button of ours carries; nothing for the buttons of others.
pub(crate) fn parse(data: &str) -> Option<Pressed> {
    let mut parts = data.split(':');
    let (Some(PREFIX), Some(verdict), Some(id), Some(version), None) =
        (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    let verdict = [Verdict::Approve, Verdict::Decline].into_iter().find(|known| known.as_str() == verdict)?;
    Some(Pressed { request: AccessRequestId(id.parse().ok()?), version: version.parse().ok()?, verdict })
}

/// The two buttons under a message about a request, as it is now: at most 64 bytes each, as the Bot API wants.
pub(super) fn buttons_of(request: &AccessRequest) -> Vec<Button> {
    let button = |verdict: Verdict, en: &str, ru: &str| Button {
        label: EachLanguage { en: en.to_owned(), ru: ru.to_owned() },
        data: format!("{PREFIX}:{}:{}:{}", verdict.as_str(), request.id.0.simple(), request.version),
    };
    vec![button(Verdict::Approve, "Approve", "Одобрить"), button(Verdict::Decline, "Decline", "Отклонить")]
}

/// What programs that show inboxes find in the message about a request.
pub(super) fn data_of(request: &AccessRequest) -> serde_json::Map<String, serde_json::Value> {
    let mut data = serde_json::Map::new();
    data.insert("request_id".to_owned(), request.id.0.to_string().into());
    data
}
