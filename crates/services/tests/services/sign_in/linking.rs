//! Linking and unlinking accounts elsewhere, and what is kept of them.

use std::time::Duration;

use userd_model::{EventKind, IdentityId, Permission, Refusal};
use userd_providers::{Profile, ProviderFault, SubjectKey};
use userd_services::sign_in::{Finished, Start};

use super::elsewhere::{Elsewhere, app_with_acme, offering, person, provider_tokens, refused};
use crate::{
    emails::mails_to,
    fixture::{Fixture, TestApp, out_of_date, refusal},
    further_emails::{add, proven},
    personas::{Member, PASSWORD, at, authenticated, home, of_id},
};

fn linked(finished: &Finished) -> bool {
    matches!(finished, Finished::Linked { .. })
}

async fn identities(app: &TestApp, member: &Member) -> Vec<userd_services::sign_in::IdentityView> {
    let who = app.who(&member.tokens.access_token).await.unwrap();
    app.sign_in.identities(&authenticated(app, &who), who.user().unwrap().0).await.unwrap()
}

async fn unlink(app: &TestApp, member: &Member, id: IdentityId) -> Result<(), userd_services::Failure> {
    let who = app.who(&member.tokens.access_token).await.unwrap();
    app.sign_in.unlink(&authenticated(app, &who), id).await
}

#[apply(case)]
async fn a_linked_account_signs_its_owner_in(fixture: Fixture) {
    let (app, acme) = app_with_acme(&fixture).await;
    let ada = app.member("ada").await;
    acme.is(Profile { username: Some("ada_at_acme".into()), ..person("acme", "7") });
    assert!(linked(&app.link(&ada, "acme").await));
    assert!(linked(&app.link(&ada, "acme").await), "linking again is fine");
    let list = identities(&app, &ada).await;
    assert_eq!((list.len(), list[0].username.as_deref()), (1, Some("ada_at_acme")));
    assert_eq!(app.sign_in_through("acme").await.user.id, ada.id);
    assert_eq!(app.count_of(ada.id, EventKind::IdentityLinked).await, 1);
}

/// ASVS V7.5.1, V10.3.4
#[apply(case)]
async fn linking_needs_a_fresh_sign_in(fixture: Fixture) {
    let (app, _) = app_with_acme(&fixture).await;
    let ada = app.member("ada").await;
    assert!(linked(&app.link(&ada, "acme").await));
    let id = identities(&app, &ada).await[0].id;
    app.advance(Duration::from_secs(300));
    assert!(app.begin_link(&ada, "acme").await.is_ok());
    app.advance(Duration::from_secs(1));
    assert_eq!(refusal(app.begin_link(&ada, "acme").await), out_of_date());
    assert_eq!(refusal(unlink(&app, &ada, id).await), out_of_date());
    let refreshed = Member { tokens: app.refresh(&ada.tokens.refresh_token).await.unwrap().tokens, ..ada.clone() };
    assert_eq!(refusal(app.begin_link(&refreshed, "acme").await), out_of_date(), "refreshing is no proof");
    let fresh = Member { tokens: app.login("ada", PASSWORD).await.unwrap().tokens, ..ada };
    assert!(app.begin_link(&fresh, "acme").await.is_ok());
    let service = app.service(&[Permission::USERS_MANAGE]).await;
    let who = app.who(&service.token).await.unwrap();
    let start = app.sign_in.start_link(&authenticated(&app, &who), "acme", Start::default()).await;
    assert_eq!(refusal(start), Refusal::Forbidden);
    assert_eq!(refusal(app.sign_in.identities(&authenticated(&app, &who), fresh.id).await), Refusal::Forbidden);
    assert_eq!(refusal(app.sign_in.unlink(&authenticated(&app, &who), id).await), Refusal::Forbidden);
}

#[apply(case)]
async fn linking_ends_with_the_session_that_began_it(fixture: Fixture) {
    let (app, _) = app_with_acme(&fixture).await;
    let ada = app.member("ada").await;
    let begun = app.begin_link(&ada, "acme").await.unwrap();
    app.sessions.end(&of_id(&app, ada.id), ada.id, ada.tokens.session_id).await.unwrap();
    assert_eq!(refused(app.come_back("acme", &begun).await), Refusal::NotSignedIn);
    assert_ne!(app.sign_in_through("acme").await.user.id, ada.id);
}

