//! The program: arguments and environment in, exit code out.

use clap::Parser as _;

fn main() -> std::process::ExitCode {
    let args = userd::cli::Args::parse();
    #[expect(clippy::disallowed_methods, reason = "this is where the environment comes in")]
    let variables = std::env::vars_os().collect();
    userd::run::run(args, variables)
}
