//! The second step of a sign-in, whatever the first one was.

use std::sync::Arc;

use userd_model::{EventKind, FactorMethod, Refusal};
use userd_services::{Completion, factors::Shown, sign_in::Emptied};

use super::support::{is_wrong, pending, recovery};
use crate::{
    fixture::{Fixture, MINUTE, at_once, refusal},
    personas::{Member, PASSWORD, at, elsewhere, home, login_with, of_id, registration},
    sign_in::elsewhere::{app_with_acme, code},
};

/// AC-028: tokens are asked for after the first factor alone: there are none, and the challenge opens nothing else.
#[apply(case)]
async fn whoever_holds_a_factor_is_asked_for_it_and_the_session_says_so(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let phone = app.phone_of(&ada).await;
    let sessions = app.devices_of(ada.id).await.len();
    let challenge = app.first_step("ada").await;
    assert_eq!((challenge.status.as_str(), challenge.expires_in), ("second_factor_required", 600));
    assert_eq!(challenge.methods, [FactorMethod::Totp, FactorMethod::RecoveryCode]);
    assert_eq!(app.devices_of(ada.id).await.len(), sessions, "no session began");
    assert_eq!(
        refusal(app.sessions.refresh(&at(&app, home()), &challenge.challenge).await),
        Refusal::InvalidRefreshToken
    );
    assert_eq!(app.who(&challenge.challenge).await.err(), Some(Refusal::NotSignedIn));
    let exchanged = app.sign_in.exchange(&at(&app, home()), &challenge.challenge, None, None).await;
    assert_eq!(refusal(exchanged), Refusal::InvalidCode);
    app.advance(MINUTE);
    let signed_in = app.second_step(&challenge, &phone.shows(app.now())).await.unwrap().signed_in().unwrap();
    let who = app.who(&signed_in.tokens.access_token).await.unwrap();
    assert_eq!((who.token.claims.amr.join(" "), who.token.claims.acr.as_deref()), ("pwd otp mfa".into(), Some("aal2")));
    assert_eq!(who.auth_time.map(|at| at.seconds()), Some(app.now().seconds()));
    let introspected = app.access_tokens.introspection(Some(&who.token.claims)).token.unwrap();
    assert_eq!(introspected["acr"], "aal2");
    let refreshed = app.refresh(&signed_in.tokens.refresh_token).await.unwrap();
    assert_eq!(app.who(&refreshed.tokens.access_token).await.unwrap().token.claims.acr.as_deref(), Some("aal2"));
    assert_eq!(refusal(app.second_step(&challenge, &phone.shows(app.now())).await), Refusal::ChallengeGone);
}

/// AC-138: a provider signs somebody in who holds a second factor here.
/// AC-026: every way in asks for it, and every factor that is held counts.
/// ASVS V6.8.4
#[apply(case)]
async fn a_provider_is_one_factor_whatever_it_says(fixture: Fixture) {
    let (app, _) = app_with_acme(&fixture).await;
    let ada = app.member("ada").await;
    app.link(&ada, "acme").await;
    let phone = app.phone_of(&ada).await;
    let through = code(app.through("acme").await);
    let challenge = pending(app.sign_in.exchange(&at(&app, home()), &through, None, Some("Laptop")).await.unwrap());
    assert_eq!(challenge.status, "second_factor_required");
    let signed_in = app.second_step(&challenge, &phone.shows(app.now())).await.unwrap().signed_in().unwrap();
    let claims = &app.who(&signed_in.tokens.access_token).await.unwrap().token.claims;
    assert_eq!((claims.amr.join(" "), claims.acr.as_deref()), ("fed otp mfa".into(), Some("aal2")));
    let listed = app.sessions.list(&of_id(&app, ada.id), ada.id, None, 100).await.unwrap();
    assert_eq!(listed.last().unwrap().device_name.as_deref(), Some("Laptop"), "what the first step said is kept");
}

/// AC-031: an account elsewhere is linked after a password alone, to come in by it without the second factor.
#[apply(case)]
async fn linking_and_moving_need_both_factors(fixture: Fixture) {
    let (app, _) = app_with_acme(&fixture).await;
    let (ada, grace) = (app.member("ada").await, app.member("grace").await);
    app.link(&ada, "acme").await;
    app.phone_of(&ada).await;
    let refused = refusal(app.begin_link(&ada, "acme").await);
    assert!(matches!(refused, Refusal::InsufficientAuthentication { .. }));
    let through = code(app.through("acme").await);
    let moved = app.sign_in.move_here(&app.acting(&grace).await, &through, None, Emptied::Kept).await;
    assert_eq!(refusal(moved), Refusal::IdentityTaken, "the provider proves one factor of whom it would be taken from");
}

/// AC-024: a code is shown again within its window, one after the other and sixty-four times at once.
/// F17: of a race for one code there is one winner.
#[apply(case)]
async fn a_code_signs_in_once(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let phone = app.phone_of(&ada).await;
    let shown = phone.shows(app.now());
    let mut challenges = Vec::new();
    for _ in 0..64 {
        challenges.push(app.first_step("ada").await);
    }
    let (services, challenges) = (app.shared(), Arc::new(challenges));
    let race = |shown: Shown| {
        let (services, challenges) = (Arc::clone(&services), Arc::clone(&challenges));
        at_once(64, move |n| {
            let (services, challenges, shown) = (Arc::clone(&services), Arc::clone(&challenges), shown.clone());
            async move { services.factors.second_step(&at(&services, elsewhere(n)), &challenges[n].challenge, &shown).await }
        })
    };
    let won = |answers: Vec<Result<Completion, _>>| {
        let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
        assert!(lost.into_iter().map(refusal).all(|it| matches!(it, Refusal::InvalidCode | Refusal::ChallengeGone)));
        won.len()
    };
    assert_eq!(won(race(shown.clone()).await), 1);
    assert!(is_wrong(app.second_step(&app.first_step("ada").await, &shown).await), "nor later in its window");
    assert_eq!(won(race(recovery(&phone.recovery_codes[3])).await), 1);
    assert_eq!(app.count_of(ada.id, EventKind::RecoveryCodeUsed).await, 1);
    assert_eq!(app.count_of(ada.id, EventKind::SessionStarted).await, 3);
}

