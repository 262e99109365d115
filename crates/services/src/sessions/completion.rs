//! The completion of every way in: whoever has proven who they are arrives here, the model names the outcome, and a
//! session begins or the next step is asked for. No way in starts a session by itself.
//!
//! Three steps, because a change may run twice: [`Sessions::arrive`] mints, [`Sessions::complete`] decides and writes
//! within the change, [`Sessions::completion`] makes the answer after the commit.

use userd_crypto::{KnownDevice, Zeroizing};
use userd_model::{
    Document, EventKind, Factor, FactorMethod, IdentityId, Level, PendingStep, Refusal, Session, SessionId,
    SignInOutcome, Timestamp, User, UserId, UserStatus, factor, sign_in, terms,
};
use userd_storage::{
    Failure, UnitOfWork,
    repositories::{password_credentials::PasswordCredential, sessions::BeforeSignIn},
};

use super::{
    Sessions, SignedIn, TokenPair,
    challenge::{EarlierProof, Pending},
};
use crate::{Context, access_tokens::SessionFacts, change::Change, passwords::is_current};

/// Somebody who has proven who they are, with the session that may begin: the row and its secrets, all minted.
pub(crate) struct Arrival {
    pub(crate) session: Session,
    audience: Option<String>,
    /// Where it is known to the user.
    device: Option<KnownDevice>,
    /// What the request shows of the device. It may be from before the account was shut to whoever held it.
    shown: Option<KnownDevice>,
    /// Whether it was known in an earlier step.
    was_known: bool,
    refresh_token: Zeroizing<String>,
}

impl Arrival {
    /// Whether the device is one of the user's by what was shown, now or in an earlier step.
    fn is_known(&self, user: &User, password: Option<&PasswordCredential>) -> bool {
        let is_shown = || self.shown.as_ref().is_some_and(|shown| is_current(shown, Some(user), password));
        self.was_known || self.device.is_some() || is_shown()
    }

    /// Who it is, and what they have proven. The next step may be taken without the device's token.
    fn proven(&self, known_device: bool) -> (UserId, EarlierProof) {
        let session = &self.session;
        let proven = EarlierProof {
            step: String::new(),
            amr: session.amr.clone(),
            auth_time: session.auth_time,
            device_name: session.device_name.clone(),
            identity: session.identity_id,
            audience: self.audience.clone(),
            known_device,
            failures: 0,
        };
        (session.user_id, proven)
    }
}

/// How a user proved who they are, and what they call the device.
pub(crate) struct Proof {
    /// RFC 8176: `pwd`, `fed` …
    pub amr: &'static str,
    pub device_name: Option<String>,
    /// The account elsewhere, where that was the proof: renewals look at its provider again.
    pub identity: Option<IdentityId>,
    /// The device, where it is known to the user from earlier sign-ins.
    pub device: Option<KnownDevice>,
}

/// What every way in answers.
#[derive(Clone, Debug)]
pub enum Completion {
    /// A session began.
    SignedIn(Box<SignedIn>),
    /// Something is asked for first.
    Pending(Pending),
}

impl Completion {
    /// Whose session began; nobody's where a step is asked for first.
    #[must_use]
    pub fn who(&self) -> Option<UserId> {
        match self {
            Self::SignedIn(signed_in) => Some(signed_in.user.id),
            Self::Pending(_) => None,
        }
    }

    /// The session that began.
    ///
    /// # Errors
    /// The pending step, where one is asked for.
    pub fn signed_in(self) -> Result<SignedIn, Pending> {
        match self {
            Self::SignedIn(signed_in) => Ok(*signed_in),
            Self::Pending(pending) => Err(pending),
        }
    }
}

/// What a change found: who is signed in now, or what is asked for.
pub(crate) enum Completed {
    SignedIn {
        user: Box<User>,
        /// Whether the device stood for a second factor: then it gets no new token, or it would for ever.
        stood_in: bool,
    },
    Pending(Pending),
}

/// What `amr` says of a password.
const PASSWORD: &str = "pwd";

/// A sign-in ends at most this many of the oldest sessions.
const MOST_REPLACED: usize = 4;

impl Sessions {
    /// Mints what may begin.
    pub(crate) fn arrive(&self, ctx: &Context, user: UserId, proof: Proof, now: Timestamp) -> Arrival {
        let proven = EarlierProof {
            step: String::new(),
            amr: vec![proof.amr.to_owned()],
            auth_time: now,
            device_name: proof.device_name,
            identity: proof.identity,
            audience: ctx.audience.clone(),
            known_device: false,
            failures: 0,
        };
        Arrival { device: proof.device, ..self.arrive_again(ctx, user, proven, now) }
    }

