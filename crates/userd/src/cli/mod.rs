//! The command line: what may be typed. What the commands do is in `commands`.

pub mod args;

pub use args::{
    Args, ClientsCommand, Command, ConfigCommand, CopyArgs, DeliveriesCommand, DoctorCommand, KeysCommand, MailCommand,
    MessageForm, MigrateCommand, StorageCommand, TelegramCommand, TemplatesCommand, UsersCommand, WebhooksCommand,
};
