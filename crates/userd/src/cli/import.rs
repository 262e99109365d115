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
    /// What the software calls a provider, and its id in our configuration. May be given several times.
    #[arg(long = "provider", value_name = "THERE=HERE", value_parser = pair)]
    pub providers: Vec<(String, String)>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (there, here) = text.split_once('=').ok_or("expected THERE=HERE")?;
    Ok((there.to_owned(), here.to_owned()))
}
