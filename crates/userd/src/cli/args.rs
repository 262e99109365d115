//! What may be typed after `userd`, and the help for it. Deliberately absent: passwords. A command line is seen by
//! everybody on the machine and stays in the shell's history, so they are asked for or come on the standard input.

use std::{ffi::OsString, path::PathBuf};

use clap::{CommandFactory as _, Parser, Subcommand, ValueHint};
use clap_complete::Shell;

use super::{
    AuditCommand, DeliveriesCommand, ImportArgs, InvitationsCommand, MailCommand, NotificationsCommand, RolesCommand,
    StreamsCommand, UsersCommand, WebhooksCommand,
};
use crate::{
    config::{DatabaseUrl, Flag, Sources},
    logging::ColourChoice,
};

const EXAMPLES: &str = "\
Examples:
  userd                                          serve on 127.0.0.1:8080, data under ./data
  userd --config /etc/userd.yaml                 serve as configured
  userd --listen 0.0.0.0:8080 --set log.level=debug
  userd users create-admin --email me@example.org
  userd config check && userd doctor

Configuration, later sources win: the file (--config, else $USERD_CONFIG, else ./config.yaml), variables such as
USERD__HTTP__LISTEN, flags. Exit codes: 0 done, 2 wrong usage or configuration, 1 anything else.";

/// Accounts, sign-in, tokens and roles for your services.
#[derive(Debug, Parser)]
#[command(name = "userd", version, after_help = EXAMPLES, max_term_width = 110, disable_help_subcommand = true)]
#[command(arg_required_else_help = false, subcommand_negates_reqs = true)]
pub struct Args {
    /// Configuration file.
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Configuration")]
    pub config: Option<PathBuf>,
    /// Sets one key, such as --set tokens.access_ttl=5m. May be given several times. Not for secrets.
    #[arg(long, global = true, value_name = "KEY=VALUE", value_parser = setting, help_heading = "Configuration")]
    pub set: Vec<Setting>,
    /// Address and port to listen on; port 0 takes a free one. The same as --set http.listen=…
    #[arg(long, global = true, value_name = "ADDRESS", help_heading = "Configuration")]
    pub listen: Option<String>,
    /// Level of the log, or levels per room: info,userd_storage=debug. The same as --set log.level=…
    #[arg(long, global = true, value_name = "LEVEL", help_heading = "Configuration")]
    pub log_level: Option<String>,
    /// Answers in JSON, for scripts.
    #[arg(long, global = true, help_heading = "Output")]
    pub json: bool,
    /// Whether to use colours.
    #[arg(
        long,
        visible_alias = "colour",
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        help_heading = "Output"
    )]
    pub color: ColourChoice,
    /// What to do; nothing said: serve.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve until told to stop (the default).
    Serve,
    /// Bring the database schema up to date, or say what is missing.
    Migrate {
        /// Nothing said: up.
        #[command(subcommand)]
        command: Option<MigrateCommand>,
    },
    /// Check, show or describe the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Manage accounts.
    #[command(subcommand)]
    Users(UsersCommand),
    /// Bring people over from other software, with their passwords' hashes and accounts elsewhere.
    ///
    /// Nobody is written to, and no event tells of it. It may be stopped and run again: whoever has come over is left
    /// alone. Hashes are verified as they are and made anew when their owners sign in.
    #[command(after_help = "Examples:\n  userd import django dump.json --dry-run\n  \
                            userd import keycloak realm.json --provider company=corp\n  userd import csv people.csv")]
    Import(ImportArgs),
    /// Invite people to register.
    #[command(subcommand)]
    Invitations(InvitationsCommand),
    /// Manage roles and permissions, and who holds them.
    #[command(subcommand)]
    Roles(RolesCommand),
    /// Manage the keys that sign tokens, and the master key.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Manage service clients, which other services use to ask about tokens.
    #[command(subcommand)]
    Clients(ClientsCommand),
    /// Send notifications to users.
    #[command(subcommand)]
    Notifications(NotificationsCommand),
    /// Look after messages that are on their way.
    #[command(subcommand)]
    Deliveries(DeliveriesCommand),
    /// Read the development mailbox, where mails lie while `mail.url` is empty.
    #[command(subcommand)]
    Mail(MailCommand),
    /// Manage webhooks, by which other services are told of events.
    #[command(subcommand)]
    Webhooks(WebhooksCommand),
    /// Look after streams of shared signals, which other services set up themselves.
    #[command(subcommand)]
    Streams(StreamsCommand),
    /// Read, verify, prove and export the audit log.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Find what is wrong with this installation and say what to do.
    Doctor {
        /// Nothing said: everything but Telegram.
        #[command(subcommand)]
        command: Option<DoctorCommand>,
    },
    /// Ask the running service whether it is ready, for HEALTHCHECK. Exit code 0: it is.
    Health,
    /// Manage the Telegram bot.
    #[command(subcommand)]
    Telegram(TelegramCommand),
    /// Copy the embedded database to a file while the service runs.
    ///
    /// The copy is whole and consistent. It is of no use without the master key: keep that too, apart from it.
    Backup {
        /// The file to write; it must not exist.
        #[arg(value_hint = ValueHint::FilePath, required_unless_present = "verify")]
        path: Option<PathBuf>,
        /// Write nothing: look whether this backup is whole, and whether this program and the master key can open it.
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "path")]
        verify: Option<PathBuf>,
    },
    /// Put a backup in place of the embedded database while the service is stopped, and end what was issued before.
    ///
    /// Access tokens, signing keys and sessions from before are dead afterwards: nobody knows what happened to them since
    /// the backup was made. The database that was there is kept beside the restored one.
    #[command(after_help = "Examples:\n  userd restore /backup/userd-2026-11-29.db\n  \
                            pg_restore --dbname=userd userd.dump && userd restore --in-place")]
    Restore {
        /// The backup, as `userd backup` wrote it. It is read only.
        #[arg(value_hint = ValueHint::FilePath, required_unless_present = "in_place")]
        path: Option<PathBuf>,
        /// The configured database is the backup already, restored by its own tools (PostgreSQL): end what was issued
        /// before.
        #[arg(long, conflicts_with = "path")]
        in_place: bool,
        /// Let sessions of the backup go on. Access tokens and signing keys from before are dead all the same.
        #[arg(long)]
        keep_sessions: bool,
    },
    /// Move all data to another database.
    #[command(subcommand)]
    Storage(StorageCommand),
    /// Show and try what messages say.
    #[command(subcommand)]
    Templates(TemplatesCommand),
    /// Print the OpenAPI document.
    Openapi,
    /// Print what was built.
    Version,
    /// Print completions for a shell.
    ///
    /// For example: userd completions bash > /etc/bash_completion.d/userd
    Completions {
        /// The shell.
        shell: Shell,
    },
}

