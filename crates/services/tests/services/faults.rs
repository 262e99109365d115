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
    personas::{OTHER_PASSWORD, PASSWORD, at, home, of, of_id, of_session, password, registration, started},
    stage::{House, Stage, refusal},
};

/// A house whose storage fails when told to.
async fn fragile(stage: &Stage) -> (House, Arc<Injector>) {
    let (engine, injector) = Injector::over(Arc::clone(stage.store.engine()));
    (Stage::over(engine).house().await, injector)
}

/// Sweeps every fault over every call of `act`, once per person, and looks at each end with `check`.
async fn sweep(
    house: &House,
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
            house.follow_revocations().await.unwrap();
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
async fn account_of(house: &House, name: &str) -> Option<UserId> {
    match house.users.find(&house.operator_context(), name).await {
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
pub(crate) async fn a_registration_happens_wholly_or_not_at_all(stage: Stage) {
    let (house, injector) = fragile(&stage).await;
    let register = async |name: &str| {
        let once = house.idempotency.request("register", name, b"");
        let email = format!("{name}@example.org");
        house
            .accounts
            .register(&at(&house, home()), registration(Some(&email), Some(name)), Some(&once))
            .await
            .map(started)
    };
    let check = async |name: &str, ended: &Result<(), Failure>| {
        let before = account_of(&house, name).await;
        assert!(before.is_some() || ended.is_err(), "an acknowledged account is lost");
        if let Some(id) = before {
            assert_eq!(house.events_of(id).await, ["session.started", "user.registered"]);
            assert_eq!(house.devices_of(id).await.len(), 1);
            house.login(&format!("{name}@example.org"), PASSWORD).await.unwrap();
        }
        let again = register(name).await.unwrap();
        assert!(before.is_none_or(|id| id == again.user.id), "the repeat made a second account");
        assert!(house.who(&again.tokens.access_token).await.is_ok());
    };
    sweep(&house, &injector, async |_| {}, async |name| register(name).await.map(drop), check).await;
}

/// F02: sign-in.
#[apply(fault_case)]
pub(crate) async fn a_sign_in_happens_wholly_or_not_at_all(stage: Stage) {
    let (house, injector) = fragile(&stage).await;
    let prepare = async |name: &str| drop(house.member(name).await);
    let check = async |name: &str, ended: &Result<(), Failure>| {
        let id = account_of(&house, name).await.unwrap();
        let sessions = house.devices_of(id).await.len();
        assert_eq!(house.count_of(id, EventKind::SessionStarted).await, sessions);
        assert!(sessions == 2 || (ended.is_err() && sessions == 1));
        house.login(name, PASSWORD).await.unwrap();
    };
    sweep(&house, &injector, prepare, async |name| house.login(name, PASSWORD).await.map(drop), check).await;
}

/// F02, F15: refresh. The client has the old token only, and gets on with it.
#[apply(fault_case)]
pub(crate) async fn a_refresh_happens_wholly_or_not_at_all(stage: Stage) {
    let (house, injector) = fragile(&stage).await;
    let tokens = std::sync::Mutex::new(std::collections::HashMap::new());
    let token_of = |name: &str| tokens.lock().unwrap().get(name).cloned().unwrap_or_default();
    let prepare = async |name: &str| {
        let member = house.member(name).await;
        tokens.lock().unwrap().insert(name.to_owned(), member.tokens.refresh_token);
    };
    let act = async |name: &str| house.refresh(&token_of(name)).await.map(drop);
    let check = async |name: &str, _: &Result<(), Failure>| {
        let next = house.refresh(&token_of(name)).await.unwrap().tokens;
        let last = house.refresh(&next.refresh_token).await.unwrap().tokens;
        let session = house.reading().sessions().find(last.session_id).await.unwrap().unwrap();
        assert_eq!(session.generation, 2, "one lineage");
        assert_eq!(house.count_of(session.user_id, EventKind::RefreshTokenReplayed).await, 0);
    };
    sweep(&house, &injector, prepare, act, check).await;
}

/// F02: change of the password.
#[apply(fault_case)]
pub(crate) async fn a_password_change_happens_wholly_or_not_at_all(stage: Stage) {
    let (house, injector) = fragile(&stage).await;
    let members = std::sync::Mutex::new(std::collections::HashMap::new());
    let member_of = |name: &str| members.lock().unwrap().get(name).cloned().unwrap();
    let prepare = async |name: &str| {
        let (member, phone) = (house.member(name).await, house.login(name, PASSWORD).await.unwrap().tokens);
        members.lock().unwrap().insert(name.to_owned(), (member, phone));
    };
    let change = async |name: &str| {
        let (member, _) = member_of(name);
        let (old, new) = (password(PASSWORD), password(OTHER_PASSWORD));
        house
            .accounts
            .change_password(&of_session(&house, member.id, member.tokens.session_id, home()), &old, &new)
            .await
    };
    let check = async |name: &str, ended: &Result<(), Failure>| {
        let (member, phone) = member_of(name);
        let changed = house.count_of(member.id, EventKind::PasswordChanged).await == 1;
        assert!(changed || ended.is_err());
        assert_eq!(house.is_out(&phone).await, changed);
        assert!(!house.is_out(&member.tokens).await);
        assert_eq!(house.count_of(member.id, EventKind::SessionEnded).await, usize::from(changed));
        match change(name).await {
            Ok(()) => assert!(!changed),
            Err(failure) => {
                assert!(changed);
                assert_eq!(refusal::<()>(Err(failure)), Refusal::WrongCurrentPassword);
            }
        }
        assert!(house.login(name, OTHER_PASSWORD).await.is_ok());
        assert!(house.login(name, PASSWORD).await.is_err());
    };
    sweep(&house, &injector, prepare, change, check).await;
}

/// F02: a block, and a change of the username: the claims and the account move together.
#[apply(fault_case)]
pub(crate) async fn a_block_and_a_new_username_happen_wholly_or_not_at_all(stage: Stage) {
    let (house, injector) = fragile(&stage).await;
    let prepare = async |name: &str| drop(house.member(name).await);
    let blocked = async |name: &str, ended: &Result<(), Failure>| {
        let user = house.users.find(&house.operator_context(), name).await.unwrap();
        let is_blocked = user.status == userd_model::UserStatus::Blocked;
        assert!(is_blocked || ended.is_err());
        assert_eq!(house.devices_of(user.id).await.is_empty(), is_blocked);
        assert_eq!(house.count_of(user.id, EventKind::UserBlocked).await, usize::from(is_blocked));
    };
    let block = async |name: &str| {
        let email = format!("{name}@example.org");
        let found = house.users.find(&house.operator_context(), &email).await?;
        house.users.block(&house.operator_context(), found.id).await.map(drop)
    };
    sweep(&house, &injector, prepare, block, blocked).await;

    let prepare = async |name: &str| drop(house.member(&format!("a{name}")).await);
    let rename = async |name: &str| {
        let found = house.users.find(&house.operator_context(), &format!("a{name}@example.org")).await?;
        house.accounts.change_username(&of_id(&house, found.id), &format!("b{name}"), None).await.map(drop)
    };
    let renamed = async |name: &str, ended: &Result<(), Failure>| {
        let (old, new) = (account_of(&house, &format!("a{name}")).await, account_of(&house, &format!("b{name}")).await);
        assert!(old.is_some() != new.is_some(), "exactly one of the names leads to the account");
        assert!(new.is_some() || ended.is_err());
        let view = house.users.show(&house.operator_context(), old.or(new).unwrap()).await.unwrap();
        let letter = if new.is_some() { 'b' } else { 'a' };
        assert_eq!(view.username, Some(format!("{letter}{name}")));
        assert_eq!(house.user_reader.show(view.id).await.unwrap(), view);
    };
    sweep(&house, &injector, prepare, rename, renamed).await;
}

/// What a refused change leaves behind: nothing, no event either.
#[apply(fault_case)]
pub(crate) async fn a_refused_change_leaves_nothing_behind(stage: Stage) {
    let house = stage.house().await;
    let (ada, _) = (house.member("ada").await, house.member("grace").await);
    let before = (house.events_of(ada.id).await, house.user_reader.show(ada.id).await.unwrap());
    assert!(house.accounts.change_username(&of(&house, &ada), "grace", None).await.is_err());
    assert!(house.accounts.change_profile(&of(&house, &ada), ProfileInput::default(), Some(9)).await.is_err());
    let (wrong, new) = (password(OTHER_PASSWORD), password("another good password 7"));
    assert!(
        house
            .accounts
            .change_password(&of_session(&house, ada.id, ada.tokens.session_id, home()), &wrong, &new)
            .await
            .is_err()
    );
    let taken = registration(Some("new@example.org"), Some("grace"));
    assert_eq!(
        refusal(house.accounts.register(&at(&house, home()), taken, None).await.map(started)),
        Refusal::UsernameTaken
    );
    assert_eq!((house.events_of(ada.id).await, house.user_reader.show(ada.id).await.unwrap()), before);
    assert!(
        house
            .accounts
            .register(&at(&house, home()), registration(Some("new@example.org"), None), None)
            .await
            .map(started)
            .is_ok()
    );
    assert!(house.revocations.feed(&house.operator_context(), None, 9).await.unwrap().is_empty());
}
