//! What answers say that are made elsewhere, for the API document only: the key set and introspection. A test holds both
//! against the answers.
#![expect(dead_code, reason = "only their schemas are used")]

use utoipa::ToSchema;
use uuid::Uuid;

/// The public signing keys (RFC 7517).
#[derive(ToSchema)]
pub(super) struct KeySet {
    keys: Vec<PublicKey>,
}

/// One public key; what it consists of depends on `kty` (RFC 7518, RFC 8037).
#[derive(ToSchema)]
struct PublicKey {
    #[schema(example = "OKP")]
    kty: String,
    kid: String,
    #[schema(example = "EdDSA")]
    alg: String,
    #[schema(rename = "use", example = "sig")]
    r#use: String,
    /// `OKP` and `EC`.
    #[schema(nullable = false)]
    crv: Option<String>,
    /// `OKP` and `EC`.
    #[schema(nullable = false)]
    x: Option<String>,
    /// `EC`.
    #[schema(nullable = false)]
    y: Option<String>,
    /// `RSA`.
    #[schema(nullable = false)]
    n: Option<String>,
    /// `RSA`.
    #[schema(nullable = false)]
    e: Option<String>,
}

/// What a token says (RFC 7662 section 2.2), with the roles and permissions that its user holds now. One that is not active has
/// `active` alone; the members of one that is are those of the token, and all there but `sid`, `gen`, `auth_time` (people) and `scope` (services).
#[derive(ToSchema)]
pub(super) struct Introspection {
    active: bool,
    #[schema(nullable = false, example = "Bearer")]
    token_type: Option<String>,
    #[schema(nullable = false)]
    iss: Option<String>,
    /// The one service that it is for.
    #[schema(nullable = false, example = "userd")]
    aud: Option<String>,
    /// The user, or the service account.
    #[schema(nullable = false)]
    sub: Option<Uuid>,
    /// Whether `sub` is a person.
    #[schema(schema_with = sub_types)]
    sub_type: Option<String>,
    #[schema(nullable = false)]
    client_id: Option<String>,
    #[schema(nullable = false)]
    jti: Option<Uuid>,
    /// The session.
    #[schema(nullable = false)]
    sid: Option<Uuid>,
    /// Seconds since 1970, as `nbf`, `exp` and `auth_time`.
    #[schema(nullable = false)]
    iat: Option<i64>,
    #[schema(nullable = false)]
    nbf: Option<i64>,
    #[schema(nullable = false)]
    exp: Option<i64>,
    #[schema(nullable = false)]
    auth_time: Option<i64>,
    #[schema(nullable = false)]
    amr: Option<Vec<String>>,
    /// How strongly the user has proven who they are: `aal1` by one factor, `aal2` by two.
    #[schema(nullable = false)]
    acr: Option<String>,
    #[schema(nullable = false)]
    roles: Option<Vec<String>>,
    #[schema(nullable = false)]
    permissions: Option<Vec<String>>,
    /// The permissions, separated by spaces.
    #[schema(nullable = false)]
    scope: Option<String>,
    /// Which refresh token of the session it came with, counted.
    #[schema(rename = "gen", nullable = false)]
    r#gen: Option<i64>,
    /// The version that revocations count by.
    #[schema(nullable = false)]
    ver: Option<i64>,
}

fn sub_types() -> utoipa::openapi::Schema {
    super::bodies::one_of(["user", "client"])
}
