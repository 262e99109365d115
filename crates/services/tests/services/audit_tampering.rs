//! Whatever is done to the tables of the audit log is found, and where it begins is named.

use std::sync::Arc;

use userd_model::Random as _;
use userd_services::audit::Verified;
use userd_storage::{
    Engine,
    engines::{SqliteEngine, SqliteLocation, SqliteOptions},
    testing::{TestRandom, schema_on},
};

use crate::{
    audit_checkpoints::{grow, verified},
    fixture::{Fixture, TestApp},
    personas::PASSWORD,
};

const TABLES: [&str; 4] = ["audit_entries", "audit_tiles", "audit_heads", "audit_checkpoints"];
const ROUNDS: usize = 1_000;

/// A log with full tiles of two levels, a ragged end, and a checkpoint every now and then.
struct Log {
    app: TestApp,
    engine: Arc<dyn Engine>,
    random: TestRandom,
    size: i64,
    /// Sizes that were signed.
    sizes: Vec<i64>,
    kept: String,
}

impl Log {
    async fn make() -> Self {
        let engine: Arc<dyn Engine> = Arc::new(SqliteEngine::open(&SqliteOptions::at(SqliteLocation::Memory)).unwrap());
        schema_on(Arc::clone(&engine)).await.unwrap();
        let app = Fixture::over(Arc::clone(&engine)).app().await;
        app.member("ada").await;
        app.login("ada", PASSWORD).await.unwrap();
        let (mut sizes, mut kept) = (Vec::new(), String::new());
        for count in [30, 1, 70, 150, 33] {
            grow(&app, count).await;
            let signed = app.audit.checkpoint().await.unwrap().unwrap();
            sizes.push(i64::try_from(signed.checkpoint.size).unwrap());
            kept = signed.note;
        }
        grow(&app, 5).await;
        for table in TABLES {
            engine.run_schema(&format!("CREATE TABLE kept_{table} AS SELECT * FROM {table}")).await.unwrap();
        }
        let size = sizes.last().unwrap() + 5;
        Self { app, engine, random: TestRandom::default(), size, sizes, kept }
    }

    fn below(&self, count: i64) -> i64 {
        let [a, b, c, d, ..] = self.random.id_bytes();
        i64::from(u32::from_le_bytes([a, b, c, d])).rem_euclid(count)
    }

    async fn sql(&self, text: &str) {
        self.engine.run_schema(text).await.unwrap_or_else(|error| panic!("{text}: {error}"));
    }

    async fn undo(&self) {
        for table in TABLES {
            self.sql(&format!("DELETE FROM {table}")).await;
            self.sql(&format!("INSERT INTO {table} SELECT * FROM kept_{table}")).await;
        }
    }

