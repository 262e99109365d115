//! `userd users …`

use userd_model::{Refusal, UserId, UserStatus};
use userd_services::{
    Failure, Services, UserView,
    accounts::{NewUser, Registration},
    passwords::Password,
    user_list::UserFilter,
    users::Block,
};

use super::said;
use crate::{
    terminal::{Terminal, ask_password, notice, table},
    wiring::WiringError,
};

/// `users create-admin`: an account with the role `admin`.
pub async fn create_admin(
    services: &Services,
    terminal: Terminal,
    email: Option<String>,
    username: Option<String>,
    from_stdin: bool,
) -> Result<(), WiringError> {
    let password = Password::new(ask_password(from_stdin).map_err(WiringError::Config)?);
    let registration = Registration { email, username, ..Registration::with(password) };
    let user = services
        .setup
        .create_administrator(&services.operator_context(), registration)
        .await
        .map_err(|failure| said(&failure))?;
    terminal.answer(&user, || format!("{} is an administrator now and can sign in.", called(&user)));
    Ok(())
}

/// `users create`: an account without a password.
pub async fn create(services: &Services, terminal: Terminal, input: &NewUser) -> Result<(), WiringError> {
    let made = services.accounts.create(&services.operator_context(), input, None).await;
    let user = made.map_err(|failure| said(&failure))?;
    terminal.answer(&user, || format!("{} has an account now: {}", called(&user), user.id));
    Ok(())
}

/// `users list`: a page of accounts, oldest first.
pub async fn list(services: &Services, terminal: Terminal, filter: &UserFilter, limit: u32) -> Result<(), WiringError> {
    let (mut users, mut after) = (Vec::new(), None);
    // One more than is shown tells whether there are more.
    let wanted = limit as usize + 1;
    while users.len() < wanted {
        let rest = (wanted - users.len()).min(200);
        let page = services.users.list(&services.operator_context(), filter, after, rest).await;
        let page = page.map_err(|failure| said(&failure))?;
        users.extend(page.items);
        let Some(next) = page.next else { break };
        after = Some(next);
    }
    let stopped = users.len() == wanted;
    users.truncate(limit as usize);
    terminal.answer(&users, || {
        let rows: Vec<Vec<String>> = users
            .iter()
            .map(|user| {
                vec![
                    user.id.to_string(),
                    user.status.as_str().to_owned(),
                    user.username.clone().unwrap_or_default(),
                    user.email.clone().unwrap_or_default(),
                    user.roles.join(","),
                    user.created_at.to_string(),
                ]
            })
            .collect();
        table(&["ID", "STATUS", "USERNAME", "E-MAIL", "ROLES", "CREATED"], &rows)
    });
    if stopped {
        notice(&format!("the list stops at {limit}, there are more accounts: --limit NUMBER shows more"));
    }
    Ok(())
}

/// `users show`.
pub async fn show(services: &Services, terminal: Terminal, who: &str) -> Result<(), WiringError> {
    let user = find(services, who).await?;
    terminal.answer(&user, || described(&user));
    Ok(())
}

/// `users block` and `users unblock`.
pub async fn set_blocked(
    services: &Services,
    terminal: Terminal,
    who: &str,
    block: Option<Block>,
) -> Result<(), WiringError> {
    let user = find(services, who).await?;
    let (ctx, users) = (services.operator_context(), &services.users);
    let changed = match block {
        Some(block) => users.block_with(&ctx, user.id, &block).await,
        None => users.unblock(&ctx, user.id).await,
    };
    let user = changed.map_err(|failure| said_of_deleted(&failure, who))?;
    terminal.answer(&user, || match user.status {
        UserStatus::Deleted => format!("{} is deleted, and blocked when it is restored.", called(&user)),
        status => format!("{} is {} now.", called(&user), status.as_str()),
    });
    Ok(())
}

/// `users reset-factors`: ends all sessions of the account.
pub async fn reset_factors(services: &Services, terminal: Terminal, who: &str) -> Result<(), WiringError> {
    let user = find(services, who).await?;
    services.factors.reset(&services.operator_context(), user.id).await.map_err(|failure| said(&failure))?;
    terminal.answer(&user, || format!("{} has no second factor any more; its sessions have ended.", called(&user)));
    Ok(())
}

/// `users set-password`: ends all sessions of the account.
pub async fn set_password(
    services: &Services,
    terminal: Terminal,
    who: &str,
    from_stdin: bool,
) -> Result<(), WiringError> {
    let user = find(services, who).await?;
    let password = Password::new(ask_password(from_stdin).map_err(WiringError::Config)?);
    services
        .accounts
        .set_password(&services.operator_context(), user.id, &password)
        .await
        .map_err(|failure| said(&failure))?;
    terminal.answer(&user, || format!("The password of {} is set; all its sessions have ended.", called(&user)));
    Ok(())
}

/// `users delete`.
pub async fn delete(services: &Services, terminal: Terminal, who: &str) -> Result<(), WiringError> {
    let user = find(services, who).await?;
    let until = services.deletions.delete(&services.operator_context(), user.id).await;
    let until = until.map_err(|failure| said_of_deleted(&failure, who))?;
    let deleted = serde_json::json!({ "id": user.id, "restorable_until": until });
    terminal
        .answer(&deleted, || format!("{} is deleted; until {until}: userd users restore {}", called(&user), user.id));
    Ok(())
}

