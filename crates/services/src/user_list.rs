//! The list of accounts for administrators. One filter drives an index, the others are tested row by row; a page looks at a
//! bounded number of rows and may be short, so that no combination scans the table.

use serde::{Deserialize, Serialize};
use userd_model::{Act, IdentityId, Login as ParsedLogin, Timestamp, User, UserId, UserStatus, text};
use userd_storage::{
    Failure, UnitOfWork,
    repositories::user_terms::{Term, TermKind},
};
use uuid::Uuid;

use crate::{Context, UserView, users::Users};

/// Rows that a page looks at, at most.
const MOST: usize = 1000;
/// Rows read at a time where most do not fit.
const BATCH: usize = 200;

/// Which accounts are wanted: those to which all of it applies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the parameters of the contract's list")]
pub struct UserFilter {
    pub query: Option<String>,
    pub status: Option<UserStatus>,
    pub role: Option<String>,
    pub provider: Option<String>,
    pub created_after: Option<Timestamp>,
}

/// A place in the list, behind an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum UserPlace {
    /// In the order in which accounts were made.
    Created(i64, UserId),
    /// Among words that begin alike: usernames first, then display names.
    Word(bool, String, UserId),
    /// Among those who hold a role.
    Role(UserId),
    /// Among links to a provider.
    Provider(IdentityId),
}

/// A page. It may be short, or empty, although more accounts follow: `next` says so.
#[derive(Debug)]
pub struct UserPage {
    /// The accounts.
    pub items: Vec<UserView>,
    /// Where the next page begins; none at the end.
    pub next: Option<UserPlace>,
}

/// Along what is read.
enum Driver {
    One(Option<UserId>),
    Words(String),
    Role(String),
    Provider(String),
    Status(UserStatus),
    Created,
}

/// Some rows along the driver, and whether more follow.
struct Rows {
    found: Vec<(Option<User>, UserPlace)>,
    more: bool,
}

impl Users {
    /// Accounts to which all of the filter applies. Those that match a query come by username, then by display name; others
    /// in an order that stays.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn list(
        &self,
        ctx: &Context,
        filter: &UserFilter,
        mut after: Option<UserPlace>,
        limit: usize,
    ) -> Result<UserPage, Failure> {
        ctx.may(&Act::ListUsers)?;
        let mut reading = self.deps.store.reading();
        let driver = self.driver(&mut reading, filter).await?;
        let (mut items, mut seen) = (Vec::new(), 0);
        let mut batch = limit;
        loop {
            let rows = read(&mut reading, &driver, filter, after.clone(), batch.min(MOST - seen)).await?;
            seen += rows.found.len();
            let more = rows.more;
            for (user, place) in rows.found {
                after = Some(place);
                let Some(user) = user else { continue };
                if self.fits(&mut reading, &user, filter, ctx.now).await? {
                    items.push(self.user_reader.view(&user)?);
                    if items.len() == limit {
                        return Ok(UserPage { items, next: after });
                    }
                }
            }
            if !more || seen >= MOST {
                return Ok(UserPage { items, next: after.filter(|_| more) });
            }
            batch = BATCH;
        }
    }

    /// The filter that leaves the fewest rows.
    async fn driver(&self, reading: &mut UnitOfWork, filter: &UserFilter) -> Result<Driver, Failure> {
        Ok(match filter {
            UserFilter { query: Some(query), .. } => match self.exact(query) {
                Some(hash) => Driver::One(reading.claims().find(&hash).await?.map(|claim| claim.owner)),
                None => Driver::Words(text::folded(query.trim())),
            },
            UserFilter { role: Some(role), .. } => Driver::Role(role.clone()),
            UserFilter { provider: Some(provider), .. } => Driver::Provider(provider.clone()),
            UserFilter { status: Some(status), .. } if *status != UserStatus::Active => Driver::Status(*status),
            _ => Driver::Created,
        })
    }

    /// The claim on an e-mail address or phone number, which are found only whole: they are sealed.
    fn exact(&self, query: &str) -> Option<Vec<u8>> {
        let parsed = ParsedLogin::parse(query);
        let kind = match parsed {
            ParsedLogin::Email(_) => "email",
            ParsedLogin::Phone(_) => "phone",
            ParsedLogin::Username(_) | ParsedLogin::Unknown => return None,
        };
        parsed.canonical().map(|canonical| self.deps.crypto.index.claim_hash(kind, &canonical).to_vec())
    }

    async fn fits(
        &self,
        reading: &mut UnitOfWork,
        user: &User,
        filter: &UserFilter,
        now: Timestamp,
    ) -> Result<bool, Failure> {
        let fits = filter.status.is_none_or(|status| user.status_at(now) == status)
            && filter.role.as_ref().is_none_or(|role| user.has_role(role, now))
            && filter.created_after.is_none_or(|at| user.created_at > at);
        let Some(provider) = filter.provider.as_ref().filter(|_| fits) else { return Ok(fits) };
        Ok(reading.identities().of_user(user.id).await?.iter().any(|identity| identity.provider == *provider))
    }
}

