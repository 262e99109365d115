//! Whatever is good for one use, shown sixty-four times at once in two replicas. By hand, in as many rounds as one likes:
//! `USERD_TEST_RACE_ROUNDS=1000 cargo nextest run -p userd-services -E 'test(whatever_is_good_for_one_use)'`.

use std::{sync::Arc, time::Duration};

use userd_model::Refusal;
use userd_services::{
    Context, Failure, Services, accounts::Registration, emails::Code, invitations::NewInvitation, passwords::Password,
    testing::TestOptions,
};

use crate::{
    emails::{forgot, newest},
    factors::support::{Phone, authenticator, recovery},
    fixture::{Fixture, TestApp, at_once, refusal, rounds, with},
    personas::{OTHER_PASSWORD, PASSWORD, at, elsewhere, home, of, password, registration},
    terms::{accept, document},
};

fn on() -> TestOptions {
    with(|settings| settings.email_code_sign_in = true)
}

/// The same, where terms are to be accepted.
fn with_terms() -> TestOptions {
    with(|settings| settings.documents = vec![document("terms", "1", true)])
}

/// A link that proves an address, a code that signs in, a code of an app, a recovery code, a link that resets, an invitation; a
/// code that proves an address, a link that restores, terms, a demanded password; the set-up of an app and of a passkey, and a
/// passkey's answer.
/// F17: of a race for one thing there is one winner.
#[apply(case)]
async fn whatever_is_good_for_one_use_is_taken_once(fixture: Fixture) {
    let first = fixture.app_with(on()).await;
    let clock = || Some(Arc::clone(&first.clock));
    let second = fixture.app_with(TestOptions { clock: clock(), seed: 2, ..on() }).await;
    let third = fixture.app_with(TestOptions { clock: clock(), seed: 3, ..with_terms() }).await;
    let fourth = fixture.app_with(TestOptions { clock: clock(), seed: 4, ..with_terms() }).await;
    for number in 0..rounds("USERD_TEST_RACE_ROUNDS", 1) {
        what_is_sent([&first, &second], number).await;
        steps_of_a_sign_in([&first, &second], [&third, &fourth], number).await;
        set_ups([&first, &second], number).await;
    }
}

async fn what_is_sent(replicas: [&TestApp; 2], number: usize) {
    let (app, name) = (replicas[0], format!("ada{number}"));
    let ada = app.member(&name).await;
    let (link, _) = newest(app, &ada.email).await;
    let proofs = winners(replicas, |_, services, ctx| {
        let link = link.clone();
        async move { services.emails.verify_link(&ctx, &link, None).await }
    });
    assert_eq!(proofs.await, 1, "a link that proves");
    app.advance(Duration::from_secs(1));

    let challenge = app.email_codes.begin(&at(app, home()), &ada.email).await.unwrap().challenge;
    let (_, code) = newest(app, &ada.email).await;
    let codes = winners(replicas, |_, services, ctx| {
        let (challenge, code) = (challenge.clone(), code.clone());
        async move { services.email_codes.finish(&ctx, &challenge, &code, None).await }
    });
    assert_eq!(codes.await, 1, "a code of a mail");

    let phone = app.phone_of(&ada).await;
    let mut challenges = Vec::new();
    for _ in 0..64 {
        challenges.push(app.first_step(&name).await.challenge);
    }
    for shown in [phone.shows(app.now()), recovery(&phone.recovery_codes[number % 10])] {
        let steps = winners(replicas, |turn, services, ctx| {
            let (challenge, shown) = (challenges[turn].clone(), shown.clone());
            async move { services.factors.second_step(&ctx, &challenge, &shown).await }
        });
        assert_eq!(steps.await, 1, "a code of an app, a recovery code");
    }

    forgot(app, &at(app, home()), &ada.email).await;
    let (link, _) = newest(app, &ada.email).await;
    let resets = winners(replicas, |turn, services, ctx| {
        let link = link.clone();
        async move { services.recovery.reset(&ctx, &link, &Password::new(format!("{OTHER_PASSWORD} {turn}"))).await }
    });
    assert_eq!(resets.await, 1, "a link that resets");

    let invitation = NewInvitation { uses: Some(1), ..NewInvitation::default() };
    let made = app.invitations.create(&app.operator_context(), &invitation, None).await.unwrap();
    let guests = winners(replicas, |turn, services, ctx| {
        let asked = registration(None, Some(&format!("guest{number}x{turn}")));
        let asked = Registration { invitation: made.token.clone(), ..asked };
        async move { services.accounts.register(&ctx, asked, None).await }
    });
    assert_eq!(guests.await, 1, "an invitation");
}