    /// The same for somebody with a challenge, who has shown what it asked for.
    pub(crate) fn arrive_again(&self, ctx: &Context, user: UserId, proven: EarlierProof, now: Timestamp) -> Arrival {
        let random = self.deps.random.as_ref();
        let id = SessionId::mint(random);
        let (refresh_token, hash) = self.deps.crypto.refresh_tokens.mint(random, id);
        let session = Session {
            id,
            user_id: user,
            device_name: proven.device_name,
            user_agent: ctx.origin.user_agent.clone(),
            ip: ctx.origin.ip.clone(),
            amr: proven.amr,
            auth_time: proven.auth_time,
            created_at: now,
            last_seen_at: now,
            expires_at: self.deadline(now, now),
            ended_at: None,
            generation: 0,
            current_hash: hash.to_vec(),
            previous_hash: None,
            successor: None,
            identity_id: proven.identity,
            parties: None,
        };
        let token = ctx.device_token.as_deref().and_then(|token| self.deps.crypto.device_tokens.parse(token));
        let (shown, was_known) = (token.filter(|device| device.user == user), proven.known_device);
        Arrival { session, audience: proven.audience, device: None, shown, was_known, refresh_token }
    }

    /// Decides how the way in goes on, and writes what follows from it.
    ///
    /// # Errors
    /// `ChallengeGone` where the account elsewhere that was the proof is not the user's any more; the refusal of the model;
    /// storage faults.
    pub(crate) async fn complete(
        &self,
        change: &mut Change<'_>,
        user: User,
        arrival: &Arrival,
    ) -> Result<Completed, Failure> {
        let before = change.sessions().for_sign_in(user.id, arrival.session.created_at).await?;
        self.complete_knowing(change, user, arrival, before).await
    }

    /// The same for whoever has read already what a sign-in must know.
    pub(super) async fn complete_knowing(
        &self,
        change: &mut Change<'_>,
        user: User,
        arrival: &Arrival,
        before: BeforeSignIn,
    ) -> Result<Completed, Failure> {
        let session = &arrival.session;
        must_still_be_theirs(change, session).await?;
        if let Some(number) = before.facts {
            change.knows_facts(&user, number);
        }
        let mut standing = self.standing(change, &user, session, arrival.device.as_ref(), &before.factors).await?;
        standing.must_change_password = session.amr.iter().any(|method| method == PASSWORD)
            && before.password.as_ref().is_some_and(|password| password.must_change);
        let owed = self.owed(change, user.id).await?;
        standing.owes_terms = !owed.is_empty();
        if user.status == UserStatus::Deleted {
            let deletion = change.deletions().find(user.id).await?;
            standing.is_restorable = deletion.is_some_and(|found| found.is_restorable_by_owner(change.now));
        }
        let outcome = sign_in::outcome(&user, &standing, change.now);
        let mut completed = self.carry_out(change, outcome, user, arrival, before).await?;
        if let Completed::Pending(pending) = &mut completed
            && pending.status == PendingStep::Terms.status()
        {
            pending.documents = owed;
        }
        Ok(completed)
    }

    /// The documents that the user has to accept first.
    async fn owed(&self, change: &mut Change<'_>, user: UserId) -> Result<Vec<Document>, Failure> {
        let documents = &self.deps.settings.documents;
        if !documents.iter().any(|document| document.required) {
            return Ok(Vec::new());
        }
        Ok(terms::owed(documents, &change.terms_acceptances().of_user(user).await?))
    }

    async fn carry_out(
        &self,
        change: &mut Change<'_>,
        outcome: SignInOutcome,
        mut user: User,
        arrival: &Arrival,
        before: BeforeSignIn,
    ) -> Result<Completed, Failure> {
        let is_known = arrival.is_known(&user, before.password.as_ref());
        match outcome {
            SignInOutcome::SignedIn => {}
            SignInOutcome::Pending(step) => {
                let methods = self.methods(change, step, user.id, &before.factors).await?;
                return Ok(Completed::Pending(self.ask(change, step, methods, arrival.proven(is_known)).await?));
            }
            SignInOutcome::Refused(refusal) => return Err(refusal.into()),
        }
        if user.status == UserStatus::Blocked {
            lift_block(change, &mut user).await?;
        }
        let factors = self.begin(change, &arrival.session, before, is_known).await?;
        let at = Some(arrival.session.created_at);
        if user.last_sign_in_at != at {
            change.users().record_sign_in(user.id, arrival.session.created_at).await?;
            user.last_sign_in_at = at;
        }
        change.signed_in(&user);
        let stood_in = Level::of(&arrival.session.amr) < Level::Two && !factors.is_empty();
        Ok(Completed::SignedIn { user: Box::new(user), stood_in })
    }

