//! The power goes while people register and renew. A recorder in front of the C library writes down what the program
//! asks of its disk, and from that many disks are made up on which only what was synced is sure to be. Each must hold
//! whatever had been answered by then. `kill -9` proves less: it leaves what the system still had to write.
//!
//! Stated, not shown: a disk that has synced keeps it, and a torn write changes no byte outside of itself (what SQLite
//! calls powersafe overwrite). The index of the log (`-shm`) is memory, gone each time.

mod disk;
mod image;

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use uuid::Uuid;

use self::{
    disk::{Disk, Image, Rng, Syncs},
    image::{Acknowledged, look},
};
use crate::support::{Caller, Engine, PASSWORD, Replica, TestApp, rounds, told, unique_email};

const CLIENTS: usize = 8;
/// What each of them asks for in one life.
const STEPS: usize = 16;
/// Renewals between two registrations.
const RENEWALS: usize = 3;
const CUTS_OF_A_LIFE: usize = 25;

/// An answer that came, and how long the log was by then.
#[derive(Clone)]
struct Answered {
    log: usize,
    what: Acknowledged,
    session: Uuid,
    refresh_token: String,
}

/// What one process did, from its start to its end.
struct Life {
    folder: PathBuf,
    before: Image,
    numbers: BTreeMap<String, u64>,
    log: Arc<Vec<u8>>,
    answered: Vec<Answered>,
}

/// The recorder, compiled.
fn recorder(app: &TestApp) -> PathBuf {
    let (source, library) = (app.path("recorder.c"), app.path("recorder.so"));
    fs::write(&source, include_str!("recorder.c")).unwrap();
    let mut compiler = std::process::Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-O1", "-o"]).args([&library, &source]).args(["-ldl", "-lpthread"]);
    assert!(compiler.status().unwrap().success(), "the recorder is not compiled");
    library
}

/// Registers and renews, and notes each answer.
async fn ask(visitor: Caller, log: PathBuf, answered: Arc<Mutex<Vec<Answered>>>) {
    let note = |what: Acknowledged, session: Uuid, refresh_token: &str| {
        let log = usize::try_from(fs::metadata(&log).unwrap().len()).unwrap();
        answered.lock().unwrap().push(Answered { log, what, session, refresh_token: refresh_token.to_owned() });
    };
    let id = |text: &str| Uuid::parse_str(text.rsplit('_').next().unwrap()).unwrap();
    for _ in 0..STEPS / (RENEWALS + 1) {
        let mut tokens = visitor.register(&unique_email(), PASSWORD).await;
        let session = id(&tokens.session);
        note(Acknowledged::Account(id(tokens.user_id())), session, &tokens.refresh);
        for times in 1..=RENEWALS {
            let body = visitor.refresh(&tokens.refresh).await.expect(200);
            tokens.refresh = body["refresh_token"].as_str().unwrap().to_owned();
            note(Acknowledged::Renewed(session, i64::try_from(times).unwrap()), session, &tokens.refresh);
        }
    }
}

/// Starts on what the disk holds, works, and stops: at once, or in order, which writes the log back into the database.
async fn live(app: &TestApp, number: usize, before: Image, earlier: Vec<Answered>) -> Life {
    let folder = fs::canonicalize(app.path("")).unwrap().join(format!("life{number}"));
    fs::create_dir(&folder).unwrap();
    let before = write(&before, &folder);
    let numbers = before.keys().map(|path| (path.clone(), fs::metadata(path).unwrap().ino())).collect();
    let log = app.path(&format!("log{number}"));
    let url = format!("sqlite://{}", folder.join("data/userd.db").display());
    let mut command = app.with("database.url", &url).command();
    command.env("LD_PRELOAD", app.path("recorder.so")).env("RECORDER_FOLDER", &folder).env("RECORDER_LOG", &log);
    let replica = Replica::start(command).await.keeping(app);

    let visitor = replica.visitor();
    let newest: BTreeMap<_, _> = earlier.iter().map(|known| (known.session, &known.refresh_token)).collect();
    for refresh_token in newest.values().take(CLIENTS) {
        visitor.refresh(refresh_token).await.expect(200);
    }
    let answered = Arc::new(Mutex::new(earlier.into_iter().map(|known| Answered { log: 0, ..known }).collect()));
    let asking = (0..CLIENTS).map(|_| tokio::spawn(ask(replica.visitor(), log.clone(), Arc::clone(&answered))));
    for client in asking.collect::<Vec<_>>() {
        client.await.unwrap();
    }
    if number.is_multiple_of(2) {
        drop(replica.stop().await)
    } else {
        replica.kill().await
    }
    let answered = answered.lock().unwrap().clone();
    Life { folder, before, numbers, log: Arc::new(fs::read(&log).unwrap()), answered }
}

