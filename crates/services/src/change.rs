//! The one way to make a change: a unit of work together with what it tells others. Facts and revocations are
//! collected while the body runs and written with its last statements; what must happen after the commit (caches
//! forget, other replicas hear) happens here, once, and cannot be forgotten: from the commit on a change goes on to its end,
//! whoever waits for it.
//!
//! Writes of a body are kept from the beginning ([`UnitOfWork::defer_writes`]): they travel with its next read, or with the
//! commit, and none is waited for by itself.
//!
//! A body may run more than once. Its ids are derived from the context's seed in the order in which they are asked
//! for, so a re-run that finds the same derives the same.

use std::{
    ops::{Deref, DerefMut},
    pin::Pin,
    sync::Arc,
};

use tokio::sync::Notify;
use userd_crypto::CryptoManager;
use userd_model::{EventKind, Refusal, Revocation, Revoked, Session, Subject, Timestamp, User, UserId};
use userd_storage::{Failure, StoreError, UnitOfWork};

use crate::{
    Context, Dependencies,
    arrivals::Arrivals,
    fact_drafts::{FactDraft, FactDrafts},
    revocations::Revocations,
    role_reader::RoleReader,
    to_its_end::ToItsEnd,
    user_reader::UserReader,
};

/// Makes changes.
#[derive(Clone)]
pub struct Changes {
    deps: Dependencies,
    revocations: Arc<Revocations>,
    users: UserReader,
    roles: RoleReader,
    /// Wakes whoever passes facts on.
    told: Arc<Notify>,
    arrivals: Arrivals,
}

/// One change under way: every repository of its unit of work, and what is told once it is durable.
pub struct Change<'a> {
    unit: UnitOfWork,
    changes: &'a Changes,
    ids: Ids<'a>,
    /// Who acts, from where, in which request.
    pub context: &'a Context,
    /// The time of the change, the same in every re-run.
    pub now: Timestamp,
    facts: FactDrafts,
    effects: Effects,
}

/// What follows from a commit.
#[derive(Default)]
struct Effects {
    revocations: Vec<Revocation>,
    changed: Vec<User>,
    /// Names and versions of roles that changed.
    roles: Vec<(String, i64)>,
    signed_in: Vec<User>,
    /// Whose inbox has something new.
    arrived: Vec<UserId>,
    told: bool,
}

/// What a body answers: a value that is durable. Only [`Change::commit`] makes one.
pub struct Committed<T> {
    value: T,
    following: ToItsEnd<()>,
}

/// A body, whatever it is.
type Work<'a, 'w, T> = dyn Fn(Change<'a>) -> Running<'w, T> + Send + Sync + 'w;
type Running<'w, T> = Pin<Box<dyn Future<Output = Result<Committed<T>, Failure>> + Send + 'w>>;

/// The ids of one change, in order.
struct Ids<'a> {
    crypto: &'a CryptoManager,
    seed: &'a [u8; 32],
    change: u32,
    next: u32,
}

impl Changes {
    pub(crate) fn new(
        deps: &Dependencies,
        revocations: Arc<Revocations>,
        users: UserReader,
        roles: RoleReader,
    ) -> Self {
        Self { deps: deps.clone(), revocations, users, roles, told: Arc::default(), arrivals: Arrivals::new(deps) }
    }

