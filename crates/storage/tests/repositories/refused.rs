//! What the portable subset refuses, each form with the reason it is refused for.

use userd_storage::{
    Kind::{self, Bytes, I64, Text, Timestamp, Uuid},
    tables::TABLES,
};

use crate::{portable::check, sql::tokens};

/// The reason, the statement's verb and text, and the kinds declared for it.
type Case = (&'static str, &'static str, &'static [Kind], &'static [Kind]);

static CASES: &[Case] = &[
    ("OFFSET is not portable", "SELECT name FROM roles ORDER BY name LIMIT $1 OFFSET $2", &[I64, I64], &[Text]),
    ("RETURNING is not portable", "DELETE FROM roles WHERE name = $1 RETURNING name", &[Text], &[Text]),
    ("JOIN is not portable", "SELECT id FROM users JOIN claims ON owner_id = id", &[], &[Uuid]),
    (
        "JOIN is not portable",
        "SELECT sessions.id, claims.kind FROM sessions JOIN claims ON claims.owner_id = sessions.user_id \
         WHERE sessions.id = $1",
        &[Uuid],
        &[Uuid, Text],
    ),
    ("LIKE is not portable", "SELECT name FROM roles WHERE name LIKE $1", &[Text], &[Text]),
    ("ILIKE is not portable", "SELECT name FROM roles WHERE name ILIKE $1", &[Text], &[Text]),
    ("COLLATE is not portable", "SELECT name FROM roles ORDER BY name COLLATE $1", &[Text], &[Text]),
    ("DISTINCT is not portable", "SELECT DISTINCT name FROM roles", &[], &[Text]),
    ("FOR is not portable", "SELECT id FROM users WHERE id = $1 FOR UPDATE", &[Uuid], &[Uuid]),
    (":: is not portable", "SELECT id FROM users WHERE id = $1::uuid", &[Uuid], &[Uuid]),
    ("\"(\" is not a placeholder", "SELECT id FROM users WHERE id = (SELECT owner_id FROM claims)", &[], &[Uuid]),
    ("IN is not portable", "SELECT id FROM users WHERE id IN ($1, $2)", &[Uuid, Uuid], &[Uuid]),
    ("now is not portable", "UPDATE users SET updated_at = now() WHERE id = $1", &[Uuid], &[]),
    ("\"version\" is not a placeholder", "UPDATE users SET version = version + $1 WHERE id = $2", &[I64, Uuid], &[]),
    ("\"'blocked'\" is not a placeholder", "UPDATE users SET status = 'blocked' WHERE id = $1", &[Uuid], &[]),
    ("; is not portable", "DELETE FROM users WHERE id = $1; DELETE FROM users WHERE id = $2", &[Uuid, Uuid], &[]),
    ("\"*\" is not a plain name", "SELECT * FROM users WHERE id = $1", &[Uuid], &[Uuid]),
    ("expected FROM at \"( id ) FROM users\"", "SELECT count(id) FROM users", &[], &[I64]),
    (
        "an upsert must be named so",
        "INSERT INTO replay_guard (hash, purpose, expires_at) VALUES ($1, $2, $3) ON CONFLICT (hash) DO \
         UPDATE SET purpose = excluded.purpose, expires_at = excluded.expires_at",
        &[Bytes, Text, Timestamp],
        &[],
    ),
    (
        "NOTHING is not portable",
        "INSERT INTO replay_guard (hash, purpose, expires_at) VALUES ($1, $2, $3) ON CONFLICT (hash) DO \
         NOTHING",
        &[Bytes, Text, Timestamp],
        &[],
    ),
    ("leaves expires_at out", "INSERT INTO replay_guard (hash, purpose) VALUES ($1, $2)", &[Bytes, Text], &[]),
    (
        "a write must name the whole primary key and nothing else",
        "DELETE FROM replay_guard WHERE expires_at <= $1",
        &[Timestamp],
        &[],
    ),
    (
        "a write must name the whole primary key and nothing else",
        "UPDATE users SET version = $1 WHERE id = $2 AND version = $3",
        &[I64, Uuid, I64],
        &[],
    ),
    ("a write must name the whole primary key and nothing else", "DELETE FROM outbox WHERE shard = $1", &[I64], &[]),
    ("a write must name the whole primary key and nothing else", "DELETE FROM users", &[], &[]),
    ("changes the key column id", "UPDATE users SET id = $1 WHERE id = $2", &[Uuid, Uuid], &[]),
    (
        "no index gives the order [\"username\", \"id\"]",
        "SELECT id, username FROM users WHERE username = $1 ORDER BY username, id LIMIT $2",
        &[Text, I64],
        &[Uuid, Text],
    ),
    (
        "no index gives the order [\"id\", \"expires_at\"]",
        "SELECT expires_at, id FROM sessions WHERE expires_at <= $1 ORDER BY id, expires_at LIMIT $2",
        &[Timestamp, I64],
        &[Timestamp, Uuid],
    ),
    (
        "mixed directions",
        "SELECT expires_at, id FROM sessions ORDER BY expires_at DESC, id LIMIT $1",
        &[I64],
        &[Timestamp, Uuid],
    ),
    (
        "a page must go on behind its last row",
        "SELECT created_at, id FROM users WHERE (created_at, id) > ($1, $2) ORDER BY created_at DESC, id \
         DESC LIMIT $3",
        &[Timestamp, Uuid, I64],
        &[Timestamp, Uuid],
    ),
    (
        "a page must go on behind its last row",
        "SELECT created_at, id FROM users WHERE (created_at) > ($1) ORDER BY created_at, id LIMIT $2",
        &[Timestamp, I64],
        &[Timestamp, Uuid],
    ),
    (
        "orders by expires_at, which is not selected",
        "SELECT id FROM sessions WHERE expires_at <= $1 ORDER BY expires_at, id LIMIT $2",
        &[Timestamp, I64],
        &[Uuid],
    ),
    ("has no limit", "SELECT created_at, id FROM users ORDER BY created_at, id", &[], &[Timestamp, Uuid]),
    ("no index gives the order []", "SELECT id FROM users LIMIT $1", &[I64], &[Uuid]),
    ("$1 is declared Text, its column is Uuid", "SELECT id FROM users WHERE id = $1", &[Text], &[Uuid]),
    ("id is declared Text", "SELECT id FROM users WHERE id = $1", &[Uuid], &[Text]),
    ("no column nickname", "SELECT nickname FROM users WHERE id = $1", &[Uuid], &[Text]),
    (
        "placeholders are not $1, $2 … once each",
        "SELECT id FROM users WHERE id = $1 AND created_at = $1",
        &[Uuid],
        &[Uuid],
    ),
];

