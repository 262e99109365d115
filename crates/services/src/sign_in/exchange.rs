//! The one-time code for tokens. The code travels in a URL, the tokens never do: it lives a minute, works once, and
//! where the application began with a proof key, only together with it. Shown a second time it ends the session that
//! it began.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use userd_crypto::{OpaqueSecret, constant_time_eq};
use userd_model::{IdentityId, Refusal, Session, SessionId, Timestamp, UserId};
use userd_providers::ReplayKey;
use userd_storage::{Failure, UnitOfWork};

use super::{SignIn, admit::Admission, login_flow::Keep};
use crate::{
    Completion, Context,
    change::Change,
    limits::Limited,
    mailbox_proofs::{AskedIn, Proofs},
    sessions::{Arrival, EarlierProof, Proof},
    sign_in_outcome,
};

const LIFE: Duration = Duration::from_secs(60);
const PREFIX: &str = "";
const PURPOSE: &str = crate::sessions::EXCHANGE_PURPOSE;
const CONTEXT: &str = "secrets|exchange_code";
/// A code that was exchanged, for as long as it is worth knowing that somebody shows it again.
const SPENT: &str = "spent_exchange_code";
const SPENT_LIFE: Duration = Duration::from_secs(600);

#[derive(Serialize, Deserialize)]
pub(super) struct Admitted {
    pub user: UserId,
    code_challenge: Option<String>,
    /// By which account elsewhere; none in codes of a release that did not write it down.
    #[serde(default)]
    pub identity: Option<IdentityId>,
    /// Who said so; none in codes of a release that did not write it down.
    #[serde(default)]
    provider: Option<String>,
    /// What was proven to the browser that asked for the code, where somebody was signed in there.
    #[serde(default)]
    earlier: Option<EarlierProof>,
    /// The session there: what ends it ends the code; none in codes of a release that did not write it down.
    #[serde(default)]
    session: Option<SessionId>,
    /// The host that the code is good at, and nowhere else; none for applications, which exchange it themselves.
    #[serde(default)]
    host: Option<String>,
}

/// A code as it is shown, and where.
#[derive(Clone, Copy)]
struct Shown<'a> {
    code: &'a str,
    verifier: Option<&'a str>,
    device_name: Option<&'a str>,
    host: Option<&'a str>,
}

