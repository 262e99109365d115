//! Who a profile is here: new people, known people, and addresses that somebody else has.

use userd_model::{EventKind, Permission, Refusal, Role};
use userd_providers::Profile;

use super::elsewhere::{Elsewhere, app_with_acme, code, offering, person, proven, refused};
use crate::{
    fixture::{Fixture, TestApp, refusal, with},
    personas::{PASSWORD, at, authenticated, home, registration, started},
};

/// Lets an account's address count as proven, as confirming a mail will.
async fn prove_address(app: &TestApp, user: userd_model::UserId) {
    let prove = app.deps.store.transact("prove", |mut uow| async move {
        let mut found = uow.users().find(user).await?.unwrap();
        found.email_verified = true;
        uow.users().update(&found).await?;
        uow.commit(()).await
    });
    prove.await.unwrap();
}

#[apply(case)]
async fn a_new_person_gets_an_account_and_is_known_the_next_time(fixture: Fixture) {
    let (app, acme) = app_with_acme(&fixture).await;
    let told = Profile {
        name: Some("Ada".into()),
        username: Some("admin".into()),
        locale: Some("ru".into()),
        ..proven("acme", "7", "Ada@Example.org")
    };
    acme.is(told.clone());
    let first = app.sign_in_through("acme").await;
    assert_eq!((first.user.email.as_deref(), first.user.email_verified), (Some("ada@example.org"), true));
    assert_eq!((first.user.display_name.as_deref(), first.user.locale.as_deref()), (Some("Ada"), Some("ru")));
    assert_eq!(first.user.username, None, "names there are no names here");
    let expected = ["identity.linked", "session.started", "user.registered"];
    assert_eq!(app.events_of(first.user.id).await, expected);
    acme.is(Profile { name: Some("Eve".into()), ..proven("acme", "7", "new@example.org") });
    app.advance(crate::fixture::MINUTE);
    let again = app.sign_in_through("acme").await;
    assert_eq!(again.user.id, first.user.id);
    assert_eq!(again.user.email, first.user.email, "nothing there overwrites what is here");
    assert_eq!(again.user.display_name, first.user.display_name);
    let who = app.who(&again.tokens.access_token).await.unwrap();
    let shown = app.sign_in.identities(&authenticated(&app, &who), who.user().unwrap().0).await.unwrap();
    assert_eq!((shown.len(), shown[0].display_name.as_deref()), (1, Some("Eve")));
    assert_eq!((shown[0].email.as_deref(), shown[0].last_used_at), (Some("new@example.org"), app.now()));
}

/// ASVS V6.8.1, V10.3.3
#[apply(case)]
async fn only_provider_issuer_and_subject_identify(fixture: Fixture) {
    let (acme, other) = (Elsewhere::new("acme", |_| {}), Elsewhere::new("other", |_| {}));
    let app = fixture.app_with(offering(&[&acme, &other])).await;
    let mut seen = vec![app.sign_in_through("acme").await.user.id];
    acme.is(person("acme", "2"));
    seen.push(app.sign_in_through("acme").await.user.id);
    acme.is(Profile { issuer: "https://another-tenant.example".into(), ..person("acme", "1") });
    seen.push(app.sign_in_through("acme").await.user.id);
    other.is(person("other", "1"));
    seen.push(app.sign_in_through("other").await.user.id);
    other.is(Profile { issuer: "https://acme.example".into(), ..person("other", "1") });
    seen.push(app.sign_in_through("other").await.user.id);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 5, "the same subject elsewhere is somebody else");
}

#[apply(case)]
async fn an_unproven_address_makes_an_account_without_one(fixture: Fixture) {
    let (app, acme) = app_with_acme(&fixture).await;
    let ada = app.member("ada").await;
    acme.is(Profile { email_verified: false, ..proven("acme", "7", "ada@example.org") });
    let stranger = app.sign_in_through("acme").await;
    assert_ne!(stranger.user.id, ada.id);
    assert_eq!((stranger.user.email, stranger.user.email_verified), (None, false));
    acme.is(proven("acme", "8", "no address at all"));
    let odd = app.sign_in_through("acme").await;
    assert_eq!((odd.user.email, odd.user.email_verified), (None, false));
}

