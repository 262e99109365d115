//! A session: the refresh tokens of one sign-in on one device, each replacing the one before (rotation, RFC 9700 section
//! 4.14.2), and the rule that decides what a presented refresh token means.

use std::{net::IpAddr, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{IdentityId, Sealed, SessionId, Timestamp, UserId};

/// One refresh-token family on one device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// Never used again.
    pub id: SessionId,
    /// Whose.
    pub user_id: UserId,
    /// What the user called the device, if anything.
    pub device_name: Option<String>,
    /// `User-Agent` at sign-in, shortened.
    pub user_agent: Option<String>,
    /// Address at sign-in, later at the last refresh.
    pub ip: Option<String>,
    /// Methods of the sign-in (RFC 8176): `pwd`, `fed` …
    pub amr: Vec<String>,
    /// When the user last proved who they are in this session.
    pub auth_time: Timestamp,
    /// Sign-in.
    pub created_at: Timestamp,
    /// Last refresh.
    pub last_seen_at: Timestamp,
    /// The absolute end; refreshing never moves it past the family's lifetime.
    pub expires_at: Timestamp,
    /// When it was ended early, if so.
    pub ended_at: Option<Timestamp>,
    /// How many times the refresh token has rotated.
    pub generation: i64,
    /// SHA-256 of the current refresh token's secret.
    pub current_hash: Vec<u8>,
    /// SHA-256 of the one before, replayable until the current one is used.
    pub previous_hash: Option<Vec<u8>>,
    /// The current refresh token, sealed, for the answer to such a replay.
    pub successor: Option<Sealed>,
    /// The account elsewhere that it began with, where it began with one.
    pub identity_id: Option<IdentityId>,
    /// Who used the latest refresh tokens; none before the first refresh.
    pub parties: Option<Parties>,
}

/// A network and a user agent together, as a keyed hash: enough to tell two apart, not to say where somebody is.
pub type Party = u64;

/// Who used the latest refresh tokens of a family: what tells a thief and an owner who take turns from one person on the
/// move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parties {
    /// Who rotated last.
    rotated_by: Party,
    /// Whether another party has shown the token of before that rotation since.
    shared: bool,
    /// How many tokens in a row, up to that one, two parties have shown.
    in_a_row: u8,
    /// When the current token was last handed out to somebody who may not have had it yet.
    answered_at: Timestamp,
}

/// How long a device is known after its last use, whether its session is over or not.
pub const DEVICE_REMEMBERED: Duration = Duration::from_secs(90 * 24 * 3600);
/// Devices that are known by a session that is over.
const MOST_REMEMBERED: usize = 20;

/// The network of its address: IPv4 whole, of IPv6 the half that a household has to itself and a phone keeps for a day.
fn network(session: &Session) -> Option<u128> {
    match session.ip.as_deref()?.parse().ok()? {
        IpAddr::V4(address) => Some(u128::from(u32::from(address))),
        IpAddr::V6(address) => Some(u128::from(address) >> 64 << 64),
    }
}

/// Within this time of an answer two tabs race, whatever else is known.
const RACE: Duration = Duration::from_secs(60);
/// This many generations in a row that two parties used are two people.
const TURNS: u8 = 3;

/// What a replay of the token before the current one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replay {
    /// An answer that was lost, as far as anybody can tell: it gets the same successor.
    Tolerated,
    /// Two people hold tokens of the family, and nobody can say which of them is the thief: it ends.
    Theft,
}

/// What a presented refresh token is to its family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presented {
    /// The newest: rotate.
    Current,
    /// Used once, and its successor has not been used to refresh: perhaps the answer was lost on the way.
    /// [`Session::replayed_by`] decides.
    Replay,
    /// Anything older: stolen or restored from a backup. End the family.
    Stale,
}

impl Session {
    /// Whether the family can still be refreshed at `now`.
    #[must_use]
    pub fn is_alive(&self, now: Timestamp) -> bool {
        self.ended_at.is_none() && now < self.expires_at
    }

