//! The rule about replays, by example and simulated.
//!
//! The model of an honest client: an answer is lost in 2 % of refreshes, and then the old token is shown again after
//! seconds, minutes, or an hour in a tunnel; the network changes before 5 % of requests; two tabs race within the minute
//! in 5 %; the client sleeps up to days between refreshes, and uses here the access tokens that it got. The model of a
//! thief: a copy of the refresh token, shown in turns with its owner. Decision 0003 publishes the figures;
//! `--nocapture` prints them.

use super::*;

/// xorshift64*: seeded, so that a failure can be repeated.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % bound
    }

    fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn pick(&mut self, of: &[u64]) -> u64 {
        of[usize::try_from(self.below(of.len() as u64)).expect("small")]
    }
}

/// The service, as far as one family goes: its tokens are bytes.
struct Family {
    session: Session,
    /// Whether an access token of the newest generation was used here.
    seen: bool,
    next: u8,
}

impl Family {
    fn new() -> Self {
        let (id, now) = (uuid::Uuid::nil(), Timestamp::from_seconds(0));
        let session = Session {
            id: SessionId(id),
            user_id: UserId(id),
            device_name: None,
            user_agent: None,
            ip: None,
            amr: Vec::new(),
            auth_time: now,
            created_at: now,
            last_seen_at: now,
            expires_at: now.plus(Duration::from_secs(u64::from(u32::MAX))),
            ended_at: None,
            generation: 0,
            current_hash: vec![0],
            previous_hash: None,
            successor: None,
            identity_id: None,
            parties: None,
        };
        Self { session, seen: false, next: 1 }
    }

    /// The successor of `token`, unless the family has ended or ends by this.
    fn refresh(&mut self, token: u8, by: Party, now: u64) -> Option<u8> {
        let now = Timestamp::from_seconds(i64::try_from(now).expect("in range"));
        if !self.session.is_alive(now) {
            return None;
        }
        let is_previous = self.session.previous_hash.as_deref() == Some(&[token]);
        let theft = match self.session.place(self.session.current_hash == [token], is_previous) {
            Presented::Current => {
                self.session.rotate(vec![self.next], Sealed(Vec::new()), by, now);
                self.next = self.next.wrapping_add(1);
                self.seen = false;
                false
            }
            Presented::Replay => self.session.replayed_by(by, self.seen, now) == Replay::Theft,
            Presented::Stale => true,
        };
        if theft {
            self.session.end(now);
            return None;
        }
        self.session.current_hash.first().copied()
    }
}

const fn party(network: u64, agent: u64) -> Party {
    network << 8 | agent
}

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// How bad a network is.
#[derive(Clone, Copy)]
struct Network {
    lost_percent: u64,
    change_percent: u64,
    /// Whether whoever lost an answer comes back from another network, always.
    moves_when_lost: bool,
}

const STATED: Network = Network { lost_percent: 2, change_percent: 5, moves_when_lost: false };

/// One honest session of `refreshes`; whether it was ended, which is false.
fn is_ended_falsely(chance: &mut Chance, network: Network, refreshes: u32) -> bool {
    let (mut family, mut token, mut now, mut place) = (Family::new(), 0, 0, chance.below(1 << 20));
    for _ in 0..refreshes {
        now += chance.pick(&[10 * MINUTE, 10 * MINUTE, HOUR, 8 * HOUR, 3 * DAY]);
        loop {
            if chance.percent(network.change_percent) {
                place = chance.below(1 << 20);
            }
            let Some(successor) = family.refresh(token, party(place, 1), now) else { return true };
            if !chance.percent(network.lost_percent) {
                let by = party(place, 1);
                let races = chance.percent(5);
                family.seen = true;
                if races && family.refresh(token, by, now + chance.below(61)) != Some(successor) {
                    return true;
                }
                token = successor;
                break;
            }
            if network.moves_when_lost {
                place = chance.below(1 << 20);
            }
            now += chance.pick(&[1, 5, 2 * MINUTE, HOUR]);
        }
    }
    false
}

fn ended_falsely(network: Network, sessions: u32, refreshes: u32) -> usize {
    let mut chance = Chance(0x5EED_0004);
    (0..sessions).filter(|_| is_ended_falsely(&mut chance, network, refreshes)).count()
}

/// In each run; the record's figure for ten times as many was made by hand.
const SESSIONS: u32 = 100_000;

/// (fault 4) Lost answers, tunnels, sleeps of days and changes of network sign nobody out: none of 100,000 sessions.
#[test]
fn no_honest_session_is_ended() {
    let ended = ended_falsely(STATED, SESSIONS, 50);
    println!("{ended} of {SESSIONS} honest sessions of 50 refreshes were ended");
    assert_eq!(ended, 0);
}

/// (fault 4) Worse than what is promised: whoever loses an answer comes back from another network each time, as on a train.
/// Published, and bounded so that a change of the rule that costs many is found.
#[test]
fn hardly_an_honest_session_on_a_train_is_ended() {
    let sessions = SESSIONS / 4;
    let train = Network { moves_when_lost: true, ..STATED };
    let ended = ended_falsely(train, sessions, 50);
    println!("{ended} of {sessions} honest sessions of 50 refreshes on a train were ended");
    assert!(ended * 1000 <= sessions as usize, "{ended} of {sessions}");
}

