//! Rows with awkward contents: empty text, other scripts, odd microseconds, nested documents, nothing where nothing
//! is allowed. Ids are new in every call, so that cases can share a database.

mod told;

use std::time::Duration;

use serde_json::json;
use userd_model::{
    Acceptance, Client, ClientId, EventPattern, Factor, FactorKind, FurtherEmail, Identity, IdentityId, Invitation,
    KeyState, Random, Revocation, RevocationId, Revoked, Sealed, Session, SessionId, SigningKeyRecord, Timestamp, User,
    UserId, UserStatus, Username, Webhook,
    preferences::{CategoryName, ChannelChoice, Preferences},
    quiet_hours::QuietHours,
    session::Parties,
    webhook::DisabledReason,
};
use userd_storage::{
    repositories::{
        claims::Claim, idempotency_keys::IdempotencyRecord, one_time_tokens::OneTimeToken,
        password_credentials::PasswordCredential, recovery_codes::RecoveryCode,
    },
    testing::TestRandom,
};
use uuid::Uuid;

pub(crate) use self::told::{
    audit_row, bare_fact, delivery, event, event_head, fact, hourly_count, message, message_counts, notification,
};

/// 256 new bits.
pub(crate) fn hash() -> [u8; 32] {
    TestRandom::default().secret()
}

/// A new id of whatever kind.
pub(crate) fn id<T: From<Uuid>>() -> T {
    uuid::Builder::from_random_bytes(TestRandom::default().id_bytes()).into_uuid().into()
}

/// A word that nobody else uses.
pub(crate) fn word() -> String {
    format!("слово {}", id::<Uuid>())
}

/// A moment between 2030 and 2096 that nobody else uses, to the microsecond.
pub(crate) fn moment() -> Timestamp {
    let number = i64::from_le_bytes(TestRandom::default().id_bytes()[..8].try_into().unwrap());
    Timestamp::from_micros(1_900_000_000_000_000 + number.rem_euclid(2_000_000_000_000_000))
}

pub(crate) fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn sealed(length: usize) -> Sealed {
    Sealed(hash().into_iter().cycle().take(length).collect())
}

/// Every field filled.
pub(crate) fn user() -> User {
    let now = moment();
    User {
        id: id(),
        status: UserStatus::Blocked,
        username: Some(Username::stored("Жанна_Ω".to_owned())),
        email: Some(sealed(60)),
        email_verified: true,
        phone: Some(sealed(0)),
        data_key: Some(sealed(61)),
        display_name: Some("O'Brien \"$1\" ?1 \u{1f600}\n".to_owned()),
        locale: Some(String::new()),
        time_zone: Some("Asia/Yekaterinburg".to_owned()),
        attributes: json!({"b": [1, -2.5, null, true], "a": {"": "ё", "big": 9_007_199_254_740_993_i64}})
            .as_object()
            .unwrap()
            .clone(),
        roles: vec!["admin".to_owned(), "редактор".to_owned()],
        held: held(now),
        security_epoch: i64::MAX,
        version: -1,
        created_at: now,
        updated_at: now.plus(Duration::from_micros(1)),
        last_sign_in_at: Some(Timestamp::from_micros(-1)),
        blocked_until: Some(now.plus(Duration::from_secs(60))),
        block_reason: Some(sealed(50)),
        awaits_approval_since: Some(now),
    }
}

fn held(now: Timestamp) -> userd_model::Held {
    let period = userd_model::Period { starts_at: Some(now), expires_at: Some(now.plus(seconds(9))) };
    userd_model::Held {
        permissions: vec!["billing.read".to_owned()],
        role_periods: [("редактор".to_owned(), period)].into(),
        permission_periods: [("billing.read".to_owned(), userd_model::Period::default())].into(),
    }
}

/// Every field filled.
pub(crate) fn grant(user_id: UserId) -> userd_model::Grant {
    let now = moment();
    userd_model::Grant {
        id: id(),
        user_id,
        kind: userd_model::GrantKind::Role,
        name: word(),
        source: userd_model::GrantSource::Request,
        reason: Some(sealed(40)),
        granted_by: word(),
        created_at: now,
        period: userd_model::Period { starts_at: Some(now.plus(seconds(1))), expires_at: Some(now.plus(seconds(9))) },
    }
}

/// Every field filled.
pub(crate) fn access_request(requester: UserId) -> userd_model::AccessRequest {
    let now = moment();
    let decision =
        |by, verdict, comment| userd_model::Decision { by, verdict, comment, at: now, expires_at: Some(now) };
    userd_model::AccessRequest {
        id: id(),
        requester,
        kind: userd_model::RequestKind::Permission,
        name: word(),
        action: userd_model::RequestedAction::Grant,
        reason: Some(sealed(40)),
        starts_at: Some(now.plus(seconds(1))),
        duration_seconds: Some(3600),
        state: userd_model::RequestState::Open,
        decisions: vec![
            decision(Some(id()), userd_model::Verdict::Decline, Some(sealed(33))),
            decision(None, userd_model::Verdict::Approve, None),
        ],
        created_at: now,
        expires_at: now.plus(seconds(3600)),
        version: 3,
    }
}

