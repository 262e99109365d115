//! Guessing: how many guesses reach an account, who is delayed, and who is not.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use userd_crypto::PasswordOptions;
use userd_model::{EventKind, Permission, Refusal};
use userd_services::{accounts::NewUser, limits::Rate, sessions::Login, testing::TestOptions};

use crate::{
    emails::{forgot, newest},
    fixture::{Fixture, MINUTE, TestApp, at_once, refusal, with},
    personas::{
        Member, OTHER_PASSWORD, PASSWORD, acting, at, elsewhere, home, login_with, of, of_session, password, started,
    },
    sign_in::elsewhere::{Elsewhere, offering, proven},
};

/// Five guesses an account, one more each minute; networks and devices as by default.
fn five_guesses() -> TestOptions {
    with(|settings| {
        settings.limits.enabled = true;
        settings.limits.password_per_account = Rate { burst: 5, period: MINUTE };
        settings.limits.password_per_known_device = Rate { burst: 2, period: MINUTE };
    })
}

async fn guess(app: &TestApp, login: &str, n: usize) -> Refusal {
    refusal(app.sessions.login(&at(app, elsewhere(n)), login_with(login, OTHER_PASSWORD)).await.map(started))
}

/// AC-023: a thousand parallel guesses from a thousand addresses before any counter commits.
/// ASVS V6.3.1, V2.3.2
#[apply(case)]
async fn a_thousand_guesses_at_once_are_five(fixture: Fixture) {
    let app = fixture.app_with(five_guesses()).await;
    app.member("ada").await;
    let services = app.shared();
    let answers = at_once(1000, |n| {
        let services = Arc::clone(&services);
        async move {
            services.sessions.login(&at(&services, elsewhere(n)), login_with("ada", OTHER_PASSWORD)).await.map(started)
        }
    })
    .await;
    let answers: Vec<_> = answers.into_iter().map(refusal).collect();
    let compared = answers.iter().filter(|answer| **answer == Refusal::WrongCredentials).count();
    assert_eq!(compared, 5);
    assert!(
        answers.iter().filter(|a| **a != Refusal::WrongCredentials).all(|a| matches!(a, Refusal::TooManyAttempts(_)))
    );
}

/// AC-021: case, address and username of one account share one counter.
#[apply(case)]
async fn every_spelling_of_a_login_shares_one_counter(fixture: Fixture) {
    let app = fixture.app_with(five_guesses()).await;
    app.member("ada").await;
    for (n, login) in ["ada", "ADA", "ada@example.org", "ADA@EXAMPLE.ORG", "Ada"].into_iter().enumerate() {
        assert_eq!(guess(&app, login, n).await, Refusal::WrongCredentials, "{login}");
    }
    for login in ["ada", "aDa", "ada@example.ORG"] {
        assert!(matches!(guess(&app, login, 9).await, Refusal::TooManyAttempts(_)), "{login}");
    }
}

/// AC-010: a login that nobody has is delayed like one that somebody has.
#[apply(case)]
async fn an_unknown_login_is_delayed_alike(fixture: Fixture) {
    let app = fixture.app_with(five_guesses()).await;
    app.member("ada").await;
    for n in 0..5 {
        assert_eq!(guess(&app, "ada", n).await, guess(&app, "nobody", n).await);
    }
    assert_eq!(guess(&app, "ada", 6).await, guess(&app, "nobody", 6).await);
    assert!(matches!(guess(&app, "nobody", 6).await, Refusal::TooManyAttempts(_)));
}

