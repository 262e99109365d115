//! `userd clients …`

use userd_model::ClientId;
use userd_services::{
    Failure, Services,
    clients::{ClientChange, ClientInput, ClientView, NewClient},
};

use super::{said, said_of};
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
    audiences: &[String],
    permission_prefix: Option<&str>,
) -> Result<(), WiringError> {
    let (ctx, audiences) = (services.operator_context(), Some(audiences).filter(|audiences| !audiences.is_empty()));
    let input = ClientInput { name, permissions, audiences, permission_prefix };
    let made = services.clients.create_for(&ctx, input, None).await;
    show_secret(terminal, &made.map_err(|failure| said(&failure))?)
}

/// `clients rotate-secret`: the old secret and tokens got with it die at once.
pub async fn rotate_secret(services: &Services, terminal: Terminal, which: &str) -> Result<(), WiringError> {
    let id = find(services, which, State::Active).await?;
    let made = services.clients.rotate_secret(&services.operator_context(), id, None).await;
    show_secret(terminal, &made.map_err(|failure| said_of_one(&failure, id, State::Active))?)
}

/// `clients disable`.
pub async fn disable(services: &Services, terminal: Terminal, which: &str) -> Result<(), WiringError> {
    let id = find(services, which, State::Active).await?;
    let disabled = services.clients.disable(&services.operator_context(), id).await;
    disabled.map_err(|failure| said_of_one(&failure, id, State::Active))?;
    terminal.answer(&serde_json::json!({ "id": id, "disabled": true }), || {
        format!("{id} is disabled; its tokens are dead.")
    });
    Ok(())
}

/// `clients enable`: with a new secret.
pub async fn enable(services: &Services, terminal: Terminal, which: &str) -> Result<(), WiringError> {
    let id = find(services, which, State::Disabled).await?;
    let made = services.clients.enable(&services.operator_context(), id, None).await;
    show_secret(terminal, &made.map_err(|failure| said_of_one(&failure, id, State::Disabled))?)
}

/// `clients set-audiences`: none named, the first that is configured.
pub async fn set_audiences(
    services: &Services,
    terminal: Terminal,
    which: &str,
    audiences: Vec<String>,
) -> Result<(), WiringError> {
    let id = find(services, which, State::Active).await?;
    let wanted = Some(audiences).filter(|audiences| !audiences.is_empty());
    let wanted = ClientChange { audiences: Some(wanted), ..ClientChange::default() };
    let changed = services.clients.change(&services.operator_context(), id, wanted, None).await;
    let client = changed.map_err(|failure| said_of_one(&failure, id, State::Active))?;
    terminal.answer(&client, || format!("Tokens of {} are for {} now.", client.name, audiences_of(&client)));
    Ok(())
}

/// `clients list`.
pub async fn list(services: &Services, terminal: Terminal) -> Result<(), WiringError> {
    let clients = all(services).await?;
    terminal.answer(&clients, || {
        let rows: Vec<Vec<String>> = clients
            .iter()
            .map(|client| {
                vec![
                    client.id.to_string(),
                    State::of(client).name().to_owned(),
                    client.name.clone(),
                    client.permissions.join(","),
                    audiences_of(client),
                ]
            })
            .collect();
        table(&["CLIENT ID", "STATE", "NAME", "PERMISSIONS", "AUDIENCES"], &rows)
    });
    Ok(())
}

fn audiences_of(client: &ClientView) -> String {
    client.audiences.as_ref().map_or_else(|| "the first that is configured".to_owned(), |list| list.join(","))
}

async fn all(services: &Services) -> Result<Vec<ClientView>, WiringError> {
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
    Ok(clients)
}

/// Whether a client is in use.
#[derive(Clone, Copy, PartialEq)]
enum State {
    Active,
    Disabled,
}

impl State {
    const fn of(client: &ClientView) -> Self {
        if client.disabled_at.is_some() { Self::Disabled } else { Self::Active }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
        }
    }
}

/// A client by its id, or by a name that no other one of this state has.
async fn find(services: &Services, which: &str, state: State) -> Result<ClientId, WiringError> {
    if let Ok(id) = which.parse() {
        return Ok(id);
    }
    let (clients, name) = (all(services).await?, state.name());
    let named: Vec<_> = clients
        .iter()
        .filter(|client| client.name == which && State::of(client) == state)
        .map(|client| client.id)
        .collect();
    match named[..] {
        [id] => Ok(id),
        [] => Err(WiringError::Part(format!("no {name} client {which}; `userd clients list` shows them"))),
        _ => Err(WiringError::Config(format!("{} {name} clients are named {which}: give the id", named.len()))),
    }
}

/// By its id a client is looked for by the act itself, which finds one of this state only.
fn said_of_one(failure: &Failure, id: ClientId, state: State) -> WiringError {
    said_of(failure, &format!("{} client {id}", state.name()), "clients list")
}

fn show_secret(terminal: Terminal, made: &NewClient) -> Result<(), WiringError> {
    let words = || {
        format!(
            "client id      {}\nclient secret  {}\n\nThe secret is shown this once: keep it where the service reads it.",
            made.client.id, made.client_secret
        )
    };
    let again = format!("`userd clients rotate-secret {}` makes another", made.client.id);
    terminal.answer_secret(made, words, &again).map_err(WiringError::Answered)
}
