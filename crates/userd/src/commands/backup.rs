//! `userd backup`: a copy of the embedded database while the service goes on.

use std::{path::PathBuf, sync::Arc};

use indicatif::{ProgressBar, ProgressStyle};
use userd_storage::Store;

use crate::{
    config::{Config, MasterKeySource},
    terminal::{Terminal, notice},
    wiring::{
        WiringError,
        engine::{self, Opening},
        must_be_whole,
        outside::OsRandom,
        part,
    },
};

/// Writes a backup to `target`, which must not exist.
///
/// # Errors
/// Another engine than the embedded one, a database that is not there, a target that exists, has no folder or cannot be written.
pub async fn backup(config: &Config, terminal: Terminal, target: PathBuf) -> Result<(), WiringError> {
    let opened = engine::open(config, Opening::MustExist)?;
    let store = Store::new(Arc::clone(&opened.engine), Arc::new(OsRandom));
    let sqlite = opened.sqlite.ok_or_else(|| {
        WiringError::Config(
            "userd backup copies the embedded database; for PostgreSQL use pg_dump or its own base backups".to_owned(),
        )
    })?;
    let target = engine::whole(&target);
    // A mistyped folder, or a disk that is not mounted, is not made: the backup would be where nobody looks for it.
    if let Some(folder) = target.parent().filter(|folder| !folder.is_dir()) {
        return Err(WiringError::Config(format!("there is no folder {}; a backup makes none", folder.display())));
    }
    if target.exists() {
        let what = format!("{} is there already: a backup overwrites nothing, name another file", target.display());
        return Err(WiringError::Config(what));
    }
    notice(&format!("database: {}", engine::place(&config.database.url)));
    // One that is damaged is copied as it is.
    if let Err(refused @ WiringError::Config(_)) = must_be_whole(&store, "database.url", &config.database.url).await {
        return Err(refused);
    }
    let bar = Arc::new(ProgressBar::new(0));
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} pages ({eta})") {
        bar.set_style(style);
    }
    let shown = Arc::clone(&bar);
    let report = sqlite
        .backup(target.clone(), move |progress| {
            shown.set_length(progress.total);
            shown.set_position(progress.done);
        })
        .await
        .map_err(part)?;
    bar.finish_and_clear();
    let json = serde_json::json!({ "file": target, "pages": report.pages, "bytes": report.bytes });
    terminal.answer(&json, || {
        format!(
            "{} bytes in {}.\nThe master key is not in it and the data cannot be read without it: keep {} too, apart from the backup.",
            report.bytes,
            target.display(),
            master_key(config)
        )
    });
    opened.engine.close().await;
    Ok(())
}

/// What has to be kept too, wherever this is read.
fn master_key(config: &Config) -> String {
    match config.crypto.master_key_source() {
        MasterKeySource::File(path) => engine::whole(path).display().to_string(),
        MasterKeySource::Given(_) | MasterKeySource::Command(_) => "it".to_owned(),
    }
}
