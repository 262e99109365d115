//! The end of an account: deleted, restored, erased.

use std::{
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};

use userd_model::{DeletedBy, Deletion, EventKind, GrantKind, Level, Refusal, Timestamp, User, UserId, UserStatus};
use userd_services::{
    Failure,
    deletion::{ErasedAgain, LegalHold, PurgeLedger},
    links::LinkAct,
    roles::GrantInput,
    sessions::Pending,
    testing::TestOptions,
    users::Block,
};

use crate::{
    fixture::{DAY, Fixture, MINUTE, TestApp, at_once, refusal},
    personas::{Member, OTHER_PASSWORD, PASSWORD, acting, at, elsewhere, home, login_with, of, password, registration},
    sign_in::{
        app_with_acme,
        elsewhere::{code, refused},
    },
};

/// What a sign-in to a deleted account answers.
async fn offer(app: &TestApp, login: &str) -> Pending {
    let answer = app.sessions.login(&at(app, home()), login_with(login, PASSWORD)).await.unwrap();
    let pending = answer.signed_in().unwrap_err();
    assert_eq!(pending.status, "account_deleted");
    pending
}

async fn delete(app: &TestApp, member: &Member) {
    let until = app.deletions.delete_own(&of(app, member), Some(&password(PASSWORD))).await.unwrap();
    assert_eq!(until, app.now().plus(30 * DAY));
}

/// Everything that is sent; the token of the newest link to this address.
async fn link(app: &TestApp, address: &str) -> Option<String> {
    app.deliveries.tick().await.unwrap();
    app.advance(Duration::from_millis(1));
    let mails = app.deliveries.mails(&app.operator_context(), 100).await.unwrap();
    let newest = mails.into_iter().find(|mail| mail.to == address)?;
    newest.text.split("/l/").nth(1).map(|rest| rest.split_whitespace().next().unwrap().to_owned())
}

/// Whoever presses the button twice, on every device at once, hears of one deletion and of no fault.
#[apply(case)]
async fn of_sixty_four_deletions_one_counts_and_none_is_a_fault(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, services) = (app.member("ada").await, app.shared());
    let ends = at_once(64, |_| {
        let services = services.clone();
        async move { services.deletions.delete(&services.operator_context(), ada.id).await.map(drop) }
    })
    .await;
    assert_eq!(ends.iter().filter(|end| end.is_ok()).count(), 1);
    assert!(ends.into_iter().filter(Result::is_err).all(|end| refusal(end) == Refusal::NotFound));
}

/// AC-047: at once signed out, refused everywhere, and invisible.
#[apply(case)]
async fn a_deleted_account_is_gone_for_everybody_and_keeps_its_names(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    app.rewrite(ada.id, |user| user.email_verified = true).await;
    let mine = of(&app, &ada);
    let wrong = app.deletions.delete_own(&mine, Some(&password(OTHER_PASSWORD))).await;
    assert_eq!(refusal(wrong), Refusal::WrongCurrentPassword);
    assert!(matches!(refusal(app.deletions.delete_own(&mine, None).await), Refusal::InvalidInput(_)));
    delete(&app, &ada).await;
    assert!(app.is_out(&ada.tokens).await);
    assert_eq!(refusal(app.login("ada", OTHER_PASSWORD).await), Refusal::WrongCredentials, "no word to a stranger");
    for (email, username) in [(Some("ada@example.org"), None), (None, Some("ada"))] {
        let taken = app.accounts.register(&at(&app, home()), registration(email, username), None).await;
        assert!(matches!(refusal(taken), Refusal::EmailTaken | Refusal::UsernameTaken), "reserved");
    }
    app.recovery.forgot(&at(&app, home()), "ada").await.unwrap();
    assert_eq!(app.user_reader.show(ada.id).await.unwrap().status, UserStatus::Deleted);
    assert_eq!(refusal(app.deletions.delete(&app.operator_context(), ada.id).await), Refusal::NotFound, "once");
}

#[apply(case)]
async fn signing_in_offers_the_account_back_and_everything_is_as_it_was(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let before = app.user_reader.show(ada.id).await.unwrap();
    delete(&app, &ada).await;
    let pending = offer(&app, "ada").await;
    let visitor = at(&app, home());
    let restored = app.deletions.restore_own(&visitor, &pending.challenge).await.unwrap().signed_in().unwrap();
    assert_eq!(restored.user.id, ada.id);
    let mut after = app.user_reader.show(ada.id).await.unwrap();
    (after.updated_at, after.version, after.last_sign_in_at) =
        (before.updated_at, before.version, before.last_sign_in_at);
    assert_eq!(after, before, "nothing but times and the version");
    let again = app.deletions.restore_own(&visitor, &pending.challenge).await;
    assert_eq!(refusal(again.map(drop)), Refusal::InvalidCode, "once");
    assert!(app.is_out(&ada.tokens).await, "sessions do not come back");
    assert!(app.login("ada", PASSWORD).await.is_ok());
}

