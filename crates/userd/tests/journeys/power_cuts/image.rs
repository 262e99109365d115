//! What a database promises after a power cut: it opens, it is whole, what was acknowledged is in it, and of nothing
//! there is a half.

use std::{collections::HashMap, path::Path, sync::Arc};

use userd_storage::{
    Engine, Rows, Statement, Store, StoreError,
    engines::{SqliteEngine, SqliteLocation, SqliteOptions},
    testing::{ManualClock, TestRandom},
};
use uuid::Uuid;

/// Something that the service answered for.
#[derive(Clone)]
pub enum Acknowledged {
    Account(Uuid),
    /// This session was renewed so often.
    Renewed(Uuid, i64),
}

mod kept {
    userd_storage::statements! {
        ACCOUNTS = "users.ids": "SELECT id FROM users" () -> (Uuid);
        SESSIONS = "sessions.generations": "SELECT id, generation FROM sessions" () -> (Uuid, I64);
    }
}

/// Each counts halves: there must be none.
mod halves {
    userd_storage::statements! {
        PASSWORDS = "users.without_password":
            "SELECT count(*) FROM users WHERE id NOT IN (SELECT user_id FROM password_credentials)" () -> (I64);
        CLAIMS = "users.without_claim":
            "SELECT count(*) FROM users WHERE id NOT IN (SELECT owner_id FROM claims)" () -> (I64);
        OWNERS = "password_credentials.without_user":
            "SELECT count(*) FROM password_credentials WHERE user_id NOT IN (SELECT id FROM users)" () -> (I64);
        CLAIMED = "claims.without_user":
            "SELECT count(*) FROM claims WHERE owner_id NOT IN (SELECT id FROM users)" () -> (I64);
        SESSIONS = "sessions.without_user":
            "SELECT count(*) FROM sessions WHERE user_id NOT IN (SELECT id FROM users)" () -> (I64);
        REGISTERED = "users.without_fact":
            "SELECT count(*) FROM users WHERE 1 <> (SELECT count(*) FROM (SELECT user_id, kind FROM outbox UNION ALL
                SELECT user_id, kind FROM events) AS facts WHERE kind = 'user.registered' AND user_id = users.id)"
            () -> (I64);
        STARTED = "sessions.without_fact":
            "SELECT abs((SELECT count(*) FROM sessions) - (SELECT count(*) FROM (SELECT kind FROM outbox UNION ALL
                SELECT kind FROM events) AS facts WHERE kind = 'session.started'))" () -> (I64);
        NUMBERS = "fact_numbers.without_fact":
            "SELECT count(*) FROM fact_numbers AS n LEFT JOIN (SELECT subject_id, count(DISTINCT number) AS facts FROM
                (SELECT subject_id, number FROM outbox UNION ALL SELECT subject_id, number FROM events) AS f
                GROUP BY subject_id) AS told ON told.subject_id = n.subject_id
                WHERE n.subject_kind = 'user' AND n.number <> coalesce(told.facts, 0)" () -> (I64);
        POSITIONS = "events.with_holes":
            "SELECT count(*) FROM event_heads AS h WHERE h.position <>
                (SELECT count(*) FROM events WHERE shard = h.shard) OR h.position <> (SELECT coalesce(max(position), 0) FROM events WHERE shard = h.shard)" () -> (I64);
    }
}

/// Opens the database in `file` as a start does, and looks. What is wrong is said in words.
pub async fn look(file: &Path, acknowledged: &[Acknowledged]) -> Result<(), String> {
    let engine = SqliteEngine::open(&SqliteOptions::at(SqliteLocation::File(file.to_owned()))).map_err(said)?;
    let engine = Arc::new(engine);
    let looked = look_into(&engine, acknowledged).await;
    engine.close().await;
    looked
}

async fn look_into(engine: &Arc<SqliteEngine>, acknowledged: &[Acknowledged]) -> Result<(), String> {
    engine.check_integrity().await.map_err(said)?;
    let store = Store::new(Arc::clone(engine) as Arc<dyn Engine>, Arc::new(TestRandom::default()));
    store.migrate(&ManualClock::default()).await.map_err(|error| error.to_string())?;
    for half in halves::ALL {
        let count = rows(engine, half).await?[0].i64(0).map_err(said)?;
        if count != 0 {
            return Err(format!("{}: {count}", half.name));
        }
    }
    let [accounts, sessions] = kept::ALL else { unreachable!() };
    let mut known = HashMap::new();
    for mut row in rows(engine, accounts).await? {
        known.insert(row.uuid(0).map_err(said)?, 0);
    }
    for mut row in rows(engine, sessions).await? {
        known.insert(row.uuid(0).map_err(said)?, row.i64(1).map_err(said)?);
    }
    let is_lost = |acknowledged: &&Acknowledged| match acknowledged {
        Acknowledged::Account(id) => !known.contains_key(id),
        Acknowledged::Renewed(session, times) => known.get(session).is_none_or(|generation| generation < times),
    };
    match acknowledged.iter().filter(is_lost).count() {
        0 => Ok(()),
        lost => Err(format!("{lost} of {} that were acknowledged are lost", acknowledged.len())),
    }
}

async fn rows(engine: &SqliteEngine, statement: &'static Statement) -> Result<Rows, String> {
    engine.read(statement, &[]).await.map_err(said)
}

fn said(error: StoreError) -> String {
    error.to_string()
}
