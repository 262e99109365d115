//! Words that are stored, or that other services match on: no release may write another one for the same thing. Those of
//! events, accounts, keys and deliveries stand beside what they name.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails by panicking")]

use userd_model::{
    DeletedBy, FactorKind, FactorMethod, Folder, GrantKind, GrantSource, Level, PendingStep, Signal, StreamStatus,
    access_request::{RequestKind, RequestState, RequestedAction, Verdict},
    message::{Audience, MessageState},
    preferences::{Category, MessageChannel},
};

/// The words of values, in order.
fn are<T: Copy>(values: &[T], word: impl Fn(T) -> &'static str, words: &[&str]) {
    let said: Vec<_> = values.iter().map(|value| word(*value)).collect();
    assert_eq!(said, words);
}

/// The same, where the word is read again, as it is written and in no other way.
fn are_read<T: Copy + PartialEq + std::fmt::Debug>(
    values: &[T],
    word: impl Fn(T) -> &'static str,
    parse: impl Fn(&str) -> Option<T>,
    words: &[&str],
) {
    are(values, &word, words);
    for value in values {
        assert_eq!(parse(word(*value)), Some(*value));
        assert_eq!(parse(&word(*value).to_uppercase()), None);
    }
}

/// (fault 38)
#[test]
fn the_words_that_others_rely_on_are_fixed() {
    are_read(&RequestKind::ALL, RequestKind::as_str, RequestKind::parse, &["role", "permission", "account"]);
    let actions = [RequestedAction::Grant, RequestedAction::Revoke, RequestedAction::Register];
    are_read(&actions, RequestedAction::as_str, RequestedAction::parse, &["grant", "revoke", "register"]);
    let states = ["open", "approved", "declined", "withdrawn", "expired"];
    are_read(&RequestState::ALL, RequestState::as_str, RequestState::parse, &states);
    are(&[Verdict::Approve, Verdict::Decline], Verdict::as_str, &["approve", "decline"]);
    are_read(&[GrantKind::Role, GrantKind::Permission], GrantKind::as_str, GrantKind::parse, &["role", "permission"]);
    let sources = [GrantSource::Direct, GrantSource::Request, GrantSource::Config];
    are_read(&sources, GrantSource::as_str, GrantSource::parse, &["direct", "request", "config"]);
    are_read(&FactorKind::ALL, FactorKind::as_str, FactorKind::parse, &["totp", "passkey"]);
    let deleted = [DeletedBy::Owner, DeletedBy::Administrator];
    are_read(&deleted, DeletedBy::as_str, DeletedBy::parse, &["owner", "administrator"]);
    are(&FactorMethod::ALL, FactorMethod::as_str, &["totp", "passkey", "recovery_code"]);
    are(&[Level::One, Level::Two], Level::as_str, &["aal1", "aal2"]);
    let audiences = [Audience::Users(Vec::new()), Audience::Role(String::new()), Audience::All];
    assert_eq!(audiences.each_ref().map(Audience::as_str), ["users", "role", "all"]);
    let states = [MessageState::Pending, MessageState::Expanded, MessageState::Expired];
    are_read(&states, MessageState::as_str, MessageState::parse, &["pending", "expanded", "expired"]);
    let folders = [Folder::Unread, Folder::Read, Folder::Archived];
    are_read(&folders, Folder::as_str, Folder::parse, &["unread", "read", "archived"]);
    are(&Category::ALL, Category::as_str, &["security", "account", "administration", "message"]);
    are(&MessageChannel::ALL, MessageChannel::as_str, &["inbox", "email", "telegram"]);
    let statuses = [StreamStatus::Enabled, StreamStatus::Paused, StreamStatus::Disabled];
    are_read(&statuses, StreamStatus::as_str, StreamStatus::parse, &["enabled", "paused", "disabled"]);
    let signals: Vec<_> = Signal::ALL.iter().map(|signal| signal.uri()).collect();
    let published = [
        "caep/event-type/session-revoked",
        "caep/event-type/token-claims-change",
        "caep/event-type/credential-change",
        "caep/event-type/assurance-level-change",
        "risc/event-type/account-disabled",
        "risc/event-type/account-enabled",
        "risc/event-type/account-purged",
        "risc/event-type/account-credential-change-required",
    ];
    assert_eq!(signals, published.map(|end| format!("https://schemas.openid.net/secevent/{end}")));
    let steps = [
        "second_factor_required",
        "factor_setup_required",
        "password_change_required",
        "confirmation_required",
        "approval_pending",
        "terms_required",
        "account_deleted",
    ];
    are(PendingStep::ALL, PendingStep::status, &steps);
}

/// Enumerations that travel as JSON say there what they say elsewhere. (fault 38)
#[test]
fn the_words_in_json_are_the_same() {
    for kind in RequestKind::ALL {
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
    }
    for state in RequestState::ALL {
        assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
    }
    for verdict in [Verdict::Approve, Verdict::Decline] {
        assert_eq!(serde_json::to_value(verdict).unwrap(), verdict.as_str());
    }
    for source in [GrantSource::Direct, GrantSource::Request, GrantSource::Config] {
        assert_eq!(serde_json::to_value(source).unwrap(), source.as_str());
    }
    for method in FactorMethod::ALL {
        assert_eq!(serde_json::to_value(method).unwrap(), method.as_str());
    }
}