/// What a thief and an owner do.
#[derive(Clone, Copy)]
struct Theft {
    thief: Party,
    /// How many percent of the access tokens that the owner gets are shown here; the thief shows none.
    shown_here_percent: u64,
    /// Who comes first in a round is the owner in so many percent.
    owner_first_percent: u64,
}

/// The owner in all thefts.
const OWNER: Party = party(7, 1);
/// Nobody is out so late.
const ROUNDS: u32 = 1_000;

/// Rounds (one refresh each of owner and thief) until the family ends.
fn rounds_of(chance: &mut Chance, theft: Theft) -> u32 {
    let (mut family, mut now) = (Family::new(), 0);
    let (mut mine, mut stolen) = (0, 0);
    for round in 1..=ROUNDS {
        let owner_first = chance.percent(theft.owner_first_percent);
        for first in [true, false] {
            now += chance.pick(&[1, 20, 5 * MINUTE, 10 * MINUTE, HOUR, DAY]);
            let owners_turn = first == owner_first;
            let (token, by) = if owners_turn { (&mut mine, OWNER) } else { (&mut stolen, theft.thief) };
            let Some(successor) = family.refresh(*token, by, now) else { return round };
            *token = successor;
            if owners_turn && chance.percent(theft.shown_here_percent) {
                family.seen = true;
            }
        }
    }
    ROUNDS
}

/// Of 2,000 thefts: the median of the rounds and the most.
fn rounds(theft: Theft) -> (u32, u32) {
    let mut chance = Chance(0x5EED_0005);
    let mut rounds: Vec<_> = (0..2_000).map(|_| rounds_of(&mut chance, theft)).collect();
    rounds.sort_unstable();
    (rounds[rounds.len() / 2], rounds[rounds.len() - 1])
}

/// (fault 4) Whoever takes turns with the owner from another network or with another agent is out within three rounds.
#[test]
fn a_thief_in_turns_is_out_within_three_rounds() {
    for thief in [party(8, 1), party(7, 2), party(8, 2)] {
        for (shown_here_percent, owner_first_percent) in [(0, 0), (0, 50), (0, 100), (50, 50), (100, 0), (100, 100)] {
            let (median, most) = rounds(Theft { thief, shown_here_percent, owner_first_percent });
            println!(
                "another party, owner first {owner_first_percent} %, shown here {shown_here_percent} %: median {median}, \
                 most {most} rounds"
            );
            assert!(most <= 3, "{most}");
        }
    }
}

/// (fault 4) On the owner's own network and with the owner's agent only access tokens that are shown here tell: the rounds
/// are published, not promised. Where none is shown, or the thief always comes first and shows none, such a thief stays.
#[test]
fn a_thief_as_the_owners_twin_is_found_by_access_tokens_alone() {
    let twin = |shown_here_percent, owner_first_percent| {
        let (median, most) = rounds(Theft { thief: OWNER, shown_here_percent, owner_first_percent });
        println!(
            "the owner's twin, owner first {owner_first_percent} %, shown here {shown_here_percent} %: median {median}, \
             most {most} rounds"
        );
        (median, most)
    };
    for (shown_here_percent, bound) in [(100, 50), (50, 100), (10, 500)] {
        assert!(twin(shown_here_percent, 50).1 <= bound);
    }
    assert!(twin(100, 100).1 <= 20);
    assert_eq!((twin(0, 50), twin(100, 0)), ((ROUNDS, ROUNDS), (ROUNDS, ROUNDS)));
}

/// (fault 4) Within a minute of the rotation nothing is theft at once, later only what was seen to arrive is.
#[test]
fn a_replay_is_theft_at_once_only_when_it_is_late_and_the_answer_arrived() {
    for (seen, after, expected) in [
        (true, 60, Replay::Tolerated),
        (true, 61, Replay::Theft),
        (false, 61, Replay::Tolerated),
        (false, 400 * DAY, Replay::Tolerated),
    ] {
        let mut family = Family::new();
        family.refresh(0, OWNER, 1_000);
        let now = Timestamp::from_seconds(1_000).plus(Duration::from_secs(after));
        assert_eq!(family.session.replayed_by(OWNER, seen, now), expected, "{seen} {after}");
    }
}