/// Every field filled.
pub(crate) fn registered_permission() -> userd_model::permission::RegisteredPermission {
    userd_model::permission::RegisteredPermission {
        name: word(),
        description: Some("Счета".to_owned()),
        requestable: true,
        registered_by: "operator".to_owned(),
        created_at: moment(),
        managed: true,
    }
}

/// Nothing filled that may be empty.
pub(crate) fn bare_user() -> User {
    User {
        status: UserStatus::Active,
        username: None,
        email: None,
        email_verified: false,
        phone: None,
        data_key: None,
        display_name: None,
        locale: None,
        time_zone: None,
        attributes: serde_json::Map::new(),
        roles: Vec::new(),
        held: userd_model::Held::default(),
        last_sign_in_at: None,
        blocked_until: None,
        block_reason: None,
        ..user()
    }
}

pub(crate) fn session(user_id: UserId) -> Session {
    let now = moment();
    Session {
        id: id(),
        user_id,
        device_name: Some("мой телефон".to_owned()),
        user_agent: Some("curl/8".to_owned()),
        ip: Some("2001:db8::1".to_owned()),
        amr: vec!["pwd".to_owned(), "otp".to_owned()],
        auth_time: now,
        created_at: now,
        last_seen_at: now.plus(seconds(1)),
        expires_at: now.plus(seconds(3600)),
        ended_at: Some(now.plus(seconds(2))),
        generation: 7,
        current_hash: hash().to_vec(),
        previous_hash: Some(hash().to_vec()),
        successor: Some(sealed(90)),
        identity_id: Some(userd_model::IdentityId(id())),
        parties: Some(parties()),
    }
}

fn parties() -> Parties {
    serde_json::from_value(json!({ "rotated_by": u64::MAX, "shared": true, "in_a_row": 2, "answered_at": moment() }))
        .unwrap()
}

/// Not ended, and never rotated.
pub(crate) fn new_session(user_id: UserId) -> Session {
    Session {
        device_name: None,
        user_agent: None,
        ip: None,
        amr: Vec::new(),
        ended_at: None,
        generation: 0,
        previous_hash: None,
        successor: None,
        identity_id: None,
        parties: None,
        ..session(user_id)
    }
}

pub(crate) fn acceptance(user_id: UserId) -> Acceptance {
    let (document, version) = ("условия".to_owned(), word());
    Acceptance { user_id, document, version, accepted_at: moment(), origin: Some(sealed(60)) }
}

pub(crate) fn further_email(user_id: UserId) -> FurtherEmail {
    FurtherEmail { id: id(), user_id, email: sealed(60), created_at: moment() }
}

pub(crate) fn invitation(by: UserId) -> Invitation {
    Invitation {
        id: id(),
        token_hash: hash().to_vec(),
        email: Some(sealed(60)),
        roles: vec!["editor".to_owned(), "admin".to_owned()],
        uses: 2,
        created_by: Some(by),
        created_at: moment(),
        expires_at: moment().plus(seconds(100)),
    }
}

pub(crate) fn claim(owner: UserId, kind: &'static str) -> Claim {
    Claim { hash: hash().to_vec(), kind, owner, created_at: moment() }
}

pub(crate) fn password(user_id: UserId) -> PasswordCredential {
    PasswordCredential {
        user_id,
        hash: "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA".to_owned(),
        changed_at: moment(),
        must_change: true,
    }
}

pub(crate) fn preferences() -> Preferences {
    let choice = ChannelChoice { inbox: true, email: false, telegram: true };
    Preferences {
        categories: [(CategoryName::parse("a.b_c-1").unwrap(), choice)].into(),
        quiet_hours: Some(QuietHours::parse("22:00", "08:05").unwrap()),
        version: 1,
    }
}

pub(crate) fn identity(user_id: UserId) -> Identity {
    let now = moment();
    Identity {
        id: IdentityId(id()),
        user_id,
        provider: "telegram".to_owned(),
        issuer: "https://oauth.telegram.org".to_owned(),
        subject: sealed(40),
        profile: Some(sealed(200)),
        tokens: None,
        client_id: "42".to_owned(),
        bot_access: false,
        created_at: now,
        last_used_at: now,
    }
}

pub(crate) fn factor(user_id: UserId) -> Factor {
    Factor {
        id: id(),
        user_id,
        kind: FactorKind::Totp,
        name: Some("мой телефон".to_owned()),
        secret: sealed(60),
        counter: 58_000_000,
        created_at: moment(),
        last_used_at: Some(moment()),
    }
}

pub(crate) fn recovery_code(user_id: UserId) -> RecoveryCode {
    RecoveryCode { hash: hash().to_vec(), user_id, created_at: moment() }
}

