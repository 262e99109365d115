//! Ways out for whoever has signed in twice by two ways, and has two accounts now.

use std::{sync::Arc, time::Duration};

use userd_model::{DeletedBy, EventKind, IdentityId, Permission, Refusal, UserId, UserStatus};
use userd_providers::{Profile, SubjectKey};
use userd_services::{
    Context,
    sign_in::{Emptied, Start},
};

use super::elsewhere::{Elsewhere, code, offering, person, provider_tokens, refused};
use crate::{
    fixture::{DAY, Fixture, TestApp, at_once, out_of_date, refusal, wrong_fields},
    personas::{Member, OTHER_PASSWORD, PASSWORD, acting, at, authenticated, home, password},
};

/// One person who came by each of two providers, as two users.
struct Twice {
    app: TestApp,
    acme: Arc<Elsewhere>,
    by_acme: Member,
    by_other: Member,
}

async fn twice(fixture: &Fixture) -> Twice {
    let (acme, other) = (Elsewhere::new("acme", |_| {}), Elsewhere::new("other", |_| {}));
    let second_name = SubjectKey { issuer: "https://other.example#sub".into(), subject: "opaque".into() };
    other.is(Profile {
        tokens: Some(provider_tokens("at-1")),
        secondary: Some(second_name),
        username: Some("ada_at_other".into()),
        ..person("other", "1")
    });
    let app = fixture.app_with(offering(&[&acme, &other])).await;
    let (by_acme, by_other) = (member(&app, "acme").await, member(&app, "other").await);
    assert_ne!(by_acme.id, by_other.id);
    Twice { app, acme, by_acme, by_other }
}

async fn member(app: &TestApp, provider: &str) -> Member {
    let signed_in = app.sign_in_through(provider).await;
    Member { id: signed_in.user.id, email: String::new(), tokens: signed_in.tokens }
}

async fn fresh(app: &TestApp, member: &Member) -> Context {
    authenticated(app, &app.who(&member.tokens.access_token).await.unwrap())
}

async fn providers_of(app: &TestApp, user: UserId) -> Vec<String> {
    let operator = app.operator_context();
    let identities = app.sign_in.identities(&operator, user).await.unwrap();
    let mut names: Vec<String> = identities.into_iter().map(|identity| identity.provider).collect();
    names.sort();
    names
}

async fn identity_of(app: &TestApp, user: UserId) -> IdentityId {
    app.sign_in.identities(&app.operator_context(), user).await.unwrap()[0].id
}

/// Gives the other account a way in of its own: a username and a first password.
async fn give_a_password(app: &TestApp, member: &Member, username: &str) {
    let ctx = fresh(app, member).await;
    app.accounts.change_username(&ctx, username, None).await.unwrap();
    app.accounts.set_first_password(&ctx, &password(PASSWORD)).await.unwrap();
}

/// Whoever came by a provider has no current password to show: a fresh sign-in stands for it, once. (fault 17)
#[apply(case)]
async fn a_first_password_takes_a_fresh_sign_in(fixture: Fixture) {
    let acme = Elsewhere::new("acme", |_| {});
    let app = fixture.app_with(offering(&[&acme])).await;
    let (ada, phone) = (member(&app, "acme").await, member(&app, "acme").await);
    app.accounts.change_username(&fresh(&app, &ada).await, "ada", None).await.unwrap();
    let ctx = fresh(&app, &ada).await;
    assert_eq!(wrong_fields(app.accounts.set_first_password(&ctx, &password("short")).await), ["/new_password"]);
    app.advance(Duration::from_secs(301));
    let stale = fresh(&app, &ada).await;
    let refused = app.accounts.set_first_password(&stale, &password(PASSWORD)).await;
    assert_eq!(refusal(refused), out_of_date());
    let again = member(&app, "acme").await;
    let ctx = fresh(&app, &again).await;
    app.accounts.set_first_password(&ctx, &password(PASSWORD)).await.unwrap();
    assert_eq!(app.login("ada", PASSWORD).await.unwrap().user.id, ada.id);
    assert!(app.is_out(&phone.tokens).await && !app.is_out(&again.tokens).await, "as any change of a password");
    assert_eq!(app.count_of(ada.id, EventKind::PasswordChanged).await, 1);

    let second = app.accounts.set_first_password(&ctx, &password(OTHER_PASSWORD)).await;
    assert_eq!(wrong_fields(second), ["/current_password"], "a fresh sign-in is no way round the current one");
    let service = app.service(&[Permission::USERS_MANAGE]).await;
    let by_service = app.accounts.set_first_password(&acting(&app, &service.actor), &password(PASSWORD)).await;
    assert_eq!(refusal(by_service), Refusal::Forbidden);
}

