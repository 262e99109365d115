//! Administration of accounts: look, block, unblock, sign out. The same for the API and the command line.

use std::sync::Arc;

use userd_model::{Act, Actor, Event, EventId, EventKind, Permission, Refusal, Timestamp, User, UserId};
use userd_storage::Failure;

use crate::{
    Parts, UserView,
    people::People,
    revocations::{Revocations, epoch_raised},
    sessions::{end_within, login_key},
};

/// Administers accounts.
pub struct Users {
    parts: Parts,
    people: People,
    revocations: Arc<Revocations>,
}

impl Users {
    pub(crate) const fn new(parts: Parts, people: People, revocations: Arc<Revocations>) -> Self {
        Self { parts, people, revocations }
    }

    /// A page of accounts, oldest first.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn page(
        &self,
        actor: &Actor,
        after: Option<(Timestamp, UserId)>,
        limit: u32,
    ) -> Result<Vec<UserView>, Failure> {
        actor.may(Act::Any(Permission::UsersRead))?;
        let users = self.parts.store.reading().users().page(after, limit).await?;
        users.iter().map(|user| self.people.view(user)).collect()
    }

    /// One account.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`.
    pub async fn show(&self, actor: &Actor, id: UserId) -> Result<UserView, Failure> {
        actor.may(Act::Own(id, Permission::UsersRead))?;
        let user = self.parts.store.reading().users().find(id).await?.ok_or(Refusal::NotFound)?;
        self.people.view(&user)
    }

    /// The account behind an exact e-mail, username or phone.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`.
    pub async fn find(&self, actor: &Actor, login: &str) -> Result<UserView, Failure> {
        actor.may(Act::Any(Permission::UsersRead))?;
        let key = login_key(&self.parts, login).claim.ok_or(Refusal::NotFound)?;
        let claim = self.parts.store.reading().claims().find(&key).await?.ok_or(Refusal::NotFound)?;
        self.show(actor, claim.owner).await
    }

    /// Shuts an account: its sessions end and its tokens die at once.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`.
    pub async fn block(&self, actor: &Actor, id: UserId) -> Result<UserView, Failure> {
        // Whoever shuts themself out cannot undo it; somebody else who may administer has to.
        if matches!(actor, Actor::User { id: own, .. } if *own == id) {
            return Err(Refusal::Forbidden.into());
        }
        self.change(
            actor,
            id,
            Change { name: "block_user", event: Some(EventKind::UserBlocked), end_sessions: true, act: User::block },
        )
        .await
    }

    /// Opens a blocked account again.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`.
    pub async fn unblock(&self, actor: &Actor, id: UserId) -> Result<UserView, Failure> {
        self.change(
            actor,
            id,
            Change {
                name: "unblock_user",
                event: Some(EventKind::UserUnblocked),
                end_sessions: false,
                act: User::unblock,
            },
        )
        .await
    }

    /// Ends every session of an account.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`.
    pub async fn sign_out(&self, actor: &Actor, id: UserId) -> Result<UserView, Failure> {
        let act = |user: &mut User, now| {
            user.raise_epoch(now);
            Ok(())
        };
        self.change(actor, id, Change { name: "sign_out_user", event: None, end_sessions: true, act }).await
    }

    async fn change(&self, actor: &Actor, id: UserId, change: Change) -> Result<UserView, Failure> {
        actor.may(Act::Any(Permission::UsersManage))?;
        let (now, seed) = (self.parts.now(), self.parts.random.secret());
        let event_id = EventId::mint(self.parts.random.as_ref());
        let entry = &self.revocations.mint_change(id, now);
        let change = &change;
        let (user, entries) = self
            .parts
            .store
            .transact(change.name, |mut uow| async move {
                let mut user = uow.users().find(id).await?.ok_or(Refusal::NotFound)?;
                (change.act)(&mut user, now)?;
                uow.users().update(&user).await?;
                let mut entries = Vec::new();
                if change.end_sessions {
                    uow.one_time_tokens().remove_of_owner(id).await?;
                    let alive = uow.sessions().alive_of_user(id, now).await?;
                    entries = end_within(&self.parts, &mut uow, alive, change.name, seed, now).await?;
                }
                let entry = epoch_raised(entry, &user);
                self.revocations.record(&mut uow, std::slice::from_ref(&entry)).await?;
                entries.push(entry);
                if let Some(kind) = change.event {
                    let event = Event { id: event_id, kind, user_id: id, at: now, data: serde_json::json!({}) };
                    uow.outbox().push(&event).await?;
                }
                uow.commit((user, entries)).await
            })
            .await?;
        self.people.changed(&user).await;
        self.revocations.announce(&entries).await;
        tracing::info!(user_id = %id, act = change.name, by = ?actor_id(actor), "account administered");
        self.people.view(&user)
    }
}

/// One administrative change of an account.
struct Change {
    name: &'static str,
    event: Option<EventKind>,
    end_sessions: bool,
    act: fn(&mut User, Timestamp) -> Result<(), Refusal>,
}

fn actor_id(actor: &Actor) -> String {
    match actor {
        Actor::User { id, .. } => id.to_string(),
        Actor::Service { id, .. } => id.to_string(),
        Actor::Operator => "operator".to_owned(),
    }
}
