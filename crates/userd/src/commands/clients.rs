//! `userd clients …`

use userd_model::ClientId;
use userd_services::{
    Services,
    clients::{ClientView, NewClient},
};

use super::said;
use crate::{
    terminal::{Terminal, table},
    wiring::WiringError,
};

/// `clients create`: the secret is shown this once.
pub async fn create(
    services: &Services,
    terminal: Terminal,
    name: &str,
    permissions: &[String],
) -> Result<(), WiringError> {
    let made = services.clients.create(&services.operator_context(), name, permissions, None).await;
    show_secret(terminal, &made.map_err(|failure| said(&failure))?);
    Ok(())
}

/// `clients rotate-secret`: the old secret and tokens got with it die at once.
pub async fn rotate_secret(services: &Services, terminal: Terminal, id: &str) -> Result<(), WiringError> {
    let made = services.clients.rotate_secret(&services.operator_context(), parse(id)?).await;
    show_secret(terminal, &made.map_err(|failure| said(&failure))?);
    Ok(())
}

/// `clients disable`.
pub async fn disable(services: &Services, terminal: Terminal, id: &str) -> Result<(), WiringError> {
    services.clients.disable(&services.operator_context(), parse(id)?).await.map_err(|failure| said(&failure))?;
    terminal.answer(&serde_json::json!({ "id": id, "disabled": true }), || {
        format!("{id} is disabled; its tokens are dead.")
    });
    Ok(())
}

/// `clients list`.
pub async fn list(services: &Services, terminal: Terminal) -> Result<(), WiringError> {
    let mut clients: Vec<ClientView> = Vec::new();
    loop {
        let after = clients.last().map(|last| (last.created_at, last.id));
        let page =
            services.clients.page(&services.operator_context(), after, 200).await.map_err(|failure| said(&failure))?;
        if page.is_empty() {
            break;
        }
        clients.extend(page);
    }
    terminal.answer(&clients, || {
        let rows: Vec<Vec<String>> = clients
            .iter()
            .map(|client| {
                let state = if client.disabled_at.is_some() { "disabled" } else { "active" };
                vec![client.id.to_string(), state.to_owned(), client.name.clone(), client.permissions.join(",")]
            })
            .collect();
        table(&["CLIENT ID", "STATE", "NAME", "PERMISSIONS"], &rows)
    });
    Ok(())
}

fn parse(id: &str) -> Result<ClientId, WiringError> {
    id.parse().map_err(|_| WiringError::Config(format!("{id} is no client id; `userd clients list` shows them")))
}

fn show_secret(terminal: Terminal, made: &NewClient) {
    terminal.answer(made, || {
        format!(
            "client id      {}\nclient secret  {}\n\nThe secret is shown this once: keep it where the service reads it.",
            made.client.id, made.client_secret
        )
    });
}
