//! Bodies that several resources share: the contract's User, TokenPair and list page.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use userd_model::{Accepted, Document, FactorMethod, PendingStep, Timestamp, UserStatus};
use userd_services::{Completion, SignedIn, UserView, sessions::Pending};
use userd_web::{extract::Json, problem::Problem, request_layer::note_user};
use utoipa::{
    ToSchema,
    openapi::{ArrayBuilder, ObjectBuilder, Schema, schema::Type},
};
use uuid::Uuid;

/// A text that is one of these words.
pub(super) fn one_of(words: impl IntoIterator<Item = &'static str>) -> Schema {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)).into()
}

pub(super) fn statuses() -> Schema {
    one_of(UserStatus::ALL.map(UserStatus::as_str))
}

pub(super) fn bearer() -> Schema {
    one_of(["Bearer"])
}

/// An account.
#[derive(Serialize, ToSchema)]
#[schema(as = User)]
pub(crate) struct UserBody {
    /// Never changes, never used again.
    pub id: Uuid,
    #[schema(example = "anna")]
    pub username: Option<String>,
    #[schema(example = "anna@example.org")]
    pub email: Option<String>,
    pub email_verified: bool,
    /// E.164.
    #[schema(example = "+79991234567")]
    pub phone: Option<String>,
    #[schema(example = "Анна")]
    pub display_name: Option<String>,
    /// BCP 47.
    #[schema(example = "ru")]
    pub locale: Option<String>,
    /// IANA name.
    #[schema(example = "Europe/Moscow")]
    pub time_zone: Option<String>,
    /// The application's own facts.
    pub attributes: serde_json::Map<String, serde_json::Value>,
    #[schema(schema_with = statuses)]
    pub status: UserStatus,
    pub roles: Vec<String>,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_sign_in_at: Option<Timestamp>,
    /// When the block ends by itself.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub blocked_until: Option<Timestamp>,
    /// Why it is blocked.
    pub block_reason: Option<String>,
    /// For `If-Match`.
    pub version: i64,
}

impl From<UserView> for UserBody {
    fn from(user: UserView) -> Self {
        Self {
            id: user.id.0,
            username: user.username,
            email: user.email,
            email_verified: user.email_verified,
            phone: user.phone,
            display_name: user.display_name,
            locale: user.locale,
            time_zone: user.time_zone,
            attributes: user.attributes,
            status: user.status,
            roles: user.roles,
            created_at: user.created_at,
            updated_at: user.updated_at,
            last_sign_in_at: user.last_sign_in_at,
            blocked_until: user.blocked_until,
            block_reason: user.block_reason,
            version: user.version,
        }
    }
}

/// The tokens of a session (RFC 6749 section 5.1), and whose they are.
#[derive(Serialize, ToSchema)]
#[schema(as = TokenPair)]
pub(crate) struct TokenPairBody {
    /// RFC 9068; send it as `Authorization: Bearer …`.
    pub access_token: String,
    #[schema(schema_with = bearer)]
    pub token_type: &'static str,
    /// Seconds.
    pub expires_in: u64,
    /// Opaque; works once, then its successor does.
    pub refresh_token: String,
    /// Seconds.
    pub refresh_expires_in: u64,
    pub session_id: Uuid,
    /// Keep it on the device and send it with later sign-ins there: a lockout then never applies to this device, and its
    /// owner is not told of a new one.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_token: Option<String>,
    pub user: UserBody,
}

impl From<SignedIn> for TokenPairBody {
    fn from(signed_in: SignedIn) -> Self {
        let SignedIn { user, tokens } = signed_in;
        Self {
            access_token: tokens.access_token,
            token_type: "Bearer",
            expires_in: tokens.expires_in,
            refresh_token: tokens.refresh_token,
            refresh_expires_in: tokens.refresh_expires_in,
            session_id: tokens.session_id.0,
            device_token: tokens.device_token,
            user: user.into(),
        }
    }
}

/// A proof that was good and does not suffice yet: what is asked for, and the challenge that opens it.
#[derive(Serialize, ToSchema)]
#[schema(as = PendingSignIn)]
pub(crate) struct PendingBody {
    #[schema(schema_with = steps)]
    status: String,
    /// Opens only the routes that resolve the step.
    challenge: String,
    /// How it can be resolved, where there is a choice.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(schema_with = methods, required = false)]
    methods: Vec<FactorMethod>,
    /// What has to be accepted, where that is asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    documents: Vec<DocumentBody>,
    /// After a first factor was set up, shown once: each stands for a lost factor once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    recovery_codes: Vec<String>,
    /// Seconds.
    expires_in: u64,
}

/// A document that accounts need.
#[derive(Serialize, ToSchema)]
#[schema(as = Document)]
pub(crate) struct DocumentBody {
    id: String,
    /// The version that counts now.
    version: String,
    /// Where it can be read.
    url: String,
    /// Whether nobody signs in who has not accepted it.
    required: bool,
}

impl From<Document> for DocumentBody {
    fn from(document: Document) -> Self {
        let Document { id, version, url, required } = document;
        Self { id, version, url, required }
    }
}

/// A document that is accepted.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AcceptedDocument)]
pub(crate) struct AcceptedBody {
    #[schema(max_length = 32)]
    id: String,
    /// The version that counts now.
    #[schema(max_length = 64)]
    version: String,
}

impl From<&AcceptedBody> for Accepted {
    fn from(body: &AcceptedBody) -> Self {
        Self { id: body.id.clone(), version: body.version.clone() }
    }
}

fn steps() -> Schema {
    one_of(PendingStep::ALL.iter().map(|step| step.status()))
}

fn methods() -> Schema {
    let words =
        ObjectBuilder::new().schema_type(Type::String).enum_values(Some(FactorMethod::ALL.map(FactorMethod::as_str)));
    ArrayBuilder::new().items(words).into()
}

/// What every way in answers: 200 with the tokens, or 202 with the step that is asked for first.
pub(crate) fn completed(completion: Completion) -> Response {
    match completion.signed_in() {
        Ok(signed_in) => {
            note_user(signed_in.user.id);
            Json(TokenPairBody::from(signed_in)).into_response()
        }
        Err(step) => pending(step),
    }
}

/// 202 `{status, challenge, expires_in}`: the challenge opens only the routes that resolve the step.
pub(crate) fn pending(step: Pending) -> Response {
    pending_with(step, Vec::new())
}

/// The same after a step that made recovery codes: they are shown here or never.
pub(crate) fn pending_with(step: Pending, recovery_codes: Vec<String>) -> Response {
    if step.status == PendingStep::Restore.status() {
        return Problem::account_deleted(step.challenge).into_response();
    }
    let Pending { status, challenge, methods, documents, expires_in } = step;
    let documents = documents.into_iter().map(DocumentBody::from).collect();
    let body = PendingBody { status, challenge, methods, documents, recovery_codes, expires_in };
    (StatusCode::ACCEPTED, Json(body)).into_response()
}

/// What a browser's `toJSON()` made.
#[derive(Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(as = PasskeyCredential, value_type = Object)]
pub(crate) struct Credential(serde_json::Map<String, serde_json::Value>);

impl Credential {
    pub(crate) fn into_json(self) -> serde_json::Value {
        serde_json::Value::Object(self.0)
    }
}
