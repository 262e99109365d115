//! Registration: every success and every refusal.

use std::sync::Arc;

use userd_model::{Refusal, UserStatus};
use userd_services::{accounts::Registration, testing::settings};

use crate::{
    fixture::{Fixture, at_once, refusal, with, wrong_fields},
    personas::{PASSWORD, at, elsewhere, home, of_id, password, registration, started},
};

#[apply(case)]
async fn somebody_registers_with_an_email_and_is_signed_in(fixture: Fixture) {
    let app = fixture.app().await;
    let asked = Registration {
        display_name: Some("Ада".into()),
        locale: Some("ru-RU".into()),
        device_name: Some("Laptop".into()),
        ..registration(Some("Ada@Example.ORG"), None)
    };
    let signed_in = app.accounts.register(&at(&app, home()), asked, None).await.map(started).unwrap();
    assert_eq!(signed_in.user.email.as_deref(), Some("ada@example.org"), "stored as compared");
    assert_eq!((signed_in.user.email_verified, signed_in.user.version), (false, 1));
    assert_eq!(signed_in.user.display_name.as_deref(), Some("Ада"));
    assert_eq!((signed_in.user.status, signed_in.user.roles.len()), (UserStatus::Active, 0));
    assert!(signed_in.tokens.device_token.is_some());
    let who = app.who(&signed_in.tokens.access_token).await.unwrap();
    assert_eq!(who.user().unwrap(), (signed_in.user.id, signed_in.tokens.session_id));
    assert_eq!(app.events_of(signed_in.user.id).await, ["session.started", "user.registered"]);
    let device = &app.sessions.list(&of_id(&app, signed_in.user.id), signed_in.user.id, None, 10).await.unwrap()[0];
    assert_eq!((device.device_name.as_deref(), device.ip.as_deref()), (Some("Laptop"), Some("192.0.2.1")));
}

#[apply(case)]
async fn a_username_alone_is_enough_and_both_work_for_signing_in(fixture: Fixture) {
    let app = fixture.app().await;
    let alone =
        app.accounts.register(&at(&app, home()), registration(None, Some("Grace_H")), None).await.map(started).unwrap();
    assert_eq!((alone.user.username.as_deref(), alone.user.email), (Some("Grace_H"), None));
    assert_eq!(app.login("grace_h", PASSWORD).await.unwrap().user.id, alone.user.id);
    let both = app.member("ada").await;
    assert_eq!(app.login("ada", PASSWORD).await.unwrap().user.id, both.id);
    assert_eq!(app.login("ada@example.org", PASSWORD).await.unwrap().user.id, both.id);
}

/// AC-110: one address has one spelling, whatever the case, the domain's spelling and the width of its letters.
#[apply(case)]
async fn a_taken_email_is_refused_in_every_spelling(fixture: Fixture) {
    let app = fixture.app().await;
    let first = registration(Some("ada@bücher.example"), None);
    app.accounts.register(&at(&app, home()), first, None).await.map(started).unwrap();
    for spelling in ["ada@bücher.example", "ADA@BÜCHER.example", "ada@xn--bcher-kva.example", "ada@Bücher.Example"] {
        let answer =
            app.accounts.register(&at(&app, home()), registration(Some(spelling), None), None).await.map(started);
        assert_eq!(refusal(answer), Refusal::EmailTaken, "{spelling}");
    }
}

/// AC-111: homographs, case variants and look-alikes of an existing username.
#[apply(case)]
async fn a_username_that_looks_like_a_taken_one_is_refused(fixture: Fixture) {
    let app = fixture.app().await;
    app.accounts.register(&at(&app, home()), registration(None, Some("paypal")), None).await.map(started).unwrap();
    for look_alike in ["paypal", "PayPal", "paypaI", "paypa1", "раураl"] {
        let answer =
            app.accounts.register(&at(&app, home()), registration(None, Some(look_alike)), None).await.map(started);
        match refusal(answer) {
            Refusal::UsernameTaken => {}
            Refusal::InvalidInput(_) if look_alike == "раураl" => {}
            other => panic!("{look_alike}: {other:?}"),
        }
    }
}

