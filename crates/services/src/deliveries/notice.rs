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

#[cfg(test)]
mod tests {
    use serde_json::json;
    use userd_model::{EventId, FactActor, Subject, Timestamp};

    use super::*;
    use crate::fact_drafts::FactOrigin;

    const WHEN: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn fact(kind: EventKind, data: Json) -> Fact {
        Fact {
            id: EventId::from_random([3; 16]),
            kind: kind.as_str().to_owned(),
            public: true,
            subject: Subject::from(UserId::from_random([1; 16])),
            number: 1,
            actor: FactActor::unknown(),
            request_id: None,
            origin: None,
            personal: None,
            at: WHEN,
            data,
        }
    }

    /// Everything that people are told of, by the words of the events: whoever adds one adds it here.
    #[test]
    fn each_kind_of_fact_is_told_in_words_of_its_own_or_not_at_all() {
        let told: Vec<_> = EventKind::ALL
            .iter()
            .filter_map(|kind| Some((kind.as_str(), template(&fact(*kind, json!({ "new_device": true })))?.as_str())))
            .collect();
        let mut expected = vec![
            ("session.started", "new_device"),
            ("user.password_changed", "password_changed"),
            ("user.email_changed", "email_changed"),
            ("user.email_added", "email_added"),
            ("user.email_removed", "email_removed"),
            ("user.username_changed", "username_changed"),
            ("identity.linked", "way_in_added"),
            ("identity.unlinked", "way_in_removed"),
            ("session.refresh_token_replayed", "session_stolen"),
            ("factor.added", "factor_added"),
            ("factor.removed", "factor_removed"),
            ("factor.recovery_codes_made", "recovery_codes_made"),
            ("factor.recovery_code_used", "recovery_code_used"),
            ("user.role_granted", "role_changed"),
            ("user.role_revoked", "role_changed"),
            ("user.blocked", "account_blocked"),
            ("access_request.closed", "access_decided"),
        ];
        let place = |(word, _): &(&str, &str)| EventKind::ALL.iter().position(|kind| kind.as_str() == *word);
        expected.sort_by_key(place);
        assert_eq!(told, expected);
    }

    #[test]
    fn what_is_no_news_to_the_user_is_not_told() {
        let seen = fact(EventKind::SessionStarted, json!({ "new_device": false }));
        let withdrawn = fact(EventKind::AccessRequestClosed, json!({ "state": "withdrawn" }));
        let elsewhere = Fact { subject: Subject { kind: "role".to_owned(), ..seen.subject.clone() }, ..seen.clone() };
        let blocked = Fact { kind: EventKind::UserBlocked.as_str().to_owned(), ..elsewhere };
        let later = Fact { kind: "user.of_a_later_release".to_owned(), ..seen.clone() };
        for fact in [seen, fact(EventKind::SessionStarted, json!({})), withdrawn, blocked, later] {
            assert!(of(&fact, std::slice::from_ref(&fact)).is_none(), "{fact:?}");
        }
        let expired = fact(EventKind::AccessRequestClosed, json!({ "state": "expired" }));
        assert!(of(&expired, std::slice::from_ref(&expired)).is_some());
    }

    /// What belongs to a registration, or to the answer to a request, is told by that; whatever else comes with it is not.
    #[test]
    fn what_was_told_by_another_fact_is_not_told_twice() {
        let new_device = || fact(EventKind::SessionStarted, json!({ "new_device": true }));
        let plain = |kind| fact(kind, json!({}));
        let (registered, closed) = (EventKind::UserRegistered, EventKind::AccessRequestClosed);
        for (told, by_registration, by_answer) in [
            (new_device(), true, false),
            (plain(EventKind::IdentityLinked), true, false),
            (plain(EventKind::RoleGranted), true, true),
            (plain(EventKind::RoleRevoked), true, true),
            (plain(EventKind::UserBlocked), false, true),
            (plain(EventKind::PasswordChanged), false, false),
            (plain(EventKind::EmailAdded), false, false),
            (plain(EventKind::FactorAdded), false, false),
            (plain(EventKind::RefreshTokenReplayed), false, false),
        ] {
            for (kind, is_told_by_it) in [(registered, by_registration), (closed, by_answer)] {
                let (kind_told, other) = (told.kind.clone(), plain(kind));
                let with = |other: Fact| of(&told, &[told.clone(), other]).is_some();
                assert_eq!(with(other.clone()), !is_told_by_it, "{kind_told} with {kind:?}");
                let late = Fact { at: WHEN.plus(std::time::Duration::from_micros(1)), ..other.clone() };
                let of_another = Fact { subject: UserId::from_random([2; 16]).into(), ..other };
                assert!(with(late) && with(of_another), "{kind_told} with {kind:?} of another time or user");
            }
        }
    }

