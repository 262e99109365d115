//! Administration of accounts, by administrators, services and the operator.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::runtime::Handle;
use userd_model::{Actor, EventKind, GrantKind, IdentityId, Permission, Refusal, UserId, UserStatus};
use userd_services::{
    accounts::{NewUser, ProfileInput},
    roles::GrantInput,
    users::Block,
};
use userd_storage::{
    Access, StoreError,
    engines::{SqliteEngine, SqliteLocation, SqliteOptions},
    testing::{Tamper, Tampered, schema_on},
};

use crate::{
    fixture::{Fixture, MINUTE, at_once, refusal, wrong_fields},
    personas::{PASSWORD, acting, of, registration},
};

/// Whoever manages accounts does not disarm or remove those who may manage roles, nor bring them back; neither do those who
/// hold that one by one.
#[apply(case)]
async fn whoever_may_manage_roles_is_administered_by_their_like_alone(fixture: Fixture) {
    let app = fixture.app().await;
    let (root, other, anna) = (app.admin().await, app.member("other").await, app.member("anna").await);
    let by_root = acting(&app, &app.actor(&root).await);
    let permission = Permission::ROLES_MANAGE;
    app.grants
        .grant(&by_root, other.id, GrantKind::Permission, permission.as_str(), &GrantInput::default())
        .await
        .unwrap();
    let manager = [Permission::USERS_MANAGE, Permission::USERS_RESET_FACTORS, Permission::USERS_PURGE];
    let manager = app.service(&manager).await.actor;
    let ctx = &acting(&app, &manager);
    for above in [root.id, other.id] {
        assert!(!app.users.is_within_reach(ctx, above).await.unwrap());
        for answer in [
            app.users.block(ctx, above).await.map(drop),
            app.users.unblock(ctx, above).await.map(drop),
            app.users.sign_out(ctx, above).await.map(drop),
            app.users.require_password_change(ctx, above).await,
            app.factors.reset(ctx, above).await,
            app.deletions.delete(ctx, above).await.map(drop),
        ] {
            assert_eq!(refusal(answer), Refusal::Forbidden);
        }
    }
    app.deletions.delete(&by_root, other.id).await.unwrap();
    assert_eq!(refusal(app.deletions.restore(ctx, other.id).await), Refusal::Forbidden);
    assert_eq!(refusal(app.deletions.purge(ctx, other.id).await), Refusal::Forbidden);
    app.deletions.restore(&by_root, other.id).await.unwrap();
    // Everybody else is theirs.
    assert!(app.users.is_within_reach(ctx, anna.id).await.unwrap());
    app.users.block(ctx, anna.id).await.unwrap();
    app.deletions.delete(ctx, anna.id).await.unwrap();
}

type Act = Box<dyn FnOnce() + Send>;