/// By an account elsewhere as well, where there is no other way in; what an administrator deleted is gone by it.
#[apply(case)]
async fn signing_in_through_a_provider_offers_the_account_back(fixture: Fixture) {
    let (app, _) = app_with_acme(&fixture).await;
    let signed_in = app.sign_in_through("acme").await;
    let ada = Member { id: signed_in.user.id, email: String::new(), tokens: signed_in.tokens };
    let mine = app.acting(&ada).await;
    app.deletions.delete_own(&mine, None).await.unwrap();
    let (visitor, through) = (at(&app, home()), code(app.through("acme").await));
    let pending = app.sign_in.exchange(&visitor, &through, None, None).await.unwrap().signed_in().unwrap_err();
    assert_eq!(pending.status, "account_deleted");
    let back = app.deletions.restore_own(&visitor, &pending.challenge).await.unwrap().signed_in().unwrap();
    assert_eq!(back.user.id, ada.id);
    app.deletions.delete(&app.operator_context(), ada.id).await.unwrap();
    assert_eq!(refused(app.through("acme").await), Refusal::ProviderRefused("account_gone"));
}

/// What is exported before and after differs in times and in the version alone.
#[apply(case)]
async fn after_a_restoration_a_deep_comparison_of_the_export_finds_times_alone(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    app.accounts.change_username(&of(&app, &ada), "countess", None).await.unwrap();
    app.event_log.tick().await.unwrap();
    app.deliveries.tick().await.unwrap();
    let operator = app.operator_context();
    let exported = async |app: &TestApp| {
        let mut archive = app.export(&operator, ada.id).await.unwrap();
        for (section, members) in [("account", &["updated_at", "version", "last_sign_in_at"][..]), ("exported_at", &[])]
        {
            members.iter().for_each(|member| drop(archive[section].as_object_mut().unwrap().remove(*member)));
        }
        archive["exported_at"] = serde_json::Value::Null;
        archive["sessions"] = serde_json::Value::Null;
        archive
    };
    let before = exported(&app).await;
    assert_eq!(before["account"]["username"], "countess");
    assert_eq!(before["notifications"].as_array().unwrap().len(), 1, "{before}");
    app.deletions.delete(&operator, ada.id).await.unwrap();
    assert_eq!(exported(&app).await["deletion"]["by"], "administrator");
    app.deletions.restore(&operator, ada.id).await.unwrap();
    assert_eq!(exported(&app).await, before);
    let grace = app.member("grace").await;
    assert_eq!(refusal(app.export(&of(&app, &grace), ada.id).await.map(drop)), Refusal::Forbidden);
    let own = app.export(&of(&app, &grace), grace.id).await.unwrap();
    assert_eq!(own["account"]["email"], "grace@example.org");
    assert_eq!(own["sessions"].as_array().unwrap().len(), 1);
    let text = own.to_string();
    for secret in ["$argon2", grace.tokens.refresh_token.as_str(), "data_key"] {
        assert!(!text.contains(secret), "{secret}");
    }
}

