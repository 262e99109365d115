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