pub(crate) fn client() -> Client {
    let now = moment();
    Client {
        id: ClientId(id()),
        name: "биллинг".to_owned(),
        secret_hash: hash().to_vec(),
        permissions: vec!["users.read".to_owned()],
        permission_prefix: Some("billing.".to_owned()),
        audiences: Some(vec!["https://orders.example".to_owned()]),
        version: 3,
        created_by: Some(id()),
        created_at: now,
        secret_changed_at: now,
        disabled_at: None,
    }
}

/// Every field filled.
pub(crate) fn stream() -> userd_model::Stream {
    let now = moment();
    userd_model::Stream {
        id: id(),
        client_id: id(),
        requested: vec!["https://schemas.openid.net/secevent/caep/event-type/session-revoked".to_owned()],
        description: Some("магазин".to_owned()),
        push: Some(sealed(70)),
        status: userd_model::StreamStatus::Paused,
        reason: Some("too loud".to_owned()),
        cursor: vec![0, i64::MAX],
        queued: 7,
        verified_at: Some(now),
        failing_since: Some(now.plus(seconds(1))),
        attempts: 3,
        due_at: now.plus(seconds(2)),
        created_at: now.plus(seconds(3)),
        updated_at: now.plus(seconds(4)),
        version: i64::MAX,
    }
}

pub(crate) fn queued_signal(stream_id: userd_model::StreamId, user: UserId, number: i64) -> userd_model::QueuedSignal {
    let now = moment();
    userd_model::QueuedSignal {
        stream_id,
        id: id::<userd_model::StreamId>().0,
        number,
        user_id: Some(user),
        payload: serde_json::json!({ "iss": "https://users.example", "events": {} }),
        created_at: now,
        expires_at: now.plus(seconds(60)),
    }
}

pub(crate) fn stream_key() -> userd_model::StreamKey {
    let public_jwk = serde_json::json!({ "kty": "RSA", "kid": "one" });
    userd_model::StreamKey { kid: word(), public_jwk, private_key: sealed(90), created_at: moment() }
}

pub(crate) fn webhook() -> Webhook {
    let now = moment();
    Webhook {
        id: id(),
        url: sealed(70),
        events: ["user.*", "of.a.later.release"].map(|text| EventPattern::stored(text.to_owned())).to_vec(),
        description: Some("магазин".to_owned()),
        secret: sealed(90),
        previous_secret: Some(sealed(91)),
        previous_until: Some(now.plus(seconds(60))),
        created_by: Some(id()),
        created_at: now,
        updated_at: now.plus(seconds(1)),
        disabled_at: Some(now.plus(seconds(2))),
        disabled_reason: Some(DisabledReason::Gone),
        failing_since: Some(now),
        version: i64::MAX,
    }
}

/// Nothing filled that may be empty.
pub(crate) fn bare_webhook() -> Webhook {
    Webhook {
        description: None,
        previous_secret: None,
        previous_until: None,
        created_by: None,
        disabled_at: None,
        disabled_reason: None,
        failing_since: None,
        ..webhook()
    }
}

pub(crate) fn signing_key() -> SigningKeyRecord {
    SigningKeyRecord {
        kid: word(),
        algorithm: "EdDSA".to_owned(),
        state: KeyState::Next,
        public_jwk: json!({"kty": "OKP", "crv": "Ed25519", "x": "abc_-"}),
        private_key: sealed(120),
        created_at: moment(),
        activated_at: None,
        retired_at: None,
    }
}

/// One revocation of each kind, a second apart from `from` on.
pub(crate) fn revocations(from: Timestamp) -> Vec<Revocation> {
    let whats = [
        Revoked::Session { session_id: SessionId(id()), user_id: id() },
        Revoked::User { user_id: id(), min_epoch: 3, version: i64::MAX },
        Revoked::Token { token_id: id() },
        Revoked::Key { kid: word() },
        Revoked::Client { client_id: id(), before: i64::MAX },
        Revoked::All { issued_before: from },
        Revoked::Changed { user_id: id(), version: 0 },
    ];
    let make = |(second, what)| {
        let recorded_at = from.plus(seconds(second));
        Revocation { id: RevocationId(id()), what, recorded_at, expires_at: recorded_at.plus(seconds(600)) }
    };
    (0..).zip(whats).map(make).collect()
}

pub(crate) fn secret(owner: Option<UserId>, purpose: &str) -> OneTimeToken {
    let now = moment();
    OneTimeToken {
        hash: hash().to_vec(),
        purpose: purpose.to_owned(),
        owner,
        payload: vec![0, 255, 0],
        created_at: now,
        expires_at: now.plus(seconds(60)),
    }
}

pub(crate) fn answer() -> IdempotencyRecord {
    let now = moment();
    IdempotencyRecord {
        key_hash: hash().to_vec(),
        body_hash: hash().to_vec(),
        answer: sealed(500),
        created_at: now,
        expires_at: now.plus(seconds(60)),
    }
}