/// Where somebody was signed in and is no more, what they were called and are no more, and from where they acted; nothing that
/// is somebody else's.
#[apply(case)]
async fn the_export_has_what_was_and_is_no_more_and_nothing_of_others(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, root) = (app.member("ada").await, app.admin().await);
    app.accounts.change_username(&of(&app, &ada), "countess", None).await.unwrap();
    let phone = app.sessions.login(&at(&app, elsewhere(7)), login_with("countess", PASSWORD)).await.unwrap();
    let phone = phone.signed_in().unwrap().tokens.session_id;
    app.sessions.end(&of(&app, &ada), ada.id, phone).await.unwrap();
    let desk = acting(&app, &app.actor(&root).await).from_origin(elsewhere(200));
    let block = Block { reason: Some("spam".to_owned()), ..Block::default() };
    app.users.block_with(&desk, ada.id, &block).await.unwrap();
    app.event_log.tick().await.unwrap();
    let archive = app.export(&app.operator_context(), ada.id).await.unwrap();

    let sessions = archive["sessions"].as_array().unwrap();
    let ended = sessions.iter().find(|session| session["id"] == phone.to_string()).unwrap();
    assert_eq!(ended["ip"], "198.51.100.7");
    assert!(ended["ended_at"].is_string(), "{ended}");
    let events = archive["events"].as_array().unwrap();
    let named = |act: &str| events.iter().filter(|event| event["act"] == act).collect::<Vec<_>>();
    let renamed = named("user.username_changed")[0];
    assert!(renamed["personal"].to_string().contains("\"ada\""), "{renamed}");
    assert_eq!((&renamed["by"], &renamed["origin"]["ip"]), (&"yourself".into(), &"192.0.2.1".into()));
    let blocked = named("user.blocked")[0];
    assert!(blocked["personal"].to_string().contains("spam"), "{blocked}");
    assert_eq!((&blocked["by"], &blocked["origin"]), (&"user".into(), &serde_json::Value::Null));
    for theirs in [root.id.to_string(), root.email.clone(), "198.51.100.200".to_owned()] {
        assert!(!archive["events"].to_string().contains(&theirs), "{theirs}");
    }
    let of_root = app.export(&app.operator_context(), root.id).await.unwrap();
    assert!(of_root["events"].to_string().contains("198.51.100.200"), "where the administrator was is theirs");
    assert!(!of_root["events"].to_string().contains("spam"));
}

/// Whoever takes everything that is held about somebody leaves a trace of it.
#[apply(case)]
async fn an_export_is_written_down_with_who_has_it(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    app.export(&app.operator_context(), ada.id).await.unwrap();
    let given = app.facts_of(ada.id).await.pop().unwrap();
    assert_eq!((given.kind.as_str(), given.actor.kind.as_str()), ("user.exported", "operator"));
    app.export(&of(&app, &ada), ada.id).await.unwrap();
    let given = app.facts_of(ada.id).await.pop().unwrap();
    assert_eq!((given.kind.as_str(), given.actor.id), ("user.exported", Some(ada.id.0)));
}

/// A table that holds a user's data is in the export, or left out for a reason that the export tells.
#[test]
fn every_table_with_data_of_users_is_exported_or_left_out_with_a_reason() {
    use userd_services::export::{LEFT_OUT, SHOWN};
    use userd_storage::tables::Owner;

    let named: Vec<&str> = SHOWN.iter().chain(LEFT_OUT).map(|(table, _)| *table).collect();
    for kept in userd_storage::tables::retention() {
        // The audit log is the installation's; what its entries say of a user is the user's.
        let is_of_users = matches!(kept.owner, Owner::User { .. } | Owner::SomeUser) || kept.table == "audit_entries";
        let times = named.iter().filter(|name| **name == kept.table).count();
        assert_eq!(times, usize::from(is_of_users), "{}: say in export.rs what becomes of it", kept.table);
    }
}

#[apply(case)]
async fn of_sixty_four_restorations_one_counts(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    delete(&app, &ada).await;
    let (services, token) = (app.shared(), offer(&app, "ada").await.challenge);
    let ends = at_once(64, |n| {
        let (services, token) = (services.clone(), token.clone());
        let ctx = services.context().from_origin(elsewhere(n));
        async move { services.deletions.restore_own(&ctx, &token).await.map(drop) }
    })
    .await;
    assert_eq!(ends.iter().filter(|end| end.is_ok()).count(), 1);
}

#[apply(case)]
async fn the_link_in_the_mail_restores_and_one_of_an_earlier_deletion_does_not(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, visitor) = (app.member("ada").await, at(&app, home()));
    let proof = link(&app, &ada.email).await.unwrap();
    app.emails.verify_link(&visitor, &proof, None).await.unwrap();
    delete(&app, &ada).await;
    let first = link(&app, &ada.email).await.unwrap();
    assert_eq!(app.links.look(&visitor, &first).await.unwrap(), LinkAct::Restore);
    app.deletions.restore_by_link(&visitor, &first).await.unwrap();
    let signed_in = app.login("ada", PASSWORD).await.unwrap();
    app.advance(Duration::from_secs(1));
    let ada = Member { tokens: signed_in.tokens, ..ada };
    delete(&app, &ada).await;
    assert_eq!(refusal(app.deletions.restore_by_link(&visitor, &first).await), Refusal::InvalidCode);
    let second = link(&app, &ada.email).await.unwrap();
    assert!(app.deletions.restore_own(&visitor, &second).await.unwrap().signed_in().is_ok());
}

