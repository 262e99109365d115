//! The commands about messages: those that are sent, those on their way, the development mailbox, and the receivers of events.

use clap::{ArgGroup, Subcommand, ValueHint};
use userd_model::{MessageId, UserId, WebhookId};

/// `userd deliveries …`
#[derive(Debug, Subcommand)]
pub enum DeliveriesCommand {
    /// List messages in one state, newest first.
    List {
        /// pending, delivered, dead, expired or dropped.
        #[arg(long, default_value = "dead")]
        status: String,
        /// How many at most.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
    },
    /// Show one message: everything but what it says.
    Show {
        /// The message's id.
        id: String,
    },
    /// Try a message again from the beginning, also a dead letter.
    Retry {
        /// The message's id.
        id: String,
    },
    /// Send once more what a webhook was told, also where it has arrived.
    Resend {
        /// The message's id.
        id: String,
    },
    /// Give up a message that waits.
    Drop {
        /// The message's id.
        id: String,
    },
}

/// `userd mail …`
#[derive(Debug, Subcommand)]
pub enum MailCommand {
    /// List mails, newest first.
    List {
        /// How many at most.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
    },
    /// Show one mail as its reader would see it.
    Show {
        /// The mail's id.
        id: String,
    },
    /// Write one mail to a file and open it in a browser; without a terminal, say where it is.
    Open {
        /// The mail's id.
        id: String,
        /// Open nothing: print the path alone.
        #[arg(long)]
        print_path: bool,
    },
}

/// `userd notifications …`
#[derive(Subcommand)]
pub enum NotificationsCommand {
    /// Send a notification to users, to whoever holds a role, or to everybody.
    #[command(
        after_help = "Example:\n  userd notifications send --role editor --category news --title 'New' --body 'Look at it.'"
    )]
    Send(Box<SendArgs>),
    /// Show what became of a notification: copies by channel and state.
    Show {
        /// The notification's id.
        id: MessageId,
    },
}

/// `userd notifications send`
#[derive(clap::Args)]
#[command(group(ArgGroup::new("to").required(true).args(["users", "role", "all"])))]
pub struct SendArgs {
    /// A user's id; may be given several times.
    #[arg(long = "user", value_name = "ID")]
    pub users: Vec<UserId>,
    /// Everybody who holds this role.
    #[arg(long)]
    pub role: Option<String>,
    /// Everybody.
    #[arg(long)]
    pub all: bool,
    /// What it is about: people mute by it.
    #[arg(long, default_value = "message")]
    pub category: String,
    /// One line.
    #[arg(long, value_name = "TEXT")]
    pub title: String,
    /// The same for whoever reads Russian.
    #[arg(long, value_name = "TEXT", requires = "body_ru")]
    pub title_ru: Option<String>,
    /// Plain text.
    #[arg(long, value_name = "TEXT")]
    pub body: String,
    /// The same for whoever reads Russian.
    #[arg(long, value_name = "TEXT", requires = "title_ru")]
    pub body_ru: Option<String>,
    /// Where it leads.
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    pub action_url: Option<String>,
    /// inbox, email or telegram; may be given several times. Without it: each that its reader wants.
    #[arg(long = "channel", value_name = "CHANNEL")]
    pub channels: Vec<String>,
    /// Not before this time, such as 2026-12-31T09:00:00Z.
    #[arg(long, value_name = "TIME")]
    pub not_before: Option<String>,
    /// Not after this time.
    #[arg(long, value_name = "TIME")]
    pub expires_at: Option<String>,
}

/// What is said to somebody is nobody else's.
impl std::fmt::Debug for NotificationsCommand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NotificationsCommand")
    }
}

/// `userd webhooks …`
#[derive(Subcommand)]
pub enum WebhooksCommand {
    /// Make a webhook. Its secret is shown this once.
    #[command(
        after_help = "Example:\n  userd webhooks create https://shop.example/hooks --event 'user.*' --event client.created"
    )]
    Create {
        /// Where to: https://, without user name and password.
        #[arg(value_hint = ValueHint::Url)]
        url: String,
        /// A type of events, a beginning such as 'user.*', or '*'; may be given several times.
        #[arg(long = "event", value_name = "TYPE", required = true)]
        events: Vec<String>,
        /// What it is, for people.
        #[arg(long, value_name = "TEXT")]
        description: Option<String>,
        /// How calls are signed: v1 with a secret, v1a by Ed25519 with a key of which the receiver is told the public half.
        #[arg(long, value_parser = ["v1", "v1a"], default_value = "v1")]
        signature: String,
    },
    /// List webhooks, and whether they are on.
    List,
    /// Remove a webhook. What waits to be delivered to it is not delivered any more.
    Remove {
        /// The webhook's id.
        id: WebhookId,
    },
    /// Send an event of the type webhook.test at once, and say what came of it. Exit code 0: the receiver took it.
    Test {
        /// The webhook's id.
        id: WebhookId,
    },
    /// Send the events of a range of time once more, under the same ids.
    #[command(
        after_help = "Example:\n  userd webhooks resend 0197f9c2-0000-7000-8000-000000000000 --from 2026-11-30T00:00:00Z --to 2026-11-30T06:00:00Z"
    )]
    Resend {
        /// The webhook's id.
        id: WebhookId,
        /// Events that happened at this time or later.
        #[arg(long, value_name = "TIME")]
        from: String,
        /// And not after this time; until now, where nothing is said.
        #[arg(long, value_name = "TIME")]
        to: Option<String>,
    },
    /// Give a webhook a new secret or key. The old one signs too for 24 hours.
    RotateSecret {
        /// The webhook's id.
        id: WebhookId,
        /// What the new one signs: v1 or v1a. As it was, where nothing is said.
        #[arg(long, value_parser = ["v1", "v1a"])]
        signature: Option<String>,
    },
}

/// A URL may hold a secret.
impl std::fmt::Debug for WebhooksCommand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WebhooksCommand")
    }
}