/// Two first passwords at once: one is set, and it is the one that works.
#[apply(case)]
async fn of_two_first_passwords_at_once_one_is_set(fixture: Fixture) {
    let acme = Elsewhere::new("acme", |_| {});
    let app = fixture.app_with(offering(&[&acme])).await;
    let ada = member(&app, "acme").await;
    app.accounts.change_username(&fresh(&app, &ada).await, "ada", None).await.unwrap();
    let who = app.who(&ada.tokens.access_token).await.unwrap();
    let services = app.shared();
    let set = at_once(2, |n| {
        let (services, who) = (Arc::clone(&services), who.clone());
        async move {
            let text = [PASSWORD, OTHER_PASSWORD][n];
            (text, services.accounts.set_first_password(&authenticated(&services, &who), &password(text)).await.is_ok())
        }
    })
    .await;
    assert_eq!(set.iter().filter(|(_, won)| *won).count(), 1);
    for (text, won) in set {
        assert_eq!(app.login("ada", text).await.is_ok(), won);
    }
}

/// The whole way out: linking says whose the account elsewhere is, the other account gets a password, and then the
/// account elsewhere moves. (fault 17)
#[apply(case)]
async fn two_accounts_of_one_person_become_one(fixture: Fixture) {
    let Twice { app, by_acme, by_other, .. } = twice(&fixture).await;
    assert_eq!(refused(app.link(&by_acme, "other").await), Refusal::IdentityTaken);
    let only_way_in = code(app.through("other").await);
    let here = fresh(&app, &by_acme).await;
    assert_eq!(refusal(app.sign_in.move_here(&here, &only_way_in, None, Emptied::Kept).await), Refusal::LastWayIn);
    assert_eq!(
        refusal(app.sign_in.move_here(&here, &only_way_in, None, Emptied::Kept).await),
        Refusal::InvalidCode,
        "used up"
    );
    assert_eq!(app.sign_in_through("other").await.user.id, by_other.id, "nothing has moved");

    give_a_password(&app, &by_other, "ada-by-other").await;
    let moved = app.sign_in.move_here(&here, &code(app.through("other").await), None, Emptied::Kept).await.unwrap();
    assert_eq!((moved.provider.as_str(), moved.username.as_deref()), ("other", Some("ada_at_other")));
    assert_eq!(app.sign_in_through("other").await.user.id, by_acme.id);
    assert_eq!(app.login("ada-by-other", PASSWORD).await.unwrap().user.id, by_other.id, "its way in is kept");
    assert_eq!(providers_of(&app, by_acme.id).await, ["acme", "other"]);
    assert!(providers_of(&app, by_other.id).await.is_empty());
    assert_eq!(app.count_of(by_other.id, EventKind::IdentityUnlinked).await, 1);
    assert_eq!(app.count_of(by_acme.id, EventKind::IdentityLinked).await, 2);

    // What was moved is the new owner's altogether: it can be unlinked, under both of its names.
    let id = moved.id;
    app.sign_in.unlink(&fresh(&app, &by_acme).await, id).await.unwrap();
    assert_ne!(app.sign_in_through("other").await.user.id, by_acme.id);
}