/// A mailbox is one factor: whoever reads the mail about the deletion, and nothing else of the owner's, gets neither tokens
/// nor the account back, by the page behind the link nor by the application's own.
#[apply(case)]
async fn the_link_restores_nothing_until_the_second_factor_is_shown(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, visitor) = (app.member("ada").await, at(&app, home()));
    let proof = link(&app, &ada.email).await.unwrap();
    app.emails.verify_link(&visitor, &proof, None).await.unwrap();
    let phone = app.phone_of(&ada).await;
    let ada = Member { tokens: app.login_with_phone("ada", &phone).await.tokens, ..ada };
    let mine = app.acting(&ada).await;
    app.deletions.delete_own(&mine, Some(&password(PASSWORD))).await.unwrap();
    let link = link(&app, &ada.email).await.unwrap();
    let is_deleted = async || app.user_reader.show(ada.id).await.unwrap().status == UserStatus::Deleted;

    let by_page = app.deletions.restore_by_link(&visitor, &link).await;
    assert_eq!(refusal(by_page), Refusal::InsufficientAuthentication { level: Level::Two, max_age: None });
    let asked = app.deletions.restore_own(&visitor, &link).await.unwrap().signed_in().unwrap_err();
    assert_eq!(asked.status, "second_factor_required");
    let early = app.deletions.restore_own(&visitor, &asked.challenge).await;
    assert_eq!(refusal(early.map(drop)), Refusal::InvalidCode, "the challenge restores nothing");
    app.advance(MINUTE);
    let wrong = phone.wrong(app.now());
    assert_eq!(refusal(app.second_step(&asked, &wrong).await.map(drop)), Refusal::InvalidCode);
    assert!(is_deleted().await);

    let shown = app.second_step(&asked, &phone.shows(app.now())).await.unwrap().signed_in().unwrap_err();
    assert_eq!(shown.status, "account_deleted");
    assert!(is_deleted().await, "offered, not restored");
    let signed_in = app.deletions.restore_own(&visitor, &shown.challenge).await.unwrap().signed_in().unwrap();
    let claims = &app.who(&signed_in.tokens.access_token).await.unwrap().token.claims;
    assert_eq!(claims.acr.as_deref(), Some("aal2"));
    assert_eq!(refusal(app.deletions.restore_own(&visitor, &link).await.map(drop)), Refusal::InvalidCode);
}

#[apply(case)]
async fn what_an_administrator_deleted_only_an_administrator_restores_and_a_block_survives(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, grace, admin) = (app.member("ada").await, app.member("grace").await, app.admin().await);
    let root = acting(&app, &app.actor(&admin).await);
    assert_eq!(refusal(app.deletions.delete(&of(&app, &grace), ada.id).await), Refusal::Forbidden);
    app.users.block(&root, ada.id).await.unwrap();
    for member in [&ada, &grace] {
        app.deletions.delete(&root, member.id).await.unwrap();
    }
    assert_eq!(refusal(app.login("grace", PASSWORD).await), Refusal::WrongCredentials, "nothing is offered");
    let restored = app.deletions.restore(&root, grace.id).await.unwrap();
    assert_eq!(restored.status, UserStatus::Active);
    assert!(app.login("grace", PASSWORD).await.is_ok());
    assert_eq!(app.deletions.restore(&root, ada.id).await.unwrap().status, UserStatus::Blocked);
    assert_eq!(refusal(app.login("ada", PASSWORD).await), Refusal::Blocked);
    assert_eq!(refusal(app.deletions.restore(&root, ada.id).await), Refusal::NotFound, "not deleted");
}

