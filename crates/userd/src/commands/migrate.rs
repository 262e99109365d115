//! `userd migrate …`

use userd_storage::migrations::StepState;

use crate::{
    config::Config,
    terminal::{Terminal, notice, table},
    wiring::{
        WiringError,
        engine::{self, Opening},
        open_store,
        outside::OsRandom,
        part,
    },
};

/// `migrate up`: applies what is missing. Several replicas may do this at once.
///
/// # Errors
/// The database cannot be reached, or an applied step has another text than this program's.
pub async fn up(config: &Config, terminal: Terminal) -> Result<(), WiringError> {
    notice(&format!("database: {}", engine::place(&config.database.url)));
    let (store, _, applied) = open_store(config, Opening::MayCreate).await?;
    terminal.answer(&serde_json::json!({ "applied": applied }), || match applied {
        0 => "The schema was up to date.".to_owned(),
        1 => "1 step applied; the schema is up to date.".to_owned(),
        more => format!("{more} steps applied; the schema is up to date."),
    });
    store.engine().close().await;
    Ok(())
}

/// `migrate status`: what is applied and what is not; nothing is changed.
pub async fn status(config: &Config, terminal: Terminal) -> Result<(), WiringError> {
    let opened = engine::open(config, Opening::MustExist)?;
    let store = userd_storage::Store::new(opened.engine, std::sync::Arc::new(OsRandom));
    let states = store.migration_status().await.map_err(part)?;
    let rows: Vec<(i64, &str, String)> = states
        .iter()
        .map(|state| {
            let word = match &state.state {
                StepState::Applied(at) => format!("applied {at}"),
                StepState::Pending => "pending".to_owned(),
                StepState::Changed(at) => format!("applied {at}, with another text than this program has"),
                StepState::Newer(at) => format!("applied {at}, by a newer version"),
            };
            (state.number, state.name.as_str(), word)
        })
        .collect();
    let json: Vec<_> = rows
        .iter()
        .map(|(number, name, state)| serde_json::json!({ "number": number, "name": name, "state": state }))
        .collect();
    terminal.answer(&json, || {
        let rows: Vec<Vec<String>> = rows
            .iter()
            .map(|(number, name, state)| vec![number.to_string(), (*name).to_owned(), state.clone()])
            .collect();
        table(&["STEP", "NAME", "STATE"], &rows)
    });
    store.engine().close().await;
    Ok(())
}
