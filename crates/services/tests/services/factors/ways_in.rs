//! A passkey is a way in: what may be taken beside it, when it may be taken itself, and that it goes with the account.

use std::sync::Arc;

use userd_model::{Factor, IdentityId, Refusal};
use userd_services::{Failure, testing::TestOptions};
use userd_stand_ins::authenticator::Authenticator;

use super::support::{authenticator, pending};
use crate::{
    fixture::{DAY, Fixture, TestApp, at_once, refusal},
    personas::{Member, OTHER_PASSWORD, PASSWORD, at, home, login_with, password, registration},
    sign_in::elsewhere::{Elsewhere, offering},
};

/// Somebody who came through a provider, has a passkey, and has just shown it.
async fn ada_of_acme(app: &TestApp) -> (Member, IdentityId, Authenticator) {
    let signed_in = app.sign_in_through("acme").await;
    let ada = Member { id: signed_in.user.id, email: String::new(), tokens: signed_in.tokens };
    let mut laptop = authenticator();
    app.passkey_of(&ada, &mut laptop).await;
    let ada = by_passkey(app, &ada, &mut laptop).await;
    let identity = app.reading().identities().of_user(ada.id).await.unwrap()[0].id;
    (ada, identity, laptop)
}

async fn by_passkey(app: &TestApp, member: &Member, authenticator: &mut Authenticator) -> Member {
    let signed_in = app.login_by_passkey(authenticator).await.unwrap().signed_in().unwrap();
    Member { tokens: signed_in.tokens, ..member.clone() }
}

/// The account elsewhere may go, because the passkey stays; then the passkey may not, by its owner and by an administrator,
/// until there is a password with a name to go with it.
#[apply(case)]
async fn a_passkey_is_a_way_in_and_the_last_one_stays(fixture: Fixture) {
    let acme = Elsewhere::new("acme", |_| {});
    let app = fixture.app_with(offering(&[&acme])).await;
    let (ada, identity, mut laptop) = ada_of_acme(&app).await;
    let ctx = app.acting(&ada).await;
    app.sign_in.unlink(&ctx, identity).await.unwrap();
    let ada = by_passkey(&app, &ada, &mut laptop).await;
    let ctx = app.acting(&ada).await;
    let passkey = app.factors.held(&ctx).await.unwrap().items[0].id;
    let operator = app.operator_context();
    assert_eq!(refusal(app.factors.remove(&ctx, passkey).await), Refusal::LastWayIn);
    assert_eq!(refusal(app.factors.reset(&operator, ada.id).await), Refusal::LastWayIn);
    assert!(app.login_by_passkey(&mut laptop).await.is_ok(), "nothing was taken");
    app.accounts.set_first_password(&ctx, &password(PASSWORD)).await.unwrap();
    assert_eq!(refusal(app.factors.reset(&operator, ada.id).await), Refusal::LastWayIn, "no name to go with it");
    app.accounts.change_username(&ctx, "ada", None).await.unwrap();
    app.factors.reset(&operator, ada.id).await.unwrap();
    assert!(app.login("ada", PASSWORD).await.is_ok());
}

/// Where passkeys are switched off they are no way in: the account elsewhere stays, and the row of the passkey may go.
#[apply(case)]
async fn a_passkey_is_no_way_in_where_there_are_none(fixture: Fixture) {
    let acme = Elsewhere::new("acme", |_| {});
    let before = fixture.app_with(offering(&[&acme])).await;
    let (ada, identity, _) = ada_of_acme(&before).await;
    let clock = Some(Arc::clone(&before.clock));
    let app = fixture.app_with(TestOptions { clock, seed: 2, passkeys: None, ..offering(&[&acme]) }).await;
    let ctx = app.acting(&ada).await;
    assert_eq!(refusal(app.sign_in.unlink(&ctx, identity).await), Refusal::LastWayIn);
    let passkey = app.factors.held(&ctx).await.unwrap().items[0].id;
    app.factors.remove(&ctx, passkey).await.unwrap();
}

/// Sixty-four at once, half of them unlink the account elsewhere and half remove the passkey: one way in stays.
/// F17: of a race for one thing there is one winner.
#[apply(case)]
async fn of_many_who_take_the_last_two_ways_in_at_once_one_wins(fixture: Fixture) {
    let acme = Elsewhere::new("acme", |_| {});
    let app = fixture.app_with(offering(&[&acme])).await;
    let (ada, identity, _) = ada_of_acme(&app).await;
    let (services, ctx) = (app.shared(), Arc::new(app.acting(&ada).await));
    let passkey = app.factors.held(&ctx).await.unwrap().items[0].id;
    let ends = at_once(64, |n| {
        let (services, ctx) = (Arc::clone(&services), Arc::clone(&ctx));
        async move {
            match n % 2 {
                0 => services.sign_in.unlink(&ctx, identity).await,
                _ => services.factors.remove(&ctx, passkey).await,
            }
        }
    })
    .await;
    assert_eq!(ends.iter().filter(|end| end.is_ok()).count(), 1);
    let identities = app.reading().identities().of_user(ada.id).await.unwrap().len();
    let factors = app.reading().factors().of_user(ada.id).await.unwrap().len();
    assert_eq!(identities + factors, 1);
}