    /// Runs `work` until it commits or refuses, and then does what follows from it.
    ///
    /// # Errors
    /// What `work` refuses; storage faults. Nothing of a refused change is left.
    pub async fn run<'a, T, F, Fut>(&'a self, context: &'a Context, name: &'static str, work: F) -> Result<T, Failure>
    where
        T: Send,
        F: Fn(Change<'a>) -> Fut + Send + Sync,
        Fut: Future<Output = Result<Committed<T>, Failure>> + Send,
    {
        // One loop of re-runs in the program for each kind of answer, not one for each use case.
        self.run_boxed(context, name, &|change| Box::pin(work(change))).await
    }

    async fn run_boxed<'a, 'w, T: Send>(
        &'a self,
        context: &'a Context,
        name: &'static str,
        work: &'w Work<'a, 'w, T>,
    ) -> Result<T, Failure> {
        let (seed, number) = (context.seed(self.deps.random.as_ref()), context.next_change());
        // Later than the request, where hashing came before: verifiers rely on revocations being told when they are made.
        let now = self.deps.now().max(context.now);
        let committed = self
            .deps
            .store
            .transact(name, |mut unit| {
                unit.defer_writes();
                work(Change {
                    unit,
                    changes: self,
                    ids: Ids { crypto: &self.deps.crypto, seed, change: number, next: 0 },
                    context,
                    now,
                    facts: FactDrafts::default(),
                    effects: Effects::default(),
                })
            })
            .await?;
        committed.following.await;
        Ok(committed.value)
    }

    /// A context of the service itself: background work.
    #[must_use]
    pub fn system_context(&self) -> Context {
        Context::new(self.deps.now()).acting_as(userd_model::Actor::System)
    }

    /// Is notified after each commit that told something.
    pub(crate) fn told(&self) -> Arc<Notify> {
        Arc::clone(&self.told)
    }

    /// Whose inbox has something new, from all replicas.
    #[must_use]
    pub const fn arrivals(&self) -> &Arrivals {
        &self.arrivals
    }

    /// After a commit without an answer: if it was kept, what is remembered is out of date. If it was not, this costs some
    /// reads. Revocations are left to the poll: one that was not kept would refuse tokens that are good.
    async fn doubt(&self, effects: Effects) {
        self.follow(Effects { revocations: Vec::new(), ..effects }).await;
    }

    async fn follow(&self, effects: Effects) {
        if effects.told {
            self.told.notify_one();
        }
        for user in &effects.changed {
            self.users.changed(user).await;
        }
        for (role, version) in &effects.roles {
            self.roles.changed(role, *version).await;
        }
        for user in &effects.signed_in {
            self.users.signed_in(user).await;
        }
        self.arrivals.announce(&effects.arrived).await;
        self.revocations.announce(&effects.revocations).await;
    }
}

