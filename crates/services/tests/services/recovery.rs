//! A forgotten password, set anew by a link.

use std::time::Duration;

use userd_model::{EventKind, Permission, Refusal};
use userd_services::{
    links::LinkAct,
    passwords::Password,
    testing::{TestOptions, settings},
};

use crate::{
    emails::{forgot, mails, mails_to, newest},
    fixture::{Fixture, MINUTE, TestApp, at_once, refusal},
    personas::{OTHER_PASSWORD, PASSWORD, acting, at, elsewhere, home, of, password, registration, started},
};

const HOUR: Duration = Duration::from_secs(3600);

/// AC-002, AC-005, AC-007: the link alone names the account; it dies with any change of credentials.
#[apply(case)]
async fn a_forgotten_password_is_set_anew_once_and_every_session_ends(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let (proof, _) = newest(&app, &ada.email).await;
    let ctx = &at(&app, home());
    app.emails.verify_link(ctx, &proof, None).await.unwrap();
    forgot(&app, ctx, &ada.email).await;
    let (first, _) = newest(&app, &ada.email).await;
    forgot(&app, ctx, "ada").await;
    let (second, _) = newest(&app, &ada.email).await;
    assert_eq!(app.links.look(ctx, &first).await.unwrap(), LinkAct::ResetPassword);
    let weak = app.recovery.reset(ctx, &first, &password("short")).await;
    assert!(matches!(refusal(weak), Refusal::InvalidInput(_)), "the link stays");
    app.recovery.reset(ctx, &first, &password(OTHER_PASSWORD)).await.unwrap();
    assert!(app.is_out(&ada.tokens).await);
    assert_eq!(refusal(app.login("ada", PASSWORD).await), Refusal::WrongCredentials);
    assert!(app.login("ada", OTHER_PASSWORD).await.is_ok());
    for used in [first, second] {
        let again = app.recovery.reset(ctx, &used, &password(PASSWORD)).await;
        assert_eq!(refusal(again), Refusal::InvalidCode, "the other one died with the password");
    }
    let view = app.user_reader.show(ada.id).await.unwrap();
    assert_eq!((view.username.as_deref(), view.email_verified), (Some("ada"), true), "nothing else is changed");
}

#[apply(case)]
async fn a_reset_link_lives_an_hour(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    forgot(&app, &at(&app, home()), "ada").await;
    let (token, _) = newest(&app, &ada.email).await;
    app.advance(HOUR);
    let late = app.recovery.reset(&at(&app, home()), &token, &password(OTHER_PASSWORD)).await;
    assert_eq!(refusal(late), Refusal::InvalidCode);
}

/// AC-006.
#[apply(case)]
async fn of_sixty_four_resets_by_one_link_one_counts(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    forgot(&app, &at(&app, home()), "ada").await;
    let (token, _) = newest(&app, &ada.email).await;
    let services = app.shared();
    let ends = at_once(64, |n| {
        let (services, token) = (services.clone(), token.clone());
        let ctx = services.context().from_origin(elsewhere(n));
        async move {
            let new = Password::new(format!("{OTHER_PASSWORD} {n}"));
            services.recovery.reset(&ctx, &token, &new).await.map(|()| n)
        }
    })
    .await;
    let won: Vec<usize> = ends.into_iter().filter_map(Result::ok).collect();
    assert_eq!(won.len(), 1);
    assert!(app.login("ada@example.org", &format!("{OTHER_PASSWORD} {}", won[0])).await.is_ok());
}

