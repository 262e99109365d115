//! Files of other software, read row by row in a thread of their own, so that memory is flat however many people there are.
//!
//! - `rows.rs`: CSV, JSON Lines and the arrays in JSON documents, as objects
//! - `accounts.rs`: a second file with the accounts of the people in the first
//! - `sources/`: what an object of each software says of somebody

mod accounts;
mod rows;
mod sources;

use std::{
    fs::File,
    io::BufReader,
    path::{Path, PathBuf},
};

use indicatif::ProgressBar;
use tokio::sync::mpsc;
use userd_services::import::ImportedPerson;

use self::accounts::Accounts;
pub use self::sources::{HashConfig, Source};
use crate::wiring::WiringError;

/// How many rows are read ahead.
const AHEAD: usize = 256;

/// A row of a file.
pub struct Row {
    /// Which one, from 1 on.
    pub number: u64,
    /// Who it is; why it cannot be read.
    pub person: Result<ImportedPerson, String>,
}

/// What is read, and what is needed to understand it.
pub struct Reading {
    /// Which software the files are of.
    pub source: Source,
    /// A file of accounts elsewhere, where these are in none of the people's.
    pub accounts: Option<PathBuf>,
    /// The parameters of Firebase's hashes.
    pub hashes: Option<HashConfig>,
}

/// A file to be read.
struct Input {
    path: PathBuf,
    text: BufReader<File>,
}

impl Reading {
    /// Looks whether the file of accounts fits the people's, before anybody is brought over.
    ///
    /// # Errors
    /// Where it does not, and why.
    pub fn check(&self, files: &[PathBuf]) -> Result<(), WiringError> {
        let Some(accounts) = &self.accounts else { return Ok(()) };
        let [people] = files else {
            return Err(WiringError::Config("--accounts goes with one file of people".to_owned()));
        };
        accounts::check(self.source, people, accounts).map_err(WiringError::Config)
    }

    /// Reads a file of people, row by row. The bar follows along.
    ///
    /// # Errors
    /// A file that cannot be opened.
    pub fn read(&self, path: &Path, bar: &ProgressBar) -> Result<mpsc::Receiver<Row>, WiringError> {
        let source = self.source;
        let input = open(path).map_err(WiringError::Config)?;
        if let Ok(about) = input.text.get_ref().metadata() {
            bar.set_length(about.len());
        }
        let accounts = self.accounts.as_deref().map(open).transpose().map_err(WiringError::Config)?;
        let mut accounts = source.accounts().zip(accounts.map(|input| Accounts::read(source, input)));
        let hashes = self.hashes.clone();
        let format = source.format(path);
        let text = bar.wrap_read(input.text);
        let (send, receive) = mpsc::channel(AHEAD);
        std::thread::spawn(move || {
            let mut number = 0;
            let mut each = |object: Result<rows::Object, String>| {
                number += 1;
                let whole = object.map(|object| match &mut accounts {
                    Some((name, accounts)) => accounts.give(name, object),
                    None => object,
                });
                let person = whole.and_then(|object| source.person(object, hashes.as_ref()));
                // Whoever listened is gone: then nobody wants the rest.
                send.blocking_send(Row { number, person }).is_ok()
            };
            if let Err(why) = rows::read(format, text, &mut each) {
                each(Err(why));
            }
        });
        Ok(receive)
    }
}

fn open(path: &Path) -> Result<Input, String> {
    let file = File::open(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
    Ok(Input { path: path.to_owned(), text: BufReader::new(file) })
}