/// Whoever watches over accounts hears of it once, and nobody learns by it which accounts there are.
#[apply(case)]
async fn a_limit_that_was_reached_at_an_account_is_told_once_in_its_window(fixture: Fixture) {
    let app = fixture.app_with(five_guesses()).await;
    let clock = Some(Arc::clone(&app.clock));
    let other = fixture.app_with(TestOptions { clock, seed: 2, ..five_guesses() }).await;
    let ada = app.member("ada").await;
    let told = async || app.count_of(ada.id, EventKind::SignInLimitReached).await;
    for n in 0..5 {
        guess(&app, "ada", n).await;
        guess(&app, "nobody", n).await;
    }
    app.tell_limits_reached().await.unwrap();
    assert_eq!(told().await, 0, "wrong, and not too often");
    for replica in [&app, &app, &other] {
        for login in ["ada", "nobody"] {
            while guess(replica, login, 6).await == Refusal::WrongCredentials {}
        }
        replica.tell_limits_reached().await.unwrap();
    }
    assert_eq!(told().await, 1, "whichever replica saw it");
    app.advance(Duration::from_secs(3600));
    while guess(&app, "ada", 7).await == Refusal::WrongCredentials {}
    app.tell_limits_reached().await.unwrap();
    assert_eq!(told().await, 2);
}

/// AC-017: guessing goes on by another way in: sign-in and the change of the password share the lock. A session counts
/// as a known device: strangers can't keep its owner from changing the password, and it gets few guesses of its own.
#[apply(case)]
async fn a_lock_is_shared_by_every_way_in(fixture: Fixture) {
    let app = fixture.app_with(five_guesses()).await;
    let ada = app.member("ada").await;
    let change = async |n| {
        let (wrong, new) = (password(OTHER_PASSWORD), password("another good password 7"));
        let session = ada.tokens.session_id;
        refusal(app.accounts.change_password(&of_session(&app, ada.id, session, elsewhere(n)), &wrong, &new).await)
    };
    for n in 0..3 {
        assert_eq!(change(n).await, Refusal::WrongCurrentPassword);
    }
    for n in 3..5 {
        assert_eq!(guess(&app, "ada", n).await, Refusal::WrongCredentials);
    }
    assert!(matches!(guess(&app, "ada", 6).await, Refusal::TooManyAttempts(_)));
    let mut compared = 0;
    for n in 7..60 {
        compared += usize::from(change(n).await == Refusal::WrongCurrentPassword);
    }
    assert!(compared <= 20, "a session has at most a known device's count beside it, not a way around: {compared}");
}

/// AC-020: nothing that a caller holds resets a counter; only time does.
#[apply(case)]
async fn a_lock_is_a_delay_that_only_time_ends(fixture: Fixture) {
    let app = fixture.app_with(five_guesses()).await;
    app.member("ada").await;
    for n in 0..5 {
        guess(&app, "ada", n).await;
    }
    let Refusal::TooManyAttempts(wait) = guess(&app, "ada", 6).await else { panic!("no delay") };
    assert!(wait <= MINUTE && wait > Duration::ZERO, "{wait:?}");
    let right = app.sessions.login(&at(&app, elsewhere(7)), login_with("ada", PASSWORD)).await.map(started);
    assert!(matches!(refusal(right), Refusal::TooManyAttempts(_)), "the right password is not even compared");
    app.advance(wait);
    assert!(app.sessions.login(&at(&app, elsewhere(7)), login_with("ada", PASSWORD)).await.map(started).is_ok());
}

