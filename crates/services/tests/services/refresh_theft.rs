//! Replays of refresh tokens: answers lost on the way, and thieves who take turns with the owner (fault 4). The same rule
//! over many sessions is simulated in `crates/model/src/session/tests.rs`.

use std::{sync::Arc, time::Duration};

use userd_model::{EventKind, Refusal};
use userd_services::{RequestOrigin, testing::TestOptions};

use crate::{
    fixture::{Fixture, TestApp, at_once, refusal},
    personas::{Member, at, elsewhere, home},
};

/// Where a thief is in each round.
type Place = Box<dyn Fn(usize) -> RequestOrigin>;

const MINUTE: Duration = Duration::from_secs(60);

/// Refreshes from somewhere.
async fn from(app: &TestApp, place: RequestOrigin, token: &str) -> Result<String, Refusal> {
    match app.sessions.refresh(&at(app, place), token).await {
        Ok(answer) => Ok(answer.tokens.refresh_token),
        Err(failure) => Err(refusal::<()>(Err(failure))),
    }
}

/// The family has ended, once, and nothing of it works.
async fn is_ended(app: &TestApp, member: &Member) -> bool {
    app.devices_of(member.id).await.is_empty()
        && app.who(&member.tokens.access_token).await.is_err()
        && app.count_of(member.id, EventKind::RefreshTokenReplayed).await == 1
}

/// (fault 4) A lost answer signs nobody out: not after an hour in a tunnel, not on another network, not many times.
/// F15: the successor is the same however late the retry comes.
#[apply(case)]
async fn a_lost_answer_is_given_again_after_an_hour_elsewhere(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    app.who(&ada.tokens.access_token).await.unwrap();
    let lost = app.refresh(&ada.tokens.refresh_token).await.unwrap().tokens;
    // The client goes on with the access token that it has: that one says nothing of the answer.
    app.who(&ada.tokens.access_token).await.unwrap();
    for wait in [1, 59, 3600, 9 * 24 * 3600] {
        app.advance(Duration::from_secs(wait));
        let again = from(&app, elsewhere(1), &ada.tokens.refresh_token).await;
        assert_eq!(again.as_deref(), Ok(&*lost.refresh_token), "after {wait} s");
    }
    assert_eq!(app.count_of(ada.id, EventKind::RefreshTokenReused).await, 4, "each replay is an event");
    assert_eq!(app.count_of(ada.id, EventKind::RefreshTokenReplayed).await, 0);
    assert!(app.refresh(&lost.refresh_token).await.is_ok());
}

/// (fault 4) Each refresh loses its answer and is repeated on the same network: no number of them ends the session.
#[apply(case)]
async fn a_network_that_loses_every_answer_signs_nobody_out(fixture: Fixture) {
    let app = fixture.app().await;
    let mut token = app.member("ada").await.tokens.refresh_token;
    for _ in 0..6 {
        let lost = app.refresh(&token).await.unwrap().tokens.refresh_token;
        app.advance(MINUTE * 60);
        assert_eq!(from(&app, home(), &token).await.as_deref(), Ok(&*lost));
        token = lost;
    }
}

/// (fault 4) An answer that arrived was not lost: whoever shows the old token more than a minute later is somebody else.
#[apply(case)]
async fn a_late_replay_after_the_successors_access_token_was_used_is_theft(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    app.refresh(&ada.tokens.refresh_token).await.unwrap();
    let next = app.refresh(&ada.tokens.refresh_token).await.unwrap().tokens;
    app.who(&next.access_token).await.unwrap();
    app.advance(MINUTE);
    let race = from(&app, home(), &ada.tokens.refresh_token).await;
    assert_eq!(race.as_deref(), Ok(&*next.refresh_token), "within the minute two tabs race");
    app.advance(Duration::from_secs(1));
    assert_eq!(from(&app, home(), &ada.tokens.refresh_token).await, Err(Refusal::InvalidRefreshToken));
    assert!(is_ended(&app, &ada).await);
    assert!(app.is_out(&next).await);
}

/// (fault 4) Two tabs race for the answer to a retry as well as for the first one, however late the retry comes.
#[apply(case)]
async fn two_tabs_race_for_the_answer_to_a_late_retry(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    app.refresh(&ada.tokens.refresh_token).await.unwrap();
    app.advance(MINUTE * 60);
    let next = app.refresh(&ada.tokens.refresh_token).await.unwrap().tokens;
    app.who(&next.access_token).await.unwrap();
    for wait in [59, 1] {
        app.advance(Duration::from_secs(wait));
        let race = from(&app, home(), &ada.tokens.refresh_token).await;
        assert_eq!(race.as_deref(), Ok(&*next.refresh_token));
    }
    app.advance(Duration::from_secs(1));
    assert_eq!(from(&app, home(), &ada.tokens.refresh_token).await, Err(Refusal::InvalidRefreshToken));
    assert!(is_ended(&app, &ada).await, "no race makes the minute longer");
}