/// Reads along the driver, behind a place. A place of another filter is read from the start.
async fn read(
    reading: &mut UnitOfWork,
    driver: &Driver,
    filter: &UserFilter,
    after: Option<UserPlace>,
    count: usize,
) -> Result<Rows, Failure> {
    let limit = u32::try_from(count).unwrap_or(200);
    match driver {
        Driver::One(id) => {
            let user = match id {
                Some(id) if after.is_none() => reading.users().find(*id).await?,
                _ => None,
            };
            Ok(Rows {
                found: user.map(|user| (Some(user.clone()), UserPlace::Role(user.id))).into_iter().collect(),
                more: false,
            })
        }
        Driver::Words(prefix) => words(reading, prefix, after, limit).await,
        Driver::Role(role) => {
            let behind = match after {
                Some(UserPlace::Role(user)) => Term::of(role, user),
                _ => Term::before(role),
            };
            let found = reading.user_terms().behind(TermKind::Role, &behind, limit).await?;
            let more = found.len() == count && found.last().is_some_and(|last| last.value == *role);
            let ids: Vec<UserId> = found.iter().take_while(|term| term.value == *role).map(|term| term.user).collect();
            let users = reading.users().find_many(&ids).await?;
            Ok(Rows { found: users.into_iter().zip(ids.into_iter().map(UserPlace::Role)).collect(), more })
        }
        Driver::Provider(provider) => {
            let behind = if let Some(UserPlace::Provider(id)) = after { id } else { IdentityId(Uuid::nil()) };
            let links = reading.identities().of_provider(provider, behind, limit).await?;
            let more = links.len() == count;
            let mut found = Vec::new();
            for link in links {
                // Who has two accounts there is listed by the first of them.
                let mut all = reading.identities().of_user(link.user_id).await?;
                all.retain(|other| other.provider == *provider && other.id.0 < link.id.0);
                let user = if all.is_empty() { reading.users().find(link.user_id).await? } else { None };
                found.push((user, UserPlace::Provider(link.id)));
            }
            Ok(Rows { found, more })
        }
        Driver::Status(_) | Driver::Created => {
            let behind = match (after, filter.created_after) {
                (Some(UserPlace::Created(at, id)), _) => Some((Timestamp::from_micros(at), id)),
                (_, Some(at)) => Some((at, UserId(Uuid::max()))),
                _ => None,
            };
            let users = match driver {
                Driver::Status(status) => {
                    let start = (Timestamp::from_micros(0), UserId(Uuid::nil()));
                    reading.users().of_status(*status, behind.unwrap_or(start), limit).await?
                }
                _ => reading.users().page(behind, limit).await?,
            };
            let more = users.len() == count;
            let place = |user: &User| UserPlace::Created(user.created_at.micros(), user.id);
            Ok(Rows { found: users.into_iter().map(|user| (Some(user.clone()), place(&user))).collect(), more })
        }
    }
}

/// Usernames that begin with the prefix, and then display names of those whose usernames do not.
async fn words(reading: &mut UnitOfWork, prefix: &str, after: Option<UserPlace>, limit: u32) -> Result<Rows, Failure> {
    let (by_name, behind) = match after {
        Some(UserPlace::Word(by_name, value, user)) => (by_name, Term::of(&value, user)),
        _ => (false, Term::before(prefix)),
    };
    let kind = if by_name { TermKind::Name } else { TermKind::Username };
    let found = reading.user_terms().behind(kind, &behind, limit).await?;
    let is_full = found.len() == limit as usize;
    let terms: Vec<Term> = found.into_iter().take_while(|term| term.value.starts_with(prefix)).collect();
    let goes_on = is_full && terms.len() == limit as usize;
    let users = reading.users().find_many(&terms.iter().map(|term| term.user).collect::<Vec<_>>()).await?;
    let is_listed = |user: &User| {
        by_name && user.username.as_ref().is_some_and(|name| text::folded(name.as_str()).starts_with(prefix))
    };
    let mut rows: Vec<_> = users
        .into_iter()
        .zip(terms)
        .map(|(user, term)| (user.filter(|user| !is_listed(user)), UserPlace::Word(by_name, term.value, term.user)))
        .collect();
    if !goes_on && !by_name {
        rows.push((None, UserPlace::Word(true, prefix.to_owned(), UserId(Uuid::nil()))));
    }
    Ok(Rows { found: rows, more: goes_on || !by_name })
}

/// Accounts looked at in one unit of work.
const PAGE: u32 = 200;
/// What is remembered once all have been.
const DONE: &str = "done";

/// Whether every account is found by its words.
pub(crate) async fn has_all_terms(uow: &mut UnitOfWork) -> Result<bool, Failure> {
    Ok(uow.user_terms().progress().await?.as_deref() == Some(DONE))
}

impl Users {
    /// Writes the words by which accounts are found of those that were made before there were such: once, in pages, going on
    /// where it stopped.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn write_missing_terms(&self) -> Result<(), Failure> {
        while self.deps.store.reading().user_terms().progress().await?.as_deref() != Some(DONE) {
            self.changes
                .run(&self.changes.system_context(), "write_missing_terms", |mut change| async move {
                    let place = change.user_terms().progress().await?;
                    if place.as_deref() == Some(DONE) {
                        return change.commit(()).await;
                    }
                    let after: Option<(i64, UserId)> = place.and_then(|place| serde_json::from_str(&place).ok());
                    let after = after.map(|(at, id)| (Timestamp::from_micros(at), id));
                    let users = change.users().page(after, PAGE).await?;
                    change.user_terms().rewrite_many(&users).await?;
                    let last = users.last().filter(|_| users.len() == PAGE as usize);
                    let place = last.map(|last| serde_json::json!([last.created_at.micros(), last.id]).to_string());
                    change.user_terms().write_progress(place.as_deref().unwrap_or(DONE)).await?;
                    change.commit(()).await
                })
                .await?;
        }
        Ok(())
    }
}
