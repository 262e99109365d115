//! The list of devices, and ending sessions on them.

use serde::Serialize;
use userd_model::{EventId, Refusal, Revocation, Revoked, Session, SessionId, Timestamp, UserId};
use userd_storage::{Failure, UnitOfWork};

use super::{Sessions, start::ended};
use crate::Parts;

/// A session as its owner sees it.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "named as in the contract")]
pub struct Device {
    pub id: SessionId,
    pub device_name: Option<String>,
    pub user_agent: Option<String>,
    pub ip: Option<String>,
    pub amr: Vec<String>,
    pub created_at: Timestamp,
    pub last_seen_at: Timestamp,
    pub expires_at: Timestamp,
    pub current: bool,
}

impl Sessions {
    /// A user's living sessions, oldest first.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn devices(
        &self,
        user: UserId,
        current: Option<SessionId>,
        after: Option<(Timestamp, SessionId)>,
        limit: u32,
    ) -> Result<Vec<Device>, Failure> {
        let now = self.parts.now();
        let mut devices = Vec::new();
        let mut after = after;
        // Ended sessions leave gaps in a page: go on until it is full or there are no more.
        while devices.len() < limit as usize {
            let page = self.parts.store.reading().sessions().page_of_user(user, after, limit).await?;
            let Some(last) = page.last() else { break };
            after = Some((last.created_at, last.id));
            devices.extend(page.iter().filter(|session| session.is_alive(now)).map(|session| device(session, current)));
        }
        devices.truncate(limit as usize);
        Ok(devices)
    }

    /// Ends one session of a user. Ending an ended one is fine.
    ///
    /// # Errors
    /// `NotFound` when the user has no such session.
    pub async fn end(&self, user: UserId, session: SessionId, reason: &'static str) -> Result<(), Failure> {
        self.end_chosen("end_session", user, reason, Chosen::One(session)).await
    }

    /// Ends all sessions of a user, except one where given.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn end_all(&self, user: UserId, except: Option<SessionId>, reason: &'static str) -> Result<(), Failure> {
        self.end_chosen("end_all_sessions", user, reason, Chosen::AllBut(except)).await
    }

    /// Ends the session a refresh token belongs to (RFC 7009). An unknown token is fine.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn revoke_refresh_token(&self, token: &str) -> Result<(), Failure> {
        let Some((id, _)) = self.parts.crypto.refresh_tokens.parse(token) else { return Ok(()) };
        match self.parts.store.reading().sessions().find(id).await? {
            Some(session) => self.end(session.user_id, id, "revoked").await,
            None => Ok(()),
        }
    }

    async fn end_chosen(
        &self,
        name: &'static str,
        user: UserId,
        reason: &'static str,
        chosen: Chosen,
    ) -> Result<(), Failure> {
        let (now, seed) = (self.parts.now(), self.parts.random.secret());
        let entries = self
            .parts
            .store
            .transact(name, |mut uow| async move {
                let sessions = choose(&mut uow, user, chosen, now).await?;
                let entries = end_within(&self.parts, &mut uow, sessions, reason, seed, now).await?;
                uow.commit(entries).await
            })
            .await?;
        self.revocations.announce(&entries).await;
        Ok(())
    }
}

#[derive(Clone, Copy)]
enum Chosen {
    One(SessionId),
    AllBut(Option<SessionId>),
}

async fn choose(uow: &mut UnitOfWork, user: UserId, chosen: Chosen, now: Timestamp) -> Result<Vec<Session>, Failure> {
    match chosen {
        Chosen::One(id) => {
            let session = uow.sessions().find(id).await?.filter(|session| session.user_id == user);
            let session = session.ok_or(Refusal::NotFound)?;
            Ok(if session.ended_at.is_none() { vec![session] } else { Vec::new() })
        }
        Chosen::AllBut(except) => {
            let alive = uow.sessions().alive_of_user(user, now).await?;
            Ok(alive.into_iter().filter(|session| Some(session.id) != except).collect())
        }
    }
}

/// Ends sessions within a unit of work: rows, revocations, events. Ids come from `seed`, minted before, so that a
/// re-run writes the same.
pub(crate) async fn end_within(
    parts: &Parts,
    uow: &mut UnitOfWork,
    sessions: Vec<Session>,
    reason: &str,
    seed: [u8; 32],
    now: Timestamp,
) -> Result<Vec<Revocation>, Failure> {
    let mut entries = Vec::with_capacity(sessions.len());
    for mut session in sessions {
        session.end(now);
        uow.sessions().update(&session).await?;
        let ids = parts.crypto.index.keyed_hash("session end", &[&seed, session.id.0.as_bytes()]);
        let (first, second) = ids.split_at(16);
        let entry = Revocation {
            id: uuid_from(first).into(),
            what: Revoked::Session { session_id: session.id, user_id: session.user_id },
            recorded_at: now,
            expires_at: now.plus(parts.settings.access_ttl).plus(crate::revocations::MARGIN),
        };
        uow.revocations().insert(&entry).await?;
        uow.outbox().push(&ended(EventId(uuid_from(second)), &session, reason, now)).await?;
        entries.push(entry);
    }
    Ok(entries)
}

fn uuid_from(bytes: &[u8]) -> uuid::Uuid {
    uuid::Builder::from_random_bytes(bytes.try_into().unwrap_or([0; 16])).into_uuid()
}

fn device(session: &Session, current: Option<SessionId>) -> Device {
    Device {
        id: session.id,
        device_name: session.device_name.clone(),
        user_agent: session.user_agent.clone(),
        ip: session.ip.clone(),
        amr: session.amr.clone(),
        created_at: session.created_at,
        last_seen_at: session.last_seen_at,
        expires_at: session.expires_at,
        current: Some(session.id) == current,
    }
}
