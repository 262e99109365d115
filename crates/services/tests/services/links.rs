//! Links in messages.

use userd_model::{
    Refusal, SessionId, UserId,
    preferences::{Category, CategoryName, MessageChannel},
};
use userd_services::{
    Failure,
    links::{Confirmation, Followed, LinkAct},
    not_me::ThrownOut,
};
use userd_storage::repositories::one_time_tokens::OneTimeToken;

use crate::{
    fixture::{DAY, Fixture, MINUTE, TestApp, at_once, refusal, with},
    personas::{OTHER_PASSWORD, PASSWORD, at, home, of, of_session, password},
};

fn no_mail(category: &str) -> LinkAct {
    LinkAct::Unsubscribe { category: CategoryName::parse(category).unwrap(), channel: MessageChannel::Email }
}

fn not_me() -> LinkAct {
    LinkAct::NotMe { session_id: Some(SessionId(uuid::Uuid::nil())) }
}

/// The token of a link, as a message carries it.
async fn minted(app: &TestApp, user: UserId, act: LinkAct) -> Result<String, Failure> {
    let ctx = app.context();
    let url = app.changes.run(&ctx, "mint", |mut change| {
        let act = act.clone();
        async move {
            let url = app.links.mint(&mut change, user, act).await?;
            change.commit(url).await
        }
    });
    let url = url.await?;
    assert!(url.as_str().starts_with("http://127.0.0.1:8080/l/udl_"), "{url}");
    Ok(url.path_segments().unwrap().next_back().unwrap().to_owned())
}

async fn follow(app: &TestApp, token: &str, how: Confirmation) -> Result<Followed, Failure> {
    match app.links.follow(&at(app, home()), token, how).await? {
        Followed::Elsewhere(act @ LinkAct::NotMe { .. }) => {
            // Where nobody has written down what the message told of, it signs out.
            let thrown_out = app.not_me.confirm(&at(app, home()), token).await?;
            assert_eq!(thrown_out, ThrownOut::SignedOut);
            Ok(Followed::Done(act))
        }
        followed => Ok(followed),
    }
}

async fn look(app: &TestApp, token: &str) -> Result<LinkAct, Failure> {
    app.links.look(&at(app, home()), token).await
}

async fn gets_mail(app: &TestApp, user: UserId, category: &str) -> bool {
    let preferences = app.reading().notification_preferences().of_user(user).await.unwrap();
    preferences.wants(&CategoryName::parse(category).unwrap(), MessageChannel::Email)
}

/// AC-160: a mail scanner opens every link before anybody has read the mail.
#[apply(case)]
async fn looking_at_a_link_changes_nothing_however_often(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    for act in [no_mail("orders"), not_me()] {
        let token = minted(&app, ada.id, act.clone()).await.unwrap();
        for _ in 0..3 {
            assert_eq!(look(&app, &token).await.unwrap(), act);
        }
    }
    assert!(gets_mail(&app, ada.id, "orders").await);
    assert!(!app.is_out(&ada.tokens).await);
}

/// RFC 8058: the button of a mail program, and again, and by the form too.
#[apply(case)]
async fn unsubscribing_twice_is_as_good_as_once(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, grace) = (app.member("ada").await, app.member("grace").await);
    let token = minted(&app, ada.id, no_mail("orders")).await.unwrap();
    for how in [Confirmation::OneClick, Confirmation::OneClick, Confirmation::Form] {
        assert_eq!(follow(&app, &token, how).await.unwrap(), Followed::Done(no_mail("orders")));
        assert!(!gets_mail(&app, ada.id, "orders").await);
    }
    let preferences = app.preferences.read(&of(&app, &ada)).await.unwrap();
    assert_eq!(preferences.version, 1);
    assert!(preferences.wants(&CategoryName::parse("orders").unwrap(), MessageChannel::Telegram));
    assert!(gets_mail(&app, ada.id, "message").await && gets_mail(&app, grace.id, "orders").await);
    app.advance(29 * DAY);
    assert!(follow(&app, &token, Confirmation::OneClick).await.is_ok());
    app.advance(DAY);
    assert_eq!(refusal(follow(&app, &token, Confirmation::OneClick).await), Refusal::LinkGone);
}

/// AC-161: a link that mutes the notices by which somebody would learn of an intruder.
#[apply(case)]
async fn no_link_mutes_security_notices(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    assert_eq!(refusal(minted(&app, ada.id, no_mail(Category::Security.as_str())).await), Refusal::Forbidden);
}

/// AC-162: two confirmations at once, one after the other, and that of a mail program.
#[apply(case)]
async fn a_link_that_says_not_me_ends_everything_once_and_only_by_its_form(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, grace) = (app.member("ada").await, app.member("grace").await);
    let thief = app.login("ada", PASSWORD).await.unwrap().tokens;
    let token = minted(&app, ada.id, not_me()).await.unwrap();
    assert_eq!(follow(&app, &token, Confirmation::OneClick).await.unwrap(), Followed::Ask(not_me()));
    assert!(!app.is_out(&thief).await);
    app.advance(MINUTE);
    let services = app.shared();
    let answers = at_once(8, |_| {
        let (services, token) = (services.clone(), token.clone());
        async move { services.not_me.confirm(&at(&services, home()), &token).await }
    })
    .await;
    assert_eq!(answers.into_iter().filter(Result::is_ok).count(), 1);
    assert_eq!(refusal(follow(&app, &token, Confirmation::Form).await), Refusal::LinkGone);
    assert!(app.is_out(&thief).await && app.is_out(&ada.tokens).await);
    assert!(!app.is_out(&grace.tokens).await);
    assert!(app.login("ada", PASSWORD).await.is_ok(), "the owner comes back");
}

