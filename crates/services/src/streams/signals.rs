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

#[cfg(test)]
mod tests {
    use userd_model::EventId;

    use super::*;

    const AT: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn event(kind: &str, data: Value) -> Event {
        Event {
            shard: 0,
            position: 1,
            id: EventId::from_random([3; 16]),
            kind: kind.to_owned(),
            subject: UserId::from_random([1; 16]).into(),
            number: 1,
            at: AT,
            expires_at: AT,
            data,
        }
    }

    /// By the words of the events: whoever adds one that receivers are to know of adds it here.
    #[test]
    fn each_kind_of_event_has_its_signal_or_none() {
        let signal = |kind: &EventKind| Some((kind.as_str(), said(&event(kind.as_str(), json!({})))?.signal));
        let signals: Vec<_> = EventKind::ALL.iter().filter_map(signal).collect();
        let mut expected = vec![
            ("session.ended", Signal::SessionRevoked),
            ("session.refresh_token_replayed", Signal::SessionRevoked),
            ("session.assurance_raised", Signal::AssuranceLevelChange),
            ("user.password_changed", Signal::CredentialChange),
            ("factor.added", Signal::CredentialChange),
            ("factor.removed", Signal::CredentialChange),
            ("user.role_granted", Signal::TokenClaimsChange),
            ("user.role_revoked", Signal::TokenClaimsChange),
            ("user.permission_granted", Signal::TokenClaimsChange),
            ("user.permission_revoked", Signal::TokenClaimsChange),
            ("user.blocked", Signal::AccountDisabled),
            ("user.deleted", Signal::AccountDisabled),
            ("user.unblocked", Signal::AccountEnabled),
            ("user.restored", Signal::AccountEnabled),
            ("user.purged", Signal::AccountPurged),
            ("user.password_change_required", Signal::AccountCredentialChangeRequired),
        ];
        expected.sort_by_key(|(word, _)| EventKind::ALL.iter().position(|kind| kind.as_str() == *word));
        assert_eq!(signals, expected);
        assert!(
            said(&event("user.restored", json!({ "status": "blocked" }))).is_none(),
            "it cannot be used, as before"
        );
        assert!(said(&event("user.of_a_later_release", json!({}))).is_none());
    }

    /// What CAEP wants to know: by whom, why, of which session, and what became of what.
    #[test]
    fn a_signal_says_by_whom_and_what() {
        let session = "6a1f0c3e-0000-4000-8000-000000000001";
        let ended = |reason: &str| json!({ "session_id": session, "reason": reason });
        let changed = |kind: &str, change: &str| json!({ "credential_type": kind, "change_type": change });
        let level = json!({
            "namespace": "NIST-AAL", "current_level": "nist-aal2", "previous_level": "nist-aal1",
            "change_direction": "increase",
        });
        let raised = json!({ "session_id": session, "acr": "aal2", "previous": "aal1" });
        let removed = |kind: &str, reason: &str| json!({ "kind": kind, "reason": reason });
        let cases = [
            ("session.ended", ended("logout"), Some(session), "user", json!({})),
            ("session.ended", ended("too_many_sessions"), Some(session), "policy", json!({})),
            ("session.ended", ended("blocked"), Some(session), "admin", json!({})),
            ("session.refresh_token_replayed", ended(""), Some(session), "policy", json!({})),
            ("session.assurance_raised", raised, Some(session), "user", level),
            ("user.password_changed", json!({}), None, "user", changed("password", "update")),
            ("factor.added", json!({ "kind": "totp" }), None, "user", changed("app", "create")),
            ("factor.added", json!({ "kind": "passkey" }), None, "user", changed("fido2-platform", "create")),
            ("factor.removed", removed("totp", "removed_by_user"), None, "user", changed("app", "delete")),
            ("factor.removed", removed("passkey", "not_me"), None, "user", changed("fido2-platform", "delete")),
            ("factor.removed", removed("totp", "removed_by_admin"), None, "admin", changed("app", "revoke")),
            ("user.role_granted", json!({}), None, "admin", json!({})),
            ("user.permission_granted", json!({}), None, "admin", json!({})),
            ("user.role_revoked", json!({ "reason": "expired" }), None, "policy", json!({})),
            ("user.permission_revoked", json!({ "reason": "requested" }), None, "user", json!({})),
            ("user.role_revoked", json!({ "reason": "revoked" }), None, "admin", json!({})),
        ];
        for (kind, data, session, by, own) in cases {
            let said = said(&event(kind, data.clone())).expect("a signal");
            assert_eq!(said.session.as_deref(), session, "{kind} {data}");
            let mut body = said.body;
            assert!(body.remove("reason_admin").is_some_and(|why| why["en"].is_string()), "{kind} {data}");
            let mut expected = object(own);
            expected.extend(object(json!({ "event_timestamp": AT.seconds(), "initiating_entity": by })));
            assert_eq!(body, expected, "{kind} {data}");
        }
        for kind in ["user.blocked", "user.unblocked", "user.purged", "user.password_change_required"] {
            let said = said(&event(kind, json!({}))).expect("a signal");
            assert!(said.session.is_none() && said.body.is_empty(), "RISC asks for no more than whom: {kind}");
        }
    }

    #[test]
    fn who_ended_a_session_follows_from_the_reason() {
        let by_users = [
            "logout",
            "logout_all",
            "revoked",
            "ended_by_user",
            "password_changed",
            "password_reset",
            "not_me",
            "identity_unlinked",
        ];
        let by_rules = ["too_many_sessions", "code_replayed", "mailbox_proven_by_another", "account_purged"];
        assert_eq!(by_users.map(ended_by), ["user"; 8]);
        assert_eq!(by_rules.map(ended_by), ["policy"; 4]);
        assert_eq!(["blocked", "deleted", "restored_from_backup", ""].map(ended_by), ["admin"; 4]);
    }
}
