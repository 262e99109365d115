//! Stand-in servers of the sign-in providers, of a relay of mail and of a receiver of webhooks for the hands: started together, with a configuration of the service that
//! knows them. How they behave is in `crates/stand-ins`.

use std::{
    fmt::Write as _,
    io::{self, Write as _},
    path::PathBuf,
};

use userd_stand_ins::network::{FakeNetwork, SERVICE, WEBHOOK_SECRET};

/// What may be typed after `cargo xtask stand-ins`.
#[derive(clap::Args)]
pub struct Arguments {
    /// The first of eleven ports; 0 takes free ones.
    #[arg(long, default_value_t = 4100)]
    port_base: u16,
    /// Where the service's configuration is written. It is replaced.
    #[arg(long, default_value = "data/stand-ins.yaml")]
    write_config: PathBuf,
}

/// Runs until Ctrl-C.
///
/// # Errors
/// A port that is taken, or a file that cannot be written.
pub fn run(arguments: &Arguments) -> Result<String, String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|e| e.to_string())?;
    runtime.block_on(async {
        let base = arguments.port_base;
        let network = FakeNetwork::start(base).await.map_err(|e| format!("the ports from {base} on: {e}"))?;
        let path = &arguments.write_config;
        let write = || {
            path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
            std::fs::write(path, network.config())
        };
        write().map_err(|e| format!("{}: {e}", path.display()))?;
        // A closed terminal is no reason to stop.
        let _ = writeln!(io::stdout(), "{}", told(&network, &path.display().to_string()));
        tokio::signal::ctrl_c().await.map_err(|e| e.to_string())?;
        Ok("Stopped.".to_owned())
    })
}

fn told(network: &FakeNetwork, config: &str) -> String {
    let mut text = String::from("Stand-ins are running:\n");
    for (name, address) in network.addresses() {
        // Writing to a String does not fail.
        let _ = writeln!(text, "  {name:<18} {address}");
    }
    let bot = &network.bot_api.base_url;
    let method = format!("{bot}/bot{}", userd_stand_ins::telegram::BOT_TOKEN);
    let _ = write!(
        text,
        "\nNext:\n  1. In another terminal: cargo run -- --config {config}\n  \
         2. Open {SERVICE}/signed-in and choose a provider; every page asks who you are.\n  \
         3. The bot's chats, in place of the Telegram app: {bot}/\n     \
         Tell the bot where the service is:\n       \
         curl '{method}/setWebhook?url={SERVICE}/v1/telegram/webhook&secret_token={WEBHOOK_SECRET}'\n  \
         4. A Mini App's payload: {}/mini-app\n  \
         5. How the hostile provider is hostile: {}/fault-mode\n  \
         6. Every mail, to whomever: {}/\n  \
         7. A webhook may lead to {}; what came, and whether its signature is right: {}/\n\nCtrl-C stops them.",
        network.telegram.base_url,
        network.hostile.base_url,
        network.mailbox.base_url,
        network.webhooks.url(),
        network.webhooks.base_url
    );
    text
}