    /// One bit of bytes, another way round.
    fn flipped(&self, bytes: &[u8]) -> (usize, String) {
        let mut bytes = bytes.to_vec();
        let bit = self.below(i64::try_from(bytes.len() * 8).unwrap());
        let (at, bit) = (usize::try_from(bit / 8).unwrap(), bit % 8);
        bytes[at] ^= 1 << bit;
        (at, bytes.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Damages something, and answers which position has to be named. A checkpoint can only say between which two of
    /// them something is wrong; only where a checkpoint is damaged itself is its size named.
    async fn damage(&self, kind: i64) -> (String, i64) {
        let position = self.below(self.size);
        let row = self.app.reading().audit_entries().find(position).await.unwrap().unwrap();
        let set = |column: &str, value: String| {
            (format!("UPDATE audit_entries SET {column} = {value} WHERE position = {position}"), position)
        };
        let text = |text: &str| format!("CAST(X'{}' AS TEXT)", self.flipped(text.as_bytes()).1);
        let tile = self.app.reading().audit_tiles().from(0, self.below(self.size / 16), 1).await.unwrap().remove(0);
        let upper = self.app.reading().audit_tiles().from(1, 0, 1).await.unwrap().remove(0);
        let (at, hex) = self.flipped(&tile.hashes);
        let in_tile = tile.number * 16 + i64::try_from(at / 32).unwrap();
        let (above, above_hex) = self.flipped(&upper.hashes);
        let head = self.app.reading().audit_heads().find().await.unwrap().unwrap();
        let first = self.sizes[usize::try_from(self.below(5)).unwrap()];
        match kind {
            0..=4 => set("entry", format!("X'{}'", self.flipped(&row.entry).1)),
            5 => set("id", format!("X'{}'", self.flipped(row.id.0.as_bytes()).1)),
            6 => set("act", text(&row.act)),
            7 => set("actor", text(&row.actor)),
            8 => set("subject", text(&row.subject)),
            9 => set("occurred_at", (row.at.micros() ^ (1 << self.below(63))).to_string()),
            10 => {
                // One that is there already moves aside, as in a swap.
                let moved = position ^ (1 << self.below(62));
                if (0..self.size).contains(&moved) { swap(position, moved) } else { set("position", moved.to_string()) }
            }
            11 | 12 => (format!("DELETE FROM audit_entries WHERE position = {position}"), position),
            13 | 14 => swap(position, (position + 1 + self.below(self.size - 1)) % self.size),
            15 => (format!("DELETE FROM audit_entries WHERE position >= {position}"), position),
            16 => (format!("DELETE FROM audit_entries WHERE position <= {position}"), 0),
            17 => (
                format!(
                    "INSERT INTO audit_entries SELECT {}, id, act, actor, subject, occurred_at, entry \
                         FROM audit_entries WHERE position = {position}",
                    self.size
                ),
                self.size,
            ),
            18 => (
                format!("UPDATE audit_tiles SET hashes = X'{hex}' WHERE level = 0 AND number = {}", tile.number),
                in_tile,
            ),
            19 => (format!("DELETE FROM audit_tiles WHERE level = 0 AND number = {}", tile.number), tile.number * 16),
            20 => (
                format!("UPDATE audit_tiles SET hashes = X'{above_hex}' WHERE level = 1 AND number = 0"),
                i64::try_from(above / 32 * 16).unwrap(),
            ),
            21 => (format!("UPDATE audit_checkpoints SET size = size + 1000 WHERE size = {first}"), first + 1000),
            22 => {
                let note = self.app.reading().audit_checkpoints().from(first, 1).await.unwrap().remove(0).note;
                (format!("UPDATE audit_checkpoints SET note = {} WHERE size = {first}", text(&note)), first)
            }
            23 => ("DELETE FROM audit_heads".to_owned(), 0),
            24 => (format!("UPDATE audit_heads SET log = {}", 1_i64 << self.below(62)), 0),
            25 => (format!("UPDATE audit_heads SET origin = {}", text(&head.origin)), self.size),
            _ => {
                let (at, hex) = self.flipped(&head.edge);
                (format!("UPDATE audit_heads SET edge = X'{hex}'"), self.below_byte_of_edge(at))
            }
        }
    }

    /// The first entry under a byte of the end of the tree: the size, then the hashes of each level that are in no full tile. How many
    /// hashes there must be follows from the size, so another one makes the whole row unreadable.
    fn below_byte_of_edge(&self, at: usize) -> i64 {
        let Some(at) = at.checked_sub(8) else { return self.size };
        let mut place = i64::try_from(at / 32).unwrap();
        for level in 0.. {
            let count = (self.size >> (4 * level)) & 15;
            if place < count {
                return ((self.size >> (4 * level + 4)) * 16 + place) << (4 * level);
            }
            place -= count;
        }
        unreachable!()
    }
}

/// Two entries in each other's place: the keys stay.
fn swap(one: i64, other: i64) -> (String, i64) {
    let columns = ["id", "act", "actor", "subject", "occurred_at", "entry"];
    let set = columns.map(|column| {
        format!(
            "{column} = (SELECT kept.{column} FROM kept_audit_entries AS kept WHERE kept.position = \
             CASE audit_entries.position WHEN {one} THEN {other} ELSE {one} END)"
        )
    });
    (format!("UPDATE audit_entries SET {} WHERE position IN ({one}, {other})", set.join(", ")), one.min(other))
}

fn named(found: &Verified) -> Option<i64> {
    found.fault.as_ref().map(|fault| i64::try_from(fault.position).unwrap())
}

/// F39: single bits in every table, removals, swaps, truncations, insertions: a thousand, each found, and its position named.
/// ASVS V16.4.2
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_changes_of_the_tables_are_all_found_and_their_positions_named() {
    let log = Log::make().await;
    assert!(verified(&log.app, &[&log.kept]).await.intact);
    for round in 0..ROUNDS {
        let (sql, position) = log.damage(i64::try_from(round % 27).unwrap()).await;
        log.sql(&sql).await;
        let found = verified(&log.app, &[]).await;
        assert_eq!(named(&found), Some(position), "{sql}: {found:?}");
        log.undo().await;
    }
    assert!(verified(&log.app, &[&log.kept]).await.intact);
}

/// Text that is none is what no engine reads; of the thousand changes above few make it so, and hardly one the first entry.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_that_cannot_be_read_is_named_wherever_it_stands() {
    let log = Log::make().await;
    for position in [0, 1, log.size / 2, log.size - 1] {
        for column in ["act", "actor", "subject"] {
            log.sql(&format!("UPDATE audit_entries SET {column} = CAST(X'FF' AS TEXT) WHERE position = {position}"))
                .await;
            let found = verified(&log.app, &[]).await;
            assert_eq!(named(&found), Some(position), "{column}: {found:?}");
            log.undo().await;
        }
    }
}

/// Whoever can write everything can also write a shorter log that is right in itself: only a checkpoint that was kept
/// tells, and the checkpoint before it says from where on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_was_truncated_together_with_its_checkpoints_is_found_by_any_that_was_kept() {
    let log = Log::make().await;
    let other = Log::make().await;
    for short in [0, 1, 16, 17, 100, 255, 256, 257] {
        log.undo().await;
        for table in TABLES {
            log.sql(&format!("DELETE FROM {table}")).await;
        }
        // A log of the same key, made anew, with fewer entries.
        let entries = other
            .app
            .reading()
            .audit_entries()
            .from(userd_storage::repositories::audit_entries::AuditOrder::Whole, 0, short)
            .await
            .unwrap();
        let facts: Vec<_> = entries
            .iter()
            .map(|_| {
                log.app.fact("user.changed", userd_model::UserId(uuid::Uuid::from_bytes(log.random.id_bytes())), 1)
            })
            .collect();
        log.app.push(&facts).await;
        log.app.event_log.tick().await.unwrap();
        let alone = verified(&log.app, &[]).await;
        assert!(alone.intact && alone.size == u64::from(short), "{alone:?}");
        let found = verified(&log.app, &[&log.kept]).await;
        assert_eq!(named(&found), Some(i64::from(short)), "{found:?}");
    }
}

