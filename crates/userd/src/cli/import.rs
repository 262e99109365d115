//! What may be typed after `userd import`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use crate::import::Source;

/// `userd import …`
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// Which software the files are of.
    pub source: Source,
    /// The files.
    #[arg(required = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub files: Vec<PathBuf>,
    /// Change nothing: read every row, look whether it could come over, and report.
    #[arg(long)]
    pub dry_run: bool,
    /// Where rows go that cannot come over, each with why, as JSON Lines. No hash is written there.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, default_value = "rejected.jsonl")]
    pub rejected: PathBuf,
    /// A file with the accounts elsewhere of the people in the one FILE, where that software has a table for each. Both
    /// ordered by the person's id.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub accounts: Option<PathBuf>,
    /// The parameters of Firebase's hashes, as its console shows them. They are a secret.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub hash_config: Option<PathBuf>,
    /// Take no address for proven, whatever the files say.
    #[arg(long)]
    pub unproven: bool,
    /// What the software calls a provider, and its id in our configuration; nothing after the equals sign: its accounts are
    /// left out. May be given several times.
    #[arg(long = "provider", value_name = "THERE=HERE", value_parser = pair)]
    pub providers: Vec<(String, String)>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (there, here) = text.split_once('=').ok_or("expected THERE=HERE")?;
    Ok((there.to_owned(), here.to_owned()))
}
