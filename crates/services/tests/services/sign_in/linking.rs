//! Linking and unlinking accounts elsewhere, and what is kept of them.

use std::time::Duration;

use userd_model::{EventKind, IdentityId, Permission, Refusal};
use userd_providers::{Profile, ProviderFault, SubjectKey};
use userd_services::sign_in::{Finished, Start};

use super::elsewhere::{Elsewhere, house_with_acme, offering, person, provider_tokens, refused};
use crate::{
    personas::{Member, PASSWORD, at, authenticated, home, of_id},
    stage::{House, Stage, refusal},
};

fn linked(finished: &Finished) -> bool {
    matches!(finished, Finished::Linked { .. })
}

async fn identities(house: &House, member: &Member) -> Vec<userd_services::sign_in::IdentityView> {
    let who = house.who(&member.tokens.access_token).await.unwrap();
    house.sign_in.identities(&authenticated(&house, &who), who.user().unwrap().0).await.unwrap()
}

async fn unlink(house: &House, member: &Member, id: IdentityId) -> Result<(), userd_services::Failure> {
    let who = house.who(&member.tokens.access_token).await.unwrap();
    house.sign_in.unlink(&authenticated(&house, &who), id).await
}

#[apply(case)]
pub(crate) async fn a_linked_account_signs_its_owner_in(stage: Stage) {
    let (house, acme) = house_with_acme(&stage).await;
    let ada = house.member("ada").await;
    acme.is(Profile { username: Some("ada_at_acme".into()), ..person("acme", "7") });
    assert!(linked(&house.link(&ada, "acme").await));
    assert!(linked(&house.link(&ada, "acme").await), "linking again is fine");
    let list = identities(&house, &ada).await;
    assert_eq!((list.len(), list[0].username.as_deref()), (1, Some("ada_at_acme")));
    assert_eq!(house.sign_in_through("acme").await.user.id, ada.id);
    assert_eq!(house.count_of(ada.id, EventKind::IdentityLinked).await, 1);
}

/// ASVS V7.5.1
#[apply(case)]
pub(crate) async fn linking_needs_a_fresh_sign_in(stage: Stage) {
    let (house, _) = house_with_acme(&stage).await;
    let ada = house.member("ada").await;
    assert!(linked(&house.link(&ada, "acme").await));
    let id = identities(&house, &ada).await[0].id;
    house.advance(Duration::from_secs(300));
    assert!(house.begin_link(&ada, "acme").await.is_ok());
    house.advance(Duration::from_secs(1));
    assert_eq!(refusal(house.begin_link(&ada, "acme").await), Refusal::FreshSignInRequired);
    assert_eq!(refusal(unlink(&house, &ada, id).await), Refusal::FreshSignInRequired);
    let refreshed = Member { tokens: house.refresh(&ada.tokens.refresh_token).await.unwrap().tokens, ..ada.clone() };
    assert_eq!(
        refusal(house.begin_link(&refreshed, "acme").await),
        Refusal::FreshSignInRequired,
        "refreshing is no proof"
    );
    let fresh = Member { tokens: house.login("ada", PASSWORD).await.unwrap().tokens, ..ada };
    assert!(house.begin_link(&fresh, "acme").await.is_ok());
    let service = house.service(&[Permission::USERS_MANAGE]).await;
    let who = house.who(&service.token).await.unwrap();
    let start = house.sign_in.start_link(&authenticated(&house, &who), "acme", Start::default()).await;
    assert_eq!(refusal(start), Refusal::Forbidden);
    assert_eq!(refusal(house.sign_in.identities(&authenticated(&house, &who), fresh.id).await), Refusal::Forbidden);
    assert_eq!(refusal(house.sign_in.unlink(&authenticated(&house, &who), id).await), Refusal::Forbidden);
}

#[apply(case)]
pub(crate) async fn linking_ends_with_the_session_that_began_it(stage: Stage) {
    let (house, _) = house_with_acme(&stage).await;
    let ada = house.member("ada").await;
    let begun = house.begin_link(&ada, "acme").await.unwrap();
    house.sessions.end(&of_id(&house, ada.id), ada.id, ada.tokens.session_id).await.unwrap();
    assert_eq!(refused(house.come_back("acme", &begun).await), Refusal::NotSignedIn);
    assert_ne!(house.sign_in_through("acme").await.user.id, ada.id);
}

/// AC-040, AC-041: what the browser sends beside the state never chooses an account.
#[apply(case)]
pub(crate) async fn an_account_of_somebody_else_is_not_taken(stage: Stage) {
    let (house, acme) = house_with_acme(&stage).await;
    let (ada, grace) = (house.member("ada").await, house.member("grace").await);
    assert!(linked(&house.link(&ada, "acme").await));
    assert_eq!(refused(house.link(&grace, "acme").await), Refusal::IdentityTaken);
    acme.is(person("acme", "8"));
    let begun = house.begin_link(&grace, "acme").await.unwrap();
    let mut forged = super::elsewhere::answer(&super::elsewhere::state_of(&begun));
    for (name, value) in [("user_id", ada.id.to_string()), ("subject", "1".into()), ("email", ada.email.clone())] {
        forged.insert(name.into(), value);
    }
    assert!(linked(&house.sign_in.finish(&at(&house, home()), "acme", &forged, Some(&begun.browser)).await));
    assert_eq!(house.sign_in_through("acme").await.user.id, grace.id);
    assert_eq!(identities(&house, &ada).await.len(), 1);
}