/// (fault 4) Introspection sees an access token as well as our own routes do; one of the generation before is no sign.
#[apply(case)]
async fn an_access_token_shown_to_another_service_counts_once_it_is_introspected(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let next = app.refresh(&ada.tokens.refresh_token).await.unwrap().tokens;
    app.introspect(&app.operator_context(), &ada.tokens.access_token).await.unwrap();
    app.advance(MINUTE * 2);
    assert!(from(&app, home(), &ada.tokens.refresh_token).await.is_ok());
    app.introspect(&app.operator_context(), &next.access_token).await.unwrap();
    app.advance(MINUTE * 2);
    // An older one that is used later hides nothing.
    app.who(&ada.tokens.access_token).await.unwrap();
    assert_eq!(from(&app, home(), &ada.tokens.refresh_token).await, Err(Refusal::InvalidRefreshToken));
    assert!(is_ended(&app, &ada).await);
}

/// (fault 4) What one replica saw the other knows, when they share a cache.
#[apply(case)]
async fn a_replay_at_another_replica_is_known_through_the_shared_cache(fixture: Fixture) {
    let app = fixture.app().await;
    let (cache, clock) = (Some(Arc::clone(&app.deps.cache)), Some(Arc::clone(&app.clock)));
    let other = fixture.app_with(TestOptions { cache, clock, seed: 2, ..TestOptions::default() }).await;
    let ada = app.member("ada").await;
    let next = app.refresh(&ada.tokens.refresh_token).await.unwrap().tokens;
    app.who(&next.access_token).await.unwrap();
    app.advance(MINUTE * 2);
    assert_eq!(from(&other, home(), &ada.tokens.refresh_token).await, Err(Refusal::InvalidRefreshToken));
    assert!(is_ended(&other, &ada).await);
}

/// Owner and thief refresh in turns, each with what they were given last; the round in which the family ends.
async fn rounds(app: &TestApp, ada: &Member, owner: RequestOrigin, thief: impl Fn(usize) -> RequestOrigin) -> usize {
    let (mut mine, mut stolen) = (ada.tokens.refresh_token.clone(), ada.tokens.refresh_token.clone());
    for round in 1..40 {
        for (token, place) in [(&mut mine, owner.clone()), (&mut stolen, thief(round))] {
            app.advance(MINUTE * 10);
            match from(app, place, token).await {
                Ok(next) => *token = next,
                Err(refused) => {
                    assert_eq!(refused, Refusal::InvalidRefreshToken);
                    return round;
                }
            }
        }
    }
    40
}

/// (fault 4) Owner and thief who refresh in turns are told apart by where they are and by what they use, within three
/// rounds, although no access token is ever shown here.
/// ASVS V8.2.4
#[apply(case)]
async fn a_thief_who_takes_turns_with_the_owner_is_out_within_three_rounds(fixture: Fixture) {
    let app = fixture.app().await;
    let other_agent = |_| RequestOrigin { user_agent: Some("Browser/2".to_owned()), ..home() };
    let no_agent = |_| RequestOrigin { user_agent: None, ..home() };
    let other_network = |_| RequestOrigin { user_agent: home().user_agent, ..elsewhere(1) };
    let thieves: [Place; 5] = [
        Box::new(other_agent),
        Box::new(no_agent),
        Box::new(other_network),
        Box::new(|_| elsewhere(1)),
        Box::new(elsewhere),
    ];
    for (n, thief) in thieves.into_iter().enumerate() {
        let ada = app.member(&format!("ada{n}")).await;
        let rounds = rounds(&app, &ada, home(), thief).await;
        assert!(rounds <= 3, "thief {n}: {rounds}");
        assert!(is_ended(&app, &ada).await);
        assert_eq!(app.count_of(ada.id, EventKind::RefreshTokenReused).await, 2);
    }
}

/// (fault 4) Turns have to be in a row: a generation that one party used alone begins anew.
#[apply(case)]
async fn changes_of_network_now_and_then_are_no_turns(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let mut token = ada.tokens.refresh_token.clone();
    for generation in 0..12 {
        let lost = from(&app, elsewhere(generation), &token).await.unwrap();
        // Two of three lose their answers and are repeated on another network.
        if generation % 3 != 0 {
            assert_eq!(from(&app, elsewhere(generation + 1), &token).await.as_deref(), Ok(&*lost));
        }
        token = lost;
    }
    assert!(!is_ended(&app, &ada).await);
}

/// (fault 4) A thief tries one used token in many places at once: it is answered, and that is the first of three signs.
#[apply(case)]
async fn one_used_token_in_many_places_at_once_is_one_sign(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let mut token = ada.tokens.refresh_token.clone();
    let services = app.shared();
    for _ in 0..3 {
        let next = app.refresh(&token).await;
        let Ok(next) = next else { break };
        at_once(16, |n| {
            let (services, token) = (Arc::clone(&services), token.clone());
            async move { services.sessions.refresh(&at(&services, elsewhere(n)), &token).await.map(drop) }
        })
        .await;
        token = next.tokens.refresh_token;
    }
    assert!(is_ended(&app, &ada).await, "the third");
    assert_eq!(app.count_of(ada.id, EventKind::RefreshTokenReused).await, 32);
}
