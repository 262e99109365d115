//! The commands about the audit log.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum, ValueHint};

/// `userd audit …`
#[derive(Clone, Debug, Subcommand)]
pub enum AuditCommand {
    /// Verify the whole log, and name the first entry that is not as it was. Exit code 1: something was changed.
    #[command(after_help = "Example:\n  userd audit verify --checkpoint /mnt/worm/checkpoints.txt")]
    Verify {
        /// A file with checkpoints that were kept outside the database (audit.checkpoint_file). May be given several times.
        #[arg(long = "checkpoint", value_name = "FILE", value_hint = ValueHint::FilePath)]
        checkpoints: Vec<PathBuf>,
        /// Compare only so many of the newest entries; the tree over the others is compared all the same.
        #[arg(long, value_name = "COUNT")]
        newest: Option<u64>,
    },
    /// Prove that an entry is in the log, as a file that is checked offline; or that the log still begins as it was.
    #[command(
        after_help = "Examples:\n  userd audit prove 0b6f…  > entry.tlog-proof\n  userd audit prove --since 4711"
    )]
    Prove {
        /// The id of the entry.
        #[arg(required_unless_present = "since")]
        id: Option<String>,
        /// The size of a checkpoint that was kept.
        #[arg(long, value_name = "SIZE", conflicts_with = "id")]
        since: Option<u64>,
    },
    /// Write entries, the oldest first: for an archive, or for a SIEM.
    #[command(after_help = "Example:\n  userd audit export --format cef --after 120000 > audit.cef")]
    Export {
        /// Which entries, and how.
        #[command(flatten)]
        what: AuditChoice,
        /// Only entries behind this position: where the last export ended.
        #[arg(long, value_name = "POSITION")]
        after: Option<i64>,
    },
    /// Show the last entries, and those that come.
    Tail {
        /// Which entries, and how.
        #[command(flatten)]
        what: AuditChoice,
        /// How many.
        #[arg(short = 'n', long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(0..=10_000))]
        lines: u32,
        /// Go on: show entries as they come, until Ctrl-C.
        #[arg(short, long)]
        follow: bool,
    },
    /// Print the key of the log, as verifiers of signed notes take it. Auditors keep it.
    Key,
}

/// Which entries, and how they are written.
#[derive(Clone, Debug, clap::Args)]
pub struct AuditChoice {
    /// JSON Lines, ArcSight's CEF, or syslog (RFC 5424).
    #[arg(long, value_enum, default_value = "jsonl")]
    pub format: AuditFormat,
    /// The id of who acted, or operator, system, anonymous.
    #[arg(long)]
    pub actor: Option<String>,
    /// The id of whatever it was done to.
    #[arg(long)]
    pub subject: Option<String>,
    /// What happened, such as user.blocked.
    #[arg(long)]
    pub act: Option<String>,
}

/// How entries are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AuditFormat {
    /// One JSON object a line.
    Jsonl,
    /// Common Event Format.
    Cef,
    /// RFC 5424.
    Syslog,
}
