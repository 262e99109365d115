//! People whom other software knew: brought over with their hashes and accounts elsewhere, without a message and without
//! an event for each. Whoever was brought over before is left alone, so an import can be run again. Deliberately absent:
//! files and their formats, which the command line reads.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

use serde_json::json;
use userd_model::{Act, Email, Identity, IdentityId, InvalidField, Phone, Refusal, Timestamp, User, UserStatus, text};
use userd_storage::{Failure, repositories::claims::Claim};

use crate::{
    Context, Dependencies,
    accounts::{AccountSeed, NewAccount, Reserved, parsed, username_with},
    change::Changes,
    claims::{IMPORTED, claim},
    role_reader,
    sign_in::SignIn,
};

/// Brings people over.
#[derive(Clone)]
pub struct Imports {
    pub(crate) deps: Dependencies,
    pub(crate) changes: Changes,
    pub(crate) sign_in: SignIn,
}

/// Somebody whom other software knew.
#[derive(Clone, Debug, Default)]
pub struct ImportedPerson {
    /// What that software called them; their address or name where it is not known.
    pub source_id: Option<String>,
    /// An address.
    pub email: Option<String>,
    /// Whether it was proven there.
    pub email_verified: bool,
    /// A username.
    pub username: Option<String>,
    /// A phone number, to be shown.
    pub phone: Option<String>,
    /// A name.
    pub display_name: Option<String>,
    /// A language.
    pub locale: Option<String>,
    /// Roles that exist here.
    pub roles: Vec<String>,
    /// Accounts elsewhere: the provider's id here, and the subject.
    pub identities: Vec<(String, String)>,
    /// The hash of their password, as that software wrote it.
    pub password_hash: Option<String>,
    /// When their account began.
    pub created_at: Option<Timestamp>,
    /// Whether they were locked out.
    pub blocked: bool,
    /// When that ends.
    pub blocked_until: Option<Timestamp>,
}

/// What came of somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrived {
    /// They have an account now; in a trial they would have.
    New,
    /// They were brought over before.
    Before,
}

/// What the people of a trial would have claimed by now: of two with one address only the first would come over.
#[derive(Debug, Default)]
pub struct Trial(Mutex<HashSet<[u8; 16]>>);

impl Trial {
    /// What would come of somebody whose claims are free in the database.
    fn arrive(&self, known: &[u8], claims: &[(Claim, Refusal)]) -> Result<Arrived, Refusal> {
        // Half of a hash is enough to tell millions of them apart.
        let half = |hash: &[u8]| hash.first_chunk::<16>().copied().unwrap_or_default();
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.contains(&half(known)) {
            return Ok(Arrived::Before);
        }
        if let Some((_, refusal)) = claims.iter().find(|(claim, _)| taken.contains(&half(&claim.hash))) {
            return Err(refusal.clone());
        }
        taken.extend(claims.iter().map(|(claim, _)| half(&claim.hash)));
        Ok(Arrived::New)
    }
}

/// Somebody, checked: everything random is minted, so that storing it twice stores the same.
struct Checked {
    seed: AccountSeed,
    identities: Vec<Identity>,
}

impl Imports {
    /// Brings somebody over, from the software that is called `source`. In a trial nothing is changed.
    ///
    /// # Errors
    /// `Forbidden`; `InvalidInput` with everything that is wrong; `EmailTaken`, `UsernameTaken`, `IdentityTaken`, `NoSuchProvider`.
    pub async fn import(
        &self,
        ctx: &Context,
        source: &str,
        person: &ImportedPerson,
        trial: Option<&Trial>,
    ) -> Result<Arrived, Failure> {
        ctx.may(&Act::CreateUser)?;
        let new = self.new_account(person).await?;
        let named = person.source_id.clone();
        let named = named.or_else(|| new.email.as_ref().map(|email| email.as_str().to_owned()));
        let named = named.or_else(|| new.username.as_ref().map(|name| name.canonical())).unwrap_or_default();
        let origin = json!([source, named]).to_string();
        let known = self.deps.crypto.index.claim_hash(IMPORTED, &origin);
        // Most of a second run ends here, with a read.
        if self.deps.store.reading().claims().find(&known).await?.is_some() {
            return Ok(Arrived::Before);
        }
        let checked = &self.checked(person, &new, &origin)?;
        if let Some(trial) = trial {
            checked.seed.must_be_free(&mut self.deps.store.reading()).await?;
            return Ok(trial.arrive(&known, checked.seed.claims())?);
        }
        self.changes
            .run(ctx, "import_user", |mut change| async move {
                if change.claims().find(&known).await?.is_some() {
                    return change.commit(Arrived::Before).await;
                }
                checked.seed.store(&mut change).await?;
                for identity in &checked.identities {
                    change.identities().insert(identity).await?;
                }
                if let Some(end) = checked.seed.user.blocked_until {
                    change.block_ends().place(checked.seed.user.id, end).await?;
                }
                change.commit(Arrived::New).await
            })
            .await
    }

