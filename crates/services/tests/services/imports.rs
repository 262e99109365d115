//! People of other software: each comes over once, whoever imports them at the same time and whatever the database does.

use std::{sync::Arc, time::Duration};

use userd_model::{Permission, Refusal, RoleRules, Timestamp, UserStatus};
use userd_services::import::{Arrived, ImportedPerson, Trial};

use crate::{
    fixture::{DAY, Fixture, at_once, refusal, wrong_fields},
    personas::{acting, at, elsewhere, registration},
    sign_in::elsewhere::{app_with_acme, person as profile},
};

const OLD_PASSWORD: &str = "correct horse, пароль";
/// Of that, by Passlib.
const OLD_HASH: &str = "pbkdf2_sha1$1000$salt$d72cC96Yl7DkDoJHpnG4HjcrBRY=";

fn person(id: usize, name: &str) -> ImportedPerson {
    ImportedPerson {
        source_id: Some(id.to_string()),
        email: Some(format!("{name}@example.org")),
        email_verified: true,
        username: Some(format!("{name}_{id}")),
        password_hash: Some(OLD_HASH.to_owned()),
        ..ImportedPerson::default()
    }
}

/// Two runs of one file at once, thirty-two rows of each: and then a third run, after both.
#[apply(case)]
async fn the_same_people_imported_twice_at_once_come_over_once(fixture: Fixture) {
    let app = fixture.app().await;
    let services = app.shared();
    let run = || {
        at_once(64, |n| {
            let services = Arc::clone(&services);
            let one = person(n % 32, &format!("ada{}", n % 32));
            async move { services.imports.import(&services.operator_context(), "django", &one, None).await.unwrap() }
        })
    };
    let arrived = run().await;
    assert_eq!(arrived.iter().filter(|one| **one == Arrived::New).count(), 32, "{arrived:?}");
    assert_eq!(app.reading().users().page(None, 100).await.unwrap().len(), 32);
    assert!(run().await.iter().all(|one| *one == Arrived::Before));
    for login in ["ada0@example.org", "ada31_31"] {
        for time in ["the old hash", "the new one"] {
            assert!(app.login(login, OLD_PASSWORD).await.is_ok(), "{login} by {time}");
        }
    }
}

/// Somebody registers with the address while it is imported: it is one account's, the other is told, and who has come over is known.
#[apply(case)]
async fn an_address_that_is_imported_and_registered_at_once_is_one_accounts(fixture: Fixture) {
    let app = fixture.app().await;
    let services = app.shared();
    let ada = person(7, "ada");
    let answers = at_once(32, |n| {
        let (services, ada) = (Arc::clone(&services), ada.clone());
        async move {
            if n % 2 == 0 {
                let ctx = at(&services, elsewhere(n));
                let asked = registration(Some("ADA@example.org"), None);
                return services.accounts.register(&ctx, asked, None).await.map(|_| "registered");
            }
            let arrived = services.imports.import(&services.operator_context(), "django", &ada, None).await?;
            Ok(if arrived == Arrived::New { "imported" } else { "here before" })
        }
    })
    .await;
    let mut made = Vec::new();
    for answer in answers {
        match answer {
            Ok("here before") => {}
            Ok(how) => made.push(how),
            lost => assert_eq!(refusal(lost), Refusal::EmailTaken),
        }
    }
    assert_eq!(made.len(), 1, "{made:?}");
    assert_eq!(app.reading().users().page(None, 10).await.unwrap().len(), 1);
    let again = app.imports.import(&app.operator_context(), "django", &ada, None).await;
    match made[..] {
        ["imported"] => assert_eq!(again.unwrap(), Arrived::Before),
        _ => assert_eq!(refusal(again), Refusal::EmailTaken),
    }
}

