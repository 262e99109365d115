//! The program: arguments and environment in, exit code out.

use clap::Parser as _;

fn main() -> std::process::ExitCode {
    let args = userd::cli::Args::parse();
    userd::run::run(args, std::env::vars_os().collect())
}