    /// Whether it was begun, or refreshed last, from the network and by the user agent of another one.
    #[must_use]
    pub fn is_of_same_device(&self, other: &Self) -> bool {
        let is_same_network = || self.ip == other.ip || network(self).is_some_and(|one| network(other) == Some(one));
        self.user_agent == other.user_agent && is_same_network()
    }

    /// Whether the device of this session, which begins, is known by one that there is: alive or over.
    #[must_use]
    pub fn is_of_device_of(&self, known: &Self) -> bool {
        self.is_of_same_device(known) && self.created_at.since(known.last_seen_at) < DEVICE_REMEMBERED
    }

    /// Which of the sessions that are over can go when this one begins. Of each device that no session alive tells of the
    /// last one stays, for as long as a device is remembered and of so many devices at most.
    #[must_use]
    pub fn outlived(&self, alive: &[Self], mut over: Vec<Self>) -> Vec<SessionId> {
        over.sort_by_key(|session| std::cmp::Reverse(session.last_seen_at));
        let (mut kept, mut gone): (Vec<Self>, Vec<SessionId>) = (Vec::new(), Vec::new());
        for session in over {
            let is_told = alive.iter().chain([self]).chain(&kept).any(|other| other.is_of_same_device(&session));
            let is_old = self.created_at.since(session.last_seen_at) >= DEVICE_REMEMBERED;
            if is_told || is_old || kept.len() >= MOST_REMEMBERED {
                gone.push(session.id);
            } else {
                kept.push(session);
            }
        }
        gone
    }

    /// From now on nothing tells that somebody was there on this device.
    pub fn forget_device(&mut self) {
        (self.user_agent, self.ip) = (None, None);
    }

    /// Places a presented token of this family by what a constant-time comparison of its hash found.
    #[must_use]
    pub const fn place(&self, is_current: bool, is_previous: bool) -> Presented {
        if is_current {
            Presented::Current
        } else if is_previous && self.successor.is_some() {
            Presented::Replay
        } else {
            Presented::Stale
        }
    }

    /// Rotates to a successor: the current token becomes the replayable one. A token that one party alone has shown
    /// begins the row of [`Parties`] anew.
    pub fn rotate(&mut self, successor_hash: Vec<u8>, successor: Sealed, by: Party, now: Timestamp) {
        let in_a_row = self.parties.filter(|before| before.shared).map_or(0, |before| before.in_a_row);
        self.parties = Some(Parties { rotated_by: by, shared: false, in_a_row, answered_at: now });
        self.previous_hash = Some(std::mem::replace(&mut self.current_hash, successor_hash));
        self.successor = Some(successor);
        self.generation += 1;
        self.last_seen_at = now;
    }

    /// From now on another secret holds the family, and no earlier one is good for anything: nothing is replayable.
    pub fn hand_over(&mut self, hash: Vec<u8>) {
        self.current_hash = hash;
        self.previous_hash = None;
        self.successor = None;
        self.parties = None;
        self.generation += 1;
    }

    /// Decides about a replay of the previous token by `by`, and notes who it was. `successor_seen` says whether an access
    /// token that came with the successor was used here: then the answer was not lost, and after the time of a race
    /// nobody honest shows the old token. No time alone ends a family: a client may have been in a tunnel for an hour.
    pub fn replayed_by(&mut self, by: Party, successor_seen: bool, now: Timestamp) -> Replay {
        let unknown = Parties { rotated_by: by, shared: false, in_a_row: 0, answered_at: self.last_seen_at };
        let parties = self.parties.get_or_insert(unknown);
        if !successor_seen {
            // Nobody had the successor: two tabs race for this answer as they would have for the one that was lost.
            parties.answered_at = now;
        } else if now.since(parties.answered_at) > RACE {
            return Replay::Theft;
        }
        if parties.rotated_by != by && !parties.shared {
            parties.shared = true;
            parties.in_a_row += 1;
        }
        if parties.in_a_row >= TURNS { Replay::Theft } else { Replay::Tolerated }
    }

    /// Ends the family; ending twice keeps the first time.
    pub fn end(&mut self, now: Timestamp) {
        self.ended_at.get_or_insert(now);
        self.successor = None;
    }
}

#[cfg(test)]
mod tests;
