//! The published words.

use super::*;

/// Other services match on these: a word once published is never changed, only added to (fault 38).
#[test]
fn the_published_words_are_fixed() {
    let published = [
        "user.registered",
        "user.changed",
        "user.username_changed",
        "user.email_verified",
        "user.email_changed",
        "user.email_added",
        "user.email_removed",
        "user.password_changed",
        "user.sign_in_limit_reached",
        "user.password_change_required",
        "user.password_reset_sent",
        "user.exported",
        "user.terms_accepted",
        "user.blocked",
        "user.unblocked",
        "user.deleted",
        "user.restored",
        "user.purged",
        "user.legal_hold_placed",
        "user.legal_hold_lifted",
        "user.role_granted",
        "user.role_revoked",
        "user.permission_granted",
        "user.permission_revoked",
        "access_request.opened",
        "access_request.voted",
        "access_request.escalated",
        "access_request.closed",
        "role.created",
        "role.changed",
        "role.removed",
        "permission.registered",
        "permission.changed",
        "permission.removed",
        "session.started",
        "session.assurance_raised",
        "session.ended",
        "session.refresh_token_replayed",
        "session.refresh_token_reused",
        "identity.linked",
        "identity.unlinked",
        "identity.bot_access_changed",
        "factor.added",
        "factor.removed",
        "factor.recovery_codes_made",
        "factor.recovery_code_used",
        "client.created",
        "client.changed",
        "client.disabled",
        "client.enabled",
        "client.secret_rotated",
        "notification.sent",
        "invitation.created",
        "invitation.revoked",
        "webhook.created",
        "webhook.changed",
        "webhook.secret_rotated",
        "webhook.resent",
        "webhook.removed",
        "webhook.disabled",
        "stream.created",
        "stream.changed",
        "stream.removed",
        "signing_key.created",
        "signing_key.activated",
        "signing_key.retired",
        "signing_key.revoked",
        "signing_key.removed",
        "audit.checkpoint",
        "audit.log_opened",
        "audit.pruned",
    ];
    let words: Vec<_> = EventKind::ALL.iter().map(|kind| kind.as_str()).collect();
    for word in published {
        assert!(words.contains(&word), "{word} is gone");
    }
    for kind in EventKind::ALL {
        assert_eq!(serde_json::to_value(kind).expect("JSON"), kind.as_str());
    }
}

fn right(holds: MemberType) -> serde_json::Value {
    match holds {
        MemberType::Uuid => "11111111-1111-4111-8111-111111111111".into(),
        MemberType::Text => "a word".into(),
        MemberType::Texts => serde_json::json!(["one", "two"]),
        MemberType::Boolean => false.into(),
        MemberType::Number => 0.into(),
        MemberType::Object => serde_json::json!({}),
    }
}

fn wrong(holds: MemberType) -> Vec<serde_json::Value> {
    use serde_json::json;
    match holds {
        MemberType::Uuid => vec![json!("a word"), json!(7), json!(null)],
        MemberType::Text => vec![json!(7), json!(["one"]), json!(null)],
        MemberType::Texts => vec![json!("one"), json!(["one", 2]), json!({})],
        MemberType::Boolean => vec![json!("true"), json!(1), json!(null)],
        MemberType::Number => vec![json!(-1), json!(1.5), json!("1")],
        MemberType::Object => vec![json!([]), json!("{}"), json!(null)],
    }
}

/// Every member of every kind by itself: of another type, left out, and one too many.
#[test]
fn data_are_what_is_published_of_their_kind_or_not() {
    for kind in EventKind::ALL {
        let whole: serde_json::Map<String, serde_json::Value> =
            kind.members().iter().map(|member| (member.name.to_owned(), right(member.holds))).collect();
        let describes = |data: &serde_json::Map<String, serde_json::Value>| {
            kind.describes(&serde_json::Value::Object(data.clone()))
        };
        assert!(describes(&whole), "{kind:?}");
        for member in kind.members() {
            for value in wrong(member.holds) {
                let mut other = whole.clone();
                other.insert(member.name.to_owned(), value.clone());
                assert!(!describes(&other), "{kind:?} with {} {value}", member.name);
            }
            let mut without = whole.clone();
            without.remove(member.name);
            assert_eq!(describes(&without), !member.required, "{kind:?} without {}", member.name);
        }
        let mut more = whole.clone();
        more.insert("nobody_published_this".to_owned(), true.into());
        assert!(!describes(&more), "{kind:?}");
        assert!(!kind.describes(&serde_json::Value::Null), "{kind:?}");
    }
}

/// Whoever has shown an old token, or tried too often, has proven nothing.
#[test]
fn what_happens_to_an_account_by_whomever_is_not_its_users_doing() {
    let others: Vec<_> =
        EventKind::ALL.iter().filter(|kind| !kind.is_by_its_user()).map(|kind| kind.as_str()).collect();
    let mut expected =
        ["user.sign_in_limit_reached", "session.refresh_token_replayed", "session.refresh_token_reused"].to_vec();
    let mut found = others;
    expected.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, expected);
}
