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

#[cfg(test)]
mod tests {
    use userd_model::{RequestKind, RequestState, RequestedAction, Timestamp, UserId};

    use super::*;

    fn request(version: i64) -> AccessRequest {
        let now = Timestamp::from_seconds(1_800_000_000);
        AccessRequest {
            id: AccessRequestId::from_random([7; 16]),
            requester: UserId::from_random([1; 16]),
            kind: RequestKind::Role,
            name: "editor".to_owned(),
            action: RequestedAction::Grant,
            reason: None,
            starts_at: None,
            duration_seconds: None,
            state: RequestState::Open,
            decisions: Vec::new(),
            created_at: now,
            expires_at: now,
            version,
        }
    }

    #[test]
    fn a_button_says_which_request_in_which_version_and_what() {
        for version in [1, 2, 999_999_999_999_999] {
            let request = request(version);
            let buttons = buttons_of(&request);
            let pressed: Vec<_> = buttons.iter().map(|button| parse(&button.data).expect("a button of ours")).collect();
            let expected =
                [Verdict::Approve, Verdict::Decline].map(|verdict| Pressed { request: request.id, version, verdict });
            assert_eq!(pressed, expected);
            assert!(buttons.iter().all(|button| button.data.len() <= 64), "the Bot API takes no more");
            assert_eq!([&buttons[0].label.en, &buttons[1].label.en], ["Approve", "Decline"]);
            assert_eq!([&buttons[0].label.ru, &buttons[1].label.ru], ["Одобрить", "Отклонить"]);
        }
    }

    #[test]
    fn what_is_no_button_of_ours_is_nothing() {
        let id = AccessRequestId::from_random([7; 16]).0.simple();
        for data in [
            String::new(),
            "request".to_owned(),
            format!("request:approve:{id}"),
            format!("request:approve:{id}:1:"),
            format!("request:approve:{id}:1:2"),
            format!("request:approve:{id}:"),
            format!("request:approve:{id}:one"),
            format!("request:approved:{id}:1"),
            format!("request::{id}:1"),
            "request:approve:nobodys:1".to_owned(),
            format!("link:approve:{id}:1"),
            format!(":approve:{id}:1"),
        ] {
            assert_eq!(parse(&data), None, "{data}");
        }
    }
}
