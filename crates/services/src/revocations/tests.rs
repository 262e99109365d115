//! What the view keeps, and until when.

use super::*;

const END: Timestamp = Timestamp::from_seconds(1_800_000_000);
const SECOND: Duration = Duration::from_secs(1);

fn entry(number: u8, what: Revoked, expires_at: Timestamp) -> Revocation {
    Revocation { id: RevocationId::from_random([number; 16]), what, recorded_at: END.minus(MARGIN), expires_at }
}

fn session() -> SessionId {
    SessionId::from_random([1; 16])
}

fn token() -> TokenId {
    TokenId::from_random([2; 16])
}

fn client() -> ClientId {
    ClientId::from_random([3; 16])
}

fn user() -> UserId {
    UserId::from_random([4; 16])
}

/// One entry of each kind that the view keeps.
fn each() -> Vec<Revoked> {
    vec![
        Revoked::Session { session_id: session(), user_id: user() },
        Revoked::Token { token_id: token() },
        Revoked::Client { client_id: client(), before: 2 },
        Revoked::User { user_id: user(), min_epoch: 3, version: 7 },
        Revoked::Role { role: "editor".to_owned(), min_version: 4, version: 4 },
        Revoked::All { issued_before: END },
    ]
}

/// How many of each the view holds.
fn held(view: &View) -> [usize; 7] {
    [
        view.sessions.len(),
        view.tokens.len(),
        view.clients.len(),
        view.users.len(),
        view.roles.len(),
        view.all.iter().count(),
        view.seen.len(),
    ]
}

#[test]
fn an_entry_of_each_kind_is_held_to_its_end_and_no_longer() {
    for what in each() {
        let mut view = View::default();
        view.apply(&entry(1, what.clone(), END));
        let full = held(&view);
        assert_eq!(full.iter().sum::<usize>(), 2, "{what:?} is held, and known");
        view.forget_expired(END.minus(SECOND * 60));
        view.forget_expired(END.minus(SECOND));
        assert_eq!(held(&view), full, "{what:?}");
        view.forget_expired(END);
        assert_eq!(held(&view), [0; 7], "{what:?}");
    }
}

/// Also where the entries that say less, or end earlier, come last.
#[test]
fn of_two_entries_the_higher_bound_and_the_later_end_hold() {
    let lower = [
        Revoked::Client { client_id: client(), before: 1 },
        Revoked::User { user_id: user(), min_epoch: 1, version: 6 },
        Revoked::Role { role: "editor".to_owned(), min_version: 1, version: 1 },
        Revoked::All { issued_before: END.minus(SECOND) },
    ];
    let later = END.plus(SECOND);
    for is_last in [false, true] {
        let mut view = View::default();
        let higher = each().into_iter().enumerate().map(|(place, what)| (place, what, END));
        let lower = lower.iter().cloned().enumerate().map(|(place, what)| (place + 100, what, later));
        let mut entries: Vec<_> = higher.chain(lower).collect();
        if !is_last {
            entries.reverse();
        }
        for (place, what, end) in entries {
            view.apply(&entry(u8::try_from(place).expect("a few"), what, end));
        }
        assert_eq!(view.clients[&client()], (2, later), "{is_last}");
        assert_eq!(view.users[&user()], (3, later), "{is_last}");
        assert_eq!(view.roles["editor"], (4, later), "{is_last}");
        assert_eq!(view.all, Some((END, later)), "{is_last}");
    }
}

#[test]
fn an_entry_that_is_heard_twice_has_its_consequence_once() {
    let (mut view, version) = (View::default(), 7);
    let forgotten = Some(Consequence::ForgetUser { user: user(), version });
    let changed = entry(1, Revoked::Changed { user_id: user(), version }, END);
    assert_eq!(view.apply(&changed), forgotten);
    assert_eq!(view.apply(&changed), None);
    assert_eq!(held(&view), [0, 0, 0, 0, 0, 0, 1], "nobody's tokens die of it");
    let epoch = entry(2, Revoked::User { user_id: user(), min_epoch: 3, version }, END);
    assert_eq!(view.apply(&epoch), forgotten);
    let allows_more = entry(3, Revoked::Role { role: "editor".to_owned(), min_version: 0, version }, END);
    let role_forgotten = Some(Consequence::ForgetRole { role: "editor".to_owned(), version });
    assert_eq!(view.apply(&allows_more), role_forgotten);
    assert!(view.roles.is_empty(), "a role that allows more kills no token");
    let key = entry(4, Revoked::Key { kid: "a".to_owned() }, END);
    assert_eq!((view.apply(&key), view.apply(&key)), (Some(Consequence::ReloadKeys), None));
}