#[apply(case)]
async fn reserved_names_are_for_nobody(fixture: Fixture) {
    let app = fixture.app().await;
    for name in ["admin", "Administrator", "support", "r00t", "поддержка"] {
        let answer = app.accounts.register(&at(&app, home()), registration(None, Some(name)), None).await.map(started);
        assert_eq!(wrong_fields(answer), ["/username"], "{name}");
    }
}

/// ASVS V6.2.4, V6.2.11
#[apply(case)]
async fn everything_that_is_wrong_is_said_at_once(fixture: Fixture) {
    let app = fixture.app().await;
    let asked = Registration {
        email: Some("no address".into()),
        username: Some("a b".into()),
        password: password("short"),
        display_name: Some("\u{202e}evil".into()),
        locale: Some("???".into()),
        device_name: None,
        invitation: None,
        accept: Vec::new(),
    };
    let wrong = wrong_fields(app.accounts.register(&at(&app, home()), asked, None).await.map(started));
    assert_eq!(wrong, ["/email", "/username", "/display_name", "/locale", "/password"]);
    let nothing = app.accounts.register(&at(&app, home()), registration(None, None), None).await.map(started);
    assert_eq!(wrong_fields(nothing), ["/email"]);
    for guessable in ["password1234", "adalovelace1", "userd userd userd", &"long ".repeat(1000)] {
        let asked = Registration {
            password: password(guessable),
            ..registration(Some("ada@example.org"), Some("adalovelace"))
        };
        assert_eq!(
            wrong_fields(app.accounts.register(&at(&app, home()), asked, None).await.map(started)),
            ["/password"],
            "{guessable}"
        );
    }
    let named = Registration { device_name: Some("a\nb".into()), ..registration(Some("ada@example.org"), None) };
    assert_eq!(
        wrong_fields(app.accounts.register(&at(&app, home()), named, None).await.map(started)),
        ["/device_name"]
    );
    assert!(
        app.accounts
            .register(&at(&app, home()), registration(Some("ada@example.org"), None), None)
            .await
            .map(started)
            .is_ok()
    );
}

/// AC-106: registration is switched off but the service is asked all the same.
#[apply(case)]
async fn closed_registration_is_closed(fixture: Fixture) {
    let app = fixture.app_with(with(|settings| settings.registration = userd_services::RegistrationMode::Closed)).await;
    let answer =
        app.accounts.register(&at(&app, home()), registration(Some("ada@example.org"), None), None).await.map(started);
    assert_eq!(refusal(answer), Refusal::RegistrationClosed);
    assert!(app.reading().users().page(None, 10).await.unwrap().is_empty());
}

/// ASVS V2.4.1
#[apply(case)]
async fn one_network_registers_only_so_many(fixture: Fixture) {
    let app = fixture
        .app_with(with(|settings| {
            settings.limits.enabled = true;
            settings.limits.registration_per_network.burst = 2;
        }))
        .await;
    for n in 0..2 {
        let asked = registration(Some(&format!("n{n}@example.org")), None);
        app.accounts.register(&at(&app, home()), asked, None).await.map(started).unwrap();
    }
    let third =
        app.accounts.register(&at(&app, home()), registration(Some("n3@example.org"), None), None).await.map(started);
    let Refusal::TooManyAttempts(wait) = refusal(third) else { panic!("another refusal") };
    assert_eq!(wait, settings().limits.registration_per_network.period);
    let other_place = app
        .accounts
        .register(&at(&app, elsewhere(1)), registration(Some("n3@example.org"), None), None)
        .await
        .map(started);
    assert!(other_place.is_ok(), "others are not concerned");
    app.advance(wait);
    assert!(
        app.accounts
            .register(&at(&app, home()), registration(Some("n4@example.org"), None), None)
            .await
            .map(started)
            .is_ok()
    );
}

