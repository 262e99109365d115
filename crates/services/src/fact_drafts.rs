//! The facts of one change, from what its body said to what is stored: each gets the next number of its subject, and what
//! is personal is sealed under the key of whom it describes. Deliberately absent: the unit of work (`change.rs`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use userd_crypto::{DataKey, place};
use userd_model::{Actor, EventId, EventKind, Fact, FactActor, Sealed, Subject, Timestamp, User, UserId};
use userd_storage::{Failure, UnitOfWork};

use crate::{Context, Dependencies, user_reader::internal};

/// What a body has told so far.
#[derive(Default)]
pub(crate) struct FactDrafts {
    drafts: Vec<FactDraft>,
    /// Who was made or read in this change, with the number of the last fact about them: neither it nor their keys need
    /// be read.
    known: Vec<(UserId, Option<Sealed>, i64)>,
}

/// A fact that a body tells.
pub struct FactDraft {
    fact: Fact,
    personal: Option<Value>,
}

/// From where somebody acted, as a fact keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactOrigin {
    /// The address.
    pub ip: Option<String>,
    /// `User-Agent`, shortened.
    pub user_agent: Option<String>,
}

/// The personal parts of a fact, opened.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OpenedFact {
    /// From where the actor acted.
    pub origin: Option<FactOrigin>,
    /// What was before, what is now.
    pub personal: Option<Value>,
}

impl FactDraft {
    /// Adds what is personal, for notices and audit: it is sealed under the subject's key, and gone with it.
    pub fn personal(&mut self, personal: Value) {
        self.personal = Some(personal);
    }
}

impl FactDrafts {
    pub(crate) const fn is_empty(&self) -> bool {
        self.drafts.is_empty()
    }

    pub(crate) fn begin(&mut self, user: &User) {
        self.know(user, 0);
    }

    /// The number of the last fact about a user, read in this change.
    pub(crate) fn know(&mut self, user: &User, number: i64) {
        self.known.push((user.id, user.data_key.clone(), number));
    }

    pub(crate) fn add(
        &mut self,
        id: EventId,
        kind: EventKind,
        subject: Subject,
        (context, at): (&Context, Timestamp),
        data: Value,
    ) -> &mut FactDraft {
        debug_assert!(kind.describes(&data), "docs/events.md says otherwise: {kind:?} {data}");
        let proven = subject.user_id().filter(|_| context.actor == Actor::Anonymous && kind.is_by_its_user());
        let fact = Fact {
            id,
            kind: kind.as_str().to_owned(),
            public: kind.is_public(),
            actor: proven.map_or_else(|| FactActor::from(&context.actor), FactActor::from),
            subject,
            number: 0,
            request_id: context.request_id.clone(),
            origin: None,
            personal: None,
            at,
            data,
        };
        self.drafts.push_mut(FactDraft { fact, personal: None })
    }

    /// Numbers and seals everything, and writes it.
    pub(crate) async fn write(
        self,
        unit: &mut UnitOfWork,
        deps: &Dependencies,
        context: &Context,
    ) -> Result<(), Failure> {
        if self.drafts.is_empty() {
            return Ok(());
        }
        let origin = &FactOrigin { ip: context.origin.ip.clone(), user_agent: context.origin.user_agent.clone() };
        let has_origin = origin.ip.is_some() || origin.user_agent.is_some();
        let (mut numbers, mut keys) = self.look_up(unit, has_origin).await?;
        let mut facts = Vec::with_capacity(self.drafts.len());
        for FactDraft { mut fact, personal } in self.drafts {
            let number = numbers.entry(fact.subject.clone()).or_default();
            *number += 1;
            fact.number = *number;
            if has_origin {
                let bytes = serde_json::to_vec(origin).map_err(internal)?;
                fact.origin = keys.seal(deps, fact.origin_keeper(), &origin_place(fact.id), &bytes)?;
            }
            if let Some(personal) = personal {
                let bytes = personal.to_string();
                fact.personal = keys.seal(deps, fact.subject.user_id(), &personal_place(fact.id), bytes.as_bytes())?;
            }
            facts.push(fact);
        }
        unit.fact_numbers().write_many(&numbers.into_iter().collect::<Vec<_>>()).await?;
        Ok(unit.outbox().push_many(&facts).await?)
    }