/// AC-040, AC-041: what the browser sends beside the state never chooses an account.
#[apply(case)]
async fn an_account_of_somebody_else_is_not_taken(fixture: Fixture) {
    let (app, acme) = app_with_acme(&fixture).await;
    let (ada, grace) = (app.member("ada").await, app.member("grace").await);
    assert!(linked(&app.link(&ada, "acme").await));
    assert_eq!(refused(app.link(&grace, "acme").await), Refusal::IdentityTaken);
    acme.is(person("acme", "8"));
    let begun = app.begin_link(&grace, "acme").await.unwrap();
    let mut forged = super::elsewhere::answer(&super::elsewhere::state_of(&begun));
    for (name, value) in [("user_id", ada.id.to_string()), ("subject", "1".into()), ("email", ada.email.clone())] {
        forged.insert(name.into(), value);
    }
    assert!(linked(&app.sign_in.finish(&at(&app, home()), "acme", &forged, Some(&begun.browser)).await));
    assert_eq!(app.sign_in_through("acme").await.user.id, grace.id);
    assert_eq!(identities(&app, &ada).await.len(), 1);
}

/// ASVS V2.3.1
#[apply(case)]
async fn a_sign_in_is_no_link_and_a_link_is_no_sign_in(fixture: Fixture) {
    let (app, acme) = app_with_acme(&fixture).await;
    let ada = app.member("ada").await;
    let (sign_in, link) = (app.begin("acme").await, app.begin_link(&ada, "acme").await.unwrap());
    assert!(linked(&app.come_back("acme", &link).await), "a link gives no code away");
    acme.is(person("acme", "2"));
    let finished = app.come_back("acme", &sign_in).await;
    assert!(matches!(finished, Finished::Code { .. }), "and a sign-in links nothing");
    assert_eq!(identities(&app, &ada).await.len(), 1);
}

#[apply(case)]
async fn unlinking_frees_the_account_elsewhere_and_tells_the_provider(fixture: Fixture) {
    let (app, acme) = app_with_acme(&fixture).await;
    let (ada, grace) = (app.member("ada").await, app.member("grace").await);
    let second_name = SubjectKey { issuer: "https://acme.example#sub".into(), subject: "opaque".into() };
    acme.is(Profile {
        tokens: Some(provider_tokens("at-1")),
        secondary: Some(second_name.clone()),
        ..person("acme", "7")
    });
    assert!(linked(&app.link(&ada, "acme").await));
    let id = identities(&app, &ada).await[0].id;
    assert_eq!(refusal(unlink(&app, &grace, id).await), Refusal::NotFound, "not of somebody else");
    unlink(&app, &ada, id).await.unwrap();
    assert_eq!(*acme.forgotten.lock().unwrap(), ["at-1"]);
    assert_eq!(refusal(unlink(&app, &ada, id).await), Refusal::NotFound);
    assert!(linked(&app.link(&grace, "acme").await), "under both of its names it is free again");
    *acme.fault.lock().unwrap() = Some(ProviderFault::Unavailable("down".into()));
    let id = identities(&app, &grace).await[0].id;
    unlink(&app, &grace, id).await.unwrap();
    assert!(identities(&app, &grace).await.is_empty(), "gone here, whether or not the provider hears of it");
    assert_eq!(app.count_of(ada.id, EventKind::IdentityUnlinked).await, 1);
}

/// AC-048: somebody who has put an address of theirs in the first place unlinks an account; the owner's own address is told.
#[apply(case)]
async fn an_unlinked_account_is_told_to_every_proven_address(fixture: Fixture) {
    let (app, _) = app_with_acme(&fixture).await;
    let ada = proven(&app, "ada").await;
    add(&app, &app.acting(&ada).await, "newer@example.net").await;
    let newer = app.emails.list(&app.acting(&ada).await).await.unwrap()[1].id;
    app.emails.make_primary(&app.acting(&ada).await, newer).await.unwrap();
    assert!(linked(&app.link(&ada, "acme").await));
    let id = identities(&app, &ada).await[0].id;
    let addresses = [ada.email.as_str(), "newer@example.net"];
    let mut before = Vec::new();
    for address in addresses {
        before.push(mails_to(&app, address).await.len());
    }
    unlink(&app, &ada, id).await.unwrap();
    for (address, before) in addresses.into_iter().zip(before) {
        assert_eq!(mails_to(&app, address).await.len(), before + 1, "{address}");
    }
}

/// Whoever holds the account elsewhere is out with it: its sessions end, but for the one that unlinks. By an administrator
/// all of them do. (fault 7)
#[apply(case)]
async fn sessions_that_began_with_an_account_elsewhere_end_when_it_is_unlinked(fixture: Fixture) {
    let (app, _) = app_with_acme(&fixture).await;
    let ada = app.member("ada").await;
    for by_administrator in [false, true] {
        assert!(linked(&app.link(&ada, "acme").await));
        let id = identities(&app, &ada).await[0].id;
        let (one, two) = (app.sign_in_through("acme").await, app.sign_in_through("acme").await);
        assert_eq!(one.user.id, ada.id);
        if by_administrator {
            app.sign_in.unlink_of(&app.operator_context(), ada.id, id).await.unwrap();
        } else {
            let who = app.who(&one.tokens.access_token).await.unwrap();
            app.sign_in.unlink(&authenticated(&app, &who), id).await.unwrap();
        }
        assert_eq!(app.is_out(&one.tokens).await, by_administrator);
        assert!(app.is_out(&two.tokens).await);
        assert!(app.who(&ada.tokens.access_token).await.is_ok(), "signed in with the password");
    }
}