/// `userd migrate …`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
pub enum MigrateCommand {
    /// Apply what is missing. Several replicas may do this at once.
    Up,
    /// Say what is applied and what is missing; nothing is changed.
    Status,
}

/// `userd config …`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
pub enum ConfigCommand {
    /// Say what is wrong, all at once: file, line, column, key, and what would be right.
    Check,
    /// Print what counts after file, variables and flags, with secrets masked.
    Show,
    /// Print the JSON Schema, for editors.
    Schema,
    /// Print a file with every key, its meaning and its default.
    Example,
}

/// `userd templates …`
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum TemplatesCommand {
    /// List the messages and the values that their templates may show.
    List,
    /// Try every template of a folder with sample values, and say what is wrong.
    Check {
        /// The folder: files such as new_device.ru.yaml, and layout.html.
        #[arg(value_hint = ValueHint::DirPath)]
        folder: PathBuf,
    },
    /// Print a message with sample values.
    Preview {
        /// The message's name.
        name: String,
        /// The reader's language.
        #[arg(long, default_value = "en")]
        locale: String,
        /// Which form of it.
        #[arg(long, value_enum, default_value = "text")]
        form: MessageForm,
        /// A folder with templates in place of the built-in ones.
        #[arg(long, value_hint = ValueHint::DirPath)]
        folder: Option<PathBuf>,
        /// Write the HTML to a file and open it in a browser; without a terminal, say where it is.
        #[arg(long, conflicts_with = "form")]
        open: bool,
        /// With --open: open nothing, print the path alone.
        #[arg(long, requires = "open")]
        print_path: bool,
    },
}

/// A form of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum MessageForm {
    /// Plain text, as in a mail for readers without HTML.
    Text,
    /// The HTML of a mail.
    Html,
    /// Telegram's HTML.
    Telegram,
}

/// `userd keys …`
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// List the keys that sign or have signed tokens.
    List,
    /// Let the next key take over now. Tokens signed so far stay valid.
    Rotate,
    /// Take a key away: every token that it signed dies at once.
    Revoke {
        /// The key's id, as `userd keys list` shows it. It may begin with a hyphen.
        #[arg(allow_hyphen_values = true)]
        kid: String,
    },
    /// Seal everything anew that is still sealed under an earlier master key (crypto.previous_master_key_files).
    Rewrap,
}