/// Does something just before a unit of work begins: after everything that was looked at before it.
#[derive(Default)]
struct Meanwhile(Mutex<Option<(&'static str, Act)>>);

impl Tamper for Meanwhile {
    fn begin(&self, access: Access) -> Result<(), StoreError> {
        let act = self.0.lock().unwrap().take_if(|(name, _)| *name == access.name);
        if let Some((_, act)) = act {
            act();
        }
        Ok(())
    }
}

/// Whoever is given the right to manage roles a moment before an act against their account is spared it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_somebody_is_given_meanwhile_counts() {
    let engine = Arc::new(SqliteEngine::open(&SqliteOptions::at(SqliteLocation::Memory)).unwrap());
    schema_on(engine.clone()).await.unwrap();
    let meanwhile = Arc::new(Meanwhile::default());
    let app = Fixture::over(Tampered::over(engine, Arc::clone(&meanwhile))).app().await;
    let manager = app.service(&[Permission::USERS_MANAGE, Permission::USERS_RESET_FACTORS]).await.actor;
    let ctx = &acting(&app, &manager);
    for unit in [
        "block_user",
        "unblock_user",
        "sign_out_user",
        "require_password_change",
        "reset_factors",
        "delete_user",
        "unlink_identity",
    ] {
        let id = app.member(&unit.replace('_', "-")).await.id;
        let services = app.shared();
        let give = move || {
            let (operator, right) = (services.operator_context(), Permission::ROLES_MANAGE);
            let (kind, input) = (GrantKind::Permission, GrantInput::default());
            let given = services.grants.grant(&operator, id, kind, right.as_str(), &input);
            tokio::task::block_in_place(|| Handle::current().block_on(given)).unwrap();
        };
        *meanwhile.0.lock().unwrap() = Some((unit, Box::new(give)));
        let answer = match unit {
            "block_user" => app.users.block(ctx, id).await.map(drop),
            "unblock_user" => app.users.unblock(ctx, id).await.map(drop),
            "sign_out_user" => app.users.sign_out(ctx, id).await.map(drop),
            "require_password_change" => app.users.require_password_change(ctx, id).await,
            "reset_factors" => app.factors.reset(ctx, id).await,
            "delete_user" => app.deletions.delete(ctx, id).await.map(drop),
            _ => app.sign_in.unlink_of(ctx, id, IdentityId(uuid::Uuid::nil())).await,
        };
        assert_eq!(refusal(answer), Refusal::Forbidden, "{unit}");
        assert!(meanwhile.0.lock().unwrap().is_none(), "{unit}");
    }
}

/// AC-095: whoever may see accounts may not therefore change them.
/// ASVS V8.2.1, V8.3.1, V10.3.2
#[apply(case)]
async fn only_who_may_administers_accounts(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, grace, root) = (app.member("ada").await, app.member("grace").await, app.admin().await);
    let reader = app.service(&[Permission::USERS_READ]).await.actor;
    let manager = app.service(&[Permission::USERS_MANAGE]).await.actor;
    let (ada_acts, root_acts) = (app.actor(&ada).await, app.actor(&root).await);
    for (actor, reads, manages) in [
        (&ada_acts, false, false),
        (&reader, true, false),
        (&manager, false, true),
        (&root_acts, true, true),
        (&Actor::Operator, true, true),
    ] {
        for (answer, allowed) in [
            (app.users.page(&acting(&app, actor), None, 10).await.map(drop), reads),
            (app.users.show(&acting(&app, actor), grace.id).await.map(drop), reads),
            (app.users.find(&acting(&app, actor), "grace").await.map(drop), reads),
            (app.users.block(&acting(&app, actor), grace.id).await.map(drop), manages),
            (app.users.unblock(&acting(&app, actor), grace.id).await.map(drop), manages),
            (app.users.sign_out(&acting(&app, actor), grace.id).await.map(drop), manages),
        ] {
            match allowed {
                true => answer.unwrap(),
                false => assert_eq!(refusal(answer), Refusal::Forbidden, "{actor:?}"),
            }
        }
    }
    // Sessions are for their owner and whoever reads accounts (fault 34).
    app.login("grace", PASSWORD).await.unwrap();
    for (actor, reads) in [(&ada_acts, false), (&reader, true), (&manager, false), (&root_acts, true)] {
        let listed = app.sessions.list(&acting(&app, actor), grace.id, None, 10).await;
        match reads {
            true => assert!(matches!(&listed.unwrap()[..], [one] if !one.current), "{actor:?}"),
            false => assert_eq!(refusal(listed), Refusal::Forbidden, "{actor:?}"),
        }
    }
    let nobody = UserId(uuid::Uuid::nil());
    assert_eq!(refusal(app.sessions.list(&acting(&app, &reader), nobody, None, 10).await), Refusal::NotFound);
    assert_eq!(app.users.show(&acting(&app, &ada_acts), ada.id).await.unwrap().id, ada.id, "oneself is no secret");
    assert_eq!(
        refusal(app.users.block(&acting(&app, &root_acts), root.id).await),
        Refusal::Forbidden,
        "nobody shuts themself out"
    );
    assert_eq!(app.count_of(root.id, EventKind::RoleGranted).await, 1, "who gave the role is told once");
}

#[apply(case)]
async fn accounts_are_found_by_any_login_and_paged(fixture: Fixture) {
    let app = fixture.app().await;
    let mut all = Vec::new();
    for name in ["ada", "grace", "hedy", "joan", "mary"] {
        all.push(app.member(name).await.id);
        app.advance(Duration::from_secs(1));
    }
    for login in ["grace", "GRACE@example.org"] {
        assert_eq!(app.users.find(&app.operator_context(), login).await.unwrap().id, all[1]);
    }
    for login in ["nobody", "", "@", "nobody@example.org"] {
        assert_eq!(refusal(app.users.find(&app.operator_context(), login).await), Refusal::NotFound);
    }
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = app.users.page(&app.operator_context(), after, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some((last.created_at, last.id));
        seen.extend(page.iter().map(|user| user.id));
    }
    assert_eq!(seen, all);
    let nobody = UserId(uuid::Uuid::nil());
    assert_eq!(refusal(app.users.show(&app.operator_context(), nobody).await), Refusal::NotFound);
}