    /// Each value of each message, and where who acted was: but of what an administrator does to the account.
    #[test]
    fn each_message_says_what_the_fact_does() {
        use EventKind as Of;
        let link = Url::parse("https://users.example.org/l/a").expect("a URL");
        let said = |fact: &Fact, opened: &OpenedFact| {
            let kind = template(fact).expect("a message");
            values(kind, fact, opened, ("users.example.org", &link), |id| format!("the provider {id}"))
        };
        let bare = || {
            Values::default().with("site", Value::Words("users.example.org".to_owned())).with("at", Value::Moment(WHEN))
        };
        let words = |text: &str| Value::Words(text.to_owned());
        let email = || vec![("email", Value::Exact("ada@example.org".to_owned()))];
        let provider = || vec![("provider", words("the provider acme"))];
        let passkey = |count| vec![("passkey", Value::Count(count))];
        let role = |granted| vec![("role", words("editor")), ("granted", Value::Count(granted))];
        let decided = |account, approved, expired| {
            let counts = [("account", account), ("approved", approved), ("expired", expired)];
            let counts = counts.map(|(name, count)| (name, Value::Count(count)));
            [("what", words("editor")), ("reason", words("not now"))].into_iter().chain(counts).collect()
        };
        let asked = |kind: &str, state: &str| json!({ "name": "editor", "kind": kind, "state": state });
        let opened = OpenedFact {
            origin: Some(FactOrigin { ip: Some("192.0.2.1".to_owned()), user_agent: Some("curl/8".to_owned()) }),
            personal: Some(json!({
                "before": "ada", "after": "countess", "email": "ada@example.org", "reason": "spam", "comment": "not now"
            })),
        };
        for (kind, data, own, [has_link, has_place]) in [
            (Of::SessionStarted, json!({ "new_device": true }), vec![], [true, true]),
            (Of::PasswordChanged, json!({}), vec![], [true, true]),
            (Of::EmailChanged, json!({}), vec![], [true, true]),
            (Of::EmailAdded, json!({}), email(), [true, true]),
            (Of::EmailRemoved, json!({}), email(), [true, true]),
            (Of::UsernameChanged, json!({}), vec![("username", words("countess"))], [true, true]),
            (Of::IdentityLinked, json!({ "provider": "acme" }), provider(), [true, true]),
            (Of::IdentityUnlinked, json!({ "provider": "acme" }), provider(), [true, true]),
            (Of::RefreshTokenReplayed, json!({}), vec![], [true, true]),
            (Of::FactorAdded, json!({ "kind": "passkey" }), passkey(1), [true, true]),
            (Of::FactorAdded, json!({ "kind": "totp" }), passkey(0), [true, true]),
            (Of::FactorRemoved, json!({ "kind": "passkey" }), passkey(1), [true, true]),
            (Of::FactorRemoved, json!({ "kind": "totp" }), passkey(0), [true, true]),
            (Of::RecoveryCodesMade, json!({}), vec![], [true, true]),
            (Of::RecoveryCodeUsed, json!({}), vec![], [true, true]),
            (Of::RoleGranted, json!({ "role": "editor" }), role(1), [true, false]),
            (Of::RoleRevoked, json!({ "role": "editor" }), role(0), [true, false]),
            (Of::UserBlocked, json!({}), vec![("reason", words("spam"))], [false, false]),
            (Of::AccessRequestClosed, asked("role", "approved"), decided(0, 1, 0), [false, false]),
            (Of::AccessRequestClosed, asked("role", "denied"), decided(0, 0, 0), [false, false]),
            (Of::AccessRequestClosed, asked("account", "expired"), decided(1, 0, 1), [false, false]),
        ] {
            let mut expected = own.into_iter().fold(bare(), |values, (name, value)| values.with(name, value));
            if has_link {
                expected = expected.with("link", Value::Link(link.clone()));
            }
            if has_place {
                expected = expected.with("device", words(&agents::called("curl/8")));
                expected = expected.with("address", Value::Exact("192.0.2.1".to_owned()));
            }
            assert_eq!(said(&fact(kind, data.clone()), &opened), expected, "{kind:?} {data}");
        }
        // Of whoever is erased nothing opens any more.
        assert_eq!(said(&fact(Of::UserBlocked, json!({})), &OpenedFact::default()), bare());
        let changed = said(&fact(Of::PasswordChanged, json!({})), &OpenedFact::default());
        assert_eq!(changed, bare().with("link", Value::Link(link.clone())));
    }
}
