//! One run of the program: arguments and environment in, exit code out.

use std::{
    ffi::OsString,
    io::{self, IsTerminal},
    process::ExitCode,
    time::Duration,
};

use tokio::runtime::Builder;

use userd_services::{
    Services, accounts::NewUser, invitations::NewInvitation, roles::GrantInput, user_list::UserFilter, users::Block,
    webhooks::WebhookInput,
};

use crate::{
    cli::{
        Args, ClientsCommand, Command, ConfigCommand, DeliveriesCommand, DoctorCommand, InvitationsCommand,
        KeysCommand, MigrateCommand, NotificationsCommand, RolesCommand, StorageCommand, StreamsCommand,
        TelegramCommand, UsersCommand, WebhooksCommand,
    },
    commands::{
        audit, backup, clients, copy, deliveries,
        doctor::{self, Health},
        health, import, invitations, keys, mail, migrate, notifications, restore, roles, streams, telegram,
        templates::templates,
        users, webhooks,
    },
    config::{Config, ConfigErrors, RolesConfig},
    logging::{self, Console, Stream},
    reload::Reloadable,
    serve::{BUILD, serve},
    terminal::{Terminal, notice, out, unwritten},
    wiring::{
        self, WiringError, checks,
        engine::{self, Opening},
        process, wire,
    },
};

/// Wrong usage or configuration.
const USAGE: u8 = 2;

/// Does what the arguments say. `variables` is the environment.
#[must_use]
pub fn run(args: Args, variables: Vec<(OsString, OsString)>) -> ExitCode {
    let code = done(args, variables);
    // A closed pipe is the reader's choice and no fault.
    match unwritten().filter(|fault| fault.kind() != io::ErrorKind::BrokenPipe) {
        None => code,
        Some(fault) => {
            notice(&format!("error: the answer could not be written to the standard output: {fault}"));
            ExitCode::FAILURE
        }
    }
}

fn done(mut args: Args, variables: Vec<(OsString, OsString)>) -> ExitCode {
    let terminal = Terminal { json: args.json };
    process::keep_files_from_others();
    match &args.command {
        Some(Command::Openapi) => return openapi(),
        Some(Command::Version) => return version(terminal),
        Some(Command::Completions { shell }) => {
            out(&String::from_utf8_lossy(&Args::completions(*shell)));
            return ExitCode::SUCCESS;
        }
        Some(Command::Templates(command)) => {
            return templates(command, terminal).map_or_else(|error| fail(terminal, &error), |()| ExitCode::SUCCESS);
        }
        Some(Command::Config(ConfigCommand::Schema)) => return print_json(&Config::schema()),
        Some(Command::Config(ConfigCommand::Example)) => {
            out(&Config::example());
            return ExitCode::SUCCESS;
        }
        _ => {}
    }
    if let Err(why) = process::enough_files() {
        return fail(terminal, &WiringError::Part(why));
    }
    let loaded = match checks::load(args.sources(variables.clone())) {
        Ok(loaded) => loaded,
        Err(errors) => return refuse(terminal, &errors),
    };
    let owners = wiring::owners(&loaded.config);
    let console = console(&args, &variables);
    let is_server = matches!(args.command, None | Some(Command::Serve));
    let guard = match logging::init(&loaded.config.log, console, is_server) {
        Ok(guard) => guard,
        Err(error) => return fail(terminal, &WiringError::Config(error.to_string())),
    };
    // The log of today, which a service that runs may begin now.
    owners.give();
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    if is_server {
        match &loaded.file {
            Some(file) => tracing::info!(file = %file.display(), "configuration read"),
            None => tracing::info!("no configuration file: development defaults, on this machine only"),
        }
    }
    let (chosen, level) = (args.command.take().unwrap_or(Command::Serve), guard.level());
    // Commands need one thread; the server takes what the machine has.
    let mut builder = if is_server { Builder::new_multi_thread() } else { Builder::new_current_thread() };
    let outcome = match builder.enable_all().build() {
        Ok(runtime) => {
            let reloadable = Reloadable { sources: Box::new(move || args.sources(variables.clone())), level };
            let outcome = runtime.block_on(command(chosen, loaded.config, terminal, reloadable));
            // What a stuck disk holds does not hold the end.
            runtime.shutdown_timeout(Duration::from_secs(1));
            outcome
        }
        Err(error) => Err(WiringError::Part(error.to_string())),
    };
    let code = outcome.unwrap_or_else(|error| fail(terminal, &error));
    drop(guard);
    owners.give();
    code
}

