//! What an event of the log says as a shared signal: CAEP 1.0 and RISC 1.0. Ids and words only; the one thing that is looked
//! up is what tokens of the user say now.

use serde_json::{Map, Value, json};
use userd_model::{Event, EventKind, QueuedSignal, Signal, Stream, Timestamp, UserId};
use userd_storage::Failure;
use uuid::Uuid;

use super::Streams;

/// What an event says, before it is known of whom.
struct Said {
    signal: Signal,
    /// Only this session is meant.
    session: Option<String>,
    body: Map<String, Value>,
}

/// The signals that a stream carries of these events, in their order, not yet numbered.
pub(super) async fn of(streams: &Streams, stream: &Stream, events: &[Event]) -> Result<Vec<QueuedSignal>, Failure> {
    let now = streams.deps.now();
    let mut signals = Vec::new();
    for event in events {
        let (Some(user), Some(mut said)) = (event.subject.user_id(), said(event)) else { continue };
        if !stream.wants(said.signal) {
            continue;
        }
        if said.signal == Signal::TokenClaimsChange {
            said.body.insert("claims".to_owned(), claims(streams, user, now).await?);
        }
        let id = id(streams, stream, event);
        let payload = payload(&streams.deps.settings.issuer, stream, (event, id), &said, now);
        let (stream_id, user_id, expires_at) = (stream.id, Some(user), event.expires_at);
        signals.push(QueuedSignal { stream_id, id, number: 0, user_id, payload, created_at: now, expires_at });
    }
    Ok(signals)
}

/// The same for one event and stream, however often it is queued.
fn id(streams: &Streams, stream: &Stream, event: &Event) -> Uuid {
    let parts: [&[u8]; 2] = [stream.id.0.as_bytes(), event.id.0.as_bytes()];
    let [bytes @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] =
        streams.deps.crypto.index.keyed_hash("id of a signal", &parts);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

/// What tokens of the user say from now on.
async fn claims(streams: &Streams, user: UserId, now: Timestamp) -> Result<Value, Failure> {
    let Some(user) = streams.deps.store.reading().users().find(user).await? else {
        return Ok(json!({ "roles": [], "permissions": [] }));
    };
    let rights = streams.roles.rights_of(&user, now).await?;
    Ok(json!({ "roles": rights.roles, "permissions": rights.permissions }))
}

/// A whole token, to be signed.
fn payload(issuer: &str, stream: &Stream, (event, id): (&Event, Uuid), said: &Said, now: Timestamp) -> Value {
    let user = json!({ "format": "iss_sub", "iss": issuer, "sub": event.subject.id });
    let sub_id = match &said.session {
        None => user,
        Some(session) => {
            json!({ "format": "complex", "user": user, "session": { "format": "opaque", "id": session } })
        }
    };
    json!({
        "iss": issuer,
        "aud": stream.client_id,
        "jti": id,
        "iat": now.seconds(),
        "toe": event.at.seconds(),
        "txn": event.id.0,
        "sub_id": sub_id,
        "events": { said.signal.uri(): said.body },
    })
}

/// What a stream says of itself.
pub(super) fn control(issuer: &str, stream: &Stream, id: Uuid, (kind, body): (&str, Value), now: Timestamp) -> Value {
    json!({
        "iss": issuer,
        "aud": stream.client_id,
        "jti": id,
        "iat": now.seconds(),
        "txn": id,
        "sub_id": { "format": "opaque", "id": stream.id },
        "events": { kind: body },
    })
}

fn said(event: &Event) -> Option<Said> {
    let kind = EventKind::ALL.iter().copied().find(|kind| kind.as_str() == event.kind)?;
    let word = |name: &str| event.data.get(name).and_then(Value::as_str).unwrap_or_default();
    let why = |by: &str, text: &str| {
        let at = event.at.seconds();
        json!({ "event_timestamp": at, "initiating_entity": by, "reason_admin": { "en": text } })
    };
    let caep = |signal, by: &str, text: &str, own: Value| {
        let mut body = object(why(by, text));
        body.extend(object(own));
        Some(Said { signal, session: None, body })
    };
    let session = |said: Option<Said>| Some(Said { session: Some(word("session_id").to_owned()), ..said? });
    let risc = |signal| Some(Said { signal, session: None, body: Map::new() });
    match kind {
        EventKind::SessionEnded => {
            let reason = word("reason");
            session(caep(Signal::SessionRevoked, ended_by(reason), &format!("The session ended: {reason}"), json!({})))
        }
        EventKind::RefreshTokenReplayed => {
            let text = "Two parties held refresh tokens of the session";
            session(caep(Signal::SessionRevoked, "policy", text, json!({})))
        }
        EventKind::AssuranceRaised => {
            let own = json!({
                "namespace": "NIST-AAL",
                "current_level": format!("nist-{}", word("acr")),
                "previous_level": format!("nist-{}", word("previous")),
                "change_direction": "increase",
            });
            session(caep(Signal::AssuranceLevelChange, "user", "A second factor was shown", own))
        }
        EventKind::PasswordChanged => {
            let own = json!({ "credential_type": "password", "change_type": "update" });
            caep(Signal::CredentialChange, "user", "The password changed", own)
        }
        EventKind::FactorAdded => {
            let own = json!({ "credential_type": credential(word("kind")), "change_type": "create" });
            caep(Signal::CredentialChange, "user", "A second factor was set up", own)
        }
        EventKind::FactorRemoved => {
            let by = if matches!(word("reason"), "removed_by_user" | "not_me") { "user" } else { "admin" };
            let change = if by == "user" { "delete" } else { "revoke" };
            let own = json!({ "credential_type": credential(word("kind")), "change_type": change });
            caep(Signal::CredentialChange, by, "A second factor was removed", own)
        }
        EventKind::RoleGranted | EventKind::PermissionGranted => {
            caep(Signal::TokenClaimsChange, "admin", "A role or permission was given", json!({}))
        }
        EventKind::RoleRevoked | EventKind::PermissionRevoked => {
            let by = match word("reason") {
                "expired" => "policy",
                "requested" => "user",
                _ => "admin",
            };
            caep(Signal::TokenClaimsChange, by, "A role or permission was taken away, or has ended", json!({}))
        }
        EventKind::UserBlocked | EventKind::UserDeleted => risc(Signal::AccountDisabled),
        // It cannot be used, as before.
        EventKind::UserRestored if word("status") == "blocked" => None,
        EventKind::UserUnblocked | EventKind::UserRestored => risc(Signal::AccountEnabled),
        EventKind::UserPurged => risc(Signal::AccountPurged),
        EventKind::PasswordChangeRequired => risc(Signal::AccountCredentialChangeRequired),
        _ => None,
    }
}

/// Who ended a session, by the reason that is told.
fn ended_by(reason: &str) -> &'static str {
    match reason {
        "logout" | "logout_all" | "revoked" | "ended_by_user" | "password_changed" | "password_reset" | "not_me"
        | "identity_unlinked" => "user",
        "too_many_sessions" | "code_replayed" | "mailbox_proven_by_another" | "account_purged" => "policy",
        _ => "admin",
    }
}

/// CAEP has no word for a passkey wherever it lives: the nearest.
fn credential(kind: &str) -> &'static str {
    if kind == "passkey" { "fido2-platform" } else { "app" }
}

fn object(value: Value) -> Map<String, Value> {
    if let Value::Object(members) = value { members } else { Map::new() }
}
