//! `userd roles …`: what may be typed.

use std::path::PathBuf;

use clap::{Subcommand, ValueHint};
use userd_model::Timestamp;

/// `userd roles …`
#[derive(Clone, Debug, Subcommand)]
pub enum RolesCommand {
    /// List roles and what they allow.
    List,
    /// Say what `apply` would change; nothing is changed.
    Plan {
        /// The file: `permissions` and `roles`, as `export` writes them. Not said: what the configuration declares.
        #[arg(value_hint = ValueHint::FilePath)]
        file: Option<PathBuf>,
    },
    /// Make roles and permissions what a file says. The API changes them no more.
    #[command(after_help = "Example:\n  userd roles export > roles.yaml && userd roles plan roles.yaml")]
    Apply {
        /// The file: `permissions` and `roles`, as `export` writes them. Not said: what the configuration declares.
        #[arg(value_hint = ValueHint::FilePath)]
        file: Option<PathBuf>,
    },
    /// Print every role and permission that was made, as a file for `apply`.
    Export,
    /// Give a role to an account, or another time for one that it has.
    Grant {
        /// Id, e-mail address, username or phone number.
        user: String,
        /// The role.
        role: String,
        /// When it ends by itself, such as 2027-01-31T00:00:00Z.
        #[arg(long, value_name = "TIME")]
        expires_at: Option<Timestamp>,
        /// Why.
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Take a role from an account: its tokens lose it at once.
    Revoke {
        /// Id, e-mail address, username or phone number.
        user: String,
        /// The role.
        role: String,
    },
}
