//! How fast Telegram lets a bot write: about a message per second to one chat, and thirty per second to all
//! (<https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this>). Nobody sleeps here: who comes too
//! early is told how long to wait.
//!
//! Deliberately absent: what other replicas write. Together they may be told to wait (429), and obey.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use userd_model::Timestamp;

/// One message per second to a chat.
const CHAT: Rate = Rate { interval: 1_000_000, burst: 1 };
/// 25 messages per second to all, and never more than 30 within one.
const ALL: Rate = Rate { interval: 40_000, burst: 5 };
/// How long everybody waits, at most, when Telegram tells one to: it does not say whether it was one chat or the sum.
const LONGEST_FOR_ALL: Duration = Duration::from_secs(5);
/// Chats that are remembered before those that may be written to again are forgotten.
const MANY: usize = 1_000;

/// A message every `interval` microseconds, or `burst` at once after a pause.
#[derive(Clone, Copy)]
struct Rate {
    interval: i64,
    burst: i64,
}

/// Gives turns. A turn that was given is used up, whether a message is sent or not.
#[derive(Default)]
pub struct Pacer(Mutex<Turns>);

#[derive(Default)]
struct Turns {
    all: Bucket,
    chats: HashMap<String, Bucket>,
}

impl Pacer {
    /// A turn for this chat, now.
    ///
    /// # Errors
    /// How long to wait before asking again.
    pub fn turn(&self, chat: &str, now: Timestamp) -> Result<(), Duration> {
        let now = now.micros();
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let one = turns.chats.get(chat).copied().unwrap_or_default();
        let wait = one.wait(CHAT, now).max(turns.all.wait(ALL, now));
        if wait > 0 {
            return Err(micros(wait));
        }
        turns.all.take(ALL, now);
        turns.chat(chat, now).take(CHAT, now);
        Ok(())
    }

    /// Telegram says to wait: nobody has a turn for a while, this chat for the whole of it.
    pub fn hold(&self, chat: &str, wait: Duration, now: Timestamp) {
        let now = now.micros();
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        turns.chat(chat, now).hold(wait, now);
        turns.all.hold(wait.min(LONGEST_FOR_ALL), now);
    }
}

impl Turns {
    fn chat(&mut self, chat: &str, now: i64) -> &mut Bucket {
        if self.chats.len() >= MANY {
            self.chats.retain(|_, bucket| bucket.wait(CHAT, now) > 0);
        }
        self.chats.entry(chat.to_owned()).or_default()
    }
}

/// A leaky bucket, as the time at which it is empty again, and a pause.
#[derive(Clone, Copy, Default)]
struct Bucket {
    taken_at: i64,
    empty_at: i64,
    held_from: i64,
    held_until: i64,
}

impl Bucket {
    /// Microseconds until there is a turn. What lies ahead of a clock that was put back is forgotten: it would hold
    /// everybody up for as long as the clock was put back.
    fn wait(&self, rate: Rate, now: i64) -> i64 {
        let spare = rate.interval * (rate.burst - 1);
        let paced = if is_put_back(self.taken_at, now) { 0 } else { self.empty_at - now - spare };
        let held = if is_put_back(self.held_from, now) { 0 } else { self.held_until - now };
        paced.max(held).max(0)
    }

    fn take(&mut self, rate: Rate, now: i64) {
        let empty_at = if is_put_back(self.taken_at, now) { now } else { self.empty_at.max(now) };
        *self = Self { taken_at: now, empty_at: empty_at + rate.interval, ..*self };
    }

    fn hold(&mut self, wait: Duration, now: i64) {
        self.held_from = now;
        self.held_until = now.saturating_add(i64::try_from(wait.as_micros()).unwrap_or(i64::MAX));
    }
}

/// Callers look at the clock before they get here, so a little earlier is not put back.
const fn is_put_back(then: i64, now: i64) -> bool {
    now < then - 5_000_000
}

fn micros(wait: i64) -> Duration {
    Duration::from_micros(u64::try_from(wait).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(1_796_000_000_000_000 + micros)
    }

    /// Whoever asks as often as they like gets 25 turns a second, and never more than 30 within one.
    #[test]
    fn the_sum_of_all_chats_is_paced() {
        let pacer = Pacer::default();
        let mut given = Vec::new();
        for millisecond in 0..10_000 {
            let now = millisecond * 1_000;
            while pacer.turn(&format!("{}", given.len()), at(now)).is_ok() {
                given.push(now);
            }
        }
        assert!((250..=255).contains(&given.len()), "{} in ten seconds", given.len());
        for from in &given {
            let within = given.iter().filter(|turn| (*from..from + 1_000_000).contains(turn)).count();
            assert!(within <= 30, "{within} in the second from {from} on");
        }
    }

    #[test]
    fn one_chat_is_paced_and_delays_no_other() {
        let pacer = Pacer::default();
        assert_eq!(pacer.turn("7", at(0)), Ok(()));
        assert_eq!(pacer.turn("7", at(0)), Err(Duration::from_secs(1)));
        assert_eq!(pacer.turn("7", at(400_000)), Err(Duration::from_millis(600)));
        assert_eq!(pacer.turn("8", at(400_000)), Ok(()), "another chat");
        assert_eq!(pacer.turn("7", at(1_000_000)), Ok(()), "who waits as long as told has a turn");
        assert_eq!(pacer.turn("7", at(60_000_000)), Ok(()));
        assert!(pacer.turn("7", at(59_999_900)).is_err(), "who looked at the clock before another came");
        assert!(pacer.turn("7", at(60_000_000)).is_err(), "a pause saves up nothing");
    }

    #[test]
    fn a_wait_that_telegram_asks_for_is_obeyed() {
        let pacer = Pacer::default();
        pacer.hold("7", Duration::from_secs(30), at(0));
        assert_eq!(pacer.turn("7", at(1)), Err(Duration::from_micros(29_999_999)));
        assert_eq!(pacer.turn("8", at(0)), Err(Duration::from_secs(5)));
        assert_eq!(pacer.turn("8", at(5_000_000)), Ok(()));
        assert!(pacer.turn("7", at(29_999_999)).is_err());
        assert_eq!(pacer.turn("7", at(30_000_000)), Ok(()));
    }

    #[test]
    fn a_clock_that_is_put_back_stops_nobody() {
        let pacer = Pacer::default();
        assert_eq!(pacer.turn("7", at(0)), Ok(()));
        pacer.hold("8", Duration::from_secs(30), at(0));
        let an_hour_before = -3_600_000_000;
        assert_eq!(pacer.turn("7", at(an_hour_before)), Ok(()));
        assert_eq!(pacer.turn("8", at(an_hour_before)), Ok(()));
        assert_eq!(pacer.turn("7", at(an_hour_before)), Err(Duration::from_secs(1)), "and the pace is kept from there");
    }

    #[test]
    fn chats_that_may_be_written_to_are_forgotten() {
        let pacer = Pacer::default();
        for chat in 0..5_000 {
            assert_eq!(pacer.turn(&chat.to_string(), at(chat * 1_000_000)), Ok(()));
        }
        assert!(pacer.0.lock().unwrap().chats.len() <= MANY + 1);
    }
}
