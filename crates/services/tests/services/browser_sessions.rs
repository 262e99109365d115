//! Sessions that a browser holds: one secret at a time, the same rows, everything that ends a session ends them at once.

use std::{sync::Arc, time::Duration};

use userd_model::{Actor, Level, Permission, Refusal};
use userd_services::{
    BrowserVisit, Failure, HeldAt, InBrowser, factors::StepUp, sign_in::ForwardHost, testing::TestOptions,
};

use crate::{
    fixture::{DAY, Fixture, MINUTE, TestApp, at_once, refusal},
    personas::{OTHER_PASSWORD, PASSWORD, at, elsewhere, home, of_id, password},
    sign_in::elsewhere::{Elsewhere, offering, proven},
};

impl TestApp {
    /// Signs in in a browser.
    async fn browse(&self, login: &str) -> InBrowser {
        let signed_in = self.login(login, PASSWORD).await.unwrap();
        self.sessions.hold_in_browser(&at(self, home()), signed_in, HeldAt::Pages).await.unwrap()
    }

    async fn visit(&self, secret: &str) -> Result<BrowserVisit, Failure> {
        self.authenticate_browser(at(self, home()), secret).await
    }

    async fn is_in(&self, held: &InBrowser) -> bool {
        match self.visit(&held.secret).await {
            Ok(_) => true,
            Err(failure) => {
                assert!(matches!(failure, Failure::Refused(Refusal::NotSignedIn)), "{failure:?}");
                false
            }
        }
    }
}

#[apply(case)]
async fn a_browser_acts_as_whoever_signed_in_there(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let held = app.browse("ada").await;
    let BrowserVisit { ctx, renewed } = app.visit(&held.secret).await.unwrap();
    assert_eq!(ctx.user().unwrap(), (ada.id, held.session_id));
    assert_eq!((ctx.auth_time, ctx.level, renewed), (Some(app.now()), Level::One, None));
    let devices = app.sessions.list(&ctx, ada.id, None, 10).await.unwrap();
    let current: Vec<_> = devices.iter().filter(|device| device.current).map(|device| device.id).collect();
    assert_eq!(current, [held.session_id], "it is one of the devices, and the one that asks");
}

#[apply(case)]
async fn what_somebody_may_do_in_a_browser_is_looked_up_anew(fixture: Fixture) {
    let app = fixture.app().await;
    let root = app.admin().await;
    let held = app.browse(&root.email).await;
    let may = async || match app.visit(&held.secret).await.unwrap().ctx.actor {
        Actor::User { permissions, .. } => permissions.contains(&Permission::USERS_READ),
        _ => false,
    };
    assert!(may().await);
    app.rewrite(root.id, |user| user.roles.clear()).await;
    assert!(!may().await, "at the next request");
}

/// AC-083: the secret of before the sign-in, and each one before a step-up, opens nothing.
#[apply(case)]
async fn a_browsers_secret_is_another_after_each_proof(fixture: Fixture) {
    let app = fixture.app().await;
    app.member("ada").await;
    let first = app.browse("ada").await;
    let ctx = app.visit(&first.secret).await.unwrap().ctx;
    let by_password = StepUp { password: Some(password(PASSWORD)), factor: None };
    let raised = app.factors.step_up(&ctx, by_password).await.unwrap();
    assert!(!app.is_in(&first).await, "from the step-up on");
    let second = app.sessions.hold_in_browser(&ctx, raised, HeldAt::Pages).await.unwrap();
    assert_eq!(second.session_id, first.session_id);
    assert!(app.is_in(&second).await);
    assert!(!app.is_in(&first).await);
}

#[apply(case)]
async fn a_refresh_token_is_handed_over_once_and_is_no_cookie_nor_a_cookie_one(fixture: Fixture) {
    let app = fixture.app().await;
    app.member("ada").await;
    let signed_in = app.login("ada", PASSWORD).await.unwrap();
    let token = signed_in.tokens.refresh_token.clone();
    assert!(app.visit(&token).await.is_err(), "a refresh token is no cookie");
    assert!(app.visit(&signed_in.tokens.access_token).await.is_err(), "nor is an access token");
    let ctx = at(&app, home());
    let held = app.sessions.hold_in_browser(&ctx, signed_in.clone(), HeldAt::Pages).await.unwrap();
    assert_eq!(
        refusal(app.sessions.hold_in_browser(&ctx, signed_in, HeldAt::Pages).await.map(drop)),
        Refusal::NotSignedIn
    );
    assert_eq!(refusal(app.refresh(&held.secret).await), Refusal::InvalidRefreshToken);
    assert!(app.who(&held.secret).await.is_err(), "the API takes no cookie");
    assert!(app.is_in(&held).await);
    assert_eq!(refusal(app.refresh(&token).await), Refusal::InvalidRefreshToken);
    assert!(!app.is_in(&held).await, "somebody holds what nobody should: the session is over");
}

