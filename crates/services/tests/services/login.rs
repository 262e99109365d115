//! Sign-in by password: who gets in, who does not, and what they are told.

use userd_crypto::{PasswordOptions, Passwords};
use userd_model::Refusal;
use userd_storage::repositories::password_credentials::PasswordCredential;

use crate::{
    fixture::{DAY, Fixture, MINUTE, refusal, wrong_fields},
    personas::{OTHER_PASSWORD, PASSWORD, acting, at, home, login_with, of_id, password, registration, started},
};

#[apply(case)]
async fn every_spelling_of_a_login_gets_in(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("Ada_L").await;
    for login in ["Ada_L@example.org", "ada_l@EXAMPLE.org", "Ada_L", "ADA_L"] {
        assert_eq!(app.login(login, PASSWORD).await.unwrap().user.id, ada.id, "{login}");
    }
    let signed_in = app.login("ada_l", PASSWORD).await.unwrap();
    assert_eq!(signed_in.user.last_sign_in_at, Some(app.now()));
    let who = app.who(&signed_in.tokens.access_token).await.unwrap();
    assert_eq!((who.token.claims.amr.clone(), who.auth_time), (vec!["pwd".to_owned()], Some(app.now())));
}

/// What is remembered of the user is out of date by the sign-in, although their version stays.
#[apply(case)]
async fn the_time_of_a_sign_in_shows_at_once_where_it_happened(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let shown = async || app.user_reader.show(ada.id).await.unwrap();
    let before = shown().await;
    assert_eq!(before.last_sign_in_at, Some(app.now()));
    app.advance(MINUTE);
    app.login("ada", PASSWORD).await.unwrap();
    let after = shown().await;
    assert_eq!((after.last_sign_in_at, after.version), (Some(app.now()), before.version));
}

/// (fault 31)
#[apply(case)]
async fn white_space_around_what_people_type_is_read_alike_on_every_way(fixture: Fixture) {
    let app = fixture.app().await;
    let asked = registration(Some(" anna@example.org "), Some("\tAnna\n"));
    let anna = app.accounts.register(&at(&app, home()), asked, None).await.map(started).unwrap().user;
    assert_eq!(anna.email.as_deref(), Some("anna@example.org"));
    assert_eq!(anna.username.as_deref(), Some("Anna"));
    for login in ["anna@example.org ", "\u{a0}anna@example.org\r\n", " anna", "anna\t", "anna@example.org"] {
        assert_eq!(app.login(login, PASSWORD).await.unwrap().user.id, anna.id, "{login:?}");
    }
    for (email, username) in [(Some("anna@example.org\n"), None), (None, Some(" anna "))] {
        let again = app.accounts.register(&at(&app, home()), registration(email, username), None).await.map(started);
        assert!(matches!(refusal(again), Refusal::EmailTaken | Refusal::UsernameTaken), "{email:?}, {username:?}");
    }
    let renamed = app.accounts.change_username(&of_id(&app, anna.id), " countess ", None).await.unwrap();
    assert_eq!(renamed.username.as_deref(), Some("countess"));
}

/// AC-111. (fault 31)
#[apply(case)]
async fn a_name_with_a_dot_that_nobody_sees_is_taken(fixture: Fixture) {
    let app = fixture.app().await;
    app.member("irina").await;
    let twin = registration(None, Some("i\u{307}rina"));
    let twin = app.accounts.register(&at(&app, home()), twin, None).await.map(started);
    assert_eq!(refusal(twin), Refusal::UsernameTaken);
}

/// AC-010: an unknown login, a nonsensical one and a wrong password are answered the same.
/// ASVS V6.3.8
#[apply(case)]
async fn a_wrong_password_and_an_unknown_login_look_the_same(fixture: Fixture) {
    let app = fixture.app().await;
    app.member("ada").await;
    let long = "x".repeat(5000);
    for (login, text) in [
        ("ada@example.org", OTHER_PASSWORD),
        ("ada@example.org", ""),
        ("ada@example.org", long.as_str()),
        ("nobody@example.org", PASSWORD),
        ("nobody", PASSWORD),
        ("+79990000000", PASSWORD),
        ("@@@", PASSWORD),
        ("", PASSWORD),
        ("' OR 1=1 --", PASSWORD),
    ] {
        assert_eq!(refusal(app.login(login, text).await), Refusal::WrongCredentials, "{login:?}");
    }
}

#[apply(case)]
async fn a_malformed_device_name_is_refused_before_anything_else(fixture: Fixture) {
    let app = fixture.app().await;
    app.member("ada").await;
    let mut asked = login_with("ada", PASSWORD);
    asked.device_name = Some("x".repeat(5000));
    assert_eq!(wrong_fields(app.sessions.login(&at(&app, home()), asked).await.map(started)), ["/device_name"]);
}

#[apply(case)]
async fn a_blocked_account_says_so_only_to_who_knows_the_password(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    app.users.block(&acting(&app, &userd_model::Actor::Operator), ada.id).await.unwrap();
    assert_eq!(refusal(app.login("ada", PASSWORD).await), Refusal::Blocked);
    assert_eq!(refusal(app.login("ada", OTHER_PASSWORD).await), Refusal::WrongCredentials);
    app.users.unblock(&acting(&app, &userd_model::Actor::Operator), ada.id).await.unwrap();
    assert!(app.login("ada", PASSWORD).await.is_ok());
}