/// A phone whose clock runs ahead shows the codes of later: each is good once it is that late here, and not before.
/// ASVS V6.5.8
#[apply(case)]
async fn a_code_is_judged_by_the_clock_of_the_service_alone(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let phone = app.phone_of(&ada).await;
    let ahead = phone.shows(app.now().plus(5 * MINUTE));
    let challenge = app.first_step("ada").await;
    assert!(is_wrong(app.second_step(&challenge, &ahead).await));
    app.advance(5 * MINUTE);
    assert!(app.second_step(&challenge, &ahead).await.is_ok());
}

/// One challenge is answered sixty-four times at once, with what is right: one session.
#[apply(case)]
async fn a_challenge_begins_one_session(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let phone = app.phone_of(&ada).await;
    let challenge = app.first_step("ada").await.challenge;
    let (services, codes) = (app.shared(), Arc::new(phone.recovery_codes.clone()));
    let answers = at_once(10, |n| {
        let (services, challenge, shown) = (Arc::clone(&services), challenge.clone(), recovery(&codes[n]));
        async move { services.factors.second_step(&at(&services, elsewhere(n)), &challenge, &shown).await }
    })
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    let held = app.factors.held(&of_id(&app, ada.id)).await.unwrap();
    assert_eq!(held.recovery_codes_left, 9, "the codes that began nothing are good");
}

/// The journey: the phone is lost, a code on paper stands for it.
/// ASVS V6.4.4
#[apply(case)]
async fn a_recovery_code_stands_for_a_lost_phone(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let phone = app.phone_of(&ada).await;
    let typed = phone.recovery_codes[0].to_uppercase().replace('-', " ");
    let challenge = app.first_step("ada@example.org").await;
    let signed_in = app.second_step(&challenge, &recovery(&typed)).await.unwrap().signed_in().unwrap();
    let strong = Member { tokens: signed_in.tokens, ..ada.clone() };
    let ctx = app.acting(&strong).await;
    assert_eq!(app.factors.held(&ctx).await.unwrap().recovery_codes_left, 9);
    let new = app.factors.begin_totp(&ctx, Some("new phone"), None).await.unwrap();
    let code = super::support::Phone::reading(&new).code(app.now());
    assert_eq!(app.factors.confirm_totp(&ctx, new.id, &code).await.unwrap(), None, "the codes stay");
    app.factors.remove(&ctx, phone.factor).await.unwrap();
    let challenge = app.first_step("ada").await;
    assert!(is_wrong(app.second_step(&challenge, &phone.shows(app.now())).await), "the lost phone opens nothing");
}

/// What ends sessions ends sign-ins on their way too, and a block is seen in between.
#[apply(case)]
async fn a_sign_in_on_its_way_ends_with_a_block_a_sign_out_and_its_time(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let phone = app.phone_of(&ada).await;
    let (blocked, signed_out) = (app.first_step("ada").await, app.first_step("ada").await);
    app.users.block(&app.operator_context(), ada.id).await.unwrap();
    assert_eq!(refusal(app.second_step(&blocked, &phone.shows(app.now())).await), Refusal::ChallengeGone);
    let login = app.sessions.login(&at(&app, home()), login_with("ada", PASSWORD)).await;
    assert_eq!(refusal(login), Refusal::Blocked, "whoever knows the password is told");
    app.users.unblock(&app.operator_context(), ada.id).await.unwrap();
    assert_eq!(refusal(app.second_step(&signed_out, &phone.shows(app.now())).await), Refusal::ChallengeGone);
    let late = app.first_step("ada").await;
    app.sessions.end_all(&of_id(&app, ada.id), ada.id, None).await.unwrap();
    assert_eq!(refusal(app.second_step(&late, &phone.shows(app.now())).await), Refusal::ChallengeGone);
    let late = app.first_step("ada").await;
    app.advance(10 * MINUTE);
    assert_eq!(refusal(app.second_step(&late, &phone.shows(app.now())).await), Refusal::ChallengeGone);
    for challenge in ["", "nonsense", &"A".repeat(43)] {
        let answer = app.factors.second_step(&at(&app, home()), challenge, &phone.shows(app.now())).await;
        assert_eq!(refusal(answer), Refusal::ChallengeGone);
    }
}

/// Making an account again with its idempotency key is a sign-in like every other.
#[apply(case)]
async fn a_repeated_registration_is_asked_too(fixture: Fixture) {
    let app = fixture.app().await;
    let body = registration(Some("ada@example.org"), Some("ada"));
    let key = app.idempotency.request("POST /v1/auth/register", "key-of-ada", b"body");
    let made = app.accounts.register(&at(&app, home()), body, Some(&key)).await.unwrap().signed_in().unwrap();
    let ada = Member { id: made.user.id, email: "ada@example.org".to_owned(), tokens: made.tokens };
    app.phone_of(&ada).await;
    let body = registration(Some("ada@example.org"), Some("ada"));
    let again = app.accounts.register(&at(&app, home()), body, Some(&key)).await.unwrap();
    assert_eq!(pending(again).status, "second_factor_required");
}
