//! What owners change: profile, password, username.

use userd_model::{EventKind, Refusal, Timestamp, UserId};
use userd_services::accounts::ProfileInput;
use userd_storage::repositories::one_time_tokens::OneTimeToken;

use crate::{
    fixture::{Fixture, MINUTE, TestApp, refusal, wrong_fields},
    personas::{OTHER_PASSWORD, PASSWORD, acting, at, home, of, of_id, of_session, password, registration, started},
};

#[apply(case)]
async fn a_profile_is_changed_field_by_field(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    assert_eq!(app.user_reader.show(ada.id).await.unwrap().display_name, None);
    app.advance(MINUTE);
    let attributes = serde_json::json!({ "team": "engines", "floor": 3 }).as_object().cloned();
    let input = ProfileInput {
        display_name: Some(Some("Ada".into())),
        locale: Some(Some("en-GB".into())),
        time_zone: Some(Some("Europe/London".into())),
        attributes: attributes.clone(),
        phone: None,
    };
    let changed = app.accounts.change_profile(&of(&app, &ada), input, Some(1)).await.unwrap();
    assert_eq!((changed.version, changed.updated_at), (2, app.now()));
    assert_eq!(changed.display_name.as_deref(), Some("Ada"));
    assert_eq!((changed.locale.as_deref(), changed.time_zone.as_deref()), (Some("en-GB"), Some("Europe/London")));
    assert_eq!(Some(&changed.attributes), attributes.as_ref());
    assert_eq!(app.user_reader.show(ada.id).await.unwrap(), changed, "no older view is shown again");
    let clear = ProfileInput { display_name: Some(None), ..ProfileInput::default() };
    let cleared = app.accounts.change_profile(&of(&app, &ada), clear, None).await.unwrap();
    assert_eq!((cleared.display_name, cleared.locale.as_deref(), cleared.version), (None, Some("en-GB"), 3));
    assert_eq!(app.count_of(ada.id, EventKind::UserChanged).await, 2);
}

#[apply(case)]
async fn a_change_against_another_version_is_refused(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let named = |name: &str| ProfileInput { display_name: Some(Some(name.into())), ..ProfileInput::default() };
    app.accounts.change_profile(&of(&app, &ada), named("first"), Some(1)).await.unwrap();
    let late = app.accounts.change_profile(&of(&app, &ada), named("second"), Some(1)).await;
    assert_eq!(refusal(late), Refusal::VersionMismatch);
    assert_eq!(refusal(app.accounts.change_username(&of(&app, &ada), "ada2", Some(1)).await), Refusal::VersionMismatch);
    assert_eq!(app.user_reader.show(ada.id).await.unwrap().display_name.as_deref(), Some("first"));
    assert_eq!(app.count_of(ada.id, EventKind::UserChanged).await, 1);
}

/// ASVS V2.2.2
#[apply(case)]
async fn every_wrong_field_of_a_profile_is_named(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let deep = (0..100).fold(serde_json::json!(1), |inner, _| serde_json::json!([inner]));
    let input = ProfileInput {
        display_name: Some(Some("a\u{0}b".into())),
        locale: Some(Some("not a locale".into())),
        time_zone: Some(Some("Mars/Olympus".into())),
        attributes: serde_json::json!({ "deep": deep }).as_object().cloned(),
        phone: None,
    };
    let wrong = wrong_fields(app.accounts.change_profile(&of(&app, &ada), input, None).await);
    assert_eq!(wrong, ["/display_name", "/locale", "/time_zone", "/attributes"]);
}

#[apply(case)]
async fn blocked_deleted_and_unknown_accounts_change_nothing(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, grace) = (app.member("ada").await, app.member("grace").await);
    app.users.block(&acting(&app, &userd_model::Actor::Operator), ada.id).await.unwrap();
    app.delete(grace.id).await;
    let nobody = UserId(uuid::Uuid::nil());
    for (id, expected) in [(ada.id, Refusal::Blocked), (grace.id, Refusal::NotSignedIn), (nobody, Refusal::NotSignedIn)]
    {
        let profile = app.accounts.change_profile(&of_id(&app, id), ProfileInput::default(), None).await;
        assert_eq!(refusal(profile), expected);
        assert_eq!(refusal(app.accounts.change_username(&of_id(&app, id), "another", None).await), expected);
    }
    let (old, new) = (password(PASSWORD), password(OTHER_PASSWORD));
    let blocked =
        app.accounts.change_password(&of_session(&app, ada.id, ada.tokens.session_id, home()), &old, &new).await;
    assert_eq!(refusal(blocked), Refusal::Blocked);
    let deleted =
        app.accounts.change_password(&of_session(&app, grace.id, grace.tokens.session_id, home()), &old, &new).await;
    assert_eq!(refusal(deleted), Refusal::NotSignedIn);
}

