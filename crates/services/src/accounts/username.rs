//! A new username. The old one is free again at once.

use userd_model::{Event, EventId, EventKind, Refusal, UserId};
use userd_storage::Failure;

use super::{
    Accounts,
    register::{Reserved, claim_or, username, username_claims},
};
use crate::{UserView, revocations::changed};

impl Accounts {
    /// Changes the username.
    ///
    /// # Errors
    /// `InvalidInput`, `UsernameTaken`, `VersionMismatch`.
    pub async fn change_username(&self, user: UserId, text: &str, expected: Option<i64>) -> Result<UserView, Failure> {
        let username = &username(text, Reserved::Refused).map_err(|detail| Refusal::field("/username", detail))?;
        let now = self.parts.now();
        let claims = &username_claims(&self.parts, username, user, now);
        let event = &Event {
            id: EventId::mint(self.parts.random.as_ref()),
            kind: EventKind::UsernameChanged,
            user_id: user,
            at: now,
            data: serde_json::json!({}),
        };
        let entry = &self.sessions.revocations.mint_change(user, now);
        let (user, entries) = self
            .parts
            .store
            .transact("change_username", |mut uow| async move {
                let mut owner = uow.users().find(user).await?.ok_or(Refusal::NotFound)?;
                owner.must_be_active()?;
                owner.must_have_version(expected)?;
                for claim in uow.claims().of_owner(user).await? {
                    if claim.kind == "username" || claim.kind == "username_skeleton" {
                        uow.claims().remove(&claim.hash).await?;
                    }
                }
                for (claim, taken) in claims {
                    claim_or(&mut uow, claim, taken).await?;
                }
                owner.username = Some(username.clone());
                owner.touch(now);
                uow.users().update(&owner).await?;
                uow.outbox().push(event).await?;
                let entries = vec![changed(entry, &owner)];
                self.sessions.revocations.record(&mut uow, &entries).await?;
                uow.commit((owner, entries)).await
            })
            .await?;
        self.people.changed(&user).await;
        self.sessions.revocations.announce(&entries).await;
        self.people.view(&user)
    }
}
