//! The commands about messages: those on their way, the development mailbox, and the receivers of events.

use clap::{Subcommand, ValueHint};
use userd_model::WebhookId;

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
    /// Give a webhook a new secret. The old one signs too for 24 hours.
    RotateSecret {
        /// The webhook's id.
        id: WebhookId,
    },
}

/// A URL may hold a secret.
impl std::fmt::Debug for WebhooksCommand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WebhooksCommand")
    }
}