#[apply(case)]
async fn of_many_who_hand_over_one_refresh_token_one_holds_the_session(fixture: Fixture) {
    let app = fixture.app().await;
    app.member("ada").await;
    let signed_in = app.login("ada", PASSWORD).await.unwrap();
    let (services, signed_in) = (app.shared(), &signed_in);
    let answers = at_once(64, |_| {
        let (services, signed_in) = (services.clone(), signed_in.clone());
        async move { services.sessions.hold_in_browser(&at(&services, home()), signed_in, HeldAt::Pages).await }
    })
    .await;
    let held: Vec<_> = answers.into_iter().flatten().collect();
    assert_eq!(held.len(), 1);
    assert!(app.is_in(&held[0]).await);
}

#[apply(case)]
async fn whatever_ends_a_session_ends_it_in_the_browser_at_once(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let root = of_id(&app, app.admin().await.id).acting_as(Actor::Operator);
    let ctx = || of_id(&app, ada.id);

    let held = app.browse("ada").await;
    app.sessions.sign_out(&app.visit(&held.secret).await.unwrap().ctx).await.unwrap();
    assert!(!app.is_in(&held).await, "signed out");

    let held = app.browse("ada").await;
    app.sessions.end(&ctx(), ada.id, held.session_id).await.unwrap();
    assert!(!app.is_in(&held).await, "ended from another device");

    let held = app.browse("ada").await;
    app.sessions.end_all(&ctx(), ada.id, None).await.unwrap();
    assert!(!app.is_in(&held).await, "signed out everywhere");

    let held = app.browse("ada").await;
    app.users.block(&root, ada.id).await.unwrap();
    assert!(!app.is_in(&held).await, "blocked");
    app.users.unblock(&root, ada.id).await.unwrap();

    let held = app.browse("ada").await;
    app.accounts.set_password(&root, ada.id, &password(OTHER_PASSWORD)).await.unwrap();
    assert!(!app.is_in(&held).await, "the password was set by somebody else");
}

#[apply(case)]
async fn a_password_change_leaves_the_browser_it_was_made_in(fixture: Fixture) {
    let app = fixture.app().await;
    app.member("ada").await;
    let (here, there) = (app.browse("ada").await, app.browse("ada").await);
    let ctx = app.visit(&here.secret).await.unwrap().ctx;
    app.accounts.change_password(&ctx, &password(PASSWORD), &password(OTHER_PASSWORD)).await.unwrap();
    assert!(app.is_in(&here).await);
    assert!(!app.is_in(&there).await);
}

#[apply(case)]
async fn use_prolongs_a_browsers_session_and_its_longest_life_ends_it(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let idle = app.browse("ada").await;
    let used = app.browse("ada").await;
    for _ in 0..5 {
        app.advance(20 * DAY);
        let visit = app.authenticate_browser(at(&app, elsewhere(1)), &used.secret).await.unwrap();
        assert_eq!(visit.renewed, Some(30 * DAY), "the cookie lives as long");
        let again = app.visit(&used.secret).await.unwrap();
        assert_eq!(again.renewed, None, "not at every request");
    }
    assert!(!app.is_in(&idle).await, "thirty days without use");
    let devices = app.sessions.list(&of_id(&app, ada.id), ada.id, None, 10).await.unwrap();
    let seen = devices.iter().find(|device| device.id == used.session_id).unwrap();
    assert_eq!((seen.last_seen_at, seen.ip.as_deref()), (app.now(), elsewhere(1).ip.as_deref()));
    for _ in 0..4 {
        app.advance(19 * DAY);
        app.visit(&used.secret).await.unwrap();
    }
    app.advance(5 * DAY);
    assert!(!app.is_in(&used).await, "a hundred and eighty days after the sign-in");
}

