//! What an object of each software says of somebody: a source is one file here and a line in each `match`.

mod better_auth;
mod django;
mod fastapi_users;
mod fastid;
mod firebase;
mod keycloak;
mod kratos;
mod ours;
mod supabase;
mod values;

use std::path::Path;

use userd_services::import::ImportedPerson;

pub use self::firebase::HashConfig;
pub(super) use self::values::{by_one_spelling, member};
use super::rows::{Format, Object};

/// Where people come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Source {
    /// Columns by our names: id, email, email_verified, username, phone, display_name, locale, roles, password_hash,
    /// created_at, blocked, blocked_until, identity.PROVIDER.
    Csv,
    /// The same as objects, one a line; `roles` a list, `identities` an object from provider to subject.
    Jsonl,
    /// The table of fastapi-users (id, email, hashed_password, is_active, is_verified), as CSV or JSON Lines.
    FastapiUsers,
    /// `manage.py dumpdata auth.user`, as JSON or JSON Lines (--format jsonl).
    Django,
    /// A realm export with its users, or a file of users of it.
    Keycloak,
    /// FastID's table `users`, as CSV, JSON or JSON Lines; --accounts: `oauth_accounts`.
    #[value(name = "fastid")]
    FastId,
    /// Identities of Ory Kratos with their credentials, as JSON or JSON Lines.
    Kratos,
    /// Supabase's table `auth.users`, as CSV, JSON or JSON Lines; --accounts: `auth.identities`.
    Supabase,
    /// better-auth's table `user`, as CSV, JSON or JSON Lines; --accounts: `account`.
    BetterAuth,
    /// `firebase auth:export`, as JSON; --hash-config: the parameters of its hashes.
    Firebase,
}

impl Source {
    /// The name by which it is remembered where somebody came from.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
            Self::FastapiUsers => "fastapi-users",
            Self::Django => "django",
            Self::Keycloak => "keycloak",
            Self::FastId => "fastid",
            Self::Kratos => "kratos",
            Self::Supabase => "supabase",
            Self::BetterAuth => "better-auth",
            Self::Firebase => "firebase",
        }
    }

    /// The member of somebody with their accounts elsewhere, where that software has these in a table of their own.
    pub(super) const fn accounts(self) -> Option<&'static str> {
        match self {
            Self::FastId => Some("oauth_accounts"),
            Self::Supabase => Some("identities"),
            Self::BetterAuth => Some("accounts"),
            _ => None,
        }
    }

    /// What a provider of that software is usually called here.
    #[must_use]
    pub fn usual_provider(self, there: &str) -> &str {
        match self {
            Self::Firebase => there.strip_prefix("oidc.").or_else(|| there.strip_suffix(".com")).unwrap_or(there),
            Self::Supabase => there.strip_prefix("custom:").unwrap_or(there),
            _ => there,
        }
    }

    pub(super) fn format(self, path: &Path) -> Format {
        let ends = |end: &str| path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(end));
        match self {
            Self::Csv => Format::Csv,
            Self::Jsonl => Format::JsonLines,
            _ if ends("csv") => Format::Csv,
            _ if ends("jsonl") || ends("ndjson") => Format::JsonLines,
            Self::Kratos => Format::Json("identities"),
            _ => Format::Json("users"),
        }
    }

    /// Who it is.
    ///
    /// # Errors
    /// Why nobody can tell.
    pub(super) fn person(self, object: Object, hashes: Option<&HashConfig>) -> Result<ImportedPerson, String> {
        match self {
            Self::Csv | Self::Jsonl => ours::ours(object),
            Self::FastapiUsers => fastapi_users::fastapi_users(&object),
            Self::Django => django::django(&object),
            Self::Keycloak => keycloak::keycloak(&object),
            Self::FastId => fastid::fastid(&object),
            Self::Kratos => kratos::kratos(&object),
            Self::Supabase => supabase::supabase(&object),
            Self::BetterAuth => better_auth::better_auth(object),
            Self::Firebase => firebase::firebase(&object, hashes),
        }
    }
}
