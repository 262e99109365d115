//! A new account: checked, claimed, stored and signed in, in one unit of work.

use userd_model::{
    Accepted, Email, InvalidField, Phone, Refusal, UserId, Username,
    password::{AboutUser, PasswordRules},
    text,
};
use userd_storage::Failure;

use super::{AccountSeed, Accounts};
use crate::{
    Completion, Context, IdempotentRequest,
    consent::Consent,
    idempotency::Made,
    invitations::Redeemable,
    limits::Limited,
    mailbox_limits::Asking,
    passwords::Password,
    sessions::{Proof, device_name},
};

/// What somebody registers with. One of e-mail and username is needed.
#[derive(Debug)]
#[expect(missing_docs, reason = "the members of the contract's body")]
pub struct Registration {
    pub email: Option<String>,
    pub username: Option<String>,
    pub password: Password,
    pub display_name: Option<String>,
    pub locale: Option<String>,
    pub device_name: Option<String>,
    /// The token of an invitation.
    pub invitation: Option<String>,
    /// The documents that are accepted.
    pub accept: Vec<Accepted>,
}

impl Accounts {
    /// Registers and signs in. A repeat with the same idempotency key signs in to the account that the first one made; where
    /// the address is proven first, it is answered with the same challenge, and no second mail goes out.
    ///
    /// # Errors
    /// `InvalidInput` with every field that is wrong, `EmailTaken`, `UsernameTaken`, `RegistrationClosed`,
    /// `TooManyAttempts`, `Busy`, `IdempotencyMismatch`, `ReplayRefused`; `SecretAlreadyShown` for a repeat that
    /// comes when the challenge is over.
    pub async fn register(
        &self,
        ctx: &Context,
        mut registration: Registration,
        idempotent: Option<&IdempotentRequest>,
    ) -> Result<Completion, Failure> {
        if !self.deps.settings.registration.admits(registration.invitation.is_some()) {
            return Err(Refusal::RegistrationClosed.into());
        }
        if let Some(before) = self.registered_before(ctx, idempotent).await? {
            return self.answer_again(ctx, before, &registration, idempotent).await;
        }
        let invitation = self.invited(ctx, &mut registration).await?;
        let mut checked = NewAccount::check(&registration, &self.deps.settings.password_rules, Reserved::Refused)?;
        checked.invite(invitation)?;
        checked.consent = Consent::given(&self.deps, ctx, &registration.accept)?;
        if let Some(email) = &checked.email {
            self.deps.settings.email_domains.must_admit(email)?;
        }
        self.limits.reserve_from(Limited::RegistrationPerNetwork, &ctx.origin).await?;
        let hash = self.proof.hash(&registration.password, &ctx.origin).await?;
        if self.must_prove_first(&checked) {
            return self.emails.begin_registration(ctx, &checked, hash, &registration, idempotent).await;
        }
        let refused = match self.store(ctx, &checked, hash, &registration, idempotent).await {
            Ok(Some(completion)) => return Ok(completion),
            Ok(None) => Refusal::IdempotencyMismatch,
            Err(Failure::Refused(refused @ (Refusal::EmailTaken | Refusal::UsernameTaken))) => refused,
            Err(other) => return Err(other),
        };
        // Of parallel requests with one key, those that lost to their twin are repeats.
        match self.registered_before(ctx, idempotent).await? {
            Some(before) => self.answer_again(ctx, before, &registration, idempotent).await,
            None => Err(refused.into()),
        }
    }

    /// Whether the account begins when its address is proven: everywhere, where the settings say so, or where an invitation gives
    /// it roles. Whoever holds rights keeps an address that they only claim (decisions 0008 and 0068).
    fn must_prove_first(&self, new: &NewAccount) -> bool {
        let claims_with_rights = new.email.is_some() && !new.roles.is_empty();
        !new.email_verified && (self.deps.settings.email_confirmation_required || claims_with_rights)
    }

