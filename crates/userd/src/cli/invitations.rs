//! What may be typed after `userd invitations`.

use clap::{Subcommand, ValueHint};
use userd_model::{InvitationId, Timestamp};

/// `userd invitations …`
#[derive(Debug, Subcommand)]
pub enum InvitationsCommand {
    /// Invite somebody to register. With an address the invitation goes there by mail; without, its token is shown once.
    #[command(after_help = "Examples:\n  userd invitations create --email anna@example.org\n  \
                            userd invitations create --uses 20 --expires-at 2026-12-24T00:00:00Z")]
    Create {
        /// Where it is sent. Whoever takes it has proven the address.
        #[arg(long, value_hint = ValueHint::EmailAddress)]
        email: Option<String>,
        /// A role of the new account; may be given several times.
        #[arg(long = "role", value_name = "ROLE")]
        roles: Vec<String>,
        /// How many accounts may come of it; 1 where nothing is said.
        #[arg(long, value_name = "NUMBER")]
        uses: Option<i64>,
        /// When it ends; after 7 days where nothing is said.
        #[arg(long, value_name = "TIME", value_parser = super::users::time)]
        expires_at: Option<Timestamp>,
        /// The language of the mail, such as ru or pt-BR.
        #[arg(long)]
        locale: Option<String>,
    },
    /// List invitations that are still good, oldest first.
    List,
    /// Withdraw an invitation.
    Revoke {
        /// Its id, as the list has it.
        id: InvitationId,
    },
}
