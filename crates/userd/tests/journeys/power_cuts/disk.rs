//! A disk as it may be after the power went: what was synced is there, of the rest each thing may be, whole or torn or
//! not. Fed with the records of `recorder.c`. Deliberately absent: what the files mean.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Range,
    sync::Arc,
};

use userd_model::Random as _;
use userd_storage::testing::TestRandom;

/// What a disk writes in one piece.
const SECTOR: usize = 512;
/// Kind, file, place, length of the path, length of the data.
const HEAD: usize = 1 + 8 + 8 + 2 + 4;

/// A seeded choice.
pub struct Rng(TestRandom);

impl Rng {
    pub fn seeded(seed: u64) -> Self {
        Self(TestRandom::seeded(seed))
    }

    /// From 0 to `end`, without it.
    pub fn below(&self, end: usize) -> usize {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        usize::try_from(u64::from_le_bytes(bytes) % end as u64).unwrap()
    }

    pub fn is_heads(&self) -> bool {
        self.below(2) == 0
    }
}

/// Whether the disk does what it is told.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Syncs {
    Kept,
    /// As a disk that lies, or a program that does not ask.
    Forgotten,
}

/// What happens to what was not synced.
#[derive(Clone, Copy)]
enum Fate {
    Gone,
    Kept,
    /// In order up to some write, which is torn.
    Until(usize),
    /// Each sector for itself, in no order.
    Scattered,
}

/// Something that was asked of a file and is not synced.
#[derive(Clone)]
enum Pending {
    Write { place: usize, data: Range<usize> },
    Length(usize),
}

#[derive(Clone, Default)]
struct File {
    synced: Vec<u8>,
    pending: Vec<Pending>,
}

/// A name that came or went.
#[derive(Clone)]
enum Naming {
    Folder(String),
    File(String, u64),
    Gone(String),
    Moved(String, String),
}

/// See the module.
pub struct Disk {
    log: Arc<Vec<u8>>,
    syncs: Syncs,
    read: usize,
    files: HashMap<u64, File>,
    folders: Vec<String>,
    names: BTreeMap<String, u64>,
    /// Names wait for a sync of their folder; a folder's own name for one of the folder around it.
    naming: Vec<Naming>,
}

/// Files by their path.
pub type Image = BTreeMap<String, Vec<u8>>;

fn number(bytes: &[u8]) -> usize {
    let mut whole = [0; 8];
    whole[..bytes.len()].copy_from_slice(bytes);
    usize::try_from(u64::from_le_bytes(whole)).unwrap()
}

/// The folder that a path is in.
fn around(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

impl Disk {
    /// Holding `before`, safely. Files of a folder that the process finds keep their numbers by their names.
    pub fn new(log: Arc<Vec<u8>>, folder: &str, before: &Image, numbers: &BTreeMap<String, u64>, syncs: Syncs) -> Self {
        let names: BTreeMap<_, _> = before.keys().map(|path| (path.clone(), numbers[path])).collect();
        let content =
            |(path, synced): (&String, &Vec<u8>)| (numbers[path], File { synced: synced.clone(), pending: Vec::new() });
        let mut folders: Vec<_> = before.keys().map(|path| around(path).to_owned()).collect();
        folders.push(folder.to_owned());
        Self { log, syncs, read: 0, files: before.iter().map(content).collect(), folders, names, naming: Vec::new() }
    }

    /// Where each record ends.
    pub fn ends(log: &[u8]) -> Vec<usize> {
        let (mut ends, mut at) = (Vec::new(), 0);
        while at + HEAD <= log.len() {
            at += HEAD + number(&log[at + 17..at + 19]) + number(&log[at + 19..at + 23]);
            ends.push(at);
        }
        assert_eq!(at, log.len(), "the log ends within a record");
        ends
    }

    /// Goes on to `end`, where a record ends.
    pub fn advance(&mut self, end: usize) {
        let log = Arc::clone(&self.log);
        while self.read < end {
            let head = &log[self.read..self.read + HEAD];
            let (file, place) = (number(&head[1..9]) as u64, number(&head[9..17]));
            let from = self.read + HEAD;
            let (to, last) = (from + number(&head[17..19]), from + number(&head[17..19]) + number(&head[19..23]));
            let path = std::str::from_utf8(&log[from..to]).unwrap().to_owned();
            self.take(head[0], (file, place), path, to..last);
            self.read = last;
        }
    }

    fn take(&mut self, kind: u8, (file, place): (u64, usize), path: String, data: Range<usize>) {
        match kind {
            b'c' => {
                self.files.insert(file, File::default());
                self.naming.push(Naming::File(path, file));
            }
            b'w' => self.files.entry(file).or_default().pending.push(Pending::Write { place, data }),
            b't' => self.files.entry(file).or_default().pending.push(Pending::Length(place)),
            b'u' => self.naming.push(Naming::Gone(path)),
            b'm' => self.naming.push(Naming::Folder(path)),
            b'r' => self.naming.push(Naming::Moved(path, String::from_utf8(self.log[data].to_vec()).unwrap())),
            b's' => self.sync(file, &path),
            other => panic!("a record of kind {other}"),
        }
    }

    fn sync(&mut self, file: u64, path: &str) {
        if let Some(file) = self.files.get_mut(&file) {
            if self.syncs == Syncs::Kept {
                for pending in std::mem::take(&mut file.pending) {
                    keep(&mut file.synced, &self.log, &pending);
                }
            }
            return;
        }
        let (synced, rest): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.naming).into_iter().partition(|naming| around(naming.path()) == path);
        self.naming = rest;
        synced.into_iter().for_each(|naming| naming.keep(&mut self.folders, &mut self.names));
    }

    /// One way in which the disk may be found if the power goes now.
    pub fn cut(&self, rng: &Rng) -> Image {
        let (mut folders, mut names) = (self.folders.clone(), self.names.clone());
        // A file system keeps its own journal: names come in order.
        for naming in &self.naming[..rng.below(self.naming.len() + 1)] {
            naming.clone().keep(&mut folders, &mut names);
        }
        names.retain(|path, _| folders.iter().any(|folder| folder == around(path)));
        names.into_iter().map(|(path, file)| (path, self.files[&file].cut(&self.log, rng))).collect()
    }
}