/// Nobody evades a block by deleting their account before it comes: the deleted account is blocked, what was offered to its owner
/// is gone, and what is offered anew gives nothing back. A block that has an end keeps them out until then.
#[apply(case)]
async fn an_abuser_who_deletes_the_account_first_is_blocked_all_the_same(fixture: Fixture) {
    let app = fixture.app().await;
    let (abuser, admin, visitor) = (app.member("abuser").await, app.admin().await, at(&app, home()));
    let root = acting(&app, &app.actor(&admin).await);
    let proof = link(&app, &abuser.email).await.unwrap();
    app.emails.verify_link(&visitor, &proof, None).await.unwrap();
    delete(&app, &abuser).await;
    let mailed = link(&app, &abuser.email).await.unwrap();
    let offered = offer(&app, "abuser").await.challenge;
    let block = Block { reason: Some("spam".to_owned()), until: None };
    for _ in 0..2 {
        let view = app.users.block_with(&root, abuser.id, &block).await.unwrap();
        assert_eq!((view.status, view.block_reason.as_deref()), (UserStatus::Deleted, Some("spam")));
        assert_eq!(app.count_of(abuser.id, EventKind::UserBlocked).await, 1, "blocked once");
    }
    for dead in [mailed, offered] {
        assert_eq!(refusal(app.deletions.restore_own(&visitor, &dead).await.map(drop)), Refusal::InvalidCode);
    }
    let anew = offer(&app, "abuser").await.challenge;
    assert_eq!(refusal(app.deletions.restore_own(&visitor, &anew).await.map(drop)), Refusal::Blocked);
    assert_eq!(app.user_reader.show(abuser.id).await.unwrap().status, UserStatus::Deleted);
    assert_eq!(app.deletions.restore(&root, abuser.id).await.unwrap().status, UserStatus::Blocked);
    assert_eq!(refusal(app.login("abuser", PASSWORD).await), Refusal::Blocked);
    let restored = app.facts_of(abuser.id).await.into_iter().rfind(|fact| fact.kind == "user.restored").unwrap();
    assert_eq!(restored.data["status"], "blocked");

    let hasty = app.member("hasty").await;
    delete(&app, &hasty).await;
    let until = Some(app.now().plus(MINUTE));
    app.users.block_with(&root, hasty.id, &Block { reason: None, until }).await.unwrap();
    let offered = offer(&app, "hasty").await.challenge;
    assert_eq!(refusal(app.deletions.restore_own(&visitor, &offered).await.map(drop)), Refusal::Blocked);
    app.advance(MINUTE);
    let back = app.deletions.restore_own(&at(&app, home()), &offered).await.unwrap().signed_in().unwrap();
    assert_eq!(back.user.status, UserStatus::Active);
}

#[apply(case)]
async fn the_last_administrator_is_not_deleted(fixture: Fixture) {
    let app = fixture.app().await;
    let admin = app.admin().await;
    let own = app.deletions.delete_own(&of(&app, &admin), Some(&password(PASSWORD))).await;
    assert_eq!(refusal(own), Refusal::LastAdministrator);
    assert_eq!(refusal(app.deletions.delete(&app.operator_context(), admin.id).await), Refusal::LastAdministrator);
}

/// The address is free for a stranger, the username for nobody.
#[apply(case)]
async fn after_the_window_the_account_is_erased_and_its_address_is_free(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, grace) = (app.member("ada").await, app.member("grace").await);
    delete(&app, &ada).await;
    let pending = offer(&app, "ada").await;
    app.advance(30 * DAY - Duration::from_secs(1));
    assert_eq!(app.deletions.purge_due().await.unwrap(), 0);
    app.advance(Duration::from_secs(1));
    assert_eq!(refusal(app.login("ada", PASSWORD).await), Refusal::WrongCredentials, "nothing is offered any more");
    let late = app.deletions.restore_own(&at(&app, home()), &pending.challenge).await;
    assert_eq!(refusal(late.map(drop)), Refusal::InvalidCode);
    assert_eq!(refusal(app.deletions.restore(&app.operator_context(), ada.id).await), Refusal::NotFound);
    assert_eq!(app.deletions.purge_due().await.unwrap(), 1);
    assert_eq!(app.deletions.purge_due().await.unwrap(), 0);
    assert!(app.reading().users().find(ada.id).await.unwrap().is_none());
    assert!(app.reading().tombstones().find(ada.id).await.unwrap().is_some());
    assert!(app.reading().password_credentials().find(ada.id).await.unwrap().is_none());
    let claims = app.reading().claims().of_owner(ada.id).await.unwrap();
    let kinds: Vec<&str> = claims.iter().map(|claim| claim.kind.as_str()).collect();
    assert_eq!(kinds, ["username", "username_skeleton"]);
    let stranger = app.accounts.register(&at(&app, home()), registration(Some(&ada.email), None), None).await;
    assert_ne!(stranger.unwrap().who(), Some(ada.id));
    let name = app.accounts.register(&at(&app, home()), registration(None, Some("ada")), None).await;
    assert_eq!(refusal(name), Refusal::UsernameTaken);
    assert!(app.login("grace", PASSWORD).await.is_ok(), "nobody else is touched: {}", grace.id);
    app.event_log.tick().await.unwrap();
}

