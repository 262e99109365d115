//! The entrance to the chores: `cargo xtask <chore>`. Each chore is a module; this file only names them.

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use xtask::{bench, mutants, pages, security, stand_ins, statements, tree::Tree, ydb};

/// Chores of this repository.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Measure the release binary under load, against baselines of the same run.
    Bench(bench::Arguments),
    /// Check that every generated page is current.
    Check,
    /// Write docs/events.md from the kinds of events.
    Events,
    /// Spoil a copy of what is committed in one place at a time, and list what no test notices.
    Mutants(mutants::Arguments),
    /// Write docs/data-retention.md from the declarations of the tables.
    Retention,
    /// Write crates/storage/schema/* from the declarations of the tables.
    Schema,
    /// Write docs/security/*.md from the tables and the tests.
    Security,
    /// Run stand-in servers of the sign-in providers, and write a configuration of the service that knows them.
    StandIns(stand_ins::Arguments),
    /// Write every statement of every engine with its types to files, for checkers outside of this repository.
    Statements {
        /// Where to.
        #[arg(default_value = "target/statements")]
        folder: PathBuf,
    },
    /// Write docs/ydb-tables.md from the declarations of the tables.
    Ydb,
}

fn main() -> ExitCode {
    let tree = Tree::of_this_workspace();
    let done = match Arguments::parse().chore {
        Chore::Bench(arguments) => bench::run(&tree, &arguments),
        Chore::Check => security(&tree, pages::check)
            .and_then(|done| Ok(format!("{done}\n{}", pages::check(&tree, &pages::of_the_schema()?)?)))
            .and_then(|done| Ok(format!("{done}\n{}", pages::check(&tree, &[pages::of_the_events()])?)))
            .and_then(|done| Ok(format!("{done}\n{}", pages::check(&tree, &[ydb::page()])?)))
            .and_then(|done| Ok(format!("{done}\n{}", pages::check(&tree, &[pages::of_the_retention(&tree)?])?))),
        Chore::Events => pages::write(&tree, &[pages::of_the_events()]),
        Chore::Mutants(arguments) => mutants::run(&tree, &arguments),
        Chore::Retention => pages::of_the_retention(&tree).and_then(|page| pages::write(&tree, &[page])),
        Chore::Schema => pages::of_the_schema().and_then(|schemas| pages::write(&tree, &schemas)),
        Chore::Security => security(&tree, pages::write),
        Chore::StandIns(arguments) => stand_ins::run(&arguments),
        Chore::Ydb => pages::write(&tree, &[ydb::page()]),
        Chore::Statements { folder } => statements::write(&folder),
    };
    // Nothing is left to be done about a closed terminal.
    match done {
        Ok(text) => {
            let _ = writeln!(io::stdout(), "{text}");
            ExitCode::SUCCESS
        }
        Err(text) => {
            let _ = writeln!(io::stderr(), "{text}");
            ExitCode::FAILURE
        }
    }
}

/// Writes or checks the security tables; what does not fit together is an error either way.
fn security(tree: &Tree, act: fn(&Tree, &[pages::Page]) -> Result<String, String>) -> Result<String, String> {
    let tables = security::tables(tree)?;
    let done = act(tree, &tables.pages)?;
    if tables.wrong.is_empty() { Ok(done) } else { Err(tables.wrong.join("\n")) }
}
