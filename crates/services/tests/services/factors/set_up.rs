//! Setting factors up, and removing them.

use userd_model::{EventKind, Level, Refusal};

use super::support::{Phone, is_wrong, recovery};
use crate::{
    fixture::{Fixture, MINUTE, out_of_date, refusal, wrong_fields},
    personas::{Member, OTHER_PASSWORD, PASSWORD, password},
};

fn two_factors() -> Refusal {
    Refusal::InsufficientAuthentication { level: Level::Two, max_age: Some(5 * MINUTE) }
}

#[apply(case)]
async fn an_app_is_a_factor_once_it_has_shown_a_code(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let ctx = app.acting(&ada).await;
    let begun = app.factors.begin_totp(&ctx, Some(" my phone "), None).await.unwrap();
    assert!(begun.uri.starts_with("otpauth://totp/127.0.0.1:ada@example.org?secret="), "{}", *begun.uri);
    assert!(begun.uri.contains(&*begun.secret) && begun.qr_svg.contains("<svg"), "{}", *begun.uri);
    assert!(app.factors.held(&ctx).await.unwrap().items.is_empty(), "it does not count yet");
    assert_eq!(app.login("ada", PASSWORD).await.unwrap().user.id, ada.id, "nor is it asked for");
    let phone = Phone::reading(&begun);
    let wrong = app.factors.confirm_totp(&ctx, begun.id, "000000").await;
    assert!(is_wrong(wrong));
    let codes = app.factors.confirm_totp(&ctx, begun.id, &phone.code(app.now())).await.unwrap().expect("the first");
    assert_eq!(codes.len(), 10);
    let held = app.factors.held(&ctx).await.unwrap();
    assert_eq!((held.items.len(), held.recovery_codes_left), (1, 10));
    assert_eq!((held.items[0].id, held.items[0].name.as_deref()), (begun.id, Some("my phone")));
    let again = app.factors.confirm_totp(&ctx, begun.id, &phone.code(app.now())).await;
    assert!(matches!(refusal(again), Refusal::InsufficientAuthentication { .. }), "this session is as weak as it was");
    assert_eq!(app.count_of(ada.id, EventKind::FactorAdded).await, 1);
    assert_eq!(
        wrong_fields(app.factors.begin_totp(&app.acting(&app.member("grace").await).await, Some("a\nb"), None).await),
        ["/name"]
    );
}

/// AC-137: an enrolment is used again, by another session, or by another user.
#[apply(case)]
async fn a_set_up_is_good_once_and_in_its_session(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, grace) = (app.member("ada").await, app.member("grace").await);
    let begun = app.factors.begin_totp(&app.acting(&ada).await, None, None).await.unwrap();
    let code = Phone::reading(&begun).code(app.now());
    let elsewhere = Member { tokens: app.login("ada", PASSWORD).await.unwrap().tokens, ..ada.clone() };
    for other in [&grace, &elsewhere] {
        let answer = app.factors.confirm_totp(&app.acting(other).await, begun.id, &code).await;
        assert_eq!(refusal(answer), Refusal::NotFound);
        let shown = app.factors.waiting_totp(&app.acting(other).await, begun.id).await;
        assert_eq!(refusal(shown), Refusal::NotFound);
    }
    let shown = app.factors.waiting_totp(&app.acting(&ada).await, begun.id).await.unwrap();
    assert_eq!((shown.id, &*shown.uri), (begun.id, &*begun.uri), "the same once more, in its own session");
    assert!(app.factors.confirm_totp(&app.acting(&ada).await, begun.id, &code).await.is_ok());
    app.advance(MINUTE);
    let again = Phone::reading(&begun).code(app.now());
    let phone = Phone::reading(&begun);
    let strong = Member { tokens: app.login_with_phone("ada", &phone).await.tokens, ..ada.clone() };
    assert_eq!(
        refusal(app.factors.confirm_totp(&app.acting(&strong).await, begun.id, &again).await),
        Refusal::NotFound
    );
    let late = app.factors.begin_totp(&app.acting(&strong).await, None, None).await.unwrap();
    for _ in 0..4 {
        assert!(is_wrong(app.factors.confirm_totp(&app.acting(&strong).await, late.id, "000000").await));
    }
    assert!(is_wrong(app.factors.confirm_totp(&app.acting(&strong).await, late.id, "000000").await));
    let right = Phone::reading(&late).code(app.now());
    let dead = app.factors.confirm_totp(&app.acting(&strong).await, late.id, &right).await;
    assert_eq!(refusal(dead), Refusal::NotFound, "five wrong codes end it");
    let shown = app.factors.waiting_totp(&app.acting(&strong).await, late.id).await;
    assert_eq!(refusal(shown), Refusal::NotFound, "and nobody is shown it");
}

