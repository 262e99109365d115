//! Sessions: refresh-token families. Refresh is the hottest write of all, so it has a statement of its own that
//! leaves the indexed columns alone.

use userd_model::{Factor, IdentityId, Sealed, Session, SessionId, Timestamp, User, UserId};

use super::{
    BATCH, MOST, every_row, fact_numbers, factors, first_row, list,
    password_credentials::{BY_USER_ID, PasswordCredential, credential},
    users::{self, user},
    words,
};
use crate::{
    Call, Row, Rows, StoreError, UnitOfWork, Value,
    tables::{self, List, Range, Shape, position, statements_of},
};

/// Sessions.
pub struct Sessions<'a>(pub(super) &'a mut UnitOfWork);

/// What is there when a sign-in ends.
#[derive(Debug)]
pub struct BeforeSignIn {
    /// The user's oldest sessions that can be refreshed.
    pub alive: Vec<Session>,
    /// Some that cannot, and can go.
    pub dead: Vec<Session>,
    /// The user's second factors.
    pub factors: Vec<Factor>,
    /// The user's password.
    pub password: Option<PasswordCredential>,
    /// The number of the last fact about the user, where it was asked for.
    pub facts: Option<i64>,
}

statements_of! { SESSIONS:
    INSERT = "sessions.insert": Shape::Insert;
    BY_ID = "sessions.by_id": Shape::Find;
    UPDATE = "sessions.update": Shape::Update(&[
        "device_name", "user_agent", "ip", "amr", "auth_time", "last_seen_at", "expires_at", "ended_at", "generation",
        "current_hash", "previous_hash", "successor", "parties",
    ]);
    ROTATE = "sessions.rotate": Shape::Update(&[
        "ip", "last_seen_at", "generation", "current_hash", "previous_hash", "successor", "parties",
    ]);
    FIRST_OF_USER = "sessions.first_of_user": Shape::List(List::along("sessions_by_user").equal(1));
    NEXT_OF_USER = "sessions.next_of_user":
        Shape::List(List::along("sessions_by_user").equal(1).range(Range::Behind));
    WITH_USER = "sessions.with_user": Shape::FindWith { other: &tables::USERS, by: "user_id" };
    REMOVE = "sessions.remove": Shape::Remove;
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
            session.identity_id.into(),
            parties(session),
        ];
        self.0.write(&INSERT, &values).await
    }

    /// The session with this id, ended and expired ones included: [`Session::is_alive`] tells.
    pub async fn find(&mut self, id: SessionId) -> Result<Option<Session>, StoreError> {
        self.0.one(&BY_ID, &[id.into()], session).await
    }

    /// The session with this id and its user, in one step; `None` when either is not there.
    pub async fn find_with_user(&mut self, id: SessionId) -> Result<Option<(Session, User)>, StoreError> {
        self.0.one(&WITH_USER, &[id.into()], with_user).await
    }

    /// Writes every column but the id, the user, `created_at` and the identity. Nothing happens when the id is unknown.
    pub async fn update(&mut self, session: &Session) -> Result<(), StoreError> {
        self.update_many(std::slice::from_ref(session)).await
    }

    /// The same for many, in one round trip where the engine can.
    pub async fn update_many(&mut self, sessions: &[Session]) -> Result<(), StoreError> {
        self.0.write_many(&UPDATE, sessions.iter().map(updated).collect()).await
    }

    /// Writes only what a refresh changes: what [`Session::rotate`] does, and the address. Neither is indexed.
    pub async fn rotate(&mut self, session: &Session) -> Result<(), StoreError> {
        let values = [
            session.ip.clone().into(),
            session.last_seen_at.into(),
            session.generation.into(),
            session.current_hash.clone().into(),
            session.previous_hash.clone().into(),
            successor(session),
            parties(session),
            session.id.into(),
        ];
        self.0.write(&ROTATE, &values).await
    }

    /// Up to `limit` sessions of one user by (`created_at`, id) ascending, behind `after`; ended ones included.
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

    /// What a sign-in must know of a user beside the account, in one round trip. Of the oldest sessions one page,
    /// however long the history.
    pub async fn for_sign_in(&mut self, user: UserId, now: Timestamp) -> Result<BeforeSignIn, StoreError> {
        let (sessions, factors) = ([user.into(), i64::from(MOST).into()], factors::of_user(user));
        let key = [user.into()];
        let answers = self.0.run_together(&looks(&sessions, &factors, &key)).await?;
        before_sign_in(answers.into_iter(), now)
    }

    /// The same with the account itself, for whoever knows its id alone.
    pub async fn account_for_sign_in(
        &mut self,
        id: UserId,
        now: Timestamp,
    ) -> Result<(Option<User>, BeforeSignIn), StoreError> {
        let (sessions, factors) = ([id.into(), i64::from(MOST).into()], factors::of_user(id));
        let key = [id.into()];
        let subject = fact_numbers::key(&id.into());
        let account = [
            Call { statement: users::BY_ID, values: &key },
            Call { statement: fact_numbers::OF_SUBJECT, values: &subject },
        ];
        let calls = [account.as_slice(), &looks(&sessions, &factors, &key)].concat();
        let mut answers = self.0.run_together(&calls).await?.into_iter();
        let account = first_row(users::BY_ID, answers.next(), user)?;
        let facts = first_row(fact_numbers::OF_SUBJECT, answers.next(), fact_numbers::number)?.unwrap_or(0);
        Ok((account, BeforeSignIn { facts: Some(facts), ..before_sign_in(answers, now)? }))
    }

    /// Removes one session; one that is not there is fine.
    pub async fn remove(&mut self, id: SessionId) -> Result<(), StoreError> {
        self.0.write(&REMOVE, &[id.into()]).await
    }

    /// The same for many, in one round trip where the engine can.
    pub async fn remove_many(&mut self, ids: &[SessionId]) -> Result<(), StoreError> {
        self.0.write_many(&REMOVE, ids.iter().map(|id| vec![(*id).into()]).collect()).await
    }
}