/// What was sealed for the user cannot be read in rows that were copied without the key.
#[apply(case)]
async fn rows_copied_before_an_erasure_open_no_more_without_their_key(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    app.accounts.change_username(&of(&app, &ada), "countess", None).await.unwrap();
    let copied = app.facts_of(ada.id).await;
    let named = copied.iter().find(|fact| fact.personal.is_some()).unwrap();
    assert!(userd_services::fact_drafts::open(&app.deps, named).await.unwrap().personal.is_some());
    let ada = Member { tokens: app.login("countess", PASSWORD).await.unwrap().tokens, ..ada };
    delete(&app, &ada).await;
    app.advance(30 * DAY);
    app.deletions.purge_due().await.unwrap();
    let opened = userd_services::fact_drafts::open(&app.deps, named).await.unwrap();
    assert_eq!((opened.personal, opened.origin), (None, None));
}

/// The same of what lies in the account's own rows: its address and its accounts elsewhere, put back as they were but for the
/// key, open no more.
#[apply(case)]
async fn rows_of_an_account_put_back_without_its_key_say_nothing(fixture: Fixture) {
    let (app, _) = app_with_acme(&fixture).await;
    let (ada, operator) = (app.member("ada").await, app.operator_context());
    app.link(&ada, "acme").await;
    let user = app.reading().users().find(ada.id).await.unwrap().unwrap();
    let linked = app.reading().identities().of_user(ada.id).await.unwrap().remove(0);
    app.deletions.delete(&operator, ada.id).await.unwrap();
    app.deletions.purge(&operator, ada.id).await.unwrap();
    let (user, linked) = (&User { data_key: None, ..user }, &linked);
    let put_back = app.deps.store.transact("put_back", |mut uow| async move {
        uow.users().insert(user).await?;
        uow.identities().insert(linked).await?;
        uow.commit(()).await
    });
    put_back.await.unwrap();
    assert_eq!(app.user_reader.show(ada.id).await.unwrap().email, None);
    assert!(app.sign_in.identities(&operator, ada.id).await.is_err());
}

#[apply(case)]
async fn a_legal_hold_stops_the_erasure_until_it_is_lifted(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, operator) = (app.member("ada").await, app.operator_context());
    assert_eq!(refusal(app.deletions.purge(&operator, ada.id).await), Refusal::NotDeleted);
    app.deletions.hold(&operator, ada.id, Some("case 17")).await.unwrap();
    delete(&app, &ada).await;
    assert_eq!(refusal(app.deletions.purge(&operator, ada.id).await), Refusal::OnLegalHold);
    app.advance(40 * DAY);
    assert_eq!(app.deletions.purge_due().await.unwrap(), 0);
    app.deletions.lift_hold(&operator, ada.id).await.unwrap();
    assert_eq!(refusal(app.deletions.lift_hold(&operator, ada.id).await), Refusal::NotFound);
    assert_eq!(app.deletions.purge_due().await.unwrap(), 1);
}

/// The window that was promised stays the one that counts, however often the sweeper comes by.
#[apply(case)]
async fn a_legal_hold_does_not_open_a_window_that_has_closed(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, operator) = (app.member("ada").await, app.operator_context());
    app.deletions.hold(&operator, ada.id, None).await.unwrap();
    delete(&app, &ada).await;
    let pending = offer(&app, "ada").await;
    app.advance(30 * DAY);
    for _ in 0..2 {
        assert_eq!(app.deletions.purge_due().await.unwrap(), 0);
        assert_eq!(refusal(app.deletions.restore(&operator, ada.id).await), Refusal::NotFound);
        let own = app.deletions.restore_own(&at(&app, home()), &pending.challenge).await;
        assert_eq!(refusal(own.map(drop)), Refusal::InvalidCode);
        assert_eq!(refusal(app.login("ada", PASSWORD).await), Refusal::WrongCredentials, "nothing is offered");
        app.advance(DAY);
    }
}

/// More accounts than one round looks at are held; the one behind them is erased.
#[apply(case)]
async fn accounts_on_legal_hold_stand_in_nobodys_way(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, operator) = (app.member("ada").await, app.operator_context());
    let now = app.now();
    let held = app.deps.store.transact("hold_many", |mut uow| async move {
        for number in 1..=120_u128 {
            let user_id = UserId(uuid::Uuid::from_u128(number));
            let deletion = Deletion::new(user_id, DeletedBy::Owner, UserStatus::Active, now, DAY);
            uow.deletions().write(&deletion).await?;
            uow.legal_holds().place(&LegalHold { user_id, reason: None, created_at: now }).await?;
        }
        uow.commit(()).await
    });
    held.await.unwrap();
    app.deletions.delete(&operator, ada.id).await.unwrap();
    app.advance(30 * DAY);
    assert_eq!(app.deletions.purge_due().await.unwrap(), 1);
    assert!(app.reading().users().find(ada.id).await.unwrap().is_none());
    assert_eq!(app.deletions.purge_due().await.unwrap(), 0);
}