/// Who was erased is not brought back by the file that is still there, be it known by an id or by an address; their address
/// is free for themselves.
#[apply(case)]
async fn an_import_that_is_run_again_brings_nobody_back_who_was_erased(fixture: Fixture) {
    let app = fixture.app().await;
    let operator = app.operator_context();
    let nameless = ImportedPerson { source_id: None, username: None, ..person(2, "grace") };
    for one in [person(1, "ada"), nameless] {
        let email = one.email.clone().unwrap();
        assert_eq!(app.imports.import(&operator, "django", &one, None).await.unwrap(), Arrived::New);
        let user = app.users.find(&operator, &email).await.unwrap();
        app.deletions.delete(&operator, user.id).await.unwrap();
        app.deletions.purge(&operator, user.id).await.unwrap();
        assert_eq!(app.imports.import(&operator, "django", &one, None).await.unwrap(), Arrived::Before);
        assert_eq!(refusal(app.users.find(&operator, &email).await), Refusal::NotFound);
        let again = app.accounts.register(&at(&app, elsewhere(1)), registration(Some(&email), None), None).await;
        assert_ne!(again.unwrap().who(), Some(user.id));
    }
}

/// What other software knew of somebody is theirs here; a role stands there once, and no account began in the future.
#[apply(case)]
async fn what_was_known_of_somebody_comes_over_with_them(fixture: Fixture) {
    let (app, acme) = app_with_acme(&fixture).await;
    let operator = app.operator_context();
    for role in ["editor", "writer"] {
        app.make_role(role, &[], RoleRules::default()).await;
    }
    let began = app.now().minus(DAY);
    let ada = ImportedPerson {
        phone: Some("+442079460958".to_owned()),
        display_name: Some("Ada\nLovelace".to_owned()),
        locale: Some("EN-gb".to_owned()),
        roles: ["writer", "editor", "writer"].map(str::to_owned).to_vec(),
        identities: vec![("acme".to_owned(), "7".to_owned())],
        created_at: Some(began),
        ..person(1, "ada")
    };
    let early = ImportedPerson { email_verified: false, created_at: Some(app.now().plus(DAY)), ..person(2, "grace") };
    for one in [&ada, &early] {
        assert_eq!(app.imports.import(&operator, "django", one, None).await.unwrap(), Arrived::New);
    }
    let user = app.users.find(&operator, "ada@example.org").await.unwrap();
    let mut roles = user.roles.clone();
    roles.sort_unstable();
    assert_eq!(roles, ["editor", "writer"]);
    assert_eq!((user.phone.as_deref(), user.locale.as_deref()), (Some("+442079460958"), Some("en-GB")));
    assert_eq!((user.display_name.as_deref(), user.username.as_deref()), (Some("Ada Lovelace"), Some("ada_1")));
    assert_eq!((user.email_verified, user.created_at), (true, began));
    acme.is(profile("acme", "7"));
    assert_eq!(app.sign_in_through("acme").await.user.id, user.id, "their account elsewhere opens it");
    let early = app.users.find(&operator, "grace_2").await.unwrap();
    assert_eq!((early.email_verified, early.created_at, early.roles.len()), (false, app.now(), 0));
}

/// Nobody comes over without what is wrong with them, in a trial or not.
#[apply(case)]
async fn somebody_with_something_wrong_stays_where_they_are(fixture: Fixture) {
    let app = fixture.app().await;
    let operator = app.operator_context();
    app.make_role("editor", &[], RoleRules::default()).await;
    let ada = || person(1, "ada");
    let roles = ["editor", "nobodys"].map(str::to_owned).to_vec();
    let people = [
        (ImportedPerson { email: None, username: None, ..ada() }, "/email"),
        (ImportedPerson { email: Some("nonsense".to_owned()), ..ada() }, "/email"),
        (ImportedPerson { username: Some("x".repeat(500)), ..ada() }, "/username"),
        (ImportedPerson { phone: Some("112".to_owned()), ..ada() }, "/phone"),
        (ImportedPerson { roles, ..ada() }, "/roles"),
        (ImportedPerson { password_hash: Some("nonsense".to_owned()), ..ada() }, "/password_hash"),
    ];
    for (one, pointer) in &people {
        for trial in [Some(&Trial::default()), None] {
            assert_eq!(wrong_fields(app.imports.import(&operator, "django", one, trial).await), [*pointer]);
        }
    }
    let elsewhere = ImportedPerson { identities: vec![("nobodys".to_owned(), "7".to_owned())], ..ada() };
    let answer = app.imports.import(&operator, "django", &elsewhere, None).await;
    assert_eq!(refusal(answer), Refusal::NoSuchProvider);
    assert!(app.reading().users().page(None, 10).await.unwrap().is_empty());
}

