//! Sessions: refresh-token families. Refresh is the hottest write of all, so it has a statement of its own that
//! leaves the indexed columns alone.

use userd_model::{Sealed, Session, SessionId, Timestamp, User, UserId};

use super::{BATCH, MOST, list, users::user, words};
use crate::{Row, StoreError, UnitOfWork, Value, statements};

/// Sessions.
pub struct Sessions<'a>(pub(super) &'a mut UnitOfWork);

statements! {
    INSERT = "sessions.insert": "INSERT INTO sessions (id, user_id, device_name, user_agent, ip, amr, auth_time, \
        created_at, last_seen_at, expires_at, ended_at, generation, current_hash, previous_hash, successor) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)"
        (Uuid, Uuid, Text, Text, Text, Json, Timestamp, Timestamp, Timestamp, Timestamp, Timestamp, I64, Bytes, Bytes,
         Bytes) -> ();
    BY_ID = "sessions.by_id": "SELECT id, user_id, device_name, user_agent, ip, amr, auth_time, created_at, \
        last_seen_at, expires_at, ended_at, generation, current_hash, previous_hash, successor \
        FROM sessions WHERE id = $1"
        (Uuid) -> (Uuid, Uuid, Text, Text, Text, Json, Timestamp, Timestamp, Timestamp, Timestamp, Timestamp, I64,
         Bytes, Bytes, Bytes);
    UPDATE = "sessions.update": "UPDATE sessions SET device_name = $1, user_agent = $2, ip = $3, amr = $4, \
        auth_time = $5, last_seen_at = $6, expires_at = $7, ended_at = $8, generation = $9, current_hash = $10, \
        previous_hash = $11, successor = $12 WHERE id = $13"
        (Text, Text, Text, Json, Timestamp, Timestamp, Timestamp, Timestamp, I64, Bytes, Bytes, Bytes, Uuid) -> ();
    ROTATE = "sessions.rotate": "UPDATE sessions SET ip = $1, last_seen_at = $2, generation = $3, current_hash = $4, \
        previous_hash = $5, successor = $6 WHERE id = $7"
        (Text, Timestamp, I64, Bytes, Bytes, Bytes, Uuid) -> ();
    FIRST_OF_USER = "sessions.first_of_user": "SELECT id, user_id, device_name, user_agent, ip, amr, auth_time, \
        created_at, last_seen_at, expires_at, ended_at, generation, current_hash, previous_hash, successor \
        FROM sessions WHERE user_id = $1 ORDER BY user_id, created_at, id LIMIT $2"
        (Uuid, I64) -> (Uuid, Uuid, Text, Text, Text, Json, Timestamp, Timestamp, Timestamp, Timestamp, Timestamp,
         I64, Bytes, Bytes, Bytes);
    NEXT_OF_USER = "sessions.next_of_user": "SELECT id, user_id, device_name, user_agent, ip, amr, auth_time, \
        created_at, last_seen_at, expires_at, ended_at, generation, current_hash, previous_hash, successor \
        FROM sessions WHERE user_id = $1 AND (created_at, id) > ($2, $3) ORDER BY user_id, created_at, id LIMIT $4"
        (Uuid, Timestamp, Uuid, I64) -> (Uuid, Uuid, Text, Text, Text, Json, Timestamp, Timestamp, Timestamp,
         Timestamp, Timestamp, I64, Bytes, Bytes, Bytes);
    EXPIRED = "sessions.expired":
        "SELECT expires_at, id FROM sessions WHERE expires_at <= $1 ORDER BY expires_at, id LIMIT $2"
        (Timestamp, I64) -> (Timestamp, Uuid);
    WITH_USER = "sessions.with_user": "SELECT sessions.id, sessions.user_id, sessions.device_name, \
        sessions.user_agent, sessions.ip, sessions.amr, sessions.auth_time, sessions.created_at, \
        sessions.last_seen_at, sessions.expires_at, sessions.ended_at, sessions.generation, sessions.current_hash, \
        sessions.previous_hash, sessions.successor, users.id, users.status, users.username, users.email_sealed, \
        users.email_verified, users.phone_sealed, users.data_key, users.display_name, users.locale, \
        users.time_zone, users.attributes, users.roles, users.security_epoch, users.version, users.created_at, \
        users.updated_at, users.last_sign_in_at \
        FROM sessions JOIN users ON users.id = sessions.user_id WHERE sessions.id = $1"
        (Uuid) -> (Uuid, Uuid, Text, Text, Text, Json, Timestamp, Timestamp, Timestamp, Timestamp, Timestamp, I64,
         Bytes, Bytes, Bytes, Uuid, Text, Text, Bytes, Bool, Bytes, Bytes, Text, Text, Text, Json, Json, I64, I64,
         Timestamp, Timestamp, Timestamp);
    REMOVE = "sessions.remove": "DELETE FROM sessions WHERE id = $1" (Uuid) -> ();
}