/// Rows, claims and keys of passkeys go with the account, and the authenticator can be anybody's.
#[apply(case)]
async fn passkeys_go_with_an_erased_account(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, mut laptop) = (app.member("ada").await, authenticator());
    app.passkey_of(&ada, &mut laptop).await;
    app.deletions.delete(&app.operator_context(), ada.id).await.unwrap();
    app.advance(30 * DAY);
    assert_eq!(app.deletions.purge_due().await.unwrap(), 1);
    assert!(app.reading().factors().of_user(ada.id).await.unwrap().is_empty());
    assert!(app.reading().recovery_codes().of_user(ada.id).await.unwrap().is_empty());
    let claims = app.reading().claims().of_owner(ada.id).await.unwrap();
    assert!(claims.iter().all(|claim| claim.kind != "passkey"), "{claims:?}");
    assert_eq!(refusal(app.login_by_passkey(&mut laptop).await), Refusal::InvalidPasskey);
}

/// Decision 0008: whoever proves the mailbox finds no passkey of the claimant's, not as a way in and not as a name that is
/// taken.
#[apply(case)]
async fn passkeys_of_a_claimant_go_when_the_mailbox_is_proven(fixture: Fixture) {
    let app = fixture.app().await;
    let (squatter, mut laptop) = (app.member("squatter").await, authenticator());
    app.passkey_of(&squatter, &mut laptop).await;
    let owner = &at(&app, home());
    crate::emails::forgot(&app, owner, &squatter.email).await;
    let (token, _) = crate::emails::newest(&app, &squatter.email).await;
    app.recovery.reset(owner, &token, &password(PASSWORD)).await.unwrap();
    assert_eq!(refusal(app.login_by_passkey(&mut laptop).await), Refusal::InvalidPasskey);
    let claims = app.reading().claims().of_owner(squatter.id).await.unwrap();
    assert!(claims.iter().all(|claim| claim.kind != "passkey"), "{claims:?}");
    assert!(app.accounts.register(owner, registration(None, Some("grace")), None).await.is_ok());
}

/// What a passkey is checked with is sealed for its owner and its row: somebody else's, or one that was changed in the
/// database, opens nothing.
/// ASVS V6.7.1
#[apply(case)]
async fn the_key_of_a_passkey_is_good_in_its_own_row_only(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, mallory) = (app.member("ada").await, app.member("mallory").await);
    let (mut laptop, mut other) = (authenticator(), authenticator());
    app.passkey_of(&ada, &mut laptop).await;
    app.passkey_of(&mallory, &mut other).await;
    let own = app.reading().factors().of_user(ada.id).await.unwrap().remove(0);
    let foreign = app.reading().factors().of_user(mallory.id).await.unwrap().remove(0).secret;
    let mut changed = own.secret.clone();
    *changed.0.last_mut().unwrap() ^= 1;
    for secret in [foreign, changed] {
        put(&app, &Factor { secret, ..own.clone() }).await;
        assert!(matches!(app.login_by_passkey(&mut laptop).await, Err(Failure::Internal(_))));
    }
    put(&app, &own).await;
    assert!(app.login_by_passkey(&mut laptop).await.is_ok());
}

async fn put(app: &TestApp, factor: &Factor) {
    let put = app.deps.store.transact("put", |mut uow| async move {
        uow.factors().update(factor).await?;
        uow.commit(()).await
    });
    put.await.unwrap();
}

/// ASVS V6.4.3
#[apply(case)]
async fn a_password_set_by_a_link_is_still_one_factor_of_two(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, visitor) = (app.member("ada").await, &at(&app, home()));
    let (proof, _) = crate::emails::newest(&app, &ada.email).await;
    app.emails.verify_link(visitor, &proof, None).await.unwrap();
    app.phone_of(&ada).await;
    crate::emails::forgot(&app, visitor, &ada.email).await;
    let (link, _) = crate::emails::newest(&app, &ada.email).await;
    app.recovery.reset(visitor, &link, &password(OTHER_PASSWORD)).await.unwrap();
    let asked = pending(app.sessions.login(visitor, login_with("ada", OTHER_PASSWORD)).await.unwrap());
    assert_eq!(asked.status, "second_factor_required");
}