#[test]
fn what_an_engine_would_answer_differently_is_refused() {
    for (reason, sql, parameters, columns) in CASES {
        let words = tokens(sql);
        let table = words.iter().find(|word| TABLES.iter().any(|table| table.name == *word)).unwrap();
        let refusal = check(&format!("{table}.case"), sql, parameters, columns).expect_err(sql);
        assert!(refusal.contains(reason), "{sql}\nis refused because it {refusal}");
    }
}

#[test]
fn an_upsert_replaces_the_whole_row_by_its_key_and_says_so_in_its_name() {
    let insert = "INSERT INTO replay_guard (hash, purpose, expires_at) VALUES ($1, $2, $3)";
    let whole = "purpose = excluded.purpose, expires_at = excluded.expires_at";
    for (reason, name, rest) in [
        ("named upsert and is none", "replay_guard.upsert", String::new()),
        ("must be named so", "replay_guard.insert", format!(" ON CONFLICT (hash) DO UPDATE SET {whole}")),
        ("something else than the key", "replay_guard.upsert", format!(" ON CONFLICT (purpose) DO UPDATE SET {whole}")),
        ("every column", "replay_guard.upsert", " ON CONFLICT (hash) DO UPDATE SET purpose = excluded.purpose".into()),
        (
            "mix columns",
            "replay_guard.upsert",
            format!(" ON CONFLICT (hash) DO UPDATE SET {}", whole.replace("excluded.p", "excluded.x")),
        ),
        ("not an excluded column", "replay_guard.upsert", " ON CONFLICT (hash) DO UPDATE SET purpose = $1".into()),
    ] {
        let refusal = check(name, &format!("{insert}{rest}"), &[Bytes, Text, Timestamp], &[]).expect_err(name);
        assert!(refusal.contains(reason), "{rest}: {refusal}");
    }
    let lawful = format!("{insert} ON CONFLICT (hash) DO UPDATE SET {whole}");
    assert_eq!(check("replay_guard.upsert", &lawful, &[Bytes, Text, Timestamp], &[]), Ok(()));
}