impl Sessions<'_> {
    /// Adds a session.
    ///
    /// # Errors
    /// `Duplicate(Key("sessions"))` when the id exists.
    pub async fn insert(&mut self, session: &Session) -> Result<(), StoreError> {
        let values = [
            session.id.into(),
            session.user_id.into(),
            session.device_name.clone().into(),
            session.user_agent.clone().into(),
            session.ip.clone().into(),
            words(&session.amr),
            session.auth_time.into(),
            session.created_at.into(),
            session.last_seen_at.into(),
            session.expires_at.into(),
            session.ended_at.into(),
            session.generation.into(),
            session.current_hash.clone().into(),
            session.previous_hash.clone().into(),
            successor(session),
        ];
        self.0.write(&INSERT, &values).await
    }

    /// The session with this id, ended and expired ones included: [`Session::is_alive`] tells.
    ///
    /// # Errors
    /// Storage faults only.
    pub async fn find(&mut self, id: SessionId) -> Result<Option<Session>, StoreError> {
        self.0.one(&BY_ID, &[id.into()], session).await
    }

    /// The session with this id and its user, in one step; `None` when either is not there.
    ///
    /// # Errors
    /// Storage faults only.
    pub async fn find_with_user(&mut self, id: SessionId) -> Result<Option<(Session, User)>, StoreError> {
        self.0.one(&WITH_USER, &[id.into()], with_user).await
    }

    /// Writes every column but the id, the user and `created_at`. Nothing happens when the id is unknown.
    ///
    /// # Errors
    /// Storage faults only.
    pub async fn update(&mut self, session: &Session) -> Result<(), StoreError> {
        self.update_many(std::slice::from_ref(session)).await
    }

    /// The same for many, in one round trip where the engine can.
    ///
    /// # Errors
    /// Storage faults only.
    pub async fn update_many(&mut self, sessions: &[Session]) -> Result<(), StoreError> {
        self.0.write_many(&UPDATE, sessions.iter().map(updated).collect()).await
    }

    /// Writes only what a refresh changes: what [`Session::rotate`] does, and the address. Neither is indexed.
    ///
    /// # Errors
    /// Storage faults only.
    pub async fn rotate(&mut self, session: &Session) -> Result<(), StoreError> {
        let values = [
            session.ip.clone().into(),
            session.last_seen_at.into(),
            session.generation.into(),
            session.current_hash.clone().into(),
            session.previous_hash.clone().into(),
            successor(session),
            session.id.into(),
        ];
        self.0.write(&ROTATE, &values).await
    }

    /// Up to `limit` sessions of one user by (`created_at`, id) ascending, behind `after`; ended ones included.
    ///
    /// # Errors
    /// Storage faults only.
    pub async fn page_of_user(
        &mut self,
        user: UserId,
        after: Option<(Timestamp, SessionId)>,
        limit: u32,
    ) -> Result<Vec<Session>, StoreError> {
        let limit = i64::from(limit).into();
        match after {
            None => self.0.many(&FIRST_OF_USER, &[user.into(), limit], session).await,
            Some((at, id)) => self.0.many(&NEXT_OF_USER, &[user.into(), at.into(), id.into(), limit], session).await,
        }
    }

    /// The user's sessions that can still be refreshed at `now`, oldest first, at most 1,000. Whoever ends them all
    /// asks again until none is left.
    ///
    /// # Errors
    /// Storage faults only.
    pub async fn alive_of_user(&mut self, user: UserId, now: Timestamp) -> Result<Vec<Session>, StoreError> {
        let most = MOST as usize;
        let (mut alive, mut after) = (Vec::new(), None);
        loop {
            let page = self.page_of_user(user, after, BATCH).await?;
            let last_page = page.len() < BATCH as usize;
            after = page.last().map(|session| (session.created_at, session.id));
            alive.extend(page.into_iter().filter(|session| session.is_alive(now)));
            if last_page || alive.len() >= most {
                alive.truncate(most);
                return Ok(alive);
            }
        }
    }

    /// What a sign-in must know of the user's oldest sessions: those that are alive, and the ids of some that are not
    /// and can go. One page, however long the history.
    ///
    /// # Errors
    /// Storage faults only.
    pub async fn for_sign_in(
        &mut self,
        user: UserId,
        now: Timestamp,
    ) -> Result<(Vec<Session>, Vec<SessionId>), StoreError> {
        let (alive, dead): (Vec<_>, Vec<_>) =
            self.page_of_user(user, None, MOST).await?.into_iter().partition(|session| session.is_alive(now));
        Ok((alive, dead.into_iter().map(|session| session.id).collect()))
    }

    /// Removes one session; one that is not there is fine.
    ///
    /// # Errors
    /// Storage faults only.
    pub async fn remove(&mut self, id: SessionId) -> Result<(), StoreError> {
        self.0.write(&REMOVE, &[id.into()]).await
    }

    /// The same for many, in one round trip where the engine can.
    ///
    /// # Errors
    /// Storage faults only.
    pub async fn remove_many(&mut self, ids: &[SessionId]) -> Result<(), StoreError> {
        self.0.write_many(&REMOVE, ids.iter().map(|id| vec![(*id).into()]).collect()).await
    }

    /// Removes up to `limit` sessions that have expired by `now`; answers how many.
    ///
    /// # Errors
    /// Storage faults only.
    pub async fn remove_expired(&mut self, now: Timestamp, limit: u32) -> Result<usize, StoreError> {
        let ids = self.0.many(&EXPIRED, &[now.into(), i64::from(limit).into()], |row| row.uuid(1)).await?;
        let count = ids.len();
        self.0.write_many(&REMOVE, ids.into_iter().map(|id| vec![id.into()]).collect()).await?;
        Ok(count)
    }
}

