//! What may be typed after `userd users`.

use clap::{ArgGroup, Subcommand, ValueHint};
use userd_model::{Timestamp, UserStatus};

/// `userd users …` An account is named by its id, e-mail address, username or phone number.
#[derive(Debug, Subcommand)]
pub enum UsersCommand {
    /// Make an account with the role admin. The password is asked for.
    #[command(group(ArgGroup::new("login").required(true).multiple(true).args(["email", "username"])))]
    #[command(after_help = "Examples:\n  userd users create-admin --email me@example.org\n  \
                            printf %s \"$PASSWORD\" | userd users create-admin --username root1 --password-stdin")]
    CreateAdmin {
        /// Its e-mail address; this or a username, or both.
        #[arg(long, value_hint = ValueHint::EmailAddress)]
        email: Option<String>,
        /// Its username; this or an e-mail address, or both.
        #[arg(long)]
        username: Option<String>,
        /// Read the password from the standard input: one line.
        #[arg(long)]
        password_stdin: bool,
    },
    /// Make an account without a password: its owner sets one by the address, or comes in by a provider.
    #[command(group(ArgGroup::new("login").required(true).multiple(true).args(["email", "username"])))]
    #[command(after_help = "Example:\n  userd users create --email anna@example.org --display-name Anna")]
    Create {
        /// Its e-mail address; this or a username, or both.
        #[arg(long, value_hint = ValueHint::EmailAddress)]
        email: Option<String>,
        /// Its username; this or an e-mail address, or both.
        #[arg(long)]
        username: Option<String>,
        /// How it is shown to others.
        #[arg(long)]
        display_name: Option<String>,
        /// The language of its owner, such as ru or pt-BR.
        #[arg(long)]
        locale: Option<String>,
        /// A role; may be given several times.
        #[arg(long = "role", value_name = "ROLE")]
        roles: Vec<String>,
    },
    /// List accounts, oldest first; or those to which all of the filters apply.
    List {
        /// An exact e-mail address or phone number, or how a username or display name begins.
        #[arg(long)]
        query: Option<String>,
        /// active, blocked or deleted.
        #[arg(long, value_parser = status)]
        status: Option<UserStatus>,
        /// The name of a role that they hold.
        #[arg(long)]
        role: Option<String>,
        /// The id of a provider with which they can sign in.
        #[arg(long)]
        provider: Option<String>,
        /// Those made later than this moment, such as 2026-11-29T00:00:00Z.
        #[arg(long, value_name = "TIME", value_parser = time)]
        created_after: Option<Timestamp>,
        /// At most so many.
        #[arg(long, value_name = "NUMBER", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
        limit: u32,
    },
    /// Show an account.
    Show {
        /// Id, e-mail address, username or phone number.
        user: String,
    },
    /// Block an account: every replica refuses it within a second.
    Block {
        /// Id, e-mail address, username or phone number.
        user: String,
        /// Why: shown to administrators and in the message to whom it concerns.
        #[arg(long)]
        reason: Option<String>,
        /// When the block ends by itself, such as 2026-12-24T00:00:00Z.
        #[arg(long, value_name = "TIME", value_parser = time)]
        until: Option<Timestamp>,
    },
    /// Let a blocked account in again.
    Unblock {
        /// Id, e-mail address, username or phone number.
        user: String,
    },
    /// Delete an account. It can be restored for a while; only an administrator restores it.
    Delete {
        /// Id, e-mail address, username or phone number.
        user: String,
    },
    /// Restore a deleted account.
    Restore {
        /// Id, e-mail address, username or phone number.
        user: String,
    },
    /// Erase a deleted account now, for good.
    Purge {
        /// Id, e-mail address, username or phone number.
        user: String,
        /// Yes, for good.
        #[arg(long)]
        yes: bool,
    },
    /// Write everything that is held about an account, as JSON.
    Export {
        /// Id, e-mail address, username or phone number.
        user: String,
    },
    /// Send the owner of an account a link that sets a new password.
    SendPasswordReset {
        /// Id, e-mail address, username or phone number.
        user: String,
    },
    /// Demand a new password of the owner of an account, and end its sessions.
    RequirePasswordChange {
        /// Id, e-mail address, username or phone number.
        user: String,
    },
    /// Remove every second factor of an account whose owner has lost them, and end its sessions.
    ResetFactors {
        /// Id, e-mail address, username or phone number.
        user: String,
    },
    /// Set the password of an account and end its sessions. The password is asked for.
    SetPassword {
        /// Id, e-mail address, username or phone number.
        user: String,
        /// Read the password from the standard input: one line.
        #[arg(long)]
        password_stdin: bool,
    },
}

fn status(word: &str) -> Result<UserStatus, &'static str> {
    UserStatus::parse(word).ok_or("active, blocked or deleted")
}

pub(super) fn time(text: &str) -> Result<Timestamp, &'static str> {
    text.parse().map_err(|_| "a time with its offset, such as 2026-12-24T00:00:00Z")
}
