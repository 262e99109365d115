//! Refreshing: rotation, answers lost on the way, theft, and everything after which a refresh token is dead.

use std::{sync::Arc, time::Duration};

use userd_model::{EventKind, Refusal, Session};
use userd_providers::Profile;
use userd_services::{Failure, testing::TestOptions};
use userd_storage::testing::Counting;

use crate::{
    fixture::{DAY, Fixture, TestApp, at_once, refusal, with},
    personas::{Member, OTHER_PASSWORD, PASSWORD, at, elsewhere, home, of_id, of_session, password},
    sign_in::elsewhere::{Elsewhere, offering, person, proven},
};

/// (fault 7) A renewal admits whom a sign-in would admit today, and the session waits for the rule to change.
#[apply(case)]
async fn renewal_applies_todays_rules_of_sign_in(fixture: Fixture) {
    let only = |domain: &'static str| {
        Elsewhere::new("acme", move |facts| facts.policy.allowed_domains = vec![domain.to_owned()])
    };
    let acme = only("example.org");
    let app = fixture.app_with(offering(&[&acme])).await;
    acme.is(proven("acme", "7", "ada@example.org"));
    let mut token = app.sign_in_through("acme").await.tokens.refresh_token;
    let mut own = app.member("grace").await.tokens.refresh_token;
    let off = Elsewhere::new("acme", |facts| facts.policy.enabled = false);
    let other = Elsewhere::new("other", |_| {});
    let rules = [
        (off, "provider_disabled"),
        (other, "provider_disabled"),
        (only("corp.example"), "domain_not_allowed"),
        (only("sub.example.org"), "domain_not_allowed"),
    ];
    for (seed, (provider, reason)) in (2..).zip(rules) {
        let clock = Some(Arc::clone(&app.clock));
        let later = fixture.app_with(TestOptions { clock, seed, ..offering(&[&provider]) }).await;
        assert_eq!(refusal(later.refresh(&token).await), Refusal::SignInNotAllowed(reason));
        own = later.refresh(&own).await.expect("a password asks no provider").tokens.refresh_token;
        token = app.refresh(&token).await.expect("the session stays").tokens.refresh_token;
    }
}

/// (fault 7) Who came without a proven address is not admitted where one is asked for now.
#[apply(case)]
async fn renewal_asks_for_a_proven_address_where_a_sign_in_would(fixture: Fixture) {
    let acme = Elsewhere::new("acme", |_| {});
    let app = fixture.app_with(offering(&[&acme])).await;
    acme.is(Profile { email: Some("ada@example.org".to_owned()), ..person("acme", "7") });
    let token = app.sign_in_through("acme").await.tokens.refresh_token;
    let strict = Elsewhere::new("acme", |facts| facts.policy.allowed_domains = vec!["example.org".to_owned()]);
    let clock = Some(Arc::clone(&app.clock));
    let later = fixture.app_with(TestOptions { clock, seed: 2, ..offering(&[&strict]) }).await;
    assert_eq!(refusal(later.refresh(&token).await), Refusal::SignInNotAllowed("domain_not_allowed"));
    strict.is(proven("acme", "7", "ada@example.org"));
    later.sign_in_through("acme").await;
    assert!(later.refresh(&token).await.is_ok(), "proven meanwhile");
}

/// ASVS V7.2.2
#[apply(case)]
async fn a_refresh_gives_a_new_pair_of_the_same_session(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    app.advance(Duration::from_secs(60));
    let next = app.sessions.refresh(&at(&app, elsewhere(1)), &ada.tokens.refresh_token).await.unwrap();
    assert_eq!((next.user.id, next.tokens.session_id), (ada.id, ada.tokens.session_id));
    assert_ne!(next.tokens.refresh_token, ada.tokens.refresh_token);
    assert_ne!(next.tokens.access_token, ada.tokens.access_token);
    assert_eq!(next.tokens.device_token, None, "the device has its token already");
    let who = app.who(&next.tokens.access_token).await.unwrap();
    assert_eq!(who.auth_time, Some(app.now().minus(Duration::from_secs(60))), "refreshing proves nobody anew");
    assert!(app.who(&ada.tokens.access_token).await.is_ok(), "the old access token lives out its time");
    let device = &app.sessions.list(&of_id(&app, ada.id), ada.id, None, 9).await.unwrap()[0];
    assert_eq!((device.last_seen_at, device.ip.as_deref()), (app.now(), elsewhere(1).ip.as_deref()));
}

