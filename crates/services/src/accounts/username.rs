//! A new username. The old one stays reserved, as keyed hashes that say nothing about who had it: nobody is taken for
//! somebody who had the name before. Whoever gave it up may have it back, which a second hash of name and user tells.

use userd_model::{Act, EventKind, Refusal, UserId, Username};
use userd_storage::{
    Failure,
    repositories::claims::{Claim, StoredClaim},
};

use super::{
    Accounts,
    register::{Reserved, username},
};
use crate::{
    Context, UserView,
    change::Change,
    claims::{claim, claim_all, username_claims},
    limits::Limited,
};

/// The kinds of claims that a username makes.
const KINDS: [&str; 2] = ["username", "username_skeleton"];
/// The kind of the claim by which whoever gave a name up has it back.
const FORMER: &str = "former_username";
/// The owner of names that were given up.
const NOBODY: UserId = UserId(uuid::Uuid::nil());

impl Accounts {
    /// Changes the username.
    ///
    /// # Errors
    /// `InvalidInput`, `UsernameTaken`, `VersionMismatch`, `TooManyAttempts`.
    pub async fn change_username(&self, ctx: &Context, text: &str, expected: Option<i64>) -> Result<UserView, Failure> {
        let (id, _) = ctx.user()?;
        ctx.may(&Act::ChangeUsername(id))?;
        let username = &username(text, Reserved::Refused).map_err(|detail| Refusal::field("/username", detail))?;
        // Each change takes a name out of use for good.
        self.limits.reserve(Limited::UsernamePerUser, &id.to_string()).await?;
        let user = self
            .changes
            .run(ctx, "change_username", |mut change| async move {
                let mut user = change.active_user(id).await?;
                user.must_have_version(expected)?;
                self.exchange_names(&mut change, id, username).await?;
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

    /// Claims the new name and gives the one so far to nobody. What both have in common, as where only the spelling
    /// changes, stays.
    async fn exchange_names(&self, change: &mut Change<'_>, id: UserId, username: &Username) -> Result<(), Failure> {
        let wanted = username_claims(&self.deps, username, id, change.now);
        let all = change.claims().of_owner(id).await?;
        let held: Vec<&StoredClaim> = all.iter().filter(|claim| KINDS.contains(&claim.kind.as_str())).collect();
        let mut new = Vec::new();
        for (claim, taken) in wanted {
            if held.iter().any(|held| held.hash == claim.hash) {
                continue;
            }
            self.take_back(change, &claim, id).await?;
            new.push((claim, taken));
        }
        for given_up in held {
            if !username_claims(&self.deps, username, id, change.now).iter().any(|(kept, _)| kept.hash == given_up.hash)
            {
                self.give_up(change, given_up, id).await?;
            }
        }
        claim_all(change, &new).await
    }

    async fn give_up(&self, change: &mut Change<'_>, held: &StoredClaim, id: UserId) -> Result<(), Failure> {
        let kind = KINDS.into_iter().find(|kind| *kind == held.kind).unwrap_or("username");
        change.claims().remove(&held.hash).await?;
        let reserved = Claim { hash: held.hash.clone(), kind, owner: NOBODY, created_at: held.created_at };
        let former = self.former(&held.hash, id, change.now);
        Ok(change.claims().insert_many(&[reserved, former]).await?)
    }

    /// Frees a name for whoever had it before.
    async fn take_back(&self, change: &mut Change<'_>, wanted: &Claim, id: UserId) -> Result<(), Failure> {
        let former = self.former(&wanted.hash, id, change.now);
        if change.claims().find(&former.hash).await?.is_some_and(|found| found.owner == id) {
            change.claims().remove(&former.hash).await?;
            change.claims().remove(&wanted.hash).await?;
        }
        Ok(())
    }

    fn former(&self, hash: &[u8], id: UserId, now: userd_model::Timestamp) -> Claim {
        let of = format!("{id}|{}", crate::sealing::hex(hash));
        claim(&self.deps, FORMER, &of, id, now)
    }
}
