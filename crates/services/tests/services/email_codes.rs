//! Sign-in by a code that is sent to a proven address.

use std::time::Duration;

use userd_model::Refusal;
use userd_services::{
    Completion, Failure,
    limits::{LimitSettings, Rate},
    testing::TestOptions,
};

use crate::{
    emails::{mails, mails_to, newest},
    factors::support::pending,
    fixture::{Fixture, MINUTE, TestApp, at_once, refusal, with, wrong_fields},
    personas::{Member, OTHER_PASSWORD, PASSWORD, at, elsewhere, home, of_session, password},
};

fn on() -> TestOptions {
    with(|settings| settings.email_code_sign_in = true)
}

/// Somebody who has proven their address, with the mails so far behind them.
async fn proven(app: &TestApp, name: &str) -> Member {
    let member = app.member(name).await;
    let (token, _) = newest(app, &member.email).await;
    app.emails.verify_link(&at(app, home()), &token, None).await.unwrap();
    app.advance(Duration::from_secs(1));
    member
}

async fn begin(app: &TestApp, email: &str) -> String {
    mails(app).await;
    let begun = app.email_codes.begin(&at(app, home()), email).await.unwrap();
    assert_eq!(begun.expires_in, 600);
    begun.challenge
}

async fn finish(app: &TestApp, challenge: &str, code: &str) -> Result<Completion, Failure> {
    app.email_codes.finish(&at(app, home()), challenge, code, Some("phone")).await
}

/// Challenge and code.
async fn sent(app: &TestApp, email: &str) -> (String, String) {
    let challenge = begin(app, email).await;
    (challenge, newest(app, email).await.1)
}

fn other(code: &str) -> String {
    format!("{:06}", (code.parse::<u32>().unwrap() + 1) % 1_000_000)
}

/// ASVS V6.3.6
#[apply(case)]
async fn it_is_off_unless_it_is_switched_on(fixture: Fixture) {
    let app = fixture.app().await;
    assert_eq!(refusal(app.email_codes.begin(&at(&app, home()), "ada@example.org").await), Refusal::NotFound);
    assert_eq!(refusal(finish(&app, "", "123456").await), Refusal::NotFound);
}

#[apply(case)]
async fn a_code_signs_in_once_with_its_own_challenge(fixture: Fixture) {
    let app = fixture.app_with(on()).await;
    let ada = proven(&app, "ada").await;
    let mine = begin(&app, "Ada@Example.org").await;
    let (_, code) = newest(&app, &ada.email).await;
    app.advance(Duration::from_secs(1));
    let (theirs, second) = sent(&app, &ada.email).await;
    if code != second {
        assert_eq!(refusal(finish(&app, &theirs, &code).await), Refusal::InvalidCode, "of another challenge");
    }
    let read_out = format!(" {} {}-{} ", &code[..2], &code[2..3], &code[3..]);
    let signed_in = finish(&app, &mine, &read_out).await.unwrap().signed_in().unwrap();
    assert_eq!(signed_in.user.id, ada.id);
    let claims = &app.who(&signed_in.tokens.access_token).await.unwrap().token.claims;
    assert_eq!((claims.amr.join(" "), claims.acr.as_deref()), ("otp".into(), Some("aal1")));
    assert_eq!(refusal(finish(&app, &mine, &code).await), Refusal::InvalidCode, "used");
    assert!(finish(&app, &theirs, &second).await.is_ok());
    assert_eq!(wrong_fields(app.email_codes.begin(&at(&app, home()), "no address").await), ["/email"]);
}

/// AC-011: whoever asks hears the same, and a challenge of nobody's ends as one of somebody's does.
#[apply(case)]
async fn known_and_unknown_addresses_answer_alike_and_only_a_proven_one_gets_a_mail(fixture: Fixture) {
    let app = fixture.app_with(on()).await;
    let ada = proven(&app, "ada").await;
    let unproven = app.member("grace").await;
    for email in [&ada.email, &unproven.email, "nobody@example.org"] {
        let before = mails_to(&app, email).await.len();
        let challenge = begin(&app, email).await;
        let after = mails_to(&app, email).await.len();
        assert_eq!(after - before, usize::from(email == ada.email), "{email}");
        let wrong = if after > before { other(&newest(&app, email).await.1) } else { "123456".to_owned() };
        for _ in 0..7 {
            assert_eq!(refusal(finish(&app, &challenge, &wrong).await), Refusal::InvalidCode);
        }
        app.advance(Duration::from_secs(1));
    }
}

