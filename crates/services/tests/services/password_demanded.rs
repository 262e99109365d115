//! A new password that an administrator demands: who may, what ends, and that nothing goes on without it.

use userd_model::{EventKind, PendingStep, Permission, Refusal, UserId};
use userd_services::{Failure, SignedIn, accounts::NewUser, factors::Shown};

use crate::{
    emails::{forgot, newest},
    factors::support::pending,
    fixture::{Fixture, TestApp, at_once, refusal, wrong_fields},
    personas::{Member, OTHER_PASSWORD, PASSWORD, acting, at, elsewhere, home, login_with, password},
    sign_in::elsewhere::{app_with_acme, code},
};

/// The challenge that the password so far is answered with.
async fn challenge(app: &TestApp, login: &str) -> String {
    let step = pending(app.sessions.login(&at(app, home()), login_with(login, PASSWORD)).await.unwrap());
    assert_eq!((step.status.as_str(), step.methods.len()), (PendingStep::PasswordChange.status(), 0));
    step.challenge
}

async fn set(app: &TestApp, challenge: &str, new: &str) -> Result<SignedIn, Failure> {
    let completion = app.accounts.change_demanded(&at(app, home()), challenge, &password(new)).await?;
    Ok(completion.signed_in().unwrap())
}

async fn demand(app: &TestApp, user: UserId) {
    app.users.require_password_change(&app.operator_context(), user).await.unwrap();
}

#[apply(case)]
async fn a_demanded_password_is_set_before_anything_else(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    demand(&app, ada.id).await;
    demand(&app, ada.id).await;
    assert_eq!(app.count_of(ada.id, EventKind::PasswordChangeRequired).await, 1);
    assert!(app.is_out(&ada.tokens).await, "every session ends");
    let text = challenge(&app, "ada").await;
    let other = challenge(&app, "ada@example.org").await;
    let shown = Shown::code("000000".to_owned());
    let factor = app.factors.second_step(&at(&app, home()), &text, &shown).await;
    assert_eq!(refusal(factor), Refusal::ChallengeGone, "it opens nothing else");
    let setup = app.factors.begin_demanded(&at(&app, home()), &text, None).await;
    assert_eq!(refusal(setup), Refusal::ChallengeGone);
    assert_eq!(wrong_fields(set(&app, &text, "short").await), ["/new_password"]);
    assert_eq!(wrong_fields(set(&app, &text, PASSWORD).await), ["/new_password"], "the one so far is no new one");
    let back = set(&app, &text, OTHER_PASSWORD).await.unwrap();
    assert!(app.who(&back.tokens.access_token).await.is_ok());
    for used in [&text, &other] {
        assert_eq!(refusal(set(&app, used, PASSWORD).await), Refusal::ChallengeGone, "challenges die with it");
    }
    assert_eq!(refusal(app.login("ada", PASSWORD).await), Refusal::WrongCredentials);
    assert!(app.login("ada", OTHER_PASSWORD).await.is_ok());
    assert_eq!(app.count_of(ada.id, EventKind::PasswordChanged).await, 1);
}

#[apply(case)]
async fn a_new_password_is_demanded_by_who_may_of_who_has_one(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, root) = (app.member("ada").await, app.admin().await);
    let refused = app.users.require_password_change(&app.acting(&ada).await, root.id).await;
    assert_eq!(refusal(refused), Refusal::Forbidden);
    let reader = app.service(&[Permission::USERS_READ]).await.actor;
    let refused = app.users.require_password_change(&acting(&app, &reader), ada.id).await;
    assert_eq!(refusal(refused), Refusal::Forbidden);
    let operator = app.operator_context();
    let nobody = app.users.require_password_change(&operator, UserId(uuid::Uuid::nil())).await;
    assert_eq!(refusal(nobody), Refusal::NotFound);
    let grace = NewUser { username: Some("grace".to_owned()), ..NewUser::default() };
    let grace = app.accounts.create(&operator, &grace, None).await.unwrap();
    let none = app.users.require_password_change(&operator, grace.id).await;
    assert_eq!(refusal(none), Refusal::NoPassword);
    app.users.require_password_change(&app.acting(&root).await, ada.id).await.unwrap();
    challenge(&app, "ada").await;
    app.delete(ada.id).await;
    let deleted = app.users.require_password_change(&operator, ada.id).await;
    assert_eq!(refusal(deleted), Refusal::NotFound);
}

