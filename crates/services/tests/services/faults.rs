//! Faults at every storage call of a use case, one after the other: whatever fails, the state is the one before or
//! the one after, and trying again succeeds.

use std::sync::Arc;

use userd_model::{EventKind, Refusal, UserId};
use userd_services::{Failure, accounts::ProfileInput};
use userd_storage::{
    StoreError,
    testing::{Fault, Injector},
};

use crate::{
    fixture::{Fixture, TestApp, refusal},
    personas::{OTHER_PASSWORD, PASSWORD, at, home, of, of_id, of_session, password, registration, started},
};

/// An app whose storage fails when told to.
async fn fragile(fixture: &Fixture) -> (TestApp, Arc<Injector>) {
    let (engine, injector) = Injector::over(Arc::clone(fixture.store.engine()));
    (Fixture::over(engine).app().await, injector)
}

/// Sweeps every fault over every call of `act`, once per person, and looks at each end with `check`.
async fn sweep(
    app: &TestApp,
    injector: &Injector,
    prepare: impl AsyncFn(&str),
    act: impl AsyncFn(&str) -> Result<(), Failure>,
    check: impl AsyncFn(&str, &Result<(), Failure>),
) {
    for fault in Fault::ALL {
        for nth in 0.. {
            assert!(nth < 200, "the sweep does not end");
            let name = format!("{fault:?}{nth}").to_lowercase();
            prepare(&name).await;
            injector.arm(nth, fault);
            let ended = act(&name).await;
            let fired = injector.fired();
            injector.disarm();
            lawful(&ended, fault, fired);
            app.follow_revocations().await.unwrap();
            check(&name, &ended).await;
            if !fired {
                break;
            }
        }
    }
}

/// A conflict is never visible; other faults are visible as such, and as nothing else.
fn lawful(ended: &Result<(), Failure>, fault: Fault, fired: bool) {
    match (ended, fault) {
        (Ok(()), _) => {}
        (Err(Failure::Store(StoreError::Unavailable(_))), Fault::Unavailable) if fired => {}
        (
            Err(Failure::Store(StoreError::Unavailable(_) | StoreError::OutcomeUnknown(_))),
            Fault::UnknownAndLost | Fault::UnknownButKept,
        ) if fired => {}
        other => panic!("{other:?}, fired: {fired}"),
    }
}

/// The one account with this name, whole, or none.
async fn account_of(app: &TestApp, name: &str) -> Option<UserId> {
    match app.users.find(&app.operator_context(), name).await {
        Ok(user) => Some(user.id),
        Err(failure) => {
            assert_eq!(refusal::<()>(Err(failure)), Refusal::NotFound);
            None
        }
    }
}

/// F02: registration, with an idempotency key.
/// ASVS V2.3.3
#[apply(fault_case)]
async fn a_registration_happens_wholly_or_not_at_all(fixture: Fixture) {
    let (app, injector) = fragile(&fixture).await;
    let register = async |name: &str| {
        let once = app.idempotency.request("register", name, b"");
        let email = format!("{name}@example.org");
        app.accounts.register(&at(&app, home()), registration(Some(&email), Some(name)), Some(&once)).await.map(started)
    };
    let check = async |name: &str, ended: &Result<(), Failure>| {
        let before = account_of(&app, name).await;
        assert!(before.is_some() || ended.is_err(), "an acknowledged account is lost");
        if let Some(id) = before {
            assert_eq!(app.events_of(id).await, ["session.started", "user.registered"]);
            assert_eq!(app.devices_of(id).await.len(), 1);
            app.login(&format!("{name}@example.org"), PASSWORD).await.unwrap();
        }
        let again = register(name).await.unwrap();
        assert!(before.is_none_or(|id| id == again.user.id), "the repeat made a second account");
        assert!(app.who(&again.tokens.access_token).await.is_ok());
    };
    sweep(&app, &injector, async |_| {}, async |name| register(name).await.map(drop), check).await;
}

