//! The command line: what may be typed. What the commands do is in `commands`.

pub mod args;
mod audit;
mod import;
mod invitations;
mod messages;
mod roles;
mod streams;
mod users;

pub use args::{
    Args, ClientsCommand, Command, ConfigCommand, CopyArgs, DoctorCommand, KeysCommand, MessageForm, MigrateCommand,
    StorageCommand, TelegramCommand, TemplatesCommand,
};
pub use audit::{AuditChoice, AuditCommand, AuditFormat};
pub use import::ImportArgs;
pub use invitations::InvitationsCommand;
pub use messages::{DeliveriesCommand, MailCommand, NotificationsCommand, SendArgs, WebhooksCommand};
pub use roles::RolesCommand;
pub use streams::StreamsCommand;
pub use users::UsersCommand;