    /// The last number of each subject, and the keys that are needed: one round trip, or none where all are known.
    async fn look_up(
        &self,
        unit: &mut UnitOfWork,
        has_origin: bool,
    ) -> Result<(BTreeMap<Subject, i64>, Keys), Failure> {
        let is_known = |id: &UserId| self.known.iter().any(|(known, ..)| known == id);
        let mut subjects: Vec<Subject> = self.drafts.iter().map(|draft| draft.fact.subject.clone()).collect();
        subjects.retain(|subject| !subject.user_id().is_some_and(|id| is_known(&id)));
        subjects.sort_unstable();
        subjects.dedup();
        let mut owners: Vec<UserId> = self.drafts.iter().flat_map(|draft| draft.owners(has_origin)).collect();
        owners.retain(|id| !is_known(id));
        owners.sort_unstable();
        owners.dedup();
        let mut keys: BTreeMap<_, _> = self.known.iter().map(|(id, key, _)| (*id, Key::of(key.clone()))).collect();
        let told = |id: &UserId| self.drafts.iter().any(|draft| draft.fact.subject.user_id() == Some(*id));
        let known = self.known.iter().filter(|(id, ..)| told(id));
        let mut numbers: BTreeMap<_, _> = known.map(|(id, _, number)| (Subject::from(*id), *number)).collect();
        if !subjects.is_empty() || !owners.is_empty() {
            let (found, wrapped) = unit.fact_numbers().find_with_keys(&subjects, &owners).await?;
            numbers.extend(subjects.into_iter().zip(found));
            keys.extend(owners.into_iter().zip(wrapped.into_iter().map(Key::of)));
        }
        Ok((numbers, Keys(keys)))
    }
}

impl FactDraft {
    /// Whose keys sealing takes.
    fn owners(&self, has_origin: bool) -> impl Iterator<Item = UserId> {
        let keeper = self.fact.origin_keeper().filter(|_| has_origin);
        let subject = self.fact.subject.user_id().filter(|_| self.personal.is_some());
        keeper.into_iter().chain(subject)
    }
}

/// Data keys of users, each unwrapped when it is first needed.
struct Keys(BTreeMap<UserId, Key>);

enum Key {
    /// There is none: the user has been erased.
    Gone,
    Wrapped(Sealed),
    Open(DataKey),
}

impl Key {
    fn of(wrapped: Option<Sealed>) -> Self {
        wrapped.map_or(Self::Gone, Self::Wrapped)
    }
}

impl Keys {
    /// Seals under a user's key, or under the vault's where it describes nobody. Of whoever is erased nothing is kept.
    fn seal(
        &mut self,
        deps: &Dependencies,
        owner: Option<UserId>,
        place: &str,
        plain: &[u8],
    ) -> Result<Option<Sealed>, Failure> {
        let random = deps.random.as_ref();
        let Some(owner) = owner else { return deps.vault.seal(random, place, plain).map(Some).map_err(internal) };
        let Some(key) = self.0.get_mut(&owner) else { return Ok(None) };
        if let Key::Wrapped(wrapped) = key {
            *key = Key::Open(deps.crypto.fields.open_data_key(wrapped, owner).map_err(internal)?);
        }
        match key {
            Key::Open(key) => key.seal(random, place, plain).map(Some).map_err(internal),
            Key::Gone | Key::Wrapped(_) => Ok(None),
        }
    }
}

/// Opens the personal parts of a fact; what belonged to somebody who is erased stays shut.
///
/// # Errors
/// `Internal` when a part does not open: a damaged row or a foreign master key.
pub async fn open(deps: &Dependencies, fact: &Fact) -> Result<OpenedFact, Failure> {
    FactOpener::new(deps).open(fact).await
}

/// Opens the personal parts of many facts; the keys of users are looked up once.
pub(crate) struct FactOpener<'d> {
    deps: &'d Dependencies,
    keys: BTreeMap<UserId, Option<DataKey>>,
}

impl<'d> FactOpener<'d> {
    pub(crate) const fn new(deps: &'d Dependencies) -> Self {
        Self { deps, keys: BTreeMap::new() }
    }

    /// As [`open`].
    pub(crate) async fn open(&mut self, fact: &Fact) -> Result<OpenedFact, Failure> {
        let origin = self.part(fact.origin_keeper(), &origin_place(fact.id), fact.origin.as_ref()).await?;
        let personal = self.part(fact.subject.user_id(), &personal_place(fact.id), fact.personal.as_ref()).await?;
        Ok(OpenedFact { origin: origin.map(serde_json::from_value).transpose().map_err(internal)?, personal })
    }

    async fn part(
        &mut self,
        owner: Option<UserId>,
        place: &str,
        sealed: Option<&Sealed>,
    ) -> Result<Option<Value>, Failure> {
        let Some(sealed) = sealed else { return Ok(None) };
        let opened = match owner {
            None => self.deps.vault.open(place, sealed),
            Some(owner) => {
                let Some(key) = self.key(owner).await? else { return Ok(None) };
                key.open(place, sealed)
            }
        };
        serde_json::from_slice(&opened.map_err(internal)?).map(Some).map_err(internal)
    }

    async fn key(&mut self, owner: UserId) -> Result<Option<&DataKey>, Failure> {
        if !self.keys.contains_key(&owner) {
            let user = self.deps.store.reading().users().find(owner).await?;
            let wrapped = user.and_then(|user| user.data_key);
            let open = |wrapped: Sealed| self.deps.crypto.fields.open_data_key(&wrapped, owner).map_err(internal);
            self.keys.insert(owner, wrapped.map(open).transpose()?);
        }
        Ok(self.keys.get(&owner).and_then(Option::as_ref))
    }
}

fn origin_place(id: EventId) -> String {
    place("facts", "origin", id)
}

fn personal_place(id: EventId) -> String {
    place("facts", "personal", id)
}
