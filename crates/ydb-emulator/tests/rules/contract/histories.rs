//! Whatever commits is as if one transaction had come after the other: many histories by chance, played again in order.

use std::collections::BTreeMap;

use ydb_emulator::StatusCode;

use crate::client::{Database, Session, number, text};

const TABLE: &str =
    "CREATE TABLE {items} (room Utf8 NOT NULL, id Utf8 NOT NULL, n Int64 NOT NULL, PRIMARY KEY (room, id))";
const LIST: &str = "SELECT id, n FROM {items} WHERE room = $room ORDER BY id";
const READ: &str = "SELECT id, n FROM {items} WHERE room = $room AND id = $id";
const WRITE: &str = "UPSERT INTO {items} (room, id, n) VALUES ($room, $id, $n)";
const REMOVE: &str =
    "SELECT id, n FROM {items} WHERE room = $room AND id = $id; DELETE FROM {items} WHERE room = $room AND id = $id";

type Rows = BTreeMap<(String, String), i64>;

/// What one transaction has seen and written, in order.
#[derive(Debug)]
enum Step {
    Listed(String, Vec<(String, i64)>),
    Read(String, String, Option<i64>),
    Wrote(String, String, i64),
    Removed(String, String, Option<i64>),
}

/// A generator that the seed decides alone.
struct Chance(u64);

impl Chance {
    fn below(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn room(&mut self) -> String {
        ["x", "y"][usize::try_from(self.below(2)).unwrap()].to_owned()
    }

    fn id(&mut self) -> String {
        ["a", "b", "c"][usize::try_from(self.below(3)).unwrap()].to_owned()
    }
}

struct Running {
    session: Session,
    tx: String,
    steps: Vec<Step>,
}

impl Running {
    /// One statement; false if the transaction was refused.
    async fn step(&mut self, chance: &mut Chance, fresh: i64) -> bool {
        let (room, id) = (chance.room(), chance.id());
        let kind = chance.below(4);
        let (text_, given) = match kind {
            0 => (LIST, vec![("room", text(&room))]),
            1 => (READ, vec![("room", text(&room)), ("id", text(&id))]),
            2 => (WRITE, vec![("room", text(&room)), ("id", text(&id)), ("n", number(fresh))]),
            _ => (REMOVE, vec![("room", text(&room)), ("id", text(&id))]),
        };
        let answer = match self.tx.as_str() {
            "" => self.session.first(text_, &given).await,
            tx => self.session.more(tx, text_, &given).await,
        };
        let done = match answer {
            Ok(done) => done,
            Err(refused) => {
                assert_eq!(refused.status, StatusCode::Aborted, "{refused:?}");
                return false;
            }
        };
        let found = || done.rows().into_iter().map(|row| (row[0].clone(), row[1].parse().unwrap())).collect::<Vec<_>>();
        self.steps.push(match kind {
            0 => Step::Listed(room, found()),
            1 => Step::Read(room, id, found().first().map(|(_, n)| *n)),
            2 => Step::Wrote(room, id, fresh),
            _ => Step::Removed(room, id, found().first().map(|(_, n)| *n)),
        });
        self.tx = done.tx;
        true
    }
}

/// Plays a transaction on the rows; false if it would have seen something else.
fn replay(rows: &mut Rows, steps: &[Step]) -> bool {
    steps.iter().all(|step| match step {
        Step::Listed(room, seen) => {
            let all = rows.iter().filter(|((other, _), _)| other == room);
            all.map(|((_, id), n)| (id.clone(), *n)).collect::<Vec<_>>() == *seen
        }
        Step::Read(room, id, seen) => rows.get(&(room.clone(), id.clone())) == seen.as_ref(),
        Step::Wrote(room, id, n) => {
            rows.insert((room.clone(), id.clone()), *n);
            true
        }
        Step::Removed(room, id, seen) => rows.remove(&(room.clone(), id.clone())) == *seen,
    })
}

async fn history(database: &Database, seed: u64) -> (u32, u32) {
    let mut chance = Chance(seed);
    let mut running = Vec::new();
    for _ in 0..4 {
        running.push(Running { session: database.session().await, tx: String::new(), steps: Vec::new() });
    }
    let cleaner = database.session().await;
    for room in ["x", "y"] {
        cleaner.run("DELETE FROM {items} WHERE room = $room", &[("room", text(room))]).await.unwrap();
    }
    let mut states = vec![Rows::new()];
    let (mut committed, mut refused) = (0, 0);
    for fresh in 0..120 {
        let one = &mut running[usize::try_from(chance.below(4)).unwrap()];
        if one.steps.is_empty() || chance.below(4) > 0 {
            if !one.step(&mut chance, fresh).await {
                refused += 1;
                (one.tx, one.steps) = (String::new(), Vec::new());
            }
            continue;
        }
        match one.session.commit(&one.tx).await {
            Ok(()) => {
                let mut rows = states.last().unwrap().clone();
                let in_order = replay(&mut rows, &one.steps);
                // Who has changed nothing, be it by removing what is not there, may be of an earlier moment.
                let unchanged = |state: &&Rows| {
                    let mut rows = (*state).clone();
                    replay(&mut rows, &one.steps) && rows == **state
                };
                assert!(
                    in_order || states.iter().any(|state| unchanged(&state)),
                    "seed {seed}: it saw what never was: {:?}\n{states:#?}",
                    one.steps
                );
                if in_order && rows != *states.last().unwrap() {
                    states.push(rows);
                    committed += 1;
                }
            }
            Err(answer) => {
                assert_eq!(answer.status, StatusCode::Aborted, "{answer:?}");
                refused += 1;
            }
        }
        (one.tx, one.steps) = (String::new(), Vec::new());
    }
    let mut found = Rows::new();
    for room in ["x", "y"] {
        for row in cleaner.run(LIST, &[("room", text(room))]).await.unwrap().rows() {
            found.insert((room.to_owned(), row[0].clone()), row[1].parse().unwrap());
        }
    }
    assert_eq!(found, *states.last().unwrap(), "seed {seed}");
    (committed, refused)
}

#[tokio::test]
async fn whatever_commits_is_as_if_one_had_come_after_the_other() {
    let (database, _session) = Database::with(&[TABLE]).await;
    let (mut committed, mut refused) = (0, 0);
    for seed in 0..20 {
        let (some, others) = history(&database, seed).await;
        committed += some;
        refused += others;
    }
    assert!(committed > 100 && refused > 25, "too tame: {committed} committed, {refused} refused");
}
