//! Access tokens: what they say, and everything after which they are refused at once.

use std::{sync::Arc, time::Duration};

use userd_model::{Actor, Permission, Refusal, Role};
use userd_services::testing::TestOptions;
use userd_storage::testing::{Counted, Counting};

use crate::{
    personas::{PASSWORD, acting, at, home, of_id},
    stage::{Stage, refusal},
};

#[apply(case)]
pub(crate) async fn a_token_says_who_acts_and_what_they_may(stage: Stage) {
    let house = stage.house().await;
    let (ada, root) = (house.member("ada").await, house.admin().await);
    let service = house.service(&[Permission::USERS_READ]).await;
    let Actor::User { id, session_id, permissions } = house.actor(&ada).await else { panic!("a user") };
    assert_eq!((id, session_id, permissions), (ada.id, ada.tokens.session_id, vec![]));
    let Actor::User { permissions, .. } = house.actor(&root).await else { panic!("a user") };
    assert_eq!(permissions, Permission::WELL_KNOWN);
    assert_eq!(service.actor, Actor::Service { id: service.id, permissions: vec![Permission::USERS_READ] });
    let who = house.who(&service.token).await.unwrap();
    assert_eq!((who.user(), who.auth_time), (Err(Refusal::Forbidden), None));
    assert_eq!(who.token.claims.scope.as_deref(), Some("users.read"));
}

#[apply(case)]
pub(crate) async fn a_role_gives_what_its_row_says(stage: Stage) {
    let house = stage.house().await;
    let ada = house.member("ada").await;
    let words = ["users.read", "no.such.permission", "users.read", "clients.read"].map(str::to_owned).to_vec();
    let (role, now) = (&Role { name: "support".into(), permissions: words }, house.now());
    let give = house.deps.store.transact("give_role", |mut uow| async move {
        uow.roles().upsert(role, now).await?;
        let mut user = uow.users().find(ada.id).await?.unwrap();
        user.roles = vec!["support".to_owned(), "unknown".to_owned()];
        uow.users().update(&user).await?;
        uow.commit(()).await
    });
    give.await.unwrap();
    let signed_in = house.login("ada", PASSWORD).await.unwrap();
    let Actor::User { permissions, .. } = house.who(&signed_in.tokens.access_token).await.unwrap().actor else {
        panic!("a user")
    };
    // A word of another service is carried for it; here it allows nothing.
    let open = Permission::parse("no.such.permission").unwrap();
    assert_eq!(permissions, [Permission::USERS_READ, Permission::CLIENTS_READ, open]);
}

/// Verified tokens are remembered: no request reads the database for one.
#[apply(case)]
pub(crate) async fn checking_a_token_asks_the_database_nothing(stage: Stage) {
    let (engine, counting) = Counting::over(Arc::clone(stage.store.engine()));
    let house = Stage::over(engine).house().await;
    let ada = house.member("ada").await;
    counting.take();
    for _ in 0..3 {
        house.who(&ada.tokens.access_token).await.unwrap();
        house.introspect(&house.operator_context(), &ada.tokens.access_token).await.unwrap();
    }
    assert_eq!(counting.take(), Counted::default());
}

/// ASVS V9.2.1
#[apply(case)]
pub(crate) async fn a_token_ends_with_its_time(stage: Stage) {
    let house = stage.house().await;
    let ada = house.member("ada").await;
    house.advance(Duration::from_secs(599));
    assert!(house.who(&ada.tokens.access_token).await.is_ok());
    house.advance(Duration::from_secs(1));
    assert_eq!(house.who(&ada.tokens.access_token).await.unwrap_err(), Refusal::NotSignedIn);
    for nonsense in ["", "a.b.c", &"x".repeat(100_000)] {
        assert_eq!(house.who(nonsense).await.unwrap_err(), Refusal::NotSignedIn);
    }
}

/// ASVS V7.4.1, V7.4.2, V8.3.2
#[apply(case)]
pub(crate) async fn a_session_end_a_block_and_a_raised_epoch_kill_tokens_at_once(stage: Stage) {
    let house = stage.house().await;
    let (ada, grace, hedy) = (house.member("ada").await, house.member("grace").await, house.member("hedy").await);
    for member in [&ada, &grace, &hedy] {
        assert!(house.who(&member.tokens.access_token).await.is_ok(), "verified and remembered");
    }
    house.sessions.end(&of_id(&house, ada.id), ada.id, ada.tokens.session_id).await.unwrap();
    house.users.block(&house.operator_context(), grace.id).await.unwrap();
    house.users.sign_out(&house.operator_context(), hedy.id).await.unwrap();
    for member in [&ada, &grace, &hedy] {
        assert_eq!(house.who(&member.tokens.access_token).await.unwrap_err(), Refusal::NotSignedIn);
        assert!(!house.introspect(&house.operator_context(), &member.tokens.access_token).await.unwrap().active);
    }
    for name in ["ada", "hedy"] {
        let again = house.login(name, PASSWORD).await.unwrap();
        assert!(house.who(&again.tokens.access_token).await.is_ok(), "what is issued after is good");
    }
}