async fn command(
    command: Command,
    config: Config,
    terminal: Terminal,
    reloadable: Reloadable,
) -> Result<ExitCode, WiringError> {
    match command {
        Command::Serve => return serve(config, reloadable).await,
        Command::Doctor { command } => {
            let health = match command {
                None => doctor::doctor(config, terminal).await,
                Some(DoctorCommand::Telegram) if telegram::doctor(config, terminal).await? => Health::Well,
                Some(DoctorCommand::Telegram) => Health::Wrong,
            };
            return Ok(match health {
                Health::Well => ExitCode::SUCCESS,
                Health::Wrong => ExitCode::FAILURE,
                Health::NoDatabase => ExitCode::from(USAGE),
            });
        }
        Command::Health => {
            let ready = health::health(&config, terminal)?;
            return Ok(if ready { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        Command::Config(ConfigCommand::Show) if terminal.json => {
            terminal.answer(&config, String::new);
        }
        Command::Config(ConfigCommand::Show) => {
            out(config.show().map_err(WiringError::Part)?.trim_end());
        }
        Command::Config(_) => {
            roles::check(&config.roles)?;
            terminal.answer(&serde_json::json!({ "lawful": true }), || "The configuration is lawful.".to_owned())
        }
        Command::Migrate { command: Some(MigrateCommand::Status) } => migrate::status(&config, terminal).await?,
        Command::Migrate { .. } => migrate::up(&config, terminal).await?,
        Command::Backup { verify: Some(file), .. } => restore::verify(&config, terminal, &file).await?,
        Command::Backup { path, .. } => backup::backup(&config, terminal, path.unwrap_or_default()).await?,
        Command::Restore { path, keep_sessions, .. } => {
            restore::restore(config, terminal, path.as_deref(), keep_sessions).await?;
        }
        Command::Storage(StorageCommand::Copy(arguments)) => {
            let (from, to) = arguments.databases().map_err(WiringError::Config)?;
            let owners = wiring::owners_of_database(&to);
            let copied = copy::copy(&config, terminal, from, to, arguments.resume).await;
            owners.give();
            copied?;
        }
        Command::Telegram(TelegramCommand::SetWebhook) => telegram::set_webhook(&config, terminal).await?,
        other => with_services(other, config, terminal).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The commands that ask the services, beside a running service or without one.
async fn with_services(command: Command, config: Config, terminal: Terminal) -> Result<(), WiringError> {
    let wired = wire(config, Opening::MustExist, false).await?;
    if changes(&command) {
        notice(&format!("database: {}", engine::place(&wired.config.database.url)));
    }
    let services = &wired.services;
    let outcome = match command {
        Command::Users(UsersCommand::CreateAdmin { email, username, password_stdin }) => {
            users::create_admin(services, terminal, email, username, password_stdin).await
        }
        Command::Users(UsersCommand::List { query, status, role, provider, created_after, limit }) => {
            let filter = UserFilter { query, status, role, provider, created_after };
            users::list(services, terminal, &filter, limit).await
        }
        Command::Users(UsersCommand::Create { email, username, display_name, locale, roles }) => {
            users::create(services, terminal, &NewUser { email, username, display_name, locale, roles }).await
        }
        Command::Users(UsersCommand::Show { user }) => users::show(services, terminal, &user).await,
        Command::Users(UsersCommand::Block { user, reason, until }) => {
            users::set_blocked(services, terminal, &user, Some(Block { reason, until })).await
        }
        Command::Users(UsersCommand::Unblock { user }) => users::set_blocked(services, terminal, &user, None).await,
        Command::Users(UsersCommand::Delete { user }) => users::delete(services, terminal, &user).await,
        Command::Users(UsersCommand::Restore { user }) => users::restore(services, terminal, &user).await,
        Command::Users(UsersCommand::Purge { user, yes }) => users::purge(services, terminal, &user, yes).await,
        Command::Users(UsersCommand::Export { user }) => users::export(services, &user).await,
        Command::Users(UsersCommand::SendPasswordReset { user }) => {
            users::send_password_reset(services, terminal, &user).await
        }
        Command::Invitations(InvitationsCommand::Create { email, roles, uses, expires_at, locale }) => {
            let input = NewInvitation { email, roles, uses, expires_at, locale };
            invitations::create(services, terminal, &input).await
        }
        Command::Import(arguments) => import::import(services, terminal, &arguments).await,
        Command::Invitations(InvitationsCommand::List) => invitations::list(services, terminal).await,
        Command::Invitations(InvitationsCommand::Revoke { id }) => invitations::revoke(services, terminal, id).await,
        Command::Users(UsersCommand::RequirePasswordChange { user }) => {
            users::require_password_change(services, terminal, &user).await
        }
        Command::Users(UsersCommand::ResetFactors { user }) => users::reset_factors(services, terminal, &user).await,
        Command::Users(UsersCommand::SetPassword { user, password_stdin }) => {
            users::set_password(services, terminal, &user, password_stdin).await
        }
        Command::Keys(KeysCommand::List) => keys::list(services, terminal).await,
        Command::Keys(KeysCommand::Rotate) => keys::rotate(services, terminal).await,
        Command::Keys(KeysCommand::Revoke { kid }) => keys::revoke(services, terminal, &kid).await,
        Command::Keys(KeysCommand::Rewrap) => keys::rewrap(services, terminal).await,
        Command::Clients(ClientsCommand::Create { name, permissions, audiences, permission_prefix }) => {
            let prefix = permission_prefix.as_deref();
            clients::create(services, terminal, &name, &permissions, &audiences, prefix).await
        }
        Command::Clients(ClientsCommand::SetAudiences { id, audiences }) => {
            clients::set_audiences(services, terminal, &id, audiences).await
        }
        Command::Notifications(command) => notifications::notifications(services, terminal, command).await,
        Command::Deliveries(command) => deliveries::deliveries(services, terminal, command).await,
        Command::Audit(command) => audit::audit(services, terminal, command).await,
        Command::Mail(command) => mail::mail(services, terminal, command).await,
        Command::Clients(ClientsCommand::List) => clients::list(services, terminal).await,
        Command::Clients(ClientsCommand::Disable { id }) => clients::disable(services, terminal, &id).await,
        Command::Clients(ClientsCommand::Enable { id }) => clients::enable(services, terminal, &id).await,
        Command::Clients(ClientsCommand::RotateSecret { id }) => clients::rotate_secret(services, terminal, &id).await,
        Command::Webhooks(command) => webhooks_command(services, terminal, command).await,
        Command::Streams(command) => streams::streams(services, terminal, command).await,
        Command::Roles(command) => roles_command(services, terminal, &wired.config.roles, command).await,
        _ => Ok(()),
    };
    services.deps.store.engine().close().await;
    outcome
}

async fn webhooks_command(
    services: &Services,
    terminal: Terminal,
    command: WebhooksCommand,
) -> Result<(), WiringError> {
    match command {
        WebhooksCommand::Create { url, events, description, signature } => {
            let input = WebhookInput { url, events, description, signature: Some(signature) };
            webhooks::create(services, terminal, input).await
        }
        WebhooksCommand::List => webhooks::list(services, terminal).await,
        WebhooksCommand::Remove { id } => webhooks::remove(services, terminal, id).await,
        WebhooksCommand::Test { id } => webhooks::test(services, terminal, id).await,
        WebhooksCommand::Resend { id, from, to } => {
            webhooks::resend(services, terminal, id, (&from, to.as_deref())).await
        }
        WebhooksCommand::RotateSecret { id, signature } => {
            webhooks::rotate_secret(services, terminal, id, signature.as_deref()).await
        }
    }
}

async fn roles_command(
    services: &Services,
    terminal: Terminal,
    config: &RolesConfig,
    command: RolesCommand,
) -> Result<(), WiringError> {
    match command {
        RolesCommand::List => roles::list(services, terminal).await,
        RolesCommand::Plan { file } => roles::plan(services, terminal, &roles::declared_in(file, config)?).await,
        RolesCommand::Apply { file } => roles::apply(services, terminal, &roles::declared_in(file, config)?).await,
        RolesCommand::Export => roles::export(services, terminal).await,
        RolesCommand::Grant { user, role, expires_at, reason } => {
            let input = GrantInput { reason, starts_at: None, expires_at };
            roles::grant(services, terminal, &user, &role, &input).await
        }
        RolesCommand::Revoke { user, role } => roles::revoke(services, terminal, &user, &role).await,
    }
}

/// Whether a command changes something: then it says where.
const fn changes(command: &Command) -> bool {
    !matches!(
        command,
        Command::Users(UsersCommand::List { .. } | UsersCommand::Show { .. })
            | Command::Keys(KeysCommand::List)
            | Command::Clients(ClientsCommand::List)
            | Command::Invitations(InvitationsCommand::List)
            | Command::Mail(_)
            | Command::Roles(RolesCommand::List | RolesCommand::Plan { .. } | RolesCommand::Export)
            | Command::Deliveries(DeliveriesCommand::List { .. } | DeliveriesCommand::Show { .. })
            | Command::Notifications(NotificationsCommand::Show { .. })
            | Command::Webhooks(WebhooksCommand::List)
            | Command::Streams(StreamsCommand::List | StreamsCommand::Show { .. })
    )
}

/// Logs go to stderr for commands, so that answers on stdout can be read by scripts; a server's go to stdout.
fn console(args: &Args, variables: &[(OsString, OsString)]) -> Console {
    let variable = |name: &str| variables.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_os_str());
    let is_server = matches!(args.command, None | Some(Command::Serve));
    let stream = if is_server { Stream::Stdout } else { Stream::Stderr };
    let is_terminal = if is_server { std::io::stdout().is_terminal() } else { std::io::stderr().is_terminal() };
    let colour = args.color.decide(is_terminal, variable("NO_COLOR"), variable("TERM"));
    Console { stream, is_terminal, colour }
}

fn version(terminal: Terminal) -> ExitCode {
    terminal.answer(&BUILD, || format!("userd {} ({}, {})", BUILD.version, BUILD.commit, BUILD.build_time));
    ExitCode::SUCCESS
}

fn print_json(value: &serde_json::Value) -> ExitCode {
    out(&serde_json::to_string_pretty(value).unwrap_or_default());
    ExitCode::SUCCESS
}

fn openapi() -> ExitCode {
    match userd_http::router::document() {
        Ok(document) => print_json(&document),
        Err(error) => {
            notice(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

fn refuse(terminal: Terminal, errors: &ConfigErrors) -> ExitCode {
    if terminal.json {
        let list: Vec<_> = errors
            .0
            .iter()
            .map(|error| serde_json::json!({ "origin": error.origin.to_string(), "key": error.key, "message": error.message }))
            .collect();
        out(&serde_json::to_string_pretty(&list).unwrap_or_default());
    } else {
        notice(&errors.to_string());
    }
    ExitCode::from(USAGE)
}

/// In words on stderr; for scripts on stdout too, where they read the answer, unless it was given.
fn fail(terminal: Terminal, error: &WiringError) -> ExitCode {
    if terminal.json && !matches!(error, WiringError::Answered(_)) {
        terminal.answer(&serde_json::json!({ "error": error.to_string() }), String::new);
    }
    notice(&format!("error: {error}"));
    match error {
        WiringError::Config(_) => ExitCode::from(USAGE),
        WiringError::Part(_) | WiringError::Answered(_) => ExitCode::FAILURE,
    }
}
