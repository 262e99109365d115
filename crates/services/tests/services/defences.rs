//! Each defence with the other one out of the way, what is told to others by every change of a kind, and what happens
//! the second time (fault 38: these were held by nothing).

use std::time::Duration;

use userd_model::{GrantKind, Revocation, RevocationId, Revoked, UserId, UserStatus};
use userd_providers::{Profile, ProviderFault, ProviderTokens};
use userd_services::{UserView, accounts::ProfileInput, limits::Rate, roles::GrantInput, testing::TestOptions};

use crate::{
    emails::newest,
    fixture::{DAY, Fixture, MINUTE, TestApp, refusal, with},
    personas::{Member, PASSWORD, at, authenticated, home, of},
    sign_in::elsewhere::{Elsewhere, app_with_acme, code, offering, person, proven, provider_tokens},
};

/// Raises the epoch and ends no session, as another replica does whose list of sessions missed one.
async fn raise_epoch_only(app: &TestApp, user: UserId) {
    let now = app.now();
    let id = RevocationId::mint(app.deps.random.as_ref());
    let raise = app.deps.store.transact("raise_epoch", |mut uow| async move {
        let mut user = uow.users().find(user).await?.unwrap();
        user.raise_epoch(now);
        uow.users().update(&user).await?;
        let what = Revoked::User { user_id: user.id, min_epoch: user.security_epoch, version: user.version };
        let entry = Revocation { id, what, recorded_at: now, expires_at: now.plus(MINUTE * 12) };
        uow.revocations().insert(&entry).await?;
        uow.commit(()).await
    });
    raise.await.unwrap();
}

/// (fault 38) Block and sign-out also end the sessions; here only the epoch speaks.
#[apply(case)]
async fn a_raised_epoch_refuses_tokens_whose_session_lives(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, grace) = (app.member("ada").await, app.member("grace").await);
    assert!(app.who(&ada.tokens.access_token).await.is_ok());
    raise_epoch_only(&app, ada.id).await;
    app.follow_revocations().await.unwrap();
    assert!(app.who(&ada.tokens.access_token).await.is_err());
    assert!(app.who(&grace.tokens.access_token).await.is_ok(), "nobody else's");
    let again = app.login("ada", PASSWORD).await.unwrap();
    assert!(app.who(&again.tokens.access_token).await.is_ok(), "and nothing that is issued after");
}

/// (fault 38) What a change of a user makes of it is seen at the other replica after a poll, whichever change it is.
#[apply(case)]
async fn every_change_of_an_account_is_told_to_the_other_replica(fixture: Fixture) {
    let (here, there) = fixture.two_apps().await;
    let ada = here.member("ada").await;
    let told = async |what: &str, shown: UserView| {
        there.follow_revocations().await.unwrap();
        assert_eq!(there.user_reader.show(ada.id).await.unwrap(), shown, "{what}");
    };
    // Remembered there, so that only being told changes what is shown.
    let shown = async || here.user_reader.show(ada.id).await.unwrap();
    told("nothing yet", shown().await).await;
    let (proof, _) = newest(&here, &ada.email).await;
    here.emails.verify_link(&at(&here, home()), &proof, None).await.unwrap();
    assert!(shown().await.email_verified);
    told("address", shown().await).await;
    let name = ProfileInput { display_name: Some(Some("Ada".into())), ..ProfileInput::default() };
    told("profile", here.accounts.change_profile(&of(&here, &ada), name, None).await.unwrap()).await;
    told("username", here.accounts.change_username(&of(&here, &ada), "countess", None).await.unwrap()).await;
    told("sign-out", here.users.sign_out(&here.operator_context(), ada.id).await.unwrap()).await;
    told("block", here.users.block(&here.operator_context(), ada.id).await.unwrap()).await;
    told("unblock", here.users.unblock(&here.operator_context(), ada.id).await.unwrap()).await;
    // Those that answer something else than the account.
    let operator = &here.operator_context();
    here.grants.grant(operator, ada.id, GrantKind::Role, "user_manager", &GrantInput::default()).await.unwrap();
    assert_eq!(shown().await.roles, ["user_manager"]);
    told("grant", shown().await).await;
    here.grants.revoke(operator, ada.id, GrantKind::Role, "user_manager").await.unwrap();
    assert!(shown().await.roles.is_empty());
    told("grant taken", shown().await).await;
    here.deletions.delete(operator, ada.id).await.unwrap();
    assert_eq!(shown().await.status, UserStatus::Deleted);
    told("deletion", shown().await).await;
    told("restoration", here.deletions.restore(operator, ada.id).await.unwrap()).await;
}

/// (fault 38) A second sign-in is a change that no version tells of, and is shown at once all the same.
#[apply(case)]
async fn the_last_sign_in_is_shown_although_an_earlier_view_is_remembered(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let first = app.user_reader.show(ada.id).await.unwrap().last_sign_in_at;
    assert_eq!(first, Some(app.now()));
    app.advance(DAY);
    app.login("ada", PASSWORD).await.unwrap();
    assert_eq!(app.user_reader.show(ada.id).await.unwrap().last_sign_in_at, Some(app.now()));
}