/// F29: an attacker locks the account; its owner still gets in from a device that has signed in before.
/// ASVS V8.2.4
#[apply(case)]
async fn a_known_device_gets_in_while_strangers_are_delayed(fixture: Fixture) {
    let app = fixture.app_with(five_guesses()).await;
    let ada = app.member("ada").await;
    let grace = app.member("grace").await;
    for n in 0..8 {
        guess(&app, "ada", n).await;
    }
    let from_device = |token: &Option<String>, text: &str| {
        let mut asked = login_with("ada", text);
        asked.device_token = token.clone();
        asked
    };
    let signed_in =
        app.sessions.login(&at(&app, elsewhere(3)), from_device(&ada.tokens.device_token, PASSWORD)).await.map(started);
    assert_eq!(signed_in.unwrap().user.id, ada.id);
    for useless in [grace.tokens.device_token.clone(), Some("udd_nonsense".to_owned()), None] {
        let answer = app.sessions.login(&at(&app, home()), from_device(&useless, PASSWORD)).await.map(started);
        assert!(matches!(refusal(answer), Refusal::TooManyAttempts(_)), "{useless:?}");
    }
    let mut compared = 0;
    for _ in 0..30 {
        let answer = app
            .sessions
            .login(&at(&app, home()), from_device(&ada.tokens.device_token, OTHER_PASSWORD))
            .await
            .map(started);
        compared += usize::from(refusal(answer) == Refusal::WrongCredentials);
    }
    assert_eq!(compared, 2, "a stolen device token is no licence to guess");
}

/// (fault 6) Device tokens from before a new password or a raised security epoch (a block, a won mailbox) give no
/// guesses of their own.
#[apply(case)]
async fn a_device_token_ends_with_what_ends_sessions(fixture: Fixture) {
    let acme = Elsewhere::new("acme", |_| {});
    acme.is(proven("acme", "7", "mary@example.org"));
    let app = fixture.app_with(TestOptions { settings: five_guesses().settings, ..offering(&[&acme]) }).await;
    for (name, end) in [
        ("ada", End::OwnPassword),
        ("grace", End::OperatorsPassword),
        ("hedy", End::LinkOfMail),
        ("joan", End::Block),
        ("mary", End::MailboxWon),
    ] {
        let member = app.member(name).await;
        let mut old = vec![member.tokens.device_token.clone()];
        for _ in 0..9 {
            old.push(app.login(name, PASSWORD).await.unwrap().tokens.device_token);
        }
        app.advance(MINUTE);
        end_sessions_by(&app, &member, end).await;
        let mut compared = 0;
        for (n, device_token) in old.iter().cycle().take(200).enumerate() {
            let asked =
                Login { device_token: device_token.clone(), ..login_with(&member.email, "not the password at all") };
            let answer = app.sessions.login(&at(&app, elsewhere(n)), asked).await.map(started);
            compared += usize::from(refusal(answer) == Refusal::WrongCredentials);
        }
        assert_eq!(compared, 5, "{end:?}: ten old tokens are one stranger");
    }
}

/// (fault 3) Sixteen device tokens and right passwords without end from one network, and everybody else still gets in.
#[apply(case)]
async fn one_network_never_takes_the_whole_hashing_pool(fixture: Fixture) {
    let slow = PasswordOptions { memory_kib: 8192, iterations: 1, workers: 1, queue: 9, ..PasswordOptions::default() };
    let app =
        fixture.app_with(TestOptions { passwords: slow, ..with(|settings| settings.limits.enabled = true) }).await;
    app.member("ada").await;
    app.member("grace").await;
    let mut devices = Vec::new();
    for _ in 0..16 {
        devices.push(app.login("ada", PASSWORD).await.unwrap().tokens.device_token);
    }
    let stop = Arc::new(AtomicBool::new(false));
    let mut storm = tokio::task::JoinSet::new();
    for n in 0..48 {
        let (services, stop, device_token) = (app.shared(), Arc::clone(&stop), devices[n % 16].clone());
        storm.spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                let asked = Login { device_token: device_token.clone(), ..login_with("ada", PASSWORD) };
                let _ = services.sessions.login(&at(&services, elsewhere(1)), asked).await;
                tokio::task::yield_now().await;
            }
        });
    }
    let mut answers = Vec::new();
    for n in 0..11 {
        let asked = login_with("grace", PASSWORD);
        answers.push(app.sessions.login(&at(&app, elsewhere(10 + n)), asked).await.map(|_| ()));
    }
    stop.store(true, Ordering::Relaxed);
    storm.join_all().await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
}