    /// What an earlier request with this key made. Its body held the password: one that does not match is a guess at it,
    /// and counts as one; where there is no account yet, against the network.
    async fn registered_before(
        &self,
        ctx: &Context,
        idempotent: Option<&IdempotentRequest>,
    ) -> Result<Option<Before>, Failure> {
        let Some(earlier) = self.idempotency.earlier(idempotent).await? else { return Ok(None) };
        let before = match earlier.made {
            Made::User(user) => {
                self.proof.count_guess(user, &ctx.origin, earlier.same_body).await?;
                Before::Account(user)
            }
            Made::Registration => {
                self.limits.reserve_from(Limited::RegistrationPerNetwork, &ctx.origin).await?;
                Before::Waiting
            }
            _ => return Err(Refusal::IdempotencyMismatch.into()),
        };
        if earlier.same_body { Ok(Some(before)) } else { Err(Refusal::IdempotencyMismatch.into()) }
    }

    async fn answer_again(
        &self,
        ctx: &Context,
        before: Before,
        registration: &Registration,
        idempotent: Option<&IdempotentRequest>,
    ) -> Result<Completion, Failure> {
        match before {
            Before::Account(user) => self.register_again(ctx, user, registration, idempotent).await,
            Before::Waiting => {
                let pending = self.emails.asked_before(&mut self.deps.store.reading(), idempotent).await?;
                Ok(Completion::Pending(pending.ok_or(Refusal::ReplayRefused)?))
            }
        }
    }

    /// Signs in to the account that the first request made: whoever lost its answer gets tokens of their own.
    async fn register_again(
        &self,
        ctx: &Context,
        user: UserId,
        registration: &Registration,
        idempotent: Option<&IdempotentRequest>,
    ) -> Result<Completion, Failure> {
        let device_name = device_name(registration.device_name.as_deref())?;
        let arrival = &self.sessions.arrive(
            ctx,
            user,
            Proof { amr: "pwd", device_name, identity: None, device: None },
            self.deps.now(),
        );
        let turn = self.repeats.lock().await;
        let completed = self
            .changes
            .run(ctx, "register_again", |mut change| async move {
                self.idempotency.find(&mut change, idempotent).await?.ok_or(Refusal::ReplayRefused)?;
                let user = change.users().find(user).await?.ok_or(Refusal::ReplayRefused)?;
                let completed = self.sessions.complete(&mut change, user, arrival).await?;
                change.commit(completed).await
            })
            .await?;
        drop(turn);
        self.sessions.completion(completed, arrival).await
    }

    /// Stores the account and begins its first session; `None` where a twin with the same key was faster.
    async fn store(
        &self,
        ctx: &Context,
        checked: &NewAccount,
        hash: String,
        registration: &Registration,
        idempotent: Option<&IdempotentRequest>,
    ) -> Result<Option<Completion>, Failure> {
        let now = self.deps.now();
        let account = &AccountSeed::mint(&self.deps, checked, Some(hash), now)?
            .registering(self.deps.settings.registration)
            .signing_in();
        let device_name = device_name(registration.device_name.as_deref())?;
        let id = account.user.id;
        let arrival =
            &self.sessions.arrive(ctx, id, Proof { amr: "pwd", device_name, identity: None, device: None }, now);
        let asking = &Asking::of(&self.deps, ctx).await?;
        let completed = self
            .changes
            .run(ctx, "register", |mut change| async move {
                if self.idempotency.find(&mut change, idempotent).await?.is_some() {
                    return change.commit(None).await;
                }
                let user = account.store(&mut change).await?;
                self.approvals.ask(&mut change, &user).await?;
                if let Some(email) = checked.email.as_ref().filter(|_| !checked.email_verified) {
                    self.emails.ask_owner(&mut change, &user, email, asking.clone()).await?;
                }
                let completed = self.sessions.complete(&mut change, user, arrival).await?;
                self.idempotency.save(&mut change, idempotent, Made::User(id), Some(id)).await?;
                change.commit(Some(completed)).await
            })
            .await?;
        let Some(completed) = completed else { return Ok(None) };
        self.emails.deliveries.wake();
        tracing::info!(user_id = %id, "registered");
        self.sessions.completion(completed, arrival).await.map(Some)
    }
}