/// To block who is blocked, or unblock who is not, tells nobody a second time (fault 34).
/// ASVS V7.4.5
#[apply(case)]
async fn a_block_shuts_an_account_and_an_unblock_opens_it(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    app.user_reader.show(ada.id).await.unwrap();
    let blocked = app.users.block(&app.operator_context(), ada.id).await.unwrap();
    assert_eq!((blocked.status, blocked.version), (UserStatus::Blocked, 2));
    assert_eq!(app.user_reader.show(ada.id).await.unwrap().status, UserStatus::Blocked);
    assert!(app.is_out(&ada.tokens).await);
    let again = app.users.block(&app.operator_context(), ada.id).await.unwrap();
    assert_eq!((again.status, again.version), (UserStatus::Blocked, 2), "nothing has changed");
    let open = app.users.unblock(&app.operator_context(), ada.id).await.unwrap();
    assert_eq!((open.status, open.version), (UserStatus::Active, 3));
    let again = app.users.unblock(&app.operator_context(), ada.id).await.unwrap();
    assert_eq!((again.status, again.version), (UserStatus::Active, 3), "nothing has changed");
    assert!(app.login("ada", PASSWORD).await.is_ok());
    for (kind, times) in [(EventKind::UserBlocked, 1), (EventKind::UserUnblocked, 1), (EventKind::SessionEnded, 1)] {
        assert_eq!(app.count_of(ada.id, kind).await, times, "{kind:?}");
    }
}

/// ASVS V7.4.5
#[apply(case)]
async fn a_sign_out_ends_everything_and_the_account_stays_open(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let phone = app.login("ada", PASSWORD).await.unwrap().tokens;
    let view = app.users.sign_out(&app.operator_context(), ada.id).await.unwrap();
    assert_eq!(view.status, UserStatus::Active);
    assert!(app.is_out(&ada.tokens).await && app.is_out(&phone).await);
    let again = app.login("ada", PASSWORD).await.unwrap();
    assert!(!app.is_out(&again.tokens).await);
}

#[apply(case)]
async fn deleted_and_unknown_accounts_are_not_administered(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    app.delete(ada.id).await;
    for id in [ada.id, UserId(uuid::Uuid::nil())] {
        assert_eq!(refusal(app.users.block(&app.operator_context(), id).await), Refusal::NotFound);
        assert_eq!(refusal(app.users.unblock(&app.operator_context(), id).await), Refusal::NotFound);
    }
    assert_eq!(app.count_of(ada.id, EventKind::UserBlocked).await, 0);
}

/// An administrator corrects what an account shows, under its version; a member only their own.
#[apply(case)]
async fn an_administrator_changes_the_profile_of_others(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, grace) = (app.member("ada").await, app.member("grace").await);
    let named = |name: &str| ProfileInput { display_name: Some(Some(name.into())), ..ProfileInput::default() };
    let accounts = &app.accounts;
    assert_eq!(
        refusal(accounts.change_profile_of(&of(&app, &grace), ada.id, named("A"), None).await),
        Refusal::Forbidden
    );
    let reader = app.service(&[Permission::USERS_READ]).await;
    let reader = acting(&app, &reader.actor);
    assert_eq!(refusal(accounts.change_profile_of(&reader, ada.id, named("A"), None).await), Refusal::Forbidden);
    let manager = app.service(&[Permission::USERS_MANAGE]).await;
    let manager = acting(&app, &manager.actor);
    app.users.block(&manager, ada.id).await.unwrap();
    let stale = accounts.change_profile_of(&manager, ada.id, named("A"), Some(1)).await;
    assert_eq!(refusal(stale), Refusal::VersionMismatch);
    assert_eq!(wrong_fields(accounts.change_profile_of(&manager, ada.id, named(""), None).await), ["/display_name"]);
    let changed = accounts.change_profile_of(&manager, ada.id, named("Ada L."), Some(2)).await.unwrap();
    assert_eq!((changed.display_name.as_deref(), changed.version), (Some("Ada L."), 3));
    assert_eq!(app.user_reader.show(ada.id).await.unwrap(), changed);
    let nobody = accounts.change_profile_of(&manager, UserId(uuid::Uuid::nil()), named("A"), None).await;
    assert_eq!(refusal(nobody), Refusal::NotFound);
}