/// Of the devices that are signed out the twenty stay that were used last, each by one session, for ninety days.
#[test]
fn a_sign_in_leaves_one_session_of_each_device_behind() {
    let day = |day: i64| Timestamp::from_seconds(day * 24 * 3600);
    let seen = |ip: i64, last: i64| Session {
        id: SessionId(uuid::Uuid::from_u128(u128::try_from(ip * 1000 + last).expect("positive"))),
        ip: Some(format!("192.0.2.{ip}")),
        last_seen_at: day(last),
        ..Family::new().session
    };
    let begins = Session { created_at: day(100), ..seen(1, 100) };
    let alive = [seen(2, 99)];
    // Its own device, that of a session alive, one twice, and one of long ago.
    let over = vec![seen(1, 98), seen(2, 97), seen(3, 95), seen(3, 96), seen(4, 10)];
    let gone = [&over[0], &over[1], &over[2], &over[4]].map(|session| session.id);
    let mut found = begins.outlived(&alive, over);
    found.sort_by_key(|id| gone.iter().position(|other| other == id));
    assert_eq!(found, gone);
    let many = (10..50).map(|ip| seen(ip, 30 + ip)).collect();
    assert_eq!(begins.outlived(&alive, many).len(), 20);
    let at = |ip: &str| Session { ip: Some(ip.to_owned()), ..begins.clone() };
    assert!(at("2001:db8:1:2::1").is_of_device_of(&at("2001:db8:1:2:ffff::7")));
    assert!(!at("2001:db8:1:2::1").is_of_device_of(&at("2001:db8:1:3::1")));
    assert!(!at("192.0.2.1").is_of_device_of(&at("192.0.2.2")));
}

#[test]
fn a_family_lives_until_it_is_ended_or_its_time_is_over() {
    let at = Timestamp::from_seconds;
    let mut session = Session { expires_at: at(100), successor: Some(Sealed(Vec::new())), ..Family::new().session };
    assert!(session.is_alive(at(99)));
    assert!(!session.is_alive(at(100)));
    session.end(at(50));
    session.end(at(60));
    assert_eq!((session.ended_at, session.is_alive(at(51))), (Some(at(50)), false));
    assert_eq!(session.successor, None, "nothing is replayable");
}

/// The token before the current one is answered again only as long as there is an answer to give.
#[test]
fn a_token_is_what_its_place_in_the_family_says() {
    let with = |successor| Session { successor, ..Family::new().session };
    let (some, none) = (with(Some(Sealed(Vec::new()))), with(None));
    assert_eq!((some.place(true, false), none.place(true, false)), (Presented::Current, Presented::Current));
    assert_eq!((some.place(false, true), none.place(false, true)), (Presented::Replay, Presented::Stale));
    assert_eq!((some.place(false, false), none.place(false, false)), (Presented::Stale, Presented::Stale));
}

#[test]
fn a_family_that_is_handed_over_answers_no_earlier_secret() {
    let mut family = Family::new();
    family.refresh(0, OWNER, 1_000);
    let before = family.session.clone();
    family.session.hand_over(vec![99]);
    let expected = Session {
        current_hash: vec![99],
        previous_hash: None,
        successor: None,
        parties: None,
        generation: before.generation + 1,
        ..before
    };
    assert_eq!(family.session, expected);
}

/// Of a session from before parties were kept only its last refresh is known.
#[test]
fn a_replay_in_a_family_without_parties_is_judged_by_its_last_refresh() {
    for (after, expected) in [(60, Replay::Tolerated), (61, Replay::Theft)] {
        let mut family = Family::new();
        family.refresh(0, OWNER, 1_000);
        family.session.parties = None;
        let now = Timestamp::from_seconds(1_000).plus(Duration::from_secs(after));
        assert_eq!(family.session.replayed_by(OWNER, true, now), expected, "{after}");
    }
}

#[test]
fn a_device_is_an_agent_in_a_network_for_ninety_days() {
    let of = |agent: Option<&str>, ip: Option<&str>| Session {
        user_agent: agent.map(str::to_owned),
        ip: ip.map(str::to_owned),
        ..Family::new().session
    };
    for (one, other, same) in [
        (of(Some("a"), Some("192.0.2.1")), of(Some("a"), Some("192.0.2.1")), true),
        (of(Some("a"), Some("192.0.2.1")), of(Some("b"), Some("192.0.2.1")), false),
        (of(Some("a"), Some("192.0.2.1")), of(None, Some("192.0.2.1")), false),
        (of(Some("a"), None), of(Some("a"), None), true),
        (of(Some("a"), None), of(Some("a"), Some("192.0.2.1")), false),
        (of(Some("a"), Some("no address")), of(Some("a"), Some("no address")), true),
        (of(Some("a"), Some("no address")), of(Some("a"), Some("none either")), false),
        (of(Some("a"), Some("2001:db8::1")), of(Some("a"), Some("2001:db8::2")), true),
        (of(Some("a"), Some("2001:db8::1")), of(Some("a"), Some("2001:db8:0:1::1")), false),
    ] {
        assert_eq!(one.is_of_same_device(&other), same, "{one:?} {other:?}");
        assert_eq!(other.is_of_same_device(&one), same, "{one:?} {other:?}");
    }
    let known = Session { last_seen_at: Timestamp::from_seconds(0), ..of(Some("a"), Some("192.0.2.1")) };
    for (second, is_known) in [(90 * 24 * 3600 - 1, true), (90 * 24 * 3600, false)] {
        let begins = Session { created_at: Timestamp::from_seconds(second), ..known.clone() };
        assert_eq!(begins.is_of_device_of(&known), is_known, "{second}");
    }
    let mut forgotten = known.clone();
    forgotten.forget_device();
    assert_eq!((&forgotten.user_agent, &forgotten.ip), (&None, &None));
    assert!(!forgotten.is_of_same_device(&known));
}