/// A backup from before the erasure has the account again: what the ledger names is erased there too.
#[apply(case)]
async fn an_account_that_the_ledger_names_is_erased_in_a_restored_backup(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, operator) = (app.member("ada").await, app.operator_context());
    let purged_at = app.now();
    let again = async || app.deletions.purge_again(&operator, ada.id, purged_at).await.unwrap();
    assert_eq!(again().await, ErasedAgain::Erased);
    assert_eq!(again().await, ErasedAgain::Absent);
    assert!(app.is_out(&ada.tokens).await);
    let denied = app.deletions.purge_again(&at(&app, home()), ada.id, purged_at).await;
    assert_eq!(refusal(denied), Refusal::NotSignedIn);
}

/// An earlier version wrote down an erasure and was interrupted, or overtaken by a restoration: whoever is there since was
/// not erased then. One that was begun is gone on with, whenever that was.
#[apply(case)]
async fn an_account_that_was_used_since_the_ledger_names_it_is_left_alone(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, grace, operator) = (app.member("ada").await, app.member("grace").await, app.operator_context());
    let purged_at = app.now();
    app.advance(MINUTE);
    app.login("ada", PASSWORD).await.unwrap();
    app.accounts.change_username(&of(&app, &ada), "countess", None).await.unwrap();
    let again = async |id| app.deletions.purge_again(&operator, id, purged_at).await.unwrap();
    assert_eq!(again(ada.id).await, ErasedAgain::InUse);
    delete(&app, &ada).await;
    assert_eq!(again(ada.id).await, ErasedAgain::InUse, "its own window is open");
    app.deletions.restore(&operator, ada.id).await.unwrap();
    assert!(app.login("countess", PASSWORD).await.is_ok());
    app.rewrite(grace.id, |user| user.erase(purged_at.plus(MINUTE))).await;
    assert_eq!(again(grace.id).await, ErasedAgain::Erased);
}

/// A ledger whose disk is slow: it says for whom it is asked, and answers when it is told to.
struct SlowLedger {
    asked: tokio::sync::mpsc::UnboundedSender<UserId>,
    go: Mutex<mpsc::Receiver<()>>,
}

impl PurgeLedger for SlowLedger {
    fn record(&self, user: UserId, _: Timestamp) -> std::io::Result<()> {
        self.asked.send(user).unwrap();
        self.go.lock().unwrap().recv().map_err(std::io::Error::other)
    }
}

/// Whoever comes between the decision and the erasure comes too late: what the ledger says is true.
#[apply(case)]
async fn what_is_being_erased_is_neither_restored_nor_held(fixture: Fixture) {
    let (asked, mut waiting) = tokio::sync::mpsc::unbounded_channel();
    let (go, wait) = mpsc::channel();
    let ledger: Arc<dyn PurgeLedger> = Arc::new(SlowLedger { asked, go: Mutex::new(wait) });
    let app = fixture.app_with(TestOptions { purge_ledger: Some(ledger), ..TestOptions::default() }).await;
    let (ada, operator) = (app.member("ada").await, app.operator_context());
    delete(&app, &ada).await;
    let pending = offer(&app, "ada").await;
    let (id, services) = (ada.id, app.shared());
    let purge = tokio::spawn(async move { services.deletions.purge(&services.operator_context(), id).await });
    assert_eq!(waiting.recv().await, Some(id));

    assert_eq!(refusal(app.deletions.restore(&operator, id).await), Refusal::NotFound);
    let own = app.deletions.restore_own(&at(&app, home()), &pending.challenge).await;
    assert_eq!(refusal(own.map(drop)), Refusal::InvalidCode);
    assert_eq!(refusal(app.deletions.hold(&operator, id, None).await), Refusal::NotFound);
    assert!(app.login("ada", PASSWORD).await.is_err(), "nothing is offered");
    go.send(()).unwrap();
    purge.await.unwrap().unwrap();
    assert!(app.reading().users().find(id).await.unwrap().is_none());
    assert_eq!(app.count_of(id, EventKind::UserPurged).await, 1);
}

