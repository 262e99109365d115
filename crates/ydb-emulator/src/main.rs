//! The emulator on its own, for trying by hand.

use std::io::{self, Write};

use clap::Parser;
use ydb_emulator::{Emulator, Options};

/// A server with YDB's rules over memory.
#[derive(Parser)]
struct Arguments {
    /// The first node's port; 0 for a free one
    #[arg(long, default_value_t = 2136)]
    port: u16,
    /// How many nodes discovery names
    #[arg(long, default_value_t = 1)]
    nodes: u16,
    /// The path of the database
    #[arg(long, default_value = "/local")]
    database: String,
    /// A user name; with it, clients must log in
    #[arg(long, requires = "password")]
    user: Option<String>,
    /// The user's password
    #[arg(long, requires = "user")]
    password: Option<String>,
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let arguments = Arguments::parse();
    let options = Options {
        database: arguments.database,
        port: arguments.port,
        nodes: arguments.nodes,
        credentials: arguments.user.zip(arguments.password),
        ..Options::default()
    };
    let emulator = Emulator::start(options).await?;
    writeln!(io::stdout(), "{}", emulator.connection_string())?;
    io::stdout().flush()?;
    tokio::signal::ctrl_c().await
}