/// What an earlier request with the same key and body made.
#[derive(Clone, Copy)]
enum Before {
    Account(UserId),
    /// Nothing yet: its address is to be proven first.
    Waiting,
}

/// Whether reserved usernames (admin, support …) may be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reserved {
    /// By those who register themselves: no.
    Refused,
    /// By the operator: yes.
    Allowed,
}

/// Checked input of a new account.
#[derive(Debug, Default)]
pub(crate) struct NewAccount {
    pub email: Option<Email>,
    pub email_verified: bool,
    pub username: Option<Username>,
    /// Shown only: no claim, so nobody signs in or is found by it.
    pub phone: Option<Phone>,
    pub display_name: Option<String>,
    pub locale: Option<String>,
    pub roles: Vec<String>,
    /// The invitation that it comes of.
    pub invitation: Option<Redeemable>,
    /// What its owner accepted.
    pub consent: Option<Consent>,
}

impl Registration {
    /// One with a password alone.
    #[must_use]
    pub const fn with(password: Password) -> Self {
        let (email, username, display_name, locale) = (None, None, None, None);
        Self {
            email,
            username,
            password,
            display_name,
            locale,
            device_name: None,
            invitation: None,
            accept: Vec::new(),
        }
    }
}

impl NewAccount {
    /// The account gets what the invitation gives. An address that it was sent to is proven by it.
    pub(crate) fn invite(&mut self, invitation: Option<Redeemable>) -> Result<(), Refusal> {
        let Some(invitation) = invitation else { return Ok(()) };
        if let Some(email) = &invitation.email {
            if self.email.as_ref().is_none_or(|wanted| wanted.as_str() != email.as_str()) {
                return Err(Refusal::field("/email", "must be the address that was invited"));
            }
            self.email_verified = true;
        }
        self.roles.clone_from(&invitation.roles);
        self.invitation = Some(invitation);
        Ok(())
    }

    /// Parses and checks every field, and reports all that is wrong at once.
    pub(crate) fn check(input: &Registration, rules: &PasswordRules, reserved: Reserved) -> Result<Self, Refusal> {
        let mut wrong = Vec::new();
        let email = parsed(&mut wrong, "/email", input.email.as_deref(), Email::parse);
        let username = parsed(&mut wrong, "/username", input.username.as_deref(), |text| username(text, reserved));
        if input.email.is_none() && input.username.is_none() {
            wrong.push(InvalidField::new("/email", "give an e-mail address or a username"));
        }
        let display_name = parsed(&mut wrong, "/display_name", input.display_name.as_deref(), text::display_name);
        let locale = parsed(&mut wrong, "/locale", input.locale.as_deref(), text::locale);
        let about = AboutUser {
            email: email.as_ref().map(Email::as_str),
            username: username.as_ref().map(Username::as_str),
            display_name: display_name.as_deref(),
        };
        if let Err(detail) = rules.check(input.password.expose(), &about) {
            wrong.push(InvalidField::new("/password", detail));
        }
        if wrong.is_empty() {
            Ok(Self { email, username, display_name, locale, ..Self::default() })
        } else {
            Err(Refusal::InvalidInput(wrong))
        }
    }
}

/// Parses the username that somebody wants for themself.
pub(crate) fn own_username(text: &str) -> Result<Username, String> {
    username(text, Reserved::Refused)
}

/// Parses a username, minding the reserved ones.
pub(crate) fn username(text: &str, reserved: Reserved) -> Result<Username, String> {
    let username = Username::parse(text)?;
    if reserved == Reserved::Refused && username.is_reserved() {
        return Err("this name is reserved; choose another one".to_owned());
    }
    Ok(username)
}

pub(crate) fn parsed<T, E: Into<String>>(
    wrong: &mut Vec<InvalidField>,
    pointer: &str,
    input: Option<&str>,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Option<T> {
    match input.map(parse)? {
        Ok(value) => Some(value),
        Err(detail) => {
            wrong.push(InvalidField::new(pointer, detail));
            None
        }
    }
}
