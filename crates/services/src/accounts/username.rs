//! A new username. The old one is free again at once.

use userd_model::{Act, EventKind, Refusal, Username};
use userd_storage::Failure;

use super::{
    Accounts,
    register::{Reserved, claim_all, username, username_claims},
};
use crate::{Context, UserView};

impl Accounts {
    /// Changes the username.
    ///
    /// # Errors
    /// `InvalidInput`, `UsernameTaken`, `VersionMismatch`.
    pub async fn change_username(&self, ctx: &Context, text: &str, expected: Option<i64>) -> Result<UserView, Failure> {
        let (id, _) = ctx.user()?;
        ctx.may(&Act::ChangeUsername(id))?;
        let username = &username(text, Reserved::Refused).map_err(|detail| Refusal::field("/username", detail))?;
        let user = self
            .changes
            .run(ctx, "change_username", |mut change| async move {
                let mut user = change.active_user(id).await?;
                user.must_have_version(expected)?;
                for claim in change.claims().of_owner(id).await? {
                    if claim.kind == "username" || claim.kind == "username_skeleton" {
                        change.claims().remove(&claim.hash).await?;
                    }
                }
                let claims = username_claims(&self.deps, username, id, change.now);
                claim_all(&mut change, &claims).await?;
                let before = user.username.replace(username.clone());
                user.touch(change.now);
                change.users().update(&user).await?;
                let names = serde_json::json!({
                    "before": before.as_ref().map(Username::as_str), "after": username.as_str(),
                });
                change.event(EventKind::UsernameChanged, id, serde_json::json!({})).personal(names);
                change.forget(&user);
                change.commit(user).await
            })
            .await?;
        self.user_reader.view(&user)
    }
}