/// AC-004: five wrong codes end a challenge, from wherever they come, and the right one is not taken any more.
#[apply(case)]
async fn five_wrong_codes_end_it_and_ten_minutes_do(fixture: Fixture) {
    let app = fixture.app_with(on()).await;
    let ada = proven(&app, "ada").await;
    let (challenge, code) = sent(&app, &ada.email).await;
    let (services, wrong) = (app.shared(), other(&code));
    let ends = at_once(64, |n| {
        let (services, challenge, wrong) = (services.clone(), challenge.clone(), wrong.clone());
        let ctx = services.context().from_origin(elsewhere(n));
        async move { services.email_codes.finish(&ctx, &challenge, &wrong, None).await }
    })
    .await;
    assert!(ends.into_iter().all(|end| refusal(end) == Refusal::InvalidCode));
    assert_eq!(refusal(finish(&app, &challenge, &code).await), Refusal::InvalidCode);
    app.advance(Duration::from_secs(1));
    let (challenge, code) = sent(&app, &ada.email).await;
    app.advance(10 * MINUTE);
    assert_eq!(refusal(finish(&app, &challenge, &code).await), Refusal::InvalidCode);
}

#[apply(case)]
async fn of_sixty_four_who_show_a_code_at_once_one_is_signed_in(fixture: Fixture) {
    let app = fixture.app_with(on()).await;
    let ada = proven(&app, "ada").await;
    let (challenge, code) = sent(&app, &ada.email).await;
    let services = app.shared();
    let ends = at_once(64, |n| {
        let (services, challenge, code) = (services.clone(), challenge.clone(), code.clone());
        let ctx = services.context().from_origin(elsewhere(n));
        async move { services.email_codes.finish(&ctx, &challenge, &code, None).await }
    })
    .await;
    assert_eq!(ends.into_iter().filter(Result::is_ok).count(), 1);
}

/// AC-026: a second factor is asked for as at every way in; and a change of the password ends codes on their way (AC-007).
#[apply(case)]
async fn a_code_is_one_factor_and_dies_with_the_credentials(fixture: Fixture) {
    let app = fixture.app_with(on()).await;
    let ada = proven(&app, "ada").await;
    let (challenge, code) = sent(&app, &ada.email).await;
    let (old, new) = (password(PASSWORD), password(OTHER_PASSWORD));
    let session = of_session(&app, ada.id, ada.tokens.session_id, home());
    app.accounts.change_password(&session, &old, &new).await.unwrap();
    assert_eq!(refusal(finish(&app, &challenge, &code).await), Refusal::InvalidCode);
    let phone = app.phone_of(&ada).await;
    let (challenge, code) = sent(&app, &ada.email).await;
    let step = pending(finish(&app, &challenge, &code).await.unwrap());
    assert_eq!(step.status, "second_factor_required");
    let both = app.second_step(&step, &phone.shows(app.now())).await.unwrap().signed_in().unwrap();
    let claims = &app.who(&both.tokens.access_token).await.unwrap().token.claims;
    assert_eq!((claims.amr.join(" "), claims.acr.as_deref()), ("otp mfa".into(), Some("aal2")));
    app.users.block(&app.operator_context(), ada.id).await.unwrap();
    app.advance(Duration::from_secs(1));
    let (challenge, code) = sent(&app, &ada.email).await;
    assert_eq!(refusal(finish(&app, &challenge, &code).await), Refusal::Blocked, "told to who reads the mail");
}

/// The owner of a deleted account has it back by a code, as by every way in.
#[apply(case)]
async fn a_deleted_account_is_offered_back(fixture: Fixture) {
    let app = fixture.app_with(on()).await;
    let ada = proven(&app, "ada").await;
    let session = of_session(&app, ada.id, ada.tokens.session_id, home());
    app.deletions.delete_own(&session, Some(&password(PASSWORD))).await.unwrap();
    mails(&app).await;
    app.advance(Duration::from_secs(1));
    let (challenge, code) = sent(&app, &ada.email).await;
    let step = pending(finish(&app, &challenge, &code).await.unwrap());
    assert_eq!(step.status, "account_deleted");
    assert!(app.deletions.restore_own(&at(&app, home()), &step.challenge).await.unwrap().signed_in().is_ok());
}