/// One way in a day and network may fail; every one that succeeds gives its reservation back.
fn two_failures_a_day() -> TestOptions {
    let TestOptions { settings, .. } = with(|settings| {
        settings.limits.enabled = true;
        settings.limits.sign_in_per_network = Rate { burst: 2, period: DAY };
        settings.limits.password_per_network = Rate { burst: 2, period: DAY };
        settings.limits.password_per_account = Rate { burst: 2, period: DAY };
        settings.limits.client_per_network = Rate { burst: 2, period: DAY };
    });
    TestOptions { settings, ..TestOptions::default() }
}

/// (fault 38) Whoever signs in rightly is never delayed, however often.
#[apply(case)]
async fn what_succeeds_gives_its_reservation_back(fixture: Fixture) {
    let acme = Elsewhere::new("acme", |_| {});
    let options = TestOptions { settings: two_failures_a_day().settings, ..offering(&[&acme]) };
    let app = fixture.app_with(options).await;
    app.member("ada").await;
    let service = app.service(&[]).await;
    for turn in 0..5 {
        let code = code(app.through("acme").await);
        let exchanged = app.sign_in.exchange(&at(&app, home()), &code, None, None).await;
        assert!(exchanged.is_ok(), "exchange {turn}");
        assert!(app.login("ada", PASSWORD).await.is_ok(), "login {turn}");
        assert!(app.client_token(service.id, &service.secret).await.is_ok(), "client {turn}");
    }
    let waiting = code(app.through("acme").await);
    for _ in 0..2 {
        app.sign_in.exchange(&at(&app, home()), "nonsense", None, None).await.unwrap_err();
    }
    let delayed = app.sign_in.exchange(&at(&app, home()), "nonsense", None, None).await;
    assert!(matches!(refusal(delayed), userd_model::Refusal::TooManyAttempts(_)), "and what fails does not");
    // Nobody guesses a code: one that a browser of the same network got before is good all the same.
    let exchanged = app.sign_in.exchange(&at(&app, home()), &waiting, None, None).await;
    assert!(exchanged.is_ok(), "because of a neighbour's wrong ones");
}

async fn unlink_only_identity(app: &TestApp, member: &Member) -> Result<(), userd_services::Failure> {
    let who = app.who(&member.tokens.access_token).await.unwrap();
    let ctx = authenticated(app, &who);
    let id = app.sign_in.identities(&ctx, member.id).await.unwrap()[0].id;
    app.sign_in.unlink(&ctx, id).await
}

async fn member_through_acme(app: &TestApp) -> Member {
    let signed_in = app.sign_in_through("acme").await;
    Member { id: signed_in.user.id, email: String::new(), tokens: signed_in.tokens }
}

/// (fault 38) A login without a password opens nothing, and a password without a login neither.
#[apply(case)]
async fn a_login_without_a_password_is_no_way_in(fixture: Fixture) {
    let (app, acme) = app_with_acme(&fixture).await;
    acme.is(proven("acme", "7", "ada@example.org"));
    let ada = member_through_acme(&app).await;
    let claims = app.reading().claims().of_owner(ada.id).await.unwrap();
    assert!(claims.iter().any(|claim| claim.kind == "email"), "the address is a login");
    assert_eq!(refusal(unlink_only_identity(&app, &ada).await), userd_model::Refusal::LastWayIn);
}

/// (fault 38) The tokens of the latest sign-in are the ones that are kept, and given back at the end.
#[apply(case)]
async fn a_later_sign_in_renews_the_providers_tokens(fixture: Fixture) {
    let (app, acme) = app_with_acme(&fixture).await;
    let ada = app.member("ada").await;
    for access in ["at-1", "at-2"] {
        acme.is(Profile { tokens: Some(provider_tokens(access)), ..person("acme", "7") });
        app.link(&ada, "acme").await;
    }
    app.advance(Duration::from_secs(1));
    acme.is(person("acme", "7"));
    app.link(&ada, "acme").await;
    unlink_only_identity(&app, &ada).await.unwrap();
    assert_eq!(*acme.forgotten.lock().unwrap(), ["at-2"], "neither the first ones nor none");
}

/// (fault 38) Tokens that have run out are renewed before they are given back; where they cannot be, the old ones are.
#[apply(case)]
async fn tokens_that_have_run_out_are_renewed_before_they_are_given_back(fixture: Fixture) {
    let acme = Elsewhere::new("acme", |facts| facts.capabilities.refresh = true);
    let app = fixture.app_with(offering(&[&acme])).await;
    let ada = app.member("ada").await;
    let second = Duration::from_secs(1);
    let (over, living) = (Some(second), Some(2 * second));
    let away = || Some(ProviderFault::Unavailable("away".into()));
    for (access, life, can_renew, fault, given_back) in [
        ("at-1", over, true, None, "new-by-refresh-of-at-1"),
        ("at-2", living, true, None, "at-2"),
        ("at-3", None, true, None, "at-3"),
        ("at-4", over, false, None, "at-4"),
        ("at-5", over, true, away(), "at-5"),
    ] {
        let mut tokens =
            ProviderTokens { expires_at: life.map(|life| app.now().plus(life)), ..provider_tokens(access) };
        tokens.refresh_token = tokens.refresh_token.filter(|_| can_renew);
        acme.is(Profile { tokens: Some(tokens), ..person("acme", "7") });
        app.link(&ada, "acme").await;
        app.advance(second);
        *acme.fault.lock().unwrap() = fault;
        unlink_only_identity(&app, &ada).await.unwrap();
        assert_eq!(acme.forgotten.lock().unwrap().pop().as_deref(), Some(given_back));
    }
}
