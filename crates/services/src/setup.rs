//! The first administrator: made by the operator at the command line, or by whoever opens the one-time setup link
//! that the first start prints. There is exactly one winner; afterwards the way is shut.

use userd_model::{Act, Refusal, Role, User};
use userd_storage::{Failure, UnitOfWork, repositories::one_time_tokens::OneTimeToken};

use crate::{
    Completion, Context, Dependencies, UserView,
    accounts::{AccountSeed, Accounts, NewAccount, Registration, Reserved},
    change::{Change, Changes},
    claims::{FIRST_ADMINISTRATOR, claim, claim_all},
    limits::Limited,
    sessions::Proof,
};

/// Life of a setup link.
const LINK_LIFE: std::time::Duration = std::time::Duration::from_secs(24 * 3600);
const PREFIX: &str = "uds_";
const PURPOSE: &str = "setup";

/// Makes the first administrator, and further ones for the operator.
pub struct Setup {
    deps: Dependencies,
    changes: Changes,
    accounts: Accounts,
}

impl Setup {
    pub(crate) const fn new(deps: Dependencies, changes: Changes, accounts: Accounts) -> Self {
        Self { deps, changes, accounts }
    }

    /// Whether nobody has become administrator yet.
    pub async fn is_open(&self) -> Result<bool, Failure> {
        let hash = self.deps.crypto.index.claim_hash(FIRST_ADMINISTRATOR, "");
        let mut reading = self.deps.store.reading();
        Ok(reading.claims().find(&hash).await?.is_none() && !has_administrator(&mut reading).await?)
    }

    /// A one-time setup token, if setup is still open. Each start makes a new one; those before stay good for a day.
    pub async fn open(&self, ctx: &Context) -> Result<Option<String>, Failure> {
        if !self.is_open().await? {
            return Ok(None);
        }
        let (text, hash) = &userd_crypto::OpaqueSecret::mint(PREFIX, self.deps.random.as_ref());
        self.changes
            .run(ctx, "open_setup", |mut change| async move {
                let secret = OneTimeToken {
                    hash: hash.to_vec(),
                    purpose: PURPOSE.to_owned(),
                    owner: None,
                    payload: Vec::new(),
                    created_at: change.now,
                    expires_at: change.now.plus(LINK_LIFE),
                };
                change.one_time_tokens().insert(&secret).await?;
                change.commit(()).await
            })
            .await?;
        Ok(Some(text.to_string()))
    }

    /// Makes the first administrator with a setup token, and signs in.
    ///
    /// # Errors
    /// `SetupDone`, `InvalidCode`, and those of a registration.
    pub async fn finish(&self, ctx: &Context, token: &str, registration: Registration) -> Result<Completion, Failure> {
        if !self.is_open().await? {
            return Err(Refusal::SetupDone.into());
        }
        let found = self.found(ctx, token).await;
        let hash = &self.accounts.limits.count_failure(Limited::SignInPerNetwork, &ctx.origin, found).await?;
        let account = &self.account(ctx, &registration).await?.signing_in();
        let sessions = &self.accounts.sessions;
        let proof = Proof { amr: "pwd", device_name: None, identity: None, device: None };
        let arrival = &sessions.arrive(ctx, account.user.id, proof, account.user.created_at);
        let completed = self
            .changes
            .run(ctx, "finish_setup", |mut change| async move {
                if has_administrator(&mut change).await? {
                    return Err(Refusal::SetupDone.into());
                }
                self.become_first(&mut change, account).await?;
                let now = change.now;
                change.one_time_tokens().take(hash, PURPOSE, now).await?.ok_or(Refusal::InvalidCode)?;
                let user = store_administrator(&mut change, account).await?;
                let completed = sessions.complete(&mut change, user, arrival).await?;
                change.commit(completed).await
            })
            .await?;
        tracing::info!(user_id = %account.user.id, "the first administrator has set up");
        sessions.completion(completed, arrival).await
    }

    async fn found(&self, ctx: &Context, token: &str) -> Result<[u8; 32], Failure> {
        let hash = userd_crypto::OpaqueSecret::hash_of(PREFIX, token).ok_or(Refusal::InvalidCode)?;
        let row = self.deps.store.reading().one_time_tokens().find(&hash, PURPOSE, ctx.now).await?;
        Ok(row.map(|_| hash).ok_or(Refusal::InvalidCode)?)
    }

    /// Makes an administrator at the command line; closes the setup link if it was open.
    ///
    /// # Errors
    /// `Forbidden`, and those of a registration.
    pub async fn create_administrator(&self, ctx: &Context, registration: Registration) -> Result<UserView, Failure> {
        ctx.may(&Act::CreateAdministrator)?;
        let account = &self.account(ctx, &registration).await?;
        let user = self
            .changes
            .run(ctx, "create_administrator", |mut change| async move {
                match self.become_first(&mut change, account).await {
                    Ok(()) | Err(Failure::Refused(Refusal::SetupDone)) => {}
                    Err(other) => return Err(other),
                }
                let user = store_administrator(&mut change, account).await?;
                change.commit(user).await
            })
            .await?;
        self.accounts.user_reader.view(&user)
    }

    async fn become_first(&self, change: &mut Change<'_>, account: &AccountSeed) -> Result<(), Failure> {
        let first = claim(&self.deps, FIRST_ADMINISTRATOR, "", account.user.id, change.now);
        claim_all(change, &[(first, Refusal::SetupDone)]).await
    }

    async fn account(&self, ctx: &Context, registration: &Registration) -> Result<AccountSeed, Failure> {
        let mut new = NewAccount::check(registration, &self.deps.settings.password_rules, Reserved::Allowed)?;
        new.roles = vec![Role::ADMIN.to_owned()];
        let hash = self.accounts.proof.hash(&registration.password, &ctx.origin).await?;
        AccountSeed::mint(&self.deps, &new, Some(hash), self.deps.now())
    }
}

async fn store_administrator(change: &mut Change<'_>, account: &AccountSeed) -> Result<User, Failure> {
    account.store(change).await
}

/// Who has the role of administrators has come by it somehow, and set-up is not the way to it any more: where the claim of
/// the first one is gone, too.
async fn has_administrator(unit: &mut UnitOfWork) -> Result<bool, Failure> {
    Ok(!unit.user_terms().holders(Role::ADMIN).await?.is_empty())
}
