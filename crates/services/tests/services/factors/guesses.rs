//! Guessing second factors: by who knows the password.

use std::sync::Arc;

use userd_model::Refusal;
use userd_services::{
    factors::{Shown, StepUp},
    limits::{LimitSettings, Rate},
    testing::TestOptions,
};

use super::support::{Phone, recovery};
use crate::{
    fixture::{Fixture, MINUTE, TestApp, at_once, refusal, with},
    personas::{Member, PASSWORD, at, elsewhere, home, login_with},
};

/// Limits as they are without any configuration.
fn defaults() -> TestOptions {
    with(|settings| settings.limits = LimitSettings::default())
}

async fn ada(app: &TestApp) -> (Member, Phone) {
    let ada = app.member("ada").await;
    let phone = app.phone_of(&ada).await;
    (ada, phone)
}

/// Guesses at a challenge of its own, from the `n`th network.
async fn guess(app: &TestApp, login: &str, n: usize, shown: &Shown) -> Refusal {
    let first = app.sessions.login(&at(app, elsewhere(n)), login_with(login, PASSWORD)).await.unwrap();
    let challenge = first.signed_in().unwrap_err().challenge;
    refusal(app.factors.second_step(&at(app, elsewhere(n)), &challenge, shown).await)
}

/// AC-018, AC-019: codes are guessed by who knows the password, from many networks and with new challenges: the account
/// counts, without any configuration. The owner still comes in by a recovery code.
#[apply(case)]
async fn wrong_codes_count_against_the_account_whatever_the_challenge(fixture: Fixture) {
    let app = fixture.app_with(defaults()).await;
    let (_, phone) = ada(&app).await;
    let mut compared = 0;
    for n in 0..30 {
        compared += usize::from(guess(&app, "ada", n, &phone.wrong(app.now())).await == Refusal::InvalidCode);
    }
    assert_eq!(compared, 10);
    let right = guess(&app, "ada", 40, &phone.shows(app.now())).await;
    assert!(matches!(right, Refusal::TooManyAttempts(_)), "the right one is not even compared");
    let challenge = app.first_step("ada").await;
    assert!(app.second_step(&challenge, &recovery(&phone.recovery_codes[0])).await.is_ok());
    app.advance(15 * MINUTE);
    let challenge = app.first_step("ada").await;
    assert!(app.second_step(&challenge, &phone.shows(app.now())).await.is_ok());
}

/// AC-018: the guesses are spread over routes: sign-ins and step-ups count together, for each kind of factor.
#[apply(case)]
async fn wrong_codes_count_against_the_account_whatever_the_route(fixture: Fixture) {
    let app = fixture.app_with(defaults()).await;
    let (member, phone) = ada(&app).await;
    let mut compared = 0;
    for n in 0..20 {
        let wrong = phone.wrong(app.now());
        let end = match n % 2 {
            0 => guess(&app, "ada", n, &wrong).await,
            _ => {
                let ctx = app.acting(&member).await.from_origin(elsewhere(n));
                refusal(app.factors.step_up(&ctx, StepUp { password: None, factor: Some(wrong) }).await)
            }
        };
        compared += usize::from(end == Refusal::InvalidCode);
    }
    assert_eq!(compared, 10);
    let mut compared = 0;
    for n in 0..20 {
        let wrong = recovery("AAAA-AAAA-AAAA-AAAA-AAAA-AAAA");
        compared += usize::from(guess(&app, "ada", 30 + n, &wrong).await == Refusal::InvalidCode);
    }
    assert_eq!(compared, 10, "recovery codes have a count of their own");
}

/// AC-018: the guesses are spread over accounts, of which the passwords are known: the network counts.
#[apply(case)]
async fn wrong_codes_spread_over_accounts_count_against_the_network(fixture: Fixture) {
    let app = fixture.app_with(defaults()).await;
    let mut compared = 0;
    for n in 0..8 {
        let name = format!("person{n}");
        let member = app.member(&name).await;
        let phone = app.phone_of(&member).await;
        // A minute passes at each set-up, and gives the network one guess.
        for _ in 0..5 {
            compared += usize::from(guess(&app, &name, 0, &phone.wrong(app.now())).await == Refusal::InvalidCode);
        }
    }
    assert!((20..=28).contains(&compared), "{compared}");
}

/// Five wrong answers end a challenge, of however many at once.
#[apply(case)]
async fn a_challenge_dies_after_five_wrong_answers(fixture: Fixture) {
    let app = fixture.app().await;
    let (_, phone) = ada(&app).await;
    let challenge = app.first_step("ada").await;
    for _ in 0..5 {
        let wrong = app.second_step(&challenge, &phone.wrong(app.now())).await;
        assert_eq!(refusal(wrong), Refusal::InvalidCode);
    }
    let right = app.second_step(&challenge, &phone.shows(app.now())).await;
    assert_eq!(refusal(right), Refusal::ChallengeGone);
    let (challenge, services) = (app.first_step("ada").await.challenge, app.shared());
    let wrong = phone.wrong(app.now());
    let answers = at_once(64, |n| {
        let (services, challenge, wrong) = (Arc::clone(&services), challenge.clone(), wrong.clone());
        async move { refusal(services.factors.second_step(&at(&services, elsewhere(n)), &challenge, &wrong).await) }
    })
    .await;
    assert_eq!(answers.iter().filter(|answer| **answer == Refusal::InvalidCode).count(), 5);
}

/// AC-023: a storm at one account gets no more than its burst.
#[apply(case)]
async fn a_storm_of_codes_is_compared_no_more_often_than_one_by_one(fixture: Fixture) {
    let rate = Rate { burst: 7, period: 15 * MINUTE };
    let app = fixture
        .app_with(with(|settings| {
            settings.limits = LimitSettings {
                second_factor_per_account: rate,
                password_per_network: Rate { burst: 1000, ..rate },
                ..LimitSettings::default()
            };
        }))
        .await;
    let (_, phone) = ada(&app).await;
    let mut challenges = Vec::new();
    for _ in 0..64 {
        challenges.push(app.first_step("ada").await.challenge);
    }
    let (services, challenges, wrong) = (app.shared(), Arc::new(challenges), phone.wrong(app.now()));
    let answers = at_once(64, |n| {
        let (services, challenges, wrong) = (Arc::clone(&services), Arc::clone(&challenges), wrong.clone());
        async move { refusal(services.factors.second_step(&at(&services, elsewhere(n)), &challenges[n], &wrong).await) }
    })
    .await;
    assert_eq!(answers.iter().filter(|answer| **answer == Refusal::InvalidCode).count(), 7);
    assert_eq!(refusal(app.factors.second_step(&at(&app, home()), "unknown", &wrong).await), Refusal::ChallengeGone);
}