/// The short way: the account that the only way in moves away from is deleted with it, and comes back as any other. (fault 17)
#[apply(case)]
async fn an_account_that_is_emptied_by_a_move_is_deleted_where_that_is_asked_for(fixture: Fixture) {
    let Twice { app, by_acme, by_other, .. } = twice(&fixture).await;
    let here = fresh(&app, &by_acme).await;
    let shown = code(app.through("other").await);
    app.sign_in.move_here(&here, &shown, None, Emptied::Deleted).await.unwrap();
    assert_eq!(app.sign_in_through("other").await.user.id, by_acme.id);
    assert!(app.is_out(&by_other.tokens).await && !app.is_out(&by_acme.tokens).await);
    assert_eq!(app.user_reader.show(by_other.id).await.unwrap().status, UserStatus::Deleted);
    for kind in [EventKind::IdentityUnlinked, EventKind::UserDeleted] {
        assert_eq!(app.count_of(by_other.id, kind).await, 1, "{kind:?}");
    }
    let deletion = app.reading().deletions().find(by_other.id).await.unwrap().unwrap();
    assert_eq!((deletion.by, deletion.purge_at), (DeletedBy::Owner, app.now().plus(30 * DAY)));
    let back = app.deletions.restore(&app.operator_context(), by_other.id).await.unwrap();
    assert_eq!(back.status, UserStatus::Active);
    assert!(providers_of(&app, by_other.id).await.is_empty(), "what moved away stays where it is");
}

/// It is asked for, and there is nothing to delete, or somebody whom nobody deletes by the way.
#[apply(case)]
async fn a_move_deletes_nobody_who_keeps_a_way_in_or_holds_a_right(fixture: Fixture) {
    let Twice { app, by_acme, by_other, .. } = twice(&fixture).await;
    let here = fresh(&app, &by_acme).await;
    app.grant_alone(by_other.id, Permission::USERS_READ).await;
    let shown = code(app.through("other").await);
    let refused = app.sign_in.move_here(&here, &shown, None, Emptied::Deleted).await;
    assert_eq!(refusal(refused), Refusal::LastWayIn);
    assert_eq!(providers_of(&app, by_other.id).await, ["other"]);
    let again = member(&app, "other").await;
    give_a_password(&app, &again, "ada-by-other").await;
    let shown = code(app.through("other").await);
    app.sign_in.move_here(&here, &shown, None, Emptied::Deleted).await.unwrap();
    assert_eq!(providers_of(&app, by_acme.id).await, ["acme", "other"]);
    assert_eq!(app.login("ada-by-other", PASSWORD).await.unwrap().user.id, by_other.id);
}

#[apply(case)]
async fn a_move_needs_both_sides_proven_fresh(fixture: Fixture) {
    let Twice { app, by_acme, by_other, .. } = twice(&fixture).await;
    give_a_password(&app, &by_other, "ada-by-other").await;
    let here = fresh(&app, &by_acme).await;
    for nonsense in ["", "nonsense", &"A".repeat(43)] {
        assert_eq!(refusal(app.sign_in.move_here(&here, nonsense, None, Emptied::Kept).await), Refusal::InvalidCode);
    }
    let start = Start { code_challenge: Some("A".repeat(43)), ..Start::default() };
    let begun = app.sign_in.start(&at(&app, home()), "other", start).await.unwrap();
    let bound = code(app.come_back("other", &begun).await);
    assert_eq!(refusal(app.sign_in.move_here(&here, &bound, Some("wrong"), Emptied::Kept).await), Refusal::InvalidCode);
    let late = code(app.through("other").await);
    app.advance(Duration::from_secs(60));
    assert_eq!(refusal(app.sign_in.move_here(&here, &late, None, Emptied::Kept).await), Refusal::InvalidCode);
    app.advance(Duration::from_secs(241));
    let stale = fresh(&app, &by_acme).await;
    let good = code(app.through("other").await);
    assert_eq!(refusal(app.sign_in.move_here(&stale, &good, None, Emptied::Kept).await), out_of_date());
    let service = app.service(&[Permission::USERS_MANAGE]).await;
    let by_service = app.sign_in.move_here(&acting(&app, &service.actor), &good, None, Emptied::Kept).await;
    assert_eq!(refusal(by_service), Refusal::Forbidden);

    // One's own is where it belongs already.
    let again = member(&app, "acme").await;
    let own = code(app.through("acme").await);
    let here = fresh(&app, &again).await;
    assert_eq!(app.sign_in.move_here(&here, &own, None, Emptied::Kept).await.unwrap().provider, "acme");
    // Nothing moves out of a blocked account, or into one.
    let on_its_way = code(app.through("other").await);
    app.users.block(&app.operator_context(), by_other.id).await.unwrap();
    let moved = refusal(app.sign_in.move_here(&here, &on_its_way, None, Emptied::Kept).await);
    assert!(matches!(moved, Refusal::Blocked | Refusal::InvalidCode), "{moved:?}");
    assert_eq!(providers_of(&app, by_other.id).await, ["other"]);
}