    /// Stores a session. Dead ones of the user go that tell of no further device, and where there are too many the oldest
    /// end.
    async fn begin(
        &self,
        change: &mut Change<'_>,
        session: &Session,
        before: BeforeSignIn,
        is_known: bool,
    ) -> Result<Vec<Factor>, Failure> {
        let BeforeSignIn { mut alive, dead, factors, .. } = before;
        let is_new_device = !is_known && !alive.iter().chain(&dead).any(|known| session.is_of_device_of(known));
        // Whoever signs in and out all day leaves little behind that the next sign-in would have to read.
        change.sessions().remove_many(&session.outlived(&alive, dead)).await?;
        let too_many = (alive.len() + 1).saturating_sub(self.deps.settings.sessions_per_user);
        alive.truncate(too_many.min(MOST_REPLACED));
        change.end_sessions(alive, "too_many_sessions").await?;
        change.sessions().insert(session).await?;
        let data = serde_json::json!({
            "session_id": session.id, "amr": session.amr, "new_device": is_new_device,
        });
        change.event(EventKind::SessionStarted, session.user_id, data);
        Ok(factors)
    }

    /// Makes the answer, after the commit.
    pub(crate) async fn completion(&self, completed: Completed, arrival: &Arrival) -> Result<Completion, Failure> {
        match completed {
            Completed::SignedIn { user, stood_in } => self.signed_in(&user, arrival, stood_in).await,
            Completed::Pending(pending) => Ok(Completion::Pending(pending)),
        }
    }

    /// The tokens of a session that began.
    async fn signed_in(&self, user: &User, arrival: &Arrival, stood_in: bool) -> Result<Completion, Failure> {
        let session = &arrival.session;
        let refresh_token = arrival.refresh_token.to_string();
        let facts = SessionFacts::of(session, arrival.audience.as_ref());
        let (random, epoch) = (self.deps.random.as_ref(), user.security_epoch);
        let device = self.deps.crypto.device_tokens.mint(random, user.id, epoch, session.created_at);
        let tokens = self.tokens(user, &facts, refresh_token, session.expires_at, session.created_at).await?;
        let tokens = TokenPair { device_token: (!stood_in).then_some(device), ..tokens };
        Ok(Completion::SignedIn(Box::new(SignedIn { user: self.user_reader.view(user)?, tokens })))
    }

    /// How a step can be resolved. Recovery codes are offered while there are any, passkeys where they are switched on.
    async fn methods(
        &self,
        change: &mut Change<'_>,
        step: PendingStep,
        user: UserId,
        factors: &[Factor],
    ) -> Result<Vec<FactorMethod>, Failure> {
        let mut methods = match step {
            PendingStep::SecondFactor => factor::methods(factors),
            PendingStep::FactorSetup => vec![FactorMethod::Totp, FactorMethod::Passkey],
            _ => return Ok(Vec::new()),
        };
        if self.deps.passkeys.is_none() {
            methods.retain(|method| *method != FactorMethod::Passkey);
        }
        let on_paper = |method: &FactorMethod| *method == FactorMethod::RecoveryCode;
        if methods.iter().any(on_paper) && change.recovery_codes().of_user(user).await?.is_empty() {
            methods.retain(|method| !on_paper(method));
        }
        Ok(methods)
    }

    pub(super) async fn tokens(
        &self,
        user: &User,
        facts: &SessionFacts,
        refresh_token: String,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<TokenPair, Failure> {
        let issued = self.access_tokens.issue(user, facts, now).await?;
        Ok(TokenPair {
            access_token: issued.token,
            expires_in: issued.expires_in.as_secs(),
            refresh_token,
            refresh_expires_in: expires_at.since(now).as_secs(),
            session_id: facts.id,
            device_token: None,
        })
    }
}

/// An account elsewhere that was unlinked or moved since it was shown proves nothing any more, however the sign-in went on.
async fn must_still_be_theirs(unit: &mut UnitOfWork, session: &Session) -> Result<(), Failure> {
    let Some(identity) = session.identity_id else { return Ok(()) };
    match unit.identities().find(identity).await? {
        Some(identity) if identity.user_id == session.user_id => Ok(()),
        _ => Err(Refusal::ChallengeGone.into()),
    }
}

/// A block has ended by itself; its owner may come back.
pub(crate) async fn lift_block(change: &mut Change<'_>, user: &mut User) -> Result<(), Failure> {
    user.unblock(change.now)?;
    change.users().update(user).await?;
    change.event(EventKind::UserUnblocked, user.id, serde_json::json!({}));
    change.forget(user);
    Ok(())
}

#[cfg(all(test, feature = "testing"))]
mod tests;