/// F15: the answer is lost on the way; the retry gets the same successor, and nobody is signed out.
#[apply(case)]
async fn a_lost_answer_is_given_again(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let lost = app.refresh(&ada.tokens.refresh_token).await.unwrap();
    for _ in 0..3 {
        let again = app.refresh(&ada.tokens.refresh_token).await.unwrap();
        assert_eq!(again.tokens.refresh_token, lost.tokens.refresh_token);
    }
    let next = app.refresh(&lost.tokens.refresh_token).await.unwrap();
    assert_ne!(next.tokens.refresh_token, lost.tokens.refresh_token);
}

async fn session_of(app: &TestApp, member: &Member) -> Session {
    app.reading().sessions().find(member.tokens.session_id).await.unwrap().unwrap()
}

async fn write(app: &TestApp, sessions: &[Session]) {
    let put = app.deps.store.transact("put", |mut uow| async move {
        for session in sessions {
            uow.sessions().rotate(session).await?;
        }
        uow.commit(()).await
    });
    put.await.unwrap();
}

/// Whoever can write to the database gets nobody's refresh token by moving it to a session of their own.
#[apply(case)]
async fn successors_that_change_places_are_given_to_nobody(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, grace) = (app.member("ada").await, app.member("grace").await);
    let members = [&ada, &grace];
    for member in members {
        app.refresh(&member.tokens.refresh_token).await.unwrap();
    }
    let sessions = [session_of(&app, &ada).await, session_of(&app, &grace).await];
    let [one, other] = sessions.clone();
    let swapped =
        [Session { successor: other.successor.clone(), ..one.clone() }, Session { successor: one.successor, ..other }];
    write(&app, &swapped).await;
    for member in members {
        let again = app.refresh(&member.tokens.refresh_token).await;
        assert!(matches!(again, Err(Failure::Internal(_))), "{:?}", again.map(|_| "given"));
    }
    write(&app, &sessions).await;
    for member in members {
        assert!(app.refresh(&member.tokens.refresh_token).await.is_ok(), "in its own place");
    }
}

/// AC-090: one refresh token, sixty-four times at once: one lineage, and no false sign-out.
/// ASVS V10.4.5
#[apply(case)]
async fn sixty_four_refreshes_at_once_are_one(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let services = app.shared();
    let mut token = ada.tokens.refresh_token.clone();
    // From one network, from 64, from 64: a third row of 64 would be two parties in turns (fault 4).
    for places in [1, 64, 64] {
        let answers = at_once(64, |n| {
            let (services, token) = (Arc::clone(&services), token.clone());
            async move {
                services
                    .sessions
                    .refresh(&at(&services, elsewhere(n % places)), &token)
                    .await
                    .unwrap()
                    .tokens
                    .refresh_token
            }
        })
        .await;
        assert!(answers.iter().all(|answer| *answer == answers[0]), "the family has forked");
        token = answers[0].clone();
    }
    assert!(app.refresh(&token).await.is_ok());
    assert_eq!(app.count_of(ada.id, EventKind::RefreshTokenReplayed).await, 0);
    let session = app.reading().sessions().find(ada.tokens.session_id).await.unwrap().unwrap();
    assert_eq!(session.generation, 4);
}