/// AC-163: whoever got in changes the password, which removes what is on its way to the user, and signs out everywhere.
#[apply(case)]
async fn whoever_got_in_cannot_take_the_link_away_that_throws_them_out(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let thief = app.login("ada", PASSWORD).await.unwrap().tokens;
    let token = minted(&app, ada.id, not_me()).await.unwrap();
    let ctx = of_session(&app, ada.id, thief.session_id, home());
    app.accounts.change_password(&ctx, &password(PASSWORD), &password(OTHER_PASSWORD)).await.unwrap();
    app.sessions.end_all(&ctx, ada.id, Some(thief.session_id)).await.unwrap();
    app.advance(MINUTE);
    assert_eq!(follow(&app, &token, Confirmation::Form).await.unwrap(), Followed::Done(not_me()));
    assert!(app.is_out(&thief).await);
}

/// AC-164: guesses, tokens for something else, a hash from the database, another row's payload.
#[apply(case)]
async fn what_is_no_link_opens_nothing(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let token = minted(&app, ada.id, not_me()).await.unwrap();
    let other = minted(&app, ada.id, no_mail("orders")).await.unwrap();
    let (guess, text) = (format!("udl_{}", "A".repeat(43)), &token[4..]);
    assert_eq!(refusal(look(&app, &guess).await), Refusal::LinkGone);
    assert_eq!(refusal(follow(&app, &guess, Confirmation::Form).await), Refusal::LinkGone);
    for malformed in ["", "x", text, &format!("uds_{text}"), &token.to_uppercase(), &format!("{token}A"), &token[..46]]
    {
        assert_eq!(refusal(look(&app, malformed).await), Refusal::NotFound, "{malformed}");
    }
    let hash = |token: &str| userd_crypto::OpaqueSecret::hash_of("udl_", token).unwrap();
    // The same secret, kept for something else; and the payload of one link in the row of another.
    let mut reading = app.reading();
    let first = reading.one_time_tokens().find(&hash(&token), "link_not_me", app.now()).await.unwrap().unwrap();
    let second = reading.one_time_tokens().find(&hash(&other), "link_unsubscribe", app.now()).await.unwrap().unwrap();
    assert_eq!((first.owner, second.owner), (None, None));
    let elsewhere = OneTimeToken { purpose: "exchange_code".to_owned(), ..first.clone() };
    replace(&app, &elsewhere).await;
    assert_eq!(refusal(follow(&app, &token, Confirmation::Form).await), Refusal::LinkGone);
    let swapped = OneTimeToken { payload: first.payload.clone(), ..second };
    replace(&app, &swapped).await;
    assert!(matches!(look(&app, &other).await, Err(Failure::Internal(_))));
    assert!(!app.is_out(&ada.tokens).await);
}

async fn replace(app: &TestApp, token: &OneTimeToken) {
    let put = app.deps.store.transact("put", |mut uow| async move {
        uow.one_time_tokens().replace(token).await?;
        uow.commit(()).await
    });
    put.await.unwrap();
}

/// A link outlives neither its days nor its user; blocking does not save a thief from it.
#[apply(case)]
async fn a_link_ends_with_its_time_and_with_its_user(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, grace) = (app.member("ada").await, app.member("grace").await);
    let late = minted(&app, ada.id, not_me()).await.unwrap();
    let orphan = [minted(&app, grace.id, not_me()).await.unwrap(), minted(&app, grace.id, no_mail("a")).await.unwrap()];
    app.delete(grace.id).await;
    for token in orphan {
        assert_eq!(refusal(follow(&app, &token, Confirmation::Form).await), Refusal::LinkGone);
    }
    app.advance(7 * DAY);
    assert_eq!(refusal(look(&app, &late).await), Refusal::LinkGone);
}

/// Guessing is hopeless, and slow as well; what people do with good links counts for nothing.
#[apply(case)]
async fn only_bad_links_are_counted_against_a_network(fixture: Fixture) {
    let app = fixture.app_with(with(|settings| settings.limits.enabled = true)).await;
    let ada = app.member("ada").await;
    let token = minted(&app, ada.id, no_mail("orders")).await.unwrap();
    for _ in 0..300 {
        look(&app, &token).await.unwrap();
    }
    let guess = format!("udl_{}", "A".repeat(43));
    let mut refused = Vec::new();
    for _ in 0..130 {
        refused.push(refusal(look(&app, &guess).await));
    }
    assert_eq!(refused.iter().filter(|refusal| **refusal == Refusal::LinkGone).count(), 120);
    assert!(matches!(refusal(look(&app, &guess).await), Refusal::TooManyAttempts(_)));
    assert!(look(&app, &token).await.is_ok(), "a good one is not refused because of a neighbour's");
}