/// F02: sign-in.
#[apply(fault_case)]
async fn a_sign_in_happens_wholly_or_not_at_all(fixture: Fixture) {
    let (app, injector) = fragile(&fixture).await;
    let prepare = async |name: &str| drop(app.member(name).await);
    let check = async |name: &str, ended: &Result<(), Failure>| {
        let id = account_of(&app, name).await.unwrap();
        let sessions = app.devices_of(id).await.len();
        assert_eq!(app.count_of(id, EventKind::SessionStarted).await, sessions);
        assert!(sessions == 2 || (ended.is_err() && sessions == 1));
        app.login(name, PASSWORD).await.unwrap();
    };
    sweep(&app, &injector, prepare, async |name| app.login(name, PASSWORD).await.map(drop), check).await;
}

/// F02, F15: refresh. The client has the old token only, and gets on with it.
#[apply(fault_case)]
async fn a_refresh_happens_wholly_or_not_at_all(fixture: Fixture) {
    let (app, injector) = fragile(&fixture).await;
    let tokens = std::sync::Mutex::new(std::collections::HashMap::new());
    let token_of = |name: &str| tokens.lock().unwrap().get(name).cloned().unwrap_or_default();
    let prepare = async |name: &str| {
        let member = app.member(name).await;
        tokens.lock().unwrap().insert(name.to_owned(), member.tokens.refresh_token);
    };
    let act = async |name: &str| app.refresh(&token_of(name)).await.map(drop);
    let check = async |name: &str, _: &Result<(), Failure>| {
        let next = app.refresh(&token_of(name)).await.unwrap().tokens;
        let last = app.refresh(&next.refresh_token).await.unwrap().tokens;
        let session = app.reading().sessions().find(last.session_id).await.unwrap().unwrap();
        assert_eq!(session.generation, 2, "one lineage");
        assert_eq!(app.count_of(session.user_id, EventKind::RefreshTokenReplayed).await, 0);
    };
    sweep(&app, &injector, prepare, act, check).await;
}

/// F02: change of the password.
#[apply(fault_case)]
async fn a_password_change_happens_wholly_or_not_at_all(fixture: Fixture) {
    let (app, injector) = fragile(&fixture).await;
    let members = std::sync::Mutex::new(std::collections::HashMap::new());
    let member_of = |name: &str| members.lock().unwrap().get(name).cloned().unwrap();
    let prepare = async |name: &str| {
        let (member, phone) = (app.member(name).await, app.login(name, PASSWORD).await.unwrap().tokens);
        members.lock().unwrap().insert(name.to_owned(), (member, phone));
    };
    let change = async |name: &str| {
        let (member, _) = member_of(name);
        let (old, new) = (password(PASSWORD), password(OTHER_PASSWORD));
        app.accounts.change_password(&of_session(&app, member.id, member.tokens.session_id, home()), &old, &new).await
    };
    let check = async |name: &str, ended: &Result<(), Failure>| {
        let (member, phone) = member_of(name);
        let changed = app.count_of(member.id, EventKind::PasswordChanged).await == 1;
        assert!(changed || ended.is_err());
        assert_eq!(app.is_out(&phone).await, changed);
        assert!(!app.is_out(&member.tokens).await);
        assert_eq!(app.count_of(member.id, EventKind::SessionEnded).await, usize::from(changed));
        match change(name).await {
            Ok(()) => assert!(!changed),
            Err(failure) => {
                assert!(changed);
                assert_eq!(refusal::<()>(Err(failure)), Refusal::WrongCurrentPassword);
            }
        }
        assert!(app.login(name, OTHER_PASSWORD).await.is_ok());
        assert!(app.login(name, PASSWORD).await.is_err());
    };
    sweep(&app, &injector, prepare, change, check).await;
}

