//! The key set as it is known. Strangers' key names and faults make us ask no more often than every five seconds.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
    time::{Duration, Instant},
};

use userd_jose::{JwkSet, VerifyingKey};

use crate::Error;

const APART: Duration = Duration::from_secs(5);
const USUAL_LIFE: Duration = Duration::from_secs(300);
const LONGEST_LIFE: Duration = Duration::from_secs(3600);
/// How long a set is good while the service is down.
const LONGEST_STALE: Duration = Duration::from_secs(24 * 3600);

pub(crate) struct Keys {
    state: RwLock<State>,
    /// One asks at a time; the others wait for what comes.
    pub(crate) asking: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    keys: HashMap<String, VerifyingKey>,
    is_fixed: bool,
    fetched_at: Option<Instant>,
    fresh_until: Option<Instant>,
    asked_at: Option<Instant>,
}

impl State {
    fn may_ask(&self) -> bool {
        !self.is_fixed && self.asked_at.is_none_or(|at| at.elapsed() >= APART)
    }
}

impl Keys {
    pub(crate) fn new(fixed: Option<&[u8]>) -> Result<Self, Error> {
        let mut state = State::default();
        if let Some(document) = fixed {
            state.keys = parse(document).ok_or(Error::Options("keys is no key set"))?;
            state.is_fixed = true;
        }
        Ok(Self { state: RwLock::new(state), asking: tokio::sync::Mutex::new(()) })
    }

    fn read<T>(&self, what: impl FnOnce(&State) -> T) -> T {
        what(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write<T>(&self, what: impl FnOnce(&mut State) -> T) -> T {
        what(&mut self.state.write().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn get(&self, kid: &str) -> Option<VerifyingKey> {
        self.read(|state| state.keys.get(kid).cloned())
    }

    pub(crate) fn has(&self, kid: &str) -> bool {
        self.read(|state| state.keys.contains_key(kid))
    }

    pub(crate) fn is_usable(&self) -> bool {
        self.read(|state| state.is_fixed || state.fetched_at.is_some_and(|at| at.elapsed() < LONGEST_STALE))
    }

    pub(crate) fn is_due(&self) -> bool {
        self.read(|state| state.fresh_until.is_none_or(|until| Instant::now() >= until) && state.may_ask())
    }

    pub(crate) fn may_ask(&self) -> bool {
        self.read(State::may_ask)
    }

    pub(crate) fn asked(&self) {
        self.write(|state| state.asked_at = Some(Instant::now()));
    }

    /// A key was revoked: the set has changed.
    pub(crate) fn expire(&self) {
        self.write(|state| (state.fresh_until, state.asked_at) = (None, None));
    }

    /// Takes another set, and says whether there are other keys in it. What is no set changes nothing.
    pub(crate) fn replace(&self, document: &[u8], cache_control: &str) -> bool {
        let Some(keys) = parse(document) else { return false };
        let said = cache_control.split(',').find_map(|part| part.trim().strip_prefix("max-age="));
        let life = said.and_then(|seconds| seconds.parse::<u32>().ok());
        let life = life.map_or(USUAL_LIFE, |seconds| Duration::from_secs(seconds.into()).min(LONGEST_LIFE));
        self.write(|state| {
            let is_other = keys.len() != state.keys.len() || !keys.keys().all(|kid| state.keys.contains_key(kid));
            let now = Instant::now();
            state.keys = keys;
            (state.fetched_at, state.fresh_until) = (Some(now), now.checked_add(life));
            is_other
        })
    }
}

/// The keys that can be used; others are left out, so that a new kind breaks nothing.
fn parse(document: &[u8]) -> Option<HashMap<String, VerifyingKey>> {
    let set = JwkSet::parse(document).ok()?;
    let named = set.keys.into_iter().filter_map(|key| Some((key.kid().filter(|kid| !kid.is_empty())?.to_owned(), key)));
    Some(named.collect())
}