#[apply(case)]
pub(crate) async fn a_sign_in_is_no_link_and_a_link_is_no_sign_in(stage: Stage) {
    let (house, acme) = house_with_acme(&stage).await;
    let ada = house.member("ada").await;
    let (sign_in, link) = (house.begin("acme").await, house.begin_link(&ada, "acme").await.unwrap());
    assert!(linked(&house.come_back("acme", &link).await), "a link gives no code away");
    acme.is(person("acme", "2"));
    let finished = house.come_back("acme", &sign_in).await;
    assert!(matches!(finished, Finished::Code { .. }), "and a sign-in links nothing");
    assert_eq!(identities(&house, &ada).await.len(), 1);
}

#[apply(case)]
pub(crate) async fn unlinking_frees_the_account_elsewhere_and_tells_the_provider(stage: Stage) {
    let (house, acme) = house_with_acme(&stage).await;
    let (ada, grace) = (house.member("ada").await, house.member("grace").await);
    let second_name = SubjectKey { issuer: "https://acme.example#sub".into(), subject: "opaque".into() };
    acme.is(Profile {
        tokens: Some(provider_tokens("at-1")),
        secondary: Some(second_name.clone()),
        ..person("acme", "7")
    });
    assert!(linked(&house.link(&ada, "acme").await));
    let id = identities(&house, &ada).await[0].id;
    assert_eq!(refusal(unlink(&house, &grace, id).await), Refusal::NotFound, "not of somebody else");
    unlink(&house, &ada, id).await.unwrap();
    assert_eq!(*acme.forgotten.lock().unwrap(), ["at-1"]);
    assert_eq!(refusal(unlink(&house, &ada, id).await), Refusal::NotFound);
    assert!(linked(&house.link(&grace, "acme").await), "under both of its names it is free again");
    *acme.fault.lock().unwrap() = Some(ProviderFault::Unavailable("down".into()));
    let id = identities(&house, &grace).await[0].id;
    unlink(&house, &grace, id).await.unwrap();
    assert!(identities(&house, &grace).await.is_empty(), "gone here, whether or not the provider hears of it");
    assert_eq!(house.count_of(ada.id, EventKind::IdentityUnlinked).await, 1);
}

#[apply(case)]
pub(crate) async fn the_last_way_in_is_not_unlinked(stage: Stage) {
    let (acme, other) = (Elsewhere::new("acme", |_| {}), Elsewhere::new("other", |_| {}));
    let house = stage.house_with(offering(&[&acme, &other])).await;
    let signed_in = house.sign_in_through("acme").await;
    let ada = Member { id: signed_in.user.id, email: String::new(), tokens: signed_in.tokens };
    let first = identities(&house, &ada).await[0].id;
    assert_eq!(refusal(unlink(&house, &ada, first).await), Refusal::LastWayIn);
    assert!(linked(&house.link(&ada, "other").await));
    unlink(&house, &ada, first).await.unwrap();
    let last = identities(&house, &ada).await[0].id;
    assert_eq!(refusal(unlink(&house, &ada, last).await), Refusal::LastWayIn);
}

/// Two devices unlink the two last ways in at the same moment: one stays.
#[apply(case)]
pub(crate) async fn two_unlinkings_at_once_leave_a_way_in(stage: Stage) {
    let (acme, other) = (Elsewhere::new("acme", |_| {}), Elsewhere::new("other", |_| {}));
    let house = stage.house_with(offering(&[&acme, &other])).await;
    let signed_in = house.sign_in_through("acme").await;
    let ada = Member { id: signed_in.user.id, email: String::new(), tokens: signed_in.tokens };
    assert!(linked(&house.link(&ada, "other").await));
    let list = identities(&house, &ada).await;
    let (one, two) = tokio::join!(unlink(&house, &ada, list[0].id), unlink(&house, &ada, list[1].id));
    assert_eq!(usize::from(one.is_ok()) + usize::from(two.is_ok()), 1);
    assert_eq!(identities(&house, &ada).await.len(), 1);
}

/// The second name of an account leads to the same person, and to nobody else.
#[apply(case)]
pub(crate) async fn a_second_name_is_the_same_account(stage: Stage) {
    let (house, acme) = house_with_acme(&stage).await;
    let opaque = || Some(SubjectKey { issuer: "https://acme.example#sub".into(), subject: "42".into() });
    acme.is(Profile { secondary: opaque(), ..person("acme", "7") });
    let ada = house.sign_in_through("acme").await.user.id;
    acme.is(person("acme", "7"));
    assert_eq!(house.sign_in_through("acme").await.user.id, ada, "another door that does not say the second name");
    acme.is(person("acme", "42"));
    assert_ne!(house.sign_in_through("acme").await.user.id, ada, "the second name is no first name");
}

/// AC-133: tokens, addresses and subjects of providers lie in the database sealed only.
#[apply(case)]
pub(crate) async fn nothing_of_the_provider_lies_in_the_clear(stage: Stage) {
    let (house, acme) = house_with_acme(&stage).await;
    acme.is(Profile {
        tokens: Some(provider_tokens("at-canary-1")),
        name: Some("Canary Name".into()),
        phone: Some("+79991234567".into()),
        ..super::elsewhere::proven("acme", "canary-subject", "canary@example.org")
    });
    let signed_in = house.sign_in_through("acme").await;
    acme.is(Profile {
        tokens: Some(provider_tokens("at-canary-2")),
        ..super::elsewhere::proven("acme", "canary-subject", "canary@example.org")
    });
    house.sign_in_through("acme").await;
    let user = house.reading().users().find(signed_in.user.id).await.unwrap().unwrap();
    let identity = house.reading().identities().of_user(user.id).await.unwrap().remove(0);
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
    for shown in [format!("{identity:?}"), format!("{:?}", house.deps.crypto)] {
        assert!(!shown.contains("canary"), "{shown}");
    }
}
