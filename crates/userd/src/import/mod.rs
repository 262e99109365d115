//! Files of other software, read row by row in a thread of their own, so that memory is flat however many people there are.
//!
//! - `rows.rs`: CSV, JSON Lines and the arrays in JSON documents, as objects
//! - `sources.rs`: what an object of each software says of somebody

mod rows;
mod sources;

use std::path::Path;

use indicatif::ProgressBar;
use tokio::sync::mpsc;
use userd_services::import::ImportedPerson;

pub use self::sources::Source;
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

/// Reads a file of this software, row by row. The bar follows along.
///
/// # Errors
/// A file that cannot be opened.
pub fn read(source: Source, path: &Path, bar: &ProgressBar) -> Result<mpsc::Receiver<Row>, WiringError> {
    let file = std::fs::File::open(path)
        .map_err(|error| WiringError::Config(format!("{} cannot be read: {error}", path.display())))?;
    if let Ok(about) = file.metadata() {
        bar.set_length(about.len());
    }
    let format = source.format(path);
    let (send, receive) = mpsc::channel(AHEAD);
    let input = std::io::BufReader::new(bar.wrap_read(file));
    std::thread::spawn(move || {
        let mut number = 0;
        let mut each = |object: Result<rows::Object, String>| {
            number += 1;
            let person = object.and_then(|object| source.person(object));
            // Whoever listened is gone: then nobody wants the rest.
            send.blocking_send(Row { number, person }).is_ok()
        };
        if let Err(why) = rows::read(format, input, &mut each) {
            each(Err(why));
        }
    });
    Ok(receive)
}