/// A block ends by itself at its time; the first sign-in afterwards says so. (11.5)
#[apply(case)]
async fn a_block_with_an_end_is_over_by_itself(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let operator = app.operator_context();
    let block = |reason: &str, until| Block { reason: Some(reason.to_owned()), until };
    for until in [app.now(), userd_model::Timestamp::from_micros(0)] {
        assert_eq!(wrong_fields(app.users.block_with(&operator, ada.id, &block("x", Some(until))).await), ["/until"]);
    }
    assert_eq!(wrong_fields(app.users.block_with(&operator, ada.id, &block(" ", None)).await), ["/reason"]);
    let until = app.now().plus(Duration::from_secs(60));
    let blocked = app.users.block_with(&operator, ada.id, &block("спор о счёте", Some(until))).await.unwrap();
    assert_eq!((blocked.status, blocked.blocked_until), (UserStatus::Blocked, Some(until)));
    assert_eq!(blocked.block_reason.as_deref(), Some("спор о счёте"));
    let stored = app.reading().users().find(ada.id).await.unwrap().unwrap();
    assert!(!format!("{:?}", stored.block_reason).contains("спор"), "sealed");
    assert!(app.is_out(&ada.tokens).await);
    assert_eq!(refusal(app.login("ada", PASSWORD).await), Refusal::Blocked);
    let fact = app.facts_of(ada.id).await.into_iter().rfind(|fact| fact.kind == "user.blocked").unwrap();
    assert_eq!(fact.data, serde_json::json!({ "until": until.to_string() }));
    let opened = userd_services::fact_drafts::open(&app.deps, &fact).await.unwrap();
    assert_eq!(opened.personal, Some(serde_json::json!({ "reason": "спор о счёте" })));
    // The same again is nothing new; another end is.
    app.users.block_with(&operator, ada.id, &block("спор о счёте", Some(until))).await.unwrap();
    assert_eq!(app.count_of(ada.id, EventKind::UserBlocked).await, 1);
    app.advance(Duration::from_secs(59));
    assert_eq!(refusal(app.login("ada", PASSWORD).await), Refusal::Blocked);
    app.advance(Duration::from_secs(1));
    assert_eq!(app.users.show(&operator, ada.id).await.unwrap().status, UserStatus::Active);
    let back = app.login("ada", PASSWORD).await.unwrap();
    assert_eq!((back.user.status, back.user.blocked_until, back.user.block_reason), (UserStatus::Active, None, None));
    assert_eq!(app.count_of(ada.id, EventKind::UserUnblocked).await, 1);
    assert!(app.who(&ada.tokens.access_token).await.is_err(), "what was ended stays so");
    app.login("ada", PASSWORD).await.unwrap();
    assert_eq!(app.count_of(ada.id, EventKind::UserUnblocked).await, 1);
}

/// The end of a block is told when the time comes, once, whoever looks and whether its owner signs in or not. What was prolonged,
/// lifted by hand or deleted meanwhile is not told. (11.5)
#[apply(case)]
async fn the_end_of_a_block_is_told_when_the_time_comes(fixture: Fixture) {
    let app = fixture.app().await;
    let operator = app.operator_context();
    let minutes = |count: u32| Some(app.now().plus(count * MINUTE));
    let mut members = Vec::new();
    for name in ["ada", "grace", "joan", "mary", "lise", "emmy"] {
        let member = app.member(name).await;
        let block = Block { reason: None, until: minutes(1) };
        app.users.block_with(&operator, member.id, &block).await.unwrap();
        members.push(member.id);
    }
    let [ada, grace, joan, mary, lise, emmy] = members[..] else { panic!("six") };
    app.users.block_with(&operator, grace, &Block { reason: None, until: minutes(5) }).await.unwrap();
    app.users.unblock(&operator, joan).await.unwrap();
    app.deletions.delete(&operator, mary).await.unwrap();
    app.deletions.delete(&operator, lise).await.unwrap();
    app.deletions.restore(&operator, lise).await.unwrap();
    app.users.block(&operator, emmy).await.unwrap();
    let told = async || {
        let mut told = Vec::new();
        for member in &members {
            told.push(app.count_of(*member, EventKind::UserUnblocked).await);
        }
        told
    };
    assert_eq!((app.users.end_blocks().await.unwrap(), told().await), (0, vec![0, 0, 1, 0, 0, 0]));
    app.advance(MINUTE);
    let services = app.shared();
    let ended = at_once(64, |_| {
        let services = services.clone();
        async move { services.users.end_blocks().await }
    })
    .await;
    assert_eq!(ended.into_iter().map(Result::unwrap).sum::<usize>(), 2, "ada's and lise's");
    assert_eq!(told().await, [1, 0, 1, 0, 1, 0]);
    let view = app.users.show(&operator, ada).await.unwrap();
    assert_eq!((view.status, view.blocked_until), (UserStatus::Active, None));
    app.login("ada", PASSWORD).await.unwrap();
    app.advance(4 * MINUTE);
    assert_eq!(app.users.end_blocks().await.unwrap(), 1);
    assert_eq!(told().await, [1, 1, 1, 0, 1, 0]);
    app.deletions.restore(&operator, mary).await.unwrap();
    assert_eq!(app.users.show(&operator, mary).await.unwrap().status, UserStatus::Active, "it was over meanwhile");
    assert_eq!(refusal(app.login("emmy", PASSWORD).await), Refusal::Blocked, "for good since");
    assert_eq!(app.users.end_blocks().await.unwrap(), 1, "mary's, now that it is her account again");
}