    async fn new_account(&self, person: &ImportedPerson) -> Result<NewAccount, Failure> {
        let mut wrong = Vec::new();
        if person.email.is_none() && person.username.is_none() && person.identities.is_empty() {
            wrong.push(InvalidField::new("/email", "give an e-mail address or a username"));
        }
        let email = parsed(&mut wrong, "/email", person.email.as_deref(), Email::parse);
        let new = NewAccount {
            email_verified: person.email_verified && email.is_some(),
            email,
            username: parsed(&mut wrong, "/username", person.username.as_deref(), |name| {
                username_with(name, Reserved::Allowed)
            }),
            phone: parsed(&mut wrong, "/phone", person.phone.as_deref(), Phone::parse),
            // What is only shown is taken as far as it can be.
            display_name: person.display_name.as_deref().and_then(|name| text::shown(name, 100)),
            locale: person.locale.as_deref().and_then(|tag| text::locale(tag).ok()),
            roles: self.roles(person, &mut wrong).await?,
            ..NewAccount::default()
        };
        if let Some(hash) = &person.password_hash
            && self.deps.crypto.passwords.import(hash).is_none()
        {
            wrong.push(InvalidField::new("/password_hash", "has not the form that this field needs"));
        }
        if wrong.is_empty() { Ok(new) } else { Err(Refusal::InvalidInput(wrong).into()) }
    }

    async fn roles(&self, person: &ImportedPerson, wrong: &mut Vec<InvalidField>) -> Result<Vec<String>, Failure> {
        let mut roles: Vec<String> = Vec::new();
        for name in &person.roles {
            if role_reader::read(&mut self.deps.store.reading(), name).await?.is_none() {
                wrong.push(InvalidField::new("/roles", "no such role"));
            } else if !roles.contains(name) {
                roles.push(name.clone());
            }
        }
        Ok(roles)
    }

    fn checked(&self, person: &ImportedPerson, new: &NewAccount, origin: &str) -> Result<Checked, Failure> {
        let now = self.deps.now();
        let hash = person.password_hash.as_deref().and_then(|hash| self.deps.crypto.passwords.import(hash));
        let mut seed = AccountSeed::mint(&self.deps, new, hash, now)?.quietly();
        seed.user.created_at = person.created_at.unwrap_or(now).min(now);
        if person.blocked && person.blocked_until.is_none_or(|end| end > now) {
            seed.user.status = UserStatus::Blocked;
            seed.user.blocked_until = person.blocked_until;
        }
        let mut claims: Vec<(Claim, Refusal)> =
            vec![(claim(&self.deps, IMPORTED, origin, seed.user.id, now), Refusal::NameTaken)];
        let mut identities = Vec::new();
        for (provider, subject) in &person.identities {
            let (claim, identity) = self.identity(&seed.user, provider, subject, now)?;
            claims.push((claim, Refusal::IdentityTaken));
            identities.push(identity);
        }
        Ok(Checked { seed: seed.claiming(claims), identities })
    }

    fn identity(
        &self,
        user: &User,
        provider: &str,
        subject: &str,
        now: Timestamp,
    ) -> Result<(Claim, Identity), Failure> {
        let id = IdentityId::mint(self.deps.random.as_ref());
        self.sign_in.imported(user, id, provider, subject, now)
    }
}