/// Decision 0008: whoever proves the mailbox of an account that only claims it gets the account, and nothing of the claimant's
/// is left in it.
#[apply(case)]
async fn a_reset_to_an_unproven_address_is_the_proof_of_the_mailbox_and_wipes_the_claimant(fixture: Fixture) {
    let app = fixture.app().await;
    let squatter = app.member("squatter").await;
    let owner = &at(&app, elsewhere(7));
    forgot(&app, owner, &squatter.email).await;
    let (token, _) = newest(&app, &squatter.email).await;
    app.recovery.reset(owner, &token, &password(OTHER_PASSWORD)).await.unwrap();
    assert!(app.is_out(&squatter.tokens).await);
    let view = app.user_reader.show(squatter.id).await.unwrap();
    assert_eq!((view.username, view.display_name, view.email_verified), (None, None, true));
    assert_eq!(refusal(app.login("squatter", OTHER_PASSWORD).await), Refusal::WrongCredentials, "the name is gone");
    assert!(app.login(&squatter.email, OTHER_PASSWORD).await.is_ok());
}

#[apply(case)]
async fn an_account_with_roles_or_permissions_is_never_won_by_its_unproven_address(fixture: Fixture) {
    let app = fixture.app().await;
    let (admin, ada, ctx) = (app.admin().await, app.member("ada").await, at(&app, home()));
    forgot(&app, &ctx, &admin.email).await;
    assert_eq!(mails_to(&app, &admin.email).await.len(), 0);
    // One that was asked for before, and one that is asked for now.
    forgot(&app, &ctx, &ada.email).await;
    let (early, _) = newest(&app, &ada.email).await;
    app.grant_alone(ada.id, Permission::USERS_MANAGE).await;
    let won = app.recovery.reset(&ctx, &early, &password(OTHER_PASSWORD)).await;
    assert_eq!(refusal(won), Refusal::InvalidCode);
    let before = mails_to(&app, &ada.email).await.len();
    forgot(&app, &ctx, &ada.email).await;
    assert_eq!(mails_to(&app, &ada.email).await.len(), before);
    assert!(app.login("ada", PASSWORD).await.is_ok(), "nothing of the account was touched");
}

/// AC-010. Nobody is written to: unknown, blocked, without an address. Whoever asks hears the same and makes the same rows.
#[apply(case)]
async fn asking_for_a_reset_does_the_same_for_every_login(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, grace, ctx) = (app.member("ada").await, app.member("grace").await, at(&app, home()));
    app.users.block(&app.operator_context(), grace.id).await.unwrap();
    app.accounts.register(&ctx, registration(None, Some("nameonly")), None).await.unwrap();
    mails(&app).await;
    let mut rows = Vec::new();
    for login in [ada.email.as_str(), "grace", "nameonly", "nobody@example.org", "+79991234567", "no login at all"] {
        let pending = async || {
            let state = userd_model::DeliveryState::Pending;
            app.reading().deliveries().in_state(state, None, 100).await.unwrap().len()
        };
        let before = pending().await;
        forgot(&app, &ctx, login).await;
        rows.push(pending().await - before);
        mails(&app).await;
    }
    assert_eq!(rows, vec![1; 6]);
    let resets = mails(&app).await.into_iter().filter(|mail| mail.subject.contains("password"));
    assert_eq!(resets.map(|mail| mail.to).collect::<Vec<_>>(), [ada.email]);
}