/// `users restore`.
pub async fn restore(services: &Services, terminal: Terminal, who: &str) -> Result<(), WiringError> {
    let user = find(services, who).await?;
    let (before, restored) = (user.status, services.deletions.restore(&services.operator_context(), user.id).await);
    let user = restored.map_err(|failure| match failure {
        Failure::Refused(Refusal::NotFound) if before == UserStatus::Deleted => {
            WiringError::Part(format!("the time in which {who} could be restored is over"))
        }
        Failure::Refused(Refusal::NotFound) => {
            WiringError::Part(format!("{who} is not deleted; `userd users show {who}` shows the account"))
        }
        other => said(&other),
    })?;
    terminal.answer(&user, || format!("{} is {} again.", called(&user), user.status.as_str()));
    Ok(())
}

/// `users purge`: for good, so it wants a word more.
pub async fn purge(services: &Services, terminal: Terminal, who: &str, yes: bool) -> Result<(), WiringError> {
    let user = find(services, who).await?;
    if !yes {
        let what = format!("this erases {} for good: say it with --yes", called(&user));
        return Err(WiringError::Config(what));
    }
    let purged = services.deletions.purge(&services.operator_context(), user.id).await;
    purged.map_err(|failure| said(&failure))?;
    terminal.answer(&serde_json::json!({ "id": user.id }), || format!("{} is erased.", user.id));
    Ok(())
}

/// `users export`: JSON in any case.
pub async fn export(services: &Services, who: &str) -> Result<(), WiringError> {
    let user = find(services, who).await?;
    let archive = services.export(&services.operator_context(), user.id).await.map_err(|failure| said(&failure))?;
    Terminal { json: true }.answer(&archive, String::new);
    Ok(())
}

/// `users send-password-reset`.
pub async fn send_password_reset(services: &Services, terminal: Terminal, who: &str) -> Result<(), WiringError> {
    let user = find(services, who).await?;
    let sent = services.recovery.send_link(&services.operator_context(), user.id).await;
    sent.map_err(|failure| said_of_deleted(&failure, who))?;
    let accepted = serde_json::json!({ "id": user.id, "status": "accepted" });
    terminal.answer(&accepted, || format!("A mail to {} is on its way, where its address may get one.", called(&user)));
    Ok(())
}

/// `users require-password-change`: ends all sessions of the account.
pub async fn require_password_change(services: &Services, terminal: Terminal, who: &str) -> Result<(), WiringError> {
    let user = find(services, who).await?;
    let demanded = services.users.require_password_change(&services.operator_context(), user.id).await;
    demanded.map_err(|failure| said_of_deleted(&failure, who))?;
    let demanded = serde_json::json!({ "id": user.id, "status": "password_change_required" });
    terminal.answer(&demanded, || format!("{} is asked for a new password at the next sign-in.", called(&user)));
    Ok(())
}

/// An account by id, e-mail, username or phone.
pub(super) async fn find(services: &Services, who: &str) -> Result<UserView, WiringError> {
    let found = match who.parse::<UserId>() {
        Ok(id) => services.users.show(&services.operator_context(), id).await,
        Err(_) => services.users.find(&services.operator_context(), who).await,
    };
    found.map_err(|failure| match failure {
        Failure::Refused(Refusal::NotFound) => {
            WiringError::Part(format!("no account {who}: give an id, e-mail address, username or phone number"))
        }
        other => said(&other),
    })
}

/// The account was found; an act that does not find it leaves deleted ones alone.
fn said_of_deleted(failure: &Failure, who: &str) -> WiringError {
    match failure {
        Failure::Refused(Refusal::NotFound) => {
            WiringError::Part(format!("{who} is deleted; `userd users restore {who}` has it back"))
        }
        other => said(other),
    }
}

fn called(user: &UserView) -> String {
    user.username.clone().or_else(|| user.email.clone()).unwrap_or_else(|| user.id.to_string())
}

fn described(user: &UserView) -> String {
    let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
    let at = |value: Option<userd_model::Timestamp>| value.map_or_else(|| "never".to_owned(), |at| at.to_string());
    [
        format!("id              {}", user.id),
        format!("status          {}", user.status.as_str()),
        format!("blocked until   {}", user.blocked_until.map_or_else(|| "-".to_owned(), |at| at.to_string())),
        format!("block reason    {}", shown(&user.block_reason)),
        format!("username        {}", shown(&user.username)),
        format!("e-mail          {}{}", shown(&user.email), if user.email_verified { " (proven)" } else { "" }),
        format!("phone           {}", shown(&user.phone)),
        format!("display name    {}", shown(&user.display_name)),
        format!("roles           {}", if user.roles.is_empty() { "-".to_owned() } else { user.roles.join(", ") }),
        format!("created         {}", user.created_at),
        format!("last sign-in    {}", at(user.last_sign_in_at)),
        format!("version         {}", user.version),
    ]
    .join("\n")
}