#[apply(case)]
async fn a_deleted_account_does_not_exist_for_who_signs_in(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    app.delete(ada.id).await;
    assert_eq!(refusal(app.login("ada", PASSWORD).await), Refusal::WrongCredentials);
    assert_eq!(refusal(app.refresh(&ada.tokens.refresh_token).await), Refusal::InvalidRefreshToken);
}

#[apply(case)]
async fn a_sign_in_hashes_anew_when_the_parameters_have_changed(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let credential = async || app.reading().password_credentials().find(ada.id).await.unwrap().unwrap();
    let fresh = credential().await;
    app.login("ada", PASSWORD).await.unwrap();
    assert_eq!(credential().await.hash, fresh.hash, "nothing has changed yet");

    let weaker =
        PasswordOptions { memory_kib: 32, iterations: 1, parallelism: 1, workers: 1, ..PasswordOptions::default() };
    let deps = &app.deps;
    let hasher = Passwords::new(weaker, deps.random.clone(), deps.clock.clone()).unwrap();
    let mut old = credential().await;
    old.hash = hasher.hash(userd_crypto::Zeroizing::new(PASSWORD.to_owned())).await.unwrap();
    let stored = &old;
    let store = &deps.store;
    store
        .transact("old_hash", |mut uow| async move {
            uow.password_credentials().upsert(stored).await?;
            uow.commit(()).await
        })
        .await
        .unwrap();
    app.advance(DAY);
    assert_eq!(refusal(app.login("ada", OTHER_PASSWORD).await), Refusal::WrongCredentials);
    assert_eq!(credential().await.hash, old.hash, "only who knows the password can change its hash");
    app.login("ada", PASSWORD).await.unwrap();
    let after = credential().await;
    assert_ne!(after.hash, old.hash);
    assert!(after.hash.contains("m=64,"), "{}", after.hash);
    assert_eq!(after.changed_at, old.changed_at, "the password itself has not changed");
    assert!(app.login("ada", PASSWORD).await.is_ok());
}

/// AC-083: a session id is new at each sign-in and never the one of before.
/// ASVS V7.2.4
#[apply(case)]
async fn every_sign_in_makes_a_new_session(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let again = app.login("ada", PASSWORD).await.unwrap();
    assert_ne!(again.tokens.session_id, ada.tokens.session_id);
    assert_ne!(again.tokens.refresh_token, ada.tokens.refresh_token);
    assert_eq!(app.devices_of(ada.id).await.len(), 2);
    assert_eq!(app.events_of(ada.id).await, ["session.started", "session.started", "user.registered"]);
}

/// AC-084: two people on one device get sessions of their own.
#[apply(case)]
async fn the_second_person_at_a_device_never_gets_the_first_ones_session(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let grace = app
        .accounts
        .register(&at(&app, home()), registration(Some("grace@example.org"), None), None)
        .await
        .map(started)
        .unwrap();
    let mut asked = login_with("grace@example.org", PASSWORD);
    asked.password = password(PASSWORD);
    asked.device_token = ada.tokens.device_token.clone();
    let again = app.sessions.login(&at(&app, home()), asked).await.map(started).unwrap();
    assert_eq!(again.user.id, grace.user.id);
    assert!(![ada.tokens.session_id, grace.tokens.session_id].contains(&again.tokens.session_id));
    assert_eq!(app.who(&again.tokens.access_token).await.unwrap().user().unwrap().0, grace.user.id);
}

/// A hash that this service may no longer afford, or whose pepper is gone, is a wrong password and not a fault.
#[apply(case)]
async fn a_hash_that_cannot_be_checked_answers_like_a_wrong_password(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let dear = "$argon2id$v=19$m=4194304,t=1,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
    let credential =
        &PasswordCredential { user_id: ada.id, hash: dear.to_owned(), changed_at: app.now(), must_change: false };
    let put = app.deps.store.transact("put", |mut uow| async move {
        uow.password_credentials().upsert(credential).await?;
        uow.commit(()).await
    });
    put.await.unwrap();
    let known = refusal(app.login("ada", PASSWORD).await);
    let unknown = refusal(app.login("nobody-here", PASSWORD).await);
    assert_eq!((known, unknown), (Refusal::WrongCredentials, Refusal::WrongCredentials));
}

/// Signing in and out all day leaves no history that the next sign-in would have to read.
#[apply(case)]
async fn ended_sessions_do_not_pile_up(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    for _ in 0..12 {
        let signed_in = app.login("ada", PASSWORD).await.unwrap();
        app.sessions.end(&of_id(&app, ada.id), ada.id, signed_in.tokens.session_id).await.unwrap();
    }
    let rows = app.reading().sessions().page_of_user(ada.id, None, 100).await.unwrap();
    assert!(rows.len() <= 2, "{} rows", rows.len());
}
