//! The proof by password: one place that looks a login up, counts the attempt, and compares, for every way in that
//! takes a password. An unknown login costs the same time as a wrong password.

use std::time::Duration;

use tracing::Instrument as _;
use userd_crypto::{KnownDevice, PasswordError, Zeroizing};
use userd_model::{Refusal, SessionId, User, UserId, password};
use userd_storage::{Failure, repositories::password_credentials::PasswordCredential};

use crate::{
    Dependencies, RequestOrigin,
    limits::{Limited, Limits},
    sealing::hex,
    user_reader::internal,
    work_under_way::{Place, WorkUnderWay},
};

/// Proves people by their passwords.
#[derive(Clone)]
pub struct PasswordProof {
    deps: Dependencies,
    limits: Limits,
    under_way: WorkUnderWay,
}

/// A password in transit: normalised (NFC), wiped on drop, never printed.
pub struct Password(Zeroizing<String>);

impl Password {
    /// Takes the text as typed.
    #[must_use]
    pub fn new(text: String) -> Self {
        let text = Zeroizing::new(text);
        Self(Zeroizing::new(password::normalise(&text).into_owned()))
    }

    /// The normalised text.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether hashing it is out of the question: the cap is applied before any work is done.
    #[must_use]
    pub fn is_too_long(&self) -> bool {
        self.0.len() > password::MAX_BYTES
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(…)")
    }
}

/// A proven person.
pub struct Proven {
    /// The user as read before the proof; read again inside the unit of work that acts on it.
    pub user: User,
    /// The hash that matched; a unit of work checks that it is still the current one.
    pub hash: String,
    /// A fresh hash, where the parameters have changed since.
    pub rehashed: Option<String>,
    /// The device, where its token says that the user signed in on it before.
    pub device: Option<KnownDevice>,
}

impl PasswordProof {
    pub(crate) fn new(deps: Dependencies, limits: Limits) -> Self {
        Self { deps, limits, under_way: WorkUnderWay::default() }
    }

    /// Hashes a new password.
    ///
    /// # Errors
    /// `Busy` when the hashing queue is full, `TooManyAttempts` when one network fills its share.
    pub async fn hash(&self, password: &Password, origin: &RequestOrigin) -> Result<String, Failure> {
        let _place = self.begin_work(origin)?;
        self.hash_here(password).await
    }

    /// A place in the hashing pool. One network has half of them at most, known devices and right passwords included, so
    /// that nobody keeps everybody else from signing in.
    fn begin_work(&self, origin: &RequestOrigin) -> Result<Option<Place>, Refusal> {
        if !self.limits.enabled() {
            return Ok(None);
        }
        let most = (self.deps.crypto.passwords.capacity() / 2).max(1);
        match self.under_way.begin(&origin.network, most) {
            Some(place) => Ok(Some(place)),
            None => {
                metrics::counter!("userd_attempts_delayed_total", "limit" => "work_per_network").increment(1);
                Err(Refusal::TooManyAttempts(Duration::from_secs(1)))
            }
        }
    }

    async fn hash_here(&self, password: &Password) -> Result<String, Failure> {
        let span = tracing::debug_span!(target: "userd::spans", "hash");
        self.deps.crypto.passwords.hash(password.0.clone()).instrument(span).await.map_err(busy)
    }

    /// Proves the owner of a login. `device_token` may show that the device is known to that owner.
    ///
    /// # Errors
    /// `WrongCredentials`, `TooManyAttempts`, `Busy`.
    pub async fn by_login(
        &self,
        login: &LoginKey,
        password: &Password,
        device_token: Option<&str>,
        origin: &RequestOrigin,
    ) -> Result<Proven, Failure> {
        let owner = match &login.claim {
            Some(hash) => self.deps.store.reading().claims().find(hash).await?.map(|claim| claim.owner),
            None => None,
        };
        let known = self.known_device(owner, device_token).await?;
        // One count per account, whichever of its logins is tried and by whichever way. A login that nobody has is
        // counted by its claim, so that it answers like one that somebody has; text that can be no login has only
        // the count of its network.
        let counter = owner.map(|owner| owner.to_string()).or_else(|| login.claim.as_deref().map(hex));
        let id = known.map(|device| device.id.to_string());
        let proven =
            self.counted((counter.as_deref(), owner), id.as_deref(), origin, self.compare(owner, password)).await?;
        let proven = proven.ok_or(Refusal::WrongCredentials)?;
        Ok(Proven { device: known, ..proven })
    }

    /// A device that the owner of this login signed in with before. What ends sessions ends that too:
    /// a token from before the security epoch was raised or the password was set is one of nobody's.
    async fn known_device(&self, owner: Option<UserId>, token: Option<&str>) -> Result<Option<KnownDevice>, Failure> {
        let device = token.and_then(|token| self.deps.crypto.device_tokens.parse(token));
        match device.filter(|device| owner == Some(device.user)) {
            Some(device) => current_device(&self.deps, device).await,
            None => Ok(None),
        }
    }

    /// Proves a signed-in user again. The counter is the account's own, shared with sign-in.
    ///
    /// # Errors
    /// `WrongCurrentPassword`, `TooManyAttempts`, `Busy`.
    pub async fn again(
        &self,
        user: UserId,
        session: SessionId,
        password: &Password,
        origin: &RequestOrigin,
    ) -> Result<Proven, Failure> {
        // Guesses count against the account. When strangers have used that up, the session has a count of its own, as
        // a known device does at sign-in, so that they never keep the owner from changing the password.
        let session = format!("session:{session}");
        let known = match self.limits.reserve(Limited::PasswordPerAccount, &user.to_string()).await {
            Ok(()) => {
                self.limits.give_back(Limited::PasswordPerAccount, &user.to_string()).await;
                None
            }
            Err(_) => Some(session.as_str()),
        };
        self.counted((Some(&user.to_string()), Some(user)), known, origin, self.compare(Some(user), password))
            .await?
            .ok_or_else(|| Refusal::WrongCurrentPassword.into())
    }

