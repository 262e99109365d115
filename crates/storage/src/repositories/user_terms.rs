//! By which words accounts are found. Written by the repository of accounts, with each of its writes.

use std::collections::BTreeMap;

use userd_model::{GrantKind, User, UserId, text};

use super::{MOST, every_row};
use crate::{
    Call, Row, StoreError, UnitOfWork, Value,
    tables::{List, Range, Shape, position, statements_of},
};

/// The words of accounts.
pub struct UserTerms<'a>(pub(super) &'a mut UnitOfWork);

/// What a word is of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TermKind {
    /// Its username, folded.
    Username,
    /// Its display name, folded.
    Name,
    /// One of its roles.
    Role,
    /// A permission that was granted by itself.
    Permission,
}

impl TermKind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Username => "username",
            Self::Name => "name",
            Self::Role => "role",
            Self::Permission => "permission",
        }
    }
}

/// A word of an account, as a list shows it: also a place in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// The word.
    pub value: String,
    /// Whose.
    pub user: UserId,
    slot: String,
}

impl Term {
    /// The place before every word that is not less than `value`.
    #[must_use]
    pub fn before(value: &str) -> Self {
        Self { value: value.to_owned(), user: UserId(uuid::Uuid::nil()), slot: String::new() }
    }

    /// The place behind the word of this account.
    #[must_use]
    pub fn of(value: &str, user: UserId) -> Self {
        // No slot begins with this character.
        Self { value: value.to_owned(), user, slot: "~".to_owned() }
    }
}

statements_of! { USER_TERMS:
    UPSERT = "user_terms.upsert": Shape::Upsert;
    REMOVE = "user_terms.remove": Shape::Remove;
    OF_USER = "user_terms.of_user": Shape::List(List::by_key().equal(1));
    BEHIND = "user_terms.behind": Shape::List(List::along("user_terms_by_value").equal(1).range(Range::Behind));
}

/// Whose row says how far the words of accounts of before this table have been written.
const PROGRESS: UserId = UserId(uuid::Uuid::nil());
const PROGRESS_SLOT: &str = "progress";

impl UserTerms<'_> {
    /// Up to `limit` words of a kind by (value, user) ascending, behind `after`.
    pub async fn behind(&mut self, kind: TermKind, after: &Term, limit: u32) -> Result<Vec<Term>, StoreError> {
        let values = [
            kind.as_str().into(),
            after.value.as_str().into(),
            after.user.into(),
            after.slot.as_str().into(),
            i64::from(limit).into(),
        ];
        self.0.many(&BEHIND, &values, term).await
    }

    /// Accounts with this role, at most 1,000.
    pub async fn holders(&mut self, role: &str) -> Result<Vec<UserId>, StoreError> {
        self.holders_of(GrantKind::Role, role).await
    }

    /// Accounts that hold this, whenever it counts, at most 1,000.
    pub async fn holders_of(&mut self, kind: GrantKind, name: &str) -> Result<Vec<UserId>, StoreError> {
        let kind = match kind {
            GrantKind::Role => TermKind::Role,
            GrantKind::Permission => TermKind::Permission,
        };
        let found = self.behind(kind, &Term::before(name), MOST).await?;
        Ok(found.into_iter().take_while(|term| term.value == name).map(|term| term.user).collect())
    }

    /// Writes the words of a new account.
    pub async fn write_new(&mut self, user: &User) -> Result<(), StoreError> {
        let rows = terms(user)
            .into_iter()
            .map(|(slot, (kind, value))| vec![user.id.into(), slot.into(), kind.as_str().into(), value.into()]);
        self.0.write_many(&UPSERT, rows.collect()).await
    }

    /// Writes the words of an account in place of those that it had.
    pub async fn rewrite(&mut self, user: &User) -> Result<(), StoreError> {
        self.rewrite_many(std::slice::from_ref(user)).await
    }

    /// The same for many, whose words are asked for together.
    pub async fn rewrite_many(&mut self, users: &[User]) -> Result<(), StoreError> {
        let keys: Vec<[Value; 2]> = users.iter().map(|user| [user.id.into(), i64::from(MOST).into()]).collect();
        let calls: Vec<Call<'_>> = keys.iter().map(|values| Call { statement: &OF_USER, values }).collect();
        let answers = self.0.run_together(&calls).await?;
        let (mut gone, mut rows) = (Vec::new(), Vec::new());
        for (user, answer) in users.iter().zip(answers) {
            let (before, now) = (every_row(&OF_USER, Some(answer), term)?, terms(user));
            let row = |slot: &str| vec![user.id.into(), slot.into()];
            gone.extend(before.iter().filter(|old| !now.contains_key(&old.slot)).map(|old| row(&old.slot)));
            let is_new = |slot: &str, value: &str| !before.iter().any(|old| old.slot == slot && old.value == value);
            let new = now.into_iter().filter(|(slot, (_, value))| is_new(slot, value));
            rows.extend(
                new.map(|(slot, (kind, value))| [row(&slot), vec![kind.as_str().into(), value.into()]].concat()),
            );
        }
        if !gone.is_empty() {
            self.0.write_many(&REMOVE, gone).await?;
        }
        if !rows.is_empty() {
            self.0.write_many(&UPSERT, rows).await?;
        }
        Ok(())
    }

    /// How far the words of accounts of before this table have been written.
    pub async fn progress(&mut self) -> Result<Option<String>, StoreError> {
        let rows = self.0.many(&OF_USER, &[PROGRESS.into(), 1_i64.into()], term).await?;
        Ok(rows.into_iter().next().map(|row| row.value))
    }

    /// Remembers it.
    pub async fn write_progress(&mut self, place: &str) -> Result<(), StoreError> {
        let values = [PROGRESS.into(), PROGRESS_SLOT.into(), PROGRESS_SLOT.into(), place.into()];
        self.0.write(&UPSERT, &values).await
    }
}

fn terms(user: &User) -> BTreeMap<String, (TermKind, String)> {
    let mut terms = BTreeMap::new();
    if let Some(username) = &user.username {
        terms.insert("username".to_owned(), (TermKind::Username, text::folded(username.as_str())));
    }
    if let Some(name) = &user.display_name {
        terms.insert("name".to_owned(), (TermKind::Name, text::folded(name)));
    }
    for role in &user.roles {
        terms.insert(format!("role:{role}"), (TermKind::Role, role.clone()));
    }
    for permission in &user.held.permissions {
        terms.insert(format!("permission:{permission}"), (TermKind::Permission, permission.clone()));
    }
    terms
}

fn term(row: &mut Row) -> Result<Term, StoreError> {
    Ok(Term {
        user: UserId(row.uuid(position!(USER_TERMS.user_id))?),
        slot: row.text(position!(USER_TERMS.slot))?,
        value: row.text(position!(USER_TERMS.value))?,
    })
}