impl Change<'_> {
    /// A new id. Bodies take theirs from here, so that a re-run has the same.
    pub fn id<Id: From<uuid::Uuid>>(&mut self) -> Id {
        self.ids.next().into()
    }

    /// Tells everybody who listens what happened to `subject`. `data` holds ids and words, never personal data; that has
    /// a place of its own ([`FactDraft::personal`]).
    pub fn event(&mut self, kind: EventKind, subject: impl Into<Subject>, data: serde_json::Value) -> &mut FactDraft {
        let id = self.id();
        self.facts.add(id, kind, subject.into(), (self.context, self.now), data)
    }

    /// The user is new: made in this change.
    pub(crate) fn begins(&mut self, user: &User) {
        self.facts.begin(user);
    }

    /// The number of the last fact about the user, read in this change: it is not asked for again.
    pub(crate) fn knows_facts(&mut self, user: &User, number: i64) {
        self.facts.know(user, number);
    }

    /// Makes every verifier refuse something from now on.
    pub fn revoke(&mut self, what: Revoked) {
        self.revoke_at(what, self.now);
    }

    /// As [`Self::revoke`], for an entry that must be later than the secret that it kills.
    pub(crate) fn revoke_at(&mut self, what: Revoked, recorded_at: Timestamp) {
        let entry = self.changes.revocations.entry(self.ids.next().into(), what, recorded_at);
        self.effects.revocations.push(entry);
    }

    /// Whatever is remembered about this user, here and in every replica, is out of date.
    pub fn forget(&mut self, user: &User) {
        self.revoke(Revoked::Changed { user_id: user.id, version: user.version });
        self.effects.changed.push(user.clone());
    }

    /// Kills the tokens of before the user's security epoch was raised, and forgets what is remembered.
    pub fn revoke_before_epoch(&mut self, user: &User) {
        let what = Revoked::User { user_id: user.id, min_epoch: user.security_epoch, version: user.version };
        self.revoke(what);
        self.effects.changed.push(user.clone());
    }

    /// Whatever is remembered about this role is out of date. Where it allows less than before, tokens that carry an
    /// older version of it are dead.
    pub(crate) fn role_changed(&mut self, role: &str, version: i64, allows_less: bool) {
        let min_version = if allows_less { version } else { 0 };
        self.revoke(Revoked::Role { role: role.to_owned(), min_version, version });
        self.effects.roles.push((role.to_owned(), version));
    }

    /// Something came into the inbox of this user: whoever watches it is told.
    pub(crate) fn arrived(&mut self, user: UserId) {
        self.effects.arrived.push(user);
    }

    /// The user's last sign-in is shown at once here; other replicas show it a little later.
    pub(crate) fn signed_in(&mut self, user: &User) {
        self.effects.signed_in.push(user.clone());
    }

    /// What is remembered here about a user who was made or used, but whose tokens all stay good.
    pub(crate) fn refresh_view(&mut self, user: &User) {
        self.effects.changed.push(user.clone());
    }

    /// Ends sessions: their rows, their tokens, and an event for each.
    pub async fn end_sessions(&mut self, mut sessions: Vec<Session>, reason: &str) -> Result<(), Failure> {
        let now = self.now;
        sessions.iter_mut().for_each(|session| session.end(now));
        self.sessions().update_many(&sessions).await?;
        for session in sessions {
            self.revoke(Revoked::Session { session_id: session.id, user_id: session.user_id });
            let data = serde_json::json!({ "session_id": session.id, "reason": reason });
            self.event(EventKind::SessionEnded, session.user_id, data);
        }
        Ok(())
    }

    /// Writes what was collected, together with the commit where the engine can, and answers `value` once everything is
    /// durable. A commit that has begun is not given up with its caller.
    ///
    /// # Errors
    /// Those of [`UnitOfWork::commit`].
    pub async fn commit<T>(mut self, value: T) -> Result<Committed<T>, Failure> {
        self.effects.told = !self.facts.is_empty();
        self.facts.write(&mut self.unit, &self.changes.deps, self.context).await?;
        self.unit.revocations().insert_many(&self.effects.revocations).await?;
        let (changes, unit, effects) = (self.changes.clone(), self.unit, self.effects);
        let following = ToItsEnd::of(async move {
            match unit.commit(()).await {
                Ok(()) => Ok(ToItsEnd::of(async move { changes.follow(effects).await })),
                Err(failure) => {
                    if matches!(failure, Failure::Store(StoreError::OutcomeUnknown(_))) {
                        changes.doubt(effects).await;
                    }
                    Err(failure)
                }
            }
        });
        Ok(Committed { value, following: following.await? })
    }

    /// An active user, for a change by themself: whoever is not there is not signed in either.
    pub(crate) async fn active_user(&mut self, id: UserId) -> Result<User, Failure> {
        let user = self.users().find(id).await?.ok_or(Refusal::NotSignedIn)?;
        user.must_be_active(self.now)?;
        Ok(user)
    }

    /// Those of these users that there are, in this order. Facts about them are told in this change: what those need is
    /// read with them.
    pub(crate) async fn users_of_facts(&mut self, ids: &[UserId]) -> Result<Vec<User>, Failure> {
        let found = self.fact_numbers().find_with_users(ids).await?;
        found.iter().for_each(|(user, number)| self.knows_facts(user, *number));
        Ok(found.into_iter().map(|(user, _)| user).collect())
    }
}

impl Deref for Change<'_> {
    type Target = UnitOfWork;

    fn deref(&self) -> &UnitOfWork {
        &self.unit
    }
}

impl DerefMut for Change<'_> {
    fn deref_mut(&mut self) -> &mut UnitOfWork {
        &mut self.unit
    }
}

impl Ids<'_> {
    fn next(&mut self) -> uuid::Uuid {
        let (change, next) = (self.change.to_be_bytes(), self.next.to_be_bytes());
        self.next += 1;
        let [bytes @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] =
            self.crypto.index.keyed_hash("id of a change", &[self.seed, &change, &next]);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }
}