/// Nobody takes the last administrator away, the operator neither; of two who do it to each other at once, one wins. (11.5)
#[apply(case)]
async fn the_last_administrator_is_not_lost(fixture: Fixture) {
    let app = fixture.app().await;
    let operator = app.operator_context();
    let root = app.admin().await;
    assert_eq!(refusal(app.users.block(&operator, root.id).await), Refusal::LastAdministrator);
    let second = registration(None, Some("second"));
    let second = app.setup.create_administrator(&operator, second).await.unwrap().id;
    let shared = app.shared();
    for _ in 0..4 {
        let answers = at_once(2, |turn| {
            let (services, whom) = (shared.clone(), [root.id, second][turn]);
            async move { services.users.block(&services.operator_context(), whom).await }
        })
        .await;
        let done = answers.into_iter().filter(|answer| match answer {
            Ok(_) => true,
            Err(userd_services::Failure::Refused(refused)) => {
                assert_eq!(*refused, Refusal::LastAdministrator);
                false
            }
            Err(other) => panic!("{other}"),
        });
        assert_eq!(done.count(), 1);
        for id in [root.id, second] {
            app.users.unblock(&operator, id).await.unwrap();
        }
    }
    // Whoever is blocked for a while does not count, until it is over.
    let until = Some(app.now().plus(Duration::from_secs(60)));
    app.users.block_with(&operator, second, &Block { until, reason: None }).await.unwrap();
    assert_eq!(refusal(app.users.block(&operator, root.id).await), Refusal::LastAdministrator);
    app.advance(Duration::from_secs(60));
    app.users.block(&app.operator_context(), root.id).await.unwrap();
}

/// An administrator makes accounts without passwords, and gives no more than they may do themselves. (11.5)
#[apply(case)]
async fn an_administrator_makes_an_account_without_a_password(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let manager = app.service(&[Permission::USERS_MANAGE]).await;
    let manager = acting(&app, &manager.actor);
    let input = |email: Option<&str>, username: Option<&str>, roles: &[&str]| NewUser {
        email: email.map(Into::into),
        username: username.map(Into::into),
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        ..NewUser::default()
    };
    let accounts = &app.accounts;
    let anna = input(Some("anna@example.org"), Some("anna"), &[]);
    assert_eq!(refusal(accounts.create(&of(&app, &ada), &anna, None).await), Refusal::Forbidden);
    let made = accounts.create(&manager, &anna, None).await.unwrap();
    assert_eq!(
        (made.email.as_deref(), made.email_verified, made.status),
        (Some("anna@example.org"), false, UserStatus::Active)
    );
    assert_eq!(made.last_sign_in_at, None);
    for guess in ["", PASSWORD] {
        assert_eq!(refusal(app.login("anna", guess).await), Refusal::WrongCredentials);
    }
    assert_eq!(refusal(accounts.create(&manager, &anna, None).await), Refusal::EmailTaken);
    let other = input(None, Some("ANNA"), &[]);
    assert_eq!(refusal(accounts.create(&manager, &other, None).await), Refusal::UsernameTaken);
    for (wrong, pointer) in [
        (input(None, None, &[]), "/email"),
        (input(Some("no address"), None, &[]), "/email"),
        (input(None, Some("root"), &[]), "/username"),
        (input(None, Some("grace"), &["nobody"]), "/roles/0"),
        (input(None, Some("grace"), &["admin"]), "/roles/0"),
    ] {
        assert_eq!(wrong_fields(accounts.create(&manager, &wrong, None).await), [pointer], "{wrong:?}");
    }
    let second = input(None, Some("second"), &["admin", "admin"]);
    let second = accounts.create(&app.operator_context(), &second, None).await.unwrap();
    assert_eq!(second.roles, ["admin"]);
    assert_eq!(app.count_of(second.id, EventKind::RoleGranted).await, 1);
}