#[apply(case)]
pub(crate) async fn one_token_is_revoked_and_its_session_goes_on(stage: Stage) {
    let house = stage.house().await;
    let ada = house.member("ada").await;
    house.access_tokens.revoke(&at(&house, home()), &ada.tokens.access_token).await.unwrap();
    assert!(house.who(&ada.tokens.access_token).await.is_err());
    let next = house.refresh(&ada.tokens.refresh_token).await.unwrap();
    assert!(house.who(&next.tokens.access_token).await.is_ok());
    house.access_tokens.revoke(&at(&house, home()), &ada.tokens.access_token).await.unwrap();
    house.access_tokens.revoke(&at(&house, home()), "nonsense").await.unwrap();
    assert_eq!(
        house.revocations.feed(&house.operator_context(), None, 100).await.unwrap().len(),
        1,
        "a dead token is not revoked again"
    );
}

#[apply(case)]
pub(crate) async fn introspection_tells_all_or_nothing(stage: Stage) {
    let house = stage.house().await;
    let ada = house.member("ada").await;
    let told = house.introspect(&house.operator_context(), &ada.tokens.access_token).await.unwrap();
    let told = serde_json::to_value(told).unwrap();
    assert_eq!(told["active"], true);
    assert_eq!(told["sub"], ada.id.to_string());
    assert_eq!(told["sid"], ada.tokens.session_id.to_string());
    assert_eq!((told["iss"].as_str(), told["aud"].as_str()), (Some("http://127.0.0.1:8080"), Some("userd")));
    assert_eq!(told["token_type"], "Bearer");
    assert_eq!(told["exp"], house.now().seconds() + 600);
    for dead in ["nonsense", &ada.tokens.refresh_token] {
        assert_eq!(
            serde_json::to_value(house.introspect(&house.operator_context(), dead).await.unwrap()).unwrap(),
            serde_json::json!({ "active": false })
        );
    }
}

/// AC-058: a token for another audience, or of another issuer, signed with our own keys.
/// ASVS V9.2.3
#[apply(case)]
pub(crate) async fn a_token_for_somebody_else_is_refused(stage: Stage) {
    let house = stage.house().await;
    let ada = house.member("ada").await;
    for change in [
        |settings: &mut userd_services::Settings| settings.audience = "another".into(),
        |settings: &mut userd_services::Settings| settings.issuer = "https://another.example".into(),
    ] {
        let options = TestOptions { clock: Some(Arc::clone(&house.clock)), seed: 7, ..crate::stage::with(change) };
        let neighbour = stage.house_with(options).await;
        assert!(neighbour.who(&ada.tokens.access_token).await.is_err());
    }
}

/// A flood of tokens with unknown keys loads the keys once a second, and a key from elsewhere is found by it.
#[apply(case)]
pub(crate) async fn an_unknown_key_is_looked_up_once_a_second(stage: Stage) {
    let (engine, counting) = Counting::over(Arc::clone(stage.store.engine()));
    let (here, there) = Stage::over(engine).two_houses().await;
    let ada = there.member("ada").await;
    let kid = there.deps.crypto.tokens.active_kid().unwrap();
    // Two rotations: the second one signs with a key that `here` has never seen.
    for _ in 0..2 {
        there.signing_keys.rotate(&there.operator_context()).await.unwrap();
    }
    let token = there.refresh(&ada.tokens.refresh_token).await.unwrap().tokens.access_token;
    assert_ne!(there.deps.crypto.tokens.active_kid(), Some(kid));
    here.advance(Duration::from_secs(5));
    counting.take();
    assert_eq!(here.who(&token).await.unwrap().user().unwrap().0, ada.id);
    let forged = with_unknown_key(&token);
    for _ in 0..20 {
        assert!(here.who(&forged).await.is_err());
        assert!(!here.introspect(&here.operator_context(), &forged).await.unwrap().active);
    }
    assert_eq!(counting.take().reads.values().sum::<u64>(), 1, "one load");
    here.advance(Duration::from_secs(1));
    assert!(here.who(&forged).await.is_err());
    assert_eq!(counting.take().reads.values().sum::<u64>(), 1);
}

/// The same token under the name of a key that nobody has.
fn with_unknown_key(token: &str) -> String {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let (_, rest) = token.split_once('.').unwrap();
    let header = serde_json::json!({ "typ": "at+jwt", "alg": "EdDSA", "kid": "nobody" });
    format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header.to_string()))
}

#[apply(case)]
pub(crate) async fn a_member_is_forbidden_what_a_service_is_for(stage: Stage) {
    let house = stage.house().await;
    let ada = house.member("ada").await;
    let actor = house.actor(&ada).await;
    assert_eq!(refusal(house.users.page(&acting(&house, &actor), None, 1).await), Refusal::Forbidden);
    assert_eq!(refusal(house.clients.page(&acting(&house, &actor), None, 1).await), Refusal::Forbidden);
    assert_eq!(refusal(house.signing_keys.list(&acting(&house, &actor)).await), Refusal::Forbidden);
}