impl Naming {
    fn path(&self) -> &str {
        match self {
            Self::Folder(path) | Self::File(path, _) | Self::Gone(path) | Self::Moved(path, _) => path,
        }
    }

    fn keep(self, folders: &mut Vec<String>, names: &mut BTreeMap<String, u64>) {
        match self {
            Self::Folder(path) => folders.push(path),
            Self::File(path, file) => drop(names.insert(path, file)),
            Self::Gone(path) => drop(names.remove(&path)),
            Self::Moved(from, to) => {
                if let Some(file) = names.remove(&from) {
                    names.insert(to, file);
                }
            }
        }
    }
}

impl File {
    fn cut(&self, log: &[u8], rng: &Rng) -> Vec<u8> {
        let fate = match rng.below(4) {
            0 => Fate::Gone,
            1 => Fate::Kept,
            2 => Fate::Until(rng.below(self.pending.len() + 1)),
            _ => Fate::Scattered,
        };
        let mut found = self.synced.clone();
        for (nth, pending) in self.pending.iter().enumerate() {
            match (fate, pending) {
                (Fate::Gone, _) => {}
                (Fate::Kept, _) => keep(&mut found, log, pending),
                (Fate::Until(end), _) if nth < end => keep(&mut found, log, pending),
                (Fate::Until(end), Pending::Write { place, data }) if nth == end => {
                    tear(&mut found, *place, &log[data.clone()], rng, |rng| rng.is_heads());
                }
                (Fate::Until(_), _) => {}
                (Fate::Scattered, Pending::Write { place, data }) => {
                    tear(&mut found, *place, &log[data.clone()], rng, |rng| rng.below(8) == 0);
                }
                (Fate::Scattered, Pending::Length(_)) if rng.is_heads() => keep(&mut found, log, pending),
                (Fate::Scattered, Pending::Length(_)) => {}
            }
        }
        found
    }
}

fn keep(file: &mut Vec<u8>, log: &[u8], pending: &Pending) {
    match pending {
        Pending::Length(length) => file.resize(*length, 0),
        Pending::Write { place, data } => put(file, *place, &log[data.clone()]),
    }
}

fn put(file: &mut Vec<u8>, place: usize, data: &[u8]) {
    if file.len() < place + data.len() {
        file.resize(place + data.len(), 0);
    }
    file[place..place + data.len()].copy_from_slice(data);
}

/// A write of which each sector is there or not, and some are half there, or hold what nobody wrote.
fn tear(file: &mut Vec<u8>, place: usize, data: &[u8], rng: &Rng, is_torn: impl Fn(&Rng) -> bool) {
    let mut at = 0;
    while at < data.len() {
        let end = data.len().min(at + SECTOR - (place + at) % SECTOR);
        let sector = &data[at..end];
        if is_torn(rng) {
            let half = rng.below(sector.len() + 1);
            let rubbish = vec![0xa5; sector.len() - half];
            put(file, place + at, &sector[..half]);
            if rng.is_heads() {
                put(file, place + at + half, &rubbish);
            }
        } else if rng.is_heads() {
            put(file, place + at, sector);
        }
        at = end;
    }
}