/// AC-142: a session that has shown only a password sets up a factor; that lifts nothing, and once there is a factor a
/// password alone adds no other one.
#[apply(case)]
async fn a_new_factor_needs_the_strongest_one_held_and_lifts_no_session(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let other = Member { tokens: app.login("ada", PASSWORD).await.unwrap().tokens, ..ada.clone() };
    // Begun by a thief before the owner had a factor.
    let waiting = app.factors.begin_totp(&app.acting(&other).await, None, None).await.unwrap();
    let phone = app.phone_of(&ada).await;
    let code = Phone::reading(&waiting).code(app.now());
    assert_eq!(refusal(app.factors.confirm_totp(&app.acting(&other).await, waiting.id, &code).await), two_factors());
    for weak in [&ada, &other] {
        let ctx = app.acting(weak).await;
        assert_eq!(refusal(app.factors.begin_totp(&ctx, None, None).await), two_factors());
        assert_eq!(refusal(app.factors.renew_recovery_codes(&ctx).await), two_factors());
        assert_eq!(refusal(app.factors.remove(&ctx, phone.factor).await), two_factors());
        let (current, new) = (password(PASSWORD), password(OTHER_PASSWORD));
        assert_eq!(refusal(app.accounts.change_password(&ctx, &current, &new).await), two_factors());
    }
    let refreshed = app.refresh(&ada.tokens.refresh_token).await.unwrap();
    let claims = &app.who(&refreshed.tokens.access_token).await.unwrap().token.claims;
    assert_eq!((claims.acr.as_deref(), claims.amr.as_slice()), (Some("aal1"), ["pwd".to_owned()].as_slice()));
    let strong = Member { tokens: app.login_with_phone("ada", &phone).await.tokens, ..ada.clone() };
    assert!(app.factors.begin_totp(&app.acting(&strong).await, None, None).await.is_ok());
    app.advance(5 * MINUTE + MINUTE);
    let strong = Member { tokens: app.refresh(&strong.tokens.refresh_token).await.unwrap().tokens, ..strong };
    assert_eq!(
        refusal(app.factors.begin_totp(&app.acting(&strong).await, None, None).await),
        two_factors(),
        "not fresh"
    );
    let grace = app.member("grace").await;
    app.advance(6 * MINUTE);
    assert_eq!(refusal(app.factors.begin_totp(&app.acting(&grace).await, None, None).await), out_of_date());
}

/// ASVS V6.5.6
#[apply(case)]
async fn the_last_factor_takes_the_recovery_codes_with_it(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let phone = app.phone_of(&ada).await;
    let strong = Member { tokens: app.login_with_phone("ada", &phone).await.tokens, ..ada.clone() };
    let ctx = app.acting(&strong).await;
    let fresh = app.factors.renew_recovery_codes(&ctx).await.unwrap();
    assert!(fresh.iter().all(|code| !phone.recovery_codes.contains(code)));
    let challenge = app.first_step("ada").await;
    assert!(is_wrong(app.second_step(&challenge, &recovery(&phone.recovery_codes[0])).await), "the old set is dead");
    app.factors.remove(&ctx, phone.factor).await.unwrap();
    assert_eq!(refusal(app.factors.remove(&ctx, phone.factor).await), Refusal::NotFound);
    let held = app.factors.held(&ctx).await.unwrap();
    assert_eq!((held.items.len(), held.recovery_codes_left), (0, 0));
    assert_eq!(refusal(app.factors.renew_recovery_codes(&ctx).await), Refusal::NotFound);
    let dead = app.second_step(&challenge, &recovery(&fresh[0])).await;
    assert_eq!(refusal(dead), Refusal::ChallengeGone, "nor is there a sign-in that waits for a code");
    assert!(app.login("ada", PASSWORD).await.is_ok());
    let events = app.events_of(ada.id).await;
    assert!(events.contains(&"factor.removed".to_owned()) && events.contains(&"factor.recovery_codes_made".to_owned()));
}