fn with_user(row: &mut Row) -> Result<(Session, User), StoreError> {
    let own_columns = BY_ID.columns.len().min(row.0.len());
    let mut rest = Row(row.0.split_off(own_columns));
    Ok((session(row)?, user(&mut rest)?))
}

fn session(row: &mut Row) -> Result<Session, StoreError> {
    Ok(Session {
        id: SessionId(row.uuid(0)?),
        user_id: UserId(row.uuid(1)?),
        device_name: row.text_or_null(2)?,
        user_agent: row.text_or_null(3)?,
        ip: row.text_or_null(4)?,
        amr: list(row.json(5)?)?,
        auth_time: row.timestamp(6)?,
        created_at: row.timestamp(7)?,
        last_seen_at: row.timestamp(8)?,
        expires_at: row.timestamp(9)?,
        ended_at: row.timestamp_or_null(10)?,
        generation: row.i64(11)?,
        current_hash: row.bytes(12)?,
        previous_hash: row.bytes_or_null(13)?,
        successor: row.bytes_or_null(14)?.map(Sealed),
    })
}

/// The values of UPDATE.
fn updated(session: &Session) -> Vec<Value> {
    vec![
        session.device_name.clone().into(),
        session.user_agent.clone().into(),
        session.ip.clone().into(),
        words(&session.amr),
        session.auth_time.into(),
        session.last_seen_at.into(),
        session.expires_at.into(),
        session.ended_at.into(),
        session.generation.into(),
        session.current_hash.clone().into(),
        session.previous_hash.clone().into(),
        successor(session),
        session.id.into(),
    ]
}

fn successor(session: &Session) -> Value {
    session.successor.as_ref().map(|sealed| sealed.0.clone()).into()
}