/// AC-037: an account is associated by its address alone.
#[apply(case)]
async fn a_proven_address_of_a_proven_account_is_told_and_never_linked(fixture: Fixture) {
    let (app, acme) = app_with_acme(&fixture).await;
    let ada = app.member("ada").await;
    prove_address(&app, ada.id).await;
    acme.is(proven("acme", "7", "ADA@example.org"));
    assert_eq!(refused(app.through("acme").await), Refusal::AccountExists);
    assert!(app.reading().identities().of_user(ada.id).await.unwrap().is_empty());
    assert!(!app.is_out(&ada.tokens).await);
    assert!(matches!(app.link(&ada, "acme").await, userd_services::sign_in::Finished::Linked { .. }));
    assert_eq!(app.sign_in_through("acme").await.user.id, ada.id, "its owner links it and gets in");
}

/// Pre-hijacking: somebody has registered the victim's address and waits inside. Who proves the mailbox wins the
/// account, and every way back of the claimant is wiped.
#[apply(case)]
async fn who_proves_the_mailbox_wins_it_from_who_only_claimed_it(fixture: Fixture) {
    let (acme, other) = (Elsewhere::new("acme", |_| {}), Elsewhere::new("other", |_| {}));
    let app = fixture.app_with(offering(&[&acme, &other])).await;
    let claimant = app.member("victim").await;
    other.is(person("other", "attacker"));
    assert!(matches!(app.link(&claimant, "other").await, userd_services::sign_in::Finished::Linked { .. }));
    let waiting_code = code(app.through("other").await);
    let waiting_link = app.begin_link(&claimant, "other").await.unwrap();
    let phone = app.login("victim", PASSWORD).await.unwrap().tokens;
    acme.is(proven("acme", "victim", "victim@example.org"));
    let won = app.sign_in_through("acme").await;
    assert_eq!((won.user.id, won.user.email_verified), (claimant.id, true));
    assert!(app.is_out(&claimant.tokens).await && app.is_out(&phone).await);
    assert_eq!(refusal(app.login("victim", PASSWORD).await), Refusal::WrongCredentials);
    let code_answer = app.sign_in.exchange(&at(&app, home()), &waiting_code, None, None).await.map(started);
    assert_eq!(refusal(code_answer), Refusal::InvalidCode);
    other.is(person("other", "attacker-2"));
    assert_eq!(refused(app.come_back("other", &waiting_link).await), Refusal::NotSignedIn);
    other.is(person("other", "attacker"));
    assert_ne!(app.sign_in_through("other").await.user.id, claimant.id, "the attacker's identity leads elsewhere now");
    let who = app.who(&won.tokens.access_token).await.unwrap();
    let left = app.sign_in.identities(&authenticated(&app, &who), who.user().unwrap().0).await.unwrap();
    assert_eq!(left.iter().map(|identity| identity.provider.as_str()).collect::<Vec<_>>(), ["acme"]);
    assert_eq!(app.devices_of(claimant.id).await, [won.tokens.session_id]);
    assert_eq!(app.count_of(claimant.id, EventKind::SessionEnded).await, 2);
    assert_eq!(app.count_of(claimant.id, EventKind::UserChanged).await, 1);
    assert_eq!(app.sign_in_through("acme").await.user.id, claimant.id);
}

/// The operator trusts every address of the provider, which says of none whether it is verified (fault 11).
#[apply(case)]
async fn the_operators_trust_alone_wins_no_account_that_only_claims_the_address(fixture: Fixture) {
    let (app, acme) = app_with_acme(&fixture).await;
    let claimant = app.member("claimed").await;
    acme.is(Profile { email_vouched: false, ..proven("acme", "7", "claimed@example.org") });
    let stranger = app.sign_in_through("acme").await;
    assert_ne!(stranger.user.id, claimant.id);
    assert_eq!((stranger.user.email, stranger.user.email_verified), (None, false), "an account without the address");
    assert!(!app.is_out(&claimant.tokens).await);
    assert!(app.login("claimed", PASSWORD).await.is_ok(), "nothing of the account was touched");
    acme.is(Profile { email_vouched: false, ..proven("acme", "8", "free@example.org") });
    let alone = app.sign_in_through("acme").await;
    assert_eq!((alone.user.email.as_deref(), alone.user.email_verified), (Some("free@example.org"), true));
}

