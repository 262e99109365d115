//! A new account made by an administrator. Deliberately absent: a password. Nobody but its owner ever knows one.

use userd_model::{Act, Actor, Email, InvalidField, Refusal, text};
use userd_storage::Failure;

use super::{
    AccountSeed, Accounts, NewAccount, Reserved,
    register::{parsed, username},
};
use crate::{
    Context, IdempotentRequest, UserView, idempotency::Made, limits::Limited, recent_proof, role_reader::grantable,
};

/// An account that somebody else makes.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the members of the contract's body")]
pub struct NewUser {
    pub email: Option<String>,
    pub username: Option<String>,
    pub display_name: Option<String>,
    pub locale: Option<String>,
    pub roles: Vec<String>,
}

impl Accounts {
    /// Makes an account without a password: its owner comes in by the address, or by a provider. Its roles allow at most what
    /// the maker may do.
    ///
    /// # Errors
    /// `Forbidden`, `InvalidInput`, `EmailTaken`, `UsernameTaken`, `TooManyAttempts`. For a repeat: `IdempotencyMismatch`, `ReplayRefused`.
    pub async fn create(
        &self,
        ctx: &Context,
        input: &NewUser,
        idempotent: Option<&IdempotentRequest>,
    ) -> Result<UserView, Failure> {
        ctx.may(&Act::CreateUser)?;
        recent_proof::must_be_strong(ctx, &mut self.deps.store.reading()).await?;
        self.limits.reserve(Limited::AccountMade, &ctx.actor.name()).await?;
        let new = self.new_account(ctx, input).await?;
        let account = &AccountSeed::mint(&self.deps, &new, None, self.deps.now())?;
        let maker = ctx.user().ok().map(|(user, _)| user);
        let user = self
            .changes
            .run(ctx, "create_user", |mut change| async move {
                if let Some(made) = self.idempotency.find(&mut change, idempotent).await? {
                    let Made::User(id) = made else { return Err(Refusal::IdempotencyMismatch.into()) };
                    let before = change.users().find(id).await?.ok_or(Refusal::NotFound)?;
                    return change.commit(before).await;
                }
                let user = account.store(&mut change).await?;
                self.idempotency.save(&mut change, idempotent, Made::User(user.id), maker).await?;
                change.commit(user).await
            })
            .await?;
        tracing::info!(user_id = %user.id, by = %ctx.actor.name(), "account made");
        self.user_reader.view(&user)
    }

    async fn new_account(&self, ctx: &Context, input: &NewUser) -> Result<NewAccount, Failure> {
        let mut wrong = Vec::new();
        let reserved = if ctx.actor == Actor::Operator { Reserved::Allowed } else { Reserved::Refused };
        if input.email.is_none() && input.username.is_none() {
            wrong.push(InvalidField::new("/email", "give an e-mail address or a username"));
        }
        let new = NewAccount {
            email: parsed(&mut wrong, "/email", input.email.as_deref(), Email::parse),
            username: parsed(&mut wrong, "/username", input.username.as_deref(), |text| username(text, reserved)),
            display_name: parsed(&mut wrong, "/display_name", input.display_name.as_deref(), text::display_name),
            locale: parsed(&mut wrong, "/locale", input.locale.as_deref(), text::locale),
            roles: grantable(&mut self.deps.store.reading(), &ctx.actor, &input.roles, &mut wrong).await?,
            ..NewAccount::default()
        };
        if wrong.is_empty() { Ok(new) } else { Err(Refusal::InvalidInput(wrong).into()) }
    }
}