/// One code, raced by two users: one of them has the account elsewhere, and nobody lost it.
#[apply(case)]
async fn a_code_moves_once(fixture: Fixture) {
    let Twice { app, by_acme, by_other, acme } = twice(&fixture).await;
    give_a_password(&app, &by_other, "ada-by-other").await;
    acme.is(person("acme", "2"));
    let third = member(&app, "acme").await;
    let one = code(app.through("other").await);
    let services = app.shared();
    let who =
        [app.who(&by_acme.tokens.access_token).await.unwrap(), app.who(&third.tokens.access_token).await.unwrap()];
    let moved =
        at_once(2, |n| {
            let (services, who, one) = (Arc::clone(&services), who[n].clone(), one.clone());
            async move {
                services.sign_in.move_here(&authenticated(&services, &who), &one, None, Emptied::Kept).await.is_ok()
            }
        })
        .await;
    assert_eq!(moved.iter().filter(|won| **won).count(), 1);
    let owner = app.sign_in_through("other").await.user.id;
    assert!(owner == by_acme.id || owner == third.id);
}

/// An administrator sees and takes away accounts elsewhere, but neither the last way in nor their own. (fault 17)
#[apply(case)]
async fn an_administrator_unlinks_an_account_elsewhere(fixture: Fixture) {
    let Twice { app, by_other, .. } = twice(&fixture).await;
    let service = app.service(&[Permission::USERS_READ, Permission::USERS_MANAGE]).await;
    let reader = app.service(&[Permission::USERS_READ]).await;
    let (manager, reader) = (acting(&app, &service.actor), acting(&app, &reader.actor));
    let id = identity_of(&app, by_other.id).await;
    assert_eq!(app.sign_in.identities(&reader, by_other.id).await.unwrap().len(), 1);
    assert_eq!(refusal(app.sign_in.unlink_of(&reader, by_other.id, id).await), Refusal::Forbidden);
    assert_eq!(refusal(app.sign_in.unlink_of(&manager, by_other.id, id).await), Refusal::LastWayIn);
    give_a_password(&app, &by_other, "ada-by-other").await;
    let root = app.admin().await;
    let own = app.sign_in.unlink_of(&acting(&app, &app.actor(&root).await), root.id, id).await;
    assert_eq!(refusal(own), Refusal::Forbidden, "one's own takes a fresh sign-in");
    assert_eq!(refusal(app.sign_in.unlink_of(&manager, root.id, id).await), Refusal::Forbidden, "decision 0063");
    let eve = app.member("eve").await;
    assert_eq!(refusal(app.sign_in.unlink_of(&manager, eve.id, id).await), Refusal::NotFound, "not of somebody else");
    app.users.block(&app.operator_context(), by_other.id).await.unwrap();
    app.sign_in.unlink_of(&manager, by_other.id, id).await.unwrap();
    assert!(providers_of(&app, by_other.id).await.is_empty());
    assert_eq!(app.count_of(by_other.id, EventKind::IdentityUnlinked).await, 1);
    assert_ne!(app.sign_in_through("other").await.user.id, by_other.id);
}