/// `userd clients …`
#[derive(Debug, Subcommand)]
pub enum ClientsCommand {
    /// Make a client. Its secret is shown this once.
    #[command(
        after_help = "Example:\n  userd clients create billing --permission tokens.introspect --permission revocations.read"
    )]
    Create {
        /// A name for people.
        name: String,
        /// A permission; may be given several times.
        #[arg(long = "permission", value_name = "PERMISSION")]
        permissions: Vec<String>,
        /// An audience of tokens.audience that its tokens may be for; may be given several times, the first counts
        /// where none is asked for.
        #[arg(long = "audience", value_name = "AUDIENCE")]
        audiences: Vec<String>,
        /// Let it register, give and ask about names only that begin so, such as `billing.`
        #[arg(long, value_name = "PREFIX")]
        permission_prefix: Option<String>,
    },
    /// Choose the audiences that a client's tokens may be for. Nothing said: the first of tokens.audience.
    #[command(after_help = "Example:\n  userd clients set-audiences billing https://orders.example userd")]
    SetAudiences {
        /// The client's id, or its name.
        id: String,
        /// Audiences of tokens.audience; the first counts where none is asked for.
        audiences: Vec<String>,
    },
    /// List clients.
    List,
    /// Disable a client; its tokens die at once.
    Disable {
        /// The client's id, or its name.
        id: String,
    },
    /// Enable a client that was disabled, with a new secret, which is shown this once.
    Enable {
        /// The client's id, or its name.
        id: String,
    },
    /// Give a client a new secret. The old one dies at once.
    RotateSecret {
        /// The client's id, or its name.
        id: String,
    },
}

/// `userd doctor …`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
pub enum DoctorCommand {
    /// Ask the Bot API what it thinks, and explain the usual mistakes.
    Telegram,
}

/// `userd telegram …`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
pub enum TelegramCommand {
    /// Let Telegram send the bot's updates to this service.
    SetWebhook,
}

/// `userd storage …`
#[derive(Debug, Subcommand)]
pub enum StorageCommand {
    /// Copy all data to an empty database, while the service is stopped. Interrupted, it goes on with --resume.
    #[command(
        after_help = "Example:\n  userd storage copy --from sqlite://data/userd.db --to-file /run/secrets/postgres-url"
    )]
    Copy(CopyArgs),
}

/// `userd storage copy …`
#[derive(clap::Args)]
pub struct CopyArgs {
    /// URL of the database to read.
    #[arg(long, value_name = "URL", required_unless_present = "from_file", conflicts_with = "from_file")]
    from: Option<String>,
    /// File that holds that URL, for URLs with a password.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    from_file: Option<PathBuf>,
    /// URL of the database to fill.
    #[arg(long, value_name = "URL", required_unless_present = "to_file", conflicts_with = "to_file")]
    to: Option<String>,
    /// File that holds that URL, for URLs with a password.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    to_file: Option<PathBuf>,
    /// Go on where an interrupted copy stopped.
    #[arg(long)]
    pub resume: bool,
}

impl CopyArgs {
    /// The database to read and the one to fill.
    ///
    /// # Errors
    /// What is wrong with them, without saying what they are: a URL may hold a password.
    pub fn databases(&self) -> Result<(DatabaseUrl, DatabaseUrl), String> {
        let from = DatabaseUrl::given("--from", self.from.as_deref(), self.from_file.as_deref())?;
        let to = DatabaseUrl::given("--to", self.to.as_deref(), self.to_file.as_deref())?;
        Ok((from, to))
    }
}

/// A URL may hold a password.
impl std::fmt::Debug for CopyArgs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CopyArgs").field("resume", &self.resume).finish_non_exhaustive()
    }
}

impl Args {
    /// What the configuration is made of, given the environment of the process.
    #[must_use]
    pub fn sources(&self, variables: impl IntoIterator<Item = (OsString, OsString)>) -> Sources {
        let flag = |name: &str, key: &str, value: &String| Flag {
            name: name.to_owned(),
            key: key.to_owned(),
            value: value.clone(),
        };
        let mut flags: Vec<Flag> = self.set.iter().map(|Setting { key, value }| flag("--set", key, value)).collect();
        flags.extend(self.listen.iter().map(|value| flag("--listen", "http.listen", value)));
        flags.extend(self.log_level.iter().map(|value| flag("--log-level", "log.level", value)));
        Sources {
            file: self.config.clone(),
            default_file: Some(PathBuf::from("config.yaml")),
            variables: variables.into_iter().collect(),
            flags,
        }
    }

    /// Completions for a shell, as text.
    #[must_use]
    pub fn completions(shell: Shell) -> Vec<u8> {
        let mut text = Vec::new();
        clap_complete::generate(shell, &mut Self::command(), "userd", &mut text);
        text
    }
}

/// One `--set KEY=VALUE`.
#[derive(Clone)]
pub struct Setting {
    /// The key's path.
    pub key: String,
    /// The value.
    pub value: String,
}

/// A URL may hold a password.
impl std::fmt::Debug for Setting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Setting").field("key", &self.key).finish_non_exhaustive()
    }
}

fn setting(text: &str) -> Result<Setting, &'static str> {
    let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE, such as http.listen=127.0.0.1:0")?;
    Ok(Setting { key: key.trim().to_owned(), value: value.to_owned() })
}