/// (fault 3) Neither many devices nor many sessions of one account are many counts.
#[apply(case)]
async fn the_devices_of_an_account_share_a_count(fixture: Fixture) {
    let app = fixture.app_with(five_guesses()).await;
    let ada = app.member("ada").await;
    let mut mine = vec![ada.tokens.clone()];
    for _ in 0..8 {
        mine.push(app.login("ada", PASSWORD).await.unwrap().tokens);
    }
    for n in 0..5 {
        guess(&app, "ada", n).await;
    }
    let (wrong, new) = (password(OTHER_PASSWORD), password("another good password 7"));
    let mut compared = 0;
    for (n, tokens) in mine.iter().cycle().take(90).enumerate() {
        let asked = Login { device_token: tokens.device_token.clone(), ..login_with("ada", OTHER_PASSWORD) };
        let signed_in = app.sessions.login(&at(&app, elsewhere(n)), asked).await.map(started);
        compared += usize::from(refusal(signed_in) == Refusal::WrongCredentials);
        let ctx = of_session(&app, ada.id, tokens.session_id, elsewhere(n));
        let changed = app.accounts.change_password(&ctx, &wrong, &new).await;
        compared += usize::from(refusal(changed) == Refusal::WrongCurrentPassword);
    }
    assert_eq!(compared, 4, "twice what one device has, for devices and sessions together");
}

/// What ends every session of an account that is not the one that asks for it.
#[derive(Clone, Copy, Debug)]
enum End {
    OwnPassword,
    OperatorsPassword,
    LinkOfMail,
    Block,
    /// By a sign-in elsewhere that proves the address (decision 0008).
    MailboxWon,
}

async fn end_sessions_by(app: &TestApp, member: &Member, end: End) {
    let (old, new) = (password(PASSWORD), password(OTHER_PASSWORD));
    let operator = app.operator_context();
    match end {
        End::OwnPassword => app.accounts.change_password(&of(app, member), &old, &new).await.unwrap(),
        End::OperatorsPassword => app.accounts.set_password(&operator, member.id, &new).await.unwrap(),
        End::LinkOfMail => {
            let ctx = &at(app, home());
            forgot(app, ctx, &member.email).await;
            let (link, _) = newest(app, &member.email).await;
            app.recovery.reset(ctx, &link, &new).await.unwrap();
        }
        End::MailboxWon => assert_eq!(app.sign_in_through("acme").await.user.id, member.id),
        End::Block => {
            app.users.block(&operator, member.id).await.map(drop).unwrap();
            app.users.unblock(&operator, member.id).await.map(drop).unwrap();
        }
    }
}

/// (fault 6) The device on which the new password was first used is known again.
#[apply(case)]
async fn a_device_is_known_again_after_the_first_sign_in_with_a_new_password(fixture: Fixture) {
    let app = fixture.app_with(five_guesses()).await;
    let ada = app.member("ada").await;
    app.advance(MINUTE);
    end_sessions_by(&app, &ada, End::OwnPassword).await;
    app.advance(MINUTE);
    let device_token = app.login("ada", OTHER_PASSWORD).await.unwrap().tokens.device_token;
    for n in 0..8 {
        let asked = login_with("ada", "not the password at all");
        refusal(app.sessions.login(&at(&app, elsewhere(n)), asked).await.map(started));
    }
    let asked = Login { device_token, ..login_with("ada", OTHER_PASSWORD) };
    assert!(app.sessions.login(&at(&app, elsewhere(1)), asked).await.map(started).is_ok());
}

#[apply(case)]
async fn a_success_costs_nothing(fixture: Fixture) {
    let app = fixture.app_with(five_guesses()).await;
    app.member("ada").await;
    for _ in 0..12 {
        app.login("ada", PASSWORD).await.unwrap();
    }
    for n in 0..5 {
        assert_eq!(guess(&app, "ada", n).await, Refusal::WrongCredentials);
    }
}