/// What the session begins with.
#[derive(Clone, Copy)]
pub(super) enum Began<'a> {
    /// A one-time code, and the session that stands for it.
    Code(&'a [u8; 32], Option<SessionId>),
    /// A proof that was handed over, and what of it is remembered as used.
    Proof(&'a [ReplayKey]),
}

impl SignIn {
    pub(super) async fn mint_code(
        &self,
        ctx: &Context,
        Admission { user, identity }: Admission,
        provider: &str,
        code_challenge: Option<String>,
    ) -> Result<String, Failure> {
        let (code, hash) = OpaqueSecret::mint(PREFIX, self.deps.random.as_ref());
        let provider = Some(provider.to_owned());
        let admitted = Admitted { user, code_challenge, identity, provider, earlier: None, session: None, host: None };
        let keep = Keep { purpose: PURPOSE, context: CONTEXT, owner: Some(user), life: LIFE };
        self.remember(ctx, &hash, &keep, &admitted).await?;
        Ok(code.to_string())
    }

    /// Sends whoever is signed in in a browser back to the application that sent them here: with a code, which is good
    /// for a session of the application's own, that has proven what this one has.
    ///
    /// # Errors
    /// `InvalidInput` for a `return_to` that is not configured or a `code_challenge` that is none; `NotSignedIn`.
    pub async fn code_for_app(&self, ctx: &Context, return_to: &str, code_challenge: &str) -> Result<String, Failure> {
        let (user, session) = ctx.user()?;
        let host = self.check_app(return_to, code_challenge)?;
        let mut reading = self.deps.store.reading();
        let session = alive(&mut reading, user, session, ctx.now).await?.ok_or(Refusal::NotSignedIn)?;
        // A session outlives the unlinking that it made itself: what it began with is not what it stands on any more.
        let identity = match session.identity_id {
            Some(id) => {
                reading.identities().find(id).await?.filter(|found| found.user_id == user).map(|found| found.id)
            }
            None => None,
        };
        let earlier = EarlierProof {
            step: String::new(),
            amr: session.amr,
            auth_time: session.auth_time,
            device_name: None,
            identity,
            audience: None,
            known_device: false,
            failures: 0,
        };
        let (session, code_challenge) = (Some(session.id), Some(code_challenge.to_owned()));
        let earlier = Some(earlier);
        let admitted = Admitted { user, code_challenge, identity, provider: None, earlier, session, host };
        let (code, hash) = OpaqueSecret::mint(PREFIX, self.deps.random.as_ref());
        let keep = Keep { purpose: PURPOSE, context: CONTEXT, owner: Some(user), life: LIFE };
        self.remember(ctx, &hash, &keep, &admitted).await?;
        Ok(code.to_string())
    }

    /// Exchanges a code for tokens.
    ///
    /// # Errors
    /// `InvalidCode` for an unknown, used or expired code or a wrong verifier, and where what it rests on is gone: the account
    /// elsewhere is not the user's any more, or the session that it was made in has ended; `Blocked`.
    pub async fn exchange(
        &self,
        ctx: &Context,
        code: &str,
        verifier: Option<&str>,
        device_name: Option<&str>,
    ) -> Result<Completion, Failure> {
        let shown = Shown { code, verifier, device_name, host: None };
        self.exchange_shown(ctx, shown).await
    }

    /// Exchanges, at a host, a code that was made for it. The session is called like the host.
    ///
    /// # Errors
    /// As for `exchange`; also for a code that was made for another host or for an application.
    pub async fn exchange_at_host(
        &self,
        ctx: &Context,
        host: &str,
        code: &str,
        verifier: &str,
    ) -> Result<Completion, Failure> {
        let shown = Shown { code, verifier: Some(verifier), device_name: Some(host), host: Some(host) };
        self.exchange_shown(ctx, shown).await
    }

    async fn exchange_shown(&self, ctx: &Context, shown: Shown<'_>) -> Result<Completion, Failure> {
        let mut method = sign_in_outcome::UNKNOWN.to_owned();
        let end = self.redeem(ctx, shown, &mut method).await;
        let end = self.limits.count_failure(Limited::SignInPerNetwork, &ctx.origin, end).await;
        sign_in_outcome::ended(&method, end.as_ref().map(Completion::who));
        end
    }

    /// `method` is told as soon as it is known, whatever comes of it.
    async fn redeem(&self, ctx: &Context, shown: Shown<'_>, method: &mut String) -> Result<Completion, Failure> {
        let device_name = crate::sessions::device_name(shown.device_name)?;
        let hash = &code_hash(shown.code)?;
        let admitted = self.admitted(ctx, hash).await?;
        if let Some(provider) = admitted.as_ref().and_then(|admitted| admitted.provider.as_deref()) {
            self.method(provider).clone_into(method);
        }
        let proven = admitted.filter(|admitted| admitted.is_proven_by(shown.verifier, shown.host));
        let begun = match proven {
            Some(Admitted { user, earlier: Some(earlier), session, .. }) => {
                let earlier = EarlierProof { device_name, audience: ctx.audience.clone(), ..earlier };
                let arrival = self.sessions.arrive_again(ctx, user, earlier, self.deps.now());
                self.begin_arrived(ctx, &arrival, Began::Code(hash, session)).await
            }
            Some(admitted) => self.begin_session(ctx, admitted.admission(), Began::Code(hash, None), device_name).await,
            None => Err(Refusal::InvalidCode.into()),
        };
        if let Err(Failure::Refused(_)) = begun {
            self.void(ctx, hash).await?;
        }
        begun
    }

    /// Whom a code was given out for; it stays good.
    pub(super) async fn admitted(&self, ctx: &Context, hash: &[u8; 32]) -> Result<Option<Admitted>, Failure> {
        let found = self.deps.store.reading().one_time_tokens().find(hash, PURPOSE, ctx.now).await?;
        found.map(|code| self.unseal(CONTEXT, hash, code.payload)).transpose()
    }

    /// Uses a code up for something else than a session.
    pub(super) async fn take_code(
        &self,
        change: &mut Change<'_>,
        hash: &[u8; 32],
        admitted: &Admitted,
    ) -> Result<(), Failure> {
        let now = change.now;
        must_stand(change, admitted.user, admitted.session).await?;
        change.one_time_tokens().take(hash, PURPOSE, now).await?.ok_or(Refusal::InvalidCode)?;
        Ok(())
    }

    /// Uses a code up that was shown in vain. Where it has been exchanged before, one of the two who showed it is a
    /// thief, so what it began ends (RFC 6749, section 4.1.2).
    pub(super) async fn void(&self, ctx: &Context, hash: &[u8; 32]) -> Result<(), Failure> {
        let mut reading = self.deps.store.reading();
        let exists = reading.one_time_tokens().find(hash, PURPOSE, ctx.now).await?.is_some()
            || reading.one_time_tokens().find(hash, SPENT, ctx.now).await?.is_some();
        if !exists {
            return Ok(());
        }
        self.changes
            .run(ctx, "void_exchange_code", |mut change| async move {
                let now = change.now;
                change.one_time_tokens().take(hash, PURPOSE, now).await?;
                if let Some(spent) = change.one_time_tokens().take(hash, SPENT, now).await? {
                    let session: SessionId = self.unseal(CONTEXT, hash, spent.payload)?;
                    let session = change.sessions().find(session).await?.filter(|session| session.is_alive(now));
                    if let Some(session) = session {
                        let (user, asked_in) = (session.user_id, AskedIn::One(session.id));
                        Proofs(&self.deps).forget_other_addresses(&mut change, user, now, asked_in).await?;
                        change.end_sessions(vec![session], "code_replayed").await?;
                    }
                }
                change.commit(()).await
            })
            .await
    }

    /// Starts the session of an admitted user.
    pub(super) async fn start_session(
        &self,
        ctx: &Context,
        admission: Admission,
        device_name: Option<String>,
    ) -> Result<Completion, Failure> {
        self.begin_session(ctx, admission, Began::Proof(&[]), device_name).await
    }

    /// Starts the session and, in the same change, uses the code up: what stays in its place tells which session it
    /// began.
    pub(super) async fn begin_session(
        &self,
        ctx: &Context,
        Admission { user, identity }: Admission,
        began: Began<'_>,
        device_name: Option<String>,
    ) -> Result<Completion, Failure> {
        let proof = Proof { amr: "fed", device_name, identity, device: None };
        let arrival = self.sessions.arrive(ctx, user, proof, self.deps.now());
        self.begin_arrived(ctx, &arrival, began).await
    }

    async fn begin_arrived(&self, ctx: &Context, arrival: &Arrival, began: Began<'_>) -> Result<Completion, Failure> {
        let user = arrival.session.user_id;
        let completed = self
            .changes
            .run(ctx, "sign_in", |mut change| async move {
                match began {
                    Began::Code(code, by) => {
                        must_stand(&mut change, user, by).await?;
                        self.spend(&mut change, code, user, arrival.session.id).await?;
                    }
                    Began::Proof(keys) => self.hold(&mut change, keys, user, arrival.session.created_at).await?,
                }
                let user = change.users().find(user).await?.ok_or(Refusal::InvalidCode)?;
                let completed = self.sessions.complete(&mut change, user, arrival).await.map_err(withdrawn)?;
                change.commit(completed).await
            })
            .await?;
        self.sessions.completion(completed, arrival).await
    }

    async fn spend(
        &self,
        change: &mut Change<'_>,
        code: &[u8; 32],
        owner: UserId,
        session: SessionId,
    ) -> Result<(), Failure> {
        let now = change.now;
        change.one_time_tokens().take(code, PURPOSE, now).await?.ok_or(Refusal::InvalidCode)?;
        let keep = Keep { purpose: SPENT, context: CONTEXT, owner: Some(owner), life: SPENT_LIFE };
        let spent = self.sealed_secret(change, code, &keep, &session)?;
        Ok(change.one_time_tokens().insert(&spent).await?)
    }
}

/// This session of this user, while it lives.
async fn alive(
    unit: &mut UnitOfWork,
    user: UserId,
    session: SessionId,
    now: Timestamp,
) -> Result<Option<Session>, Failure> {
    Ok(unit.sessions().find(session).await?.filter(|found| found.user_id == user && found.is_alive(now)))
}

/// Refuses a code that was made in a session which has ended since.
async fn must_stand(change: &mut Change<'_>, user: UserId, by: Option<SessionId>) -> Result<(), Failure> {
    let (Some(session), now) = (by, change.now) else { return Ok(()) };
    alive(change, user, session, now).await?.ok_or(Refusal::InvalidCode)?;
    Ok(())
}

/// The account elsewhere was taken away after it was shown: the code for it is worth no more than one that was used.
fn withdrawn(failure: Failure) -> Failure {
    match failure {
        Failure::Refused(Refusal::ChallengeGone) => Refusal::InvalidCode.into(),
        other => other,
    }
}

/// What is kept of a code.
pub(super) fn code_hash(code: &str) -> Result<[u8; 32], Refusal> {
    OpaqueSecret::hash_of(PREFIX, code).ok_or(Refusal::InvalidCode)
}

impl Admitted {
    const fn admission(&self) -> Admission {
        Admission { user: self.user, identity: self.identity }
    }

    /// Without a challenge a verifier must be absent too: sending one would hide a downgrade. A code for a host is good
    /// at that host alone: whoever else gets hold of it makes no tokens of it.
    pub(super) fn is_proven_by(&self, verifier: Option<&str>, host: Option<&str>) -> bool {
        if self.host.as_deref() != host {
            return false;
        }
        match (self.code_challenge.as_deref(), verifier) {
            (None, None) => true,
            (Some(challenge), Some(verifier)) => {
                constant_time_eq(challenge.as_bytes(), userd_providers::pkce_challenge(verifier).as_bytes())
            }
            _ => false,
        }
    }
}