/// Puts an image into a folder, below which its files lie as they did in their own.
fn write(image: &Image, folder: &Path) -> Image {
    let place = |path: &String| folder.join("data").join(Path::new(path).file_name().unwrap());
    let moved: Image =
        image.iter().map(|(path, content)| (place(path).display().to_string(), content.clone())).collect();
    for (path, content) in &moved {
        fs::create_dir_all(folder.join("data")).unwrap();
        fs::write(path, content).unwrap();
    }
    moved
}

/// Where files need no disk, if there is such a place: what is looked at need not be kept.
fn memory() -> PathBuf {
    let shared = PathBuf::from("/dev/shm");
    if shared.is_dir() { shared } else { std::env::temp_dir() }
}

/// When the power goes: anywhere, and as often right beside a sync.
fn moments(log: &[u8], count: usize, rng: &Rng) -> Vec<usize> {
    let ends = Disk::ends(log);
    let is_sync = |nth: &usize| log[if *nth == 0 { 0 } else { ends[nth - 1] }] == b's';
    let syncs: Vec<usize> = (0..ends.len()).filter(is_sync).collect();
    let mut moments: Vec<usize> = (0..count)
        .map(|_| match rng.is_heads() {
            true => ends[rng.below(ends.len())],
            false => ends[(syncs[rng.below(syncs.len())] + rng.below(3)).saturating_sub(1).min(ends.len() - 1)],
        })
        .collect();
    moments.sort_unstable();
    moments
}

/// What came of some power cuts in one life: what was wrong, and the last disk with what had been answered for it.
struct Outcome {
    wrong: Vec<String>,
    last: (Image, Vec<Answered>),
}

impl Life {
    async fn cut(&self, count: usize, syncs: Syncs, rng: &Rng) -> Outcome {
        let place = tempfile::tempdir_in(memory()).unwrap();
        let folder = self.folder.display().to_string();
        let mut disk = Disk::new(Arc::clone(&self.log), &folder, &self.before, &self.numbers, syncs);
        let mut outcome = Outcome { wrong: Vec::new(), last: Default::default() };
        for moment in moments(&self.log, count, rng) {
            disk.advance(moment);
            let mut image = disk.cut(rng);
            image.retain(|path, _| !path.ends_with("-shm"));
            let answered: Vec<_> = self.answered.iter().filter(|answer| answer.log <= moment).cloned().collect();
            let _absent = fs::remove_dir_all(place.path().join("data"));
            write(&image, place.path());
            let sure: Vec<_> = answered.iter().map(|answer| answer.what.clone()).collect();
            if let Err(what) = look(&place.path().join("data/userd.db"), &sure).await {
                outcome.wrong.push(format!("{folder}: power cut at {moment} of {}: {what}", self.log.len()));
            }
            outcome.last = (image, answered);
        }
        outcome
    }
}

/// F03, F51: and the test is tested: on a disk that forgets what it was told to sync, it finds the loss.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn power_cuts_take_nothing_that_was_acknowledged_and_leave_no_halves() {
    let cuts = rounds("USERD_TEST_POWER_CUTS", 50);
    let seed = told("USERD_TEST_SEED").map_or(1, |text| text.parse().unwrap());
    let (app, rng) = (TestApp::bare(Engine::Sqlite), Rng::seeded(seed));
    recorder(&app);
    let (mut last, mut done, mut answered) = ((Image::new(), Vec::new()), 0, 0);
    for number in 0.. {
        let life = live(&app, number, last.0, last.1).await;
        let outcome = life.cut(CUTS_OF_A_LIFE.min(cuts - done), Syncs::Kept, &rng).await;
        assert_eq!(outcome.wrong, [""; 0], "seed {seed}");
        if number == 0 {
            let lied_to = life.cut(5, Syncs::Forgotten, &rng).await;
            assert_ne!(lied_to.wrong, [""; 0], "a disk that forgets is not noticed; seed {seed}");
        }
        answered += life.answered.iter().filter(|answer| answer.log > 0).count();
        last = outcome.last;
        done += CUTS_OF_A_LIFE.min(cuts - done);
        fs::remove_dir_all(&life.folder).unwrap();
        if done == cuts {
            break;
        }
    }
    println!("{done} power cuts, {answered} answers, none lost and no halves; seed {seed}");
}