    /// Refuses the current password as the new one, where a new one is demanded.
    ///
    /// # Errors
    /// `InvalidInput` at `/new_password`; `TooManyAttempts`, `Busy`.
    pub(crate) async fn must_differ_if_demanded(
        &self,
        user: UserId,
        new: &Password,
        origin: &RequestOrigin,
    ) -> Result<(), Failure> {
        let stored = self.deps.store.reading().password_credentials().find(user).await?;
        if !stored.is_some_and(|stored| stored.must_change) {
            return Ok(());
        }
        let _place = self.begin_work(origin)?;
        match self.compare(Some(user), new).await? {
            Some(_) => Err(Refusal::field("/new_password", "must not be the password so far").into()),
            None => Ok(()),
        }
    }

    /// Counts a guess at the user's password that was compared in another way.
    ///
    /// # Errors
    /// `TooManyAttempts`: then nobody may be told how the comparison ended.
    pub(crate) async fn count_guess(
        &self,
        user: UserId,
        origin: &RequestOrigin,
        is_right: bool,
    ) -> Result<(), Refusal> {
        let key = user.to_string();
        let counts = [(Limited::PasswordPerNetwork, origin.network.as_str()), (Limited::PasswordPerAccount, &key)];
        for (what, key) in counts {
            let account = Some(user).filter(|_| what == Limited::PasswordPerAccount);
            self.limits.reserve_at(what, key, account).await?;
        }
        if is_right {
            for (what, key) in counts {
                self.limits.give_back(what, key).await;
            }
        }
        Ok(())
    }

    /// Reserves, compares, and gives the reservation back on success.
    async fn counted(
        &self,
        (account, owner): (Option<&str>, Option<UserId>),
        known_device: Option<&str>,
        origin: &RequestOrigin,
        comparison: impl Future<Output = Result<Option<Proven>, Failure>>,
    ) -> Result<Option<Proven>, Failure> {
        let _place = self.begin_work(origin)?;
        // The device before the account's devices together: one that has used up its own takes nothing of the others'.
        let narrow = match known_device {
            Some(device) => (Limited::PasswordPerKnownDevice, device),
            None => (Limited::PasswordPerNetwork, origin.network.as_str()),
        };
        let of_account =
            if known_device.is_some() { Limited::PasswordPerKnownDevices } else { Limited::PasswordPerAccount };
        let counts: Vec<_> = [narrow].into_iter().chain(account.map(|account| (of_account, account))).collect();
        for (what, key) in &counts {
            self.limits.reserve_at(*what, key, owner.filter(|_| *what == of_account)).await?;
        }
        let proven = comparison.await;
        if !matches!(proven, Ok(None)) {
            for (what, key) in &counts {
                self.limits.give_back(*what, key).await;
            }
        }
        proven
    }

    async fn compare(&self, owner: Option<UserId>, password: &Password) -> Result<Option<Proven>, Failure> {
        if password.is_too_long() {
            return Ok(None);
        }
        // A login that nobody has is looked up like any other, so that it takes as long.
        let whose = owner.unwrap_or(UserId(uuid::Uuid::nil()));
        let (user, credential) = self.deps.store.reading().users().find_with_password(whose).await?;
        let found = user.zip(credential);
        let stored = found.as_ref().map(|(_, credential)| credential.hash.clone());
        let passwords = &self.deps.crypto.passwords;
        let span = tracing::debug_span!(target: "userd::spans", "hash");
        let verdict = match passwords.verify(password.0.clone(), stored).instrument(span).await {
            // A hash made under a pepper that is gone, or dearer than this service may afford, matches nothing. It
            // costs the same as any other, so that nobody learns that this login exists.
            Err(PasswordError::UnsupportedHash) => {
                tracing::error!(user_id = ?owner, "a stored password hash cannot be checked: was passwords.pepper changed?");
                passwords.verify(password.0.clone(), None).await
            }
            other => other,
        };
        let verdict = verdict.map_err(busy)?;
        let Some((user, PasswordCredential { hash, .. })) = found.filter(|_| verdict.matches) else { return Ok(None) };
        let rehashed = if verdict.needs_rehash { self.hash_here(password).await.ok() } else { None };
        Ok(Some(Proven { user, hash, rehashed, device: None }))
    }
}

/// How a login is looked up and counted: the same for every spelling of one login.
pub struct LoginKey {
    /// The claim's hash; none when the text can be no login.
    pub claim: Option<Vec<u8>>,
}

fn busy(error: PasswordError) -> Failure {
    match error {
        PasswordError::Busy(wait) => Refusal::Busy(wait.max(Duration::from_secs(1))).into(),
        other => internal(other),
    }
}

/// The same device, if its token still counts.
pub(crate) async fn current_device(deps: &Dependencies, device: KnownDevice) -> Result<Option<KnownDevice>, Failure> {
    let (user, credential) = deps.store.reading().users().find_with_password(device.user).await?;
    Ok(is_current(&device, user.as_ref(), credential.as_ref()).then_some(device))
}

/// Whether a device token still counts for the account as it is now.
pub(crate) fn is_current(device: &KnownDevice, user: Option<&User>, credential: Option<&PasswordCredential>) -> bool {
    user.is_some_and(|user| user.security_epoch == device.epoch)
        && credential.is_none_or(|credential| credential.changed_at <= device.minted_at)
}