/// The code that proves, the link that restores, and the steps that a sign-in stops at.
async fn steps_of_a_sign_in(replicas: [&TestApp; 2], asking_terms: [&TestApp; 2], number: usize) {
    let (app, name) = (replicas[0], format!("grace{number}"));
    let grace = app.member(&name).await;
    let (_, code) = newest(app, &grace.email).await;
    let proofs = winners(replicas, |_, services, ctx| {
        let (email, code) = (grace.email.clone(), code.clone());
        async move {
            let code = Code { email: &email, code: &code, challenge: None };
            services.emails.verify_code(&ctx, &code, None).await
        }
    });
    assert_eq!(proofs.await, 1, "a code that proves");

    app.deletions.delete_own(&of(app, &grace), Some(&password(PASSWORD))).await.unwrap();
    let (link, _) = newest(app, &grace.email).await;
    let restorations = winners(replicas, |_, services, ctx| {
        let link = link.clone();
        async move { services.deletions.restore_own(&ctx, &link).await }
    });
    assert_eq!(restorations.await, 1, "a link that restores");

    let owing = asking_terms[0].first_step(&name).await.challenge;
    let acceptances = winners(asking_terms, |_, services, ctx| {
        let owing = owing.clone();
        async move { services.accounts.accept_terms(&ctx, &owing, &accept(&[("terms", "1")])).await }
    });
    assert_eq!(acceptances.await, 1, "terms");

    app.users.require_password_change(&app.operator_context(), grace.id).await.unwrap();
    let demanded = app.first_step(&name).await.challenge;
    let changes = winners(replicas, |turn, services, ctx| {
        let demanded = demanded.clone();
        let new = Password::new(format!("{OTHER_PASSWORD} {turn}"));
        async move { services.accounts.change_demanded(&ctx, &demanded, &new).await }
    });
    assert_eq!(changes.await, 1, "a demanded password");
}

/// A factor that is shown for the first time, in one session, and a passkey's answer.
async fn set_ups(replicas: [&TestApp; 2], number: usize) {
    let app = replicas[0];
    let (mary, ruth) = (app.member(&format!("mary{number}")).await, app.member(&format!("ruth{number}")).await);
    let begun = app.factors.begin_totp(&app.acting(&mary).await, None, None).await.unwrap();
    let (who, code) = (app.who(&mary.tokens.access_token).await.unwrap(), Phone::reading(&begun).code(app.now()));
    let apps = winners(replicas, |_, services, ctx| {
        let (ctx, id, code) = (ctx.authenticated(who.clone()), begun.id, code.clone());
        async move { services.factors.confirm_totp(&ctx, id, &code).await }
    });
    assert_eq!(apps.await, 1, "the set-up of an app");

    let mut laptop = authenticator();
    let begun = app.factors.begin_passkey(&app.acting(&ruth).await, None).await.unwrap();
    let (who, made) = (app.who(&ruth.tokens.access_token).await.unwrap(), laptop.create(&begun.options).unwrap());
    let passkeys = winners(replicas, |_, services, ctx| {
        let (ctx, challenge, made) = (ctx.authenticated(who.clone()), begun.challenge.clone(), made.clone());
        async move { services.factors.finish_passkey(&ctx, &challenge, &made).await }
    });
    assert_eq!(passkeys.await, 1, "the set-up of a passkey");
    for member in [&mary, &ruth] {
        let mut reading = app.reading();
        assert_eq!(reading.factors().of_user(member.id).await.unwrap().len(), 1);
        assert_eq!(reading.recovery_codes().of_user(member.id).await.unwrap().len(), 10, "one set");
    }

    let begun = app.factors.begin_passkey_sign_in(&at(app, home())).await.unwrap();
    let answer = laptop.get(&begun.options).unwrap();
    let sign_ins = winners(replicas, |_, services, ctx| {
        let (challenge, answer) = (begun.challenge.clone(), answer.clone());
        async move { services.factors.finish_passkey_sign_in(&ctx, &challenge, &answer, None).await }
    });
    assert_eq!(sign_ins.await, 1, "a passkey's answer");
}

/// Whether this is how a loser hears of it. Once a factor is there, a session that has not shown it sets up no other one.
const fn is_gone(refusal: &Refusal) -> bool {
    matches!(
        refusal,
        Refusal::InvalidCode
            | Refusal::ChallengeGone
            | Refusal::InvitationGone
            | Refusal::NotFound
            | Refusal::InsufficientAuthentication { .. }
    )
}

/// How many of sixty-four get through; the others hear that it is gone.
async fn winners<T, F>(replicas: [&TestApp; 2], show: impl Fn(usize, Arc<Services>, Context) -> F) -> usize
where
    T: Send + 'static,
    F: Future<Output = Result<T, Failure>> + Send + 'static,
{
    let replicas = replicas.map(TestApp::shared);
    let ends = at_once(64, |turn| {
        let services = Arc::clone(&replicas[turn % 2]);
        let ctx = services.context().from_origin(elsewhere(turn));
        show(turn, services, ctx)
    });
    let (won, lost): (Vec<_>, Vec<_>) = ends.await.into_iter().partition(Result::is_ok);
    for end in lost {
        let why = refusal(end.map(drop));
        assert!(is_gone(&why), "{why:?}");
    }
    won.len()
}
