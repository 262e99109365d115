//! The revocation feed: what verifiers elsewhere must refuse, page by page, oldest first.
//!
//! Entries become visible when their transaction commits, not in the order of their times. So a place in the feed says
//! not only where a reader is but also which of the latest entries it was given: the last few one by one, those before
//! as a sum. An entry that turns up among them was committed late: the reader is led back to it. Nothing else moves a
//! place, least of all the clock: whoever has everything gets the same place again.

use std::{pin::pin, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use serde::{Deserialize, Serialize};
use userd_model::{Act, Refusal, Revocation, RevocationId, Revoked, Timestamp};
use userd_storage::{Failure, StoreError};

use super::{MARGIN, OVERLAP, Revocations};
use crate::Context;

/// Behind an entry this old nothing is committed any more, also where the clocks of replicas differ.
const SETTLED: Duration = Duration::from_secs(60);
/// How many entries a place names one by one: more than are committed out of turn.
const RECENT: usize = 48;
/// How many entries that are not for verifiers one request may read past.
const SCAN: usize = 2_000;

type Position = (Timestamp, RevocationId);

/// Where a reader is: what its cursor holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedPlace {
    /// The newest entry that was handed out.
    newest: Position,
    /// From here to the newest, the rest of the place says what was handed out.
    since: Timestamp,
    /// How many of them come before the recent ones, and the sum of their tags.
    older: (u32, u64),
    /// The tags of the last ones, in order.
    recent: String,
}

/// A page of the feed.
#[derive(Debug)]
pub struct FeedPage {
    /// What verifiers must refuse.
    pub entries: Vec<Revocation>,
    /// Where to go on; the place that was given, if there is nothing new.
    pub next: Option<FeedPlace>,
    /// Whether more is there already.
    pub has_more: bool,
}

impl FeedPlace {
    /// The place of a reader who was given `handed`, in order, of what is between `since` and `newest`.
    fn new<'a>(newest: Position, since: Timestamp, handed: impl Iterator<Item = &'a Revocation>) -> Self {
        let mut tags: Vec<u64> = handed.filter(|entry| entry.recorded_at >= since).map(tag).collect();
        let recent = tags.split_off(tags.len().saturating_sub(RECENT));
        Self { newest, since, older: sum((0, 0), tags), recent: text(&recent) }
    }

    /// The place after some more.
    fn and(&self, newest: Position, handed: &[Revocation]) -> Self {
        let mut tags = self.recent();
        tags.extend(handed.iter().map(tag));
        let recent = tags.split_off(tags.len().saturating_sub(RECENT));
        Self { newest, since: self.since, older: sum(self.older, tags), recent: text(&recent) }
    }

    fn recent(&self) -> Vec<u64> {
        let bytes = STANDARD_NO_PAD.decode(&self.recent).unwrap_or_default();
        bytes.as_chunks::<8>().0.iter().map(|tag| u64::from_be_bytes(*tag)).collect()
    }

    /// The first of these entries, which are all from `since` to the newest, that was not handed out. Where one of the
    /// older ones was not, nobody can tell which, and all come again.
    fn first_missed(&self, entries: &[Revocation]) -> Option<usize> {
        let recent = self.recent();
        let is_recent = |entry: &Revocation| recent.contains(&tag(entry));
        let boundary = entries.iter().position(is_recent).unwrap_or(entries.len());
        let (older, later) = entries.split_at_checked(boundary)?;
        if sum((0, 0), older.iter().map(tag)) != self.older {
            return Some(0).filter(|_| !older.is_empty());
        }
        later.iter().position(|entry| !is_recent(entry)).map(|at| boundary + at)
    }
}

/// What was read behind a place.
struct Scanned {
    /// For verifiers; at most one more than asked for.
    fresh: Vec<Revocation>,
    /// The last entry that was read past, if that is as far as one request goes.
    cut_at: Option<Position>,
}

impl Revocations {
    /// A page of the feed, oldest first. An entry can come twice, in pages after one that was committed late; it has
    /// an id to be recognised by.
    ///
    /// # Errors
    /// `Forbidden`; `CursorExpired` for a place in a feed that is not this one, as after a restored backup.
    pub async fn feed(&self, ctx: &Context, after: Option<FeedPlace>, limit: u32) -> Result<FeedPage, Failure> {
        ctx.may(&Act::ReadRevocations)?;
        let (now, limit) = (self.deps.now(), limit as usize);
        let Scanned { mut fresh, cut_at } = self.scan(after.as_ref(), limit, now).await?;
        let mut overlap = None;
        if let Some(place) = after.as_ref().filter(|place| place.newest.0 > now.minus(SETTLED))
            && cut_at.is_none()
            && fresh.len() <= limit
        {
            let mut handed = self.between(place.since, place.newest).await?;
            let missed = place.first_missed(&handed).map(|at| handed.split_off(at));
            fresh.splice(..0, missed.into_iter().flatten());
            overlap = Some(handed);
        }
        let is_full = fresh.len() > limit;
        fresh.truncate(limit);
        let last = if is_full { None } else { cut_at }.or_else(|| fresh.last().map(position));
        let next = match last {
            Some(last) => Some(next_place(after, last, overlap, &fresh, now)),
            None => after,
        };
        Ok(FeedPage { entries: fresh, next, has_more: is_full || cut_at.is_some() })
    }

