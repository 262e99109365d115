//! `userd invitations …`

use userd_model::InvitationId;
use userd_services::{
    Services,
    invitations::{InvitationView, NewInvitation},
};

use super::{said, said_of};
use crate::{
    terminal::{Terminal, table},
    wiring::WiringError,
};

/// `invitations create`: a token is shown this once.
pub async fn create(services: &Services, terminal: Terminal, input: &NewInvitation) -> Result<(), WiringError> {
    let made = services.invitations.create(&services.operator_context(), input, None).await;
    let made = made.map_err(|failure| said(&failure))?;
    let Some(token) = &made.token else {
        let email = made.invitation.email.as_deref().unwrap_or_default();
        terminal.answer(&made, || format!("An invitation to {email} is on its way."));
        return Ok(());
    };
    let words = || format!("{token}\nGood until {}; it is not shown again.", made.invitation.expires_at);
    let id = made.invitation.id;
    let again = format!("`userd invitations revoke {id}`, and create another");
    terminal.answer_secret(&made, words, &again).map_err(WiringError::Answered)
}

/// `invitations list`.
pub async fn list(services: &Services, terminal: Terminal) -> Result<(), WiringError> {
    let invitations = all(services).await?;
    terminal.answer(&invitations, || {
        let rows: Vec<Vec<String>> = invitations
            .iter()
            .map(|invitation| {
                vec![
                    invitation.id.to_string(),
                    invitation.email.clone().unwrap_or_default(),
                    invitation.uses.to_string(),
                    invitation.roles.join(","),
                    invitation.expires_at.to_string(),
                ]
            })
            .collect();
        table(&["ID", "E-MAIL", "USES LEFT", "ROLES", "EXPIRES"], &rows)
    });
    Ok(())
}

async fn all(services: &Services) -> Result<Vec<InvitationView>, WiringError> {
    const PAGE: u32 = 200;
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = services.invitations.page(&services.operator_context(), after, PAGE).await;
        let page = page.map_err(|failure| said(&failure))?;
        let is_last = page.len() < PAGE as usize;
        after = page.last().map(|last| (last.created_at, last.id));
        all.extend(page);
        if is_last {
            return Ok(all);
        }
    }
}

/// `invitations revoke`.
pub async fn revoke(services: &Services, terminal: Terminal, id: InvitationId) -> Result<(), WiringError> {
    let revoked = services.invitations.revoke(&services.operator_context(), id).await;
    revoked.map_err(|failure| said_of(&failure, &format!("invitation {id}"), "invitations list"))?;
    terminal.answer(&serde_json::json!({ "id": id, "revoked": true }), || format!("{id} is withdrawn."));
    Ok(())
}