/// What was rewritten with all its hashes is found by a checkpoint in between, and named from the last good one on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_was_rewritten_with_its_tree_is_found_by_its_checkpoints() {
    let log = Log::make().await;
    log.sql("DELETE FROM audit_checkpoints").await;
    let [.., kept, _] = log.sizes.as_slice() else { panic!() };
    log.sql(&format!("INSERT INTO audit_checkpoints SELECT * FROM kept_audit_checkpoints WHERE size <= {kept}")).await;
    for table in &TABLES[..3] {
        log.sql(&format!("DELETE FROM {table}")).await;
    }
    let count = u128::try_from(*kept).unwrap();
    grow(&log.app, count + 20).await;
    let found = verified(&log.app, &[]).await;
    assert_eq!(named(&found), Some(0), "{found:?}");
    assert!(found.fault.unwrap().what.contains("the checkpoint of"));
    assert!(log.app.audit.checkpoint().await.is_err(), "and nothing more is signed");
}

/// The newest entries alone are compared, the tree over the others all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_newest_entries_are_verified_alone_against_every_checkpoint() {
    let log = Log::make().await;
    let scope = |newest| userd_services::audit::Scope { newest: Some(newest), kept: vec![log.kept.clone()] };
    let ctx = log.app.operator_context();
    for newest in [1, 5, 40, 200, 100_000] {
        let found = log.app.audit.verify(&ctx, &scope(newest), &|_, _| {}).await.unwrap();
        assert!(found.intact && found.checkpoints == 6 && found.entries >= newest.min(found.size), "{found:?}");
    }
    log.sql("UPDATE audit_tiles SET hashes = zeroblob(512) WHERE level = 1 AND number = 0").await;
    let found = log.app.audit.verify(&ctx, &scope(1), &|_, _| {}).await.unwrap();
    assert_eq!(named(&found), Some(0), "{found:?}");
}