/// F02: a block, and a change of the username: the claims and the account move together.
#[apply(fault_case)]
async fn a_block_and_a_new_username_happen_wholly_or_not_at_all(fixture: Fixture) {
    let (app, injector) = fragile(&fixture).await;
    let prepare = async |name: &str| drop(app.member(name).await);
    let blocked = async |name: &str, ended: &Result<(), Failure>| {
        let user = app.users.find(&app.operator_context(), name).await.unwrap();
        let is_blocked = user.status == userd_model::UserStatus::Blocked;
        assert!(is_blocked || ended.is_err());
        assert_eq!(app.devices_of(user.id).await.is_empty(), is_blocked);
        assert_eq!(app.count_of(user.id, EventKind::UserBlocked).await, usize::from(is_blocked));
    };
    let block = async |name: &str| {
        let email = format!("{name}@example.org");
        let found = app.users.find(&app.operator_context(), &email).await?;
        app.users.block(&app.operator_context(), found.id).await.map(drop)
    };
    sweep(&app, &injector, prepare, block, blocked).await;

    let prepare = async |name: &str| drop(app.member(&format!("a{name}")).await);
    let rename = async |name: &str| {
        let found = app.users.find(&app.operator_context(), &format!("a{name}@example.org")).await?;
        app.accounts.change_username(&of_id(&app, found.id), &format!("b{name}"), None).await.map(drop)
    };
    let renamed = async |name: &str, ended: &Result<(), Failure>| {
        let (old, new) = (account_of(&app, &format!("a{name}")).await, account_of(&app, &format!("b{name}")).await);
        assert!(old.is_some() != new.is_some(), "exactly one of the names leads to the account");
        assert!(new.is_some() || ended.is_err());
        let view = app.users.show(&app.operator_context(), old.or(new).unwrap()).await.unwrap();
        let letter = if new.is_some() { 'b' } else { 'a' };
        assert_eq!(view.username, Some(format!("{letter}{name}")));
        assert_eq!(app.user_reader.show(view.id).await.unwrap(), view);
    };
    sweep(&app, &injector, prepare, rename, renamed).await;
}

/// F02: an erasure that was interrupted has not begun, and the account comes back whole, or it goes on by itself.
#[apply(fault_case)]
async fn an_interrupted_erasure_has_not_begun_or_goes_on(fixture: Fixture) {
    let (app, injector) = fragile(&fixture).await;
    let operator = app.operator_context();
    for fault in Fault::ALL {
        // Until the data key is gone; behind it are rows, table by table.
        for nth in 0..20 {
            let name = format!("{fault:?}{nth}").to_lowercase();
            let id = app.member(&name).await.id;
            app.deletions.delete(&operator, id).await.unwrap();
            injector.arm(nth, fault);
            let ended = app.deletions.purge(&operator, id).await;
            let fired = injector.fired();
            injector.disarm();
            lawful(&ended, fault, fired);
            match app.deletions.restore(&operator, id).await {
                Ok(_) => {
                    assert!(ended.is_err(), "{name}: said to be erased");
                    app.login(&name, PASSWORD).await.unwrap();
                }
                Err(failure) => {
                    assert_eq!(refusal::<()>(Err(failure)), Refusal::NotFound);
                    app.deletions.purge_due().await.unwrap();
                    assert!(app.reading().users().find(id).await.unwrap().is_none(), "{name}: {ended:?}");
                    assert_eq!(app.count_of(id, EventKind::UserPurged).await, 1);
                }
            }
        }
    }
}

/// What a refused change leaves behind: nothing, no event either.
#[apply(fault_case)]
async fn a_refused_change_leaves_nothing_behind(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, _) = (app.member("ada").await, app.member("grace").await);
    let before = (app.events_of(ada.id).await, app.user_reader.show(ada.id).await.unwrap());
    assert!(app.accounts.change_username(&of(&app, &ada), "grace", None).await.is_err());
    assert!(app.accounts.change_profile(&of(&app, &ada), ProfileInput::default(), Some(9)).await.is_err());
    let (wrong, new) = (password(OTHER_PASSWORD), password("another good password 7"));
    assert!(
        app.accounts
            .change_password(&of_session(&app, ada.id, ada.tokens.session_id, home()), &wrong, &new)
            .await
            .is_err()
    );
    let taken = registration(Some("new@example.org"), Some("grace"));
    assert_eq!(
        refusal(app.accounts.register(&at(&app, home()), taken, None).await.map(started)),
        Refusal::UsernameTaken
    );
    assert_eq!((app.events_of(ada.id).await, app.user_reader.show(ada.id).await.unwrap()), before);
    assert!(
        app.accounts
            .register(&at(&app, home()), registration(Some("new@example.org"), None), None)
            .await
            .map(started)
            .is_ok()
    );
    assert!(app.revocations.feed(&app.operator_context(), None, 9).await.unwrap().entries.is_empty());
}