#[apply(case)]
async fn a_repeated_request_makes_nothing_twice(fixture: Fixture) {
    let app = fixture.app().await;
    let once = app.idempotency.request("register", "key-1", b"body");
    let asked = || registration(Some("ada@example.org"), None);
    let first = app.accounts.register(&at(&app, home()), asked(), Some(&once)).await.map(started).unwrap();
    let again = app.accounts.register(&at(&app, home()), asked(), Some(&once)).await.map(started).unwrap();
    assert_eq!(first.user, again.user);
    assert_ne!(first.tokens.refresh_token, again.tokens.refresh_token, "tokens are issued anew");
    assert_eq!(app.devices_of(first.user.id).await.len(), 2);
    let other_body = app.idempotency.request("register", "key-1", b"other body");
    let answer = app.accounts.register(&at(&app, home()), asked(), Some(&other_body)).await.map(started);
    assert_eq!(refusal(answer), Refusal::IdempotencyMismatch);
    let other_scope = app.idempotency.request("another route", "key-1", b"body");
    let answer = app.accounts.register(&at(&app, home()), asked(), Some(&other_scope)).await.map(started);
    assert_eq!(refusal(answer), Refusal::EmailTaken, "another request with the same key");
    app.advance(crate::fixture::DAY);
    let late = app.accounts.register(&at(&app, home()), asked(), Some(&once)).await.map(started);
    assert_eq!(refusal(late), Refusal::EmailTaken, "answers are kept for a day");
}

/// ASVS V2.3.4
#[apply(case)]
async fn sixty_four_want_one_address_and_one_gets_it(fixture: Fixture) {
    let app = fixture.app().await;
    let services = app.shared();
    let answers = at_once(64, |n| {
        let services = Arc::clone(&services);
        let spelling = if n % 2 == 0 { "ada@example.org" } else { "ADA@example.org" };
        async move {
            services
                .accounts
                .register(&at(&services, elsewhere(n)), registration(Some(spelling), None), None)
                .await
                .map(started)
        }
    })
    .await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!(won.len(), 1);
    assert!(lost.into_iter().all(|answer| refusal(answer) == Refusal::EmailTaken));
    assert_eq!(app.reading().users().page(None, 100).await.unwrap().len(), 1);
}

/// ASVS V2.3.4
#[apply(case)]
async fn sixty_four_repeats_at_once_make_one_account_and_equal_answers(fixture: Fixture) {
    let app = fixture.app().await;
    let services = app.shared();
    let answers = at_once(64, |n| {
        let services = Arc::clone(&services);
        async move {
            let once = services.idempotency.request("register", "key-1", b"body");
            let asked = registration(Some("ada@example.org"), Some("ada"));
            services.accounts.register(&at(&services, elsewhere(n)), asked, Some(&once)).await.map(started).unwrap()
        }
    })
    .await;
    assert!(answers.iter().all(|answer| answer.user.id == answers[0].user.id));
    assert_eq!(app.reading().users().page(None, 100).await.unwrap().len(), 1);
    for answer in &answers {
        assert!(app.who(&answer.tokens.access_token).await.is_ok());
    }
}

/// ASVS V6.2.8, V6.2.9, V6.2.10
#[apply(case)]
async fn a_password_is_compared_whole_and_never_grows_old(fixture: Fixture) {
    let app = fixture.app().await;
    let long = "пароль из слов ".repeat(9);
    let asked = Registration { password: password(&long), ..registration(None, Some("ada")) };
    app.accounts.register(&at(&app, home()), asked, None).await.map(started).unwrap();
    app.advance(crate::fixture::DAY * 3650);
    assert!(app.login("ada", &long).await.is_ok());
    for near in [long.trim_end().to_owned(), format!("{long}x"), long.to_uppercase()] {
        assert_eq!(refusal(app.login("ada", &near).await), Refusal::WrongCredentials);
    }
    let decomposed = "пароль из слов ".repeat(9).replace('й', "и\u{306}");
    assert!(app.login("ada", &decomposed).await.is_ok(), "the same text from another keyboard");
}