#[apply(case)]
async fn accounts_with_rights_and_shut_accounts_are_never_won(fixture: Fixture) {
    let (app, acme) = app_with_acme(&fixture).await;
    let root = app.admin().await;
    acme.is(proven("acme", "7", "root@example.org"));
    assert_eq!(refused(app.through("acme").await), Refusal::AccountExists);
    assert!(!app.is_out(&root.tokens).await);
    assert_eq!(app.user_reader.show(root.id).await.unwrap().roles, [Role::ADMIN]);
    for name in ["ada", "grace", "mary"] {
        let member = app.member(name).await;
        match name {
            "ada" => drop(app.users.block(&app.operator_context(), member.id).await.unwrap()),
            "grace" => {
                prove_address(&app, member.id).await;
                app.delete(member.id).await;
            }
            _ => app.grant_alone(member.id, Permission::USERS_MANAGE).await,
        }
        acme.is(proven("acme", name, &member.email));
        assert_eq!(refused(app.through("acme").await), Refusal::AccountExists);
    }
}

#[apply(case)]
async fn blocked_and_deleted_people_stay_out(fixture: Fixture) {
    let (app, acme) = app_with_acme(&fixture).await;
    let ada = app.sign_in_through("acme").await.user.id;
    let outstanding = code(app.through("acme").await);
    app.users.block(&app.operator_context(), ada).await.unwrap();
    assert_eq!(refused(app.through("acme").await), Refusal::Blocked);
    assert_eq!(
        refusal(app.sign_in.exchange(&at(&app, home()), &outstanding, None, None).await.map(started)),
        Refusal::InvalidCode
    );
    acme.is(person("acme", "2"));
    let grace = app.sign_in_through("acme").await.user.id;
    app.delete(grace).await;
    assert_eq!(refused(app.through("acme").await), Refusal::ProviderRefused("account_gone"));
}

#[apply(case)]
async fn only_allowed_domains_come_in(fixture: Fixture) {
    let acme = Elsewhere::new("acme", |facts| facts.policy.allowed_domains = vec!["example.org".into()]);
    let app = fixture.app_with(offering(&[&acme])).await;
    let refused_domain = Refusal::ProviderRefused("domain_not_allowed");
    for stranger in [
        person("acme", "1"),
        proven("acme", "1", "ada@evil.example"),
        proven("acme", "1", "ada@sub.example.org"),
        proven("acme", "1", "ada@evil.example\n@example.org"),
        Profile { email_verified: false, ..proven("acme", "1", "ada@example.org") },
    ] {
        acme.is(stranger);
        assert_eq!(refused(app.through("acme").await), refused_domain);
    }
    let grace = app.member("grace").await;
    assert_eq!(refused(app.link(&grace, "acme").await), refused_domain, "nor by linking");
    acme.is(proven("acme", "1", "ada@EXAMPLE.org"));
    app.sign_in_through("acme").await;
    acme.is(proven("acme", "1", "ada@evil.example"));
    assert_eq!(refused(app.through("acme").await), refused_domain, "who has left the domain is out");
}

/// AC-106: sign-up is switched off, for the provider or altogether.
#[apply(case)]
async fn closed_sign_up_lets_only_known_people_in(fixture: Fixture) {
    let open = Elsewhere::new("acme", |_| {});
    let app = fixture.app_with(offering(&[&open])).await;
    let known = app.sign_in_through("acme").await.user.id;
    let clock = || Some(std::sync::Arc::clone(&app.clock));
    let invited_only = Elsewhere::new("acme", |facts| facts.policy.allow_sign_up = false);
    let mut by_provider = offering(&[&invited_only]);
    (by_provider.clock, by_provider.seed) = (clock(), 2);
    let mut altogether = with(|settings| settings.registration = userd_services::RegistrationMode::Closed);
    (altogether.providers, altogether.clock, altogether.seed) = (offering(&[&open]).providers, clock(), 3);
    for (provider, options) in [(&invited_only, by_provider), (&open, altogether)] {
        let closed = fixture.app_with(options).await;
        provider.is(person("acme", "stranger"));
        assert_eq!(refused(closed.through("acme").await), Refusal::ProviderRefused("sign_up_closed"));
        provider.is(person("acme", "1"));
        assert_eq!(closed.sign_in_through("acme").await.user.id, known);
    }
    let taken =
        app.accounts.register(&at(&app, home()), registration(Some("x@example.org"), None), None).await.map(started);
    assert!(taken.is_ok());
}