/// The same where the deciding process has died, or the disk of the ledger is broken: it is gone on with, before the window
/// would have closed.
#[apply(case)]
async fn an_erasure_that_the_ledger_did_not_take_is_not_undone_but_gone_on_with(fixture: Fixture) {
    let (asked, _waiting) = tokio::sync::mpsc::unbounded_channel();
    let (go, wait) = mpsc::channel();
    let ledger: Arc<dyn PurgeLedger> = Arc::new(SlowLedger { asked, go: Mutex::new(wait) });
    let app = fixture.app_with(TestOptions { purge_ledger: Some(ledger), ..TestOptions::default() }).await;
    let (ada, operator) = (app.member("ada").await, app.operator_context());
    delete(&app, &ada).await;
    drop(go);
    assert!(matches!(app.deletions.purge(&operator, ada.id).await, Err(Failure::Internal(_))));
    assert!(app.reading().users().find(ada.id).await.unwrap().unwrap().data_key.is_some(), "nothing is erased");
    assert_eq!(refusal(app.deletions.restore(&operator, ada.id).await), Refusal::NotFound);
    let next = TestOptions { clock: Some(Arc::clone(&app.clock)), seed: 2, ..TestOptions::default() };
    assert_eq!(fixture.app_with(next).await.deletions.purge_due().await.unwrap(), 1);
    assert!(app.reading().users().find(ada.id).await.unwrap().is_none());
}

/// An earlier version was interrupted after the data key had gone, with the window open.
#[apply(case)]
async fn an_account_without_its_data_key_is_not_restored(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, operator) = (app.member("ada").await, app.operator_context());
    delete(&app, &ada).await;
    let pending = offer(&app, "ada").await;
    let now = app.now();
    app.rewrite(ada.id, |user| user.erase(now)).await;
    assert_eq!(refusal(app.deletions.restore(&operator, ada.id).await), Refusal::NotFound);
    let own = app.deletions.restore_own(&at(&app, home()), &pending.challenge).await;
    assert_eq!(refusal(own.map(drop)), Refusal::InvalidCode);
    app.advance(30 * DAY);
    assert_eq!(app.deletions.purge_due().await.unwrap(), 1);
}

/// A ledger that takes everybody but one.
#[derive(Default)]
struct ChoosyLedger(Mutex<Option<UserId>>);

impl PurgeLedger for ChoosyLedger {
    fn record(&self, user: UserId, _: Timestamp) -> std::io::Result<()> {
        let is_refused = *self.0.lock().unwrap() == Some(user);
        if is_refused { Err(std::io::Error::other("no room")) } else { Ok(()) }
    }
}

/// One account cannot be erased: the one behind it is, blocks end and grants end, and whoever looks on is told.
#[apply(case)]
async fn an_account_that_cannot_be_erased_stops_nothing_else(fixture: Fixture) {
    let ledger = Arc::new(ChoosyLedger::default());
    let shared: Arc<dyn PurgeLedger> = ledger.clone();
    let app = fixture.app_with(TestOptions { purge_ledger: Some(shared), ..TestOptions::default() }).await;
    let (ada, grace, mary) = (app.member("ada").await, app.member("grace").await, app.member("mary").await);
    let operator = app.operator_context();
    *ledger.0.lock().unwrap() = Some(ada.id);
    for member in [&ada, &grace] {
        app.deletions.delete(&operator, member.id).await.unwrap();
        app.advance(MINUTE);
    }
    let end = Some(app.now().plus(MINUTE));
    let input = GrantInput { expires_at: end, ..GrantInput::default() };
    app.grants.grant(&operator, mary.id, GrantKind::Role, "auditor", &input).await.unwrap();
    app.users.block_with(&operator, mary.id, &Block { until: end, ..Block::default() }).await.unwrap();
    app.advance(31 * DAY);

    assert!(matches!(app.tidy_up().await, Err(Failure::Internal(_))));
    assert!(app.reading().users().find(ada.id).await.unwrap().is_some());
    assert!(app.reading().users().find(grace.id).await.unwrap().is_none());
    let stored = app.reading().users().find(mary.id).await.unwrap().unwrap();
    assert_eq!(stored.status, UserStatus::Active);
    assert!(!stored.roles.contains(&"auditor".to_owned()), "{:?}", stored.roles);
    assert!(app.reading().grants().of_user(mary.id).await.unwrap().is_empty());

    *ledger.0.lock().unwrap() = None;
    app.tidy_up().await.unwrap();
    assert!(app.reading().users().find(ada.id).await.unwrap().is_none());
}