/// Most requests only read: five minutes after the use before, one is written, and asks what a sign-in would ask today.
#[apply(case)]
async fn a_use_is_one_five_minutes_after_the_one_before(fixture: Fixture) {
    let acme = Elsewhere::new("acme", |_| {});
    let app = fixture.app_with(offering(&[&acme])).await;
    acme.is(proven("acme", "7", "ada@example.org"));
    let signed_in = app.sign_in_through("acme").await;
    let held = app.sessions.hold_in_browser(&at(&app, home()), signed_in, HeldAt::Pages).await.unwrap();
    let off = Elsewhere::new("acme", |facts| facts.policy.enabled = false);
    let clock = Some(Arc::clone(&app.clock));
    let later = fixture.app_with(TestOptions { clock, seed: 2, ..offering(&[&off]) }).await;
    let session = async || app.reading().sessions().find(held.session_id).await.unwrap().unwrap();
    let recognised = async || later.recognise_browser(at(&later, home()), &held.secret).await.is_ok();
    let (began, second) = (session().await.last_seen_at, Duration::from_secs(1));
    app.advance(MINUTE * 5 - second);
    let visit = later.authenticate_browser(at(&later, elsewhere(1)), &held.secret).await.unwrap();
    assert_eq!((visit.renewed, session().await.last_seen_at), (None, began));
    assert!(recognised().await);
    app.advance(second);
    assert!(!recognised().await);
    let visit = later.authenticate_browser(at(&later, elsewhere(1)), &held.secret).await.map(drop);
    assert_eq!(refusal(visit), Refusal::NotSignedIn);
    let visit = app.authenticate_browser(at(&app, elsewhere(1)), &held.secret).await.unwrap();
    let (now, after) = (app.now(), session().await);
    assert_eq!((visit.renewed, after.last_seen_at), (Some(30 * DAY), now));
    assert_eq!((after.expires_at, after.ip), (now.plus(30 * DAY), elsewhere(1).ip));
}

/// A request by HEAD is no use of a session, and opens nothing that a use would not.
#[apply(case)]
async fn whoever_would_not_be_let_in_today_is_not_recognised_by_head_either(fixture: Fixture) {
    let acme = Elsewhere::new("acme", |_| {});
    let app = fixture.app_with(offering(&[&acme])).await;
    acme.is(proven("acme", "7", "ada@example.org"));
    let host = ForwardHost::at("https://app.example.org".to_owned());
    let of_pages = app.sign_in_through("acme").await;
    let of_pages = app.sessions.hold_in_browser(&at(&app, home()), of_pages, HeldAt::Pages).await.unwrap();
    let of_host = app.sign_in_through("acme").await;
    let of_host = app.sessions.hold_in_browser(&at(&app, home()), of_host, HeldAt::Host(host.name())).await.unwrap();
    let off = Elsewhere::new("acme", |facts| facts.policy.enabled = false);
    let clock = Some(Arc::clone(&app.clock));
    let later = fixture.app_with(TestOptions { clock, seed: 2, ..offering(&[&off]) }).await;
    app.advance(6 * MINUTE);
    for by_get in [false, true] {
        let (pages, forwarded) = if by_get {
            (
                later.authenticate_browser(at(&later, home()), &of_pages.secret).await.map(drop),
                later.forwarded_cookie(at(&later, home()), &host, &of_host.secret).await.map(drop),
            )
        } else {
            (
                later.recognise_browser(at(&later, home()), &of_pages.secret).await.map(drop),
                later.recognise_forwarded_cookie(at(&later, home()), &host, &of_host.secret).await.map(drop),
            )
        };
        assert_eq!((refusal(pages), refusal(forwarded)), (Refusal::NotSignedIn, Refusal::NotSignedIn), "{by_get}");
    }
    // The sessions wait for the rule to change.
    assert!(app.recognise_browser(at(&app, home()), &of_pages.secret).await.is_ok());
    assert!(app.recognise_forwarded_cookie(at(&app, home()), &host, &of_host.secret).await.is_ok());
}

#[apply(case)]
async fn a_forged_cookie_never_reaches_the_database(fixture: Fixture) {
    let app = fixture.app().await;
    app.member("ada").await;
    let held = app.browse("ada").await;
    let mut forged = held.secret.to_string();
    let last = forged.pop().unwrap();
    forged.push(if last == 'A' { 'Q' } else { 'A' });
    for text in [forged.as_str(), "", "udb_", "udr_", &held.secret[4..], &format!("{} ", *held.secret)] {
        assert!(app.visit(text).await.is_err(), "{text:?}");
    }
}

#[apply(case)]
async fn a_form_is_bound_to_the_cookie_of_its_browser(fixture: Fixture) {
    let app = fixture.app().await;
    let (mine, yours) = (app.mint_form_secret(), app.mint_form_secret());
    let token = app.form_token(&mine);
    assert!(app.is_form_token(&mine, &token));
    assert!(!app.is_form_token(&yours, &token));
    for bad in ["", "0", token.to_uppercase().as_str(), &token[1..]] {
        assert!(!app.is_form_token(&mine, bad), "{bad:?}");
    }
    assert!(!token.contains(mine.as_str()));
}