/// ASVS V6.2.2, V6.2.3, V7.4.3
#[apply(case)]
async fn a_new_password_ends_every_other_session(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let phone = app.login("ada", PASSWORD).await.unwrap().tokens;
    let change = async |current: &str, new: &str| {
        let session = ada.tokens.session_id;
        app.accounts
            .change_password(&of_session(&app, ada.id, session, home()), &password(current), &password(new))
            .await
    };
    assert_eq!(refusal(change(OTHER_PASSWORD, "another good password 7").await), Refusal::WrongCurrentPassword);
    assert_eq!(wrong_fields(change(PASSWORD, "short").await), ["/new_password"]);
    assert_eq!(wrong_fields(change(PASSWORD, "ada@example.org").await), ["/new_password"], "the user's own data");
    assert!(!app.is_out(&phone).await);
    change(PASSWORD, OTHER_PASSWORD).await.unwrap();
    assert!(app.is_out(&phone).await);
    assert!(!app.is_out(&ada.tokens).await);
    assert_eq!(refusal(app.login("ada", PASSWORD).await), Refusal::WrongCredentials);
    assert!(app.login("ada", OTHER_PASSWORD).await.is_ok());
    let expected = [
        "session.ended",
        "session.started",
        "session.started",
        "session.started",
        "user.password_changed",
        "user.registered",
    ];
    assert_eq!(app.events_of(ada.id).await, expected);
}

/// AC-007: a code on its way to the user is used after the password was changed.
#[apply(case)]
async fn a_new_password_kills_every_code_on_its_way(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, grace) = (app.member("ada").await, app.member("grace").await);
    put_code(&app, ada.id, 1).await;
    put_code(&app, grace.id, 2).await;
    let (old, new) = (password(PASSWORD), password(OTHER_PASSWORD));
    app.accounts.change_password(&of_session(&app, ada.id, ada.tokens.session_id, home()), &old, &new).await.unwrap();
    assert!(codes_of(&app, ada.id).await.is_empty());
    assert_eq!(codes_of(&app, grace.id).await.len(), 1);
    app.accounts.set_password(&app.operator_context(), grace.id, &password(OTHER_PASSWORD)).await.unwrap();
    assert!(codes_of(&app, grace.id).await.is_empty());
}

async fn put_code(app: &TestApp, owner: UserId, n: u8) {
    let now: Timestamp = app.now();
    let code = &OneTimeToken {
        hash: vec![n; 32],
        purpose: "mailed_code".to_owned(),
        owner: Some(owner),
        payload: Vec::new(),
        created_at: now,
        expires_at: now.plus(MINUTE),
    };
    let put = app.deps.store.transact("put", |mut uow| async move {
        uow.one_time_tokens().insert(code).await?;
        uow.commit(()).await
    });
    put.await.unwrap();
}

async fn codes_of(app: &TestApp, owner: UserId) -> Vec<OneTimeToken> {
    app.reading().one_time_tokens().of_owner(owner, app.now()).await.unwrap()
}

#[apply(case)]
async fn the_operator_sets_a_password_and_everybody_is_out(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    assert_eq!(
        wrong_fields(app.accounts.set_password(&app.operator_context(), ada.id, &password("short")).await),
        ["/password"]
    );
    app.accounts.set_password(&app.operator_context(), ada.id, &password(OTHER_PASSWORD)).await.unwrap();
    assert!(app.is_out(&ada.tokens).await);
    assert!(app.login("ada", OTHER_PASSWORD).await.is_ok());
    let nobody = UserId(uuid::Uuid::nil());
    assert_eq!(
        refusal(app.accounts.set_password(&app.operator_context(), nobody, &password(OTHER_PASSWORD)).await),
        Refusal::NotFound
    );
}