    /// The same, but as long as there is nothing it waits: for the next entry, or until `end`.
    ///
    /// # Errors
    /// Those of [`Self::feed`].
    pub async fn feed_or_wait(
        &self,
        ctx: &Context,
        after: Option<FeedPlace>,
        limit: u32,
        end: impl Future<Output = ()> + Send,
    ) -> Result<FeedPage, Failure> {
        // Before reading: what comes while the database is asked wakes up at once.
        let mut news = self.news.subscribe();
        let mut end = pin!(end);
        loop {
            let page = self.feed(ctx, after.clone(), limit).await?;
            if page.has_more || !page.entries.is_empty() {
                return Ok(page);
            }
            tokio::select! {
                biased;
                () = &mut end => return Ok(page),
                // An error would mean that the sender is gone, and it is in here.
                _ = news.changed() => {}
            }
        }
    }

    /// What is for verifiers behind a place, one more than `limit`.
    async fn scan(&self, after: Option<&FeedPlace>, limit: usize, now: Timestamp) -> Result<Scanned, Failure> {
        let chunk = u32::try_from(limit + 2).unwrap_or(u32::MAX);
        // The newest entry is read again: a feed that lacks it is another one.
        let mut newest = after.map(|place| place.newest);
        let mut behind = newest.map(|(at, id)| (at, before(id)));
        let (mut fresh, mut scanned) = (Vec::new(), 0);
        loop {
            let mut rows = self.deps.store.reading().revocations().page(behind, chunk).await?;
            behind = rows.last().map(position).or(behind);
            let is_last = rows.len() < chunk as usize;
            if let Some(newest) = newest.take() {
                let is_here = rows.first().map(position) == Some(newest);
                if !is_here && self.is_still_kept(newest.0, now) {
                    return Err(Refusal::CursorExpired.into());
                }
                rows.drain(..usize::from(is_here));
            }
            scanned += rows.len();
            fresh.extend(rows.into_iter().filter(is_for_verifiers));
            if is_last || fresh.len() > limit || scanned >= SCAN {
                let is_cut = !is_last && fresh.len() <= limit;
                return Ok(Scanned { fresh, cut_at: behind.filter(|_| is_cut) });
            }
        }
    }

    /// Whether an entry of this time must be there; a minute less than it is, for the clocks of replicas.
    fn is_still_kept(&self, recorded_at: Timestamp, now: Timestamp) -> bool {
        recorded_at.plus(self.deps.settings.access_ttl).plus(MARGIN) > now.plus(SETTLED)
    }

    /// What is for verifiers from `since` to `newest`.
    async fn between(&self, since: Timestamp, newest: Position) -> Result<Vec<Revocation>, StoreError> {
        let (mut found, mut behind) = (Vec::new(), (since, RevocationId(uuid::Uuid::nil())));
        loop {
            let rows = self.deps.store.reading().revocations().page(Some(behind), super::PAGE).await?;
            let is_last = rows.len() < super::PAGE as usize;
            behind = rows.last().map_or(behind, position);
            found.extend(rows.into_iter().filter(|row| position(row) <= newest).filter(is_for_verifiers));
            if is_last || behind >= newest {
                return Ok(found);
            }
        }
    }
}

/// The place behind `last`. `overlap`: what was handed out before, where it has been read.
fn next_place(
    after: Option<FeedPlace>,
    last: Position,
    overlap: Option<Vec<Revocation>>,
    fresh: &[Revocation],
    now: Timestamp,
) -> FeedPlace {
    // A replica whose clock is ahead must not move everybody's window.
    let since = last.0.min(now).minus(OVERLAP);
    match (after, overlap) {
        (None, _) => FeedPlace::new(last, since, fresh.iter()),
        (Some(place), Some(handed)) => FeedPlace::new(last, since.max(place.since), handed.iter().chain(fresh)),
        (Some(place), None) if place.newest.0 > now.minus(SETTLED) => place.and(last, fresh),
        (Some(place), None) => {
            FeedPlace::new(last, since.max(place.newest.0.plus(Duration::from_micros(1))), fresh.iter())
        }
    }
}

/// Not what only this service's own processes act on: a profile that changed, and a key set that did without a key
/// being revoked.
pub(super) fn is_for_verifiers(entry: &Revocation) -> bool {
    match &entry.what {
        Revoked::Changed { .. } => false,
        Revoked::Key { kid } => !kid.is_empty(),
        Revoked::Role { min_version, .. } => *min_version > 0,
        _ => true,
    }
}

fn position(entry: &Revocation) -> Position {
    (entry.recorded_at, entry.id)
}

const fn before(id: RevocationId) -> RevocationId {
    RevocationId(uuid::Uuid::from_u128(id.0.as_u128().saturating_sub(1)))
}

/// Ids are chosen by nobody: half of one tells it from the others of a minute.
fn tag(entry: &Revocation) -> u64 {
    entry.id.0.as_u64_pair().1
}

fn sum(start: (u32, u64), tags: impl IntoIterator<Item = u64>) -> (u32, u64) {
    tags.into_iter().fold(start, |(count, sum), tag| (count.saturating_add(1), sum.wrapping_add(tag)))
}

fn text(tags: &[u64]) -> String {
    STANDARD_NO_PAD.encode(tags.iter().flat_map(|tag| tag.to_be_bytes()).collect::<Vec<_>>())
}