#[apply(case)]
async fn the_last_way_in_is_not_unlinked(fixture: Fixture) {
    let (acme, other) = (Elsewhere::new("acme", |_| {}), Elsewhere::new("other", |_| {}));
    let app = fixture.app_with(offering(&[&acme, &other])).await;
    let signed_in = app.sign_in_through("acme").await;
    let ada = Member { id: signed_in.user.id, email: String::new(), tokens: signed_in.tokens };
    let first = identities(&app, &ada).await[0].id;
    assert_eq!(refusal(unlink(&app, &ada, first).await), Refusal::LastWayIn);
    assert!(linked(&app.link(&ada, "other").await));
    unlink(&app, &ada, first).await.unwrap();
    let last = identities(&app, &ada).await[0].id;
    assert_eq!(refusal(unlink(&app, &ada, last).await), Refusal::LastWayIn);
}

/// Two devices unlink the two last ways in at the same moment: one stays.
#[apply(case)]
async fn two_unlinkings_at_once_leave_a_way_in(fixture: Fixture) {
    let (acme, other) = (Elsewhere::new("acme", |_| {}), Elsewhere::new("other", |_| {}));
    let app = fixture.app_with(offering(&[&acme, &other])).await;
    let signed_in = app.sign_in_through("acme").await;
    let ada = Member { id: signed_in.user.id, email: String::new(), tokens: signed_in.tokens };
    assert!(linked(&app.link(&ada, "other").await));
    let list = identities(&app, &ada).await;
    let (one, two) = tokio::join!(unlink(&app, &ada, list[0].id), unlink(&app, &ada, list[1].id));
    assert_eq!(usize::from(one.is_ok()) + usize::from(two.is_ok()), 1);
    assert_eq!(identities(&app, &ada).await.len(), 1);
}

/// The second name of an account leads to the same person, and to nobody else.
#[apply(case)]
async fn a_second_name_is_the_same_account(fixture: Fixture) {
    let (app, acme) = app_with_acme(&fixture).await;
    let opaque = || Some(SubjectKey { issuer: "https://acme.example#sub".into(), subject: "42".into() });
    acme.is(Profile { secondary: opaque(), ..person("acme", "7") });
    let ada = app.sign_in_through("acme").await.user.id;
    acme.is(person("acme", "7"));
    assert_eq!(app.sign_in_through("acme").await.user.id, ada, "another way in that does not say the second name");
    acme.is(person("acme", "42"));
    assert_ne!(app.sign_in_through("acme").await.user.id, ada, "the second name is no first name");
}

/// AC-133: tokens, addresses and subjects of providers lie in the database sealed only.
#[apply(case)]
async fn nothing_of_the_provider_lies_in_the_clear(fixture: Fixture) {
    let (app, acme) = app_with_acme(&fixture).await;
    acme.is(Profile {
        tokens: Some(provider_tokens("at-canary-1")),
        name: Some("Canary Name".into()),
        phone: Some("+79991234567".into()),
        ..super::elsewhere::proven("acme", "canary-subject", "canary@example.org")
    });
    let signed_in = app.sign_in_through("acme").await;
    acme.is(Profile {
        tokens: Some(provider_tokens("at-canary-2")),
        ..super::elsewhere::proven("acme", "canary-subject", "canary@example.org")
    });
    app.sign_in_through("acme").await;
    let user = app.reading().users().find(signed_in.user.id).await.unwrap().unwrap();
    let identity = app.reading().identities().of_user(user.id).await.unwrap().remove(0);
    assert!(identity.tokens.is_some(), "kept, since the provider's policy keeps them");
    let columns = [
        identity.subject.0.clone(),
        identity.profile.clone().unwrap().0,
        identity.tokens.clone().unwrap().0,
        user.email.clone().unwrap().0,
        user.data_key.clone().unwrap().0,
    ];
    for column in &columns {
        let text = String::from_utf8_lossy(column);
        for secret in ["canary", "refresh-of", "+7999", "Canary"] {
            assert!(!text.contains(secret), "{secret} lies in the clear");
        }
    }
    for shown in [format!("{identity:?}"), format!("{:?}", app.deps.crypto)] {
        assert!(!shown.contains("canary"), "{shown}");
    }
}
