//! What is sealed is bound to its table, its column and its row: moved within the database it opens nowhere, so nobody reads
//! with their own rights what was put there from another's row. The places stand here word by word, since what is stored
//! was sealed for them. Deliberately absent: what is kept for one use (`for_one_use.rs`, `links.rs`, `idempotency.rs`).

use userd_model::{DeliveryState, Permission, Sealed, User, UserId, message::Audience};
use userd_providers::Profile;
use userd_services::{
    invitations::NewInvitation,
    notifications::Shown,
    streams::{DeliveryInput, PUSH, StreamInput},
    users::Block,
};

use crate::{
    fixture::{Fixture, TestApp},
    messages::message,
    personas::{acting, home, of_session},
    sign_in::elsewhere::{app_with_acme, proven, provider_tokens},
};

async fn user(app: &TestApp, id: UserId) -> User {
    app.reading().users().find(id).await.unwrap().unwrap()
}

/// Under the vault's key, for this place and no other.
#[track_caller]
fn is_bound(app: &TestApp, place: &str, sealed: &Sealed) {
    assert!(app.deps.vault.open(place, sealed).is_ok(), "{place}");
    assert!(app.deps.vault.open("", sealed).is_err(), "{place}");
}

/// The same under the key of a user.
#[track_caller]
fn is_bound_under(app: &TestApp, user: &User, place: &str, sealed: Option<&Sealed>) {
    let (key, sealed) = (user.data_key.as_ref().expect("a key"), sealed.expect(place));
    let key = app.deps.crypto.fields.open_data_key(key, user.id).expect("the user's own key");
    assert!(key.open(place, sealed).is_ok(), "{place}");
    assert!(key.open("", sealed).is_err(), "{place}");
}

#[apply(fault_case)]
async fn what_is_sealed_of_a_user_opens_in_its_own_row_alone(fixture: Fixture) {
    let (app, acme) = app_with_acme(&fixture).await;
    let grace = app.member("grace").await;
    let factor = app.phone_of(&grace).await.factor;
    let tokens = Some(provider_tokens("at-1"));
    acme.is(Profile { tokens, name: Some("Ada".to_owned()), ..proven("acme", "7", "ada@example.org") });
    let signed_in = app.sign_in_through("acme").await;
    let (id, session) = (signed_in.user.id, signed_in.tokens.session_id);
    let ctx = of_session(&app, id, session, home());
    app.refresh(&signed_in.tokens.refresh_token).await.unwrap();
    app.accounts.change_username(&ctx, "countess", None).await.unwrap();
    let ada = user(&app, id).await;
    let session = app.reading().sessions().find(session).await.unwrap().unwrap();
    is_bound(&app, &format!("sessions|successor|{}", session.id), &session.successor.unwrap());
    let identity = app.reading().identities().of_user(id).await.unwrap().remove(0);
    let fields = [
        ("subject", Some(&identity.subject)),
        ("profile", identity.profile.as_ref()),
        ("tokens", identity.tokens.as_ref()),
    ];
    for (field, sealed) in fields {
        is_bound_under(&app, &ada, &format!("identities|{field}|{}", identity.id), sealed);
    }
    let facts = app.facts_of(id).await;
    let renamed = facts.iter().find(|fact| fact.kind == "user.username_changed").unwrap();
    is_bound_under(&app, &ada, &format!("facts|origin|{}", renamed.id), renamed.origin.as_ref());
    is_bound_under(&app, &ada, &format!("facts|personal|{}", renamed.id), renamed.personal.as_ref());

    app.event_log.tick().await.unwrap();
    let waiting = app.reading().deliveries().in_state(DeliveryState::Pending, None, 100).await.unwrap();
    assert!(!waiting.is_empty());
    for delivery in waiting {
        is_bound(&app, &format!("deliveries|content|{}", delivery.id), &Sealed(delivery.content));
    }
    app.deliveries.tick().await.unwrap();
    let mails = app.reading().mails().newest(50).await.unwrap();
    assert!(!mails.is_empty());
    for mail in mails {
        is_bound(&app, &format!("mails|content|{}", mail.id), &Sealed(mail.content));
    }
    let shown = app.notifications.list(&ctx, Shown::Inbox, None, 50).await.unwrap().items;
    assert!(!shown.is_empty());
    for item in shown {
        let stored = app.reading().notifications().find(item.id).await.unwrap().unwrap();
        is_bound_under(&app, &ada, &format!("notifications|content|{}", item.id), Some(&stored.content));
    }

    let block = Block { reason: Some("spam".to_owned()), until: None };
    app.users.block_with(&app.operator_context(), grace.id, &block).await.unwrap();
    let grace = user(&app, grace.id).await;
    is_bound_under(&app, &grace, &format!("users|email|{}", grace.id), grace.email.as_ref());
    is_bound_under(&app, &grace, &format!("users|block_reason|{}", grace.id), grace.block_reason.as_ref());
    let factor = app.reading().factors().find(factor).await.unwrap().unwrap();
    is_bound_under(&app, &grace, &format!("factors|secret|{}", factor.id), Some(&factor.secret));
}

#[apply(fault_case)]
async fn what_is_sealed_of_nobody_opens_in_its_own_row_alone(fixture: Fixture) {
    let app = fixture.app().await;
    let operator = app.operator_context();
    app.member("ada").await;
    let sent = app.messages.send(&operator, message(Audience::All), None).await.unwrap();
    let sent = app.reading().messages().find(sent.id).await.unwrap().unwrap();
    is_bound(&app, &format!("messages|content|{}", sent.id), &sent.content);

    let input = NewInvitation { email: Some("grace@example.org".to_owned()), ..NewInvitation::default() };
    let invited = app.invitations.create(&operator, &input, None).await.unwrap().invitation.id;
    let invitation = app.reading().invitations().find(invited).await.unwrap().unwrap();
    is_bound(&app, &format!("invitations|email|{}", invited.0.simple()), &invitation.email.unwrap());

    let receiver = acting(&app, &app.service(&[Permission::SSF_READ, Permission::SSF_MANAGE]).await.actor);
    let delivery = DeliveryInput {
        method: PUSH.to_owned(),
        endpoint_url: Some("https://shop.example/".to_owned()),
        authorization_header: None,
    };
    let stream = StreamInput { delivery: Some(delivery), ..StreamInput::default() };
    let stream = app.streams.create(&receiver, stream).await.unwrap().stream_id;
    let stream = app.reading().streams().find(stream).await.unwrap().unwrap();
    is_bound(&app, &format!("streams|push|{}", stream.id), &stream.push.unwrap());
    for key in app.reading().stream_keys().all().await.unwrap() {
        is_bound(&app, &format!("stream_keys|private_key|{}", key.kid), &key.private_key);
    }
    for key in app.reading().signing_keys().all().await.unwrap() {
        let place = format!("signing_keys|private_key|{}", key.kid);
        assert!(app.deps.crypto.fields.open_system(&place, &key.private_key).is_ok(), "{place}");
        assert!(app.deps.crypto.fields.open_system("signing_keys|private_key|", &key.private_key).is_err());
    }
}
