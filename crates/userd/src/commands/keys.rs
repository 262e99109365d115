//! `userd keys …`

use indicatif::{ProgressBar, ProgressStyle};
use userd_services::{Services, signing_keys::KeyView};

use super::said;
use crate::{
    terminal::{Terminal, table},
    wiring::WiringError,
};

/// `keys list`.
pub async fn list(services: &Services, terminal: Terminal) -> Result<(), WiringError> {
    let keys = services.signing_keys.list(&services.operator_context()).await.map_err(|failure| said(&failure))?;
    show(terminal, &keys);
    Ok(())
}

/// `keys rotate`.
pub async fn rotate(services: &Services, terminal: Terminal) -> Result<(), WiringError> {
    let keys = services.signing_keys.rotate(&services.operator_context()).await.map_err(|failure| said(&failure))?;
    show(terminal, &keys);
    Ok(())
}

/// `keys revoke`.
pub async fn revoke(services: &Services, terminal: Terminal, kid: &str) -> Result<(), WiringError> {
    let keys =
        services.signing_keys.revoke(&services.operator_context(), kid).await.map_err(|failure| match failure {
            userd_services::Failure::Refused(userd_model::Refusal::NotFound) => {
                WiringError::Part(format!("no signing key {kid}; `userd keys list` shows them"))
            }
            other => said(&other),
        })?;
    show(terminal, &keys);
    Ok(())
}

/// `keys rewrap`: everything sealed under a previous master key comes under the current one.
pub async fn rewrap(services: &Services, terminal: Terminal) -> Result<(), WiringError> {
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {pos} keys wrapped again ({per_sec})") {
        bar.set_style(style);
    }
    let progress = |count: u64| bar.set_position(count);
    let count = services
        .signing_keys
        .rewrap(&services.operator_context(), &progress)
        .await
        .map_err(|failure| said(&failure))?;
    bar.finish_and_clear();
    let id = services.deps.crypto.fields.master_keys().current_id();
    terminal.answer(&serde_json::json!({ "rewrapped": count, "master_key": id }), || {
        format!(
            "{count} keys wrapped again; everything is under master key {id} now.\n\
             Previous keys can be removed from crypto.previous_master_key_files once every replica runs with this one."
        )
    });
    Ok(())
}

fn show(terminal: Terminal, keys: &[KeyView]) {
    terminal.answer(&keys, || {
        let at = |value: Option<userd_model::Timestamp>| value.map_or_else(|| "-".to_owned(), |at| at.to_string());
        let rows: Vec<Vec<String>> = keys
            .iter()
            .map(|key| {
                vec![
                    key.kid.clone(),
                    key.algorithm.clone(),
                    key.state.as_str().to_owned(),
                    key.created_at.to_string(),
                    at(key.activated_at),
                    at(key.retired_at),
                ]
            })
            .collect();
        table(&["KID", "ALGORITHM", "STATE", "CREATED", "ACTIVATED", "RETIRED"], &rows)
    });
}