/// Two changes with the same old password at once: the second one no longer knows the current password.
#[apply(case)]
async fn of_two_password_changes_at_once_one_wins(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let (old, one, two) = (password(PASSWORD), password(OTHER_PASSWORD), password("another good password 7"));
    let (here, there) = (of(&app, &ada), of(&app, &ada));
    let (first, second) = tokio::join!(
        app.accounts.change_password(&here, &old, &one),
        app.accounts.change_password(&there, &old, &two),
    );
    assert_eq!(usize::from(first.is_ok()) + usize::from(second.is_ok()), 1);
    let (winner, loser) = if first.is_ok() { (OTHER_PASSWORD, second) } else { ("another good password 7", first) };
    assert_eq!(refusal(loser), Refusal::WrongCurrentPassword);
    assert!(app.login("ada", winner).await.is_ok());
    assert_eq!(app.count_of(ada.id, EventKind::PasswordChanged).await, 1);
}

/// AC-145: a name that was given up is taken by nobody else, and stands for nobody; whoever had it may have it back.
#[apply(case)]
async fn a_username_that_was_given_up_stays_reserved_for_who_had_it(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("lovelace").await;
    let grace = app.member("grace").await;
    assert_eq!(refusal(app.accounts.change_username(&of(&app, &ada), "GRACE", None).await), Refusal::UsernameTaken);
    assert_eq!(wrong_fields(app.accounts.change_username(&of(&app, &ada), "admin", None).await), ["/username"]);
    assert_eq!(wrong_fields(app.accounts.change_username(&of(&app, &ada), "a b", None).await), ["/username"]);
    let changed = app.accounts.change_username(&of(&app, &ada), "LoveLace", Some(1)).await.unwrap();
    assert_eq!(changed.username.as_deref(), Some("LoveLace"), "the same name in another spelling");
    let changed = app.accounts.change_username(&of(&app, &ada), "countess", Some(2)).await.unwrap();
    assert_eq!((changed.username.as_deref(), changed.version), (Some("countess"), 3));
    assert_eq!(app.user_reader.show(ada.id).await.unwrap(), changed);
    assert_eq!(refusal(app.login("lovelace", PASSWORD).await), Refusal::WrongCredentials);
    assert_eq!(app.login("countess", PASSWORD).await.unwrap().user.id, ada.id);
    assert!(app.login("lovelace@example.org", PASSWORD).await.is_ok());
    for name in ["lovelace", "LOVELACE", "l0velace"] {
        let taken = app.accounts.change_username(&of(&app, &grace), name, None).await;
        assert_eq!(refusal(taken), Refusal::UsernameTaken, "{name}");
    }
    for name in ["countess", "lovelace"] {
        let again = app.accounts.register(&at(&app, home()), registration(None, Some(name)), None).await.map(started);
        assert_eq!(refusal(again), Refusal::UsernameTaken, "{name}");
    }
    app.accounts.change_username(&of(&app, &ada), "lovelace", None).await.unwrap();
    assert_eq!(app.login("lovelace", PASSWORD).await.unwrap().user.id, ada.id);
    app.accounts.change_username(&of(&app, &ada), "countess", None).await.unwrap();
    assert_eq!(app.login("countess", PASSWORD).await.unwrap().user.id, ada.id, "there and back again");
    assert_eq!(app.count_of(ada.id, EventKind::UsernameChanged).await, 4);
}

/// Each change takes a name out of use, so nobody takes thousands.
#[apply(case)]
async fn usernames_are_changed_a_few_times_and_then_once_a_day(fixture: Fixture) {
    let limits = userd_services::limits::LimitSettings::default();
    let app = fixture.app_with(crate::fixture::with(|settings| settings.limits = limits)).await;
    let ada = app.member("lovelace").await;
    for n in 0..5 {
        app.accounts.change_username(&of(&app, &ada), &format!("countess{n}"), None).await.unwrap();
    }
    let sixth = app.accounts.change_username(&of(&app, &ada), "lovelace", None).await;
    assert!(matches!(refusal(sixth), Refusal::TooManyAttempts(_)));
    app.advance(crate::fixture::DAY);
    app.accounts.change_username(&of(&app, &ada), "lovelace", None).await.unwrap();
}