fn looks<'a>(sessions: &'a [Value], factors: &'a [Value], key: &'a [Value]) -> [Call<'a>; 3] {
    [
        Call { statement: &FIRST_OF_USER, values: sessions },
        Call { statement: factors::OF_USER, values: factors },
        Call { statement: BY_USER_ID, values: key },
    ]
}

/// The answers to [`looks`].
fn before_sign_in(mut answers: impl Iterator<Item = Rows>, now: Timestamp) -> Result<BeforeSignIn, StoreError> {
    let sessions: Vec<Session> = every_row(&FIRST_OF_USER, answers.next(), session)?;
    let factors = every_row(factors::OF_USER, answers.next(), factors::factor)?;
    let password = first_row(BY_USER_ID, answers.next(), credential)?;
    let (alive, dead) = sessions.into_iter().partition(|session| session.is_alive(now));
    Ok(BeforeSignIn { alive, dead, factors, password, facts: None })
}

fn with_user(row: &mut Row) -> Result<(Session, User), StoreError> {
    let own_columns = BY_ID.columns.len().min(row.0.len());
    let mut rest = Row(row.0.split_off(own_columns));
    Ok((session(row)?, user(&mut rest)?))
}

fn session(row: &mut Row) -> Result<Session, StoreError> {
    Ok(Session {
        id: SessionId(row.uuid(position!(SESSIONS.id))?),
        user_id: UserId(row.uuid(position!(SESSIONS.user_id))?),
        device_name: row.text_or_null(position!(SESSIONS.device_name))?,
        user_agent: row.text_or_null(position!(SESSIONS.user_agent))?,
        ip: row.text_or_null(position!(SESSIONS.ip))?,
        amr: list(row.json(position!(SESSIONS.amr))?)?,
        auth_time: row.timestamp(position!(SESSIONS.auth_time))?,
        created_at: row.timestamp(position!(SESSIONS.created_at))?,
        last_seen_at: row.timestamp(position!(SESSIONS.last_seen_at))?,
        expires_at: row.timestamp(position!(SESSIONS.expires_at))?,
        ended_at: row.timestamp_or_null(position!(SESSIONS.ended_at))?,
        generation: row.i64(position!(SESSIONS.generation))?,
        current_hash: row.bytes(position!(SESSIONS.current_hash))?,
        previous_hash: row.bytes_or_null(position!(SESSIONS.previous_hash))?,
        successor: row.bytes_or_null(position!(SESSIONS.successor))?.map(Sealed),
        identity_id: row.uuid_or_null(position!(SESSIONS.identity_id))?.map(IdentityId),
        parties: row.json_or_null(position!(SESSIONS.parties))?.and_then(|json| serde_json::from_value(json).ok()),
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
        parties(session),
        session.id.into(),
    ]
}

fn parties(session: &Session) -> Value {
    session.parties.and_then(|parties| serde_json::to_value(parties).ok()).into()
}

fn successor(session: &Session) -> Value {
    session.successor.as_ref().map(|sealed| sealed.0.clone()).into()
}