/// ASVS V2.4.1
#[apply(case)]
async fn one_network_guesses_at_many_accounts_only_so_often(fixture: Fixture) {
    let app = fixture
        .app_with(with(|settings| {
            settings.limits.enabled = true;
            settings.limits.password_per_network = Rate { burst: 10, period: MINUTE };
        }))
        .await;
    app.member("ada").await;
    let mut compared = 0;
    for n in 0..30 {
        compared += usize::from(guess_from_one_place(&app, n).await == Refusal::WrongCredentials);
    }
    assert_eq!(compared, 10);
    assert!(app.sessions.login(&at(&app, elsewhere(9)), login_with("ada", PASSWORD)).await.map(started).is_ok());
}

async fn guess_from_one_place(app: &TestApp, n: usize) -> Refusal {
    let asked = login_with(&format!("user{n}@example.org"), OTHER_PASSWORD);
    refusal(app.sessions.login(&at(app, elsewhere(1)), asked).await.map(started))
}

#[apply(case)]
async fn a_session_is_refreshed_only_so_often(fixture: Fixture) {
    let app = fixture
        .app_with(with(|settings| {
            settings.limits.enabled = true;
            settings.limits.refresh_per_session = Rate { burst: 3, period: MINUTE };
        }))
        .await;
    let ada = app.member("ada").await;
    let mut token = ada.tokens.refresh_token;
    for _ in 0..3 {
        token = app.refresh(&token).await.unwrap().tokens.refresh_token;
    }
    assert!(matches!(refusal(app.refresh(&token).await), Refusal::TooManyAttempts(_)));
    app.advance(MINUTE);
    assert!(app.refresh(&token).await.is_ok(), "and the session is none the worse for it");
}

/// What reads or writes much for one who asks: counted by the account that it is about, or by whoever acts.
#[apply(case)]
async fn exports_changes_of_the_address_resets_and_accounts_for_others_are_limited(fixture: Fixture) {
    let app = fixture.app_with(with(|settings| settings.limits.enabled = true)).await;
    let (ada, grace, operator) = (app.member("ada").await, app.member("grace").await, app.operator_context());
    let is_delayed = |answer| matches!(answer, Refusal::TooManyAttempts(_));

    for _ in 0..10 {
        app.export(&of(&app, &ada), ada.id).await.unwrap();
    }
    assert!(is_delayed(refusal(app.export(&operator, ada.id).await)), "of one account, whoever asks");
    app.export(&of(&app, &grace), grace.id).await.unwrap();
    app.advance(6 * MINUTE);
    app.export(&operator, ada.id).await.unwrap();

    let change = async |member: &Member, n: usize| {
        let address = format!("other{n}@example.net");
        app.emails.change(&of(&app, member), &address, Some(&password(PASSWORD)), None).await
    };
    for n in 0..5 {
        change(&ada, n).await.unwrap();
    }
    assert!(is_delayed(refusal(change(&ada, 5).await)), "mails that one account causes, to whatever addresses");
    change(&grace, 6).await.unwrap();

    let sender = app.service(&[Permission::USERS_MANAGE]).await.actor;
    for _ in 0..60 {
        app.recovery.send_link(&acting(&app, &sender), ada.id).await.unwrap();
    }
    assert!(is_delayed(refusal(app.recovery.send_link(&acting(&app, &sender), grace.id).await)), "of one who acts");
    app.recovery.send_link(&operator, grace.id).await.unwrap();

    for _ in 0..1000 {
        let nobody = app.accounts.create(&acting(&app, &sender), &NewUser::default(), None).await;
        assert!(matches!(refusal(nobody), Refusal::InvalidInput(_)));
    }
    let made = NewUser { username: Some("mary".to_owned()), ..NewUser::default() };
    assert!(is_delayed(refusal(app.accounts.create(&acting(&app, &sender), &made, None).await)));
    app.accounts.create(&operator, &made, None).await.unwrap();
}