/// A trial changes nothing and says what would be; nobody is told of what is done; only who may make accounts imports.
#[apply(case)]
async fn an_import_is_quiet_and_a_trial_changes_nothing(fixture: Fixture) {
    let app = fixture.app().await;
    let (operator, ada) = (app.operator_context(), person(1, "ada"));
    let reader = app.service(&[Permission::USERS_READ]).await.actor;
    assert_eq!(refusal(app.imports.import(&acting(&app, &reader), "django", &ada, None).await), Refusal::Forbidden);
    let facts = app.facts().await.len();
    assert_eq!(app.imports.import(&operator, "django", &ada, Some(&Trial::default())).await.unwrap(), Arrived::New);
    assert_eq!(app.imports.import(&operator, "django", &ada, Some(&Trial::default())).await.unwrap(), Arrived::New);
    assert!(app.reading().users().page(None, 10).await.unwrap().is_empty());
    assert_eq!(app.imports.import(&operator, "django", &ada, None).await.unwrap(), Arrived::New);
    assert_eq!(app.imports.import(&operator, "django", &ada, Some(&Trial::default())).await.unwrap(), Arrived::Before);
    assert_eq!(app.facts().await.len(), facts);
    // The same number of other software is somebody else, and a trial says what is taken too.
    for trial in [Some(&Trial::default()), None] {
        assert_eq!(refusal(app.imports.import(&operator, "supabase", &ada, trial).await), Refusal::EmailTaken);
    }
}

/// Somebody twice in what is imported: a trial of it says what the import does.
#[apply(case)]
async fn a_trial_counts_one_of_two_with_one_address(fixture: Fixture) {
    let app = fixture.app().await;
    let operator = app.operator_context();
    let nameless = |name: &str| ImportedPerson { source_id: None, username: None, ..person(1, name) };
    let people =
        [nameless("ada"), nameless("ADA"), person(2, "ada"), person(3, "grace"), person(3, "linus"), person(4, "joan")];
    let mut told = Vec::new();
    for trial in [Some(&Trial::default()), None] {
        let mut came = Vec::new();
        for one in &people {
            let end = app.imports.import(&operator, "csv", one, trial).await;
            came.push(end.map_err(|failure| refusal::<()>(Err(failure))));
        }
        told.push(came);
    }
    assert_eq!(told[0], told[1]);
    let (new, before) = (Ok(Arrived::New), Ok(Arrived::Before));
    assert_eq!(told[0], [new.clone(), before.clone(), Err(Refusal::EmailTaken), new.clone(), before, new]);
}

/// A block is brought over with its end; one that is over is none.
#[apply(case)]
async fn a_block_of_other_software_ends_when_it_would_have_ended_there(fixture: Fixture) {
    let app = fixture.app().await;
    let operator = app.operator_context();
    let end = app.now().plus(Duration::from_secs(60));
    let blocked = |id, name: &str, until: Option<Timestamp>| ImportedPerson {
        blocked: true,
        blocked_until: until,
        ..person(id, name)
    };
    for one in [blocked(1, "ada", Some(end)), blocked(2, "grace", Some(app.now())), blocked(3, "joan", None)] {
        app.imports.import(&operator, "better-auth", &one, None).await.unwrap();
    }
    assert_eq!(refusal(app.login("ada_1", OLD_PASSWORD).await), Refusal::Blocked);
    assert_eq!(app.login("grace_2", OLD_PASSWORD).await.unwrap().user.status, UserStatus::Active);
    app.advance(Duration::from_secs(60));
    assert_eq!(app.users.end_blocks().await.unwrap(), 1);
    assert!(app.login("ada_1", OLD_PASSWORD).await.is_ok());
    assert_eq!(refusal(app.login("joan_3", OLD_PASSWORD).await), Refusal::Blocked);
}