/// AC-090: a token whose successor has been used comes back: stolen. The family ends, its tokens die at once.
/// ASVS V10.4.5
#[apply(case)]
async fn an_older_token_ends_the_family(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let other = app.login("ada", PASSWORD).await.unwrap();
    let second = app.refresh(&ada.tokens.refresh_token).await.unwrap().tokens;
    let third = app.refresh(&second.refresh_token).await.unwrap().tokens;
    assert_eq!(refusal(app.refresh(&ada.tokens.refresh_token).await), Refusal::InvalidRefreshToken);
    for tokens in [&ada.tokens, &second, &third] {
        assert!(app.is_out(tokens).await);
    }
    assert!(!app.is_out(&other.tokens).await, "the user's other sessions go on");
    assert_eq!(app.count_of(ada.id, EventKind::RefreshTokenReplayed).await, 1, "and the user will be told, once");
    assert_eq!(app.devices_of(ada.id).await, [other.tokens.session_id]);
}

/// AC-090: whoever stole a token tries it in many places at once.
#[apply(case)]
async fn a_stolen_token_tried_many_times_at_once_is_told_once(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let second = app.refresh(&ada.tokens.refresh_token).await.unwrap().tokens;
    app.refresh(&second.refresh_token).await.unwrap();
    let services = app.shared();
    let answers = at_once(64, |n| {
        let (services, token) = (Arc::clone(&services), ada.tokens.refresh_token.clone());
        async move { refusal(services.sessions.refresh(&at(&services, elsewhere(n)), &token).await) }
    })
    .await;
    assert!(answers.iter().all(|answer| *answer == Refusal::InvalidRefreshToken), "{answers:?}");
    assert_eq!(app.count_of(ada.id, EventKind::RefreshTokenReplayed).await, 1);
    assert!(app.devices_of(ada.id).await.is_empty());
}

/// ASVS V7.2.1
#[apply(case)]
async fn a_forged_token_never_reaches_the_database(fixture: Fixture) {
    let (engine, counting) = Counting::over(Arc::clone(fixture.store.engine()));
    let app = Fixture::over(engine).app().await;
    let ada = app.member("ada").await;
    let real = &ada.tokens.refresh_token;
    let last = if real.ends_with('A') { "B" } else { "A" };
    let middle = if &real[40..41] == "A" { "B" } else { "A" };
    let forged = [
        String::new(),
        "udr_".to_owned(),
        format!("{}{last}", &real[..real.len() - 1]),
        format!("{}{middle}{}", &real[..40], &real[41..]),
        real.to_uppercase(),
        format!("{real}="),
        format!(" {real}"),
        real.replace("udr_", "udc_"),
        "x".repeat(100_000),
    ];
    counting.take();
    for token in &forged {
        assert_eq!(refusal(app.refresh(token).await), Refusal::InvalidRefreshToken);
        app.sessions.revoke_refresh_token(&at(&app, home()), token).await.unwrap();
    }
    assert_eq!(counting.take(), userd_storage::testing::Counted::default());
    assert!(app.refresh(real).await.is_ok());
}

/// AC-081: an access token is no refresh token, nor the other way round.
/// ASVS V9.2.2
#[apply(case)]
async fn one_kind_of_token_is_never_taken_for_another(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    assert_eq!(refusal(app.refresh(&ada.tokens.access_token).await), Refusal::InvalidRefreshToken);
    let device = ada.tokens.device_token.clone().unwrap();
    assert_eq!(refusal(app.refresh(&device).await), Refusal::InvalidRefreshToken);
    assert!(app.who(&ada.tokens.refresh_token).await.is_err());
    assert!(app.who(&device).await.is_err());
}

/// ASVS V7.3.1
#[apply(case)]
async fn a_token_that_is_not_used_expires(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, grace) = (app.member("ada").await, app.member("grace").await);
    assert_eq!(ada.tokens.refresh_expires_in, 30 * 24 * 3600);
    app.advance(DAY * 30 - Duration::from_secs(1));
    assert!(app.refresh(&ada.tokens.refresh_token).await.is_ok());
    app.advance(Duration::from_secs(1));
    assert_eq!(refusal(app.refresh(&grace.tokens.refresh_token).await), Refusal::InvalidRefreshToken);
}