/// AC-004: whoever asks from ever more networks gets ever more challenges, and no more guesses: twenty mails at once, no
/// code without a mail, and twenty-five wrong codes at once for one address, whatever they are codes of. Its owner, on a
/// device that they signed in with, has a count of their own.
#[apply(case)]
async fn guesses_at_the_codes_of_one_address_are_bounded_from_however_many_networks(fixture: Fixture) {
    let app = fixture
        .app_with(with(|settings| {
            settings.email_code_sign_in = true;
            settings.limits.enabled = true;
        }))
        .await;
    let ada = proven(&app, "ada").await;
    let before = mails_to(&app, &ada.email).await.len();
    for email in [ada.email.as_str(), "nobody@example.org"] {
        let (mut compared, mut last) = (0, None);
        for n in 0..60 {
            let ctx = at(&app, elsewhere(n));
            let challenge = app.email_codes.begin(&ctx, email).await.unwrap().challenge;
            mails(&app).await;
            for _ in 0..5 {
                let guessed = app.email_codes.finish(&ctx, &challenge, "123456", None).await.map(drop);
                compared += usize::from(refusal(guessed) == Refusal::InvalidCode);
            }
            last = Some((ctx, challenge));
        }
        assert_eq!(compared, 25, "{email}");
        let (ctx, challenge) = last.unwrap();
        app.advance(2 * MINUTE);
        assert_eq!(refusal(app.email_codes.finish(&ctx, &challenge, "123456", None).await), Refusal::InvalidCode);
        let next = refusal(app.email_codes.finish(&ctx, &challenge, "123456", None).await);
        assert!(matches!(next, Refusal::TooManyAttempts(_)), "one in two minutes is 720 a day");
    }
    assert_eq!(mails_to(&app, &ada.email).await.len() - before, 20);
    let rows = app.reading().one_time_tokens().of_owner(ada.id, app.now()).await.unwrap();
    let codes = rows.iter().filter(|row| row.purpose == "email_code").count();
    assert_eq!(codes, 15, "one for each mail, without the five that were guessed at to their end");

    let known = |app: &TestApp| at(app, home()).on_device(ada.tokens.device_token.clone());
    let challenge = app.email_codes.begin(&known(&app), &ada.email).await.unwrap().challenge;
    let (_, code) = newest(&app, &ada.email).await;
    let wrong = app.email_codes.finish(&known(&app), &challenge, &other(&code), None).await;
    assert_eq!(refusal(wrong), Refusal::InvalidCode, "compared");
    assert!(app.email_codes.finish(&known(&app), &challenge, &code, None).await.is_ok());
}

/// The named limits: mails by network and by address, wrong codes by network.
#[apply(case)]
async fn mails_and_wrong_codes_are_limited(fixture: Fixture) {
    let rate = |burst| Rate { burst, period: 10 * MINUTE };
    let options = with(|settings| {
        settings.email_code_sign_in = true;
        settings.limits = LimitSettings {
            mail_per_network: rate(4),
            mail_per_recipient: rate(3),
            code_per_network: rate(6),
            ..LimitSettings::default()
        };
    });
    let app = fixture.app_with(options).await;
    let ada = proven(&app, "ada").await;
    let before = mails_to(&app, &ada.email).await.len();
    for _ in 0..4 {
        app.email_codes.begin(&at(&app, home()), &ada.email).await.unwrap();
    }
    let fifth = app.email_codes.begin(&at(&app, home()), &ada.email).await;
    assert!(matches!(refusal(fifth), Refusal::TooManyAttempts(_)));
    assert_eq!(mails_to(&app, &ada.email).await.len() - before, 3, "the address counts when mails are sent");
    let mut compared = 0;
    for _ in 0..9 {
        compared += usize::from(refusal(finish(&app, &"A".repeat(43), "123456").await) == Refusal::InvalidCode);
    }
    assert_eq!(compared, 6);
}
