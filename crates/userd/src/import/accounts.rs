//! A second file with the accounts elsewhere of the people in the first, for software that has a table for each. Both are
//! read along in one order, so that neither is kept in memory; that they have one order is seen before anybody comes over.

use std::{
    iter::Peekable,
    path::Path,
    sync::mpsc::{IntoIter, sync_channel},
};

use serde_json::Value;

use super::{
    AHEAD, Input, Source, open,
    rows::{self, Object},
    sources::{by_one_spelling, member},
};

/// An account and its row, from 1 on.
type Account = (u64, Result<Object, String>);

/// The accounts that have not been given to their owners.
pub(super) struct Accounts {
    rest: Peekable<IntoIter<Account>>,
}

impl Accounts {
    /// Begins to read.
    pub(super) fn read(source: Source, input: Input) -> Self {
        let (send, receive) = sync_channel(AHEAD);
        std::thread::spawn(move || {
            let mut number = 0;
            let mut each = |object: Result<Object, String>| {
                number += 1;
                send.send((number, object)).is_ok()
            };
            if let Err(why) = rows::read(source.format(&input.path), input.text, &mut each) {
                each(Err(why));
            }
        });
        Self { rest: receive.into_iter().peekable() }
    }

    /// Gives somebody the accounts that follow and are theirs.
    pub(super) fn give(&mut self, name: &str, mut person: Object) -> Object {
        let Some(id) = member(&person, "id") else { return person };
        let mut theirs = Vec::new();
        while let Some((_, Ok(account))) = self.rest.next_if(|(_, account)| owner(account).as_ref() == Some(&id)) {
            theirs.push(Value::Object(account));
        }
        if !theirs.is_empty() {
            person.insert(name.to_owned(), Value::Array(theirs));
        }
        person
    }

    /// What is left when everybody has come: nothing, where both files have one order.
    fn rest(mut self) -> Result<(), String> {
        match self.rest.next() {
            None => Ok(()),
            Some((number, Err(why))) => Err(format!("row {number} of the accounts: {why}")),
            Some((number, account)) => {
                let whose = owner(&account).map_or_else(|| "nobody".to_owned(), |id| format!("`{id}`"));
                Err(format!(
                    "row {number} of the accounts is of {whose}, who is not among the people or came before: \
                     order both files by the person's id"
                ))
            }
        }
    }
}

fn owner(account: &Result<Object, String>) -> Option<String> {
    let account = account.as_ref().ok()?;
    member(&by_one_spelling(account.clone()), "userid")
}

/// Looks whether every account finds its owner.
///
/// # Errors
/// The first that does not.
pub(super) fn check(source: Source, people: &Path, accounts: &Path) -> Result<(), String> {
    let name = source.accounts().ok_or_else(|| format!("{} has its accounts with the people", source.name()))?;
    let mut left = Accounts::read(source, open(accounts)?);
    let people = open(people)?;
    let format = source.format(&people.path);
    // What else is wrong with the people is told row by row.
    let _ = rows::read(format, people.text, &mut |person| {
        person.map(|person| left.give(name, person)).ok();
        true
    });
    left.rest()
}