#[apply(case)]
async fn each_refresh_begins_the_time_anew(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let mut tokens = ada.tokens;
    for _ in 0..5 {
        app.advance(DAY * 29);
        tokens = app.refresh(&tokens.refresh_token).await.unwrap().tokens;
        assert_eq!(tokens.refresh_expires_in, 30 * 24 * 3600);
    }
    app.advance(Duration::from_secs(60));
    let soon = app.refresh(&tokens.refresh_token).await.unwrap().tokens;
    let session = app.reading().sessions().find(soon.session_id).await.unwrap().unwrap();
    assert_eq!(session.expires_at.since(app.now()).as_secs(), soon.refresh_expires_in, "what is told is what holds");
}

/// The end is an indexed column: refreshing every few minutes does not write it each time.
#[apply(case)]
async fn the_end_of_a_session_is_written_when_it_moves_by_more_than_a_hundredth(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let end = session_of(&app, &ada).await.expires_at;
    let (hundredth, second) = (app.deps.settings.refresh_ttl / 100, Duration::from_secs(1));
    app.advance(hundredth);
    let next = app.refresh(&ada.tokens.refresh_token).await.unwrap().tokens;
    assert_eq!(session_of(&app, &ada).await.expires_at, end);
    app.advance(second);
    app.refresh(&next.refresh_token).await.unwrap();
    assert_eq!(session_of(&app, &ada).await.expires_at, end.plus(hundredth + second));
}

/// ASVS V7.3.2, V10.4.8
#[apply(case)]
async fn no_refreshing_outlives_the_longest_life(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let mut tokens = ada.tokens;
    for _ in 0..8 {
        app.advance(DAY * 20);
        tokens = app.refresh(&tokens.refresh_token).await.unwrap().tokens;
    }
    assert_eq!(tokens.refresh_expires_in, 20 * 24 * 3600, "180 days in all");
    app.advance(DAY * 20);
    assert_eq!(refusal(app.refresh(&tokens.refresh_token).await), Refusal::InvalidRefreshToken);
    let short = with(|settings| settings.session_max_lifetime = DAY);
    let clock = Some(Arc::clone(&app.clock));
    let strict = fixture.app_with(TestOptions { clock, seed: 3, ..short }).await;
    assert_eq!(strict.login("ada", PASSWORD).await.unwrap().tokens.refresh_expires_in, 24 * 3600);
}

/// AC-088: a refresh after the sign-out.
/// ASVS V7.4.1
#[apply(case)]
async fn a_signed_out_session_is_not_refreshed(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    app.sessions.end(&of_id(&app, ada.id), ada.id, ada.tokens.session_id).await.unwrap();
    assert!(app.is_out(&ada.tokens).await);
    let grace = app.member("grace").await;
    let next = app.refresh(&grace.tokens.refresh_token).await.unwrap().tokens;
    app.sessions.revoke_refresh_token(&at(&app, home()), &grace.tokens.refresh_token).await.unwrap();
    assert!(app.is_out(&next).await, "any token of the family revokes the family");
    assert_eq!(refusal(app.refresh(&grace.tokens.refresh_token).await), Refusal::InvalidRefreshToken, "no replay");
}

/// AC-087: refreshing goes on after a block or a change of the password.
/// ASVS V7.4.2, V7.4.3
#[apply(case)]
async fn every_token_dies_with_a_block_and_a_new_password(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, grace) = (app.member("ada").await, app.member("grace").await);
    let rotated = app.refresh(&ada.tokens.refresh_token).await.unwrap().tokens;
    app.users.block(&app.operator_context(), ada.id).await.unwrap();
    for tokens in [&ada.tokens, &rotated] {
        assert!(app.is_out(tokens).await);
    }
    app.users.unblock(&app.operator_context(), ada.id).await.unwrap();
    assert!(app.is_out(&rotated).await, "opening the account again brings no session back");

    let phone = app.login("grace", PASSWORD).await.unwrap().tokens;
    let (old, new) = (password(PASSWORD), password(OTHER_PASSWORD));
    app.accounts.change_password(&of_session(&app, grace.id, phone.session_id, home()), &old, &new).await.unwrap();
    assert!(app.is_out(&grace.tokens).await);
    assert!(!app.is_out(&phone).await);
}
