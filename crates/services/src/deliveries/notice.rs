//! Which facts people are told of, and in which words: one line for each.

use serde_json::Value as Json;
use url::Url;
use userd_model::{EventKind, Fact, UserId, agents};
use userd_templates::{Kind, Value, Values};

use super::content::Notice;
use crate::fact_drafts::OpenedFact;

/// The notice that a fact asks for, and to whom; none for most. `together` are the facts passed on with it: what belongs
/// to a registration is no news to whoever registers.
pub(super) fn of(fact: &Fact, together: &[Fact]) -> Option<(UserId, Notice)> {
    let user = fact.subject.user_id()?;
    let kind = template(fact)?;
    let registers = |other: &Fact| {
        other.kind == EventKind::UserRegistered.as_str() && other.subject == fact.subject && other.at == fact.at
    };
    let may_belong = matches!(kind, Kind::NewDevice | Kind::WayInAdded | Kind::RoleChanged);
    let is_of_registration = may_belong && together.iter().any(registers);
    // What was asked for and granted is told once, as the answer to the request.
    let answers = |other: &Fact| {
        other.kind == EventKind::AccessRequestClosed.as_str() && other.subject == fact.subject && other.at == fact.at
    };
    let is_answered = matches!(kind, Kind::RoleChanged | Kind::AccountBlocked) && together.iter().any(answers);
    (!is_of_registration && !is_answered).then(|| (user, Notice::of(fact)))
}

/// The message that tells of a fact.
pub(super) fn template(fact: &Fact) -> Option<Kind> {
    let kind = EventKind::ALL.iter().find(|kind| kind.as_str() == fact.kind)?;
    match kind {
        EventKind::SessionStarted => {
            (fact.data.get("new_device") == Some(&Json::Bool(true))).then_some(Kind::NewDevice)
        }
        EventKind::PasswordChanged => Some(Kind::PasswordChanged),
        EventKind::EmailChanged => Some(Kind::EmailChanged),
        EventKind::EmailAdded => Some(Kind::EmailAdded),
        EventKind::EmailRemoved => Some(Kind::EmailRemoved),
        EventKind::UsernameChanged => Some(Kind::UsernameChanged),
        EventKind::IdentityLinked => Some(Kind::WayInAdded),
        EventKind::IdentityUnlinked => Some(Kind::WayInRemoved),
        EventKind::RefreshTokenReplayed => Some(Kind::SessionStolen),
        EventKind::FactorAdded => Some(Kind::FactorAdded),
        EventKind::FactorRemoved => Some(Kind::FactorRemoved),
        EventKind::RecoveryCodesMade => Some(Kind::RecoveryCodesMade),
        EventKind::RecoveryCodeUsed => Some(Kind::RecoveryCodeUsed),
        EventKind::RoleGranted | EventKind::RoleRevoked => Some(Kind::RoleChanged),
        EventKind::UserBlocked => Some(Kind::AccountBlocked),
        // Whoever withdrew a request knows it.
        EventKind::AccessRequestClosed => {
            (fact.data.get("state").and_then(Json::as_str) != Some("withdrawn")).then_some(Kind::AccessDecided)
        }
        _ => None,
    }
}

/// What is filled into the message. `called` says what people call a provider.
pub(super) fn values(
    kind: Kind,
    fact: &Fact,
    opened: &OpenedFact,
    (site, link): (&str, &Url),
    called: impl Fn(&str) -> String,
) -> Values {
    let text = |name: &str| fact.data.get(name).and_then(Json::as_str);
    let now = |name: &str| opened.personal.as_ref().and_then(|both| both.get(name)).and_then(Json::as_str);
    let values = Values::default().with("site", Value::Words(site.to_owned())).with("at", Value::Moment(fact.at));
    let values = match kind {
        Kind::UsernameChanged => values.with("username", Value::Words(now("after").unwrap_or_default().to_owned())),
        Kind::EmailAdded | Kind::EmailRemoved => {
            values.with("email", Value::Exact(now("email").unwrap_or_default().to_owned()))
        }
        Kind::WayInAdded | Kind::WayInRemoved => {
            values.with("provider", Value::Words(text("provider").map(called).unwrap_or_default()))
        }
        Kind::FactorAdded | Kind::FactorRemoved => {
            values.with("passkey", Value::Count((text("kind") == Some("passkey")).into()))
        }
        Kind::RoleChanged => values
            .with("role", Value::Words(text("role").unwrap_or_default().to_owned()))
            .with("granted", Value::Count((fact.kind == EventKind::RoleGranted.as_str()).into())),
        Kind::AccessDecided => {
            let is = |state: &str| Value::Count((text("state") == Some(state)).into());
            values
                .with("what", Value::Words(text("name").unwrap_or_default().to_owned()))
                .with("account", Value::Count((text("kind") == Some("account")).into()))
                .with("approved", is("approved"))
                .with("expired", is("expired"))
                .with_words("reason", now("comment"))
        }
        Kind::AccountBlocked => values.with_words("reason", now("reason")),
        _ => values,
    };
    let says = |name| kind.values().contains(&name) || kind.optional().contains(&name);
    let values = if says("link") { values.with("link", Value::Link(link.clone())) } else { values };
    // Who gives roles and blocks accounts is somebody else: where they are is not for whom it concerns.
    if !says("device") {
        return values;
    }
    let origin = opened.origin.as_ref();
    let device = origin.and_then(|origin| origin.user_agent.as_deref()).map(agents::called);
    let values = values.with_words("device", device.as_deref());
    match origin.and_then(|origin| origin.ip.clone()) {
        Some(ip) => values.with("address", Value::Exact(ip)),
        None => values,
    }
}
