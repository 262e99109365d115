//! `userd streams …`

use clap::Subcommand;
use userd_model::StreamId;

/// `userd streams …`
#[derive(Debug, Subcommand)]
pub enum StreamsCommand {
    /// List streams, whose they are, and whether they are on.
    List,
    /// Show a stream and what it carries.
    Show {
        /// The stream's id.
        id: StreamId,
    },
    /// Pause a stream: what happens is held, and its receiver is told.
    Pause {
        /// The stream's id.
        id: StreamId,
        /// Why; its receiver reads it.
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Let a stream go on: what was held is sent.
    Resume {
        /// The stream's id.
        id: StreamId,
    },
    /// Remove a stream and what waits in it.
    Delete {
        /// The stream's id.
        id: StreamId,
    },
}