/// The second factor comes first: whoever knows the password alone changes nothing.
#[apply(case)]
async fn who_holds_a_factor_shows_it_before_the_new_password(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let phone = app.phone_of(&ada).await;
    demand(&app, ada.id).await;
    let step = app.first_step("ada").await;
    assert_eq!(step.status, PendingStep::SecondFactor.status());
    assert_eq!(refusal(set(&app, &step.challenge, OTHER_PASSWORD).await), Refusal::ChallengeGone);
    let next = pending(app.second_step(&step, &phone.shows(app.now())).await.unwrap());
    assert_eq!(next.status, PendingStep::PasswordChange.status());
    let back = set(&app, &next.challenge, OTHER_PASSWORD).await.unwrap();
    let claims = &app.who(&back.tokens.access_token).await.unwrap().token.claims;
    assert_eq!(claims.amr.join(" "), "pwd otp mfa");
}

/// A link to a forgotten password sets it too, and so does a change in a session of another way in; neither to the one so
/// far.
#[apply(case)]
async fn a_demand_is_met_by_every_new_password_and_by_no_old_one(fixture: Fixture) {
    let (app, _acme) = app_with_acme(&fixture).await;
    let ada = app.member("ada").await;
    app.link(&ada, "acme").await;
    demand(&app, ada.id).await;
    forgot(&app, &at(&app, home()), "ada").await;
    let (token, _) = newest(&app, &ada.email).await;
    let ctx = at(&app, home());
    assert_eq!(wrong_fields(app.recovery.reset(&ctx, &token, &password(PASSWORD)).await), ["/new_password"]);
    app.recovery.reset(&ctx, &token, &password(OTHER_PASSWORD)).await.unwrap();
    let back = app.login("ada@example.org", OTHER_PASSWORD).await.unwrap();
    assert_eq!(back.user.id, ada.id);
}

/// A provider's sign-in uses no password; a change there meets the demand.
#[apply(case)]
async fn who_comes_by_a_provider_is_not_asked_and_changes_it_there(fixture: Fixture) {
    let (app, _acme) = app_with_acme(&fixture).await;
    let ada = app.member("ada").await;
    app.link(&ada, "acme").await;
    demand(&app, ada.id).await;
    let through = code(app.through("acme").await);
    let by_acme = app.sign_in.exchange(&at(&app, home()), &through, None, None).await.unwrap().signed_in().unwrap();
    let ada = Member { tokens: by_acme.tokens, ..ada };
    let ctx = app.acting(&ada).await;
    let same = app.accounts.change_password(&ctx, &password(PASSWORD), &password(PASSWORD)).await;
    assert_eq!(wrong_fields(same), ["/new_password"]);
    app.accounts.change_password(&ctx, &password(PASSWORD), &password(OTHER_PASSWORD)).await.unwrap();
    assert!(app.login("ada", OTHER_PASSWORD).await.is_ok());
}

#[apply(case)]
async fn of_sixty_four_new_passwords_by_one_challenge_one_counts(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    demand(&app, ada.id).await;
    let text = challenge(&app, "ada").await;
    let services = app.shared();
    let ends = at_once(64, |n| {
        let (services, text) = (services.clone(), text.clone());
        let ctx = services.context().from_origin(elsewhere(n));
        async move {
            let new = password(&format!("{OTHER_PASSWORD} {n}"));
            services.accounts.change_demanded(&ctx, &text, &new).await.map(|_| n)
        }
    })
    .await;
    let won: Vec<usize> = ends.into_iter().filter_map(Result::ok).collect();
    assert_eq!(won.len(), 1);
    assert!(app.login("ada", &format!("{OTHER_PASSWORD} {}", won[0])).await.is_ok());
    assert_eq!(app.count_of(ada.id, EventKind::PasswordChanged).await, 1);
}