/// Nobody floods a mailbox by asking again and again, and whoever uses its mails up from one network keeps nobody else from
/// having one; from however many networks, not its owner on a device that they have, and no administrator.
#[apply(case)]
async fn one_network_has_five_mails_of_a_kind_sent_to_an_address_and_all_of_them_twenty(fixture: Fixture) {
    let mut settings = settings();
    settings.limits.enabled = true;
    let app = fixture.app_with(TestOptions { settings, ..TestOptions::default() }).await;
    let ada = app.member("ada").await;
    let resets = async |app: &TestApp| {
        mails_to(app, &ada.email).await.into_iter().filter(|mail| mail.subject.contains("password")).count()
    };
    for _ in 0..8 {
        forgot(&app, &at(&app, elsewhere(0)), "ada").await;
    }
    assert_eq!(resets(&app).await, 5, "from one network");
    let sent = mails_to(&app, &ada.email).await;
    let asked = &sent.iter().find(|mail| mail.subject.contains("password")).unwrap().text;
    assert!(asked.contains("curl") && !asked.contains("curl/8"), "called as the list of devices calls it: {asked}");
    forgot(&app, &at(&app, home()), "ada").await;
    assert_eq!(resets(&app).await, 6, "and from another one its owner's own");
    for n in 1..40 {
        forgot(&app, &at(&app, elsewhere(n)), "ada").await;
    }
    assert_eq!(resets(&app).await, 20, "from all of them");

    let mallory = app.member("mallory").await;
    for (device, sent) in [(&mallory.tokens.device_token, 20), (&ada.tokens.device_token, 21)] {
        forgot(&app, &at(&app, home()).on_device(device.clone()), "ada").await;
        assert_eq!(resets(&app).await, sent);
    }
    app.recovery.send_link(&app.operator_context(), ada.id).await.unwrap();
    assert_eq!(resets(&app).await, 22);

    app.advance(10 * MINUTE);
    forgot(&app, &at(&app, elsewhere(50)), "ada").await;
    forgot(&app, &at(&app, elsewhere(50)), "ada").await;
    assert_eq!(resets(&app).await, 23, "one in ten minutes");
    let mut ends = Vec::new();
    for _ in 0..21 {
        ends.push(app.recovery.forgot(&at(&app, elsewhere(60)), "nobody").await);
    }
    assert!(matches!(refusal(ends.pop().unwrap()), Refusal::TooManyAttempts(_)), "per network");
}

#[apply(case)]
async fn an_administrator_can_send_the_link_and_no_more(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, admin) = (app.member("ada").await, app.admin().await);
    let denied = app.recovery.send_link(&of(&app, &ada), admin.id).await;
    assert_eq!(refusal(denied), Refusal::Forbidden);
    let root = acting(&app, &app.actor(&admin).await);
    mails(&app).await;
    app.recovery.forgot(&at(&app, home()), &ada.email).await.unwrap();
    assert_eq!(
        app.count_of(ada.id, EventKind::PasswordResetSent).await,
        0,
        "whoever asks has not acted in the account"
    );
    mails(&app).await;
    app.recovery.send_link(&root, ada.id).await.unwrap();
    let sent = app.facts_of(ada.id).await.pop().unwrap();
    assert_eq!((sent.kind.as_str(), sent.actor.id), ("user.password_reset_sent", Some(admin.id.0)));
    let (token, _) = newest(&app, &ada.email).await;
    app.recovery.reset(&at(&app, home()), &token, &password(OTHER_PASSWORD)).await.unwrap();
    assert!(app.login(&ada.email, OTHER_PASSWORD).await.is_ok());
}

/// Who asks for themself hears the same for every login; who administers accounts hears that nothing would come.
#[apply(case)]
async fn an_administrator_hears_that_an_account_has_no_address_for_the_link(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, grace, admin) = (app.member("ada").await, app.member("grace").await, app.admin().await);
    let registered = app.accounts.register(&at(&app, home()), registration(None, Some("nameonly")), None).await;
    let without = started(registered.unwrap()).user.id;
    app.grant_alone(ada.id, Permission::USERS_READ).await;
    app.deletions.delete(&app.operator_context(), grace.id).await.unwrap();
    mails(&app).await;
    let root = acting(&app, &app.actor(&admin).await);
    let pending = async || {
        let state = userd_model::DeliveryState::Pending;
        app.reading().deliveries().in_state(state, None, 100).await.unwrap().len()
    };
    let before = pending().await;
    for (who, refused) in [
        (without, Refusal::NoAddress),
        // Nobody has proven it, and there is something to win.
        (ada.id, Refusal::NoAddress),
        (grace.id, Refusal::NotFound),
    ] {
        assert_eq!(refusal(app.recovery.send_link(&root, who).await), refused);
    }
    assert_eq!(pending().await, before, "nothing is on its way to nobody");
}
